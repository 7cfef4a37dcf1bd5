"""Work of many parts on all cores, each part in a process of its own; what comes out does not hang on how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2

from models.machine import cores

Part = TypeVar("Part")
Result = TypeVar("Result")

# A process takes about a second to start; what is done sooner is done here.
LEAST_PARTS = 12
# Parts are handed out in lots, few enough that no process is left alone with the last one for long.
LOTS = 8  # for each process


def each_of(work: Callable[[Part], Result], parts: Sequence[Part], processes: int | None = None) -> list[Result]:
    """The result of each part, in their order.

    Args:
        work: a function of a module, which no part changes anything for.
        parts: all that it hangs on, and small; they are sent to the processes.
        processes: one for each core if None. With one, or few parts, the work is done here. A script that calls this
            needs the usual `if __name__ == "__main__":`, since each process reads it anew.
    """
    processes = min(cores() if processes is None else processes, len(parts))
    if processes <= 1 or len(parts) < LEAST_PARTS:
        return [work(part) for part in parts]
    lot = -(-len(parts) // (LOTS * processes))
    # Forked processes would inherit the threads of TensorFlow, which do not survive that.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_alone) as pool:
        return list(pool.map(work, parts, chunksize=lot))


def _alone() -> None:
    cv2.setNumThreads(1)  # the other cores have processes of their own
