"""What a model said of streams against what was danced in them: every figure by which streams are measured.

In: for each stream the answers step by step, the moves announced and the labels, from wherever they come: videos, made
features, recorded motion. Out: figures. Knows nothing of videos, networks or files.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.card import NONE
from models.errors import UsageError
from models.machine import install_command
from train.event_scores import Judgement, MoveScore, Span, add_up, covered_s, lies_in, mean_f1, meets, score_stream

CALIBRATION_BINS = 15
NOT_JUDGED = -1  # the truth of a step where the labels are unsure, or name a move that the model does not have
NO_VIEW = "not said"

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StreamResult:
    """One stream, as a model saw it and as it is labelled. All times are seconds of the stream."""

    name: str
    seconds: float
    times_s: Floats  # (steps,) that each answer speaks of: the model's delay is taken off
    probabilities: npt.NDArray[np.float32]  # (steps, moves) of the head, before any smoothing
    announced: Sequence[Span]
    shown_at_s: Sequence[float]  # when each announcement appeared on the display
    danced: Sequence[Span]
    ignored: Sequence[tuple[float, float]] = ()
    view: str | None = None
    dancer: str | None = None


@dataclass(frozen=True)
class Calibration:
    """How often the likeliest move was right, by how likely it was said to be; CALIBRATION_BINS bins of one width."""

    steps: Counts  # (bins,)
    confidence: Floats  # (bins,) mean probability of the likeliest move; NaN in an empty bin
    accuracy: Floats  # (bins,) share of the steps in which it was right; NaN in an empty bin

    @property
    def error(self) -> float:
        """Expected calibration error (Guo et al. 2017); NaN without a step."""
        if not self.steps.sum():
            return math.nan
        used = self.steps > 0
        return float(np.average(np.abs(self.confidence - self.accuracy)[used], weights=self.steps[used]))


@dataclass(frozen=True)
class StreamScores:
    """All figures of some streams. The order of moves is the model's."""

    names: tuple[str, ...]  # of the model, "none" among them
    streams: int
    seconds: float
    danced_seconds: float  # in which some move is danced, also one that the model does not have
    none_seconds: float  # in which none is danced and the labels are sure of it
    steps: int  # answers; there is none while the first window fills, and while no dancer is seen
    moves: Mapping[str, MoveScore]  # all but "none"
    false_in_none: int  # false moves that lie for more than half of their time where none is danced
    # (moves + 1, moves + 1) [danced][announced] without "none"; last: none danced, nothing announced
    event_confusion: Counts
    step_confusion: Counts  # (names, names) [truth][likeliest answer] of the steps that can be judged
    average_precision: Mapping[str, float | None]  # of steps; None for a move without one
    calibration: Calibration
    unknown: Mapping[str, int]  # moves danced of which the model has no name: neither missed nor false

    @property
    def mean_f1(self) -> float:
        """Over the moves that were danced; NaN where none was."""
        return mean_f1(self.moves)

    @property
    def mean_average_precision(self) -> float:
        """Over the moves that were danced, "none" left out; NaN where none was."""
        known = [value for name, value in self.average_precision.items() if name != NONE and value is not None]
        return float(np.mean(known)) if known else math.nan

    @property
    def together(self) -> MoveScore:
        """The counts of all moves added up."""
        return add_up(self.moves.values())

    @property
    def false_per_minute(self) -> float:
        """False moves of all kinds over the whole length of the streams."""
        return per_minute(self.together.false, self.seconds)

    @property
    def false_per_minute_of_none(self) -> float:
        """False moves where none is danced, over the time in which none is and the labels are sure."""
        return per_minute(self.false_in_none, self.none_seconds)

    def delay_s(self, percent: float, move: str | None = None) -> float:
        """A percentile of the delays from a move's start to its announcement, of those found; NaN for none."""
        score = self.together if move is None else self.moves[move]
        return percentile(score.delays_s, percent)


def per_minute(count: int, seconds: float) -> float:
    """NaN for no time at all."""
    return 60 * count / seconds if seconds > 0 else math.nan


def percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else math.nan


def by_view(results: Sequence[StreamResult]) -> dict[str, list[StreamResult]]:
    """The results of each view, in the order in which they first appear; empty where no view is said at all."""
    views: dict[str, list[StreamResult]] = {}
    for result in results:
        views.setdefault(result.view or NO_VIEW, []).append(result)
    return views if set(views) != {NO_VIEW} else {}


def score(results: Sequence[StreamResult], names: Sequence[str]) -> StreamScores:
    """All figures of these streams.

    Args:
        results: of one model.
        names: its moves, in the order of the probabilities.

    Raises:
        UsageError: scikit-learn is not installed.
    """
    moves = {name: MoveScore() for name in names if name != NONE}
    confusion = np.zeros((len(moves) + 1, len(moves) + 1), np.int64)
    danced_s = none_s = 0.0
    false_in_none = 0
    for result in results:
        judgement = score_stream(moves, result.danced, result.announced, result.shown_at_s, result.ignored)
        danced = [(span.start_s, span.end_s) for span in result.danced]
        danced_s += covered_s(danced, 0.0, result.seconds)
        none_s += result.seconds - covered_s([*danced, *result.ignored], 0.0, result.seconds)
        false = [span for span, verdict in zip(result.announced, judgement.verdicts, strict=True) if verdict is False]
        false_in_none += sum(not lies_in(span, danced) for span in false)
        _count_events(confusion, list(moves), result, judgement, false)
    truth, probabilities = _judged_steps(results, names)
    answers = probabilities.argmax(axis=1)
    step_confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(step_confusion, (truth, answers), 1)
    return StreamScores(
        names=tuple(names),
        streams=len(results),
        seconds=sum(result.seconds for result in results),
        danced_seconds=danced_s,
        none_seconds=none_s,
        steps=sum(len(result.times_s) for result in results),
        moves=moves,
        false_in_none=false_in_none,
        event_confusion=confusion,
        step_confusion=step_confusion,
        average_precision=_average_precision(truth, probabilities, names),
        calibration=_calibration(truth, probabilities),
        unknown=dict(sorted(Counter(s.move for r in results for s in r.danced if s.move not in moves).items())),
    )


def true_steps(result: StreamResult, names: Sequence[str]) -> npt.NDArray[np.int32]:
    """For each step the index of what was danced; NOT_JUDGED where either answer would be right, or none can be."""
    times = result.times_s
    truth = np.full(len(times), names.index(NONE) if NONE in names else NOT_JUDGED, np.int32)
    for start_s, end_s in result.ignored:
        truth[(times >= start_s) & (times < end_s)] = NOT_JUDGED
    for span in result.danced:
        index = names.index(span.move) if span.move in names else NOT_JUDGED
        truth[(times >= span.start_s) & (times < span.end_s)] = index
    return truth


def _judged_steps(results: Sequence[StreamResult], names: Sequence[str]) -> tuple[npt.NDArray[np.int32], Floats]:
    """Truth (steps,) and probabilities (steps, names) of all steps that can be judged."""
    truths = [np.zeros(0, np.int32), *(true_steps(result, names) for result in results)]
    said = [np.zeros((0, len(names)), np.float32), *(r.probabilities.reshape(-1, len(names)) for r in results)]
    truth, probabilities = np.concatenate(truths), np.concatenate(said).astype(np.float64)
    judged = truth != NOT_JUDGED
    return truth[judged], probabilities[judged]


def _average_precision(
    truth: npt.NDArray[np.int32], probabilities: Floats, names: Sequence[str]
) -> dict[str, float | None]:
    try:
        from sklearn.metrics import average_precision_score
    except ImportError as error:
        raise UsageError(
            f"Scoring streams needs scikit-learn, which is not installed.\nType: {install_command('train')}"
        ) from error
    # The sum of its parts may come to one and a rounding error.
    return {
        name: min(1.0, float(average_precision_score(truth == index, probabilities[:, index])))
        if index in truth
        else None
        for index, name in enumerate(names)
    }


def _calibration(truth: npt.NDArray[np.int32], probabilities: Floats) -> Calibration:
    likeliest = probabilities.max(axis=1, initial=0)
    right = probabilities.argmax(axis=1) == truth
    bins = np.minimum((likeliest * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    steps = np.bincount(bins, minlength=CALIBRATION_BINS).astype(np.int64)
    of = np.where(steps > 0, steps, np.nan)
    confidence = np.bincount(bins, likeliest, CALIBRATION_BINS) / of
    return Calibration(steps, confidence, np.bincount(bins, right, CALIBRATION_BINS) / of)


def _count_events(
    confusion: Counts, moves: Sequence[str], result: StreamResult, judgement: Judgement, false: Sequence[Span]
) -> None:
    """Each move danced is counted once, in the column of what was announced meanwhile; in place.

    One that was found is in its own, and of other names that which shares the most time with it counts. The last row
    counts false announcements that meet no move danced, or only such of their own name as are a small part of them.
    """
    nothing = len(moves)
    for truth, found in zip(result.danced, judgement.found, strict=True):
        if truth.move not in moves:
            continue
        met = [span for span in result.announced if meets(span, truth) and span.move != truth.move]
        best = max(met, key=lambda span: span.overlap_s(truth), default=None)
        instead = nothing if best is None else moves.index(best.move)
        confusion[moves.index(truth.move), moves.index(truth.move) if found else instead] += 1
    for span in false:
        if not any(meets(span, truth) and truth.move != span.move for truth in result.danced):
            confusion[nothing, moves.index(span.move)] += 1
