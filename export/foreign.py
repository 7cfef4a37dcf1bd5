"""Reads weights in the formats of others: a TensorFlow.js graph model, and a PyTorch state dict without torch."""

import io
import pickle
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from export.to_onnx import ExportError

# ---- TensorFlow.js

# Convolutions with the bias and the activation inside, which TensorFlow.js makes and tf2onnx does not know.
FUSED = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
CONVOLUTION_ATTRIBUTES = ("T", "strides", "padding", "explicit_paddings", "data_format", "dilations")


def read_tfjs(model: dict[str, Any], weights: bytes) -> Any:
    """A TensorFlow.js graph model as a GraphDef of plain ops with its weights inside."""
    import tensorflow as tf
    from google.protobuf import json_format

    arrays = dict(_tfjs_weights(model["weightsManifest"], weights))
    graph = json_format.ParseDict(model["modelTopology"], tf.compat.v1.GraphDef())
    plain = tf.compat.v1.GraphDef()
    for node in graph.node:
        node.device = ""
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(arrays[node.name]))
        plain.node.extend(unfuse(node) if node.op in FUSED else [node])
    return plain


def _tfjs_weights(manifest: list[dict[str, Any]], content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    offset = 0
    for weight in (weight for group in manifest for weight in group["weights"]):
        stored = weight.get("quantization", {}).get("dtype", weight["dtype"])
        if stored not in ("float32", "float16", "int32"):
            raise ExportError(f"weight {weight['name']} is stored as {stored}, which this does not read")
        count = int(np.prod(weight["shape"], dtype=np.int64))
        array = np.frombuffer(content, np.dtype(stored).newbyteorder("<"), count, offset)
        offset += array.nbytes
        yield weight["name"], array.astype(weight["dtype"]).reshape(weight["shape"])
    if offset != len(content):
        raise ExportError(f"the weights are {len(content)} bytes, the list of them says {offset}")


def unfuse(node: Any) -> list[Any]:
    """A fused convolution as Conv2D, BiasAdd and the activation; the last has the node's name."""
    steps = [step.decode() for step in node.attr["fused_ops"].list.s]
    if steps[:1] != ["BiasAdd"] or len(node.input) != 3 or not set(steps[1:]) <= {"Relu", "Relu6"}:
        raise ExportError(f"{node.op} {node.name} also does {', '.join(steps)}, which this does not rewrite")
    image, kernel, bias = node.input
    names = [f"{node.name}/{step}" for step in [FUSED[node.op], *steps]]
    names[-1] = node.name
    convolution = type(node)(name=names[0], op=FUSED[node.op], input=[image, kernel])
    for attribute in CONVOLUTION_ATTRIBUTES:
        if attribute in node.attr:
            convolution.attr[attribute].CopyFrom(node.attr[attribute])
    plain = [convolution]
    for name, step in zip(names[1:], steps, strict=True):
        inputs = [plain[-1].name, bias] if step == "BiasAdd" else [plain[-1].name]
        plain.append(type(node)(name=name, op=step, input=inputs))
        plain[-1].attr["T"].CopyFrom(node.attr["T"])
    return plain


# ---- PyTorch


class _View(NamedTuple):
    """A tensor before its numbers are read; the fields are the arguments of torch._utils._rebuild_tensor_v2."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    requires_grad: bool
    hooks: Any

    def read(self, storages: dict[str, np.ndarray]) -> np.ndarray:
        storage = storages[self.storage]
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if min((self.offset, *self.shape, *self.strides)) < 0 or last >= storage.size:
            raise ExportError("a tensor reaches outside its own numbers; the file is damaged")
        steps = [stride * storage.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(storage[self.offset :], self.shape, steps).copy()


class _TensorUnpickler(pickle.Unpickler):
    """Reads tensors and nothing else: only these four names exist for it, and none of them can run anything."""

    KNOWN = {
        "collections.OrderedDict": OrderedDict,
        "torch._utils._rebuild_tensor_v2": _View,
        "torch.FloatStorage": "<f4",
        "torch.LongStorage": "<i8",
    }

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, tuple[str, int]] = {}  # key -> type, count

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in self.KNOWN:
            raise ExportError(f"the file of weights asks for {module}.{name}, which no tensor needs; refused")
        return self.KNOWN[f"{module}.{name}"]

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, _, count, _ = pid
        self.storages[key] = (dtype, count)
        return str(key)


def read_torch(content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a state dict saved by torch.save before version 1.6 (not a zip), without torch."""
    stream = io.BytesIO(content)
    magic, protocol, system = (_TensorUnpickler(stream).load() for _ in range(3))
    if (magic, protocol, system["little_endian"]) != (0x1950A86A20F9469CFC6C, 1001, True):
        raise ExportError("not a PyTorch file of the kind this reads")
    unpickler = _TensorUnpickler(stream)
    views = unpickler.load()
    storages = {}
    for key in _TensorUnpickler(stream).load():
        dtype, count = unpickler.storages[key]
        if int.from_bytes(stream.read(8), "little") != count:
            raise ExportError("a tensor has another length than announced; the file is damaged")
        storages[key] = np.frombuffer(stream.read(count * np.dtype(dtype).itemsize), dtype)
    return {name: view.read(storages) for name, view in views.items()}
