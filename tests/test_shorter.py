"""What tf2onnx takes many operations for is said in one, and only where it is the same."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.shorter import shorten
from export.to_onnx import head_to_onnx
from models.runtime import open_session
from train.network import build_network
from train.settings import settings_for

STEPS, WIDTH, UNITS = 6, 4, 3
Nodes = list[onnx.NodeProto]


@pytest.mark.parametrize("pose", [True, False])
def test_a_head_becomes_few_operations_and_answers_the_same(tmp_path: Path, pose: bool) -> None:
    model = build_network(settings_for(window=STEPS, units=8, dense=8), 51, 3, pose)
    rng = np.random.default_rng(0)
    for weight in model.weights:  # so that no gain is 1 and no shift 0
        weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    head_to_onnx(model, tmp_path / "head.onnx")
    nodes = onnx.load(tmp_path / "head.onnx").graph.node
    kinds = Counter(node.op_type for node in nodes)
    assert kinds["LayerNormalization"] == kinds["LSTM"] == 1
    assert not {"Reshape", "Shape", "Expand", "GlobalAveragePool"} & {*kinds}
    assert len(nodes) < (170 if pose else 15)
    windows = rng.uniform(0.1, 0.9, (5, STEPS, 51)).astype(np.float32)
    answers = open_session(tmp_path / "head.onnx").run(windows)
    np.testing.assert_allclose(answers, np.asarray(model(windows, training=False)), atol=1e-5)


def network(nodes: Nodes, constants: dict[str, np.ndarray]) -> onnx.ModelProto:
    """float32 "x" (batch, 6, 4) to "y"."""
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", STEPS, WIDTH])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "toy", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def dense(rows: int = -1, taken: str = "x") -> onnx.ModelProto:
    constants: dict[str, Any] = {
        "flat": np.array([rows, WIDTH], np.int64),
        "weight": np.ones((WIDTH, UNITS), np.float32),
        "leading": np.array([0, 1], np.int64),
        "last": np.array([UNITS], np.int64),
    }
    nodes = [
        helper.make_node("Abs", ["x"], ["other"]),
        helper.make_node("Reshape", ["x", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weight"], ["product"]),
        helper.make_node("Shape", [taken], ["sizes"]),
        helper.make_node("Gather", ["sizes", "leading"], ["first"]),
        helper.make_node("Concat", ["first", "last"], ["wanted"], axis=0),
        helper.make_node("Reshape", ["product", "wanted"], ["y"]),
    ]
    return network(nodes, constants)


def norm(of_mean: str = "x", gain: int = 1) -> onnx.ModelProto:
    constants: dict[str, Any] = {
        "e": np.array(1e-3, np.float32),
        "g": np.full((1, gain, WIDTH), 2, np.float32),
        "b": np.full((1, gain, WIDTH), 3, np.float32),
    }
    nodes = [
        helper.make_node("Abs", ["x"], ["other"]),
        helper.make_node("GlobalAveragePool", [of_mean], ["m"]),
        helper.make_node("Sub", ["x", "m"], ["d"]),
        helper.make_node("Mul", ["d", "d"], ["dd"]),
        helper.make_node("GlobalAveragePool", ["dd"], ["v"]),
        helper.make_node("Add", ["v", "e"], ["soft"]),
        helper.make_node("Sqrt", ["soft"], ["root"]),
        helper.make_node("Reciprocal", ["root"], ["inverse"]),
        helper.make_node("Mul", ["inverse", "g"], ["s"]),
        helper.make_node("Mul", ["x", "s"], ["xs"]),
        helper.make_node("Neg", ["m"], ["less"]),
        helper.make_node("Mul", ["less", "s"], ["ms"]),
        helper.make_node("Add", ["ms", "b"], ["rest"]),
        helper.make_node("Add", ["xs", "rest"], ["y"], "norm"),
    ]
    return network(nodes, constants)


def lstm(begin: float = 0.0) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    constants: dict[str, Any] = {
        "w": rng.normal(size=(1, 4 * UNITS, WIDTH)).astype(np.float32),
        "r": rng.normal(size=(1, 4 * UNITS, UNITS)).astype(np.float32),
        "bias": np.zeros((1, 8 * UNITS), np.float32),
        "begin": np.array(begin, np.float32),
        "size": np.array([1, STEPS, UNITS], np.int64),  # the toy's steps are its batch
    }
    nodes = [
        helper.make_node("Expand", ["begin", "size"], ["state"]),
        helper.make_node("LSTM", ["x", "w", "r", "bias", "", "state", "state"], ["y"], hidden_size=UNITS),
    ]
    return network(nodes, constants)


def operations(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_what_is_the_same_becomes_one_operation() -> None:
    for model, wanted in ((dense(), "MatMul"), (norm(), "LayerNormalization")):
        shorten(model)
        assert operations(model)[-1] == wanted
    begun = lstm()
    shorten(begun)
    assert [*begun.graph.node[1].input] == ["x", "w", "r", "bias", ""]


@pytest.mark.parametrize(
    "model",
    [dense(rows=STEPS), dense(taken="product"), norm(of_mean="other"), norm(gain=STEPS), lstm(begin=0.5)],
    ids=["one batch alone", "another shape", "another mean", "a gain for each step", "begins elsewhere"],
)
def test_what_is_something_else_stays(model: onnx.ModelProto) -> None:
    before = model.SerializeToString(deterministic=True)
    shorten(model)
    assert model.SerializeToString(deterministic=True) == before
