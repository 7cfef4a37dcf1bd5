"""Whether a model in int8 finds as many moves as in float, and how much faster its encoder is.

Made streams are drawn as video frames, each seen by both encoders, each of which follows the dancer by what it sees
itself; then both heads and the move tracker go over them as they would live.

    pointe export ballet out/ballet-int8 --int8 --video live/assets/demo.mp4
    python -m scripts.measure_int8 ballet out/ballet-int8 --streams 40 [--card]
"""

import json
import time
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from export.int8 import MOVED, moved_share
from live.several import Head
from models.card import ENCODER_FILE, HEAD_FILE, ModelCard, find_model
from models.encoders import Encoder, open_encoder
from models.errors import told
from models.frames import Frame
from models.runtime import open_session
from scripts.measure_made import as_result, watch_features, write_into_card
from train.choreography import MOVES, Stream, make_stream
from train.default import STREAM_S, TEST_SEED
from train.event_scores import Span
from train.filming import any_film
from train.stream_scores import StreamResult, score

HEIGHT = 360  # pixels
WARM_UP = 20  # frames


@dataclass
class Measured:
    """One of the models, and all it made of the streams."""

    card: ModelCard
    encoder: Encoder
    head: Head
    results: list[StreamResult] = field(default_factory=list)
    features: list[npt.NDArray[np.float32]] = field(default_factory=list)  # of each stream; unseen steps are NaN
    encode_s: list[float] = field(default_factory=list)  # of this thread, so that other processes count little

    @classmethod
    def open(cls, model: str) -> "Measured":
        folder = find_model(model)
        card = ModelCard.load(folder)
        encoder = open_encoder(card.encoder.kind, folder / ENCODER_FILE, "cpu")
        return cls(card, encoder, open_session(folder / HEAD_FILE, "cpu"))

    def see(self, frame: Frame) -> npt.NDArray[np.float32]:
        prepared = self.encoder.prepare(frame)
        begun = time.thread_time()
        output = self.encoder.infer(prepared)
        self.encode_s.append(time.thread_time() - begun)
        feature = self.encoder.interpret(output, frame)
        return np.full(self.encoder.feature_dim, np.nan, np.float32) if feature is None else feature.copy()

    def ms(self) -> float:
        return 1000 * float(np.median(self.encode_s[WARM_UP:]))


def main(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a model folder; in float.")],
    int8: Annotated[str, typer.Argument(help="The same in int8.")],
    streams: Annotated[int, typer.Option(min=1, help="Streams of 37 s; each is filmed by one camera.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the streams; training and validation use 1 and 2.")] = TEST_SEED,
    card: Annotated[bool, typer.Option("--card", help="Write the figures into INT8's card and page.")] = False,
) -> None:
    """Print the figures after each stream, then one JSON line."""
    both = [Measured.open(model), Measured.open(int8)]
    figures: dict[str, float] = {}
    for index in range(streams):
        _watch_stream(both, seed, index)
        figures = _figures(*both)
        print(f"{index + 1} of {streams}: {figures}", flush=True)
    print(json.dumps({"model": model, "int8": int8, "streams": streams, "seed": seed, **figures}))
    if card:
        on = f"{streams} made streams of {STREAM_S:g} s drawn as video, seed {seed}, int8 and float on the same frames"
        write_into_card(find_model(int8), figures, on)


def _watch_stream(both: list[Measured], seed: int, index: int) -> None:
    """One made stream, filmed once, through both models."""
    stream = make_stream(seed * 1_000_003 + index, STREAM_S, MOVES)
    times = np.arange(0, stream.seconds - 1 / stream.hz, 1 / both[0].card.sample_hz)
    seen = _film(both, stream, times, np.random.default_rng([seed, index]))
    danced = [Span(each.move, each.start_s, each.end_s) for each in stream.segments]
    for one, features in zip(both, seen, strict=True):
        watched = watch_features(one.card, one.head, features, times)
        one.features.append(features)
        one.results.append(as_result(watched, f"drawn-{seed}-{index}", stream.seconds, danced, stream.unsure))


def _film(
    both: list[Measured], stream: Stream, times: npt.NDArray[np.float64], rng: np.random.Generator
) -> list[npt.NDArray[np.float32]]:
    film = any_film(stream, rng, HEIGHT)
    seen: list[list[npt.NDArray[np.float32]]] = [[] for _ in both]
    for one in both:
        one.encoder.reset()
    for index, time_s in enumerate(times):
        step = min(round(time_s * stream.hz), len(stream.positions) - 1)
        frame = Frame(film.shoot(stream.positions[step], stream.joint_names, float(time_s)), index, float(time_s))
        for one, features in zip(both, seen, strict=True):
            features.append(one.see(frame))
    return [np.stack(features) for features in seen]


def _figures(floating: Measured, int8: Measured) -> dict[str, float]:
    before, after = (score(one.results, one.card.names) for one in (floating, int8))
    wanted, got = np.concatenate(floating.features), np.concatenate(int8.features)
    by_both = np.isfinite(wanted).all(axis=1) & np.isfinite(got).all(axis=1)
    return {
        "event F1 in float, mean over moves": round(before.mean_f1, 4),
        "event F1 in int8, mean over moves": round(after.mean_f1, 4),
        "event F1 in float, all events": round(before.together.f1, 4),
        "event F1 in int8, all events": round(after.together.f1, 4),
        "false moves per minute in float": round(before.false_per_minute, 2),
        "false moves per minute in int8": round(after.false_per_minute, 2),
        f"joints moved by {MOVED:g} torsos or more": round(moved_share(wanted[by_both], got[by_both]), 4),
        "times as fast, encoder": round(floating.ms() / int8.ms(), 2),
    }


if __name__ == "__main__":
    with told():
        typer.run(main)
