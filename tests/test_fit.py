"""A training can be repeated, killed, resumed and trusted."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from models.card import UNFINISHED, EncoderInfo, ModelCard, Provenance
from models.errors import UsageError
from train.calibration import HIGHEST_ENTER, Answers, calibrated, fit_temperature, fit_thresholds, smoothed
from train.clip import Clip, fingerprint
from train.features import ClipFeatures, FeatureSet
from train.fit import UNKNOWN_SHA256, Material, answer_along, fit_sequences
from train.fit_clips import clip_material, fit_clips
from train.network import build_network, load_head
from train.progress import show_epochs
from train.run_folder import Epoch, Progress, RunFolder
from train.settings import TrainSettings, settings_for
from train.windows import SKIP, Sequence

MOVES = ("none", "plie", "saute")
ENCODER = EncoderInfo(kind="pose", name="movenet-lightning", sha256="a" * 64, input_size=192, feature_dim=51)
# The same numbers taken for an image's features: that network is faster to build, and most tests need no other.
FLAT = EncoderInfo(kind="image", name="toy", sha256="b" * 64, input_size=32, feature_dim=51)
TINY = settings_for(window=8, least_steps=4, units=8, dense=8, epochs=3, epoch_windows=96, dropout=0.2)
SMALL = settings_for(units=24, dense=24, window=15, epochs=6)


def clip(number: int, label: int, steps: int = 40) -> Sequence:
    """A body of which another joint swings for each label."""
    random = np.random.default_rng((number, label))
    joints = np.zeros((steps, 17, 3), np.float32)
    joints[..., :2] = np.random.default_rng(0).uniform(0.3, 0.7, (17, 2))
    joints[..., 2] = 0.8
    joints[:, 5 + 3 * label, 1] += 0.1 * np.sin(np.arange(steps) * 0.5 + random.uniform(0, 6))
    joints[..., :2] += 0.003 * random.standard_normal((steps, 17, 2))
    return Sequence(f"{MOVES[label]}/{number}", joints.reshape(steps, 51), np.full(steps, label, np.int32))


def material(clips: int = 3, encoder: EncoderInfo = FLAT) -> Material:
    return Material(
        train=[clip(number, label) for label in range(3) for number in range(clips)],
        validation=[clip(100 + number, label) for label in range(3) for number in range(2)],
        moves=MOVES,
        encoder=encoder,
        encoder_path=Path("encoder.onnx"),
        provenance=Provenance(trained_on="drawn bodies"),
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is done; copy it before you change it."""
    run = tmp_path_factory.mktemp("finished") / "deep" / "run"
    fit_sequences(material(), run, TINY)
    return run


def weights(run: Path) -> list[Any]:
    (last,) = (run / "last").glob("epoch-*.keras")
    return [np.array(weight) for weight in keras.saving.load_model(last).get_weights()]


def test_a_handful_of_clips_is_learnt(tmp_path: Path) -> None:
    fitted = fit_sequences(material(5, ENCODER), tmp_path / "run", SMALL)
    answers = answer_along(load_head(tmp_path / "run" / "head.keras"), [clip(50, label) for label in range(3)], SMALL)
    assert [int(each.probabilities.mean(axis=0).argmax()) for each in answers] == [0, 1, 2]
    assert fitted.best.val_accuracy > 0.9


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit_sequences(material(), tmp_path / name, settings_for(**TINY.as_dict() | {"seed": seed}))
    for ours, same in zip(weights(tmp_path / "a"), weights(tmp_path / "b"), strict=True):
        np.testing.assert_array_equal(ours, same)
    assert not all(map(np.array_equal, weights(tmp_path / "a"), weights(tmp_path / "c")))


@pytest.mark.parametrize(("head", "encoder"), [("pointe", ENCODER), ("original", FLAT)])
def test_a_training_that_was_stopped_and_resumed_ends_like_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, encoder: EncoderInfo
) -> None:
    chosen = settings_for(**TINY.as_dict() | {"head": head, "learning_rate": 1e-3})
    fit_sequences(material(encoder=encoder), tmp_path / "whole", chosen)

    save = RunFolder.save_epoch

    def stop_after_the_second(folder: RunFolder, model: Any, progress: Progress) -> None:
        save(folder, model, progress)
        if progress.done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "save_epoch", stop_after_the_second)
        with pytest.raises(KeyboardInterrupt):
            fit_sequences(material(encoder=encoder), tmp_path / "parts", chosen)
    # What is there can be exported, and says what it is.
    assert ModelCard.read(tmp_path / "parts").provenance.notes.startswith(UNFINISHED)
    load_head(tmp_path / "parts" / "head.keras")
    fit_sequences(material(encoder=encoder), tmp_path / "parts", chosen, resume=True)

    for ours, same in zip(weights(tmp_path / "whole"), weights(tmp_path / "parts"), strict=True):
        np.testing.assert_array_equal(ours, same)
    told = [json.loads((tmp_path / run / "last" / "epoch.json").read_text())["epochs"] for run in ("whole", "parts")]
    for one, other in zip(*told, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    whole, parts = (ModelCard.read(tmp_path / run) for run in ("whole", "parts"))
    assert whole.moves == parts.moves and whole.provenance == parts.provenance


def test_a_run_is_complete(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == {
        "card.json",
        "config.json",
        "environment.json",
        "head.keras",
        "history.csv",
        "last",
        "logs",
    }
    card = ModelCard.read(finished)
    assert card.names == MOVES
    assert card.head.sha256 == UNKNOWN_SHA256
    assert (card.window, card.sample_hz) == (TINY.window, TINY.sample_hz)
    rows = list(csv.DictReader((finished / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert json.loads((finished / "environment.json").read_text())["versions"]["keras"] == keras.__version__
    assert json.loads((finished / "config.json").read_text())["settings"] == TINY.as_dict()


def test_tensorboard_finds_every_epoch_in_the_logs(finished: Path) -> None:
    found: dict[str, list[int]] = {}
    for file in (finished / "logs").iterdir():
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found.setdefault(value.tag, []).append(event.step)
    assert found["loss"] == found["val_loss"] == found["val_accuracy"] == [1, 2, 3]


def test_the_kept_head_is_that_of_the_best_epoch(tmp_path: Path) -> None:
    class Saved:
        def __init__(self, text: str) -> None:
            self.text = text

        def save(self, path: Path) -> None:
            path.write_text(self.text)

    folder, progress = RunFolder(tmp_path), Progress()
    for number, loss in enumerate([0.9, 0.3, 0.5], 1):
        progress.epochs.append(Epoch(number, 1.0, 0.5, loss, 0.5, 1e-3, 1.0))
        folder.save_epoch(Saved(f"epoch {number}"), progress)
    assert folder.head.read_text() == "epoch 2"
    assert folder.last_network().read_text() == "epoch 3"
    assert [path.name for path in (tmp_path / "last").glob("*.keras")] == ["epoch-00003.keras"]


def test_it_stops_when_nothing_gets_better() -> None:
    losses = [1.0, 0.5, 0.6, 0.7]
    progress = Progress([Epoch(n, 1, 1, loss, 1, 1, 1) for n, loss in enumerate(losses, 1)])
    assert progress.finished(settings_for(patience=2))
    assert not progress.finished(settings_for(patience=3))
    assert progress.finished(settings_for(patience=3, epochs=4))


def test_a_run_is_never_written_over(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="--resume"):
        fit_sequences(material(), finished, TINY)
    with pytest.raises(UsageError, match=r"units 8, not 9.\n"):
        fit_sequences(material(), finished, settings_for(**TINY.as_dict() | {"units": 9}), resume=True)
    with pytest.raises(UsageError, match="other clips"):
        fit_sequences(material(4), finished, TINY, resume=True)
    monkeypatch.setattr("train.fit.code_hash", lambda *modules: "of another version")
    with pytest.raises(UsageError, match="other code of .*\\n.*version of pointe that began it"):
        fit_sequences(material(), finished, TINY, resume=True)
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for resume in (False, True):
        with pytest.raises(UsageError, match="holds no run"):
            fit_sequences(material(), tmp_path, TINY, resume=resume)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("run", ["file", "file/run", "file/deep/run", "a" * 300])
def test_a_run_that_cannot_be_written_is_refused_before_anything_is_done(tmp_path: Path, run: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Give another folder for the run"):
        fit_clips(tmp_path / "absent", tmp_path / run, TINY)


def test_resuming_a_finished_run_changes_no_weight(tmp_path: Path, finished: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    assert fit_sequences(material(), tmp_path / "run", TINY, resume=True).epochs == 3
    for ours, same in zip(weights(tmp_path / "run"), weights(finished), strict=True):
        np.testing.assert_array_equal(ours, same)
    assert ModelCard.read(tmp_path / "run") == ModelCard.read(finished)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda last: shutil.rmtree(last),
        lambda last: cut_short(last / "epoch.json"),
        lambda last: cut_short(last / "epoch-00003.keras"),
        lambda last: (last / "epoch-00003.keras").unlink(),
    ],
    ids=["all gone", "state cut short", "network cut short", "network gone"],
)
def test_a_run_without_a_whole_last_epoch_is_not_begun_anew(
    tmp_path: Path, finished: Path, damage: Callable[[Path], None]
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    damage(run / "last")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="cannot be gone on with: .*\nExport its best epoch as it is: pointe export"):
        fit_sequences(material(), run, TINY, resume=True)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_stays_what_it_was_called_when_it_is_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = clips_of_two_moves(tmp_path / "data"), tmp_path / "exp[v2]:on:"
    first = fit_clips(data, run, ONE_EPOCH, name="ours", licence="CC0").card
    assert f"Next: pointe export {run} MODEL" in capsys.readouterr().out
    assert fit_clips(data, run, ONE_EPOCH, resume=True).card == first
    other = fit_clips(data, run, ONE_EPOCH, resume=True, name="theirs", licence="MIT").card
    assert (other.name, other.provenance.licence) == ("theirs", "MIT")


def test_a_learning_rate_that_is_too_high_is_said_to_be(tmp_path: Path) -> None:
    nonsense = material()
    nonsense.train[0].features[:] = np.nan
    with pytest.raises(UsageError, match="learning rate is too high"):
        fit_sequences(nonsense, tmp_path / "run", TINY)


def test_a_move_without_material_is_named(tmp_path: Path) -> None:
    whole = material()
    without = Material(whole.train[:6], whole.validation, MOVES, ENCODER, Path("x"), Provenance(trained_on="x"))
    with pytest.raises(UsageError, match="Nothing to train on for saute"):
        fit_sequences(without, tmp_path / "run", TINY)
    with pytest.raises(UsageError):
        fit_sequences(
            Material(whole.train, [], MOVES, ENCODER, Path("x"), Provenance(trained_on="x")), tmp_path / "run", TINY
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["Ballet é", "-x", "a" * 81, "a\n"])
def test_a_name_that_no_card_may_have_is_refused_before_anything_is_done(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a model's name is of"):
        fit_clips(tmp_path / "absent", tmp_path / "run", TINY, name=name)
    with pytest.raises(UsageError, match="a model's name is of"):
        fit_sequences(material(), tmp_path / "run", TINY, name=name)
    assert not (tmp_path / "run").exists()


def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path, root: Path) -> None:
    run = tmp_path / "run"
    code = (
        "import sys; sys.path[:0] = ['tests', '.']\n"
        "from pathlib import Path\n"
        "from test_fit import TINY, fit_sequences, material, settings_for\n"
        "endless = settings_for(**TINY.as_dict() | dict(epochs=100000, patience=100000))\n"
        f"fit_sequences(material(), Path({str(run)!r}), endless)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        lines = iter(child.stdout.readline, "")
        next(line for line in lines if line.startswith("epoch 2/"))
        child.send_signal(signal.SIGINT)
        rest, _ = child.communicate(timeout=60)
    finally:
        child.kill()
    assert "can be resumed (--resume)" in rest
    ModelCard.read(run)
    load_head(run / "head.keras")
    chosen = settings_for(**TINY.as_dict() | {"epochs": 100000, "patience": 100000})
    config = json.loads((run / "config.json").read_text())
    done = RunFolder(run).begin(config, resume=True).done
    assert done >= 2
    assert config["settings"] == chosen.as_dict()
    assert RunFolder(run).last_network().is_file()


def test_along_a_stream_answers_begin_when_the_window_is_full_and_speak_of_the_delayed_step() -> None:
    chosen = settings_for(window=8, delay_steps=3, units=4, dense=4)
    stream = clip(0, 0, steps=20)
    stream.labels[:] = np.arange(20)
    stream.labels[10] = SKIP
    (answers,) = answer_along(build_network(chosen, 51, 3, True), [stream], chosen)
    assert answers.labels.tolist() == [4, 5, 6, 7, 8, 9, SKIP, 11, 12, 13, 14, 15, 16]
    assert answers.probabilities.shape == (13, 3)


def test_a_clip_shorter_than_the_window_gets_one_answer() -> None:
    chosen = settings_for(window=30, units=4, dense=4)
    (answers,) = answer_along(build_network(chosen, 51, 3, True), [clip(0, 1, steps=12)], chosen)
    assert answers.labels.tolist() == [1]


def test_clips_are_parted_without_the_test_split_and_by_move() -> None:
    def features(move: str, number: int, split: Any) -> ClipFeatures:
        return ClipFeatures(
            Clip(Path(f"{split}/{move}/{number}.mp4"), move, split), clip(0, 0).features, np.arange(40) / 15
        )

    clips = tuple(
        features(move, number, split)
        for split in ("train", "test")
        for move in ("plie", "saute")
        for number in range(5)
    )
    data = FeatureSet(clips, (), ("plie", "saute"), ("plié", "sauté"), ENCODER, Path("e.onnx"), 15.0, Path("cache"))
    made = clip_material(data, TINY, trained_on="clips")
    assert (len(made.train), len(made.validation)) == (8, 2)
    assert sorted(sequence.labels[0] for sequence in made.validation) == [0, 1]
    assert made.clips is not None
    assert {split: len(paths) for split, paths in made.clips.items()} == {"train": 8, "validation": 2, "test": 10}
    assert made.displays == ("plié", "sauté")
    assert made.remarks == ()


def test_dancers_who_each_alone_show_a_move_are_validated_by_clip_and_that_is_said_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (move, dancer) in enumerate((("none", "carla"), ("plie", "anna"), ("saute", "ben"))):
        folder = tmp_path / "data" / "train" / move
        folder.mkdir(parents=True)
        for take in range(3):
            draw_clip(folder / f"dancer-{dancer}_{take}.mp4", number % 2, 3 * number + take)
    chosen = settings_for(**TINY.as_dict() | {"encoder": "image", "epochs": 1})
    fitted = fit_clips(tmp_path / "data", tmp_path / "run", chosen)
    said = capsys.readouterr().out
    assert "No dancer can be spared from training" in said
    assert said.index("No dancer can be spared") < said.index("epoch 1/1")
    assert fitted.card.provenance.trained_on.endswith("by 3 known dancers; validated on 3 more")
    clips = list((tmp_path / "data").rglob("*.mp4"))
    assert set(fitted.card.provenance.clips) == {fingerprint(clip) for clip in clips}


def clips_of_two_moves(data: Path, takes: int = 3) -> Path:
    """Clips to train on, no two alike."""
    for number, move in enumerate(("plie", "saute")):
        for take in range(takes):
            path = data / "train" / move / f"{take}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw_clip(path, number, take)
    return data


ONE_EPOCH = settings_for(**TINY.as_dict() | {"encoder": "image", "epochs": 1})


def test_of_clips_that_are_the_same_file_one_is_learnt_from_and_none_measured_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = clips_of_two_moves(tmp_path / "data"), tmp_path / "run"
    (data / "test" / "plie").mkdir(parents=True)
    for take in range(3):
        learnt = (data / "train" / "plie" / f"{take}.mp4").read_bytes()
        (data / "train" / "plie" / f"copy{take}.mp4").write_bytes(learnt)
    (data / "test" / "plie" / "copy.mp4").write_bytes(learnt)
    for name in ("other", "another"):
        (data / "test" / "plie" / f"{name}.mp4").write_bytes(learnt + bytes(8))
    fitted = fit_clips(data, run, ONE_EPOCH)
    assert fitted.left_out == f"5 skipped.\nThe reasons are in {run / 'report' / 'report.md'}"
    assert len(fitted.card.provenance.clips) == 6
    assert fitted.card.provenance.trained_on == "4 clips in data; validated on 2 more"
    assert [name for name in fitted.card.measured if name.startswith("accuracy")] == [
        "accuracy on 1 test clips of data"
    ]
    page = (run / "report" / "report.md").read_text("utf-8")
    said = capsys.readouterr().out
    for copy, of in (("train/plie/copy0", "train/plie/0"), ("test/plie/copy", "train/plie/2")):
        assert f"- `{copy}.mp4`: the same file as `{of}.mp4`" in page
        assert f"skipped `{copy}.mp4`: the same file as `{of}.mp4`" in said
    assert "- `test/plie/other.mp4`: the same file as `test/plie/another.mp4`" in page


def test_a_clip_that_is_no_longer_than_the_delay_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = clips_of_two_moves(tmp_path / "data")
    draw_clip(data / "train" / "plie" / "short.mp4", 0, 7, frames=9)
    fitted = fit_clips(data, tmp_path / "run", settings_for(**ONE_EPOCH.as_dict() | {"window": 12, "delay_steps": 9}))
    reason = "`train/plie/short.mp4`: too short: 9 steps, and --delay-steps 9 needs more"
    assert f"skipped {reason}" in capsys.readouterr().out
    assert reason in (tmp_path / "run" / "report" / "report.md").read_text("utf-8")
    assert fitted.left_out.startswith("1 skipped.")


def test_overconfident_answers_are_made_less_certain() -> None:
    random = np.random.default_rng(0)
    logits = random.standard_normal((4000, 3)) * 2
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(3, p=row) for row in honest], np.int32)
    boastful = calibrated(honest.astype(np.float32), 1 / 3)
    assert fit_temperature([Answers("a", boastful, labels)]) == pytest.approx(3, rel=0.1)
    assert fit_temperature([Answers("a", honest.astype(np.float32), labels)]) == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(calibrated(boastful, 3), honest, atol=1e-4)


def test_a_threshold_lies_where_false_moves_end() -> None:
    random = np.random.default_rng(0)
    plie = np.concatenate([random.uniform(0.6, 1, 200), random.uniform(0, 0.52, 800)])
    labels = np.repeat([1, 0], [200, 800]).astype(np.int32)
    probabilities = np.stack([1 - plie, plie], axis=1).astype(np.float32)
    none, fitted = fit_thresholds([Answers("a", probabilities, labels)], 2, [(1,)], smooth_steps=1)
    assert 0.5 <= fitted.enter <= 0.62
    assert fitted.leave < fitted.enter
    assert (none.enter, none.leave) == (0.6, 0.4)


def test_no_move_has_to_be_surer_than_people_let_the_network_be() -> None:
    plie = np.repeat([0.95, 0.8], [200, 800])
    probabilities = np.stack([1 - plie, plie], axis=1).astype(np.float32)
    answers = Answers("a", probabilities, np.repeat([1, 0], [200, 800]).astype(np.int32))
    assert fit_thresholds([answers], 2, [(1,)], smooth_steps=1)[1].enter == HIGHEST_ENTER


def test_a_move_without_a_validation_clip_keeps_the_default_threshold() -> None:
    answers = Answers("a", np.full((5, 2), 0.5, np.float32), np.zeros(5, np.int32))
    assert fit_thresholds([answers], 2, [(0,), (1,)], 1)[1].enter == 0.6


def test_moves_of_a_family_share_the_threshold_of_their_sum() -> None:
    """Either alone is never surer than a half, together they are."""
    truth = np.repeat([1, 2, 0], [100, 100, 800]).astype(np.int32)
    turning = np.where(truth > 0, 0.45, 0.1).astype(np.float32)
    probabilities = np.stack([1 - 2 * turning, turning, turning], axis=1)
    none, pirouette, fouette = fit_thresholds([Answers("a", probabilities, truth)], 3, [(1, 2)], 1)
    assert pirouette == fouette
    assert 0.4 <= pirouette.enter <= 0.9
    alone = fit_thresholds([Answers("a", probabilities, truth)], 3, [(1,), (2,)], 1)[1]
    assert alone.enter < 0.45


def test_smoothing_is_the_mean_of_the_last_answers() -> None:
    answers = np.array([[0.0], [0.3], [0.6], [0.9]], np.float32)
    assert smoothed(answers, 3).ravel().tolist() == pytest.approx([0, 0.15, 0.3, 0.6])
    assert smoothed(answers[:2], 3).ravel().tolist() == pytest.approx([0, 0.15])


def test_without_a_terminal_each_epoch_is_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress([Epoch(1, 0.5, 0.75, 0.25, 0.875, 1e-3, 2.0)])
    with show_epochs(9, Console(force_terminal=False, width=40)) as table:
        table.step(1, 1, 10, 0.5)
        table.update(progress)
    assert capsys.readouterr().out == (
        "epoch 1/9  loss 0.5000  accuracy 0.750  val loss 0.2500  val accuracy 0.875  rate 1.0e-03  2.0 s  best\n"
    )


def test_on_a_terminal_the_epochs_are_a_table() -> None:
    console = Console(force_terminal=True, width=100, record=True)
    with show_epochs(9, console) as table:
        table.update(Progress([Epoch(1, 0.5, 0.75, 0.25, 0.875, 1e-3, 2.0)]))
    text = console.export_text()
    assert "val loss" in text
    assert "1/9" in text


def test_clips_in_a_folder_become_a_run_with_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split, count in (("train", 4), ("test", 2)):
        for number, move in enumerate(("plie", "saute")):
            folder = tmp_path / "data" / split / move
            folder.mkdir(parents=True)
            for take in range(count):
                draw_clip(folder / f"{take}.mp4", number, take + (split == "test") * 5)
    chosen = settings_for(**TINY.as_dict() | {"encoder": "image", "epochs": 6})
    fitted = fit_clips(tmp_path / "data", tmp_path / "run", chosen)
    assert list(fitted.card.measured.values()) == [1.0]
    assert "There is no folder none/" in capsys.readouterr().out
    report = json.loads((tmp_path / "run" / "report" / "report.json").read_text())
    assert report["metrics"]["accuracy"] == 1
    assert len(report["answers"]) == 4
    assert report["measured_on"]["encoder"].startswith("efficientnet-lite0, sha256 ")


def test_the_report_of_a_run_says_how_the_clips_were_split_and_which_are_damaged(tmp_path: Path) -> None:
    for number, move in enumerate(("plie", "saute")):
        folder = tmp_path / "data" / move
        folder.mkdir(parents=True)
        for take in range(5):
            draw_clip(folder / f"{take}.avi", number, take, frames=40)
    for clip in (tmp_path / "data").rglob("*.avi"):
        content = clip.read_bytes()
        clip.write_bytes(content[: len(content) * 4 // 5])
    chosen = settings_for(**TINY.as_dict() | {"encoder": "image", "epochs": 1})
    fit_clips(tmp_path / "data", tmp_path / "run", chosen)
    measured_on = json.loads((tmp_path / "run" / "report" / "report.json").read_text())["measured_on"]
    assert "split by clip (seed 0), as no dancer is known" in measured_on["notes"]
    assert re.search(r"\.avi: damaged: \d+ of \d+ frames", measured_on["used in part"])


def draw_clip(path: Path, number: int, take: int = 0, frames: int = 15) -> None:
    """A bright disc on black, or a dark one on white; each take a little elsewhere."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 15, (64, 64))
    for step in range(frames):
        image = np.full((64, 64, 3), 255 * number, np.uint8)
        cv2.circle(image, (10 + 3 * step, 32 + take), 12, (40, 200 - 90 * number, 60), -1)
        writer.write(image)
    writer.release()


def test_settings_of_a_run_are_all_json() -> None:
    assert TrainSettings(**json.loads(json.dumps(SMALL.as_dict()))) == SMALL
