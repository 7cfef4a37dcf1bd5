"""Other turns: on one leg that whips, and from foot to foot along a line. Pirouettes are in pirouettes.py."""

from __future__ import annotations

import numpy as np

from train.positions import any_arms, knee_of, passe, raised
from train.score import Score


def fouette(score: Score) -> None:
    """Turns on one leg that never comes down: at each the working leg whips from the front to the side and to passé."""
    score.any_side()
    direction = score.side
    with score.preparing():
        score.stance("fourth_back")
        score.arms("first", "second")
        score.bend_knees(0.84)
        score.beat(0.4)
    with score.move("fouette"):
        score.carry(0.0)
        height = score.degrees(45, 88)
        for _ in range(score.count(2, 6)):
            score.standing.reach, score.standing.heel = 0.84, 0.0
            score.free(score.working, raised("front", height), knee=knee_of("front"))
            score.arms("first")
            score.exactly(score.between(0.16, 0.24))
            score.working.direction, score.working.knee = raised("side", height), knee_of("side")
            score.standing.reach, score.standing.heel = 1.0, 0.9
            score.arms("second")
            score.trunk.yaw += direction * 0.9
            score.exactly(score.between(0.16, 0.24))
            passe(score, score.between(0.55, 0.75))
            score.arms("first")
            score.trunk.look = -0.9 * direction
            score.trunk.yaw += direction * 2.6
            score.exactly(score.between(0.22, 0.3))
            score.trunk.look = 0.5 * direction
            score.trunk.yaw += direction * (2 * np.pi - 3.5)
            score.exactly(score.between(0.22, 0.3))
            score.trunk.look = 0.0
        x, z = score.spot(score.working, 0.06, -0.24)
        score.working.ball = (x, 0.0, z)
        score.land(score.working)
        score.standing.heel = 0.0
        score.carry()
        score.bend_knees(0.86)
        score.arms("second")
        score.exactly(0.3)
    with score.preparing():
        score.bend_knees(1.0)
        score.beat(0.4)


def chaines(score: Score) -> None:
    """A chain of half turns from foot to foot on demi-pointe, along a line."""
    score.any_side()
    direction = score.side
    start = score.trunk.yaw
    line = score.world(direction, 0.0)
    with score.preparing():
        score.stance("first")
        score.arms("second", "first")
        score.bend_knees(0.9)
        score.beat(0.3)
    each = score.between(0.2, 0.4)
    halves = score.count(4, 11)
    stride = score.between(0.16, 0.34) * score.body.leg
    heel, reach = score.between(0.35, 0.95), 1.0 if score.chance(0.7) else score.between(0.93, 0.99)
    spotting = score.chance(0.7)
    with score.move("chaines"):
        score.arms(score.pick("first", "first", "low", "chest", "high", "second"))
        if score.chance(0.3):
            any_arms(score)
            score.trunk.tilt, score.trunk.sway = score.between(-0.05, 0.2), score.between(-0.15, 0.15)
        for index in range(halves):
            leg = score.working if index % 2 == 0 else score.standing
            score.trunk.yaw = start + direction * np.pi * (index + 0.5)
            score.trunk.look = (-0.9 if index % 2 == 0 else 0.9) * direction * spotting
            score.bend_knees(reach, heel)
            middle = score.support(score.left if leg is score.right else score.right)
            leg.ball = (middle[0] + line[0] * stride * 0.6, 0.02, middle[1] + line[1] * stride * 0.6)
            score.carry(0.25 if leg is score.working else 0.75)
            score.exactly(each / 2)
            score.trunk.yaw = start + direction * np.pi * (index + 1.0)
            leg.ball = (middle[0] + line[0] * stride, 0.0, middle[1] + line[1] * stride)
            score.carry(0.75 if leg is score.working else 0.25)
            score.exactly(each / 2)
        score.trunk.look = 0.0
    with score.preparing():
        score.stance("fourth")
