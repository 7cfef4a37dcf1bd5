"""Frames in, predictions out: each sampled frame is encoded once, and the head answers for the window that ends there.

Two halves that share nothing but what the first hands to the second, so that two threads may run them: `see` takes
frames, `answer` keeps the window. It knows nothing of where frames come from, nor of moves; `live.moves` makes moves
of its predictions.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from live.beforehand import Beforehand
from live.gpu import on_gpu
from live.networks import check_encoder, check_head
from live.several import Head, Several
from models.card import ENCODER_FILE, HEAD_FILE, ModelCard
from models.encoders import Encoder, Feature, ImageEncoder, open_encoder
from models.errors import ModelError
from models.frames import MAX_GAP_S, Box, Frame, Sampler
from models.machine import cores
from models.runtime import Device, open_session

Probabilities = npt.NDArray[np.float32]  # (moves,)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer of the head, for the window that ends at `time_s`."""

    probabilities: Probabilities
    time_s: float


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How long the last sampled frame took, stage by stage."""

    prepare_s: float = 0.0
    encode_s: float = 0.0
    head_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A frame before it is encoded."""

    frame: Frame
    at_s: float  # when it was taken up, on the monotonic clock
    sampled: bool  # whether it is to be encoded
    afresh: bool  # whether it belongs to no frame before it


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What the encoder's network is to look at; None where the frame is not one of the sample."""

    taken: Taken
    input: npt.NDArray[Any] | None
    took_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame and what the encoder makes of it."""

    taken: Taken
    feature: Feature | None
    dancer: bool  # whether the last sampled frame showed one
    keypoints: npt.NDArray[np.float32] | None  # (17, 3), as those of an encoder
    box: Box | None
    prepare_s: float
    encode_s: float

    @property
    def frame(self) -> Frame:
        return self.taken.frame


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What is known once the frame is answered."""

    prediction: Prediction | None  # as for `Recognizer.push`
    filled: int  # features in the window that ends with it
    times: StageTimes


class Recognizer:
    """Push every frame of one stream; what to encode and when to answer is decided here, by the frames' times."""

    def __init__(
        self, card: ModelCard, encoder: Encoder, head: Head, sample_hz: float | None = None, frames_at_once: int = 1
    ) -> None:
        """A recogniser of these networks.

        Args:
            sample_hz: takes the place of the card's; for measuring speed alone, since the head was not trained for it.
            frames_at_once: how many frames of a file may be in the encoder at once; 1 for any that remembers frames.
        """
        self.card = card
        self.encoder = encoder
        self.frames_at_once = frames_at_once if isinstance(encoder, ImageEncoder) else 1
        self.times = StageTimes()
        self._head = head
        # Of the half that takes frames:
        self._sampler = Sampler(sample_hz or card.sample_hz)
        self._frame_s = -np.inf
        self._shape: tuple[int, ...] | None = None  # of the last frame
        self._dancer = False
        # Of the half that keeps the window:
        self._window = np.zeros((1, card.window, encoder.feature_dim), np.float32)
        self._several = Several(head, card.window, encoder.feature_dim)
        self._filled = 0
        self._feature_s = -np.inf
        self.reset()

    @classmethod
    def load(
        cls,
        folder: Path,
        device: Device = "auto",
        threads: int = 1,
        sample_hz: float | None = None,
        *,
        threads_apart: bool = False,
    ) -> "Recognizer":
        """The recogniser of a model folder, its three files checked against one another.

        Args:
            sample_hz: as for the constructor.
            threads_apart: for files. An encoder that remembers nothing has as many frames at once in it as there are
                threads, instead of all threads in one frame: none waits for another then. The head has one thread.

        Raises:
            CardError: card.json is wrong.
            ModelError: a network is missing, does not load or contradicts the card; names file and field.
            DeviceError: the asked device cannot be had.
        """
        card = ModelCard.load(folder)
        at_once = min(threads, cores()) if threads_apart and card.encoder.kind == "image" else 1
        encoder = open_encoder(card.encoder.kind, folder / ENCODER_FILE, "cpu", threads // at_once)
        check_encoder(encoder, card, folder)
        head = open_session(folder / HEAD_FILE, "cpu", threads // at_once)
        check_head(head, card, folder)
        networks: tuple[Encoder, Head] = on_gpu(folder, card, encoder, head, device) or (encoder, head)
        return cls(card, *networks, sample_hz, at_once)

    def another(self) -> "Recognizer":
        """A recogniser for another stream, on the same networks; only one of them may be pushed at a time."""
        return Recognizer(self.card, self.encoder.another(), self._head, 1 / self._sampler.period_s)

    @property
    def provider(self) -> str:
        """What the encoder really runs on."""
        return self.encoder.provider

    @property
    def answers_at_once(self) -> int:
        """So many sampled frames at once, and no more, may be given to `answers`; 1 where the head gains nothing."""
        return self._several.at_once

    @property
    def filled(self) -> int:
        """How many features the window holds; at `card.window` predictions begin."""
        return self._filled

    @property
    def dancer(self) -> bool:
        """Whether the last sampled frame showed a dancer."""
        return self._dancer

    def beforehand(self) -> Beforehand | None:
        """What may be done to frames before they are taken up, in another thread; None where all hangs on the last."""
        encoder = self.encoder
        return Beforehand(encoder.input_size, 1 / self._sampler.period_s) if encoder.whole_frame else None

    def reset(self) -> None:
        """Forget the frames so far, as for a new stream."""
        self._begin_afresh()
        self._clear_window()

    def push(self, frame: Frame) -> Prediction | None:
        """The prediction for the window that ends at this frame.

        None: the frame is not one of the sample, it shows no dancer, or the window is still filling. The window
        starts afresh where time goes back, where more than MAX_GAP_S went by without a frame or a dancer, and where
        the picture changes its size, since nothing is where it was.
        """
        return self.answer(self.see(frame))

    def see(self, frame: Frame) -> Seen:
        """The first half of `push`: what the encoder makes of the frame. All frames of a stream, in their order."""
        return self.encode(self.prepare(self.take(frame)))

    def take(self, frame: Frame) -> Taken:
        """`see`, first part: is the frame one of the sample, and does it belong to those before?"""
        at_s = time.monotonic()
        back = frame.time_s < self._frame_s
        afresh = back or frame.time_s - self._frame_s > MAX_GAP_S or frame.image.shape != self._shape
        if back:
            self._sampler.reset()
        if afresh:
            self._forget_dancer()
        self._frame_s, self._shape = frame.time_s, frame.image.shape
        return Taken(frame, at_s, self._sampler.take(frame.time_s), afresh)

    def prepare(self, taken: Taken) -> Prepared:
        """`see`, second part: what the network looks at, which depends on what it saw last."""
        start = time.perf_counter()
        input_ = self.encoder.prepare(taken.frame) if taken.sampled else None
        return Prepared(taken, input_, seconds_to_prepare(taken, start))

    def encode(self, prepared: Prepared) -> Seen:
        """`see`, third part: the network, before the next frame is prepared."""
        start = time.perf_counter()
        feature = None
        if prepared.input is not None:
            feature = self.encoder.interpret(self.encoder.infer(prepared.input), prepared.taken.frame)
        return self.seen(prepared.taken, feature, prepared.took_s, time.perf_counter() - start)

    def seen(self, taken: Taken, feature: Feature | None, prepare_s: float, encode_s: float) -> Seen:
        """What `encode` gives, where the feature came about elsewhere; in the order of the frames."""
        if taken.sampled:
            self._dancer = feature is not None
        encoder = self.encoder
        return Seen(taken, feature, self._dancer, encoder.keypoints, encoder.box, prepare_s, encode_s)

    def answer(self, seen: Seen) -> Prediction | None:
        """The second half of `push`: all that `see` gave, in its order. It may run in another thread."""
        due = self._follow(seen)
        start = time.perf_counter()
        probabilities = self._head.run(self._window)[0] if due else None
        return self._noted(seen, probabilities, time.perf_counter() - start)

    def answers(self, seen: Sequence[Seen]) -> list[Outcome]:
        """`answer` for several frames, to the bit, with one run of the head for all their windows where it can be."""
        if len(seen) == 1:
            return [Outcome(self.answer(seen[0]), self._filled, self.times)]
        followed = []
        for each in seen:
            due = self._follow(each)
            if due:
                self._several.add(self._window[0])
            followed.append((each, due, self._filled))
        start = time.perf_counter()
        answers = self._several.run()
        head_s = (time.perf_counter() - start) / max(len(answers), 1)
        left = iter(answers)
        return [
            Outcome(self._noted(each, next(left) if due else None, head_s), filled, self.times)
            for each, due, filled in followed
        ]

    def finish(self) -> Prediction | None:
        """The stream has ended: the prediction of one that was too short to fill the window, padded in front.

        None: the window was filled, so its predictions were given, or no dancer was seen at all.
        """
        short = 0 < self._filled < self.card.window
        prediction = self._prediction(self._head.run(self._window)[0], self._feature_s) if short else None
        self.reset()
        return prediction

    def _follow(self, seen: Seen) -> bool:
        """Bring the window up to the frame; whether there is one to answer for."""
        if seen.taken.afresh:
            self._clear_window()
        if not seen.taken.sampled:
            return False
        time_s = seen.frame.time_s
        if time_s - self._feature_s > MAX_GAP_S:
            self._clear_window()
        if seen.feature is None:
            return False
        self._append(seen.feature, time_s)
        return self._filled == self.card.window

    def _append(self, feature: Feature, time_s: float) -> None:
        self._window[0, :-1] = self._window[0, 1:]
        self._window[0, -1] = feature
        self._filled = min(self._filled + 1, self.card.window)
        self._feature_s = time_s

    def _noted(self, seen: Seen, probabilities: Probabilities | None, head_s: float) -> Prediction | None:
        """The prediction of what the head answered for a frame, and the times that it took."""
        if seen.taken.sampled:
            self.times = StageTimes(seen.prepare_s, seen.encode_s, 0.0 if probabilities is None else head_s)
        return None if probabilities is None else self._prediction(probabilities, seen.frame.time_s)

    def _prediction(self, probabilities: Probabilities, time_s: float) -> Prediction:
        if not np.isfinite(probabilities).all():
            raise ModelError(
                f"The head of {self.card.name} answered with a number that is not finite.\n"
                "The model is damaged or was trained badly; use another with --model."
            )
        return Prediction(_calibrated(probabilities, self.card.temperature), time_s)

    def _begin_afresh(self) -> None:
        self._sampler.reset()
        self._frame_s = -np.inf
        self._forget_dancer()

    def _forget_dancer(self) -> None:
        self.encoder.reset()
        self._dancer = False

    def _clear_window(self) -> None:
        self._window[:] = 0  # the front padding that short windows are trained with
        self._filled = 0
        self._feature_s = -np.inf


def seconds_to_prepare(taken: Taken, start: float) -> float:
    """Seconds that it took to prepare a frame: those since `start`, and those in which its look was made beforehand."""
    look = taken.frame.look if taken.sampled else None
    return time.perf_counter() - start + (look.took_s if look else 0.0)


def _calibrated(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities whose logits were divided by the temperature."""
    if temperature == 1:
        return probabilities.copy()
    logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)) / temperature
    powers = np.exp(logits - logits.max())
    calibrated: Probabilities = (powers / powers.sum()).astype(np.float32)
    return calibrated
