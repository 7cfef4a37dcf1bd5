"""The networks: windows of features in, one probability per move out. Needs Keras, hence the [train] extra.

`pointe` is small and made for streams; `original` is the network of the five-video-classification-methods family
that this project descends from. Neither knows where the features came from, but for the pose's geometry.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from models.errors import ModelError
from models.keypoints import INDEX, KEYPOINTS
from train.settings import TrainSettings

POSE_DIM = 3 * len(KEYPOINTS)

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


@keras.saving.register_keras_serializable(package="pointe")
class PoseGeometry(keras.layers.Layer):  # type: ignore[misc]
    """Poses in the picture made into what the body does, the same wherever and however large it is seen.

    In: (batch, window, 51), per keypoint x, y in units of the frame's height and the score. Out: (batch, window,
    features), every number finite and of the order of 1, whatever comes in. Steps of padding (all zeros) stay zeros.

    Some features come in pairs that stay the same when left and right swap, because an estimate from behind or in
    profile swaps them; the signed widths say which way the body faces.
    """

    def build(self, input_shape: Any) -> None:
        if input_shape[-1] != POSE_DIM:
            raise ValueError(f"a pose has {POSE_DIM} numbers, not {input_shape[-1]}")
        self._window = int(input_shape[1])
        self._limbs = _differences(LIMBS)  # (17, limbs)
        limbs = np.eye(len(LIMBS), dtype=np.float32)
        self._one, self._other = (limbs[:, list(ends)] for ends in zip(*ANGLES, strict=True))  # (limbs, angles) each
        self._left = _picks(f"left_{side}" for side in SIDES)  # (17, sides)
        self._right = _picks(f"right_{side}" for side in SIDES)
        self._hips = _picks(("left_hip", "right_hip"))
        self._shoulders = _picks(("left_shoulder", "right_shoulder"))
        self._ankles = _picks(("left_ankle", "right_ankle"))
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        sides, limbs = len(SIDES), len(LIMBS)
        paired = 4 * len(KEYPOINTS) + 3 * 2 * sides + 2 * sides
        single = len(KEYPOINTS) + 3 * limbs + len(ANGLES) + len(WIDTHS) + 2 + 1 + 2
        return (*input_shape[:2], paired + single)

    def call(self, poses: Any) -> Any:
        poses = ops.where(ops.isnan(poses), ops.zeros_like(poses), poses)
        real = ops.cast(ops.any(poses != 0, axis=2, keepdims=True), "float32")  # (batch, window, 1)
        joints = ops.reshape(poses, (-1, self._window, len(KEYPOINTS), 3))
        place = ops.clip(ops.transpose(joints[..., :2], (0, 1, 3, 2)), -FAR, FAR)  # (batch, window, 2, 17)
        score = ops.clip(joints[..., 2], 0, 1)  # (batch, window, 17)

        center, scale, floor = self._frame_of_reference(place, score, real)
        body = ops.clip((place - center) / scale, -REACH, REACH)
        travel = _velocity(center / scale, real)  # (batch, window, 2, 1)
        motion = _velocity(body, real)

        limb = body @ self._limbs  # (batch, window, 2, limbs)
        length = ops.sqrt(ops.sum(limb * limb, axis=2, keepdims=True) + SOFT)
        direction = limb / length
        # by matrices that pick, since a slice for each would take longer in ONNX than all the rest
        angles = ops.sum((direction @ self._one) * (direction @ self._other), axis=2)  # (batch, window, angles)

        left, right = body @ self._left, body @ self._right  # (batch, window, 2, sides)
        apart = ops.abs(left - right)
        width = (left - right)[:, :, 0, :: SIDES.index("hip")]  # of shoulders and hips, in x
        speed = ops.sqrt(ops.sum(motion * motion, axis=2, keepdims=True) + SOFT)  # (batch, window, 1, 17)
        left_speed, right_speed = speed @ self._left, speed @ self._right
        height = ops.clip((floor - center[:, :, 1]) / scale[..., 0], -REACH, REACH)  # (batch, window, 1)
        ankles = ops.clip((floor - place[:, :, 1] @ self._ankles) / scale[..., 0], -REACH, REACH)

        flat = [
            body,
            motion,
            direction,
            length,
            ops.minimum(left, right),
            ops.maximum(left, right),
            apart,
            ops.minimum(left_speed, right_speed),
            ops.maximum(left_speed, right_speed),
            travel,
        ]
        told = [ops.reshape(part, (-1, self._window, int(np.prod(part.shape[2:])))) for part in flat]
        told += [score, angles, width, height, ops.minimum(ankles[..., :1], ankles[..., 1:])]
        told += [ops.maximum(ankles[..., :1], ankles[..., 1:])]
        return ops.concatenate(told, axis=-1) * real

    def _frame_of_reference(self, place: Any, score: Any, real: Any) -> tuple[Any, Any, Any]:
        """Where the body's middle is in each step, how long its torso is, and where the floor lies in this window.

        Returns:
            center (batch, window, 2, 1), scale (batch, 1, 1, 1), floor (batch, 1, 1).
        """
        hip, hip_seen = _middle(place, score, self._hips)
        shoulder, shoulder_seen = _middle(place, score, self._shoulders)
        weight = (score + SOFT)[:, :, None]  # (batch, window, 1, 17)
        middle = ops.sum(place * weight, axis=3, keepdims=True) / ops.sum(weight, axis=3, keepdims=True)
        spread = ops.sqrt(
            ops.sum((place - middle) ** 2 * weight, axis=(2, 3)) / ops.sum(weight, axis=(2, 3))
        )  # (batch, window)
        torso = ops.sqrt(ops.sum((hip - shoulder) ** 2, axis=(2, 3)))
        both = (hip_seen * shoulder_seen)[..., 0, 0] * real[..., 0]
        measured = ops.sum(both, axis=1, keepdims=True) > 0  # (batch, 1)
        scale = ops.where(
            measured,
            _percentile(torso * both, both),
            _percentile(spread * real[..., 0], real[..., 0]) / SPREAD_PER_TORSO,
        )
        scale = ops.maximum(scale, SMALLEST_SCALE)[..., None, None]

        center = ops.where(hip_seen > 0, hip, ops.where(shoulder_seen > 0, shoulder, middle))
        # Padding has its middle at the origin, far from any body: it must not count as the lowest ankle.
        stands = ops.cast((score @ self._ankles) >= RELIED, "float32") * real
        ankle = stands * (place[:, :, 1] @ self._ankles) + (1 - stands) * -FAR  # (batch, window, 2)
        lowest = ops.max(ankle, axis=(1, 2), keepdims=True)
        lowest_center = ops.max(center[:, :, 1] * real + (1 - real) * -FAR, axis=1, keepdims=True)
        floor = ops.where(ops.any(stands > 0, axis=(1, 2), keepdims=True), lowest, lowest_center + 2 * scale[..., 0])
        return center, scale, floor


def _middle(place: Any, score: Any, pair: Any) -> tuple[Any, Any]:
    """Between two joints, nearer the surer one; and whether either is seen. Both (batch, window, .., 1)."""
    sure = (score @ pair)[:, :, None]  # (batch, window, 1, 2)
    weight = sure * sure + SOFT
    middle = ops.sum((place @ pair) * weight, axis=3, keepdims=True) / ops.sum(weight, axis=3, keepdims=True)
    return middle, ops.cast(ops.max(sure, axis=3, keepdims=True) >= RELIED, "float32")


def _velocity(position: Any, real: Any) -> Any:
    """Change since the step before, 0 where there was none. Position is (batch, window, 2, n)."""
    known = (real[:, 1:] * real[:, :-1])[..., None]
    change = ops.clip((position[:, 1:] - position[:, :-1]) * VELOCITY_GAIN, -REACH, REACH) * known
    return ops.pad(change, ((0, 0), (1, 0), (0, 0), (0, 0)))


def _percentile(values: Any, counted: Any) -> Any:
    """TRUE_LENGTH's percentile of those values (batch, window) that count (1, the others being 0): (batch, 1)."""
    window = values.shape[1]
    falling = ops.top_k(values, window)[0]
    rank = ops.floor((1 - TRUE_LENGTH) * ops.sum(counted, axis=1, keepdims=True))
    return ops.sum(
        falling * ops.cast(np.arange(window, dtype=np.float32)[None] == rank, "float32"), axis=1, keepdims=True
    )


def _picks(names: Any) -> Any:
    """A matrix that picks these joints: (17, names)."""
    columns = [INDEX[name] for name in names]
    matrix = np.zeros((len(KEYPOINTS), len(columns)), np.float32)
    matrix[columns, np.arange(len(columns))] = 1
    return matrix


def _differences(pairs: Any) -> Any:
    """A matrix that takes the first joint of each pair from the second: (17, pairs)."""
    return _picks(end for _, end in pairs) - _picks(start for start, _ in pairs)


def build_network(settings: TrainSettings, feature_dim: int, classes: int, pose: bool) -> keras.Model:
    """An untrained head: "features" (batch, window, feature_dim) in, "probabilities" (batch, classes) out.

    Args:
        settings: which head, how wide.
        feature_dim: length of the encoder's features.
        classes: how many moves.
        pose: the features are poses, so the `pointe` head looks at their geometry first.
    """
    features = keras.Input((settings.window, feature_dim), name="features")
    body = _original if settings.head == "original" else _pointe
    x = body(PoseGeometry(name="geometry")(features) if pose and settings.head == "pointe" else features, settings)
    answer = keras.layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(features, answer, name=settings.head)


def _pointe(x: Any, settings: TrainSettings) -> Any:
    x = keras.layers.Dense(settings.dense, name="dense")(x)
    x = keras.layers.LayerNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Dropout(settings.dropout, name="dropout")(x)
    # Dropout inside the recurrence, a mask or a GRU would be exported as a Loop, ten times slower.
    return keras.layers.LSTM(settings.units, return_sequences=True, name="lstm")(x)[:, -1]


def _original(x: Any, settings: TrainSettings) -> Any:
    x = keras.layers.LSTM(settings.units, dropout=settings.dropout, name="lstm")(x)
    x = keras.layers.Dense(settings.dense, activation="relu", name="dense")(x)
    return keras.layers.Dropout(settings.dropout, name="dropout")(x)


def answering_along(model: keras.Model) -> keras.Model:
    """The same `pointe` head, sharing every weight, that answers at each step: (batch, window, classes).

    To be trained through: an answer at every step of a window teaches more than one at its end.
    """
    answers = model.get_layer("probabilities")(model.get_layer("lstm").output)
    return keras.Model(model.input, answers, name="along")


@keras.saving.register_keras_serializable(package="pointe")
class OneOfThem(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy for labels that may leave open which of several classes it is: -log of what these have together.

    With a single class it is the usual cross-entropy, with the usual label smoothing.
    Ref: Jin and Ghahramani 2002, Learning with Multiple Labels.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "one_of_them", **others: Any) -> None:
        super().__init__(name=name, **others)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(..., classes) of ones where the answer may be, and of probabilities, to (...,)."""
        sure = ops.clip(y_pred, keras.backend.epsilon(), 1.0)
        right = -ops.log(ops.clip(ops.sum(y_true * sure, axis=-1), keras.backend.epsilon(), 1.0))
        return (1 - self.label_smoothing) * right - self.label_smoothing * ops.mean(ops.log(sure), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def compile_network(model: keras.Model, settings: TrainSettings, steps: int) -> None:
    """Give the network its optimiser and loss; `steps` is how many it will be trained at most."""
    if settings.head == "original":
        # What Keras 2 called Adam(lr, decay=1e-6).
        rate = keras.optimizers.schedules.InverseTimeDecay(settings.learning_rate, 1, 1e-6)
        optimizer = keras.optimizers.Adam(rate)
    else:
        rising = max(1, round(steps * settings.warmup))
        rate = keras.optimizers.schedules.CosineDecay(
            settings.learning_rate / 25,
            max(1, steps - rising),
            alpha=1e-3,
            warmup_target=settings.learning_rate,
            warmup_steps=rising,
        )
        optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, clipnorm=1.0)
    model.compile(
        optimizer, OneOfThem(settings.label_smoothing), weighted_metrics=[], metrics=["accuracy"], jit_compile=False
    )


def load_head(path: Path) -> keras.Model:
    """A trained head from RUN/head.keras; that this module is imported lets Keras know its layers.

    Raises:
        ModelError: the file is missing or holds no such network.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path} cannot be loaded: {str(error).splitlines()[0]}\nTrain again: pointe train") from error
