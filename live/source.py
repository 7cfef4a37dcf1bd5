"""Where frames come from: a file gives every one of them, a live source its newest and counts what it dropped.

It knows nothing of recognition; `live.address` says what may be opened.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import cv2
import numpy as np

from live.address import Address, Camera, File, understand
from live.ahead import Ahead
from live.capture import Capture, UnreachableError, open_address, silence_opencv
from live.reader import HIGHEST_RATE_HZ, USUAL_RATE_HZ, Reader
from live.webcam import Wanted, open_webcam
from models.damage import Reading
from models.errors import SourceError, UsageError
from models.frames import Frame, open_video

# Frames of a file that are decoded before they are asked for.
DECODED_AHEAD = 8
# A paced file that fell back by more than this goes on at its own pace from there, instead of rushing after it.
LATE_S = 0.25
# A gap between two frames of a file that is longer than this is not sat out.
LONGEST_WAIT_S = 5.0

# Waits before each reconnect; the last one is repeated for ever.
BACK_OFF_S = (1.0, 2.0, 4.0, 5.0)
# Without a frame for so long a live picture is called stale.
STALE_S = 0.7
# How often it is looked whether a live source still gives frames.
WATCH_S = 0.1
# A reader that hangs in OpenCV is left behind after this, and no further ones are begun while so many hang.
LEAVE_S = 0.5
MOST_HANGING = 4
# What the threads of a source get to end in.
CLOSE_S = 1.0
# Time stamps of a file that are looked at for its rate. One gap in so many may be odd and does not count; a rate this
# many times the named one is no rounding of the stamps.
STAMPS_READ = 1000
ODD_GAPS = 50
VARIABLE = 1.2


class FrameSource(Protocol):
    """Frames of one stream, in the order of their times. Opened means that the first frame has come."""

    name: str  # to be shown; holds no password
    live: bool
    size: tuple[int, int]  # (width, height) of the first frame

    @property
    def rate_hz(self) -> float:
        """At which hardly a frame is lost in a recording. Time stamps are what counts."""

    @property
    def captured(self) -> int:
        """Frames that it gave, with those that were dropped."""

    @property
    def dropped(self) -> int: ...

    @property
    def reconnects(self) -> int:
        """How often it was tried to connect a live source again."""

    @property
    def trouble(self) -> str | None:
        """Why a live source is being connected again; None while all is well."""

    @property
    def status(self) -> str | None:
        """What is wrong right now, for the display; None when all is well."""

    @property
    def now_s(self) -> float | None:
        """The present on the clock of a live source's frames; None for a file."""

    @property
    def gives(self) -> str | None:
        """Size and rate of a live source as they were measured; None where they are not known."""

    @property
    def decode_s(self) -> float:
        """How long the last frame took to be read."""

    @property
    def ended(self) -> bool: ...

    def next(self, timeout_s: float) -> Frame | None:
        """The next frame; None when none came in time, while paused, or when it has ended."""

    def pause(self, paused: bool) -> None: ...

    def damage(self) -> str | None:
        """Once it has ended: what could not be read of a file; None where nothing is known, and for a live source."""

    def close(self) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exc: object) -> None: ...


class _Source(ABC):
    """What both kinds share: `with` and iteration."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        while not self.ended:
            frame = self.next(1.0)
            if frame is not None:
                yield frame

    @property
    @abstractmethod
    def ended(self) -> bool: ...

    @abstractmethod
    def next(self, timeout_s: float) -> Frame | None: ...

    @abstractmethod
    def close(self) -> None: ...


class FileSource(_Source):
    """Every frame of a video file, decoded ahead; with `pace` each one is given when its time has come."""

    live = False
    dropped = reconnects = 0
    trouble = None
    status = None
    now_s = None
    gives = None

    def __init__(self, path: Path, *, pace: bool = True, name: str | None = None) -> None:
        self.name = name or path.name
        self.captured = 0
        self.decode_s = 0.0
        self._path = path
        self._reading = Reading(path)
        self._pace = pace
        self._paused = False
        self._start_s: float | None = None  # when, on the monotonic clock, media time 0 was or would have been
        self._ahead = Ahead(self._decode(), DECODED_AHEAD, "decoder")
        self._pending = self._ahead.next()
        assert self._pending is not None, "reading raises where there is no frame"
        height, width = self._pending.image.shape[:2]
        self.size = (width, height)

    @cached_property
    def rate_hz(self) -> float:
        return _rate_of(self._path)

    @property
    def ended(self) -> bool:
        return self._pending is None and self._ahead.ended

    def next(self, timeout_s: float) -> Frame | None:
        until_s = time.monotonic() + timeout_s
        if self._paused:
            time.sleep(timeout_s)
            return None
        if self._pending is None:
            self._pending = self._ahead.next(timeout_s)
        if self._pending is None or (self._pace and not self._wait_for(self._pending.time_s, until_s)):
            return None
        frame, self._pending = self._pending, None
        self.captured += 1
        return frame

    def pause(self, paused: bool) -> None:
        self._paused = paused
        self._start_s = None

    def damage(self) -> str | None:
        return self._reading.damage() if self.ended else None

    def close(self) -> None:
        self._ahead.close(CLOSE_S)

    def _wait_for(self, time_s: float, until_s: float) -> bool:
        """Sleep until the frame of `time_s` is due; False when `until_s` comes first."""
        now_s, start_s = time.monotonic(), self._start_s
        if start_s is None or not -LONGEST_WAIT_S <= now_s - (start_s + time_s) <= LATE_S:
            start_s = self._start_s = now_s - time_s
        due_s = start_s + time_s
        time.sleep(max(0.0, min(due_s, until_s) - now_s))
        return due_s <= until_s

    def _decode(self) -> Iterator[Frame]:
        frames = iter(self._reading)
        while True:
            start = time.perf_counter()
            frame = next(frames, None)
            if frame is None:
                return
            self.decode_s = time.perf_counter() - start
            yield frame


class LiveSource(_Source):
    """The newest frame of a camera or an address; connects again for ever once it has given a first frame.

    `time_s` is when the frame was captured, in seconds since the first one. A stretch without frames stays one:
    nothing is made up for it. A thread of its own watches the reader from outside: one that hangs is left behind,
    with whatever it may still get, and another one connects.
    """

    live = True

    def __init__(self, name: str, connect: Callable[[], Capture], *, give_up_after_s: float | None = None) -> None:
        """Raises SourceError where there is no first frame.

        Args:
            name: to be shown; holds no password.
            connect: opens the camera anew each time it is called, or raises UnreachableError.
            give_up_after_s: without a frame for so long `next` raises SourceError.
        """
        self.name = name
        self.rate_hz = USUAL_RATE_HZ
        self.reconnects = 0
        self._connect = connect
        self._give_up_after_s = give_up_after_s
        self._closing = threading.Event()
        self._start_s: float | None = None  # of the first frame, on the monotonic clock
        self._last_s = time.monotonic()  # of the last frame, or of the beginning
        self._trouble: str | None = None
        self._retry_s = 0.0
        self._counting = threading.Lock()
        self._reader: Reader | None = None
        self._captured = self._dropped = 0  # by the readers before
        self._hanging: list[Reader] = []  # that were left behind
        self._ahead = Ahead(self._frames(), 1, "watchdog", newest=True)
        first = self._wait_for_first()
        height, width = first.image.shape[:2]
        self.size = (width, height)
        self._first: Frame | None = first

    @property
    def captured(self) -> int:
        with self._counting:
            return self._captured + (self._reader.captured if self._reader else 0)

    @property
    def dropped(self) -> int:
        with self._counting:
            return self._dropped + (self._reader.dropped if self._reader else 0) + self._ahead.dropped

    @property
    def gives(self) -> str | None:
        reader = self._reader
        return reader.gives if reader else None

    @property
    def decode_s(self) -> float:
        reader = self._reader
        return reader.decode_s if reader else 0.0

    @property
    def ended(self) -> bool:
        return self._first is None and self._ahead.ended

    @property
    def now_s(self) -> float:
        return time.monotonic() - (self._start_s or 0.0)

    @property
    def trouble(self) -> str | None:
        """Why it is being connected again; None while it is connected."""
        return self._trouble

    @property
    def status(self) -> str | None:
        now_s, trouble = time.monotonic(), self._trouble
        if trouble is not None:
            wait_s = self._retry_s - now_s
            return f"reconnecting in {wait_s:.0f} s: {trouble}" if wait_s > 0.5 else f"reconnecting: {trouble}"
        stale_s = now_s - self._last_s
        return f"stale {stale_s:.1f} s" if stale_s > STALE_S else None

    def next(self, timeout_s: float) -> Frame | None:
        first, self._first = self._first, None
        return first or self._ahead.next(timeout_s)

    def pause(self, paused: bool) -> None:
        """A live source does not wait."""

    def damage(self) -> str | None:
        return None

    def close(self) -> None:
        self._closing.set()
        self._ahead.close(CLOSE_S)
        if self._first is not None:
            self._first = None
            with self._counting:
                self._dropped += 1

    def _wait_for_first(self) -> Frame:
        try:
            first = self._ahead.next()
        except BaseException:  # a Ctrl-C too
            self._first = None
            self.close()
            raise
        assert first is not None, "without a first frame the watchdog raises"
        return first

    def _frames(self) -> Iterator[Frame | None]:
        """Runs in the watchdog's thread; the readers come and go in theirs."""
        failures = 0
        try:
            while not self._closing.is_set():
                try:
                    for frame in self._connection():
                        failures = 0 if frame else failures
                        yield frame
                except UnreachableError as error:
                    if self._start_s is None:
                        raise
                    self._wait_to_reconnect(wait_before(failures), error.reason)
                    failures += 1
                    yield None
        finally:
            for reader in self._hanging:
                reader.leave(LEAVE_S / MOST_HANGING)

    def _wait_to_reconnect(self, wait_s: float, reason: str) -> None:
        self._retry_s, self._trouble = time.monotonic() + wait_s, reason
        self._check_patience(reason)
        while (left_s := self._retry_s - time.monotonic()) > 0 and not self._closing.wait(min(left_s, WATCH_S)):
            self._check_patience(reason)
        self.reconnects += 1

    def _connection(self) -> Generator[Frame | None]:
        """The frames of one connection; None where there is none yet.

        Raises:
            UnreachableError: it cannot be had, is broken, or gives nothing any more.
        """
        self._hanging = [reader for reader in self._hanging if reader.running]
        if len(self._hanging) >= MOST_HANGING:
            raise UnreachableError(self.name, "it hangs and cannot be closed", "Unplug it, or start again.")
        reader = Reader(self.name, self._connect)
        with self._counting:
            self._reader, before = reader, self._captured
        try:
            while not self._closing.is_set():
                captured = reader.next(WATCH_S)
                if captured is None:
                    self._check_patience(self._trouble or "no frame")
                    yield None
                    continue
                if self._start_s is None:
                    self._start_s = captured.at_s
                self.rate_hz, self._last_s, self._trouble = reader.rate_hz, captured.at_s, None
                yield Frame(captured.image, before + captured.index, captured.at_s - self._start_s)
        finally:
            self._leave(reader)

    def _leave(self, reader: Reader) -> None:
        if not reader.leave(LEAVE_S if self._closing.is_set() else 0.0):
            self._hanging.append(reader)
        with self._counting:
            self._captured, self._dropped = self._captured + reader.captured, self._dropped + reader.dropped
            self._reader = None

    def _check_patience(self, reason: str) -> None:
        """Raises SourceError, which ends it all, where a script does not want to wait any longer."""
        silent_s = time.monotonic() - self._last_s
        if self._give_up_after_s is not None and silent_s >= self._give_up_after_s:
            raise SourceError(
                f"{self.name}: given up after {silent_s:.0f} s without a frame: {reason}.\n"
                "Check the camera; without --give-up-after it is waited for."
            )


def wait_before(attempt: int) -> float:
    """How long to wait before a reconnect; the first attempt is 0."""
    return BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)]


def open_source(
    text: str,
    *,
    pace: bool = True,
    give_up_after_s: float | None = None,
    wanted: Wanted | None = None,
    connect: Callable[[Camera | Address], Capture] | None = None,
) -> FrameSource:
    """Open what a user named and wait for its first frame.

    Args:
        text: a camera's number, /dev/video0, a file, an rtsp://, rtsps://, http:// or https:// address, or `demo`.
        pace: give a file's frames at their own times; otherwise as fast as they are asked for.
        give_up_after_s: a camera without a frame for so long is an error; None connects again for ever.
        wanted: what a webcam is asked for.
        connect: opens a camera or an address in place of OpenCV.

    Raises:
        SourceError: it may not be opened, or gives no frame; the text shows no password.
        UsageError: something is wanted of what is no webcam.
    """
    place = understand(text)
    if wanted and not isinstance(place, Camera):
        raise UsageError(f"--camera-size and --camera-fps are for webcams, and {place.shown} is none.\nLeave them out.")
    silence_opencv()
    if isinstance(place, File):
        return FileSource(place.path, pace=pace, name="demo" if text == "demo" else None)

    def open_place() -> Capture:
        if connect:
            return connect(place)
        return open_webcam(place, wanted or Wanted()) if isinstance(place, Camera) else open_address(place)

    return LiveSource(place.shown, open_place, give_up_after_s=give_up_after_s)


def _rate_of(path: Path) -> float:
    """The rate that a file names, which is its mean; where its pictures lie closer in places, the rate of those."""
    capture = open_video(path)
    try:
        named_hz = capture.get(cv2.CAP_PROP_FPS)
        if not 1 <= named_hz <= HIGHEST_RATE_HZ:
            named_hz = USUAL_RATE_HZ
        capture.set(cv2.CAP_PROP_FORMAT, -1)  # packets as they are: their times need no decoding
        stamps_s: list[float] = []
        while len(stamps_s) < STAMPS_READ and capture.grab():
            stamps_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    finally:
        capture.release()
    gaps_s = np.diff(np.unique(stamps_s))
    gaps_s = np.sort(gaps_s[gaps_s > 1e-4])
    if not len(gaps_s):
        return named_hz
    finest_hz = float(1 / gaps_s[len(gaps_s) // ODD_GAPS])
    return min(finest_hz, HIGHEST_RATE_HZ) if finest_hz > VARIABLE * named_hz else named_hz
