"""Decodes what OpenCV's own FFmpeg has no decoder for, AV1 above all, by the ffmpeg command in a process of its own."""

import re
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

# What the filter `showinfo` says on stderr: the unit of time once, then each picture before it is written.
UNIT = re.compile(rb"config in time_base: (\d+)/(\d+)")
PICTURE = re.compile(rb"\bn: *\d+ pts: *(-?\d+|NOPTS)\b.* s:(\d+)x(\d+) ")


def decoded_by_ffmpeg(path: Path) -> Iterator[tuple[npt.NDArray[np.uint8], float | None]]:
    """Every frame of a video, upright, (height, width, 3) BGR, with its time since the first; None where it has none.

    Ends early, also without a single frame, where ffmpeg cannot go on.
    """
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", "info", "-threads", "1"),
        *(
            "-protocol_whitelist",
            "file",
            "-i",
            f"file:{path.absolute()}",
            "-map",
            "0:v:0",
            "-vf",
            "showinfo=checksum=0",
        ),
        *("-copyts", "-fps_mode", "passthrough", "-pix_fmt", "bgr24", "-f", "rawvideo", "-"),
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1 << 16
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        unit, first = Fraction(0), None
        for line in process.stderr:
            if said := UNIT.search(line):
                unit = Fraction(int(said[1]), int(said[2]))
            if picture := PICTURE.search(line):
                width, height = int(picture[2]), int(picture[3])
                pixels = process.stdout.read(3 * width * height)
                if len(pixels) < 3 * width * height:
                    return
                stamp = None if picture[1] == b"NOPTS" else int(picture[1])
                first = stamp if first is None else first
                time_s = None if stamp is None or first is None else float((stamp - first) * unit)
                yield np.frombuffer(pixels, np.uint8).reshape(height, width, 3), time_s
    except OSError:
        return
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
