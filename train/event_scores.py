"""Moves that were announced against moves that were danced: found, missed, false, and how late.

Streams and labels come from whoever measures; this knows only stretches of time with names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# A move is found when an announcement of its name shares so much of the shorter of the two. Half, so that one
# announcement cannot count for two moves that follow each other.
LEAST_OVERLAP = 0.5


@dataclass(frozen=True)
class Span:
    """A named stretch of a stream, in seconds."""

    move: str
    start_s: float
    end_s: float

    def overlap_s(self, other: "Span") -> float:
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))


@dataclass
class MoveScore:
    """Counts of one move over all streams. `delays_s`: from its start to its announcement, of those found."""

    danced: int = 0
    found: int = 0
    announced: int = 0
    false: int = 0
    delays_s: list[float] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of what was announced and could be judged; 1 where nothing was."""
        judged = self.found_announcements + self.false
        return self.found_announcements / judged if judged else 1.0

    @property
    def found_announcements(self) -> int:
        return self.announced - self.false

    @property
    def recall(self) -> float:
        return self.found / self.danced if self.danced else 1.0

    @property
    def f1(self) -> float:
        together = self.precision + self.recall
        return 2 * self.precision * self.recall / together if together else 0.0


def score_stream(
    scores: Mapping[str, MoveScore],
    danced: Sequence[Span],
    announced: Sequence[Span],
    announced_at_s: Sequence[float],
    ignored: Iterable[tuple[float, float]] = (),
) -> None:
    """Count one stream into `scores`, which has an entry for each name that may be announced.

    Args:
        scores: changed in place.
        danced: what was done.
        announced: what was said, with the times that were said for it.
        announced_at_s: when each announcement appeared on the display.
        ignored: stretches where nothing can be called false, as the label itself is unsure.
    """
    unsure = [Span("", start, end) for start, end in ignored]
    for truth in danced:
        if truth.move not in scores:
            unsure.append(truth)
            continue
        score = scores[truth.move]
        score.danced += 1
        hits = [at for span, at in zip(announced, announced_at_s, strict=True) if _matches(span, truth)]
        if hits:
            score.found += 1
            score.delays_s.append(max(0.0, min(hits) - truth.start_s))
    for span in announced:
        if any(_matches(span, truth) for truth in danced):
            scores[span.move].announced += 1
        elif not any(_covers(stretch, span) for stretch in unsure):
            scores[span.move].announced += 1
            scores[span.move].false += 1


def mean_f1(scores: Mapping[str, MoveScore]) -> float:
    """Over the moves that were danced, each weighing the same."""
    return float(np.mean([score.f1 for score in scores.values() if score.danced]))


def _matches(announced: Span, truth: Span) -> bool:
    if announced.move != truth.move:
        return False
    shorter = min(announced.end_s - announced.start_s, truth.end_s - truth.start_s)
    return announced.overlap_s(truth) >= LEAST_OVERLAP * shorter > 0


def _covers(stretch: Span, span: Span) -> bool:
    return stretch.overlap_s(span) >= LEAST_OVERLAP * (span.end_s - span.start_s)
