"""Where joints are in a picture: a pinhole camera, and cameras as they stand in studios.

Positions are (frames, joints, 3) in metres; places in a picture are in units of its height from its top left corner, y
down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.keypoints import KEYPOINTS
from train.body import JOINT, Array, unit

SEEN = [JOINT[name] for name in KEYPOINTS]
NEAREST = 0.1  # metres before the camera; what is nearer, or behind it, counts as so far


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that stands still, looks at a point and may be rolled a little."""

    place: tuple[float, float, float]  # metres
    target: tuple[float, float, float]
    focal: float  # in frame heights
    aspect: float = 16 / 9
    roll: float = 0.0  # radians

    def axes(self) -> Array:
        """Rows: right, down and forward of the picture in the world."""
        forward = unit(np.subtract(self.target, self.place))
        right = unit(np.cross(forward, (0.0, 1.0, 0.0)))
        down = np.cross(forward, right)
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        return np.stack([cos * right + sin * down, cos * down - sin * right, forward])

    @property
    def focal_lengths(self) -> Array:
        """In frame heights: () or, of a camera that zooms, (steps,)."""
        return np.asarray(self.focal)

    def seen_from(self, points: Array) -> Array:
        """Points (..., 3) of the world as metres to the right of the camera, below it and before it."""
        return np.asarray((points - np.array(self.place)) @ self.axes().T)

    def onto_picture(self, seen: Array) -> Array:
        """What `project` gives for points as `seen_from` has them."""
        depth = np.maximum(seen[..., 2:], NEAREST)
        middle = np.array([self.aspect / 2, 0.5])
        focal = self.focal_lengths.reshape(-1, *[1] * (seen.ndim - 1))
        return np.concatenate([seen[..., :2] / depth * focal + middle, depth], -1)

    def project(self, points: Array) -> Array:
        """Points (..., 3) of the world as (..., 3): x and y in the picture in frame heights, depth in metres."""
        return self.onto_picture(self.seen_from(points))


def inside(places: Array, aspect: float) -> Array:
    """Which places (..., 2) lie in a picture of this aspect; (...)."""
    return np.asarray(np.all((places >= 0) & (places <= (aspect, 1)), axis=-1))


def project(positions: Array, camera: Camera) -> Array:
    """The seventeen keypoints (frames, 17, 2) of JOINTS positions in units of the frame's height."""
    return camera.project(positions[:, SEEN])[..., :2]


def look_from(
    positions: Array, azimuth: float, height: float, distance: float, fill: float, aspect: float = 16 / 9
) -> Camera:
    """A camera at this azimuth (radians, 0 is +Z) that sees the whole motion; the dancer takes `fill` of the height."""
    places = positions.reshape(-1, 3)
    low, high = np.percentile(places, 1, axis=0), np.percentile(places, 99, axis=0)
    target = (low + high) / 2
    place = target + distance * np.array([np.sin(azimuth), 0.0, np.cos(azimuth)])
    place[1] = height
    straight = Camera(tuple(place), tuple(target), 1.0, aspect)
    seen = straight.project(places)
    low, high = np.percentile(seen, 0.5, axis=0), np.percentile(seen, 99.5, axis=0)
    size = max(high[1] - low[1], (high[0] - low[0]) / aspect)
    return Camera(tuple(place), tuple(target), float(fill / size), aspect)


def random_camera(positions: Array, rng: np.random.Generator) -> Camera:
    """A phone or a webcam somewhere in a studio; now and then the dancer is not in the middle, or partly cut off."""
    camera = look_from(
        positions,
        azimuth=rng.uniform(-np.pi, np.pi),
        height=rng.uniform(0.7, 2.0),
        distance=float(np.exp(rng.uniform(np.log(2.2), np.log(8)))),
        fill=rng.uniform(0.45, 0.98),
        aspect=float(rng.choice([16 / 9, 16 / 9, 4 / 3, 9 / 16, 1.0])),
    )
    target, focal = np.array(camera.target), camera.focal
    distance = float(np.linalg.norm(target - np.array(camera.place)))
    tall = float(np.percentile(positions[:, JOINT["head"], 1], 90))
    kind = rng.random()
    if kind < 0.22:  # the feet and not the head, as clips that teach steps do
        low, high = rng.uniform(-0.3, -0.02), tall * rng.uniform(0.55, 1.0)
        middle = np.median(positions[:, JOINT["pelvis"]], axis=0)
        target, focal = np.array([middle[0], (low + high) / 2, middle[2]]), distance / (high - low)
    elif kind < 0.3:  # too near: feet or head are cut
        focal *= rng.uniform(1.1, 1.5)
        target[1] *= rng.uniform(0.8, 1.3)
    elif kind < 0.55:
        target += rng.normal(0, 0.25, 3) * (1, 0.3, 1)
    return Camera(camera.place, tuple(target), float(focal), camera.aspect, float(rng.normal(0, 0.025)))
