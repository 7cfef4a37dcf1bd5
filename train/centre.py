"""Balances on one leg, the other behind and up: for long, or for a moment out of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from train.positions import (
    any_arms,
    arabesque_arms,
    knee_behind,
    knee_of,
    lean_against,
    passe,
    raised,
    raised_behind,
    touching,
)
from train.score import Score
from train.stage import go_on, put_down, reach_out, step_up, travel

ATTITUDE_IN_FRONT = 0.1  # the share of attitudes that are made devant
HALF_DOWN = float(np.radians(45))
HIGHEST = float(np.radians(125))  # of a leg that is thrown and not held


@dataclass(frozen=True)
class _Line:
    """Where the working leg goes and how the trunk answers it."""

    angle: float  # radians from hanging down
    aside: float  # radians from straight behind towards the side
    reach: float
    front: bool = False  # attitude devant

    def hold(self, score: Score, angle: float | None = None, reach: float | None = None) -> None:
        angle, reach = self.angle if angle is None else angle, self.reach if reach is None else reach
        if self.front:
            score.free(score.working, raised("front", angle, 0.15), reach, knee=(1.0, 0.5, 0.2))
        else:
            score.free(score.working, raised_behind(angle, self.aside), reach, knee=knee_behind(self.aside))

    def balance(self, score: Score, angle: float | None = None) -> None:
        """The trunk against the leg: forward for one behind, aside for one at the side."""
        angle = self.angle if angle is None else angle
        if self.front:
            lean_against(score, "front", angle)
            return
        lean_against(score, "back", angle)
        trunk, high, behind = score.trunk, max(0.0, angle - 0.5), float(np.cos(self.aside))
        trunk.tilt, trunk.bend = trunk.tilt * behind, trunk.bend * behind
        trunk.lean = -0.25 * high * float(np.sin(self.aside)) * score.side
        trunk.nod = -0.1


def any_line(score: Score, name: str) -> _Line:
    """Behind, more or less; beginners and modern dancers let the leg wander to the side, some take it all the way."""
    attitude = name == "attitude"
    angle = score.degrees(60, 105) if attitude else score.degrees(42, 112)
    kind = score.rng.random()
    if kind < 0.6:
        aside = score.between(0.0, 0.35) + 0.25 * score.style.opened  # an opened hip lets the leg out to the side
    elif kind < 0.88:
        aside = score.between(0.25, 0.8)
    else:  # écarté derrière, or the side; low it would be something else
        aside, angle = score.between(0.8, 1.4), max(angle, 1.2)
    if attitude:  # the foot is behind the other shoulder
        aside = score.between(-0.35, 0.1) if kind < 0.8 else score.between(0.1, 0.7)
        front = score.chance(ATTITUDE_IN_FRONT)
        return _Line(min(angle, 1.5) if front else angle, aside, score.between(0.54, 0.78), front)
    return _Line(angle, aside, 1.0 if score.chance(0.7) else score.between(0.9, 1.0))


def lift_behind(score: Score, line: _Line) -> None:
    """The working leg up, the trunk as it must be or as one likes it, the arms in an arabesque or anywhere."""
    line.hold(score)
    line.balance(score)
    trunk = score.trunk
    way = score.pick("up", "up", "up", "tall", "tall", "tall", "loose", "loose", "tilted", "aside", "opened")
    if way == "tall" and not line.front:  # a back that bends lets the chest stay where it was, or go back
        trunk.tilt *= score.between(0.2, 0.8)
        trunk.bend = min(trunk.bend, -score.between(0.5, 1.1) * max(0.3, line.angle - 0.8))
    elif way == "loose":  # not every chest stays up, and not only in front
        trunk.tilt *= score.between(0.5, 1.5)
        trunk.bend *= score.between(-0.2, 1.1)
        trunk.sway, trunk.twist = score.between(-0.3, 0.3), score.between(-0.3, 0.3)
        trunk.nod, trunk.look = score.between(-0.3, 0.3), score.between(-0.5, 0.5)
    elif way == "tilted" and not line.front:  # the trunk goes down as the leg goes up
        trunk.tilt, trunk.bend = score.between(0.5, 1.25), score.between(-0.3, 0.3)
        trunk.nod = score.between(-0.5, 0.2)
    elif way == "aside":  # away from the leg, as modern dancers tilt
        trunk.lean -= score.between(0.1, 0.5) * score.side
        trunk.sway = -score.between(0.0, 0.45) * score.side
        trunk.look = score.between(-0.6, 0.6)
    elif way == "opened":  # the chest turned towards the leg, or against it
        trunk.twist = score.between(-0.7, 0.7)
        trunk.bend += score.between(-0.3, 0.1)
    if score.chance(0.6):
        arabesque_arms(score)
    elif score.chance(0.5):
        any_arms(score)
    else:
        score.arm_anywhere(1)
        score.arm_anywhere(-1)


def down_before_it(score: Score) -> None:
    """A plié on both feet, or on one with the other at its ankle, from which the standing leg springs up."""
    with score.preparing():
        if score.chance(0.5):
            score.stance(score.pick("fifth_back", "fourth_back", "fifth"), 0.35)
            score.bend_knees(score.between(0.76, 0.92))
            score.carry(score.between(0.1, 0.5))
        else:  # cou-de-pied
            score.land(score.standing)
            score.standing.reach = score.between(0.76, 0.92)
            score.carry(0.0)
            low = (score.between(-0.1, 0.1), -1, score.between(-0.35, 0.2))
            score.free(score.working, low, score.between(0.74, 0.9), knee=(1.0, 0.1, 0.25))
        if score.chance(0.5):
            any_arms(score)
        score.trunk.tilt = score.between(-0.05, 0.25)
        score.exactly(score.between(0.15, 0.45))
        if score.chance(0.3):
            score.exactly(score.between(0.1, 0.8))


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
    if score.chance(0.7):
        travel(score)
    with score.preparing():
        if score.chance(0.4):
            step_up(score)
        else:
            score.change_sides()  # the foot that is behind steps
            score.land(score.standing)
            where = (0.02, score.between(0.3, 0.6)) if score.chance(0.75) else (score.between(0.3, 0.5), 0.03)
            x, z = score.spot(score.standing, *where)
            score.step(score.standing, x, z, score.between(0.3, 0.5), lift=0.06, stay=0.2)


def behind(score: Score, name: str) -> None:
    """Stand on one leg, the other behind and up: hold it, then come down."""
    score.any_side()
    passing, sprung = score.chance(0.6), score.chance(0.3)
    flung = passing and not sprung and score.chance(0.35)
    onto = come_to_it(score, passing, sprung, flung)
    quick = passing or sprung
    line = any_line(score, name)
    seconds, stop = rising(score, quick)
    if (sprung or flung) and not line.front:  # who is going up anyway throws the leg higher
        line = replace(line, angle=min(line.angle + score.between(0.0, 0.3), HIGHEST))
    with score.move(name, later=0.25 * seconds):  # who can tell, while the foot has hardly left the floor?
        if flung:
            fling(score, onto)
        else:
            bent = not sprung and score.chance(0.4 if passing else 0.25)
            score.standing.reach = score.between(0.74, 0.96) if bent else 1.0
            rises = not bent and score.chance(0.85 if sprung else 0.6 if passing else 0.35)
            score.standing.heel = score.between(0.4, 1.0) if rises else 0.0
        score.carry(0.0)
        onwards = score.between(0.0, 0.35) if quick and score.chance(0.8) else 0.0
        over_the_foot(score, -0.4 * onwards)
        lift_behind(score, line)
        score.exactly(seconds)
        if stop:
            score.exactly(stop)
        over_the_foot(score, 0.1 * onwards)
        if passing or (sprung and score.chance(0.7)):
            pass_by(score, stop)
        else:
            stay(score, line)
        if quick and score.chance(0.35):  # the heel comes down and the knee gives before the leg does
            score.standing.heel, score.standing.reach = 0.0, score.between(0.78, 0.94)
        over_the_foot(score, 0.5 * onwards)
        come_down(score, line, quick)
    with score.preparing():
        line.hold(score, touching(score), 1.0)
        score.upright()
        score.standing.heel = 0.0
        score.standing.reach = score.between(0.8, 0.95) if quick and score.chance(0.4) else 1.0
        score.exactly(score.between(0.12, 0.25)) if passing else score.beat(0.3, least=0.2)
    leave(score, line, passing)


def come_to_it(score: Score, passing: bool, sprung: bool, flung: bool) -> str:
    """To where the leg goes up from; where the other leg is reached out first, this says whether to front or side."""
    onto = ""
    if flung:
        travel(score)
        with score.preparing():
            onto = reach_out(score)
    elif passing:
        step_into_it(score)
    elif not sprung:
        with score.preparing():  # a tendu behind is a tendu, too
            into_balance(score)
    if sprung:
        down_before_it(score)
    return onto


def fling(score: Score, where: str) -> None:
    """Onto the toes of the leg that was reached out; the other is thrown up straight out of its push."""
    put_down(score, where)
    score.working.reach, score.working.heel = 1.0, 0.8
    score.carry(score.between(0.3, 0.6))
    score.exactly(score.between(0.06, 0.1))


def over_the_foot(score: Score, ahead: float) -> None:
    """The body is so many leg lengths before the foot it stands on: who comes out of a run goes on in the arabesque."""
    score.trunk.offset = (score.trunk.offset[0], ahead * score.body.leg)


def rising(score: Score, passing: bool) -> tuple[float, float]:
    """Seconds in which the leg is thrown, goes up with the step, or rises slowly; and how long it stays at least."""
    way = (
        score.pick("throw", "swing", "swing", "swing", "easy", "slow")
        if passing
        else score.pick("throw", "easy", "slow")
    )
    if way == "throw":
        return score.between(0.18, 0.3), score.between(0.3, 0.5)  # unlike a battement it stays there
    if way == "swing":
        return score.between(0.2, 0.4), 0.0
    if way == "easy":
        return score.between(0.28, 0.6), 0.0
    return score.between(0.6, 1.2) * min(1.3, max(1.0, score.style.tempo)), 0.0


def pass_by(score: Score, stopped: float) -> None:
    """A moment at the height of it, if it did not stop there already, the body going on or turning a little."""
    if stopped or score.chance(0.55):
        score.trunk.yaw += score.between(-0.2, 0.2)
        score.exactly(score.between(0.05, 0.25))
    elif score.chance(0.2):
        turn = score.between(-1.8, 1.8)
        score.trunk.yaw += turn
        score.exactly(score.between(0.4, 0.8) + abs(turn) / 3)
    else:
        score.trunk.yaw += score.between(-0.3, 0.3)
        score.exactly(score.between(0.2, 1.0))


def stay(score: Score, line: _Line) -> None:
    """Hold it; now and then turn slowly on the foot (promenade), or go down with the trunk and up with the leg."""
    kinds = ("hold", "hold", "hold", "arms", "promenade", "penche", "plie")
    kind = score.pick(*kinds) if not line.front else score.pick(*kinds[:5])
    seconds = score.between(0.3, 1.8)
    if kind == "promenade":
        turn = score.between(0.8, 6.0) * (1 if score.chance(0.5) else -1)
        score.trunk.yaw += turn
        score.exactly(max(seconds, abs(turn) / score.between(0.8, 1.6)))
    elif kind == "penche":
        score.beat(0.3)
        more = min(line.angle + score.between(0.3, 0.8), 2.75)
        line.hold(score, more)
        line.balance(score, min(more, 2.6))
        score.trunk.bend *= 0.5
        score.beat(score.between(0.7, 1.3), least=0.5)
        score.beat(score.between(0.1, 1.0))
        line.hold(score)
        line.balance(score)
        score.beat(score.between(0.5, 1.0), least=0.4)
    elif kind == "plie":  # fondu, and up again
        score.standing.reach, score.standing.heel = score.between(0.75, 0.9), 0.0
        score.beat(seconds / 2, least=0.3)
        score.standing.reach = 1.0
        score.beat(seconds / 2, least=0.3)
    else:
        if kind == "arms":
            arabesque_arms(score)
        score.beat(seconds, least=0.25)


def come_down(score: Score, line: _Line, passing: bool) -> None:
    """The first half of the way down; the rest is a tendu, or already a step."""
    line.hold(score, min(HALF_DOWN, line.angle), 1.0 if line.front or line.reach > 0.85 else 0.9)
    line.balance(score, HALF_DOWN)
    score.arms(score.pick("second", "half", "low"))
    if passing:
        score.exactly(score.between(0.12, 0.22))
    else:
        score.beat(score.between(0.25, 0.45), least=0.18)


def leave(score: Score, line: _Line, passing: bool) -> None:
    """Walk or run on, or close."""
    if score.chance(0.7 if passing else 0.25):
        go_on(score)
        return
    x, z = score.spot(score.working, -0.02, 0.12 if line.front else -0.1)
    score.working.ball = (x, 0.0, z)
    score.land(score.working)
    score.carry()
    score.beat(0.3)


def arabesque(score: Score) -> None:
    """One leg straight behind and high, the chest upright, an arm ahead."""
    behind(score, "arabesque")


def attitude(score: Score) -> None:
    """As the arabesque with the knee bent, the thigh as high as the foot; now and then in front of the body."""
    behind(score, "attitude")
