"""What every ballet move is made of: a leg raised, a foot in passé, the trunk against it, a spring into the air.

Directions are (out, up, front) seen from the dancer. The moves are in barre.py, centre.py, pirouettes.py,
turns.py, allegro.py and leaps.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from train.key_pose import ARMS, Leg, Vector
from train.score import Score


def raised(where: str, angle: float, out: float = 0.0) -> Vector:
    """From hip to ankle, the leg `angle` radians from hanging down, to the front, the side or the back."""
    across, down = float(np.sin(angle)), -float(np.cos(angle))
    if where == "side":
        return (across * 0.96, down, across * 0.22)
    if where == "front":
        return (0.06 + out, down, across)
    return (0.10 + out, down, -across)


def raised_behind(angle: float, aside: float) -> Vector:
    """As `raised`, behind and `aside` radians from there towards the side (0.5 pi: straight to the side)."""
    across, down = float(np.sin(angle)), -float(np.cos(angle))
    return (0.10 * float(np.cos(aside)) + across * float(np.sin(aside)), down, -across * float(np.cos(aside)))


def knee_behind(aside: float) -> Vector:
    """A turned-out knee points outwards behind, and up at the side."""
    to_side = max(0.0, float(np.sin(aside)))
    return (1.0 - 0.7 * to_side, 0.25 + 0.75 * to_side, -0.2 + 0.5 * to_side)


def knee_of(where: str) -> Vector:
    """A turned-out knee points outwards; of a leg at the side it points up."""
    return (0.3, 1.0, 0.3) if where == "side" else (1.0, 0.35, 0.3 if where == "front" else -0.2)


def touching(score: Score) -> float:
    """The angle at which a straight leg with pointed foot just touches the floor."""
    body = score.body
    hip = body.leg * 0.985 + body.foot * 0.45
    return float(np.arccos(np.clip(hip / (body.leg + body.foot + 0.6 * body.toes), 0, 1))) + 0.02


def passe(score: Score, height: float = 0.6) -> None:
    """The working toes at the standing knee, the thigh to the side."""
    score.free(score.working, (score.between(-0.12, 0.08), -1, 0.2), reach=height, knee=(1.0, 0.1, 0.25))


def lean_against(score: Score, where: str, angle: float) -> None:
    """What the trunk does so that a leg can go up so high."""
    trunk, high = score.trunk, max(0.0, angle - 0.5)
    if where == "back":
        # the hip alone does not go far back: the pelvis tips, the spine bends, both less where the hips are opened; in
        # a penché all goes down
        square = 1 - 0.45 * score.style.opened
        trunk.tilt, trunk.bend = 0.12 + 0.50 * square * high + 0.6 * max(0.0, angle - 1.9), -0.08 - 0.42 * square * high
    elif where == "front":
        trunk.tilt, trunk.bend = -0.12 * high, -0.02
    else:
        trunk.lean, trunk.sway = -0.22 * high * score.side, 0.14 * high * score.side


@contextmanager
def springing(score: Score, height: float) -> Iterator[float]:
    """From a plié into the air; inside, the pose in the air is reached at half the time that is given."""
    for leg in (score.left, score.right):
        if leg.free == 0:
            leg.reach, leg.heel = 1.06, 0.9
    score.exactly(score.between(0.14, 0.22))
    seconds = score.flight_time(height)
    with score.flight():
        yield seconds
    for leg in (score.left, score.right):
        if leg.free == 0:
            leg.heel = 0.0


def hang(score: Score, leg: Leg, out: float = 0.08, front: float = 0.0) -> None:
    """A straight leg with pointed foot under a body in the air."""
    score.free(leg, (out, -1.0, front))
    leg.reach = 1.12


def soften(score: Score, reach: float, seconds: float) -> None:
    """Through the feet into a plié after a jump, or before one."""
    score.bend_knees(reach)
    score.exactly(seconds)


def any_arms(score: Score) -> None:
    """Arms as in class, or anywhere at all."""
    if score.chance(0.75):
        names = ("low", "first", "second", "second", "high", "half", "hips", "down", "barre")
        working = score.pick(*names)
        score.arms(working, working if score.chance(0.6) else score.pick(*names))
    else:
        score.arms(score.pick(*ARMS), score.pick(*ARMS))


def quiet_arms(score: Score) -> None:
    """Arms that hardly move while the legs jump; beginners keep them on the hips or let them hang."""
    working = score.pick("low", "low", "first", "second", "half", "hips", "down")
    score.arms(working, working if score.chance(0.85) else score.pick("low", "first", "second"))


def arabesque_arms(score: Score) -> None:
    pose = score.pick("first", "second", "third", "fourth", "wide", "wide", "any")
    if pose == "first":
        score.arms("side", "ahead")
    elif pose == "second":
        score.arms("ahead", "back")
    elif pose == "third":
        score.arms("ahead", "ahead")
    elif pose == "fourth":
        score.arms("back", "ahead")
    elif pose == "wide":  # stretched out to both sides, level or in one slanting line
        score.arms(score.pick("side", "side", "slant"), score.pick("side", "side", "slant"))
    else:
        any_arms(score)


def start_in(score: Score, where: str) -> None:
    """First or fifth position with the working leg where it will set off from."""
    score.stance("first" if score.chance(0.4) else "fifth_back" if where == "back" else "fifth")
    any_arms(score)
    score.beat(0.4)
