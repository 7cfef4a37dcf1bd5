"""Moves of the barre: pliés, and the leg that works while the other stands.

Each reads as a teacher would tell it: stand so, take the arms there, change this, in so many beats. "Working" and
"standing" leg are the left or the right by chance.
"""

from __future__ import annotations

import numpy as np

from train.positions import any_arms, knee_of, lean_against, passe, raised, start_in, touching
from train.score import Score


def plie(score: Score) -> None:
    """Knees bend over the toes, heels stay, back upright; and stretch again."""
    position = score.pick("first", "first", "second", "second", "second", "fifth", "fourth")
    score.stance(position)
    arms = score.chance(0.5)
    if arms or score.chance(0.4):  # they move with the knees, or stay in second
        score.arms("low" if arms and score.chance(0.5) else "second")
        score.beat(0.5)
    else:
        if score.chance(0.4):  # as beginners do, who think of their knees
            score.arms(score.pick("low", "down", "hips"))
        else:
            any_arms(score)
        score.beat(0.4)
    deepest = 0.66 if position == "second" else 0.74
    with score.move("plie"):
        for _ in range(score.count(1, 3)):
            score.bend_knees(score.between(deepest, 0.93) if score.chance(0.6) else score.between(0.82, 0.94))
            score.trunk.bend, score.trunk.tilt = score.between(-0.03, 0.08), score.between(-0.05, 0.12)
            if arms:
                score.arms(score.pick("low", "half", "first"))
            score.beat(score.between(0.6, 1.2), least=0.3)
            if score.chance(0.3):
                score.beat(score.between(0.1, 0.6))
            score.bend_knees(1.0)
            score.upright()
            if arms:
                score.arms("second")
            score.beat(score.between(0.6, 1.1), least=0.3)


def grand_plie(score: Score) -> None:
    """As the plié, but down to where the heels must leave the floor (in second they stay)."""
    position = score.pick("first", "second", "fifth", "fourth")
    score.stance(position)
    score.arms("second")
    score.beat(0.5)
    low, heel = (0.58, 0.0) if position == "second" else (0.46, 0.65)
    with score.preparing():  # so far it is a plié
        score.bend_knees(0.8)
        score.beat(0.6)
    with score.move("grand_plie"):
        for index in range(score.count(1, 2)):
            if index:
                score.bend_knees(0.8)
                score.beat(0.6)
            score.bend_knees(low + score.between(-0.04, 0.05), heel)
            score.arms(score.pick("low", "first", "half"))
            score.trunk.tilt = score.between(0, 0.12)
            score.beat(0.8)
            score.bend_knees(0.8)
            score.beat(0.8)
            score.bend_knees(1.0)
            score.upright()
            score.arms("second")
            score.beat(0.6)


def tendu(score: Score) -> None:
    """The working foot slides out along the floor to a point, knees straight, and closes again."""
    score.any_side()
    cross = score.chance(0.25)  # en croix
    where = score.pick("front", "side", "side", "back")
    start_in(score, where)
    pace = score.between(0.35, 0.8)
    lifted = score.between(0.1, 0.3) if score.chance(0.12) else 0.0  # a few are dégagés
    with score.move("tendu"):
        for _ in range(score.count(1, 5)):
            if cross:
                where = score.pick("front", "side", "back")
            score.free(score.working, raised(where, touching(score) + lifted), knee=knee_of(where))
            score.carry(0.0)
            lean_against(score, where, 0.5)
            score.beat(pace, least=0.18)
            if score.chance(0.6):
                score.beat(score.between(0.1, 0.7))
            score.land(score.working)
            score.upright()
            score.carry()
            score.beat(pace)
            if score.chance(0.3):
                score.beat(0.2)


def grand_battement(score: Score) -> None:
    """The straight leg is thrown up and comes down at once, under control. However slow the music, a throw is quick."""
    score.any_side()
    where = score.pick("front", "front", "front", "side", "side", "back")
    cross = score.chance(0.2)  # en croix
    start_in(score, where)
    # Out of a step, as over the floor; but a leg that is thrown up behind in passing is an arabesque to most who watch.
    if where == "front" and not cross and score.chance(0.4):
        with score.preparing():
            x, z = score.spot(score.standing, 0.04, score.between(0.2, 0.45))
            score.step(score.standing, x, z, 0.5, lift=0.04, stay=0.3)
    bent = score.between(0.86, 0.97) if score.chance(0.2) else 1.0
    heel = score.between(0.4, 1.0) if score.chance(0.12) else 0.0
    with score.move("grand_battement"):
        # One alone to the side or behind is an arabesque or a kick to most who watch; a series is not.
        for _ in range(score.count(1 if where == "front" and not cross else 2, 4)):
            if cross:
                where = score.pick("front", "side", "back")
            throw(score, where, bent, heel)


def throw(score: Score, where: str, bent: float, heel: float) -> None:
    """Up within a third of a second and down at once: less than nine tenths in the air."""
    angle = score.degrees(55, 80 if where == "back" else 125)
    score.free(score.working, raised(where, touching(score)), knee=knee_of(where))
    score.standing.reach = bent
    score.carry(0.0)
    score.exactly(score.between(0.08, 0.16))
    score.working.direction = raised(where, angle)
    score.standing.heel = heel
    lean_against(score, where, angle)
    if score.chance(0.3):
        any_arms(score)
    score.exactly(score.between(0.17, 0.30))
    score.working.direction = raised(where, touching(score))
    score.upright()
    score.exactly(score.between(0.22, 0.38))
    score.land(score.working)
    score.standing.reach, score.standing.heel = 1.0, 0.0
    score.carry()
    score.beat(score.between(0.12, 0.3), least=0.1)


def developpe(score: Score) -> None:
    """Through passé the leg unfolds slowly into the air, stays, and comes down straight."""
    score.any_side()
    where = "back" if score.chance(0.07) else score.pick("front", "side", "side")
    start_in(score, where)
    angle = score.degrees(50, 75 if where == "back" else 120)
    with score.preparing():  # so far it may become a retiré
        score.carry(0.0)
        passe(score)
        score.arms(score.pick("first", "second"))
        score.beat(0.8, least=0.4)
    with score.move("developpe", later=-0.15):
        score.free(score.working, raised(where, angle * 0.9), reach=0.8, knee=knee_of(where))
        score.working.knee = (1.0, 0.6, 0.2)
        lean_against(score, where, angle * 0.7)
        score.beat(0.6, least=0.35)
        score.free(score.working, raised(where, angle), knee=knee_of(where))
        lean_against(score, where, angle)
        score.arms(score.pick("second", "high", "open"))
        score.beat(0.6, least=0.35)
        score.beat(score.between(0.2, 1.2))
        score.working.direction = raised(where, touching(score))
        score.upright()
        score.beat(0.9, least=0.5)
        score.land(score.working)
        score.carry()
        score.beat(0.3, least=0.15)


def rond_de_jambe(score: Score) -> None:
    """Half a circle drawn by the leg, on the floor or in the air; or by the shin, the thigh at the side held still."""
    score.any_side()
    kind = score.pick("floor", "floor", "floor", "grand", "shin")
    if kind == "shin":
        from_the_knee(score)
        return
    angle = touching(score) if kind == "floor" else score.degrees(40, 80)
    outward = score.chance(0.6)
    score.stance("first" if score.chance(0.7) else "fifth" if outward else "fifth_back")
    any_arms(score)
    score.beat(0.4)
    path = ["front", "side", "back"] if outward else ["back", "side", "front"]
    pace = score.between(0.35, 0.75)
    bent = score.between(0.85, 0.96) if score.chance(0.15) else 1.0  # in fondu
    score.carry(0.0)
    with score.preparing():  # so far it is a tendu, or a leg that is lifted
        around(score, path[0], angle, bent)
        score.beat(pace, least=0.2)
    with score.move("rond_de_jambe"):
        again = score.count(1, 4)
        for index in range(again):
            for where in path[0 if index else 1 :]:
                around(score, where, angle, bent)
                score.beat(pace, least=0.2)
            if index + 1 < again:  # through first, without a stop, the foot brushing the floor
                score.free(score.working, (0.1, -1.0, 0.0), 0.985, 0.5)
                score.upright()
                score.carry(0.0)
                score.beat(pace * 0.8, least=0.2)
        score.land(score.working)
        score.upright()
        score.standing.reach = 1.0
        score.carry()
        score.beat(pace, least=0.2)
    score.beat(0.2)


def around(score: Score, where: str, angle: float, bent: float) -> None:
    """The leg stretched to the front, the side or the back, this high, on its way round."""
    score.free(score.working, raised(where, angle), knee=knee_of(where))
    score.standing.reach = bent
    score.carry(0.0)
    lean_against(score, where, angle)


def from_the_knee(score: Score) -> None:
    """Rond de jambe en l'air: the thigh to the side, the foot draws a small oval to the other knee and out again."""
    score.stance("fifth")
    any_arms(score)
    score.beat(0.3)
    angle = score.degrees(42, 88)
    thigh = raised("side", angle)
    outward = 1 if score.chance(0.6) else -1
    with score.preparing():  # the leg is lifted to the side
        score.fold(score.working, thigh, thigh)
        score.carry(0.0)
        lean_against(score, "side", angle)
        score.arms(score.pick("second", "second", "high", "first"))
        score.beat(0.6, least=0.3)
    pace = score.between(0.16, 0.34)
    heel = score.between(0.5, 1.0) if score.chance(0.2) else 0.0
    with score.move("rond_de_jambe"):
        score.standing.heel = heel
        score.carry(0.0)
        for _ in range(score.count(2, 5)):
            for shin in ((0.35, -0.9, -0.3 * outward), (-0.75, -0.65, 0.1), (0.35, -0.9, 0.45 * outward)):
                score.fold(score.working, thigh, shin)
                score.beat(pace, least=0.12)
            score.fold(score.working, thigh, thigh)
            score.beat(pace, least=0.12)
    with score.preparing():
        score.working.direction = raised("side", touching(score))
        score.standing.heel = 0.0
        score.upright()
        score.beat(0.5, least=0.3)
        score.land(score.working)
        score.carry()
        score.beat(0.3)


# A held top looks as standing does to who cannot see the heels.
LONGEST_TOP_S = 0.7


def releve(score: Score) -> None:
    """Up to demi-pointe and down again, on both feet, now and then on one with the other at the ankle."""
    score.any_side()
    score.stance(score.pick("first", "second", "fifth", "parallel"))
    any_arms(score)
    score.beat(0.4)
    single = score.chance(0.12)
    from_plie = score.chance(0.35)
    lifting = score.chance(0.3)  # the arms go up with the heels
    for _ in range(score.count(1, 5)):
        if from_plie:
            with score.preparing():  # a small plié
                score.bend_knees(score.between(0.84, 0.94))
                score.beat(score.between(0.25, 0.4), least=0.2)
        if single:
            with score.preparing():
                score.carry(0.0)
                score.free(score.working, (0.02, -1, 0.12), reach=0.88, knee=(1, 0.1, 0.25))
                score.beat(0.3, least=0.2)
        with score.move("releve"):
            for leg in (score.left, score.right):
                if leg.free == 0:
                    leg.reach, leg.heel = 1.0, score.between(0.75, 1.0)
            score.carry(0.0 if single else 0.5)
            if lifting:
                score.arms(score.pick("high", "first", "second", "open"))
            score.exactly(score.between(0.18, 0.45) * float(np.clip(score.style.tempo, 0.7, 1.6)))
            held = score.between(0.05, LONGEST_TOP_S)
            score.exactly(held)
            long = score.chance(0.12)
            if not long:
                lower(score)
        if long:
            with score.preparing():
                score.beat(score.between(0.3, 1.5))
                lower(score)
        if score.chance(0.3):
            score.beat(score.between(0.1, 0.4))


def lower(score: Score) -> None:
    """The heels come down."""
    score.land(score.working)
    score.bend_knees(1.0)
    score.carry()
    if score.chance(0.4):
        score.arms(score.pick("low", "second"))
    score.exactly(score.between(0.2, 0.5) * float(np.clip(score.style.tempo, 0.7, 1.6)))
