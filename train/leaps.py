"""Grand allegro: the leap from one leg to the other, legs split in the air, after a run and often again and again."""

from __future__ import annotations

import numpy as np

from train.everyday import homeward, steps
from train.pirouettes import out_of_a_landing
from train.positions import any_arms, arabesque_arms, knee_of, raised, springing
from train.score import Score
from train.stage import chasse


def grand_jete(score: Score) -> None:
    """After a run the front leg is thrown forward, the other stays behind: a split in the air; small or large."""
    kind = score.pick("straight", "straight", "straight", "turning", "entrelace", "unfolding")
    again = int(score.rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
    arms = score.chance(0.5)
    run_up(score, arms)
    for index in range(again):
        if index:
            back = np.pi if kind == "entrelace" else score.between(-0.4, 0.4)
            between = score.count(1, 3)
            steps(score, between, score.between(0.4, 0.65), 0.3, back / between, 0.15, 0.3, arms)
        leap(score, kind)
    recover(score)


def leap_into_turn(score: Score) -> None:
    """A grand jeté whose landing is the beginning of a turn."""
    run_up(score, arms=score.chance(0.5))
    direction = 1 if score.chance(0.5) else -1
    leap(score, score.pick("straight", "turning", "unfolding"), onward=direction * score.between(0.2, 0.9))
    out_of_a_landing(score, direction)


def run_up(score: Score, arms: bool) -> None:
    score.any_side()
    count = score.count(2, 5)
    steps(score, count - 1, 0.6, 0.32, homeward(score) / count, 0.15, 0.3, arms)
    if score.chance(0.2):
        chasse(score)
    score.arms("low")


def leap(score: Score, kind: str, onward: float = 0.0) -> None:
    """One flight; what comes before it is a step, what comes after it is another.

    `onward` is how far the body turns while it lands, in radians to the left.
    """
    height = score.between(0.08, 0.22) + 0.2 * score.style.skill * score.between(0.3, 1)
    front, back = score.degrees(40, 92), score.degrees(35, 88)
    turn = {"straight": 0.0, "unfolding": 0.0, "turning": score.between(-2.5, 2.5), "entrelace": np.pi * score.side}[
        kind
    ]
    score.change_sides()  # the foot that is behind steps and pushes
    push = score.standing
    with score.preparing():
        x, z = score.spot(push, 0.05, score.between(0.3, 0.45))
        score.step(push, x, z, score.between(0.24, 0.32), stay=0.1)
        score.carry(0.0)
        push.reach = score.between(0.84, 0.94)
        score.free(score.working, raised("front", 0.6), reach=score.between(0.8, 1.0), knee=(1, 0.3, 0.5))
        score.exactly(0.12)
        speed = score.between(1.2, 3.2) * score.body.leg
        ahead, start = score.world(0.0, 1.0), score.trunk.anchor
        score.trunk.anchor = (start[0] + ahead[0] * speed * 0.1, start[1] + ahead[1] * speed * 0.1)
        if kind == "unfolding":  # saut de chat: the front leg through passé
            score.free(score.working, (0.1, -0.55, 0.6), reach=0.62, knee=(0.6, 0.5, 0.8))
        else:
            score.working.direction = raised("front", front * 0.9)
        if score.chance(0.75):
            arabesque_arms(score)
        else:
            any_arms(score)
    with score.move("grand_jete", later=0.06, longer=0.12), springing(score, height) as seconds:
        split(score, kind, front, back)
        score.trunk.tilt, score.trunk.bend = (
            score.between(0.05, 0.25) + 0.25 * max(0.0, back - 0.9),
            -score.between(0, 0.4),
        )
        score.trunk.yaw += turn / 2
        score.exactly(seconds * 0.45)
        score.trunk.yaw += turn / 2
        score.trunk.anchor = (start[0] + ahead[0] * speed * seconds, start[1] + ahead[1] * speed * seconds)
        x, z = score.spot(score.working, 0.03, 0.02 if kind == "entrelace" else 0.12)
        score.working.ball = (x, 0.0, z)
        score.working.direction = raised("front", 0.35)
        if kind == "entrelace":
            score.free(push, raised("back", back, 0.1), knee=knee_of("back"))
        score.exactly(seconds * 0.40)
        score.land(score.working, heel=0.5)
        score.exactly(seconds * 0.15)
    with score.preparing():
        score.carry(1.0)
        score.working.reach, score.working.heel = score.between(0.82, 0.93), 0.0
        score.free(push, raised("back", back * score.between(0.4, 0.8), 0.1), knee=knee_of("back"))
        score.trunk.yaw += onward
        score.exactly(score.between(0.16, 0.24))
    score.change_sides()  # the leg that is left behind is the next to step


def split(score: Score, kind: str, front: float, back: float) -> None:
    """The legs at the height of the leap; in a jeté entrelacé they pass each other, and the split comes after."""
    if kind == "entrelace":
        score.free(score.working, raised("side", 0.5), knee=knee_of("side"))
        score.free(score.standing, raised("back", 0.7, 0.1), knee=knee_of("back"))
        return
    bent = score.chance(0.2)  # the back leg in attitude
    stag = score.chance(0.08)  # the front knee stays bent
    score.free(
        score.working, raised("front", front), reach=score.between(0.6, 0.8) if stag else 1.0, knee=(0.7, 0.6, 0.3)
    )
    score.free(score.standing, raised("back", back, 0.1), reach=0.7 if bent else 1.0, knee=knee_of("back"))


def recover(score: Score) -> None:
    """Run on, or close behind."""
    if score.chance(0.5):
        score.upright()
        steps(score, score.count(1, 4), 0.55, 0.32, score.between(-0.3, 0.3), 0.12, 0.3, score.chance(0.5))
        return
    with score.preparing():
        score.standing.reach = 1.0
        score.working.direction = raised("back", 0.4)
        score.upright()
        score.beat(0.35, least=0.2)
        x, z = score.spot(score.working, 0.02, 0.2)
        score.carry(0.3)
        score.working.ball = (x, 0.0, z)
        score.land(score.working)
        score.beat(0.3)
