"""An ONNX network in, the same in whole numbers of eight bits out: faster on a CPU, and a little off.

Activations are unsigned and weights signed, each channel with a scale of its own: with signed activations onnxruntime
is slower than in float. How far off the answers are is looked at elsewhere.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt

from models.errors import ModelError

# Where int8 gains; what stands between two of these comes along, so that numbers do not turn to float and back.
QUANTIZED = ("Conv", "Clip", "Relu", "Add", "Concat", "MaxPool", "AveragePool")
# The first convolutions cost accuracy and gain little: the picture has three channels, too few to fill the processor.
FIRST_IN_FLOAT = 3
# A pose network enlarges its picture again to say where the joints are, and adds what its first layers saw in detail.
# Small errors there move joints. Of MoveNet with this left in float 2.4 of 100 joints moved by a twentieth of the
# torso or more, and it was 1.4 times as fast; with three convolutions in float 4.3 and 1.6 times, with all in int8 20.
ENLARGES = "Resize"
FIRST_OF_POSE_IN_FLOAT = 9
# An LSTM so wide is slow for its weights, which are four times smaller in int8. Of the `pointe` head (128 units) the
# geometry of the pose is most of the work, and int8 gained nothing.
LEAST_UNITS = 256

Pictures = Sequence[npt.NDArray[Any]]  # each (1, size, size, 3), as the encoder takes them


def quantize_encoder(source: Path, target: Path, pictures: Pictures) -> None:
    """Write an encoder in int8, with the ranges that its layers have on `pictures`.

    Raises:
        ImportError: the [train] extra is not installed.
        ModelError: no layer of it would be faster.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name = onnx.load(source).graph.input[0].name

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(pictures)

        def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
            picture = next(self.left, None)
            return None if picture is None else {name: picture}

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        layers = layers_to_quantize(onnx.load(prepared).graph.node)
        if not layers:  # which onnxruntime would take for all of them
            raise ModelError(f"{source} has too few convolutions to be faster in int8.\nStay with the one in float.")
        quantize_static(
            prepared,
            target,
            Reader(),
            op_types_to_quantize=list(QUANTIZED),
            nodes_to_quantize=layers,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            # The mean of the pictures' extremes: one odd picture would stretch every range.
            extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 0.05},
        )


def layers_to_quantize(nodes: Sequence[Any]) -> list[str]:
    """The names of an encoder's nodes that become int8, of all in the order in which they run."""
    enlarges = next((place for place, node in enumerate(nodes) if node.op_type == ENLARGES), None)
    first = FIRST_IN_FLOAT if enlarges is None else FIRST_OF_POSE_IN_FLOAT
    chosen: list[str] = []
    convolutions = 0
    for node in nodes[:enlarges]:
        # What follows a convolution in float stays with it.
        if node.op_type in QUANTIZED and convolutions >= first and (chosen or node.op_type == "Conv"):
            chosen.append(node.name)
        convolutions += node.op_type == "Conv"
    return chosen


def quantize_head(source: Path, target: Path) -> bool:
    """Write a head with its LSTM and dense layers in int8, where that makes it faster; False where it does not."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    if max(_units(onnx.load(source))) < LEAST_UNITS:
        return False
    with _without_advice():
        quantize_dynamic(
            source, target, op_types_to_quantize=["LSTM", "MatMul"], per_channel=True, weight_type=QuantType.QInt8
        )
    return True


@contextmanager
def _without_advice() -> Iterator[None]:
    """onnxruntime advises to prepare a network first, also one with which that does nothing."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _units(network: Any) -> list[int]:
    import onnx

    attributes = [each for node in network.graph.node if node.op_type == "LSTM" for each in node.attribute]
    return [0, *(onnx.helper.get_attribute_value(each) for each in attributes if each.name == "hidden_size")]
