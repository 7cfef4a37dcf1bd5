"""Cameras of this machine, without one: what is asked of them, what they really give, and why one cannot be opened."""

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from cameras import Camera as FakeCamera
from cameras import connecting
from toys import make_model, picture

from live import cameras as cameras_module
from live import webcam as webcam_module
from live.address import Camera
from live.cameras import found_cameras, users_of
from live.capture import UnreachableError
from live.options import Options
from live.runner import live
from live.source import open_source
from live.webcam import Wanted, open_webcam
from models.errors import UsageError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cameras are only examined on Linux")


class FakeCapture:
    """Stands for cv2.VideoCapture and notes what it was asked for."""

    def __init__(self, opened: bool = True) -> None:
        self.asked: list[tuple[int, float]] = []
        self.released = False
        self._opened = opened

    def isOpened(self) -> bool:  # noqa: N802 - as OpenCV names it
        return self._opened

    def set(self, property_id: int, value: float) -> bool:
        self.asked.append((property_id, value))
        return False  # a driver that obeys nothing

    def release(self) -> None:
        self.released = True


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In place of /dev."""
    folder = tmp_path / "dev"
    folder.mkdir()
    for module in (webcam_module, cameras_module):
        monkeypatch.setattr(module, "DEVICES", folder)
    yield folder


@pytest.fixture
def camera(devices: Path) -> Path:
    """Camera 0: a device, though none that gives pictures."""
    (devices / "video0").symlink_to("/dev/null")
    return devices / "video0"


def test_size_and_rate_are_asked_of_a_camera_compressed(camera: Path) -> None:
    capture = FakeCapture()
    assert open_webcam(Camera(0), Wanted((1280, 720), 30), lambda *_: capture) is capture
    assert capture.asked == [
        (cv2.CAP_PROP_BUFFERSIZE, 1),
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_FPS, 30),
    ]


def test_nothing_is_asked_of_a_camera_unless_the_user_does(camera: Path) -> None:
    capture = FakeCapture()
    open_webcam(Camera(0), Wanted(), lambda *_: capture)
    assert capture.asked == [(cv2.CAP_PROP_BUFFERSIZE, 1)]


def test_a_size_is_understood_or_refused() -> None:
    assert Wanted.parse("1280x720", 30) == Wanted((1280, 720), 30)
    assert not Wanted.parse(None, None)
    for text in ("1280", "1280x", "0x720", "axb", "1280x720x3", "-1x5"):
        with pytest.raises(UsageError, match="Give width and height as in 1280x720"):
            Wanted.parse(text, None)


def test_only_a_webcam_can_be_asked() -> None:
    for source in ("demo", "rtsp://127.0.0.1:1/test"):
        with pytest.raises(UsageError, match="are for webcams"):
            open_source(source, wanted=Wanted((1280, 720), 30))


def test_what_it_really_gives_is_measured_and_told(tmp_path: Path) -> None:
    class Dim(FakeCamera):
        """Names 30 frames/s and gives 20 smaller ones."""

        def read(self) -> tuple[bool, np.ndarray | None]:
            time.sleep(0.05)
            return super().read()

    lines: list[str] = []
    options = Options(
        model=str(make_model(tmp_path / "toy")),
        device="cpu",
        headless=True,
        wanted=Wanted((1280, 720), 30),
        connect=connecting([Dim([picture("none", (640, 480))] * 200, 30)]),
        max_seconds=3,
        tell=lines.append,
    )
    live("0", options)
    (line,) = [line for line in lines if "gives" in line]
    size, rate = line.removeprefix("camera 0 gives ").split(" Hz; ")[0].split(" at ")
    assert size == "640x480"
    assert 8 < float(rate) <= 20  # not the 30 that it names
    assert line.endswith("1280x720 at 30 Hz was asked for")


def test_a_camera_that_is_not_there_is_said_and_those_that_are_listed(devices: Path) -> None:
    with pytest.raises(UnreachableError, match="video7 does not exist"):
        open_webcam(Camera(7), Wanted())


def test_a_file_in_place_of_a_camera_is_said(devices: Path) -> None:
    (devices / "video0").touch()
    with pytest.raises(UnreachableError, match="video0 is no camera"):
        open_webcam(Camera(0), Wanted())


def test_a_device_without_a_camera_behind_it_is_said(devices: Path) -> None:
    try:
        os.mknod(devices / "video0", stat.S_IFCHR | 0o600, os.makedev(81, 200))  # video4linux, and nothing there
        os.close(os.open(devices / "video0", os.O_RDWR))
    except PermissionError:
        pytest.skip("this user may make no devices")
    except OSError:
        pass
    with pytest.raises(UnreachableError, match="video0 has no camera behind it"):
        open_webcam(Camera(0), Wanted())


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, r"no permission for .*video0"),
        (errno.EBUSY, r"video0 is in use by another program"),
        (errno.EIO, r"video0 cannot be opened: input/output error"),
    ],
)
def test_what_the_system_says_of_a_camera_is_told(
    camera: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(webcam_module.os, "open", refuse)
    with pytest.raises(UnreachableError, match=said) as caught:
        open_webcam(Camera(0), Wanted())
    monkeypatch.undo()
    assert len(str(caught.value).splitlines()) <= 3


@pytest.fixture
def user(devices: Path) -> Iterator[tuple[Path, int]]:
    """A device and the number of the program that has it open."""
    device = devices / "video0"
    device.touch()
    code = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(device)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "open\n"
        yield device, child.pid
        child.kill()


def test_who_has_a_camera_is_listed(user: tuple[Path, int], tmp_path: Path) -> None:
    device, pid = user
    (name,) = users_of(device)
    assert name.endswith(f"({pid})")
    (found,) = found_cameras(device.parent, tmp_path / "about")
    assert (found.device, found.allowed, found.users, found.number) == (device, True, (name,), "0")


def test_a_program_that_closes_other_files_meanwhile_is_listed_all_the_same(tmp_path: Path) -> None:
    files = tmp_path / "77/fd"
    files.mkdir(parents=True)
    for number in range(40):
        (files / str(number)).touch()  # gives no link, as one that was closed since
    (files / "99").symlink_to(tmp_path / "video0")
    assert users_of(tmp_path / "video0", tmp_path) == ["a program (77)"]


def test_a_camera_that_does_not_open_names_who_has_it(user: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webcam_module, "_check", lambda *_: None)
    capture = FakeCapture(opened=False)
    with pytest.raises(UnreachableError, match=rf"in use by .*\({user[1]}\)"):
        open_webcam(Camera(0), Wanted(), lambda *_: capture)
    assert capture.released
