"""The live loop: frames of a source through the recogniser, onto the display, into the recording and the events.

Three things overlap: the source reads in its thread, recognition runs in another, and this one draws, shows and
records. It knows the others only by what they give.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
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
from live.outputs import check_outputs
from live.overlay import Overlay, View
from live.recognizer import Recognizer
from live.recording import Recording
from live.screen import Answer, Draw, Screen, Show
from live.source import FrameSource, open_source
from live.stopping import Interrupted, stop_signals
from live.webcam import Wanted
from live.window import Window, display_problem
from models.card import DEFAULT_MODEL, ModelCard, display_name, find_model
from models.frames import Frame
from models.runtime import Device

# Without a new frame the display is drawn again this often, so that keys and a stale source are noticed.
TICK_S = 0.1
# Answers that wait to be drawn; of a live source only the newest does.
ANSWERED_AHEAD = 2
# The rate that is shown is measured over so long.
RATE_OVER_S = 2.0
# Moves that the timeline can show.
REMEMBERED_MOVES = 20
# A recogniser that is inside a slow network ends after it.
CLOSE_S = 1.0


@dataclass(frozen=True)
class Summary:
    """What a run came to. `frames` were captured: `answered` of them recognised, the others `dropped`.

    The three are counted where they happen, and not from one another.
    """

    frames: int = 0
    answered: int = 0
    dropped: int = 0
    seconds: float = 0.0  # wall clock, from the first answer to the last
    fps: float | None = None  # answers per second over that time; None for fewer than two
    moves: tuple[Move, ...] = ()
    exit_code: int = 0  # 0, or 128 and the number of the signal that ended it
    wrote: tuple[Path, ...] = ()  # the outputs that there are


class Rate:
    """Ticks per second over the last RATE_OVER_S; n ticks are n - 1 intervals."""

    def __init__(self) -> None:
        self._ticks: deque[float] = deque()

    def tick(self, now_s: float) -> float | None:
        """The rate up to now; None at the first tick."""
        self._ticks.append(now_s)
        while now_s - self._ticks[0] > RATE_OVER_S:
            self._ticks.popleft()
        span_s = now_s - self._ticks[0]
        return (len(self._ticks) - 1) / span_s if span_s > 0 else None


class Watch:
    """Recognises the frames of a source, in whatever thread iterates; moves are reported as they end."""

    def __init__(
        self,
        source: FrameSource,
        recognizer: Recognizer,
        tracker: MoveTracker,
        on_move: Callable[[Move], None],
        on_answer: Callable[[View], None] = lambda view: None,
    ) -> None:
        self.moves: list[Move] = []
        self.answered = 0
        self.passed_over = 0  # frames that were taken and not answered
        self.first_s = self.last_s = 0.0  # of the answers, on the monotonic clock
        self._source, self._recognizer, self._tracker = source, recognizer, tracker
        self._on_move, self._on_answer = on_move, on_answer
        self._rate = Rate()
        self._times = recognizer.times
        self._latency_s: float | None = None

    def answers(self, max_seconds: float | None = None, wait_s: float = TICK_S) -> Iterator[Answer | None]:
        """An answer for each frame; None when none came for `wait_s`."""
        source, recognizer, tracker = self._source, self._recognizer, self._tracker
        while not source.ended:
            frame = source.next(wait_s)
            now_s = frame.time_s if frame else source.now_s
            if max_seconds is not None and now_s is not None and now_s >= max_seconds:
                self.passed_over += frame is not None
                return
            if frame is None:
                if now_s is not None:
                    self._report(tracker.lost(now_s))
                yield None
                continue
            taken_s = time.monotonic()
            self._report(tracker.follow(recognizer.push(frame), frame.time_s))
            view = self._view(frame, taken_s)
            self._on_answer(view)
            yield Answer(frame, view)

    def finish(self) -> None:
        """No more is iterated: a move that was going on ends."""
        self._report(self._tracker.finish())

    def summary(self, exit_code: int = 0) -> Summary:
        """What it came to; once the source is closed, since only then all its frames are counted."""
        source, seconds = self._source, self.last_s - self.first_s
        ahead = 0 if source.live else self.passed_over  # of a file: not dropped, but beyond what was asked for
        return Summary(
            frames=source.captured - ahead,
            answered=self.answered,
            dropped=source.dropped + self.passed_over - ahead,
            seconds=seconds,
            fps=(self.answered - 1) / seconds if seconds > 0 else None,
            moves=tuple(self.moves),
            exit_code=exit_code,
        )

    def _report(self, move: Move | None) -> None:
        if move is not None:
            self.moves.append(move)
            self._on_move(move)

    def _view(self, frame: Frame, taken_s: float) -> View:
        source, recognizer, now_s = self._source, self._recognizer, time.monotonic()
        self.answered += 1
        self.last_s = now_s
        if self.answered == 1:
            self.first_s = now_s
        present_s, times = source.now_s, recognizer.times
        if times is not self._times:  # a frame that is not one of the sample is answered in no time
            self._times = times
            self._latency_s = now_s - taken_s if present_s is None else present_s - frame.time_s
        return View(
            time_s=frame.time_s,
            source=source.name,
            filled=recognizer.filled,
            window=recognizer.card.window,
            dancer=recognizer.dancer,
            probabilities=self._tracker.smoothed,
            current=self._tracker.current,
            recent=tuple(self.moves[-REMEMBERED_MOVES:]),
            keypoints=recognizer.encoder.keypoints,
            box=recognizer.encoder.box,
            fps=self._rate.tick(now_s),
            latency_s=self._latency_s,
            dropped=source.dropped,
            gives=source.gives,
            provider=recognizer.provider,
            stage_s={
                "decode": source.decode_s,
                "prepare": times.prepare_s,
                "encode": times.encode_s,
                "head": times.head_s,
            },
        )


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
    answers = Ahead(watch.answers(max_seconds), depth, "recogniser", newest=source.live)
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
            recognizer = Recognizer.load(find_model(model), device, threads)
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
