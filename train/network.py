"""The networks: windows of features in, one probability per move out. Needs Keras, hence the [train] extra.

`pointe` is small and made for streams; `original` is the network of the five-video-classification-methods family
that this project descends from. Neither knows where the features came from, but for the pose's geometry.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from models.errors import ModelError
from train.geometry import PoseGeometry
from train.settings import TrainSettings

# Of a loss that labels and teachers share.
TEACHERS_SHARE = 0.7


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
class OneOfThem(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
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
        right = _surprise(y_true, sure)
        return (1 - self.label_smoothing) * right - self.label_smoothing * ops.mean(ops.log(sure), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def _surprise(may_be: Any, sure: Any) -> Any:
    """-log of what the classes that it may be have together: (..., classes) each, to (...,)."""
    return -ops.log(ops.clip(ops.sum(may_be * sure, axis=-1), keras.backend.epsilon(), 1.0))


class Taught(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy to what teachers say, by `TEACHERS_SHARE`, and for the rest to labels as `OneOfThem` has it.

    What several networks agree on they have not by chance, and one that is taught by their mean costs no more to run
    than one of them. Ref: Hinton, Vinyals and Dean 2015, Distilling the Knowledge in a Neural Network.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(..., 2 * classes), where the answer may be and then the teachers' mean; (..., classes) probabilities."""
        may_be, taught = ops.split(y_true, 2, axis=-1)
        sure = ops.clip(y_pred, keras.backend.epsilon(), 1.0)
        right = _surprise(may_be, sure)
        return (1 - TEACHERS_SHARE) * right - TEACHERS_SHARE * ops.sum(taught * ops.log(sure), axis=-1)


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """How often the likeliest answer is right; what teachers say beside the labels does not count."""
    return keras.metrics.categorical_accuracy(y_true[..., : y_pred.shape[-1]], y_pred)


def mean_along(heads: Sequence[Path]) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
    """The mean of what trained `pointe` heads say at each step: (batch, window, dim) to (batch, window, classes).

    Raises:
        ModelError: one of them cannot be loaded.
    """
    teachers = [answering_along(load_head(head)) for head in heads]
    mean = tf.function(lambda windows: tf.add_n([each(windows, training=False) for each in teachers]) / len(teachers))
    return lambda windows: np.asarray(mean(tf.constant(windows)))


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
