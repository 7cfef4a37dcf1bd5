"""Sequences in, training windows out: which steps a window ends at, its label, its front padding, its disturbances.

Knows nothing of networks or files. All that is random hangs on (seed, epoch, batch) alone, so that a resumed run
draws the very windows that an uninterrupted one would.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Listed
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import UsageError
from models.keypoints import KEYPOINTS, MIRRORED

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

SKIP = -1  # the label of a step that is not trained on
# The label of a step that shows none of the moves that whoever labelled it looked for: some other move, or none.
OTHER = -2
LAST_STEP = 4.0  # how much more a window's last step weighs than one before it


@dataclass(frozen=True)
class Sequence:
    """One clip, or one stream, as features sampled at the settings' `sample_hz`."""

    name: str
    features: Floats  # (steps, feature_dim)
    labels: Ints  # (steps,) index into the moves, SKIP or OTHER

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or self.labels.shape != self.features.shape[:1]:
            raise ValueError(
                f"{self.name}: features {self.features.shape} and labels {self.labels.shape} do not fit each other"
            )


@dataclass(frozen=True)
class Batch:
    windows: Floats  # (batch, window, feature_dim)
    along: Ints  # (batch, window) the label of every step; SKIP where there is none

    @property
    def labels(self) -> Ints:
        """Those of the last steps: (batch,)."""
        return self.along[:, -1]


class WindowDrawer:
    """Every window that a set of sequences holds, to be gathered by number.

    A window ends at some step t of a sequence, is labelled labels[t - delay_steps], and is front-padded with zeros
    where t < window - 1. The first windows of a sequence, of fewer than `least_steps` true steps, are left out unless
    the sequence has no others.
    """

    def __init__(self, sequences: Listed[Sequence], window: int, delay_steps: int = 0, least_steps: int = 8) -> None:
        if not sequences:
            raise UsageError("There are no sequences to train on.\nGive a folder with clips: DATA/train/<move>/*.mp4")
        self.sequences = tuple(sequences)
        self.window, self.delay_steps = window, delay_steps
        owners, ends, labels = [], [], []
        for number, sequence in enumerate(self.sequences):
            steps = len(sequence.labels)
            first = min(max(delay_steps, least_steps - 1), steps - 1)
            end = np.arange(max(first, delay_steps), steps)
            label = sequence.labels[end - delay_steps]
            end, label = end[label != SKIP], label[label != SKIP]
            owners.append(np.full(len(end), number, np.int32))
            ends.append(end.astype(np.int32))
            labels.append(label.astype(np.int32))
        self.owners: Ints = np.concatenate(owners)  # (windows,) index into sequences
        self.ends: Ints = np.concatenate(ends)  # (windows,) the last step
        self.labels: Ints = np.concatenate(labels)  # (windows,)

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self, classes: int) -> npt.NDArray[np.int64]:
        """How many windows each class has, those of OTHER left out."""
        return np.bincount(self.labels[self.labels >= 0], minlength=classes)

    def gather(self, numbers: npt.NDArray[np.integer]) -> Batch:
        """The windows of these numbers, with their labels."""
        dim = self.sequences[0].features.shape[1]
        windows = np.zeros((len(numbers), self.window, dim), np.float32)
        along = np.full((len(numbers), self.window), SKIP, np.int32)
        for row, told, owner, end in zip(windows, along, self.owners[numbers], self.ends[numbers], strict=True):
            sequence, start = self.sequences[owner], max(0, end + 1 - self.window)
            row[self.window - (end + 1 - start) :] = sequence.features[start : end + 1]
            spoken_of = sequence.labels[max(0, start - self.delay_steps) : end + 1 - self.delay_steps]
            told[self.window - len(spoken_of) :] = spoken_of
        return Batch(windows, along)

    def draw(self, count: int, seed: Listed[int], power: float = 1.0) -> npt.NDArray[np.int64]:
        """`count` windows in random order, none twice before all of its kind were drawn once.

        Args:
            count: how many.
            seed: the same seed draws the same windows.
            power: each class is drawn in proportion to its number of windows raised to this: 1 as they come, 0 all
                equally often, 0.5 in between.
        """
        random = np.random.default_rng(list(seed))
        if power == 1:
            return _deal(np.arange(len(self)), count, random)
        present, windows = np.unique(self.labels, return_counts=True)
        wanted = count * windows**power / (windows**power).sum()
        shares = np.floor(wanted + 1e-9).astype(int)  # a hair, lest a whole number be rounded down
        rest = wanted - shares + 1e-9 * random.permutation(len(present))  # equal claims are settled by lot
        shares[np.argsort(-rest)[: count - shares.sum()]] += 1
        dealt = [
            _deal(np.flatnonzero(self.labels == label), share, random)
            for label, share in zip(present, shares, strict=True)
        ]
        return random.permutation(np.concatenate(dealt))


def _deal(numbers: npt.NDArray[np.int64], count: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    if count <= len(numbers):
        return random.permutation(numbers)[:count]
    rounds = -(-count // len(numbers))
    return np.concatenate([random.permutation(numbers) for _ in range(rounds)])[:count]


def targets(labels: Ints, classes: int, others: Listed[int] = ()) -> Floats:
    """What may be answered to each label: (..., classes), 1 for the class, or for each of `others` where it is OTHER.

    Where it is SKIP anything may be.
    """
    rows = np.eye(classes + 2, classes, dtype=np.float32)
    rows[OTHER, list(others)] = 1
    rows[SKIP] = 1
    return rows[labels]


def class_weights(counts: npt.NDArray[np.int64]) -> Floats:
    """What one window of each class weighs in the loss, so that all classes weigh the same; its mean is 1."""
    present = counts > 0
    weights = counts.sum() / (present.sum() * np.maximum(counts, 1))
    return np.where(present, weights, 0).astype(np.float32)


def step_weights(batch: Batch, least_steps: int) -> Floats:
    """What the answer at each step of each window (batch, window) weighs in the loss; their mean is 1.

    Nothing where there is no label, or where fewer than `least_steps` true steps went before; the last step, which is
    the one that is asked for live, weighs LAST_STEP times as much as one before it.
    """
    seen = np.cumsum(np.any(batch.windows != 0, axis=2), axis=1)
    weights = ((batch.along != SKIP) & (seen >= least_steps)).astype(np.float32)
    weights[:, -1] = np.where(batch.labels != SKIP, LAST_STEP, 0)
    return np.asarray(weights * (weights.size / max(float(weights.sum()), 1.0)), np.float32)


@dataclass(frozen=True)
class Disturbance:
    """How far a pose window may be changed without becoming another move."""

    mirror: float = 0.5  # the share of windows shown from the other side
    roll_degrees: float = 3.0
    scale: float = 0.15  # size of the picture, +- this share
    aspect: float = 0.1  # height against width, +- this share
    jitter: float = 0.015  # of the body's spread, noise of each joint in each step
    score: float = 0.1  # noise of the scores
    joint_loss: float = 0.04  # the share of joints that are lost for a while
    cold_start: float = 0.1  # the share of windows whose beginning is taken away


def disturb(windows: Floats, seed: Listed[int], how: Disturbance, least_steps: int = 8) -> Floats:
    """Pose windows as another camera, another day and a worse estimate would have given them; padding stays zero.

    Args:
        windows: (batch, window, 51) pose features; not changed.
        seed: the same seed disturbs the same way.
        how: how far.
        least_steps: what a cold start leaves at least.
    """
    random = np.random.default_rng(list(seed))
    batch, window, dim = windows.shape
    joints = windows.reshape(batch, window, len(KEYPOINTS), 3)
    real = np.any(windows != 0, axis=2)[:, :, None]  # (batch, window, 1)
    place, score = joints[..., :2].copy(), joints[..., 2].copy()  # (batch, window, 17, 2), (batch, window, 17)

    mirrored = np.asarray(random.random(batch) < how.mirror)
    place[mirrored] = place[mirrored][:, :, MIRRORED]
    score[mirrored] = score[mirrored][:, :, MIRRORED]

    steps = np.maximum(real.sum(axis=(1, 2)), 1)[:, None]  # (batch, 1)
    center = (place * real[..., None]).mean(axis=2).sum(axis=1) / steps  # (batch, 2)
    place -= center[:, None, None]
    spread = np.sqrt((place**2 * real[..., None]).mean(axis=(2, 3)).sum(axis=1) / steps[:, 0])  # (batch,)
    place = np.matmul(place, _views(batch, mirrored, random, how)[:, None])

    noise = how.jitter * spread
    lost = _lost_joints(batch, window, how.joint_loss, random)
    place += noise[:, None, None, None] * random.standard_normal(place.shape, np.float32)
    astray = spread[:, None, None, None] * random.standard_normal((batch, 1, len(KEYPOINTS), 2), np.float32)
    place += 0.5 * lost[..., None] * astray
    score *= 1 + how.score * random.standard_normal((batch, window, 1), np.float32)
    score += how.score * 0.5 * random.standard_normal(score.shape, np.float32)
    score = np.clip(score * np.where(lost, 0.2, 1), 0.01, 1)

    out = np.concatenate([place + center[:, None, None], score[..., None]], axis=3)
    cold = random.random(batch) < how.cold_start
    start = np.where(cold, random.integers(1, max(2, window - least_steps + 1), batch), 0)
    kept = real[:, :, 0] & (np.arange(window) >= start[:, None])
    out *= kept[:, :, None, None]
    return out.reshape(batch, window, dim).astype(np.float32)


def _views(
    batch: int, mirrored: npt.NDArray[np.bool_], random: np.random.Generator, how: Disturbance
) -> Floats:  # (batch, 2, 2), to be multiplied from the right
    angle = np.radians(how.roll_degrees) * random.uniform(-1, 1, batch)
    size = 1 + how.scale * random.uniform(-1, 1, batch)
    aspect = 1 + how.aspect * random.uniform(-1, 1, batch)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    stretch = np.stack([np.where(mirrored, -size, size), size * aspect])  # (2, batch)
    return np.asarray((turn * stretch[:, None]).transpose(2, 0, 1), np.float32)


def _lost_joints(batch: int, window: int, share: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which joint is lost in which step, in one stretch each: (batch, window, 17)."""
    shape = (batch, 1, len(KEYPOINTS))
    chosen = random.random(shape) < share
    begin = random.integers(0, window, shape)
    length = random.integers(1, window + 1, shape)
    step = np.arange(window)[None, :, None]
    return np.asarray(chosen & (step >= begin) & (step < begin + length))


def batches(numbers: npt.NDArray[np.int64], size: int) -> Iterator[npt.NDArray[np.int64]]:
    """The numbers in lots of `size`; the last one may be smaller."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
