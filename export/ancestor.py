"""The networks of the project that pointe descends from, its way to run them, and the same networks as model folders.

Its way: Keras `predict` of InceptionV3 for every frame, then `predict` of its LSTM over the last 40 features. The
weights are random (their values do not change the time), so nothing is downloaded.
"""

from collections import deque
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import cv2
import keras
import numpy as np

from export.folder import with_hashes
from export.pretrained import convert_image_encoder
from export.quantize import quantize_encoder, quantize_head
from export.untrained import write_untrained
from models.card import ENCODER_FILE, HEAD_FILE, ModelCard
from models.frames import Image, read_video, to_input

WINDOW, SIZE, FEATURES, MOVES = 40, 299, 2048, 20
# How far the exported InceptionV3 may differ from Keras: as for the one with weights, see export/pretrained.py.
TOLERANCE = 5e-4
# Frames that show the ranges in int8, every so many of the video; of random weights nothing finer is worth it.
PICTURES, APART = 10, 20


class Ancestor:
    """InceptionV3 and LSTM(2048) in Keras. Within a `with`, also as model folders for pointe."""

    def __init__(self) -> None:
        """The window starts full, since until then there is nothing to measure."""
        keras.utils.set_random_seed(0)
        self._cnn = keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg")
        self._head = keras.Sequential(
            [
                keras.Input((WINDOW, FEATURES)),
                keras.layers.LSTM(2048, dropout=0.5),
                keras.layers.Dense(512, activation="relu"),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(MOVES, activation="softmax"),
            ]
        )
        self._window = deque([np.zeros(FEATURES, np.float32)] * WINDOW, maxlen=WINDOW)
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="pointe-ancestor-")
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._folder:
            self._folder.cleanup()

    def answer(self, image: Image) -> Any:
        """What it does for a frame (height, width, 3) BGR: the probabilities (moves,)."""
        picture = cv2.cvtColor(cv2.resize(image, (SIZE, SIZE)), cv2.COLOR_BGR2RGB)
        batch = keras.applications.inception_v3.preprocess_input(picture[None].astype(np.float32))
        self._window.append(self._cnn.predict(batch, verbose=0)[0])
        return self._head.predict(np.stack(self._window)[None], verbose=0)[0]

    def as_model(self) -> Path:
        """The very networks, with their weights, as a model folder that lives as long as the `with`.

        Raises:
            ExportError: an exported network is not what it was in Keras.
        """
        assert self._folder is not None, "as_model is called within a with"
        folder = Path(self._folder.name) / "ancestor"
        image = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
        scaled = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
        encoder = keras.Model(image, self._cnn(scaled, training=False))
        convert_image_encoder(encoder, folder / ENCODER_FILE, TOLERANCE)
        return write_untrained(folder, folder / ENCODER_FILE, self._head, name="original")

    def in_int8(self, model: Path, video: Path) -> Path:
        """What `as_model` gave, in int8. How far its answers go off is not looked at: its weights are random.

        Raises:
            SourceError: the video cannot be read.
        """
        folder = model.with_name("ancestor-int8")
        folder.mkdir()
        frames = islice(read_video(video), 0, PICTURES * APART, APART)
        pictures = [to_input(frame.image, None, SIZE)[None] for frame in frames]
        quantize_encoder(model / ENCODER_FILE, folder / ENCODER_FILE, pictures)
        quantize_head(model / HEAD_FILE, folder / HEAD_FILE)
        card = ModelCard.load(model)
        with_hashes(card.model_copy(update={"name": f"{card.name} in int8"}), folder).save(folder)
        return folder
