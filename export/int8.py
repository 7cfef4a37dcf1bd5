"""A model folder in, the same in int8 out, once it was seen on videos of dancers to say nearly the same.

The first half of each video shows the ranges that the networks' numbers have, the second how far off the answers are.
"""

import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from export.folder import made_whole, make_room, save_card, with_hashes
from export.parity import BATCH, LONGEST_S, ParityError, compare, cut_windows
from export.quantize import quantize_encoder, quantize_head
from export.to_onnx import clips_of, export_run
from models.card import ENCODER_FILE, HEAD_FILE, ModelCard
from models.encoders import LIMBS, SEEN, Encoder, open_encoder
from models.errors import ModelError, SourceError, UsageError
from models.frames import Frame, Sampler, read_video
from models.runtime import open_session

PICTURES = 100  # to calibrate with; twice as many changed nothing
LEAST_PICTURES = 20
STEPS = 300  # to check on, at least, where the videos hold so many
LEAST_STEPS = 20
# What may change: about three times what does in the shipped model.
MOST_DIFFERING = 0.06  # of the windows: another move is the likeliest
MOST_MOVED = 0.1  # of the joints that are seen
MOVED = 0.05  # torsos by which a joint has moved
MOST_LOST = 0.05  # of the frames: only one of the two sees a dancer

# Ends the encoder's name on the card.
SUFFIX = "-int8"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Int8Report:
    windows: int
    videos: int
    differing: float  # share of the windows in which another move is the likeliest
    mean_difference: float  # of a probability
    moved: float | None  # share of the seen joints that moved by MOVED; None where the encoder sees no joints
    lost: float  # share of the frames in which only one of the two sees a dancer
    pictures: int  # that it was calibrated on
    head: bool  # is in int8 too

    def __str__(self) -> str:
        joints = (
            ""
            if self.moved is None
            else f", {self.moved:.1%} of the joints moved by {MOVED:g} torsos or more, only one of the two sees a "
            f"dancer in {self.lost:.1%} of the frames"
        )
        return (
            f"{self.windows} windows of {self.videos} videos: the likeliest move differs in {self.differing:.1%}, "
            f"probabilities by {self.mean_difference:.1e} in the mean{joints}"
        )


def quantize_model(source: Path, model: Path, videos: Sequence[Path], *, force: bool = False) -> Int8Report:
    """Write a model folder's networks in int8 as another folder.

    Args:
        source: a model folder in float.
        model: the folder to make; whole or not at all.
        videos: of dancers, filmed as those that will be watched; unreadable ones are left out.
        force: replace an existing model.

    Raises:
        UsageError: MODEL exists, or there is no video.
        ParityError: the answers change by more than is allowed.
        ModelError: SOURCE is no model or is in int8 already, or the videos show a dancer too briefly.
    """
    if not videos:
        raise UsageError("int8 needs videos of dancers, to see which numbers occur.\nGive some: --video FILE")
    card = ModelCard.load(source)
    if card.encoder.name.endswith(SUFFIX):
        raise ModelError(f"{source} is in int8 already.\nGive the model that it was made from.")
    with made_whole(model, force) as half:
        encoder = open_encoder(card.encoder.kind, source / ENCODER_FILE, "cpu")
        seen = watch_videos(videos, encoder, card.sample_hz)
        quantize_encoder(source / ENCODER_FILE, half / ENCODER_FILE, seen.pictures)
        head = quantize_head(source / HEAD_FILE, half / HEAD_FILE)
        if not head:
            (half / HEAD_FILE).write_bytes((source / HEAD_FILE).read_bytes())
        report = check_int8(source, half, card, seen, head)
        save_card(_int8_card(card, half, report, [video.name for video in seen.videos]), half)
    return report


def quantize_run(
    run: Path,
    model: Path,
    *,
    load_head: Callable[[Path], Any],
    videos: Sequence[Path] | None = None,
    force: bool = False,
) -> Int8Report:
    """Write a trained run as a model folder in int8: exported and checked in float first, as `export_run` does.

    Raises:
        UsageError, ParityError, ModelError: see `export_run` and `quantize_model`.
    """
    make_room(model, force)
    with tempfile.TemporaryDirectory() as folder:
        floating = Path(folder) / model.name
        export_run(run, floating, load_head=load_head, videos=videos)
        return quantize_model(floating, model, videos or clips_of(run), force=force)


@dataclass(frozen=True)
class Seen:
    """What the videos show: pictures of their first halves, the sampled frames of their second."""

    videos: list[Path]
    pictures: list[npt.NDArray[Any]]  # each as the encoder takes it
    ends: list[tuple[float, float]]  # of each video, the seconds that are left to check on


def watch_videos(videos: Sequence[Path], encoder: Encoder, sample_hz: float) -> Seen:
    """Look at videos, in a random order, until there is enough. Raises ModelError where there is too little."""
    mixed = list(videos)
    random.Random(0).shuffle(mixed)  # they come sorted by move
    used: list[Path] = []
    pictures: list[npt.NDArray[Any]] = []
    ends: list[tuple[float, float]] = []
    for path in mixed:
        try:
            length_s = max(takewhile(LONGEST_S.__ge__, (frame.time_s for frame in read_video(path))))
            shown = list(_prepared(sampled(path, sample_hz, 0, length_s / 2), encoder))
        except SourceError:
            continue
        used.append(path)
        pictures += shown
        ends.append((length_s / 2, length_s))
        if len(pictures) >= 3 * PICTURES and sum(end - start for start, end in ends) * sample_hz >= STEPS:
            break
    if len(pictures) < LEAST_PICTURES:
        raise ModelError(
            f"{len(videos)} videos show a dancer in {len(pictures)} frames, {LEAST_PICTURES} are needed to calibrate "
            "int8.\nGive more or longer ones: --video FILE"
        )
    return Seen(used, pictures[:: max(1, len(pictures) // PICTURES)], ends)


def sampled(path: Path, sample_hz: float, start_s: float, end_s: float) -> Iterable[Frame]:
    """The frames of a video between two times that a recogniser would look at."""
    sampler = Sampler(sample_hz)
    for frame in read_video(path):
        if frame.time_s > end_s:
            return
        if frame.time_s >= start_s and sampler.take(frame.time_s):
            yield frame


def _prepared(frames: Iterable[Frame], encoder: Encoder) -> Iterable[npt.NDArray[Any]]:
    """What the network is given of each frame in which a dancer is seen."""
    encoder.reset()
    for frame in frames:
        picture = encoder.prepare(frame).copy()
        if encoder.interpret(encoder.infer(picture), frame) is not None:
            yield picture


def check_int8(source: Path, int8: Path, card: ModelCard, seen: Seen, quantized_head: bool) -> Int8Report:
    """Both models on the videos' second halves, each following the dancer by what it sees itself.

    Raises:
        ParityError: the answers change by more than is allowed.
        ModelError: too little of a dancer is seen.
    """
    kind = card.encoder.kind
    encoders = [open_encoder(kind, folder / ENCODER_FILE, "cpu") for folder in (source, int8)]
    ours: list[Floats] = []
    theirs: list[Floats] = []
    one_only = 0
    for path, (start_s, end_s) in zip(seen.videos, seen.ends, strict=True):
        mine, other, lost = _features_of(sampled(path, card.sample_hz, start_s, end_s), *encoders)
        one_only += lost
        if len(mine):
            ours.append(mine)
            theirs.append(other)
    steps = sum(map(len, ours))
    if steps < LEAST_STEPS:
        raise ModelError(
            f"The second halves of {len(seen.videos)} videos show a dancer in {steps} frames, "
            f"{LEAST_STEPS} are needed to check int8.\nGive more or longer ones: --video FILE"
        )
    wanted = _answers(source / HEAD_FILE, cut_windows(ours, card.window))
    got = _answers(int8 / HEAD_FILE, cut_windows(theirs, card.window))
    said = compare(wanted, got, len(seen.videos))
    moved = moved_share(np.concatenate(ours), np.concatenate(theirs)) if kind == "pose" else None
    report = Int8Report(
        said.windows,
        said.videos,
        said.differing / said.windows,
        float(np.abs(wanted - got).mean()),
        moved,
        one_only / (steps + one_only),
        len(seen.pictures),
        quantized_head,
    )
    allowed = (
        report.differing <= MOST_DIFFERING
        and (moved or 0) <= MOST_MOVED
        and report.lost <= MOST_LOST
        and np.isfinite(report.mean_difference)
    )
    if not allowed:
        raise ParityError(
            f"In int8 the model does not say what it says in float: {report}.\n"
            f"At most {MOST_DIFFERING:.0%} of the windows, {MOST_MOVED:.0%} of the joints and {MOST_LOST:.0%} of the "
            "frames may, so no model was written. Stay with the one in float."
        )
    return report


def _features_of(frames: Iterable[Frame], floating: Encoder, int8: Encoder) -> tuple[Floats, Floats, int]:
    """Features of the frames in which both see a dancer, and in how many only one does."""
    floating.reset()
    int8.reset()
    pairs = [(floating.push(frame), int8.push(frame)) for frame in frames]
    both = [(mine, other) for mine, other in pairs if mine is not None and other is not None]
    features = np.array(both, np.float32).reshape(-1, 2, floating.feature_dim)
    return features[:, 0], features[:, 1], sum((mine is None) != (other is None) for mine, other in pairs)


def _answers(head: Path, windows: Floats) -> Floats:
    session = open_session(head, "cpu")
    return np.concatenate([session.run(windows[start : start + BATCH]) for start in range(0, len(windows), BATCH)])


def moved_share(wanted: Floats, got: Floats) -> float:
    """The share of the seen joints from the shoulders down that are MOVED torsos away from where they were.

    Args:
        wanted, got: pose features (steps, 51).
    """
    mine, theirs = (features.reshape(len(features), -1, 3)[:, LIMBS] for features in (wanted, got))
    torso = np.linalg.norm((mine[:, 0, :2] + mine[:, 1, :2] - mine[:, 6, :2] - mine[:, 7, :2]) / 2, axis=1)
    extent = (mine[..., :2].max(axis=1) - mine[..., :2].min(axis=1)).max(axis=1)
    torso = np.maximum(torso, 0.2 * extent)  # of one who bends towards the camera it is foreshortened
    away = np.linalg.norm(mine[..., :2] - theirs[..., :2], axis=-1) / torso[:, None]
    return float(np.mean(away[mine[..., 2] >= SEEN] >= MOVED))


def _int8_card(card: ModelCard, half: Path, report: Int8Report, videos: Sequence[str]) -> ModelCard:
    name = f"{card.encoder.name}{SUFFIX}"[:80]
    encoder = card.encoder.model_copy(update={"name": name})
    what = "Encoder and head compute" if report.head else "The encoder computes"
    note = (
        f"{what} in int8, calibrated on {report.pictures} frames of {', '.join(videos[:10])}"
        f"{f' and {len(videos) - 10} more' if len(videos) > 10 else ''}. It gains on a CPU alone. Figures under "
        "Measured that do not name int8 are of the model in float that this one was made from."
    )
    provenance = card.provenance.model_copy(update={"notes": f"{card.provenance.notes}\n\n{note}".strip()})
    on = f"{report.windows} windows of {report.videos} videos"
    measured: dict[str, float | str] = {
        f"int8 against float: windows with another likeliest move ({on})": round(report.differing, 4),
        f"int8 against float: mean difference of a probability ({on})": float(f"{report.mean_difference:.2g}"),
    }
    if report.moved is not None:
        measured[f"int8 against float: joints moved by {MOVED:g} torsos or more ({on})"] = round(report.moved, 4)
    update = {"encoder": encoder, "provenance": provenance, "measured": card.measured | measured}
    return with_hashes(card.model_copy(update=update), half)
