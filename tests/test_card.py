"""The model card: what it refuses and that it survives being written and read."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from models.card import (
    CARD_FILE,
    DEFAULT_MODEL,
    ENCODER_FILE,
    HEAD_FILE,
    LARGEST_NETWORK_BYTES,
    SHIPPED_IN,
    EncoderInfo,
    HeadInfo,
    ModelCard,
    MoveClass,
    Provenance,
    as_typed,
    find_model,
    refuse_two_meanings,
    sha256_of,
    write_atomically,
)
from models.errors import CardError, ModelError


def a_card(**changes: Any) -> ModelCard:
    fields: dict[str, Any] = {
        "name": "toy",
        "moves": (MoveClass(name="none", display="none"), MoveClass(name="plie", display="plié")),
        "encoder": EncoderInfo(kind="pose", name="toy", sha256="0" * 64, input_size=192, feature_dim=51),
        "head": HeadInfo(name="pointe", sha256="0" * 64),
        "sample_hz": 15,
        "window": 30,
        "provenance": Provenance(trained_on="nothing"),
    }
    return ModelCard(**(fields | changes))


def a_model_folder(folder: Path) -> Path:
    """A folder whose files lie as a model's do; the networks are only bytes."""
    folder.mkdir()
    (folder / ENCODER_FILE).write_bytes(b"encoder")
    (folder / HEAD_FILE).write_bytes(b"head")
    card = a_card()
    encoder = card.encoder.model_copy(update={"sha256": sha256_of(folder / ENCODER_FILE)})
    head = card.head.model_copy(update={"sha256": sha256_of(folder / HEAD_FILE)})
    card.model_copy(update={"encoder": encoder, "head": head}).save(folder)
    return folder


def test_a_saved_card_loads_as_it_was(tmp_path: Path) -> None:
    card = ModelCard.load(a_model_folder(tmp_path / "model"))
    assert card.names == ("none", "plie")
    assert card.moves[1].display == "plié"
    assert card.window / card.sample_hz == 2


CHANGES: list[tuple[str, Any, str]] = [
    ("card_version", 2, "card_version"),
    ("window", 0, "window"),
    ("window", 10**9, "window"),
    ("sample_hz", "NaN", "sample_hz"),
    ("sample_hz", -1, "sample_hz"),
    ("temperature", 0, "temperature"),
    ("moves", [], "moves"),
    ("moves", [{"name": "plie", "display": "plié"}] * 2, "named twice: plie"),
    ("moves", [{"name": "../x", "display": "x"}, {"name": "b", "display": "b"}], "moves.0.name"),
    ("moves", [{"name": "a", "display": "a\x1b[31m"}, {"name": "b", "display": "b"}], "cannot be printed"),
    ("moves", [{"name": "a", "display": "a", "enter": 0.2, "leave": 0.5}, {"name": "b", "display": "b"}], "leave"),
    ("encoder", {"kind": "pickle"}, "encoder.kind"),
    ("surprise", 1, "surprise"),
]


@pytest.mark.parametrize(("field", "value", "said"), CHANGES)
def test_a_wrong_field_is_refused_by_its_name(tmp_path: Path, field: str, value: Any, said: str) -> None:
    folder = a_model_folder(tmp_path / "model")
    card = json.loads((folder / CARD_FILE).read_text())
    card[field] = value
    (folder / CARD_FILE).write_text(json.dumps(card))
    with pytest.raises(CardError) as refusal:
        ModelCard.load(folder)
    assert said in str(refusal.value)
    assert CARD_FILE in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b'{"moves": NaN}', b" " * 2_000_000])
def test_a_file_that_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = a_model_folder(tmp_path / "model")
    (folder / CARD_FILE).write_bytes(content)
    with pytest.raises(CardError):
        ModelCard.load(folder)


def test_a_folder_without_a_card_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="pointe export"):
        ModelCard.load(tmp_path)


@pytest.mark.parametrize("file", [ENCODER_FILE, HEAD_FILE])
def test_a_replaced_or_missing_network_is_refused(tmp_path: Path, file: str) -> None:
    folder = a_model_folder(tmp_path / "model")
    (folder / file).write_bytes(b"another")
    with pytest.raises(ModelError, match="sha256"):
        ModelCard.load(folder)
    (folder / file).unlink()
    with pytest.raises(ModelError, match=f"no {file}"):
        ModelCard.load(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as Unix has them")
@pytest.mark.parametrize("file", [CARD_FILE, ENCODER_FILE, HEAD_FILE])
def test_a_link_out_of_the_folder_or_a_pipe_is_refused_unread(tmp_path: Path, file: str) -> None:
    folder = a_model_folder(tmp_path / "model")
    outside = (folder / file).rename(tmp_path / file)
    (folder / file).symlink_to(outside)
    with pytest.raises(ModelError, match="link out of"):
        ModelCard.load(folder)
    (folder / file).unlink()
    (folder / file).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="link out of"):
        ModelCard.load(folder)
    (folder / file).unlink()
    os.mkfifo(folder / file)
    with pytest.raises(ModelError, match="no ordinary file"):
        ModelCard.load(folder)


def test_a_huge_network_is_refused_before_it_is_read(tmp_path: Path) -> None:
    folder = a_model_folder(tmp_path / "model")
    with (folder / HEAD_FILE).open("r+b") as file:
        file.truncate(LARGEST_NETWORK_BYTES + 1)  # sparse: takes no room on the disk
    with pytest.raises(ModelError, match="larger than"):
        ModelCard.load(folder)


def test_a_model_is_found_by_its_shipped_name_or_its_folder(tmp_path: Path) -> None:
    assert find_model(DEFAULT_MODEL).name == DEFAULT_MODEL
    assert find_model(str(tmp_path)) == tmp_path
    with pytest.raises(ModelError, match=f"Shipped: .*{DEFAULT_MODEL}"):
        find_model(str(tmp_path / "no such folder"))


def test_a_name_that_may_mean_a_folder_here_or_a_shipped_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refuse_two_meanings(DEFAULT_MODEL)
    a_model_folder(tmp_path / DEFAULT_MODEL)
    with pytest.raises(ModelError, match=f"Type ./{DEFAULT_MODEL} for the folder"):
        refuse_two_meanings(DEFAULT_MODEL)
    typed = as_typed(Path(DEFAULT_MODEL))
    refuse_two_meanings(typed)
    assert find_model(typed).absolute() == tmp_path / DEFAULT_MODEL
    assert as_typed(tmp_path) == str(tmp_path)


def test_within_the_folder_of_the_shipped_models_a_name_has_one_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SHIPPED_IN)
    refuse_two_meanings(DEFAULT_MODEL)


def test_a_failed_write_leaves_the_old_file_and_no_half(tmp_path: Path) -> None:
    target = tmp_path / "card.json"
    write_atomically(target, b"old")
    with pytest.raises(TypeError):
        write_atomically(target, "not bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]
