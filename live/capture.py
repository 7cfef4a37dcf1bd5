"""Opening an address with OpenCV, with time-outs of our own and a reason where it fails."""

import os
from typing import Any, Protocol

import cv2

from live.address import Address, printable
from live.probe import why_no_picture
from models.errors import SourceError
from models.ffmpeg_options import ffmpeg_options
from models.frames import DECODER_THREADS
from models.pictures import Pictures

# OpenCV waits 30 s for either unless told. A read that hangs was left behind before its time is over; it should end
# soon after all, so that its thread and its connection go.
OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 4.0
# FFmpeg's protocols below the addresses that we open; no file, no concat, no pipe.
FFMPEG_OPTIONS = "rtsp_transport;tcp|protocol_whitelist;rtsp,rtsps,rtp,srtp,tcp,tls,http,https,crypto"


class Capture(Protocol):
    """What we need of cv2.VideoCapture."""

    def read(self) -> tuple[bool, Any]: ...

    def get(self, property_id: int, /) -> float: ...

    def release(self) -> None: ...


class Reusing:
    """One of OpenCV's captures, whose pictures take the memory of those that nobody holds any more."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture
        self._pictures = Pictures()
        self.get, self.release = capture.get, capture.release

    def read(self) -> tuple[bool, Any]:
        ok, image = self._capture.read(self._pictures.free())
        if ok:
            self._pictures.keep(image)
        return ok, image


class UnreachableError(SourceError):
    """A live source that gives no picture. `reason` is short enough for the display."""

    def __init__(self, shown: str, reason: str, advice: str) -> None:
        super().__init__(f"{shown}: {reason}.\n{advice}")
        self.reason = reason


def open_address(address: Address) -> Capture:
    """Raises UnreachableError."""
    parameters = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(1000 * OPEN_TIMEOUT_S)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(1000 * READ_TIMEOUT_S)),
        *(cv2.CAP_PROP_N_THREADS, DECODER_THREADS),
    ]
    with ffmpeg_options.set_to(FFMPEG_OPTIONS):
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
