"""What a user asks of `pointe live`, whatever its sources are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from live.address import Address, Camera
from live.capture import Capture
from live.log import say
from live.source import FrameSource, open_source
from live.webcam import Wanted
from models.card import DEFAULT_MODEL
from models.frames import Frame
from models.runtime import Device


@dataclass(frozen=True, kw_only=True)
class Options:
    model: str = DEFAULT_MODEL  # a shipped model's name, or a folder
    device: Device = "auto"
    threads: int = 1
    headless: bool = False
    pace: bool = True  # files at their own times where that is for the eye
    record: Path | None = None
    record_raw: Path | None = None  # of one source only
    events: Path | None = None
    threshold: float | None = None  # takes the place of the card's
    mirror: bool = False
    max_seconds: float | None = None  # of the source
    give_up_after_s: float | None = None  # without a frame; None: try for ever
    wanted: Wanted | None = None  # of a webcam
    metrics_port: int | None = None  # of one source only
    tell: Callable[[str], None] = say
    connect: Callable[[Camera | Address], Capture] | None = None  # opens a camera or an address in place of OpenCV

    def open(self, source: str, *, paced: bool, beforehand: Callable[[Frame], Frame] | None = None) -> FrameSource:
        """Open one of the sources; where `paced` a file is given at its own times, unless that is not wanted.

        `beforehand` is as for `open_source`.

        Raises:
            SourceError, UsageError: those of `open_source`.
        """
        return open_source(
            source,
            pace=self.pace and paced,
            give_up_after_s=self.give_up_after_s,
            wanted=self.wanted,
            connect=self.connect,
            beforehand=beforehand,
        )
