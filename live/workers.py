"""Videos through the recogniser in processes of their own, several at once.

A decoder that crashes or hangs over a hostile file takes its process with it and nothing else: the file is reported,
and another process goes on with the rest. Knows nothing of how results are kept.
"""

import hashlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path

import cv2

from live.capture import silence_opencv
from live.evaluate import follow
from live.moves import Move, MoveTracker
from live.recognizer import Recognizer
from models.ahead import decoded_ahead
from models.children import end_with, stops_held_back
from models.damage import Reading
from models.errors import ModelError, PointeError, SourceError, reason_of
from models.files import status_of
from models.frames import Frame
from models.machine import cores
from models.runtime import Device

# A process that has not read a single frame for so long hangs.
STUCK_S = 10.0
# One that loads a model may take longer, on a slow disk for one.
LOADING_S = 120.0
TICK_S = 0.1
# How often a process says that it goes on.
BEAT_S = 0.25
HASHED_AT_ONCE = 1 << 20  # bytes; a slow disk must give them well within STUCK_S


@dataclass(frozen=True)
class Classified:
    """What came of one video."""

    sha256: str  # of the video, which had this size and this time of its last change before it was read
    size: int
    changed_ns: int
    frames: int
    seconds: float  # the time of its last frame
    moves: tuple[Move, ...]
    damage: str | None  # what of it could not be read
    cpu_s: float  # that its process used for it
    provider: str  # what the encoder ran on


@dataclass(frozen=True)
class Unreadable:
    reason: str


@dataclass(frozen=True)
class _Settings:
    folder: Path
    device: Device
    threshold: float | None


@dataclass(frozen=True)
class _Task:
    video: Path
    core_free: bool  # for a thread that decodes


@dataclass(frozen=True)
class _Ready:
    """The model is loaded."""


@dataclass(frozen=True)
class _Beat:
    frames: int  # of the video that were read


_Message = _Ready | _Beat | Classified | Unreadable | PointeError


class Workers:
    """A `with` of processes that share one queue of videos; leaving it ends them, at once, whatever they do."""

    def __init__(self, folder: Path, device: Device, threshold: float | None, jobs: int) -> None:
        self._settings = _Settings(folder, device, threshold)
        self._jobs = jobs
        self._running: list[_Worker] = []

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_exc: object) -> None:
        for worker in self._running:
            worker.kill()

    def each(
        self, videos: Sequence[Path], stopped: Callable[[], int], read: Callable[[int], None] = lambda _frames: None
    ) -> Iterator[tuple[Path, Classified | Unreadable]]:
        """The answer for each video, as they come; ends early once `stopped` is not 0.

        Args:
            read: told now and then how many frames of a video were read.

        Raises:
            ModelError, DeviceError: the model does not load or answers with no number.
        """
        waiting = deque(videos)
        while (waiting or any(worker.video for worker in self._running)) and not stopped():
            while waiting and len(self._running) < self._jobs:
                self._running.append(_Worker(self._settings))
            wait([worker.connection for worker in self._running], TICK_S)
            for worker in list(self._running):
                for message in worker.messages():
                    if isinstance(message, _Beat):
                        read(message.frames)
                    elif isinstance(message, PointeError):
                        raise message
                    elif worker.video and not isinstance(message, _Ready):
                        done, worker.video = worker.video, None
                        yield done, message
                if worker.ended:
                    self._running.remove(worker)
                    reason = worker.kill()
                    if worker.video:
                        yield worker.video, Unreadable(reason)
                    elif not worker.ready and not stopped():
                        if not self._running:
                            raise ModelError(f"{self._settings.folder} cannot be loaded: its process {reason}.")
                        self._jobs = len(self._running)  # as where there is no memory for one more
                elif worker.ready and not worker.video and waiting:
                    busy = min(self._jobs, len(waiting) + sum(bool(each.video) for each in self._running))
                    worker.begin(_Task(waiting.popleft(), core_free=busy < cores()))


class _Worker:
    """One process, seen from ours."""

    def __init__(self, settings: _Settings) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy whatever threads hold
        self.connection, theirs = context.Pipe()
        self.video: Path | None = None  # that it works on
        self.ready = False
        self._silent_s = 0.0
        self._looked_s = time.monotonic()
        self._gone = False
        self._process = context.Process(
            target=_work, args=(theirs, settings, os.getpid()), name="pointe: videos", daemon=True
        )
        if os.name != "nt":
            resource_tracker.ensure_running()  # the first start would start it, which ends by letting stops through
        with stops_held_back():
            self._process.start()
        theirs.close()

    def begin(self, task: _Task) -> None:
        self.video = task.video
        self._silent_s = 0.0
        with suppress(OSError):  # it has died since; `messages` will find that
            self.connection.send(task)

    def messages(self) -> Iterator[_Message]:
        """What it said since."""
        now_s = time.monotonic()
        # A process that was suspended together with ours, as by Ctrl-Z, was not silent meanwhile.
        self._silent_s += min(now_s - self._looked_s, 5 * TICK_S)
        self._looked_s = now_s
        try:
            while self.connection.poll():
                message: _Message = self.connection.recv()
                self._silent_s = 0.0
                self.ready = self.ready or isinstance(message, _Ready)
                yield message
        except (EOFError, OSError):
            self._gone = True

    @property
    def ended(self) -> bool:
        """Whether it died, or hangs."""
        limit_s = STUCK_S if self.ready else LOADING_S
        return self._gone or ((self.video is not None or not self.ready) and self._silent_s > limit_s)

    def kill(self) -> str:
        """End it at once. Why it was no use, in a few words."""
        if self._gone:
            self._process.join(1.0)
        else:
            self._process.kill()
            self._process.join()
        # What it started, such as a decoder that hangs, is of its group, which lives on without it.
        if hasattr(os, "killpg") and self._process.pid:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.exitcode
        self.connection.close()
        what = "makes the decoder" if self.ready else "seems to"
        if not self._gone:
            return f"{what} hang: no answer for {STUCK_S if self.ready else LOADING_S:.0f} s"
        return f"{what} crash (signal {-code})" if code and code < 0 else "ended without a word"


# ---- in the process itself


def _work(connection: Connection, settings: _Settings, parent: int) -> None:
    """Load the model, then answer one video after the other until nobody asks any more."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a group of its own, so that all of it can be ended
    end_with(parent)  # also while a decoder hangs
    silence_opencv()
    cv2.setNumThreads(1)
    with suppress(EOFError, OSError):  # the parent has gone
        try:
            recognizer = Recognizer.load(settings.folder, settings.device)
            tracker = MoveTracker(recognizer.card, settings.threshold)
            connection.send(_Ready())
            while True:
                task: _Task = connection.recv()
                try:
                    connection.send(_classify(task, recognizer, tracker, _Pulse(connection)))
                except SourceError as error:
                    connection.send(Unreadable(str(error).splitlines()[0].replace(str(task.video), "it")))
        except PointeError as error:
            connection.send(error)


def _classify(task: _Task, recognizer: Recognizer, tracker: MoveTracker, pulse: "_Pulse") -> Classified:
    """Raises SourceError, and ModelError where the head's answer is no number."""
    begun_s = _cpu_s()
    sha256, size, changed_ns = _hash_of(task.video, pulse)
    reading = Reading(task.video)
    seconds, moves = 0.0, list[Move]()
    with decoded_ahead(iter(reading), core_free=task.core_free) as frames:
        for now_s, _, move in follow(recognizer, tracker, pulse.beating(frames, reading)):
            seconds = now_s
            moves += [move] if move else []
    pulse.beat(reading.frames)
    damage = reading.damage()
    if (size, changed_ns) != status_of(task.video):
        raise SourceError(f"{task.video} was changed while it was read.")
    cpu_s = _cpu_s() - begun_s
    return Classified(
        sha256, size, changed_ns, reading.frames, seconds, tuple(moves), damage, cpu_s, recognizer.provider
    )


def _cpu_s() -> float:
    """What this process has used of a CPU, with the decoders that it started and that have ended."""
    return time.process_time() + sum(os.times()[2:4])  # what `times` says of itself is whole hundredths of a second


class _Pulse:
    """Tells the parent, now and then, that one video goes on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told_s = time.monotonic()

    def beating(self, frames: Iterable[Frame], reading: Reading) -> Iterator[Frame]:
        """The frames, which are of the reading."""
        for frame in frames:
            if time.monotonic() - self._told_s > BEAT_S:
                self.beat(reading.frames)
            yield frame

    def beat(self, frames: int) -> None:
        self._connection.send(_Beat(frames))
        self._told_s = time.monotonic()


def _hash_of(path: Path, pulse: _Pulse) -> tuple[str, int, int]:
    """The hash of a file, its size and the time of its last change, in nanoseconds. Raises SourceError."""
    whole = hashlib.sha256()
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            while part := file.read(HASHED_AT_ONCE):
                whole.update(part)
                pulse.beat(0)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {reason_of(error)}.") from error
    return whole.hexdigest(), status.st_size, status.st_mtime_ns
