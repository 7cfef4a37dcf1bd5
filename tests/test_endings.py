"""How the command ends when something under it breaks: soon, with one line, the right code, and whole outputs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cameras import wait_until
from toys import COLOURS, draw_clip, make_model

from models.frames import read_video
from scripts.footprint import children_of
from scripts.rtsp import PYTHON, Server

# Within this it has to end on a machine that does other things too; alone, within 2 s.
SOON_S = 8.0

# The command with a camera of noise; with "hang" its reads block once the recording holds something.
CAMERA = f"""
import sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
import models.frames
models.frames.MAX_GAP_S = 60  # however busy the machine is, a plié is one move
from live import runner
model, how, recording, events = sys.argv[1:]
noise = np.random.default_rng(0).integers(0, 60, (96, 128, 3)).astype(np.uint8) // 2 + np.uint8({COLOURS["plie"]}) // 2
class Camera:
    def read(self):
        time.sleep(0.02)
        if how == "hang" and Path(recording).exists() and Path(recording).stat().st_size > 50_000:
            print("hangs", flush=True)
            Path(recording).with_suffix(".hangs").touch()
            time.sleep(1000)
        return True, np.roll(noise, np.random.randint(0, 96), 0)
    def get(self, property_id):
        return 50
    def release(self):
        pass
import pointe
run = runner.live
runner.live = lambda source, options: run(source, replace(options, connect=lambda place: Camera()))
sys.argv = ["pointe", "live", "0", "--headless", "--device", "cpu", "--model", model,
            "--record", recording, "--events", events]
pointe.main()
"""


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    recording: Path
    events: Path

    def wait_for_pictures(self, size: int = 50_000) -> None:
        until_s = time.monotonic() + 30
        while not self.recording.exists() or self.recording.stat().st_size < size:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < until_s, "nothing is recorded"
            time.sleep(0.02)

    def ends(self) -> tuple[int, str, str]:
        """Exit code, output and errors; it must end soon."""
        start_s = time.monotonic()
        out, err = self.process.communicate(timeout=30)
        took_s = time.monotonic() - start_s
        print(f"ended after {took_s:.2f} s")  # for docs/reliability.md, with pytest -s
        assert took_s < SOON_S
        return self.process.returncode, out, err

    def assert_whole(self) -> None:
        assert len(list(read_video(self.recording))) > 5
        moves = [json.loads(line)["move"] for line in self.events.read_text().splitlines()]
        assert moves == ["plie"]


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[object]:
    model = make_model(tmp_path / "toy")
    running: list[subprocess.Popen[str]] = []

    def start(folder: Path, how: str = "") -> Running:
        recording, events = folder / "out.mp4", tmp_path / "out.jsonl"
        command = [sys.executable, "-c", CAMERA, str(model), how, str(recording), str(events)]
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return Running(process, recording, events)

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_a_run_whose_processes_are_all_stopped_at_once_ends_as_one_that_is_stopped(start, tmp_path: Path) -> None:
    running = start(tmp_path)
    running.wait_for_pictures()
    children = children_of(running.process.pid)
    assert children
    for process in (*children, running.process.pid):  # as systemd does it
        os.kill(process, signal.SIGTERM)
    code, _, err = running.ends()
    assert (code, err) == (143, "")
    running.assert_whole()
    assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_also_when_the_reader_is_blocked(start, tmp_path: Path, number: int, code: int) -> None:
    running = start(tmp_path, "hang")
    wait_until(running.recording.with_suffix(".hangs").exists)
    running.process.send_signal(number)
    ended, out, err = running.ends()
    assert "hangs" in out
    assert (ended, err) == (code, "")
    assert "plié" in out and "frames:" in out
    running.assert_whole()


def test_a_server_that_froze_does_not_keep_the_command_from_ending(root: Path, tmp_path: Path) -> None:
    if subprocess.run([PYTHON, "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"]).returncode:
        pytest.skip("GStreamer's RTSP server is not installed")
    model, clip = make_model(tmp_path / "toy"), draw_clip(tmp_path / "clip.mp4", [("plie", 20)], size=(160, 120))
    events, recording = tmp_path / "out.jsonl", tmp_path / "out.mp4"
    server = Server(clip)
    command = [str(Path(sys.executable).with_name("pointe")), "live", f"rtsp://127.0.0.1:{server.port}/test"]
    command += ["--headless", "--device", "cpu", "--model", str(model)]
    command += ["--record", str(recording), "--events", str(events)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    running = Running(process, recording, events)
    try:
        running.wait_for_pictures(5_000)
        time.sleep(1)
        server.send(signal.SIGSTOP)
        time.sleep(0.5)  # OpenCV waits inside its read
        process.terminate()
        code, _, err = running.ends()
    finally:
        server.close()
        process.kill()
        process.communicate()
    assert (code, err) == (143, "")
    running.assert_whole()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_recording_with_what_is_on_it(start, small_disk: Path) -> None:
    running = start(small_disk)
    code, err = _patiently(running)
    assert code == 6
    assert err == f"pointe: {running.recording} cannot be written: no space left on device.\nUp to there it plays.\n"
    running.assert_whole()


def _patiently(running: Running) -> tuple[int, str]:
    _, err = running.process.communicate(timeout=60)
    return running.process.returncode, err


def test_a_removed_folder_ends_it(start, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    running = start(folder)
    running.wait_for_pictures()
    shutil.rmtree(folder)
    code, _, err = running.ends()
    assert (code, err) == (6, f"pointe: {running.recording} was removed while it was written.\n")
    assert {json.loads(line)["move"] for line in running.events.read_text().splitlines()} == {"plie"}
