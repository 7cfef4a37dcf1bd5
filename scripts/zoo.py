"""Video files of many makes, a second or two each: codecs, rates, rotations, containers, and what is odd about some.

Each picture holds its own number, so that one that is lost, given twice or out of order is seen. They are made by
ffmpeg's own command and compared with what ffprobe counts.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

FFMPEG, FFPROBE = shutil.which("ffmpeg"), shutil.which("ffprobe")

BITS = 8  # of the number that is written into a picture, as a row of black and white columns
SIZE = (128, 96)
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p")
B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "12", "-crf", "18", "-pix_fmt", "yuv420p")
FIELDS = ("-flags", "+ilme+ildct")  # interlaced, as camcorders and analogue cameras record
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "18", "-x265-params", "log-level=none", "-tag:v", "hvc1")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "20", "-b:v", "0")
AV1 = ("-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-crf", "20", "-b:v", "0")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-bf", "0")
MJPEG = ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p")
NOISE = "noise=alls=60:allf=t,"
UNEVEN = "select='lt(n,15)+not(mod(n,3))',"


def encode(
    path: Path,
    rate: str,
    *options: str,
    frames: int = 40,
    size: tuple[int, int] = SIZE,
    first: int = 0,
    change: str = "",
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
) -> None:
    """A clip of pictures that are numbered from `first` on. `change` is a filter that comes after the numbering."""
    bit = f"mod(floor((N+{first})/pow(2,floor(X*{BITS}/W))),2)"
    _ffmpeg(
        *(*before, "-f", "lavfi", "-i", f"nullsrc=s={size[0]}x{size[1]}:r={rate}:d=60"),
        *("-vf", f"format=gray,geq=lum='16+219*{bit}',{change}format=yuv420p", "-frames:v", str(frames)),
        *("-fps_mode", "passthrough", *options, *after, str(path)),
    )


def copied(path: Path, *before: str, after: tuple[str, ...] = (), change: str = "") -> None:
    """A clip that is encoded and then copied into a container of its own, cut or marked."""
    whole = path.with_name(f"{path.stem}-whole.mp4")
    encode(whole, "30", *B_FRAMES, change=change)
    _ffmpeg(*before, "-i", str(whole), "-c", "copy", *after, str(path))
    whole.unlink()


def turned(path: Path, degrees: int, back: str) -> None:
    """A clip that lies on its side and is marked to be shown upright, as phones write it."""
    copied(path, after=("-metadata:s:v:0", f"rotate={degrees}"), change=back)


def cut_off(path: Path, kept: float) -> Path:
    """The same file without its end."""
    content = path.read_bytes()
    cut = path.with_name(f"cut-{path.name}")
    cut.write_bytes(content[: int(len(content) * kept)])
    return cut


def without_index(path: Path) -> None:
    """An AVI whose index was never written, as when a camera loses power."""
    encode(path, "25", *MJPEG)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"idx1")])


def with_longer_sound(path: Path) -> None:
    encode(
        path,
        "25",
        *X264,
        before=("-f", "lavfi", "-i", "sine=d=1.9"),
        after=("-c:a", "aac", "-map", "1:v", "-map", "0:a"),
    )


def half_interlaced(path: Path) -> None:
    """A clip whose second half comes from another camera, which records interlaced."""
    first, rest = path.with_name("first.h264"), path.with_name("rest.h264")
    encode(first, "25", *X264, frames=20)
    encode(rest, "25", *X264, *FIELDS, frames=20, first=20)
    path.write_bytes(first.read_bytes() + rest.read_bytes())
    first.unlink()
    rest.unlink()


MAKES: dict[str, Callable[[Path], None]] = {
    "h264-25.mp4": lambda p: encode(p, "25", *X264),
    "h264-23.976.mp4": lambda p: encode(p, "24000/1001", *X264),
    "h264-29.97-b.mp4": lambda p: encode(p, "30000/1001", *B_FRAMES),
    "h264-50.mkv": lambda p: encode(p, "50", *B_FRAMES),
    "h264-59.94.mp4": lambda p: encode(p, "60000/1001", *X264),
    "h264-120.mp4": lambda p: encode(p, "120", *B_FRAMES, frames=130),
    "h264-uneven.mp4": lambda p: encode(p, "30", *B_FRAMES, change=UNEVEN),
    "h264-uneven.mkv": lambda p: encode(p, "60", *X264, change=UNEVEN),
    "vp9-uneven.webm": lambda p: encode(p, "30", *VP9, change=UNEVEN),
    "turned-90.mp4": lambda p: turned(p, 90, "transpose=clock,"),
    "turned-180.mp4": lambda p: turned(p, 180, "hflip,vflip,"),
    "turned-270.mp4": lambda p: turned(p, 270, "transpose=cclock,"),
    "h264-10bit.mkv": lambda p: encode(p, "25", *X264[:-1], "yuv420p10le"),
    "hevc.mp4": lambda p: encode(p, "30", *X265),
    "hevc-10bit.mp4": lambda p: encode(p, "30000/1001", *X265, "-pix_fmt", "yuv420p10le"),
    "h264-odd-size.mkv": lambda p: encode(p, "25", *X264[:-1], "yuv444p", size=(131, 97)),
    "mpeg4-odd-size.avi": lambda p: encode(p, "25", *MPEG4, size=(131, 97)),
    "mpeg4.mp4": lambda p: encode(p, "30", "-c:v", "mpeg4", "-q:v", "3", "-bf", "2"),
    "mpeg4-b.avi": lambda p: encode(p, "30", "-c:v", "mpeg4", "-q:v", "3", "-bf", "2"),
    "vp9.webm": lambda p: encode(p, "60", *VP9),
    "vp9-alt-ref.mkv": lambda p: encode(
        p, "25", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "300k"
    ),
    "av1.mp4": lambda p: encode(p, "30", *AV1),
    "av1.mkv": lambda p: encode(p, "24000/1001", *AV1),
    "mjpeg.avi": lambda p: encode(p, "15", *MJPEG),
    "mjpeg.mov": lambda p: encode(p, "30000/1001", *MJPEG),
    "cut-by-edit-list.mp4": lambda p: copied(p, "-ss", "0.5"),
    "late-by-edit-list.mp4": lambda p: copied(p, "-itsoffset", "1.5"),
    "no-edit-list.mp4": lambda p: encode(p, "25", *B_FRAMES, "-use_editlist", "0"),
    "fragmented.mp4": lambda p: encode(p, "30", *B_FRAMES, "-movflags", "frag_keyframe+empty_moov"),
    "no-index.avi": without_index,
    "live.mkv": lambda p: encode(p, "25", *X264, "-f", "matroska", "-live", "1"),
    "begins-late.mkv": lambda p: encode(p, "25", *B_FRAMES, "-output_ts_offset", "1000"),
    "transport.ts": lambda p: encode(p, "25", *B_FRAMES),
    "wrapping-clock.ts": lambda p: encode(p, "25", *X264, "-output_ts_offset", "95442.5"),
    "program.mpg": lambda p: encode(p, "25", "-c:v", "mpeg2video", "-bf", "2", "-q:v", "3"),
    "bare.h264": lambda p: encode(p, "25", *X264),
    "bare-b.h264": lambda p: encode(p, "25", *B_FRAMES),
    "flash.flv": lambda p: encode(p, "25", *B_FRAMES),
    "interlaced.mts": lambda p: encode(p, "25", *B_FRAMES, *FIELDS),
    "interlaced.mpg": lambda p: encode(p, "25", "-c:v", "mpeg2video", "-q:v", "3", *FIELDS),
    "interlaced-dv.avi": lambda p: encode(p, "25", "-c:v", "dvvideo", size=(720, 576), after=("-aspect", "4:3")),
    "interlaced-from-the-middle-on.h264": half_interlaced,
    "gif.gif": lambda p: encode(p, "20", "-loop", "0"),
    "longer-sound.mkv": with_longer_sound,
}


# Pictures that do not compress, so that a file is all picture and hardly any header.
NOISY: dict[str, Callable[[Path], None]] = {
    "noise-h264.mp4": lambda p: encode(p, "25", *B_FRAMES, "-movflags", "faststart", change=NOISE),
    "noise-h264.ts": lambda p: encode(p, "25", *B_FRAMES, change=NOISE),
    "noise-hevc.mkv": lambda p: encode(p, "25", *X265, change=NOISE),
    "noise-vp9.webm": lambda p: encode(p, "25", *VP9, change=NOISE),
    "noise-av1.mkv": lambda p: encode(p, "25", *AV1, change=NOISE),
    "noise-mpeg4.avi": lambda p: encode(p, "25", *MPEG4, change=NOISE),
    "noise-mjpeg.mov": lambda p: encode(p, "25", *MJPEG, change=NOISE),
}


def probe(path: Path) -> tuple[int, list[float]]:
    """How many frames ffprobe decodes, and the time of each since the stream's start."""
    command = [
        *(str(FFPROBE), "-v", "error", "-count_frames", "-select_streams", "v:0", "-of", "json"),
        *("-show_entries", "stream=nb_read_frames,start_time:frame=best_effort_timestamp_time", str(path)),
    ]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    stream = said["streams"][0]
    times = [float(frame.get("best_effort_timestamp_time", "nan")) for frame in said["frames"]]
    return int(stream["nb_read_frames"]), [time - float(stream.get("start_time", 0)) for time in times]


def number_of(image: npt.NDArray[np.uint8]) -> int:
    """The number that is written into an upright picture."""
    height, width = image.shape[:2]
    columns = image[height // 4 : 3 * height // 4].mean(axis=(0, 2)).reshape(-1)
    bits = [columns[round((bit + 0.5) * width / BITS)] > 128 for bit in range(BITS)]
    return sum(1 << place for place, bit in enumerate(bits) if bit)


def _ffmpeg(*arguments: str) -> None:
    subprocess.run([str(FFMPEG), "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)
