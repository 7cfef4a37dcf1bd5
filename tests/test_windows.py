"""Windows end where they should, are labelled as they should be, and depend on nothing but their seed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import UsageError
from models.keypoints import INDEX
from train.windows import (
    LAST_STEP,
    OTHER,
    SKIP,
    Disturbance,
    Sequence,
    WindowDrawer,
    batches,
    class_weights,
    disturb,
    step_weights,
    targets,
)

NOTHING = Disturbance(
    mirror=0, roll_degrees=0, scale=0, aspect=0, jitter=0, score=0, joint_loss=0, cold_start=0
)  # leaves a window as it is


def counted(name: str, steps: int, label: int = 0, dim: int = 2) -> Sequence:
    """A sequence whose features are the number of the step, from 1."""
    features = np.repeat(np.arange(1, steps + 1, dtype=np.float32)[:, None], dim, axis=1)
    return Sequence(name, features, np.full(steps, label, np.int32))


def poses(batch: int, window: int) -> np.ndarray[Any, Any]:
    """Windows of a body in the middle of the picture."""
    random = np.random.default_rng(0)
    joints = 0.5 + 0.2 * random.standard_normal((batch, window, 17, 3)).astype(np.float32)
    joints[..., 2] = 0.7
    return joints.reshape(batch, window, 51)


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 5), st.integers(1, 10))
def test_a_window_holds_the_steps_up_to_its_end_and_zeros_before(
    steps: int, window: int, delay: int, least: int
) -> None:
    delay = min(delay, window - 1)
    sequence = counted("a", steps)
    labels = np.arange(steps, dtype=np.int32)
    drawer = WindowDrawer([Sequence("a", sequence.features, labels)], window, delay, least)
    batch = drawer.gather(np.arange(len(drawer)))
    for row, end, label, along in zip(batch.windows, drawer.ends, batch.labels, batch.along, strict=True):
        wanted = np.maximum(np.arange(end + 2 - window, end + 2), 0)
        np.testing.assert_array_equal(row[:, 0], wanted)
        assert label == along[-1] == end - delay
        spoken_of = np.arange(end + 1 - window, end + 1) - delay
        np.testing.assert_array_equal(along, np.where(spoken_of >= 0, spoken_of, SKIP))


@given(st.integers(4, 20), st.integers(2, 8), st.integers(1, 3))
def test_the_last_step_weighs_most_and_padding_nothing(steps: int, window: int, least: int) -> None:
    drawer = WindowDrawer([counted("a", steps)], window, 0, least)
    batch = drawer.gather(np.arange(len(drawer)))
    weights = step_weights(batch, least)
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    assert (weights[:, -1] == weights.max()).all()
    assert not weights[:, :-1][(batch.windows[:, :-1] == 0).all(axis=2)].any()
    before = weights[:, :-1][weights[:, :-1] > 0]
    np.testing.assert_allclose(before, weights.max() / LAST_STEP, rtol=1e-5)


def test_windows_of_fewer_true_steps_than_wanted_are_left_out() -> None:
    drawer = WindowDrawer([counted("a", 10)], window=6, least_steps=4)
    assert drawer.ends.tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_a_clip_shorter_than_that_gives_one_window() -> None:
    drawer = WindowDrawer([counted("a", 3)], window=6, least_steps=4)
    assert drawer.gather(np.arange(len(drawer))).windows[:, :, 0].tolist() == [[0, 0, 0, 1, 2, 3]]


def test_steps_marked_to_be_skipped_label_no_window() -> None:
    labels = np.array([0, SKIP, 1, SKIP, 1], np.int32)
    drawer = WindowDrawer([Sequence("a", counted("a", 5).features, labels)], window=2, least_steps=1)
    assert drawer.ends.tolist() == [0, 2, 4]
    assert drawer.labels.tolist() == [0, 1, 1]
    assert drawer.counts(3).tolist() == [1, 2, 0]


def test_a_step_without_a_label_of_its_own_may_be_any_of_the_others() -> None:
    labels = np.array([[1, OTHER], [SKIP, 0]], np.int32)
    may_be = targets(labels, 3, others=(0, 2))
    assert may_be.tolist() == [[[0, 1, 0], [1, 0, 1]], [[1, 1, 1], [1, 0, 0]]]


def test_windows_of_others_are_drawn_though_they_are_no_class() -> None:
    labels = np.array([0, OTHER, 1, OTHER, SKIP], np.int32)
    drawer = WindowDrawer([Sequence("a", np.ones((5, 3), np.float32), labels)], 2, least_steps=1)
    assert drawer.counts(2).tolist() == [1, 1]
    assert sorted(drawer.labels[drawer.draw(4, (1,), 0.5)]) == [OTHER, OTHER, 0, 1]


def test_the_same_seed_draws_the_same_windows_and_another_epoch_others() -> None:
    drawer = WindowDrawer([counted("a", 200)], window=4)
    first = drawer.draw(50, (7, 1))
    assert first.tolist() == drawer.draw(50, (7, 1)).tolist()
    assert first.tolist() != drawer.draw(50, (7, 2)).tolist()
    assert first.tolist() != drawer.draw(50, (8, 1)).tolist()


@given(st.integers(1, 60))
def test_no_window_is_drawn_again_before_all_were(count: int) -> None:
    drawer = WindowDrawer([counted("a", 20)], window=4, least_steps=1)
    times = np.bincount(drawer.draw(count, (0,)), minlength=20)
    assert times.sum() == count
    assert times.max() - times.min() <= 1


def test_a_balanced_draw_has_as_many_windows_of_a_rare_move_as_of_a_common_one() -> None:
    drawer = WindowDrawer([counted("a", 500, 0), counted("b", 12, 1), counted("c", 40, 3)], window=4)
    drawn = drawer.labels[drawer.draw(300, (0, 1), power=0)]
    assert np.bincount(drawn).tolist() == [100, 100, 0, 100]


@given(st.integers(1, 400), st.sampled_from([0.0, 0.5, 0.9]))
def test_a_draw_gives_as_many_windows_as_asked_for_and_the_common_move_no_fewer(count: int, power: float) -> None:
    drawer = WindowDrawer([counted("a", 400, 0), counted("b", 30, 1)], window=4)
    drawn = np.bincount(drawer.labels[drawer.draw(count, (0, 1), power)], minlength=2)
    assert drawn.sum() == count
    assert drawn[0] >= drawn[1] - 1


def test_a_draw_by_the_root_shows_a_move_that_is_four_times_as_frequent_twice_as_often() -> None:
    drawer = WindowDrawer([counted("a", 407, 0), counted("b", 107, 1)], window=4)  # 400 and 100 windows
    assert np.bincount(drawer.labels[drawer.draw(300, (0,), power=0.5)]).tolist() == [200, 100]


def test_class_weights_make_all_classes_weigh_the_same() -> None:
    counts = np.array([90, 10, 0])
    weights = class_weights(counts)
    assert (weights * counts).tolist() == pytest.approx([50, 50, 0])


def test_no_sequence_is_a_users_mistake() -> None:
    with pytest.raises(UsageError, match="no sequences"):
        WindowDrawer([], window=4)


def test_features_and_labels_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Sequence("a", np.zeros((5, 2), np.float32), np.zeros(4, np.int32))


def test_batches_hold_every_number_once() -> None:
    assert [lot.tolist() for lot in batches(np.arange(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_disturbance_hangs_on_its_seed_alone() -> None:
    windows = poses(8, 20)
    before = windows.copy()
    once, again = disturb(windows, (1, 2, 3), Disturbance()), disturb(windows, (1, 2, 3), Disturbance())
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(windows, before)
    assert not np.array_equal(once, disturb(windows, (1, 2, 4), Disturbance()))


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 19))
def test_padding_stays_zero_and_scores_stay_scores(seed: int, padded: int) -> None:
    windows = poses(4, 20)
    windows[:, :padded] = 0
    out = disturb(windows, (seed,), Disturbance())
    assert not out[:, :padded].any()
    assert np.isfinite(out).all()
    scores = out.reshape(4, 20, 17, 3)[..., 2]
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_no_disturbance_changes_nothing() -> None:
    windows = poses(4, 20)
    windows[0, :7] = 0
    np.testing.assert_allclose(disturb(windows, (0,), NOTHING), windows, atol=1e-6)


def test_a_mirrored_dancer_raises_the_other_arm_on_the_other_side() -> None:
    window = np.zeros((1, 3, 17, 3), np.float32)
    window[..., 0], window[..., 1], window[..., 2] = 0.5, 0.6, 0.9
    window[:, :, INDEX["left_wrist"], :2] = (0.8, 0.1)
    mirrored = disturb(window.reshape(1, 3, 51), (0,), Disturbance(**(vars(NOTHING) | {"mirror": 1})))
    joints = mirrored.reshape(1, 3, 17, 3)
    center = window[..., 0].mean()
    assert joints[0, 0, INDEX["right_wrist"], :2].tolist() == pytest.approx([2 * center - 0.8, 0.1], abs=1e-5)
    assert joints[0, 0, INDEX["left_wrist"], :2].tolist() == pytest.approx([2 * center - 0.5, 0.6], abs=1e-5)


def test_a_cold_start_takes_the_beginning_and_leaves_enough() -> None:
    windows = poses(200, 20)
    out = disturb(windows, (0,), Disturbance(**(vars(NOTHING) | {"cold_start": 1})), least_steps=8)
    left = out.any(axis=2).sum(axis=1)
    assert left.min() == 8
    assert left.max() == 19
    assert out[:, -8:].any(axis=2).all()
