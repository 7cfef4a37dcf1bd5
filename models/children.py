"""What is the same for all processes that we start: which ffmpeg, and which signals they are not to hear of."""

import errno
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import imageio_ffmpeg

from models.errors import reason_of


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
