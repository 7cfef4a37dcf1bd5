"""Features of made dance, as the pose encoder would give them, without a picture being drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.keypoints import INDEX
from train.at_once import each_of
from train.body import Array
from train.camera import random_camera
from train.choreography import MOVES, Stream, make_stream
from train.estimator import estimate

if TYPE_CHECKING:
    from train.windows import Sequence as FeatureSequence

UNSURE = -1
LIMBS = [INDEX[f"{side}_{joint}"] for joint in ("elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")]
LEAST_LIMBS = 4


def labels_at(stream: Stream, times: Array, moves: Sequence[str], unnamed: Sequence[str] = ()) -> Array:
    """For each time the index of the move in `moves`, which holds "none"; -1 where either name would be right.

    A move that is not among them is "none" if it is `unnamed`, and else -1.
    """
    labels = np.full(len(times), moves.index("none"), np.int32)
    for start, end in stream.unsure:
        labels[(times >= start) & (times < end)] = UNSURE
    for segment in stream.segments:
        during = (times >= segment.start_s) & (times < segment.end_s)
        name = "none" if segment.move in unnamed else segment.move
        labels[during] = moves.index(name) if name in moves else UNSURE
    return labels


def observe(
    stream: Stream,
    rng: np.random.Generator,
    sample_hz: float,
    moves: Sequence[str] = ("none", *MOVES),
    unnamed: Sequence[str] = (),
) -> tuple[Array, Array]:
    """Features (steps, 51) as the pose encoder gives them from a random camera, and labels (steps,)."""
    phase = rng.uniform(0, 1 / sample_hz)
    times = np.arange(phase, stream.seconds - 1 / stream.hz, 1 / sample_hz)
    frames = np.minimum(np.round(times * stream.hz).astype(int), len(stream.positions) - 1)
    camera = random_camera(stream.positions, rng)
    keypoints = estimate(stream.positions[frames], camera, rng)
    labels = labels_at(stream, times, moves, unnamed)
    labels[(keypoints[:, LIMBS, 2] > 0.3).sum(1) < LEAST_LIMBS] = UNSURE  # the dancer has left the picture
    return keypoints.reshape(len(frames), -1).astype(np.float32), labels


def feature_streams(
    n: int,
    seconds: float = 37.0,
    sample_hz: float = 15.0,
    seed: int = 0,
    moves: Sequence[str] = ("none", *MOVES),
    unnamed: Sequence[str] = (),
    cameras: int = 2,
) -> list[FeatureSequence]:
    """`n` streams of `moves` and `unnamed`, each seen by `cameras` cameras.

    Labels are indices into `moves`, "none", which must be one of them, for what is unnamed, too.
    """
    from train.windows import Sequence as FeatureSequence  # it would pull in what drawing does not need

    seen = partial(
        _seen, seconds=seconds, sample_hz=sample_hz, seed=seed, moves=moves, unnamed=unnamed, cameras=cameras
    )
    return [
        FeatureSequence(f"made-{seed}-{index}-{view}", features, labels)
        for index, views in enumerate(each_of(seen, range(n), what="made streams"))
        for view, (features, labels) in enumerate(views)
    ]


def _seen(
    index: int,
    *,
    seconds: float,
    sample_hz: float,
    seed: int,
    moves: Sequence[str],
    unnamed: Sequence[str],
    cameras: int,
) -> list[tuple[Array, Array]]:
    """Features and labels of one stream, from each camera."""
    danced = sorted({*moves, *unnamed} - {"none"}, key=MOVES.index)
    stream = make_stream(seed * 1_000_003 + index, seconds, danced)
    rngs = [np.random.default_rng([seed, index, view]) for view in range(cameras)]
    return [observe(stream, rng, sample_hz, moves, unnamed) for rng in rngs]


def write_features(out: Path, count: int, moves: Sequence[str], seed: int, seconds: float, sample_hz: float) -> Path:
    """OUT/features.npz: for each stream and camera "<name>/features" and "<name>/labels", and "moves"."""
    arrays: dict[str, Array] = {"moves": np.array(moves)}
    for sequence in feature_streams(count, seconds, sample_hz, seed, moves):
        arrays[f"{sequence.name}/features"] = sequence.features
        arrays[f"{sequence.name}/labels"] = sequence.labels
    out.mkdir(parents=True, exist_ok=True)
    path = out / "features.npz"
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path
