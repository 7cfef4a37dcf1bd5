"""Work on a network from anywhere, within bounds of time and memory: loading one and trying it, on the CPU."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from models.errors import ModelError
from models.threads import THREAD_PREFIX

# A network that takes so long of a CPU to load, or to answer to one frame, is none that could run live. What a clock
# shows is no measure of that: the machine may be busy, or asleep.
TRIED_FOR_S = 4.0
# One that waits, whatever for, is given up too.
WAITED_FOR_S = 30.0
TICK_S = 0.1
# What one may take of the memory until then; the largest that there are take a quarter of it.
TRIED_WITH_BYTES = 4 << 30

_ONE_AT_A_TIME = threading.Lock()  # the bound is of the whole process

Answer = TypeVar("Answer")


def within_bounds(path: Path, work: Callable[[], Answer], end: Callable[[], None]) -> Answer:
    """What `work`, which loads or tries a network on the CPU, returns or raises, unless it takes too much.

    Work that is given up is asked to `end`, which it does after the operation that it is in. So it goes on for a
    while in a thread, which `pointe` leaves behind as it exits.

    Raises:
        ModelError: it takes TRIED_FOR_S of a CPU, or WAITED_FOR_S. Where it takes too much memory, onnxruntime raises.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def in_its_thread() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # whatever it is, it belongs to whoever waits
            errors.append(error)

    thread = threading.Thread(target=in_its_thread, name=THREAD_PREFIX + "model", daemon=True)
    with _memory_bounded():
        thread.start()
        _wait_for(thread)
    if errors:
        raise errors[0]
    if not answers:
        end()
        raise ModelError(f"{path} does not load or answer within {TRIED_FOR_S:.0f} s.\nUse another with --model.")
    return answers[0]


def _wait_for(thread: threading.Thread) -> None:
    """Until it ends, or has taken too much; time in which this process stood still, as by Ctrl-Z, does not count."""
    begun_s, looked_s, waited_s = time.process_time(), time.monotonic(), 0.0
    while thread.is_alive() and time.process_time() - begun_s < TRIED_FOR_S and waited_s < WAITED_FOR_S:
        thread.join(TICK_S)
        now_s = time.monotonic()
        waited_s += min(now_s - looked_s, 5 * TICK_S)
        looked_s = now_s


@contextmanager
def _memory_bounded() -> Iterator[None]:
    """Let this process take no more than TRIED_WITH_BYTES on top of what it has; where the system can."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    with _ONE_AT_A_TIME:
        before, hard = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        bound = used + TRIED_WITH_BYTES
        limits = [limit for limit in (before, hard, bound) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (before, hard))
