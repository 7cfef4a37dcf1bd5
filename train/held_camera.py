"""A camera in somebody's hands: turned after the dancer, a little late, shaking, nearer and farther.

A camera on a stand sees where the dancer goes; of one that follows her only the body's own motion is left to tell a
walk from standing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from train.body import JOINT, Array
from train.camera import Camera
from train.estimator import ripple

LATE_S = (0.1, 0.8)  # how late the operator is, ...
LATER_DOWN = 3  # ... and how many times as late up and down
SHAKE, SHAKE_S = (0.001, 0.012), 0.9  # standard deviation in frame heights, and how long a shake lasts
FILL = (0.55, 0.95)  # of the picture's height that the dancer takes
BEYOND_THE_HEAD = 1.08  # how tall she is in heights of her head's middle
ZOOMS = 0.35  # the share of operators who zoom while they film, ...
ZOOM, ZOOM_S, ZOOM_BEGINS_S = 0.2, 4.4, 0.6  # ... how far (the logarithm's standard deviation), how long, how softly


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldCamera(Camera):
    """A camera that is turned and zooms while it films; it stays in its place.

    `turned` (steps, 2): radians to the right of and below where it looked at first. `zoomed` (steps,): how many times
    as long its focal length is.
    """

    turned: Array
    zoomed: Array

    def project(self, points: Array) -> Array:
        """As `Camera.project`, for points (steps, n, 3)."""
        right, down, ahead = np.moveaxis(self.seen_from(points), -1, 0)
        (cos, cos_down), (sin, sin_down) = (each.T[:, :, None] for each in (np.cos(self.turned), np.sin(self.turned)))
        right, ahead = cos * right - sin * ahead, sin * right + cos * ahead
        down, ahead = cos_down * down - sin_down * ahead, sin_down * down + cos_down * ahead
        return self.onto_picture(np.stack([right, down, ahead], -1))

    @property
    def focal_lengths(self) -> Array:
        return np.asarray(self.focal * self.zoomed)


def held(camera: Camera, positions: Array, sample_hz: float, rng: np.random.Generator) -> HeldCamera:
    """The camera in the hands of somebody who follows the dancer.

    Args:
        camera: where it is, and what it looks at first.
        positions: (steps, joints, 3) of what it films.
        sample_hz: how many steps there are in a second.
        rng: of this operator.
    """
    steps, step_s = len(positions), 1 / sample_hz
    right, down, ahead = camera.seen_from(positions[:, JOINT["pelvis"]]).T
    far = np.hypot(right, ahead)  # once the camera is turned to her
    late_s = rng.uniform(*LATE_S)
    aims = (
        _late(np.unwrap(np.arctan2(right, ahead)), step_s / late_s),
        _late(np.arctan2(down, far), step_s / (LATER_DOWN * late_s)),
    )
    tall = BEYOND_THE_HEAD * float(np.percentile(positions[:, JOINT["head"], 1], 90))
    zoomed = np.full(steps, rng.uniform(*FILL) * float(np.median(far)) / (camera.focal * tall))
    if rng.random() < ZOOMS:
        slowly = _late(ripple(rng, steps, 1, float(np.exp(-step_s / ZOOM_S)))[:, 0], step_s / ZOOM_BEGINS_S)
        zoomed = zoomed * np.exp(ZOOM * slowly)
    shaken = rng.uniform(*SHAKE) * ripple(rng, steps, 2, float(np.exp(-step_s / SHAKE_S)))
    turned = np.stack(aims, axis=1) + shaken / (camera.focal * zoomed[:, None])
    return HeldCamera(**vars(camera), turned=turned, zoomed=zoomed)


def _late(values: Array, step: float) -> Array:
    """Values (steps,) as followed by somebody who reacts late; a step is so many times as long as he is late."""
    memory = float(np.exp(-step))
    return np.asarray(lfilter([1 - memory], [1, -memory], values, zi=values[:1] * memory)[0])
