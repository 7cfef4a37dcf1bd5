"""Whether an exported model says what the trained one said: the same videos through both, window by window.

On the one side the encoder that the training used and the Keras head, on the other the files of the model folder in
onnxruntime. Knows nothing of how either was made.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.card import ENCODER_FILE, HEAD_FILE, ModelCard
from models.encoders import Encoder, open_encoder
from models.errors import ModelError, SourceError
from models.frames import Sampler, read_video
from models.runtime import open_session

WINDOWS = 256  # at least
TOLERANCE = 1e-4
# Of one video no more is looked at, so that the windows come from several.
LONGEST_S = 20.0
# How many windows are answered at once: more than one, so that a batch is tried too, besides single ones.
BATCH = 64
SINGLES = 16

Floats = npt.NDArray[np.float32]
Predict = Callable[[Floats], Floats]  # (batch, window, feature_dim) to (batch, moves)


class ParityError(ModelError):
    """The exported model answers differently from the trained one."""


@dataclass(frozen=True)
class ParityReport:
    windows: int
    videos: int
    largest_difference: float  # of any probability
    differing: int  # windows in which another move is the likeliest

    def __str__(self) -> str:
        return (
            f"{self.windows} windows of {self.videos} videos: probabilities differ by {self.largest_difference:.1e} "
            f"at most, the likeliest move in {self.differing}"
        )


def check_parity(
    folder: Path, card: ModelCard, encoder: Path, predict: Predict, videos: Sequence[Path]
) -> ParityReport:
    """Compare a model folder with what it was made from.

    Args:
        folder: with encoder.onnx and head.onnx.
        card: says how to run them.
        encoder: the ONNX file that the training read its features through.
        predict: the trained head.
        videos: to make windows of; unreadable ones are left out.

    Raises:
        ParityError: a probability differs by more than TOLERANCE, or the likeliest move does anywhere.
        ModelError: the videos give too few windows, or a network does not load.
    """
    trained = open_encoder(card.encoder.kind, encoder, "cpu")
    exported = open_encoder(card.encoder.kind, folder / ENCODER_FILE, "cpu")
    ours, theirs, used = _windows_of(videos, trained, exported, card)
    head = open_session(folder / HEAD_FILE, "cpu")
    wanted = predict(ours)
    alone = [head.run(theirs[number : number + 1]) for number in range(SINGLES)]
    together = [head.run(theirs[start : start + BATCH]) for start in range(SINGLES, len(theirs), BATCH)]
    got = np.concatenate([*alone, *together])

    report = compare(wanted, got, used)
    # `not <=`, so that an answer that is no number fails too.
    if not report.largest_difference <= TOLERANCE or report.differing:
        raise ParityError(
            f"The exported model does not say what the trained one says: {report}.\n"
            f"At most {TOLERANCE:g} and 0 are allowed, so no model was written. Please report this."
        )
    return report


def compare(wanted: Floats, got: Floats, videos: int) -> ParityReport:
    """How far two sets of probabilities (windows, moves) are apart."""
    differing = int(np.count_nonzero(wanted.argmax(axis=1) != got.argmax(axis=1)))
    return ParityReport(len(wanted), videos, float(np.abs(wanted - got).max()), differing)


def _windows_of(
    videos: Sequence[Path], trained: Encoder, exported: Encoder, card: ModelCard
) -> tuple[Floats, Floats, int]:
    """At least WINDOWS windows as either encoder sees them, and how many videos they are of."""
    mixed = list(videos)
    random.Random(0).shuffle(mixed)  # they come sorted by move
    ours: list[Floats] = []
    theirs: list[Floats] = []
    unread = 0
    for path in mixed:
        try:
            features, same = _features_of(path, trained, exported, card.sample_hz)
        except SourceError:
            unread += 1
            continue
        if len(features):
            ours.append(features)
            theirs.append(same)
        if sum(map(len, ours)) >= WINDOWS + SINGLES:
            break
    cuts = _cuts([len(features) for features in ours], card.window)
    if len(cuts) < WINDOWS:
        gone = f", {unread} cannot be read" if unread else ""
        raise ModelError(
            f"{len(videos)} videos give {len(cuts)} windows to check the export on, {WINDOWS} are needed{gone}.\n"
            "Give more or longer videos of a dancer: --video FILE"
        )
    return _cut(ours, cuts, card.window), _cut(theirs, cuts, card.window), len(ours)


def _features_of(path: Path, trained: Encoder, exported: Encoder, sample_hz: float) -> tuple[Floats, Floats]:
    sampler = Sampler(sample_hz)
    trained.reset()
    exported.reset()
    ours, theirs = [], []
    for frame in read_video(path):
        if frame.time_s > LONGEST_S:
            break
        if not sampler.take(frame.time_s):
            continue
        feature, same = trained.push(frame), exported.push(frame)
        if (feature is None) != (same is None):
            raise ParityError(
                f"The exported encoder does not see the dancer where the trained one does: {path.name}, "
                f"{frame.time_s:.2f} s.\nNo model was written. Please report this."
            )
        if feature is not None and same is not None:
            ours.append(feature.copy())
            theirs.append(same.copy())
    empty = np.empty((0, trained.feature_dim), np.float32)
    return (np.stack(ours), np.stack(theirs)) if ours else (empty, empty)


def cut_windows(features: Sequence[Floats], window: int) -> Floats:
    """Windows (windows, window, feature_dim) of the features of each video, padded in front; WINDOWS where possible."""
    return _cut(features, _cuts([len(each) for each in features], window), window)


@dataclass(frozen=True)
class _Cut:
    """A window of a video: the steps from `start` to before `end`, padded in front."""

    video: int
    start: int
    end: int


def _cuts(lengths: Sequence[int], window: int) -> list[_Cut]:
    """A window for each step, and as many more as needed that start later, as after a dancer was lost."""
    cuts = [
        _Cut(video, max(0, end - window), end) for video, length in enumerate(lengths) for end in range(1, length + 1)
    ]
    later = 1
    whole = list(cuts)
    while len(cuts) < WINDOWS and later < window:
        cuts += [_Cut(cut.video, cut.start + later, cut.end) for cut in whole if cut.start + later < cut.end]
        later += 1
    return cuts


def _cut(features: Sequence[Floats], cuts: Sequence[_Cut], window: int) -> Floats:
    windows: Floats = np.zeros((len(cuts), window, features[0].shape[1]), np.float32)
    for row, cut in zip(windows, cuts, strict=True):
        row[window - (cut.end - cut.start) :] = features[cut.video][cut.start : cut.end]
    return windows
