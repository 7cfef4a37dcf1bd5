"""A folder of clips in, the list of clips with move, split and dancer out. It opens no video: what cannot be read is
found out when it is read.

Two layouts are understood:

    DATA/train/<move>/*  and  DATA/test/<move>/*      the folders say the split
    DATA/<move>/*                                     split here: by dancer where dancers are known, else by clip

The dancer of a clip is read from its file name, `dancer-NAME_anything.mp4`, or from `DATA/clips.csv` with the columns
`path` (relative to DATA), `dancer` and, where one likes to decide it oneself, `split` (train or test). "Anna", "anna"
and " ANNA " are one dancer.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.card import display_name
from models.errors import UsageError, reason_of
from models.files import is_file, is_folder
from train.clip import TEST, TRAIN, Clip, Skipped, Split
from train.split import choose_clips, choose_dancers, dancers_in

CLIPS_CSV = "clips.csv"
CACHE_FOLDER = ".pointe"  # hidden, hence never taken for a move

# Files people keep beside their clips. Anything else is tried as a video, and reported if it is none.
SIDECARS = {".csv", ".json", ".jsonl", ".md", ".txt"}

SNAKE_CASE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
LONGEST_NAME = 60  # of a move, in the card
DANCER_IN_NAME = re.compile(r"dancer-([^_]+)_", re.IGNORECASE)
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ß": "ss"})  # what Unicode does not take apart


@dataclass(frozen=True)
class ClipSet:
    clips: tuple[Clip, ...]
    moves: tuple[str, ...]  # sorted; each has a clip in train where they are to be learnt
    displays: tuple[str, ...]  # how the moves are shown, in the same order
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()  # what a user should know about the split
    drawn: bool = False  # the split was drawn here, as neither folders nor clips.csv say it


def find_clips(data: Path, *, test_fraction: float = 0.2, seed: int = 0, for_training: bool = True) -> ClipSet:
    """The clips of a folder, ordered by split, move and name.

    Args:
        data: a folder in one of the two layouts.
        test_fraction: of the clips of each move, where the split is made here; 0 puts all in train.
        seed: the same seed gives the same split, and clips that are added later leave most of it as it was.
        for_training: refuse what nothing can be learnt from; what is only to be measured may be clips of one move, or
            of the test alone.

    Raises:
        UsageError: there is no such folder, nothing in it to train on or to measure, or its names contradict each
            other.
    """
    if not is_folder(data):
        raise UsageError(f"No such folder of clips: {data}\nGive a folder that holds train/<move>/*.mp4.")
    if not 0 <= test_fraction < 1:
        raise UsageError(f"--test-fraction {test_fraction}: give a part of the clips, 0 or more and below 1.")
    splits = {folder.name.casefold(): folder for folder in _folders(data) if folder.name.casefold() in (TRAIN, TEST)}
    skipped: list[Skipped] = []
    notes: list[str] = []
    displays: dict[str, str] = {}
    if splits:
        if TRAIN not in splits and for_training:
            raise UsageError(f"{data} has test/ and no train/.\nPut the clips to learn from into {data / 'train'}.")
        skipped += [
            Skipped(path, "lies in no move's folder")
            for path in visible(data)
            if not path.is_dir() and not _is_sidecar(path)
        ]
        others = [folder.name for folder in _folders(data) if folder not in splits.values()]
        if others:
            beside = TRAIN if TRAIN in splits else TEST
            notes.append(f"not read, as it lies beside {beside}/: {', '.join(others)}")
        if TEST not in splits and for_training:
            notes.append(f"there is no {data / 'test'}: no clip is kept to measure the accuracy on")
        clips = [
            clip
            for split in (TRAIN, TEST)
            if split in splits
            for clip in _read(splits[split], split, displays, skipped)
        ]
    else:
        clips = _read(data, TRAIN, displays, skipped)
    listed = _read_csv(data)
    skipped += _listed_in_vain(listed, clips)
    told = bool(splits) or any(clip.path in listed and listed[clip.path].split for clip in clips)
    clips = [replace(clip, dancer=_dancer(clip.path, data, listed)) for clip in clips]
    clips = _obey(clips, data, listed) if splits else _split(clips, data, listed, test_fraction, seed, notes)
    if for_training:
        clips = _drop_unknown(clips, skipped)
    moves = sorted({clip.move for clip in clips})
    _refuse_useless(data, moves, skipped, for_training)
    if not splits or TEST in splits:
        _note_untested(clips, moves, notes)
    _note_shared_dancers(clips, notes)
    return ClipSet(
        clips=tuple(sorted(clips, key=lambda clip: (clip.split != TRAIN, clip.move, clip.path))),
        moves=tuple(moves),
        displays=tuple(displays[move] for move in moves),
        skipped=tuple(skipped),
        notes=tuple(notes),
        drawn=not told,
    )


def move_name(folder: str) -> str:
    """The ASCII snake_case name of a move's folder: "Grand Plié" gives `grand_plie`. Empty where no letter is left."""
    letters = unicodedata.normalize("NFKD", folder.casefold().translate(LIGATURES)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


def _folders(parent: Path) -> list[Path]:
    return [path for path in visible(parent) if path.is_dir()]


def visible(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UsageError(
            f"{parent} cannot be read: {reason_of(error, 'unknown')}.\nLet yourself read it, or move it away."
        ) from error


def _is_sidecar(path: Path) -> bool:
    return path.suffix.casefold() in SIDECARS


def _read(parent: Path, split: Split, displays: dict[str, str], skipped: list[Skipped]) -> list[Clip]:
    """The clips of all the moves' folders in `parent`; their names go to `displays`."""
    clips: list[Clip] = []
    folders: dict[str, Path] = {}
    for path in visible(parent):
        if not path.is_dir():
            if not _is_sidecar(path):
                skipped.append(Skipped(path, "lies in no move's folder"))
            continue
        move = _checked_name(path)
        if move in folders:
            raise UsageError(
                f"The folders '{folders[move].name}' and '{path.name}' in {parent} both mean the move '{move}'.\n"
                "Put their clips into one of them."
            )
        folders[move] = path
        found = _clips_in(path, move, split, skipped)
        if not found:
            skipped.append(Skipped(path, "the folder holds no clip"))
        elif move not in displays:
            displays[move] = _display(path.name, move)
        clips += found
    return clips


def _clips_in(folder: Path, move: str, split: Split, skipped: list[Skipped]) -> list[Clip]:
    clips = []
    for path in visible(folder):
        if path.is_dir():
            skipped.append(Skipped(path, f"a folder inside a move's folder; put its clips into {folder.name}/ itself"))
        elif not _is_sidecar(path):
            clips.append(Clip(path, move, split))
    return clips


def _checked_name(folder: Path) -> str:
    move = move_name(folder.name)
    if not move:
        raise UsageError(f"The folder {folder} has no Latin letter or digit to name a move by.\nRename it.")
    if len(move) > LONGEST_NAME:
        raise UsageError(f"The folder {folder} has a name of more than {LONGEST_NAME} characters.\nShorten it.")
    return move


def _display(folder: str, move: str) -> str:
    text = unicodedata.normalize("NFC", folder)  # macOS keeps accents apart
    readable = not SNAKE_CASE.fullmatch(text) and text.isprintable() and len(text) <= LONGEST_NAME
    return text if readable else display_name(move)


@dataclass(frozen=True)
class _Listed:
    """A row of clips.csv."""

    dancer: str | None
    split: Split | None


def _read_csv(data: Path) -> dict[Path, _Listed]:
    path = data / CLIPS_CSV
    if not path.is_file():
        return {}
    listed: dict[Path, _Listed] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"path", "dancer"} <= set(rows.fieldnames or ()):
                raise UsageError(f"{path} lacks a column: its first line must be `path,dancer` or `path,dancer,split`.")
            for row in rows:
                clip = data / (row["path"] or "").strip().replace("\\", "/")
                where = f"{path}, line {rows.line_num}"
                if clip in listed:
                    raise UsageError(f"{where}: {row['path']} is listed twice.\nKeep one of the lines.")
                listed[clip] = _Listed(_dancer_name(row["dancer"] or ""), _split_of(row.get("split"), where))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {reason_of(error, 'unknown')}.\nLet yourself read it, or remove it."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 CSV: {error}.\nSave it as UTF-8.") from error
    return listed


def _listed_in_vain(listed: Iterable[Path], clips: Iterable[Clip]) -> list[Skipped]:
    """What clips.csv speaks of and is no clip."""
    found = {clip.path for clip in clips}
    none = f"listed in {CLIPS_CSV}, and there is no such file"
    other = f"listed in {CLIPS_CSV}, and no clip by that path; paths begin in the folder of {CLIPS_CSV}"
    return [Skipped(path, other if is_file(path) else none) for path in listed if path not in found]


def _split_of(text: str | None, where: str) -> Split | None:
    match (text or "").strip().casefold():
        case "":
            return None
        case "train":
            return TRAIN
        case "test":
            return TEST
        case other:
            raise UsageError(f"{where}: the split '{other}' is neither train nor test.")


def _dancer(path: Path, data: Path, listed: dict[Path, _Listed]) -> str | None:
    row = listed.get(path)
    if row is not None and row.dancer:
        return row.dancer
    named = DANCER_IN_NAME.match(path.name)
    return _dancer_name(named[1]) if named else None


def _dancer_name(text: str) -> str | None:
    """The same for each way to write a name, so that nobody counts as two dancers; None where none is written."""
    return unicodedata.normalize("NFC", " ".join(text.split()).casefold()) or None


def _obey(clips: list[Clip], data: Path, listed: dict[Path, _Listed]) -> list[Clip]:
    """With train/ and test/ the folders have said the split; clips.csv may repeat it and not contradict it."""
    for clip in clips:
        row = listed.get(clip.path)
        if row is not None and row.split not in (None, clip.split):
            raise UsageError(
                f"{data / CLIPS_CSV} puts {clip.path.relative_to(data)} into {row.split}, its folder into {clip.split}."
                "\nMove the file, or leave the column `split` out."
            )
    return clips


def _split(
    clips: list[Clip], data: Path, listed: dict[Path, _Listed], fraction: float, seed: int, notes: list[str]
) -> list[Clip]:
    """The split of DATA/<move>/*: as clips.csv says where it does, else by dancer, else by clip."""
    told = {clip.path: row.split for clip in clips if (row := listed.get(clip.path)) is not None and row.split}
    if told:
        untold = len(clips) - len(told)
        if untold:
            notes.append(f"{untold} clips without a split in {CLIPS_CSV} are used to train")
        parted = [replace(clip, split=told.get(clip.path, TRAIN)) for clip in clips]
        both = dancers_in(parted, TRAIN) & dancers_in(parted, TEST)
        if both:
            raise UsageError(
                f"{data / CLIPS_CSV} has {', '.join(sorted(both))} in both train and test.\n"
                "Give all clips of a dancer the same split."
            )
        return parted
    if fraction == 0:
        notes.append("no clip is kept for the test, as asked")
        return clips
    by_dancer = any(clip.dancer for clip in clips)
    chosen = choose_dancers(clips, fraction, seed) if by_dancer else choose_clips(clips, fraction, seed)
    if by_dancer:
        tested = ", ".join(sorted({str(clip.dancer) for clip in chosen}))
        notes.append(f"split by dancer; for the test: {tested or 'nobody, every dancer is needed to train'}")
        nameless = sum(clip.dancer is None for clip in clips)
        if nameless:
            notes.append(f"{nameless} clips without a known dancer are used to train")
    else:
        notes.append(f"split by clip (seed {seed}), as no dancer is known: a dancer may be in both train and test")
    return [replace(clip, split=TEST if clip in chosen else TRAIN) for clip in clips]


def _drop_unknown(clips: list[Clip], skipped: list[Skipped]) -> list[Clip]:
    known = {clip.move for clip in clips if clip.split == TRAIN}
    for clip in clips:
        if clip.move not in known:
            skipped.append(Skipped(clip.path, f"the move '{clip.move}' has no clip in train"))
    return [clip for clip in clips if clip.move in known]


def _refuse_useless(data: Path, moves: Sequence[str], skipped: Sequence[Skipped], for_training: bool) -> None:
    if len(moves) >= (2 if for_training else 1):
        return
    seen = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
    if moves:
        raise UsageError(
            f"{data} has clips of one move only, {moves[0]}{seen}.\n"
            "Add a folder with clips of another, or `none` with other movement."
        )
    if for_training:
        raise UsageError(
            f"{data} holds no clip to train on{seen}.\nPut the clips of each move into {data}/train/<move>/."
        )
    raise UsageError(f"{data} holds no clip{seen}.\nPut the clips of each move into {data}/<move>/.")


def _note_untested(clips: Iterable[Clip], moves: Sequence[str], notes: list[str]) -> None:
    untested = set(moves) - {clip.move for clip in clips if clip.split == TEST}
    if untested:
        notes.append(f"no clip in the test split: {', '.join(sorted(untested))}")


def _note_shared_dancers(clips: Sequence[Clip], notes: list[str]) -> None:
    both = dancers_in(clips, TRAIN) & dancers_in(clips, TEST)
    if both:
        notes.append(f"in both train and test: {', '.join(sorted(both))}; the test says little about other dancers")
