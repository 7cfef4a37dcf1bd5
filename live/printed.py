"""What the command prints: no password that was typed, and nothing that would end it where nobody can take it."""

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from models.errors import harmless


def show_no_secrets() -> None:
    """From here on stdout, stderr and the process list show the addresses on the command line without passwords."""
    typed = _secrets_typed()
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Output(sys.stderr, _as_printed(typed))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file may be called x:y@z.mp4, and what is printed of it stays as it is.
        sys.stdout = _Output(sys.stdout, _as_printed([text for text in typed if "://" in text]))
    _hide_from_the_process_list()


class _Output(io.TextIOWrapper):
    """Stdout or stderr: shows no password, and what nobody can take is dropped.

    An error there would end the command with a traceback, or with 120 where Python meets it again at the very end.
    """

    def __init__(self, stream: io.TextIOWrapper, secrets: Mapping[str, str]) -> None:
        """`secrets`: what is not to be shown, and what is shown in its place."""
        super().__init__(
            stream.buffer,
            stream.encoding,
            "replace",  # a terminal that has no é shows ? and the run goes on
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        self._secrets = secrets

    def write(self, text: str, /) -> int:
        for secret, shown in self._secrets.items():
            text = text.replace(secret, shown)
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


def _secrets_typed() -> list[str]:
    """What of the command line may hold a password, the longest first, since it may hold another."""
    arguments = [argument for argument in sys.argv[1:] if "://" in argument or "@" in argument]
    if not arguments:
        return []
    from live.address import printable, redact

    values = [argument.partition("=")[2] for argument in arguments if argument.startswith("-")]
    return [text for text in sorted(arguments + values, key=len, reverse=True) if redact(text) != printable(text)]


def _as_printed(secrets: list[str]) -> dict[str, str]:
    """Each as it is, as messages quote it, and as a path, in which // is /; with what is shown in its place."""
    from live.address import HIDDEN, redact

    shown: dict[str, str] = {}
    for secret in secrets:
        for form in (secret, str(Path(secret))):
            shown |= dict.fromkeys((form, repr(form)[1:-1], harmless(form)), redact(secret))
    for secret in secrets:  # a path's last part alone, or its first ones
        shown |= dict.fromkeys(_logins(secret), f"{HIDDEN}@")
    return shown


def _logins(address: str) -> Iterator[str]:
    """The user and the password of an address, with the @ that follows them."""
    _, scheme, rest = address.partition("://")
    login, at, _ = rest.rpartition("@")
    if scheme and at and ":" in login:
        yield f"{login}@"
        yield f"{login.rpartition('/')[2]}@"  # where a slash in the password made two parts of it


def _hide_from_the_process_list() -> None:
    """Everybody on a machine can see what its commands were given; from here on without passwords."""
    if any("://" in argument for argument in sys.argv):
        from live.address import redact

        shown = [redact(argument) if "://" in argument else argument for argument in sys.argv[1:]]
        if shown != sys.argv[1:]:
            from setproctitle import setproctitle

            title = " ".join(["pointe", *shown])
            setproctitle(title.encode("utf-8", "replace").decode())  # a file's name may hold half a surrogate
