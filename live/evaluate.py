"""What a model makes of a clip, or of a long stream, through the live recogniser: to the bit as frame by frame."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from live.moves import Move, MoveTracker
from live.recognizer import Prediction, Probabilities, Recognizer, Seen
from models.errors import SourceError
from models.frames import Frame

NO_PICTURE = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Watched:
    """All that was said of one stream."""

    seconds: float  # the time of its last frame
    times_s: npt.NDArray[np.float64]  # (steps,) that each answer speaks of: the card's delay is taken off
    probabilities: npt.NDArray[np.float32]  # (steps, moves) not smoothed
    moves: tuple[Move, ...]  # in the order in which they ended
    shown_at_s: tuple[float, ...]  # when each of them appeared on the display by its name, which is later by that delay


def follow(
    recognizer: Recognizer, tracker: MoveTracker, frames: Iterable[Frame]
) -> Iterator[tuple[float, Prediction | None, Move | None]]:
    """Of each frame its time, its answer if it has one, and the move that ends with it; and last what ends then.

    Nothing is kept of what was said, so a stream may be of any length. Both start anew.

    Raises:
        SourceError, ModelError: as `watch`.
    """
    recognizer.reset()
    tracker.finish()
    now_s = 0.0
    for lot in _lots(recognizer, frames):
        for seen, outcome in zip(lot, recognizer.answers(lot), strict=True):
            now_s = seen.frame.time_s
            yield now_s, outcome.prediction, tracker.follow(outcome.prediction, now_s)
    yield now_s, None, tracker.finish()
    recognizer.reset()


def _lots(recognizer: Recognizer, frames: Iterable[Frame]) -> Iterator[list[Seen]]:
    """What the encoder makes of each frame: as many as the head gains by, with those between that it does not answer.

    Without their pictures, whose memory can be used again at once.
    """
    lot: list[Seen] = []
    sampled = 0
    for frame in frames:
        seen = recognizer.see(frame)
        bare = replace(frame, image=NO_PICTURE, look=None)
        lot.append(replace(seen, taken=replace(seen.taken, frame=bare)))
        sampled += seen.taken.sampled
        if sampled >= recognizer.answers_at_once:
            yield lot
            lot, sampled = [], 0
    if lot:
        yield lot


def watch(recognizer: Recognizer, tracker: MoveTracker, frames: Iterable[Frame]) -> Watched:
    """Follow a stream as `pointe live` does, from its first frame to its last; both start anew.

    Raises:
        SourceError: from `frames`.
        ModelError: the head's answer is no number.
    """
    answers: list[Prediction] = []
    moves: list[Move] = []
    shown_at_s: list[float] = []
    since_s: dict[str, float] = {}  # when the move that goes on was first shown, by the names it has had
    now_s = 0.0
    for now_s, prediction, move in follow(recognizer, tracker, frames):
        if prediction:
            answers.append(prediction)
        if move:
            moves.append(move)
            # One that ends in the very step in which it has lasted long enough is shown as it ends.
            shown_at_s.append(since_s.get(move.name, now_s))
            since_s.clear()
        if tracker.current:
            since_s.setdefault(tracker.current.name, now_s)
    return Watched(
        seconds=now_s,
        times_s=np.array([answer.time_s for answer in answers], np.float64) - recognizer.card.delay_s,
        probabilities=np.array([a.probabilities for a in answers], np.float32).reshape(-1, len(recognizer.card.moves)),
        moves=tuple(moves),
        shown_at_s=tuple(shown_at_s),
    )


def answer_clip(recognizer: Recognizer, frames: Iterable[Frame]) -> Probabilities:
    """The mean of a clip's predictions, or the one answer for a clip too short to fill the window.

    Raises:
        SourceError: the clip cannot be read, or no dancer is seen in it.
    """
    recognizer.reset()
    answers = [
        outcome.prediction.probabilities
        for lot in _lots(recognizer, frames)
        for outcome in recognizer.answers(lot)
        if outcome.prediction
    ]
    short = recognizer.finish()
    if not answers and short:
        answers = [short.probabilities]
    if not answers:
        raise SourceError("No dancer is seen in it.\nCheck that the whole body is in the picture.")
    mean: Probabilities = np.mean(answers, axis=0)
    return mean
