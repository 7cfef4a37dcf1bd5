"""A model in int8 says nearly what it says in float, or it is not written."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.int8 import Int8Report, Seen, check_int8, moved_share, quantize_model
from export.parity import ParityError
from export.quantize import layers_to_quantize, quantize_encoder, quantize_head
from live.recognizer import Recognizer
from models.card import ENCODER_FILE, HEAD_FILE, ModelCard, find_model
from models.errors import ModelError, UsageError
from models.frames import read_video
from models.runtime import open_session
from tests.toys import draw_clip, make_card, make_model, save_encoder

DEMO = Path(__file__).parents[1] / "live" / "assets" / "demo.mp4"


def nodes(*op_types: str) -> Sequence[onnx.NodeProto]:
    return [helper.make_node(op_type, ["x"], ["y"], f"{op_type}_{place}") for place, op_type in enumerate(op_types)]


def test_the_first_three_convolutions_stay_in_float() -> None:
    chosen = layers_to_quantize(nodes("Conv", "Clip", "Conv", "Clip", "Conv", "Clip", "Conv", "Add", "Sigmoid"))
    assert chosen == ["Conv_6", "Add_7"]


def test_where_a_pose_network_sees_details_and_places_joints_it_stays_in_float() -> None:
    chosen = layers_to_quantize(nodes(*["Conv"] * 9, "Add", "Conv", "Clip", "Resize", "Conv", "Add"))
    assert chosen == ["Conv_10", "Clip_11"]


def save_lstm(path: Path, units: int, features: int = 12, window: int = 5) -> None:
    """A head of one LSTM and a softmax over its last state, with random weights."""
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.normal(size=(1, 4 * units, features)),
        "r": rng.normal(size=(1, 4 * units, units)) / np.sqrt(units),
        "dense": rng.normal(size=(units, 3)) / np.sqrt(units),
    }
    made = [
        helper.make_node("Transpose", ["window"], ["steps"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["steps", "w", "r"], ["", "last"], "lstm", hidden_size=units),
        helper.make_node("Squeeze", ["last", "axis"], ["state"]),
        helper.make_node("MatMul", ["state", "dense"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    tensors = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    tensors.append(numpy_helper.from_array(np.array([0]), "axis"))
    taken = helper.make_tensor_value_info("window", TensorProto.FLOAT, ["batch", window, features])
    given = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 3])
    graph = helper.make_graph(made, "head", [taken], [given], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_a_wide_lstm_becomes_a_quarter_as_large_and_answers_nearly_the_same(tmp_path: Path) -> None:
    save_lstm(tmp_path / "float.onnx", 256)
    assert quantize_head(tmp_path / "float.onnx", tmp_path / "int8.onnx")
    assert (tmp_path / "int8.onnx").stat().st_size < 0.3 * (tmp_path / "float.onnx").stat().st_size
    windows = np.random.default_rng(1).normal(size=(20, 5, 12)).astype(np.float32)
    wanted, got = (open_session(tmp_path / name, "cpu").run(windows) for name in ("float.onnx", "int8.onnx"))
    assert 0 < np.abs(wanted - got).max() < 0.05
    assert wanted.argmax(axis=1).tolist() == got.argmax(axis=1).tolist()


def test_a_narrow_lstm_stays_in_float(tmp_path: Path) -> None:
    save_lstm(tmp_path / "float.onnx", 128)
    assert not quantize_head(tmp_path / "float.onnx", tmp_path / "int8.onnx")
    assert not (tmp_path / "int8.onnx").exists()


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Int8Report]:
    """The shipped model in int8, calibrated on the bundled demo."""
    folder = tmp_path_factory.mktemp("int8") / "ballet"
    return folder, quantize_model(find_model("ballet"), folder, [DEMO])


def test_the_shipped_model_says_nearly_the_same_in_int8(int8: tuple[Path, Int8Report]) -> None:
    _, report = int8
    assert report.windows >= 50
    assert report.differing <= 0.03
    assert report.moved is not None
    assert 0 < report.moved <= 0.05  # none at all would mean that nothing was quantised
    assert not report.head


def test_an_int8_model_runs_as_any_other(int8: tuple[Path, Int8Report]) -> None:
    folder, _ = int8
    recognizer = Recognizer.load(folder, "cpu", 1)
    predictions = [prediction for frame in read_video(DEMO) if (prediction := recognizer.push(frame))]
    names = {recognizer.card.names[int(prediction.probabilities.argmax())] for prediction in predictions}
    assert "plie" in names


def test_the_card_says_what_was_done_and_how_far_off_it_is(int8: tuple[Path, Int8Report]) -> None:
    folder, report = int8
    card = ModelCard.load(folder)
    assert card.encoder.name == "movenet-lightning-int8"
    assert f"calibrated on {report.pictures} frames of demo.mp4" in card.provenance.notes
    measured = {name: value for name, value in card.measured.items() if name.startswith("int8 against float")}
    assert len(measured) == 3
    page = (folder / "README.md").read_text("utf-8")
    assert all(name in page for name in measured)
    source = find_model("ballet")
    assert (folder / HEAD_FILE).read_bytes() == (source / HEAD_FILE).read_bytes()
    assert (folder / ENCODER_FILE).stat().st_size < 0.6 * (source / ENCODER_FILE).stat().st_size


def test_int8_is_not_made_of_int8(int8: tuple[Path, Int8Report], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="in int8 already"):
        quantize_model(int8[0], tmp_path / "model", [DEMO])


def test_an_encoder_of_too_few_convolutions_is_not_made_int8_as_a_whole(tmp_path: Path) -> None:
    save_encoder(tmp_path / "encoder.onnx", convolutions=3)
    with pytest.raises(ModelError, match="too few convolutions"):
        quantize_encoder(tmp_path / "encoder.onnx", tmp_path / "int8.onnx", [])
    assert not (tmp_path / "int8.onnx").exists()


def test_an_encoder_that_puts_joints_elsewhere_is_refused(tmp_path: Path) -> None:
    source = find_model("ballet")
    network = onnx.load(source / ENCODER_FILE)
    for each in network.graph.initializer:
        value = numpy_helper.to_array(each)
        if value.size == 1 and abs(value - 1 / 48) < 1e-5:  # from cells to parts of the picture
            each.CopyFrom(numpy_helper.from_array(value * np.float32(1.1), each.name))
    onnx.save(network, tmp_path / ENCODER_FILE)
    shutil.copyfile(source / HEAD_FILE, tmp_path / HEAD_FILE)
    seen = Seen([DEMO], [], [(6.0, 9.0)])
    with pytest.raises(ParityError, match=r"does not say what it says in float: [\s\S]* so no model was written"):
        check_int8(source, tmp_path, ModelCard.load(source), seen, quantized_head=False)


def test_joints_count_as_moved_by_the_torso_and_only_where_they_were_seen() -> None:
    pose = np.zeros((1, 17, 3), np.float32)
    pose[..., 2] = 0.9
    pose[0, 5:7, 1], pose[0, 11:13, 1] = 0.2, 0.6  # the torso is 0.4 long
    other = pose.copy()
    other[0, 9, 0] += 0.021  # just over a twentieth of it
    other[0, 10, 0] += 0.019
    other[0, 15, 0] += 1
    pose[0, 15, 2] = 0.1
    assert moved_share(pose.reshape(1, 51), other.reshape(1, 51)) == pytest.approx(1 / 11)


# ---- the folder; the toy has no layer that could become int8, so it stays as it is


def test_without_videos_there_is_nothing_to_calibrate_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--video FILE"):
        quantize_model(make_model(tmp_path / "toy"), tmp_path / "int8", [])


def test_videos_that_cannot_be_read_are_left_out_and_too_few_frames_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    short = draw_clip(tmp_path / "short.mp4", [("plie", 1)])
    with pytest.raises(ModelError, match="2 videos show a dancer in 5 frames, 20 are needed"):
        quantize_model(make_model(tmp_path / "toy"), tmp_path / "int8", [short, tmp_path / "broken.mp4"])
    assert not (tmp_path / "int8").exists()


def test_an_existing_folder_is_replaced_only_when_asked(tmp_path: Path) -> None:
    toy = make_model(tmp_path / "toy")
    save_encoder(toy / ENCODER_FILE, convolutions=5)
    make_card(toy).save(toy)
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 4), ("tendu", 4)])
    model = make_model(tmp_path / "int8")
    with pytest.raises(UsageError, match="--force"):
        quantize_model(toy, model, [clip])
    report = quantize_model(toy, model, [clip], force=True)
    assert report.differing == 0
    assert ModelCard.load(model).encoder.name == "mean-colour-int8"
