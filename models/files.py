"""Whether a path leads to a file or a folder, whatever is asked.

On Python 3.11 Path's own questions raise where a name is too long, or lies in a folder that is closed to us.
"""

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
