"""What becomes of an answer for the eye: it is drawn, shown and recorded, and the keys are obeyed.

How to draw and to show are functions that come in, so it runs without a display.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2

from live.recording import Recording
from live.source import FrameSource
from live.view import View
from live.window import Action
from models.frames import Box, Frame, Image
from models.pictures import Pictures

Draw = Callable[[Image, View, bool, bool], Image]  # picture, view, details, help
Show = Callable[[Image], Action | None]


@dataclass(frozen=True)
class Answer:
    """A frame, and what is known once it was recognised."""

    frame: Frame
    view: View


class Screen:
    """Draws an answer, shows it, records it, and does what the keys say."""

    def __init__(
        self,
        source: FrameSource,
        *,
        draw: Draw | None = None,
        show: Show | None = None,
        record: Recording | None = None,
        record_raw: Recording | None = None,
        mirror: bool = False,
    ) -> None:
        self.quit = False
        self._source, self._draw, self._show, self._record, self._raw = source, draw, show, record, record_raw
        self._mirror, self._paused, self._details, self._help = mirror, False, False, False
        self._draw_s = 0.0
        self._last: Answer | None = None
        self._pictures = Pictures()

    @property
    def shown(self) -> bool:
        """Whether somebody sees it."""
        return self._show is not None

    def update(self, answer: Answer | None) -> None:
        """Draw and show the answer. None: draw the last one again, for there may be a key or a new status."""
        self._last = answer or self._last
        if self._last is None:
            return
        # While a live source gives nothing its recording goes on, so that its clock stays right.
        time_s = answer.frame.time_s if answer else self._source.now_s if self._source.status else None
        if self._raw and time_s is not None:
            self._raw.write(self._last.frame.image, time_s)
        if self._draw is None or (answer is None and self._show is None and time_s is None):  # nobody would see it
            return
        picture = self._drawn(self._draw, self._last)
        if self._record and time_s is not None:
            self._record.write(picture, time_s)
        if self._show:
            self._obey(self._show(picture))

    def _drawn(self, draw: Draw, answer: Answer) -> Image:
        start = time.perf_counter()
        status = self._source.status
        view = replace(
            without_answer(answer.view) if status else answer.view,
            status=status,
            paused=self._paused,
            recording=self._record is not None or self._raw is not None,
            stage_s={**answer.view.stage_s, "draw": self._draw_s},
        )
        image = answer.frame.image
        if self._mirror:
            image, view = mirrored(image, view, self._pictures)
        picture = draw(image, view, self._details, self._help)
        self._draw_s = time.perf_counter() - start
        return picture

    def _obey(self, action: Action | None) -> None:
        match action:
            case Action.QUIT:
                self.quit = True
            case Action.PAUSE if not self._source.live:
                self._paused = not self._paused
                self._source.pause(self._paused)
            case Action.MIRROR:
                self._mirror = not self._mirror
            case Action.DETAILS:
                self._details = not self._details
            case Action.HELP:
                self._help = not self._help


def without_answer(view: View) -> View:
    """The view of a picture that is no longer what the camera sees: nothing of it is said to be so now."""
    return replace(view, filled=0, probabilities=None, current=None, keypoints=None, box=None, fps=None, latency_s=None)


def mirrored(image: Image, view: View, pictures: Pictures) -> tuple[Image, View]:
    """The picture as a mirror shows it, in the memory of `pictures`, and the view with what lies on it moved along."""
    width = image.shape[1]
    keypoints, box = view.keypoints, view.box
    if keypoints is not None:
        keypoints = keypoints.copy()
        keypoints[:, 0] = width - 1 - keypoints[:, 0]
    if box is not None:
        box = Box(width - box.left - box.width, box.top, box.width, box.height)
    flipped = pictures.take(image.shape)
    cv2.flip(image, 1, dst=flipped)
    return flipped, replace(view, keypoints=keypoints, box=box, mirrored=True)
