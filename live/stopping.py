"""Ctrl-C and SIGTERM as an exit code to look at, so that a run ends in order and its outputs are whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(BaseException):  # noqa: N818 - like KeyboardInterrupt, it is no error
    """A signal came while something was being opened."""


class Stop:
    """Whether to stop: the exit code to leave with once a signal came, 0 before."""

    def __init__(self) -> None:
        self.exit_code = 0
        self.raises = True  # Interrupted, at the first signal; for what cannot look at exit_code meanwhile

    def received(self, number: int, _frame: object) -> None:
        self.exit_code = 128 + number
        if self.raises:
            self.raises = False
            raise Interrupted


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Take the two signals over for a while. They are left as they are in any thread but the main one."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.received) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
