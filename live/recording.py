"""The recording of the pictures, which plays after any end.

Pictures come in with their times. It knows nothing of where they come from.
"""

import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from live.outputs import OutputFile, SinkError
from live.video_encoder import end_encoder, start_encoder, why_it_ended
from models.children import without_ffmpeg
from models.frames import Image
from models.pictures import Pictures
from models.threads import THREAD_PREFIX

# Pictures that wait for the encoder. At 1280x720 they take 22 MB.
WAITING = 8
# An encoder that takes no picture and writes nothing for so long is given up.
STUCK_S = 10.0
# One that is to hurry gets this long: for what it still holds, then for the end of the file alone.
CLOSE_S = 1.5
CLOSE_WAITING_S = 1.0
# How often it is looked whether the file is still there.
LOOK_S = 1.0
# A picture stays no longer than this where time stamps jump; the recording's clock then goes on from there.
LONGEST_HOLD_S = 10.0
# A picture that comes early may be placed so many slots of the grid late, so that jitter costs none.
LATE_SLOTS = 0.75
# The first fragment begins within so many bytes, after the header.
HEADER_BYTES = 65536


class Recording:
    """H.264 in a fragmented mp4, so that a player shows it also after a kill.

    Pictures are placed by their times on a grid of `rate_hz`: one that comes late is preceded by repeats of the one
    before it, one that comes too early is left out. So the recording's clock is right whatever the source's rate. It
    begins with the first picture; later ones of another size are fitted into that one's.
    """

    def __init__(self, path: Path, rate_hz: float, *, live: bool) -> None:
        """A slow disk makes `write` wait; where `live` the picture is left out instead and counted in `dropped`.

        Raises:
            UsageError: another run writes to the file.
            SinkError: nobody can.
        """
        self.path = path
        self.dropped = 0  # pictures for which the encoder was too slow
        self.left_out = 0  # pictures that the grid has no place for
        self.wrote = False  # whether there is a file of this run
        self.hurry = False  # may be set at any time: then close() takes at most CLOSE_S
        self._rate_hz = rate_hz
        self._live = live
        self._start_s: float | None = None
        self._slot = -1  # on the grid, of the last picture taken
        self._size = (0, 0)  # (width, height)
        self._pictures = Pictures()
        self._waiting: deque[tuple[int, Image]] = deque()
        self._fed = 0  # pictures that the encoder took, with repeats
        self._changed = threading.Condition()
        self._closing = False
        self._error: str | None = None
        self._told = False  # whether the error was raised
        self._looked_s = time.monotonic()
        self._full: _Progress | None = None  # of the encoder, since a live picture found no room
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._feed, name=THREAD_PREFIX + "recording", daemon=True)
        self._output = OutputFile(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def write(self, image: Image, time_s: float) -> None:
        """Take a picture; it may be changed afterwards.

        Raises:
            SinkError: the encoder has ended, as on a full disk, or hangs, or the file was removed.
        """
        if self._child is None:
            self._start(image)
        self._look()
        slot = self._slot_of(time_s)
        if slot <= self._slot and not self._error:
            self.left_out += 1
            return
        with self._changed:
            if self._live:
                self._look_for_room()
            else:
                self._wait_for_room()
            if self._error:
                raise self._failed("cannot be written")
            if self._full:
                self.dropped += 1
                return
            self._slot = slot
            picture = self._pictures.take((self._size[1], self._size[0], 3))
            _fit(image, picture)
            self._waiting.append((slot, picture))
            self._changed.notify_all()

    def close(self, hurry: bool = False) -> None:
        """Write what waits and end the file, however long that takes while it goes on; in a hurry at most CLOSE_S.

        Raises:
            SinkError: the recording is not complete, and `write` has not said so.
        """
        self.hurry = self.hurry or hurry
        if self._child is None:
            self._output.close_unused()
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        code = self._wait_for_end(self._child)
        self._thread.join(CLOSE_S)
        if code != 0:
            self._error = self._error or why_it_ended(self._child)
        if self._output.gone:
            self._error = "it was removed meanwhile"
        assert self._child.stderr is not None
        self._child.stderr.close()
        self._child = None
        try:
            if self._error and not self._told:
                raise self._failed("is not complete")
        finally:
            self.wrote = not self._output.gone and (not self._error or self._plays())
            self._output.close(remove=not self.wrote)

    def _slot_of(self, time_s: float) -> int:
        if self._start_s is None:
            self._start_s = time_s
        exact = (time_s - self._start_s) * self._rate_hz
        slot = round(exact)
        if slot == self._slot and slot + 1 - exact <= LATE_SLOTS:
            slot += 1
        furthest = self._slot + max(1, round(LONGEST_HOLD_S * self._rate_hz))
        if slot > furthest or slot < self._slot - self._rate_hz:  # a jump forwards, or time began anew
            slot = min(max(slot, self._slot + 1), furthest)
            self._start_s = time_s - slot / self._rate_hz
        return slot

    def _look(self) -> None:
        """Now and then: is the file still there?"""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        if self._output.gone and not self._error:
            self._error = "it was removed meanwhile"

    def _wait_for_room(self) -> None:
        """With the lock held: until a picture can be taken, or the encoder failed."""
        progress = _Progress(self._done())
        while not self._changed.wait_for(lambda: len(self._waiting) < WAITING or self._error, LOOK_S):
            self._look()
            self._watch_over(progress)

    def _look_for_room(self) -> None:
        """With the lock held: whether a picture can be taken is in `_full`."""
        if len(self._waiting) < WAITING:
            self._full = None
            return
        self._full = self._full or _Progress(self._done())
        self._watch_over(self._full)

    def _watch_over(self, progress: "_Progress") -> None:
        """With the lock held: an encoder without progress has failed."""
        if self._error is None and progress.stuck(self._done()):
            self._error = "the encoder does not go on"

    def _done(self) -> tuple[int, int]:
        return self._fed, self._output.size

    def _wait_for_end(self, child: subprocess.Popen[bytes]) -> int:
        """The encoder's exit code, once it has ended or was ended."""
        progress, hurried_s, asked = _Progress(self._done()), time.monotonic(), False
        while not self._told:  # after an error nothing is worth a wait
            with suppress(subprocess.TimeoutExpired):
                return child.wait(0.05)
            now_s = time.monotonic()
            if not self.hurry:
                hurried_s = now_s
                if progress.stuck(self._done()):
                    break
            elif now_s - hurried_s > CLOSE_S:
                break
            elif now_s - hurried_s > CLOSE_WAITING_S and not asked:
                self._give_up()
                end_encoder(child)
                asked = True
        self._give_up()
        child.kill()
        return child.wait()

    def _give_up(self) -> None:
        with self._changed:
            self._error = self._error or "the encoder did not finish in time"
            self._waiting.clear()

    def _start(self, image: Image) -> None:
        height, width = image.shape[:2]
        self._size = (width, height)
        if self._output.gone:
            self._told = True
            raise SinkError(f"{self.path} was removed before the first picture.")
        try:
            self._child = start_encoder(self._output.emptied(), width, height, self._rate_hz)
        except OSError as error:
            raise SinkError(without_ffmpeg(f"{self.path} cannot be written", error)) from error
        self.wrote = True
        self._thread.start()

    def _feed(self) -> None:
        """Runs in the recording's thread: pictures to the encoder, each as often as the grid wants it."""
        child = self._child
        assert child is not None and child.stdin is not None
        shown: Image | None = None
        last = -1
        try:
            while item := self._next_waiting():
                slot, picture = item
                for repeat in range(slot - last):
                    if self._error:
                        break
                    again = picture if shown is None or repeat == slot - last - 1 else shown
                    child.stdin.write(again.data)
                    self._fed += 1
                shown, last = picture, slot
            child.stdin.close()
        except OSError:  # the encoder is gone
            with suppress(OSError):
                child.stdin.close()
            child.wait()
            with self._changed:
                self._error = self._error or why_it_ended(child)
                self._waiting.clear()
                self._changed.notify_all()

    def _next_waiting(self) -> tuple[int, Image] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            item = self._waiting.popleft()
            self._changed.notify_all()
            return item

    def _failed(self, what: str) -> SinkError:
        self._told = True
        if self._output.gone:
            return SinkError(f"{self.path} was removed while it was written.")
        plays = "Up to there it plays." if self._plays() else "Nothing of it plays."
        return SinkError(f"{self.path} {what}: {self._error}.\n{plays}")

    def _plays(self) -> bool:
        return self._output.holds(b"moof", HEADER_BYTES)


class _Progress:
    """Whether something still goes on, by a value that changes as long as it does."""

    def __init__(self, value: object) -> None:
        self._value, self._since_s = value, time.monotonic()

    def stuck(self, value: object) -> bool:
        """Whether it has been the same for STUCK_S."""
        if value != self._value:
            self._value, self._since_s = value, time.monotonic()
        return time.monotonic() - self._since_s > STUCK_S


def _fit(image: Image, picture: Image) -> None:
    """Copy into the recording's picture, whose size the image has unless a camera came back with another resolution."""
    if image.shape == picture.shape:
        np.copyto(picture, image)
        return
    (height, width), (inside_height, inside_width) = image.shape[:2], picture.shape[:2]
    scale = min(inside_width / width, inside_height / height)
    inner = (max(1, min(inside_width, round(width * scale))), max(1, min(inside_height, round(height * scale))))
    picture[:] = 0
    left, top = (inside_width - inner[0]) // 2, (inside_height - inner[1]) // 2
    part = picture[top : top + inner[1], left : left + inner[0]]
    cv2.resize(image, inner, dst=part, interpolation=cv2.INTER_AREA)
