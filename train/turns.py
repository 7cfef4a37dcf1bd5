"""Other turns: on one leg that whips, and from foot to foot, along a line or on the spot. Pirouettes on one leg are in
pirouettes.py."""

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


def turn_on_two_feet(score: Score, direction: int) -> None:
    """Round on the spot on both feet, quicker than anybody turns to walk: at six radians a second at least.

    Unwound from feet that are crossed (soutenu, détourné); or from foot to foot, on demi-pointe with the feet together,
    or in wide steps on soft knees.
    """
    with score.move("pirouette", longer=0.1):
        score.trunk.tilt, score.trunk.bend = score.between(-0.08, 0.2), score.between(-0.15, 0.2)
        if score.chance(0.7):
            any_arms(score)
        kind = score.pick("crossed", "together", "wide")
        if kind == "crossed":
            unwind_feet(score, direction)
        elif kind == "together":
            from_foot_to_foot(score, direction, 0.06, score.between(0.4, 1.0), score.between(0.95, 1.0))
        else:
            apart = score.between(0.1, 0.33)
            from_foot_to_foot(score, direction, apart, score.between(0.0, 0.6), score.between(0.8, 0.99))
        score.trunk.look = 0.0


def unwind_feet(score: Score, direction: int) -> None:
    """One foot is put down across the other, in front if the turn is away from it, and both turn on their balls."""
    leg, over = score.working, score.support(score.standing)
    turn, speed = 2 * np.pi * score.between(0.65, 1.0), score.between(5.5, 9.0)
    reach = score.between(0.84, 0.98)
    score.land(leg)
    score.land(score.standing)
    score.bend_knees(reach, score.between(0.0, 0.3))
    first = score.between(0.1, 0.6)
    score.trunk.yaw += direction * first
    ahead = score.between(0.05, 0.25) * -direction * score.side
    out, front = score.world(-score.side * score.between(0.05, 0.25) * score.body.leg, ahead * score.body.leg)
    seconds, start = score.between(0.1, 0.2), leg.ball
    score.carry(0.0)
    leg.ball = ((start[0] + over[0] + out) / 2, 0.04, (start[2] + over[1] + front) / 2)
    score.exactly(seconds / 2)
    leg.ball = (over[0] + out, 0.0, over[1] + front)
    score.carry(score.between(0.2, 0.5))
    score.exactly(seconds / 2)
    score.bend_knees(min(1.0, reach + score.between(0.0, 0.12)), score.between(0.2, 1.0))
    score.carry(score.between(0.3, 0.7))
    spotting = score.chance(0.5)
    for share in (0.3, 0.4, 0.3):
        score.trunk.yaw += direction * (turn - first) * share
        score.trunk.look = score.between(-0.9, 0.9) * spotting
        score.exactly((turn - first) * share / speed)


def from_foot_to_foot(score: Score, direction: int, apart: float, heel: float, reach: float) -> None:
    """In two to four steps, `apart` (leg lengths) to each side; the foot that stays turns on its ball."""
    count = score.count(2, 4)
    turn = 2 * np.pi * score.between(0.75, 1.4) / count
    each = turn / score.between(6.0, 10.0)
    far = apart * score.between(-0.7, 0.7) * score.body.leg
    spotting = score.chance(0.5)
    for index in range(count):
        leg, other = (score.working, score.standing) if index % 2 == 0 else (score.standing, score.working)
        over = score.support(other)
        aside = score.sign(leg) * apart * score.body.leg
        score.land(leg)
        score.bend_knees(reach, heel)
        score.trunk.yaw += direction * turn * 0.55
        score.trunk.look = score.between(-0.9, 0.9) * spotting
        score.carry(0.2 if leg is score.working else 0.8)
        out, front = score.world(1.2 * aside, far)
        leg.ball = (over[0] + out, 0.03, over[1] + front)
        score.exactly(each * 0.5)
        score.trunk.yaw += direction * turn * 0.45
        out, front = score.world(2 * aside, far)
        leg.ball = (over[0] + out, 0.0, over[1] + front)
        score.carry(0.6 if leg is score.working else 0.4)
        score.exactly(each * 0.5)
