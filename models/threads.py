"""The names of our threads, by which one that hangs inside a library is known when the process ends; and one thread
for what must always run in the same."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

THREAD_PREFIX = "pointe: "


def left_running() -> list[str]:
    """Our threads that still run, by name. One that hangs in OpenCV after its close does.

    Leaving the process in the usual way while a thread is inside OpenCV's read aborts it, so a program that finds
    one here, all its outputs closed, leaves by os._exit.
    """
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(THREAD_PREFIX)]


class OneThread:
    """Runs what it is given in one thread, always the same, while whoever gives it waits."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        threading.Thread(target=self._run, name="for one thread", daemon=True).start()

    def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, or raises."""
        done: Future[Result] = Future()
        self._asked.put((work, done))
        return done.result()

    def _run(self) -> None:
        while True:
            work, done = self._asked.get()
            try:
                done.set_result(work())
            except BaseException as error:  # whatever it is, it belongs to whoever waits
                done.set_exception(error)
