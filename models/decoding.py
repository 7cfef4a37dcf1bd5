"""Decodes what OpenCV cannot, AV1 and interlaced videos above all, by the ffmpeg command in a process of its own."""

import queue
import re
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import numpy.typing as npt

from models.children import ffmpeg_path, stops_held_back, without_ffmpeg
from models.errors import SourceError

# What the filter `showinfo` says on stderr: the unit of time, and each picture's time before it is written.
UNIT = re.compile(rb"config in time_base: (\d+)/([1-9]\d*)")
PICTURE = re.compile(rb"\bn: *\d+ pts: *(-?\d+|NOPTS)\b")
# What it says of an interlaced frame, the top or the bottom field first; and where swscale does not know the colours.
REFUSED = re.compile(rb"\bi:[TB]\b|Error reinitializing filters")
BMP_HEADER = struct.Struct("<2sI")  # "BM", and how many bytes it and what follows are
# Pictures whose times wait to be asked for; ffmpeg does not run further ahead than that.
AHEAD = 1000
PATIENCE_S = 1.0
LOOK_S = 5.0  # for two seconds of video
ONE_THREAD = ("-threads", "1")  # of the decoder

_running: set[subprocess.Popen[bytes]] = set()
_starting = threading.Lock()  # held while one runs already and is not yet among them

_Times = queue.Queue[Fraction | None]


def decoded_by_ffmpeg(
    path: Path, *, skip: int = 0, interlaced: bool = False
) -> Iterator[tuple[npt.NDArray[np.uint8], float | None]]:
    """Every frame of a video, upright, (height, width, 3) BGR, with its time since the first; None where it has none.

    Ends early, also without a single frame, where ffmpeg cannot go on.

    Args:
        skip: so many frames are left out in front; the time is then since the first after them.
        interlaced: of frames that are it every second line is made from those beside it.

    Raises:
        SourceError: there is no ffmpeg, or it does not start.
    """
    filters = ["bwdif=send_frame:deint=interlaced"] if interlaced else []
    process = _start(path, [*filters, f"select=gte(n\\,{skip})"])
    assert process.stdout is not None and process.stderr is not None
    times: _Times = queue.Queue(AHEAD)
    listener = threading.Thread(target=_listen, args=(process.stderr, times), name="ffmpeg's times", daemon=True)
    listener.start()
    try:
        first: Fraction | None = None
        while (image := _next_picture(process.stdout)) is not None:
            try:
                time = times.get(timeout=PATIENCE_S)
            except queue.Empty:
                time = None
            first = time if first is None else first
            yield image, None if time is None or first is None else float(time - first)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        while listener.is_alive():  # it may wait for room
            with times.mutex:
                times.queue.clear()
                times.not_full.notify_all()
            listener.join(0.05)
        process.stderr.close()
        _running.discard(process)


def end_decoders() -> None:
    """Kill every ffmpeg that still runs: one that hangs would outlive a program that leaves without its threads."""
    with _starting:
        for process in list(_running):
            process.kill()


def refused_by_opencv(path: Path, time_s: float) -> bool:
    """Whether a video has frames about a time, in seconds since its start, that OpenCV cannot turn into pictures.

    It then hands over what was in memory before, without a word: swscale refuses interlaced frames, and some colour
    spaces, and OpenCV does not look. False where nobody can tell.
    """
    start = ("-ss", f"{time_s - 1:.3f}") if time_s > 1 else ()
    options = ("-vf", "showinfo=checksum=0,format=bgr24", "-f", "null", "-")
    looked = run_ffmpeg_on(path, "info", *options, before=(*ONE_THREAD, *start, "-t", "2"), patience_s=LOOK_S)
    return looked is not None and REFUSED.search(looked.stderr) is not None


def run_ffmpeg_on(
    path: Path, level: str, *options: str, before: Sequence[str] = (), patience_s: float
) -> subprocess.CompletedProcess[bytes] | None:
    """What ffmpeg writes and says of the picture of a video; None where it does not start or takes longer.

    Args:
        level: how much it says on stderr.
        options: what it makes of the picture.
        before: options for the reading.
    """
    try:
        command = _ffmpeg_on(path, level, *options, before=before)
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience_s)
    except (OSError, subprocess.TimeoutExpired):
        return None


def _ffmpeg_on(path: Path, level: str, *options: str, before: Sequence[str]) -> list[str]:
    """A command that opens no other file, whatever this one says. Raises OSError."""
    reading = ("-protocol_whitelist", "file", *before, "-i", f"file:{path.absolute()}", "-map", "0:v:0")
    return [ffmpeg_path(), "-nostdin", "-hide_banner", "-v", level, *reading, *options]


def _start(path: Path, filters: list[str]) -> subprocess.Popen[bytes]:
    """An ffmpeg that writes its pictures and says their times, among those that `end_decoders` ends."""
    # Pictures come as BMP, which says its own size: that may change in the middle of a video.
    options = [
        *("-vf", ",".join([*filters, "showinfo=checksum=0"]), "-copyts", "-fps_mode", "passthrough"),
        *("-pix_fmt", "bgr24", "-c:v", "bmp", "-f", "image2pipe", "-"),
    ]
    pipe = subprocess.PIPE
    with _starting:
        try:
            command = _ffmpeg_on(path, "info", *options, before=ONE_THREAD)
            with stops_held_back():
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise SourceError(without_ffmpeg(f"{path} cannot be read", error)) from error
        _running.add(process)
    return process


def _next_picture(stream: IO[bytes]) -> npt.NDArray[np.uint8] | None:
    """None at the end, and where what comes is no picture."""
    header = stream.read(BMP_HEADER.size)
    if len(header) < BMP_HEADER.size:
        return None
    kind, size = BMP_HEADER.unpack(header)
    content = header + stream.read(max(0, size - len(header)))
    if kind != b"BM" or len(content) < size:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _listen(stream: IO[bytes], times: _Times) -> None:
    unit = Fraction(0)
    for line in stream:
        if said := UNIT.search(line):
            unit = Fraction(int(said[1]), int(said[2]))
        if picture := PICTURE.search(line):
            times.put(None if picture[1] == b"NOPTS" else int(picture[1]) * unit)
