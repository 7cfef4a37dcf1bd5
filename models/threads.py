"""The names of our threads, by which one that hangs inside a library is known when the process ends."""

import threading

THREAD_PREFIX = "pointe: "


def left_running() -> list[str]:
    """Our threads that still run, by name. One that hangs in OpenCV after its close does.

    Leaving the process in the usual way while a thread is inside OpenCV's read aborts it, so a program that finds
    one here, all its outputs closed, leaves by os._exit.
    """
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(THREAD_PREFIX)]
