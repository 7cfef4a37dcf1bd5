"""Measures what the training of the shipped model makes of recorded motion that it did not learn from.

The shipped model learns from recordings, too, so it cannot be measured on them. Here it is trained once for each
phrase without that phrase, and each trial is measured on the one model that never saw it. Takes as many trainings as
there are phrases: about an hour on two cores. Can be stopped and called again.

    python -m scripts.measure_phrases ../shared/mocap [--card ballet]
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from models.card import find_model
from models.errors import SourceError, told
from scripts.measure_made import write_into_card
from scripts.measure_mocap import AZIMUTHS_DEG, KIND_NAMES, SIDES, as_kinds, film_all, tell, watch_trials
from train.default import (
    EPOCHS,
    LESSONS_OF_TEACHERS,
    STREAMS,
    default_material,
    default_settings,
    train_taught,
    with_recordings,
)
from train.recorded import read_recordings
from train.stream_report import write_stream_report
from train.stream_scores import StreamResult

# Trials of one phrase, which are repeats of one another, are left out together; so are those of one everyday person.
PHRASES = {
    "a": ("dancer_14", "dancer_15"),
    "b": ("dancer_09", "dancer_10", *(f"everyday_007_{number:02d}" for number in range(1, 13))),
    "c": ("dancer_06", "everyday_003_01", "everyday_003_02"),
    "d": ("dancer_01", "dancer_02", "everyday_001_01", "everyday_001_08", "everyday_001_14"),
    "e": ("dancer_16", "dancer_17"),
}


class KerasHead:
    """A trained head as the recogniser wants it."""

    def __init__(self, path: Path) -> None:
        from train.fit import predictor
        from train.network import load_head

        self._predict = predictor(load_head(path))

    def run(self, array: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        return self._predict(np.asarray(array, np.float32))


def main(
    mocap: Annotated[Path, typer.Argument(help="Folder of NAME.npz and labels.json.")],
    runs: Annotated[Path, typer.Option(help="Where the trainings are kept.")] = Path("out/phrases"),
    cache: Annotated[Path, typer.Option(help="Where what the encoder saw is kept.")] = Path("out/mocap"),
    streams: Annotated[int, typer.Option(min=2, help="Made streams to learn from.")] = STREAMS,
    epochs: Annotated[int, typer.Option(min=1)] = EPOCHS,
    seed: Annotated[int, typer.Option(help="Of the trainings; with another one it is seen how much is chance.")] = 0,
    card: Annotated[str | None, typer.Option(help="Write the figures into this model's card and page.")] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for a report by kind and view, with pictures.")] = None,
) -> None:
    """Print a table by view, then one JSON line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    settings = default_settings(seed, epochs)
    trials = list(film_all(mocap, settings.sample_hz, cache))
    forgotten = {trial.name for trial in trials} - {name for names in PHRASES.values() for name in names}
    if forgotten:
        raise SourceError(f"{mocap} has {', '.join(sorted(forgotten))}, of no known phrase.\nPut it into PHRASES.")
    materials = [default_material(streams, settings, unnamed) for unnamed in LESSONS_OF_TEACHERS]
    moves = materials[-1].moves
    results: list[StreamResult] = []
    for phrase, names in PHRASES.items():
        run = runs / phrase
        lessons = with_recordings(materials, read_recordings(mocap, names), settings)
        fitted = train_taught(lessons, run, settings, resume=True)
        head = KerasHead(run / "head.keras")
        unseen = [trial for trial in trials if trial.name in names]
        results += watch_trials(fitted.card, head, unseen)
    figures = tell(results, moves)
    print(json.dumps({"phrases": len(PHRASES), "epochs": epochs, "seed": seed, "views": list(AZIMUTHS_DEG), **figures}))
    alike = f"alike but for seed {seed}" if seed else "alike"
    measured_on = (
        f"recorded motion drawn from {SIDES}; each trial by a model trained {alike} without its phrase, "
        "the same dancer's others in it; looked at while choosing choreography and thresholds"
    )
    if report:
        write_stream_report(
            report,
            title="ballet on recorded motion",
            names=KIND_NAMES,
            results=[as_kinds(result, moves) for result in results],
            measured_on={"what": measured_on},
        )
    if card:
        write_into_card(find_model(card), figures, measured_on)


if __name__ == "__main__":
    with told():
        typer.run(main)
