"""Whether a path leads to a file or a folder, or can be written; and where what can be made again is kept.

On Python 3.11 Path's own questions raise where a name is too long, or lies in a folder that is closed to us.
"""

import os
from pathlib import Path

from models.errors import UsageError


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def status_of(path: Path) -> tuple[int, int] | None:
    """Size, and when it was last changed in nanoseconds, which tell as `make` does whether it is the same; or None."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def refuse_unless_writable(folder: Path, advice: str) -> None:
    """Raise UsageError where a folder is not there to write to and cannot be made. It is not made yet."""
    try:
        place = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
        writable = place.is_dir() and os.access(place, os.W_OK)
    except OSError:  # the name is too long, or lies in a folder that is closed to us
        writable = False
    if not writable:
        raise UsageError(f"Cannot write to the folder {folder}.\n{advice}")


def refuse_unless_unicode(path: Path) -> None:
    """Raise UsageError where the libraries that write networks could not name the path."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{path} holds letters that are no Unicode.\nGive another path.") from error


def cache_folder() -> Path:
    """The user's own folder for what can be made again, whether or not it is there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pointe"
