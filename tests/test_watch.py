"""Watching a source in one thread and in two: the same answers, whatever overlaps."""

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
from toys import draw_clip, make_model

from live.address import DEMO
from live.file_source import FileSource
from live.moves import Move, MoveTracker
from live.recognizer import Prepared, Recognizer, Seen
from live.watch import SEEN_AHEAD, Watch
from models.card import DEFAULT_MODEL, find_model
from models.errors import ModelError
from models.threads import left_running

Seeing = Callable[[Watch, float], Generator[Seen | None]]


def in_one_thread(watch: Watch, max_seconds: float) -> Generator[Seen | None]:
    return watch.see(max_seconds)


def in_two_threads(watch: Watch, max_seconds: float) -> Generator[Seen | None]:
    return watch.see_ahead(max_seconds)


def watched(model: Path, clip: Path, seeing: Seeing, max_seconds: float = 60) -> tuple[list, list[Move], tuple]:
    """All that is known of each frame, the moves, and what was counted."""
    recognizer = Recognizer.load(model, "cpu")
    known, moves = [], []
    with FileSource(clip, pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), moves.append)
        for answer in watch.answers(seeing(watch, max_seconds)):
            if answer:
                view = answer.view
                bits = [None if array is None else array.tobytes() for array in (view.probabilities, view.keypoints)]
                facts = (view.time_s, view.filled, view.dancer, view.current, view.recent, view.box)
                known.append((answer.frame.index, *facts, *bits))
        watch.finish()
    assert left_running() == []
    summary = watch.summary()
    return known, moves, (summary.frames, summary.answered, summary.dropped)


@pytest.mark.parametrize("max_seconds", [60, 2.0])
def test_two_threads_answer_what_one_does(tmp_path: Path, max_seconds: float) -> None:
    model = make_model(tmp_path / "toy")
    clip = draw_clip(tmp_path / "clip.mp4", [("none", 1.0), ("plie", 1.5), ("none", 0.7), ("saute", 1.0)])
    one, two = (watched(model, clip, seeing, max_seconds) for seeing in (in_one_thread, in_two_threads))
    assert one == two
    assert [move.name for move in one[1]] == ["plie", "saute"][: len(one[1])] and one[1]


def test_two_threads_follow_a_dancer_bit_for_bit_as_one_does() -> None:
    one, two = (watched(find_model(DEFAULT_MODEL), DEMO, seeing, 3.0) for seeing in (in_one_thread, in_two_threads))
    assert one == two
    assert any(keypoints for *_, keypoints in one[0])


def test_frames_that_were_encoded_and_not_asked_for_are_not_among_those_of_a_file(tmp_path: Path) -> None:
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 2.0)])
    with FileSource(clip, pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        answers = watch.answers(watch.see_ahead())
        while watch.answered < 10:
            next(answers)
        answers.close()
        assert 10 <= source.captured <= 10 + SEEN_AHEAD + 2
    summary = watch.summary()
    assert (summary.frames, summary.answered, summary.dropped) == (10, 10, 0)
    assert left_running() == []


def test_an_error_of_the_encoder_is_raised_after_the_answers_before_it(tmp_path: Path) -> None:
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    encode = recognizer.encode

    def failing(prepared: Prepared) -> Seen:
        if prepared.frame.index == 7:
            raise ModelError("it broke")
        return encode(prepared)

    recognizer.encode = failing
    with FileSource(draw_clip(tmp_path / "clip.mp4", [("plie", 1.0)]), pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        with pytest.raises(ModelError, match="it broke"):
            for _ in watch.answers(watch.see_ahead()):
                pass
    assert watch.answered == 7
    assert left_running() == []


def test_what_a_watch_keeps_of_a_frame_is_not_drawn_over_by_the_next(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 0.5), ("saute", 0.5)])
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    with FileSource(clip, pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        answers = [answer for answer in watch.answers(watch.see_ahead()) if answer]
    colours = [int(np.argmax(answer.frame.image.mean(axis=(0, 1)))) for answer in answers]
    assert colours == [2] * 15 + [0] * 15
