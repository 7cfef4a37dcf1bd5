"""Says in one ONNX operation what tf2onnx takes many for: on one window each costs its call and hardly any arithmetic.

Found by the shape of what Keras layers become; where anything is otherwise, it stays as it is.
"""

from typing import Any

import numpy as np

from export.lighter import add_constant

SIZES = {"Cast", "Squeeze", "Unsqueeze", "Identity"}  # what a number passes through unchanged


class _Graph:
    """Who makes a tensor, and which constants there are."""

    def __init__(self, graph: Any) -> None:
        import onnx

        self.nodes = list(graph.node)
        self._makers = {output: node for node in graph.node for output in node.output if output}
        self.constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def maker(self, tensor: str, *kinds: str) -> Any:
        """The node that makes it if it is one of these operations, else None."""
        node = self._makers.get(tensor)
        return node if node is not None and node.op_type in kinds else None

    def before_sizes(self, tensor: str) -> str:
        """Where a tensor comes from before operations of SIZES."""
        while node := self.maker(tensor, *SIZES):
            tensor = node.input[0]
        return tensor

    def parted(self, tensor: str, kind: str) -> tuple[str, Any] | None:
        """(variable, value of the constant) of the operation that makes it on one of each, else None."""
        names = node.input if (node := self.maker(tensor, kind)) else []
        fixed = [name for name in names if name in self.constants]
        loose = [name for name in names if name not in self.constants]
        return (loose[0], self.constants[fixed[0]]) if len(fixed) == len(loose) == 1 else None


def shorten(model: Any) -> None:
    """Change the network in place; nodes that nothing needs any more are left for the writer to drop."""
    found = _Graph(model.graph)
    for node in found.nodes:
        if node.op_type == "Reshape":
            _product_over_steps(found, node)
        elif node.op_type == "LSTM":
            _begin_at_zero(found, node)
        elif node.op_type == "Add":
            _normalise(model, found, node)


def _product_over_steps(found: _Graph, back: Any) -> None:
    """A Dense layer on (batch, steps, n) need not be flattened: Reshape, MatMul, Reshape to one MatMul."""
    product = found.maker(back.input[0], "MatMul")
    flat = product and found.maker(product.input[0], "Reshape")
    if not flat or product.input[1] not in found.constants or flat.input[1] not in found.constants:
        return
    x, weight = flat.input[0], found.constants[product.input[1]]
    if not _is(found.constants[flat.input[1]], [-1, weight.shape[0]]):
        return
    if not _leading_sizes(found, back.input[1], x, weight.shape[1]):
        return
    back.op_type = "MatMul"
    back.input[:] = [x, product.input[1]]
    del back.attribute[:]


def _leading_sizes(found: _Graph, shape: str, x: str, width: int) -> bool:
    """Whether `shape` is that of x, (batch, steps, n), with `width` for n."""
    joined = found.maker(found.before_sizes(shape), "Concat")
    if not joined or len(joined.input) != 2:
        return False
    taken = found.maker(joined.input[0], "Gather")
    sizes = taken and found.maker(found.before_sizes(taken.input[0]), "Shape")
    first, last = (found.constants.get(name) for name in (taken.input[1] if taken else "", joined.input[1]))
    return bool(sizes) and sizes.input[0] == x and _is(first, [0, 1]) and _is(last, [width])


def _is(constant: Any, wanted: list[int]) -> bool:
    return constant is not None and [*constant.ravel()] == wanted


def _begin_at_zero(found: _Graph, lstm: Any) -> None:
    """An LSTM that is given zeros to begin with is given nothing: ONNX says that it begins at zero."""
    states = list(lstm.input[5:7])
    if len(states) == 2 and all(_zero(found, state) for state in states):
        del lstm.input[5:]


def _zero(found: _Graph, tensor: str) -> bool:
    spread = found.maker(found.before_sizes(tensor), "Expand")
    value = found.constants.get(spread.input[0]) if spread else None
    return value is not None and not value.any()


def _normalise(model: Any, found: _Graph, end: Any) -> None:
    """A LayerNormalization of (batch, steps, n) over n: x s + (b - m s), where s = g / sqrt(v + e)."""
    import onnx

    for scaled, rest in (list(end.input), list(reversed(end.input))):
        parts = _parts_of_norm(found, scaled, rest)
        if parts is None:
            continue
        x, gain, shift, epsilon = parts
        sides = [
            add_constant(model, np.ravel(value), f"{end.name}/{name}")
            for name, value in (("gain", gain), ("shift", shift))
        ]
        end.op_type = "LayerNormalization"
        end.input[:] = [x, *sides]
        said = {"axis": -1, "epsilon": epsilon}
        end.attribute.extend(onnx.helper.make_attribute(key, value) for key, value in said.items())
        return


def _parts_of_norm(found: _Graph, scaled: str, rest: str) -> tuple[str, Any, Any, float] | None:
    """(x, gain, shift, epsilon) where the two tensors are the sides of that sum, else None."""
    product, shift = found.maker(scaled, "Mul"), found.parted(rest, "Add")
    shifted = found.maker(shift[0], "Mul") if shift else None
    if not product or not shift or not shifted:
        return None
    for x, factor in (list(product.input), list(reversed(product.input))):
        gain = found.parted(factor, "Mul")
        spread = _spread(found, gain[0]) if gain else None
        less = [found.maker(name, "Neg") for name in shifted.input if name != factor]
        if not gain or not spread or len(less) != 1 or not less[0]:
            continue
        of, mean, epsilon = spread
        per_channel = gain[1].shape == shift[1].shape == (1, 1, gain[1].size)
        if of == x and less[0].input[0] == mean and per_channel and epsilon.size == 1:
            return x, gain[1], shift[1], float(epsilon.ravel()[0])
    return None


def _spread(found: _Graph, inverse: str) -> tuple[str, str, Any] | None:
    """(x, m, e) where a tensor is 1 / sqrt(v + e), v the mean of (x - m) squared and m that of x; else None."""
    root = found.maker(inverse, "Reciprocal")
    soft = found.maker(root.input[0], "Sqrt") if root else None
    variance = found.parted(soft.input[0], "Add") if soft else None
    mean_square = found.maker(variance[0], "GlobalAveragePool") if variance else None
    square = found.maker(mean_square.input[0], "Mul") if mean_square else None
    away = found.maker(square.input[0], "Sub") if square and square.input[0] == square.input[1] else None
    mean = found.maker(away.input[1], "GlobalAveragePool") if away else None
    if not variance or not away or not mean or mean.input[0] != away.input[0]:
        return None
    return away.input[0], away.input[1], variance[1]
