"""Recognition of one source as it goes: an answer for each frame, the moves as they end, and what it came to.

Its `eye` may be in another thread than `answers`: then it encodes the next frame while this one does all that follows
from the one before.
"""

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from live.eye import Eye
from live.moves import Move, MoveTracker
from live.recognizer import Outcome, Recognizer, Seen
from live.screen import Answer
from live.source import FrameSource
from live.view import View

# The rate that is shown is measured over so long.
RATE_OVER_S = 2.0
# Moves that the timeline can show.
REMEMBERED_MOVES = 20


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
    """Recognises the frames of a source; moves are reported as they end, from the thread that iterates `answers`."""

    def __init__(
        self,
        source: FrameSource,
        recognizer: Recognizer,
        tracker: MoveTracker,
        on_move: Callable[[Move], None],
        on_answer: Callable[[View], None] = lambda view: None,
    ) -> None:
        self.moves: list[Move] = []
        self.eye = Eye(source, recognizer)
        self.answered = 0
        self._taken = 0  # to be answered
        self.first_s = self.last_s = 0.0  # of the answers, on the monotonic clock
        self._source, self._recognizer, self._tracker = source, recognizer, tracker
        self._on_move, self._on_answer = on_move, on_answer
        self._rate = Rate()
        self._latency_s: float | None = None

    def answers(self, seen: Generator[list[Seen]]) -> Generator[Answer | None]:
        """An answer for each frame that was seen; None where there was none. Closing it closes `seen`."""
        with closing(seen):
            for frames in seen:
                if not frames:
                    self._lost()
                    yield None
                    continue
                self._taken += len(frames)
                for each, outcome in zip(frames, self._recognizer.answers(frames), strict=True):
                    yield self._answer(each, outcome)

    def finish(self) -> None:
        """No more is iterated: a move that was going on ends."""
        self._report(self._tracker.finish())

    def summary(self, exit_code: int = 0) -> Summary:
        """What it came to; once the source is closed, since only then all its frames are counted."""
        source, seconds = self._source, self.last_s - self.first_s
        passed_over = self.eye.passed_over + self._taken - self.answered
        ahead = 0 if source.live else passed_over  # of a file: not dropped, but beyond what was asked for
        return Summary(
            frames=source.captured - ahead,
            answered=self.answered,
            dropped=source.dropped + passed_over - ahead,
            seconds=seconds,
            fps=(self.answered - 1) / seconds if seconds > 0 else None,
            moves=tuple(self.moves),
            exit_code=exit_code,
        )

    def _answer(self, seen: Seen, outcome: Outcome) -> Answer:
        self._report(self._tracker.follow(outcome.prediction, seen.frame.time_s))
        view = self._view(seen, outcome)
        self._on_answer(view)
        return Answer(seen.frame, view)

    def _lost(self) -> None:
        """There is no new frame."""
        now_s = self._source.now_s
        if now_s is not None:
            self._report(self._tracker.lost(now_s))

    def _report(self, move: Move | None) -> None:
        if move is not None:
            self.moves.append(move)
            self._on_move(move)

    def _view(self, seen: Seen, outcome: Outcome) -> View:
        source, recognizer, now_s = self._source, self._recognizer, time.monotonic()
        time_s, times = seen.frame.time_s, outcome.times
        self.answered += 1
        self.last_s = now_s
        if self.answered == 1:
            self.first_s = now_s
        if seen.taken.sampled:  # another one is answered in no time
            present_s = source.now_s
            self._latency_s = now_s - seen.taken.at_s if present_s is None else present_s - time_s
        return View(
            time_s=time_s,
            source=source.name,
            filled=outcome.filled,
            window=recognizer.card.window,
            dancer=seen.dancer,
            probabilities=self._tracker.smoothed,
            current=self._tracker.current,
            recent=tuple(self.moves[-REMEMBERED_MOVES:]),
            keypoints=seen.keypoints,
            box=seen.box,
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
