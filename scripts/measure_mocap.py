"""Films recorded motion from several sides and measures a model on it: turns, jetés, arabesques, and false moves.

The motion is that of `../shared/mocap`: a real dancer and everyday people, as joint positions with labels. Each trial
is drawn on the made body, seen by the pose encoder, and run through recogniser and tracker step by step.

    python -m scripts.measure_mocap ballet ../shared/mocap --cache out/mocap
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from models.card import HEAD_FILE, ModelCard, find_model, sha256_of
from models.encoders import Encoder, open_encoder
from models.frames import Frame
from models.pretrained import pretrained_path
from models.runtime import open_session
from scripts.measure_made import announcements, write_into_card
from train.camera import look_from
from train.dancer import Film
from train.event_scores import MoveScore, Span, score_stream

AZIMUTHS_DEG = (-60, 0, 45, 180)
HEIGHT = 360  # pixels
# The labels know three kinds of move; which of ours count as each.
KINDS = {
    "pirouette": ("pirouette", "fouette", "chaines"),
    "jete": ("grand_jete", "jete"),
    "arabesque": ("arabesque", "attitude"),
}
KIND_OF = {move: kind for kind, moves in KINDS.items() for move in moves}


@dataclass(frozen=True)
class Trial:
    name: str
    azimuth_deg: int
    times_s: npt.NDArray[np.float64]
    features: npt.NDArray[np.float32]  # (steps, 51); a step without a dancer is all NaN
    danced: list[Span]
    ignored: list[tuple[float, float]]

    @property
    def everyday(self) -> bool:
        return self.name.startswith("everyday")


def main(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a model folder.")],
    mocap: Annotated[Path, typer.Argument(help="Folder of NAME.npz and labels.json.")],
    cache: Annotated[Path, typer.Option(help="Where what the encoder saw is kept.")] = Path("out/mocap"),
    into_card: Annotated[
        bool, typer.Option("--card", help="Write the figures into the model's card and page.")
    ] = False,
) -> None:
    """Print a table, then one JSON line."""
    folder = find_model(model)
    card = ModelCard.load(folder)
    head = open_session(folder / HEAD_FILE, "cpu")
    by_view = {azimuth: {kind: MoveScore() for kind in KINDS} for azimuth in AZIMUTHS_DEG}
    false = {"dance": 0, "everyday these": 0, "everyday any": 0}
    seconds = {"dance": 0.0, "everyday": 0.0}
    for trial in film_all(mocap, card.sample_hz, cache):
        spans, shown_at = announcements(card, head, trial.features, trial.times_s)
        length_s = float(trial.times_s[-1])
        if trial.everyday:
            false["everyday any"] += len(spans)
            false["everyday these"] += sum(span.move in KIND_OF for span in spans)
            seconds["everyday"] += length_s
            continue
        these = [(span, at) for span, at in zip(spans, shown_at, strict=True) if span.move in KIND_OF]
        as_kinds = [Span(KIND_OF[span.move], span.start_s, span.end_s) for span, _ in these]
        score_stream(by_view[trial.azimuth_deg], trial.danced, as_kinds, [at for _, at in these], trial.ignored)
        seconds["dance"] += length_s - sum(span.end_s - span.start_s for span in trial.danced)
    figures = _print(card, by_view, false, seconds)
    if into_card:
        views = ", ".join(f"{azimuth}°" for azimuth in AZIMUTHS_DEG)
        write_into_card(
            folder,
            figures,
            f"recorded motion drawn from {views}; not trained on, but looked at while choosing the choreography",
        )


def _print(
    card: ModelCard, by_view: Mapping[int, dict[str, MoveScore]], false: dict[str, int], seconds: dict[str, float]
) -> dict[str, float]:
    print(f"recall      {'  '.join(f'{kind:>10}' for kind in KINDS)}")
    for azimuth, scores in by_view.items():
        print(f"{azimuth:>8} °  {'  '.join(f'{score.recall:10.2f}' for score in scores.values())}")
    figures: dict[str, float] = {}
    delays: list[float] = []
    for kind in KINDS:
        views = [each[kind] for each in by_view.values()]
        figures[f"recall of {kind}"] = round(sum(s.found for s in views) / sum(s.danced for s in views), 3)
        delays += [delay for score in views for delay in score.delays_s]
        false["dance"] += sum(score.false for score in views)
    figures["false of these per minute of other dance"] = round(60 * false["dance"] / seconds["dance"], 2)
    for what in ("these", "any"):
        count = false[f"everyday {what}"]
        figures[f"false {what} per minute of everyday motion"] = round(60 * count / seconds["everyday"], 2)
    figures["delay to announcement, median s"] = round(float(np.median(delays or [np.nan])), 2)
    for name, value in figures.items():
        print(f"{name}: {value}")
    print(json.dumps({"model": card.name, "views": list(by_view), **figures}))
    return figures


def film_all(mocap: Path, sample_hz: float, cache: Path) -> Iterator[Trial]:
    """Every trial from every side, filmed once and then read from the cache."""
    labels = json.loads((mocap / "labels.json").read_text("utf-8"))
    encoder_path = pretrained_path("pose")
    encoder = open_encoder("pose", encoder_path, "cpu")
    kept = cache / f"{sha256_of(encoder_path)[:12]}-{sample_hz:g}hz-{HEIGHT}"
    kept.mkdir(parents=True, exist_ok=True)
    for name, label in labels.items():
        danced = [Span(each["move"], each["start_s"], each["end_s"]) for each in label["moves"]]
        ignored = [(each["start_s"], each["end_s"]) for each in label["ignore"]]
        for azimuth in AZIMUTHS_DEG:
            file = kept / f"{name}_{azimuth}.npz"
            if not file.exists():
                times, features = _film(mocap / f"{name}.npz", azimuth, sample_hz, encoder)
                np.savez(file, times=times, features=features)
            seen = np.load(file)
            yield Trial(name, azimuth, seen["times"], seen["features"], danced, ignored)


def _film(
    path: Path, azimuth_deg: int, sample_hz: float, encoder: Encoder
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    motion = np.load(path)
    positions, names = motion["positions"], [str(name) for name in motion["joints"]]
    positions = positions[1:]  # the first frame may be a T-pose
    times = np.arange(0, len(positions) / float(motion["fps"]) - 1e-6, 1 / sample_hz)
    steps = np.minimum(np.round(times * float(motion["fps"])).astype(int), len(positions) - 1)
    camera = look_from(positions, np.radians(azimuth_deg), height=1.2, distance=4.5, fill=0.8, aspect=16 / 9)
    film = Film(camera, HEIGHT)
    encoder.reset()
    features = []
    for index, (step, time_s) in enumerate(zip(steps, times, strict=True)):
        feature = encoder.push(Frame(film.shoot(positions[step], names), index, float(time_s)))
        features.append(np.full(51, np.nan, np.float32) if feature is None else feature)
    return times, np.stack(features)


if __name__ == "__main__":
    typer.run(main)
