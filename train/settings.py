"""Every hyperparameter of training with its default. Light: no network library is loaded here."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from models.errors import UsageError

Head = Literal["pointe", "original"]
Balance = Literal["weights", "draw", "root", "none"]
T = TypeVar("T")


def _flag(default: T, help_text: str) -> T:
    """A setting that is also a flag of `pointe train`."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class TrainSettings:
    """What `pointe train` may be told; each field is a flag. `settings_for` gives the presets of the two heads."""

    head: Head = _flag("pointe", "pointe: small, for streams; original: the ancestor's network and settings")

    # what a window is
    encoder: str = _flag("pose", "pose, pose-thunder, image, inception-v3, or the path of an encoder's ONNX file")
    sample_hz: float = _flag(15.0, "frames per second that are looked at")
    window: int = _flag(30, "steps that an answer is given on")
    delay_steps: int = _flag(0, "a window's answer speaks of so many steps before its end")
    least_steps: int = _flag(8, "true steps that a window holds at least, the rest being padding; at most all")

    # the network
    units: int = _flag(128, "width of the LSTM")
    dense: int = _flag(128, "width of the layer before it (pointe) or after it (original)")
    dropout: float = _flag(0.1, "share of what is dropped while training")

    # the optimiser
    learning_rate: float = _flag(3e-3, "its peak")
    weight_decay: float = _flag(1e-2, "of AdamW")
    warmup: float = _flag(0.1, "share of the steps in which the learning rate rises; then it falls as a cosine")
    label_smoothing: float = _flag(0.0, "probability that the labels leave to the other moves")
    batch: int = _flag(128, "windows a step, at most; less where there are few")
    epochs: int = _flag(40, "at most")
    patience: int = _flag(12, "epochs without a better validation loss, after which it stops")
    epoch_windows: int = _flag(12_800, "windows drawn per epoch, at most")

    # the data
    balance: Balance = _flag(
        "weights",
        "weights: all moves weigh the same in the loss; draw: all are drawn equally often; "
        "root: by the square root of how often they are; or none",
    )
    augment: bool = _flag(True, "pose windows are mirrored, turned, and estimated worse")
    validation_fraction: float = _flag(0.2, "of the clips of train/")
    validation_windows: int = _flag(4_096, "at most")
    seed: int = _flag(0, "of all that is random; the same seed gives the same weights")

    def __post_init__(self) -> None:
        for name, allowed in (("head", ("pointe", "original")), ("balance", ("weights", "draw", "root", "none"))):
            if getattr(self, name) not in allowed:
                raise UsageError(f"--{name} {getattr(self, name)}: choose one of {', '.join(allowed)}.")
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                flag = name.replace("_", "-")
                raise UsageError(f"--{flag} {value}: give a number from {low:g} to {high:g}.")
        if self.least_steps > self.window:
            raise UsageError(
                f"--least-steps {self.least_steps}: a window has {self.window} steps.\nGive at most {self.window}."
            )
        if self.delay_steps >= self.window:
            raise UsageError(
                f"--delay-steps {self.delay_steps}: a window of {self.window} steps cannot speak of a step before it.\n"
                f"Give at most {self.window - 1}."
            )

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def differences(self, other: "TrainSettings") -> list[str]:
        """Which settings differ, each as "name: mine, not theirs"."""
        mine, theirs = self.as_dict(), other.as_dict()
        return [f"{name}: {mine[name]}, not {theirs[name]}" for name in mine if mine[name] != theirs[name]]


LIMITS: dict[str, tuple[float, float]] = {
    "sample_hz": (4, 240),
    "window": (2, 1024),
    "delay_steps": (0, 1023),
    "least_steps": (1, 1024),
    "units": (1, 16_384),
    "dense": (1, 16_384),
    "dropout": (0, 0.95),
    "learning_rate": (1e-8, 1),
    "weight_decay": (0, 1),
    "warmup": (0, 0.9),
    "label_smoothing": (0, 0.5),
    "batch": (1, 65_536),
    "epochs": (1, 100_000),
    "patience": (1, 100_000),
    "epoch_windows": (1, 100_000_000),
    "validation_fraction": (0.01, 0.9),
    "validation_windows": (1, 10_000_000),
    "seed": (0, 2**31 - 1),
}

# The ancestor's own: a wide LSTM on the raw features, and no more than dropout against learning by heart.
ORIGINAL: dict[str, Any] = {
    "head": "original",
    "window": 40,
    "units": 2048,
    "dense": 512,
    "dropout": 0.5,
    "learning_rate": 1e-5,
    "weight_decay": 0.0,
    "warmup": 0.0,
    "batch": 32,
    "epochs": 1000,
    "patience": 5,
    "augment": False,
}


def settings_for(head: str | None = None, **changed: Any) -> TrainSettings:
    """A head's preset with some settings changed; a change that is None is left at the preset.

    Raises:
        UsageError: a setting makes no sense; says which.
    """
    preset = ORIGINAL if head == "original" else {"head": head or "pointe"}
    given = {name: value for name, value in changed.items() if value is not None}
    unknown = set(given) - {field.name for field in dataclasses.fields(TrainSettings)}
    if unknown:
        raise UsageError(f"No such training setting: {', '.join(sorted(unknown))}.")
    chosen = preset | given
    if "least_steps" not in given and "window" in chosen:  # no more than a short window has
        chosen["least_steps"] = min(TrainSettings.least_steps, max(1, chosen["window"]))
    return TrainSettings(**chosen)
