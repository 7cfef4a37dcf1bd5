"""Moves of the barre: pliés, and the leg that works while the other stands.

Each reads as a teacher would tell it: stand so, take the arms there, change this, in so many beats. "Working" and
"standing" leg are the left or the right by chance.
"""

from __future__ import annotations

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
        any_arms(score)
        score.beat(0.4)
    deepest = 0.66 if position == "second" else 0.74
    with score.move("plie"):
        for _ in range(score.count(1, 3)):
            score.bend_knees(score.between(deepest, 0.93))
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
    with score.move("grand_plie"):
        for _ in range(score.count(1, 2)):
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
    where = score.pick("front", "front", "side", "side", "back")
    start_in(score, where)
    with score.move("grand_battement"):
        for _ in range(score.count(1, 4)):
            angle = score.degrees(55, 80 if where == "back" else 125)
            score.free(score.working, raised(where, touching(score)), knee=knee_of(where))
            score.carry(0.0)
            score.exactly(score.between(0.10, 0.16))
            score.working.direction = raised(where, angle)
            lean_against(score, where, angle)
            score.exactly(score.between(0.18, 0.30))
            score.working.direction = raised(where, touching(score))
            score.upright()
            score.exactly(score.between(0.22, 0.38))
            score.land(score.working)
            score.carry()
            score.beat(score.between(0.15, 0.4), least=0.1)


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
    """The leg draws half a circle, from front by the side to the back or the other way, on the floor or in the air."""
    score.any_side()
    outward = score.chance(0.6)
    angle = touching(score) if score.chance(0.7) else score.degrees(40, 75)
    score.stance("first")
    any_arms(score)
    score.beat(0.4)
    path = [raised("front", angle), raised("side", angle), raised("back", angle)]
    knees = [knee_of("front"), knee_of("side"), knee_of("back")]
    if not outward:
        path.reverse()
        knees.reverse()
    pace = score.between(0.35, 0.7)
    with score.move("rond_de_jambe"):
        for _ in range(score.count(1, 4)):
            for direction, knee in zip(path, knees, strict=True):
                score.free(score.working, direction, knee=knee)
                score.carry(0.0)
                score.beat(pace)
            score.land(score.working)
            score.working.heel = 0.15
            score.carry(0.1)
            score.beat(pace)
        score.working.heel = 0.0
        score.carry()
        score.beat(0.3)


def releve(score: Score) -> None:
    """Up to demi-pointe and down again, on both feet or on one."""
    score.any_side()
    score.stance(score.pick("first", "second", "fifth", "parallel"))
    any_arms(score)
    score.beat(0.4)
    single = score.chance(0.25)
    with score.move("releve"):
        for _ in range(score.count(1, 4)):
            if score.chance(0.4):
                score.bend_knees(score.between(0.82, 0.95))
                score.beat(0.4)
            score.bend_knees(1.0, heel=score.between(0.7, 1.0))
            if single:
                score.carry(0.0)
                score.free(score.working, (0.3, -1, 0.15), reach=0.8, knee=(1, 0.1, 0.25))
            if score.chance(0.3):
                any_arms(score)
            score.beat(score.between(0.3, 0.7))
            score.beat(score.between(0.1, 0.5))  # a long hold looks like standing, for the heels are not seen
            score.land(score.working)
            score.carry()
            score.bend_knees(1.0)
            score.beat(score.between(0.3, 0.7))
