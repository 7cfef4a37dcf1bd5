"""FFmpeg's options for OpenCV, which takes them from the environment each time it opens, in whatever thread.

Those of an address would refuse a file, which an address must not lead to. So all that opens goes through here.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


class _Options:
    """Lets in, in the order in which they came, whoever wants the same options as those who are opening."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._opening = 0
        self._options: str | None = None
        self._before: str | None = None

    @contextmanager
    def set_to(self, options: str | None) -> Iterator[None]:
        """Open inside of this. None leaves the options as the user has them; waits for those with other options."""
        with self._changed:
            self._enter(options)
        try:
            yield
        finally:
            with self._changed:
                self._opening -= 1
                if not self._opening:
                    _set(self._before)
                self._changed.notify_all()

    def _enter(self, options: str | None) -> None:
        turn = object()
        self._waiting.append(turn)
        try:
            self._changed.wait_for(lambda: self._waiting[0] is turn and (not self._opening or self._options == options))
            if not self._opening:
                self._options, self._before = options, os.environ.get(VARIABLE)
                if options is not None:
                    _set(options)
            self._opening += 1
        finally:  # also on a Ctrl-C
            self._waiting.remove(turn)
            self._changed.notify_all()


def _set(options: str | None) -> None:
    if options is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = options


ffmpeg_options = _Options()
