"""Several pictures as one: each answer is drawn into a tile of its own, all of one size.

It knows nothing of how the answers come about.
"""

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np

from live.overlay import Overlay
from live.screen import Answer, Screen
from live.source import FrameSource
from live.view import View
from live.window import Action
from models.card import ModelCard
from models.frames import Box, Image

# Pixels; the tile of a grid of up to three columns is as wide as a quarter of a laptop's screen.
TILE_WIDTH = 640
WIDEST = 1920
GAP = 4
# A tile without a new answer is drawn again this often, so that keys and a stale source are noticed.
TICK_S = 0.1


class Streamed(Protocol):
    """What a tile shows."""

    source: FrameSource

    @property
    def over(self) -> bool: ...

    @property
    def failed(self) -> str | None:
        """Why it was given up; it is over then."""

    def take(self) -> Answer | None:
        """The newest answer, unless it was taken before."""


def columns_of(tiles: int) -> int:
    return math.ceil(math.sqrt(tiles))


def tile_size(tiles: int) -> tuple[int, int]:
    """(width, height) of each tile, both even; 16 to 9, as most cameras are."""
    columns = columns_of(tiles)
    width = min(TILE_WIDTH, (WIDEST - GAP * (columns - 1)) // columns)
    return width // 2 * 2, width * 9 // 32 * 2


class Tiles:
    """The grid of the streams, row by row in their order."""

    def __init__(self, streams: Sequence[Streamed], card: ModelCard, *, mirror: bool = False, recording: bool) -> None:
        width, height = tile_size(len(streams))
        columns = columns_of(len(streams))
        rows = math.ceil(len(streams) / columns)
        self.picture: Image = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), np.uint8)
        self._tiles = []
        for place, stream in enumerate(streams):
            row, column = divmod(place, columns)
            top, left = row * (height + GAP), column * (width + GAP)
            part = self.picture[top : top + height, left : left + width]
            self._tiles.append(_Tile(stream, Overlay(card), part, mirror=mirror, recording=recording))

    def update(self, pressed: Action | None = None) -> Image:
        """The picture (height, width, 3) with what is new; the next call draws into the same one."""
        for tile in self._tiles:
            tile.update(pressed)
        return self.picture


class _Tile:
    def __init__(self, stream: Streamed, overlay: Overlay, part: Image, *, mirror: bool, recording: bool) -> None:
        self._stream, self._overlay, self._part, self._recording = stream, overlay, part, recording
        self._canvas: Image = np.zeros(part.shape, np.uint8)
        self._placed: tuple[int, ...] = ()  # where in the canvas the last picture lay
        self._screen = Screen(stream.source, draw=self._draw, show=self._show, mirror=mirror)
        self._pressed: deque[Action] = deque()
        self._drawn_s = -math.inf

    def update(self, pressed: Action | None) -> None:
        if pressed:
            self._pressed.append(pressed)
        answer, now_s = self._stream.take(), time.monotonic()
        if answer or self._pressed or now_s - self._drawn_s >= TICK_S:
            self._screen.update(answer)
            self._drawn_s = now_s

    def _show(self, picture: Image) -> Action | None:
        np.copyto(self._part, picture)
        return self._pressed.popleft() if self._pressed else None

    def _draw(self, image: Image, view: View, details: bool, help_: bool) -> Image:
        stream = self._stream
        view = replace(
            self._fitted(image, view),
            status=f"given up: {stream.failed}" if stream.failed else view.status,
            ended=stream.over and not stream.failed,
            recording=self._recording,
        )
        return self._overlay.draw(self._canvas, view, details=details, help=help_)

    def _fitted(self, image: Image, view: View) -> View:
        """Put the whole picture into the middle of the canvas; the view with what lies on it moved along."""
        height, width = self._canvas.shape[:2]
        scale = min(width / image.shape[1], height / image.shape[0])
        fitted = max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))
        left, top = (width - fitted[0]) // 2, (height - fitted[1]) // 2
        if (left, top) != self._placed:
            self._canvas[:] = 0
            self._placed = (left, top)
        part = self._canvas[top : top + fitted[1], left : left + fitted[0]]
        cv2.resize(image, fitted, dst=part, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        keypoints, box = view.keypoints, view.box
        if keypoints is not None:
            keypoints = keypoints * np.array([scale, scale, 1], np.float32)
            keypoints += np.array([left, top, 0], np.float32)
        if box is not None:
            box = Box(left + scale * box.left, top + scale * box.top, scale * box.width, scale * box.height)
        return replace(view, keypoints=keypoints, box=box)
