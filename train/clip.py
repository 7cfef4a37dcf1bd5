"""A labelled clip, and what is known of it without opening it as a video."""

import hashlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.files import is_file

Split = Literal["train", "test"]
TRAIN: Split = "train"
TEST: Split = "test"

FINGERPRINT_BYTES = 65536


@dataclass(frozen=True)
class Clip:
    path: Path
    move: str  # ASCII snake_case
    split: Split
    dancer: str | None = None  # as train.clips writes it


def fingerprint(path: Path) -> str:
    """Of a clip's content, whatever it is called and wherever it lies; sixteen hexadecimal digits.

    Of its size, beginning and end, so that a large collection need not be read through. "" where it cannot be read.
    """
    if not is_file(path):  # a pipe would never end
        return ""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            digest.update(f"{size} ".encode())
            for start in (0, max(0, size - FINGERPRINT_BYTES)):
                file.seek(start)
                digest.update(file.read(FINGERPRINT_BYTES))
    except OSError:
        return ""
    return digest.hexdigest()[:16]


def copies_of(fingerprints: Collection[str], clips: Iterable[Clip]) -> set[Clip]:
    """Those of the clips that are, wherever they lie, files with one of these fingerprints."""
    return {clip for clip in clips if fingerprint(clip.path) in fingerprints} if fingerprints else set()


def copies_among(clips: Iterable[Clip]) -> dict[Clip, Path]:
    """Those of the clips that are the same file as one before them, each with the path of that one."""
    first: dict[str, Path] = {}
    same = ((clip, first.setdefault(fingerprint(clip.path) or str(clip.path), clip.path)) for clip in clips)
    return {clip: path for clip, path in same if path != clip.path}


@dataclass(frozen=True)
class Skipped:
    """Something of the user's that is not used, and why."""

    path: Path
    reason: str
