"""The one graph of a model answers as its two networks do, on the CPU; what a GPU adds is told by the parity check."""

import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from toys import NAMES, WINDOW, _save, make_card, make_model, picture

from export.folder import with_hashes
from live import gpu
from live.address import DEMO
from live.recognizer import Prediction, Recognizer
from models import device_parity
from models.card import ENCODER_FILE, HEAD_FILE, EncoderInfo, ModelCard, find_model, sha256_of
from models.device_parity import Way, open_on_device
from models.encoders import open_encoder
from models.errors import DeviceError, ModelError
from models.frames import MAX_GAP_S, Frame, read_video
from models.on_device import Answered, OneGraph
from models.one_graph import graph_file, join
from models.pretrained import ENCODERS, pretrained_path
from models.runtime import Device, open_session


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def lstm_model(folder: Path, encoder: str, window: int = 8) -> Path:
    """A real image encoder with an LSTM of random weights, sharp enough that it changes its mind."""
    shutil.copy(pretrained_path(ENCODERS[encoder]), folder / ENCODER_FILE)
    taken = onnx.load(folder / ENCODER_FILE).graph
    size = taken.input[0].type.tensor_type.shape.dim[1].dim_value
    features = taken.output[0].type.tensor_type.shape.dim[1].dim_value
    hidden, random = 32, np.random.default_rng(0)
    shapes = {
        "w": (1, 4 * hidden, features),
        "r": (1, 4 * hidden, hidden),
        "b": (1, 8 * hidden),
        "o": (hidden, len(NAMES)),
    }
    weights = {name: (0.2 * random.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()}
    _save(
        folder / HEAD_FILE,
        [
            helper.make_node("Transpose", ["window"], ["steps"], perm=[1, 0, 2]),
            helper.make_node("LSTM", ["steps", "w", "r", "b"], ["", "last"], hidden_size=hidden),
            helper.make_node("Squeeze", ["last", "first"], ["state"]),
            helper.make_node("MatMul", ["state", "o"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
        ],
        [helper.make_tensor_value_info("window", TensorProto.FLOAT, ["batch", window, features])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(NAMES)])],
        {**weights, "first": np.array([0])},
    )
    info = EncoderInfo(
        kind="image", name=encoder, sha256=sha256_of(folder / ENCODER_FILE), input_size=size, feature_dim=features
    )
    make_card(folder, window=window, encoder=info).save(folder)
    return folder


def as_one(folder: Path, frames: Iterable[Frame]) -> Recognizer:
    """The recogniser as it would be on a GPU, but on the CPU."""
    card = ModelCard.load(folder)
    eyes = open_encoder(card.encoder.kind, folder / ENCODER_FILE, "cpu")
    head = open_session(folder / HEAD_FILE, "cpu")
    return Recognizer(card, open_on_device(folder, card, eyes, head, "cpu", frames), Answered())


def both(folder: Path, frames: Sequence[Frame]) -> tuple[list[Prediction | None], list[Prediction | None]]:
    plain, one = Recognizer.load(folder, "cpu"), as_one(folder, frames[:12])
    answers: tuple[list[Prediction | None], list[Prediction | None]] = ([], [])
    for frame in frames:
        for recognizer, given in zip((plain, one), answers, strict=True):
            given.append(recognizer.push(frame))
        assert (plain.filled, plain.dancer) == (one.filled, one.dancer)
        ours, theirs = plain.encoder.keypoints, one.encoder.keypoints
        assert (ours is None) == (theirs is None)
        assert ours is None or np.abs(ours - theirs).max() < 0.01  # pixels
    for recognizer, given in zip((plain, one), answers, strict=True):
        given.append(recognizer.finish())
    return answers


def assert_the_same(answers: tuple[list[Prediction | None], list[Prediction | None]]) -> None:
    """To 1e-5: onnxruntime may join other operations where there is one graph."""
    assert any(answers[0])
    for plain, one in zip(*answers, strict=True):
        assert (plain is None) == (one is None)
        if plain and one:
            assert plain.time_s == one.time_s
            assert np.abs(plain.probabilities - one.probabilities).max() < 1e-5


@pytest.mark.slow
def test_the_shipped_model_answers_the_same_over_the_whole_demo() -> None:
    assert_the_same(both(find_model("ballet"), list(read_video(DEMO))))


@pytest.mark.slow
def test_an_image_model_answers_the_same_over_the_whole_demo(tmp_path: Path) -> None:
    assert_the_same(both(lstm_model(tmp_path, "image"), list(read_video(DEMO))))


def stream(*stretches: tuple[str, int], step_s: float = 0.1, begin_s: float = 0.0) -> list[Frame]:
    moves = [move for move, count in stretches for _ in range(count)]
    return [Frame(picture(move), index, begin_s + index * step_s) for index, move in enumerate(moves)]


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return make_model(tmp_path / "toy")


def test_a_gap_a_jump_back_and_another_size_start_the_window_afresh_on_the_device_too(toy: Path) -> None:
    first = stream(("plie", 6), ("tendu", 3))
    later = stream(("saute", 6), begin_s=first[-1].time_s + 2 * MAX_GAP_S)
    back = stream(("tendu", 6))
    wide = [Frame(picture("plie", (96, 48)), 0, 1 + frame.time_s) for frame in stream(("plie", 6))]
    assert_the_same(both(toy, [*first, *later, *back, *wide]))


@pytest.mark.parametrize("count", [1, WINDOW - 1])
def test_a_stream_that_is_too_short_is_answered_at_its_end(toy: Path, count: int) -> None:
    answers = both(toy, stream(("tendu", count)))
    assert_the_same(answers)
    assert answers[1][-1] is not None


def test_two_streams_on_one_graph_keep_their_windows_apart(toy: Path) -> None:
    one = as_one(toy, stream(("plie", 12)))
    other = one.another()
    for red, green in zip(stream(("plie", 8)), stream(("tendu", 8)), strict=True):
        answers = one.push(red), other.push(green)
    assert answers[0] and answers[1]
    assert [NAMES[int(answer.probabilities.argmax())] for answer in answers] == ["plie", "tendu"]  # type: ignore[union-attr]


def with_a_break(frames: Iterator[Frame], begin: int, end: int) -> list[Frame]:
    """The frames, of which those from begin to end show an empty room."""
    return [
        Frame(np.full_like(frame.image, 90), frame.index, frame.time_s) if begin <= frame.index < end else frame
        for frame in frames
    ]


def test_frames_without_a_dancer_leave_the_window_as_it_was_and_many_clear_it() -> None:
    frames = list(islice(read_video(DEMO), 100))
    assert_the_same(both(find_model("ballet"), with_a_break(iter(frames), 78, 84)))
    folder = find_model("ballet")
    one, room = as_one(folder, frames[:12]), with_a_break(iter(frames), 10, 90)
    filled = [(one.push(frame), one.filled)[1] for frame in room]
    assert filled[9] > 1 and filled[-11] == 0 and filled[-1] > 0


def test_the_one_graph_has_fixed_shapes_alone(toy: Path) -> None:
    for folder in (toy, find_model("ballet")):
        graph = join(folder, ModelCard.load(folder), in_half=False).graph
        for value in (*graph.input, *graph.output):
            assert all(dim.HasField("dim_value") for dim in value.type.tensor_type.shape.dim), value.name


def test_the_graph_is_made_once_and_anew_for_another_model(toy: Path, tmp_path: Path) -> None:
    card = ModelCard.load(toy)
    first = graph_file(toy, card, in_half=False)
    made = first.stat().st_mtime_ns
    assert graph_file(toy, card, in_half=False) == first and first.stat().st_mtime_ns == made
    assert graph_file(toy, card, in_half=True) != first
    other = make_model(tmp_path / "other", name="other")
    assert graph_file(other, ModelCard.load(other), in_half=False) != first


def test_a_network_that_cannot_be_joined_is_refused_in_two_lines(toy: Path) -> None:
    card = ModelCard.load(toy)
    (toy / HEAD_FILE).write_bytes(b"\x08\x08junk")
    with pytest.raises(ModelError, match=r"cannot be joined") as raised:
        join(toy, card, in_half=False)
    assert len(str(raised.value).splitlines()) == 2


# The parity check


class Bent(OneGraph):
    """A device that computes otherwise."""

    scale = 1.0
    sees = True

    def run(self, picture: np.ndarray, place: np.ndarray | None) -> np.ndarray:
        answer = super().run(picture if self.sees else np.zeros_like(picture), place)
        return answer * np.float32(self.scale)


class Blind(Bent):
    """As a recording that does not see its input."""

    sees = False


class NotANumber(Bent):
    """As a float16 that overflows."""

    scale = float("nan")


class Forgetful(OneGraph):
    """As a recording that keeps no window."""

    def keep(self) -> None:
        self.clear()


@pytest.mark.parametrize("device", [Blind, NotANumber, Forgetful])
def test_a_device_that_answers_otherwise_is_refused(
    toy: Path, device: type[OneGraph], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device_parity, "OneGraph", device)
    with pytest.raises(DeviceError, match="answers otherwise than on the CPU") as raised:
        as_one(toy, stream(("plie", 3), ("tendu", 3), ("saute", 3)))
    assert len(str(raised.value).splitlines()) == 2


def test_a_way_that_answers_otherwise_is_said_and_the_next_one_taken(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[Way] = []

    def first_is_blind(session: object, recordings: object) -> OneGraph:
        return (Blind if len(tried) == 1 else OneGraph)(session, recordings)  # type: ignore[arg-type]

    open_ = device_parity._session
    monkeypatch.setattr(device_parity, "OneGraph", first_is_blind)
    monkeypatch.setattr(device_parity, "_session", lambda *asked: (tried.append(asked[-1]), open_(*asked))[1])
    monkeypatch.setitem(device_parity.WAYS, "cpu", (Way(True, False), Way(False, False)))
    one = as_one(toy, stream(("plie", 3), ("tendu", 3), ("saute", 3)))
    assert [str(way) for way in tried] == ["float16", "float32"]
    assert one.encoder.way == "float32"  # type: ignore[attr-defined]
    assert capsys.readouterr().err.count("toy in float16 answers otherwise") == 1


def test_a_network_on_a_device_is_loaded_and_run_in_one_thread_whoever_pushes(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_threads: list[int] = []
    session_class = ort.InferenceSession

    class Noting:
        def __init__(self, path: str, *asked: object, **options: object) -> None:
            self._session, self._noted = session_class(path, *asked, **options), "graphs" in path
            self.note()

        def note(self) -> None:
            if self._noted:
                in_threads.append(threading.get_ident())

        def run_with_iobinding(self, *asked: object) -> None:
            self.note()
            self._session.run_with_iobinding(*asked)

        def __getattr__(self, name: str) -> object:
            return getattr(self._session, name)

    monkeypatch.setattr(ort, "InferenceSession", Noting)
    frames = stream(("plie", 3), ("tendu", 3), ("saute", 3))
    one = as_one(toy, frames)
    with ThreadPoolExecutor(1) as pool:
        assert [pool.submit(one.push, frame).result() is None for frame in frames].count(False) > 0
    one.push(frames[-1])
    assert len(in_threads) > 2 * len(frames)
    assert len(set(in_threads)) == 1 and threading.get_ident() not in in_threads


def test_a_device_is_not_judged_without_a_frame(toy: Path) -> None:
    with pytest.raises(DeviceError, match="no frame to judge by"):
        as_one(toy, [])


def test_float16_convolutions_of_the_shipped_model_pass_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(device_parity.WAYS, "cpu", (Way(True, False),))
    one = as_one(find_model("ballet"), islice(read_video(DEMO), 0, 60, 10))
    assert one.encoder.way == "float16"  # type: ignore[attr-defined]


def test_a_device_that_fails_in_the_middle_ends_with_a_device_error(toy: Path) -> None:
    one = as_one(toy, stream(("plie", 12)))

    class Lost:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("CUDA failure 999: unknown error")

    one.encoder._graph._bindings[:] = [Lost(), Lost()]  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match="the device failed: CUDA failure 999"):
        one.push(stream(("plie", 1))[0])


def test_networks_of_different_opsets_and_int8_heads_are_joined_too(tmp_path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder = lstm_model(tmp_path, "image")
    whole = onnx.load(folder / HEAD_FILE)
    newer = onnx.version_converter.convert_version(whole, 18)
    onnx.save(newer, folder / "newer.onnx")
    quantize_dynamic(folder / HEAD_FILE, folder / "int8.onnx", weight_type=QuantType.QInt8)
    assert "DynamicQuantizeLSTM" in {node.op_type for node in onnx.load(folder / "int8.onnx").graph.node}
    frames = list(islice(read_video(DEMO), 40))
    info = ModelCard.load(folder).encoder
    for head in ("newer.onnx", "int8.onnx"):
        shutil.copy(folder / head, folder / HEAD_FILE)
        make_card(folder, window=8, encoder=info).save(folder)
        assert_the_same(both(folder, frames))


@pytest.mark.parametrize("opset", [18, 21])
def test_a_pose_network_of_a_newer_opset_is_joined(tmp_path: Path, opset: int) -> None:
    folder = tmp_path / "ballet"
    shutil.copytree(find_model("ballet"), folder)
    for file in (ENCODER_FILE, HEAD_FILE):
        onnx.save(onnx.version_converter.convert_version(onnx.load(folder / file), opset), folder / file)
    with_hashes(ModelCard.read(folder), folder).save(folder)
    assert_the_same(both(folder, list(islice(read_video(DEMO), 40))))


@pytest.mark.parametrize("quantised", [False, True])
def test_tensorrt_is_told_of_int8_where_a_network_holds_it(
    toy: Path, quantised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if quantised:
        network = onnx.load(toy / HEAD_FILE)
        network.graph.initializer.append(helper.make_tensor("step", TensorProto.FLOAT, [], [1.0]))
        network.graph.initializer.append(helper.make_tensor("zero", TensorProto.INT8, [], [0]))
        network.graph.node.append(helper.make_node("DequantizeLinear", ["zero", "step", "zero"], ["nothing"]))
        onnx.save(network, toy / HEAD_FILE)
        make_card(toy).save(toy)
    told: list[bool] = []

    def options(device: str, **asked: bool) -> list[tuple[str, dict[str, str]]]:
        told.append(asked["quantised"])
        return [("CPUExecutionProvider", {})]

    monkeypatch.setattr(device_parity, "provider_options", options)
    as_one(toy, stream(("plie", 8)))
    assert told == [quantised]


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_networks_that_cannot_be_one_run_on_the_cpu_where_that_may_be_chosen(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], device: Device
) -> None:
    monkeypatch.setattr(gpu, "choose_device", lambda _: "cuda")
    (toy / HEAD_FILE).write_bytes(b"no network")
    card = ModelCard.read(toy)
    eyes, head = open_encoder("image", toy / ENCODER_FILE, "cpu"), open_session(toy / ENCODER_FILE, "cpu")
    monkeypatch.setattr(device_parity, "expectations", lambda *_: [])
    if device == "auto":
        assert gpu.on_gpu(toy, card, eyes, head, device) is None
        assert "running on the CPU" in capsys.readouterr().err
    else:
        with pytest.raises(ModelError, match="cannot be joined"):
            gpu.on_gpu(toy, card, eyes, head, device)
