"""A CNN whose convolutions compute in float16, as GPUs do best; what comes before and after them stays float32.

onnxruntime.transformers.float16 would round to float16 also between the nodes that it leaves in float32. Behind
MoveNet's convolutions, where a heat map's peak becomes coordinates, that moves joints. Hence this one.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

# What may stand between convolutions and computes as well in float16.
BETWEEN = {
    *("Add", "AveragePool", "Clip", "Concat", "Div", "HardSigmoid", "HardSwish", "LeakyRelu", "MaxPool", "Mul"),
    *("Relu", "Resize", "Sigmoid", "Sub", "Transpose"),
}
QUANTISED = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "ConvInteger"}
LARGEST = float(np.finfo(np.float16).max)


def halve(model: "ModelProto") -> None:
    """Change the network so that it computes in float16 from its first to its last convolution.

    Its inputs and outputs keep their types. One without a convolution, or quantised to int8, is left as it is.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    if any(node.op_type in QUANTISED for node in graph.node):
        return
    weights = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
    chosen = _between_convolutions(model)
    read = {name for index, node in enumerate(graph.node) if index not in chosen for name in node.input}
    read |= {output.name for output in graph.output}
    halves: dict[str, str] = {}  # a float32 tensor -> its float16 one
    nodes: list[NodeProto] = []
    for index, node in enumerate(graph.node):
        if index not in chosen:
            nodes.append(node)
            continue
        for place, name in enumerate(node.input):
            if not name or (node.op_type == "Resize" and place > 0):  # its scales and sizes are no data
                continue
            if name not in halves:
                halves[name] = f"{name}/half"
                if name in weights:
                    rounded = np.clip(numpy_helper.to_array(weights[name]), -LARGEST, LARGEST).astype(np.float16)
                    graph.initializer.append(numpy_helper.from_array(rounded, halves[name]))
                else:
                    nodes.append(helper.make_node("Cast", [name], [halves[name]], to=TensorProto.FLOAT16))
            node.input[place] = halves[name]
        name = node.output[0]
        halves[name] = node.output[0] = f"{name}/half"
        nodes.append(node)
        if name in read:
            nodes.append(helper.make_node("Cast", [halves[name]], [name], to=TensorProto.FLOAT))
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _between_convolutions(model: "ModelProto") -> set[int]:
    """Which nodes are convolutions, or of BETWEEN, on floats, behind one convolution and before another."""
    from onnx import TensorProto, shape_inference

    nodes = model.graph.node
    behind: set[str] = set()  # tensors
    before: set[str] = set()
    for node in nodes:
        if node.op_type == "Conv" or behind & set(node.input):
            behind |= set(node.output)
    for node in reversed(nodes):
        if node.op_type == "Conv" or before & set(node.output):
            before |= set(node.input)
    inferred = shape_inference.infer_shapes(model).graph
    floats = {
        value.name
        for value in (*inferred.value_info, *inferred.output)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    return {
        index
        for index, node in enumerate(nodes)
        if node.op_type == "Conv"
        or (node.op_type in BETWEEN and node.output[0] in floats & before and behind & set(node.input))
    }
