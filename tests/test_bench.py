"""What the benchmark counts: only answers, each of them once, and the work that they say they did."""

import time
from pathlib import Path

import numpy as np
import pytest
from toys import draw_clip, make_model

from live.bench_allocations import allocations
from live.bench_loop import loop
from live.bench_subject import describe_video, find_video, open_subject, which_encoded
from live.file_source import FileSource
from live.limits import EncoderAlone, both_at_once, decode_alone
from live.overlay import Overlay
from live.rescaled import measured_video
from models.errors import SourceError, UsageError
from models.frames import read_video
from models.threads import left_running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 frames at 30 Hz."""
    return draw_clip(tmp_path_factory.mktemp("bench") / "clip.mp4", [("plie", 2), ("tendu", 4 / 3)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "toy")


def test_a_slow_network_is_not_taken_for_a_fast_one_where_the_display_draws_an_answer_again(
    clip: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = open_subject(str(model), None, "cpu", 1).recognizer
    encoder, run = recognizer.encoder, []
    infer = encoder.infer

    def slowly(prepared: np.ndarray) -> np.ndarray:
        time.sleep(0.25)  # longer than the display waits before it draws anew
        run.append(len(run))
        return infer(prepared)

    monkeypatch.setattr(encoder, "infer", slowly)
    looped = loop(recognizer, Overlay(recognizer.card), FileSource(clip, pace=False), 1, 3)
    assert len(looped.answers) == 3
    assert len(run) >= 4


def test_every_answer_of_the_loop_says_how_long_each_stage_took(clip: Path, model: Path) -> None:
    recognizer = open_subject(str(model), None, "cpu", 1).recognizer
    looped = loop(recognizer, Overlay(recognizer.card), FileSource(clip, pace=False), 10, 1000)
    assert len(looped.answers) == 90
    assert set(looped.stages_ms()) == {"decode", "prepare", "encode", "head", "draw"}
    assert all(ms > 0 for ms in looped.stages_ms().values())


def test_at_the_rate_on_the_card_a_third_of_the_frames_is_encoded(clip: Path, model: Path) -> None:
    times_s = [frame.time_s for frame in read_video(clip)]
    every, sampled = (open_subject(str(model), None, "cpu", 1, sampled=each) for each in (False, True))
    assert all(which_encoded(every, times_s))
    assert sum(which_encoded(sampled, times_s)) / len(times_s) == pytest.approx(1 / 3, abs=0.02)


def test_the_limits_run_the_encoder_and_the_decoder_as_often_as_they_say(clip: Path, model: Path) -> None:
    assert len(EncoderAlone(model / "encoder.onnx", clip, "cpu", 1).seconds(50)) == 50
    decoded = decode_alone(clip, 30, 1000)
    assert decoded.frames == 70
    assert decoded.times_s == pytest.approx([index / 30 for index in range(30, 100)], abs=0.001)


def test_both_at_once_run_the_encoder_for_the_frames_that_are_encoded_and_end(
    clip: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, runs = EncoderAlone(model / "encoder.onnx", clip, "cpu", 1), []
    run = encoder.run
    monkeypatch.setattr(encoder, "run", lambda: runs.append(run()))
    assert both_at_once(encoder, clip, 30, [True, False] * 35) > 0
    assert len(runs) == 35
    assert left_running() == []


def test_a_video_that_ends_within_the_warm_up_is_refused(clip: Path) -> None:
    with pytest.raises(UsageError, match="too short"):
        decode_alone(clip, 95, 100)


def test_a_rescaled_copy_has_every_frame_and_its_time_and_is_gone_afterwards(clip: Path) -> None:
    with measured_video(str(clip), 96) as video:
        assert video.size == "128x96"
        assert video.rate_hz == 30
        copied = [frame.time_s for frame in read_video(video.path)]
    assert copied == pytest.approx([frame.time_s for frame in read_video(clip)], abs=0.001)
    assert not video.path.exists()


def test_what_is_no_video_cannot_be_rescaled_and_a_camera_not_be_measured(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    with pytest.raises(SourceError, match="Cannot read"), measured_video(str(text), 720):
        pass
    with pytest.raises(UsageError, match="video file"):
        find_video("0")


def test_a_frame_that_is_allocated_for_each_answer_is_found_and_where(
    clip: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = open_subject(str(model), None, "cpu", 1).recognizer
    encoder, kept = recognizer.encoder, []
    infer = encoder.infer

    def wastefully(prepared: np.ndarray) -> np.ndarray:
        kept[:] = [np.ones((48, 64, 3), np.uint8)]
        return infer(prepared)

    monkeypatch.setattr(encoder, "infer", wastefully)
    found = allocations(recognizer, clip)
    assert found.frame_bytes == 64 * 48 * 3
    assert found.frame_sized
    assert any(place.startswith(("test_bench.py", "numeric.py")) for place in found.places)


def test_the_size_and_rate_of_a_video_are_told(clip: Path) -> None:
    video = describe_video(clip, "clip")
    assert (video.size, video.rate_hz) == ("64x48", 30)
    assert video.kbit_s > 0
