"""The back wall of a studio, which turns with the camera, and what the mirror on it shows."""

from __future__ import annotations

import cv2
import numpy as np

from train.body import Array, unit
from train.camera import Camera

Colour = tuple[int, int, int]  # blue, green, red

GLASS = ((-2.4, -0.1, 0.25, 2.3), (0.0, 2.3, 0.25, 2.3))  # left, right, low, high on the wall, metres
BARS = (0.78, 1.02)  # height of the barre
CLARITY = 0.86  # of the light comes back from the glass


def upright(camera: Camera) -> Array:
    """Rows: right, up and backward of the camera on the floor, so that light and room come with the camera."""
    forward = unit(np.subtract(camera.target, camera.place) * (1, 0, 1))
    return np.stack([np.cross(forward, (0.0, 1.0, 0.0)), (0.0, 1.0, 0.0), -forward])


def darker(colour: Colour, share: float) -> Colour:
    return (int(colour[0] * share), int(colour[1] * share), int(colour[2] * share))


def fill(image: Array, camera: Camera, corners: Array, colour: Colour) -> None:
    """A polygon of the room, cut off where it comes too near to the camera."""
    seen = camera.project(corners)
    points = np.round(seen[:, :2] * image.shape[0] * 4).clip(-(2**18), 2**18).astype(np.int32)
    cv2.fillPoly(image, [points], colour, cv2.LINE_AA, 2)


class Wall:
    """Places on and before the wall: metres to the right, up, and towards the camera from what it looks at."""

    def __init__(self, camera: Camera, back: float) -> None:
        self.camera, self.back = camera, back
        self.axes = upright(camera)
        self.origin = np.array(camera.target) * (1, 0, 1)

    def at(self, right: float, up: float, near: float) -> Array:
        return np.asarray(self.origin + right * self.axes[0] + up * self.axes[1] + near * self.axes[2])

    def panel(
        self, image: Array, left: float, right: float, low: float, high: float, colour: Colour, near: float = 0.0
    ) -> None:
        back = self.back + near
        places = [
            self.at(left, low, back),
            self.at(right, low, back),
            self.at(right, high, back),
            self.at(left, high, back),
        ]
        fill(image, self.camera, np.array(places), colour)

    def barre(self, image: Array, rail: Colour, post: Colour) -> None:
        for up in BARS:
            self.panel(image, -20, 20, up, up + 0.045, rail, 0.15)
        for place in (-2.6, -0.9, 0.9, 2.6):
            self.panel(image, place, place + 0.04, 0.0, 1.05, post, 0.12)


class Mirror:
    """The glass on the wall of a picture (height, width, 3): where it is seen, and where it shows what lies before it.

    Drawing the reflection is for who knows what stands in the room.
    """

    def __init__(self, wall: Wall, shape: tuple[int, ...], barre: bool) -> None:
        self.wall = wall
        seen = np.zeros(shape, np.uint8)
        for panel in GLASS:
            wall.panel(seen, *panel, (255, 255, 255))
        if barre:  # it hangs before the glass
            wall.barre(seen, (0, 0, 0), (0, 0, 0))
        self.share = seen[..., :1].astype(np.float32) * (CLARITY / 255)

    def behind(self, place: Array) -> bool:
        """Whether a place is on the wall or behind it, where no mirror sees it."""
        return float((place - self.wall.at(0, 0, self.wall.back)) @ self.wall.axes[2]) < 0.2

    def reflect(self, points: Array) -> Array:
        """Points (..., 3) of the room as they appear behind the glass."""
        normal = self.wall.axes[2]
        depth = (points - self.wall.at(0, 0, self.wall.back)) @ normal
        return np.asarray(points - 2 * depth[..., None] * normal)

    def floor(self, image: Array, colour: Colour) -> None:
        """The floor of the room goes on behind the glass. In place."""
        reflected = image.copy()
        at, back = self.wall.at, self.wall.back
        corners = [at(-20, 0, back), at(20, 0, back), at(20, 0, back - 6), at(-20, 0, back - 6)]
        fill(reflected, self.wall.camera, np.array(corners), colour)
        self.show(image, reflected)

    def show(self, image: Array, reflected: Array) -> None:
        """Put what the glass shows into the picture, in place."""
        rows = np.flatnonzero(self.share.any((1, 2)))
        if not len(rows):
            return
        part = slice(rows[0], rows[-1] + 1)
        share = self.share[part]
        image[part] = (image[part] * (1 - share) + reflected[part] * share).astype(np.uint8)
