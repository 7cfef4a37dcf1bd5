"""Frames of a video file: every one of them, at their own times where that is asked for."""

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from live.framed import Framed
from live.reader import HIGHEST_RATE_HZ, USUAL_RATE_HZ
from models.ahead import DECODED_AHEAD, Ahead
from models.damage import Reading
from models.frames import Frame, open_video

# A paced file that fell back by more than this goes on at its own pace from there, instead of rushing after it.
LATE_S = 0.25
# A gap between two frames of a file that is longer than this is not sat out.
LONGEST_WAIT_S = 5.0
# Time stamps of a file that are looked at for its rate. One gap in so many may be odd and does not count; a rate this
# many times the named one is no rounding of the stamps.
STAMPS_READ = 1000
ODD_GAPS = 50
VARIABLE = 1.2


class FileSource(Framed):
    """Every frame of a video file, decoded ahead; with `pace` each one is given when its time has come."""

    live = False
    dropped = reconnects = 0
    trouble = None
    status = None
    now_s = None
    gives = None

    def __init__(
        self,
        path: Path,
        *,
        pace: bool = True,
        name: str | None = None,
        beforehand: Callable[[Frame], Frame] | None = None,
    ) -> None:
        """`beforehand` is done to each frame in the thread that decodes it."""
        self.name = name or path.name
        self.captured = 0
        self.decode_s = 0.0
        self._path = path
        self._reading = Reading(path)
        self._beforehand = beforehand
        self.paced = pace
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
        if self._pending is None or (self.paced and not self._wait_for(self._pending.time_s, until_s)):
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
        self._ahead.close()

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
            yield frame if self._beforehand is None else self._beforehand(frame)


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
