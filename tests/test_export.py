"""A run becomes a model folder only if the exported networks say what the trained ones say."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from export.int8 import quantize_run
from export.parity import TOLERANCE, ParityError, check_parity, compare
from export.readme import model_page
from export.to_onnx import ExportError, convert, export_run, head_to_onnx
from models.card import EncoderInfo, ModelCard, Provenance, sha256_of
from models.encoders import open_encoder
from models.errors import ModelError, UsageError
from models.frames import Sampler, read_video
from models.runtime import open_session
from train.fit import Material, fit_sequences
from train.network import build_network, load_head
from train.run_folder import Progress, RunFolder
from train.settings import settings_for
from train.windows import Sequence

SIZE, DIM = 16, 48
SETTINGS = settings_for(
    encoder="image", window=6, least_steps=2, units=8, dense=8, epochs=2, epoch_windows=64, sample_hz=15.0
)


def draw_clip(path: Path, hue: int, frames: int = 24) -> None:
    """A disc of one colour that crosses the picture."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 15, (64, 48))
    colour = [int(channel) for channel in np.roll([230, 120, 20], hue)]
    for number in range(frames):
        image = np.full((48, 64, 3), 30 + 5 * hue, np.uint8)
        cv2.circle(image, (4 + 2 * number, 12 + 8 * hue), 9, colour, -1)
        writer.write(image)
    writer.release()


def toy_encoder(path: Path, channels: tuple[int, ...] = (0, 1, 2), low: float = 0.0, high: float = 1.0) -> None:
    """Mean colours of a 4x4 grid, RGB in [0, 1] as the training saw them; else as somebody got it wrong."""
    constants = [
        numpy_helper.from_array(np.array(channels, np.int64), "channels"),
        numpy_helper.from_array(np.array((high - low) / 255, np.float32), "gain"),
        numpy_helper.from_array(np.array(low, np.float32), "low"),
        numpy_helper.from_array(np.eye(3, dtype=np.float32)[:, :, None, None], "same"),
    ]
    nodes = [
        helper.make_node("Gather", ["image", "channels"], ["ordered"], axis=3),
        helper.make_node("Cast", ["ordered"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["numbers", "gain"], ["scaled"]),
        helper.make_node("Add", ["scaled", "low"], ["shifted"]),
        helper.make_node("Transpose", ["shifted"], ["layer0"], perm=[0, 3, 1, 2]),
        # Convolutions that change nothing, as int8 wants some.
        *(helper.make_node("Conv", [f"layer{n}", "same"], [f"layer{n + 1}"], name=f"conv{n}") for n in range(5)),
        helper.make_node("AveragePool", ["layer5"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", SIZE, SIZE, 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", DIM])
    graph = helper.make_graph(nodes, "toy", [image], [features], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def read_features(encoder: Path, kind: str, video: Path) -> np.ndarray[Any, Any]:
    reader, sampler = open_encoder(kind, encoder, "cpu"), Sampler(SETTINGS.sample_hz)
    pushed = [reader.push(frame) for frame in read_video(video) if sampler.take(frame.time_s)]
    return np.stack([feature.copy() for feature in pushed if feature is not None])


@dataclass(frozen=True)
class Trained:
    material: Material
    run: Path
    encoder: Path
    videos: list[Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A real, tiny run on drawn clips of two moves."""
    folder = tmp_path_factory.mktemp("trained")
    encoder = folder / "toy.onnx"
    toy_encoder(encoder)
    videos, sequences = [], []
    for number in range(8):
        video = folder / f"{number}.mp4"
        draw_clip(video, number % 2)
        features = read_features(encoder, "image", video)
        videos.append(video)
        sequences.append(Sequence(video.name, features, np.full(len(features), number % 2, np.int32)))
    info = EncoderInfo(kind="image", name="toy", sha256=sha256_of(encoder), input_size=SIZE, feature_dim=DIM)
    material = Material(
        train=sequences[:6],
        validation=sequences[6:],
        moves=("arabesque", "plie"),
        encoder=info,
        encoder_path=encoder,
        provenance=Provenance(trained_on="drawn discs", licence="CC0"),
        clips={"train": videos[:6], "validation": videos[6:]},
    )
    fit_sequences(material, folder / "run", SETTINGS)
    return Trained(material, folder / "run", encoder, videos)


def predictor(head: Any) -> Callable[[Any], Any]:
    return lambda windows: np.asarray(head(windows, training=False))


def test_an_exported_run_answers_as_the_trained_one_does(trained: Trained, tmp_path: Path) -> None:
    model = tmp_path / "models" / "discs"
    report = export_run(trained.run, model, load_head=load_head)
    assert report.windows >= 256
    assert report.largest_difference <= TOLERANCE
    assert report.differing == 0
    assert sorted(path.name for path in model.parent.rglob("*")) == [
        "README.md",
        "card.json",
        "discs",
        "encoder.onnx",
        "head.onnx",
    ]
    card = ModelCard.load(model)
    assert card.head.sha256 == sha256_of(model / "head.onnx")
    head = open_session(model / "head.onnx", "cpu")
    assert (head.input.name, head.input.shape) == ("features", ("batch", SETTINGS.window, DIM))
    assert (head.output.name, head.output.shape) == ("probabilities", ("batch", 2))


def test_a_training_that_was_stopped_is_exported_and_called_unfinished(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = RunFolder.save_epoch

    def stop_after_the_first(folder: RunFolder, model: Any, progress: Progress) -> None:
        save(folder, model, progress)
        raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "save_epoch", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        fit_sequences(trained.material, tmp_path / "run", SETTINGS)
    capsys.readouterr()
    export_run(tmp_path / "run", tmp_path / "stopped", load_head=load_head)
    said = capsys.readouterr().out
    assert said.startswith("Training unfinished: ") and said.count("\n") == 1
    assert said in (tmp_path / "stopped" / "README.md").read_text("utf-8")
    export_run(trained.run, tmp_path / "whole", load_head=load_head)
    assert capsys.readouterr().out == ""
    assert "unfinished" not in (tmp_path / "whole" / "README.md").read_text("utf-8")


def test_a_run_becomes_an_int8_model_by_its_own_clips(trained: Trained, tmp_path: Path) -> None:
    model = tmp_path / "discs"
    report = quantize_run(trained.run, model, load_head=load_head)
    assert report.videos == len(trained.videos)
    assert ModelCard.load(model).encoder.name == "toy-int8"
    assert [path.name for path in tmp_path.iterdir()] == ["discs"]
    with pytest.raises(UsageError, match="--force"):
        quantize_run(trained.run, model, load_head=load_head)


@pytest.mark.parametrize("export", [export_run, quantize_run])
@pytest.mark.parametrize("model", ["file", "file/model", "file/deep/model", "a" * 300])
def test_a_model_that_cannot_be_written_is_refused_before_anything_is_done(
    tmp_path: Path, export: Callable[..., object], model: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Give another path"):
        export(tmp_path / "absent", tmp_path / model, load_head=load_head)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_readme_of_a_model_says_what_its_card_says(trained: Trained) -> None:
    card = ModelCard.read(trained.run)
    page = model_page(card)
    for text in ("plié", "Drawn discs.", "CC0", card.encoder.sha256, "one of its moves"):
        assert text in page


def copy_exported(trained: Trained, tmp_path: Path) -> Path:
    folder = tmp_path / "exported"
    folder.mkdir()
    shutil.copyfile(trained.encoder, folder / "encoder.onnx")
    head_to_onnx(load_head(trained.run / "head.keras"), folder / "head.onnx")
    return folder


@pytest.mark.parametrize(
    "wrong",
    [{"channels": (2, 1, 0)}, {"low": -1.0}, {"high": 255.0}],
    ids=["colour channels swapped", "[-1, 1] instead of [0, 1]", "[0, 255] instead of [0, 1]"],
)
def test_an_encoder_that_reads_the_picture_wrongly_fails(
    trained: Trained, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    folder = copy_exported(trained, tmp_path)
    predict = predictor(load_head(trained.run / "head.keras"))
    card = ModelCard.read(trained.run)
    check_parity(folder, card, trained.encoder, predict, trained.videos)  # right as it is
    toy_encoder(folder / "encoder.onnx", **wrong)
    with pytest.raises(ParityError, match="does not say what the trained one says"):
        check_parity(folder, card, trained.encoder, predict, trained.videos)


def test_short_clips_are_cut_into_enough_windows_by_starting_later(trained: Trained, tmp_path: Path) -> None:
    folder = copy_exported(trained, tmp_path)
    card = ModelCard.read(trained.run)
    predict = predictor(load_head(trained.run / "head.keras"))
    assert check_parity(folder, card, trained.encoder, predict, trained.videos[:3]).windows >= 256


def test_too_few_windows_prove_nothing_and_are_refused(trained: Trained, tmp_path: Path) -> None:
    draw_clip(tmp_path / "short.mp4", 0, frames=5)
    with pytest.raises(ModelError, match="15 windows to check the export on, 256 are needed"):
        export_run(trained.run, tmp_path / "model", load_head=load_head, videos=[tmp_path / "short.mp4"])
    assert not (tmp_path / "model").exists()


def test_a_failed_check_leaves_no_model_and_an_existing_one_untouched(trained: Trained, tmp_path: Path) -> None:
    model = tmp_path / "model"
    export_run(trained.run, model, load_head=load_head)
    before = {path.name: path.read_bytes() for path in model.iterdir()}

    class Strange(keras.Model):  # answers one thing in Keras, another when it is exported
        def __init__(self, head: Any) -> None:
            super().__init__()
            self.head = head

        @property
        def input_shape(self) -> Any:
            return self.head.input_shape

        def call(self, windows: Any, training: bool = False) -> Any:
            answer = self.head(windows, training=training)
            return answer if tf.inside_function() else 1 - answer

    def load_strange(path: Path) -> Any:
        return Strange(load_head(path))

    for target in (model, tmp_path / "other"):
        with pytest.raises(ParityError):
            export_run(trained.run, target, load_head=load_strange, force=True)
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_existing_model_is_replaced_only_when_asked(trained: Trained, tmp_path: Path) -> None:
    model = tmp_path / "model"
    export_run(trained.run, model, load_head=load_head)
    (model / "README.md").write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        export_run(trained.run, model, load_head=load_head)
    assert (model / "README.md").read_text() == "mine"
    export_run(trained.run, model, load_head=load_head, force=True)
    assert (model / "README.md").read_text() != "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_folder_that_one_is_in_becomes_a_model_where_it_is_empty(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path / "model")
    export_run(trained.run, Path(), load_head=load_head)
    assert ModelCard.load(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_a_killed_export_of_the_same_number_left_is_in_nobodys_way(trained: Trained, tmp_path: Path) -> None:
    for end in ("half", "old"):
        (tmp_path / f".model.{os.getpid()}.{end}").mkdir()
        (tmp_path / f".model.{os.getpid()}.{end}" / "left").touch()
    for _ in range(2):
        export_run(trained.run, tmp_path / "model", load_head=load_head, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_is_no_model_is_never_replaced(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="is no model folder"):
        export_run(trained.run, tmp_path, load_head=load_head, force=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no run"):
        export_run(tmp_path, tmp_path / "model", load_head=load_head)


def test_a_run_whose_encoder_was_replaced_is_refused(trained: Trained, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    config = run / "config.json"
    toy_encoder(tmp_path / "other.onnx", low=-1)
    config.write_text(config.read_text().replace(str(trained.encoder), str(tmp_path / "other.onnx")))
    with pytest.raises(ModelError, match="The encoder toy that the run was trained with"):
        export_run(run, tmp_path / "model", load_head=load_head)


def test_a_head_with_a_loop_is_refused(tmp_path: Path) -> None:
    window = keras.Input((6, 4))
    head = keras.Model(window, keras.layers.Dense(2, activation="softmax")(keras.layers.GRU(3)(window)))
    with pytest.raises(ExportError, match="Loop"):
        head_to_onnx(head, tmp_path / "head.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_head_without_an_lstm_is_refused(tmp_path: Path) -> None:
    window = keras.Input((6, 4))
    head = keras.Model(window, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(window)))
    with pytest.raises(ExportError, match="0 LSTM ops"):
        head_to_onnx(head, tmp_path / "head.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_input_without_a_name_is_refused(tmp_path: Path) -> None:
    spec = [tf.TensorSpec((None, 4), tf.float32, name=None)]
    with pytest.raises(ExportError, match="name"):
        convert(lambda x: x * 2, spec, tmp_path / "x.onnx", ["y"])


@pytest.mark.parametrize("head", ["pointe", "original"])
@pytest.mark.parametrize("pose", [True, False])
def test_every_head_becomes_one_lstm_with_a_dynamic_batch(tmp_path: Path, head: str, pose: bool) -> None:
    dim = 51 if pose else DIM
    model = build_network(settings_for(head, window=10, units=8, dense=8), dim, 3, pose)
    head_to_onnx(model, tmp_path / "head.onnx")
    session = open_session(tmp_path / "head.onnx", "cpu")
    random = np.random.default_rng(0)
    for batch in (1, 3):
        windows = random.random((batch, 10, dim), np.float32)
        windows[0, :4] = 0
        wanted = np.asarray(model(windows, training=False))
        np.testing.assert_allclose(session.run(windows), wanted, atol=1e-6)


def test_equal_heads_become_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        keras.utils.set_random_seed(1)
        (tmp_path / name).mkdir()
        head_to_onnx(
            build_network(settings_for(window=4, units=4, dense=4), 51, 2, True), tmp_path / name / "head.onnx"
        )
    assert (tmp_path / "a" / "head.onnx").read_bytes() == (tmp_path / "b" / "head.onnx").read_bytes()


def test_a_comparison_tells_the_largest_difference_and_the_flipped_answers() -> None:
    wanted = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
    report = compare(wanted, np.array([[0.8, 0.2], [0.6, 0.4]], np.float32), videos=1)
    assert report.largest_difference == pytest.approx(0.2)
    assert report.differing == 1


def test_the_pose_encoder_with_swapped_colours_fails_on_real_footage(shared: Path, tmp_path: Path) -> None:
    from models.pretrained import pretrained_path

    encoder, video = pretrained_path("pose"), shared / "video" / "ballet_plie.mp4"
    settings = settings_for(units=16, dense=16, window=15)
    keras.utils.set_random_seed(3)
    head = build_network(settings, 51, 3, True)
    head_to_onnx(head, tmp_path / "head.onnx")
    shutil.copyfile(encoder, tmp_path / "encoder.onnx")
    info = EncoderInfo(kind="pose", name="movenet-lightning", sha256=sha256_of(encoder), input_size=192, feature_dim=51)
    card = ModelCard.model_validate(
        {
            "name": "untrained",
            "moves": [{"name": name, "display": name} for name in ("plie", "tendu", "none")],
            "encoder": info,
            "head": {"name": "pointe", "sha256": "0" * 64},
            "sample_hz": 15,
            "window": settings.window,
            "provenance": {"trained_on": "nothing"},
        }
    )
    report = check_parity(tmp_path, card, encoder, predictor(head), [video])
    assert report.largest_difference <= TOLERANCE

    network = onnx.load(encoder)
    first = network.graph.input[0].name
    for node in network.graph.node:
        node.input[:] = ["swapped" if name == first else name for name in node.input]
    network.graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0], np.int64), "bgr"))
    network.graph.node.insert(0, helper.make_node("Gather", [first, "bgr"], ["swapped"], axis=3))
    onnx.save(network, tmp_path / "encoder.onnx")
    with pytest.raises(ParityError):
        check_parity(tmp_path, card, encoder, predictor(head), [video])
