"""Frames of a file made ready for an encoder of whole frames in the thread that decodes them, not in the network's.

What such an encoder looks at hangs on nothing that it saw before, and the thread that decodes has the time.
"""

import time
from dataclasses import replace

from models.frames import Frame, Look, Sampler, to_input
from models.pictures import Pictures


class Beforehand:
    """Adds its look to each frame that is due, where it is given all of a file from the first one on."""

    def __init__(self, size: int, sample_hz: float) -> None:
        self._shape = (size, size, 3)
        self._sampler = Sampler(sample_hz)
        self._pictures = Pictures()

    def __call__(self, frame: Frame) -> Frame:
        if not self._sampler.take(frame.time_s):
            return frame
        start = time.perf_counter()
        picture = to_input(frame.image, None, self._shape[0], self._pictures.take(self._shape))
        return replace(frame, look=Look(picture, time.perf_counter() - start))
