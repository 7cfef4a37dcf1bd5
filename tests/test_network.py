"""The pose's geometry says what the body does, wherever it is seen; the heads are what they should be."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.errors import ModelError, UsageError
from models.keypoints import INDEX, MIRRORED
from train.network import OneOfThem, PoseGeometry, answering_along, build_network, compile_network, load_head
from train.settings import TrainSettings, settings_for

WINDOW = 12
GEOMETRY = PoseGeometry()
GEOMETRY.build((None, WINDOW, 51))

BODY = {  # a dancer that stands, seen from the front, 1 being the torso's length
    "nose": (0, -1.5), "eye": (0.08, -1.58), "ear": (0.15, -1.52), "shoulder": (0.38, -1.0), "elbow": (0.55, -0.4),
    "wrist": (0.6, 0.2), "hip": (0.22, 0), "knee": (0.24, 0.85), "ankle": (0.24, 1.7),
}  # fmt: skip


def geometry(windows: Any) -> Any:
    return np.asarray(GEOMETRY(np.asarray(windows, np.float32)))


def dance(seed: int = 0, window: int = WINDOW) -> np.ndarray[Any, Any]:
    """A body that moves at random about standing: (1, window, 17, 3)."""
    random = np.random.default_rng(seed)
    joints = np.zeros((17, 2))
    for name, number in INDEX.items():
        side, _, joint = name.rpartition("_")
        x, y = BODY[joint]
        joints[number] = (-x if side == "right" else x, y)
    moving = joints + np.cumsum(0.05 * random.standard_normal((window, 17, 2)), axis=0)
    place = (0.6, 0.5) + 0.2 * moving
    score = random.uniform(0.4, 1, (window, 17, 1))
    return np.concatenate([place, score], axis=2)[None].astype(np.float32)


def flat(joints: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return joints.reshape(*joints.shape[:2], 51)


@settings(deadline=None)
@given(st.integers(0, 50), st.floats(-1, 1), st.floats(-1, 1), st.floats(0.3, 3))
def test_where_and_how_large_the_dancer_is_seen_changes_nothing(seed: int, x: float, y: float, size: float) -> None:
    joints = dance(seed)
    elsewhere = joints.copy()
    elsewhere[..., :2] = elsewhere[..., :2] * size + (x, y)
    np.testing.assert_allclose(geometry(flat(elsewhere)), geometry(flat(joints)), atol=2e-3)


@settings(deadline=None, max_examples=200)
@given(arrays.arrays(np.float32, (1, WINDOW, 51), elements=st.floats(width=32)))
def test_whatever_comes_in_finite_numbers_come_out(windows: Any) -> None:
    out = geometry(windows)
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 20


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(INDEX))), st.integers(0, 1))
def test_unseen_joints_leave_finite_numbers(unseen: set[str], score: int) -> None:
    joints = dance()
    for name in unseen:
        joints[:, :, INDEX[name]] = (0, 0, 0.1 * score)
    out = geometry(flat(joints))
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 20


@pytest.mark.parametrize("padded", [1, 5, WINDOW])
def test_padding_stays_zero_and_other_steps_do_not(padded: int) -> None:
    joints = flat(dance())
    joints[:, :padded] = 0
    out = geometry(joints)
    assert not out[:, :padded].any()
    assert out[:, padded:].any(axis=2).all()


def test_padding_is_no_part_of_what_scale_and_floor_are_measured_on() -> None:
    still = flat(np.repeat(dance()[:, :1], WINDOW, axis=1))
    padded = still.copy()
    padded[:, :7] = 0
    np.testing.assert_allclose(geometry(padded)[:, 7:], geometry(still)[:, 7:], atol=1e-5)


def test_a_jump_out_of_the_padding_is_no_velocity() -> None:
    still = np.repeat(dance()[:, :1], WINDOW, axis=1)
    still[:, :4] = 0
    out = geometry(flat(still))
    np.testing.assert_allclose(out[:, 4:] - out[:, 4:5], 0, atol=1e-5)


def test_unseen_hips_are_stood_in_for_by_the_shoulders() -> None:
    joints = dance()
    joints[:, :, [INDEX["left_hip"], INDEX["right_hip"]], 2] = 0.05
    moved = joints.copy()
    moved[:, :, [INDEX["left_hip"], INDEX["right_hip"]], :2] += 5  # where they are guessed to be must not matter
    body, same = (geometry(flat(each))[..., : 2 * 17].reshape(1, WINDOW, 2, 17) for each in (joints, moved))
    shoulders = [INDEX["left_shoulder"], INDEX["right_shoulder"], INDEX["nose"]]
    assert np.abs(body[..., shoulders]).max() < 3
    # The scale then comes from the body's spread, which shrinks the guess's effect; the sides stay where they were.
    assert (np.sign(body[..., shoulders[:2]]) == np.sign(same[..., shoulders[:2]])).all()


def test_the_signed_width_says_which_way_the_body_faces() -> None:
    front = dance()
    back = front[:, :, list(MIRRORED)]  # left and right have changed places
    ours, theirs = geometry(flat(front)), geometry(flat(back))
    opposite = np.abs(ours + theirs).max(axis=(0, 1)) < 1e-3
    same = np.abs(ours - theirs).max(axis=(0, 1)) < 1e-3
    assert (opposite & ~same).sum() >= 2  # the widths
    assert (same & ~opposite).sum() >= 40  # the pairs that a swap of left and right leaves alone


def test_another_length_than_a_poses_is_refused() -> None:
    with pytest.raises(ValueError, match="51"):
        PoseGeometry().build((None, WINDOW, 48))


def test_the_default_head_has_about_150_thousand_parameters() -> None:
    assert 120_000 < build_network(settings_for(), 51, 6, True).count_params() < 180_000


def test_the_original_head_is_the_ancestors() -> None:
    preset = settings_for("original")
    assert (preset.window, preset.units, preset.dense, preset.dropout) == (40, 2048, 512, 0.5)
    assert (preset.learning_rate, preset.batch, preset.epochs, preset.patience) == (1e-5, 32, 1000, 5)
    narrow = settings_for("original", units=20, dense=5)  # as wide as the preset it takes seconds to make
    model = build_network(narrow, 2048, 3, False)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", "LSTM", "Dense", "Dropout", "Dense"]
    assert model.input_shape == (None, 40, 2048)
    assert (model.layers[1].units, model.layers[1].dropout) == (20, 0.5)
    assert (model.layers[2].units, model.layers[3].rate) == (5, 0.5)
    compile_network(model, narrow, 100)
    assert type(model.optimizer).__name__ == "Adam"
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-5)


def test_the_original_head_looks_at_raw_features() -> None:
    model = build_network(settings_for("original", units=4, dense=4), 51, 2, True)
    assert not any(isinstance(layer, PoseGeometry) for layer in model.layers)


@pytest.mark.parametrize("pose", [True, False])
def test_a_saved_head_says_the_same_when_it_is_loaded(tmp_path: Path, pose: bool) -> None:
    model = build_network(settings_for(units=8, dense=8, window=WINDOW), 51, 3, pose)
    model.save(tmp_path / "head.keras")
    windows = flat(dance())
    wanted = np.asarray(model(windows, training=False))
    np.testing.assert_array_equal(np.asarray(load_head(tmp_path / "head.keras")(windows, training=False)), wanted)
    assert wanted.sum() == pytest.approx(1)


def test_a_missing_head_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_head(tmp_path / "head.keras")


def test_the_loss_of_one_label_is_the_usual_one_and_of_several_that_of_what_they_have_together() -> None:
    answers = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], np.float32)
    single = np.array([[0, 1, 0], [1, 0, 0]], np.float32)
    usual = keras.losses.CategoricalCrossentropy(label_smoothing=0.05, reduction="none")
    ours = OneOfThem(0.05, reduction="none")
    np.testing.assert_allclose(ours(single, answers), usual(single, answers), rtol=1e-5)
    both = np.array([[1, 0, 1], [0, 1, 1]], np.float32)
    np.testing.assert_allclose(OneOfThem(reduction="none")(both, answers), -np.log([0.7, 0.9]), rtol=1e-5)


def test_the_learning_rate_rises_and_then_falls() -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    compile_network(model, settings_for(learning_rate=1e-2, warmup=0.1), 100)
    rate = model.optimizer._learning_rate
    told = [float(rate(step)) for step in (0, 10, 55, 100)]
    assert told[1] == pytest.approx(1e-2)
    assert told[0] < told[2] < told[1]
    assert told[3] < told[0]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("window", 1, "--window 1: give a number from 2 to 1024"),
        ("dropout", 1.0, "--dropout 1.0"),
        ("learning_rate", float("nan"), "--learning-rate nan"),
        ("balance", "fair", "--balance fair: choose one of weights, draw, root, none"),
        ("head", "transformer", "--head transformer: choose one of pointe, original"),
        ("delay_steps", 30, "--delay-steps 30: a window of 30 steps"),
        ("colour", 1, "No such training setting: colour"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(setting: str, value: Any, said: str) -> None:
    with pytest.raises(UsageError) as error:
        settings_for(**{"head": "pointe"} | {setting: value})
    assert str(error.value).startswith(said)


def test_a_setting_that_is_not_given_stays_at_the_heads_preset() -> None:
    assert settings_for("original", window=None) == settings_for("original")
    assert settings_for("original", window=20).window == 20
    assert settings_for() == TrainSettings()
    assert settings_for(units=3).differences(settings_for()) == ["units: 3, not 128"]


def test_the_head_that_is_trained_along_a_window_answers_the_same_at_its_end() -> None:
    model = build_network(settings_for(units=8, dense=8, window=WINDOW), 51, 3, True)
    windows = np.random.default_rng(0).uniform(0.2, 0.8, (4, WINDOW, 51)).astype(np.float32)
    along = np.asarray(answering_along(model)(windows, training=False))
    assert along.shape == (4, WINDOW, 3)
    np.testing.assert_allclose(along[:, -1], np.asarray(model(windows, training=False)), atol=1e-6)
