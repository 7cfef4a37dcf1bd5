"""What a run tells: lines for people, each with its facts beside it for programs, and both ways of printing them."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self

from models.errors import harmless

_printing = threading.Lock()  # several sources tell from threads of their own


class Line(str):
    """A line for people; `event` and `facts` say the same to programs."""

    event: str
    facts: dict[str, Any]

    def __new__(cls, text: str, event: str, **facts: Any) -> Self:
        line = super().__new__(cls, text)
        line.event, line.facts = event, facts
        return line


def say(line: str) -> None:
    """Print a line at once, also into a pipe; whoever reads it may have gone, which is no reason to end a run."""
    with suppress(OSError, ValueError), _printing:
        print(harmless(line) + "\n", end="", flush=True)  # in one piece: by itself print writes a line in two


def say_json(line: str) -> None:
    """The same as one JSON object with `time` (UTC), `event`, `text` and the facts of the event."""
    event, facts = (line.event, line.facts) if isinstance(line, Line) else ("note", {})
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    say(json.dumps({"time": time, "event": event, "text": str(line).strip(), **facts}, ensure_ascii=False))


def teller(format_: str) -> Callable[[str], None]:
    """How lines are printed: as text or as json."""
    return say_json if format_ == "json" else say
