"""What a run tells of its source: what a camera gives, when a source fails, why, and when it is back."""

import time
from collections.abc import Callable

from live.log import Line
from live.source import FrameSource
from live.webcam import Wanted
from models.frames import MAX_GAP_S

# A stretch without frames that comes so few frames after the one before is how the camera is.
FEW_FRAMES = 3


class Asked:
    """Tells once what a camera gives, where something was asked of it."""

    def __init__(self, source: FrameSource, wanted: Wanted | None, tell: Callable[[str], None]) -> None:
        self._source, self._wanted, self._tell = source, wanted, tell

    def check(self) -> None:
        source, gives = self._source, self._source.gives
        if self._wanted and gives:
            text = f"{source.name} gives {gives}; {self._wanted} was asked for"
            self._tell(Line(text, "camera", source=source.name, gives=gives, asked=str(self._wanted)))
            self._wanted = None


class Outage:
    """Tells when a source begins to fail, each reason once, and when it is back; of one that is slow, that it is."""

    def __init__(self, source: FrameSource, tell: Callable[[str], None]) -> None:
        self._source, self._tell = source, tell
        self._since_s: float | None = None
        self._told: set[str | None] = set()
        self._captured: int | None = None  # as it began to fail the last time
        self._slow = False

    def check(self) -> None:
        source, now_s = self._source, time.monotonic()
        reason, status = source.trouble, source.status
        if status and self._since_s is None:
            self._since_s = now_s
            self._look_for_slow(reason)
        if status and reason not in self._told and not (self._slow and reason is None):
            self._told.add(reason)
            text = f"{source.name}: {status}"
            self._tell(Line(text, "outage", source=source.name, reason=reason or "no frame"))
        if self._since_s is not None and not status:
            out_s, self._since_s = now_s - self._since_s, None
            if not self._told:
                return
            text = f"{source.name}: frames again after {out_s:.0f} s; {source.dropped} dropped so far"
            facts = {"source": source.name, "seconds": round(out_s, 1), "dropped": source.dropped}
            self._tell(Line(text, "recovered", **facts))
            self._told = set()

    def _look_for_slow(self, reason: str | None) -> None:
        """A camera that gives a few frames between one stretch without any and the next does not fail each time."""
        source, before, was_slow = self._source, self._captured, self._slow
        self._captured = source.captured
        self._slow = reason is None and before is not None and source.captured - before <= FEW_FRAMES
        if self._slow and not was_slow:
            text = f"{source.name}: frames come more than {MAX_GAP_S} s apart, so that no move is recognised"
            self._tell(Line(text, "outage", source=source.name, reason="too slow"))


def tell_damage(source: FrameSource, tell: Callable[[str], None]) -> None:
    """Tell what could not be read of a file that has ended."""
    damage = source.damage()
    if damage:
        tell(Line(f"{source.name}: {damage}", "damage", source=source.name, damage=damage))
