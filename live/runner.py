"""The live loop: frames of a source through the recogniser, onto the display, into the recording and the events.

Three things overlap: the source reads in its thread, recognition runs in another, and this one draws, shows and
records. Of a file the encoder has a thread to itself, so that it never waits for what follows from its answer; of a
camera it does not, since handing over takes time and the next frame is not there yet. Each knows the others only by
what they give.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import cv2

from live.address import Address, Camera, File, understand
from live.ahead import Ahead
from live.capture import Capture
from live.display import Display
from live.events import Events, row_of
from live.log import Line, say
from live.metrics import Metrics
from live.moves import Move, MoveTracker
from live.outage import Asked, Outage
from live.outputs import check_outputs
from live.overlay import Overlay, View
from live.recognizer import Recognizer
from live.recording import Recording
from live.screen import Draw, Screen, Show
from live.source import FrameSource, open_source
from live.stopping import Interrupted, stop_signals
from live.watch import Summary, Watch
from live.webcam import Wanted
from live.window import Window, display_problem
from models.card import DEFAULT_MODEL, ModelCard, display_name, find_model
from models.runtime import Device

# Without a new answer the display is drawn again this often, so that keys and a stale source are noticed.
TICK_S = 0.1
# Answers that wait to be drawn; of a live source only the newest does.
ANSWERED_AHEAD = 2
# A recogniser that is inside a slow network ends after it.
CLOSE_S = 1.0


def run(
    source: FrameSource,
    recognizer: Recognizer,
    tracker: MoveTracker,
    screen: Screen,
    *,
    on_move: Callable[[Move], None],
    on_answer: Callable[[View], None] = lambda view: None,
    tell: Callable[[str], None] = say,
    wanted: Wanted | None = None,
    max_seconds: float | None = None,
    stopped: Callable[[], int] = lambda: 0,
) -> Summary:
    """Recognise until the source ends, the user quits, `max_seconds` of the source are over, or `stopped` is not 0.

    The source is closed then, unless an error is raised.

    Args:
        on_move: called with each move as it ends, from the recognising thread.
        on_answer: called with each answer, from there too.
        tell: takes a line about a source that fails or comes back.
        wanted: what the camera was asked for; what it gives is told once it was measured.
        stopped: the exit code once the run is to end.
    """
    watch = Watch(source, recognizer, tracker, on_move, on_answer)
    depth = 1 if source.live else ANSWERED_AHEAD
    seen = watch.eye.one_by_one(max_seconds) if source.live else watch.eye.ahead(max_seconds)
    answers = Ahead(watch.answers(seen), depth, "recogniser", newest=source.live)
    outage, asked = Outage(source, tell), Asked(source, wanted, tell)
    try:
        while not (answers.ended or screen.quit or stopped()):
            screen.update(answers.next(TICK_S))
            outage.check()
            asked.check()
    finally:
        if answers.close(CLOSE_S):
            watch.finish()
    source.close()
    return watch.summary(stopped())


def live(
    source: str,
    *,
    model: str = DEFAULT_MODEL,
    device: Device = "auto",
    threads: int = 1,
    headless: bool = False,
    pace: bool = True,
    record: Path | None = None,
    record_raw: Path | None = None,
    events: Path | None = None,
    threshold: float | None = None,
    mirror: bool = False,
    max_seconds: float | None = None,
    give_up_after_s: float | None = None,
    wanted: Wanted | None = None,
    metrics_port: int | None = None,
    tell: Callable[[str], None] = say,
    connect: Callable[[Camera | Address], Capture] | None = None,
) -> Summary:
    """What `pointe live` does: open all that is asked for, run, and close it so that every output is whole.

    A file is paced only where it is shown. The annotated recording holds what the display shows. `give_up_after_s`,
    `wanted` and `connect` are those of `open_source`.

    Raises:
        UsageError: an output cannot be written, the threshold is no probability, or the port cannot be had.
        SourceError, ModelError, DeviceError: from what is opened.
        SinkError: an output failed meanwhile.
    """
    place = understand(source)
    check_outputs(record, record_raw, events, place.path if isinstance(place, File) else None)
    shown = not headless and can_be_shown(tell)
    cv2.setNumThreads(1)  # the cores are for decoder and encoder
    with stop_signals() as stop, ExitStack() as stack:
        try:
            recognizer = Recognizer.load(find_model(model), device, threads, threads_apart=isinstance(place, File))
            tracker = MoveTracker(recognizer.card, threshold)
            frames = stack.enter_context(
                open_source(
                    source, pace=pace and shown, give_up_after_s=give_up_after_s, wanted=wanted, connect=connect
                )
            )
            stop.raises = False
        except Interrupted:
            return Summary(exit_code=stop.exit_code)
        metrics = stack.enter_context(Metrics(metrics_port, frames)) if metrics_port else None
        file = stack.enter_context(Events(events)) if events else None
        drawn, raw = _recording(stack, record, frames), _recording(stack, record_raw, frames)
        screen = Screen(
            frames,
            draw=_drawing(recognizer.card) if shown or record else None,
            show=showing(stack, f"pointe: {frames.name}") if shown else None,
            record=drawn,
            record_raw=raw,
            mirror=mirror,
        )

        def on_move(move: Move) -> None:
            if file:
                file.write(move)
            tell(Line(describe(move, recognizer.card), "move", **row_of(move)))

        recordings = [recording for recording in (drawn, raw) if recording]
        try:
            summary = run(
                frames,
                recognizer,
                tracker,
                screen,
                on_move=on_move,
                on_answer=metrics.answer if metrics else lambda view: None,
                tell=tell,
                wanted=wanted,
                max_seconds=max_seconds,
                stopped=lambda: stop.exit_code,
            )
        finally:
            for recording in recordings:
                recording.hurry = stop.exit_code != 0 or sys.exc_info()[0] is not None
        damage = frames.damage()
        if damage:
            tell(Line(f"{frames.name}: {damage}", "damage", source=frames.name, damage=damage))
        for recording in recordings:
            if recording.left_out:
                tell(f"{recording.path}: {recording.left_out} pictures came too close together to be recorded")
        return replace(summary, wrote=tuple(sink.path for sink in (drawn, raw, file) if sink and sink.wrote))


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


def _drawing(card: ModelCard) -> Draw:
    overlay = Overlay(card)
    return lambda image, view, details, help_: overlay.draw(image, view, details=details, help=help_)


def _recording(stack: ExitStack, path: Path | None, source: FrameSource) -> Recording | None:
    return stack.enter_context(Recording(path, source.rate_hz, live=source.live)) if path else None
