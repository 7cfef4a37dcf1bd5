"""The process that makes a recording's mp4 of raw pictures: ffmpeg, started, asked to end, and asked why it ended."""

import os
import signal
import subprocess
from typing import BinaryIO

from live.address import printable
from models.children import ffmpeg_path, stops_held_back

# A player can seek to every such point.
KEY_PICTURE_S = 1.0
# A fragment of the file, the most that a kill can cost, is so long.
FRAGMENT_S = 0.2


def start_encoder(output: BinaryIO, width: int, height: int, rate_hz: float) -> subprocess.Popen[bytes]:
    """H.264 in fragments on `output`, of BGR pictures (height, width, 3) on its stdin. Raises OSError.

    The file itself is handed over: by its path the encoder might open another one that took its place.
    """
    command = [ffmpeg_path(), *_options(width, height, rate_hz)]
    # A session of its own and no stops, so that those reach us alone and the file can be ended properly.
    with stops_held_back(but=signal.SIGINT):  # by which we end it
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.PIPE,  # read at its end: it says little, and no temporary folder is needed
            start_new_session=True,
        )


def end_encoder(child: subprocess.Popen[bytes]) -> None:
    """Ask it to end the file with what it has; to kill it would not."""
    if os.name == "nt":
        child.terminate()
    else:
        child.send_signal(signal.SIGINT)


def why_it_ended(child: subprocess.Popen[bytes]) -> str:
    """A few words, of one that has ended."""
    assert child.stderr is not None
    # "[...] Error submitting a packet to the muxer: No space left on device"
    first = child.stderr.read(1000).decode("utf-8", "replace").partition("\n")[0]
    return printable(first.rsplit(": ", 1)[-1].strip().lower()) or "the encoder ended"


def _options(width: int, height: int, rate_hz: float) -> list[str]:
    # yuv420p wants even sides; an odd picture gets one black row or column.
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
    return [
        *("-hide_banner", "-nostdin", "-loglevel", "error"),
        *("-f", "rawvideo", "-pixel_format", "bgr24", "-video_size", f"{width}x{height}"),
        *("-framerate", f"{rate_hz:.6f}", "-i", "pipe:0"),
        *("-vf", f"{even},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        # One thread: the recogniser needs the other core more. No look-ahead, so that a kill costs little.
        *("-c:v", "libx264", "-preset", "superfast", "-crf", "23", "-threads", "1", "-tune", "zerolatency"),
        *("-g", str(max(1, round(KEY_PICTURE_S * rate_hz)))),
        *("-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-flush_packets", "1"),
        *("-frag_duration", str(round(1e6 * FRAGMENT_S))),
        *("-f", "mp4", "pipe:1"),
    ]
