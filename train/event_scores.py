"""Moves that were announced against moves that were danced: found, missed, false, and how late.

Streams and labels come from whoever measures; this knows only stretches of time with names.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# A move is found when an announcement of its name shares so much of the shorter of the two; and an announcement is
# right only when it lies for so much of its time where its move is danced, else one that never ends would find all.
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
    """Counts of one move over all streams.

    `delays_s`: from its start to its announcement, of those found; of moves that one announcement finds, of the first.
    """

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


@dataclass(frozen=True)
class Judgement:
    """What became of each move danced and of each announcement of one stream, in the order they were given in."""

    found: tuple[bool, ...]  # each move danced
    # Of each move danced, from its start to its announcement; None: missed, or announced with one before it.
    delays_s: tuple[float | None, ...]
    verdicts: tuple[bool | None, ...]  # of each announcement: right, or false; None where the label itself is unsure


def judge(
    danced: Sequence[Span],
    announced: Sequence[Span],
    announced_at_s: Sequence[float],
    ignored: Iterable[tuple[float, float]] = (),
) -> Judgement:
    """Match one stream's announcements with what was danced. Arguments are those of `score_stream`."""
    unsure = list(ignored)
    finds = [[matches(span, truth) for truth in danced] for span in announced]
    verdicts: list[bool | None] = []
    for span, found in zip(announced, finds, strict=True):
        own = [(truth.start_s, truth.end_s) for truth in danced if truth.move == span.move]
        if any(found) and lies_in(span, [*own, *unsure]):
            verdicts.append(True)
        else:
            verdicts.append(None if lies_in(span, unsure) else False)
    right = [number for number, verdict in enumerate(verdicts) if verdict]
    delays: list[float | None] = [None] * len(danced)
    found_by = [[number for number in right if finds[number][index]] for index in range(len(danced))]
    for index, truth in enumerate(danced):
        if not found_by[index]:
            continue
        soonest = min(found_by[index], key=announced_at_s.__getitem__)
        begun_s = min(other.start_s for other, found in zip(danced, finds[soonest], strict=True) if found)
        if begun_s == truth.start_s:  # else it was announced with one before it
            delays[index] = max(0.0, announced_at_s[soonest] - truth.start_s)
    return Judgement(tuple(map(bool, found_by)), tuple(delays), tuple(verdicts))


def score_stream(
    scores: Mapping[str, MoveScore],
    danced: Sequence[Span],
    announced: Sequence[Span],
    announced_at_s: Sequence[float],
    ignored: Iterable[tuple[float, float]] = (),
) -> Judgement:
    """Count one stream into `scores`, which has an entry for each name that may be announced.

    A move danced of any other name is neither missed, nor is anything false that was announced meanwhile.

    Args:
        scores: changed in place.
        danced: what was done.
        announced: what was said, with the times that were said for it.
        announced_at_s: when each announcement appeared on the display.
        ignored: stretches where nothing can be called false, as the label itself is unsure.

    Returns:
        What it was counted by.
    """
    unsure = [*ignored, *((truth.start_s, truth.end_s) for truth in danced if truth.move not in scores)]
    judgement = judge(danced, announced, announced_at_s, unsure)
    for truth, found, delay_s in zip(danced, judgement.found, judgement.delays_s, strict=True):
        if truth.move not in scores:
            continue
        scores[truth.move].danced += 1
        scores[truth.move].found += found
        scores[truth.move].delays_s += [] if delay_s is None else [delay_s]
    for span, verdict in zip(announced, judgement.verdicts, strict=True):
        if verdict is not None:
            scores[span.move].announced += 1
            scores[span.move].false += not verdict
    return judgement


def mean_f1(scores: Mapping[str, MoveScore]) -> float:
    """Over the moves that were danced, each weighing the same; not a number where none was."""
    danced = [score.f1 for score in scores.values() if score.danced]
    return float(np.mean(danced)) if danced else math.nan


def add_up(scores: Iterable[MoveScore]) -> MoveScore:
    """One score with the counts and delays of all."""
    total = MoveScore()
    for score in scores:
        total.danced += score.danced
        total.found += score.found
        total.announced += score.announced
        total.false += score.false
        total.delays_s += score.delays_s
    return total


def matches(announced: Span, truth: Span) -> bool:
    """Whether a move is announced by its name for so much of the shorter of the two."""
    return announced.move == truth.move and meets(announced, truth)


def meets(announced: Span, truth: Span) -> bool:
    """Whether the two share enough of their time, whatever their names."""
    shorter = min(announced.end_s - announced.start_s, truth.end_s - truth.start_s)
    return announced.overlap_s(truth) >= LEAST_OVERLAP * shorter > 0


def lies_in(span: Span, stretches: Iterable[tuple[float, float]]) -> bool:
    """Whether the stretches, all together, cover enough of the time of `span`."""
    return covered_s(stretches, span.start_s, span.end_s) >= LEAST_OVERLAP * (span.end_s - span.start_s)


def covered_s(stretches: Iterable[tuple[float, float]], start_s: float, end_s: float) -> float:
    """How many seconds between these two times the stretches cover; where they overlap it counts once."""
    covered, until = 0.0, start_s
    for start, end in sorted(stretches):
        start, end = max(start, until), min(end, end_s)
        covered += max(0.0, end - start)
        until = max(until, end)
    return covered
