"""Opening a camera or an address with OpenCV, with time-outs of our own and a reason where it fails."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import cv2

from live.address import Address, Camera, printable, why_no_picture
from models.errors import SourceError
from models.frames import DECODER_THREADS

# OpenCV waits 30 s for either unless told. A camera answers within these or has failed.
OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 3.0
# A read that took this long ran into the time-out. OpenCV may then hand out old frames as if they were new.
TIMED_OUT_S = 0.9 * READ_TIMEOUT_S
# FFmpeg's protocols below the addresses that we open; no file, no concat, no pipe.
FFMPEG_OPTIONS = "rtsp_transport;tcp|protocol_whitelist;rtsp,rtsps,rtp,srtp,tcp,tls,http,https,crypto"


class Capture(Protocol):
    """What we need of cv2.VideoCapture."""

    def read(self) -> tuple[bool, Any]: ...

    def get(self, property_id: int, /) -> float: ...

    def release(self) -> None: ...


class UnreachableError(SourceError):
    """A live source that gives no picture. `reason` is short enough for the display."""

    def __init__(self, shown: str, reason: str, advice: str) -> None:
        super().__init__(f"{shown}: {reason}.\n{advice}")
        self.reason = reason


def open_live(place: Camera | Address) -> Capture:
    return _open_camera(place) if isinstance(place, Camera) else _open_address(place)


def _open_camera(camera: Camera) -> Capture:
    """Raises UnreachableError."""
    on_linux = sys.platform == "linux"
    if on_linux:
        device = Path(camera.device if isinstance(camera.device, str) else f"/dev/video{camera.device}")
        found = ", ".join(sorted(str(path) for path in Path("/dev").glob("video*"))) or "none"
        if not device.exists():
            raise UnreachableError(
                camera.shown, f"{device} does not exist", f"Cameras here: {found}. Without one: pointe live demo"
            )
        if not os.access(device, os.R_OK | os.W_OK):
            raise UnreachableError(
                camera.shown, f"no permission for {device}", "Join its group: sudo adduser $USER video"
            )
    capture = cv2.VideoCapture(camera.device, cv2.CAP_V4L2 if on_linux else cv2.CAP_ANY)
    if not capture.isOpened():
        capture.release()
        raise UnreachableError(camera.shown, "it cannot be opened", "Close other programs that may be using it.")
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _open_address(address: Address) -> Capture:
    """Raises UnreachableError."""
    parameters = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(1000 * OPEN_TIMEOUT_S)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(1000 * READ_TIMEOUT_S)),
        *(cv2.CAP_PROP_N_THREADS, DECODER_THREADS),
    ]
    with _ffmpeg_options():
        capture = cv2.VideoCapture(address.url, cv2.CAP_FFMPEG, parameters)
    if not capture.isOpened():
        capture.release()
        raise UnreachableError(
            address.shown, printable(why_no_picture(address.url)), "Check that the camera is on and its address right."
        )
    return capture


def silence_opencv() -> None:
    """What goes wrong is said by us, once; the native lines could show an address with its password."""
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    os.environ.pop("OPENCV_FFMPEG_DEBUG", None)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


@contextmanager
def _ffmpeg_options() -> Iterator[None]:
    """OpenCV takes FFmpeg's options from the environment only, each time it opens."""
    variable = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    before = os.environ.get(variable)
    os.environ[variable] = FFMPEG_OPTIONS
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before
