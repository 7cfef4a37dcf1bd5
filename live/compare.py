"""The product beside its limits: these and the whole path take turns in short rounds.

A noisy machine is noisy for all of them, so what counts is their ratio within a round.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from live.bench_allocations import allocations
from live.bench_children import first_answer, peak_memory
from live.bench_loop import FilmedCamera, Times, loop, loop_file
from live.bench_subject import Subject, Video, load, open_subject, warm_up, which_encoded
from live.limits import EncoderAlone, both_at_once, decode_alone
from live.live_source import LiveSource
from live.overlay import Overlay
from live.targets import print_rows, rows_of
from models.errors import PartlyDone
from models.machine import machine, versions
from models.runtime import Device

PACED_HZ, PACED_FRAMES = 30.0, 45  # the camera whose latency is promised, and how long it films in a round
STARTS = 5  # of `pointe live demo`, or as many as there are rounds


@dataclass(frozen=True)
class Round:
    """One turn of each. Rates are in frames of the video a second, also where not every one is encoded."""

    encoder_fps: float
    decode_fps: float
    both_fps: float  # the encoder while a thread decodes
    product_fps: float
    encoded: float  # this part of the frames
    encoder_ms: Times
    latency_ms: Times
    stages_ms: dict[str, float]

    @property
    def limit_fps(self) -> float:
        return min(self.encoder_fps, self.decode_fps)

    @property
    def ratio(self) -> float:
        return self.product_fps / self.limit_fps

    @property
    def ratio_of_both(self) -> float:
        return self.product_fps / self.both_fps


def run_compare(
    video: Video,
    *,
    model: str,
    encoder: str | None,
    sampled: bool,
    frames: int,
    rounds: int,
    threads: int,
    device: Device,
    fail_below: float | None,
    console: Console,
) -> dict[str, Any]:
    """Measure and print; what `pointe bench --compare` does. The document that is printed last is also returned.

    Args:
        frames: in each round, after a warm-up; fewer where the video is shorter.
        sampled: encode the frames that the card's rate asks for, as `pointe live` does; else every one.
        fail_below: the least ratio of the whole path to its limit, in the best round, that is no failure.

    Raises:
        UsageError: the video is too short, or the options contradict one another.
        ModelError, DeviceError, SourceError: from what is opened.
        PartlyDone: all is measured and printed, and the best ratio is below `fail_below`.
    """
    cv2.setNumThreads(1)
    load_before = load()
    subject = open_subject(model, encoder, device, threads, sampled=sampled)
    alone = EncoderAlone(subject.encoder, video.path, device, threads)
    taken = [
        measure_round(subject, alone, video, frames)
        for _ in track(range(rounds), "rounds", console=console, transient=True, disable=not console.is_terminal)
    ]
    document: dict[str, Any] = {
        "benchmark": "pointe compare",
        **subject.as_dict(),
        "threads": threads,
        "sampled": sampled,
        "source": video.as_dict(),
        "frames": frames,
        "slowest": slowest(taken),
        "figures": figures_of(taken, subject) | apart(subject, video, device, min(rounds, STARTS)),
        "rounds": [asdict(each) | {"limit_fps": each.limit_fps, "ratio": each.ratio} for each in taken],
        "load_before": load_before,
        "machine": machine(),
        "versions": versions(),
    }
    rows = rows_of(document)
    document["targets"] = [asdict(row) for row in rows]
    _print(console, document)
    print_rows(console, rows)
    print(json.dumps(document), flush=True)
    ratio = document["figures"]["ratio"]["high"]  # what else runs only makes a round worse
    if fail_below is not None and ratio < fail_below:
        raise PartlyDone(
            f"At best the whole path reaches {ratio:.2f} of {document['slowest']} alone, below {fail_below:g}.\n"
            "See which stage takes the time: pointe bench"
        )
    return document


def measure_round(subject: Subject, alone: EncoderAlone, video: Video, frames: int) -> Round:
    """One turn of each limit and of the product, and of a camera at PACED_HZ."""
    recognizer = subject.recognizer
    skip = frames_to_fill(subject, video.rate_hz)
    decoded = decode_alone(video.path, skip, frames)
    encoded = which_encoded(subject, decoded.times_s)
    share = sum(encoded) / decoded.frames
    encoder_s = alone.seconds(max(10, sum(encoded)))
    both_fps = both_at_once(alone, video.path, skip, encoded)
    product = loop_file(recognizer, video.path, skip, frames)
    camera = LiveSource("filmed", lambda: FilmedCamera(video.path, PACED_HZ))
    paced = loop(recognizer, Overlay(recognizer.card), camera, frames_to_fill(subject, PACED_HZ), PACED_FRAMES)
    return Round(
        encoder_fps=len(encoder_s) / sum(encoder_s) / share,
        decode_fps=decoded.fps,
        both_fps=both_fps,
        product_fps=product.fps,
        encoded=share,
        encoder_ms=Times.of(encoder_s),
        latency_ms=Times.of([answer.latency_s for answer in paced.answers]),
        stages_ms=product.stages_ms(),
    )


def frames_to_fill(subject: Subject, rate_hz: float) -> int:
    """Frames at this rate until the window is full and everything is warm."""
    encoded = warm_up(subject.recognizer)
    if not subject.sampled:
        return encoded
    return int(np.ceil(encoded * max(1.0, rate_hz / subject.recognizer.card.sample_hz)))


def slowest(rounds: Sequence[Round]) -> str:
    """Which of the two is the limit, in most rounds."""
    return "decoding" if np.median([each.decode_fps < each.encoder_fps for each in rounds]) > 0.5 else "the encoder"


def figures_of(rounds: Sequence[Round], subject: Subject) -> dict[str, Any]:
    """The medians over the rounds, and how far they spread."""
    stages = {name: _median([each.stages_ms[name] for each in rounds]) for name in rounds[0].stages_ms}
    product_fps = spread([each.product_fps for each in rounds])
    # Of the time of a frame that is encoded: the head runs for no other.
    heads_per_s = product_fps["median"] * rounds[0].encoded
    return {
        "encoder_fps": spread([each.encoder_fps for each in rounds]),
        "decode_fps": spread([each.decode_fps for each in rounds]),
        "both_fps": spread([each.both_fps for each in rounds]),
        "product_fps": product_fps,
        "ratio": spread([each.ratio for each in rounds], 4),
        "ratio_of_both": spread([each.ratio_of_both for each in rounds], 4),
        "stages_ms": stages,
        "head_percent": round(stages["head"] * heads_per_s / 10, 2) if subject.model else None,
        "encoder_p95_ms": _median([each.encoder_ms.p95_ms for each in rounds]),
        "latency_p95_ms": _median([each.latency_ms.p95_ms for each in rounds]),
    }


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), digits),
        "low": round(min(values), digits),
        "high": round(max(values), digits),
    }


def _median(values: Sequence[float]) -> float:
    return round(float(np.median(values)), 3)


def apart(subject: Subject, video: Video, device: Device, starts: int) -> dict[str, Any]:
    """What cannot take turns: processes of their own, and a run under the tracer."""
    found: dict[str, Any] = {"first_answer_s": None, "memory_mb": None}
    if subject.model:
        card, threads = subject.recognizer.card, subject.threads
        found["first_answer_s"] = spread([first_answer(subject.model, card, device, threads) for _ in range(starts)])
        found["memory_mb"] = peak_memory(video.path, subject.model, device, threads)
    new = allocations(subject.recognizer, video.path)
    return found | {"allocations": asdict(new) | {"frame_sized": new.frame_sized}}


def _print(console: Console, document: dict[str, Any]) -> None:
    source, figures = document["source"], document["figures"]
    console.print(
        f"{source['name']} {source['size']}, {source['kbit_s']} kbit/s, encoder {document['encoder']['name']}, "
        f"{document['provider']}, {document['threads']} thread{'s' * (document['threads'] > 1)}\n{document['machine']}",
        markup=False,
    )
    table = Table("frames/s", "median", "low", "high", title=f"{len(document['rounds'])} rounds")
    for column in table.columns[1:]:
        column.justify = "right"
    names = {
        "encoder_fps": "encoder alone",
        "decode_fps": "decoding alone",
        "both_fps": "both at once",
        "product_fps": "whole path",
    }
    for key, name in names.items():
        table.add_row(name, *(f"{value:.1f}" for value in figures[key].values()))
    console.print(table)
