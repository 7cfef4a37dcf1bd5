"""Balances on one leg, the other behind and up: for long, or for a moment out of a run."""

from __future__ import annotations

import numpy as np

from train.positions import any_arms, arabesque_arms, knee_of, lean_against, passe, raised, touching
from train.score import Score
from train.stage import go_on, step_up, travel


def lift_behind(score: Score, angle: float, reach: float) -> None:
    """The working leg back and up, the trunk as it must be, the arms in one of the arabesques, or anywhere."""
    # beginners let the leg wander to the side; in attitude the foot is behind the other shoulder
    out = score.between(0.0, 0.35) if reach > 0.9 else score.between(-0.35, 0.05)
    if score.chance(0.25):
        out += score.between(0.1, 0.45)
    score.free(score.working, raised("back", angle, out), reach=reach, knee=(1.0, 0.25, -0.2))
    lean_against(score, "back", angle)
    trunk = score.trunk
    trunk.lean += -0.12 * out * score.side
    trunk.nod = -0.1
    if score.chance(0.4):  # not every chest stays up, and not only in front
        trunk.tilt *= score.between(0.7, 1.5)
        trunk.bend *= score.between(-0.2, 1.1)
        trunk.sway, trunk.twist = score.between(-0.3, 0.3), score.between(-0.3, 0.3)
        trunk.nod, trunk.look = score.between(-0.3, 0.3), score.between(-0.5, 0.5)
    if score.chance(0.7):
        arabesque_arms(score)
    else:
        any_arms(score)


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


def step_into_it(score: Score) -> None:
    """Out of a walk, a run or a chassé: a step onto the flat foot, or a piqué onto a straight leg."""
    if score.chance(0.85):
        travel(score)
    with score.preparing():
        if score.chance(0.5):
            step_up(score)
        else:
            score.change_sides()  # the foot that is behind steps
            x, z = score.spot(score.standing, 0.02, score.between(0.3, 0.6))
            score.step(score.standing, x, z, score.between(0.3, 0.5), lift=0.06, stay=0.2)


def behind(score: Score, name: str, reach: float, low: float, high: float) -> None:
    """Stand on one leg, the other behind and up: hold it, then come down."""
    score.any_side()
    passing = score.chance(0.5)
    if passing:
        step_into_it(score)
    else:
        with score.preparing():  # a tendu behind is a tendu, too
            into_balance(score)
    angle = score.degrees(low, high)
    with score.move(name):
        bent = score.chance(0.35 if passing else 0.2)
        score.standing.reach = score.between(0.8, 0.96) if bent else 1.0
        score.standing.heel = score.between(0.4, 1.0) if not bent and score.chance(0.35) else 0.0
        score.carry(0.0)
        lift_behind(score, angle, reach)
        if passing:
            score.exactly(score.between(0.22, 0.45))
            score.trunk.yaw += score.between(-0.3, 0.3)
            score.exactly(score.between(0.35, 1.0))
        else:
            score.beat(score.between(0.35, 0.8), least=0.25)
            stay(score, angle)
        come_down(score, passing)
    with score.preparing():
        score.working.direction = raised("back", touching(score))
        score.working.reach = 1.0
        score.upright()
        score.standing.heel, score.standing.reach = 0.0, 1.0
        score.exactly(score.between(0.12, 0.25)) if passing else score.beat(0.3, least=0.2)
    leave(score, passing)


def stay(score: Score, angle: float) -> None:
    """Hold it; now and then turn slowly on the foot (promenade), or go down with the trunk and up with the leg."""
    kind = score.pick("hold", "hold", "hold", "arms", "promenade", "penche")
    seconds = score.between(0.3, 1.8)
    if kind == "promenade":
        turn = score.between(0.8, 6.0) * (1 if score.chance(0.5) else -1)
        score.trunk.yaw += turn
        score.exactly(max(seconds, abs(turn) / score.between(0.8, 1.6)))
    elif kind == "penche":
        score.beat(0.3)
        more = score.between(0.3, 0.8)
        out = score.working.direction[0]
        score.working.direction = raised("back", min(angle + more, 2.8), out)
        lean_against(score, "back", min(angle + more, 2.6))
        score.trunk.bend *= 0.5
        score.beat(score.between(0.7, 1.3), least=0.5)
        score.beat(score.between(0.1, 1.0))
    else:
        if kind == "arms":
            arabesque_arms(score)
        score.beat(seconds, least=0.25)


def come_down(score: Score, passing: bool) -> None:
    """The first half of the way down; the rest is a tendu, or already a step."""
    half = float(np.radians(45))
    score.working.direction = raised("back", half)
    lean_against(score, "back", half)
    score.arms(score.pick("second", "half", "low"))
    if passing:
        score.exactly(score.between(0.12, 0.22))
    else:
        score.beat(score.between(0.25, 0.45), least=0.18)


def leave(score: Score, passing: bool) -> None:
    """Walk or run on, or close."""
    if score.chance(0.7 if passing else 0.25):
        go_on(score)
        return
    x, z = score.spot(score.working, -0.02, -0.1)
    score.working.ball = (x, 0.0, z)
    score.land(score.working)
    score.carry()
    score.beat(0.3)


def arabesque(score: Score) -> None:
    """One leg straight behind and high, the chest upright, an arm ahead."""
    behind(score, "arabesque", 1.0 if score.chance(0.7) else score.between(0.92, 1.0), 45, 110)


def attitude(score: Score) -> None:
    """As the arabesque with the knee bent, the thigh as high as the foot."""
    behind(score, "attitude", score.between(0.54, 0.76), 60, 105)
