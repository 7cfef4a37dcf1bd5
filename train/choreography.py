"""All moves by name, and streams and clips of them with everyday motion in between.

The moves are programs on a Score, told as a teacher would tell them: barre.py, centre.py, pirouettes.py, turns.py,
allegro.py and leaps.py. What is no move is in everyday.py (people), play.py, tumbling.py and climbing.py (children),
dancing.py (other people's dance), stage.py (dancers between moves) and unfinished.py (moves given up).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from train import (
    allegro,
    barre,
    centre,
    climbing,
    dancing,
    everyday,
    leaps,
    pirouettes,
    play,
    stage,
    tumbling,
    turns,
    unfinished,
)
from train.body import Body
from train.score import Score
from train.stream import Segment, Stream
from train.style import Manner, Style

__all__ = ["MOVES", "PROGRAMS", "Segment", "Stream", "make_clip", "make_stream"]

PROGRAMS: dict[str, Callable[[Score], None]] = {
    program.__name__: program
    for program in (
        barre.plie,
        barre.grand_plie,
        barre.tendu,
        barre.grand_battement,
        barre.developpe,
        barre.rond_de_jambe,
        barre.releve,
        allegro.echappe,
        allegro.saute,
        allegro.changement,
        allegro.assemble,
        allegro.balance,
        centre.arabesque,
        centre.attitude,
        pirouettes.pirouette,
        turns.fouette,
        turns.chaines,
        leaps.grand_jete,
        allegro.jete,
    )
}
MOVES = tuple(PROGRAMS)
# Danced more often than the others, for there are so many ways to do them.
MANY_WAYS = {"pirouette": 3.0, "arabesque": 3.0, "attitude": 1.8, "grand_jete": 1.8}
# What is danced over the floor, one out of the other: turns, leaps and balances.
ACROSS_THE_FLOOR = ("pirouette", "arabesque", "attitude", "grand_jete", "chaines", "pirouette", "arabesque")

# What is no move, and how often it is done.
ORDINARY: tuple[tuple[Callable[[Score], None], float], ...] = (
    (everyday.standing, 4),
    (everyday.walking, 3),
    (everyday.talking, 2),
    (everyday.turning_round, 1.5),
    (everyday.running, 1),
    (everyday.side_steps, 2),
    (everyday.swaying, 1.5),
    (everyday.bending, 1.2),
    (everyday.lifting, 1),
    (everyday.lunging, 1.2),
    (everyday.sitting, 1),
    (tumbling.floor_work, 1.5),
    (play.hopping, 1),
    (play.hops_on_one_leg, 0.8),
    (play.playground_jumps, 1.5),
    (play.broad_jump, 0.7),
    (play.run_and_stop, 1),
    (play.leg_play, 1.2),
    (tumbling.balancing, 1),
    (climbing.climbing, 1),
    (climbing.dangling, 0.8),
    (climbing.hanging, 1.0),
    (play.kicking, 1),
    (play.stepping_over, 0.7),
    (tumbling.cartwheel, 0.7),
    (stage.port_de_bras, 2),
    (stage.stage_run, 1.5),
    (stage.stage_walk, 1.2),
    (stage.chasses, 1),
    (stage.glissade, 0.7),
    (stage.small_steps, 1.2),
    (stage.preparation, 1.2),
    (stage.foot_held, 1.2),
    (stage.expressing, 2),
    (everyday.tying_a_shoe, 0.7),
    (tumbling.stretching, 1.2),
    (dancing.grooving, 1.2),
    (dancing.salsa, 0.8),
    (dancing.hip_hop, 1.2),
    (dancing.modern, 2),
    (dancing.folk, 0.8),
    (dancing.turning_on_two_feet, 1.5),
    (unfinished.half_a_tendu, 0.6),
    (unfinished.no_turn, 1.5),
    (unfinished.low_behind, 1.2),
    (unfinished.no_leap, 0.8),
)


def anything(score: Score) -> None:
    """Something that is no move."""
    weights = np.array([weight for _, weight in ORDINARY])
    index = int(score.rng.choice(len(ORDINARY), p=weights / weights.sum()))
    ORDINARY[index][0](score)


def begin(seed: int) -> Score:
    """An empty score for a dancer of any build and skill who faces anywhere."""
    rng = np.random.default_rng(seed)
    score = Score(rng, Body.random(rng), Style.random(rng))
    score.trunk.yaw = score.between(-np.pi, np.pi)
    score.rows.clear()
    score.times.clear()
    score.place("first")
    score.carry()
    score.exactly(0.0)
    score.times[0] = score.time_s = 0.0
    return score


def perform(score: Score, program: Callable[[Score], None]) -> None:
    """One program in a manner of its own."""
    score.manner = Manner.random(score.rng)
    program(score)


def make_stream(seed: int, seconds: float, moves: Sequence[str] = MOVES) -> Stream:
    """Somebody dances some of `moves`, one to three joined at a time, and does everyday things in between."""
    score = begin(seed)
    weights = np.array([MANY_WAYS.get(move, 1.0) for move in moves])
    across = [PROGRAMS[move] for move in ACROSS_THE_FLOOR if move in moves]
    if {"grand_jete", "pirouette"} <= set(moves):
        across.append(leaps.leap_into_turn)
    while score.time_s < seconds:
        for _ in range(2 if score.chance(0.25) else 1):
            perform(score, anything)
        enchainement = len(across) > 1 and score.chance(0.2)
        for _ in range(score.count(2, 3) if enchainement else score.count(1, 3)):
            score.pace = score.between(0.75, 1.3)
            if enchainement:
                program = across[score.count(0, len(across) - 1)]
            else:
                program = PROGRAMS[moves[int(score.rng.choice(len(moves), p=weights / weights.sum()))]]
            perform(score, program)
            if score.chance(0.1 if enchainement else 0.35):
                score.beat(score.between(0.1, 1.2))
        score.pace = 1.0
    return cut(score.perform(), seconds)


def make_clip(move: str, seed: int) -> Stream:
    """One move ("none": anything else) with a moment of standing before and after."""
    score = begin(seed)
    score.beat(score.between(0.1, 0.6))
    perform(score, anything if move == "none" else PROGRAMS[move])
    score.beat(score.between(0.1, 0.6))
    return score.perform()


def cut(stream: Stream, seconds: float) -> Stream:
    """The first `seconds` of a stream."""
    frames = min(len(stream.positions), round(seconds * stream.hz))
    end = frames / stream.hz
    segments = [Segment(s.move, s.start_s, min(s.end_s, end)) for s in stream.segments if s.start_s < end]
    unsure = [(start, min(stop, end)) for start, stop in stream.unsure if start < end]
    return Stream(stream.positions[:frames], stream.joint_names, stream.hz, segments, unsure, stream.contact[:frames])
