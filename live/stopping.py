"""Ctrl-C, SIGTERM and a closed terminal as an exit code to look at, so that a run ends with its outputs whole."""

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
    """Take the signals over for a while. They are left as they are in any thread but the main one.

    SIGINT is taken over even where it is ignored, as it is for the background jobs of a script; SIGHUP is not, since
    whoever started us with nohup wants us to go on.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        numbers.append(hangup)
    before = {number: signal.signal(number, stop.received) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
