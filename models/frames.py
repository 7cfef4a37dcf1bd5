"""Frames and their times: reading a video, choosing frames by time, cutting what an encoder looks at.

Used by training and by the live recogniser alike, so that both see the same pixels. Knows nothing of networks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import SourceError, reason_of
from models.ffmpeg_options import ffmpeg_options
from models.files import is_file
from models.opencv_or_ffmpeg import pictures_of

Image = npt.NDArray[np.uint8]

# Frames may come this much of a period early and still count: a camera at exactly the sampling rate jitters
# around the due times, and without a tolerance every other frame would be lost.
EARLY = 0.25

# Samples further apart than this do not share a window, in training as live: what lies between was not seen.
MAX_GAP_S = 0.5

# One decoder thread: each further one holds back a frame, and the other core is for the encoder.
DECODER_THREADS = 1

# How the texts begin that FFmpeg takes for a video whatever their name, and that make it open other files: lists of
# files, HLS, DASH and the like, SDP. And how much of a file is looked at for them.
LISTS = (b"ffconcat", b"#extm3u", b"<", b"v=0")
LIST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Look:
    """What an encoder of whole frames looks at, made before it is the frame's turn."""

    picture: Image  # (size, size, 3) RGB
    took_s: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source. `time_s` is media time for a file, seconds since the start for a live source."""

    image: Image  # (height, width, 3) BGR
    index: int
    time_s: float
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; it may reach outside the picture."""

    left: float
    top: float
    width: float
    height: float


def open_video(path: Path) -> cv2.VideoCapture:
    """Open a video file with one decoder thread.

    Raises:
        SourceError: the file is missing, OpenCV cannot read it, or it is a list of other files.
    """
    if not is_file(path):
        raise SourceError(f"No such video file: {path}\nGive the path of an existing video, or `demo`.")
    absolute = str(path.absolute())  # so that FFmpeg takes no file name for a protocol
    try:
        absolute.encode()
    except UnicodeEncodeError as error:
        # OpenCV takes the whole process down for a name that is not valid Unicode.
        shown = absolute.encode(errors="backslashreplace").decode()
        raise SourceError(
            f"{shown}: the name of this file, or of a folder above it, holds characters that cannot be read.\n"
            "Rename it."
        ) from error
    _refuse_lists(path)
    with ffmpeg_options.set_to(None):
        capture = cv2.VideoCapture(absolute, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, DECODER_THREADS])
    if not capture.isOpened():
        capture.release()
        raise SourceError(f"Cannot read {path} as a video.\nCheck that it plays elsewhere, or convert it to mp4.")
    return capture


def frames_promised(path: Path) -> int | None:
    """How many frames a video says that it holds; None where it does not say.

    Raises:
        SourceError: it cannot be opened.
    """
    capture = open_video(path)
    try:
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    finally:
        capture.release()
    return int(count) if 1 <= count < 1e9 else None


def _refuse_lists(path: Path) -> None:
    """FFmpeg would take a text that lists other files for a video, and open those. Raises SourceError."""
    try:
        with path.open("rb") as file:
            start = file.read(LIST_BYTES)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {reason_of(error)}.") from error
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(LISTS):
        raise SourceError(f"{path} is a list of other files and no video.\nGive the video itself.")


def read_video(path: Path) -> Iterator[Frame]:
    """Every frame of a video file once, upright, with its media time: seconds since the picture's own beginning.

    A frame's picture stays what it is for as long as anybody holds it, or a view of it; then a later one takes its
    memory.

    The container's time stamps are used, so files of variable rate are right too. Where a stamp does not
    advance (some containers hold none), the time goes on at the file's nominal rate.

    Raises:
        SourceError: the file is missing, OpenCV cannot read it, or it holds no frame.
    """
    capture = open_video(path)
    try:
        rate = capture.get(cv2.CAP_PROP_FPS)
        period_s = 1 / rate if 1 <= rate <= 1000 else 1 / 25
        index, time_s = 0, -period_s
        for image, stamp_s in pictures_of(path, capture):
            advanced = stamp_s is not None and stamp_s > time_s and (stamp_s > 0 or index == 0)
            time_s = stamp_s if stamp_s is not None and advanced else time_s + period_s
            yield Frame(image, index, time_s)
            index += 1
    finally:
        capture.release()
    if index == 0:
        raise SourceError(f"{path} holds no frame that can be read.\nCheck that it plays elsewhere.")


class Sampler:
    """Chooses frames at `sample_hz` by their time stamps, whatever the rate of the source.

    The due times lie on a grid, so the mean rate is exact for any source at least as fast. A slower source, or a
    gap, starts the grid anew at the frame that came late: nothing is ever made up for.
    """

    def __init__(self, sample_hz: float) -> None:
        self.period_s = 1 / sample_hz
        self.reset()

    def reset(self) -> None:
        self._due_s = self._taken_s = -np.inf

    def take(self, time_s: float) -> bool:
        """Whether the frame at `time_s` is one of the sample. Times must not decrease; if they do, it starts anew."""
        if time_s < self._due_s - 2 * self.period_s:
            self.reset()
        if time_s < self._due_s - EARLY * self.period_s or time_s - self._taken_s < self.period_s / 2:
            return False
        self._taken_s = time_s
        late = time_s - self._due_s > self.period_s
        self._due_s = (time_s if late else self._due_s) + self.period_s
        return True


def whole_square(height: int, width: int) -> Box:
    """The smallest square that holds the whole frame, centred."""
    side = max(height, width)
    return Box((width - side) / 2, (height - side) / 2, side, side)


def to_input(image: Image, box: Box | None, size: int, out: Image | None = None) -> Image:
    """What an encoder looks at: the box of a BGR frame, resized to a square, as RGB; black outside the frame.

    Args:
        image: (height, width, 3) uint8 BGR.
        box: the part to cut; None stretches the whole frame to the square.
        size: side of the result in pixels.
        out: written and returned where given, so that a loop allocates nothing.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    if box is None:
        box = Box(0, 0, image.shape[1], image.shape[0])
    if out is None:
        out = np.empty((size, size, 3), np.uint8)
    whole = _whole_pixels(image, box)
    if whole is None:
        _warp(image, box, out)
    else:
        cv2.resize(whole, (size, size), dst=out, interpolation=cv2.INTER_LINEAR)
    cv2.cvtColor(out, cv2.COLOR_BGR2RGB, dst=out)
    return out


def _whole_pixels(image: Image, box: Box) -> Image | None:
    """The box's part of the picture, where it has whole pixels alone and none outside; else None."""
    height, width = image.shape[:2]
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    if not all(float(edge).is_integer() for edge in edges):
        return None
    left, top, right, bottom = (int(edge) for edge in edges)
    inside = 0 <= left < right <= width and 0 <= top < bottom <= height
    return image[top:bottom, left:right] if inside else None


def _warp(image: Image, box: Box, out: Image) -> None:
    """Cut, pad and resize in one pass, as resizing the cut would; it takes more than twice the time of that."""
    size = len(out)
    scale_x, scale_y = box.width / size, box.height / size
    # From a target pixel's centre back to the source, as cv2.resize does.
    back = np.array(
        [
            [scale_x, 0, box.left + scale_x / 2 - 0.5],
            [0, scale_y, box.top + scale_y / 2 - 0.5],
        ]
    )
    cv2.warpAffine(
        image,
        back,
        (size, size),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
