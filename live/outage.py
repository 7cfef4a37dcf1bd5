"""What a run tells of its source: what a camera gives, when a source fails, why, and when it is back."""

import time
from collections.abc import Callable

from live.log import Line
from live.source import FrameSource
from live.webcam import Wanted


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
    """Tells when a source begins to fail, each reason once, and when it is back."""

    def __init__(self, source: FrameSource, tell: Callable[[str], None]) -> None:
        self._source, self._tell = source, tell
        self._since_s: float | None = None
        self._told: set[str | None] = set()

    def check(self) -> None:
        source, now_s = self._source, time.monotonic()
        reason, status = source.trouble, source.status
        if status and self._since_s is None:
            self._since_s = now_s
        if status and reason not in self._told:
            self._told.add(reason)
            text = f"{source.name}: {status}"
            self._tell(Line(text, "outage", source=source.name, reason=reason or "no frame"))
        if self._since_s is not None and not status:
            out_s = now_s - self._since_s
            text = f"{source.name}: frames again after {out_s:.0f} s; {source.dropped} dropped so far"
            facts = {"source": source.name, "seconds": round(out_s, 1), "dropped": source.dropped}
            self._tell(Line(text, "recovered", **facts))
            self._since_s, self._told = None, set()


def tell_damage(source: FrameSource, tell: Callable[[str], None]) -> None:
    """Tell what could not be read of a file that has ended."""
    damage = source.damage()
    if damage:
        tell(Line(f"{source.name}: {damage}", "damage", source=source.name, damage=damage))
