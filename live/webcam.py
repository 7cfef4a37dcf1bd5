"""Opening a camera of this machine as it was asked for, and why one cannot be opened.

What a driver says it will do is not believed: `live.reader` measures what comes.
"""

import errno
import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from live.address import Camera, printable
from live.cameras import DEVICES, JOIN_GROUP, found_cameras, users_of
from live.capture import Capture, UnreachableError
from models.errors import UsageError, reason_of


@dataclass(frozen=True)
class Wanted:
    """What a webcam is asked for; it gives what it can."""

    size: tuple[int, int] | None = None  # width, height
    rate_hz: float | None = None

    @classmethod
    def parse(cls, size: str | None, rate_hz: float | None) -> "Wanted":
        """Raises UsageError where the size is not as in 1280x720."""
        if size is None:
            return cls(None, rate_hz)
        match = re.fullmatch(r"([1-9][0-9]{1,4})[x×]([1-9][0-9]{1,4})", size)
        if not match:
            raise UsageError(f"--camera-size {printable(size)} is no size.\nGive width and height as in 1280x720.")
        return cls((int(match[1]), int(match[2])), rate_hz)

    def __bool__(self) -> bool:
        return self.size is not None or self.rate_hz is not None

    def __str__(self) -> str:
        size = f"{self.size[0]}x{self.size[1]}" if self.size else ""
        rate = f"{self.rate_hz:g} Hz" if self.rate_hz else ""
        return " at ".join(filter(None, (size, rate)))


def open_webcam(
    camera: Camera, wanted: Wanted, make: Callable[[int | str, int], cv2.VideoCapture] | None = None
) -> Capture:
    """A camera that was asked for `wanted`; `make` opens it in place of OpenCV.

    Raises:
        UnreachableError: it is not there, may not be opened, or is in use.
    """
    on_linux = sys.platform == "linux"
    device = Path(camera.device if isinstance(camera.device, str) else f"{DEVICES}/video{camera.device}")
    if on_linux:
        _check(camera, device)
    capture = (make or cv2.VideoCapture)(camera.device, cv2.CAP_V4L2 if on_linux else cv2.CAP_ANY)
    if not capture.isOpened():
        capture.release()
        users = users_of(device) if on_linux else []
        if users:
            raise UnreachableError(camera.shown, f"in use by {', '.join(users)}", "Close that program.")
        raise UnreachableError(camera.shown, "it cannot be opened", "Close other programs that may be using it.")
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if wanted:
        # Uncompressed pictures of more than 640x480 do not fit through USB 2 at a usual rate.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if wanted.size:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.size[1])
    if wanted.rate_hz:
        capture.set(cv2.CAP_PROP_FPS, wanted.rate_hz)
    return capture


def _check(camera: Camera, device: Path) -> None:
    """Raises UnreachableError for whatever opening the device itself says."""
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        raise UnreachableError(camera.shown, *_reason(error, device)) from error
    is_device = stat.S_ISCHR(os.fstat(handle).st_mode)
    os.close(handle)
    if not is_device:
        raise UnreachableError(camera.shown, f"{device} is no camera", "Give a file by a path outside /dev.")


def _reason(error: OSError, device: Path) -> tuple[str, str]:
    """Reason and advice."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        there = ", ".join(str(each.device) for each in found_cameras()) or "none"
        return f"{device} does not exist", f"Cameras here: {there}. Without one: pointe live demo"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"no permission for {device}", JOIN_GROUP
    if error.errno == errno.EBUSY:
        users = ", ".join(users_of(device)) or "another program"
        return f"{device} is in use by {users}", "Close that program."
    if error.errno in (errno.ENXIO, errno.ENODEV):
        return f"{device} has no camera behind it", "Plug it in again. `pointe cameras` lists what is there."
    return (
        f"{device} cannot be opened: {reason_of(error, 'unknown')}",
        "`pointe cameras` lists what is there.",
    )
