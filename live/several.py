"""A large head on several windows in one run, which reads its weights once for all: only where that changes no bit.

It does in int8, whose scale all windows of a run share, and where a network's simple operations round the last numbers
of a run otherwise. So whether a head gives each window its own answer is tried before it counts.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.runtime import Session

# A larger number gains little, and frames wait for one another. So many take about twice the time of one, ...
MOST = 8
# ... so that this many are worth a run of MOST, which is the only one that was tried.
FEWEST = 3
# Smaller weights stay in the processor's cache, and there is nothing to gain.
LEAST_BYTES = 8_000_000
# How much the windows differ in size by which it is tried: what is shared shows in the smallest.
SMALLEST = 0.1


class Head(Protocol):
    """The network over the window."""

    def run(self, array: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        """(batch, window, feature_dim) to (batch, moves)."""


class Several:
    """The answers of a head for windows that are there together; `at_once` is how many are worth bringing.

    That is 1 for a head that is small, of a fixed batch, on a GPU, or found to mix windows.
    """

    def __init__(self, head: Head, window: int, feature_dim: int) -> None:
        self._head, self._tried = head, False
        gains = (
            isinstance(head, Session)
            and not isinstance(head.input.shape[0], int)
            and head.path.stat().st_size >= LEAST_BYTES
        )
        self.at_once = MOST if gains else 1
        self._windows = np.zeros((self.at_once, window, feature_dim), np.float32)
        self._count = 0

    def add(self, window: npt.NDArray[np.float32]) -> None:
        """Copy a window (window, feature_dim); at most MOST, between two runs."""
        self._windows[self._count] = window
        self._count += 1

    def run(self) -> list[npt.NDArray[np.float32]]:
        """The answer (moves,) for each window that was added, the same bits as of it alone."""
        count, self._count = self._count, 0
        if count >= FEWEST and not self._tried:
            self._try()
        if count >= FEWEST and self.at_once > 1:
            return list(self._head.run(self._windows)[:count])
        return [self._head.run(window[None])[0] for window in self._windows[:count]]

    def _try(self) -> None:
        """Whether so many get the answers that they get alone; takes the time of about ten runs of one."""
        self._tried = True
        windows = np.random.default_rng(0).standard_normal(self._windows.shape, np.float32)
        windows *= np.geomspace(SMALLEST, 1, len(windows), dtype=np.float32)[:, None, None]
        alone = [self._head.run(window[None])[0] for window in windows]
        try:
            together = self._head.run(windows)
        except Exception:  # onnxruntime's errors have no common base of their own; a batch may be fixed further inside
            self.at_once = 1
            return
        if together.tobytes() != np.stack(alone).tobytes():
            self.at_once = 1
