"""A window in a process of its own: Qt ends the process that it is in when its display goes away, or waits for it.

Pictures go there through a pipe, and one byte comes back for each: what was pressed. A window that is behind is not
waited for. Run as a program, this is that process.
"""

import os
import select
import struct
import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from live.outputs import SinkError
from live.window import Action, Window
from models.children import stops_held_back
from models.frames import Image

# What the window's process gets to end in, before it is killed.
CLOSE_S = 0.5
# One that takes no further part of a picture for so long is given up.
STUCK_S = 3.0
NOTHING = 255  # was pressed
# How often the window is asked for keys: it remembers the last one alone.
LOOK_S = 0.02

_ACTIONS = tuple(Action)
_SIZE = struct.Struct("<II")  # height, width; the pixels follow


class DisplayGoneError(SinkError):
    """The window can no longer be shown."""

    def __init__(self) -> None:
        super().__init__("The display went away.\nStart again with --headless, which needs none.")


class Display:
    """Shows pictures in a window of another process. Ask `display_problem` before making one."""

    def __init__(self, title: str) -> None:
        with stops_held_back():
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "live.display", title],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,  # so that no key of a terminal reaches it
            )
        os.set_blocking(self._pipes[1].fileno(), False)

    def show(self, image: Image) -> Action | None:
        """Show the picture (height, width, 3) BGR, and say what was pressed since the last one; None for nothing.

        A picture is left out while the window is still busy with the one before.

        Raises:
            DisplayGoneError: the window's process ended.
        """
        answers, pictures = self._pipes
        if not select.select([answers], [], [], 0)[0]:
            return None
        answer = answers.read(1)
        if not answer:
            raise DisplayGoneError
        try:
            for part in (_SIZE.pack(*image.shape[:2]), np.ascontiguousarray(image).data.cast("B")):
                _write_all(pictures, memoryview(part))
        except OSError as error:
            raise DisplayGoneError from error
        return None if answer[0] == NOTHING else _ACTIONS[answer[0]]

    def close(self) -> None:
        answers, pictures = self._pipes
        with suppress(OSError):
            pictures.close()
        try:
            self._child.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._child.stdout is not None and self._child.stdin is not None
        return self._child.stdout, self._child.stdin


def _write_all(file: IO[bytes], what: memoryview) -> None:
    """Raises OSError where nobody takes it any more."""
    while what:
        if not select.select([], [file], [], STUCK_S)[1]:
            raise TimeoutError
        what = what[file.write(what) or 0 :]


def _serve(title: str, pictures: IO[bytes], answers: IO[bytes]) -> None:
    """Runs in the window's process, until no more pictures come."""
    pressed: deque[Action] = deque()
    with Window(title) as window:
        while True:
            answers.write(bytes([_ACTIONS.index(pressed.popleft()) if pressed else NOTHING]))
            answers.flush()
            while not select.select([pictures], [], [], LOOK_S)[0]:
                pressed.extend(_given(window.pressed()))
            size = pictures.read(_SIZE.size)
            if len(size) < _SIZE.size:
                return
            height, width = _SIZE.unpack(size)
            pixels = pictures.read(3 * height * width)
            if len(pixels) < 3 * height * width:
                return
            pressed.extend(_given(window.show(np.frombuffer(pixels, np.uint8).reshape(height, width, 3))))


def _given(action: Action | None) -> tuple[Action, ...]:
    return () if action is None else (action,)


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        _serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
