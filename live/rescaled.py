"""A video at another height, as a camera of that size would have recorded it: H.264, made by the bundled ffmpeg."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from live.bench_subject import Video, describe_video, find_video
from models.children import ffmpeg_path, without_ffmpeg
from models.errors import SourceError

# Of a camera's H.264 at 720 lines, and so more or less by the pixels for other heights.
KBIT_S_AT_720 = 4000
LONGEST_WAIT_S = 600.0  # to make it; minutes for 4K on a slow machine


@contextmanager
def measured_video(source: str, height: int | None = None) -> Iterator[Video]:
    """The video to measure: a file as it is, or a copy of it with so many lines that lives as long as this.

    Raises:
        UsageError: the source is no file.
        SourceError: it is no video, or cannot be rescaled.
    """
    video = find_video(source)
    if height is None:
        yield video
        return
    with TemporaryDirectory(prefix="pointe-bench-") as folder:
        path = rescale(video.path, Path(folder) / f"{video.path.stem}-{height}.mp4", height)
        yield describe_video(path, f"{video.name} at {height} lines")


def rescale(video: Path, to: Path, height: int, seconds: float | None = None) -> Path:
    """Write `to`, `height` lines high and as wide as the picture's form asks for, or only its first `seconds`.

    Raises:
        SourceError: ffmpeg cannot.
    """
    rate = f"{round(KBIT_S_AT_720 * (height / 720) ** 2)}k"
    options = [
        *("-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file"),
        *("-i", f"file:{video.absolute()}", "-map", "0:v:0", "-an", "-vf", f"scale=-2:{height}:flags=bicubic"),
        # Without B-frames and with a key frame every two seconds, as cameras do; at a rate that the scaled picture
        # alone would not fill, so that it costs what a real one of that size costs to decode.
        *("-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "50", "-pix_fmt", "yuv420p"),
        *("-b:v", rate, "-maxrate", rate, "-bufsize", rate, *(("-t", str(seconds)) if seconds else ())),
        str(to.absolute()),
    ]
    try:
        command = [ffmpeg_path(), *options]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST_WAIT_S, check=False
        )
    except OSError as error:
        raise SourceError(without_ffmpeg(f"{video} cannot be rescaled", error)) from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{video} takes too long to be rescaled to {height} lines.\nGive a shorter video.") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SourceError(f"{video} cannot be rescaled to {height} lines: {reason}\nLeave --height out.")
    return to
