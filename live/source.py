"""Where frames come from: a file gives every one of them, a live source its newest and counts what it dropped.

It knows nothing of recognition; `live.address` says what may be opened.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import cv2
import numpy as np

from live.address import Address, Camera, File, understand
from live.ahead import Ahead
from live.capture import TIMED_OUT_S, Capture, UnreachableError, open_live, silence_opencv
from models.damage import Reading
from models.frames import Frame, Image, open_video

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
# A reader that hangs in OpenCV is left alone after this.
CLOSE_S = 1.0

# What is taken where a camera names no believable rate (some say 0 or 180000).
USUAL_RATE_HZ = 30.0
HIGHEST_RATE_HZ = 240.0
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
    def dropped(self) -> int: ...

    @property
    def status(self) -> str | None:
        """What is wrong right now, for the display; None when all is well."""

    @property
    def now_s(self) -> float | None:
        """The present on the clock of a live source's frames; None for a file."""

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
    dropped = 0
    status = None
    now_s = None

    def __init__(self, path: Path, *, pace: bool = True, name: str | None = None) -> None:
        self.name = name or path.name
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
    nothing is made up for it.
    """

    live = True

    def __init__(self, name: str, connect: Callable[[], Capture]) -> None:
        """`connect` opens the camera anew each time it is called, or raises UnreachableError."""
        self.name = name
        self.rate_hz = USUAL_RATE_HZ
        self.decode_s = 0.0
        self._connect = connect
        self._closing = threading.Event()
        self._start_s: float | None = None  # of the first frame, on the monotonic clock
        self._last_s = 0.0  # of the last frame, likewise
        self._trouble: str | None = None
        self._retry_s = 0.0
        self._ahead = Ahead(self._frames(), 1, "capture", newest=True)
        first = self._wait_for_first()
        height, width = first.image.shape[:2]
        self.size = (width, height)
        self._first: Frame | None = first

    @property
    def dropped(self) -> int:
        return self._ahead.dropped

    @property
    def ended(self) -> bool:
        return self._first is None and self._ahead.ended

    @property
    def now_s(self) -> float:
        return time.monotonic() - (self._start_s or 0.0)

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

    def _wait_for_first(self) -> Frame:
        try:
            first = self._ahead.next()
        except BaseException:  # a Ctrl-C too
            self.close()
            raise
        assert first is not None, "without a first frame the capture thread raises"
        return first

    def _frames(self) -> Iterator[Frame | None]:
        """Runs in the capture thread, which alone opens, reads and releases."""
        index = failures = 0
        while not self._closing.is_set():
            try:
                with closing(self._connection()) as images:
                    for image in images:
                        now_s = time.monotonic()
                        if self._start_s is None:
                            self._start_s = now_s
                        self._last_s, self._trouble = now_s, None
                        yield Frame(image, index, now_s - self._start_s)
                        index, failures = index + 1, 0
            except UnreachableError as error:
                if index == 0:
                    raise
                wait_s = wait_before(failures)
                failures += 1
                self._retry_s, self._trouble = time.monotonic() + wait_s, error.reason
                self._closing.wait(wait_s)
                yield None

    def _connection(self) -> Generator[Image]:
        """The frames of one connection; raises UnreachableError when it breaks."""
        capture = self._connect()
        try:
            rate_hz = capture.get(cv2.CAP_PROP_FPS)
            self.rate_hz = rate_hz if 1 <= rate_hz <= HIGHEST_RATE_HZ else USUAL_RATE_HZ
            while True:
                start = time.perf_counter()
                ok, image = capture.read()
                self.decode_s = time.perf_counter() - start
                if self.decode_s >= TIMED_OUT_S:
                    raise UnreachableError(self.name, f"no frame for {self.decode_s:.0f} s", "Check the camera.")
                if not ok:
                    raise UnreachableError(self.name, "it gives no frame", "Check that it plays elsewhere.")
                yield np.asarray(image, np.uint8)
        finally:
            capture.release()


def wait_before(attempt: int) -> float:
    """How long to wait before a reconnect; the first attempt is 0."""
    return BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)]


def open_source(
    text: str, *, pace: bool = True, connect: Callable[[Camera | Address], Capture] | None = None
) -> FrameSource:
    """Open what a user named and wait for its first frame.

    Args:
        text: a camera's number, /dev/video0, a file, an rtsp://, rtsps://, http:// or https:// address, or `demo`.
        pace: give a file's frames at their own times; otherwise as fast as they are asked for.
        connect: opens a camera or an address in place of OpenCV.

    Raises:
        SourceError: it may not be opened, or gives no frame; the text shows no password.
    """
    place = understand(text)
    silence_opencv()
    if isinstance(place, File):
        return FileSource(place.path, pace=pace, name="demo" if text == "demo" else None)
    opener = connect or open_live
    return LiveSource(place.shown, lambda: opener(place))


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
