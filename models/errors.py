"""The errors a user can meet: each says what is wrong and what to type next, and carries the exit code of the command.

PointeError
├── UsageError   2   the command line asks for something that makes no sense
├── SourceError  3   a camera, an address or a video that gives no frames
├── ModelError   4   a model folder that cannot be run
│   └── CardError    its card.json
├── DeviceError  5   the asked device cannot be used
└── PartlyDone   6   some of the inputs failed, the others are done
"""

import errno
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def harmless(text: str) -> str:
    """Text from anywhere without what a terminal would obey; its lines stay lines."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def reason_of(error: OSError, otherwise: str = "it cannot be opened") -> str:
    """What the system says is wrong, in the middle of a sentence; `otherwise` where it says nothing."""
    return (error.strerror or otherwise).lower()


# The disk, a user's share of it, or what one file may take.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class PointeError(Exception):
    """Base of every error that is the input's fault and not the program's. The text is one or two lines."""

    exit_code = 1


class UsageError(PointeError):
    exit_code = 2


class SourceError(PointeError):
    exit_code = 3


class ModelError(PointeError):
    exit_code = 4


class CardError(ModelError):
    """card.json is missing, malformed or contradicts the networks beside it."""


class DeviceError(PointeError):
    exit_code = 5


class PartlyDone(PointeError):  # noqa: N818 - not a failure: what could be done is done
    exit_code = 6


@contextmanager
def told() -> Iterator[None]:
    """Errors are said in a line or two and end the process with their exit code: `pointe`, and modules run alone.

    So does a stop, once what is half done is tidied away.
    """
    try:
        with _ended_tidily_by_sigterm():
            yield
    except PointeError as error:
        _say(str(error))
        raise SystemExit(error.exit_code) from error
    except FileNotFoundError as error:
        if "temporary directory" not in str(error):  # of `tempfile`, which nearly everything uses somewhere
            raise
        _say("There is no folder for temporary files that can be written.\nSet TMPDIR to one.")
        raise SystemExit(UsageError.exit_code) from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        what = error.filename2 or error.filename or "what comes next"  # of a copy the second is where to
        _say(f"{what} cannot be written: {reason_of(error)}.\nMake room, and type the same again.")
        raise SystemExit(PartlyDone.exit_code) from error
    except KeyboardInterrupt as stop:
        raise SystemExit(128 + signal.SIGINT) from stop


def _say(text: str) -> None:
    if sys.stdout is not None:  # it is where nothing is open as stdout
        with suppress(OSError):
            sys.stdout.flush()
    print(f"pointe: {harmless(text)}", file=sys.stderr)


@contextmanager
def _ended_tidily_by_sigterm() -> Iterator[None]:
    """Meanwhile SIGTERM ends the process as Ctrl-C does, through every `finally`; a second one ends it at once."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise SystemExit(128 + number)

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
