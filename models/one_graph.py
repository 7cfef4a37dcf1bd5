"""One ONNX graph for a frame: picture and window in, next window and answer out; for devices that are fed from afar.

It is made of the two networks of a model folder, and does what `models.encoders` and `live.recognizer` do between
them. Every shape in it is fixed, so that a GPU can record it once and play it back.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from models import half
from models.card import ENCODER_FILE, HEAD_FILE, ModelCard, sha256_of, write_atomically
from models.errors import ModelError
from models.files import cache_folder
from models.keypoints import KEYPOINTS

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

PICTURE, PLACE, WINDOW = "picture", "place", "window"  # the inputs
NEXT_WINDOW, ANSWER = "next_window", "answer"  # the outputs
# What PLACE holds: the crop's left, top, width and height in the frame, and the frame's height; in pixels.
PLACE_LENGTH = 5


def graph_file(folder: Path, card: ModelCard, *, in_half: bool) -> Path:
    """The one graph of a model folder, in the user's cache; made where it is not there yet.

    Raises:
        ModelError: the two networks cannot be joined.
        OSError: the cache cannot be written.
    """
    parts = [sha256_of(folder / ENCODER_FILE), sha256_of(folder / HEAD_FILE), card.model_dump_json(), str(in_half)]
    parts += [sha256_of(Path(module)) for module in (__file__, half.__file__)]  # what it is made by
    path = cache_folder() / "graphs" / f"{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:32]}.onnx"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, join(folder, card, in_half=in_half).SerializeToString())
    return path


def join(folder: Path, card: ModelCard, *, in_half: bool) -> "ModelProto":
    """The one graph of a model folder.

    Inputs: PICTURE uint8 (1, size, size, 3) RGB; WINDOW float32 (1, window, feature_dim), the newest feature last; for
    a pose encoder also PLACE float32 (5,).
    Outputs: NEXT_WINDOW, which is WINDOW without its oldest feature and with the picture's; ANSWER float32
    (1, moves), the probabilities; for a pose encoder (1, 51 + moves), before them its 17 keypoints as it gives them.

    Args:
        in_half: the encoder's convolutions compute in float16.

    Raises:
        ModelError: the two cannot be joined.
    """
    from onnx import checker, compose, load, version_converter

    try:
        encoder, head = load(str(folder / ENCODER_FILE)), load(str(folder / HEAD_FILE))
        if in_half:
            half.halve(encoder)
        newest = max(_opset(encoder), _opset(head))
        encoder, head = (
            network if _opset(network) == newest else version_converter.convert_version(network, newest)
            for network in (encoder, head)
        )
        model = _joined(compose.add_prefix(encoder, "encoder/"), compose.add_prefix(head, "head/"), card)
        checker.check_model(model, full_check=True)
    except Exception as error:  # onnx's errors have no common base of their own
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"The networks in {folder} cannot be joined to one: {said}\nUse --device cpu.") from error
    return model


def _joined(encoder: "ModelProto", head: "ModelProto", card: ModelCard) -> "ModelProto":
    from onnx import TensorProto, helper

    pose, moves = card.encoder.kind == "pose", len(card.moves)
    image, raw = encoder.graph.input[0].name, encoder.graph.output[0].name
    features, probabilities = head.graph.input[0].name, head.graph.output[0].name
    nodes = [
        helper.make_node("Cast", [PICTURE], [image], to=TensorProto.INT32 if pose else TensorProto.UINT8),
        *encoder.graph.node,
        *(_pose_feature(raw) if pose else [helper.make_node("Unsqueeze", [raw, "one"], ["feature"])]),
        helper.make_node("Slice", [WINDOW, "one", "end", "one"], ["kept"]),
        helper.make_node("Concat", ["kept", "feature"], [NEXT_WINDOW], axis=1),
        helper.make_node("Identity", [NEXT_WINDOW], [features]),
        *head.graph.node,
        helper.make_node("Concat", [*(["keypoints"] if pose else []), probabilities], [ANSWER], axis=1),
    ]
    picture = [1, card.encoder.input_size, card.encoder.input_size, 3]
    window = [1, card.window, card.encoder.feature_dim]
    inputs = [
        helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, picture),
        helper.make_tensor_value_info(WINDOW, TensorProto.FLOAT, window),
        *([helper.make_tensor_value_info(PLACE, TensorProto.FLOAT, [PLACE_LENGTH])] if pose else []),
    ]
    outputs = [
        helper.make_tensor_value_info(NEXT_WINDOW, TensorProto.FLOAT, window),
        helper.make_tensor_value_info(ANSWER, TensorProto.FLOAT, [1, moves + (3 * len(KEYPOINTS) if pose else 0)]),
    ]
    held = [*_constants(card.window), *encoder.graph.initializer, *head.graph.initializer]
    opsets = {opset.domain: opset for network in (encoder, head) for opset in network.opset_import}
    return helper.make_model(
        helper.make_graph(nodes, card.name, inputs, outputs, held),
        opset_imports=list(opsets.values()),
        ir_version=max(encoder.ir_version, head.ir_version),
    )


def _pose_feature(raw: str) -> "list[NodeProto]":
    """From MoveNet's (1, 1, 17, 3) and PLACE to "feature" (1, 1, 51), as PoseEncoder; and to "keypoints" (1, 51)."""
    from onnx import helper

    return [
        helper.make_node("Reshape", [raw, "flat"], ["keypoints"]),
        helper.make_node("Reshape", [raw, "rows"], ["rows_of_keypoints"]),
        helper.make_node("Split", ["rows_of_keypoints", "three"], ["y", "x", "score"], axis=1),
        helper.make_node("Split", [PLACE, "five"], ["left", "top", "width", "height", "frame_height"], axis=0),
        helper.make_node("Mul", ["x", "width"], ["x_in_crop"]),
        helper.make_node("Add", ["x_in_crop", "left"], ["x_in_frame"]),
        helper.make_node("Div", ["x_in_frame", "frame_height"], ["feature_x"]),
        helper.make_node("Mul", ["y", "height"], ["y_in_crop"]),
        helper.make_node("Add", ["y_in_crop", "top"], ["y_in_frame"]),
        helper.make_node("Div", ["y_in_frame", "frame_height"], ["feature_y"]),
        helper.make_node("Concat", ["feature_x", "feature_y", "score"], ["rows_of_feature"], axis=1),
        helper.make_node("Reshape", ["rows_of_feature", "row"], ["feature"]),
    ]


def _constants(window: int) -> "list[TensorProto]":
    from onnx import TensorProto, helper

    values = {"one": [1], "end": [window], "flat": [1, -1], "row": [1, 1, -1], "rows": [len(KEYPOINTS), 3]}
    values |= {"three": [1] * 3, "five": [1] * PLACE_LENGTH}  # so many parts of one each
    return [helper.make_tensor(name, TensorProto.INT64, [len(held)], held) for name, held in values.items()]


def _opset(network: "ModelProto") -> int:
    return max(int(opset.version) for opset in network.opset_import if opset.domain in ("", "ai.onnx"))
