"""Watching a source in one thread and in two: the same answers, whatever overlaps."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from toys import draw_clip, make_model

from live.address import DEMO
from live.eye import SEEN_AHEAD
from live.file_source import FileSource
from live.moves import Move, MoveTracker
from live.recognizer import Prepared, Recognizer, Seen
from live.several import MOST, MOST_SMALL
from live.watch import Watch
from models.card import DEFAULT_MODEL, find_model
from models.encoders import ImageEncoder
from models.errors import ModelError
from models.machine import cores
from models.runtime import Session
from models.threads import left_running

Seeing = Callable[[Watch, float], Generator[list[Seen]]]


def in_one_thread(watch: Watch, max_seconds: float) -> Generator[list[Seen]]:
    return watch.eye.one_by_one(max_seconds)


def ahead(watch: Watch, max_seconds: float) -> Generator[list[Seen]]:
    return watch.eye.ahead(max_seconds)


def waited_for(watch: Watch, max_seconds: float) -> Generator[list[Seen]]:
    """As where whoever takes them is slow, so that as many wait as can."""
    with closing(watch.eye.ahead(max_seconds)) as seen:
        for frames in seen:
            yield frames
            time.sleep(0.02)


def watched(
    model: Path, clip: Path, seeing: Seeing, max_seconds: float = 60, frames_at_once: int = 1
) -> tuple[list, list[Move], tuple]:
    """All that is known of each frame, the moves, and what was counted."""
    recognizer = Recognizer.load(model, "cpu")
    recognizer.frames_at_once = frames_at_once
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


@pytest.mark.parametrize("frames_at_once", [1, 2, 3])
@pytest.mark.parametrize("max_seconds", [60, 2.0])
def test_several_threads_answer_what_one_does(tmp_path: Path, max_seconds: float, frames_at_once: int) -> None:
    model = make_model(tmp_path / "toy")
    clip = draw_clip(tmp_path / "clip.mp4", [("none", 1.0), ("plie", 1.5), ("none", 0.7), ("saute", 1.0)])
    one = watched(model, clip, in_one_thread, max_seconds)
    assert watched(model, clip, ahead, max_seconds, frames_at_once) == one
    assert one[1] and [move.name for move in one[1]] == ["plie", "saute"][: len(one[1])]


def test_two_threads_follow_a_dancer_bit_for_bit_as_one_does() -> None:
    one, two = (watched(find_model(DEFAULT_MODEL), DEMO, seeing, 3.0) for seeing in (in_one_thread, ahead))
    assert one == two
    assert any(keypoints for *_, keypoints in one[0])


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many arrays each run of a network got at once."""
    run, counts = Session.run, list[int]()

    def counting(session: Session, array: np.ndarray) -> np.ndarray:
        counts.append(len(array))
        return run(session, array)

    monkeypatch.setattr(Session, "run", counting)
    return counts


@pytest.mark.parametrize("max_seconds", [60, 2.0])
def test_frames_that_wait_for_the_head_are_answered_in_one_run_as_each_alone(
    tmp_path: Path, runs: list[int], max_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.several.LEAST_BYTES", 0)
    model = make_model(tmp_path / "toy", sample_hz=30.0)
    clip = draw_clip(tmp_path / "clip.mp4", [("none", 1.0), ("plie", 1.5), ("none", 0.7), ("saute", 1.0)])
    one = watched(model, clip, in_one_thread, max_seconds)
    assert set(runs) == {1}
    assert watched(model, clip, waited_for, max_seconds) == one
    assert runs.count(MOST) > 1  # the first only tries it


def test_a_file_that_nobody_watches_is_answered_in_lots_and_one_that_is_shown_frame_by_frame(
    tmp_path: Path, runs: list[int]
) -> None:
    model = make_model(tmp_path / "toy", sample_hz=30.0)
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 1.0)])
    known = {}
    for paced in (False, True):
        runs.clear()
        recognizer = Recognizer.load(model, "cpu")
        with FileSource(clip, pace=paced) as source:
            watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
            views = [answer.view for answer in watch.answers(watch.eye.ahead()) if answer]
        known[paced] = [view.probabilities.tobytes() for view in views if view.probabilities is not None]
        assert (MOST_SMALL in runs) is not paced
    assert known[False] == known[True] != []


def test_a_followed_dancer_is_answered_bit_for_bit_the_same_where_frames_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live.several.LEAST_BYTES", 0)
    one, waited = (watched(find_model(DEFAULT_MODEL), DEMO, seeing, 3.0) for seeing in (in_one_thread, waited_for))
    assert one == waited


@pytest.mark.parametrize("frames_at_once", [1, 2])
@pytest.mark.parametrize("small", [0, 10**9])
def test_frames_that_were_encoded_and_not_asked_for_are_not_among_those_of_a_file(
    tmp_path: Path, frames_at_once: int, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.several.LEAST_BYTES", small)
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    recognizer.frames_at_once = frames_at_once
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 2.0)])
    with FileSource(clip, pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        answers = watch.answers(waited_for(watch, 60))
        while watch.answered < 10:
            next(answers)
        answers.close()
        waiting = SEEN_AHEAD + (MOST_SMALL if small else MOST)
        assert 10 <= source.captured <= 10 + waiting + 2 * frames_at_once + 2
    summary = watch.summary()
    assert (summary.frames, summary.answered, summary.dropped) == (10, 10, 0)
    assert left_running() == []


def test_an_error_of_the_encoder_is_raised_after_the_answers_before_it(tmp_path: Path) -> None:
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    encode = recognizer.encode

    def failing(prepared: Prepared) -> Seen:
        if prepared.taken.frame.index == 7:
            raise ModelError("it broke")
        return encode(prepared)

    recognizer.encode = failing
    with FileSource(draw_clip(tmp_path / "clip.mp4", [("plie", 1.0)]), pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        with pytest.raises(ModelError, match="it broke"):
            for _ in watch.answers(watch.eye.ahead()):
                pass
    assert watch.answered == 7
    assert left_running() == []


def test_what_a_watch_keeps_of_a_frame_is_not_drawn_over_by_the_next(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 0.5), ("saute", 0.5)])
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    with FileSource(clip, pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        answers = [answer for answer in watch.answers(watch.eye.ahead()) if answer]
    colours = [int(np.argmax(answer.frame.image.mean(axis=(0, 1)))) for answer in answers]
    assert colours == [2] * 15 + [0] * 15


def test_threads_are_frames_at_once_where_the_encoder_remembers_nothing(tmp_path: Path) -> None:
    image = Recognizer.load(make_model(tmp_path / "toy"), "cpu", 2, threads_apart=True)
    pose = Recognizer.load(find_model(DEFAULT_MODEL), "cpu", 2, threads_apart=True)
    assert (image.frames_at_once, pose.frames_at_once) == (min(2, cores()), 1)


def test_an_encoder_with_several_frames_that_fails_is_an_error_and_not_a_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    recognizer.frames_at_once = 2

    def fail(_encoder: ImageEncoder, _prepared: np.ndarray) -> np.ndarray:
        raise ModelError("it broke")

    monkeypatch.setattr(ImageEncoder, "infer", fail)
    with FileSource(draw_clip(tmp_path / "clip.mp4", [("plie", 1.0)]), pace=False) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        with pytest.raises(ModelError, match="it broke"):
            list(watch.answers(watch.eye.ahead()))
    assert left_running() == []
