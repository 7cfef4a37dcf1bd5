"""Recorded motion as streams to learn from: joint positions with labels, seen by the cameras that see made motion.

In: a folder of NAME.npz (`positions` (frames, joints, 3) in metres, Y up, floor at 0; `joints`, their names; `fps`) and
labels.json (by NAME: `moves` and `ignore`, stretches with `start_s` and `end_s`; a move has its name in `move`).
Out: Streams, or their features. It knows nothing of networks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.card import NONE
from models.errors import SourceError
from train.body import JOINT, JOINTS, Array, unit
from train.made_features import observe
from train.stream import Segment, Stream

if TYPE_CHECKING:
    from train.windows import Sequence as FeatureSequence

LABELS_FILE = "labels.json"
# What recordings call a move, where the choreography has another name.
CALLED = {"jete": "grand_jete"}
# Whoever labels by hand is seldom nearer than this; either name is right so near to a move's beginning or end.
EDGE_S = 0.1
# A recording is danced faster or slower by up to this much, so that one phrase is not one tempo.
FASTER = 1.3
# By how much the legs and the arms of whoever was recorded may be longer or shorter, as shares.
OTHER_BUILD = 0.12
# How often the arms are those of another recording: what somebody's arms do in a move is no part of it.
OTHER_ARMS = 0.5
LEGS = ("hip", "knee", "ankle", "toe")
ARMS = ("shoulder", "elbow", "wrist")


@dataclass(frozen=True)
class Recording:
    """One trial of somebody."""

    name: str
    stream: Stream


def read_recordings(folder: Path, without: Sequence[str] = ()) -> list[Recording]:
    """Every labelled recording of a folder but those named in `without`, in the order of labels.json.

    Raises:
        SourceError: there is no labels.json, it has none of that name, or a recording is missing or lacks a joint.
    """
    labels = read_labels(folder)
    unknown = [name for name in without if name not in labels]
    if unknown:
        raise SourceError(f"{folder / LABELS_FILE} has no {unknown[0]}.\nIt has: {', '.join(labels)}.")
    return [
        Recording(name, _read(folder / f"{name}.npz", label)) for name, label in labels.items() if name not in without
    ]


def read_labels(folder: Path) -> dict[str, Any]:
    """What labels.json says of each recording. Raises SourceError where there is none."""
    file = folder / LABELS_FILE
    try:
        labels: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"{file} cannot be read: {error}.\nGive a folder of NAME.npz and {LABELS_FILE}.") from error
    return labels


def _read(path: Path, label: Mapping[str, Any]) -> Stream:
    try:
        motion = np.load(path, allow_pickle=False)
        positions, fps = motion["positions"], float(motion["fps"])
        names = [str(name) for name in motion["joints"]]
        stretches = [(str(each["move"]), float(each["start_s"]), float(each["end_s"])) for each in label["moves"]]
        unsure = [(float(each["start_s"]), float(each["end_s"])) for each in label["ignore"]]
        joints = _with_face(positions[1:], names)  # the first frame may be a T-pose
    except (OSError, KeyError, ValueError) as error:
        raise SourceError(
            f"{path} cannot be used: {error}.\nIt must hold positions, joints and fps, and {LABELS_FILE} moves and "
            "ignore for it."
        ) from error
    for _, start_s, end_s in stretches:
        unsure += [(start_s - EDGE_S, start_s + EDGE_S), (end_s - EDGE_S, end_s + EDGE_S)]
    segments = [Segment(CALLED.get(move, move), start_s + EDGE_S, end_s - EDGE_S) for move, start_s, end_s in stretches]
    return Stream(joints, JOINTS, fps, segments, unsure)


def _with_face(positions: Array, names: Sequence[str]) -> Array:
    """(frames, joints, 3) of JOINTS; the face, which is not recorded, looks where the chest does."""
    joints = np.zeros((len(positions), len(JOINTS), 3))
    for name in JOINTS:
        if name in names:
            joints[:, JOINT[name]] = positions[:, names.index(name)]
    missing = [f"{side}_{joint}" for joint in LEGS + ARMS for side in ("left", "right")]
    missing = [name for name in ("pelvis", "neck", "head", *missing) if name not in names]
    if missing:
        raise ValueError(f"there is no {missing[0]}")
    left, up, ahead = np.swapaxes(_chest(joints), 0, 1)
    head = joints[:, JOINT["head"]]
    for name, (out, high, front) in {
        "nose": (0.0, -0.01, 0.11),
        "left_eye": (0.03, 0.02, 0.09),
        "right_eye": (-0.03, 0.02, 0.09),
        "left_ear": (0.07, 0.0, 0.0),
        "right_ear": (-0.07, 0.0, 0.0),
    }.items():
        joints[:, JOINT[name]] = head + out * left + high * up + front * ahead
    return joints


def recorded_streams(
    recordings: Sequence[Recording],
    times: int,
    sample_hz: float,
    seed: int,
    moves: Sequence[str],
) -> list[FeatureSequence]:
    """Each recording `times` over, every time by another body, at another tempo, before another camera, and half of the
    times with the arms of another one.

    Labels are indices into `moves`, of which "none" must be one; OTHER where something is danced that has no label.
    The same seed gives the same features.
    """
    from train.windows import OTHER  # it would pull in what reading does not need
    from train.windows import Sequence as FeatureSequence

    result = []
    for number, recording in enumerate(recordings):
        for turn in range(times):
            rng = np.random.default_rng([seed, number, turn])
            stream = recording.stream
            if rng.random() < OTHER_ARMS:
                other = recordings[int(rng.integers(len(recordings)))]
                stream = replace(stream, positions=_with_arms_of(stream.positions, other.stream.positions, rng))
            features, labels = observe(_varied(stream, rng), rng, sample_hz, moves)
            if stream.segments:  # it is dance, in which not every move there is was looked for
                labels[labels == moves.index(NONE)] = OTHER
            result.append(FeatureSequence(f"{recording.name}-{seed}-{turn}", features, labels))
    return result


def _varied(stream: Stream, rng: np.random.Generator) -> Stream:
    """The same motion by somebody of another build, at another tempo."""
    tempo = float(np.exp(rng.uniform(-1, 1) * np.log(FASTER)))
    joints = _rebuilt(stream.positions, 1 + OTHER_BUILD * rng.uniform(-1, 1), 1 + OTHER_BUILD * rng.uniform(-1, 1))
    return replace(
        stream,
        positions=joints,
        hz=stream.hz * tempo,
        segments=[Segment(s.move, s.start_s / tempo, s.end_s / tempo) for s in stream.segments],
        unsure=[(start_s / tempo, end_s / tempo) for start_s, end_s in stream.unsure],
    )


def _with_arms_of(positions: Array, others: Array, rng: np.random.Generator) -> Array:
    """The motion with the arms of another one, from any moment of it on, to and fro; both (frames, joints, 3)."""
    there_and_back = np.concatenate([np.arange(len(others)), np.arange(len(others))[::-1]])
    frames = np.resize(np.roll(there_and_back, -int(rng.integers(len(there_and_back)))), len(positions))
    others = others[frames]
    turn = np.swapaxes(_chest(positions), 1, 2) @ _chest(others)  # (frames, 3, 3) from one chest to the other
    joints = positions.copy()
    for side in ("left", "right"):
        for upper, lower in _links(ARMS):
            here, there = JOINT[f"{side}_{upper}"], JOINT[f"{side}_{lower}"]
            limb = others[:, there] - others[:, here]
            joints[:, there] = joints[:, here] + (turn @ limb[:, :, None])[..., 0]
    return joints


def _chest(joints: Array) -> Array:
    """Its axes as rows: left, up, ahead; (frames, 3, 3)."""
    left = unit(joints[:, JOINT["left_shoulder"]] - joints[:, JOINT["right_shoulder"]])
    ahead = unit(np.cross(left, joints[:, JOINT["neck"]] - joints[:, JOINT["pelvis"]]))
    return np.stack([left, np.cross(ahead, left), ahead], axis=1)


def _rebuilt(positions: Array, legs: float, arms: float) -> Array:
    """The same poses with legs and arms so many times as long; the feet stay as high as they were."""
    joints = positions.copy()
    for chain, longer in ((LEGS, legs), (ARMS, arms)):
        for side in ("left", "right"):
            for upper, lower in _links(chain):
                here, there = JOINT[f"{side}_{upper}"], JOINT[f"{side}_{lower}"]
                joints[:, there] = joints[:, here] + longer * (positions[:, there] - positions[:, here])
    # whoever has longer legs is taller: the whole body rises by what the feet would sink
    feet = [JOINT[f"{side}_toe"] for side in ("left", "right")]
    joints[..., 1] += (positions[:, feet, 1].min(1) - joints[:, feet, 1].min(1))[:, None]
    return joints


def _links(chain: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(chain[:-1], chain[1:], strict=True)
