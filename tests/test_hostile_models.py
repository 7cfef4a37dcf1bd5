"""Model folders that are broken or mean harm: each is refused in time, naming the file and the field."""

import json
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from test_cli import pointe
from toys import NAMES, WINDOW, make_card, make_model, save_encoder, save_head

from live.recognizer import Recognizer
from models.card import CARD_FILE, ENCODER_FILE, HEAD_FILE, LARGEST_CARD_BYTES, LARGEST_NETWORK_BYTES
from models.errors import ModelError

Spoil = Callable[[Path], object]
LONGEST_S = 5.0


def card(**changes: Any) -> Spoil:
    """Changes fields of the card's first move (as `moves__enter`), or of the card; None takes one away."""

    def spoil(folder: Path) -> None:
        document = json.loads((folder / CARD_FILE).read_text())
        for field, value in changes.items():
            part, _, name = field.rpartition("__")
            target = document["moves"][0] if part == "moves" else document[part] if part else document
            if value is None:
                del target[name]
            else:
                target[name] = value
        (folder / CARD_FILE).write_text(json.dumps(document))

    return spoil


def holding(file: str, content: bytes) -> Spoil:
    """Puts bytes in place of a file, with a card that vouches for them."""
    return lambda folder: ((folder / file).write_bytes(content), file == CARD_FILE or make_card(folder).save(folder))


def made(save: Callable[..., None], file: str, card_changes: dict[str, Any] | None = None, **options: Any) -> Spoil:
    """Another network in place of the toy's, with a card that vouches for it."""
    return lambda folder: (save(folder / file, **options), make_card(folder, **(card_changes or {})).save(folder))


def network(*nodes: onnx.NodeProto, **constants: Any) -> Spoil:
    """A head of these nodes from "window" to "answer", with a card that vouches for it."""

    def spoil(folder: Path) -> None:
        taken = helper.make_tensor_value_info("window", TensorProto.FLOAT, ["batch", WINDOW, 3])
        given = helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)
        tensors = [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()]
        graph = helper.make_graph([*nodes], "head", [taken], [given], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        (folder / HEAD_FILE).write_bytes(model.SerializeToString())
        make_card(folder).save(folder)

    return spoil


def weights_at(location: str) -> Spoil:
    """A head whose weights lie in another file."""

    def spoil(folder: Path) -> None:
        model = onnx.load(folder / HEAD_FILE)
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
        (folder / HEAD_FILE).write_bytes(model.SerializeToString())
        make_card(folder).save(folder)

    return spoil


def linked(file: str, target: str) -> Spoil:
    return lambda folder: ((folder / file).unlink(), (folder / file).symlink_to(target))


def huge(file: str, size: int) -> Spoil:
    return lambda folder: os.truncate(folder / file, size)  # sparse: takes no room on the disk


def looping() -> list[onnx.NodeProto]:
    """Nodes that go round for ever."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in ("v", "v2")]
    goes_on = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("c", "c2")]
    number = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    nodes = [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Add", ["v", "v"], ["v2"])]
    body = helper.make_graph(nodes, "body", [number, goes_on[0], value[0]], [goes_on[1], value[1]])
    return [SUM, helper.make_node("Loop", ["times", "true", "sum"], ["answer"], body=body)]


SUM = helper.make_node("ReduceSum", ["window"], ["sum"], keepdims=0)
ANSWER = helper.make_node("ReduceSum", ["big"], ["answer"], keepdims=0)
POWERS = [helper.make_node("MatMul", [f"m{n}", f"m{n}"], [f"m{n + 1}"]) for n in range(100)]
TO_ALL = helper.make_node("Expand", ["sum", "shape"], ["m0"])
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(1000)
ZIP = b"PK\x03\x04" + bytes(1000)

CASES: dict[str, tuple[Spoil, str, str]] = {  # what is done, the file and the field or reason that are named
    "no card": (lambda folder: (folder / CARD_FILE).unlink(), CARD_FILE, "cannot be read"),
    "a card that is a folder": (lambda f: ((f / CARD_FILE).unlink(), (f / CARD_FILE).mkdir()), CARD_FILE, "ordinary"),
    "a card of no JSON": (holding(CARD_FILE, b"{"), CARD_FILE, "JSON"),
    "a card of no text": (holding(CARD_FILE, b"\xff\xfe\x00"), CARD_FILE, "UTF-8"),
    "a deeply nested card": (holding(CARD_FILE, b"[" * 200_000), CARD_FILE, "recursion"),
    "a huge card": (huge(CARD_FILE, LARGEST_CARD_BYTES + 1), CARD_FILE, "larger than"),
    "a card of the future": (card(card_version=2), CARD_FILE, "card_version"),
    "no labels": (card(moves=None), CARD_FILE, "moves"),
    "labels of one move": (card(moves=[{"name": "plie", "display": "plié"}]), CARD_FILE, "moves"),
    "a label twice": (card(moves=[{"name": "plie", "display": "plié"}] * 2), CARD_FILE, "moves"),
    "a label with a path": (card(moves__name="../../etc/passwd"), CARD_FILE, "moves.0.name"),
    "a label that writes to the terminal": (card(moves__display="\x1b]0;gone\x07"), CARD_FILE, "moves.0.display"),
    "a threshold that is no number": (card(moves__enter=float("nan")), CARD_FILE, "moves.0.enter"),
    "a threshold without end": (card(moves__leave=float("inf")), CARD_FILE, "moves.0.leave"),
    "a temperature of zero": (card(temperature=0), CARD_FILE, "temperature"),
    "a window as large as memory": (card(window=10**12), CARD_FILE, "window"),
    "a rate that is no number": (card(sample_hz=float("nan")), CARD_FILE, "sample_hz"),
    "an encoder of code": (card(encoder__kind="pickle"), CARD_FILE, "encoder.kind"),
    "a field that nobody knows": (card(run="rm -rf /"), CARD_FILE, "run"),
    "a card elsewhere": (linked(CARD_FILE, "/etc/passwd"), CARD_FILE, "link out of"),
    "a card that links to itself": (linked(CARD_FILE, CARD_FILE), CARD_FILE, "cannot be read"),
    "an encoder elsewhere": (linked(ENCODER_FILE, "/dev/zero"), ENCODER_FILE, "link out of"),
    "a head that is a pipe": (lambda f: ((f / HEAD_FILE).unlink(), os.mkfifo(f / HEAD_FILE)), HEAD_FILE, "ordinary"),
    "no encoder": (lambda folder: (folder / ENCODER_FILE).unlink(), ENCODER_FILE, "has no"),
    "another head": (lambda folder: (folder / HEAD_FILE).write_bytes(b"other"), HEAD_FILE, "head.sha256"),
    "a huge head": (huge(HEAD_FILE, LARGEST_NETWORK_BYTES + 1), HEAD_FILE, "larger than"),
    "a Keras model as the head": (holding(HEAD_FILE, ZIP), HEAD_FILE, "ONNX"),
    "an HDF5 file as the encoder": (holding(ENCODER_FILE, HDF5), ENCODER_FILE, "ONNX"),
    "a pickle as the encoder": (holding(ENCODER_FILE, pickle.dumps([1] * 100)), ENCODER_FILE, "ONNX"),
    "an empty head": (holding(HEAD_FILE, b""), HEAD_FILE, "ONNX"),
    "weights beside the head": (weights_at("weights.bin"), HEAD_FILE, "external data"),
    "weights above the folder": (weights_at("../../weights.bin"), HEAD_FILE, "external data"),
    "weights anywhere": (weights_at("/etc/passwd"), HEAD_FILE, "external data"),
    "a head for another window": (made(save_head, HEAD_FILE, window=WINDOW + 1), HEAD_FILE, "window"),
    "a head for other features": (made(save_head, HEAD_FILE, features=5), HEAD_FILE, "encoder.feature_dim"),
    "a head for more moves": (made(save_head, HEAD_FILE, moves=9), HEAD_FILE, "moves"),
    "more labels than the head": (made(save_head, HEAD_FILE, {"names": (*NAMES, "jete")}), HEAD_FILE, "moves"),
    "a head of no probabilities": (made(save_head, HEAD_FILE, softmax=False), HEAD_FILE, "probabilities"),
    "a head of no numbers": (made(save_head, HEAD_FILE, scale=float("nan")), HEAD_FILE, "probabilities"),
    "an encoder of another size": (made(save_encoder, ENCODER_FILE, size=48), ENCODER_FILE, "encoder.input_size"),
    "an encoder of more features": (made(save_encoder, ENCODER_FILE, features=8), ENCODER_FILE, "encoder.feature_dim"),
    "a head as the encoder": (made(save_head, ENCODER_FILE), ENCODER_FILE, "encoder must take"),
    "an encoder as the head": (made(save_encoder, HEAD_FILE), HEAD_FILE, "head takes"),
    "an operation that nobody knows": (
        network(helper.make_node("Sh", ["window"], ["answer"], domain="evil")),
        HEAD_FILE,
        "ONNX",
    ),
    "a head that goes round for ever": (network(*looping(), times=10**15, true=True), HEAD_FILE, "within"),
    "a head that takes all memory": (
        network(SUM, helper.make_node("Expand", ["sum", "shape"], ["big"]), ANSWER, shape=[10**5, 10**6]),
        HEAD_FILE,
        "memory",
    ),
    "a head that never comes to an end": (
        network(SUM, TO_ALL, *POWERS, helper.make_node("Identity", ["m100"], ["answer"]), shape=[3000, 3000]),
        HEAD_FILE,
        "within",
    ),
}


@pytest.fixture(autouse=True)
def what_was_given_up_has_ended() -> Iterator[None]:
    """Without it the tests' own process would be aborted as it exits, which `pointe` avoids in its way."""
    yield
    for thread in threading.enumerate():
        if thread.name == "pointe: model":
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.parametrize("case", CASES)
def test_a_broken_or_hostile_model_is_refused_in_time_with_file_and_field(tmp_path: Path, case: str) -> None:
    spoil, file, named = CASES[case]
    folder = make_model(tmp_path / "toy")
    spoil(folder)
    begun_s, cpu_begun_s = time.monotonic(), time.process_time()
    with pytest.raises(ModelError) as refusal:
        Recognizer.load(folder, "cpu")
    assert time.process_time() - cpu_begun_s < LONGEST_S  # on a busy machine the clock shows more
    assert time.monotonic() - begun_s < 8 * LONGEST_S
    assert refusal.value.exit_code == 4
    text = str(refusal.value)
    assert file in text and named in text
    assert len(text.splitlines()) <= 2 and all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize(
    ("case", "command"),
    [
        ("a head that goes round for ever", ("live", "demo", "--headless")),
        ("a head that takes all memory", ("classify", "demo", "--out", "out")),
        ("no labels", ("classify", "demo", "--out", "out")),
    ],
)
def test_the_command_ends_with_exit_code_4_whatever_the_network_still_does(
    tmp_path: Path, case: str, command: tuple[str, ...]
) -> None:
    spoil, file, named = CASES[case]
    spoil(make_model(tmp_path / "toy"))
    code, _, err = pointe(*command, "--model", "toy", "--device", "cpu", cwd=tmp_path)
    assert code == 4, err
    assert file in err and named in err
    assert len(err.splitlines()) <= 2
