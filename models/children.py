"""What is the same for all processes that we start: which ffmpeg, when they end, and which signals they never hear."""

import errno
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import imageio_ffmpeg

from models.errors import reason_of

ORPHAN_S = 1.0  # how long a process goes on after the one that started it was killed


def end_with(parent: int) -> None:
    """From now on end this process, and its group where that is its own, once the one that started it is gone.

    Nobody tells a process that the one it works for was killed.
    """
    threading.Thread(target=_end_once_orphaned, args=(parent,), daemon=True).start()


def _end_once_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_S)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def ffmpeg_path() -> str:
    """Where the ffmpeg command is, so far as that can be known without running it. Raises OSError where it is not."""
    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, "none is installed") from error
    return path


def without_ffmpeg(failed: str, error: OSError) -> str:
    """What to say where ffmpeg could not be started; `failed` is as in "lesson.mp4 cannot be read"."""
    return f"{failed} without ffmpeg, which does not start: {reason_of(error, 'unknown')}.\nType: pointe doctor"


@contextmanager
def stops_held_back(but: signal.Signals | None = None) -> Iterator[None]:
    """A process started meanwhile never hears of a stop, save for one by `but`; its parent or its pipe ends it.

    A terminal and systemd stop all processes of a run at once, and what depends on another one would take that for a
    failure. To ignore the signals would not do: ffmpeg has handlers of its own.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    stops = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} - {but}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
