"""A TensorFlow function in, a checked ONNX file out: the one place that calls tf2onnx. And a RUN in, a MODEL out."""

import contextlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.folder import made_whole, save_card
from export.lighter import lighten
from export.parity import ParityReport, Predict, check_parity
from export.shorter import shorten
from models.card import ENCODER_FILE, HEAD_FILE, UNFINISHED, ModelCard, sha256_of, write_atomically
from models.errors import ModelError, UsageError
from models.pretrained import pretrained_path

OPSET = 17  # tf2onnx 1.17 offers 18 at most
SLOW_OPS = {"Loop", "Scan", "If"}  # ten times slower than the real op, and no CUDA graph can hold them


class ExportError(ModelError):
    """A network cannot be written as an ONNX file that runs as it should."""


def export_run(
    run: Path,
    model: Path,
    *,
    load_head: Callable[[Path], Any],
    videos: Sequence[Path] | None = None,
    force: bool = False,
) -> ParityReport:
    """Write a trained run as a model folder, once it was seen to answer as the trained network does.

    Of a run whose training was stopped that is said, and stands on the card.

    Args:
        run: a folder that `pointe train` wrote.
        model: the folder to make; whole or not at all.
        load_head: gives the Keras network of RUN/head.keras; train.network.load_head, which knows its layers.
        videos: what to check the answers on; the clips that the run was made from if None.
        force: replace an existing model.

    Raises:
        UsageError: RUN is no run, or MODEL exists.
        ParityError: the exported networks answer differently; MODEL is as it was.
        ModelError: the encoder is gone or another one, or there is nothing to check on.
    """
    with made_whole(model, force) as half:
        config = _read_config(run)
        card = ModelCard.read(run)
        note = card.provenance.notes.partition("\n\n")[0]
        if note.startswith(UNFINISHED):
            print(note)
        encoder = _find_encoder(Path(config["encoder_path"]), card)
        videos = videos or clips_of(run)
        if not videos:
            raise UsageError(f"{run} was not made from clips.\nGive videos to check the export on: --video FILE")
        head = load_head(run / "head.keras")
        shutil.copyfile(encoder, half / ENCODER_FILE)
        head_to_onnx(head, half / HEAD_FILE)
        report = check_parity(half, card, encoder, _prediction_of(head), videos)
        save_card(_finished_card(card, half, report), half)
    return report


def clips_of(run: Path) -> list[Path]:
    """The clips that a run was made from, those that it did not learn from first; none of one made of motion alone."""
    clips = _read_config(run)["clips"]
    return [Path(path) for split in ("test", "validation", "train") for path in clips.get(split, [])]


def head_to_onnx(head: Any, path: Path) -> None:
    """Write a Keras head: "features" (batch, window, feature_dim) in, "probabilities" (batch, moves) out.

    Raises:
        ExportError: see `convert`; or its LSTM is not one LSTM of ONNX.
    """
    import onnx
    import tensorflow as tf

    features = tf.TensorSpec((None, *head.input_shape[1:]), tf.float32, name="features")
    convert(lambda window: head(window, training=False), [features], path, ["probabilities"])
    lstms = sum(node.op_type == "LSTM" for node in onnx.load(path).graph.node)
    if lstms != 1:
        path.unlink()
        raise ExportError(f"{path.name}: the network has {lstms} LSTM ops instead of one")


def _prediction_of(head: Any) -> Predict:
    return lambda windows: np.concatenate(
        [np.asarray(head(windows[start : start + 256], training=False)) for start in range(0, len(windows), 256)]
    )


def _read_config(run: Path) -> dict[str, Any]:
    path = run / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} is no run: {path.name} cannot be read.\nGive a folder of `pointe train`.") from error
    if not (run / "head.keras").is_file():
        raise UsageError(f"{run} holds no trained network yet.\nGo on with it: pointe train DATA {run} --resume")
    return config


def _find_encoder(path: Path, card: ModelCard) -> Path:
    """The very encoder that the training used: where it was then, or the shipped one of its name."""
    places = [path]
    with contextlib.suppress(ModelError):
        places.append(pretrained_path(card.encoder.name))
    for place in places:
        if place.is_file() and sha256_of(place) == card.encoder.sha256:
            return place
    raise ModelError(
        f"The encoder {card.encoder.name} that the run was trained with is neither in {path} nor among the shipped "
        "ones.\nPut it back, or train again."
    )


def _finished_card(card: ModelCard, folder: Path, report: ParityReport) -> ModelCard:
    measured = card.measured | {
        f"largest difference from Keras, {report.windows} windows of {report.videos} videos": float(
            f"{report.largest_difference:.2g}"
        )
    }
    head = card.head.model_copy(update={"sha256": sha256_of(folder / HEAD_FILE)})
    return card.model_copy(update={"head": head, "measured": measured})


def convert(
    function: Callable[..., Any], signature: Sequence[Any], path: str | Path, output_names: Sequence[str]
) -> None:
    """Write `function` to `path` as ONNX, opset 17. Equal networks give equal bytes.

    function      takes one tensor per signature entry and returns a tensor, or a list in the order of `output_names`;
                  it must run the network with training=False:
                      window = tf.TensorSpec((None, 30, 51), tf.float32, name="window")
                      convert(lambda window: model(window, training=False), [window], "head.onnx", ["probabilities"])
    signature     one tf.TensorSpec per input. Its name becomes the input's name; only the first dimension may be None,
                  and is called "batch" in the file.
    output_names  the names of the outputs, in the order of `function`'s results.

    Raises ExportError, and writes nothing, when the file would have other inputs than asked (a constant that did not
    freeze), a Loop, Scan or If, random numbers (a network left in training) or a dynamic dimension that is not the
    batch, or would not pass ONNX's own checker.
    """
    import onnx

    path = Path(path)
    names = [spec.name for spec in signature]
    if None in names or len(set(names)) < len(names):
        raise ExportError(f"{path.name}: every input needs a name of its own; give each tf.TensorSpec one")
    model = _tf2onnx(function, signature, output_names, path.name)
    _check_graph(model.graph, names, path.name)
    lighten(model)
    shorten(model)
    _rename_dynamic_dimensions(model.graph, path.name)
    _rename(model.graph, path.stem, list(output_names))
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"{path.name}: not a valid ONNX file: {str(error).splitlines()[0]}") from error
    write_atomically(path, model.SerializeToString(deterministic=True))


def _tf2onnx(function: Callable[..., Any], signature: Sequence[Any], output_names: Sequence[str], name: str) -> Any:
    import tensorflow as tf
    import tf2onnx

    def numbered(*inputs: Any) -> dict[str, Any]:
        results = function(*inputs)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        if len(results) != len(output_names):
            raise ExportError(f"{name}: {len(results)} outputs, but {len(output_names)} names for them")
        # An output that is an input or another output as it stands would lose its name: keep them apart.
        return {f"output_{index}": tf.identity(result) for index, result in enumerate(results)}

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # it greets at every conversion
    model, _ = tf2onnx.convert.from_function(tf.function(numbered), signature, opset=OPSET)
    order = {f"output_{index}": index for index in range(len(output_names))}
    outputs = sorted(model.graph.output, key=lambda output: order[output.name])
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    return model


def _check_graph(graph: Any, input_names: list[str], name: str) -> None:
    found = [value.name for value in graph.input]
    if found != input_names:
        raise ExportError(f"{name}: inputs are {found} instead of {input_names}: a constant did not freeze")
    slow = sorted({node.op_type for node in graph.node} & SLOW_OPS)
    if slow:
        raise ExportError(f"{name}: the network became {', '.join(slow)}, which is ten times slower than a plain op")
    if any(node.op_type.startswith("Random") for node in graph.node):
        raise ExportError(f"{name}: the network draws random numbers; call it with training=False")
    if any(tensor.data_location for tensor in graph.initializer):
        raise ExportError(f"{name}: weights lie outside the file, and such files are refused at run time")


def _rename_dynamic_dimensions(graph: Any, name: str) -> None:
    for value in [*graph.input, *graph.output]:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.HasField("dim_value"):
                continue
            if axis > 0:
                raise ExportError(f"{name}: dimension {axis} of {value.name} is not fixed; only the batch may vary")
            dimension.dim_param = "batch"


def _rename(graph: Any, name: str, output_names: list[str]) -> None:
    """Order and name everything by the structure alone, so that equal networks become equal bytes.

    tf2onnx numbers what it makes by a counter that runs through the whole process.
    """
    nodes = list(_from_outputs(graph))
    constants = {tensor.name: tensor for tensor in graph.initializer}
    new = {value.name: value.name for value in graph.input} | {"": ""}
    kept: list[Any] = []
    for number, node in enumerate(nodes):
        for tensor in node.input:
            if tensor in constants and tensor not in new:
                new[tensor] = f"weight_{len(kept)}"
                kept.append(constants[tensor])
        new |= {tensor: f"{node.op_type.lower()}_{number}_{slot}" for slot, tensor in enumerate(node.output) if tensor}
    new |= {value.name: wanted for value, wanted in zip(graph.output, output_names, strict=True)}
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        node.doc_string = ""
        node.input[:] = [new[tensor] for tensor in node.input]
        node.output[:] = [new[tensor] for tensor in node.output]
        attributes = sorted(node.attribute, key=lambda attribute: str(attribute.name))
        del node.attribute[:]
        node.attribute.extend(attributes)
    for tensor in kept:
        tensor.name = new[tensor.name]
    for value in graph.output:
        value.name = new[value.name]
    graph.name, graph.doc_string = name, ""
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


def _from_outputs(graph: Any) -> Iterator[Any]:
    """The nodes the outputs need, each after those it reads."""
    maker = {tensor: node for node in graph.node for tensor in node.output if tensor}
    done: set[int] = set()
    waiting = [maker[value.name] for value in reversed(graph.output) if value.name in maker]
    while waiting:
        node = waiting[-1]
        missing = [maker[tensor] for tensor in node.input if tensor in maker and id(maker[tensor]) not in done]
        if missing:
            waiting.extend(reversed(missing))
            continue
        waiting.pop()
        if id(node) not in done:
            done.add(id(node))
            yield node
