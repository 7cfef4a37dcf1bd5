"""RUN/, the folder of one training: what was asked, how far it is, the best network, and the means to go on.

    config.json       settings, moves, encoder and data: what a resumed run must agree with
    environment.json  versions and machine
    head.keras        the network of the best epoch
    card.json         its card, as exported models have it; the head's hash is filled in at export
    history.csv       one line per epoch
    last/             the network of the last epoch with its optimiser, to go on from
    logs/             for TensorBoard
    report/           how it does on the test clips

Every file is written whole or not at all, so that a kill at any moment leaves a folder that can be resumed.
"""

import csv
import io
import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from models.card import write_atomically
from models.errors import UsageError
from models.files import is_file, refuse_unless_unicode, refuse_unless_writable
from models.machine import machine, versions
from train.settings import TrainSettings

CONFIG_FILE = "config.json"
ENVIRONMENT_FILE = "environment.json"
HISTORY_FILE = "history.csv"
HEAD_FILE = "head.keras"
STATE_FILE = "epoch.json"


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; a line of history.csv."""

    epoch: int  # from 1
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


@dataclass
class Progress:
    """How far a run is."""

    epochs: list[Epoch] = field(default_factory=list)

    @property
    def done(self) -> int:
        return len(self.epochs)

    @property
    def best(self) -> Epoch | None:
        return min(self.epochs, key=lambda epoch: epoch.val_loss, default=None)

    def finished(self, settings: TrainSettings) -> bool:
        """Whether all epochs are done, or the last `patience` of them brought nothing better."""
        best = self.best
        return self.done >= settings.epochs or (best is not None and self.done - best.epoch >= settings.patience)


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @property
    def head(self) -> Path:
        return self.path / HEAD_FILE

    @property
    def history(self) -> Path:
        return self.path / HISTORY_FILE

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def _last(self) -> Path:
        return self.path / "last"

    def refuse_unless_usable(self, resume: bool) -> bool:
        """Whether the folder is new or empty; refuses one that holds anything else than a run to resume.

        Raises:
            UsageError: says what to do.
        """
        if is_file(self.path):
            raise UsageError(f"{self.path} is a file.\nGive another folder for the run.")
        refuse_unless_unicode(self.path)
        refuse_unless_writable(self.path, "Give another folder for the run.")
        if not self.path.exists() or not any(self.path.iterdir()):
            return True
        if not (self.path / CONFIG_FILE).is_file():
            raise UsageError(f"{self.path} is not empty and holds no run.\nGive another folder for the run.")
        if not resume:
            raise UsageError(
                f"{self.path} holds a run already.\nGo on with it: --resume. Or give another folder; this one is kept."
            )
        return False

    def begin(self, config: dict[str, Any], resume: bool) -> Progress:
        """Make the folder ready for a run of this configuration, or find out where to go on.

        Raises:
            UsageError: the folder holds something already and `resume` was not asked for, or what it holds was
                trained differently; says how.
        """
        if self.refuse_unless_usable(resume):
            self._write_json(CONFIG_FILE, config)
            self._write_json(ENVIRONMENT_FILE, environment())
            return Progress()
        differing = _differences(read_config(self.path), json.loads(json.dumps(config)))
        if differing:
            raise UsageError(
                f"{self.path} was trained with {'; '.join(differing)}.\n"
                "Resume it with the settings, clips and version of pointe that began it, or train into another folder."
            )
        return self._read_progress()

    def save_epoch(self, model: Any, progress: Progress) -> None:
        """Keep the state after an epoch, and its network as the best one where it is."""
        self._last.mkdir(exist_ok=True)
        kept = self._last / f"epoch-{progress.done:05d}.keras"
        half = self._last / "half.keras"
        model.save(half)
        half.replace(kept)
        best = progress.best
        if best is not None and best.epoch == progress.done:
            half_head = self.path / f".{HEAD_FILE}.half"
            shutil.copyfile(kept, half_head)
            half_head.replace(self.head)
        write_atomically(self.history, _as_csv(progress.epochs).encode())
        state = {"network": kept.name, "epochs": [asdict(epoch) for epoch in progress.epochs]}
        write_atomically(self._last / STATE_FILE, json.dumps(state, indent=1).encode())
        for old in self._last.glob("epoch-*.keras"):
            if old != kept:
                old.unlink()

    def last_network(self) -> Path:
        """The network of the last epoch, with its optimiser."""
        state = json.loads((self._last / STATE_FILE).read_text("utf-8"))
        return self._last / str(state["network"])

    def cannot_go_on(self, why: str) -> UsageError:
        """What to raise where the run can only be used as it is."""
        return UsageError(
            f"{self.path} cannot be gone on with: {why}.\n"
            f"Export its best epoch as it is: pointe export {self.path} MODEL. Or train into another folder."
        )

    def _read_progress(self) -> Progress:
        """Raises UsageError where epochs were done and what they left is gone or damaged."""
        path = self._last / STATE_FILE
        if not path.is_file() and not self.head.is_file():
            return Progress()  # it was stopped in its first epoch
        try:
            return Progress([Epoch(**epoch) for epoch in json.loads(path.read_text("utf-8"))["epochs"]])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self.cannot_go_on(f"{path} cannot be read") from error

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        write_atomically(self.path / name, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def read_config(run: Path) -> dict[str, Any]:
    """What a run was asked for.

    Raises:
        UsageError: the folder holds no run.
    """
    path = run / CONFIG_FILE
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{run} holds no run: {CONFIG_FILE} cannot be read.\nGive a folder that `pointe train` wrote."
        ) from error
    return config


def environment() -> dict[str, Any]:
    """On what a run was made: versions and machine."""
    return {"machine": machine(), "versions": versions()}


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """In which of what decides a training two configurations differ, in words for the user."""
    then, now = old.get("settings", {}), new["settings"]
    words = [
        f"{name} {then.get(name)}, not {now.get(name)}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    if old.get("moves") != new["moves"]:
        words.append(f"the moves {', '.join(old.get('moves', []))}, not {', '.join(new['moves'])}")
    elif old.get("encoder") != new["encoder"]:
        words.append("another encoder")
    elif old.get("code", new["code"]) != new["code"]:  # runs of before it was kept have none
        words.append("other code of network, lessons or windows")
    elif old.get("data_sha256") != new["data_sha256"]:
        words.append("other clips")
    elif old.get("teachers", []) != new["teachers"]:
        words.append("other teachers")
    return words


def _as_csv(epochs: list[Epoch]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(Epoch.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    for epoch in epochs:
        writer.writerow(asdict(epoch))
    return text.getvalue()
