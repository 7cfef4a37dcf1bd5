"""The labels of long videos: which move is danced from when to when, as JSON beside the video.

Beside `lesson.mp4` lies `lesson.json`:

    {"moves": [{"move": "plie", "start_s": 1.5, "end_s": 4.2}],
     "ignore": [{"start_s": 4.2, "end_s": 4.6}],
     "view": "front", "dancer": "anna"}

Only `moves` must be there, and may be empty; a bare list of moves is taken too. What is neither a move nor ignored is
no move. Knows nothing of models: whether one has a move of that name is for whoever scores to say.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.card import NONE, write_atomically
from models.errors import UsageError
from models.files import is_file, is_folder
from train.clip import Skipped
from train.clips import SIDECARS, move_name, visible
from train.event_scores import Span

LABELS = ".json"
LAST_FRAME_S = 0.25  # how long a video's last frame may be seen
LARGEST_BYTES = 10_000_000  # of a label file; a day of a move a second has 6 MB

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Text = Annotated[str, Field(min_length=1, max_length=80)]


class LabelError(UsageError):
    """A label file that cannot be read, or that contradicts itself."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stretch(_Part):
    """From when to when, in seconds of the video."""

    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError(f"end_s ({self.end_s:g}) must come after start_s ({self.start_s:g})")
        return self


class LabelledMove(Stretch):
    """One move. Its name is written as a folder of clips may be: "Grand Plié" is grand_plie."""

    move: Text

    @field_validator("move")
    @classmethod
    def _ascii(cls, text: str) -> str:
        name = move_name(text)
        if not name:
            raise ValueError(f"'{text}' has no Latin letter or digit to name a move by")
        return name


class StreamLabels(_Part):
    """What is known of one video. The moves are in the order of their times and do not overlap."""

    moves: tuple[LabelledMove, ...]
    ignore: tuple[Stretch, ...] = ()  # where either answer is right, as in a preparation
    view: Text | None = None  # from where it is filmed, in any words: results are told by view
    dancer: Text | None = None

    @field_validator("view", "dancer")
    @classmethod
    def _printable(cls, text: str | None) -> str | None:
        if text is not None and not text.isprintable():
            raise ValueError("holds a character that cannot be printed")
        return text

    @field_validator("moves")
    @classmethod
    def _one_after_the_other(cls, moves: tuple[LabelledMove, ...]) -> tuple[LabelledMove, ...]:
        moves = tuple(sorted((move for move in moves if move.move != NONE), key=lambda move: move.start_s))
        for earlier, later in pairwise(moves):
            if later.start_s < earlier.end_s:
                raise ValueError(
                    f"{earlier.move} ({earlier.start_s:g} to {earlier.end_s:g} s) and {later.move}"
                    f" ({later.start_s:g} to {later.end_s:g} s) overlap"
                )
        return moves

    @classmethod
    def read(cls, path: Path) -> Self:
        """The labels in a file. Raises LabelError, which names the file and what is wrong in it."""
        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise LabelError(f"{path} is larger than {LARGEST_BYTES} bytes: these are no labels.")
            document: Any = json.loads(path.read_text("utf-8-sig"))
        except OSError as error:
            raise LabelError(f"{path} cannot be read ({error.strerror}).") from error
        except (ValueError, RecursionError) as error:  # text that is no UTF-8, no JSON, or a number of too many digits
            raise LabelError(f"{path} is no JSON: {error}.") from error
        try:
            return cls.model_validate({"moves": document} if isinstance(document, list) else document)
        except ValidationError as error:
            raise LabelError(f"{path}: {_first_problem(error)}.") from error

    @property
    def danced(self) -> tuple[Span, ...]:
        return tuple(Span(move.move, move.start_s, move.end_s) for move in self.moves)

    @property
    def ignored(self) -> tuple[tuple[float, float], ...]:
        return tuple((stretch.start_s, stretch.end_s) for stretch in self.ignore)

    def check(self, seconds: float) -> None:
        """Raise LabelError where a move or a stretch begins after the video has ended: they are of another one.

        `seconds` is the time of its last frame, which is seen for a while itself.
        """
        for stretch in (*self.moves, *self.ignore):
            if stretch.start_s > seconds + LAST_FRAME_S:
                raise LabelError(f"the labels go on at {stretch.start_s:g} s and the video ends at {seconds:.2f} s")

    def until(self, seconds: float) -> Self:
        """What they say of a video of which only so many seconds could be read."""
        known = {name: _until(getattr(self, name), seconds) for name in ("moves", "ignore")}
        return self.model_copy(update=known)

    def save(self, path: Path) -> None:
        """Write them, whole or not at all; what is not known is left out."""
        text = json.dumps(self.model_dump(exclude_none=True), indent=1, ensure_ascii=False)
        write_atomically(path, (text + "\n").encode())


def _until(stretches: tuple[Stretch, ...], seconds: float) -> tuple[Stretch, ...]:
    within = (stretch for stretch in stretches if stretch.start_s < seconds)
    return tuple(each.model_copy(update={"end_s": min(each.end_s, seconds)}) for each in within)


@dataclass(frozen=True)
class LabelledVideo:
    path: Path
    labels: StreamLabels


@dataclass(frozen=True)
class StreamSet:
    """The labelled videos of a folder by name, and what lies there that could not be used."""

    videos: tuple[LabelledVideo, ...]
    skipped: tuple[Skipped, ...] = ()


def holds_streams(data: Path) -> bool:
    """Whether this is a video, or a folder of videos with labels beside them, and not a folder of clips by move."""
    if is_file(data):
        return True
    if not is_folder(data):
        return False
    videos = _videos(data)
    labelled = any(video.with_suffix(LABELS).is_file() for video in videos)
    return labelled or (bool(videos) and not any(path.is_dir() for path in visible(data)))


def find_streams(data: Path) -> StreamSet:
    """The videos of a folder with their labels, or the one video that `data` is.

    Raises:
        UsageError: no video there has labels that can be read.
    """
    found: list[LabelledVideo] = []
    skipped: list[Skipped] = []
    videos = [data] if data.is_file() else _videos(data)
    video_of: dict[Path, Path] = {}
    for video in videos:
        labels = video.with_suffix(LABELS)
        first = video_of.setdefault(labels, video)
        try:
            if first != video:
                skipped.append(Skipped(video, f"{labels.name} is taken for the labels of {first.name}; rename one"))
            elif labels.is_file():
                found.append(LabelledVideo(video, StreamLabels.read(labels)))
            else:
                skipped.append(Skipped(video, f"no labels: there is no {labels.name} beside it"))
        except LabelError as error:
            skipped.append(Skipped(video, str(error)))
    if data.is_dir():
        beside = list(visible(data))
        lonely = [path for path in beside if path.suffix.casefold() == LABELS and path not in video_of]
        skipped += [Skipped(path, "labels without a video of that name beside them") for path in lonely]
        folders = [path for path in beside if path.is_dir()]
        others = [path for path in beside if not path.is_file() and path not in (*folders, *lonely)]
        skipped += [Skipped(path, "no ordinary file") for path in others]
        reason = "a folder beside the videos is not looked into; evaluate it by itself"
        skipped += [Skipped(path, reason) for path in folders]
    if not found:
        reason = f"{skipped[0].path.name}: {skipped[0].reason}" if skipped else "there is no video"
        raise UsageError(
            f"{data} holds no video with labels ({reason}).\n"
            'Put NAME.json beside NAME.mp4: {"moves": [{"move": "plie", "start_s": 1.5, "end_s": 4.2}]}'
        )
    return StreamSet(tuple(found), tuple(skipped))


def _videos(folder: Path) -> Sequence[Path]:
    return [path for path in visible(folder) if path.is_file() and path.suffix.casefold() not in (*SIDECARS, LABELS)]


def _first_problem(error: ValidationError) -> str:
    problem: Any = error.errors()[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    if problem["type"] == "extra_forbidden":
        text = "no such field; known are moves, ignore, view, dancer, and in a move: move, start_s, end_s"
    else:
        text = problem["msg"].removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place or 'the document'}: {text}{more}"
