"""Where the pictures and moves of a run go: a window, recordings, a file, lines. Opened together and closed whole."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from live.display import Display
from live.events import Events, row_of
from live.log import Line
from live.moves import Move
from live.options import Options
from live.recording import Recording
from live.screen import Show
from live.stopping import Stop
from live.window import Window, display_problem
from models.card import ModelCard, display_name


@dataclass(frozen=True)
class Sinks:
    """What is open; None for what was not asked for."""

    card: ModelCard
    tell: Callable[[str], None]
    events: Events | None
    record: Recording | None
    record_raw: Recording | None
    show: Show | None

    def move(self, move: Move, source: str | None = None) -> None:
        """Write and tell a move that has ended, with its source's name where there are several."""
        if self.events:
            self.events.write(move, source or "")
        text = describe(move, self.card) + (f"  {source}" if source else "")
        self.tell(Line(text, "move", **row_of(move, source)))

    @property
    def recordings(self) -> list[Recording]:
        return [recording for recording in (self.record, self.record_raw) if recording]

    @property
    def wrote(self) -> tuple[Path, ...]:
        """The outputs that there are."""
        return tuple(sink.path for sink in (self.record, self.record_raw, self.events) if sink and sink.wrote)


@contextmanager
def open_sinks(
    options: Options,
    card: ModelCard,
    stop: Stop,
    *,
    rate_hz: Callable[[], float],
    live: bool,
    title: str | None,
    several: bool = False,
) -> Iterator[Sinks]:
    """Open what is asked for until the `with` ends, and close it in a hurry where that was stopped or failed.

    Args:
        rate_hz: of the recordings; asked for only where there is one, since a file is looked through for it.
        live: see Recording.
        title: the window's; None shows none.

    Raises:
        UsageError: another run writes to an output.
        SinkError: nobody can; or, at the end, one is not complete.
    """
    with ExitStack() as stack:

        def recording(path: Path | None) -> Recording | None:
            return stack.enter_context(Recording(path, rate_hz(), live=live)) if path else None

        events = stack.enter_context(Events(options.events, with_source=several)) if options.events else None
        record, record_raw = recording(options.record), recording(options.record_raw)
        show = showing(stack, title) if title is not None else None
        sinks = Sinks(card, options.tell, events, record, record_raw, show)
        try:
            yield sinks
        finally:
            for each in sinks.recordings:
                each.hurry = stop.exit_code != 0 or sys.exc_info()[0] is not None


def tell_missing(recordings: Iterable[Recording], tell: Callable[[str], None]) -> None:
    """Tell how many pictures of a camera a recording could not take."""
    for each in recordings:
        if each.dropped:
            tell(f"{each.path}: {each.dropped} pictures are missing, since the encoder or the disk was too slow")


def describe(move: Move, card: ModelCard) -> str:
    """A move as one line for people."""
    shown = {kind.name: kind.display for kind in card.moves}.get(move.name, display_name(move.name))
    return f"{move.start_s:7.2f} to {move.end_s:7.2f} s  {shown}  {100 * move.confidence:.0f} %"


def can_be_shown(tell: Callable[[str], None]) -> bool:
    """Whether a window can be shown; where it cannot, why not is told."""
    problem = display_problem()
    if problem:
        tell(f"No window is shown. {problem}")
    return not problem


def showing(stack: ExitStack, title: str) -> Show:
    """What shows pictures in a window that closes with the stack."""
    if sys.platform == "linux":
        return stack.enter_context(Display(title)).show
    return stack.enter_context(Window(title)).show
