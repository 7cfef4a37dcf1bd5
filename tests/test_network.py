"""The heads are what they should be."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from models.errors import ModelError, UsageError
from train.geometry import PoseGeometry
from train.network import (
    TEACHERS_SHARE,
    OneOfThem,
    Taught,
    accuracy,
    answering_along,
    build_network,
    compile_network,
    load_head,
    mean_along,
)
from train.settings import TrainSettings, settings_for

WINDOW = 12


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
    windows = np.random.default_rng(0).uniform(0.2, 0.8, (1, WINDOW, 51)).astype(np.float32)
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


def test_a_short_window_holds_no_more_true_steps_than_it_has() -> None:
    assert [settings_for(window=window).least_steps for window in (4, 8, 30)] == [4, 8, 8]
    assert settings_for(window=30, least_steps=20).least_steps == 20


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("window", 1, "--window 1: give a number from 2 to 1024"),
        ("dropout", 1.0, "--dropout 1.0"),
        ("learning_rate", float("nan"), "--learning-rate nan"),
        ("balance", "fair", "--balance fair: choose one of weights, draw, root, none"),
        ("head", "transformer", "--head transformer: choose one of pointe, original"),
        ("delay_steps", 30, "--delay-steps 30: a window of 30 steps"),
        ("least_steps", 31, "--least-steps 31: a window has 30 steps"),
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


def test_what_teachers_say_weighs_by_their_share_and_never_counts_as_right() -> None:
    answers = np.array([[0.5, 0.3, 0.2]], np.float32)
    labels, teachers = np.array([[0, 1, 1]], np.float32), np.array([[0.6, 0.3, 0.1]], np.float32)
    told = np.concatenate([labels, teachers], axis=-1)
    of_teachers = -(teachers * np.log(answers)).sum()
    wanted = (1 - TEACHERS_SHARE) * -np.log(0.5) + TEACHERS_SHARE * of_teachers
    assert float(Taught()(told, answers)) == pytest.approx(wanted, rel=1e-5)
    assert np.asarray(accuracy(told, answers)).tolist() == [0]
    assert np.asarray(accuracy(np.roll(told, 1, axis=-1), answers)).tolist() == [0]
    assert np.asarray(accuracy(np.array([[1, 0, 0, 0, 0, 1]], np.float32), answers)).tolist() == [1]


def test_several_heads_teach_what_they_say_on_average_at_every_step(tmp_path: Path) -> None:
    windows = np.random.default_rng(0).uniform(0.2, 0.8, (2, WINDOW, 51)).astype(np.float32)
    paths, said = [], []
    for number in range(2):
        keras.utils.set_random_seed(number)
        model = build_network(settings_for(units=8, dense=8, window=WINDOW), 51, 3, True)
        paths.append(tmp_path / f"{number}.keras")
        model.save(paths[-1])
        said.append(np.asarray(answering_along(model)(windows, training=False)))
    assert not np.allclose(said[0], said[1])
    np.testing.assert_allclose(mean_along(paths)(windows), np.mean(said, axis=0), atol=1e-6)
