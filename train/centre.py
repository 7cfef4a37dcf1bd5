"""Moves of the centre: turns, and balances on one leg."""

from __future__ import annotations

import numpy as np

from train.positions import arabesque_arms, knee_of, lean_against, passe, raised, touching
from train.score import Score


def spin(score: Score, turns: float, seconds: float, direction: int) -> None:
    """The body turns, the eyes stay in front and come round last and fast (spotting)."""
    trunk, start = score.trunk, score.trunk.yaw
    spotting = score.chance(0.3 + 0.7 * score.style.skill)
    whole = max(1, round(turns))
    for index in range(whole):
        here = start + direction * 2 * np.pi * turns * index / whole
        each = 2 * np.pi * turns / whole * direction
        for share, look in ((0.22, -1.2), (0.5, -1.3), (0.7, 1.1), (1.0, 0.0)):
            trunk.yaw = float(here + share * each)
            trunk.look = look * direction if spotting else 0.0
            score.exactly(seconds * (share - {0.22: 0.0, 0.5: 0.22, 0.7: 0.5, 1.0: 0.7}[share]))


def pirouette(score: Score) -> None:
    """From a plié in fourth (or fifth, or a step) up to one leg, the other in passé, and round."""
    score.any_side()
    outward = score.chance(0.7)  # en dehors: towards the working leg
    direction = score.side if outward else -score.side
    turns = float(score.rng.choice([0.5, 1, 2, 3], p=[0.06, 0.6, 0.26, 0.08]))
    with score.preparing():
        if score.chance(0.75):
            score.stance(score.pick("fourth_back", "fourth_back", "fifth", "fifth_back"))
            score.arms("first", "second")
            score.bend_knees(score.between(0.78, 0.9))
            score.trunk.twist = -0.15 * direction
            score.beat(0.45)
        else:
            score.stance("stride", 0.35)
            score.bend_knees(0.9)
            score.beat(0.2)
    with score.move("pirouette"):
        score.carry(0.0)
        score.standing.reach, score.standing.heel = 1.0, score.between(0.5, 1.0) * (0.4 + 0.6 * score.style.skill)
        score.carry(0.0)
        height = score.between(0.55, 0.8)
        passe(score, height)
        if score.chance(0.15):
            score.working.direction, score.working.knee = (0.05, -1, 0.3), (0.5, 0.1, 1.0)  # a parallel passé
        score.arms(score.pick("first", "first", "first", "high", "chest", "second", "hips"))
        score.trunk.twist = 0.1 * direction
        score.trunk.yaw += direction * 0.5
        score.exactly(score.between(0.16, 0.26))
        spin(score, turns - 0.08, turns * score.between(0.55, 0.95), direction)
        fall = max(0.0, score.rng.normal(0, 0.12)) * (1.2 - score.style.skill)
        score.trunk.tilt = score.trunk.lean = float(fall)
        score.trunk.look = 0.0
        # the working foot comes down behind (en dehors) or in front
        x, z = score.spot(score.working, 0.06, -0.24 if outward else 0.22)
        score.working.ball = (x, 0.0, z)
        score.land(score.working)
        score.standing.heel = 0.0
        score.carry()
        score.bend_knees(score.between(0.8, 0.95))
        score.arms(score.pick("second", "half", "open", "low"))
        score.exactly(score.between(0.22, 0.35))
    with score.preparing():
        score.bend_knees(1.0)
        score.upright()
        score.beat(0.4)


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
            passe(score)
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
    each = score.between(0.22, 0.36)
    halves = 2 * score.count(2, 5)
    arms = score.pick("first", "first", "low", "chest", "high")
    with score.move("chaines"):
        score.arms(arms)
        for index in range(halves):
            leg = score.working if index % 2 == 0 else score.standing
            score.trunk.yaw = start + direction * np.pi * (index + 0.5)
            score.trunk.look = -0.9 * direction if index % 2 == 0 else 0.9 * direction
            score.bend_knees(1.0, heel=0.8)
            middle = score.support(score.left if leg is score.right else score.right)
            stride = 0.26 * score.body.leg
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


def lift_behind(score: Score, angle: float, reach: float) -> None:
    """The working leg back and up, the trunk as it must be, the arms in one of the arabesques."""
    # beginners let the leg wander to the side; in attitude the foot is behind the other shoulder
    out = score.between(0.0, 0.35) if reach > 0.9 else score.between(-0.35, 0.05)
    knee = (1.0, 0.25, -0.2)
    score.free(score.working, raised("back", angle, out), reach=reach, knee=knee)
    lean_against(score, "back", angle)
    score.trunk.lean += -0.12 * out * score.side
    score.trunk.nod = -0.1
    arabesque_arms(score)


def into_balance(score: Score) -> None:
    """A tendu behind, a step forward onto the leg, or a passé."""
    way = score.pick("tendu", "step", "passe")
    if way == "tendu":
        score.stance("fifth_back")
        score.carry(0.0)
        score.free(score.working, raised("back", touching(score)), knee=knee_of("back"))
        lean_against(score, "back", 0.5)
        score.beat(0.5)
    elif way == "step":
        score.stance("fifth")
        x, z = score.spot(score.standing, 0.02, score.between(0.3, 0.6))
        score.step(score.standing, x, z, 0.6, lift=0.04, stay=0.1)
        score.carry(0.0)
    else:
        score.stance("fifth")
        score.carry(0.0)
        passe(score)
        score.beat(0.6)


def behind(score: Score, name: str, reach: float, low: float, high: float) -> None:
    """Stand on one leg, the other behind and up: hold it, then come down."""
    score.any_side()
    with score.preparing():  # a tendu behind is a tendu, too
        into_balance(score)
    with score.move(name):
        angle = score.degrees(low, high)
        score.standing.reach = 1.0 if score.chance(0.8) else score.between(0.82, 0.95)
        score.standing.heel = score.between(0.5, 1.0) if score.chance(0.25) else 0.0
        score.carry(0.0)
        lift_behind(score, angle, reach)
        score.beat(score.between(0.35, 0.8))
        if score.chance(0.12):  # a promenade
            score.trunk.yaw += score.between(-1.5, 1.5)
        score.beat(score.between(0.3, 1.8))
        if score.chance(0.1):  # penché
            score.working.direction = raised("back", angle + 0.6)
            lean_against(score, "back", angle + 0.6)
            score.trunk.bend *= 0.5
            score.beat(1.2)
        score.working.direction = raised("back", touching(score))
        score.working.reach = 1.0
        score.upright()
        score.standing.heel, score.standing.reach = 0.0, 1.0
        score.arms(score.pick("second", "half", "low"))
        score.beat(score.between(0.4, 0.8))
    x, z = score.spot(score.working, -0.02, -0.1)
    score.working.ball = (x, 0.0, z)
    score.land(score.working)
    score.carry()
    score.beat(0.3)


def arabesque(score: Score) -> None:
    """One leg straight behind and high, the chest upright, an arm ahead."""
    behind(score, "arabesque", 1.0, 48, 105)


def attitude(score: Score) -> None:
    """As the arabesque with the knee bent, the thigh as high as the foot."""
    behind(score, "attitude", score.between(0.56, 0.72), 65, 98)
