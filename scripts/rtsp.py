"""A real RTSP server on loopback, as a child process that can be stopped and started again."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

# The system's own Python, which Debian's GStreamer bindings are for.
PYTHON = sys.executable if sys.platform == "win32" else "/usr/bin/python3"
SCRIPT = Path(__file__).parent.parent / "tests" / "rtsp_server.py"


class Server:
    """The RTSP server, started; whatever happens, `close` or the end of a `with` kills it."""

    def __init__(self, clip: Path, path: str = "test", *login: str) -> None:
        """Raises SystemExit where it does not start.

        Args:
            path: under which `clip` is served.
            login: a user and a password, where it shall ask for them.
        """
        self.port = free_port()
        self.url = f"rtsp://127.0.0.1:{self.port}/{path}"
        self._command = [PYTHON, str(SCRIPT), str(self.port), str(clip), path, *login]
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def start(self) -> None:
        """On the same port as before."""
        self._child = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        if self._child.stdout.readline() != "ready\n":
            self.close()
            raise SystemExit("GStreamer's RTSP server does not start; see .ci/run for what to install.")

    def send(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def close(self) -> None:
        self._child.kill()
        self._child.communicate()


def free_port() -> int:
    """A TCP port of loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
