"""What is no ballet move, as people do it: standing, walking, talking, sitting down, dancing at a party.

Each is a program on a Score. Children's play is in play.py, what dancers do between moves in stage.py.
"""

from __future__ import annotations

import numpy as np

from train.score import Score


def any_hand(score: Score, side: int) -> None:
    """A hand anywhere it can be."""
    score.arm_anywhere(side)


def rise(score: Score) -> None:
    """Out of bent knees, before the feet go elsewhere: nobody comes up in the time of a small step."""
    if min(score.left.reach, score.right.reach) < 0.92 and score.left.free == score.right.free == 0:
        score.bend_knees(1.0)
        score.exactly(score.between(0.25, 0.45))


def relax(score: Score) -> None:
    """Stand as people stand."""
    rise(score)
    score.stance(score.pick("parallel", "parallel", "wide", "stride", "first"))
    score.arms(score.pick("down", "down", "hips", "low", "chest"))
    score.trunk.bend = score.between(0, 0.12)
    score.beat(0.4)


def standing(score: Score) -> None:
    relax(score)
    for _ in range(score.count(1, 3)):
        score.carry(score.between(0.2, 0.8))
        score.trunk.look, score.trunk.nod = score.between(-0.7, 0.7), score.between(-0.1, 0.5)
        for leg in (score.left, score.right):
            leg.reach = score.between(0.965, 1.0)
        if score.chance(0.3):
            any_hand(score, score.side)
        score.beat(score.between(0.5, 2.0))
    score.bend_knees(1.0)
    score.upright()


def talking(score: Score) -> None:
    """Hands that tell something."""
    relax(score)
    for _ in range(score.count(3, 8)):
        for side in (1, -1):
            if score.chance(0.6):
                any_hand(score, side)
        score.trunk.twist, score.trunk.look = score.between(-0.3, 0.3), score.between(-0.5, 0.5)
        score.carry(score.between(0.3, 0.7))
        score.beat(score.between(0.25, 0.9))
    score.upright()


def steps(
    score: Score,
    count: int,
    stride: float,
    seconds: float,
    turn: float = 0.0,
    lift: float = 0.09,
    turnout: float = 0.2,
    arms: bool = True,
) -> None:
    """Walk `count` steps of `stride` leg lengths, turning a little with each; the arms swing, or stay as they are."""
    swing = score.between(0.1, 0.5)
    for _ in range(count):
        leg, other = score.working, score.standing
        score.trunk.yaw += turn
        lifted = leg.free > 0  # then it comes from where it was held, not from where it stood
        for each in (leg, other):
            each.turnout = turnout
            each.free, each.reach = 0.0, 1.0
        here = score.support(other)
        score.carry(0.1)
        side = score.sign(leg)
        x, z = score.world(side * 0.17 * score.body.leg, stride * score.body.leg)
        goal = (here[0] + x, here[1] + z)
        start = leg.ball if not lifted else (here[0], 0.0, here[1])
        leg.ball = ((start[0] + goal[0]) / 2, lift * score.body.leg, (start[2] + goal[1]) / 2)
        leg.heel, other.heel = 0.5, 0.1
        if arms:
            _swing_arms(score, swing)
        score.beat(seconds / 2, least=0.1)
        leg.ball, leg.heel, other.heel = (goal[0], 0.0, goal[1]), 0.0, 0.45
        score.carry(0.55)
        score.beat(seconds / 2, least=0.1)
        score.change_sides()
    score.working.heel = score.standing.heel = 0.0


def _swing_arms(score: Score, swing: float) -> None:
    for side in (1, -1):
        arm = score.left_arm if side > 0 else score.right_arm
        ahead = -side * score.side * swing
        arm.hand, arm.elbow = (0.1, -0.93, 0.1 + ahead), (0.3, -0.2, -1)


def homeward(score: Score) -> float:
    """The turn to the left that leads back to the middle of the room."""
    x, z = score.trunk.anchor
    if np.hypot(x, z) < 1.0:
        return score.between(-2.5, 2.5)
    bearing = np.arctan2(-x, -z) - score.trunk.yaw
    return float((bearing + np.pi) % (2 * np.pi) - np.pi)


def walking(score: Score) -> None:
    score.any_side()
    count = score.count(3, 8)
    turn = homeward(score) / count
    steps(score, count, score.between(0.35, 0.7), score.between(0.42, 0.7), turn)
    relax(score)


def running(score: Score) -> None:
    score.any_side()
    count = score.count(4, 8)
    turn = homeward(score) / count
    score.trunk.tilt = score.between(0.05, 0.2)
    steps(score, count, score.between(0.6, 0.9), score.between(0.28, 0.38), turn, lift=0.22)
    relax(score)


def turning_round(score: Score) -> None:
    """Turn on the spot with small steps, as to walk the other way; sometimes once round."""
    score.any_side()
    count = score.count(2, 6)
    turn = score.between(1.2, 6.5) / count * (1 if score.chance(0.5) else -1)
    steps(score, count, score.between(0.0, 0.15), score.between(0.3, 0.6), turn, lift=0.05)
    relax(score)


def side_steps(score: Score) -> None:
    """Step and touch from side to side, as at a party."""
    score.any_side()
    score.stance("parallel")
    bounce = score.between(0.9, 1.0)
    for _ in range(score.count(3, 8)):
        for leg, out in ((score.working, score.between(0.25, 0.5)), (score.standing, 0.0)):
            other = score.standing if leg is score.working else score.working
            aside = score.world(score.sign(score.working) * (out if out else 0.18) * score.body.leg, 0.0)
            start = other.ball
            direction = 1 if leg is score.working else -1
            goal = (start[0] + aside[0], start[2] + aside[1])
            if direction < 0:
                goal = (start[0] - aside[0], start[2] - aside[1])
            score.bend_knees(bounce)
            for side in (1, -1):
                if score.chance(0.3):
                    any_hand(score, side)
            score.step(leg, goal[0], goal[1], score.between(0.35, 0.6), lift=score.between(0.02, 0.12))
        if score.chance(0.6):
            score.change_sides()
    score.bend_knees(1.0)
    score.upright()


def swaying(score: Score) -> None:
    """Dancing on the spot without steps: hips, shoulders, arms, knees."""
    score.stance(score.pick("parallel", "wide"))
    beat = score.between(0.25, 0.5)
    for index in range(score.count(4, 12)):
        sign = 1 if index % 2 else -1
        score.carry(0.5 + 0.35 * sign)
        for leg in (score.left, score.right):
            leg.reach = score.between(0.9, 1.0)
        score.trunk.sway, score.trunk.lean = sign * score.between(0, 0.3), -sign * score.between(0, 0.2)
        score.trunk.twist, score.trunk.bend = score.between(-0.5, 0.5), score.between(-0.1, 0.4)
        any_hand(score, 1)
        any_hand(score, -1)
        score.beat(beat)
    score.bend_knees(1.0)
    score.upright()


def bending(score: Score) -> None:
    """Down to the floor with the trunk: a stretch, a shoe, something that fell."""
    relax(score)
    knees = score.between(0.6, 1.0)
    score.bend_knees(knees, heel=0.5 if knees < 0.65 else 0.0)
    score.trunk.tilt, score.trunk.bend = score.between(0.6, 1.3), score.between(0.3, 0.8)
    score.trunk.offset = (0.0, -0.12 * score.body.leg)
    for arm in (score.left_arm, score.right_arm):
        arm.hand, arm.elbow = (score.between(-0.2, 0.1), score.between(-0.9, -0.5), 0.55), (1, 0, -0.5)
    score.beat(score.between(0.6, 1.2))
    score.beat(score.between(0.2, 2.0))
    score.bend_knees(1.0)
    score.upright()
    score.carry()
    score.arms("down")
    score.beat(score.between(0.6, 1.2))


def lifting(score: Score) -> None:
    """Squat, take something up with both hands: knees bend, but the trunk leans and the hips go back."""
    score.stance(score.pick("parallel", "wide", "stride"))
    score.bend_knees(score.between(0.5, 0.8), heel=score.between(0, 0.4))
    score.trunk.tilt, score.trunk.bend = score.between(0.4, 0.9), score.between(0.1, 0.4)
    score.trunk.offset = (0.0, -0.16 * score.body.leg)
    for arm in (score.left_arm, score.right_arm):
        arm.hand, arm.elbow = (0.0, -0.75, 0.6), (1, -0.3, -0.3)
    score.beat(score.between(0.5, 1.0))
    score.bend_knees(1.0)
    score.upright()
    score.carry()
    score.arms(score.pick("chest", "down"))
    score.beat(score.between(0.6, 1.1))


def lunging(score: Score) -> None:
    """A long step with one knee bent, to the front, the side or the back, and back again."""
    score.any_side()
    score.stance("parallel")
    for _ in range(score.count(1, 3)):
        start = score.working.ball
        where = score.pick("front", "side", "back")
        out, front = {"front": (0.12, 0.75), "side": (0.8, 0.05), "back": (0.12, -0.75)}[where]
        x, z = score.spot(score.working, out, front)
        stay = 0.35 if where != "back" else 0.65
        score.bend_knees(0.85)
        score.working.reach = score.between(0.65, 0.8)
        score.standing.heel = 0.6 if where == "front" else 0.0
        score.step(score.working, x, z, 0.8, lift=0.1, stay=stay)
        if score.chance(0.6):
            any_hand(score, 1)
            any_hand(score, -1)
        score.trunk.tilt = score.between(0, 0.5)
        score.beat(score.between(0.2, 1.2))
        score.bend_knees(1.0)
        score.upright()
        score.step(score.working, start[0], start[2], 0.8, lift=0.06)


def sitting(score: Score) -> None:
    """Down on a chair, on the heels or on the floor, and up again."""
    relax(score)
    low = score.pick("chair", "chair", "floor", "crouch")
    trunk = score.trunk
    score.bend_knees(0.75)
    trunk.tilt, trunk.offset = 0.5, (0.0, -0.2 * score.body.leg)
    score.beat(0.6)
    trunk.seated = 1.0
    trunk.seat = {"chair": 0.55, "floor": 0.14, "crouch": 0.4}[low]
    trunk.offset = (0.0, -(0.42 if low == "chair" else 0.5 if low == "floor" else 0.12) * score.body.leg)
    trunk.tilt, trunk.bend = score.between(-0.2, 0.2), score.between(0, 0.4)
    score.bend_knees(1.0, heel=0.6 if low == "crouch" else 0.0)
    any_hand(score, 1)
    any_hand(score, -1)
    score.beat(0.8)
    score.beat(score.between(0.5, 2.5))
    score.bend_knees(0.75)
    trunk.seated = 0.0
    trunk.tilt, trunk.offset = 0.6, (0.0, -0.2 * score.body.leg)
    score.beat(0.7)
    score.bend_knees(1.0)
    score.carry()
    score.upright()
    score.beat(0.6)


def tying_a_shoe(score: Score) -> None:
    """Down on one knee, or bent double, both hands at a foot, and up again."""
    score.any_side()
    relax(score)
    trunk = score.trunk
    kneeling = score.chance(0.6)
    score.bend_knees(0.8)
    trunk.tilt = 0.5
    if kneeling:
        x, z = score.spot(score.working, 0.1, 0.35)
        score.step(score.working, x, z, 0.5)
        trunk.seated, trunk.seat = 1.0, score.between(0.42, 0.52)
        score.fold(score.standing, (0.1, -1.0, 0.1), (0.05, -0.25, -1.0), point=0.3)
        trunk.tilt, trunk.bend = score.between(0.3, 0.6), score.between(0.4, 0.8)
    else:
        score.bend_knees(score.between(0.72, 0.95))
        trunk.tilt, trunk.bend = score.between(0.9, 1.3), score.between(0.5, 0.8)
        trunk.offset = (0.0, -0.12 * score.body.leg)
    trunk.nod = 0.4
    score.beat(0.8)
    for _ in range(score.count(2, 6)):
        for arm in (score.left_arm, score.right_arm):
            arm.hand = (score.between(-0.3, 0.05), score.between(-0.95, -0.7), score.between(0.3, 0.7))
            arm.elbow = (1, 0, -0.5)
        score.exactly(score.between(0.2, 0.5))
    trunk.seated = 0.0
    trunk.offset = (0.0, 0.0)
    for leg in (score.left, score.right):
        score.land(leg)
    score.bend_knees(0.8)
    trunk.tilt, trunk.bend, trunk.nod = 0.4, 0.2, 0.0
    score.carry()
    score.beat(0.6, least=0.4)
    score.bend_knees(1.0)
    relax(score)
