"""The card of a model: all that the runner must know beside the two networks. Nothing is guessed from a file name."""

import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.errors import CardError, ModelError
from models.files import is_file, is_folder

CARD_FILE = "card.json"
ENCODER_FILE = "encoder.onnx"
HEAD_FILE = "head.onnx"
DEFAULT_MODEL = "ballet"
SHIPPED_IN = Path(__file__).parent
NONE = "none"
UNFINISHED = "Training unfinished"  # begins the notes of a card until its training has ended
LARGEST_CARD_BYTES = 10_000_000
LARGEST_NETWORK_BYTES = 500_000_000  # InceptionV3 has 87 MB, the ancestor's LSTM 138 MB

# How the moves are written for people. File and JSON names stay ASCII.
DISPLAY_NAMES = {
    "plie": "plié",
    "grand_plie": "grand plié",
    "grand_battement": "grand battement",
    "developpe": "développé",
    "rond_de_jambe": "rond de jambe",
    "releve": "relevé",
    "echappe": "échappé",
    "saute": "sauté",
    "assemble": "assemblé",
    "balance": "balancé",
    "fouette": "fouetté",
    "chaines": "chaînés",
    "grand_jete": "grand jeté",
    "jete": "jeté",
}

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$"
EncoderKind = Literal["pose", "image"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def display_name(name: str) -> str:
    """How a move's ASCII name is shown: `grand_plie` as "grand plié"."""
    return DISPLAY_NAMES.get(name, name.replace("_", " "))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MoveClass(_Part):
    """One answer of the head, in the order of its outputs."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$")]
    display: Annotated[str, Field(min_length=1, max_length=60)]
    enter: Probability = 0.6  # the smoothed probability at which the move begins
    leave: Probability = 0.4  # below this it ends; lower than `enter`, so that it does not flicker
    min_duration_s: Seconds = 0.2  # shorter stretches are no move
    # Moves of one family are hard to tell apart before they end: their probabilities are added where it is decided
    # whether there is a move, and the likeliest of them gives it its name. None: a family of its own.
    family: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$")] | None = None

    @field_validator("display")
    @classmethod
    def _printable(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("holds a character that cannot be printed")
        return text

    @model_validator(mode="after")
    def _leave_below_enter(self) -> Self:
        if self.leave > self.enter:
            raise ValueError(f"leave ({self.leave}) must not be above enter ({self.enter})")
        return self


class EncoderInfo(_Part):
    kind: EncoderKind
    name: Annotated[str, Field(pattern=MODEL_NAME)]  # "movenet-lightning"
    sha256: Sha256
    input_size: Annotated[int, Field(ge=16, le=2048)]  # pixels, square
    feature_dim: Annotated[int, Field(ge=1, le=65536)]


class HeadInfo(_Part):
    name: Literal["pointe", "original"]
    sha256: Sha256


class Provenance(_Part):
    """Where a model comes from; free text for people, so that a number never travels without its origin."""

    trained_on: str
    created: str = ""
    licence: str = ""
    seed: int | None = None
    versions: dict[str, str] = {}
    clips: tuple[str, ...] = ()  # fingerprints of what it learnt from, as train.clip makes them
    notes: str = ""


class ModelCard(_Part):
    """Everything the runner needs to know. Frozen and validated; see `load` and `save`."""

    card_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=MODEL_NAME)]
    moves: Annotated[tuple[MoveClass, ...], Field(min_length=2, max_length=1000)]
    encoder: EncoderInfo
    head: HeadInfo
    sample_hz: Annotated[float, Field(ge=4, le=240, allow_inf_nan=False)]  # slower, each step would be a gap of its own
    window: Annotated[int, Field(ge=1, le=1024)]  # features per prediction
    delay_s: Seconds = 0  # a prediction at t speaks of t - delay_s
    smoothing_s: Seconds = 0.2  # probabilities are averaged over this long
    temperature: Positive = 1.0  # calibration: logits are divided by it (Guo et al. 2017)
    provenance: Provenance
    measured: dict[str, float | str] = {}  # figures with, in their names or values, what they were measured on

    @field_validator("moves")
    @classmethod
    def _distinct(cls, moves: tuple[MoveClass, ...]) -> tuple[MoveClass, ...]:
        names = [move.name for move in moves]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"named twice: {', '.join(sorted(twice))}")
        if any(move.name == NONE and move.family for move in moves):
            raise ValueError(f"{NONE} is no move and belongs to no family")
        return moves

    @property
    def names(self) -> tuple[str, ...]:
        """The ASCII names of the moves, in the order of the head's outputs."""
        return tuple(move.name for move in self.moves)

    @property
    def families(self) -> tuple[tuple[int, ...], ...]:
        """The moves that are decided on together, as indices into `moves`; `none` is in no family."""
        members: dict[str, list[int]] = {}
        for index, move in enumerate(self.moves):
            if move.name != NONE:
                # a family may be named like a move that is not in it
                members.setdefault(f"family {move.family}" if move.family else f"move {move.name}", []).append(index)
        return tuple(map(tuple, members.values()))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read and check `folder/card.json`, and that the networks it names lie beside it unchanged.

        Raises:
            CardError: naming the file and the field that is wrong.
            ModelError: a network is missing or is not the one that the card speaks of.
        """
        card = cls.read(folder)
        for file, info in ((ENCODER_FILE, card.encoder), (HEAD_FILE, card.head)):
            path = folder / file
            if not path.exists():
                raise ModelError(f"{folder} has no {file}.\nExport the model again: pointe export RUN {folder}")
            _refuse_unless_ordinary(path, LARGEST_NETWORK_BYTES)
            if sha256_of(path) != info.sha256:
                field = "encoder.sha256" if file == ENCODER_FILE else "head.sha256"
                raise ModelError(
                    f"{path} is not the network that {CARD_FILE} was written for ({field} differs).\n"
                    f"It is damaged or was replaced. Export the model again: pointe export RUN {folder}"
                )
        return card

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read and check `folder/card.json` alone. Raises CardError."""
        path = folder / CARD_FILE
        try:
            _refuse_unless_ordinary(path, LARGEST_CARD_BYTES)
            text = path.read_text("utf-8")
        except OSError as error:
            raise CardError(
                f"{folder} is no model folder: {CARD_FILE} cannot be read ({error.strerror}).\n"
                "Give a folder that `pointe export` wrote, or leave --model out for the shipped model."
            ) from error
        except UnicodeDecodeError as error:
            raise CardError(f"{path} is not UTF-8 text: this is no model card.") from error
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise CardError(f"{path}: {_first_problem(error)}\nExport the model again with `pointe export`.") from error

    def save(self, folder: Path) -> None:
        """Write `folder/card.json`, whole or not at all."""
        write_atomically(folder / CARD_FILE, (self.model_dump_json(indent=2) + "\n").encode())


def find_model(name_or_path: str) -> Path:
    """The folder of a model: a shipped one by its name, or any folder by its path.

    Raises:
        ModelError: there is neither.
    """
    shipped = shipped_models()
    if name_or_path in shipped:
        return SHIPPED_IN / name_or_path
    folder = Path(name_or_path)
    if is_folder(folder):
        return folder
    raise ModelError(
        f"No model '{name_or_path}': it is neither a folder nor a shipped model.\n"
        f"Shipped: {', '.join(shipped) or 'none'}. Or give a folder that `pointe export` wrote."
    )


def refuse_two_meanings(typed: str) -> None:
    """A user who has a model of a shipped one's name here may mean either. Raises ModelError."""
    if typed not in shipped_models() or not is_file(Path(typed, CARD_FILE)):
        return
    if not Path(typed).samefile(SHIPPED_IN / typed):
        raise ModelError(f"Both a shipped model and a folder here are called {typed}.\nType ./{typed} for the folder.")


def as_typed(folder: Path) -> str:
    """What to type for a folder, so that no shipped model is meant."""
    return f"./{folder}" if str(folder) in shipped_models() else str(folder)


def shipped_models() -> list[str]:
    return sorted(path.parent.name for path in SHIPPED_IN.glob(f"*/{CARD_FILE}"))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never a half."""
    with whole_or_none(path) as half:
        half.write_bytes(content)


def remove_halves(path: Path) -> None:
    """What a process that was killed left of `path`; where no other one writes it right now."""
    for half in path.parent.glob(f".{glob.escape(path.name)}.*.half"):
        half.unlink(missing_ok=True)


@contextmanager
def whole_or_none(path: Path) -> Iterator[Path]:
    """Where to write what takes the place of `path` once it is whole, and is gone where an error comes before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    try:
        yield half
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _refuse_unless_ordinary(path: Path, largest: int) -> None:
    """A link out of the folder, a pipe or something huge is no part of a model. Raises CardError; OSError if absent."""
    # Path.resolve raises for a link to itself.
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(path.parent)):
        raise CardError(f"{path} is a link out of the model's folder, which is refused.\nCopy the file itself there.")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise CardError(f"{path} is no ordinary file.\nExport the model again with `pointe export`.")
    if status.st_size > largest:
        raise CardError(f"{path} is larger than {largest} bytes: this is no part of a model.")


def _first_problem(error: ValidationError) -> str:
    problem: Any = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"]) or "the document"
    more = error.error_count() - 1
    return f"{field}: {problem['msg']}" + (f" (and {more} more)" if more else "")
