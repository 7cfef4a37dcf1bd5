"""In the steady state no memory of a picture's size is asked for: pictures are decoded, drawn and recorded in place."""

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from toys import draw_clip, make_model

from live.capture import Reusing
from live.file_source import FileSource
from live.moves import MoveTracker
from live.overlay import Overlay
from live.recognizer import Recognizer
from live.recording import Recording
from live.runner import run
from live.screen import Screen
from live.view import View
from models.frames import Image, open_video

SIZE = (640, 360)
FRAME_BYTES = 3 * 640 * 360
WARM_FRAMES = 60
MEASURED_FRAMES = 200


class Traced:
    """What Python, numpy and OpenCV asked for while frames WARM_FRAMES to WARM_FRAMES + MEASURED_FRAMES were drawn.

    An allocation that is freed at once shows in the peak alone, so that is looked at for each frame.
    """

    def __init__(self) -> None:
        self.drawn = 0
        self.asked: list[int] = []  # bytes, for each frame: the peak above what was held before
        self._held = 0

    def tick(self) -> None:
        self.drawn += 1
        if self.drawn == WARM_FRAMES:
            tracemalloc.start()
        elif tracemalloc.is_tracing():
            held, peak = tracemalloc.get_traced_memory()
            self.asked.append(peak - self._held)
            self._held = held
            tracemalloc.reset_peak()

    @property
    def pictures(self) -> int:
        """Frames in which as much as a picture was asked for."""
        return sum(asked >= FRAME_BYTES for asked in self.asked)


@pytest.mark.parametrize(("mirror", "slow_s"), [(False, 0), (True, 0), (False, 0.01)])
def test_no_frame_sized_array_is_allocated_once_it_runs(
    tmp_path: Path, mirror: bool, slow_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.several.LEAST_BYTES", 0)
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 5.0), ("saute", 5.0)], size=SIZE)
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    overlay, traced = Overlay(recognizer.card), Traced()

    def draw(image: Image, view: View, details: bool, help_: bool) -> Image:
        traced.tick()
        time.sleep(slow_s)  # then all that can wait for the display waits
        return overlay.draw(image, view, details=details, help=help_)

    try:
        with (
            FileSource(clip, pace=False) as source,
            Recording(tmp_path / "drawn.mp4", 30, live=False) as drawn,
            Recording(tmp_path / "raw.mp4", 30, live=False) as raw,
        ):
            run(
                source,
                recognizer,
                MoveTracker(recognizer.card),
                Screen(source, draw=draw, record=drawn, record_raw=raw, mirror=mirror),
                on_move=lambda move: None,
                stopped=lambda: int(traced.drawn >= WARM_FRAMES + MEASURED_FRAMES),
            )
    finally:
        tracemalloc.stop()
    assert len(traced.asked) >= MEASURED_FRAMES - 1
    assert traced.pictures == 0


def test_a_new_picture_would_be_noticed() -> None:
    traced = Traced()
    for _ in range(WARM_FRAMES + 10):
        np.empty(FRAME_BYTES, np.uint8)
        traced.tick()
    tracemalloc.stop()
    assert traced.pictures == 10


def test_a_cameras_pictures_take_the_memory_of_those_let_go_and_of_no_others(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 1.0), ("saute", 1.0)])
    capture = Reusing(open_video(clip))
    try:
        first = capture.read()[1]
        before, addresses = first.copy(), set()
        for _ in range(50):
            addresses.add(capture.read()[1].ctypes.data)
    finally:
        capture.release()
    assert np.array_equal(first, before)
    assert first.ctypes.data not in addresses and len(addresses) <= 2
