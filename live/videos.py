"""The videos that a user named, by file, folder or pattern, and the name under which each one's moves are kept.

It opens none of them: what cannot be read is found out when it is read.
"""

import glob
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from live.address import DEMO, printable, redact
from models.errors import reason_of
from models.files import is_file, is_folder

# What a folder is searched for. A file that is named itself is tried whatever its name.
VIDEO_SUFFIXES = {
    *(".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".m2ts", ".m2v", ".m4v"),
    *(".mjpeg", ".mjpg", ".mkv", ".mod", ".mov", ".mp4", ".mp4v", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".tod"),
    *(".ts", ".vob", ".webm", ".wmv"),
}
LONGEST_NAME = 200  # bytes of a file's name, which leaves room for what is added to it
LONGEST_SUFFIX = 20  # bytes of it that are kept then


@dataclass(frozen=True)
class Video:
    path: Path  # absolute
    wanted: Path  # its name within the folder of the results, relative, without the suffix of the events


@dataclass(frozen=True)
class Failed:
    """Something that the user named and that gave no moves."""

    video: str  # as it may be shown
    reason: str


def find_videos(named: Sequence[str]) -> tuple[list[Video], list[Failed]]:
    """The videos behind the names, each once, in the order of their paths; and the names behind which there is none."""
    found: dict[Path, Video] = {}
    failed: list[Failed] = []
    for text in named:
        videos = _videos_of(text, failed)
        if isinstance(videos, str):
            failed.append(Failed(redact(text), videos))
        else:
            for video in videos:
                found.setdefault(video.path, video)
    return [found[path] for path in sorted(found)], list(dict.fromkeys(failed))


def names_for(videos: Sequence[Video], owner_of: Callable[[Path], Path | None]) -> dict[Video, Path]:
    """A name for each video's results that no other video has, and that stays the same from run to run.

    Args:
        owner_of: the video that a name was given to in an earlier run, where that video is still there.
    """
    names: dict[Video, Path] = {}
    taken: set[Path] = set()
    # Those that had their name before keep it, whatever has come since.
    for video in sorted(videos, key=lambda each: owner_of(each.wanted) != each.path):
        name = video.wanted
        if name in taken or owner_of(name) not in (None, video.path):
            mark = hashlib.sha256(os.fsencode(video.path)).hexdigest()[:8]
            name = name.with_name(f"{name.stem}-{mark}{name.suffix}")
        names[video] = name
        taken.add(name)
    return names


def _videos_of(text: str, failed: list[Failed]) -> list[Video] | str:
    """The videos behind one name, or the reason why there is none; folders that cannot be read join `failed`."""
    path = Path(text)
    if is_folder(path):
        return _within(path, path, failed) or "no video in this folder"
    if is_file(path):
        return [Video(_absolute(path), _short(Path(path.name)))]
    if os.path.lexists(path):
        return "no ordinary file"
    if text == "demo":
        return [Video(DEMO, Path(DEMO.name))]
    if "\0" not in text and glob.has_magic(text):
        return _matching(path, failed) or "no video matches this"
    return "an address and no file; `pointe live` watches those" if "://" in text else "no such file"


def _matching(pattern: Path, failed: list[Failed]) -> list[Video] | str:
    """What a pattern matches as a shell does it, or why that cannot be known.

    Results keep the folders below the part of it that is fixed. Where its last part names no suffix, only that of a
    video will do.
    """
    magic = next(place for place, part in enumerate(pattern.parts) if glob.has_magic(part))
    fixed, rest = Path(*pattern.parts[:magic]), list(pattern.parts[magic:])
    # Two stars are any folders where they are a part of their own, and one star elsewhere; Path raises for those.
    rest = [part if part == "**" else re.sub(r"\*+", "*", part) for part in rest]
    suffix = Path(rest[-1]).suffix
    any_suffix = not glob.has_magic(rest[-1]) or (suffix and not glob.has_magic(suffix))
    hidden = any(part.startswith(".") for part in rest if part != os.pardir)
    whole_folders = rest[-1] == "**"
    while rest and rest[-1] == "**":
        rest.pop()
    videos: list[Video] = []
    try:
        paths = sorted(fixed.glob(str(Path(*rest)))) if rest else [fixed]
    except OSError as error:
        return reason_of(error, "cannot be read")
    for path in paths:
        name = _below(fixed, path)
        if not hidden and any(part.startswith(".") for part in name.parts):
            continue
        if is_folder(path):
            if whole_folders or "**" not in rest:
                videos += _within(path, fixed, failed)
        elif not whole_folders and is_file(path) and (any_suffix or path.suffix.lower() in VIDEO_SUFFIXES):
            videos.append(Video(_absolute(path), _short(name)))
    return videos


def _absolute(path: Path) -> Path:
    """One name for a file, whatever folders led up and down again on the way to it."""
    return Path(os.path.realpath(path)) if os.pardir in path.parts else path.absolute()


def _within(folder: Path, root: Path, failed: list[Failed]) -> list[Video]:
    """The videos in a folder and those below it; hidden files and folders, and links to folders, are left alone."""

    def closed(error: OSError) -> None:
        place = shown(Path(error.filename))
        failed.append(Failed(place, f"this folder cannot be read: {reason_of(error, 'unknown')}"))

    videos = []
    for place, folders, files in os.walk(folder, onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(place, name)
            if path.suffix.lower() in VIDEO_SUFFIXES and not name.startswith("."):
                videos.append(Video(_absolute(path), _short(_below(root, path))))
    return videos


def _below(root: Path, path: Path) -> Path:
    """The path from `root` on; of a/../b only b, so that results lie in their folder whatever a pattern leads to."""
    parts = Path(os.path.normpath(path.relative_to(root))).parts
    return Path(*(part for part in parts if part != os.pardir))


def _short(name: Path) -> Path:
    """The name, its last part cut where it leaves no room for a suffix, and marked then lest two become one."""
    raw = os.fsencode(name.name)
    if len(raw) <= LONGEST_NAME:
        return name
    mark = hashlib.sha256(raw).hexdigest()[:8]
    suffix = os.fsencode(name.suffix)[:LONGEST_SUFFIX]
    cut = raw[: LONGEST_NAME - len(suffix) - 9]
    return name.with_name(f"{cut.decode('utf-8', 'ignore')}-{mark}{suffix.decode('utf-8', 'ignore')}")


def shown(path: Path) -> str:
    """A path as one harmless line."""
    return printable(str(path))
