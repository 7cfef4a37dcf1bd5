"""The product's own loop under a clock: when each answer was there, how late it was, and which stage took how long."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from live.bench_subject import endless
from live.file_source import FileSource
from live.moves import MoveTracker
from live.overlay import Overlay
from live.recognizer import Recognizer
from live.runner import run
from live.screen import Screen
from live.source import FrameSource
from live.view import View
from live.watch import Summary
from models.errors import UsageError
from models.frames import Image


@dataclass(frozen=True)
class Times:
    """Durations over all measured frames, in milliseconds."""

    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        ms = 1000 * np.asarray(seconds)
        p50, p95, p99 = np.percentile(ms, (50, 95, 99))
        return cls(*(round(float(value), 3) for value in (ms.mean(), p50, p95, p99)))


@dataclass(frozen=True)
class Answered:
    tick_s: float  # when, on the monotonic clock
    latency_s: float  # from its capture, where the source is live
    stage_s: dict[str, float]  # decode, prepare, encode, head, draw; draw is that of the frame before


@dataclass(frozen=True)
class Looped:
    summary: Summary
    answers: list[Answered]  # after the warm-up

    @property
    def fps(self) -> float:
        """n answers are n - 1 intervals."""
        return (len(self.answers) - 1) / (self.answers[-1].tick_s - self.answers[0].tick_s)

    def stages_ms(self) -> dict[str, float]:
        """The mean of each."""
        names = self.answers[0].stage_s
        return {name: round(1000 * float(np.mean([each.stage_s[name] for each in self.answers])), 3) for name in names}


class FilmedCamera:
    """A camera that films a video over and over: a frame comes when it is due, and is lost if nobody reads."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        self._frames = endless(path)
        self._rate_hz = rate_hz
        self._due_s: float | None = None

    def read(self) -> tuple[bool, Image]:
        frame = next(self._frames)  # decoded before it is due, as a camera's own work is done by then
        now_s = time.monotonic()
        if self._due_s is None or now_s > self._due_s:
            self._due_s = now_s
        time.sleep(self._due_s - now_s)
        self._due_s += 1 / self._rate_hz
        return True, frame.image

    def get(self, property_id: int, /) -> float:
        return self._rate_hz if property_id == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        self._frames.close()


def loop(
    recognizer: Recognizer,
    overlay: Overlay,
    source: FrameSource,
    skip: int,
    frames: int,
    on_drawn: Callable[[Image], None] = lambda image: None,
) -> Looped:
    """`pointe live` with drawing and without a window, for `frames` answers after the first `skip`, or to the end.

    `on_drawn` is called with each frame of the source once its answer is drawn.
    """
    recognizer.reset()
    answers: list[Answered] = []
    drew_s, answered_s = 0.0, -1.0

    def draw(image: Image, view: View, details: bool, help_: bool) -> Image:
        nonlocal drew_s, answered_s
        start_s = time.monotonic()
        if view.time_s == answered_s:  # the display draws again what it has where no answer comes for a while
            return overlay.draw(image, view, details=details, help=help_)
        answered_s = view.time_s
        answers.append(Answered(start_s, view.latency_s or 0.0, {**view.stage_s, "draw": drew_s}))
        picture = overlay.draw(image, view, details=details, help=help_, in_place=not source.live)
        drew_s = time.monotonic() - start_s
        on_drawn(image)
        return picture

    with source:
        summary = run(
            source,
            recognizer,
            MoveTracker(recognizer.card),
            Screen(source, draw=draw),
            on_move=lambda move: None,
            tell=lambda line: None,
            stopped=lambda: int(len(answers) >= skip + frames),
        )
    return Looped(summary, answers[skip : skip + frames])


def loop_file(recognizer: Recognizer, video: Path, skip: int, frames: int) -> Looped:
    """`loop` over a video file, as fast as it goes.

    Raises:
        UsageError: it ends before there are two answers, between which there is a time.
    """
    source = FileSource(video, pace=False, beforehand=recognizer.beforehand())
    run = loop(recognizer, Overlay(recognizer.card), source, skip, frames)
    if len(run.answers) < 2:
        raise UsageError(f"{video} is too short: at least {skip + 2} frames are needed.\nGive a longer video, or demo.")
    return run
