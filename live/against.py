"""pointe beside the way of the project that it descends from, on the same video, in rounds that take turns.

The ancestor comes in as something that answers for a picture and can give its networks as a model folder; nothing of
Keras is known here.
"""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import cv2
from rich.console import Console
from rich.progress import track

from live.bench_loop import loop_file
from live.bench_subject import Subject, Video, endless, load, open_subject, warm_up
from live.compare import spread
from live.several import MOST
from live.targets import print_rows, rows_against
from models.frames import Frame, Image
from models.machine import cores, machine, versions
from models.runtime import Device

# For so many frames of the pose model one of the ancestor's in a round, ...
SLOWER = 30
FEWEST_FRAMES = 4
# ... and one of its networks, whose answers may come MOST at once: whole such lots are timed, from first to first.
NETWORKS_SLOWER = 6


class Ancestral(Protocol):
    def answer(self, image: Image, /) -> object:
        """All that it does for a frame."""

    def as_model(self) -> Path:
        """Its networks as a model folder."""

    def in_int8(self, model: Path, video: Path, /) -> Path:
        """That model in int8, with the ranges that the video shows."""


def run_against(
    video: Video,
    ancestor: Ancestral,
    *,
    model: str,
    frames: int,
    rounds: int,
    threads: int,
    device: Device,
    console: Console,
) -> dict[str, Any]:
    """Measure and print; what `pointe bench --against keras` does. The document that is printed last is also returned.

    All decode the same video. The ancestor takes its frames one after the other; `pointe` runs its whole path, every
    frame encoded, answered and drawn: with `model`, and with the ancestor's networks in float and in int8, which have
    all cores, as Keras takes them.

    Args:
        frames: of `model` in each round; the others, which are slower, take a part of it.

    Raises:
        UsageError: the video is too short.
        ModelError, DeviceError, SourceError: from what is opened.
    """
    cv2.setNumThreads(1)
    load_before = load()
    counts = {"ancestor": max(FEWEST_FRAMES, frames // SLOWER), "pointe": frames}
    counts["its_networks"] = counts["its_networks_int8"] = MOST * max(1, frames // (NETWORKS_SLOWER * MOST)) + 1
    subject = open_subject(model, None, device, threads)
    folder = ancestor.as_model()
    products = {"pointe": subject} | {
        name: open_subject(str(each), None, device, cores(), threads_apart=True)
        for name, each in (("its_networks", folder), ("its_networks_int8", ancestor.in_int8(folder, video.path)))
    }
    rates: dict[str, list[float]] = {name: [] for name in ("ancestor", *products)}
    with closing(endless(video.path)) as stream:
        ancestor.answer(next(stream).image)  # its first takes seconds
        for _ in track(range(rounds), "rounds", console=console, transient=True, disable=not console.is_terminal):
            rates["ancestor"].append(_ancestors_rate(ancestor, stream, counts["ancestor"]))
            for name, product in products.items():
                rates[name].append(_products_rate(product, video.path, counts[name]))
    times = {name: [a / b for a, b in zip(rates[name], rates["ancestor"], strict=True)] for name in rates}
    document: dict[str, Any] = {
        "benchmark": "pointe against keras",
        **subject.as_dict(),
        "threads": threads,
        "source": video.as_dict(),
        "frames": counts,
        "fps": {name: spread(values, 3) for name, values in rates.items()},
        "times": spread(times["pointe"]),
        "times_on_its_networks": spread(times["its_networks"]),
        "times_on_its_networks_int8": spread(times["its_networks_int8"]),
        "rounds": rates,
        "load_before": load_before,
        "machine": machine(),
        "versions": versions(),
    }
    rows = rows_against(document)
    document["targets"] = [asdict(row) for row in rows]
    _print(console, video, subject, document)
    print_rows(console, rows)
    print(json.dumps(document))
    return document


def _print(console: Console, video: Video, subject: Subject, document: dict[str, Any]) -> None:
    console.print(f"{video.name} {video.size}, {subject.recognizer.provider}\n{document['machine']}", markup=False)
    names = {
        "ancestor": "the ancestor's way",
        "its_networks": "its networks through pointe",
        "its_networks_int8": "the same in int8",
        "pointe": subject.model,
    }
    for key, name in names.items():
        fps = document["fps"][key]["median"]
        console.print(f"{name:<28} {fps:8.2f} frames/s {1000 / fps:8.1f} ms a frame", markup=False)


def _ancestors_rate(ancestor: Ancestral, stream: Iterator[Frame], frames: int) -> float:
    start_s = time.perf_counter()
    for _ in range(frames):
        ancestor.answer(next(stream).image)
    return frames / (time.perf_counter() - start_s)


def _products_rate(subject: Subject, video: Path, frames: int) -> float:
    return loop_file(subject.recognizer, video, warm_up(subject.recognizer), frames).fps
