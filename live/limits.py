"""What no product on this machine can beat: the encoder alone, and decoding alone. Nothing of the product runs here."""

import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import UsageError
from models.frames import open_video, read_video
from models.runtime import Device, Session, open_session

# Frames that the encoder is run on, over and over.
PREPARED = 32
NUMPY_TYPES = {"tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(float)": np.float32}
FEWEST_FRAMES = 10


@dataclass(frozen=True)
class Decoded:
    fps: float
    frames: int
    times_s: list[float]  # of the frames, in the video


class EncoderAlone:
    """An encoder's network in onnxruntime, with nothing before and after it: its inputs lie ready."""

    def __init__(self, encoder: Path, video: Path, device: Device, threads: int) -> None:
        self._session = open_session(encoder, device, threads)
        self._inputs = prepared_inputs(self._session, video)
        for array in islice(cycle(self._inputs), FEWEST_FRAMES):
            self._session.run(array)

    def seconds(self, frames: int) -> list[float]:
        """How long each of so many runs took."""
        taken_s = []
        for array in islice(cycle(self._inputs), frames):
            start_s = time.perf_counter()
            self._session.run(array)
            taken_s.append(time.perf_counter() - start_s)
        return taken_s


def prepared_inputs(session: Session, video: Path) -> list[npt.NDArray[np.generic]]:
    """The first frames of a video as the network takes them, (1, size, size, 3) each."""
    _, height, width, _ = session.input.shape
    assert isinstance(height, int) and isinstance(width, int), "an opened encoder has a fixed size"
    return [
        np.ascontiguousarray(cv2.resize(frame.image, (width, height))[None], NUMPY_TYPES[session.input.type])
        for frame in islice(read_video(video), PREPARED)
    ]


def decode_alone(video: Path, skip: int, frames: int) -> Decoded:
    """Read `frames` frames after the first `skip`, or to the end, as fast as one decoder thread can.

    Raises:
        UsageError: there are too few to tell.
    """
    capture = open_video(video)
    times_s: list[float] = []
    try:
        for _ in range(skip):
            capture.read()
        start_s = time.perf_counter()
        while len(times_s) < frames and capture.read()[0]:
            times_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        taken_s = time.perf_counter() - start_s
    finally:
        capture.release()
    if len(times_s) < FEWEST_FRAMES:
        raise UsageError(
            f"{video} is too short: at least {skip + FEWEST_FRAMES} frames are needed.\nGive a longer video, or demo."
        )
    return Decoded(len(times_s) / taken_s, len(times_s), times_s)
