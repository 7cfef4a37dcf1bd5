"""Whether the networks of a model folder are those that its card describes."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.card import CARD_FILE, ENCODER_FILE, HEAD_FILE, ModelCard
from models.encoders import Encoder
from models.errors import ModelError
from models.frames import Frame
from models.keypoints import KEYPOINTS
from models.runtime import Session, first_line

# How far the head's probabilities may sum from one; float16 and int8 networks stay well inside.
SUM_TOLERANCE = 0.01


def check_encoder(encoder: Encoder, card: ModelCard, folder: Path) -> None:
    """Run it once on a black frame: shapes may be symbolic, and what it answers is what counts.

    Raises:
        ModelError: it does not run, or contradicts the card.
    """
    path, info = folder / ENCODER_FILE, card.encoder
    black = Frame(np.zeros((info.input_size, info.input_size, 3), np.uint8), 0, 0.0)
    prepared = encoder.prepare(black)
    _agree(path, "its input's side", prepared.shape[1], "encoder.input_size", info.input_size)
    output = _dry_run(encoder.infer, prepared, path)
    if info.kind == "pose" and output.shape != (1, 1, len(KEYPOINTS), 3):
        raise ModelError(f"{path}: a pose encoder answers (1, 1, 17, 3), this one {output.shape}.")
    _agree(path, "its feature", encoder.feature_dim, "encoder.feature_dim", info.feature_dim)
    if info.kind == "image" and output.shape != (1, info.feature_dim):
        raise ModelError(f"{path}: it answers {output.shape}, not (1, {info.feature_dim}) (encoder.feature_dim).")
    encoder.reset()


def check_head(head: Session, card: ModelCard, folder: Path) -> None:
    """Run it once on an empty window.

    Raises:
        ModelError: it does not run, or contradicts the card.
    """
    path, shape = folder / HEAD_FILE, head.input.shape
    if len(shape) != 3 or head.input.type != "tensor(float)":
        raise ModelError(f"{path}: a head takes float32 (batch, window, feature_dim), this one {head.input}.")
    for length, what, field, said in (
        (shape[1], "its window", "window", card.window),
        (shape[2], "its feature", "encoder.feature_dim", card.encoder.feature_dim),
    ):
        if isinstance(length, int):
            _agree(path, what, length, field, said)
    zeros = np.zeros((1, card.window, card.encoder.feature_dim), np.float32)
    output = _dry_run(head.run, zeros, path)
    if output.ndim != 2 or output.shape[0] != 1:
        raise ModelError(f"{path}: a head answers (batch, moves), this one {output.shape}.")
    _agree(path, "its answer", output.shape[1], "the number of moves", len(card.moves))
    if not (np.isfinite(output).all() and output.min() >= 0 and abs(float(output.sum()) - 1) <= SUM_TOLERANCE):
        raise ModelError(f"{path}: its answers are no probabilities that sum to one.\nExport the model again.")


def _dry_run(run: Any, array: npt.NDArray[Any], path: Path) -> npt.NDArray[np.float32]:
    try:
        answer: npt.NDArray[np.float32] = np.asarray(run(array))
    except ModelError:
        raise
    except Exception as error:  # onnxruntime's errors have no common base of their own
        raise ModelError(f"{path} does not run on {array.shape}: {first_line(error)}") from error
    return answer


def _agree(path: Path, what: str, has: int, field: str, said: int) -> None:
    if has != said:
        raise ModelError(
            f"{path}: {what} is {has} long, but {CARD_FILE} says {said} ({field}).\n"
            "The two are not of one model. Export it again with `pointe export`."
        )
