"""Says where made motion is not as people move: postures in recorded moves, and how seldom they are made.

For each kind of move and each measure it prints what is usual in recordings (10, 50, 90 in a hundred frames) and in
made motion (2, 10, 50, 90, 98), and the share of recorded frames that lie beyond nearly all made ones. A network that
learns from made motion has never seen those. Needs no network and no picture.

    python -m scripts.measure_motion ../shared/mocap
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table

from models.errors import told
from scripts.measure_mocap import KIND_OF
from train.body import JOINT
from train.choreography import make_stream
from train.recorded import read_recordings
from train.stream import Stream

Floats = npt.NDArray[np.float64]

RECORDED, MADE = (10, 50, 90), (2, 10, 50, 90, 98)  # percentiles
NOTEWORTHY = 0.15  # of the recorded frames
SIDES = ("left", "right")
WIDE = 160  # columns, where no terminal tells how many


def main(
    mocap: Annotated[Path, typer.Argument(help="Folder of NAME.npz and labels.json.")],
    minutes: Annotated[int, typer.Option(min=1, help="How much motion is made.")] = 60,
) -> None:
    """Print a table for each kind of move, then one JSON line."""
    recorded = postures_by_kind(recording.stream for recording in read_recordings(mocap))
    made = postures_by_kind(make_stream(seed, 60.0) for seed in range(minutes))
    result = {
        kind: {name: compare(values, made[kind][name]) for name, values in measures.items()}
        for kind, measures in recorded.items()
    }
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    for kind, measures in result.items():
        console.print(_table(kind, measures))
    told = {kind: {name: asdict(each) for name, each in measures.items()} for kind, measures in result.items()}
    print(json.dumps({"made_minutes": minutes, "kinds": told}))


@dataclass(frozen=True)
class Comparison:
    """One measure of one kind of move."""

    recorded: list[float]  # percentiles, as RECORDED has them
    made: list[float]  # as MADE has them
    beyond: float  # the share of the recorded frames beyond the outermost of these


def compare(recorded: Floats, made: Floats) -> Comparison:
    low, *_, high = span = np.percentile(made, MADE)
    return Comparison(
        recorded=np.percentile(recorded, RECORDED).round(2).tolist(),
        made=span.round(2).tolist(),
        beyond=round(float(((recorded < low) | (recorded > high)).mean()), 3),
    )


def postures_by_kind(streams: Iterable[Stream]) -> dict[str, dict[str, Floats]]:
    """What `postures` says of the frames in which each kind of move is danced."""
    found: dict[str, list[dict[str, Floats]]] = {}
    for stream in streams:
        measures = postures(stream)
        for segment in stream.segments:
            if kind := KIND_OF.get(segment.move):
                frames = slice(round(segment.start_s * stream.hz), round(segment.end_s * stream.hz))
                found.setdefault(kind, []).append({name: values[frames] for name, values in measures.items()})
    return {
        kind: {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for kind, parts in found.items()
    }


def postures(stream: Stream) -> dict[str, Floats]:
    """Measures of every frame, each (frames,): degrees, or lengths of the trunk (hips to shoulders) and seconds."""

    def at(name: str) -> Floats:
        return np.asarray(stream.positions[:, JOINT[name]])

    def line(joint: str) -> Floats:
        return at(f"left_{joint}") - at(f"right_{joint}")

    def both(root: str, middle: str, end: str) -> Floats:
        names = ([f"{side}_{joint}" for joint in (root, middle, end)] for side in SIDES)
        return np.stack([_between(at(a) - at(b), at(c) - at(b)) for a, b, c in names])

    middle = (at("left_hip") + at("right_hip")) / 2
    trunk = (at("left_shoulder") + at("right_shoulder")) / 2 - middle
    length = float(np.linalg.norm(trunk, axis=-1).mean())
    hands = np.stack([at(f"{side}_wrist") - at(f"{side}_shoulder") for side in SIDES])[..., 1] / length
    feet = np.stack([at(f"{side}_ankle") for side in SIDES])[..., 1] / length
    speed = np.gradient(middle, 1 / stream.hz, axis=0) / length
    knees, elbows = both("hip", "knee", "ankle"), both("shoulder", "elbow", "wrist")
    return {
        "hips from level": np.abs(_rising(line("hip"))),
        "shoulders from level": np.abs(_rising(line("shoulder"))),
        "trunk from upright": 90 - _rising(trunk),
        "shoulders against hips": np.abs((_heading(line("shoulder")) - _heading(line("hip")) + 180) % 360 - 180),
        "knee, more bent": knees.min(0),
        "knee, less bent": knees.max(0),
        "between the thighs": _between(*(at(f"{side}_knee") - at(f"{side}_hip") for side in SIDES)),
        "elbow, more bent": elbows.min(0),
        "elbow, less bent": elbows.max(0),
        "higher hand over shoulder": hands.max(0),
        "lower hand over shoulder": hands.min(0),
        "between the hands": np.linalg.norm(line("wrist"), axis=-1) / length,
        "lower ankle over floor": feet.min(0),
        "ankle over ankle": np.ptp(feet, axis=0),
        "speed over the floor": np.hypot(speed[:, 0], speed[:, 2]),
        "speed up or down": np.abs(speed[:, 1]),
    }


def _between(one: Floats, other: Floats) -> Floats:
    cos = (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
    return np.asarray(np.degrees(np.arccos(cos.clip(-1, 1))))


def _rising(vectors: Floats) -> Floats:
    """Degrees over the horizontal."""
    return np.asarray(np.degrees(np.arcsin(vectors[:, 1] / np.linalg.norm(vectors, axis=-1))))


def _heading(vectors: Floats) -> Floats:
    return np.asarray(np.degrees(np.arctan2(vectors[:, 0], vectors[:, 2])))


def _table(kind: str, measures: Mapping[str, Comparison]) -> Table:
    table = Table(title=kind)
    for column in ("", f"recorded {RECORDED}", f"made {MADE}", "beyond"):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    for name, each in measures.items():
        style = "bold" if each.beyond > NOTEWORTHY else ""
        table.add_row(name, str(each.recorded), str(each.made), f"{each.beyond:.2f}", style=style)
    return table


if __name__ == "__main__":
    with told():
        typer.run(main)
