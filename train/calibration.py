"""From answers on validation windows to a temperature and to thresholds: when a probability is to be believed.

Knows nothing of networks: (windows, moves) probabilities and labels come in.
"""

from collections.abc import Sequence as Listed
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.windows import SKIP, Floats, Ints

# A handful of clips is easily told apart for certain; that is no reason to be more certain than the network is.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1.0, 10.0
ENTER_DEFAULT, LEAVE_DEFAULT = 0.6, 0.4
ENTER_GRID = np.arange(0.40, 0.905, 0.01)
# No move has to be surer than this: of a dancer who was not made, as of one whose feet alone are in the picture, the
# network is hardly ever as sure as of those that it is calibrated on.
HIGHEST_ENTER = 0.70
LEAVE_SHARE = 0.65  # of the enter threshold
# How much more recall counts than precision. At 0.5 the thresholds lay so high that moves of people who dance unlike
# those of the validation were hardly ever announced.
BETA = 1.0
AS_GOOD = 0.01  # thresholds whose score is this near the best are as good; the middle one is taken


@dataclass(frozen=True)
class Answers:
    """What a network said along one sequence, step after step."""

    name: str
    probabilities: Floats  # (steps, moves)
    labels: Ints  # (steps,)


@dataclass(frozen=True)
class Threshold:
    enter: float = ENTER_DEFAULT
    leave: float = LEAVE_DEFAULT


def fit_temperature(answers: Listed[Answers]) -> float:
    """What to divide the logits by, so that the probabilities are as certain as they are right.

    Ref: Guo et al. 2017, On Calibration of Modern Neural Networks. The logits are the logarithms of the
    probabilities, but for a constant that cancels out.
    """
    logits = np.concatenate([np.log(np.maximum(answer.probabilities, 1e-12)) for answer in answers]).astype(np.float64)
    labels = np.concatenate([answer.labels for answer in answers])
    logits, labels = logits[labels != SKIP], labels[labels != SKIP]
    if not len(labels):
        return 1.0

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        top = scaled.max(axis=1, keepdims=True)
        log_sum = top[:, 0] + np.log(np.exp(scaled - top).sum(axis=1))
        return float(np.mean(log_sum - scaled[np.arange(len(labels)), labels]))

    grid = np.geomspace(LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE, 47)  # steps of 5 %
    return round(float(min(grid, key=loss)), 3)


def calibrated(probabilities: Floats, temperature: float) -> Floats:
    """The probabilities whose logits were divided by the temperature."""
    logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)) / temperature
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def smoothed(probabilities: Floats, steps: int) -> Floats:
    """The mean of the last `steps` answers, of fewer at the beginning."""
    total = np.cumsum(probabilities, axis=0, dtype=np.float64)
    total[steps:] -= total[:-steps].copy()
    return np.asarray(total / np.minimum(np.arange(len(total)) + 1, steps)[:, None], np.float32)


def fit_thresholds(
    answers: Listed[Answers], moves: int, families: Listed[Listed[int]], smooth_steps: int
) -> tuple[Threshold, ...]:
    """For each of `moves` when it begins and when it ends, from calibrated answers.

    The moves of a family, given by their indices, are decided on together and have the same thresholds.
    """
    scores = np.concatenate([smoothed(answer.probabilities, smooth_steps) for answer in answers])
    labels = np.concatenate([answer.labels for answer in answers])
    scores, labels = scores[labels != SKIP], labels[labels != SKIP]
    thresholds = [Threshold()] * moves
    for family in families:
        together = _fit_threshold(scores[:, list(family)].sum(axis=1), np.isin(labels, family))
        for move in family:
            thresholds[move] = together
    return tuple(thresholds)


def _fit_threshold(scores: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_]) -> Threshold:
    if not truth.any():
        return Threshold()
    above = scores[:, None] >= ENTER_GRID  # (steps, grid)
    hits = (above & truth[:, None]).sum(axis=0)
    weight = BETA**2
    f_beta = (1 + weight) * hits / (above.sum(axis=0) + weight * truth.sum())
    good = ENTER_GRID[f_beta >= f_beta.max() - AS_GOOD]
    enter = min(HIGHEST_ENTER, round(float(good[len(good) // 2]), 2))
    return Threshold(enter, round(enter * LEAVE_SHARE, 2))
