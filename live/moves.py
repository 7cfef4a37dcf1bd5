"""Predictions in, moves out: a move is a stretch of time with a name, begun and ended by thresholds of the card.

It knows nothing of frames or networks; times are those of the predictions.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from live.recognizer import Prediction, Probabilities
from models.card import ModelCard, MoveClass
from models.errors import UsageError
from models.frames import MAX_GAP_S

# Times are sums of sampling periods; two that differ by less are the same.
SAME_TIME_S = 1e-6
# Probabilities are sums of 32-bit numbers.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Move:
    """A stretch of time with a name. `confidence` is the mean smoothed probability over it."""

    name: str
    confidence: float
    start_s: float
    end_s: float


class MoveTracker:
    """Follows one stream of predictions; moves never overlap, and one shorter than the card's minimum is none.

    What is decided on is a family of moves, most often of one: its probability is the sum over its members. A move
    begins where that, smoothed, reaches the `enter` of the family's likeliest member, and ends where it falls below
    its `leave`, where another family that reaches its own `enter` is likelier, or where predictions cease. Its name is
    the member's that was likeliest over its time so far. It is shown (`current`) once it has lasted its minimum and is
    nearer its `enter` than its `leave` then, so that what flares up once is no move; what is shown is also reported.
    """

    def __init__(self, card: ModelCard, threshold: float | None = None) -> None:
        """`threshold` takes the place of every move's `enter`, and of each `leave` above it.

        Raises:
            UsageError: the threshold is no probability.
        """
        if threshold is not None and not 0 <= threshold <= 1:
            raise UsageError(f"--threshold {threshold} is no probability.\nGive a number from 0 to 1.")
        self._card = card
        self._enter = np.array([move.enter if threshold is None else threshold for move in card.moves])
        self._leave = np.minimum([move.leave for move in card.moves], self._enter)
        self._families = [np.array(members) for members in card.families]
        self._lately: deque[Prediction] = deque()
        self._smoothed: Probabilities | None = None
        self._open: int | None = None  # which family goes on
        self._confidence_sum, self._predictions = 0.0, 0  # of its smoothed probabilities so far
        self._evidence = np.zeros(len(card.moves))  # the sum of all moves' smoothed probabilities since it began
        self._start_s = self._last_s = -np.inf
        self._sure = False  # what is open is nearer its `enter` than its `leave`
        self._shown = False  # it was long and sure enough, so it will be told, whatever its name

    @property
    def smoothed(self) -> Probabilities | None:
        """The moving average of the probabilities; None while there is no prediction."""
        return self._smoothed

    @property
    def current(self) -> Move | None:
        """The move that goes on, `end_s` being now; None while there is none long enough."""
        return self._move_until(self._last_s - self._card.delay_s)

    def follow(self, prediction: Prediction | None, time_s: float) -> Move | None:
        """The move that ends with the frame of `time_s`, for which there is a prediction or none."""
        return self.update(prediction) if prediction else self.lost(time_s)

    def update(self, prediction: Prediction) -> Move | None:
        """The move that ends with this prediction; None when none does."""
        now_s = prediction.time_s
        ended = self.lost(now_s)
        probabilities = self._smooth(prediction)
        self._last_s = now_s

        together = [float(probabilities[family].sum()) for family in self._families]
        likeliest = [family[np.argmax(probabilities[family])] for family in self._families]
        reaching = [number for number, move in enumerate(likeliest) if together[number] >= self._enter[move] - ROUNDING]
        rising = max(reaching, key=together.__getitem__, default=None)
        if self._open is not None:
            taken_over = rising is not None and together[rising] > together[self._open]
            if taken_over or together[self._open] < self._leave[likeliest[self._open]]:
                ended = self._move_until(now_s - self._card.delay_s)
                self._open = None
        if self._open is None and rising is not None:
            self._open, self._start_s = rising, now_s
            self._confidence_sum, self._predictions = 0.0, 0
            self._evidence[:] = 0
            self._shown = False
        if self._open is not None:
            self._confidence_sum += together[self._open]
            self._predictions += 1
            self._evidence += probabilities
            likely = likeliest[self._open]
            middle = (self._enter[likely] + self._leave[likely]) / 2
            self._sure = together[self._open] >= middle - ROUNDING
            self._shown = self._shown or self._is_move(now_s - self._card.delay_s)
        return ended

    def lost(self, time_s: float) -> Move | None:
        """No prediction could be made at `time_s`. The move that ends thereby; None while the gap is still short.

        A move ends with its last prediction when that lies more than MAX_GAP_S back, or when time went back.
        """
        if 0 <= time_s - self._last_s <= MAX_GAP_S:
            return None
        return self.finish()

    def finish(self) -> Move | None:
        """No prediction follows. The move that was going on, if it lasted long enough; then starts anew.

        Of the last frames, as many as the card's delay, nothing was said: the move lasts to the end of them.
        """
        self._shown = self._shown or self._is_move(self._last_s)
        ended = self._move_until(self._last_s)
        self._forget()
        return ended

    def _forget(self) -> None:
        self._lately.clear()
        self._smoothed = None
        self._open = None
        self._start_s = self._last_s = -np.inf

    def _smooth(self, prediction: Prediction) -> Probabilities:
        self._lately.append(prediction)
        oldest_s = prediction.time_s - self._card.smoothing_s + SAME_TIME_S
        while len(self._lately) > 1 and self._lately[0].time_s < oldest_s:
            self._lately.popleft()
        self._smoothed = np.mean([each.probabilities for each in self._lately], axis=0, dtype=np.float32)
        return self._smoothed

    def _is_move(self, end_s: float) -> bool:
        """Whether what is open is long and sure enough to be shown, if it lasts so far."""
        if self._open is None or not self._sure:
            return False
        length_s = max(0.0, end_s) - self._begun_s
        return length_s > 0 and length_s >= self._kind(self._open).min_duration_s - SAME_TIME_S

    def _move_until(self, end_s: float) -> Move | None:
        end_s = max(0.0, end_s)
        if self._open is None or not self._shown or end_s <= self._begun_s:
            return None
        confidence = self._confidence_sum / self._predictions
        return Move(self._kind(self._open).name, confidence, self._begun_s, end_s)

    @property
    def _begun_s(self) -> float:
        return max(0.0, self._start_s - self._card.delay_s)

    def _kind(self, number: int) -> MoveClass:
        """Which member of a family it most likely is that goes on."""
        family = self._families[number]
        likeliest: int = family[np.argmax(self._evidence[family])]
        return self._card.moves[likeliest]
