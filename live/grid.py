"""What `pointe live` does with several sources: one recogniser thread takes a frame of each in turn.

The networks are loaded once for all of them; what is remembered from frame to frame is each source's own. The grid's
clock is the wall's, since each source has another one.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial

import cv2

from live.address import Camera, File, understand
from live.log import Line
from live.moves import MoveTracker
from live.options import Options
from live.outage import Asked, Outage, tell_damage
from live.outputs import check_outputs
from live.recognizer import Recognizer
from live.recording import Recording
from live.screen import Answer, Show
from live.sinks import can_be_shown, open_sinks, tell_missing
from live.source import FrameSource
from live.stopping import Interrupted, stop_signals
from live.tiles import Tiles
from live.watch import Summary, Watch
from live.window import Action
from models.ahead import Ahead
from models.card import find_model
from models.errors import PartlyDone, SourceError, UsageError

# The grid is drawn, shown and recorded so often.
GRID_HZ = 25.0
# Where no source has a frame it is asked again after this.
REST_S = 0.005
# More tiles than this are too small to be read.
MOST_SOURCES = 16
# The longest that nothing is looked at but answers.
TICK_S = 0.1


class Stream:
    """One source of several, and what became of it so far. The recogniser's thread writes, the others read."""

    def __init__(self, source: FrameSource, watch: Watch, max_seconds: float | None = None) -> None:
        self.source, self.watch = source, watch
        self.over = False
        self.failed: str | None = None  # why it was given up
        self._answers = watch.answers(watch.eye.one_by_one(max_seconds, wait_s=0.0))
        self._newest: deque[Answer] = deque(maxlen=1)

    def advance(self) -> bool:
        """Answer its next frame. False: there is none now, or it is over, and then its last move ends."""
        try:
            answer = next(self._answers)
        except StopIteration:
            self._end()
            return False
        except SourceError as error:
            self.failed = str(error).partition("\n")[0].removeprefix(f"{self.source.name}: ")
            self._end()
            return False
        if answer is not None:
            self._newest.append(answer)
        return answer is not None

    def take(self) -> Answer | None:
        """The newest answer, unless it was taken before."""
        return self._newest.popleft() if self._newest else None

    def _end(self) -> None:
        self.over = True
        self.watch.finish()


def in_turn(streams: Sequence[Stream]) -> Iterator[Stream | None]:
    """Each stream that has a new answer, none of them twice before the others were asked; None when none had.

    Ends with the last of the files, or, where there are only cameras, when all were given up.
    """
    files = [stream for stream in streams if not stream.source.live]
    while not all(stream.over for stream in files or streams):
        answered = False
        for stream in streams:
            if not stream.over and stream.advance():
                answered = True
                yield stream
        if not answered:
            time.sleep(REST_S)
            yield None


def run_grid(
    streams: Sequence[Stream],
    tiles: Tiles | None,
    *,
    show: Show | None = None,
    record: Recording | None = None,
    check: Callable[[], None] = lambda: None,
    stopped: Callable[[], int] = lambda: 0,
) -> None:
    """Recognise until all files have ended, the user quits, or `stopped` is not 0; then the sources are closed.

    Args:
        tiles: what is to be drawn; None draws nothing.
        check: called now and then, to tell what there is to tell.
    """
    answers = Ahead(in_turn(streams), 1, "recogniser", newest=True)
    start_s = due_s = time.monotonic()
    pressed: Action | None = None

    def draw(tiles: Tiles) -> Action | None:
        picture = tiles.update(pressed)
        if record:
            record.write(picture, time.monotonic() - start_s)
        return show(picture) if show else None

    try:
        while not (answers.ended or pressed is Action.QUIT or stopped()):
            answers.next(max(0.0, min(TICK_S, due_s - time.monotonic())) if tiles else TICK_S)
            check()
            now_s = time.monotonic()
            if tiles and now_s >= due_s:
                due_s = max(due_s + 1 / GRID_HZ, now_s)
                pressed = draw(tiles)
        check()
        if tiles and answers.ended and pressed is not Action.QUIT:  # the last source shows its end
            draw(tiles)
    finally:
        if answers.close():
            for stream in streams:
                stream.watch.finish()
        close_all([stream.source for stream in streams])


def close_all(sources: Sequence[FrameSource]) -> None:
    """Close them at once: one that hangs takes its time."""
    if sources:
        with ThreadPoolExecutor(len(sources)) as pool:
            list(pool.map(lambda source: source.close(), sources))


def live_grid(sources: Sequence[str], options: Options) -> Summary:
    """Open all that can be opened, run, and close it so that every output is whole.

    Files are paced where the grid is shown or recorded.

    Returns:
        The sum over the sources. Its exit code is 6 where some source failed and 3 where all of them did.

    Raises:
        UsageError: too many sources, an output cannot be written or is for one source only, the threshold is no
            probability, or a webcam's settings are given where there is none.
        SourceError: no source could be opened; why was told of each.
        ModelError, DeviceError: from what is opened.
        SinkError: an output failed meanwhile.
    """
    _check(sources, options)
    tell, recorded = options.tell, options.record is not None
    shown = not options.headless and can_be_shown(tell)
    drawn = shown or recorded
    cv2.setNumThreads(1)  # the cores are for decoders and encoder
    with stop_signals() as stop, ExitStack() as stack:
        asked: list[Asked] = []

        def opening(text: str) -> FrameSource:
            its = options if isinstance(understand(text), Camera) else replace(options, wanted=None)
            source = its.open(text, paced=drawn)
            asked.append(Asked(source, its.wanted, tell))
            return source

        try:
            recognizer = Recognizer.load(find_model(options.model), options.device, options.threads)
            MoveTracker(recognizer.card, options.threshold)  # so that a wrong threshold is told before anything opens
            opened = _open_all(sources, opening, tell)
            stack.callback(close_all, opened)
            stop.raises = False
        except Interrupted:
            return Summary(exit_code=stop.exit_code)
        title = f"pointe: {len(opened)} sources" if shown else None
        sinks = stack.enter_context(
            open_sinks(options, recognizer.card, stop, rate_hz=lambda: GRID_HZ, live=True, title=title, several=True)
        )
        streams = []
        for source in opened:
            tracker = MoveTracker(recognizer.card, options.threshold)
            watch = Watch(source, recognizer.another(), tracker, partial(sinks.move, source=source.name))
            streams.append(Stream(source, watch, options.max_seconds))
        tiles = Tiles(streams, recognizer.card, mirror=options.mirror, recording=recorded) if drawn else None
        run_grid(
            streams,
            tiles,
            show=sinks.show,
            record=sinks.record,
            check=_checks(streams, asked, tell),
            stopped=lambda: stop.exit_code,
        )
        tell_missing(sinks.recordings, tell)
        return replace(_summary(streams, len(sources), stop.exit_code, tell), wrote=sinks.wrote)


def _check(sources: Sequence[str], options: Options) -> None:
    """Raises UsageError."""
    for flag, given in (("--record-raw", options.record_raw), ("--metrics-port", options.metrics_port)):
        if given:
            raise UsageError(f"{flag} is for one source, and {len(sources)} are given.\nLeave it out.")
    if len(sources) > MOST_SOURCES:
        raise UsageError(f"{len(sources)} sources are too many to be seen.\nGive at most {MOST_SOURCES}.")
    places = []
    for text in sources:
        with suppress(SourceError):  # told when it is opened
            places.append(understand(text))
    for path in (None, *(place.path for place in places if isinstance(place, File))):
        check_outputs(options.record, None, options.events, path)
    if options.wanted and not any(isinstance(place, Camera) for place in places):
        raise UsageError("--camera-size and --camera-fps are for webcams, and there is none.\nLeave them out.")


def _open_all(
    texts: Sequence[str], opening: Callable[[str], FrameSource], tell: Callable[[str], None]
) -> list[FrameSource]:
    """Those that can be opened, in their order; cameras at once, since each may take seconds.

    Raises SourceError where there is none.
    """

    def in_its_thread(text: str) -> Iterator[FrameSource]:
        source = opening(text)
        try:
            yield source
        except GeneratorExit:  # nobody waits for it any more
            source.close()
            raise

    begun = [Ahead(in_its_thread(text), 1, "opening") for text in texts]
    opened: list[FrameSource] = []
    try:
        for each in begun:
            try:
                source = each.next()
                assert source is not None, "opening raises where there is no frame"
                opened.append(source)
            except SourceError as error:
                tell(Line(str(error), "failed", reason=str(error)))
    except BaseException:  # a Ctrl-C too
        for each in begun:
            with suppress(Exception):
                late = each.next(0)
                opened += [late] if late else []
            each.close(0)
        close_all(opened)
        raise
    if not opened:
        raise SourceError(f"None of the {len(texts)} sources could be opened.")
    times = Counter[str]()
    for source in opened:
        times[source.name] += 1
        if times[source.name] > 1:
            source.name += f" ({times[source.name]})"
    return opened


def _checks(streams: Sequence[Stream], asked: Sequence[Asked], tell: Callable[[str], None]) -> Callable[[], None]:
    outages = [(stream, Outage(stream.source, tell)) for stream in streams]
    given_up: list[Stream] = []

    def check() -> None:
        for stream, outage in outages:
            if stream.failed is None:
                outage.check()
            elif stream not in given_up:
                given_up.append(stream)
                text, name = f"{stream.source.name}: {stream.failed}", stream.source.name
                tell(Line(text, "failed", source=name, reason=stream.failed))
        for each in asked:
            each.check()

    return check


def _summary(streams: Sequence[Stream], named: int, stopped: int, tell: Callable[[str], None]) -> Summary:
    """The sum; tells of each source what it came to."""
    parts = [stream.watch.summary() for stream in streams]
    for stream, part in zip(streams, parts, strict=True):
        if not stopped:
            tell_damage(stream.source, tell)
        name = stream.source.name
        text = f"{name}: {part.frames} frames: {part.answered} answered, {part.dropped} dropped"
        facts = {"captured": part.frames, "answered": part.answered, "dropped": part.dropped}
        tell(Line(text, "source", source=name, **facts))
    first_s = min((stream.watch.first_s for stream in streams if stream.watch.answered), default=0.0)
    seconds = max(stream.watch.last_s for stream in streams) - first_s
    answered = sum(part.answered for part in parts)
    failed = named - len(streams) + sum(stream.failed is not None for stream in streams)
    code = 0 if not failed else SourceError.exit_code if failed == named else PartlyDone.exit_code
    return Summary(
        frames=sum(part.frames for part in parts),
        answered=answered,
        dropped=sum(part.dropped for part in parts),
        seconds=max(0.0, seconds),
        fps=(answered - 1) / seconds if seconds > 0 else None,
        moves=tuple(move for part in parts for move in part.moves),
        exit_code=stopped or code,
    )
