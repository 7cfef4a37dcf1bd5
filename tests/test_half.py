"""A network in float16 between its convolutions, and in float32 before and after them."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, checker, helper, numpy_helper, shape_inference

from live.address import DEMO
from models.encoders import open_encoder
from models.frames import read_video
from models.half import halve
from models.nvidia import PROVIDERS
from models.pretrained import ENCODERS, pretrained_path
from models.runtime import session_options


def answers(model: onnx.ModelProto, array: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), session_options(1), providers=[PROVIDERS["cpu"]])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: array})[0])


def halved(name: str) -> onnx.ModelProto:
    model = onnx.load(pretrained_path(ENCODERS[name]))
    halve(model)
    checker.check_model(model)
    return model


def types(model: onnx.ModelProto) -> dict[str, int]:
    inferred = shape_inference.infer_shapes(model, strict_mode=True).graph
    return {value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.output)}


@pytest.mark.parametrize("name", ["pose", "pose-thunder", "image"])
def test_every_convolution_computes_in_float16_and_the_ends_keep_their_types(name: str) -> None:
    whole, half = onnx.load(pretrained_path(ENCODERS[name])), halved(name)
    assert [value.type for value in half.graph.input] == [value.type for value in whole.graph.input]
    assert [value.type for value in half.graph.output] == [value.type for value in whole.graph.output]
    of = types(half)
    convolutions = [node for node in half.graph.node if node.op_type == "Conv"]
    assert convolutions
    assert {of[node.output[0]] for node in convolutions} == {TensorProto.FLOAT16}


def test_what_finds_the_peaks_of_heat_maps_stays_in_float32() -> None:
    half = halved("pose")
    of = types(half)
    after_the_peaks = {"ArgMax", "ReduceMax", "Sqrt", "GatherND"}
    outputs = [of[node.output[0]] for node in half.graph.node if node.op_type in after_the_peaks]
    assert outputs and TensorProto.FLOAT16 not in outputs


@pytest.mark.parametrize(("name", "off"), [("pose", 0.001), ("image", 0.01)])
def test_the_answers_stay_close(name: str, off: float) -> None:
    """On the CPU weights are rounded and sums are not, so this is no measure of a GPU; models.device_parity is."""
    frame = next(read_video(DEMO))
    encoder = open_encoder("pose" if name == "pose" else "image", pretrained_path(ENCODERS[name]), "cpu")
    prepared = encoder.prepare(frame)
    exact, rounded = encoder.infer(prepared), answers(halved(name), prepared)
    assert np.linalg.norm(exact - rounded) <= off * np.linalg.norm(exact)


def convolution(**more: np.ndarray) -> onnx.ModelProto:
    """Scale, two convolutions with a sum between them, scale."""
    constants = {
        "weights": np.full((2, 2, 1, 1), 0.5, np.float32),
        "scale": np.float32([3]),
        "large": np.float32([1e6]),
    }
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "weights"], ["first"]),
        helper.make_node("Add", ["first", "large"], ["sum"]),
        helper.make_node("Conv", ["sum", "weights"], ["second"]),
        helper.make_node("Mul", ["second", "scale"], ["y"]),
    ]
    shape = [1, 2, 4, 4]
    graph = helper.make_graph(
        nodes,
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in {**constants, **more}.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_weight_beyond_float16_becomes_its_largest_number_and_no_infinity() -> None:
    model = convolution()
    halve(model)
    large = next(tensor for tensor in model.graph.initializer if tensor.name == "large/half")
    assert numpy_helper.to_array(large) == np.finfo(np.float16).max


def test_only_what_stands_between_convolutions_is_changed_and_no_weight_is_kept_twice() -> None:
    model = convolution()
    halve(model)
    of = types(model)
    assert [of[name] for name in ("first/half", "sum/half", "second/half")] == [TensorProto.FLOAT16] * 3
    assert [of[name] for name in ("scaled", "y")] == [TensorProto.FLOAT] * 2
    assert {tensor.name for tensor in model.graph.initializer} == {"weights/half", "scale", "large/half"}


def test_a_quantised_network_is_left_as_it_is(tmp_path: Path) -> None:
    model = convolution()
    model.graph.node.append(helper.make_node("DynamicQuantizeLinear", ["y"], ["q", "q_scale", "q_zero"]))
    before = model.SerializeToString()
    halve(model)
    assert model.SerializeToString() == before
