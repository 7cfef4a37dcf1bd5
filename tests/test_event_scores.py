"""Counting moves that were found, missed and announced falsely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.event_scores import MoveScore, Span, mean_f1, score_stream


def scored(
    danced: list[Span], announced: list[Span], ignored: list[tuple[float, float]] | None = None
) -> dict[str, MoveScore]:
    scores = {"plie": MoveScore(), "tendu": MoveScore()}
    score_stream(scores, danced, announced, [span.start_s + 0.3 for span in announced], ignored or [])
    return scores


def test_a_move_announced_while_it_is_danced_is_found() -> None:
    score = scored([Span("plie", 1, 3)], [Span("plie", 1.5, 3.2)])["plie"]
    assert (score.danced, score.found, score.announced, score.false) == (1, 1, 1, 0)
    assert score.delays_s == [pytest.approx(0.8)]
    assert score.f1 == 1


def test_a_move_announced_elsewhere_is_false_and_the_danced_one_missed() -> None:
    score = scored([Span("plie", 1, 3)], [Span("plie", 5, 6)])["plie"]
    assert (score.found, score.false, score.precision, score.recall, score.f1) == (0, 1, 0, 0, 0)


def test_the_wrong_name_is_a_miss_of_one_and_a_false_move_of_the_other() -> None:
    scores = scored([Span("plie", 1, 3)], [Span("tendu", 1, 3)])
    assert scores["plie"].recall == 0
    assert scores["tendu"].false == 1


def test_nothing_is_called_false_where_the_label_is_unsure() -> None:
    assert scored([], [Span("plie", 1, 2)], ignored=[(0.9, 1.8)])["plie"].announced == 0
    assert scored([], [Span("plie", 1, 2)], ignored=[(0.0, 1.2)])["plie"].false == 1
    assert scored([], [Span("plie", 1, 2)], ignored=[(0.9, 1.3), (1.5, 1.8)])["plie"].announced == 0


def test_a_move_that_the_model_has_no_name_for_is_neither_missed_nor_false() -> None:
    scores = scored([Span("fouette", 1, 3)], [Span("tendu", 1.2, 2.8)])
    assert all(score.danced == score.false == 0 for score in scores.values())


def test_two_announcements_of_one_move_find_it_once() -> None:
    score = scored([Span("plie", 0, 4)], [Span("plie", 0.5, 1.5), Span("plie", 2, 3)])["plie"]
    assert (score.found, score.announced, score.false) == (1, 2, 0)
    assert score.precision == 1


def test_an_announcement_that_never_ends_is_false_and_finds_nothing() -> None:
    score = scored([Span("plie", at, at + 2) for at in (10, 30, 50)], [Span("plie", 0, 60)])["plie"]
    assert (score.danced, score.found, score.announced, score.false, score.delays_s) == (3, 0, 1, 1, [])
    unsure = scored([Span("plie", 10, 12)], [Span("plie", 9, 14)], ignored=[(8.5, 10), (12, 14)])["plie"]
    assert (unsure.found, unsure.announced, unsure.false) == (1, 1, 0)


def test_one_announcement_over_moves_that_follow_each_other_finds_all_and_is_late_for_the_first_alone() -> None:
    score = scored([Span("plie", 1, 2), Span("plie", 2.2, 3)], [Span("plie", 1.5, 3.2)])["plie"]
    assert (score.found, score.announced, score.false) == (2, 1, 0)
    assert score.delays_s == [pytest.approx(0.8)]


spans = st.lists(
    st.tuples(st.sampled_from(["plie", "tendu"]), st.floats(0, 60), st.floats(0.1, 5)).map(
        lambda each: Span(each[0], each[1], each[1] + each[2])
    ),
    max_size=12,
)


@given(spans, spans)
def test_counts_never_exceed_what_there_was(danced: list[Span], announced: list[Span]) -> None:
    scores = scored(danced, announced)
    assert sum(score.danced for score in scores.values()) == len(danced)
    assert sum(score.announced for score in scores.values()) == len(announced)
    for score in scores.values():
        assert 0 <= score.found <= score.danced
        assert 0 <= score.false <= score.announced
        assert 0 <= score.f1 <= 1
    if danced:
        assert 0 <= mean_f1(scores) <= 1


@given(spans)
def test_announcing_what_was_danced_is_perfect(danced: list[Span]) -> None:
    for score in scored(danced, danced).values():
        assert score.recall == score.precision == score.f1 == 1
