"""A stream: joint positions over time, and which move is danced when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from train.body import Array


@dataclass(frozen=True)
class Segment:
    """A stretch of a stream that shows one move."""

    move: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Stream:
    """Motion with the times of its moves; what neither a segment nor `unsure` covers is no move."""

    positions: Array  # (frames, joints, 3) metres, Y up, floor at 0
    joint_names: tuple[str, ...]
    hz: float
    segments: list[Segment]
    # preparations and recoveries, where either name is right
    unsure: list[tuple[float, float]] = field(default_factory=list)
    # (frames, 2): the left foot stands, the right foot stands
    contact: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 2), np.bool_))

    @property
    def seconds(self) -> float:
        return len(self.positions) / self.hz


def merged(segments: Sequence[Segment]) -> list[Segment]:
    """Repetitions of one move without a pause between them are one."""
    result: list[Segment] = []
    for segment in segments:
        if result and result[-1].move == segment.move and segment.start_s - result[-1].end_s < 0.05:
            result[-1] = replace(result[-1], end_s=segment.end_s)
        else:
            result.append(segment)
    return result
