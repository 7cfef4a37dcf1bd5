"""A video's pictures with their time stamps: by OpenCV, and where that cannot make them by the ffmpeg command."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.decoding import decoded_by_ffmpeg, refused_by_opencv
from models.pictures import Pictures

# A video that stands still is looked into this often, for whether it really does.
LOOK_EVERY_S = 10.0

_Image = npt.NDArray[np.uint8]


def pictures_of(path: Path, capture: cv2.VideoCapture) -> Iterator[tuple[_Image, float | None]]:
    """Each picture with its time stamp: by OpenCV, and from where that can make no more of them by ffmpeg."""
    count, from_s, refused = 0, 0.0, False
    try:
        for picture in _made_of_their_frames(path, _decoded(capture)):
            yield picture
            count += 1
        if count:
            return
    except _RefusedError as error:
        from_s, refused = error.time_s, True
    for image, since_s in decoded_by_ffmpeg(path, skip=count, interlaced=refused):
        yield image, None if since_s is None else from_s + since_s


class _RefusedError(Exception):
    """OpenCV cannot turn frames into pictures from here on, `time_s` after the start."""

    def __init__(self, time_s: float) -> None:
        self.time_s = time_s


def _made_of_their_frames(path: Path, decoded: Iterator[tuple[_Image, float]]) -> Iterator[tuple[_Image, float]]:
    """The pictures until one is the same as that before it, since OpenCV could make none and gave what lay in memory.

    The first waits for the second, since it may be such a one too.

    Raises:
        _RefusedError: OpenCV can make no picture of the frame whose turn it is.
    """
    last: tuple[_Image, float] | None = None
    waits, looked_s = True, -np.inf
    for picture in decoded:
        if last is not None:
            if picture[1] - looked_s > LOOK_EVERY_S and _same(last[0], picture[0]):
                looked_s = picture[1]
                if refused_by_opencv(path, looked_s):
                    raise _RefusedError(last[1] if waits else looked_s)
            if waits:
                yield last
            waits = False
            yield picture
        last = picture
    if last is not None and waits:
        if refused_by_opencv(path, last[1]):
            raise _RefusedError(last[1])
        yield last


def _same(image: _Image, other: _Image) -> bool:
    if image.shape != other.shape:
        return False
    middle = len(image) // 2  # one line tells nearly all that differ
    return np.array_equal(image[middle], other[middle]) and np.array_equal(image, other)


def _decoded(capture: cv2.VideoCapture) -> Iterator[tuple[_Image, float]]:
    """Each picture that OpenCV reads, with its time stamp."""
    pictures = Pictures()
    while True:
        try:
            ok, image = capture.read(pictures.free())
        except cv2.error:  # such as a damaged size for which there is no memory; what came before is good
            return
        if not ok:
            return
        picture = np.asarray(image, np.uint8)
        pictures.keep(picture)
        yield picture, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
