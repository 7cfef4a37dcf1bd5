"""Moves that are begun and given up, and what only looks like one for a moment. None of it is a move.

Each is a program on a Score. Where a watcher could not yet know better, no name is asked for.
"""

from __future__ import annotations

from train.everyday import steps
from train.positions import any_arms, knee_of, lean_against, passe, raised, start_in, touching
from train.score import Score
from train.stage import go_on, travel


def close(score: Score, seconds: float = 0.35) -> None:
    score.land(score.working)
    score.standing.heel, score.standing.reach = 0.0, 1.0
    score.upright()
    score.carry()
    score.bend_knees(1.0)
    score.beat(seconds, least=0.15)


def half_a_tendu(score: Score) -> None:
    """The foot sets off, half of the way at most, and stops or comes back.

    Half of the way on the floor is less than a fifth of the angle: a leg that hangs lower slides out along the floor.
    """
    score.any_side()
    where = score.pick("front", "side", "back")
    start_in(score, where)
    for _ in range(score.count(1, 3)):
        score.carry(score.between(0.0, 0.3))
        share = score.between(0.03, 0.1 if where == "back" else 0.18)
        score.free(score.working, raised(where, touching(score) * share), 0.97, 0.6, knee_of(where))
        score.beat(score.between(0.3, 0.6), least=0.2)
        score.beat(score.between(0.1, 0.8))
        close(score)
    if score.chance(0.3):
        go_on(score)


def no_turn(score: Score) -> None:
    """The plié before a pirouette, and then nothing; or up into passé, arms closed, and down again unturned."""
    score.any_side()
    score.stance(score.pick("fourth_back", "fourth_back", "fifth", "stride"))
    with score.preparing():  # a plié it is
        score.arms("first", "second")
        score.bend_knees(score.between(0.78, 0.94))
        score.trunk.twist = score.between(-0.3, 0.3)
        score.beat(score.between(0.3, 0.6), least=0.2)
    if score.chance(0.4):
        score.beat(score.between(0.1, 0.6))
        close(score)
        return
    score.standing.reach, score.standing.heel = 1.0, score.between(0.4, 1.0)
    score.carry(0.0)
    passe(score, score.between(0.55, 0.85))
    score.arms(score.pick("first", "first", "high", "low", "chest"))
    score.trunk.yaw += score.between(-0.8, 0.8) if score.chance(0.5) else 0.0
    score.exactly(score.between(0.15, 0.35))
    score.exactly(score.between(0.1, 1.2))
    score.trunk.lean = score.between(-0.15, 0.15)
    x, z = score.spot(score.working, 0.08, score.between(-0.3, 0.2))
    score.working.ball = (x, 0.0, z)
    score.land(score.working)
    score.standing.heel = 0.0
    score.bend_knees(score.between(0.85, 1.0))
    score.carry()
    score.exactly(score.between(0.2, 0.4))
    close(score)


def low_behind(score: Score) -> None:
    """A foot trails behind, or rises hardly from the floor, as after a step or while one leans on something."""
    score.any_side()
    if score.chance(0.6):
        travel(score)
        score.change_sides()
    else:
        score.stance("fourth_back")
    angle = score.between(0.25, 0.45)
    with score.preparing():  # a tendu behind is a tendu, too
        score.land(score.standing)
        score.carry(0.0)
        score.free(score.working, raised("back", angle, score.between(0.0, 0.2)), score.between(0.9, 1.0))
        score.working.knee = (1.0, 0.2, 0.4)
        lean_against(score, "back", angle)
        score.trunk.tilt += score.between(-0.1, 0.4)
        any_arms(score)
        score.exactly(score.between(0.25, 0.5))
        score.exactly(score.between(0.05, 0.6))
    score.upright()
    if score.chance(0.5):
        steps(score, score.count(1, 4), 0.4, 0.4, score.between(-0.3, 0.3), 0.08, 0.3)
    else:
        x, z = score.spot(score.working, 0.08, -0.1)
        score.working.ball = (x, 0.0, z)
        close(score)


def no_leap(score: Score) -> None:
    """Run up to a leap and do not leap: a long step, a stop, on by walking; or only a skip of a step."""
    score.any_side()
    any_arms(score)
    steps(score, score.count(3, 6), score.between(0.5, 0.85), score.between(0.26, 0.34), 0.1, 0.15, 0.3, False)
    push = score.standing
    push.reach = score.between(0.82, 0.92)
    score.working.reach = score.between(0.85, 0.95)
    score.trunk.tilt = score.between(0.0, 0.3)
    any_arms(score)
    score.exactly(score.between(0.15, 0.3))
    score.bend_knees(1.0)
    score.upright()
    score.exactly(score.between(0.2, 0.5))
    steps(score, score.count(1, 3), score.between(0.1, 0.5), score.between(0.35, 0.5), 0.2, 0.08, 0.3)
    close(score)
