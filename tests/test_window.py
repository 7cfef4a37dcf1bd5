"""The window under a real X server, each in a process of its own: Qt ends the process where something is wrong."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.display import Display
from live.window import LARGEST_WINDOW, SYSTEM_LIBRARIES, Action, explain, opening_size

ROOT = Path(__file__).parent.parent
TITLE = "pointe under test"

# Shows a picture until told to quit or a minute has gone, and says what it is told.
SHOW = f"""
import time
import numpy as np
from live.window import Action, Window
image = np.zeros((360, 640, 3), np.uint8)
end = time.monotonic() + 60
with Window({TITLE!r}) as window:
    print("shown", window.show(image), flush=True)
    while time.monotonic() < end:
        action = window.show(image)
        if action is not None:
            print(action.value, flush=True)
        if action is Action.QUIT:
            break
        time.sleep(0.02)
print("closed", flush=True)
"""


# What a window manager sends when the cross is clicked: a client message WM_PROTOCOLS with WM_DELETE_WINDOW.
CLOSE = """
import os
from ctypes import *
class Message(Structure):
    _fields_ = [("type", c_int), ("serial", c_ulong), ("sent", c_int), ("display", c_void_p), ("window", c_ulong),
                ("kind", c_ulong), ("format", c_int), ("data", c_long * 5), ("room", c_long * 24)]
x11 = CDLL("libX11.so.6")
x11.XOpenDisplay.restype = c_void_p
x11.XInternAtom.restype, x11.XInternAtom.argtypes = c_ulong, [c_void_p, c_char_p, c_int]
x11.XSendEvent.argtypes = [c_void_p, c_ulong, c_int, c_long, c_void_p]
x11.XSync.argtypes = [c_void_p, c_int]
display, window = x11.XOpenDisplay(None), int(os.environ["WINDOW"])
protocols = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
delete = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
message = Message(type=33, sent=1, display=display, window=window, kind=protocols, format=32)
message.data[0] = delete
x11.XSendEvent(display, window, 0, 0, byref(message))
x11.XSync(display, 0)
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**plain, **environment}, capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """The name of the display of an X server of our own."""
    if not sys.platform.startswith("linux") or not shutil.which("Xvfb") or not shutil.which("xdotool"):
        pytest.skip("needs Xvfb and xdotool: apt-get install xvfb xdotool")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture
def shown(screen: str) -> Iterator[subprocess.Popen[str]]:
    """A process that shows a window, from the moment its first picture is there."""
    process = subprocess.Popen(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env={**os.environ, "DISPLAY": screen},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "shown None\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def xdotool(screen: str, *words: str) -> str:
    command = ["xdotool", "search", "--sync", "--onlyvisible", "--name", TITLE, *words]
    return subprocess.run(
        command, env={**os.environ, "DISPLAY": screen}, check=True, capture_output=True, text=True, timeout=20
    ).stdout


@pytest.mark.parametrize("key", ["q", "Q", "Escape"])
def test_q_and_escape_end_it(screen: str, shown: subprocess.Popen[str], key: str) -> None:
    xdotool(screen, "windowfocus", "--sync", "key", key)
    assert_ended(shown)


def test_closing_the_window_ends_it(screen: str, shown: subprocess.Popen[str]) -> None:
    window = xdotool(screen).strip()
    closing = python(CLOSE, DISPLAY=screen, WINDOW=window)
    assert closing.returncode == 0, closing.stderr
    assert_ended(shown)


def assert_ended(shown: subprocess.Popen[str]) -> None:
    out, err = shown.communicate(timeout=20)
    assert out == "quit\nclosed\n"
    assert err == ""
    assert shown.returncode == 0


def test_each_key_means_what_the_help_says(screen: str, shown: subprocess.Popen[str]) -> None:
    assert shown.stdout is not None
    for key, action in [
        ("space", "pause"),
        ("m", "mirror"),
        ("d", "details"),
        ("question", "help"),
        ("shift+D", "details"),
    ]:
        xdotool(screen, "windowfocus", "--sync", "key", key)
        assert shown.stdout.readline() == f"{action}\n"
    for key in ("x", "Left", "Up", "XF86Search", "XF86New"):  # of Left and Search the lower byte is that of Q and Esc
        xdotool(screen, "windowfocus", "--sync", "key", key)
        time.sleep(0.2)
    xdotool(screen, "windowfocus", "--sync", "key", "q")
    assert_ended(shown)


def test_keys_pressed_while_no_picture_comes_are_all_heard(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    picture = np.zeros((360, 640, 3), np.uint8)
    heard: list[Action] = []
    with Display(TITLE) as display:

        def show_until(enough: int, patience_s: float) -> None:
            start_s = time.monotonic()
            while len(heard) < enough and time.monotonic() - start_s < patience_s:
                heard.extend(action for action in [display.show(picture)] if action)
                time.sleep(0.02)

        show_until(1, patience_s=2)  # it takes a while to open
        for key in ("d", "m", "d", "question"):
            xdotool(screen, "windowfocus", "--sync", "key", key)
            time.sleep(0.3)
        show_until(4, patience_s=20)
    assert heard == [Action.DETAILS, Action.MIRROR, Action.DETAILS, Action.HELP]


def test_a_small_picture_opens_large(screen: str, shown: subprocess.Popen[str]) -> None:
    assert "1280x720" in xdotool(screen, "getwindowgeometry")


def test_a_title_from_a_file_name_that_is_no_text_opens(screen: str) -> None:
    code = "import numpy as np\nfrom live.window import Window\n"
    code += "with Window('caf\\udce9 jeté') as window:\n    print(window.show(np.zeros((90, 160, 3), np.uint8)))"
    shown = python(code, DISPLAY=screen)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "None\n", "")


def test_a_usable_display_has_no_problem(screen: str) -> None:
    probe = python("from live.window import display_problem; print(display_problem())", DISPLAY=screen)
    assert (probe.stdout, probe.stderr) == ("None\n", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a display is taken for granted")
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "DISPLAY is not set"),
        ({"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}, "ssh -X"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "xwayland"),
        ({"DISPLAY": ":987"}, "No X server answers on the display :987"),
    ],
)
def test_a_missing_display_is_said_and_does_not_end_the_process(environment: dict[str, str], said: str) -> None:
    probe = python("from live.window import display_problem; print(display_problem())", **environment)
    assert probe.returncode == 0
    assert probe.stderr == ""
    assert said in probe.stdout
    assert "--headless" in probe.stdout
    assert len(probe.stdout.splitlines()) <= 2


def test_a_missing_system_library_is_answered_with_the_line_to_type() -> None:
    no_import = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
    no_plugin = 'qt.qpa.plugin: Could not load the Qt platform plugin "xcb" in "/x" even though it was found.\nAborted'
    for said in (no_import, no_plugin):
        assert explain(said, ":0").endswith(SYSTEM_LIBRARIES)


def test_the_headless_wheel_is_answered_with_the_libraries_that_windows_need() -> None:
    said = "cv2.error: OpenCV(5.0.0) window.cpp:1301: error: (-2) The function is not implemented. Rebuild with GTK+"
    assert SYSTEM_LIBRARIES in explain(said, ":0")


def test_a_display_of_another_user_is_told_from_a_missing_one() -> None:
    said = "No protocol specified\nqt.qpa.xcb: could not connect to display :0\n"
    assert "does not let this user in" in explain(said, ":0")


@given(st.text(max_size=300))
def test_whatever_was_said_there_is_advice_in_two_lines(said: str) -> None:
    assert len(explain(said, ":0").split("\n")) == 2


@given(st.integers(1, 8000), st.integers(1, 8000))
def test_a_window_opens_within_its_limits_and_fills_one(width: int, height: int) -> None:
    opened = opening_size(width, height)
    assert 1 <= opened[0] <= LARGEST_WINDOW[0]
    assert 1 <= opened[1] <= LARGEST_WINDOW[1]
    assert opened[0] == LARGEST_WINDOW[0] or opened[1] == LARGEST_WINDOW[1]


@pytest.mark.parametrize(
    ("screen", "size"), [((1024, 600), (853, 480)), ((1366, 768), (1092, 614)), (None, (1280, 720))]
)
def test_a_window_leaves_room_on_a_small_screen(screen: tuple[int, int] | None, size: tuple[int, int]) -> None:
    assert opening_size(640, 360, screen) == size
