"""What is no ballet move, as other people dance: at a club, salsa, hip hop, modern, in a ring.

Each is a program on a Score. Dancing on the spot without steps is in everyday.py, breaking in tumbling.py.
"""

from __future__ import annotations

import numpy as np

from train.everyday import any_hand, homeward, relax, steps
from train.positions import springing
from train.score import Score

# Who goes round this far (radians) and this fast (radians a second) on two feet does what some would call a turn.
A_TURN, AS_QUICK_AS_ONE = 4.0, 4.5


def hands(score: Score, share: float = 0.5) -> None:
    for side in (1, -1):
        if score.chance(share):
            any_hand(score, side)


def step_to(score: Score, out: float, front: float, seconds: float, lift: float = 0.04) -> None:
    """The working foot to (out, front) leg lengths from the standing one, and the weight onto it."""
    x, z = score.world(score.side * out * score.body.leg, front * score.body.leg)
    here = score.standing.ball
    score.land(score.working)
    score.step(score.working, here[0] + x, here[2] + z, seconds, lift=lift, stay=score.between(0.1, 0.4))


def grooving(score: Score) -> None:
    """At a club or a party: two steps, touches, a bounce in the knees, arms that wave, a turn on two feet."""
    score.any_side()
    score.stance("parallel")
    beat, depth = score.between(0.24, 0.5), score.between(0.86, 0.97)
    for _ in range(score.count(5, 14)):
        kind = score.pick("step", "step", "bounce", "touch", "turn")
        score.trunk.sway, score.trunk.twist = score.between(-0.25, 0.25), score.between(-0.4, 0.4)
        score.trunk.bend, score.trunk.nod = score.between(-0.1, 0.3), score.between(-0.2, 0.4)
        hands(score)
        if kind == "bounce":
            score.carry(score.between(0.3, 0.7))
            score.bend_knees(depth)
            score.exactly(beat / 2)
            score.bend_knees(0.99)
            score.exactly(beat / 2)
        elif kind == "turn":
            pivot(score, score.between(-3.5, 3.5), beat)
        else:
            score.bend_knees(depth)
            step_to(score, score.between(0.2, 0.5), score.between(-0.15, 0.15), beat)
            score.change_sides()
            if kind == "touch":
                step_to(score, 0.2, score.between(-0.1, 0.15), beat)
    relax(score)


def pivot(score: Score, turn: float, beat: float) -> None:
    """Round on both feet, in small steps: the body turns a little with each, as when one paddles."""
    count = max(2, int(abs(turn) / score.between(0.5, 1.2)))
    start = score.time_s
    steps(score, count, score.between(-0.05, 0.1), beat, turn / count, 0.04, score.between(0.1, 0.5), arms=False)
    if abs(turn) > A_TURN and abs(turn) > AS_QUICK_AS_ONE * (score.time_s - start):
        score.unsure.append((start, score.time_s))


def salsa(score: Score) -> None:
    """Quick, quick, slow: back and forth or to the side, the hips sway, the hands as with a partner; now and then a
    turn on two feet."""
    score.any_side()
    score.stance("parallel")
    beat = score.between(0.22, 0.4)
    frame = score.chance(0.6)
    for _ in range(score.count(3, 8)):
        if frame:
            score.arms("chest" if score.chance(0.5) else "first")
        else:
            hands(score)
        out, front = ((0.2, score.between(0.2, 0.4)), (0.2, -score.between(0.2, 0.4)), (score.between(0.3, 0.5), 0.0))[
            score.count(0, 2)
        ]
        score.trunk.sway = 0.25 * score.side * score.between(0, 1)
        score.bend_knees(score.between(0.93, 1.0))
        step_to(score, out, front, beat)
        score.change_sides()
        score.trunk.sway *= -1
        score.carry(0.8)
        score.exactly(beat)
        score.change_sides()
        step_to(score, 0.2, 0.0, beat)
        score.exactly(beat * score.between(0.2, 1.0))
        score.change_sides()
        if score.chance(0.25):
            pivot(score, score.between(2.5, 6.5) * score.side, beat)
    relax(score)


def hip_hop(score: Score) -> None:
    """Low in the knees: rocks, stomps, kicks with a bent knee, feet that cross, arms that hit."""
    score.any_side()
    score.stance("wide")
    beat = score.between(0.2, 0.42)
    for _ in range(score.count(5, 14)):
        kind = score.pick("rock", "stomp", "kick", "cross", "drop")
        trunk = score.trunk
        trunk.tilt, trunk.bend = score.between(0.0, 0.5), score.between(-0.2, 0.5)
        trunk.twist, trunk.sway = score.between(-0.6, 0.6), score.between(-0.3, 0.3)
        hands(score, 0.8)
        low = score.between(0.7, 0.95)
        score.bend_knees(low)
        if kind == "rock":
            score.carry(score.between(0.1, 0.9))
            score.exactly(beat)
        elif kind == "drop":
            score.bend_knees(score.between(0.5, 0.75), heel=score.between(0, 0.6))
            score.exactly(beat * 1.5)
        elif kind in ("stomp", "kick"):
            score.carry(0.0)
            front = score.between(0.3, 0.8)
            bent = score.between(-0.6, 0.3) if kind == "stomp" else score.between(0.6, 1.2)
            thigh, shin = (0.15, -0.6, front), (0.1, -0.7, front * bent)
            score.fold(score.working, thigh, shin, point=score.between(0, 0.5))
            score.exactly(beat)
            step_to(score, score.between(0.2, 0.45), score.between(-0.2, 0.25), beat)
            score.change_sides()
        else:
            step_to(score, score.between(-0.1, 0.4), score.between(-0.25, 0.25), beat, lift=0.08)
            score.change_sides()
    relax(score)


def modern(score: Score) -> None:
    """Contract and release, spiral, roll through the spine, fall to one side, swing a bent leg low, slide into a
    lunge."""
    score.any_side()
    score.stance(score.pick("parallel", "wide", "second", "fourth"))
    for _ in range(score.count(3, 9)):
        trunk = score.trunk
        kind = score.pick("contract", "spiral", "roll", "tilt", "swing", "lunge", "circle")
        seconds = score.between(0.35, 1.1)
        if kind == "contract":
            score.bend_knees(score.between(0.8, 0.95))
            trunk.tilt, trunk.bend, trunk.nod = -0.15, score.between(0.4, 0.9), score.between(0, 0.5)
            score.arms(score.pick("first", "chest", "low"))
        elif kind == "spiral":
            trunk.twist, trunk.look = score.between(-0.8, 0.8), score.between(-0.6, 0.6)
            score.carry(score.between(0.2, 0.8))
            hands(score, 1.0)
        elif kind == "roll":
            for tilt, bend, nod in ((0.2, 0.5, 0.5), (0.8, 0.8, 0.3), (0.3, -0.2, -0.3), (0.0, -0.3, -0.2)):
                trunk.tilt, trunk.bend, trunk.nod = tilt, bend, nod
                score.bend_knees(score.between(0.85, 1.0))
                hands(score, 0.5)
                score.exactly(seconds * 0.5)
        elif kind == "tilt":
            trunk.lean, trunk.sway = score.between(-0.3, 0.3), score.between(-0.6, 0.6)
            hands(score, 1.0)
        elif kind == "swing":
            swing_low(score)
        elif kind == "lunge":
            score.bend_knees(score.between(0.7, 0.9))
            out, front = ((0.2, 0.7), (0.75, 0.1), (0.2, -0.7))[score.count(0, 2)]
            step_to(score, out, front, seconds, lift=0.03)
            hands(score, 1.0)
        else:
            steps(score, score.count(2, 5), 0.35, score.between(0.25, 0.45), score.between(-0.8, 0.8), 0.06, 0.4, False)
        score.exactly(seconds)
        if score.chance(0.5):
            score.bend_knees(1.0)
            score.upright()
    relax(score)


def swing_low(score: Score) -> None:
    """A leg swings forward and back with a soft knee, lower than the hip."""
    score.carry(0.0)
    score.standing.reach = score.between(0.9, 0.98)
    for front in (score.between(0.3, 0.7), -score.between(0.2, 0.45))[: score.count(1, 2)]:
        score.fold(score.working, (0.1, -1.0, front), (0.05, -1.0, front - score.between(0.3, 0.7)), 0.6)
        score.trunk.bend = -front * 0.3
        hands(score)
        score.exactly(score.between(0.25, 0.45))
    score.land(score.working)
    score.carry(0.4)


def folk(score: Score) -> None:
    """Grapevines, step-hops, heels put down in front, claps, as in a ring."""
    score.any_side()
    score.stance("parallel")
    score.arms(score.pick("hips", "side", "down", "chest", "half"))
    beat = score.between(0.24, 0.42)
    for _ in range(score.count(2, 5)):
        kind = score.pick("vine", "hop", "heel", "gallop")
        if kind == "vine":
            for crossing in (0.3, score.pick("front", "back"), 0.3, 0.2):
                if isinstance(crossing, str):
                    score.change_sides()
                    step_to(score, -0.12, 0.18 if crossing == "front" else -0.18, beat)
                    score.change_sides()
                else:
                    step_to(score, crossing, 0.0, beat)
        elif kind == "heel":
            for _ in range(score.count(1, 3)):
                score.carry(0.0)
                score.free(score.working, (0.08, -1, score.between(0.25, 0.5)), 0.97, 0.0, knee=(0.2, 0.3, 1.0))
                score.exactly(beat)
                score.land(score.working)
                score.carry()
                score.exactly(beat)
                score.change_sides()
        else:
            skip(score, score.count(2, 5), kind == "gallop")
    relax(score)


def skip(score: Score, count: int, sideways: bool) -> None:
    """Step and hop, the other knee lifted; or to the side, one foot chasing the other."""
    turn = homeward(score) / count / 2
    for _ in range(count):
        score.trunk.yaw += turn
        out, front = (score.between(0.35, 0.6), 0.0) if sideways else (0.18, score.between(0.3, 0.5))
        step_to(score, out, front, score.between(0.24, 0.34), lift=0.08)
        score.change_sides()  # the other is free now
        score.carry(0.0)
        score.standing.reach = score.between(0.86, 0.95)
        score.exactly(0.1)
        ahead = score.world(0.0, 0.0 if sideways else score.between(0.1, 0.4) * score.body.leg)
        with springing(score, score.between(0.02, 0.1)) as seconds:
            if sideways:
                score.free(score.working, (0.05, -1, 0.0), 0.97, 0.6)
            else:
                lifted = score.between(0.3, 0.9)
                score.fold(score.working, (0.08, -0.7, lifted), (0.05, -1.0, -0.15), point=score.between(0, 1))
            score.free(score.standing, (0.05, -1, 0.0), 0.97, 0.6)
            score.exactly(seconds * 0.5)
            middle = score.trunk.anchor
            score.trunk.anchor = (middle[0] + ahead[0], middle[1] + ahead[1])
            ball = score.standing.ball
            score.standing.ball = (ball[0] + ahead[0], 0.0, ball[2] + ahead[1])
            score.land(score.standing, heel=0.4)
            score.carry(0.0)
            score.exactly(seconds * 0.5)
        score.exactly(0.08)
        if sideways:
            x, z = score.spot(score.working, 0.1, 0.0)
            score.working.ball = (x, 0.0, z)
            score.land(score.working)
            score.exactly(0.1)
            score.change_sides()
    if score.working.free:
        score.land(score.working)
        x, z = score.spot(score.working, 0.12, 0.05)
        score.working.ball = (x, 0.0, z)
        score.exactly(0.2)
    score.bend_knees(1.0)
    score.carry()
    score.upright()
    score.exactly(0.2)


def turning_on_two_feet(score: Score) -> None:
    """Round on both feet: crossed and unwound, paddled with one foot, or pivoted on the balls, arms anywhere."""
    score.any_side()
    score.stance(score.pick("parallel", "wide", "fourth", "stride"), 0.4)
    hands(score, 0.8)
    kind = score.pick("paddle", "pivot", "pivot", "walk")
    turn = score.between(1.5, 6.5) * score.side
    if kind == "paddle":
        count = score.count(3, 8)
        for _ in range(count):
            score.trunk.yaw += turn / count
            step_to(score, score.between(0.25, 0.45), 0.0, score.between(0.25, 0.45))
            score.carry(0.2)
    elif kind == "walk":
        pivot(score, turn, score.between(0.25, 0.4))
    else:  # half a turn at a time: one foot steps ahead, both turn on their balls
        for _ in range(score.count(1, 3)):
            step_to(score, 0.12, score.between(0.2, 0.4), score.between(0.3, 0.5))
            score.bend_knees(score.between(0.93, 1.0), heel=score.between(0.3, 0.7))
            score.carry()
            score.trunk.yaw += np.pi * score.side * score.between(0.7, 1.0)
            with score.preparing():  # some would call it half a soutenu
                score.exactly(score.between(0.3, 0.6))
            score.bend_knees(1.0)
            hands(score)
            score.exactly(0.2)
            score.change_sides()
    score.stance("parallel", 0.4)
    relax(score)
