"""What the encoder said of each clip, kept beside the data so that no clip is encoded twice.

One .npz per clip under `DATA/.pointe/<encoder>-<hash>-<rate>hz/`, written whole or not at all, so that a killed run
goes on where it was. An entry counts while the encoder's hash, the sampling rate, the code in `models/` that makes
pixels and features, and the clip's size and time of change are what they were. Size and time, as `make` does it, and
not the content's hash: a large collection need not be read through at every training. A clip that was only touched or
copied is encoded again, which costs time and never correctness.
"""

import ast
import hashlib
import io
import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

import models.decoding
import models.encoders
import models.frames
import models.opencv_or_ffmpeg
from models.card import EncoderInfo, write_atomically
from models.errors import UsageError
from models.files import status_of
from train.clip import Clip


@dataclass(frozen=True)
class Encoded:
    """All that the encoder said of a clip."""

    features: npt.NDArray[np.float32]  # (steps, feature_dim)
    times_s: npt.NDArray[np.float64]  # (steps,)
    frames: int  # read
    samples: int  # frames given to the encoder; those without a dancer made no step
    damage: str = ""  # what of the clip could not be read


class Store:
    """One .npz per clip, under the clip's own path within the data."""

    def __init__(self, folder: Path, data: Path, encoder: EncoderInfo, sample_hz: float) -> None:
        self.sample_hz = sample_hz
        self._folder = folder
        self._data = data
        self._dim = encoder.feature_dim
        self._made_by = json.dumps([encoder.sha256, sample_hz, code_hash()])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            writable = os.access(folder, os.W_OK)
        except OSError:
            writable = False
        if not writable:
            raise UsageError(f"Cannot write features to {folder}.\nGive a folder for them with --cache DIR.")

    def load(self, clip: Clip) -> Encoded | None:
        """The stored features; None where there are none, or they are damaged or of another clip or encoder."""
        try:
            content = io.BytesIO(self._path(clip).read_bytes())  # numpy leaves a file open if it is damaged
            with np.load(content, allow_pickle=False) as entry:
                if str(entry["key"]) != self.key_of(clip):
                    return None
                features, times_s, counts = entry["features"], entry["times_s"], entry["counts"]
                damage = str(entry["damage"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError, zlib.error):
            return None
        except zipfile.BadZipFile:
            return None
        shapes = features.shape == (len(times_s), self._dim) and counts.shape == (2,)
        if not shapes or features.dtype != np.float32 or times_s.dtype != np.float64:
            return None
        return Encoded(features, times_s, int(counts[0]), int(counts[1]), damage)

    def save(self, clip: Clip, encoded: Encoded, key: str) -> None:
        """`key` is that of the clip before it was read: it may be another one by now.

        Raises:
            UsageError: it cannot be written.
        """
        path = self._path(clip)
        try:
            write_arrays(
                path,
                key=np.array(key),
                features=encoded.features,
                times_s=encoded.times_s,
                counts=np.array([encoded.frames, encoded.samples]),
                damage=np.array(encoded.damage),
            )
        except OSError as error:
            raise UsageError(
                f"Cannot write {path}: {error.strerror}.\nGive another folder with --cache DIR."
            ) from error

    def key_of(self, clip: Clip) -> str:
        """What an entry must have been made of to count for this clip as it is now."""
        status = status_of(clip.path)
        return f"{self._made_by} {status[0]} {status[1]}" if status else "gone"

    def _path(self, clip: Clip) -> Path:
        relative = clip.path.relative_to(self._data)
        return self._folder / relative.with_name(relative.name + ".npz")


def write_arrays(path: Path, **arrays: npt.ArrayLike) -> None:
    """Write an npz so that a kill leaves the old one or the new one, never a half. Raises OSError."""
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_atomically(path, content.getvalue())


@cache
def code_hash(*modules: ModuleType) -> str:
    """Of the code of these modules, else of those that make features of frames, without its comments: when it changes,
    what was kept of it is stale."""
    of = modules or (models.opencv_or_ffmpeg, models.decoding, models.frames, models.encoders)
    sources = [Path(str(module.__file__)).read_text("utf-8") for module in of]
    return hashlib.sha256("".join(ast.dump(ast.parse(source)) for source in sources).encode()).hexdigest()
