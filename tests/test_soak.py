"""The short forms of scripts/soak."""

import pytest

from scripts.soak import consume_slowly, soak, wait_for_a_camera


def test_many_frames_leave_nothing_behind(model: str) -> None:
    soaked = soak(3000, 1000.0, model)
    assert soaked.broken_promises == []
    assert soaked.frames == 3000 and soaked.answered > 300


def test_a_recogniser_half_as_fast_as_the_camera_answers_fresh_frames_and_the_others_are_counted(model: str) -> None:
    runs = []
    while len(runs) < 3 and (not runs or runs[-1].broken_promises):  # whatever else runs makes it only worse
        runs.append(consume_slowly(4, model))
    assert runs[-1].broken_promises == []
    assert runs[-1].answered == pytest.approx(50, abs=20)
    assert all(slow.captured == slow.answered + slow.dropped for slow in runs)


def test_waiting_for_a_camera_costs_next_to_nothing(model: str) -> None:
    waited = wait_for_a_camera(2, model, record=False)
    assert waited.own_cpu < 0.2  # of a core; what it really is says the script, on a quiet machine
