"""How fast a model runs on this machine, stage by stage: a table for people, then one JSON line for programs.

Three measurements of the same video, each after a warm-up of its own, every frame encoded and answered:
- in turn: one frame at a time through every stage, so that the stages add up to the whole;
- overlapped: as `pointe live` runs a file, decoding ahead and drawing beside the recognition, as fast as it can;
- paced: the video as a camera would give it, and the time from a frame's capture to its answer.
"""

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.table import Table

from live.bench_loop import FilmedCamera, Times, loop, loop_file
from live.bench_subject import WARM_UP_FRAMES, Video, endless, open_subject, thread_counts, warm_up
from live.live_source import LiveSource
from live.moves import MoveTracker
from live.overlay import Overlay
from live.recognizer import Recognizer
from live.view import View
from models.frames import Frame
from models.machine import machine, versions
from models.runtime import Device

STAGES = ("decode", "prepare", "encode", "head", "draw", "other")
PACED_S = 10.0  # the paced measurement takes no longer


@dataclass(frozen=True)
class Paced:
    rate_hz: float
    captured: int
    answered: int
    dropped: int
    latency: Times  # from capture to answer


@dataclass(frozen=True)
class Measured:
    """All figures for one number of threads."""

    threads: int
    frames: int
    stages: dict[str, Times]  # by STAGES; their means add up to that of `whole`
    whole: Times
    in_turn_fps: float
    overlapped_fps: float
    overlapped_frames: int
    paced: Paced


def run_bench(
    video: Video, *, model: str, encoder: str | None, frames: int, threads: str, device: Device, console: Console
) -> dict[str, Any]:
    """Measure and print; what `pointe bench` does. The document that is printed last is also returned.

    Raises:
        UsageError: `threads` names no numbers, or the video is too short.
        ModelError, DeviceError, SourceError: from what is opened.
    """
    cv2.setNumThreads(1)
    subjects = [open_subject(model, encoder, device, count) for count in thread_counts(threads)]
    measured = [measure(subject.recognizer, video, frames, subject.threads) for subject in subjects]
    document = {
        "benchmark": "pointe",
        **subjects[0].as_dict(),
        "source": video.as_dict(),
        "warm_up_frames": WARM_UP_FRAMES,
        "measured": [asdict(each) for each in measured],
        "machine": machine(),
        "versions": versions(),
    }
    _print(console, document, measured)
    print(json.dumps(document))
    return document


def measure(recognizer: Recognizer, video: Video, frames: int, threads: int) -> Measured:
    """The three measurements of one recogniser that answers for every frame."""
    overlay, skip, path, rate_hz = Overlay(recognizer.card), warm_up(recognizer), video.path, video.rate_hz
    stages, whole = in_turn(recognizer, overlay, path, frames)
    overlapped = loop_file(recognizer, path, skip, frames)
    camera = LiveSource("filmed", lambda: FilmedCamera(path, rate_hz))
    paced = loop(recognizer, overlay, camera, skip, min(frames, round(PACED_S * rate_hz)))
    return Measured(
        threads=threads,
        frames=frames,
        stages={name: Times.of(seconds) for name, seconds in stages.items()},
        whole=Times.of(whole),
        in_turn_fps=round(len(whole) / sum(whole), 2),
        overlapped_fps=round(overlapped.fps, 2),
        overlapped_frames=len(overlapped.answers),
        paced=Paced(
            rate_hz=rate_hz,
            captured=paced.summary.frames,
            answered=paced.summary.answered,
            dropped=paced.summary.dropped,
            latency=Times.of([answer.latency_s for answer in paced.answers]),
        ),
    )


def in_turn(
    recognizer: Recognizer, overlay: Overlay, path: Path, frames: int
) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds of each stage and of the whole, for each of `frames` frames after the warm-up."""
    recognizer.reset()
    tracker = MoveTracker(recognizer.card)
    stages: dict[str, list[float]] = {name: [] for name in STAGES}
    whole: list[float] = []
    with closing(endless(path)) as stream:
        for index in range(-warm_up(recognizer), frames):
            start = time.perf_counter()
            frame = next(stream)
            decoded = time.perf_counter()
            prediction = recognizer.push(frame)
            if prediction:
                tracker.update(prediction)
            answered = time.perf_counter()
            overlay.draw(frame.image, _view(frame, recognizer, tracker), details=False, help=False)
            drawn = time.perf_counter()
            if index < 0:
                continue
            times = recognizer.times
            known = (decoded - start, times.prepare_s, times.encode_s, times.head_s, drawn - answered)
            for name, seconds in zip(STAGES, (*known, drawn - start - sum(known)), strict=True):
                stages[name].append(seconds)
            whole.append(drawn - start)
    return stages, whole


def _view(frame: Frame, recognizer: Recognizer, tracker: MoveTracker) -> View:
    return View(
        time_s=frame.time_s,
        source="bench",
        filled=recognizer.filled,
        window=recognizer.card.window,
        dancer=recognizer.dancer,
        probabilities=tracker.smoothed,
        current=tracker.current,
        keypoints=recognizer.encoder.keypoints,
        box=recognizer.encoder.box,
        fps=0.0,
        latency_s=0.0,
        provider=recognizer.provider,
    )


def _print(console: Console, document: dict[str, Any], measured: Sequence[Measured]) -> None:
    source, encoder = document["source"], document["encoder"]
    head = document["head"]["name"] if document["head"] else "none"
    console.print(
        f"{source['name']} {source['size']}, encoder {encoder['name']}, head {head}, "
        f"{document['provider']}\n{document['machine']}",
        markup=False,
    )
    for each in measured:
        table = Table(title=f"{each.threads} thread{'s' if each.threads > 1 else ''}, {each.frames} frames")
        table.add_column("ms per frame")
        for column in ("mean", "p50", "p95", "p99"):
            table.add_column(column, justify="right")
        rows = {**each.stages, "whole (in turn)": each.whole, "capture to answer": each.paced.latency}
        for name, times in rows.items():
            table.add_row(name, *(f"{ms:.2f}" for ms in asdict(times).values()))
            if name == STAGES[-1]:
                table.add_section()
        console.print(table)
        paced = each.paced
        console.print(
            f"{each.overlapped_fps:.1f} frames/s as it runs, decoding and drawing beside the recognition "
            f"({each.overlapped_frames} frames; {each.in_turn_fps:.1f} in turn)\n"
            f"paced at {paced.rate_hz:g} Hz: {paced.captured} captured = {paced.answered} answered "
            f"+ {paced.dropped} dropped",
            markup=False,
        )
