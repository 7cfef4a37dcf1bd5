"""How the cost of a frame grows: with the number of sources, the length of the window, and the size of the picture.

Each is the product's own loop, every frame encoded, answered and drawn, as fast as it can; what is compared takes
turns, so that a noisy machine is noisy for all of it.

    python -m scripts.bench_growth [SOURCE] --frames 150 --rounds 3
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from live.bench_loop import loop_file
from live.bench_subject import EVERY_FRAME_HZ, describe_video, find_video, load, warm_up
from live.file_source import FileSource
from live.grid import Stream, run_grid
from live.moves import MoveTracker
from live.recognizer import Recognizer
from live.rescaled import rescale
from live.tiles import Tiles
from live.view import View
from live.watch import Watch
from models.card import find_model, write_atomically
from models.errors import told
from models.machine import machine, versions

SOURCES = (1, 2, 4, 8)
WINDOWS = (16, 32, 64, 128)
HEIGHTS = (360, 720, 1080, 2160)
USUAL_HEIGHT = 720
OUT = Path(__file__).parent.parent / "docs" / "measured" / "performance"
LONGEST_S = 12.0  # of the video, so that 4K is soon made

# Frames a second, and what each stage takes of a frame in milliseconds.
Measured = tuple[float, dict[str, float]]


def main(
    source: Annotated[str, typer.Argument(help="A video file, or demo.")] = "demo",
    frames: Annotated[int, typer.Option(min=20, help="Frames of each in a round, after the warm-up.")] = 150,
    rounds: Annotated[int, typer.Option(min=1, help="In which all take turns.")] = 3,
    model: Annotated[str, typer.Option(help="Whose encoder runs, and whose head but for the windows.")] = "ballet",
    out: Annotated[Path, typer.Option(help="Folder for growth.json.")] = OUT,
) -> None:
    """Write growth.json and print it as one line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    cv2.setNumThreads(1)
    with TemporaryDirectory(prefix="pointe-growth-") as folder:
        document = measure(source, Path(folder), model, frames, rounds)
    write_atomically(out / "growth.json", (json.dumps(document, indent=1) + "\n").encode())
    print(json.dumps(document))


def measure(source: str, folder: Path, model: str, frames: int, rounds: int) -> dict[str, Any]:
    """The document: for each of what grows, by its size, frames a second and the stages of a frame."""
    video, load_before = find_video(source), load()
    copies = {each: rescale(video.path, folder / f"{each}.mp4", each, LONGEST_S) for each in HEIGHTS}
    usual, recognizer = copies[USUAL_HEIGHT], _load(find_model(model))
    windows = {each: _load(untrained_pose(folder / f"window-{each}", each)) for each in WINDOWS}
    grown: dict[str, dict[int, Callable[[], Measured]]] = {
        "sources": {each: partial(many_sources, recognizer, usual, each, frames) for each in SOURCES},
        "window": {each: partial(one_source, windows[each], usual, frames) for each in WINDOWS},
        "height": {each: partial(one_source, recognizer, copies[each], frames) for each in HEIGHTS},
    }
    return {
        "benchmark": "pointe growth",
        "model": recognizer.card.name,
        "source": {"name": f"{video.name} at {USUAL_HEIGHT} lines", "size": describe_video(usual, "").size},
        "frames": frames,
        "rounds": rounds,
        **{name: _in_turns(sizes, rounds) for name, sizes in grown.items()},
        "load_before": load_before,
        "machine": machine(),
        "versions": versions(),
    }


def one_source(recognizer: Recognizer, video: Path, frames: int) -> Measured:
    run = loop_file(recognizer, video, warm_up(recognizer), frames)
    return run.fps, run.stages_ms()


def many_sources(recognizer: Recognizer, video: Path, count: int, frames: int) -> Measured:
    """So many files at once, as the grid runs them: frames a second of all together. Tiles are drawn beside it."""
    ticks_s: list[float] = []
    stages: list[dict[str, float]] = []

    def on_answer(view: View) -> None:
        ticks_s.append(time.monotonic())
        stages.append(dict(view.stage_s))

    card, skip = recognizer.card, count * warm_up(recognizer)
    with ExitStack() as stack:
        streams = []
        for number in range(count):
            file = stack.enter_context(FileSource(video, pace=False, name=f"{number + 1}"))
            watch = Watch(file, recognizer.another(), MoveTracker(card), lambda move: None, on_answer)
            streams.append(Stream(file, watch))
        run_grid(streams, Tiles(streams, card, recording=False), stopped=lambda: int(len(ticks_s) >= skip + frames))
    ticks_s, stages = ticks_s[skip:], stages[skip:]
    fps = (len(ticks_s) - 1) / (ticks_s[-1] - ticks_s[0])
    return fps, {name: 1000 * float(np.mean([each[name] for each in stages])) for name in stages[0]}


def untrained_pose(folder: Path, window: int) -> Path:
    """A model of the pose encoder and pointe's head over so many steps; its weights do not change the time."""
    from export.untrained import write_untrained
    from models.encoders import POSE_DIM
    from train.network import build_network
    from train.settings import settings_for

    head = build_network(settings_for(window=window), POSE_DIM, classes=19, pose=True)
    return write_untrained(folder, "pose", head, name="pointe")


def _load(folder: Path) -> Recognizer:
    return Recognizer.load(folder, "cpu", sample_hz=EVERY_FRAME_HZ)


def _in_turns(sizes: dict[int, Callable[[], Measured]], rounds: int) -> list[dict[str, Any]]:
    taken: dict[int, list[Measured]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, run in sizes.items():
            taken[size].append(run())
    return [_row(size, measured) for size, measured in taken.items()]


def _row(size: int, measured: Sequence[Measured]) -> dict[str, Any]:
    rates = [fps for fps, _ in measured]
    stages = {name: round(float(np.median([each[name] for _, each in measured])), 3) for name in measured[0][1]}
    return {
        "size": size,
        "fps": round(float(np.median(rates)), 2),
        "low": round(min(rates), 2),
        "high": round(max(rates), 2),
        "stages_ms": stages,
    }


if __name__ == "__main__":
    with told():
        typer.run(main)
