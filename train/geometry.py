"""Poses in the picture made into what the body does: the first layer of the `pointe` head. Needs Keras.

On one frame's window every operation costs its call and hardly any arithmetic, so the layer is written in few of them:
x and y of all joints stand side by side on the last axis, and whatever is picked, subtracted or added there is one
product with a constant matrix.
"""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from models.encoders import POSE_DIM
from models.keypoints import INDEX, KEYPOINTS

Matrix = npt.NDArray[np.float32]

JOINTS = len(KEYPOINTS)

# A score from which a joint is relied on where the picture is centred and measured. Lower than for drawing: a wrong
# centre in one frame costs less than a jump to the fallback.
RELIED = 0.2
# Positions are in units of the frame's height; whatever is farther out than this is nonsense.
FAR = 10.0
# Body-centred quantities are in torso lengths; a dancer spans about five.
REACH = 5.0
# The torso is shortened by perspective more often than lengthened by noise, so a high percentile is its true length.
TRUE_LENGTH = 0.8
SMALLEST_SCALE = 1e-3
# The body's spread (root mean square distance of its joints from their mean), in torso lengths, of a person upright.
SPREAD_PER_TORSO = 0.9
SOFT = 1e-4  # added under square roots: a limb of no length has no direction
VELOCITY_GAIN = 5.0  # a joint moves a fraction of a torso per step; brings that near 1
LEGS = 2.0  # torso lengths from the hips to the floor, where no ankle is seen

LIMBS = (
    ("left_shoulder", "left_elbow"),
    ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("right_hip", "right_knee"),
    ("left_knee", "left_ankle"),
    ("right_knee", "right_ankle"),
    ("left_hip", "left_shoulder"),
    ("right_hip", "right_shoulder"),
)
# Which limbs' angles are told: elbows, armpits, knees, hips, and the two thighs against each other.
ANGLES = ((0, 2), (1, 3), (0, 8), (1, 9), (4, 6), (5, 7), (4, 8), (5, 9), (4, 5))
SIDES = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
WIDTHS = ("shoulder", "hip")
MIDDLES = ("hip", "shoulder")  # the middle of the body is the first of them that is seen


@keras.saving.register_keras_serializable(package="pointe")
class PoseGeometry(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """What the body does, the same wherever and however large it is seen.

    In: (batch, window, 51), per keypoint x, y in units of the frame's height and the score. Out: (batch, window,
    features), every number finite and of the order of 1, whatever comes in. Steps of padding (all zeros) stay zeros.

    Some features come in pairs that stay the same when left and right swap, because an estimate from behind or in
    profile swaps them; the signed widths say which way the body faces.
    """

    def build(self, input_shape: Any) -> None:
        if input_shape[-1] != POSE_DIM:
            raise ValueError(f"a pose has {POSE_DIM} numbers, not {input_shape[-1]}")
        self._window = int(input_shape[1])
        back = VELOCITY_GAIN * (np.eye(self._window) - np.eye(self._window, k=-1))
        back[0] = 0  # nothing is known before the first step
        self._change = back.astype(np.float32)
        self._before = np.eye(self._window, k=-1, dtype=np.float32)
        self._steps = np.arange(self._window, dtype=np.float32)[None]
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        sides, limbs = len(SIDES), len(LIMBS)
        paired = 4 * JOINTS + 3 * 2 * sides + 2 * sides
        single = JOINTS + 3 * limbs + len(ANGLES) + len(WIDTHS) + 2 + 1 + 2
        return (*input_shape[:2], paired + single)

    def call(self, poses: Any) -> Any:
        poses = ops.clip(ops.where(ops.isnan(poses), 0.0, poses), -FAR, FAR)
        real = ops.cast(ops.max(ops.abs(poses), axis=2, keepdims=True) > 0, "float32")  # (batch, window, 1)
        place = poses @ TO_PLACE  # (batch, window, 34): x of all joints, then y of all
        score = ops.clip(poses @ TO_SCORE, 0, 1)  # (batch, window, 17)
        center, scale = self._center_and_scale(place, score, real)
        heights = ops.concatenate([center @ Y, place @ _on_y(ANKLES)], axis=2)  # (batch, window, 3)
        floor = self._floor(heights, score, scale, real)

        body = _within_reach((place - center @ _each_axis(JOINTS)) / scale)  # (batch, window, 34)
        known = (self._before @ real) * real
        moved = _within_reach(self._change @ ops.concatenate([body, center / scale], axis=2)) * known
        motion, travel = ops.split(moved, [2 * JOINTS], axis=2)

        limb = body @ _on_both(_differences(LIMBS))  # (batch, window, 2 limbs)
        length = _length(limb, len(LIMBS))
        direction = limb / (length @ _on_each(len(LIMBS)))
        angles = ((direction @ _on_both(ONE)) * (direction @ _on_both(OTHER))) @ _summed(len(ANGLES))
        left, right = body @ _on_both(LEFT), body @ _on_both(RIGHT)  # (batch, window, 2 sides)
        speed = _length(motion, JOINTS)
        left_speed, right_speed = speed @ LEFT, speed @ RIGHT
        above, *ankles = ops.split(_within_reach((floor - heights) / scale), 3, axis=2)
        return real * ops.concatenate(
            [
                body,
                motion,
                direction,
                length,
                ops.minimum(left, right),
                ops.maximum(left, right),
                ops.abs(left - right),
                ops.minimum(left_speed, right_speed),
                ops.maximum(left_speed, right_speed),
                travel,
                score,
                angles,
                body @ _on_x(WIDTH),
                above,
                ops.minimum(*ankles),
                ops.maximum(*ankles),
            ],
            axis=-1,
        )

    def _center_and_scale(self, place: Any, score: Any, real: Any) -> tuple[Any, Any]:
        """Where the body's middle is in each step (batch, window, 2), and how long its torso is (batch, 1, 1)."""
        sure = score @ ENDS
        weight = sure * sure + SOFT  # the middle of two joints is nearer the surer one
        middles = ((place @ _on_both(ENDS)) * (weight @ _on_each(4))) @ _on_both(PAIRS)
        middles /= weight @ np.tile(PAIRS, 2)  # (batch, window, 4): x of the hips and of the shoulders, then y
        seen = ops.minimum(ops.cast(sure >= RELIED, "float32") @ PAIRS, 1.0)  # either of the two
        hips, shoulders = ops.split(seen, 2, axis=2)
        both = hips * shoulders

        mass = score @ _on_each(JOINTS) + SOFT  # (batch, window, 34)
        whole = mass @ _each_axis(JOINTS).T
        middle = (place * mass) @ _each_axis(JOINTS).T / whole
        away = place - middle @ _each_axis(JOINTS)
        spread = ops.sqrt((away * away * mass) @ ALL / (whole @ HALVES))
        center = middle + hips * (middles @ HIPS - middle) + (shoulders - both) * (middles @ SHOULDERS - middle)

        trunk = middles @ TORSO
        torso = ops.sqrt((trunk * trunk) @ ONES)
        both = both * real
        measured = ops.max(both, axis=1, keepdims=True)  # (batch, 1, 1)
        counted = _either(measured, both, real)
        size = _either(measured, torso, spread / SPREAD_PER_TORSO)
        scale = ops.maximum(self._percentile(size * counted, counted), SMALLEST_SCALE)
        return center, scale

    def _percentile(self, values: Any, counted: Any) -> Any:
        """TRUE_LENGTH's percentile, (batch, 1, 1), of those values (batch, window, 1) that count (1, the others 0)."""
        falling = ops.top_k(values[..., 0], self._window)[0]
        rank = ops.floor((1 - TRUE_LENGTH) * ops.sum(counted, axis=1))
        return ops.sum(falling * ops.cast(self._steps == rank, "float32"), axis=1, keepdims=True)[..., None]

    def _floor(self, heights: Any, score: Any, scale: Any, real: Any) -> Any:
        """How low the floor lies in this window, (batch, 1, 1): at the lowest ankle, or by the middle of the body."""
        stands = ops.cast(score @ ANKLES >= RELIED, "float32") * real
        # Padding has its joints at the origin, far from any body: they must not count as the lowest.
        counted = (heights + FAR) * ops.concatenate([real, stands], axis=2)
        middle, *ankles = ops.split(ops.max(counted, axis=1, keepdims=True), 3, axis=2)
        lowest = ops.maximum(*ankles)
        return _either(ops.cast(lowest > 0, "float32"), lowest, middle + LEGS * scale) - FAR


def _either(which: Any, one: Any, other: Any) -> Any:
    """`one` where `which` is 1, `other` where it is 0: a `where` would become six operations of ONNX."""
    return other + which * (one - other)


def _within_reach(values: Any) -> Any:
    return ops.clip(values, -REACH, REACH)


def _length(vectors: Any, count: int) -> Any:
    """Of `count` vectors, x of all and then y of all."""
    return ops.sqrt((vectors * vectors) @ _summed(count) + SOFT)


def _columns(count: int) -> Matrix:
    """The unit vectors as columns: (count, count, 1)."""
    return np.eye(count, dtype=np.float32)[..., None]


def _on_both(matrix: npt.NDArray[Any]) -> Matrix:
    """The same done to x and to y: (n, m) to (2n, 2m)."""
    return np.kron(np.eye(2, dtype=np.float32), matrix).astype(np.float32)


def _on_x(matrix: Matrix) -> Matrix:
    """Done to x alone: (n, m) to (2n, m)."""
    return np.concatenate([matrix, np.zeros_like(matrix)])


def _on_y(matrix: Matrix) -> Matrix:
    """Done to y alone: (n, m) to (2n, m)."""
    return np.concatenate([np.zeros_like(matrix), matrix])


def _on_each(count: int) -> Matrix:
    """One number per joint or limb, for its x and for its y: (count, 2 count)."""
    return np.tile(np.eye(count, dtype=np.float32), 2)


def _summed(count: int) -> Matrix:
    """x and y of each added: (2 count, count)."""
    return _on_each(count).T


def _each_axis(count: int) -> Matrix:
    """An x and a y, for each joint: (2, 2 count)."""
    return np.kron(np.eye(2), np.ones((1, count))).astype(np.float32)


def _picks(names: Iterable[str]) -> Matrix:
    """A matrix that picks these joints: (17, names)."""
    columns = [INDEX[name] for name in names]
    return np.eye(JOINTS, dtype=np.float32)[:, columns]


def _differences(pairs: Iterable[tuple[str, str]]) -> Matrix:
    """A matrix that takes the first joint of each pair from the second: (17, pairs)."""
    starts, ends = zip(*pairs, strict=True)
    return _picks(ends) - _picks(starts)


# What a pose is multiplied by: x of all joints and then y of all, and the scores; then joints picked by their names.
TO_PLACE = np.concatenate([np.kron(np.eye(JOINTS), axis) for axis in _columns(3)[:2]], axis=1).astype(np.float32)
TO_SCORE = np.kron(np.eye(JOINTS), _columns(3)[2]).astype(np.float32)  # (51, 17)
LEFT, RIGHT = (_picks(f"{side}_{joint}" for joint in SIDES) for side in ("left", "right"))  # (17, sides) each
ANKLES = _picks(("left_ankle", "right_ankle"))
ENDS = _picks(f"{side}_{joint}" for joint in MIDDLES for side in ("left", "right"))  # (17, 4)
WIDTH = _picks(f"left_{joint}" for joint in WIDTHS) - _picks(f"right_{joint}" for joint in WIDTHS)
ONE, OTHER = (np.eye(len(LIMBS), dtype=np.float32)[:, list(ends)] for ends in zip(*ANGLES, strict=True))
# What few numbers are multiplied by: left and right added; then hips, shoulders and the way between them picked out of
# (x of hips and shoulders, y of both); x and y of all joints added, x and y added, y alone.
PAIRS = _each_axis(2).T  # (4, 2)
HIPS, SHOULDERS = (_on_both(_columns(2)[at]) for at in range(2))  # (4, 2) each
TORSO = HIPS - SHOULDERS
ALL = np.ones((2 * JOINTS, 1), np.float32)
ONES, Y = np.ones((2, 1), np.float32), _columns(2)[1]
HALVES = ONES / 2
