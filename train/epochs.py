"""The training itself: epoch after epoch of windows drawn anew, judged on windows that stay the same.

Everything random hangs on the seed and the epoch's number, so a training that goes on after a kill ends where an
uninterrupted one does.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np

from models.errors import UsageError
from train.network import Taught, accuracy, answering_along
from train.progress import EpochTable, TensorBoardLog
from train.run_folder import Epoch, Progress, RunFolder
from train.settings import TrainSettings
from train.windows import (
    Disturbance,
    Floats,
    WindowDrawer,
    batches,
    class_weights,
    disturb,
    step_weights,
    targets,
)

JUDGE_BATCH = 512
# With few windows the batch shrinks until an epoch has this many steps, but not below the smallest batch.
STEPS_PER_EPOCH = 32
SMALLEST_BATCH = 16
# How often a class is drawn, by the power of its number of windows.
DRAWN = {"draw": 0.0, "root": 0.5}


@dataclass(frozen=True)
class Judge:
    """The windows that decide which epoch is best, the same in every epoch."""

    windows: Floats  # (windows, window, feature_dim)
    targets: Floats  # (windows, classes)
    weights: Floats  # (windows,)

    def judge(self, model: keras.Model) -> tuple[float, float]:
        """Loss and accuracy."""
        judged = model.evaluate(
            self.windows,
            self.targets,
            sample_weight=self.weights,
            batch_size=JUDGE_BATCH,
            verbose=0,
            return_dict=True,
        )
        return float(judged["loss"]), float(judged["accuracy"])


@dataclass(frozen=True)
class Lessons:
    """The windows that are trained on: epoch by epoch, batch by batch."""

    drawer: WindowDrawer
    settings: TrainSettings
    classes: int
    pose: bool  # the features are poses, which can be disturbed
    others: tuple[int, ...] = ()  # the classes that a step labelled OTHER may be of
    teach: Callable[[Floats], Floats] | None = None  # what teachers say along windows: (batch, window, classes)

    @property
    def windows(self) -> int:
        """How many an epoch has."""
        return min(len(self.drawer), self.settings.epoch_windows)

    @property
    def batch_size(self) -> int:
        return min(self.settings.batch, max(SMALLEST_BATCH, self.windows // STEPS_PER_EPOCH))

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        return math.ceil(self.windows / self.batch_size)

    def student(self, model: keras.Model) -> keras.Model:
        """What is trained in the model's place, with its very weights and optimiser."""
        if self.settings.head == "original":
            return model
        along, loss = answering_along(model), Taught() if self.teach else model.loss
        along.compile(model.optimizer, loss, weighted_metrics=[accuracy], jit_compile=False)
        return along

    def train_epoch(self, student: keras.Model, epoch: int, table: EpochTable) -> tuple[float, float]:
        """Train one epoch; its loss and accuracy."""
        settings, seed = self.settings, self.settings.seed
        weights = np.ones(self.classes + 2, np.float32)  # the last two are for OTHER and SKIP
        if settings.balance == "weights":
            weights[: self.classes] = class_weights(self.drawer.counts(self.classes))
        numbers = self.drawer.draw(self.windows, (seed, epoch), DRAWN.get(settings.balance, 1.0))
        total = np.zeros(2)
        for step, chosen in enumerate(batches(numbers, self.batch_size), 1):
            batch = self.drawer.gather(chosen)
            windows = batch.windows
            if self.pose and settings.augment:
                windows = disturb(windows, (seed, epoch, step), Disturbance(), settings.least_steps)
            labels, told = batch.labels, weights[batch.labels]
            if student.output.ndim == 3:
                labels = batch.along
                told = weights[labels] * step_weights(replace(batch, windows=windows), settings.least_steps)
            # the result is of this batch alone
            answers = targets(labels, self.classes, self.others)
            if self.teach:
                answers = np.concatenate([answers, self.teach(windows)], axis=-1)
            result = student.train_on_batch(windows, answers, told, return_dict=True)
            total += np.array([result["loss"], result["accuracy"]], float) * len(chosen)
            table.step(epoch, step, self.steps, float(result["loss"]))
        loss, accuracy = total / len(numbers)
        return float(loss), float(accuracy)


def make_judge(drawer: WindowDrawer, settings: TrainSettings, classes: int) -> Judge:
    """Fixed validation windows; the classes weigh the same unless they are told not to."""
    count = min(len(drawer), settings.validation_windows)
    batch = drawer.gather(np.sort(drawer.draw(count, (settings.seed,))))
    weights = np.ones(classes, np.float32)
    if settings.balance != "none":
        weights = class_weights(np.bincount(batch.labels, minlength=classes))
    return Judge(batch.windows, targets(batch.labels, classes), weights[batch.labels])


def train_epochs(
    model: keras.Model, lessons: Lessons, judge: Judge, folder: RunFolder, progress: Progress, table: EpochTable
) -> None:
    """Train until there is nothing to gain. After each epoch the folder can be resumed, exported and evaluated.

    Raises:
        UsageError: the loss is no number any more.
    """
    log, student = TensorBoardLog(folder.logs), lessons.student(model)
    try:
        while not progress.finished(lessons.settings):
            number, start_s = progress.done + 1, time.monotonic()
            _seed_dropout(model, lessons.settings.seed, number)
            loss, accuracy = lessons.train_epoch(student, number, table)
            val_loss, val_accuracy = judge.judge(model)
            _refuse_nonsense(number, loss, val_loss, lessons.settings)
            rate = float(model.optimizer.learning_rate)
            seconds = round(time.monotonic() - start_s, 2)
            progress.epochs.append(Epoch(number, loss, accuracy, val_loss, val_accuracy, rate, seconds))
            folder.save_epoch(model, progress)
            log.write(progress.epochs[-1])
            table.update(progress)
    finally:
        log.close()


def _refuse_nonsense(epoch: int, loss: float, val_loss: float, settings: TrainSettings) -> None:
    if not (math.isfinite(loss) and math.isfinite(val_loss)):
        raise UsageError(
            f"The loss is no number any more in epoch {epoch}: the learning rate is too high.\n"
            f"Train into another folder with, say, --learning-rate {settings.learning_rate / 10:g}."
        )


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Let dropout hang on the seed and the epoch alone, whatever was drawn before."""
    states = [variable for variable in model.variables if "seed_generator" in variable.path]
    for number, state in enumerate(states):
        state.assign(np.array([seed, epoch * 1000 + number], np.uint32))
