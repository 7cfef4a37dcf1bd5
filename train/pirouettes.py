"""Turns on one leg: how a pirouette is prepared, begun, danced and ended."""

from __future__ import annotations

import numpy as np

from train.everyday import steps
from train.key_pose import ARMS
from train.positions import any_arms, knee_of, lean_against, passe, raised, raised_behind, springing
from train.score import Score
from train.stage import go_on, step_up, travel
from train.turns import turn_on_two_feet

# Of the pirouettes: how many are made with the leg straight to the side at the height of the hip, and how many in
# attitude or arabesque.
A_LA_SECONDE = 0.1
BIG_BEHIND = 0.06
# And how many on bent knees, the free foot by the other or on the floor: out of a landing, or as modern dancers turn.
SUNK = 0.12
# How often one that travels begins out of the landing of a little jump instead of a step, and is sunk then.
OUT_OF_A_JUMP, SUNK_THEN = 0.2, 0.5
# How often one that travels is on two feet.
ON_TWO_FEET = 0.15


def spin(score: Score, turns: float, seconds: float, direction: int) -> None:
    """The body turns, in so many `seconds` in all; the eyes stay in front and come round last and fast (spotting)."""
    trunk, start = score.trunk, score.trunk.yaw
    spotting = score.chance(0.3 + 0.7 * score.style.skill)
    whole = max(1, round(turns))
    for index in range(whole):
        here = start + direction * 2 * np.pi * turns * index / whole
        each = 2 * np.pi * turns / whole * direction
        before = 0.0
        for share, look in ((0.22, -1.2), (0.5, -1.3), (0.7, 1.1), (1.0, 0.0)):
            trunk.yaw = float(here + share * each)
            trunk.look = look * direction if spotting else 0.0
            score.exactly(seconds / whole * (share - before))
            before = share


def pirouette(score: Score) -> None:
    """Round on one leg, the other foot in passé, at the ankle, or wherever a dancer in a hurry leaves it.

    From a plié in fourth or fifth; or stepped onto out of a walk or a run, then two or three in a row over the floor.
    """
    score.any_side()
    across = score.chance(0.55)
    outward = score.chance(0.65)  # en dehors: towards the working leg
    direction = score.side if outward else -score.side
    if across and score.chance(0.8):
        travel(score)
    again = int(score.rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2] if across else [0.85, 0.15, 0.0]))
    for index in range(again):
        jumped = across and score.chance(OUT_OF_A_JUMP)
        with score.preparing():
            if jumped:
                jump_into_it(score)
            elif across:
                step_up(score)
            else:
                wind_up(score, direction, fresh=index == 0)
        if jumped and score.chance(SUNK_THEN):
            sunk_turn(score, direction)
        elif across and score.chance(ON_TWO_FEET):
            turn_on_two_feet(score, direction)
        else:
            go_round(score, direction, loose=across or score.chance(0.3))
        last = index + 1 == again
        with score.preparing():
            come_down(score, outward, last)
        if last:
            finish(score)


def out_of_a_landing(score: Score, direction: int) -> None:
    """Round at once, where a leap has come down on one leg and the other has not yet been put down."""
    kind = score.pick("two feet", "two feet", "two feet", "sunk", "one leg")
    if kind == "two feet":
        turn_on_two_feet(score, direction)
    elif kind == "sunk":
        sunk_turn(score, direction)
    else:
        go_round(score, direction, loose=True)
    with score.preparing():
        come_down(score, score.chance(0.5), last=True)
    finish(score)


def wind_up(score: Score, direction: int, fresh: bool) -> None:
    """The plié before a pirouette, one arm in front and one to the side; or hardly any, or a lunge."""
    if fresh:
        kind = score.pick("fourth", "fourth", "fifth", "lunge", "at once")
        if kind == "lunge":
            score.stance("fourth_back")
            x, z = score.spot(score.working, 0.05, -score.between(0.35, 0.55))
            score.step(score.working, x, z, 0.4, stay=0.8)
        elif kind != "at once":
            score.stance("fourth_back" if kind == "fourth" else score.pick("fifth", "fifth_back"))
        else:
            score.stance("stride", 0.35)
    if score.chance(0.7):
        score.arms("first", "second")
    else:
        any_arms(score)
    score.bend_knees(score.between(0.76, 0.96))
    score.trunk.twist = -score.between(0, 0.35) * direction
    score.beat(score.between(0.2, 0.5), least=0.15)


def jump_into_it(score: Score) -> None:
    """A little jump from both feet onto one leg, whose landing is the plié of the turn."""
    for leg in (score.left, score.right):
        score.land(leg)
    score.bend_knees(score.between(0.84, 0.96))
    score.exactly(score.between(0.1, 0.2))
    onto, trunk = score.standing, score.trunk
    ahead = score.world(score.between(-0.2, 0.2), score.between(0.0, 0.5) * score.body.leg)
    with springing(score, score.between(0.02, 0.12)) as seconds:
        score.free(onto, (0.04, -1, score.between(-0.1, 0.3)), score.between(0.88, 1.0), 0.5, knee=(0.3, 0.1, 1))
        where, angle = score.pick("front", "side", "back"), score.between(0.2, 0.9)
        score.free(score.working, raised(where, angle), score.between(0.75, 1.0), knee=knee_of(where))
        if score.chance(0.6):
            any_arms(score)
        score.exactly(seconds * 0.5)
        trunk.anchor = (trunk.anchor[0] + ahead[0], trunk.anchor[1] + ahead[1])
        x, z = score.spot(onto, 0.04, 0.0)
        onto.ball = (x, 0.0, z)
        score.land(onto, heel=0.4)
        score.carry(0.0)
        score.exactly(seconds * 0.5)
    onto.reach, onto.heel = score.between(0.76, 0.94), 0.0
    score.exactly(score.between(0.08, 0.18))


def free_leg(score: Score, loose: bool) -> None:
    """What the leg does that does not stand: a passé, or one of the many ways not to reach it."""
    between = score.between
    if not loose or score.chance(0.35):
        passe(score, between(0.55, 0.8))
        return
    direction, reach, knee = {
        "parallel": ((0.05, -1, 0.3), between(0.55, 0.8), (0.5, 0.1, 1.0)),
        "loose": (
            (between(-0.1, 0.3), -1, between(-0.3, 0.4)),
            between(0.55, 0.85),
            (between(0.3, 1), 0, between(-0.2, 1)),
        ),
        "ankle": ((-0.05, -1, between(-0.12, 0.15)), between(0.85, 0.94), (1.0, 0.1, between(0.2, 0.7))),
        "calf": ((-0.05, -1, between(-0.2, 0.2)), between(0.72, 0.86), (1.0, 0.1, between(0.2, 0.7))),
        "knee in front": ((0.05, -0.9, between(0.3, 0.6)), between(0.55, 0.8), (0.3, 0.2, 1.0)),
        "foot behind": ((0.08, -1, between(-0.6, -0.25)), between(0.6, 0.88), (0.6, -0.1, 0.5)),
        "both": ((-0.06, -1, between(-0.06, 0.08)), between(0.97, 1.0), (1.0, 0.0, 0.4)),  # soutenu
        "low": (raised(score.pick("front", "side", "back"), between(0.25, 0.7)), between(0.85, 1.0), (1.0, 0.2, 0.3)),
    }[score.pick("parallel", "loose", "loose", "ankle", "ankle", "calf", "knee in front", "foot behind", "both", "low")]
    score.free(score.working, direction, reach, between(0.4, 1.0), knee)


def turning_arms(score: Score, loose: bool) -> None:
    """In first, crossed, overhead; or low, open, one here and one there, one left behind."""
    if loose and score.chance(0.6):
        for side in (1, -1):
            score.arm(side, score.pick(*ARMS))
    else:
        score.arms(score.pick("first", "first", "first", "high", "chest", "low", "second", "hips"))


def rise_to_turn(score: Score, direction: int, loose: bool) -> None:
    """Up onto the straight leg; who has no time or no skill stays lower, bent, or flat on the foot."""
    flat = score.chance(0.3 if loose else 0.12)
    score.standing.reach = 1.0 if score.chance(0.7) else score.between(0.88, 0.99)
    score.standing.heel = 0.0 if flat else score.between(0.5, 1.0) * (0.4 + 0.6 * score.style.skill)
    score.carry(0.0)
    trunk = score.trunk
    trunk.twist = score.between(0, 0.25) * direction
    if loose:
        amount = score.between(0, 1)
        trunk.tilt, trunk.lean = score.between(-0.1, 0.3) * amount, score.between(-0.2, 0.2) * amount
        trunk.bend, trunk.sway = score.between(-0.2, 0.25) * amount, score.between(-0.25, 0.25) * amount


def turn_time(score: Score, turns: float) -> float:
    """Seconds for one round: the more, the quicker; now and then slowly, as a balance that turns."""
    if score.chance(0.12):
        return score.between(1.0, 1.7)
    return score.between(0.6, 1.1) if turns < 1 else score.between(0.42, 0.95) / (1 + 0.12 * turns)


def go_round(score: Score, direction: int, loose: bool) -> None:
    """Up and round: half a turn to three, on the eyes of the dancer or not."""
    kind = score.rng.random()
    if kind < A_LA_SECONDE + BIG_BEHIND:
        big_turn(score, direction, aside=kind < A_LA_SECONDE)
        return
    if loose and kind > 1 - SUNK / 0.6:
        sunk_turn(score, direction)
        return
    turns = float(score.rng.choice([0.5, 0.75, 1, 1.25, 1.5, 2, 3], p=[0.08, 0.1, 0.45, 0.08, 0.08, 0.16, 0.05]))
    each = turn_time(score, turns)
    with score.move("pirouette", longer=0.1):
        trunk = score.trunk
        rise_to_turn(score, direction, loose)
        free_leg(score, loose)
        turning_arms(score, loose)
        first = score.between(0.3, 0.9)
        trunk.yaw += direction * first
        score.exactly(score.between(0.12, 0.24))
        rest = turns - first / (2 * np.pi)
        if loose and score.chance(0.3):  # the arms change on the way
            spin(score, rest / 2, rest / 2 * each, direction)
            turning_arms(score, loose)
            rest /= 2
            if score.chance(0.4):  # and the leg comes down or goes up
                free_leg(score, True)
        spin(score, rest, rest * each, direction)
        trunk.look = 0.0
        if score.chance(0.08):  # soutenu: on both feet, and round once more by half
            score.free(score.working, (-0.06, -1, 0.06), score.between(0.96, 1.0), knee=(1.0, 0.0, 0.4))
            spin(score, score.between(0.3, 0.6), score.between(0.35, 0.6), direction)


def big_turn(score: Score, direction: int, aside: bool) -> None:
    """Round with the leg straight to the side (à la seconde), again and again perhaps with a small plié in each round;
    or with it behind, in attitude or arabesque."""
    turns = float(score.rng.choice([1, 2, 3, 4], p=[0.45, 0.35, 0.12, 0.08] if aside else [0.75, 0.25, 0, 0]))
    each = score.between(0.6, 1.15)
    angle = score.degrees(58, 95)
    out = score.between(0.0, 0.5)
    reach = 1.0 if aside or score.chance(0.3) else score.between(0.56, 0.78)
    with score.move("pirouette", longer=0.1):
        rise_to_turn(score, direction, loose=False)
        if aside:
            score.free(score.working, raised("side", angle), knee=knee_of("side"))
            lean_against(score, "side", angle)
        else:
            score.free(score.working, raised_behind(angle, out), reach, knee=(1.0, 0.25, -0.2))
            lean_against(score, "back", angle)
        score.arms(score.pick("second", "second", "first", "high", "open"))
        first = score.between(0.3, 0.8)
        score.trunk.yaw += direction * first
        score.exactly(score.between(0.18, 0.3))
        bouncing = aside and score.chance(0.4)
        heel = score.standing.heel
        spin(score, 1 - first / (2 * np.pi), each * (1 - first / (2 * np.pi)), direction)
        for _ in range(int(turns) - 1):
            if bouncing:
                score.standing.reach, score.standing.heel = score.between(0.86, 0.94), 0.0
                score.trunk.yaw += direction * 0.5
                score.exactly(score.between(0.1, 0.16))
                score.standing.reach, score.standing.heel = 1.0, heel
            spin(score, 1 - 0.08 * bouncing, each, direction)
        if aside and score.chance(0.4):  # and drawn in
            passe(score)
            score.arms("first")
            spin(score, 1.0, score.between(0.4, 0.6), direction)
        score.trunk.look = 0.0


def sunk_turn(score: Score, direction: int) -> None:
    """Round low, on bent knees, one foot crossed before or behind the other and hardly off the floor, or anywhere."""
    turns = score.between(0.75, 1.6)
    seconds = turns * score.between(0.5, 0.95)
    with score.move("pirouette", longer=0.1):
        reach = score.between(0.72, 0.95)
        score.standing.reach, score.standing.heel = reach, score.between(0.1, 0.8)
        score.carry(score.between(0.0, 0.35))
        if score.chance(0.7):
            crossed = (score.between(-0.15, 0.08), -1, score.between(-0.3, 0.3))
            knee = (score.between(0.2, 1), 0, 1)
            score.free(score.working, crossed, reach * score.between(0.93, 1.02), 0.6, knee=knee)
        else:
            free_leg(score, loose=True)
        score.trunk.tilt, score.trunk.bend = score.between(-0.1, 0.25), score.between(-0.15, 0.3)
        turning_arms(score, loose=score.chance(0.5))
        first = score.between(0.3, 0.9)
        score.trunk.yaw += direction * first
        score.exactly(score.between(0.12, 0.24))
        rest = turns - first / (2 * np.pi)
        if score.chance(0.4):  # up on the way, or farther down
            spin(score, rest / 2, seconds * rest / turns / 2, direction)
            score.standing.reach = min(1.0, reach + score.between(-0.05, 0.2))
            rest /= 2
        spin(score, rest, seconds * rest / turns, direction)
        score.trunk.look = 0.0


def come_down(score: Score, outward: bool, last: bool) -> None:
    """The working foot comes down behind (en dehors) or in front; who has less skill falls out of it."""
    fall = max(0.0, float(score.rng.normal(0, 0.16))) * (1.2 - score.style.skill)
    score.upright()
    score.trunk.tilt, score.trunk.lean = fall * score.between(-0.5, 1.5), fall * score.between(-1.5, 1.5)
    lunge = last and score.chance(0.2)
    far = score.between(0.4, 0.6) if lunge else 0.23
    x, z = score.spot(score.working, 0.06, -far if outward else far)
    if not score.working.free:  # after a turn on two feet
        score.step(score.working, x, z, 0.25)
    score.working.ball = (x, 0.0, z)
    score.land(score.working)
    score.standing.heel = 0.0
    score.carry(0.5 if not lunge else 0.25 if outward else 0.75)
    score.bend_knees(score.between(0.8, 0.95) if last else score.between(0.88, 0.98))
    if score.chance(0.7):
        score.arms(score.pick("second", "half", "open", "low"))
    score.exactly(score.between(0.18, 0.32))
    if fall > 0.1:
        stumble(score)
    if lunge:
        score.trunk.tilt, score.trunk.bend = score.between(-0.1, 0.3), score.between(-0.3, 0.1)
        any_arms(score)
        score.beat(score.between(0.3, 0.8))


def stumble(score: Score) -> None:
    """Out of balance: quick steps to catch oneself, the arms anywhere."""
    score.upright()
    score.arm_anywhere(1)
    score.arm_anywhere(-1)
    score.trunk.sway, score.trunk.tilt = score.between(-0.3, 0.3), score.between(-0.1, 0.3)
    turn = score.between(-0.5, 0.5)
    steps(score, score.count(1, 3), score.between(-0.2, 0.25), score.between(0.2, 0.35), turn, 0.04, 0.5, arms=False)


def finish(score: Score) -> None:
    """Stand, or walk or run on."""
    if score.chance(0.4):
        go_on(score)
        return
    with score.preparing():
        score.bend_knees(1.0)
        score.upright()
        score.beat(0.4)
