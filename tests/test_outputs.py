"""Recordings that play and events that parse, after any end."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from toys import picture

from live import sinks
from live.moves import Move
from live.sinks import Events, Recording, SinkError, check_outputs
from models.errors import UsageError
from models.frames import read_video


def grey(level: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    return np.full((size[1], size[0], 3), level, np.uint8)


def levels(path: Path) -> list[int]:
    """The grey of each frame of a recording."""
    return [round(float(frame.image.mean())) for frame in read_video(path)]


def record(path: Path, shown: list[tuple[int, float]], rate_hz: float = 10, live: bool = False) -> Recording:
    with Recording(path, rate_hz, live=live) as recording:
        for level, time_s in shown:
            recording.write(grey(level), time_s)
    return recording


def test_a_recording_holds_every_picture_of_a_constant_rate(tmp_path: Path) -> None:
    path, rate_hz = tmp_path / "out.mp4", 30000 / 1001
    record(path, [(8 * index, round(index / rate_hz, 3)) for index in range(30)], rate_hz)
    assert levels(path) == pytest.approx([8 * index for index in range(30)], abs=3)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(rate_hz, rel=1e-4)
    capture.release()


def test_a_recording_keeps_its_clock_when_pictures_are_late_or_early(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [(40, 0.0), (80, 0.1), (120, 0.4), (200, 0.41), (160, 0.5)])
    assert levels(path) == pytest.approx([40, 80, 80, 80, 120, 160], abs=3)


def test_a_recording_starts_with_its_first_picture_whatever_its_time(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [(40, 1000.0), (80, 1000.1)])
    assert levels(path) == pytest.approx([40, 80], abs=3)


def test_a_jump_in_time_costs_at_most_the_longest_hold(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [(40, 0.0), (80, 1e6), (120, 1e6 + 0.1), (160, 0.0), (200, 0.1)])
    seen = levels(path)
    assert len(seen) == 10 * sinks.LONGEST_HOLD_S + 4
    assert seen[-4:] == pytest.approx([80, 120, 160, 200], abs=3)


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (1, 1)])
def test_odd_sizes_are_padded_to_even_ones(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "out.mp4"
    with Recording(path, 10, live=False) as recording:
        for index in range(3):
            recording.write(grey(100, size), index / 10)
    frames = list(read_video(path))
    assert len(frames) == 3
    assert frames[0].image.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)


def test_colours_survive(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with Recording(path, 10, live=False) as recording:
        recording.write(picture("plie"), 0.0)
    (frame,) = read_video(path)
    assert frame.image.mean(axis=(0, 1)) == pytest.approx(picture("plie")[0, 0], abs=12)


def test_a_picture_of_another_size_is_fitted_into_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with Recording(path, 10, live=False) as recording:
        recording.write(grey(100, (64, 48)), 0.0)
        recording.write(grey(200, (128, 48)), 0.1)
    _, second = (frame.image for frame in read_video(path))
    assert second.shape == (48, 64, 3)
    assert second[24, 32].mean() == pytest.approx(200, abs=5)
    assert second[2, 32].mean() == pytest.approx(0, abs=5)


def test_a_picture_may_be_drawn_over_once_it_is_written(tmp_path: Path) -> None:
    path, image = tmp_path / "out.mp4", grey(0)
    with Recording(path, 10, live=False) as recording:
        for index in range(10):
            image[:] = 20 * index
            recording.write(image, index / 10)
    assert levels(path) == pytest.approx([20 * index for index in range(10)], abs=3)


def test_the_recording_is_fragmented_h264(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, [(100, index / 10) for index in range(35)])
    content = path.read_bytes()
    assert content.count(b"moof") >= 3  # one a second
    assert b"avc1" in content


def test_a_live_recording_leaves_pictures_out_rather_than_wait_and_keeps_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with Recording(path, 10, live=True) as recording:
        recording.write(grey(0), 0.0)
        assert recording._child is not None
        os.kill(recording._child.pid, signal.SIGSTOP)  # a disk that does not answer
        big = 4 * sinks.WAITING + 20
        for index in range(1, big):
            recording.write(grey(index), index / 10)
        assert recording.dropped > 0
        os.kill(recording._child.pid, signal.SIGCONT)
    assert len(levels(path)) <= big


def test_a_full_disk_is_one_clear_error_and_not_a_hang() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
    with (
        pytest.raises(SinkError, match="no space left on device"),
        Recording(Path("/dev/full"), 30, live=False) as full,
    ):
        for index in range(2000):
            full.write(noise, index / 30)


def test_a_recording_whose_folder_was_removed_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(SinkError, match="removed"), Recording(folder / "out.mp4", 10, live=False) as recording:
        recording.write(grey(0), 0.0)
        while not (folder / "out.mp4").exists():
            recording.write(grey(0), 0.1)
        shutil.rmtree(folder)


def test_a_recording_without_pictures_leaves_no_file(tmp_path: Path) -> None:
    with Recording(tmp_path / "out.mp4", 10, live=False):
        pass
    assert not (tmp_path / "out.mp4").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from live.sinks import Recording
recording = Recording(Path(sys.argv[1]), 10, live=False)
for index in range(60):
    recording.write(np.full((48, 64, 3), index, np.uint8), index / 10)
while not recording.path.exists() or recording.path.read_bytes().count(b"moof") < 2:
    index += 1
    recording.write(np.full((48, 64, 3), index % 256, np.uint8), index / 10)
if sys.argv[2] == "both":
    os.kill(recording._child.pid, signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("what", ["us", "both"])
def test_after_a_kill_the_file_still_plays(root: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "out.mp4"
    code = subprocess.run([sys.executable, "-c", KILLED, path, what], cwd=root, timeout=60).returncode
    assert code == -signal.SIGKILL
    assert len(levels(path)) >= 10


MOVES = [Move("plie", 0.91234, 4.93, 6.1333333), Move("grand_jete", 1.0, 7.0, 8.0)]


def test_events_are_json_lines_each_on_the_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Events(path) as events:
        events.write(MOVES[0])
        assert json.loads(path.read_text()) == {"move": "plie", "start_s": 4.93, "end_s": 6.133, "confidence": 0.9123}
        events.write(MOVES[1])
    assert [json.loads(line)["move"] for line in path.read_text().splitlines()] == ["plie", "grand_jete"]


def test_events_as_csv_have_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with Events(path) as events:
        for move in MOVES:
            events.write(move)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert rows[0] == {"move": "plie", "start_s": "4.93", "end_s": "6.133", "confidence": "0.9123"}
    assert len(rows) == 2


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_no_name_is_a_formula_to_a_spreadsheet(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out.csv"
    with Events(path) as events:
        events.write(Move(name, 1.0, 0.0, 1.0))
    assert next(csv.DictReader(path.read_text().splitlines()))["move"] == f"'{name}"


def test_events_on_a_full_disk_are_one_clear_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    events = Events(Path("/dev/full"))
    with pytest.raises(SinkError, match="no space left on device"):
        events.write(MOVES[0])
    with pytest.raises(SinkError):
        events.close()


def test_outputs_that_can_be_written_are_no_problem_and_are_not_created(tmp_path: Path) -> None:
    check_outputs(tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.csv", tmp_path / "source.mp4")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_an_output_is_made(tmp_path: Path) -> None:
    check_outputs(tmp_path / "new" / "folder" / "out.mp4", None, None, None)
    assert (tmp_path / "new" / "folder").is_dir()


def test_outputs_are_checked_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    clip = tmp_path / "clip.mp4"
    for arguments, said in (
        ({"record": tmp_path / "out.avi"}, "must end in .mp4"),
        ({"events": tmp_path / "out.txt"}, "must end in .jsonl or .csv"),
        ({"record": Path(__file__) / "out.mp4"}, "cannot be written"),
        ({"record_raw": tmp_path / "folder.mp4"}, "is a directory"),
        ({"record": clip, "source": clip}, "overwrite the source"),
        ({"record": clip, "record_raw": tmp_path / "folder.mp4" / ".." / "clip.mp4"}, "overwrite --record"),
    ):
        with pytest.raises(UsageError, match=said):
            check_outputs(**arguments)
