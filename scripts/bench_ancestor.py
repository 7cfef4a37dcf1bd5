"""Measures pointe beside the way of the project it descends from, on the same frames in one run.

The ancestor's way: Keras `predict` of InceptionV3 for every frame, then `predict` of its LSTM over the last 40
features. Its weights are random here (their values do not change the time), so nothing is downloaded.

    python -m scripts.bench_ancestor [SOURCE] --frames 40
"""

import json
import os
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from live.address import DEMO
from live.bench import EVERY_FRAME_HZ, endless
from live.recognizer import Recognizer
from models.card import find_model
from models.frames import Frame
from models.machine import machine, versions

WINDOW, SIZE, FEATURES = 40, 299, 2048
ROUNDS = 4  # the two take turns, so that a noisy machine is noisy for both

Answer = Callable[[Frame], object]


def main(
    source: Annotated[Path, typer.Argument(help="A video file.")] = DEMO,
    frames: Annotated[int, typer.Option(min=ROUNDS, help="Frames for each of the two.")] = 40,
    model: Annotated[str, typer.Option(help="The model that pointe runs.")] = "ballet",
) -> None:
    """Print a table, then one JSON line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    contenders = {"ancestor": ancestor(), "pointe": pointe(model)}
    stream = endless(source)
    # Fill both windows first: until then there is no head to wait for.
    for frame in islice(stream, WINDOW):
        contenders["pointe"](frame)
    contenders["ancestor"](next(stream))

    seconds = dict.fromkeys(contenders, 0.0)
    each = frames // ROUNDS
    for _ in range(ROUNDS):
        batch = list(islice(stream, each))
        for name, answer in contenders.items():
            start = time.perf_counter()
            for frame in batch:
                answer(frame)
            seconds[name] += time.perf_counter() - start
    per_frame_ms = {name: 1000 * total / (ROUNDS * each) for name, total in seconds.items()}
    for name, ms in per_frame_ms.items():
        print(f"{name:<9} {ms:8.1f} ms a frame {1000 / ms:8.1f} frames/s")
    ratio = per_frame_ms["ancestor"] / per_frame_ms["pointe"]
    print(f"pointe answers {ratio:.0f} times as often")
    document = {
        "source": source.name,
        "frames": ROUNDS * each,
        "ancestor_ms": round(per_frame_ms["ancestor"], 2),
        "pointe_ms": round(per_frame_ms["pointe"], 2),
        "ratio": round(ratio, 1),
        "model": model,
        "machine": machine(),
        "versions": versions(),
    }
    print(json.dumps(document))


def ancestor() -> Answer:
    """InceptionV3 and LSTM(2048) in Keras, called as the ancestor's demo calls them. The window starts full."""
    import keras

    cnn = keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg")
    head = keras.Sequential(
        [
            keras.Input((WINDOW, FEATURES)),
            keras.layers.LSTM(2048, dropout=0.5),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(20, activation="softmax"),
        ]
    )
    window = deque([np.zeros(FEATURES, np.float32)] * WINDOW, maxlen=WINDOW)

    def answer(frame: Frame) -> object:
        image = cv2.cvtColor(cv2.resize(frame.image, (SIZE, SIZE)), cv2.COLOR_BGR2RGB)
        batch = keras.applications.inception_v3.preprocess_input(image[None].astype(np.float32))
        window.append(cnn.predict(batch, verbose=0)[0])
        return head.predict(np.stack(window)[None], verbose=0)

    return answer


def pointe(model: str) -> Answer:
    """The live recogniser, made to encode every frame and to answer for each."""
    return Recognizer.load(find_model(model), "cpu", sample_hz=EVERY_FRAME_HZ).push


if __name__ == "__main__":
    typer.run(main)
