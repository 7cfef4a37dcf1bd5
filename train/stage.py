"""What dancers do between moves: cross the floor, prepare, hold a pose, let the arms speak. None of it is a move.

Each is a program on a Score.
"""

from __future__ import annotations

from train.everyday import any_hand, homeward, steps
from train.positions import any_arms, knee_of, passe, raised, springing, touching
from train.score import Score


def port_de_bras(score: Score) -> None:
    """The arms through their positions, perhaps the trunk with them."""
    score.any_side()
    score.stance(score.pick("first", "fifth", "second", "fourth"))
    for _ in range(score.count(2, 5)):
        names = ("low", "first", "second", "high", "open", "ahead", "side", "half")
        working = score.pick(*names)
        score.arms(working, working if score.chance(0.6) else score.pick(*names))
        score.trunk.twist = score.between(-0.3, 0.3)
        if score.chance(0.3):
            score.trunk.bend, score.trunk.sway = score.between(-0.4, 0.5), score.between(-0.4, 0.4)
        if score.chance(0.15):
            score.trunk.tilt, score.trunk.bend = 1.2, 0.7
        score.beat(score.between(0.6, 1.4))
        score.trunk.tilt = 0.0
    score.upright()
    score.beat(0.4)


def stage_run(score: Score) -> None:
    """Run over the stage on light feet, the arms held or opening."""
    score.any_side()
    any_arms(score)
    for _ in range(score.count(1, 2)):
        count = score.count(3, 7)
        score.trunk.tilt, score.trunk.bend = score.between(-0.1, 0.2), score.between(-0.2, 0.1)
        pace, turn = score.between(0.24, 0.36), homeward(score) / count
        steps(score, count, score.between(0.35, 0.85), pace, turn, score.between(0.06, 0.2), 0.4, score.chance(0.15))
        any_arms(score)
    score.upright()
    if score.chance(0.6):
        score.stance(score.pick("first", "fourth", "fifth", "parallel"))


def stage_walk(score: Score) -> None:
    """Walk with turned-out feet, toes first, the arms as in class."""
    score.any_side()
    any_arms(score)
    count = score.count(3, 8)
    pace, turn = score.between(0.4, 0.8), homeward(score) / count
    steps(score, count, score.between(0.25, 0.6), pace, turn, 0.06, score.between(0.4, 0.9), score.chance(0.2))
    any_arms(score)
    score.stance(score.pick("first", "fourth", "fifth_back"))


def chasse(score: Score, count: int = 1) -> None:
    """The front foot slides out, the other chases it into the air; land on the back foot, then on the front one."""
    for _ in range(count):
        front, back = score.working, score.standing
        start = front.ball
        score.bend_knees(score.between(0.84, 0.94))
        score.carry(0.2)
        score.exactly(score.between(0.1, 0.2))
        x, z = score.spot(front, 0.05, score.between(0.3, 0.5))
        front.ball = ((start[0] + x) / 2, 0.03, (start[2] + z) / 2)
        score.exactly(score.between(0.08, 0.15))
        front.ball = (x, 0.0, z)
        score.carry(0.8)
        score.exactly(score.between(0.1, 0.18))
        speed = score.between(1.0, 2.2) * score.body.leg
        with springing(score, score.between(0.02, 0.08)) as seconds:
            for leg in (front, back):
                score.free(leg, (0.02, -1, 0.05), score.between(0.93, 1.0))
            score.exactly(seconds * 0.5)
            ahead = score.world(0.0, speed * seconds)
            middle = score.trunk.anchor
            score.trunk.anchor = (middle[0] + ahead[0], middle[1] + ahead[1])
            x, z = score.spot(back, 0.03, -0.05)
            back.ball = (x, 0.0, z)
            score.land(back, heel=0.4)
            score.carry(0.0)
            score.exactly(seconds * 0.5)
        x, z = score.spot(front, 0.03, 0.25)
        front.ball = (x, 0.0, z)
        score.land(front)
        score.bend_knees(0.9)
        score.carry(0.4)
        score.exactly(score.between(0.1, 0.16))


def chasses(score: Score) -> None:
    score.any_side()
    score.stance("fourth" if score.chance(0.5) else "fifth", 0.4)
    any_arms(score)
    score.trunk.yaw += homeward(score) / 2
    chasse(score, score.count(1, 4))
    score.bend_knees(1.0)
    score.beat(0.3)


def glissade(score: Score) -> None:
    """From fifth to fifth along the floor: one leg brushes out low, a small spring, the other closes."""
    score.any_side()
    score.stance("fifth", 0.4)
    any_arms(score)
    for _ in range(score.count(1, 3)):
        score.bend_knees(score.between(0.82, 0.92))
        score.exactly(score.between(0.12, 0.3))
        aside = score.world(score.side * score.between(0.4, 0.7) * score.body.leg, 0.0)
        with springing(score, score.between(0.015, 0.05)) as seconds:
            score.free(score.working, raised("side", score.between(0.3, 0.5)), knee=knee_of("side"))
            score.free(score.standing, raised("side", score.between(0.3, 0.5)), knee=knee_of("side"))
            score.exactly(seconds * 0.5)
            middle = score.trunk.anchor
            score.trunk.anchor = (middle[0] + aside[0], middle[1] + aside[1])
            x, z = score.spot(score.working, 0.02, 0.08)
            score.working.ball = (x, 0.0, z)
            score.land(score.working, heel=0.3)
            score.carry(1.0)
            score.exactly(seconds * 0.5)
        score.working.reach = 0.86
        x, z = score.spot(score.standing, -0.02, -0.1)
        score.standing.ball = (x, 0.0, z)
        score.land(score.standing)
        score.bend_knees(0.86)
        score.carry()
        score.exactly(score.between(0.12, 0.2))
    score.bend_knees(1.0)
    score.beat(0.3)


def small_steps(score: Score) -> None:
    """Pas de bourrée and courus: quick small steps on the balls of the feet, to the side, round, or on."""
    score.any_side()
    score.stance("fifth", 0.4)
    any_arms(score)
    out, front = score.between(-0.3, 0.3), score.between(-0.25, 0.35)
    turn = score.between(-0.7, 0.7) if score.chance(0.5) else 0.0
    pace, high = score.between(0.09, 0.2), score.between(0.2, 0.9)
    together = score.chance(0.5)
    for _ in range(score.count(3, 12)):
        leg = score.working
        start = leg.ball
        score.carry(0.1)
        move = score.world(out * score.body.leg, front * score.body.leg)
        score.trunk.yaw += turn
        here = score.support(score.standing)
        score.trunk.anchor = (here[0] + move[0], here[1] + move[1])
        x, z = score.spot(leg, 0.05, 0.05 if together else score.between(-0.15, 0.15))
        score.carry(0.15)
        leg.ball, leg.heel = ((start[0] + x) / 2, 0.04, (start[2] + z) / 2), high
        score.exactly(pace / 2)
        leg.ball = (x, 0.0, z)
        score.carry(0.6)
        score.exactly(pace)
        score.change_sides()
    score.bend_knees(score.between(0.85, 1.0))
    score.carry()
    score.exactly(0.15)
    score.bend_knees(1.0)
    score.beat(0.3)


def preparation(score: Score) -> None:
    """Stand ready: the back foot on its toes with a bent knee, fourth in plié, a tendu that is held as a pose."""
    score.any_side()
    kind = score.pick("behind", "behind", "fourth", "fourth_back", "tendu")
    if kind in ("fourth", "fourth_back"):
        score.stance(kind)
        score.bend_knees(score.between(0.78, 0.96))
        any_arms(score)
        score.beat(0.4)
        score.beat(score.between(0.1, 1.0))
    else:
        score.stance("fifth_back")
        score.carry(0.0)
        any_arms(score)
        with score.preparing():  # a foot that slides out is a tendu, too
            if kind == "behind":
                score.free(score.working, (-0.12, -1, score.between(-0.45, -0.2)), 0.93, 1.0, knee=(0.6, -0.1, 0.8))
            else:
                where = score.pick("back", "back", "front", "side")
                score.free(score.working, raised(where, touching(score)), knee=knee_of(where))
            score.beat(0.5)
            if kind == "tendu":
                score.beat(score.between(0.5, 2.0))
        if kind == "behind":
            for _ in range(score.count(1, 3)):
                any_arms(score)
                score.trunk.look, score.trunk.twist = score.between(-0.6, 0.6), score.between(-0.3, 0.3)
                score.beat(score.between(0.4, 1.2))
        with score.preparing():
            score.land(score.working)
            score.beat(0.4)
    score.carry()
    score.bend_knees(1.0)
    score.upright()
    score.beat(0.4)


def foot_held(score: Score) -> None:
    """A retiré or a coupé, flat or on demi-pointe, without any turn."""
    score.any_side()
    score.stance(score.pick("first", "fifth", "parallel"))
    any_arms(score)
    height = score.between(0.55, 0.92)
    for _ in range(score.count(1, 4)):
        score.carry(0.0)
        score.standing.heel = score.between(0.5, 1.0) if score.chance(0.4) else 0.0
        score.carry(0.0)
        passe(score, height)
        if score.chance(0.3):
            score.working.direction, score.working.knee = (0.05, -1, score.between(-0.2, 0.4)), (0.4, 0.2, 1.0)
        if score.chance(0.5):
            any_arms(score)
        score.beat(score.between(0.25, 0.6), least=0.15)
        score.beat(score.between(0.05, 1.6))
        score.land(score.working)
        score.standing.heel = 0.0
        score.carry()
        score.beat(score.between(0.25, 0.6), least=0.15)
        if score.chance(0.5):
            score.change_sides()


def expressing(score: Score) -> None:
    """Arms and trunk tell something: bend, reach, recoil, turn on two feet, a step here and there."""
    score.any_side()
    score.stance(score.pick("parallel", "fourth", "stride", "first"))
    for _ in range(score.count(2, 6)):
        trunk = score.trunk
        trunk.tilt, trunk.bend = score.between(-0.15, 0.4), score.between(-0.5, 0.5)
        trunk.lean, trunk.sway = score.between(-0.15, 0.15), score.between(-0.5, 0.5)
        trunk.twist, trunk.look, trunk.nod = (
            score.between(-0.6, 0.6),
            score.between(-0.6, 0.6),
            score.between(-0.4, 0.4),
        )
        if score.chance(0.5):
            any_arms(score)
        else:
            any_hand(score, 1)
            any_hand(score, -1)
        score.carry(score.between(0.1, 0.9))
        for leg in (score.left, score.right):
            leg.reach = score.between(0.88, 1.0)
        score.beat(score.between(0.25, 1.0), least=0.2)
        if score.chance(0.4):
            turn = score.between(-1.2, 1.2)
            steps(score, score.count(1, 3), score.between(-0.1, 0.45), 0.4, turn, 0.06, arms=False)
    score.bend_knees(1.0)
    score.upright()
    score.carry()
    score.beat(0.4)


def travel(score: Score) -> None:
    """Come from somewhere to where a move begins: walk, run, or chassé, with any arms."""
    count = score.count(2, 5)
    turn = homeward(score) / count
    swinging = score.chance(0.3)
    if not swinging:
        any_arms(score)
    kind = score.pick("run", "run", "walk", "chasse")
    if kind == "run":
        steps(score, count, score.between(0.4, 0.85), score.between(0.24, 0.36), turn, 0.15, 0.3, swinging)
    elif kind == "walk":
        steps(score, count, score.between(0.3, 0.6), score.between(0.35, 0.6), turn, 0.07, 0.4, swinging)
    else:
        steps(score, 1, 0.4, 0.35, turn, 0.08, 0.4, swinging)
        chasse(score, score.count(1, 2))


def step_up(score: Score) -> None:
    """Piqué: reach out with one leg, low, push off from the other, and stand on the first, straight."""
    put_down(score, reach_out(score))
    push = score.working
    push.reach, push.heel = 1.0, 0.7
    score.carry(0.3)
    score.exactly(score.between(0.1, 0.2))


def reach_out(score: Score) -> str:
    """The leg that will stand goes out low, over the bent knee of the other; returns whether to the front or side."""
    push, onto = score.working, score.standing
    for leg in (push, onto):
        score.land(leg)
    where = score.pick("front", "front", "side")
    score.carry(1.0)
    push.reach = score.between(0.84, 0.97)
    score.free(onto, raised(where, score.between(0.3, 0.65)), score.between(0.9, 1.0), knee=knee_of(where))
    score.exactly(score.between(0.12, 0.3))
    return where


def put_down(score: Score, where: str) -> None:
    """It is put down there, on its toes, more or less; the time this takes is the caller's."""
    onto, far = score.standing, score.between(0.2, 0.5)
    x, z = score.spot(onto, far, 0.06) if where == "side" else score.spot(onto, 0.02, far)
    onto.ball = (x, 0.0, z)
    score.land(onto, heel=score.between(0.3, 0.9))


def go_on(score: Score) -> None:
    """Out of a move by walking or running on."""
    kind = score.pick("walk", "run")
    pace, stride = (0.28, 0.6) if kind == "run" else (0.45, 0.4)
    turn = score.between(-0.5, 0.5)
    score.upright()
    steps(score, score.count(1, 4), stride * score.between(0.6, 1.3), pace, turn, 0.1, 0.4, score.chance(0.3))
