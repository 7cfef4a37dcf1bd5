"""Work that runs ahead in a thread of its own, and hands over item by item.

Decoding, capturing and recognising overlap by this one class. It knows nothing of what the items are.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from models.threads import THREAD_PREFIX

Item = TypeVar("Item")

# A signal that comes between Python's last look and a wait is seen when that ends: so no wait is endless.
LOOK_EVERY_S = 0.5
# What a thread gets to end in. One that is inside a slow network or a decoder that hangs ends after it.
CLOSE_S = 1.0
# Frames of a file that are decoded before they are asked for.
DECODED_AHEAD = 8


class Ahead(Generic[Item]):
    """Iterates in its own thread, at most `depth` items ahead of whoever takes them.

    Where nobody takes them in time the thread waits, or, with `newest`, the oldest makes room and is counted in
    `dropped`. A None from the iterator is not handed over: it says that there is nothing yet, and lets a close be
    noticed. What the iterator raises is raised by `next`, after the items before it.
    """

    def __init__(self, items: Iterator[Item | None], depth: int, name: str, *, newest: bool = False) -> None:
        self.dropped = 0
        self._items = items
        self._depth = depth
        self._newest = newest
        self._ready: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._done = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=THREAD_PREFIX + name, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether `next` has no more to give or to raise."""
        with self._changed:
            return self._done and not self._ready and self._error is None

    @property
    def running(self) -> bool:
        """Whether the thread still is, as of one that hangs after its close."""
        return self._thread.is_alive()

    def next(self, timeout_s: float | None = None) -> Item | None:
        """The next item; None when none came in time or it has ended."""
        items = self.several(1, timeout_s)
        return items[0] if items else None

    def several(self, count: int, timeout_s: float | None = None, linger_s: float = 0.0) -> list[Item]:
        """So many items where they are all there, at most `linger_s` after the first; else the next one alone.

        None as for `next`.
        """
        with self._changed:
            wait_s = LOOK_EVERY_S if timeout_s is None else timeout_s
            while not self._changed.wait_for(lambda: self._ready or self._done, wait_s) and timeout_s is None:
                pass
            if self._ready and linger_s > 0:
                self._changed.wait_for(lambda: len(self._ready) >= count or self._done, linger_s)
            if self._ready:
                items = [self._ready.popleft() for _ in range(count if len(self._ready) >= count else 1)]
                self._changed.notify_all()
                return items
            error, self._error = self._error, None
        if error is not None:
            raise error
        return []

    def __iter__(self) -> Iterator[Item]:
        """All items that are left, however long each takes."""
        while not self.ended:
            item = self.next()
            if item is not None:
                yield item

    def close(self, timeout_s: float = CLOSE_S) -> bool:
        """Ask the thread to end and wait for it; items not taken are dropped. False when it still runs.

        The iterator is closed by its own thread, since what it has open must not be released while it reads.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        with self._changed:
            self._error = None
            self.dropped += len(self._ready)
            self._ready.clear()
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._hand_over(item):
                    break
        except BaseException as error:  # whatever it is, it belongs to whoever waits
            self._error = error
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _hand_over(self, item: Item | None) -> bool:
        with self._changed:
            if item is None:
                return not self._closing
            if self._newest and len(self._ready) == self._depth:
                self._ready.popleft()
                self.dropped += 1
            self._changed.wait_for(lambda: self._closing or len(self._ready) < self._depth)
            if self._closing:
                self.dropped += 1
                return False
            self._ready.append(item)
            self._changed.notify_all()
            return True


@contextmanager
def decoded_ahead(frames: Iterator[Item], *, core_free: bool) -> Iterator[Iterator[Item]]:
    """The frames, read in a thread of its own where a core is free for it. What they raise is raised as for `Ahead`."""
    if not core_free:
        yield frames
        return
    ahead = Ahead(frames, DECODED_AHEAD, "decoder")
    try:
        yield iter(ahead)
    finally:
        ahead.close()
