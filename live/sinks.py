"""What a run leaves behind: a recording of the pictures, and a file of the moves. Both are whole after any exit.

Pictures and moves come in with their times. It knows nothing of where either comes from.
"""

import csv
import io
import json
import subprocess
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from live.address import printable
from live.moves import Move
from models.errors import PointeError, UsageError
from models.frames import Image

EVENT_SUFFIXES = (".jsonl", ".csv")
RECORDING_SUFFIXES = (".mp4",)
COLUMNS = ("move", "start_s", "end_s", "confidence")

# Pictures that wait for the encoder. At 1280x720 they take 22 MB.
WAITING = 8
# A closing encoder gets this long for what it still holds; then it is ended, and what is on the disk plays.
CLOSE_S = 1.5
# A picture stays no longer than this where time stamps jump; the recording's clock then goes on from there.
LONGEST_HOLD_S = 10.0
# A fragment of the file, the most that a kill can cost, is so long.
FRAGMENT_S = 1.0


class SinkError(PointeError):
    """An output that can no longer be written. What is there up to then is whole; the run was done in part."""

    exit_code = 6


def check_outputs(
    record: Path | None = None, record_raw: Path | None = None, events: Path | None = None, source: Path | None = None
) -> None:
    """See before a run that its outputs can be written, and that none overwrites another or the source.

    Raises:
        UsageError: one cannot be; says which and why.
    """
    used: dict[Path, str] = {source.resolve(): "the source"} if source else {}
    for flag, path, suffixes in (
        ("--record", record, RECORDING_SUFFIXES),
        ("--record-raw", record_raw, RECORDING_SUFFIXES),
        ("--events", events, EVENT_SUFFIXES),
    ):
        if path is None:
            continue
        if path.suffix.lower() not in suffixes:
            raise UsageError(f"{flag} {path}: the name must end in {' or '.join(suffixes)}.")
        if path.resolve() in used:
            raise UsageError(f"{flag} {path} would overwrite {used[path.resolve()]}.\nGive another name.")
        used[path.resolve()] = flag
        _check_writable(flag, path)


class Recording:
    """H.264 in a fragmented mp4, so that a player shows it also after a kill.

    Pictures are placed by their times on a grid of `rate_hz`: one that comes late is preceded by repeats of the one
    before it, one that comes early is left out. So the recording's clock is right whatever the source's rate. It
    begins with the first picture; later ones of another size are fitted into that one's.
    """

    def __init__(self, path: Path, rate_hz: float, *, live: bool) -> None:
        """A slow disk makes `write` wait; where `live` the picture is left out instead and counted in `dropped`."""
        self.path = path
        self.dropped = 0
        self._rate_hz = rate_hz
        self._live = live
        self._start_s: float | None = None
        self._slot = -1  # on the grid, of the last picture taken
        self._size = (0, 0)  # (width, height)
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._error: str | None = None
        self._told = False  # whether the error was raised
        self._child: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._thread = threading.Thread(target=self._feed, name="pointe recording", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def write(self, image: Image, time_s: float) -> None:
        """Take a picture; it may be changed afterwards.

        Raises:
            SinkError: the encoder has ended, as on a full disk.
        """
        if self._child is None:
            self._start(image)
        slot = self._slot_of(time_s)
        if slot <= self._slot:
            return
        with self._changed:
            if not self._live:
                self._changed.wait_for(lambda: len(self._waiting) < WAITING or self._error)
            if self._error:
                self._told = True
                raise SinkError(f"{self.path} cannot be written: {self._error}.\nUp to there it plays.")
            if len(self._waiting) >= WAITING:
                self.dropped += 1
                return
            self._slot = slot
            self._waiting.append((slot, _fitted(image, self._size).tobytes()))
            self._changed.notify_all()

    def close(self) -> None:
        """Write what waits and end the file. Takes at most about CLOSE_S.

        Raises:
            SinkError: the encoder failed; what it wrote up to then plays.
        """
        if self._child is None or self._said is None:
            return
        until_s = time.monotonic() + CLOSE_S
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_S)
        try:
            code = self._child.wait(max(0.1, until_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._child.kill()
            code = self._child.wait()
            self._thread.join(CLOSE_S)
            self._error = self._error or "the encoder did not finish in time"
        if code != 0 and not self._error:
            self._error = self._what_it_said()
        if not self._error and not self.path.exists():
            self._error = "it was removed meanwhile"
        self._child = None
        self._said.close()
        if self._error and not self._told:
            raise SinkError(f"{self.path} is not complete: {self._error}.\nWhat is there of it plays.")

    def _slot_of(self, time_s: float) -> int:
        if self._start_s is None:
            self._start_s = time_s
        slot = round((time_s - self._start_s) * self._rate_hz)
        furthest = self._slot + max(1, round(LONGEST_HOLD_S * self._rate_hz))
        if slot > furthest or slot < self._slot - self._rate_hz:  # a jump forwards, or time began anew
            slot = min(max(slot, self._slot + 1), furthest)
            self._start_s = time_s - slot / self._rate_hz
        return slot

    def _start(self, image: Image) -> None:
        height, width = image.shape[:2]
        self._size = (width, height)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        command = _ffmpeg_command(self.path, width, height, self._rate_hz)
        try:
            # A session of its own, so that Ctrl-C reaches us alone and the file can be ended properly.
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said, start_new_session=True
            )
        except OSError as error:
            self._said.close()
            raise SinkError(f"{self.path} cannot be written: the encoder does not start ({error.strerror}).") from error
        self._thread.start()

    def _feed(self) -> None:
        """Runs in the recording's thread: pictures to the encoder, each as often as the grid wants it."""
        child = self._child
        assert child is not None and child.stdin is not None
        shown, last = b"", -1
        try:
            while item := self._next_waiting():
                slot, picture = item
                for _ in range(slot - last - 1):
                    child.stdin.write(shown or picture)
                child.stdin.write(picture)
                shown, last = picture, slot
            child.stdin.close()
        except OSError:  # the encoder is gone
            with suppress(OSError):
                child.stdin.close()
            child.wait()
            with self._changed:
                self._error = self._error or self._what_it_said()
                self._waiting.clear()
                self._changed.notify_all()

    def _next_waiting(self) -> tuple[int, bytes] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            item = self._waiting.popleft()
            self._changed.notify_all()
            return item

    def _what_it_said(self) -> str:
        """Its first line names the cause: "[...] Error submitting a packet to the muxer: No space left on device"."""
        assert self._said is not None
        self._said.seek(0)
        first = self._said.read(1000).decode("utf-8", "replace").partition("\n")[0]
        return printable(first.rsplit(": ", 1)[-1].strip().lower()) or "the encoder ended"


class Events:
    """The moves, one a line, each on the disk when `write` returns: JSON lines, or CSV with the same columns."""

    def __init__(self, path: Path) -> None:
        """Raises SinkError."""
        self.path = path
        self._csv = path.suffix.lower() == ".csv"
        try:
            self._file = path.open("w", encoding="ascii", newline="\n")
        except OSError as error:
            raise self._failed(error) from error
        if self._csv:
            self._put(_csv_line(COLUMNS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def write(self, move: Move) -> None:
        """Raises SinkError: the disk is full, or the like."""
        row = (move.name, round(move.start_s, 3), round(move.end_s, 3), round(move.confidence, 4))
        self._put(_csv_line(row) if self._csv else json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n")

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error
        if not self.path.exists():
            raise SinkError(f"{self.path} was removed while it was written.")

    def _put(self, line: str) -> None:
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> SinkError:
        return SinkError(f"{self.path} cannot be written: {(error.strerror or 'it is closed').lower()}.")


def _csv_line(row: tuple[object, ...]) -> str:
    line = io.StringIO()
    # A spreadsheet takes a text that begins so for a formula.
    safe = [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell for cell in row]
    csv.writer(line, lineterminator="\n").writerow(safe)
    return line.getvalue()


def _check_writable(flag: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = path.exists()
        with path.open("ab"):
            pass
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise UsageError(f"{flag} {path} cannot be written: {reason}.\nGive another path.") from error
    if not existed:
        path.unlink()


def _fitted(image: Image, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The picture at the recording's size, which it has unless a camera came back with another resolution."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return np.ascontiguousarray(image)
    scale = min(size[0] / width, size[1] / height)
    inner = (max(1, min(size[0], round(width * scale))), max(1, min(size[1], round(height * scale))))
    fitted = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return fitted


def _ffmpeg_command(path: Path, width: int, height: int, rate_hz: float) -> list[str]:
    # yuv420p wants even sides; an odd picture gets one black row or column.
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-loglevel", "error", "-y"),
        *("-f", "rawvideo", "-pixel_format", "bgr24", "-video_size", f"{width}x{height}"),
        *("-framerate", f"{rate_hz:.6f}", "-i", "pipe:0"),
        *("-vf", f"{even},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        # One thread: the recogniser needs the other core more.
        *("-c:v", "libx264", "-preset", "superfast", "-crf", "23", "-threads", "1"),
        *("-g", str(max(1, round(FRAGMENT_S * rate_hz)))),
        *("-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-flush_packets", "1"),
        *("-f", "mp4", f"file:{path.absolute()}"),
    ]
