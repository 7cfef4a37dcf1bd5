"""A model folder is made whole or not at all, and replaces another only where that was asked for."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from export.readme import model_page
from models.card import CARD_FILE, ENCODER_FILE, HEAD_FILE, ModelCard, sha256_of
from models.errors import UsageError
from models.files import refuse_unless_unicode


@contextmanager
def made_whole(model: Path, force: bool) -> Iterator[Path]:
    """A folder to write into, which becomes `model` when the body ends, and is gone where it raises.

    Raises:
        UsageError: `model` cannot be written, or it exists, and is no model folder or `force` is false.
    """
    make_room(model, force)
    model = model.resolve()  # "." has no name
    half = model.with_name(f".{model.name}.{os.getpid()}.half")
    shutil.rmtree(half, ignore_errors=True)  # of an export with this very number that was killed
    try:
        half.mkdir()
        yield half
        _put_in_place(half, model)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def with_hashes(card: ModelCard, folder: Path) -> ModelCard:
    """The card of the two networks that lie in the folder."""
    encoder, head = (
        info.model_copy(update={"sha256": sha256_of(folder / file)})
        for info, file in ((card.encoder, ENCODER_FILE), (card.head, HEAD_FILE))
    )
    return card.model_copy(update={"encoder": encoder, "head": head})


def save_card(card: ModelCard, folder: Path) -> None:
    """Write card and page beside the networks that they speak of. Raises ModelError where they do not."""
    card.save(folder)
    (folder / "README.md").write_text(model_page(card), "utf-8")
    ModelCard.load(folder)


def make_room(model: Path, force: bool) -> None:
    """Makes the folder that `model` is to lie in. Raises UsageError where it must not, or cannot, be written there."""
    refuse_unless_unicode(model)
    try:
        _refuse_existing(model, force)
        model.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(model.parent, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise UsageError(f"Cannot write the folder {model}.\nGive another path.")


def _refuse_existing(model: Path, force: bool) -> None:
    if not model.exists() or (model.is_dir() and not any(model.iterdir())):
        return
    if not (model / CARD_FILE).is_file():
        raise UsageError(f"{model} exists and is no model folder, so it is left as it is.\nGive another path.")
    if not force:
        raise UsageError(f"{model} exists.\nGive --force to replace it, or another path.")


def _put_in_place(half: Path, model: Path) -> None:
    """Rename the finished folder to its place; what was there goes only once the new one is."""
    if model.exists():
        old = model.with_name(f".{model.name}.{os.getpid()}.old")
        shutil.rmtree(old, ignore_errors=True)
        model.rename(old)
        try:
            half.rename(model)
        except OSError:
            old.rename(model)
            raise
        shutil.rmtree(old)
    else:
        half.rename(model)
