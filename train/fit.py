"""Sequences of features in, a run out: the network that does best on the validation windows, and its card.

Where the sequences come from does not matter: from clips (`train.fit_clips`), or from streams of made dance.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Listed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf

import models.keypoints
import train.epochs
import train.geometry
import train.network
import train.windows
from models.card import (
    MODEL_NAME,
    UNFINISHED,
    EncoderInfo,
    HeadInfo,
    ModelCard,
    MoveClass,
    Provenance,
    display_name,
    sha256_of,
)
from models.errors import CardError, UsageError
from train.cache import code_hash
from train.calibration import Answers, calibrated, fit_temperature, fit_thresholds
from train.epochs import JUDGE_BATCH, Lessons, make_judge, train_epochs
from train.network import build_network, compile_network, load_head, mean_along
from train.progress import show_epochs
from train.run_folder import Epoch, Progress, RunFolder
from train.settings import TrainSettings
from train.windows import Floats, Sequence, WindowDrawer

UNKNOWN_SHA256 = "0" * 64  # of the head, until it is exported
SMOOTHING_S = 0.2
# Calibration looks at this many windows at most; more would not change a threshold's second digit.
CALIBRATION_WINDOWS = 60_000


@dataclass(frozen=True)
class Fitted:
    """A finished training."""

    run: Path
    card: ModelCard
    best: Epoch
    epochs: int
    parameters: int
    seconds: float
    left_out: str = ""  # how many clips were skipped and where the reasons are


@dataclass(frozen=True)
class Material:
    """What is trained on, and what is known about it."""

    train: Listed[Sequence]
    validation: Listed[Sequence]  # decides the best epoch, the temperature and the thresholds
    moves: tuple[str, ...]
    encoder: EncoderInfo
    encoder_path: Path
    provenance: Provenance
    displays: tuple[str, ...] | None = None  # how the moves are shown; as models.card has it if None
    families: Mapping[str, str] = field(default_factory=dict)  # move -> family, as models.card has it
    looked_for: tuple[str, ...] = ()  # the moves that a step labelled OTHER shows none of
    clips: Mapping[str, Listed[Path]] | None = None  # the videos behind it by split, for the export's check
    remarks: tuple[str, ...] = ()  # what a user should know about how it was parted


def fit_sequences(
    material: Material,
    run: Path,
    settings: TrainSettings,
    *,
    resume: bool = False,
    name: str | None = None,
    teachers: Listed[Path] = (),
) -> Fitted:
    """Train a head and leave it in `run` with its card.

    The same material, settings and seed give the same weights on the same machine's CPU, also when the training was
    killed and resumed.

    Args:
        material: the sequences and where they come from.
        run: a new or empty folder, or with `resume` one that holds this very training.
        settings: every hyperparameter.
        resume: go on after the last whole epoch; the name and the licence stay what they were unless given.
        name: of the model; the folder's if None.
        teachers: heads of runs on the same moves, whose mean is learnt as well as the labels.

    Raises:
        UsageError: the run folder or the name cannot be used, or there is nothing to train on.
    """
    start_s = time.monotonic()
    refuse_unless_a_name(name)
    if not material.validation:
        raise UsageError("No clip is left to validate on.\nGive each move at least two clips in train/.")
    folder, classes = RunFolder(run), len(material.moves)
    drawer = WindowDrawer(material.train, settings.window, settings.delay_steps, settings.least_steps)
    judged = WindowDrawer(material.validation, settings.window, settings.delay_steps, settings.least_steps)
    _check(drawer, judged, material)
    if resume:
        name, material = _as_begun(run, name, material)
    card = first_card(material, settings, name or _model_name(run))
    progress = folder.begin(_config(material, settings, teachers), resume)
    if not progress.done:
        _unfinished(card).save(run)  # from the first epoch on the run can be exported, whatever happens

    teach = mean_along(teachers) if teachers else None  # first, so that the network begins as it does without them
    _make_reproducible(settings.seed)
    others = tuple(index for index, move in enumerate(material.moves) if move not in material.looked_for)
    lessons = Lessons(drawer, settings, classes, material.encoder.kind == "pose", others, teach)
    model = _open_network(folder, progress, material, settings, lessons.steps)
    try:
        with show_epochs(settings.epochs) as table:
            train_epochs(model, lessons, make_judge(judged, settings, classes), folder, progress, table)
    except KeyboardInterrupt:
        print(f"stopped after epoch {progress.done}; {run} can be resumed (--resume) and, after an epoch, exported")
        raise

    best = progress.best
    assert best is not None, "at least one epoch is done"
    network = load_head(folder.head)
    card = calibrate(network, material.validation, card, settings)
    card.save(run)
    return Fitted(run, card, best, progress.done, network.count_params(), time.monotonic() - start_s)


def _as_begun(run: Path, name: str | None, material: Material) -> tuple[str | None, Material]:
    """The name and the licence that the run has on its card, where no other is given."""
    try:
        card = ModelCard.read(run)
    except CardError:  # it was stopped before it had one
        return name, material
    licence = material.provenance.licence or card.provenance.licence
    return name or card.name, replace(material, provenance=material.provenance.model_copy(update={"licence": licence}))


def _unfinished(card: ModelCard) -> ModelCard:
    """The card as long as nothing is fitted, with a note that goes along where the run is exported as it is."""
    note = (
        f"{UNFINISHED}: the network is that of the best epoch so far, its certainty and its thresholds are not fitted "
        "to the validation clips. Go on with `pointe train DATA RUN --resume` and export it again."
    )
    notes = "\n\n".join(filter(None, (note, card.provenance.notes)))
    return card.model_copy(update={"provenance": card.provenance.model_copy(update={"notes": notes})})


def _check(drawer: WindowDrawer, judged: WindowDrawer, material: Material) -> None:
    counts = drawer.counts(len(material.moves))
    missing = [move for move, count in zip(material.moves, counts, strict=True) if not count]
    if missing:
        raise UsageError(
            f"Nothing to train on for {', '.join(missing)}: no clip is left for it.\n"
            "Add clips of a second or more, or remove the folder."
        )
    if not len(judged):
        raise UsageError("No step of the validation sequences has a label.\nGive each move at least two clips.")


def _config(material: Material, settings: TrainSettings, teachers: Listed[Path]) -> dict[str, Any]:
    clips = material.clips or {}
    return {
        "version": 1,
        "code": code_hash(models.keypoints, train.epochs, train.geometry, train.network, train.windows),
        "settings": settings.as_dict(),
        "moves": list(material.moves),
        "encoder": material.encoder.model_dump(),
        "encoder_path": str(material.encoder_path),
        "clips": {split: [str(path) for path in paths] for split, paths in clips.items()},
        "data_sha256": _digest([*material.train, *material.validation]),
        "teachers": [sha256_of(head) for head in teachers],
    }


def _digest(sequences: Listed[Sequence]) -> str:
    digest = hashlib.sha256()
    for sequence in sequences:
        digest.update(json.dumps([sequence.name, sequence.features.shape]).encode())
        digest.update(sequence.features.tobytes())
        digest.update(sequence.labels.tobytes())
    return digest.hexdigest()


def refuse_unless_a_name(name: str | None) -> None:
    """Raise UsageError where no card may have such a name."""
    if name and not re.fullmatch(MODEL_NAME, name):
        raise UsageError(
            f"--name {name}: a model's name is of up to 80 letters from a to z, digits, spaces and . _ -, and begins "
            "with a letter or a digit.\nGive another."
        )


def _model_name(run: Path) -> str:
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in run.resolve().name)
    return letters.strip("-")[:80] or "model"


def _make_reproducible(seed: int) -> None:
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def _open_network(
    folder: RunFolder, progress: Progress, material: Material, settings: TrainSettings, steps: int
) -> keras.Model:
    if progress.done:
        return _load_last(folder)
    pose = material.encoder.kind == "pose"
    model = build_network(settings, material.encoder.feature_dim, len(material.moves), pose)
    compile_network(model, settings, steps * settings.epochs)
    return model


def _load_last(folder: RunFolder) -> keras.Model:
    """Raises UsageError where the network is gone or damaged."""
    try:
        return keras.saving.load_model(folder.last_network())
    except (ValueError, OSError, KeyError, BadZipFile) as error:
        raise folder.cannot_go_on("the network of its last epoch cannot be read") from error


def predictor(model: keras.Model) -> Callable[[Floats], Floats]:
    """The network as a function of windows to probabilities (batch, moves), compiled once, dropout off."""
    windows = tf.TensorSpec(model.input_shape, tf.float32)
    graph = tf.function(lambda batch: model(batch, training=False), input_signature=[windows])

    def predict(windows: Floats) -> Floats:
        starts = range(0, len(windows), JUDGE_BATCH)
        return np.concatenate([np.asarray(graph(windows[start : start + JUDGE_BATCH])) for start in starts])

    return predict


def answer_along(
    model: keras.Model, sequences: Listed[Sequence], settings: TrainSettings, limit: int | None = None
) -> list[Answers]:
    """What the network says along each sequence as it would live: at every step once the window is full.

    A sequence shorter than the window gets one answer, padded in front.

    Args:
        model: the head.
        sequences: clips or streams.
        settings: the window and the delay.
        limit: stop once so many windows were answered; None answers all.
    """
    predict = predictor(model)
    answers: list[Answers] = []
    done = 0
    for sequence in sequences:
        unlabelled = Sequence(sequence.name, sequence.features, np.zeros(len(sequence.labels), np.int32))
        drawer = WindowDrawer([unlabelled], settings.window, least_steps=settings.window)
        windows = drawer.gather(np.arange(len(drawer))).windows
        labels = sequence.labels[np.maximum(drawer.ends - settings.delay_steps, 0)]
        answers.append(Answers(sequence.name, predict(windows), labels))
        done += len(windows)
        if limit is not None and done >= limit:
            break
    return answers


def first_card(material: Material, settings: TrainSettings, name: str) -> ModelCard:
    """The card before anything was measured: thresholds at their defaults."""
    displays = material.displays or tuple(map(display_name, material.moves))
    return ModelCard(
        name=name,
        moves=tuple(
            MoveClass(name=move, display=display, family=material.families.get(move))
            for move, display in zip(material.moves, displays, strict=True)
        ),
        encoder=material.encoder,
        head=HeadInfo(name=settings.head, sha256=UNKNOWN_SHA256),
        sample_hz=settings.sample_hz,
        window=settings.window,
        delay_s=round(settings.delay_steps / settings.sample_hz, 4),
        smoothing_s=SMOOTHING_S,
        provenance=material.provenance,
    )


def calibrate(model: keras.Model, validation: Listed[Sequence], card: ModelCard, settings: TrainSettings) -> ModelCard:
    """The card with the temperature and the thresholds that suit the validation sequences."""
    order = np.random.default_rng(settings.seed).permutation(len(validation))
    answers = answer_along(model, [validation[number] for number in order], settings, CALIBRATION_WINDOWS)
    temperature = fit_temperature(answers)
    sure = [Answers(each.name, calibrated(each.probabilities, temperature), each.labels) for each in answers]
    smooth_steps = max(1, round(card.smoothing_s * card.sample_hz))
    thresholds = fit_thresholds(sure, len(card.moves), card.families, smooth_steps)
    moves = tuple(
        move.model_copy(update={"enter": threshold.enter, "leave": threshold.leave})
        for move, threshold in zip(card.moves, thresholds, strict=True)
    )
    return card.model_copy(update={"moves": moves, "temperature": temperature})
