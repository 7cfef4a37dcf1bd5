"""A picture of every move as it is made, to look at: `python -m train.contact_sheet docs/moves.png`.

One row a move: its name, and six moments from its preparation to its end, from the side that shows it best.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from models.card import display_name
from models.errors import SourceError, told
from train.body import JOINT, Array, Body
from train.camera import look_from
from train.choreography import MOVES, PROGRAMS
from train.dancer import Costume, Film, Studio
from train.score import Score
from train.stream import Stream
from train.style import Style

MOMENTS = 6
COLUMNS = 2
HEIGHT, WIDTH, MARGIN = 132, 112, 104  # of one moment, and of the name beside them, in pixels
PAPER = (250, 250, 250)
COARSE = 8  # shades that are told apart no more, so that the file stays small


@dataclass(frozen=True)
class _Look:
    """Which of the many ways of a move is shown, and from where."""

    seed: int = 1
    azimuth: float = 0.5  # radians from where the dancer faces, towards her left
    seconds: float = 2.5  # how much of it at most, from a little before its label begins


LOOKS = {
    "plie": _Look(1, 0.2),
    "grand_plie": _Look(1, 0.2),
    "tendu": _Look(11, 0.4, 1.8),
    "grand_battement": _Look(1, 0.6, 1.4),
    "rond_de_jambe": _Look(8, 0.4),
    "releve": _Look(9, 0.3, 1.8),
    "echappe": _Look(2, 0.1, 1.8),
    "saute": _Look(1, 0.2, 1.6),
    "changement": _Look(1, 0.2, 1.6),
    "assemble": _Look(3, 0.4, 1.4),
    "balance": _Look(4, 0.2),
    "arabesque": _Look(12, 1.3),
    "attitude": _Look(34, 0.75),
    "pirouette": _Look(3, 0.75, 1.6),
    "fouette": _Look(4, 0.1, 2.0),
    "chaines": _Look(2, 0.1, 2.0),
    "grand_jete": _Look(10, 1.4, 1.0),
    "jete": _Look(4, 0.4, 1.8),
}


def shown(move: str, look: _Look) -> tuple[Stream, float, float, float]:
    """A skilled dancer does the move: the motion, from when to when it is shown, and where she faces then."""
    score = Score(np.random.default_rng(look.seed), Body(), Style(tempo=0.9, turnout=1.25, skill=1.0, wobble=0.08))
    PROGRAMS[move](score)
    score.beat(0.4)
    stream = score.perform()
    segment = stream.segments[0]
    start = max(0.0, segment.start_s - 0.1)
    end = min(segment.end_s + 0.05, start + look.seconds)
    hips = stream.positions[round(start * stream.hz), [JOINT["left_hip"], JOINT["right_hip"]]]
    across = hips[0] - hips[1]
    return stream, start, end, float(np.arctan2(-across[2], across[0]))


def row(move: str, look: _Look) -> Array:
    """The name and the moments of one move, (HEIGHT, MARGIN + MOMENTS * WIDTH, 3) BGR."""
    stream, start, end, facing = shown(move, look)
    picture = np.full((HEIGHT, MARGIN + MOMENTS * WIDTH, 3), PAPER, np.uint8)
    studio = Studio(wall=(236, 236, 232), floor=(196, 210, 222), barre=False, mirror=False)
    costume = Costume(skirt=0.0, leotard=(84, 34, 56))
    standing = stream.positions[:1]
    for index, time_s in enumerate(np.linspace(start, end, MOMENTS)):
        joints = stream.positions[min(round(time_s * stream.hz), len(stream.positions) - 1)]
        camera = look_from(standing, facing + look.azimuth, 1.0, 6.0, 0.72, WIDTH / HEIGHT)
        away = (joints[JOINT["pelvis"]] - standing[0, JOINT["pelvis"]]) * (1, 0, 1)  # the camera goes with her
        place, target = np.add(camera.place, away), np.add(camera.target, away) + (0.0, 0.10, 0.0)
        camera = replace(camera, place=tuple(place), target=tuple(target))
        moment = Film(camera, HEIGHT, costume, studio).shoot(joints)
        left = MARGIN + index * WIDTH
        picture[:, left : left + WIDTH] = moment[:, :WIDTH]
    picture[-1] = PAPER
    write_name(picture, display_name(move))
    return picture


def write_name(picture: Array, name: str) -> None:
    """The name at the left, its words below one another."""
    words = name.split(" ")
    lines = words if len(name) > 12 else [name]
    for index, line in enumerate(lines):
        place = (6, HEIGHT // 2 + 4 + 16 * index - 8 * (len(lines) - 1))
        cv2.putText(picture, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1, cv2.LINE_AA)


def contact_sheet(moves: Sequence[str] = MOVES) -> Array:
    """All moves in columns, BGR."""
    rows = [row(move, LOOKS.get(move, _Look())) for move in moves]
    each = -(-len(rows) // COLUMNS)
    blank = np.full_like(rows[0], PAPER[0])
    rows += [blank] * (each * COLUMNS - len(rows))
    return np.hstack([np.vstack(rows[start : start + each]) for start in range(0, len(rows), each)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m train.contact_sheet", description="Draw every move as it is made.")
    parser.add_argument("out", type=Path, metavar="OUT.png")
    options = parser.parse_args(arguments)
    if options.out.suffix.lower() != ".png":
        parser.error(f"{options.out}: give a name that ends in .png")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet = contact_sheet() // COARSE * COARSE + COARSE // 2
    if not cv2.imwrite(str(options.out), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise SourceError(f"{options.out} could not be written.\nCheck the folder and the free space.")
    print(options.out)
    return 0


if __name__ == "__main__":
    with told():
        sys.exit(main())
