"""All figures of labelled streams, against what one counts by hand."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.errors import UsageError
from train.event_scores import Span
from train.stream_scores import NOT_JUDGED, StreamResult, by_view, score, true_steps

NAMES = ("none", "plie", "tendu")
HZ = 10.0


def result(
    danced: list[Span],
    announced: list[Span],
    ignored: list[tuple[float, float]] | None = None,
    *,
    seconds: float = 20.0,
    late_s: float = 0.3,
    said: np.ndarray | None = None,
    view: str | None = None,
) -> StreamResult:
    """A stream whose answers are `said`, or the truth with certainty."""
    times = np.arange(0, seconds, 1 / HZ)
    stream = StreamResult(
        name="a",
        seconds=seconds,
        times_s=times,
        probabilities=np.zeros((len(times), 3), np.float32),
        announced=announced,
        shown_at_s=[span.start_s + late_s for span in announced],
        danced=danced,
        ignored=ignored or [],
        view=view,
    )
    truth = true_steps(stream, NAMES)
    certain = np.eye(3, dtype=np.float32)[np.maximum(truth, 0)]
    return replace(stream, probabilities=certain if said is None else said)


PLIE, TENDU, LATER = Span("plie", 2, 4), Span("tendu", 6, 7), Span("plie", 10, 12)


def test_a_perfect_model_gets_perfect_figures() -> None:
    scores = score([result([PLIE, TENDU, LATER], [PLIE, TENDU, LATER])], NAMES)
    assert scores.mean_f1 == scores.mean_average_precision == 1
    assert scores.average_precision == {"none": 1, "plie": 1, "tendu": 1}
    assert scores.false_per_minute == scores.false_per_minute_of_none == scores.calibration.error == 0
    assert [scores.delay_s(50), scores.delay_s(95)] == pytest.approx([0.3, 0.3])
    assert scores.step_confusion.tolist() == [[150, 0, 0], [0, 40, 0], [0, 0, 10]]
    assert scores.event_confusion.tolist() == [[2, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_false_moves_are_counted_over_all_time_and_over_time_without_a_move() -> None:
    idle, wrong = Span("tendu", 14, 15), Span("tendu", 2.2, 3.8)
    scores = score([result([PLIE, LATER], [PLIE, idle, wrong], [(4, 5)])], NAMES)
    assert scores.together.false == 2
    assert scores.false_per_minute == pytest.approx(2 * 60 / 20)
    # one of the two lies where nothing is danced; of 20 s, 4 are danced and 1 is ignored
    assert scores.none_seconds == pytest.approx(15)
    assert scores.false_per_minute_of_none == pytest.approx(1 * 60 / 15)


def test_the_confusion_of_events_says_what_was_announced_meanwhile() -> None:
    wrong, idle = Span("tendu", 2.2, 3.8), Span("plie", 14, 15)
    scores = score([result([PLIE, TENDU, LATER], [wrong, LATER, idle])], NAMES)
    #  plié: once as tendu, once right; tendu: nothing; while none was danced: a plié
    assert scores.event_confusion.tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_a_right_name_comes_before_a_longer_wrong_one() -> None:
    scores = score([result([PLIE], [Span("plie", 2, 3.1), Span("tendu", 2, 4)])], NAMES)
    assert scores.event_confusion.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert scores.moves["tendu"].false == 1


def test_a_move_unknown_to_the_model_is_listed_and_neither_missed_nor_false() -> None:
    scores = score([result([Span("fouette", 2, 4)], [Span("tendu", 2, 4)])], NAMES)
    assert scores.unknown == {"fouette": 1}
    assert scores.together.danced == scores.together.false == scores.together.announced == 0
    assert scores.step_confusion.sum() == 180  # its two seconds are not judged
    assert scores.none_seconds == 18


def test_steps_are_judged_by_what_is_danced_then_and_not_where_it_is_ignored() -> None:
    stream = result([Span("plie", 1, 2)], [], [(0.5, 1.5)], seconds=3)
    truth = true_steps(stream, NAMES)
    assert truth[:5].tolist() == [0] * 5
    assert truth[5:10].tolist() == [NOT_JUDGED] * 5
    assert truth[10:20].tolist() == [1] * 10
    assert truth[20:].tolist() == [0] * 10


def test_a_model_without_none_is_not_judged_where_no_move_is_danced() -> None:
    said = np.tile(np.array([0.9, 0.1], np.float32), (200, 1))
    scores = score([result([PLIE], [], said=said)], ("plie", "tendu"))
    assert scores.step_confusion.tolist() == [[20, 0], [0, 0]]


def test_average_precision_is_that_of_the_ranking() -> None:
    # Of four steps two are plié, ranked first and third: (1/1 + 2/3) / 2.
    said = np.array([[0.1, 0.9, 0], [0.4, 0.6, 0], [0.3, 0.7, 0], [0.9, 0.1, 0]], np.float32)
    stream = replace(result([Span("plie", 0, 0.15)], [], seconds=0.4), probabilities=said)
    assert score([stream], NAMES).average_precision["plie"] == pytest.approx((1 / 1 + 2 / 3) / 2)
    swapped = replace(stream, probabilities=said[[0, 2, 1, 3]])
    assert score([swapped], NAMES).average_precision["plie"] == pytest.approx(1)


def test_the_calibration_error_is_how_far_confidence_is_from_being_right() -> None:
    # Always 0.8 sure of plié, and right in a quarter of the steps.
    said = np.tile(np.array([0.1, 0.8, 0.1], np.float32), (200, 1))
    calibration = score([result([Span("plie", 0, 5)], [], said=said)], NAMES).calibration
    assert calibration.error == pytest.approx(0.8 - 0.25, abs=1e-6)
    assert calibration.steps.sum() == calibration.steps[12] == 200  # 0.8 lies in the last but two of 15 bins
    assert np.isnan(calibration.accuracy[0])


def test_streams_are_parted_by_view_and_nothing_is_parted_where_none_is_said() -> None:
    front, back, unsaid = (result([], [], view=view) for view in ("front", "back", None))
    assert {view: len(part) for view, part in by_view([front, back, front]).items()} == {"front": 2, "back": 1}
    assert list(by_view([front, unsaid])) == ["front", "not said"]
    assert by_view([unsaid, unsaid]) == {}


def test_figures_of_nothing_are_no_numbers() -> None:
    scores = score([], NAMES)
    for value in (scores.mean_f1, scores.mean_average_precision, scores.false_per_minute, scores.delay_s(50)):
        assert math.isnan(value)
    assert math.isnan(scores.calibration.error)


def test_without_scikit_learn_it_is_said_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)  # as where it is not installed
    with pytest.raises(UsageError, match=r"scikit-learn, which is not installed\.\nType: .*train"):
        score([result([PLIE], [PLIE])], NAMES)


moments = st.integers(0, 190).map(lambda tenth: tenth / 10)
spans = st.lists(
    st.builds(
        lambda move, start, length: Span(move, start, start + length / 10),
        st.sampled_from(["plie", "tendu", "fouette"]),
        moments,
        st.integers(1, 30),
    ),
    max_size=8,
)
known = spans.map(lambda all_: [span for span in all_ if span.move in NAMES])
stretches = st.lists(st.tuples(moments, st.integers(1, 30)).map(lambda e: (e[0], e[0] + e[1] / 10)), max_size=3)
# Coarse, so that there are ties.
answers = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).multinomial(4, [0.5, 0.3, 0.2], 200).astype(np.float32) / 4
)


@given(spans, known, stretches, answers)
def test_no_figure_leaves_its_range(
    danced: list[Span], announced: list[Span], ignored: list[tuple[float, float]], said: np.ndarray
) -> None:
    scores = score([result(danced, announced, ignored, said=said)], NAMES)
    together = scores.together
    assert together.found <= together.danced <= len(danced)
    assert together.danced + sum(scores.unknown.values()) == len(danced)
    assert scores.false_in_none <= together.false <= together.announced <= len(announced)
    assert scores.event_confusion[:-1].sum() == together.danced
    assert np.trace(scores.event_confusion) == together.found
    assert scores.event_confusion[-1].sum() <= together.false
    assert 0 <= scores.none_seconds <= scores.seconds - scores.danced_seconds + 1e-9
    assert scores.step_confusion.sum() == scores.calibration.steps.sum() <= scores.steps
    assert 0 <= scores.calibration.error <= 1
    for value in scores.average_precision.values():
        assert value is None or 0 <= value <= 1


@given(spans, known, stretches, answers, st.integers(1, 100))
def test_shifting_everything_in_time_changes_nothing(
    danced: list[Span], announced: list[Span], ignored: list[tuple[float, float]], said: np.ndarray, shift: int
) -> None:
    # Times are whole sixteenths of a second, which a shift does not round.
    def moved(span: Span, by: float) -> Span:
        return Span(span.move, round(span.start_s * 10) / 16 + by, round(span.end_s * 10) / 16 + by)

    def at(by: float) -> StreamResult:
        stream = result(
            [moved(span, by) for span in danced],
            [moved(span, by) for span in announced],
            [(round(start * 10) / 16 + by, round(end * 10) / 16 + by) for start, end in ignored],
            said=said,
            late_s=0.25,
        )
        return replace(stream, times_s=np.arange(200) / 16 + by, seconds=20 + by)

    here, there = score([at(0)], NAMES), score([at(float(shift))], NAMES)
    assert here.moves == there.moves
    assert here.event_confusion.tolist() == there.event_confusion.tolist()
    assert here.step_confusion.tolist() == there.step_confusion.tolist()
    assert here.average_precision == there.average_precision
    assert here.calibration.error == pytest.approx(there.calibration.error)
    assert here.false_in_none == there.false_in_none
    assert there.none_seconds == pytest.approx(here.none_seconds + shift)


@given(known)
@example([Span("plie", 0.0, 0.1), Span("plie", 0.0, 0.2), Span("plie", 0.1, 0.2)])  # labels that overlap
def test_announcing_what_was_danced_at_once_is_perfect(danced: list[Span]) -> None:
    scores = score([result(danced, danced, late_s=0)], NAMES)
    if danced:
        assert scores.mean_f1 == 1
        assert scores.delay_s(95) == 0
    assert scores.together.false == 0


@given(st.lists(st.tuples(spans, known), min_size=1, max_size=4))
def test_counts_of_streams_add_up(streams: list[tuple[list[Span], list[Span]]]) -> None:
    results = [result(danced, announced) for danced, announced in streams]
    parts = [score([each], NAMES) for each in results]
    whole = score(results, NAMES)
    assert whole.together.false == sum(part.together.false for part in parts)
    assert whole.together.found == sum(part.together.found for part in parts)
    assert whole.seconds == pytest.approx(sum(part.seconds for part in parts))
    assert whole.step_confusion.tolist() == sum(part.step_confusion for part in parts).tolist()
