"""Why an address gives no picture: asked of servers on loopback."""

import hashlib
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from live.probe import why_no_picture

SECRET = "s3cret"
DIGEST = 'Digest realm="cam", nonce="f00", qop="auth", opaque="0paque"'
Admits = Callable[[str], bool]  # whether a request's Authorization is one


@contextmanager
def web_server(
    status: int, challenges: tuple[str, ...] = (), admits: Admits | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Host and port of a server that answers all it admits in the same way, and the whole requests that came."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - its base class names it so
            requests.append(f"{self.requestline}\n{self.headers}")
            admitted = admits is None or admits(self.headers.get("Authorization", ""))
            self.send_response(status if admitted else 401)
            for challenge in challenges if not admitted else ():
                self.send_header("WWW-Authenticate", challenge)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", requests
        finally:
            server.shutdown()
            thread.join()


def basic(authorization: str) -> bool:
    return authorization == "Basic " + b64encode(f"anna:{SECRET}".encode()).decode()


def digest(authorization: str) -> bool:
    """As RFC 7616 computes it, for MD5."""
    said = dict(re.findall(r'(\w+)="?([^",]*)"?', authorization))
    if not authorization.startswith("Digest ") or said["uri"] != "/video.mjpg":
        return False

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    who, what = md5("anna", "cam", SECRET), md5("GET", said["uri"])
    return bool(said["response"] == md5(who, "f00", said["nc"], said["cnonce"], "auth", what))


@pytest.mark.parametrize("host", ["a..b", "a" * 64, ".", "a" * 300 + ".example"])
def test_a_host_that_cannot_be_one_is_no_such_host(host: str) -> None:
    assert why_no_picture(f"rtsp://anna:{SECRET}@{host}/x") == "no such host"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "user or password refused (401)"),
        (403, "refused by the server (403)"),
        (404, "no such path on the server (404)"),
        (200, "no video in the answer"),
    ],
)
def test_a_password_is_not_sent_to_who_does_not_ask_for_one(status: int, reason: str) -> None:
    with web_server(status) as (host, requests):
        assert why_no_picture(f"http://anna:{SECRET}@{host}/video.mjpg?channel=1") == reason
    (request,) = requests
    assert request.startswith("GET /video.mjpg?channel=1 HTTP/1.0\n") and f"Host: {host}\n" in request
    assert SECRET not in request and "Authorization" not in request


def test_who_gives_no_password_is_told_that_one_is_asked_for() -> None:
    with web_server(404, ('Basic realm="cam"',), basic) as (host, _):
        assert why_no_picture(f"http://{host}/video.mjpg") == "asks for a user and password (401)"


@pytest.mark.parametrize(
    ("challenges", "admits"),
    [
        (('Basic realm="cam"',), basic),
        ((DIGEST,), digest),
        (('Basic realm="cam"', DIGEST), digest),
        (('Digest realm="cam", nonce="f00", algorithm=NEW', "basic"), basic),
    ],
    ids=["basic", "digest", "the safer of both", "a digest that is not known"],
)
def test_a_host_that_admits_the_password_tells_what_else_is_wrong_and_one_that_does_not_that(
    challenges: tuple[str, ...], admits: Admits
) -> None:
    with web_server(404, challenges, admits) as (host, _):
        assert why_no_picture(f"http://anna:{SECRET}@{host}/video.mjpg") == "no such path on the server (404)"
        assert why_no_picture(f"http://anna:not{SECRET}@{host}/video.mjpg") == "user or password refused (401)"


@pytest.mark.parametrize("challenge", ["", "Digest", "Digest realm", "Digest ,,", "Bearer", "Digest qop=none,nonce=1"])
def test_a_challenge_that_is_none_is_a_refusal(challenge: str) -> None:
    with web_server(200, (challenge,), lambda _: False) as (host, _):
        assert why_no_picture(f"http://änna:{SECRET}@{host}/") == "user or password refused (401)"


@contextmanager
def raw_server(answer: Iterator[bytes]) -> Iterator[int]:
    """Port of a server that sends one part after the other, whatever it is asked, until the client has gone."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(0.1)
                for part in answer:
                    try:
                        connection.sendall(part)
                        if not connection.recv(4096):
                            return
                    except TimeoutError:
                        pass
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("part", [b"", b"x: y\r\n"], ids=["nothing", "a head without end"])
def test_a_host_that_does_not_come_to_an_end_is_not_waited_for(part: bytes) -> None:
    with raw_server(part for _ in range(1000)) as port:
        assert why_no_picture(f"rtsp://127.0.0.1:{port}/cam") == "no answer"


def test_what_answers_in_another_way_is_no_such_server() -> None:
    with raw_server(iter([b"\xff\x00 220 ready\r\n\r\n"])) as port:
        assert why_no_picture(f"rtsp://127.0.0.1:{port}/cam") == "no RTSP server there"


def test_what_is_said_of_an_encrypted_address_leaves_open_whether_it_was_refused() -> None:
    with web_server(200) as (host, _):
        assert why_no_picture(f"https://{host}/") == "no video in the answer, or it was refused"
