"""What no product on this machine can beat: the encoder alone, decoding alone, and both at once.

Nothing of the product runs here.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
import numpy.typing as npt

from models.ahead import DECODED_AHEAD
from models.errors import UsageError
from models.frames import open_video, read_video
from models.runtime import Device, Session, open_session
from models.threads import THREAD_PREFIX

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
        self._inputs = cycle(prepared_inputs(self._session, video))
        for _ in range(FEWEST_FRAMES):
            self.run()

    def run(self) -> None:
        """The network, on the next of the inputs."""
        self._session.run(next(self._inputs))

    def seconds(self, frames: int) -> list[float]:
        """How long each of so many runs took."""
        taken_s = []
        for _ in range(frames):
            start_s = time.perf_counter()
            self.run()
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


def both_at_once(encoder: EncoderAlone, video: Path, skip: int, encoded: Sequence[bool]) -> float:
    """Frames a second, where one thread decodes and this one does nothing but run the encoder beside it.

    Each slows the other down, by the memory and the cache that they share: what is lost here no product can save.

    Args:
        encoder: runs on inputs of its own, as it does alone.
        skip: frames at the beginning that are decoded before it begins.
        encoded: of each frame after them, whether the encoder runs for it; no more than the video has.
    """
    decoded = Queue[None](DECODED_AHEAD)
    capture = open_video(video)

    def decode() -> None:
        for _ in encoded:
            capture.read()
            decoded.put(None)

    try:
        for _ in range(skip):
            capture.read()
        thread = threading.Thread(target=decode, name=THREAD_PREFIX + "decoder", daemon=True)
        start_s = time.perf_counter()
        thread.start()
        for each in encoded:
            decoded.get()
            if each:
                encoder.run()
        taken_s = time.perf_counter() - start_s
        thread.join()
    finally:
        capture.release()
    return len(encoded) / taken_s
