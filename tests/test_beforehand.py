"""Frames made ready in the thread that decodes them: the same answers, and no other picture than the encoder's own."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import SIZE, draw_clip, make_model

from live.beforehand import Beforehand
from live.file_source import FileSource
from live.moves import MoveTracker
from live.recognizer import Recognizer
from live.watch import Watch
from models.card import DEFAULT_MODEL, ENCODER_FILE, find_model
from models.encoders import open_encoder
from models.frames import Frame, Look, Sampler, to_input

TOOK_S = 0.01


def frame_at(time_s: float, seed: int = 0) -> Frame:
    return Frame(np.random.default_rng(seed).integers(0, 256, (36, 64, 3), np.uint8), 0, time_s)


@given(st.lists(st.floats(0.001, 0.3), min_size=1, max_size=60), st.sampled_from([5.0, 15.0, 1000.0]))
def test_frames_that_are_due_and_no_others_get_a_look(gaps_s: list[float], sample_hz: float) -> None:
    beforehand, sampler = Beforehand(8, sample_hz), Sampler(sample_hz)
    for time_s in np.cumsum(gaps_s).tolist():
        assert (beforehand(frame_at(time_s)).look is not None) is sampler.take(time_s)


def test_a_look_is_what_the_encoder_makes_itself_and_stays_so_while_it_is_held(tmp_path: Path) -> None:
    encoder = open_encoder("image", make_model(tmp_path / "toy") / ENCODER_FILE, "cpu")
    beforehand = Beforehand(encoder.input_size, 1000.0)
    frames = [frame_at(seed / 10, seed) for seed in range(100)]
    for before, after in zip(frames, [beforehand(frame) for frame in frames], strict=True):
        assert after.look is not None and after.look.took_s > 0
        expected = encoder.prepare(before).copy()
        assert np.array_equal(encoder.prepare(after), expected)
        assert np.shares_memory(encoder.prepare(after), after.look.picture)


def test_a_look_of_another_size_is_not_taken(tmp_path: Path) -> None:
    encoder = open_encoder("image", make_model(tmp_path / "toy") / ENCODER_FILE, "cpu")
    frame = frame_at(0.0)
    other = Frame(frame.image, 0, 0.0, Look(np.zeros((SIZE + 1, SIZE + 1, 3), np.uint8), 0.1))
    assert np.array_equal(encoder.prepare(other), to_input(frame.image, None, SIZE)[None])


def test_only_an_encoder_of_whole_frames_can_look_beforehand(tmp_path: Path) -> None:
    assert Recognizer.load(find_model(DEFAULT_MODEL), "cpu").beforehand() is None
    assert Recognizer.load(make_model(tmp_path / "toy"), "cpu").beforehand() is not None


@pytest.mark.parametrize("frames_at_once", [1, 2])
def test_a_file_is_made_ready_where_it_is_decoded_and_the_time_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames_at_once: int
) -> None:
    looked: list[str] = []

    def looking(*arguments: object) -> np.ndarray:
        looked.append(threading.current_thread().name)
        time.sleep(TOOK_S)
        return to_input(*arguments)

    recognizer = Recognizer.load(make_model(tmp_path / "toy", sample_hz=15.0), "cpu")
    recognizer.frames_at_once = frames_at_once
    monkeypatch.setattr("live.beforehand.to_input", looking)
    monkeypatch.setattr("models.encoders.to_input", looking)
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 2.0)])
    with FileSource(clip, pace=False, beforehand=recognizer.beforehand()) as source:
        watch = Watch(source, recognizer, MoveTracker(recognizer.card), lambda move: None)
        views = [answer.view for answer in watch.answers(watch.eye.ahead()) if answer]
    assert len(views) == 60
    assert looked == ["pointe: decoder"] * 30  # every other frame is one of the sample
    assert all(view.stage_s["prepare"] >= TOOK_S for view in views)
