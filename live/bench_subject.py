"""What a benchmark measures: a recogniser that answers for every frame of a video, or for those of the card's sample.

It knows nothing of clocks.
"""

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from live.address import File, understand
from live.recognizer import Recognizer
from models.card import ENCODER_FILE, HeadInfo, ModelCard, MoveClass, Provenance, find_model
from models.encoders import describe_encoder, open_encoder
from models.errors import UsageError
from models.frames import Frame, Sampler, open_video, read_video
from models.pretrained import ENCODERS
from models.runtime import Device

WARM_UP_FRAMES = 30
# As a card's sample_hz it takes every frame of any camera.
EVERY_FRAME_HZ = 240.0
USUAL_RATE_HZ = 30.0  # of a camera, where the video's own cannot be told


@dataclass(frozen=True)
class Video:
    path: Path
    name: str
    size: str  # "1280x720"
    rate_hz: float
    kbit_s: int  # its mean

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "size": self.size, "rate_hz": self.rate_hz, "kbit_s": self.kbit_s}


@dataclass(frozen=True)
class Subject:
    """What is measured, and how it was asked for."""

    recognizer: Recognizer
    encoder: Path  # its ONNX file
    threads: int
    model: str | None  # None: an encoder alone
    sampled: bool  # at the card's rate; else every frame is encoded

    def as_dict(self) -> dict[str, Any]:
        card = self.recognizer.card
        return {
            "model": card.name if self.model else None,
            "encoder": {"name": card.encoder.name, "sha256": card.encoder.sha256},
            "head": {"name": card.head.name, "sha256": card.head.sha256} if self.model else None,
            "window": card.window,
            "provider": self.recognizer.provider,
        }


class NoHead:
    """Stands where no head is measured: an encoder alone is given, or there is none yet for it."""

    def run(self, array: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        return np.array([[1, 0]], np.float32)  # none, of the two moves that a card must have


def open_subject(
    model: str,
    encoder: str | None,
    device: Device,
    threads: int,
    *,
    sampled: bool = False,
    window: int = 1,
    threads_apart: bool = False,
) -> Subject:
    """A model; or an encoder alone, by its name or file, where one is given: then there is no head.

    `threads_apart` is for a model on files, as in `Recognizer.load`.

    Raises:
        UsageError: no such encoder, or an encoder alone is to be sampled at a card's rate.
        ModelError, DeviceError: from what is opened.
    """
    if encoder is None:
        folder = find_model(model)
        sample_hz = None if sampled else EVERY_FRAME_HZ
        recognizer = Recognizer.load(folder, device, threads, sample_hz, threads_apart=threads_apart)
        return Subject(recognizer, folder / ENCODER_FILE, threads, model, sampled)
    if encoder not in ENCODERS and not encoder.endswith(".onnx"):
        raise UsageError(f"No encoder '{encoder}'.\nChoose one of {', '.join(ENCODERS)}, or give an ONNX file.")
    if sampled:
        raise UsageError("--sample is the rate on a model's card, and an encoder has none.\nGive --model.")
    path, info = describe_encoder(encoder)
    card = ModelCard(
        name="encoder-alone",
        moves=(MoveClass(name="none", display="none"), MoveClass(name="any", display="any")),
        encoder=info,
        head=HeadInfo(name="pointe", sha256="0" * 64),
        sample_hz=EVERY_FRAME_HZ,
        window=window,
        provenance=Provenance(trained_on="nothing"),
    )
    return Subject(
        Recognizer(card, open_encoder(info.kind, path, device, threads), NoHead()), path, threads, None, False
    )


def thread_counts(text: str) -> list[int]:
    """ "1,2" as numbers. Raises UsageError."""
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise UsageError(f"--threads {text}: give a number, or several as in 1,2.")
    return counts


def find_video(source: str) -> Video:
    """Raises UsageError for what is no file; SourceError for what is no video."""
    place = understand(source)
    if not isinstance(place, File):
        raise UsageError("A benchmark needs the same frames each time.\nGive a video file, or demo.")
    return describe_video(place.path, source if source == "demo" else place.path.name)


def describe_video(path: Path, name: str) -> Video:
    """Raises SourceError."""
    capture = open_video(path)
    try:
        width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate_hz, frames = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    finally:
        capture.release()
    rate_hz = round(rate_hz if 1 <= rate_hz <= EVERY_FRAME_HZ else USUAL_RATE_HZ, 3)
    seconds = frames / rate_hz if 1 <= frames < 1e9 else 0.0
    kbit_s = round(path.stat().st_size * 8 / 1000 / seconds) if seconds else 0
    return Video(path, name, f"{width}x{height}", rate_hz, kbit_s)


def load() -> float | None:
    """How many programs wanted a core over the last minute; None where the system does not tell. To be asked first."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def endless(path: Path) -> Generator[Frame]:
    """The frames of a video over and over, numbered and timed as one long one at USUAL_RATE_HZ."""
    numbers = count()
    for frame in chain.from_iterable(read_video(path) for _ in repeat(None)):
        index = next(numbers)
        yield Frame(frame.image, index, index / USUAL_RATE_HZ)


def warm_up(recognizer: Recognizer) -> int:
    """Frames before anything counts, every one encoded: until the window is full there is no head to wait for.

    Then a head first tries whether it answers for several at once.
    """
    return max(WARM_UP_FRAMES, recognizer.card.window + 2 * recognizer.answers_at_once)


def which_encoded(subject: Subject, times_s: Sequence[float]) -> list[bool]:
    """Of each frame, where they come at `times_s`, whether it is encoded."""
    sampler = Sampler(subject.recognizer.card.sample_hz if subject.sampled else EVERY_FRAME_HZ)
    return [sampler.take(time_s) for time_s in times_s]
