"""Reading videos, sampling by time, cutting an encoder's input."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SourceError
from models.frames import Box, Sampler, read_video, to_input, whole_square


def write_video(path: Path, shades: list[int], fps: float = 25, size: tuple[int, int] = (64, 48)) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    for shade in shades:
        writer.write(np.full((size[1], size[0], 3), shade, np.uint8))
    writer.release()
    return path


def test_every_frame_is_read_once_in_order_with_its_time(tmp_path: Path) -> None:
    shades = list(range(20, 240, 10))
    frames = list(read_video(write_video(tmp_path / "clip.avi", shades)))
    assert [frame.index for frame in frames] == list(range(len(shades)))
    assert [round(float(frame.image.mean()), -1) for frame in frames] == shades
    assert np.allclose([frame.time_s for frame in frames], np.arange(len(shades)) / 25, atol=1e-3)


def test_a_video_of_variable_rate_keeps_its_own_times(tmp_path: Path) -> None:
    constant = write_video(tmp_path / "clip.avi", [100] * 30, fps=30)
    variable = tmp_path / "variable.mp4"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    # Frames 0..9 stay, then every third one: the gaps must show in the times.
    select = "select='lt(n,10)+not(mod(n,3))'"
    command = [ffmpeg, "-v", "error", "-i", constant, "-vf", select, "-fps_mode", "vfr", "-c:v", "libx264", variable]
    subprocess.run(command, check=True)
    times = [frame.time_s for frame in read_video(variable)]
    expected = [n / 30 for n in range(30) if n < 10 or n % 3 == 0]
    assert np.allclose(times, expected, atol=2e-3)


def test_a_truncated_video_gives_what_was_good(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "clip.avi", [100] * 50)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 10 < len(list(read_video(cut))) < 50


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_a_file_that_is_no_video_is_a_source_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"notes\.mp4"):
        list(read_video(path))


def test_a_missing_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such video"):
        list(read_video(tmp_path / "missing.mp4"))


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
def test_a_file_whose_name_is_no_unicode_is_a_source_error_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    path.write_bytes(b"anything")
    with pytest.raises(SourceError, match="Rename it"):
        list(read_video(path))


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
def test_a_file_below_a_folder_whose_name_is_no_unicode_is_a_source_error_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("clip.mp4").write_bytes(b"anything")
    with pytest.raises(SourceError, match=r"folder above it.*\nRename it"):
        list(read_video(Path("clip.mp4")))


@pytest.mark.parametrize("fps", [15, 23.976, 24, 25, 29.97, 30, 50, 59.94, 120])
def test_a_source_of_any_rate_is_sampled_at_the_wanted_mean_rate(fps: float) -> None:
    sampler = Sampler(15)
    times = np.arange(int(20 * fps)) / fps
    taken = [time for time in times if sampler.take(float(time))]
    assert len(taken) == pytest.approx(20 * 15, abs=2)
    assert max(np.diff(taken)) < 1 / 15 + 1 / fps + 1e-6


def test_a_camera_at_the_sampling_rate_loses_no_frame_to_jitter() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(300) / 15 + rng.uniform(-0.012, 0.012, 300)
    sampler = Sampler(15)
    assert all(sampler.take(float(time)) for time in times)


def test_a_source_slower_than_the_rate_is_taken_whole() -> None:
    sampler = Sampler(15)
    assert all(sampler.take(float(time)) for time in np.arange(100) / 10)


def test_after_a_gap_nothing_is_made_up_for() -> None:
    sampler = Sampler(10)
    taken = [sampler.take(time) for time in (0.0, 0.1, 5.0, 5.01, 5.02, 5.1)]
    assert taken == [True, True, True, False, False, True]


def test_times_that_go_back_start_the_sampling_anew() -> None:
    sampler = Sampler(10)
    assert [sampler.take(time) for time in (7.0, 7.1, 0.0, 0.05, 0.1)] == [True, True, True, False, True]


@given(st.lists(st.floats(0.0005, 0.4), min_size=1, max_size=300), st.floats(1, 60))
def test_no_two_samples_are_closer_than_half_a_period(steps: list[float], sample_hz: float) -> None:
    sampler = Sampler(sample_hz)
    taken = [float(time) for time in np.cumsum(steps) if sampler.take(float(time))]
    assert all(gap >= 0.5 / sample_hz for gap in np.diff(taken))


def test_the_input_is_rgb_and_black_outside_the_frame() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:] = (10, 20, 200)  # BGR
    square = to_input(image, whole_square(40, 60), 60)
    assert tuple(square[30, 30]) == (200, 20, 10)
    assert tuple(square[2, 30]) == (0, 0, 0)


def test_the_whole_frame_is_stretched_as_resize_does() -> None:
    image = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    expected = cv2.cvtColor(cv2.resize(image, (64, 64), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
    assert np.array_equal(to_input(image, None, 64), expected)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 120), st.integers(1, 120), st.integers(8, 96))
def test_a_box_at_whole_pixels_is_cut_like_one_beside_it(
    left: int, top: int, width: int, height: int, size: int
) -> None:
    image = np.random.default_rng(1).integers(0, 255, (160, 160, 3), np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 2)
    beside = Box(left + 1e-4, top + 1e-4, width, height)  # which is cut another way
    border = int(np.ceil(size / min(width, height)))  # where it is enlarged, only one of the two looks beyond its edge
    inside = np.s_[border:-border, border:-border]
    cut, other = (to_input(image, box, size)[inside].astype(int) for box in (Box(left, top, width, height), beside))
    assert np.abs(cut - other).max(initial=0) <= 2


def test_a_box_cuts_what_it_surrounds_and_writes_into_the_given_buffer() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[20:40, 60:80] = 255
    out = np.empty((32, 32, 3), np.uint8)
    assert to_input(image, Box(60, 20, 20, 20), 32, out) is out
    assert out[2:-2, 2:-2].min() == 255
