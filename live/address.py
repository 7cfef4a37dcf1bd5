"""What a user may name as a source, and how it is shown without its password.

Only camera numbers, /dev/video*, existing files and rtsp, rtsps, http and https addresses are understood. FFmpeg
would open far more (`concat:`, `subfile:`, `data:`); all of that is refused here, unopened.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from models.errors import SourceError
from models.files import is_file, is_folder

DEMO = Path(__file__).parent / "assets" / "demo.mp4"
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
ENCRYPTED = ("rtsps", "https")
HIDDEN = "***"

# A variable of the environment, so that no password need stand on a command line or in a script.
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# What cameras put into paths beside a password, as in /user=admin_password=..., and what merely looks like it.
_TELLTALE = re.compile(r"[=@:;]|pass|pwd|token|key|auth", re.IGNORECASE)


@dataclass(frozen=True)
class Camera:
    device: int | str  # a number, or /dev/video0

    @property
    def shown(self) -> str:
        return f"camera {self.device}"


@dataclass(frozen=True)
class Address:
    url: str
    named: str | None = None  # as it was given, where variables were filled in

    @property
    def shown(self) -> str:
        return redact(self.named or self.url)


@dataclass(frozen=True)
class File:
    path: Path  # absolute, so that FFmpeg takes no file name for a protocol

    @property
    def shown(self) -> str:
        return self.path.name


def understand(text: str) -> Camera | Address | File:
    """What a source on the command line means; a file exists, the others may still turn out dead.

    Raises:
        SourceError: it is none of what may be opened.
    """
    if text == "demo":
        return File(DEMO)
    if not text:
        raise SourceError("The source is empty.\nName a file, a camera's number (0), an rtsp:// address, or demo.")
    if re.fullmatch(r"[0-9]{1,4}", text):
        return Camera(int(text))
    if re.fullmatch(r"/dev/video[0-9]{1,4}", text):
        return Camera(text)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() in DEFAULT_PORTS:
        filled = _filled_in(text)
        return Address(_checked(filled, text), named=text if filled != text else None)
    if _VARIABLE.match(text) and not os.path.lexists(text):
        return _whole_from_environment(text)
    path = Path(text)
    if is_file(path):
        return File(path.absolute())
    if is_folder(path):
        raise SourceError(f"{printable(text)} is a folder.\nGive one video file of it, or demo.")
    if scheme:
        raise SourceError(
            f"{scheme[1]}:// addresses are not opened.\nGive rtsp://, rtsps://, http:// or https://, or a file."
        )
    raise SourceError(
        f"No such video file: {redact(text)}\n"
        "A source is a file, a camera's number (0), /dev/video0, an rtsp:// address, or demo."
    )


def redact(address: str) -> str:
    """An address as it may be shown: the host is visible, what could be a user or a password is not."""
    scheme = _SCHEME.match(address)
    if not scheme:
        # Where one slash is missing, or the whole scheme, what stands before the last @ may be a password all the same.
        before, at, rest = address.rpartition("@")
        if not at or ":" not in before:
            return printable(address)
        shown = re.split(r"[?#]", rest, maxsplit=1)[0]
        return printable(f"{HIDDEN}@{shown}" + (f"?{HIDDEN}" if shown != rest else ""))
    after = address[scheme.end() :]
    authority = re.split(r"[/?#]", after, maxsplit=1)[0]
    rest = after[len(authority) :]
    _, at, host = authority.rpartition("@")
    if not at and "@" in rest:
        # A slash or the like inside the password: FFmpeg takes what comes before it for the host, so what is
        # after a colon there may be half a password.
        host, rest = authority.partition(":")[0], f"/{HIDDEN}"
    path = re.split(r"[?#]", rest, maxsplit=1)[0]
    if _TELLTALE.search(path):
        path = f"/{HIDDEN}"
    query = f"?{HIDDEN}" if "?" in rest or "#" in rest else ""
    return printable(f"{scheme[0].lower()}{HIDDEN + at if at else ''}{host}{path}{query}")


def printable(text: str) -> str:
    """Text from outside as one harmless line: no control characters, not endless."""
    line = "".join(char if char.isprintable() else "?" for char in text)
    return line if len(line) <= 200 else line[:199] + "…"


def _whole_from_environment(text: str) -> Address:
    """An address that begins with a variable: the scheme is in it, so what it holds is taken as it is."""
    filled = _VARIABLE.sub(lambda found: _variable(found[1]), text)
    scheme = _SCHEME.match(filled)
    if not scheme or scheme[1].lower() not in DEFAULT_PORTS:
        raise SourceError(
            f"{printable(text)} holds no address.\nPut rtsp://, rtsps://, http:// or https:// and the host into it."
        )
    return Address(_checked(filled, text))


def _filled_in(text: str) -> str:
    """The address with its variables filled in. Those of user and password are taken literally, and encoded here."""
    authority = re.split(r"[/?#]", text[text.index("://") + 3 :], maxsplit=1)[0]
    login_end = text.index("://") + 3 + authority.rfind("@")

    def value(found: re.Match[str]) -> str:
        raw = _variable(found[1])
        return quote(raw, safe="") if found.start() < login_end else raw

    return _VARIABLE.sub(value, text)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SourceError(
            f"The address names the variable {printable(name) or '${}'}, which is not set.\n"
            f"Type: export {printable(name) or 'NAME'}=...   and start again."
        )
    return value


def _checked(text: str, named: str) -> str:
    """The address. Raises SourceError, which quotes it as it was `named`, where it is none."""
    if not text.isprintable() or " " in text:
        raise SourceError(f"{redact(named)} holds a space or a control character.\nWrite it as %20 and the like.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = None, None
    if parts is None or not parts.hostname or port == 0:
        raise SourceError(
            f"{redact(named)} is no address: host or port is wrong.\n"
            "Write rtsp://user:password@host:554/path, with %40 for @ and %2F for / inside the password."
        )
    return text
