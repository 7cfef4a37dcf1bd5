"""Bystanders: one or two people who stand, talk or walk past behind the dancer of a film.

They are made by the programs of everyday motion, in costumes of their own. Nothing they do is labelled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from train import everyday
from train.body import JOINT, Array
from train.camera import Camera
from train.choreography import begin
from train.dancer import Bystander, Costume, Dancer
from train.mirror import Wall
from train.score import Score

# The share of films with anybody beside the dancer.
ACCOMPANIED = 0.2


def company(rng: np.random.Generator, camera: Camera, back: float, seconds: float) -> list[Bystander]:
    """Mostly nobody; now and then one or two people, who move for `seconds` between the dancer and the wall at `back`.

    `back` is the place of the wall as Studio tells it, in metres.
    """
    if rng.random() >= ACCOMPANIED:
        return []
    side = 1 if rng.random() < 0.5 else -1
    count = 2 if rng.random() < 0.3 else 1
    return [bystander(rng, Wall(camera, back), seconds, side * (1 - 2 * index)) for index in range(count)]


def bystander(rng: np.random.Generator, wall: Wall, seconds: float, side: int) -> Bystander:
    """Somebody to the right (1) or the left (-1) of the dancer, further from the camera."""
    near = float(rng.uniform(wall.back + 0.5, max(wall.back + 0.6, -1.0)))
    passing = rng.random() < 0.35
    if passing:  # along the wall, from beyond the picture to the other side
        place, facing = wall.at(side * rng.uniform(1.6, 3.0), 0.0, near), -side * wall.axes[0]
    else:
        turn = rng.uniform(-np.pi, np.pi)
        place = wall.at(side * rng.uniform(0.9, 1.7), 0.0, near)
        facing = np.cos(turn) * wall.axes[0] + np.sin(turn) * wall.axes[2]
    positions = moving(int(rng.integers(2**31)), seconds, walk_past if passing else linger)
    return Bystander(Dancer(Costume.random(rng)), moved(positions, place, facing), 60.0)


def moving(seed: int, seconds: float, program: Callable[[Score], None]) -> Array:
    """Positions (frames, joints, 3) of somebody who does this again and again."""
    score = begin(seed)
    while score.time_s < seconds:
        program(score)
    return score.perform().positions[: int(seconds * 60) + 2]


def linger(score: Score) -> None:
    """Stay there, stand or talk."""
    everyday.standing(score) if score.chance(0.6) else everyday.talking(score)


def walk_past(score: Score) -> None:
    everyday.steps(score, score.count(4, 9), score.between(0.4, 0.65), score.between(0.45, 0.7))
    if score.chance(0.3):
        everyday.standing(score)


def moved(positions: Array, place: Array, facing: Array) -> Array:
    """The same motion begun at `place` and towards `facing`, both on the floor."""
    across = positions[0, JOINT["left_hip"]] - positions[0, JOINT["right_hip"]]
    turn = np.arctan2(facing[0], facing[2]) - np.arctan2(-across[2], across[0])
    cos, sin = np.cos(turn), np.sin(turn)
    about = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    start = positions[0, JOINT["pelvis"]] * (1, 0, 1)
    return np.asarray((positions - start) @ about.T + place * (1, 0, 1))
