"""A model so simple that its answers are known beforehand: the colour of the picture is the move. And clips for it.

Dark is none, red plie, green tendu, blue saute.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save_model

from models.card import (
    CARD_FILE,
    ENCODER_FILE,
    HEAD_FILE,
    EncoderInfo,
    HeadInfo,
    ModelCard,
    MoveClass,
    Provenance,
    display_name,
    sha256_of,
)

NAMES = ("none", "plie", "tendu", "saute")
COLOURS = {"none": (20, 20, 20), "plie": (30, 30, 240), "tendu": (30, 240, 30), "saute": (240, 30, 30)}  # BGR
# What the clip of the fixture `clip` shows: 150 frames, with a plie from 1.0 to 2.5 s and a saute from 3.5 to 4.5 s.
STRETCHES = (("none", 1.0), ("plie", 1.5), ("none", 1.0), ("saute", 1.0), ("none", 0.5))
SIZE = 32
WINDOW = 4
SAMPLE_HZ = 10.0


def _save(path: Path, nodes: list, inputs: list, outputs: list, constants: dict[str, np.ndarray]) -> None:
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save_model(model, path)


def save_encoder(path: Path, size: int = SIZE, features: int = 3, convolutions: int = 0) -> None:
    """uint8 (batch, size, size, 3) RGB to its mean colour (batch, 3), each from 0 to 1; more features repeat it.

    So many convolutions before that change nothing.
    """
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["layer0"], perm=[0, 3, 1, 2]),
        *(
            helper.make_node("Conv", [f"layer{index}", "same"], [f"layer{index + 1}"], name=f"conv{index}")
            for index in range(convolutions)
        ),
        helper.make_node("ReduceMean", [f"layer{convolutions}"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "spread"], ["feature"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", size, size, 3])
    feature = helper.make_tensor_value_info("feature", TensorProto.FLOAT, ["batch", features])
    spread = np.eye(3, features, dtype=np.float32) / 255
    same = {"same": np.eye(3, dtype=np.float32)[:, :, None, None]} if convolutions else {}
    _save(path, nodes, [image], [feature], {"spread": spread, **same})


def save_head(
    path: Path,
    window: int | str = WINDOW,
    features: int = 3,
    moves: int = len(NAMES),
    *,
    softmax: bool = True,
    scale: float = 20,
) -> None:
    """float32 (batch, window, features) to (batch, moves): the likeliest is the mean colour of the window."""
    weights = np.zeros((features, moves), np.float32)
    for colour in range(min(features, moves - 1, 3)):
        weights[colour, colour + 1] = scale
    bias = np.zeros(moves, np.float32)
    bias[0] = 0.3 * scale
    nodes = [
        helper.make_node("ReduceMean", ["window"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits" if softmax else "probabilities"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1))
    taken = helper.make_tensor_value_info("window", TensorProto.FLOAT, ["batch", window, features])
    given = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", moves])
    _save(path, nodes, [taken], [given], {"weights": weights, "bias": bias})


def make_card(folder: Path | None = None, names: Sequence[str] = NAMES, **changes: object) -> ModelCard:
    """The toy's card, with the hashes of the networks in `folder` where one is given."""
    hashes = [sha256_of(folder / file) if folder else "0" * 64 for file in (ENCODER_FILE, HEAD_FILE)]
    fields: dict[str, object] = {
        "name": "toy",
        "moves": tuple(MoveClass(name=name, display=display_name(name)) for name in names),
        "encoder": EncoderInfo(kind="image", name="mean-colour", sha256=hashes[0], input_size=SIZE, feature_dim=3),
        "head": HeadInfo(name="pointe", sha256=hashes[1]),
        "sample_hz": SAMPLE_HZ,
        "window": WINDOW,
        "provenance": Provenance(trained_on="nothing"),
    }
    return ModelCard(**{**fields, **changes})  # type: ignore[arg-type]


def make_model(folder: Path, **changes: object) -> Path:
    """A whole model folder. `changes` go into the card."""
    folder.mkdir(parents=True, exist_ok=True)
    save_encoder(folder / ENCODER_FILE)
    save_head(folder / HEAD_FILE)
    make_card(folder, **changes).save(folder)
    assert (folder / CARD_FILE).is_file()
    return folder


def picture(move: str, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """(height, width, 3) uint8 BGR in the move's colour; `size` is (width, height)."""
    return np.full((size[1], size[0], 3), COLOURS[move], np.uint8)


def draw_clip(
    path: Path, stretches: Sequence[tuple[str, float]], rate_hz: float = 30, size: tuple[int, int] = (64, 48)
) -> Path:
    """An H.264 clip of coloured stretches, each (move, seconds)."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24"),
        *("-s", f"{size[0]}x{size[1]}", "-r", str(rate_hz), "-i", "-", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-tune", "zerolatency", "-g", "10", "-pix_fmt", "yuv420p", str(path)),
    ]
    frames = [picture(move, size).tobytes() * round(seconds * rate_hz) for move, seconds in stretches]
    subprocess.run(command, input=b"".join(frames), check=True)
    return path
