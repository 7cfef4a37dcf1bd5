"""A file that a run writes: seen beforehand that it can be, kept from another run, and noticed when it goes away.

It knows nothing of what is written.
"""

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from models.errors import PointeError, UsageError, reason_of

try:
    import fcntl
except ImportError:  # Windows, which lets nobody remove a file that is open, but two write to it
    fcntl = None  # type: ignore[assignment]

EVENT_SUFFIXES = (".jsonl", ".csv")
RECORDING_SUFFIXES = (".mp4",)
# rtsp://host/cam as a path; on Windows one letter is a drive.
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]")


class SinkError(PointeError):
    """An output that can no longer be written. What is there up to then is whole; the run was done in part."""

    exit_code = 6


class OutputFile:
    """An output, open and held against other runs for as long as it is written. What it held stays until then."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError where another run writes to it, SinkError where nobody can."""
        self.path = path
        self._made = False
        try:
            self._file = self._held()
        except OSError as error:
            raise SinkError(f"{path} cannot be written: {reason_of(error)}.") from error

    @property
    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    @property
    def gone(self) -> bool:
        """Whether the path no longer leads to this file."""
        return not _is_at(self._file, self.path)

    def emptied(self) -> BinaryIO:
        """The open file, for another process to write to."""
        if self._ordinary:
            self._file.truncate(0)
        return self._file

    def holds(self, what: bytes, within: int) -> bool:
        """Whether `what` lies in the first `within` bytes."""
        with suppress(OSError):
            if self._ordinary:
                self._file.seek(0)
                return what in self._file.read(within)
        return False

    def close(self, *, remove: bool = False) -> None:
        """Let others write to it; with `remove` it leaves nothing, unless what it held before is still there."""
        if self._file.closed:
            return
        unwanted = remove and self._ordinary and not self.gone
        if unwanted and os.name != "nt":
            self.path.resolve().unlink(missing_ok=True)
        self._file.close()
        if unwanted and os.name == "nt":
            self.path.resolve().unlink(missing_ok=True)

    def close_unused(self) -> None:
        """Nothing was written: a file that was made for it goes, an older one stays as it is."""
        self.close(remove=self._made and self.size == 0)

    @property
    def _ordinary(self) -> bool:
        return stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)

    def _held(self) -> BinaryIO:
        while True:
            self._made = not self.path.exists()
            file = self.path.open("ab+")
            try:
                hold(file)
            except BlockingIOError as error:
                file.close()
                raise UsageError(
                    f"{self.path} is being written by another run.\nGive another name, or end that run."
                ) from error
            if _is_at(file, self.path):
                return file
            file.close()  # the run that held it removed it in this moment


def check_outputs(
    record: Path | None = None, record_raw: Path | None = None, events: Path | None = None, source: Path | None = None
) -> None:
    """See before a run that its outputs can be written, and that none overwrites another or the source.

    Raises:
        UsageError: one cannot be; says which and why.
    """
    used: list[tuple[Path, str]] = [(source, "the source")] if source else []
    for flag, path, suffixes in (
        ("--record", record, RECORDING_SUFFIXES),
        ("--record-raw", record_raw, RECORDING_SUFFIXES),
        ("--events", events, EVENT_SUFFIXES),
    ):
        if path is None:
            continue
        if ADDRESS.match(str(path)):
            raise UsageError(f"{flag} {path} is an address.\nGive a file's path.")
        if path.suffix.lower() not in suffixes:
            raise UsageError(f"{flag} {path}: the name must end in {' or '.join(suffixes)}.")
        for other, what in used:
            if _same(path, other):
                raise UsageError(f"{flag} {path} would overwrite {what}.\nGive another name.")
        used.append((path, flag))
        _check_writable(flag, path)


def hold(file: BinaryIO) -> None:
    """Keep other runs from writing to the file until it is closed, by us or by our end.

    Raises:
        BlockingIOError: another run has it.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system that knows no locks
        return


def _same(path: Path, other: Path) -> bool:
    """Whether two names are one file, by a hard link too."""
    if Path(os.path.realpath(path)) == Path(os.path.realpath(other)):  # Path.resolve raises for a link to itself
        return True
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there yet
        return False


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _check_writable(flag: str, path: Path) -> None:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # to open a FIFO would wait for its reader
            raise UsageError(f"{flag} {path} is no ordinary file.\nGive another path.")
        path.parent.mkdir(parents=True, exist_ok=True)
        OutputFile(path).close_unused()
    except SinkError as error:
        raise UsageError(f"{flag} {error}\nGive another path.") from error
    except OSError as error:
        raise UsageError(f"{flag} {path} cannot be written: {reason_of(error)}.\nGive another path.") from error
