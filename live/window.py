"""A window that shows pictures and gives back what was pressed; and, before one is opened, whether it can be.

OpenCV's windows are Qt's, and Qt ends the whole process where it finds no display or lacks a library. So a child
process tries first. Knows nothing of moves or models.

OpenCV is imported when a window is made, so that `display_problem` can say what is wrong where it does not load.
"""

import ctypes
import enum
import os
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from models.frames import Image

PROBE_S = 10.0
LARGEST_WINDOW = (1280, 720)  # width, height; as it opens
OF_THE_SCREEN = (0.92, 0.8)  # that much of it at most: there are panels, and the window's own frame
# What OpenCV's windows need on a bare Debian or Ubuntu.
SYSTEM_LIBRARIES = "apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libsm6"
FONT_FOLDERS = ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts")
HEADLESS = "Leave the window out with --headless"

PROBE = """
import cv2, numpy
cv2.namedWindow("pointe", cv2.WINDOW_NORMAL)
cv2.imshow("pointe", numpy.zeros((8, 8, 3), numpy.uint8))
cv2.waitKey(1)
cv2.destroyAllWindows()
"""


class Action(enum.Enum):
    """What the user wants."""

    QUIT = "quit"
    PAUSE = "pause"
    MIRROR = "mirror"
    DETAILS = "details"
    HELP = "help"


ESCAPE = "\x1b"
ACTIONS = {
    "q": Action.QUIT,
    ESCAPE: Action.QUIT,
    " ": Action.PAUSE,
    "m": Action.MIRROR,
    "d": Action.DETAILS,
    "?": Action.HELP,
    "h": Action.HELP,
}


def display_problem() -> str | None:
    """Why no window can be shown and what to type; None where one can be. Takes about half a second the first time."""
    if not sys.platform.startswith("linux"):
        return None
    return _problem_of(os.environ.get("DISPLAY", ""), os.environ.get("WAYLAND_DISPLAY", ""))


@cache
def _problem_of(display: str, wayland: str) -> str | None:
    if not display and wayland:
        return f"This Wayland session offers no X display, which OpenCV's windows need.\nInstall xwayland. {HEADLESS}."
    if not display:
        how = "log in with `ssh -X`" if os.environ.get("SSH_CONNECTION") else "run it on a desktop"
        return f"There is no display (DISPLAY is not set).\n{HEADLESS}, or {how}."
    environment = {**os.environ, **_qt_settings()}
    try:
        probe = subprocess.run(
            [sys.executable, "-c", PROBE],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_S,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return f"The display {display} did not answer within {PROBE_S:.0f} s.\n{HEADLESS}, or restart the display."
    except OSError as error:
        return f"Python could not be started to try the display: {error.strerror}.\n{HEADLESS}."
    return None if probe.returncode == 0 else explain(probe.stderr, display)


def explain(stderr: str, display: str) -> str:
    """Plain advice from what OpenCV and Qt said when no window would open."""
    said = stderr.lower()
    if "no protocol specified" in said or "authorization required" in said:
        return f"The display {display} does not let this user in.\nRun as the user who is logged in there. {HEADLESS}."
    if "could not connect to display" in said:
        return f"No X server answers on the display {display}.\nCheck DISPLAY. {HEADLESS}."
    if "not implemented" in said:
        return (
            "This OpenCV was built without windows (opencv-python-headless is installed).\n"
            f"As root: {SYSTEM_LIBRARIES}; then remove .venv and type: make demo. {HEADLESS}."
        )
    if "cannot open shared object file" in said or "could not load the qt platform plugin" in said:
        return f"A system library that OpenCV's windows need is missing.\n{SYSTEM_LIBRARIES}"
    reason = next((line.strip() for line in reversed(stderr.splitlines()) if line.strip()), "it said nothing")
    return f"OpenCV could not open a window: {reason[:200]}\n{HEADLESS}, or try: {SYSTEM_LIBRARIES}"


class Window:
    """One resizable window that keeps the picture's proportions. Ask `display_problem` before making one."""

    def __init__(self, title: str) -> None:
        import cv2

        self._cv2 = cv2
        # A file's name may hold half a surrogate, on which OpenCV crashes the process.
        self._title = title.encode("utf-8", "replace").decode()
        self._open = False

    def show(self, image: "Image") -> Action | None:
        """Show the picture (height, width, 3) BGR, and say what was pressed since the last look; None for nothing."""
        if not self._open:
            self._open_for(image)
        elif not self._visible():  # before imshow, which would open it again
            return Action.QUIT
        self._cv2.imshow(self._title, image)
        return self.pressed()

    def pressed(self) -> Action | None:
        """What was pressed since the last look: of several keys the last, so look often. None for nothing."""
        if not self._open:
            return None
        key = self._cv2.pollKey() & 0xFFFF  # above are Shift and the like
        if not self._visible():
            return Action.QUIT
        # Keys without a character come as numbers above all of ours: the left arrow is no Q.
        return ACTIONS.get(chr(key).lower())

    def close(self) -> None:
        if self._open and self._visible():
            self._cv2.destroyWindow(self._title)
            self._cv2.pollKey()
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _open_for(self, image: "Image") -> None:
        os.environ.update(_qt_settings())
        _let_qt_have_its_events()
        self._cv2.namedWindow(
            self._title, self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO | self._cv2.WINDOW_GUI_NORMAL
        )
        self._cv2.resizeWindow(self._title, *opening_size(image.shape[1], image.shape[0], _screen_size()))
        self._open = True

    def _visible(self) -> bool:
        try:
            return self._cv2.getWindowProperty(self._title, self._cv2.WND_PROP_VISIBLE) >= 1
        except self._cv2.error:  # it is gone
            return False


def opening_size(width: int, height: int, screen: tuple[int, int] | None = None) -> tuple[int, int]:
    """The largest size of the picture's proportions that opens well on a laptop, as (width, height).

    `screen` is the size of the screen, which it leaves room on; None where it is not known.
    """
    largest: tuple[float, float] = LARGEST_WINDOW
    if screen:
        largest = (min(largest[0], OF_THE_SCREEN[0] * screen[0]), min(largest[1], OF_THE_SCREEN[1] * screen[1]))
    scale = min(largest[0] / width, largest[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _screen_size() -> tuple[int, int] | None:
    """Width and height of all that the X display shows, in pixels; None where nobody knows, as on other systems."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    for function in (x11.XDisplayWidth, x11.XDisplayHeight):
        function.argtypes = [ctypes.c_void_p, ctypes.c_int]
    x11.XDefaultScreen.argtypes = x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(None)
    if not display:
        return None
    screen = x11.XDefaultScreen(display)
    size = x11.XDisplayWidth(display, screen), x11.XDisplayHeight(display, screen)
    x11.XCloseDisplay(display)
    return size


def _qt_settings() -> dict[str, str]:
    """What makes Qt use the one display it can and not complain of fonts, which OpenCV's wheel names but lacks."""
    if not sys.platform.startswith("linux"):
        return {}
    settings = {"QT_QPA_PLATFORM": "xcb"}  # the wheel holds no other; the desktop may ask for wayland
    fonts = os.environ.get("QT_QPA_FONTDIR")
    if not fonts or not Path(fonts).is_dir():
        settings["QT_QPA_FONTDIR"] = next((folder for folder in FONT_FOLDERS if Path(folder).is_dir()), "/")
    return settings


def _let_qt_have_its_events() -> None:
    """Where this is not done, the first events of a window may be lost on a busy machine, and it stays black.

    Qt asks libX11 to keep off its queue of events, and does so by a libX11-xcb that comes with OpenCV's wheel and
    writes into a private structure as it was before libX11 1.7. So a newer libX11 never hears of it and takes events
    for itself. The system's own libX11-xcb fits; loaded for all to see, it is found first.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError):  # a system without it has what OpenCV brings
            ctypes.CDLL("libX11-xcb.so.1", mode=ctypes.RTLD_GLOBAL)
