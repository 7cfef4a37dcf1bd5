"""One connection to a live source, in a thread of its own that can be left behind where it hangs.

A read that blocks inside OpenCV can neither be interrupted nor released from outside without a crash. So whoever
watches a reader leaves it: the thread throws away what it still gets, and releases the capture once the read returns.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from live.capture import Capture, UnreachableError
from models.ahead import Ahead
from models.frames import Image

# Without a frame for so long a connection is taken for lost, even where OpenCV still waits. A read that took longer
# and returns after all may hand out old frames as if they were new.
LOST_S = 3.0
# As long until a new connection has given its first frame; a webcam may take seconds, and asking for a host too.
FIRST_FRAME_S = 10.0

# What is taken where a camera names no believable rate (some say 0 or 180000).
USUAL_RATE_HZ = 30.0
# Over so long the rate is measured.
MEASURED_S = 2.0
HIGHEST_RATE_HZ = 240.0


@dataclass(frozen=True, slots=True)
class Captured:
    image: Image  # (height, width, 3) BGR
    index: int  # among the frames of its connection
    at_s: float  # when the read returned, on the monotonic clock


class Reader:
    """Opens, reads and releases; the newest frame is kept, the others are counted in `dropped`."""

    def __init__(self, name: str, connect: Callable[[], Capture]) -> None:
        """`connect` opens the source, or raises UnreachableError."""
        self.captured = 0
        self.decode_s = 0.0  # how long the last read took
        self.rate_hz = USUAL_RATE_HZ  # as the source names it
        self._name, self._connect = name, connect
        self.gives: str | None = None  # size and rate as measured over the last MEASURED_S
        self._times_s: deque[float] = deque()
        self._left = threading.Event()
        self._alive_s = time.monotonic()  # of the last frame, or of the beginning
        self._ahead = Ahead(self._frames(), 1, "capture", newest=True)

    @property
    def dropped(self) -> int:
        return self._ahead.dropped

    def next(self, timeout_s: float) -> Captured | None:
        """The newest frame; None when none came in time.

        Raises:
            UnreachableError: the connection cannot be had, is broken, or has given nothing for too long.
        """
        captured = self._ahead.next(timeout_s)
        if captured is None and self._ahead.ended:
            raise UnreachableError(self._name, "the connection ended", "Check the camera.")
        if captured is None:
            silent_s, limit_s = time.monotonic() - self._alive_s, LOST_S if self.captured else FIRST_FRAME_S
            if silent_s >= limit_s:
                raise UnreachableError(self._name, f"no frame for {silent_s:.0f} s", "Check the camera.")
        return captured

    def leave(self, patience_s: float) -> bool:
        """End it, or leave it behind where it does not end in time: then False."""
        self._left.set()
        return self._ahead.close(patience_s)

    @property
    def running(self) -> bool:
        """Whether its thread still is, as of one that was left inside OpenCV."""
        return self._ahead.running

    def _measure(self, shape: tuple[int, ...], now_s: float) -> None:
        self._times_s.append(now_s)
        span_s = now_s - self._times_s[0]
        if span_s >= MEASURED_S:
            self.gives = f"{shape[1]}x{shape[0]} at {(len(self._times_s) - 1) / span_s:.1f} Hz"
        while now_s - self._times_s[0] >= MEASURED_S:
            self._times_s.popleft()

    def _frames(self) -> Iterator[Captured]:
        """Runs in the reader's thread, which alone opens, reads and releases."""
        capture = self._connect()
        try:
            rate_hz = capture.get(cv2.CAP_PROP_FPS)
            self.rate_hz = rate_hz if 1 <= rate_hz <= HIGHEST_RATE_HZ else USUAL_RATE_HZ
            while not self._left.is_set():
                start_s = time.monotonic()
                try:
                    ok, image = capture.read()
                except cv2.error as error:
                    raise UnreachableError(self._name, f"OpenCV failed: {error.err}", "Check the camera.") from error
                now_s = time.monotonic()
                self.decode_s = now_s - start_s
                if self.decode_s >= LOST_S and self.captured:
                    raise UnreachableError(self._name, f"no frame for {self.decode_s:.0f} s", "Check the camera.")
                if not ok:
                    raise UnreachableError(self._name, "it gives no frame", "Check that it plays elsewhere.")
                index, self.captured, self._alive_s = self.captured, self.captured + 1, now_s
                self._measure(image.shape, now_s)
                yield Captured(np.asarray(image, np.uint8), index, now_s)
        finally:
            capture.release()
