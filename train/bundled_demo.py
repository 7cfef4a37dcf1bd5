"""The demo that the package brings: five moves, as at an examination."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from train import everyday
from train.body import Body
from train.camera import look_from
from train.choreography import PROGRAMS, Stream
from train.dancer import Costume, Film, Studio
from train.filming import shoot, write_video
from train.score import Score
from train.style import Style

DEMO_SEED = 357
DEMO_MOVES = ("plie", "tendu", "pirouette", "arabesque", "saute")


def demo_stream(seed: int = DEMO_SEED) -> Stream:
    """Plié, tendu, pirouette, arabesque and sauté with standing in between, as at an examination."""
    rng = np.random.default_rng(seed)
    score = Score(rng, Body(), Style(tempo=0.85, turnout=1.25, skill=1.0, wobble=0.12))
    score.arms("low")
    score.beat(1.0)
    for move in DEMO_MOVES:
        profile = 1.25 if move == "arabesque" else 0.0  # of a leg behind nobody sees much from the front
        face(score, profile)
        PROGRAMS[move](score)
        score.stance("first", 0.5)
        score.arms("low")
        score.beat(0.9)
    return score.perform()


def face(score: Score, yaw: float) -> None:
    """Turn to look there with two small steps."""
    turn = (yaw - score.trunk.yaw + np.pi) % (2 * np.pi) - np.pi
    if abs(turn) > 0.7:
        everyday.steps(score, 2, 0.0, 0.5, turn / 2, lift=0.04)
        score.arms("low")
        score.stance("first", 0.5)


def film_demo(path: Path, height: int = 360, fps: float = 25.0) -> Stream:
    """Write the demo that the package brings; returns its motion, for its labels."""
    stream = demo_stream()
    camera = look_from(stream.positions, azimuth=0.35, height=1.25, distance=5.2, fill=0.76)
    camera = replace(camera, aspect=16 / 9)
    costume = Costume(skirt=0.10, skirt_colour=(120, 70, 96), leotard=(84, 34, 56))
    write_video(path, shoot(stream, Film(camera, height, costume, Studio()), fps), fps, quality=25, speed="veryslow")
    return stream
