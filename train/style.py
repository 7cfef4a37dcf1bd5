"""How somebody dances, whatever is danced: a manner of one's own, and from a child's first lesson to the stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Manner:
    """What a dancer adds to whatever is danced: épaulement, a trunk that leans, arms of one's own. Radians."""

    twist: float = 0.0
    look: float = 0.0
    nod: float = 0.0
    tip: float = 0.0
    bend: float = 0.0
    sway: float = 0.0
    astray: float = 0.0  # how often the arms are not where the move would have them

    @staticmethod
    def random(rng: np.random.Generator) -> Manner:
        """As taught, half of the time; else shoulders and head at an angle, and often other arms."""
        astray = float(rng.choice([0.0, 0.3, 1.0], p=[0.6, 0.25, 0.15]))
        if rng.random() < 0.5:
            return Manner(astray=astray)
        twist, look, nod, tip, bend, sway = rng.normal(0, (0.18, 0.35, 0.14, 0.12, 0.09, 0.09)).clip(-0.6, 0.6)
        return Manner(float(twist), float(look), float(nod), float(tip), float(bend), float(sway), astray)


@dataclass(frozen=True)
class Style:
    """How somebody dances: from a child's first lesson to the stage."""

    tempo: float = 1.0  # 2: twice as slow
    turnout: float = 1.1  # radians of each foot
    skill: float = 1.0  # scales heights of legs and jumps and how straight the knees are
    wobble: float = 0.3
    straight: float = 1.0  # how far a standing leg is stretched at most; less: a dancer with soft knees
    opened: float = 0.7  # how far the hip of a raised leg goes with it; 0: the hips stay square

    @staticmethod
    def random(rng: np.random.Generator) -> Style:
        skill = float(rng.beta(2.2, 1.2))
        return Style(
            tempo=float(np.exp(rng.uniform(np.log(0.5), np.log(2.0)))),
            turnout=float(np.radians(rng.uniform(25, 60) + 22 * skill)),
            skill=skill,
            wobble=float(rng.uniform(0.1, 1.0)) * (1.4 - skill),
            straight=1.0 - max(0.0, float(rng.normal(0, 0.025))) * (1.3 - skill),
            opened=float(rng.uniform(0.1, 1.2)),
        )
