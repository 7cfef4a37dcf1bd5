"""What is to be shown of one moment, whoever shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from models.frames import Box

if TYPE_CHECKING:
    from live.moves import Move


@dataclass(frozen=True, eq=False)
class View:
    """What is to be drawn of one moment. Times are the source's; a value that is not known is None."""

    time_s: float
    source: str = ""
    filled: int = 0  # features in the window so far
    window: int = 1
    dancer: bool = True
    probabilities: npt.NDArray[Any] | None = None  # (moves,) smoothed
    current: "Move | None" = None
    recent: "Sequence[Move]" = ()
    keypoints: npt.NDArray[Any] | None = None  # (17, 3): x, y in pixels, score
    box: Box | None = None
    fps: float | None = None
    latency_s: float | None = None
    dropped: int = 0
    gives: str | None = None  # size and rate of a camera, as measured
    provider: str = ""
    stage_s: Mapping[str, float] = field(default_factory=dict)  # decode, prepare, encode, head, draw
    status: str | None = None  # "reconnecting"
    paused: bool = False
    recording: bool = False
    mirrored: bool = False  # the picture is, and what lies on it
    ended: bool = False
