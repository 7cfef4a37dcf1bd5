"""What is no ballet move, off the floor: climbing over things, sitting on a wall, hanging from a bar.

Each is a program on a Score.
"""

from __future__ import annotations

from train.everyday import any_hand, relax
from train.key_pose import Vector
from train.score import Score
from train.tumbling import in_hips


def climbing(score: Score) -> None:
    """Up on something and down on the other side."""
    score.any_side()
    score.stance("parallel")
    high = score.between(0.12, 0.5) * score.body.leg
    ahead = score.between(0.25, 0.5)
    for level in (high, 0.0):
        for leg in (score.working, score.standing):
            start = leg.ball
            score.carry(0.15 if leg is score.working else 0.85)
            x, z = score.spot(leg, 0.11, ahead if leg is score.working else 0.08)
            top = max(start[1], level) + 0.06
            leg.ball, leg.heel = ((start[0] + x) / 2, top, (start[2] + z) / 2), 0.3
            score.trunk.tilt = score.between(0.05, 0.5)
            any_hand(score, score.side)
            score.beat(score.between(0.2, 0.45), least=0.15)
            leg.ball, leg.heel = (x, level, z), 0.0
            score.carry(0.6 if leg is score.working else 0.5)
            score.beat(score.between(0.2, 0.5), least=0.15)
        score.trunk.tilt = 0.0
        score.beat(score.between(0.1, 1.0))
    relax(score)


def dangling(score: Score) -> None:
    """Up on a wall, sit and swing the legs, then push off and down."""
    relax(score)
    trunk = score.trunk
    score.bend_knees(0.85)
    trunk.tilt = 0.4
    score.beat(0.4)
    trunk.seated, trunk.seat = 1.0, score.between(0.7, 1.3)
    trunk.offset, trunk.tilt, trunk.bend = (0.0, -0.3 * score.body.leg), score.between(-0.2, 0.2), 0.2
    for index in range(score.count(3, 8)):
        for leg, swing in ((score.left, index % 2), (score.right, (index + 1) % 2)):
            front = (0.9 if swing else 0.45) + score.between(-0.15, 0.2)
            score.free(leg, (0.08, -0.7, front), score.between(0.68, 0.9), 0.4, knee=(0.15, 1.0, 0.9))
        any_hand(score, 1 if score.chance(0.5) else -1)
        score.beat(score.between(0.3, 0.8), least=0.2)
    trunk.tilt = 0.4
    score.beat(0.2)
    for leg in (score.left, score.right):
        score.land(leg)
    trunk.seated, trunk.offset = 0.0, (0.0, 0.0)
    catch_oneself(score)


def hanging(score: Score) -> None:
    """By the hands from a bar: hang, swing the legs, draw the knees up to the chest or the feet to the bar; let go."""
    relax(score)
    trunk = score.trunk
    score.arms("high")
    if score.chance(0.5):  # the bar is within reach, or is jumped at
        score.bend_knees(1.0, heel=score.between(0.0, 0.8))
        score.beat(score.between(0.3, 0.8))
    else:
        score.bend_knees(score.between(0.8, 0.95))
    score.exactly(score.between(0.2, 0.5))
    trunk.seated = 1.0
    hang = score.body.leg * score.between(0.97, 1.3)
    swinging = score.between(0.05, 0.4)
    for _ in range(score.count(3, 10)):
        trunk.seat, trunk.tilt = hang, swinging * score.between(-1, 1)
        trunk.lean = 0.3 * swinging * score.between(-1, 1)
        trunk.bend, front = 0.0, 0.0
        drawn_up = score.chance(0.45)
        if drawn_up:  # the pelvis comes forward and up under the bar
            trunk.tilt = -score.between(0.1, 1.5)
            trunk.bend, front = score.between(0.0, 0.6), score.between(0.2, 0.6) * score.body.leg
            trunk.seat = hang + score.between(0.0, 0.5) * score.body.leg
        apart, alike = score.between(0.02, 0.35), score.chance(0.6)
        shared = (score.between(-0.5, 0.5), score.between(0.6, 1.0))
        for leg in (score.left, score.right):
            ahead, reach = shared if alike else (score.between(-0.7, 0.9), score.between(0.5, 1.0))
            direction: Vector = (apart, -1.0, ahead)
            if drawn_up:
                direction = (apart, score.between(-0.7, 0.4), 1.0)
            side = score.sign(leg)
            knee = in_hips(score, (0.15, 0.8, 1.0), side)
            score.free(leg, in_hips(score, direction, side), reach, score.between(0.1, 0.9), knee)
        trunk.offset = (0.0, front)
        for side in (1, -1):
            if score.chance(0.08):  # one hand lets go
                any_hand(score, side)
            else:
                score.arm(side, score.pick("high", "high", "open"))
        score.exactly(score.between(0.25, 0.8))
    for leg in (score.left, score.right):
        score.land(leg)
    score.place("parallel")
    trunk.seated, trunk.offset, trunk.lean = 0.0, (0.0, 0.0), 0.0
    trunk.tilt, trunk.bend = score.between(0.1, 0.4), 0.0
    score.carry()
    catch_oneself(score)


def catch_oneself(score: Score) -> None:
    """Down from somewhere: the knees bend, then one stands."""
    score.bend_knees(score.between(0.65, 0.85))
    score.exactly(score.between(0.3, 0.5))
    score.bend_knees(1.0)
    score.upright()
    score.arms("down")
    score.beat(0.4)
