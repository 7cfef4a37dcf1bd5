"""A folder of clips in, a run and its report out: what `pointe train` does."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Listed
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from models.card import NONE, Provenance
from models.machine import versions
from models.runtime import Device
from train.calibration import calibrated
from train.clip import TEST, TRAIN, Skipped, copies_among, fingerprint
from train.features import ClipFeatures, FeatureSet, extract
from train.fit import Fitted, Material, answer_along, fit_sequences, refuse_unless_a_name
from train.network import load_head
from train.report import REPORT_MD, ClipAnswer, as_code, as_figure, write_report
from train.run_folder import RunFolder
from train.settings import TrainSettings
from train.split import split_validation
from train.windows import Sequence

SAME_DANCERS = (
    "No dancer can be spared from training: validation goes by clip, on dancers who train as well, and looks better "
    "than on others. Clips of three dancers or more, each move by two of them or more, cure that."
)


def fit_clips(
    data: Path,
    run: Path,
    settings: TrainSettings,
    *,
    resume: bool = False,
    name: str | None = None,
    cache: Path | None = None,
    device: Device = "auto",
    threads: int = 1,
    licence: str = "",
) -> Fitted:
    """Train a head on a folder of clips, and report how it does on the test clips: what `pointe train` does.

    Args:
        data: see `train.clips`.
        run, settings, resume, name: see `train.fit.fit_sequences`.
        cache, device, threads: see `train.features.extract`.
        licence: of the clips, for the card.

    Raises:
        UsageError: the run folder or the name cannot be used, or a number or the clips make no sense.
        SourceError: too little is left to train on.
    """
    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    # Before the long work.
    RunFolder(run).refuse_unless_usable(resume)
    refuse_unless_a_name(name)
    features = extract(data, settings.encoder, settings.sample_hz, cache=cache, device=device, threads=threads)
    unused = _unused(features, settings, data)
    for each in unused:
        console.print(f"skipped {as_code(each.path.relative_to(data))}: {each.reason}")
    features = _without(features, unused)
    material = clip_material(features, settings, trained_on=f"clips in {data.resolve().name}", licence=licence)
    for line in _remarks(material):
        console.print(line)
    fitted = fit_sequences(material, run, settings, resume=resume, name=name)
    tested = [each for each in features.clips if each.clip.split == TEST]
    metrics = report_on_clips(fitted, tested, features, settings, data)
    console.print(_summary(fitted, metrics))
    reasons = f"{len(features.skipped)} skipped.\nThe reasons are in {run / 'report' / REPORT_MD}"
    left_out = reasons if features.skipped else ""
    if not metrics:
        return replace(fitted, left_out=left_out)
    measured = {f"accuracy on {len(tested)} test clips of {data.resolve().name}": round(metrics["accuracy"], 4)}
    card = fitted.card.model_copy(update={"measured": measured})
    card.save(run)
    return replace(fitted, card=card, left_out=left_out)


def _unused(features: FeatureSet, settings: TrainSettings, data: Path) -> list[Skipped]:
    """The clips of which nothing can be learnt, and the copies of others: of two that are the same file one would be
    learnt from and the other one decide how well."""
    skipped: list[Skipped] = []
    copies = copies_among(each.clip for each in features.clips)  # those to train on come first
    for each in features.clips:
        clip, steps = each.clip, len(each.features)
        if clip in copies:
            skipped.append(Skipped(clip.path, f"the same file as {as_code(copies[clip].relative_to(data))}"))
        elif clip.split == TRAIN and steps <= settings.delay_steps:
            reason = f"too short: {steps} steps, and --delay-steps {settings.delay_steps} needs more"
            skipped.append(Skipped(clip.path, reason))
    return skipped


def _without(features: FeatureSet, unused: Listed[Skipped]) -> FeatureSet:
    """The others; the features say that these are skipped."""
    paths = {each.path for each in unused}
    kept = tuple(each for each in features.clips if each.clip.path not in paths)
    return replace(features, clips=kept, skipped=(*features.skipped, *unused))


def clip_material(features: FeatureSet, settings: TrainSettings, *, trained_on: str, licence: str = "") -> Material:
    """The train split of a feature set, parted into training and validation."""
    of_clip = {each.clip: each for each in features.clips}
    kept, held = split_validation(
        [clip for clip in of_clip if clip.split == TRAIN], fraction=settings.validation_fraction, seed=settings.seed
    )
    dancers = {clip.dancer for clip in kept if clip.dancer is not None}
    by_whom = f" by {len(dancers)} known dancers" if dancers else ""
    shared = any(clip.dancer in dancers for clip in held)
    return Material(
        train=[_sequence(of_clip[clip], features.moves) for clip in kept],
        validation=[_sequence(of_clip[clip], features.moves) for clip in held],
        moves=features.moves,
        displays=features.displays,
        encoder=features.encoder,
        encoder_path=features.encoder_path,
        provenance=Provenance(
            trained_on=f"{len(kept)} {trained_on}{by_whom}; validated on {len(held)} more",
            created=datetime.now(UTC).date().isoformat(),
            licence=licence,
            seed=settings.seed,
            versions=versions(),
            clips=tuple(sorted(filter(None, (fingerprint(clip.path) for clip in (*kept, *held))))),
        ),
        clips={
            "train": [clip.path.resolve() for clip in kept],
            "validation": [clip.path.resolve() for clip in held],
            "test": [clip.path.resolve() for clip in of_clip if clip.split == TEST],
        },
        remarks=(SAME_DANCERS,) if shared else (),
    )


def _sequence(features: ClipFeatures, moves: tuple[str, ...]) -> Sequence:
    label = moves.index(features.clip.move)
    labels = np.full(len(features.features), label, np.int32)
    return Sequence(f"{features.clip.move}/{features.clip.path.name}", features.features, labels)


def _remarks(material: Material) -> list[str]:
    """What a user should know before the training, and can still change."""
    lines = list(material.remarks)
    if NONE not in material.moves:
        lines.append(
            "There is no folder none/: whatever the dancer does will be called one of the moves. "
            "Clips of walking, standing and other dance in train/none/ cure that."
        )
    held = Counter(int(sequence.labels[0]) for sequence in material.validation)
    alone = [move for number, move in enumerate(material.moves) if not held[number]]
    if alone:
        lines.append(f"No clip to validate on for {', '.join(alone)}: give at least two clips of each move.")
    return lines


def report_on_clips(
    fitted: Fitted, tested: Listed[ClipFeatures], features: FeatureSet, settings: TrainSettings, data: Path
) -> dict[str, Any]:
    """Write the run's report: what the best network says of each test clip. Its metrics, none without a test clip."""
    folder = RunFolder(fitted.run)
    model = load_head(folder.head)
    unlabelled = [
        Sequence(each.clip.path.name, each.features, np.zeros(len(each.features), np.int32)) for each in tested
    ]
    said = answer_along(model, unlabelled, settings)
    answers = [
        ClipAnswer(
            each.clip.path, each.clip.move, calibrated(answer.probabilities, fitted.card.temperature).mean(axis=0)
        )
        for each, answer in zip(tested, said, strict=True)
    ]
    return write_report(
        folder.path / "report",
        title=f"{fitted.card.name} on the test clips",
        moves=features.moves,
        displays=features.displays,
        answers=answers,
        measured_on={
            "data": str(data),
            "split": "test",
            **as_figure("notes", features.notes),
            **as_figure("used in part", [f"{each.clip.path.name}: {each.note}" for each in tested if each.note]),
            "encoder": f"{features.encoder.name}, sha256 {features.encoder.sha256}",
            "head": settings.head,
            "validation loss": f"{fitted.best.val_loss:.4f} in epoch {fitted.best.epoch} of {fitted.epochs}",
        },
        skipped=features.skipped,
        history_csv=folder.history,
    )


def _summary(fitted: Fitted, metrics: Mapping[str, Any]) -> str:
    tested = f"accuracy on the test clips {metrics['accuracy']:.3f}" if metrics else "there were no test clips"
    return (
        f"best epoch {fitted.best.epoch} of {fitted.epochs}, validation loss {fitted.best.val_loss:.4f}; {tested}\n"
        f"Next: pointe export {fitted.run} MODEL"
    )
