"""Measures a pose model on made streams it never saw: which moves it finds, what it announces falsely, how late.

The features go through the live recogniser and the move tracker step by step, as a camera's would.

    python -m scripts.measure_made ballet --streams 40 [--card]
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from export.readme import model_page
from live.moves import Move, MoveTracker
from live.recognizer import Head, Recognizer
from models.card import HEAD_FILE, NONE, ModelCard, find_model
from models.encoders import JOINTS_TO_FOLLOW, LIMBS, SEEN, Feature
from models.frames import Box, Frame
from models.runtime import open_session
from train.camera import estimate, random_camera
from train.choreography import MOVES, make_stream
from train.default import STREAM_S, TEST_SEED
from train.event_scores import MoveScore, Span, mean_f1, score_stream

PIXEL = np.zeros((1, 1, 3), np.uint8)


class Replay:
    """Stands where the pose encoder does and gives features that were made, by the same rule of who is seen."""

    provider = "made features"
    input_size = 1
    box: Box | None = None
    keypoints: npt.NDArray[np.float32] | None = None

    def __init__(self, features: npt.NDArray[np.float32]) -> None:
        self.features = features
        self.feature_dim = features.shape[1]

    def prepare(self, frame: Frame) -> npt.NDArray[np.float32]:
        step: npt.NDArray[np.float32] = self.features[frame.index]
        return step

    def infer(self, prepared: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return prepared

    def interpret(self, output: npt.NDArray[np.float32], frame: Frame) -> Feature | None:
        seen = output.reshape(-1, 3)[LIMBS, 2] >= SEEN  # a step that is not a number is not seen either
        return output if np.count_nonzero(seen) >= JOINTS_TO_FOLLOW else None

    def push(self, frame: Frame) -> Feature | None:
        return self.interpret(self.infer(self.prepare(frame)), frame)

    def reset(self) -> None: ...


def main(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a model folder.")] = "ballet",
    streams: Annotated[int, typer.Option(min=1, help="Streams of 37 s; each is seen by one camera.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the streams; training and validation use 1 and 2.")] = TEST_SEED,
    card: Annotated[bool, typer.Option("--card", help="Write the figures into the model's card and page.")] = False,
) -> None:
    """Print a table, then one JSON line."""
    folder = find_model(model)
    model_card = ModelCard.load(folder)
    head = open_session(folder / HEAD_FILE, "cpu")
    scores = {name: MoveScore() for name in model_card.names if name != NONE}
    for index in range(streams):
        stream = make_stream(seed * 1_000_003 + index, STREAM_S, MOVES)
        rng = np.random.default_rng([seed, index])
        times = np.arange(0, stream.seconds - 1 / stream.hz, 1 / model_card.sample_hz)
        steps = np.minimum(np.round(times * stream.hz).astype(int), len(stream.positions) - 1)
        seen = estimate(stream.positions[steps], random_camera(stream.positions, rng), rng)
        features = seen.reshape(len(steps), -1).astype(np.float32)
        announced, shown_at = announcements(model_card, head, features, times)
        danced = [Span(each.move, each.start_s, each.end_s) for each in stream.segments]
        score_stream(scores, danced, announced, shown_at, stream.unsure)
    minutes = streams * STREAM_S / 60
    false_per_minute = sum(score.false for score in scores.values()) / minutes
    delays = [delay for score in scores.values() for delay in score.delays_s] or [0.0]
    print(f"{'move':<16} danced  recall  precision    F1  delay s")
    for name, score in scores.items():
        delay = f"{np.median(score.delays_s):7.2f}" if score.delays_s else "      -"
        print(f"{name:<16} {score.danced:6}  {score.recall:6.2f}  {score.precision:9.2f}  {score.f1:4.2f}  {delay}")
    figures = {
        "event F1, mean over moves": round(mean_f1(scores), 3),
        "false moves per minute": round(false_per_minute, 2),
        "delay to announcement, median s": round(float(np.median(delays)), 2),
    }
    print(json.dumps({"model": model_card.name, "streams": streams, "seed": seed, **figures}))
    if card:
        write_into_card(folder, figures, f"{streams} made streams of {STREAM_S:g} s, seed {seed}, modelled errors")


def write_into_card(folder: Path, figures: Mapping[str, float], measured_on: str) -> None:
    """Put figures, each with what it was measured on, into a model's card and its page."""
    card = ModelCard.load(folder)
    measured = {**card.measured, **{f"{name} ({measured_on})": value for name, value in figures.items()}}
    finished = card.model_copy(update={"measured": measured})
    finished.save(folder)
    (folder / "README.md").write_text(model_page(finished), "utf-8")


def announcements(
    card: ModelCard, head: Head, features: npt.NDArray[np.float32], times: npt.NDArray[np.float64]
) -> tuple[list[Span], list[float]]:
    """Run features through recogniser and tracker: the moves announced, and when each appeared on the display."""
    recognizer, tracker = Recognizer(card, Replay(features), head), MoveTracker(card)
    announced: list[Span] = []
    shown_at: list[float] = []
    showing: float | None = None

    def end(move: Move | None, now_s: float) -> None:
        nonlocal showing
        if move:
            announced.append(Span(move.name, move.start_s, move.end_s))
            shown_at.append(now_s if showing is None else showing)
            showing = None

    for index, time_s in enumerate(times):
        prediction = recognizer.push(Frame(PIXEL, index, float(time_s)))
        end(tracker.update(prediction) if prediction else tracker.lost(float(time_s)), float(time_s))
        if tracker.current and showing is None:
            showing = float(time_s)
    end(tracker.finish(), float(times[-1]))
    return announced, shown_at


if __name__ == "__main__":
    typer.run(main)
