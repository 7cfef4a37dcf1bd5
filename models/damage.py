"""What of a video file could not be read, found out once it was read: by what its container promised and holds.

Pictures that FFmpeg repaired are not known here and count as good.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from models.decoding import run_ffmpeg_on
from models.errors import SourceError
from models.frames import Frame, open_video, read_video

# A container that gives only its length may have sound that goes on for longer than the picture.
LONGER_SOUND_S = 0.5
# Looking through the packets of a file without decoding them takes longer only where it is huge or the disk very slow.
# Whoever waits meanwhile must not take it for a decoder that hangs: `pointe classify` does so after ten seconds.
PATIENCE_S = 5.0
# The family of mp4, by what stands at its fifth byte. An edit list of its own may show less than it holds.
WITH_EDIT_LISTS = re.compile(rb"....(ftyp|moov|mdat|wide|free|skip)", re.DOTALL)
MATROSKA = re.compile(rb"\x1aE\xdf\xa3")
UNIT = re.compile(rb"#tb 0: (\d+)/([1-9]\d*)")  # of the times of packets
COMPLAINTS = ("partial file", "ended prematurely", "corrupt", "truncat")


class Reading:
    """One reading of a video file: its frames, and afterwards what of it could not be read."""

    def __init__(self, path: Path) -> None:
        self.frames = 0  # so far
        self._path = path
        self._end_s = 0.0
        self._whole = False

    def __iter__(self) -> Iterator[Frame]:
        """The frames as `read_video` gives them. Raises SourceError as that does."""
        for frame in read_video(self._path):
            self.frames += 1
            self._end_s = frame.time_s
            yield frame
        self._whole = True

    def damage(self) -> str | None:
        """What is missing, in a few words; None where nothing is known to be, or the reading was broken off."""
        return damage_of(self._path, self.frames, self._end_s) if self._whole else None


def damage_of(path: Path, frames: int, end_s: float) -> str | None:
    """What is missing of a video, in a few words; None where nothing is known to be.

    Args:
        frames: how many could be read.
        end_s: the time of the last of them.
    """
    try:
        capture = open_video(path)
    except SourceError:
        return "it can no longer be opened"
    try:
        promised, rate_hz = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    if promised == frames:
        return None
    packets = _packets_of(path)
    if _is(MATROSKA, path):  # names the end of its pictures, wherever they begin
        promised -= round(packets.start_s * rate_hz)
    expected = packets.shown
    cut_short = 1 <= promised < 1e9 and rate_hz > 0 and promised / rate_hz - end_s > LONGER_SOUND_S + 1 / rate_hz
    if packets.damaged or (cut_short and not _is(WITH_EDIT_LISTS, path)):
        expected = max(expected, int(promised))
    if expected > frames:
        return f"damaged: {frames} of {expected} frames can be read"
    if cut_short and not packets.looked:
        return f"perhaps damaged: {frames} of {int(promised)} frames can be read, and it could not be looked through"
    return "damaged, but all of its frames can be read" if packets.damaged else None


@dataclass(frozen=True)
class _Packets:
    shown: int = 0  # as many frames should come of them
    damaged: bool = False
    looked: bool = True  # through them
    start_s: float = 0.0  # the time of the first


def _packets_of(path: Path) -> _Packets:
    """The packets of the picture, looked through in a process of its own, without decoding any."""
    options = ("-c", "copy", "-copyts", "-f", "framecrc", "-")
    done = run_ffmpeg_on(path, "warning", *options, patience_s=PATIENCE_S)
    if done is None:
        return _Packets(looked=False)
    # stream, dts, pts, ...; what lies before zero is needed to decode the rest and not shown
    times = [line.split(b",")[2].strip() for line in done.stdout.splitlines() if line.count(b",") >= 4]
    said = done.stderr.decode(errors="replace").lower()
    shown = [int(time) for time in times if time.isdigit()]
    unit = UNIT.search(done.stdout)
    start_s = min(shown, default=0) * int(unit[1]) / int(unit[2]) if unit else 0.0
    damaged = any(word in said for word in COMPLAINTS)
    return _Packets(sum(not time.startswith(b"-") for time in times), damaged, start_s=start_s)


def _is(kind: re.Pattern[bytes], path: Path) -> bool:
    with path.open("rb") as file:
        return kind.match(file.read(8)) is not None
