"""What a model makes of one clip as a whole, through the live recogniser frame by frame."""

from pathlib import Path

import numpy as np

from live.recognizer import Probabilities, Recognizer
from models.errors import SourceError
from models.frames import read_video


def answer_clip(recognizer: Recognizer, path: Path) -> Probabilities:
    """The mean of the clip's predictions, or the one answer for a clip too short to fill the window.

    Raises:
        SourceError: the clip cannot be read, or no dancer is seen in it.
    """
    recognizer.reset()
    answers = [prediction.probabilities for frame in read_video(path) if (prediction := recognizer.push(frame))]
    short = recognizer.finish()
    if not answers and short:
        answers = [short.probabilities]
    if not answers:
        raise SourceError(f"No dancer is seen in {path}.\nCheck that the whole body is in the picture.")
    mean: Probabilities = np.mean(answers, axis=0)
    return mean
