"""Moves made of predictions whose probabilities are written down."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import NAMES, make_card

from live.moves import Move, MoveTracker
from live.recognizer import Prediction
from models.card import MoveClass
from models.errors import UsageError
from models.frames import MAX_GAP_S

PERIOD_S = 0.1


def certain(name: str, probability: float = 0.9) -> np.ndarray:
    """The given probability for one move, the rest shared by the others."""
    probabilities = np.full(len(NAMES), (1 - probability) / (len(NAMES) - 1), np.float32)
    probabilities[NAMES.index(name)] = probability
    return probabilities


def card(**changes: object):
    return make_card(**{"smoothing_s": 0.0, **changes})


def track(tracker: MoveTracker, steps: list[np.ndarray]) -> list[Move]:
    """All moves of predictions that come every PERIOD_S, from 0 on."""
    moves = [tracker.update(Prediction(step, index * PERIOD_S)) for index, step in enumerate(steps)]
    return [move for move in [*moves, tracker.finish()] if move]


def test_a_move_lasts_from_entering_to_falling_below_leave() -> None:
    steps = [certain("none")] * 5 + [certain("plie")] * 10 + [certain("none")] * 5
    (move,) = track(MoveTracker(card()), steps)
    assert (move.name, move.start_s, move.end_s) == ("plie", pytest.approx(0.5), pytest.approx(1.5))


def test_confidence_is_the_mean_of_the_smoothed_probability_while_it_lasted() -> None:
    steps = [certain("plie", 0.9), certain("plie", 0.7), certain("plie", 0.8), certain("none")]
    (move,) = track(MoveTracker(card()), steps)
    assert move.confidence == pytest.approx(0.8)


def test_a_move_that_goes_on_for_long_holds_no_more_memory_than_at_its_beginning() -> None:
    tracker, held = MoveTracker(card()), certain("plie")
    tracemalloc.start()
    try:
        for index in range(5000):
            tracker.update(Prediction(held, index * PERIOD_S))
            if index == 10:
                before, _ = tracemalloc.get_traced_memory()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tracker.current is not None
    assert after - before < 10_000


def test_between_leave_and_enter_a_move_goes_on_but_none_begins() -> None:
    doubtful = [certain("plie", 0.5)] * 5
    assert track(MoveTracker(card()), doubtful) == []
    (move,) = track(MoveTracker(card()), [certain("plie")] * 2 + doubtful + [certain("none")])
    assert move.end_s == pytest.approx(0.7)


def test_what_flares_up_once_is_no_move() -> None:
    moves = tuple(MoveClass(name=name, display=name, enter=0.6, leave=0.4, min_duration_s=PERIOD_S) for name in NAMES)
    before, after = [certain("none")] * 5, [certain("none")] * 5
    flared, held = ([*before, certain("plie"), certain("plie", then), *after] for then in (0.45, 0.55))
    assert track(MoveTracker(card(moves=moves)), flared) == []
    assert [move.name for move in track(MoveTracker(card(moves=moves)), held)] == ["plie"]


def test_another_move_that_takes_over_ends_the_former_at_its_own_beginning() -> None:
    plie, tendu = track(MoveTracker(card()), [certain("plie")] * 5 + [certain("tendu")] * 5)
    assert (plie.name, tendu.name) == ("plie", "tendu")
    assert plie.end_s == tendu.start_s == pytest.approx(0.5)


def related(**probabilities: float) -> np.ndarray:
    """These probabilities, and what is left for none."""
    row = np.zeros(len(NAMES), np.float32)
    for name, probability in probabilities.items():
        row[NAMES.index(name)] = probability
    row[NAMES.index("none")] += 1 - row.sum()
    return row


def family_card():
    moves = tuple(
        MoveClass(name=name, display=name, enter=0.7, leave=0.4, family="both" if name in ("plie", "tendu") else None)
        for name in NAMES
    )
    return card(moves=moves)


def test_moves_of_a_family_are_found_together_and_named_by_the_likelier() -> None:
    steps = [related(plie=0.3, tendu=0.5)] * 5 + [certain("none")] * 5
    assert track(MoveTracker(card(moves=tuple(MoveClass(name=n, display=n, enter=0.7) for n in NAMES))), steps) == []
    (move,) = track(MoveTracker(family_card()), steps)
    assert (move.name, move.confidence) == ("tendu", pytest.approx(0.8))


def test_a_move_is_named_by_what_was_likelier_over_all_its_time() -> None:
    tracker = MoveTracker(family_card())
    steps = [related(plie=0.8)] * 2 + [related(tendu=0.8)] * 6 + [certain("none")]
    (move,) = track(tracker, steps)
    assert (move.name, move.start_s, move.end_s) == ("tendu", 0, pytest.approx(0.8))


def test_none_belongs_to_no_family() -> None:
    with pytest.raises(ValueError, match="no family"):
        card(moves=tuple(MoveClass(name=name, display=name, family="all") for name in NAMES))


def test_none_however_likely_makes_no_move() -> None:
    assert track(MoveTracker(card(), threshold=0.1), [certain("none", 1.0)] * 20) == []


def test_a_stretch_shorter_than_its_minimum_is_no_move_and_is_not_shown() -> None:
    moves = tuple(MoveClass(name=name, display=name, min_duration_s=0.35) for name in NAMES)
    tracker = MoveTracker(card(moves=moves))
    for index in range(4):  # lasts 0.3 s
        tracker.update(Prediction(certain("plie"), index * PERIOD_S))
        assert tracker.current is None
    assert tracker.finish() is None
    assert len(track(tracker, [certain("plie")] * 5)) == 1


def test_what_is_shown_as_current_is_what_will_be_reported() -> None:
    tracker = MoveTracker(card())
    for index in range(8):
        tracker.update(Prediction(certain("saute"), index * PERIOD_S))
    shown = tracker.current
    assert shown is not None
    assert (shown.name, shown.end_s) == ("saute", pytest.approx(0.7))
    assert tracker.finish() == shown
    assert tracker.current is None


def test_a_move_that_was_shown_is_reported_though_another_name_of_its_family_would_need_longer() -> None:
    least = {"plie": 0.1, "tendu": 0.6}
    moves = tuple(
        MoveClass(name=n, display=n, enter=0.7, family="both" if n in least else None, min_duration_s=least.get(n, 0))
        for n in NAMES
    )
    tracker = MoveTracker(card(moves=moves))
    for index, step in enumerate([related(plie=0.8)] * 2 + [related(tendu=0.9)] * 2):
        tracker.update(Prediction(step, index * PERIOD_S))
        assert (tracker.current is not None) == (index > 0)
    shown = tracker.current
    assert shown is not None and shown.name == "tendu"
    assert tracker.finish() == shown


def test_delay_shifts_moves_back_and_not_before_the_start() -> None:
    steps = [certain("none")] * 5 + [certain("plie")] * 10 + [certain("none")] * 5
    (move,) = track(MoveTracker(card(delay_s=0.3)), steps)
    assert (move.start_s, move.end_s) == (pytest.approx(0.2), pytest.approx(1.2))
    (early,) = track(MoveTracker(card(delay_s=0.3)), [certain("plie")] * 10)
    assert early.start_s == 0


def test_a_move_that_goes_on_where_the_stream_ends_lasts_to_its_last_frame() -> None:
    tracker = MoveTracker(card(delay_s=0.3))
    for step in range(20):
        tracker.update(Prediction(certain("plie"), step * PERIOD_S))
    shown, ended = tracker.current, tracker.finish()
    assert shown and ended
    assert (shown.end_s, ended.end_s) == (pytest.approx(1.6), pytest.approx(1.9))
    assert shown.start_s == ended.start_s


def test_probabilities_are_averaged_over_the_smoothing_time() -> None:
    tracker = MoveTracker(card(smoothing_s=0.3))
    for index, probability in enumerate((0.9, 0.3, 0.6, 0.6)):
        tracker.update(Prediction(certain("plie", probability), index * PERIOD_S))
    assert tracker.smoothed is not None
    assert tracker.smoothed[NAMES.index("plie")] == pytest.approx(0.5)  # of the last three


def test_one_doubtful_prediction_does_not_end_a_smoothed_move() -> None:
    steps = [certain("plie")] * 5 + [certain("none")] + [certain("plie")] * 5
    (move,) = track(MoveTracker(card(smoothing_s=0.5)), steps)
    assert move.end_s == pytest.approx(1.0)


def test_a_short_wait_keeps_a_move_and_a_long_one_ends_it_at_its_last_prediction() -> None:
    tracker = MoveTracker(card())
    for index in range(6):
        tracker.update(Prediction(certain("plie"), index * PERIOD_S))
    assert tracker.lost(0.5 + MAX_GAP_S / 2) is None
    ended = tracker.lost(0.5 + 1.1 * MAX_GAP_S)
    assert ended is not None
    assert ended.end_s == pytest.approx(0.5)
    assert tracker.current is None and tracker.smoothed is None


def test_a_prediction_after_a_gap_ends_what_was_before_it() -> None:
    tracker = MoveTracker(card())
    for index in range(6):
        tracker.update(Prediction(certain("plie"), index * PERIOD_S))
    ended = tracker.update(Prediction(certain("plie"), 10.0))
    assert ended is not None and ended.end_s == pytest.approx(0.5)
    tracker.update(Prediction(certain("plie"), 10.3))
    again = tracker.finish()
    assert again is not None and again.start_s == pytest.approx(10.0)


def test_a_threshold_takes_the_place_of_enter_and_lowers_leave_with_it() -> None:
    weak = [certain("plie", 0.4)] * 5 + [certain("plie", 0.2)] * 5
    assert track(MoveTracker(card()), weak) == []
    (move,) = track(MoveTracker(card(), threshold=0.3), weak)
    assert move.end_s == pytest.approx(0.5)
    assert track(MoveTracker(card(), threshold=0.95), [certain("plie", 0.9)] * 5) == []


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="--threshold"):
        MoveTracker(card(), threshold)


probabilities = st.lists(st.floats(0.001, 1), min_size=len(NAMES), max_size=len(NAMES)).map(
    lambda raw: (np.array(raw) / sum(raw)).astype(np.float32)
)
steps_of_time = st.sampled_from([0.02, 0.0667, 0.1, 0.4, 0.6, 3.0])


@given(
    steps=st.lists(st.tuples(probabilities, steps_of_time, st.booleans()), max_size=60),
    smoothing_s=st.sampled_from([0.0, 0.2, 1.0]),
    delay_s=st.sampled_from([0.0, 0.25]),
    threshold=st.sampled_from([None, 0.3, 0.5]),
    minimum_s=st.sampled_from([0.0, 0.2, 0.5]),
)
def test_moves_are_named_long_enough_and_never_overlap(steps, smoothing_s, delay_s, threshold, minimum_s) -> None:
    moves = tuple(MoveClass(name=name, display=name, min_duration_s=minimum_s) for name in NAMES)
    tracker = MoveTracker(card(moves=moves, smoothing_s=smoothing_s, delay_s=delay_s), threshold)
    found, shown, time_s = [], set(), 0.0
    for step, wait_s, seen in steps:
        time_s += wait_s
        found.append(tracker.update(Prediction(step, time_s)) if seen else tracker.lost(time_s))
        shown |= {tracker.current.start_s} if tracker.current else set()
    found = [move for move in [*found, tracker.finish()] if move]
    assert shown <= {move.start_s for move in found}
    for move in found:
        assert move.name in NAMES and move.name != "none"
        assert 0 <= move.start_s < move.end_s <= time_s
        assert move.end_s - move.start_s >= minimum_s - 1e-6
        assert 0 < move.confidence <= 1
    for former, latter in zip(found, found[1:], strict=False):
        assert former.end_s <= latter.start_s
