"""All moves by name, and streams and clips of them with everyday motion in between.

The moves are programs on a Score, told as a teacher would tell them: barre.py, centre.py, allegro.py; what is no ballet
is in everyday.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from train import allegro, barre, centre, everyday
from train.body import Body
from train.score import Score, Segment, Stream, Style

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
        centre.pirouette,
        centre.fouette,
        centre.chaines,
        allegro.grand_jete,
        allegro.jete,
    )
}
MOVES = tuple(PROGRAMS)


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


def make_stream(seed: int, seconds: float, moves: Sequence[str] = MOVES) -> Stream:
    """Somebody dances some of `moves`, one to three joined at a time, and does everyday things in between."""
    score = begin(seed)
    while score.time_s < seconds:
        everyday.anything(score)
        for _ in range(score.count(1, 3)):
            score.pace = score.between(0.75, 1.3)
            PROGRAMS[score.pick(*moves)](score)
            if score.chance(0.35):
                score.beat(score.between(0.1, 1.2))
        score.pace = 1.0
    return cut(score.perform(), seconds)


def make_clip(move: str, seed: int) -> Stream:
    """One move ("none": anything else) with a moment of standing before and after."""
    score = begin(seed)
    score.beat(score.between(0.1, 0.6))
    if move == "none":
        everyday.anything(score)
    else:
        PROGRAMS[move](score)
    score.beat(score.between(0.1, 0.6))
    return score.perform()


def cut(stream: Stream, seconds: float) -> Stream:
    """The first `seconds` of a stream."""
    frames = min(len(stream.positions), round(seconds * stream.hz))
    end = frames / stream.hz
    segments = [Segment(s.move, s.start_s, min(s.end_s, end)) for s in stream.segments if s.start_s < end]
    unsure = [(start, min(stop, end)) for start, stop in stream.unsure if start < end]
    return Stream(stream.positions[:frames], stream.joint_names, stream.hz, segments, unsure, stream.contact[:frames])
