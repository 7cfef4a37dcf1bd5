"""The folder into which the moves of many videos are written, and the records of what is finished in it.

Whatever is written is whole or not there. A record says of which video, by which model and with which options the
moves were made; while those are what they were, the video need not be looked at again.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from live.events import events_of
from live.outputs import SinkError, hold
from live.videos import Video
from live.workers import Classified
from models.card import remove_halves, sha256_of, write_atomically
from models.errors import UsageError, reason_of
from models.files import status_of

RECORDS = ".pointe"  # hidden, within the folder of the results
LOCK = ".pointe.lock"  # beside them: among them there are the user's folders, which may have any name


@dataclass(frozen=True)
class Done:
    """One video whose moves are written; as in the summary, and with `made_by` as in its record."""

    video: str  # its path
    events: str  # within the folder of the results
    sha256: str  # of the video
    frames: int
    seconds: float
    moves: dict[str, int]  # how often each was danced
    damage: str | None
    size: int = 0  # of the video; with the time of its change it tells, as make does, whether it is the same
    changed_ns: int = 0
    events_sha256: str = ""
    made_by: str = ""


class Results:
    """The folder of the results and the records of what is finished in it. Whatever it writes is whole or not there."""

    def __init__(self, out: Path, suffix: str, made_by: Callable[[str], str], provider: str) -> None:
        """One of moves that are to be made on `provider`; what stands in a record's `made_by` hangs on it."""
        self._out = out
        self._suffix = suffix
        self._made_by, self._provider = made_by, provider

    def owner_of(self, name: Path) -> Path | None:
        """The video that a name was given to, if that video is still there."""
        record = self._record(name)
        return Path(record.video) if record and os.path.lexists(record.video) else None

    def finished(self, video: Video, name: Path) -> Done | None:
        """The record of a video that need not be looked at again, which from then on knows where it is now.

        Raises:
            SinkError: the record cannot be written.
        """
        record, status = self._record(name), status_of(video.path)
        if record is None or status is None or record.made_by != self._made_by(self._provider):
            return None
        events = self._out / record.events
        if not events.is_file() or sha256_of(events) != record.events_sha256:
            return None
        same = (record.size, record.changed_ns) == status
        try:
            if not same and sha256_of(video.path) != record.sha256:
                return None
        except OSError:
            return None
        size, changed_ns = status
        now = replace(record, video=str(video.path), size=size, changed_ns=changed_ns)
        if now != record:  # it was moved or touched
            self._note(name, now)
        return now

    def keep(self, video: Video, name: Path, answer: Classified) -> Done:
        """Raises SinkError."""
        events = name.with_name(name.name + self._suffix)
        content = events_of(answer.moves, as_csv=self._suffix == ".csv").encode("ascii")
        done = Done(
            video=str(video.path),
            events=str(events),
            sha256=answer.sha256,
            frames=answer.frames,
            seconds=round(answer.seconds, 3),
            moves=dict(sorted(Counter(move.name for move in answer.moves).items())),
            damage=answer.damage,
            size=answer.size,
            changed_ns=answer.changed_ns,
            events_sha256=hashlib.sha256(content).hexdigest(),
            made_by=self._made_by(answer.provider),
        )
        self.write(self._out / events, content)
        self._note(name, done)
        return done

    def write(self, path: Path, content: bytes) -> None:
        """Raises SinkError."""
        try:
            remove_halves(path)
            write_atomically(path, content)
        except OSError as error:
            raise SinkError(f"{path} cannot be written: {reason_of(error)}.\nWhat was finished is kept.") from error

    def _note(self, name: Path, done: Done) -> None:
        """Raises SinkError."""
        self.write(self._record_path(name), json.dumps(asdict(done)).encode())

    def _record(self, name: Path) -> Done | None:
        try:
            return Done(**json.loads(self._record_path(name).read_bytes()))
        except (OSError, ValueError, TypeError):  # none, or none of ours
            return None

    def _record_path(self, name: Path) -> Path:
        return self._out / RECORDS / name.with_name(f"{name.name}{self._suffix}.json")


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Keep other runs out of the folder of the results. Raises UsageError."""
    try:
        (out / RECORDS).mkdir(parents=True, exist_ok=True)
        file = (out / LOCK).open("ab")
    except OSError as error:
        raise UsageError(f"--out {out} cannot be written: {reason_of(error)}.\nGive another folder.") from error
    with file:
        try:
            hold(file)
        except BlockingIOError as error:
            raise UsageError(f"Another run writes to {out}.\nGive another folder, or end that run.") from error
        with suppress(OSError):  # the lock of an earlier version, in the way of a folder of that name
            (out / RECORDS / "lock").unlink()
        yield
