"""Which cameras there are at this machine, and who has them; knows nothing of OpenCV."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from live.address import printable

DEVICES = Path("/dev")
ABOUT = Path("/sys/class/video4linux")
PROCESSES = Path("/proc")
JOIN_GROUP = "sudo usermod -aG video $USER\nthen log in again."


@dataclass(frozen=True)
class FoundCamera:
    device: Path
    name: str  # as the driver says it; may be empty
    allowed: bool  # whether this user may open it
    users: tuple[str, ...]  # the programs that have it open

    @property
    def number(self) -> str:
        return self.device.name.removeprefix("video")


def found_cameras(devices: Path = DEVICES, about: Path = ABOUT, processes: Path = PROCESSES) -> list[FoundCamera]:
    """The cameras that Linux knows, by number."""
    found = []
    for device in sorted(devices.glob("video*"), key=lambda path: (len(path.name), path.name)):
        if _read(about / device.name / "index") not in ("", "0"):
            continue  # the second node of a camera holds no pictures
        name, allowed = printable(_read(about / device.name / "name")), os.access(device, os.R_OK | os.W_OK)
        found.append(FoundCamera(device, name, allowed, tuple(users_of(device, processes))))
    return found


def users_of(device: Path, processes: Path = PROCESSES) -> list[str]:
    """The other programs that have the device open, as far as this user may see them."""
    users = []
    for files in sorted(processes.glob("[0-9]*/fd")):
        process = files.parent
        if process.name == str(os.getpid()):
            continue
        with suppress(OSError):
            if any(_leads_to(file, device) for file in files.iterdir()):
                users.append(printable(f"{_read(process / 'comm') or 'a program'} ({process.name})"))
    return users


def _leads_to(file: Path, device: Path) -> bool:
    try:
        return file.readlink() == device
    except OSError:  # it was closed in this moment
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
