"""The training of the shipped model: what it learns from, and from whom."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.card import EncoderInfo, ModelCard, Provenance
from models.errors import UsageError
from train.default import LEAST_S, LESSONS_OF_TEACHERS, UNNAMED, default_material, default_settings, main, train_taught
from train.fit import Material, answer_along, fit_sequences
from train.network import load_head
from train.run_folder import HEAD_FILE
from train.settings import settings_for
from train.windows import Sequence

MOVES = ("none", "plie", "jete")
ENCODER = EncoderInfo(kind="image", name="toy", sha256="b" * 64, input_size=32, feature_dim=4)
TINY = settings_for(window=6, least_steps=3, units=8, dense=8, epochs=15, epoch_windows=192, batch=16, dropout=0.0)


def sequence(name: str, shown: int, label: int) -> Sequence:
    """Twenty steps that show one move and are labelled with another, or the same."""
    features = np.random.default_rng(len(name)).normal(0, 0.1, (20, 4)).astype(np.float32)
    features[:, shown] += 2
    return Sequence(name, features, np.full(20, label, np.int32))


def material(labels: tuple[int, int, int] = (0, 1, 2)) -> Material:
    """`labels`: what is said of each of the three moves where it is shown."""
    return Material(
        train=[sequence(f"{number}{shown}", shown, labels[shown]) for shown in range(3) for number in range(3)],
        validation=[sequence(f"held out {shown}", shown, labels[shown]) for shown in range(3)],
        moves=MOVES,
        encoder=ENCODER,
        encoder_path=Path("encoder.onnx"),
        provenance=Provenance(trained_on="numbers"),
    )


def said_of(run: Path, shown: int) -> str:
    answers = answer_along(load_head(run / HEAD_FILE), [sequence("new", shown, 0)], TINY)
    return MOVES[int(answers[0].probabilities.mean(axis=0).argmax())]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "ballet"
    train_taught([material((0, 2, 1)), material((0, 2, 1))], run, TINY)
    return run


def test_a_teacher_for_each_material_lies_beside_the_model_they_teach(taught: Path) -> None:
    assert sorted(path.name for path in taught.parent.iterdir()) == ["ballet", "ballet-teacher-1", "ballet-teacher-2"]
    assert ModelCard.read(taught).name == "ballet"


def test_the_card_knows_how_long_moves_take_at_least(taught: Path) -> None:
    assert {move.name: move.min_duration_s for move in ModelCard.read(taught).moves}["plie"] == LEAST_S["plie"]


def test_a_head_believes_its_teachers_more_than_the_labels(taught: Path, tmp_path: Path) -> None:
    heads = [taught.with_name(f"ballet-teacher-{number}") / HEAD_FILE for number in (1, 2)]
    fit_sequences(material(), tmp_path / "alone", TINY)
    fit_sequences(material(), tmp_path / "taught", TINY, teachers=heads)
    assert [said_of(tmp_path / "alone", shown) for shown in (1, 2)] == ["plie", "jete"]
    assert [said_of(tmp_path / "taught", shown) for shown in (1, 2)] == ["jete", "plie"]


def test_a_taught_training_that_was_stopped_goes_on_where_it_was(taught: Path, tmp_path: Path) -> None:
    materials = [material((0, 2, 1)), material((0, 2, 1))]
    run, first = tmp_path / "ballet", "ballet-teacher-1"
    shutil.copytree(taught.with_name(first), run.with_name(first))  # after it, it was stopped
    train_taught(materials, run, TINY, resume=True)
    assert said_of(run, 1) == said_of(taught, 1)
    for ours, same in zip(load_head(run / HEAD_FILE).weights, load_head(taught / HEAD_FILE).weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(same))


def test_a_run_does_not_go_on_with_other_teachers(taught: Path) -> None:
    before = (taught / HEAD_FILE).read_bytes()
    with pytest.raises(UsageError, match="other teachers"):
        fit_sequences(material((0, 2, 1)), taught, TINY, resume=True)
    with pytest.raises(UsageError, match="--resume"):
        train_taught([material((0, 2, 1))], taught, TINY)
    assert (taught / HEAD_FILE).read_bytes() == before


def test_what_has_no_name_is_danced_for_one_teacher_and_not_for_the_other() -> None:
    settings = replace(default_settings(), sample_hz=5.0)
    without, with_it = (default_material(1, settings, unnamed) for unnamed in LESSONS_OF_TEACHERS)
    assert without.moves == with_it.moves
    assert not set(UNNAMED) & set(without.moves)
    assert without.train[0].features.tobytes() != with_it.train[0].features.tobytes()


def test_a_run_that_is_there_is_refused_before_any_stream_is_made(
    taught: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="holds a run already"):
        main([str(taught), "--streams", "3000"])
    assert "making" not in capsys.readouterr().out
