"""Clips in, features out: each clip sampled by time, encoded by the very ONNX encoder that live uses, and cached.

Knows nothing of windows or networks. Every clip that gives no features is named with the reason.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console

from models.ahead import decoded_ahead
from models.card import EncoderInfo, EncoderKind
from models.damage import Reading
from models.encoders import Encoder, Feature, describe_encoder, open_encoder
from models.errors import PartlyDone, SourceError, UsageError
from models.frames import MAX_GAP_S, Frame, Sampler
from models.machine import cores
from models.runtime import Device, choose_device
from train.cache import Encoded, Store
from train.clip import TRAIN, Clip, Skipped
from train.clips import CACHE_FOLDER, find_clips
from train.features_report import count_skipped, print_problems, print_summary, show_progress, write_report

SAMPLE_HZ = 15.0
# A clip gives a step for each sample in which a dancer is seen; this many are needed to learn anything from it. (It
# replaces the rule of older trainers to drop, without a word, what has not between 40 and 300 frames: length in frames
# depends on the camera, windows are padded where a clip is short, and a long clip only gives more windows.)
MIN_STEPS = 8
SLOWEST_HZ, FASTEST_HZ = 1.0, 240.0  # as in the card
JPEG_QUALITY = 90

Sampled = Callable[[Frame, npt.NDArray[Any]], None]  # sees each sampled frame and the encoder's input made of it


@dataclass(frozen=True)
class ClipFeatures:
    clip: Clip
    features: npt.NDArray[np.float32]  # (steps, feature_dim), steps at most MAX_GAP_S apart
    times_s: npt.NDArray[np.float64]  # (steps,) media time
    frames: int = 0  # read from the file
    samples: int = 0  # taken of them
    note: str = ""  # what of the clip was not used


@dataclass(frozen=True)
class Effort:
    """What an extraction took; clips out of the cache cost nothing and are counted apart."""

    encoded: int = 0
    cached: int = 0
    frames: int = 0  # decoded, of the encoded clips
    seconds: float = 0.0


@dataclass(frozen=True)
class FeatureSet:
    clips: tuple[ClipFeatures, ...]
    skipped: tuple[Skipped, ...]
    moves: tuple[str, ...]  # those with a clip to train on
    displays: tuple[str, ...]  # in the same order
    encoder: EncoderInfo
    encoder_path: Path
    sample_hz: float
    cache: Path  # where the features and the report lie
    notes: tuple[str, ...] = ()
    effort: Effort = Effort()


def extract(
    data: Path,
    encoder: str | Path = "pose",
    sample_hz: float = SAMPLE_HZ,
    *,
    cache: Path | None = None,
    frames: Path | None = None,
    device: Device = "auto",
    threads: int = 1,
    min_steps: int = MIN_STEPS,
    progress: bool = True,
    test_fraction: float = 0.2,
    seed: int = 0,
) -> FeatureSet:
    """The features of all clips of a folder, from the cache where it has them.

    Args:
        data: see `train.clips`.
        encoder: `pose`, `image`, `inception-v3`, or the path of an encoder.onnx.
        sample_hz: frames taken per second of media time.
        cache: where to keep features; `DATA/.pointe` by default.
        frames: a folder for the sampled frames, and what the encoder saw of each, as JPEG; encodes every clip anew.
        threads: clips encoded at once, each on one thread; two threads on one clip would gain less.
        min_steps: a clip with fewer is skipped.
        progress: show a bar, and then what was skipped, on stderr.
        test_fraction, seed: of the split, where the folders do not say it.

    Raises:
        UsageError: a number or the folder makes no sense.
        SourceError: too little is left to train on; the report says why.
        ModelError: the encoder does not load.
        DeviceError: the asked device cannot be had.
    """
    _check_numbers(sample_hz, threads, min_steps)
    _refuse_to_write_among_clips(data, "--frames", frames)
    _refuse_to_write_among_clips(data, "--cache", cache)
    choose_device(device)  # also where all features are there already
    start = time.monotonic()
    found = find_clips(data, test_fraction=test_fraction, seed=seed)
    encoder_path, info = describe_encoder(encoder)
    folder = (cache or data / CACHE_FOLDER) / f"{info.name}-{info.sha256[:12]}-{sample_hz:g}hz"
    store = Store(folder, data, info, sample_hz)
    console = Console(stderr=True, highlight=False, quiet=not progress)

    answers, effort = _encode_all(found.clips, store, encoder_path, info.kind, device, threads, frames, console)
    effort = replace(effort, seconds=time.monotonic() - start)
    clips, skipped = _usable(answers, sample_hz, min_steps)
    left = {features.clip.move for features in clips if features.clip.split == TRAIN}
    result = FeatureSet(
        clips=tuple(clips),
        skipped=(*found.skipped, *skipped),
        moves=tuple(move for move in found.moves if move in left),
        displays=tuple(text for move, text in zip(found.moves, found.displays, strict=True) if move in left),
        encoder=info,
        encoder_path=encoder_path,
        sample_hz=sample_hz,
        cache=folder,
        notes=found.notes,
        effort=effort,
    )
    write_report(result, data)
    print_problems(console, result, data)
    if len(left) < 2:
        what = f"only clips of '{min(left)}' are" if left else "nothing is"
        raise SourceError(f"{data}: {what} left to train on, {count_skipped(result)}")
    return result


def run_features(data: Path, encoder: str = "pose", sample_hz: float = SAMPLE_HZ, **options: Any) -> FeatureSet:
    """What `pointe features` does: `extract` with the same options, and a summary on stdout.

    Raises:
        PartlyDone: clips were skipped; the others are done. And what `extract` raises.
    """
    features = extract(data, encoder, sample_hz, **options)
    print_summary(features)
    if features.skipped:
        raise PartlyDone(f"{len(features.clips)} clips are done, {count_skipped(features)}")
    return features


def _check_numbers(sample_hz: float, threads: int, min_steps: int) -> None:
    if not SLOWEST_HZ <= sample_hz <= FASTEST_HZ:
        raise UsageError(f"--sample-hz {sample_hz:g}: give a rate from {SLOWEST_HZ:g} to {FASTEST_HZ:g} a second.")
    if threads < 1:
        raise UsageError(f"--threads {threads}: give 1 or more.")
    if min_steps < 1:
        raise UsageError(f"--min-steps {min_steps}: give 1 or more.")


def _refuse_to_write_among_clips(data: Path, flag: str, folder: Path | None) -> None:
    if folder is None or not folder.resolve().is_relative_to(data.resolve()):
        return
    if not any(part.startswith(".") for part in folder.resolve().relative_to(data.resolve()).parts):
        raise UsageError(f"{flag} {folder} lies among the clips and would be taken for a move.\nGive another folder.")


# ---- one clip


def _encode(
    path: Path, encoder: Encoder, sample_hz: float, sampled: Sampled, goes_on: Callable[[], bool], *, core_free: bool
) -> Encoded:
    """Sample and encode a clip. A file with a broken tail gives what can be read of it.

    Raises:
        SourceError: nothing can be read.
    """
    reading = Reading(path)
    sampler = Sampler(sample_hz)
    encoder.reset()
    features: list[Feature] = []
    times_s: list[float] = []
    samples = 0
    before_s = -np.inf
    with decoded_ahead(iter(reading), core_free=core_free) as frames:
        for frame in frames:
            if not goes_on():
                break
            if frame.time_s - before_s > MAX_GAP_S:
                encoder.reset()  # as live does: where the dancer was long ago says nothing
            before_s = frame.time_s
            if not sampler.take(frame.time_s):
                continue
            samples += 1
            prepared = encoder.prepare(frame)
            feature = encoder.interpret(encoder.infer(prepared), frame)
            sampled(frame, prepared)
            if feature is not None:
                features.append(np.array(feature, np.float32))
                times_s.append(frame.time_s)
    stacked = np.stack(features) if features else np.empty((0, encoder.feature_dim), np.float32)
    return Encoded(stacked, np.array(times_s, np.float64), reading.frames, samples, reading.damage() or "")


def _usable(
    encoded: Sequence[tuple[Clip, Encoded | str]], sample_hz: float, min_steps: int
) -> tuple[list[ClipFeatures], list[Skipped]]:
    """The clips with enough steps, each cut to its longest piece without a gap; the others with the reason."""
    clips: list[ClipFeatures] = []
    skipped: list[Skipped] = []
    for clip, answer in encoded:
        reason = answer if isinstance(answer, str) else ""
        if isinstance(answer, Encoded):
            piece = longest_piece(answer.times_s)
            features, times_s = answer.features[piece], answer.times_s[piece]
            reason = _why_not(answer, features, sample_hz, min_steps)
            if not reason:
                note = _note(answer, times_s)
                clips.append(ClipFeatures(clip, features, times_s, answer.frames, answer.samples, note))
        if reason:
            skipped.append(Skipped(clip.path, reason))
    trained = {usable.clip.move for usable in clips if usable.clip.split == TRAIN}
    for usable in clips:
        if usable.clip.move not in trained:
            skipped.append(Skipped(usable.clip.path, f"no clip of '{usable.clip.move}' is left to train on"))
    return [usable for usable in clips if usable.clip.move in trained], skipped


def longest_piece(times_s: npt.NDArray[np.float64]) -> slice:
    """The longest run of steps with no gap over MAX_GAP_S; the first of equals."""
    if len(times_s) == 0:
        return slice(0, 0)
    breaks = np.flatnonzero(np.diff(times_s) > MAX_GAP_S) + 1
    edges = np.concatenate([[0], breaks, [len(times_s)]])
    longest = int(np.argmax(np.diff(edges)))
    return slice(int(edges[longest]), int(edges[longest + 1]))


def _why_not(whole: Encoded, piece: npt.NDArray[np.float32], sample_hz: float, min_steps: int) -> str:
    steps = len(piece)
    if not np.isfinite(piece).all():
        return "the encoder answered with a number that is not finite"
    if steps >= min_steps:
        return ""
    if whole.samples < min_steps:
        return (
            f"too short: {_count(whole.samples, 'sample')} at {sample_hz:g} Hz out of {_count(whole.frames, 'frame')},"
            f" {min_steps} are needed"
        )
    if len(whole.times_s) == 0:
        return f"no dancer is seen in {_count(whole.samples, 'sample')}"
    return f"a dancer is seen in {steps} samples running at most, of {whole.samples}; {min_steps} are needed"


def _note(whole: Encoded, times_s: npt.NDArray[np.float64]) -> str:
    notes = [whole.damage] if whole.damage else []
    unseen = whole.samples - len(whole.times_s)
    if unseen:
        notes.append(f"no dancer in {unseen} of {whole.samples} samples")
    left_out = len(whole.times_s) - len(times_s)
    if left_out:
        notes.append(f"used from {times_s[0]:.2f} to {times_s[-1]:.2f} s, {left_out} steps beyond a gap left out")
    return "; ".join(notes)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# ---- all clips


def _encode_all(
    clips: Sequence[Clip],
    store: Store,
    encoder_path: Path,
    kind: EncoderKind,
    device: Device,
    threads: int,
    frames: Path | None,
    console: Console,
) -> tuple[list[tuple[Clip, Encoded | str]], Effort]:
    """What the encoder says of each clip, or why it says nothing; from the cache, unless frames are to be written."""
    answers: dict[Clip, Encoded | str] = {}
    if frames is None:
        answers |= {clip: entry for clip in clips if (entry := store.load(clip)) is not None}
    missing = [clip for clip in clips if clip not in answers]
    cached, read = len(answers), 0
    if missing:
        encoders = [open_encoder(kind, encoder_path, device) for _ in range(min(threads, len(missing)))]
        work = _Work(encoders, store, frames)
        shown = show_progress(console, f"encoding with {encoder_path.stem}", len(clips), cached)
        with shown as advance, closing(work.each(missing)) as done:
            for clip, answer in done:
                answers[clip] = answer
                read += answer.frames if isinstance(answer, Encoded) else 0
                advance()
    return [(clip, answers[clip]) for clip in clips], Effort(len(missing), cached, read)


class _Work:
    """Encodes clips on as many threads as there are encoders and stores each when it is done."""

    def __init__(self, encoders: Sequence[Encoder], store: Store, frames: Path | None) -> None:
        self._encoders: queue.SimpleQueue[Encoder] = queue.SimpleQueue()
        for encoder in encoders:
            self._encoders.put(encoder)
        self._threads = len(encoders)
        self._store = store
        self._frames = frames
        self._stop = threading.Event()

    def each(self, clips: Sequence[Clip]) -> Generator[tuple[Clip, Encoded | str], None, None]:
        """Each clip, as it is done, with its features or the reason why it has none."""
        with ThreadPoolExecutor(self._threads, "encode") as pool:
            try:
                clip_of = {pool.submit(self._one, clip): clip for clip in clips}
                pending = set(clip_of)
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from ((clip_of[future], future.result()) for future in done)
            finally:
                # After Ctrl-C too: leaving the process while a thread reads a video would abort it.
                self._stop.set()
                pool.shutdown(cancel_futures=True)

    def _one(self, clip: Clip) -> Encoded | str:
        encoder = self._encoders.get()
        key = self._store.key_of(clip)
        try:
            sampled = _jpegs(self._frames, clip) if self._frames is not None else _look_away
            encoded = _encode(
                clip.path,
                encoder,
                self._store.sample_hz,
                sampled,
                lambda: not self._stop.is_set(),
                core_free=self._threads < cores(),
            )
        except SourceError as error:
            return str(error).splitlines()[0].replace(str(clip.path), "it")
        except cv2.error as error:
            return f"OpenCV cannot decode it: {error.err}"
        finally:
            self._encoders.put(encoder)
        if not self._stop.is_set():
            self._store.save(clip, encoded, key)
        return encoded


def _look_away(frame: Frame, prepared: npt.NDArray[Any]) -> None:
    """Nobody asked to see the frames."""


def _jpegs(folder: Path, clip: Clip) -> Sampled:
    """Writes `<split>/<move>/<clip>/00012_1.234s.jpg`, and `..._crop.jpg` as the encoder saw it."""
    into = folder / clip.split / clip.move / clip.path.name
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--frames: cannot make the folder {into} ({error.strerror}).\nGive another.") from error

    def write(frame: Frame, prepared: npt.NDArray[Any]) -> None:
        name = f"{frame.index:05d}_{frame.time_s:.3f}s"
        seen = prepared[0].astype(np.uint8)[..., ::-1]  # RGB, as encoders take it, to BGR
        for path, image in ((into / f"{name}.jpg", frame.image), (into / f"{name}_crop.jpg", seen)):
            jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
            path.write_bytes(jpeg.tobytes())

    return write
