"""The command line as a user meets it: real processes, exit codes, what is printed."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from models.frames import read_video
from models.nvidia import missing_for
from train.settings import TrainSettings

ROOT = Path(__file__).parent.parent
# As the installed command does, but of this very checkout, from whatever folder.
START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[0] = 'pointe'; import pointe; pointe.main()"
NO_DISPLAY = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}


def start(*arguments: object, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START, *map(str, arguments)],
        cwd=cwd,
        env=NO_DISPLAY | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def pointe(*arguments: object, cwd: Path = ROOT, **environment: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    process = start(*arguments, cwd=cwd, **environment)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_help_names_every_command() -> None:
    code, out, _ = pointe("--help")
    assert code == 0
    for name in ("live", "classify", "features", "train", "eval", "export", "bench", "doctor"):
        assert f"\n  {name} " in out


def test_help_comes_within_a_second() -> None:
    # The one promise of time that is a test: it is what a person waits for at every start. Best of three.
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        pointe("--help")
        taken.append(time.perf_counter() - begun)
    assert min(taken) < 1


def test_every_hyperparameter_is_a_flag_whose_default_is_told() -> None:
    code, out, _ = pointe("train", "--help")
    assert code == 0
    told = " ".join(out.split())
    for field in dataclasses.fields(TrainSettings):
        assert f"--{field.name.replace('_', '-')} " in told
        assert f"(default: {field.default}" in told


def test_the_demo_is_recognised_recorded_and_written_down(tmp_path: Path) -> None:
    code, out, _ = pointe("live", "demo", "--record", "o/demo.mp4", "--events", "o/demo.jsonl", cwd=tmp_path)
    assert code == 0
    assert "o/demo.mp4" in out and "o/demo.jsonl" in out
    events = [json.loads(line) for line in (tmp_path / "o/demo.jsonl").read_text().splitlines()]
    assert [event["move"] for event in events] == ["plie", "tendu", "pirouette", "arabesque", "saute"]
    for name in ("plié", "tendu", "pirouette", "arabesque", "sauté"):
        assert name in out
    recorded = sum(1 for _ in read_video(tmp_path / "o/demo.mp4"))
    shown = sum(1 for _ in read_video(ROOT / "live/assets/demo.mp4"))
    assert abs(recorded - shown) <= 1


def test_two_runs_over_a_file_write_the_same_events(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        assert pointe("live", "demo", "--headless", "--events", name, cwd=tmp_path)[0] == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


MISTAKES = [
    (("classify", "no such film.mp4", "--out", "o"), 3, "no such film.mp4"),
    (("classify", ".", "--out", "o", "--jobs", "0"), 2, "--jobs"),
    (("live", "no such film.mp4"), 3, "no such film.mp4"),
    (("live", "concat:a.mp4|b.mp4"), 3, "concat:"),
    (("live", "."), 3, "is a folder"),
    (("live", "/dev/video97"), 3, "/dev/video97"),
    (("live", "demo", "--model", "no-such-model"), 4, "no-such-model"),
    (("live", "demo", "--model", "."), 4, "card.json"),
    (("live", "demo", "--device", "abacus"), 2, "abacus"),
    (("live", "demo", "--record", "film.avi"), 2, ".mp4"),
    (("live", "demo", "--threshold", "2"), 2, "threshold"),
    (("features", "no-such-folder"), 2, "no-such-folder"),
    (("train", "no-such-folder", "run"), 2, "no-such-folder"),
    (("train", ".", "run", "--window", "0"), 2, "--window"),
    (("train", ".", "run", "--head", "transformer"), 2, "transformer"),
    (("export", "no-such-run", "model"), 2, "no-such-run"),
    (("eval", "ballet", "no-such-folder"), 2, "no-such-folder"),
    (("bench", "0"), 2, "video file"),
    (("bench", "demo", "--threads", "many"), 2, "many"),
    (("bench", "demo", "--encoder", "crystal-ball"), 2, "crystal-ball"),
]


@pytest.mark.parametrize(("arguments", "code", "named"), MISTAKES, ids=lambda value: str(value))
def test_a_mistake_is_told_in_a_few_lines_with_its_exit_code(
    tmp_path: Path, arguments: tuple[str, ...], code: int, named: str
) -> None:
    returned, _, err = pointe(*arguments, cwd=tmp_path)
    assert returned == code, err
    assert named in err
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) <= 4, err  # two of ours; typer's usage errors have a line or two before theirs


def test_a_model_here_of_the_shipped_ones_name_is_told_apart_from_it(tmp_path: Path) -> None:
    (tmp_path / "ballet").mkdir()
    (tmp_path / "ballet/card.json").write_text("{}")
    for command in (("live", "demo", "--model", "ballet"), ("eval", "ballet", ".")):
        code, _, err = pointe(*command, cwd=tmp_path)
        assert (code, err.count("\n")) == (4, 2), err
        assert "Type ./ballet for the folder" in err
    code, _, err = pointe("live", "demo", "--model", "./ballet", cwd=tmp_path)
    assert code == 4 and "ballet/card.json" in err
    code, _, err = pointe("live", "demo", "--headless", "--max-seconds", "0.1", cwd=tmp_path)
    assert code == 0, err


@pytest.mark.skipif(missing_for("cuda") is None, reason="this machine has an NVIDIA driver")
def test_a_device_that_is_not_there_is_told_with_exit_code_5() -> None:
    code, _, err = pointe("live", "demo", "--headless", "--device", "cuda")
    assert code == 5
    assert "--device cpu" in err


def test_a_terminal_without_accents_does_not_end_the_run(tmp_path: Path) -> None:
    code, out, err = pointe("live", "demo", "--events", "a.jsonl", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert code == 0, err
    assert "pli?" in out
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 5


def test_moves_are_printed_as_they_end_also_into_a_pipe(tmp_path: Path) -> None:
    process = start("live", "demo", "--record", "a.mp4", cwd=tmp_path, PYTHONUNBUFFERED="")
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    first = next(line for line in lines if "plié" in line)
    assert process.poll() is None, first
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no such file")
def test_a_full_standard_output_does_not_end_the_run(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", START, "live", "demo", "--events", "a.jsonl"],
            cwd=tmp_path,
            env=NO_DISPLAY | {"PYTHONUNBUFFERED": "1"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert "Traceback" not in done.stderr
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="no such file")
@pytest.mark.parametrize("command", ["--help", "doctor", "bench demo --frames 10"])
@pytest.mark.parametrize("reader", ["full", "gone"])
def test_output_that_nobody_can_take_leaves_the_exit_code_as_it_is(command: str, reader: str) -> None:
    with Path("/dev/full").open("wb") if reader == "full" else closed_pipe() as nobody:
        done = subprocess.run(
            [sys.executable, "-c", START, *command.split()], env=NO_DISPLAY, stdout=nobody, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (0, b"")


def closed_pipe() -> IO[bytes]:
    """What writes to a reader that has gone."""
    read, write = os.pipe()
    os.close(read)
    return os.fdopen(write, "wb")


def test_eval_scores_only_the_moves_that_the_model_has(tmp_path: Path) -> None:
    demo = ROOT / "live/assets/demo.mp4"
    for place in ("some/plie/1.mp4", "some/zigzag/1.mp4", "none/zigzag/1.mp4", "none/zagzig/1.mp4"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(demo, tmp_path / place)
        with (tmp_path / place).open("ab") as file:
            file.write(place.encode())  # no two alike
    code, out, err = pointe("eval", "ballet", "some", "--report", "r", cwd=tmp_path)
    assert code == 6, err
    assert "on 1 clip" in out
    report = json.loads((tmp_path / "r/report.json").read_text())
    assert report["metrics"]["clips"] == 1
    code, _, err = pointe("eval", "ballet", "none", cwd=tmp_path)
    assert code == 2
    assert "zigzag" in err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stopped_run_leaves_whole_outputs_and_the_signals_exit_code(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    process = start("live", ROOT / "live/assets/demo.mp4", "--record", "a.mp4", "--events", "a.jsonl", cwd=tmp_path)
    deadline = time.monotonic() + 30
    events = tmp_path / "a.jsonl"
    while not (events.exists() and events.read_text()):  # until the first move was written
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(sent)
    out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in err
    assert [json.loads(line)["move"] for line in events.read_text().splitlines()][0] == "plie"
    assert sum(1 for _ in read_video(tmp_path / "a.mp4")) > 10


def test_the_benchmark_ends_with_one_line_of_json_whose_stages_add_up() -> None:
    code, out, _ = pointe("bench", "demo", "--frames", "40")
    assert code == 0
    document = json.loads(out.splitlines()[-1])
    measured = document["measured"][0]
    assert measured["frames"] == 40
    total = sum(stage["mean_ms"] for stage in measured["stages"].values())
    assert total == pytest.approx(measured["whole"]["mean_ms"], abs=0.02)
    paced = measured["paced"]
    assert paced["captured"] == paced["answered"] + paced["dropped"]
    assert document["provider"].endswith("ExecutionProvider")
    assert len(document["encoder"]["sha256"]) == len(document["head"]["sha256"]) == 64


def test_the_benchmark_measures_an_encoder_alone_and_several_threads() -> None:
    code, out, err = pointe("bench", "demo", "--frames", "10", "--encoder", "image", "--threads", "1,2")
    assert code == 0, err
    document = json.loads(out.splitlines()[-1])
    assert document["head"] is None and document["encoder"]["name"] == "efficientnet-lite0"
    assert [each["threads"] for each in document["measured"]] == [1, 2]


def test_the_doctor_finds_that_pointe_can_run_here() -> None:
    code, out, _ = pointe("doctor")
    assert code == 0, out
    for topic in ("opencv", "onnxruntime", "model", "display"):
        assert topic in out
