"""Films recorded motion from several sides and measures a model on it: turns, jetés, arabesques, and false moves.

The shipped model learnt from this motion, so of that one the figures say little: see scripts/measure_phrases.py.

The motion is that of `../shared/mocap`: a real dancer and everyday people, as joint positions with labels. Each trial
is drawn on the made body, seen by the pose encoder, and run through recogniser and tracker step by step.

    python -m scripts.measure_mocap ballet ../shared/mocap --cache out/mocap
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

import train.body
import train.camera
import train.dancer
import train.figure
import train.mirror
from live.several import Head
from models.card import HEAD_FILE, NONE, ModelCard, find_model, sha256_of
from models.encoders import open_encoder
from models.errors import SourceError, told
from models.frames import Frame
from models.pretrained import pretrained_path
from models.runtime import open_session
from scripts.measure_made import as_result, watch_features
from train.at_once import each_of
from train.cache import code_hash, write_arrays
from train.camera import look_from
from train.dancer import Film
from train.event_scores import Span
from train.recorded import read_labels
from train.stream_report import StreamReport, print_tables
from train.stream_scores import StreamResult, StreamScores, by_view, per_minute, score

AZIMUTHS_DEG = (-60, 0, 45, 180)
SIDES = ", ".join(f"{azimuth}°" for azimuth in AZIMUTHS_DEG)
HEIGHT = 360  # pixels
CAMERA = {"height": 1.2, "distance": 4.5, "fill": 0.8, "aspect": 16 / 9}
DRAWING = (train.body, train.camera, train.dancer, train.figure, train.mirror)
# The labels know three kinds of move; which of ours count as each.
KINDS = {
    "pirouette": ("pirouette", "fouette", "chaines"),
    "jete": ("grand_jete", "jete"),
    "arabesque": ("arabesque", "attitude"),
}
KIND_OF = {move: kind for kind, moves in KINDS.items() for move in moves}
KIND_NAMES = (NONE, *KINDS)


@dataclass(frozen=True)
class Trial:
    name: str
    azimuth_deg: int
    times_s: npt.NDArray[np.float64]
    features: npt.NDArray[np.float32]  # (steps, 51); a step without a dancer is all NaN
    danced: list[Span]
    ignored: list[tuple[float, float]]


def main(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a model folder.")],
    mocap: Annotated[Path, typer.Argument(help="Folder of NAME.npz and labels.json.")],
    cache: Annotated[Path, typer.Option(help="Where what the encoder saw is kept.")] = Path("out/mocap"),
) -> None:
    """Print a table by view, then one JSON line."""
    folder = find_model(model)
    card = ModelCard.load(folder)
    head = open_session(folder / HEAD_FILE, "cpu")
    results = watch_trials(card, head, film_all(mocap, card.sample_hz, cache))
    figures = tell(results, card.names)
    known = sorted({result.name for result in results if result.name in card.provenance.trained_on})
    if known:
        print(f"{card.name} learnt from {len(known)} of these; what it makes of others says scripts.measure_phrases")
    print(json.dumps({"model": card.name, "learnt_from": known, "views": list(AZIMUTHS_DEG), **figures}))


def watch_trials(card: ModelCard, head: Head, trials: Iterable[Trial]) -> list[StreamResult]:
    """What a model says of each trial."""
    results = []
    for trial in trials:
        watched = watch_features(card, head, trial.features, trial.times_s)
        length_s, view = float(trial.times_s[-1]), f"{trial.azimuth_deg}°"
        results.append(as_result(watched, trial.name, length_s, trial.danced, trial.ignored, view))
    return results


def tell(results: Sequence[StreamResult], names: Sequence[str]) -> dict[str, float]:
    """Print what was found and what was false, by kind and by view; returns the figures for the card."""
    kinds = [as_kinds(result, names) for result in results if not is_everyday(result.name)]
    views = {view: score(part, KIND_NAMES) for view, part in by_view(kinds).items()}
    everything = StreamReport(score(kinds, KIND_NAMES), views)
    print_tables(everything, KIND_NAMES, KIND_NAMES)
    _print_recall_by_view(views)
    everyday = [result for result in results if is_everyday(result.name)]
    idle = score(everyday, names)
    idle_kinds = score([as_kinds(result, names) for result in everyday], KIND_NAMES)
    figures = _figures(everything.everything, idle, idle_kinds)
    for name, value in figures.items():
        print(f"{name}: {value}")
    return figures


def is_everyday(name: str) -> bool:
    """Of a trial by its name: everyday motion, not dance."""
    return name.startswith("everyday")


def as_kinds(result: StreamResult, names: Sequence[str]) -> StreamResult:
    """The same stream in the words of the labels, KIND_NAMES; whatever is no kind of theirs counts as none."""
    columns = [[index for index, name in enumerate(names) if KIND_OF.get(name) == kind] for kind in KINDS]
    each = np.stack([result.probabilities[:, column].sum(axis=1) for column in columns], axis=1)
    none = np.maximum(0, 1 - each.sum(axis=1, keepdims=True))
    these = [(span, at) for span, at in zip(result.announced, result.shown_at_s, strict=True) if span.move in KIND_OF]
    return replace(
        result,
        probabilities=np.concatenate([none, each], axis=1).astype(np.float32),
        announced=[Span(KIND_OF[span.move], span.start_s, span.end_s) for span, _ in these],
        shown_at_s=[at for _, at in these],
    )


def _print_recall_by_view(views: Mapping[str, StreamScores]) -> None:
    print(f"recall    {'  '.join(f'{kind:>10}' for kind in KINDS)}")
    for view, scores in views.items():
        print(f"{view:>8}  {'  '.join(f'{scores.moves[kind].recall:10.2f}' for kind in KINDS)}")


def _figures(dance: StreamScores, everyday: StreamScores, everyday_kinds: StreamScores) -> dict[str, float]:
    """What goes into the card.

    Those false in dance are all of them, also one that is said while another of the three is danced, over the time in
    which none is: the strictest of what may be meant by the name.
    """
    figures = {f"recall of {kind}": round(dance.moves[kind].recall, 3) for kind in KINDS}
    figures["false of these per minute of other dance"] = round(per_minute(dance.together.false, dance.none_seconds), 2)
    figures["false these per minute of everyday motion"] = round(everyday_kinds.false_per_minute, 2)
    figures["false any per minute of everyday motion"] = round(everyday.false_per_minute, 2)
    figures["delay to announcement, median s"] = round(dance.delay_s(50), 2)
    return figures


def film_all(mocap: Path, sample_hz: float, cache: Path) -> Iterator[Trial]:
    """Every trial from every side, filmed once and then read from the cache."""
    labels = read_labels(mocap)
    films = [
        (mocap / f"{name}.npz", azimuth, film_file(cache, mocap / f"{name}.npz", azimuth, sample_hz))
        for name in labels
        for azimuth in AZIMUTHS_DEG
    ]
    each_of(partial(_film, sample_hz=sample_hz), [film for film in films if not film[2].exists()])
    for motion, azimuth, kept in films:
        label, seen = labels[motion.stem], np.load(kept)
        danced = [Span(each["move"], each["start_s"], each["end_s"]) for each in label["moves"]]
        ignored = [(each["start_s"], each["end_s"]) for each in label["ignore"]]
        yield Trial(motion.stem, azimuth, seen["times"], seen["features"], danced, ignored)


def film_file(cache: Path, motion: Path, azimuth_deg: int, sample_hz: float) -> Path:
    """Where it is kept what the encoder saw of a recording: elsewhere once recording, drawing or encoder change.

    Raises:
        SourceError: there is no such recording.
    """
    if not motion.is_file():
        raise SourceError(f"There is no {motion}, which labels.json beside it names.\nGive the whole folder.")
    key = hashlib.sha256(f"{_made_by()} {sha256_of(motion)} {CAMERA}".encode()).hexdigest()[:12]
    return cache / f"{sample_hz:g}hz-{HEIGHT}" / f"{motion.stem}_{azimuth_deg}-{key}.npz"


@lru_cache(maxsize=1)
def _made_by() -> str:
    return f"{sha256_of(pretrained_path('pose'))} {code_hash()} {code_hash(*DRAWING)} {sha256_of(train.figure.MESH)}"


def _film(film_of: tuple[Path, int, Path], *, sample_hz: float) -> None:
    """Draw a recording from one side, and keep what the encoder sees in it."""
    path, azimuth_deg, kept = film_of
    motion = np.load(path)
    positions, names = motion["positions"], [str(name) for name in motion["joints"]]
    positions = positions[1:]  # the first frame may be a T-pose
    times = np.arange(0, len(positions) / float(motion["fps"]) - 1e-6, 1 / sample_hz)
    steps = np.minimum(np.round(times * float(motion["fps"])).astype(int), len(positions) - 1)
    camera = look_from(positions, np.radians(azimuth_deg), **CAMERA)
    film = Film(camera, HEIGHT)
    encoder = open_encoder("pose", pretrained_path("pose"), "cpu")
    features = []
    for index, (step, time_s) in enumerate(zip(steps, times, strict=True)):
        feature = encoder.push(Frame(film.shoot(positions[step], names), index, float(time_s)))
        features.append(np.full(51, np.nan, np.float32) if feature is None else feature)
    write_arrays(kept, times=times, features=np.stack(features))


if __name__ == "__main__":
    with told():
        typer.run(main)
