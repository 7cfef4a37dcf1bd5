"""What is no ballet move, on hands and one leg: floor work, cartwheels, stretches, balancing as a child does.

Each is a program on a Score.
"""

from __future__ import annotations

import numpy as np

from train.body import turned
from train.everyday import any_hand, relax
from train.key_pose import Vector
from train.score import Score


def in_hips(score: Score, direction: Vector, side: int) -> Vector:
    """A direction (out, up, front) of the pelvis, however it lies, as seen from one who stands."""
    trunk, none = score.trunk, np.zeros(1)
    turn = turned(none, none + trunk.tilt, none + trunk.lean)[0]
    out, up, front = turn @ (np.array(direction) * (side, 1, 1))
    return (float(out) * side, float(up), float(front))


def _crawl(score: Score, prone: bool) -> None:
    """Hands and feet towards the floor, face down or face up."""
    trunk = score.trunk
    trunk.tilt = score.between(0.6, 2.0) if prone else score.between(-1.2, 0.3)
    trunk.lean = score.between(-0.6, 0.6)
    for leg in (score.left, score.right):
        front = score.between(-0.5, 1.0) if prone else score.between(-0.2, 1.2)
        thigh = (score.between(-0.2, 0.8), score.between(-1.0, -0.1), front)
        bent = score.between(0.0, 1.9)  # the angle of the knee from straight
        out, up, ahead = thigh
        back = float(np.sin(bent))
        shin = (out * float(np.cos(bent)), up * float(np.cos(bent)) - 0.3 * back, ahead * float(np.cos(bent)) - back)
        side = score.sign(leg)
        score.fold(leg, in_hips(score, thigh, side), in_hips(score, shin, side), score.between(0, 0.7))
    for arm in (score.left_arm, score.right_arm):
        ahead = score.between(0.2, 1.0) if prone else score.between(-1.0, -0.1)
        arm.hand = (score.between(0, 0.6), score.between(-0.7, 0.2), ahead)
        arm.elbow = (0.8, 0, -0.8)


def _plank(score: Score) -> None:
    """The body a slanting line from one hand on the floor to the feet, the other arm in the air."""
    if score.chance(0.5):
        score.change_sides()
    trunk, slant = score.trunk, score.between(0.3, 1.2)
    trunk.seat = score.between(0.3, 0.6)
    trunk.lean, trunk.tilt = slant * score.side, score.between(-0.4, 0.6)
    for leg in (score.left, score.right):
        away = -0.9 if leg is score.working else 0.9
        line = (away * 0.5, score.between(-1.0, -0.6), score.between(-0.3, 0.6))
        leg.free, leg.reach = 1.0, 1.0 if score.chance(0.6) else score.between(0.5, 0.9)
        leg.direction = in_hips(score, line, score.sign(leg))
        leg.knee, leg.point = in_hips(score, (0.4, 0.2, 1.0), score.sign(leg)), score.between(0, 0.6)
    propping = score.left_arm if score.side > 0 else score.right_arm
    propping.hand = (0.98 * float(np.sin(slant)), -0.98 * float(np.cos(slant)), score.between(-0.2, 0.3))
    propping.elbow = (0.3, 0.3, -1)
    any_hand(score, -score.side)


def floor_work(score: Score) -> None:
    """Low on hands and feet, legs going round: a breakdancer, a stretch on the floor, or a child that plays."""
    relax(score)
    trunk = score.trunk
    score.bend_knees(0.6, heel=0.6)
    trunk.tilt = 0.8
    score.beat(0.5)
    score.carry()
    trunk.seated = 1.0
    planks = score.chance(0.6)
    for _ in range(score.count(5, 16)):
        trunk.seat = score.between(0.2, 0.65)
        trunk.bend = score.between(-0.3, 0.6)
        trunk.yaw += score.between(-1.0, 1.0)
        if planks and score.chance(0.6):
            _plank(score)
        else:
            _crawl(score, prone=score.chance(0.6))
        score.beat(score.between(0.2, 0.6))
    trunk.seated, trunk.lean = 0.0, 0.0
    for leg in (score.left, score.right):
        score.land(leg)
    score.place("parallel")
    score.carry()
    score.bend_knees(0.6)
    trunk.tilt = 0.6
    score.beat(0.6)
    score.bend_knees(1.0)
    score.upright()
    score.arms("down")
    score.beat(0.6)


def balancing(score: Score) -> None:
    """Stand on one leg as a child does, the other knee in front or the foot behind, arms out, and sway."""
    score.any_side()
    score.stance("parallel")
    score.carry(0.0)
    direction, reach, knee = {
        "knee": ((0.05, -0.7, 0.6), 0.6, (0.2, 0.4, 1.0)),
        "behind": ((0.05, -1.0, -0.5), 0.65, (0.1, -0.2, 1.0)),
        "tree": ((-0.1, -1.0, 0.1), score.between(0.6, 0.8), (1.0, 0.1, 0.6)),
        "ahead": ((0.05, -1.0, score.between(0.2, 0.6)), 0.95, (0.1, 0.3, 1.0)),
    }[score.pick("knee", "behind", "tree", "ahead")]
    score.free(score.working, direction, reach, score.between(0, 0.6), knee)
    score.arms(score.pick("side", "side", "open", "hips", "chest"))
    score.beat(score.between(0.3, 0.7), least=0.2)
    for _ in range(score.count(1, 6)):
        score.trunk.lean, score.trunk.sway = score.between(-0.2, 0.2), score.between(-0.3, 0.3)
        score.trunk.tilt = score.between(-0.1, 0.25)
        any_hand(score, 1)
        any_hand(score, -1)
        score.beat(score.between(0.2, 0.7))
    score.upright()
    score.land(score.working)
    score.beat(0.3, least=0.15)
    score.carry()
    score.arms("down")
    score.beat(0.3)


def cartwheel(score: Score) -> None:
    """Sideways over both hands, or only halfway up and back."""
    score.any_side()
    score.stance("parallel")
    trunk, legs = score.trunk, (score.working, score.standing)
    away = score.world(score.side * 0.55 * score.body.leg, 0.0)
    over = score.chance(0.6)
    bend = score.between(0.6, 1.0)
    # lean of the body, height of the pelvis, (out, up) of the leg that leads and of the one that follows
    way: list[tuple[float, float, tuple[float, float], tuple[float, float]]] = [
        (1.2, 0.8, (0.0, -1.0), (0.9, 0.2)),
        (2.5, 0.95, (-0.8, 0.5), (0.4, 1.0)),
    ]
    way += [(3.9, 0.95, (-0.1, 1.0), (-0.9, 0.3)), (5.1, 0.8, (0.9, 0.2), (-0.2, -1.0))] if over else way[:1]
    score.arms("high")
    score.bend_knees(0.93)
    score.beat(score.between(0.3, 0.6), least=0.25)
    trunk.seated = 1.0
    for lean, seat, lead, follow in way:
        trunk.lean, trunk.seat = lean * score.side, seat
        if over or lean > 2:
            trunk.anchor = (trunk.anchor[0] + away[0], trunk.anchor[1] + away[1])
        for leg, (out, up) in zip(legs, (lead, follow), strict=True):
            score.free(leg, (out, up, score.between(-0.2, 0.3)), bend, score.between(0.2, 1), knee=(0.5, 0.2, 1))
        score.exactly(score.between(0.22, 0.38))
    score.place("wide")
    for leg in legs:
        score.land(leg)
    score.carry()
    trunk.seated, trunk.lean = 0.0, (2 * np.pi if over else 0.0) * score.side
    score.bend_knees(0.85)
    score.exactly(score.between(0.25, 0.4))
    score.unwind()
    score.bend_knees(1.0)
    score.upright()
    score.arms("side")
    score.beat(0.4)


def stretching(score: Score) -> None:
    """To the side with an arm overhead, a heel to the seat, an ankle rolled, a leg forward on its heel; or down on the
    floor with the legs apart or ahead."""
    if score.chance(0.3):
        stretching_on_the_floor(score)
        return
    score.any_side()
    score.stance(score.pick("parallel", "wide"))
    trunk = score.trunk
    for _ in range(score.count(1, 3)):
        kind = score.pick("side", "seat", "ankle", "hamstring", "up")
        if kind == "side":
            trunk.sway, trunk.lean = 0.6 * -score.side, 0.15 * -score.side
            score.arm(score.side, "high")
            score.arm(-score.side, score.pick("hips", "down", "low"))
        elif kind == "up":
            score.arms("high")
            trunk.bend = score.between(-0.3, 0.0)
            score.bend_knees(1.0, heel=0.0)
        else:
            score.carry(0.0)
            if kind == "seat":  # the knee points down, a hand holds the foot
                score.fold(score.working, (0.05, -1.0, score.between(-0.3, 0.05)), (0.0, 0.75, -0.6), 0.4)
                arm = score.left_arm if score.side > 0 else score.right_arm
                arm.hand, arm.elbow = (0.1, -0.75, -0.5), (0.6, -0.2, -1)
                score.arm(-score.side, score.pick("side", "hips", "half"))
            elif kind == "ankle":
                score.fold(score.working, (0.1, -1.0, 0.3), (0.05, -1.0, -0.1), score.between(0, 1))
                score.arms("hips")
            else:
                score.free(score.working, (0.1, -1.0, 0.55), 1.0, 0.0, knee=(0.1, 0.3, 1.0))
                score.standing.reach = score.between(0.8, 0.95)
                trunk.tilt, trunk.bend = score.between(0.5, 1.0), score.between(0.1, 0.5)
                score.arms("ahead" if score.chance(0.5) else "down")
        score.beat(score.between(0.5, 0.9), least=0.4)
        score.beat(score.between(0.5, 2.5))
        score.land(score.working)
        score.standing.reach = 1.0
        score.upright()
        score.carry()
        score.arms("down")
        score.beat(0.5, least=0.3)
        score.change_sides()


def stretching_on_the_floor(score: Score) -> None:
    """Sit with straight legs ahead or apart, and go forward or aside over them."""
    relax(score)
    trunk = score.trunk
    score.bend_knees(0.65, heel=0.5)
    trunk.tilt = 0.6
    score.beat(0.6)
    trunk.seated, trunk.seat, trunk.offset = 1.0, 0.14, (0.0, -0.3 * score.body.leg)
    apart = score.between(0.1, 1.2)
    for leg in (score.left, score.right):
        bent = score.between(0.6, 0.9) if score.chance(0.25) else 1.0
        score.free(leg, (apart, -0.12, 1.0), bent, score.between(0, 1), knee=(0.3, 1.0, 0.1))
    trunk.tilt, trunk.bend = 0.0, 0.2
    score.beat(0.8, least=0.5)
    for _ in range(score.count(1, 4)):
        trunk.tilt, trunk.bend = score.between(0.0, 0.9), score.between(0.0, 0.7)
        trunk.sway, trunk.twist = score.between(-0.6, 0.6), score.between(-0.5, 0.5)
        any_hand(score, 1)
        any_hand(score, -1)
        score.beat(score.between(0.5, 1.5))
    trunk.seated, trunk.offset = 0.0, (0.0, 0.0)
    for leg in (score.left, score.right):
        score.land(leg)
    score.place("parallel")
    score.carry()
    score.bend_knees(0.6)
    trunk.tilt = 0.6
    score.beat(0.8)
    score.bend_knees(1.0)
    relax(score)
