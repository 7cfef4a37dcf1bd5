"""Work of many parts on all cores, each part in another process; what comes out does not hang on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import cv2
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from rich.console import Console
from rich.progress import track

from models.children import end_with
from models.machine import cores

Part = TypeVar("Part")
Result = TypeVar("Result")

LEAST_PARTS = 4  # fewer are done before the processes have started


def each_of(
    work: Callable[[Part], Result], parts: Sequence[Part], processes: int | None = None, *, what: str = ""
) -> list[Result]:
    """The result of each part, in their order; what a part raises is raised here.

    Args:
        work: a function of a module.
        parts: all that it hangs on, and small, since they are sent to the processes.
        processes: one for each core if None. With one, or few parts, the work is done here.
        what: the work, for a bar on a terminal; none is drawn without it.
    """
    processes = min(cores() if processes is None else processes, len(parts))
    if processes <= 1 or len(parts) < LEAST_PARTS:
        return list(_shown((work(part) for part in parts), len(parts), what))
    try:
        with parallel_config("loky", n_jobs=processes, initializer=_begin, initargs=(os.getpid(),)):
            results = Parallel(return_as="generator")(delayed(work)(part) for part in parts)
            return list(_shown(results, len(parts), what))
    finally:
        # Else they wait for more for minutes. One of other settings would be started anew without `reuse`.
        get_reusable_executor(reuse=True).shutdown(kill_workers=True)


def _shown(results: Iterable[Result], total: int, what: str) -> Iterable[Result]:
    """The results as they come, with a bar on a terminal."""
    console = Console(stderr=True)
    return track(results, what, total, console=console, transient=True, disable=not (what and console.is_terminal))


def _begin(parent: int) -> None:
    cv2.setNumThreads(1)  # the other cores have processes of their own
    end_with(parent)
