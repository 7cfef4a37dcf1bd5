"""How fast a model runs on this machine, stage by stage: a table for people, then one JSON line for programs.

Three measurements of the same video, each after a warm-up of its own, every frame encoded and answered:
- in turn: one frame at a time through every stage, so that the stages add up to the whole;
- overlapped: as `pointe live` runs a file, decoding ahead and drawing beside the recognition, as fast as it can;
- paced: the video as a camera would give it, and the time from a frame's capture to its answer.
"""

import json
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from live.address import File, understand
from live.file_source import FileSource
from live.live_source import LiveSource
from live.moves import MoveTracker
from live.overlay import Overlay, View
from live.recognizer import Recognizer
from live.runner import run
from live.screen import Screen
from live.source import FrameSource
from live.watch import Summary
from models.card import HeadInfo, ModelCard, MoveClass, Provenance, find_model
from models.encoders import describe_encoder, open_encoder
from models.errors import UsageError
from models.frames import Frame, Image, open_video, read_video
from models.machine import machine, versions
from models.pretrained import ENCODERS
from models.runtime import Device

WARM_UP_FRAMES = 30
STAGES = ("decode", "prepare", "encode", "head", "draw", "other")
# As a card's sample_hz it takes every frame of any camera.
EVERY_FRAME_HZ = 240.0
PACED_S = 10.0  # the paced measurement takes no longer
USUAL_RATE_HZ = 30.0  # of a camera, where the video's own cannot be told


@dataclass(frozen=True)
class Times:
    """Durations over all measured frames, in milliseconds."""

    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Times":
        ms = 1000 * np.asarray(seconds)
        p50, p95, p99 = np.percentile(ms, (50, 95, 99))
        return cls(*(round(float(value), 3) for value in (ms.mean(), p50, p95, p99)))


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


class NoHead:
    """Stands where no head is measured: an encoder alone is given, or there is none yet for it."""

    def run(self, array: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        return np.array([[1, 0]], np.float32)  # none, of the two moves that a card must have


class FilmedCamera:
    """A camera that films a video over and over: a frame comes when it is due, and is lost if nobody reads."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        self._frames = endless(path)
        self._rate_hz = rate_hz
        self._due_s: float | None = None

    def read(self) -> tuple[bool, Image]:
        frame = next(self._frames)  # decoded before it is due, as a camera's own work is done by then
        now_s = time.monotonic()
        if self._due_s is None or now_s > self._due_s:
            self._due_s = now_s
        time.sleep(self._due_s - now_s)
        self._due_s += 1 / self._rate_hz
        return True, frame.image

    def get(self, property_id: int, /) -> float:
        return self._rate_hz if property_id == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        self._frames.close()


def run_bench(
    source: str, *, model: str, encoder: str | None, frames: int, threads: str, device: Device, console: Console
) -> dict[str, Any]:
    """Measure and print; what `pointe bench` does. The document that is printed last is also returned.

    Raises:
        UsageError: the source is no file, or `threads` names no numbers.
        ModelError, DeviceError, SourceError: from what is opened.
    """
    place = understand(source)
    if not isinstance(place, File):
        raise UsageError("A benchmark needs the same frames each time.\nGive a video file, or demo.")
    path, counts = place.path, _thread_counts(threads)
    cv2.setNumThreads(1)
    size, rate_hz = _describe(path)
    recognizers = {n: _open(model, encoder, device, n) for n in counts}
    measured = [measure(recognizer, path, rate_hz, frames, n) for n, recognizer in recognizers.items()]
    first = recognizers[counts[0]]
    document = {
        "benchmark": "pointe",
        "model": None if encoder else first.card.name,
        "encoder": {"name": first.card.encoder.name, "sha256": first.card.encoder.sha256},
        "head": None if encoder else {"name": first.card.head.name, "sha256": first.card.head.sha256},
        "window": first.card.window,
        "provider": first.provider,
        "source": {"name": source if source == "demo" else path.name, "size": size, "rate_hz": rate_hz},
        "warm_up_frames": WARM_UP_FRAMES,
        "measured": [asdict(each) for each in measured],
        "machine": machine(),
        "versions": versions(),
    }
    _print(console, document, measured)
    print(json.dumps(document))
    return document


def measure(recognizer: Recognizer, path: Path, rate_hz: float, frames: int, threads: int) -> Measured:
    """The three measurements of one recogniser that answers for every frame."""
    overlay, warm_up = Overlay(recognizer.card), _warm_up(recognizer)
    stages, whole = in_turn(recognizer, overlay, path, frames)
    _, answers = _run(recognizer, overlay, FileSource(path, pace=False), warm_up + frames)
    ticks = [answer.tick_s for answer in answers[warm_up:]]
    if len(ticks) < 2:
        raise UsageError(
            f"{path} is too short: at least {warm_up + 2} frames are needed.\nGive a longer video, or demo."
        )
    camera = LiveSource("filmed", lambda: FilmedCamera(path, rate_hz))
    paced, answers = _run(recognizer, overlay, camera, warm_up + min(frames, round(PACED_S * rate_hz)))
    return Measured(
        threads=threads,
        frames=frames,
        stages={name: Times.of(seconds) for name, seconds in stages.items()},
        whole=Times.of(whole),
        in_turn_fps=round(len(whole) / sum(whole), 2),
        overlapped_fps=round((len(ticks) - 1) / (ticks[-1] - ticks[0]), 2),
        overlapped_frames=len(ticks),
        paced=Paced(
            rate_hz=rate_hz,
            captured=paced.frames,
            answered=paced.answered,
            dropped=paced.dropped,
            latency=Times.of([answer.latency_s for answer in answers[warm_up:]]),
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
        for index in range(-_warm_up(recognizer), frames):
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


def endless(path: Path) -> Generator[Frame]:
    """The frames of a video over and over, numbered and timed as one long one at USUAL_RATE_HZ."""
    numbers = count()
    for frame in chain.from_iterable(read_video(path) for _ in repeat(None)):
        index = next(numbers)
        yield Frame(frame.image, index, index / USUAL_RATE_HZ)


@dataclass(frozen=True)
class _Answered:
    tick_s: float  # when, on the monotonic clock
    latency_s: float


def _run(recognizer: Recognizer, overlay: Overlay, source: FrameSource, frames: int) -> tuple[Summary, list[_Answered]]:
    """The product's own loop for `frames` answers or to the end."""
    recognizer.reset()
    answers: list[_Answered] = []

    def draw(image: Image, view: View, details: bool, help_: bool) -> Image:
        answers.append(_Answered(time.monotonic(), view.latency_s or 0.0))
        return overlay.draw(image, view, details=details, help=help_)

    with source:
        summary = run(
            source,
            recognizer,
            MoveTracker(recognizer.card),
            Screen(source, draw=draw),
            on_move=lambda move: None,
            tell=lambda line: None,
            stopped=lambda: int(len(answers) >= frames),
        )
    return summary, answers


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


def _warm_up(recognizer: Recognizer) -> int:
    """Frames before anything counts: the window must be full, for until then there is no head to wait for."""
    return max(WARM_UP_FRAMES, recognizer.card.window)


def _open(model: str, encoder: str | None, device: Device, threads: int) -> Recognizer:
    if encoder is None:
        return Recognizer.load(find_model(model), device, threads, EVERY_FRAME_HZ)
    if encoder not in ENCODERS:
        raise UsageError(f"No encoder '{encoder}'.\nChoose one of {', '.join(ENCODERS)}.")
    path, info = describe_encoder(encoder)
    card = ModelCard(
        name="encoder-alone",
        moves=(MoveClass(name="none", display="none"), MoveClass(name="any", display="any")),
        encoder=info,
        head=HeadInfo(name="pointe", sha256="0" * 64),
        sample_hz=EVERY_FRAME_HZ,
        window=1,
        provenance=Provenance(trained_on="nothing"),
    )
    return Recognizer(card, open_encoder(info.kind, path, device, threads), NoHead())


def _thread_counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise UsageError(f"--threads {text}: give a number, or several as in 1,2.")
    return counts


def _describe(path: Path) -> tuple[str, float]:
    capture = open_video(path)
    try:
        width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate_hz = capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    return f"{width}x{height}", round(rate_hz if 1 <= rate_hz <= EVERY_FRAME_HZ else USUAL_RATE_HZ, 3)


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
