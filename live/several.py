"""A head on several windows in one run: only where that changes no bit.

A large head reads its weights once for all of them then, and a small one calls each of its many operations once. Bits
change in int8, whose scale all windows of a run share, and where a network's simple operations round the last numbers
of a run otherwise. So whether a head gives each window its own answer is tried before it counts.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.runtime import Session

# Of a large head. A larger number gains little, and frames wait for one another. So many take about twice the time of
# one, ...
MOST = 8
# ... so that this many are worth a run of MOST, which is the only one that is tried.
FEWEST = 3
# Smaller weights stay in the processor's cache. A window of such a head takes two thirds of the time in a run of two,
# and half of it in a run of so many; more gain little.
LEAST_BYTES = 8_000_000
MOST_SMALL = 4
# How much the windows differ in size by which it is tried: what is shared shows in the smallest.
SMALLEST = 0.1


class Head(Protocol):
    """The network over the window."""

    def run(self, array: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        """(batch, window, feature_dim) to (batch, moves)."""


class Several:
    """The answers of a head for windows that are there together; `at_once` is how many are worth bringing.

    That is 1 for a head of a fixed batch, on a GPU, or found to mix windows.
    """

    def __init__(self, head: Head, window: int, feature_dim: int) -> None:
        self._head = head
        self._alike: dict[int, bool] = {}  # by the number of windows: whether each gets its own answer
        self._large = isinstance(head, Session) and head.path.stat().st_size >= LEAST_BYTES
        gains = isinstance(head, Session) and not isinstance(head.input.shape[0], int)
        self.at_once = 1 if not gains else MOST if self._large else MOST_SMALL
        self._windows = np.zeros((self.at_once, window, feature_dim), np.float32)
        self._count = 0

    def add(self, window: npt.NDArray[np.float32]) -> None:
        """Copy a window (window, feature_dim); as many as were worth bringing at most, between two runs."""
        self._windows[self._count] = window
        self._count += 1

    def run(self) -> list[npt.NDArray[np.float32]]:
        """The answer (moves,) for each window that was added, the same bits as of it alone."""
        count, self._count = self._count, 0
        size = len(self._windows) if self._large else count
        if self.at_once > 1 and count >= (FEWEST if self._large else 2):
            if size not in self._alike:
                self._alike[size] = self._try(size)
            if self._alike[size]:
                return list(self._head.run(self._windows[:size])[:count])
            self.at_once = 1
        return [self._head.run(window[None])[0] for window in self._windows[:count]]

    def _try(self, size: int) -> bool:
        """Whether so many get the answers that they get alone; takes about the time of as many runs of one."""
        windows = np.random.default_rng(0).standard_normal(self._windows[:size].shape, np.float32)
        windows *= np.geomspace(SMALLEST, 1, size, dtype=np.float32)[:, None, None]
        alone = [self._head.run(window[None])[0] for window in windows]
        try:
            together = self._head.run(windows)
        except Exception:  # onnxruntime's errors have no common base of their own; a batch may be fixed further inside
            return False
        return together.tobytes() == np.stack(alone).tobytes()
