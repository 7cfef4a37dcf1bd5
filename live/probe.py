"""Asks a host why its address gives no picture, of which OpenCV says nothing."""

import re
import socket
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import (
    AbstractDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    Request,
    parse_http_list,
    parse_keqv_list,
)

from live.address import DEFAULT_PORTS, ENCRYPTED
from models.errors import reason_of

# How long a host is asked; the second question, where it wants a password, has to be answered in the same time.
PROBE_TIMEOUT_S = 1.0
LONGEST_HEAD = 8192  # bytes of an answer before its body


def why_no_picture(url: str) -> str:
    """A few words on why an address gives no picture.

    The password is sent where the host asks for one, in the way that it asks for, as FFmpeg did before: a camera
    that wants it first tells only then that there is no such path.
    """
    parts, until_s = urlsplit(url), time.monotonic() + PROBE_TIMEOUT_S
    try:
        if parts.scheme.lower() in ENCRYPTED:
            _connect(parts, until_s).close()
            return "no video in the answer, or it was refused"
        answer = _ask(parts, until_s)
        if answer.status == 401 and (login := _login(parts, answer.challenges)):
            answer = _ask(parts, until_s, login)
    except ConnectionRefusedError:
        return "refused, no server on that port"
    except (socket.gaierror, UnicodeError):  # a..b, or a part of more than 63 characters, is not even asked for
        return "no such host"
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return reason_of(error, "cannot be reached")
    return _in_words(answer, parts)


@dataclass(frozen=True)
class _Answer:
    status: int | None  # None: not of this protocol
    challenges: tuple[str, ...]  # the ways to log in that it names


def _in_words(answer: _Answer, parts: SplitResult) -> str:
    match answer.status:
        case None:
            return f"no {parts.scheme.upper()} server there"
        case 401:
            return "user or password refused (401)" if parts.username else "asks for a user and password (401)"
        case 404:
            return "no such path on the server (404)"
        case status:
            return "no video in the answer" if status < 400 else f"refused by the server ({status})"


def _ask(parts: SplitResult, until_s: float, login: str | None = None) -> _Answer:
    """Raises OSError, TimeoutError among them."""
    with _connect(parts, until_s) as connection:
        connection.sendall(_question(parts, login))
        head = b""
        while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
            connection.settimeout(_left(until_s))
            if not (received := connection.recv(LONGEST_HEAD)):
                break
            head += received
    first, _, fields = head.partition(b"\r\n")
    status = re.match(rf"{parts.scheme.upper()}/\d\.\d (\d{{3}})", first.decode("latin-1"))
    challenges = BytesHeaderParser().parsebytes(fields).get_all("WWW-Authenticate", [])
    return _Answer(int(status[1]) if status else None, tuple(map(str, challenges)))


def _connect(parts: SplitResult, until_s: float) -> socket.socket:
    port = parts.port or DEFAULT_PORTS[parts.scheme.lower()]
    return socket.create_connection((parts.hostname or "", port), _left(until_s))


def _left(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _question(parts: SplitResult, login: str | None) -> bytes:
    method, uri = _asked_for(parts)
    version, fields = "HTTP/1.0", [f"Host: {_host(parts)}"]
    if parts.scheme.lower() == "rtsp":
        version, fields = "RTSP/1.0", ["CSeq: 1", "Accept: application/sdp"]
    if login:
        fields.append(f"Authorization: {login}")
    return "\r\n".join([f"{method} {uri} {version}", *fields, "", ""]).encode()


def _asked_for(parts: SplitResult) -> tuple[str, str]:
    """The method, and what stands after it."""
    query = f"?{parts.query}" if parts.query else ""
    if parts.scheme.lower() == "rtsp":
        return "DESCRIBE", f"rtsp://{_host(parts)}{parts.path}{query}"
    return "GET", (parts.path or "/") + query


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _login(parts: SplitResult, challenges: tuple[str, ...]) -> str | None:
    """What to send for the address's user and password; None where it has none, or in no way that we know.

    Refs: RFC 7617 (Basic), RFC 7616 (Digest).
    """
    if parts.username is None:
        return None
    user, password = unquote(parts.username), unquote(parts.password or "")
    ways = {way.lower(): fields for way, _, fields in (each.strip().partition(" ") for each in challenges)}
    if "digest" in ways:
        method, uri = _asked_for(parts)
        request = Request(f"http://{_host(parts)}", method=method)
        request.selector = uri
        passwords = HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, request.full_url, user, password)
        with suppress(ValueError, OSError):  # no list of fields, or what they ask for is not known: URLError
            named = parse_keqv_list(parse_http_list(ways["digest"]))
            if fields := AbstractDigestAuthHandler(passwords).get_authorization(request, named):
                return f"Digest {fields}"
    if "basic" in ways:
        return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    return None
