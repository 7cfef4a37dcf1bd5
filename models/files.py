"""Whether a path leads to a file or a folder, whatever is asked; and where what can be made again is kept.

On Python 3.11 Path's own questions raise where a name is too long, or lies in a folder that is closed to us.
"""

import os
from pathlib import Path


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


def cache_folder() -> Path:
    """The user's own folder for what can be made again, whether or not it is there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pointe"
