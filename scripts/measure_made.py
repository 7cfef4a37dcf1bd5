"""Measures a pose model on made streams it never saw: which moves it finds, what it announces falsely, how late.

The features go through the live recogniser and the move tracker step by step, as a camera's would.

    python -m scripts.measure_made ballet --streams 40 [--card]
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
import typer

from export.readme import model_page
from live.evaluate import Watched, watch
from live.moves import MoveTracker
from live.recognizer import Recognizer
from live.several import Head
from models.card import HEAD_FILE, ModelCard, find_model
from models.encoders import JOINTS_TO_FOLLOW, LIMBS, SEEN, Feature
from models.errors import told
from models.frames import Box, Frame
from models.runtime import open_session
from train.body import Array
from train.camera import NEAREST, Camera, inside, random_camera
from train.camera import SEEN as JOINTS_SEEN
from train.choreography import MOVES, Stream, make_stream
from train.default import STREAM_S, TEST_SEED
from train.estimator import estimate
from train.event_scores import Span, meets
from train.filming import facing, side_seen
from train.held_camera import held
from train.stream_report import StreamReport, print_tables, write_stream_report
from train.stream_scores import StreamResult, score

PIXEL = np.zeros((1, 1, 3), np.uint8)
LEAST_SEEN = 0.5  # of the time of a move in which the dancer is in the picture, for it to count as danced


class Replay:
    """Stands where the pose encoder does and gives features that were made, by the same rule of who is seen."""

    provider = "made features"
    input_size = 1
    whole_frame = False
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

    def another(self) -> Self:
        return type(self)(self.features)


def main(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a model folder.")] = "ballet",
    streams: Annotated[int, typer.Option(min=1, help="Streams of 37 s; each is seen by one camera.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the streams; training and validation use 1 and 2.")] = TEST_SEED,
    card: Annotated[bool, typer.Option("--card", help="Write the figures into the model's card and page.")] = False,
    report: Annotated[Path | None, typer.Option(help="Folder for a report by move and view, with pictures.")] = None,
    in_hands: Annotated[bool, typer.Option("--in-hands", help="Every camera is held and follows the dancer.")] = False,
) -> None:
    """Print the figures by move, then one JSON line.

    What is danced where the camera does not see it counts neither as danced nor, if it is announced, as false.
    """
    folder = find_model(model)
    model_card = ModelCard.load(folder)
    head = open_session(folder / HEAD_FILE, "cpu")
    results = [_result(model_card, head, seed, index, in_hands) for index in range(streams)]
    scores = score(results, model_card.names)
    displays = [move.display for move in model_card.moves]
    print_tables(StreamReport(scores, {}), model_card.names, displays)
    what = "moves seen by cameras in hands" if in_hands else "moves in the picture"
    measured_on = f"{streams} made streams of {STREAM_S:g} s, seed {seed}, modelled errors, {what}"
    if report:
        write_stream_report(
            report,
            title=f"{model_card.name} on made streams",
            names=model_card.names,
            results=results,
            measured_on={"head": model_card.head.sha256, "what": measured_on},
            displays=displays,
        )
    figures = {
        "event F1, mean over moves": round(scores.mean_f1, 3),
        "false moves per minute": round(scores.false_per_minute, 2),
        "delay to announcement, median s": round(scores.delay_s(50), 2),
    }
    called, nameless = misnamed(results, model_card.names)
    if nameless:
        figures["share of moves without a name that are called another"] = round(called / nameless, 3)
    more = {
        "average precision of steps, mean over moves": round(scores.mean_average_precision, 3),
        "calibration error": round(scores.calibration.error, 3),
    }
    print(json.dumps({"model": model_card.name, "streams": streams, "seed": seed, **figures, **more}))
    if card:
        write_into_card(folder, figures, measured_on)


def _result(card: ModelCard, head: Head, seed: int, index: int, in_hands: bool) -> StreamResult:
    """One made stream, seen by one camera."""
    stream = make_stream(seed * 1_000_003 + index, STREAM_S, MOVES)
    rng = np.random.default_rng([seed, index])
    times = np.arange(0, stream.seconds - 1 / stream.hz, 1 / card.sample_hz)
    steps = np.minimum(np.round(times * stream.hz).astype(int), len(stream.positions) - 1)
    filmed = stream.positions[steps]
    camera = random_camera(stream.positions, rng)
    if in_hands:
        camera = held(camera, filmed, card.sample_hz, np.random.default_rng([seed, index, 1]))
    seen = estimate(filmed, camera, rng)
    features = seen.reshape(len(steps), -1).astype(np.float32)
    danced, hidden = part_by_sight(stream, times, in_the_picture(filmed, camera))
    watched = watch_features(card, head, features, times)
    view = side_seen(camera, facing(stream))
    return as_result(watched, f"made-{seed}-{index}", stream.seconds, danced, [*stream.unsure, *hidden], view)


def in_the_picture(positions: Array, camera: Camera) -> npt.NDArray[np.bool_]:
    """In which steps enough joints are in the picture for the encoder to follow the dancer; (steps,)."""
    places = camera.project(positions[:, JOINTS_SEEN][:, LIMBS])
    seen = inside(places[..., :2], camera.aspect) & (places[..., 2] > NEAREST)
    return np.asarray(np.count_nonzero(seen, axis=1) >= JOINTS_TO_FOLLOW)


def part_by_sight(
    stream: Stream, times: npt.NDArray[np.float64], seen: npt.NDArray[np.bool_]
) -> tuple[list[Span], list[tuple[float, float]]]:
    """The moves danced in the picture, and the times of those danced outside of it, where nobody can find them.

    Args:
        stream: what is danced.
        times, seen: (steps,) when it was looked at, and whether the dancer was in the picture.
    """
    danced: list[Span] = []
    hidden: list[tuple[float, float]] = []
    for each in stream.segments:
        during = seen[(times >= each.start_s) & (times < each.end_s)]
        if during.size and during.mean() < LEAST_SEEN:
            hidden.append((each.start_s, each.end_s))
        else:
            danced.append(Span(each.move, each.start_s, each.end_s))
    return danced, hidden


def misnamed(results: Sequence[StreamResult], names: Sequence[str]) -> tuple[int, int]:
    """Of the moves danced that the model has no name for, how many are announced as others, and how many they are."""
    nameless = [(result, span) for result in results for span in result.danced if span.move not in names]
    called = [any(meets(said, span) for said in result.announced) for result, span in nameless]
    return sum(called), len(called)


def write_into_card(folder: Path, figures: Mapping[str, float], measured_on: str) -> None:
    """Put figures, each with what it was measured on, into a model's card and its page."""
    card = ModelCard.load(folder)
    measured = {**card.measured, **{f"{name} ({measured_on})": value for name, value in figures.items()}}
    finished = card.model_copy(update={"measured": measured})
    finished.save(folder)
    (folder / "README.md").write_text(model_page(finished), "utf-8")


def watch_features(
    card: ModelCard, head: Head, features: npt.NDArray[np.float32], times: npt.NDArray[np.float64]
) -> Watched:
    """Run features through recogniser and tracker."""
    frames = (Frame(PIXEL, index, float(time_s)) for index, time_s in enumerate(times))
    return watch(Recognizer(card, Replay(features), head), MoveTracker(card), frames)


def announcements(
    card: ModelCard, head: Head, features: npt.NDArray[np.float32], times: npt.NDArray[np.float64]
) -> tuple[list[Span], list[float]]:
    """Run features through recogniser and tracker: the moves announced, and when each appeared on the display."""
    watched = watch_features(card, head, features, times)
    return spans_of(watched), list(watched.shown_at_s)


def spans_of(watched: Watched) -> list[Span]:
    return [Span(move.name, move.start_s, move.end_s) for move in watched.moves]


def as_result(
    watched: Watched,
    name: str,
    seconds: float,
    danced: Sequence[Span],
    ignored: Sequence[tuple[float, float]],
    view: str | None = None,
) -> StreamResult:
    """What was seen of a stream beside what was danced in it, to be scored."""
    return StreamResult(
        name=name,
        seconds=seconds,
        times_s=watched.times_s,
        probabilities=watched.probabilities,
        announced=spans_of(watched),
        shown_at_s=watched.shown_at_s,
        danced=danced,
        ignored=ignored,
        view=view,
    )


if __name__ == "__main__":
    with told():
        typer.run(main)
