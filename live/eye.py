"""The frames of a source through the encoder: one by one, ahead of whoever takes them, or several at once.

Whatever the way, each frame comes out once, in its order, with the same bits. It knows nothing of windows or moves.
"""

import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from live.recognizer import Recognizer, Seen, Taken, seconds_to_prepare
from live.source import FrameSource
from models.ahead import Ahead
from models.encoders import Encoder, Feature
from models.frames import Frame
from models.threads import THREAD_PREFIX

# Without a new frame whoever waits is told so this often.
TICK_S = 0.1
# Encoded frames that wait for whoever takes them, or as many as are answered at once. Where only two could, an image
# encoder of a file waited for the answers, which come in lots.
SEEN_AHEAD = 8
# For so long a frame of a file that nobody watches waits for others to be answered with it.
LINGER_S = 0.05

Encoded = tuple[Feature | None, float, float]  # with the seconds to prepare and to encode


class Eye:
    """Sees the frames of one source by the first half of a recogniser."""

    def __init__(self, source: FrameSource, recognizer: Recognizer) -> None:
        self.passed_over = 0  # frames that were taken and not handed over
        self._source, self._recognizer = source, recognizer

    def one_by_one(self, max_seconds: float | None = None, wait_s: float = TICK_S) -> Generator[list[Seen]]:
        """What the encoder makes of each frame, when it is asked for; empty when none came for `wait_s`."""
        source, recognizer = self._source, self._recognizer
        while not source.ended:
            frame = source.next(wait_s)
            if self._beyond(frame, max_seconds):
                return
            yield [recognizer.see(frame)] if frame else []

    def ahead(self, max_seconds: float | None = None) -> Generator[list[Seen]]:
        """The same, from a thread of its own that is a little ahead: for a file, since it costs a camera's frame time.

        As many frames as the head gains by are handed over together where they wait for it, or, of a file that comes as
        fast as it can, soon will. What it was ahead when this is closed counts as passed over.
        """
        at_once = self._recognizer.frames_at_once
        encoded = self._overlapped(max_seconds) if at_once == 1 else self._at_once(max_seconds, at_once)
        ahead = Ahead(encoded, max(SEEN_AHEAD, self._recognizer.answers_at_once), "encoder")
        linger_s = 0.0 if self._source.paced else LINGER_S
        try:
            while not ahead.ended:
                yield ahead.several(self._recognizer.answers_at_once, TICK_S, linger_s)
        finally:
            ahead.close()
            self.passed_over += ahead.dropped

    def _overlapped(self, max_seconds: float | None) -> Iterator[Seen | None]:
        """Each frame is handed over when the next one is about to be encoded, where that is there already.

        Whoever takes one needs Python's lock, which the network does without and the preparing does not.
        """
        source, recognizer = self._source, self._recognizer
        seen: Seen | None = None
        while not source.ended:
            frame = source.next(0.0 if seen else TICK_S)
            if self._beyond(frame, max_seconds):
                break
            prepared = recognizer.prepare(recognizer.take(frame)) if frame else None
            try:
                yield seen
            except GeneratorExit:
                self.passed_over += prepared is not None
                raise
            seen = recognizer.encode(prepared) if prepared else None
        yield seen

    def _at_once(self, max_seconds: float | None, at_once: int) -> Iterator[Seen | None]:
        """So many frames are in the network at once; for one that remembers nothing of the frame before."""
        source, recognizer = self._source, self._recognizer
        lanes = _Lanes(recognizer.encoder, at_once)
        begun: deque[tuple[Taken, Future[Encoded]]] = deque()

        def first() -> Seen | None:
            if not begun:
                return None
            taken, encoded = begun.popleft()
            return recognizer.seen(taken, *encoded.result())

        with ThreadPoolExecutor(at_once, THREAD_PREFIX + "encoder") as pool:
            try:
                while begun or not source.ended:
                    frame = None if source.ended else source.next(0.0 if begun else TICK_S)
                    if self._beyond(frame, max_seconds):
                        break
                    if frame:
                        taken = recognizer.take(frame)
                        begun.append((taken, pool.submit(lanes.encode, taken)))
                    if frame is None or len(begun) > 2 * at_once:
                        yield first()
                while begun:
                    yield first()
            finally:
                self.passed_over += len(begun)
                pool.shutdown(wait=False, cancel_futures=True)

    def _beyond(self, frame: Frame | None, max_seconds: float | None) -> bool:
        """Whether it is over; then the frame is passed over."""
        now_s = frame.time_s if frame else self._source.now_s
        beyond = max_seconds is not None and now_s is not None and now_s >= max_seconds
        self.passed_over += beyond and frame is not None
        return beyond


class _Lanes:
    """Encoders on one network, each used by one thread at a time."""

    def __init__(self, encoder: Encoder, lanes: int) -> None:
        self._free: SimpleQueue[Encoder] = SimpleQueue()
        for _ in range(lanes):
            self._free.put(encoder.another())

    def encode(self, taken: Taken) -> Encoded:
        if not taken.sampled:
            return None, 0.0, 0.0
        encoder = self._free.get()
        try:
            start = time.perf_counter()
            prepared = encoder.prepare(taken.frame)
            took_s, ready = seconds_to_prepare(taken, start), time.perf_counter()
            feature = encoder.interpret(encoder.infer(prepared), taken.frame)
            return feature, took_s, time.perf_counter() - ready
        finally:
            self._free.put(encoder)
