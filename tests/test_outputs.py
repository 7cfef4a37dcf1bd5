"""Recordings that play and events that parse, after any end."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from toys import picture

from live import recording as recording_module
from live.events import Events, events_of
from live.file_source import FileSource
from live.moves import Move
from live.outputs import SinkError, check_outputs
from live.recording import Recording
from live.video_encoder import FRAGMENT_S
from models.errors import UsageError
from models.frames import read_video
from models.threads import left_running


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
    assert len(seen) == 10 * recording_module.LONGEST_HOLD_S + 4
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


def test_a_recording_that_goes_on_is_known_when_the_process_ends(tmp_path: Path) -> None:
    with Recording(tmp_path / "out.mp4", 10, live=False) as recording:
        recording.write(grey(100), 0.0)
        assert left_running() == ["pointe: recording"]
    assert left_running() == []


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
    assert content.count(b"moof") >= 3.5 / FRAGMENT_S - 1
    assert b"avc1" in content


def test_a_live_recording_leaves_pictures_out_rather_than_wait_and_keeps_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with Recording(path, 10, live=True) as recording:
        recording.write(grey(0), 0.0)
        assert recording._child is not None
        os.kill(recording._child.pid, signal.SIGSTOP)  # a disk that does not answer
        big = 4 * recording_module.WAITING + 20
        for index in range(1, big):
            recording.write(grey(index), index / 10)
        assert recording.dropped > 0
        os.kill(recording._child.pid, signal.SIGCONT)
    assert len(levels(path)) <= big


def test_a_live_recording_whose_encoder_hangs_is_given_up_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "STUCK_S", 0.3)
    with pytest.raises(SinkError, match="does not go on"), Recording(tmp_path / "out.mp4", 10, live=True) as recording:
        recording.write(grey(0), 0.0)
        assert recording._child is not None
        os.kill(recording._child.pid, signal.SIGSTOP)
        for index in range(1, 500):
            recording.write(grey(index), index / 10)
            time.sleep(0.01)


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


def test_a_recording_needs_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    record(tmp_path / "out.mp4", [(40, 0.0), (80, 0.1)])
    assert levels(tmp_path / "out.mp4") == pytest.approx([40, 80], abs=3)


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from live.recording import Recording
recording = Recording(Path(sys.argv[1]), 10, live=False)
for index in range(60):
    recording.write(np.full((48, 64, 3), index, np.uint8), index / 10)
while not recording.path.exists() or recording.path.read_bytes().count(b"moof") < 6:
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


def stopped_encoder(path: Path) -> Recording:
    """A recording with pictures that wait, whose encoder is stopped as by a disk that does not answer."""
    recording = Recording(path, 10, live=False)
    for index in range(10):
        recording.write(grey(20 * index), index / 10)
    assert recording._child is not None
    os.kill(recording._child.pid, signal.SIGSTOP)
    return recording


def test_a_slow_encoder_is_waited_for_at_the_end(tmp_path: Path) -> None:
    recording = stopped_encoder(tmp_path / "out.mp4")
    assert recording._child is not None
    waking = threading.Timer(recording_module.CLOSE_S + 1, os.kill, (recording._child.pid, signal.SIGCONT))
    waking.start()
    recording.close()
    waking.join()
    assert recording.wrote
    assert len(levels(tmp_path / "out.mp4")) == 10


def test_an_encoder_without_progress_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "STUCK_S", 0.2)
    recording = stopped_encoder(tmp_path / "out.mp4")
    with pytest.raises(SinkError, match="did not finish in time"):
        recording.close()


@pytest.mark.parametrize("beforehand", [True, False])
def test_in_a_hurry_a_stopped_encoder_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beforehand: bool
) -> None:
    monkeypatch.setattr(recording_module, "STUCK_S", 1e9)
    recording = stopped_encoder(tmp_path / "out.mp4")
    recording.hurry = beforehand
    with pytest.raises(SinkError, match="did not finish in time"):
        recording.close(hurry=not beforehand)


def test_an_encoder_that_hangs_while_pictures_come_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "STUCK_S", 0.2)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    recording = stopped_encoder(tmp_path / "out.mp4")
    with recording, pytest.raises(SinkError, match="does not go on"):
        for index in range(10, 60):
            recording.write(noise, index / 10)


def variable_clip(path: Path) -> Path:
    """As a phone writes it: 30 pictures a second, and a quarter of them for a third of the time."""
    picked = r"select='lt(mod(n\,60)\,40)+not(mod(n\,4))'"
    grey_ramp = "geq=lum='mod(N*37,200)+20':cb=128:cr=128"
    subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", "color=s=64x48:r=30:d=6"),
            *("-vf", f"{grey_ramp},{picked}", "-fps_mode", "vfr", "-c:v", "libx264", str(path)),
        ],
        check=True,
    )
    return path


def test_every_picture_of_a_file_of_variable_rate_is_in_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    shown = []
    with (
        FileSource(variable_clip(tmp_path / "clip.mp4"), pace=False) as source,
        Recording(path, source.rate_hz, live=False) as recording,
    ):
        for frame in source:
            recording.write(frame.image, frame.time_s)
            shown.append((frame.time_s, round(float(frame.image.mean()))))
    assert len(shown) > 100 and recording.left_out == 0
    recorded = levels(path)
    assert [recorded[round(30 * time_s)] for time_s, _ in shown] == pytest.approx([level for _, level in shown], abs=3)


def test_pictures_without_a_place_are_left_out_and_counted(tmp_path: Path) -> None:
    recording = record(tmp_path / "out.mp4", [(40, 0.0), (200, 0.01), (80, 0.1), (200, 0.11), (200, 0.12)])
    assert recording.left_out == 3
    assert levels(tmp_path / "out.mp4") == pytest.approx([40, 80], abs=3)


def test_jitter_costs_no_picture(tmp_path: Path) -> None:
    moved = np.random.default_rng(0).uniform(-0.2, 0.2, 60)
    shown = [(4 * index, (index + float(by)) / 10) for index, by in enumerate(moved)]
    recording = record(tmp_path / "out.mp4", shown)
    assert recording.left_out == 0
    recorded = levels(tmp_path / "out.mp4")
    assert all(min(abs(level - seen) for seen in recorded) <= 3 for level, _ in shown)


def write_until_it_fails(recording: Recording) -> None:
    for index in range(2000):
        recording.write(grey(100), index / 10)
        time.sleep(0.005)


@pytest.mark.parametrize("what", ["file", "folder", "replaced"])
def test_a_recording_that_is_removed_is_an_error_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(recording_module, "LOOK_S", 0.05)
    path = tmp_path / "out" / "out.mp4"
    path.parent.mkdir()
    with Recording(path, 10, live=False) as recording:
        recording.write(grey(0), 0.0)
        if what == "folder":
            shutil.rmtree(path.parent)
        else:
            path.unlink()
        if what == "replaced":
            path.write_text("of somebody else")
        with pytest.raises(SinkError, match=r"^[^\n]* was removed while it was written\.$"):
            write_until_it_fails(recording)
    assert not recording.wrote
    assert not path.exists() or path.read_text() == "of somebody else"


def test_nothing_is_said_to_play_where_nothing_does(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", 10, live=False)
    recording.write(grey(0), 0.0)
    assert recording._child is not None
    os.kill(recording._child.pid, signal.SIGKILL)
    with pytest.raises(SinkError, match=r"Nothing of it plays\."), recording:
        write_until_it_fails(recording)
    assert not recording.wrote
    assert list(tmp_path.iterdir()) == []


def test_what_there_is_of_a_broken_recording_is_said_to_play_and_does(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    recording = Recording(path, 10, live=False)
    index = 0
    while path.read_bytes().count(b"moof") < 2:
        recording.write(grey(index % 200), index / 10)
        index += 1
    assert recording._child is not None
    os.kill(recording._child.pid, signal.SIGKILL)
    with pytest.raises(SinkError, match=r"Up to there it plays\."), recording:
        write_until_it_fails(recording)
    assert recording.wrote
    assert len(levels(path)) >= 4


def test_a_recording_without_pictures_leaves_an_older_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("precious")
    with Recording(path, 10, live=False) as recording:
        pass
    assert path.read_text() == "precious"
    assert not recording.wrote


def test_a_second_run_cannot_write_to_the_same_files(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    film, moves = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    with Recording(film, 10, live=False) as recording, Events(moves) as events:
        recording.write(grey(100), 0.0)
        events.write(MOVES[0])
        for start in (
            lambda: Recording(film, 10, live=False),
            lambda: Events(moves),
            lambda: check_outputs(record=film),
            lambda: check_outputs(events=moves),
        ):
            with pytest.raises(UsageError, match="is being written by another run"):
                start()
        recording.write(grey(100), 0.1)
        events.write(MOVES[1])
    assert len(levels(film)) == len(moves.read_text().splitlines()) == 2
    check_outputs(record=film, events=moves)


def test_a_run_in_another_process_holds_its_file_until_it_ends(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "out.csv"
    code = "import sys\nfrom pathlib import Path\nfrom live.events import Events\n"
    code += "e = Events(Path(sys.argv[1]))\nprint('ready', flush=True)\nsys.stdin.read()\n"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, path], cwd=root, **pipes) as child:
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        with pytest.raises(UsageError, match="is being written by another run"):
            Events(path)
        child.kill()
    with Events(path) as events:
        events.write(MOVES[0])
    assert len(path.read_text().splitlines()) == 2


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


def test_events_that_are_removed_are_an_error_at_the_next_move(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Events(path) as events:
        assert events.wrote
        path.unlink()
        with pytest.raises(SinkError, match="removed while it was written"):
            events.write(MOVES[0])
    assert not events.wrote


def test_events_that_were_removed_are_an_error_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with pytest.raises(SinkError, match="removed while it was written"), Events(path):
        path.unlink()


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_no_name_is_a_formula_to_a_spreadsheet(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out.csv"
    with Events(path) as events:
        events.write(Move(name, 1.0, 0.0, 1.0))
    assert next(csv.DictReader(path.read_text().splitlines()))["move"] == f"'{name}"


def test_events_on_a_full_disk_are_one_clear_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Events(Path("/dev/full")) as events:
        for move in MOVES:
            with pytest.raises(SinkError, match="no space left on device"):
                events.write(move)


FILLED = """
import resource, sys
from pathlib import Path
from live.events import Events, events_of
from live.moves import Move
from live.outputs import SinkError
path, short, long = Path(sys.argv[1]), Move("plie", 0.9, 1.0, 2.0), Move("pas_de_bourree", 0.9, 1.0, 2.0)
almost = len(events_of([short, short, long], as_csv=path.suffix == ".csv")) - 1
resource.setrlimit(resource.RLIMIT_FSIZE, (almost, resource.RLIM_INFINITY))
with Events(path) as events:
    for move in (short, short, long, short):
        try:
            events.write(move)
        except SinkError as error:
            print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a limit to the size of files as Unix has it")
@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_events_on_a_disk_that_fills_up_end_with_a_whole_line_and_take_no_more(
    root: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    child = subprocess.run([sys.executable, "-c", FILLED, path], cwd=root, capture_output=True, text=True, timeout=60)
    assert child.stdout.splitlines() == [f"{path} cannot be written: file too large."] * 2
    assert (child.returncode, child.stderr) == (0, "")
    assert path.read_text() == events_of([Move("plie", 0.9, 1.0, 2.0)] * 2, as_csv=name.endswith(".csv"))


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


def test_a_hard_link_is_the_same_file(tmp_path: Path) -> None:
    clip, link = tmp_path / "clip.mp4", tmp_path / "link.mp4"
    clip.write_text("precious")
    link.hardlink_to(clip)
    with pytest.raises(UsageError, match="overwrite the source"):
        check_outputs(record=link, source=clip)
    with pytest.raises(UsageError, match="overwrite --record"):
        check_outputs(record=link, record_raw=clip)


def test_what_is_no_ordinary_file_is_refused_unopened(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no FIFOs")
    os.mkfifo(tmp_path / "out.mp4")
    (tmp_path / "out.csv").symlink_to("/dev/null")
    for arguments in ({"record": tmp_path / "out.mp4"}, {"events": tmp_path / "out.csv"}):
        with pytest.raises(UsageError, match="is no ordinary file"):
            check_outputs(**arguments)


def test_a_link_that_leads_nowhere_yet_is_left_as_it_is(tmp_path: Path) -> None:
    link = tmp_path / "out.mp4"
    link.symlink_to(tmp_path / "disk.mp4")
    check_outputs(record=link)
    assert link.is_symlink() and not link.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_to_itself_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").symlink_to("out.mp4")
    with pytest.raises(UsageError, match="cannot be written"):
        check_outputs(record=tmp_path / "out.mp4", source=tmp_path / "clip.mp4")
