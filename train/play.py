"""What is no ballet move, as children do it: hopping, jumping, running about, kicking.

Tumbling is in tumbling.py, climbing in climbing.py. Each is a program on a Score.
"""

from __future__ import annotations

from train.everyday import any_hand, homeward, relax, steps
from train.positions import springing
from train.score import Score


def hopping(score: Score) -> None:
    """Jump as children do: knees up, feet flexed, arms anyhow, or on one leg."""
    score.any_side()
    score.stance("parallel")
    single = score.chance(0.4)
    for _ in range(score.count(1, 5)):
        score.trunk.tilt = score.between(0.1, 0.4)
        score.carry(0.0 if single else 0.5)
        score.bend_knees(score.between(0.8, 0.92))
        tuck = score.between(0.55, 0.9)
        if single:
            score.free(score.working, (0.1, -1, -0.5), reach=0.6, point=0.3, knee=(0.1, 0, 1))
        any_hand(score, 1)
        any_hand(score, -1)
        score.exactly(score.between(0.15, 0.3))
        score.standing.reach, score.standing.heel = 1.0, 0.6
        if not single:
            score.working.reach, score.working.heel = 1.0, 0.6
        score.exactly(0.13)
        seconds = score.flight_time(score.between(0.05, 0.2))
        with score.flight():
            for leg in (score.left, score.right):
                if not (single and leg is score.working):
                    score.free(leg, (0.1, -1, 0.2), reach=tuck, point=0.3, knee=(0.1, 0.2, 1))
            score.exactly(seconds * 0.5)
            forward = score.world(0.0, score.between(0, 0.3))
            for leg in (score.left, score.right):
                leg.ball = (leg.ball[0] + forward[0], 0.0, leg.ball[2] + forward[1])
                if not (single and leg is score.working):
                    score.land(leg, heel=0.3)
            score.carry(0.0 if single else 0.5)
            score.exactly(seconds * 0.5)
        score.bend_knees(0.85)
        score.exactly(0.15)
    score.land(score.working)
    score.carry()
    score.bend_knees(1.0)
    score.upright()
    score.beat(0.4)


def leg_play(score: Score) -> None:
    """A leg swings, a knee is lifted, a foot is shaken or looked at: on one leg, but no ballet."""
    score.any_side()
    score.stance("parallel")
    score.carry(0.0)
    any_hand(score, 1)
    for _ in range(score.count(1, 4)):
        kind = score.pick("knee", "kick", "behind")  # a leg held out straight would be a tendu
        direction, reach = {
            "knee": ((0.05, -0.6, 0.6), 0.6),
            "kick": ((0.05, -1.0, score.between(0.4, 1.0)), score.between(0.75, 0.9)),
            "behind": ((0.05, -1.0, -0.5), 0.65),
        }[kind]
        score.free(score.working, direction, reach, point=score.between(0, 0.5), knee=(0.1, 0.3, 1.0))
        score.trunk.tilt = score.between(-0.1, 0.3)
        score.beat(score.between(0.25, 0.8))
        if score.chance(0.5):
            score.land(score.working)
            score.beat(score.between(0.2, 0.5))
    score.land(score.working)
    score.upright()
    score.carry()
    score.beat(0.4)


def jump_on(score: Score, height: float, forward: float, turn: float = 0.0) -> None:
    """From both feet to both feet: the arms swing, the knees bend in the air, the feet stay parallel."""
    tuck, feet = score.between(0.5, 0.97), score.between(-0.6, 0.5)
    score.bend_knees(score.between(0.6, 0.92))
    score.trunk.tilt = score.between(0.1, 0.7)
    back = score.between(-0.7, 0.3)
    for arm in (score.left_arm, score.right_arm):
        arm.hand, arm.elbow = (score.between(0, 0.3), -0.8, back), (0.4, -0.2, -1)
    score.exactly(score.between(0.12, 0.45))
    up = score.between(-0.5, 0.8)
    for arm in (score.left_arm, score.right_arm):
        arm.hand, arm.elbow = (score.between(0, 0.6), up, score.between(0.2, 0.8)), (0.6, -0.5, -0.6)
    score.trunk.tilt = score.between(0, 0.35)
    with springing(score, height) as seconds:
        for leg in (score.left, score.right):
            score.free(leg, (0.1, -1, feet), tuck, score.between(0, 0.6), knee=(0.12, 0.2, 1))
        score.trunk.yaw += turn / 2
        ahead = score.world(0.0, forward * score.body.leg)
        score.exactly(seconds * 0.5)
        score.trunk.yaw += turn / 2
        middle = score.trunk.anchor
        score.trunk.anchor = (middle[0] + ahead[0], middle[1] + ahead[1])
        score.place("parallel", score.between(0.7, 1.8))
        for leg in (score.left, score.right):
            score.land(leg, heel=0.3)
        score.carry()
        score.exactly(seconds * 0.5)
    score.bend_knees(score.between(0.65, 0.92))
    score.trunk.tilt = score.between(0.05, 0.6)
    score.exactly(score.between(0.1, 0.25))


def playground_jumps(score: Score) -> None:
    """Forward with both feet, again and again, turning round in between, as over squares drawn on the ground."""
    score.stance("parallel", 0.4)
    turns = score.chance(0.5)
    for _ in range(score.count(2, 6)):
        turn = score.between(-3.2, 3.2) if turns and score.chance(0.4) else 0.0
        jump_on(score, score.between(0.03, 0.2), score.between(-0.05, 0.7), turn)
        if score.chance(0.3):
            score.bend_knees(score.between(0.93, 1.0))
            score.beat(score.between(0.1, 0.5))
        if turns and score.chance(0.3):
            steps(score, score.count(2, 4), 0.1, score.between(0.25, 0.5), score.between(-0.9, 0.9), lift=0.05)
    score.bend_knees(1.0)
    score.upright()
    score.arms("down")
    score.beat(0.4)


def broad_jump(score: Score) -> None:
    """As far as one can from both feet, now and then after a run."""
    score.any_side()
    if score.chance(0.4):
        steps(score, score.count(3, 5), 0.7, 0.32, homeward(score) / 5, lift=0.22)
    score.stance("parallel", 0.3)
    jump_on(score, score.between(0.12, 0.28), score.between(0.7, 1.5))
    score.bend_knees(score.between(0.5, 0.7), heel=0.2)
    score.exactly(0.15)
    score.bend_knees(1.0)
    score.upright()
    score.arms("down")
    score.beat(0.6)


def run_and_stop(score: Score) -> None:
    """Run, brake with bent knees, and off again the other way."""
    score.any_side()
    for _ in range(score.count(1, 3)):
        count = score.count(3, 6)
        score.trunk.tilt = score.between(0.05, 0.35)
        turn = homeward(score) / count
        steps(score, count, score.between(0.5, 0.95), score.between(0.25, 0.36), turn, score.between(0.15, 0.4))
        score.bend_knees(score.between(0.75, 0.93))
        score.trunk.tilt = score.between(-0.15, 0.4)
        any_hand(score, 1)
        score.beat(score.between(0.15, 0.6))
    score.bend_knees(1.0)
    score.upright()
    score.arms("down")
    score.beat(0.4)


def hops_on_one_leg(score: Score) -> None:
    """Hop along on one leg, the other bent, arms out to keep from falling."""
    score.any_side()
    score.stance("parallel")
    leg = score.standing
    score.carry(0.0)
    bent = (0.08, -1.0, score.between(-0.6, 0.6))
    score.free(score.working, bent, score.between(0.55, 0.85), score.between(0, 0.6), knee=(0.15, 0.1, 1))
    for _ in range(score.count(2, 6)):
        any_hand(score, 1)
        any_hand(score, -1)
        leg.reach = score.between(0.82, 0.93)
        score.exactly(score.between(0.1, 0.25))
        score.trunk.yaw += score.between(-0.5, 0.5)
        ahead = score.world(0.0, score.between(0, 0.4) * score.body.leg)
        with springing(score, score.between(0.02, 0.09)) as seconds:
            score.free(leg, (0.04, -1, 0.05), score.between(0.85, 0.97), 0.5, knee=(0.1, 0.2, 1))
            score.exactly(seconds * 0.5)
            for each in (leg, score.working):
                each.ball = (each.ball[0] + ahead[0], 0.0, each.ball[2] + ahead[1])
            score.land(leg, heel=0.3)
            score.carry(0.0)
            score.exactly(seconds * 0.5)
    leg.reach = 1.0
    score.land(score.working)
    x, z = score.spot(score.working, 0.15, 0.0)
    score.working.ball = (x, 0.0, z)
    score.exactly(0.25)
    score.carry()
    score.upright()
    score.beat(0.4)


def kicking(score: Score) -> None:
    """A few steps up to a ball and kick it: the knee bends behind, then the leg swings through low."""
    score.any_side()
    count = score.count(1, 4)
    steps(score, count, score.between(0.4, 0.8), score.between(0.28, 0.5), homeward(score) / count, lift=0.15)
    score.standing.reach = score.between(0.88, 0.98)
    score.carry(0.0)
    score.free(score.working, (0.12, -1, score.between(-0.8, -0.3)), 0.75, 0.5, knee=(0.2, -0.2, 1))
    score.trunk.tilt = score.between(-0.1, 0.2)
    any_hand(score, 1)
    any_hand(score, -1)
    score.exactly(score.between(0.15, 0.3))
    far = (score.between(-0.15, 0.15), -1, score.between(0.4, 1.1))
    score.free(score.working, far, score.between(0.85, 1.0), score.between(0.2, 1), knee=(0.15, 0.3, 1))
    score.trunk.bend = score.between(0, 0.4)
    score.trunk.twist = 0.3 * score.side
    score.exactly(score.between(0.13, 0.25))
    score.working.reach = 0.85
    steps(score, score.count(1, 3), 0.3, 0.45)
    relax(score)


def stepping_over(score: Score) -> None:
    """Over things on the ground, knees high."""
    score.any_side()
    score.stance("parallel")
    for _ in range(score.count(2, 5)):
        leg = score.working
        score.carry(0.0)
        score.free(leg, (0.08, -0.7, score.between(0.4, 0.7)), score.between(0.55, 0.75), 0.2, knee=(0.3, 0.4, 1))
        any_hand(score, score.side)
        score.trunk.tilt = score.between(0, 0.3)
        score.beat(score.between(0.3, 0.6), least=0.2)
        x, z = score.spot(leg, 0.15, score.between(0.35, 0.6))
        leg.ball = (x, 0.0, z)
        score.land(leg)
        score.carry(0.55)
        score.beat(score.between(0.25, 0.5), least=0.2)
        score.change_sides()
    relax(score)
