"""The file of the moves."""

import csv
import io
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from live.moves import Move
from live.outputs import OutputFile, SinkError
from models.errors import reason_of

COLUMNS = ("move", "start_s", "end_s", "confidence")
SOURCE = "source"  # a further column where there are several
HEADER = ",".join(COLUMNS) + "\n"  # of a CSV


class Events:
    """The moves, one a line, each on the disk when `write` returns: JSON lines, or CSV with the same columns."""

    def __init__(self, path: Path, *, with_source: bool = False) -> None:
        """Raises UsageError where another run writes to it, SinkError."""
        self.path = path
        self._with_source = with_source
        self.wrote = False  # whether there is a file of this run
        self._broken: OSError | None = None  # why it takes no more lines
        self._csv = path.suffix.lower() == ".csv"
        self._output = OutputFile(path)
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            self._output.close_unused()
            raise self._failed(error) from error
        self.wrote = True
        try:
            if self._csv:
                self._put(_csv_line((*COLUMNS, SOURCE)) if with_source else HEADER)
        except SinkError:
            with suppress(SinkError):
                self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def write(self, move: Move, source: str = "") -> None:
        """Write a move, with the name of its source where the file has those.

        Raises:
            SinkError: the disk is full, the file was removed, or the like.
        """
        if self._output.gone:
            raise self._removed()
        self._put(_line_of(move, self._csv, source if self._with_source else None))

    def close(self) -> None:
        """Raises SinkError, unless `write` has said it already."""
        if self._file.closed:
            return
        gone = self._output.gone
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._output.close()
        if gone and self.wrote:
            raise self._removed()

    def _put(self, line: str) -> None:
        """Write all of the line or nothing of it, and nothing more after one that could not be written."""
        if self._broken:
            raise self._failed(self._broken)
        file, rest = self._file.fileno(), line.encode("utf-8", "replace")  # a name may hold half a surrogate
        size = os.fstat(file).st_size
        try:
            while rest:
                rest = rest[os.write(file, rest) :]  # a disk that fills up takes the part that still fits
        except OSError as error:
            self._broken = error
            with suppress(OSError):  # a pipe or a device has nothing to cut off
                os.ftruncate(file, size)
            raise self._failed(error) from error

    def _removed(self) -> SinkError:
        self.wrote = False
        return SinkError(f"{self.path} was removed while it was written.")

    def _failed(self, error: OSError) -> SinkError:
        return SinkError(f"{self.path} cannot be written: {reason_of(error, 'it is closed')}.")


def events_of(moves: Iterable[Move], *, as_csv: bool) -> str:
    """What the file of these moves holds."""
    return (HEADER if as_csv else "") + "".join(_line_of(move, as_csv) for move in moves)


def row_of(move: Move, source: str | None = None) -> dict[str, object]:
    """A move as programs are told of it, in the file and in the log; times in seconds."""
    values = (move.name, round(move.start_s, 3), round(move.end_s, 3), round(move.confidence, 4))
    return dict(zip(COLUMNS, values, strict=True)) | ({} if source is None else {SOURCE: source})


def _line_of(move: Move, as_csv: bool, source: str | None = None) -> str:
    row = row_of(move, source)
    return _csv_line(tuple(row.values())) if as_csv else json.dumps(row) + "\n"


def _csv_line(row: tuple[object, ...]) -> str:
    line = io.StringIO()
    # A spreadsheet takes a text that begins so for a formula.
    safe = [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell for cell in row]
    csv.writer(line, lineterminator="\n").writerow(safe)
    return line.getvalue()
