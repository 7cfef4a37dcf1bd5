"""Cameras that do what a test tells them to, in place of OpenCV."""

import threading
import time
from collections.abc import Callable, Iterable

import numpy as np
from toys import picture

from live.capture import UnreachableError


class Camera:
    """Stands for a webcam: plays pictures, waits for the test where told to, and can be unplugged."""

    def __init__(self, pictures: Iterable[np.ndarray], rate_hz: float = 0) -> None:
        self.pictures = iter(pictures)
        self.rate_hz = rate_hz
        self.read_in: str | None = None
        self.released_in: str | None = None

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.read_in = threading.current_thread().name
        image = next(self.pictures, None)
        return image is not None, image

    def get(self, property_id: int) -> float:
        return self.rate_hz

    def release(self) -> None:
        self.released_in = threading.current_thread().name


class EndlessCamera(Camera):
    """A new picture every time it is asked, at most a thousand a second."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked = 0

    def read(self) -> tuple[bool, np.ndarray]:
        time.sleep(0.001)
        self.asked += 1
        self.read_in = threading.current_thread().name
        return True, picture("plie")


def connecting(cameras: list[Camera | str]) -> Callable[[object], Camera]:
    """Gives one camera after the other; a text is a failure for that reason."""
    coming = iter(cameras)

    def connect(_place: object) -> Camera:
        camera = next(coming, "nothing left")
        if isinstance(camera, str):
            raise UnreachableError("camera 0", camera, "Plug it in.")
        return camera

    return connect


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never became true")


class HangingCamera(Camera):
    """Gives its pictures; each further read blocks until `thaw` is set and then gives an old picture as if new."""

    def __init__(self, pictures: list[np.ndarray]) -> None:
        super().__init__(pictures)
        self.thaw = threading.Event()
        self.hangs = threading.Event()

    def read(self) -> tuple[bool, np.ndarray | None]:
        ok, image = super().read()
        if ok:
            return ok, image
        self.hangs.set()
        assert self.thaw.wait(30)
        return True, picture("saute")
