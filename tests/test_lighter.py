"""A network that was made lighter answers as before, with less work."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.lighter import lighten

SIDE, CHANNELS = 8, 3
Nodes = Sequence[onnx.NodeProto]


def network(nodes: Nodes, constants: dict[str, np.ndarray], channels: int | str = CHANNELS) -> onnx.ModelProto:
    """float32 (1, 8, 8, channels) "picture" to "answer"."""
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, SIDE, SIDE, channels])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "toy", [picture], [answer], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer_of(model: onnx.ModelProto) -> np.ndarray:
    picture = np.random.default_rng(1).normal(size=(1, SIDE, SIDE, CHANNELS)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"picture": picture})[0])


def operations(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def constant_of(model: onnx.ModelProto, node: onnx.NodeProto, slot: int) -> np.ndarray:
    (found,) = [each for each in model.graph.initializer if each.name == node.input[slot]]
    return numpy_helper.to_array(found)


@pytest.mark.parametrize("slot", [0, 1])
def test_equal_numbers_for_all_channels_become_one(slot: int) -> None:
    inputs = ["picture", "gain"] if slot else ["gain", "picture"]
    gain = np.full((1, 1, 1, CHANNELS), 0.7, np.float32)
    model = network([helper.make_node("Sub", inputs, ["answer"], "Sub")], {"gain": gain})
    before = answer_of(model)
    lighten(model)
    assert constant_of(model, model.graph.node[0], slot).shape == ()
    np.testing.assert_array_equal(answer_of(model), before)


@pytest.mark.parametrize(
    ("gain", "channels"),
    [
        (np.array([0.5, 0.5, 0.6], np.float32), CHANNELS),  # not equal
        (np.full((2, 1, 1, CHANNELS), 0.5, np.float32), CHANNELS),  # it makes two pictures of one
        (np.full((1, 1, 1, 1, CHANNELS), 0.5, np.float32), CHANNELS),  # it adds a dimension
        (np.full(CHANNELS, 0.5, np.float32), "any"),  # it may spread one channel over three
    ],
    ids=["different numbers", "more pictures", "more dimensions", "unknown channels"],
)
def test_a_constant_that_shapes_the_answer_stays(gain: np.ndarray, channels: int | str) -> None:
    model = network([helper.make_node("Mul", ["picture", "gain"], ["answer"], "Mul")], {"gain": gain}, channels)
    before = answer_of(model)
    lighten(model)
    assert model.graph.node[0].input[1] == "gain"
    np.testing.assert_array_equal(answer_of(model), before)


def reads_places(kernel_size: int = 1, stride: int = 1, places: Any = ((0, 1, 2), (0, 7, 7))) -> onnx.ModelProto:
    """Two convolutions and an activation between, of which two places are read."""
    rng = np.random.default_rng(0)
    constants = {
        "places": np.array(places, np.int64),
        "first": rng.normal(size=(5, CHANNELS, kernel_size, kernel_size)).astype(np.float32),
        "first_bias": rng.normal(size=5).astype(np.float32),
        "second": rng.normal(size=(4, 5, 1, 1)).astype(np.float32),
        "second_bias": rng.normal(size=4).astype(np.float32),
    }
    nodes = [
        helper.make_node("Transpose", ["picture"], ["planes"], "in", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "first", "first_bias"], ["a"], "first", strides=[stride, stride]),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("Conv", ["b", "second", "second_bias"], ["c"], "second"),
        helper.make_node("Transpose", ["c"], ["d"], "out", perm=[0, 2, 3, 1]),
        helper.make_node("GatherND", ["d", "places"], ["answer"], "gather"),
    ]
    return network(nodes, constants)


def sorted_nodes(model: onnx.ModelProto) -> onnx.ModelProto:
    """`lighten` leaves the order to who writes the file."""
    known = {"picture", *(each.name for each in model.graph.initializer)}
    waiting = list(model.graph.node)
    del model.graph.node[:]
    while waiting:
        node = next(each for each in waiting if {*each.input} <= known)
        waiting.remove(node)
        known |= {*node.output}
        model.graph.node.append(node)
    return model


def test_what_each_place_does_for_itself_is_done_where_it_is_read() -> None:
    model = reads_places()
    before = answer_of(model)
    lighten(model)
    assert operations(model)["Conv"] == 0
    assert operations(model)["MatMul"] == 2
    np.testing.assert_allclose(answer_of(sorted_nodes(model)), before, atol=1e-5)


@pytest.mark.parametrize(
    "wider", [{"kernel_size": 3, "places": ((0, 1, 2), (0, 5, 5))}, {"stride": 2, "places": ((0, 1, 2), (0, 3, 3))}]
)
def test_a_convolution_that_looks_around_is_done_everywhere(wider: dict[str, Any]) -> None:
    model = reads_places(**wider)
    before = answer_of(model)
    lighten(model)
    assert operations(model)["Conv"] == 1
    np.testing.assert_allclose(answer_of(sorted_nodes(model)), before, atol=1e-5)


def test_what_is_also_read_whole_is_done_everywhere() -> None:
    model = reads_places()
    model.graph.node.append(helper.make_node("ReduceMax", ["c"], ["peak"], "peak", keepdims=0))
    model.graph.output.append(helper.make_tensor_value_info("peak", TensorProto.FLOAT, None))
    lighten(model)
    assert operations(model)["Conv"] == 2
