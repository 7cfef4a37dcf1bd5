"""A model folder whose head was never trained: it runs as fast as a trained one, and its answers mean nothing."""

import shutil
from pathlib import Path
from typing import Any, Literal

from export.to_onnx import head_to_onnx
from models.card import ENCODER_FILE, HEAD_FILE, HeadInfo, ModelCard, MoveClass, Provenance, sha256_of
from models.encoders import describe_encoder


def write_untrained(
    folder: Path, encoder: str | Path, head: Any, *, name: Literal["pointe", "original"], sample_hz: float = 15.0
) -> Path:
    """Write a model of an encoder (as for `describe_encoder`) and a Keras head (batch, window, feature_dim).

    Raises:
        ModelError: there is no such encoder.
        ExportError: the head cannot be written as ONNX.
    """
    path, info = describe_encoder(encoder)
    folder.mkdir(parents=True, exist_ok=True)
    if path != folder / ENCODER_FILE:
        shutil.copyfile(path, folder / ENCODER_FILE)
    head_to_onnx(head, folder / HEAD_FILE)
    names = ("none", *(f"move_{number}" for number in range(1, head.output_shape[-1])))
    ModelCard(
        name=f"untrained {info.name}",
        moves=tuple(MoveClass(name=each, display=each.replace("_", " ")) for each in names),
        encoder=info,
        head=HeadInfo(name=name, sha256=sha256_of(folder / HEAD_FILE)),
        sample_hz=sample_hz,
        window=head.input_shape[1],
        provenance=Provenance(trained_on="nothing: its weights are random, to measure its speed"),
    ).save(folder)
    return folder
