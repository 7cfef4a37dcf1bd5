"""Frames of a camera or an address: the newest one, connected again where it breaks, watched where it hangs."""

import threading
import time
from collections.abc import Callable, Generator, Iterator

from live.capture import Capture, UnreachableError
from live.framed import Framed
from live.reader import USUAL_RATE_HZ, Reader
from models.ahead import Ahead
from models.errors import SourceError
from models.frames import Frame

# Waits before each reconnect; the last one is repeated for ever.
BACK_OFF_S = (1.0, 2.0, 4.0, 5.0)
# Without a frame for so long a live picture is called stale.
STALE_S = 0.7
# How often it is looked whether a live source still gives frames.
WATCH_S = 0.1
# A reader that hangs in OpenCV is left behind after this, and no further ones are begun while so many hang.
LEAVE_S = 0.5
MOST_HANGING = 4


class LiveSource(Framed):
    """The newest frame of a camera or an address; connects again for ever once it has given a first frame.

    `time_s` is when the frame was captured, in seconds since the first one. A stretch without frames stays one:
    nothing is made up for it. A thread of its own watches the reader from outside: one that hangs is left behind,
    with whatever it may still get, and another one connects.
    """

    live = paced = True

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
        self._ahead.close()
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
