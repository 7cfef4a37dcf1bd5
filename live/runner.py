"""The live loop: frames of a source through the recogniser, onto the display, into the recording and the events.

Three things overlap: the source reads in its thread, recognition runs in another, and this one draws, shows and
records. Of a file the encoder has a thread to itself, so that it never waits for what follows from its answer; of a
camera it does not, since handing over takes time and the next frame is not there yet. Of a file that nobody sees the
recognising thread draws and records, too, and this one only waits for the end or a signal: no eye and no key hangs on
it, and handing over takes time. Each knows the others only by what they give.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from threading import Event

import cv2

from live.address import File, understand
from live.log import say
from live.metrics import Metrics
from live.moves import Move, MoveTracker
from live.options import Options
from live.outage import Asked, Outage, tell_damage
from live.outputs import check_outputs
from live.overlay import Overlay
from live.recognizer import Recognizer
from live.screen import Answer, Draw, Screen
from live.sinks import can_be_shown, open_sinks, tell_missing
from live.source import FrameSource
from live.stopping import Interrupted, stop_signals
from live.view import View
from live.watch import Summary, Watch
from live.webcam import Wanted
from models.ahead import Ahead
from models.card import ModelCard, find_model

# Without a new answer the display is drawn again this often, so that keys and a stale source are noticed.
TICK_S = 0.1
# Answers that wait to be drawn; of a live source only the newest does.
ANSWERED_AHEAD = 2


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
    beside, over = source.live or screen.shown, Event()
    answered = watch.answers(seen) if beside else _drawn(watch.answers(seen), screen, over)
    answers = Ahead(answered, depth, "recogniser", newest=source.live)
    outage, asked = Outage(source, tell), Asked(source, wanted, tell)
    try:
        while not (answers.ended or screen.quit or stopped()):
            answer = answers.next(TICK_S)
            if beside:
                screen.update(answer)
            outage.check()
            asked.check()
    finally:
        over.set()
        if answers.close():
            watch.finish()
    source.close()
    return watch.summary(stopped())


def _drawn(answers: Generator[Answer | None], screen: Screen, over: Event) -> Iterator[None]:
    """Each answer is drawn and recorded by the thread that makes it, and none is handed over.

    One that comes out of a slow network once it is `over` is not: the recording may be closed by then.
    """
    with closing(answers):
        for answer in answers:
            if over.is_set():
                return
            screen.update(answer)
            yield None


def live(source: str, options: Options) -> Summary:
    """What `pointe live` does: open all that is asked for, run, and close it so that every output is whole.

    A file is paced only where it is shown. The annotated recording holds what the display shows.

    Raises:
        UsageError: an output cannot be written, the threshold is no probability, or the port cannot be had.
        SourceError, ModelError, DeviceError: from what is opened.
        SinkError: an output failed meanwhile.
    """
    place = understand(source)
    path = place.path if isinstance(place, File) else None
    check_outputs(options.record, options.record_raw, options.events, path)
    shown = not options.headless and can_be_shown(options.tell)
    cv2.setNumThreads(1)  # the cores are for decoder and encoder
    with stop_signals() as stop, ExitStack() as stack:
        try:
            folder = find_model(options.model)
            recognizer = Recognizer.load(folder, options.device, options.threads, threads_apart=path is not None)
            tracker = MoveTracker(recognizer.card, options.threshold)
            opened = options.open(source, paced=shown, beforehand=recognizer.beforehand())
            frames = stack.enter_context(opened)
            stop.raises = False
        except Interrupted:
            return Summary(exit_code=stop.exit_code)
        metrics = stack.enter_context(Metrics(options.metrics_port, frames)) if options.metrics_port else None
        title = f"pointe: {frames.name}" if shown else None
        sinks = stack.enter_context(
            open_sinks(options, recognizer.card, stop, rate_hz=lambda: frames.rate_hz, live=frames.live, title=title)
        )
        screen = Screen(
            frames,
            # A frame that is drawn once and seen by nobody else need not be copied, which costs most of the drawing.
            draw=_drawing(recognizer.card, in_place=not (shown or frames.live)) if shown or options.record else None,
            show=sinks.show,
            record=sinks.record,
            record_raw=sinks.record_raw,
            mirror=options.mirror,
        )
        summary = run(
            frames,
            recognizer,
            tracker,
            screen,
            on_move=sinks.move,
            on_answer=metrics.answer if metrics else lambda view: None,
            tell=options.tell,
            wanted=options.wanted,
            max_seconds=options.max_seconds,
            stopped=lambda: stop.exit_code,
        )
        tell_damage(frames, options.tell)
        for each in sinks.recordings:
            if each.left_out:
                options.tell(f"{each.path}: {each.left_out} pictures came too close together to be recorded")
        tell_missing(sinks.recordings, options.tell)
        return replace(summary, wrote=sinks.wrote)


def _drawing(card: ModelCard, *, in_place: bool) -> Draw:
    overlay = Overlay(card)
    return lambda image, view, details, help_: overlay.draw(image, view, details=details, help=help_, in_place=in_place)
