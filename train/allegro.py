"""Petit allegro: jumps from two feet and from one, and the waltz step that rocks between them."""

from __future__ import annotations

from collections.abc import Callable

from train.positions import any_arms, hang, knee_of, quiet_arms, raised, soften, springing, touching
from train.score import Score


def jumps(score: Score, name: str, start: str, end: Callable[[], None], apart: float) -> None:
    """Several jumps on the spot: plié, straight legs in the air, the feet that `end` places, plié."""
    score.stance(start)
    quiet_arms(score)
    score.beat(0.4)
    low = score.between(0.74, 0.86)
    again = score.count(1, 6)
    with score.preparing():  # so far it is a plié
        soften(score, low, score.between(0.25, 0.45))
    with score.move(name):
        for index in range(again):
            height = score.between(0.06, 0.16) + 0.16 * score.style.skill * score.between(0.2, 1)
            with springing(score, height) as seconds:
                hang(score, score.left, apart)
                hang(score, score.right, apart)
                score.exactly(seconds * 0.45)
                end()
                score.exactly(seconds * 0.35)
                for leg in (score.left, score.right):
                    score.land(leg, heel=0.6)
                score.exactly(seconds * 0.20)
            soften(score, low + 0.03, score.between(0.12, 0.2))
            if index + 1 < again and score.chance(0.3):
                score.exactly(score.between(0.05, 0.3))
    with score.preparing():
        score.bend_knees(1.0)
        score.beat(0.35)


def saute(score: Score) -> None:
    """A jump from two feet to the same two feet, in first or second: turned out, on the spot, knees straight."""
    position = score.pick("first", "first", "second")
    jumps(score, "saute", position, lambda: None, score.between(0.12, 0.33) if position == "second" else 0.06)


def changement(score: Score) -> None:
    """From fifth to fifth, the other foot in front."""
    score.any_side()

    def change() -> None:
        score.change_sides()
        score.place("fifth")

    jumps(score, "changement", "fifth", change, 0.03)


def echappe(score: Score) -> None:
    """From fifth the feet escape to second, and come back."""
    score.any_side()
    positions = ["fifth", "second"]

    def change() -> None:
        positions.reverse()
        score.place(positions[0])

    if score.chance(0.6):
        jumps(score, "echappe", "fifth", change, 0.16)
        if positions[0] == "second":
            score.stance("fifth")
        return
    score.stance("fifth")
    any_arms(score)
    score.beat(0.3)
    with score.preparing():
        soften(score, 0.84, 0.35)
    with score.move("echappe"):
        for index in range(score.count(1, 4)):
            if index:
                soften(score, 0.84, 0.35)
            for position, reach, heel in (("second", 1.0, 0.9), ("fifth", 0.86, 0.0)):
                score.bend_knees(reach, heel)
                score.place(position)
                score.beat(0.25)
                score.beat(score.between(0.1, 0.6))
        score.bend_knees(1.0)
        score.beat(0.3)


def assemble(score: Score) -> None:
    """One leg brushes to the side, the other springs; both come together in the air and land in fifth."""
    score.any_side()
    score.stance("fifth_back")
    any_arms(score)
    score.beat(0.3)
    low = score.between(0.76, 0.86)
    with score.preparing():
        soften(score, low, 0.3)
    with score.move("assemble"):
        for index in range(score.count(1, 4)):
            if index:
                soften(score, low, score.between(0.1, 0.3))
            score.free(score.working, raised("side", touching(score)), knee=knee_of("side"))
            score.carry(0.0)
            score.exactly(0.16)
            with springing(score, score.between(0.08, 0.16) + 0.1 * score.style.skill) as seconds:
                score.working.direction = raised("side", score.degrees(35, 55))
                hang(score, score.standing)
                score.exactly(seconds * 0.4)
                score.change_sides()
                score.carry()
                score.place("fifth_back")
                hang(score, score.left, 0.03)
                hang(score, score.right, 0.03)
                score.exactly(seconds * 0.4)
                for leg in (score.left, score.right):
                    score.land(leg, heel=0.6)
                score.carry()
                score.exactly(seconds * 0.2)
            soften(score, 0.82, 0.16)
            score.beat(0.1)
    with score.preparing():
        score.bend_knees(1.0)
        score.beat(0.3)


def jete(score: Score) -> None:
    """From one foot onto the other, the free foot at the ankle behind; most often several in a row."""
    score.any_side()
    score.stance("fifth")
    any_arms(score)
    score.beat(0.3)
    with score.preparing():
        soften(score, 0.82, 0.3)
    with score.move("jete"):
        for _ in range(score.count(1, 5)):
            low = (0.12, -1.0, -0.25)
            score.free(score.working, raised("side", touching(score) + 0.1), knee=knee_of("side"))
            score.carry(0.0)
            score.standing.reach = 0.84
            score.exactly(0.16)
            with springing(score, score.between(0.06, 0.12) + 0.1 * score.style.skill) as seconds:
                hang(score, score.standing, 0.1)
                score.exactly(seconds * 0.45)
                x, z = score.spot(score.working, score.between(-0.05, 0.1), 0.05)
                score.working.ball = (x, 0.0, z)
                score.land(score.working, heel=0.6)
                score.free(score.standing, low, reach=0.72, knee=(1, 0.1, 0.2))
                score.carry(1.0)
                score.exactly(seconds * 0.55)
            score.working.reach, score.working.heel = 0.82, 0.0
            score.exactly(0.16)
            score.change_sides()
        score.change_sides()
        score.working.reach = 1.0
        score.exactly(0.25)
    with score.preparing():
        x, z = score.spot(score.standing, 0.05, -0.1)
        score.standing.ball = (x, 0.0, z)
        score.land(score.standing)
        score.carry()
        score.beat(0.3)


def balance(score: Score) -> None:
    """A waltz step from side to side: down onto one foot, up on the ball of the other behind it, and down again."""
    score.any_side()
    score.stance("fifth")
    score.arms("second")
    score.beat(0.3)
    with score.move("balance"):
        for _ in range(2 * score.count(1, 3)):
            width = score.between(0.4, 0.6)
            out = score.world(score.side * width * score.body.leg, 0.0)
            ball = score.working.ball
            score.working.reach = score.standing.reach = 0.86
            score.step(score.working, ball[0] + out[0], ball[2] + out[1], 0.4, lift=0.06, stay=0.0)
            score.carry(1.0)
            score.arms(score.pick("first", "half"), "second")
            score.trunk.sway = 0.15 * score.side
            behind = score.world(-score.side * 0.04 * score.body.leg, -0.2 * score.body.leg)
            ball = score.working.ball
            score.step(score.standing, ball[0] + behind[0], ball[2] + behind[1], 0.3, lift=0.05, stay=0.6)
            score.standing.heel, score.standing.reach = 0.8, 0.97
            score.working.heel, score.working.reach = 0.4, 0.97
            score.carry(0.4)
            score.beat(0.2)
            score.working.heel, score.working.reach = 0.0, 0.88
            score.carry(0.9)
            score.beat(0.25)
            score.standing.heel = 0.3
            score.change_sides()
        score.trunk.sway = 0.0
        for leg in (score.left, score.right):
            leg.heel, leg.reach = 0.0, 1.0
        score.carry()
        score.beat(0.3)
