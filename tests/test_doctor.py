"""The doctor's findings for machines that lack this or that; broken packages are real ones, imported in a child."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from live.doctor import cameras, examine, exit_code, nvidia_devices, print_findings
from live.installed import Finding, double_wheels, import_advice, installed, packages
from live.window import SYSTEM_LIBRARIES
from models.errors import DeviceError

ROOT = Path(__file__).parent.parent
COMPLETE = {
    "pointe": "0.1.0",
    "numpy": "2.4.6",
    "pydantic": "2.14",
    "rich": "15.0.0",
    "typer": "0.29",
    "imageio-ffmpeg": "0.8.1",
    "opencv-python": "5.0.0.93",
    "onnxruntime": "1.32.0",
}


def examine_with(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the doctor prints where the packages in `folder` shadow the installed ones."""
    code = "from live.doctor import *\nfound = examine()\nprint_findings(found)\nraise SystemExit(exit_code(found))"
    environment = {**os.environ, "PYTHONPATH": str(folder), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def test_every_topic_is_examined_on_this_machine() -> None:
    findings = examine()
    topics = {finding.topic for finding in findings}
    assert topics >= {
        "machine",
        "pointe",
        "packages",
        "training",
        "opencv",
        "ffmpeg",
        "onnxruntime",
        "model",
        "display",
    }
    assert "doctor" not in topics, "a check of its own failed"
    by_topic = {finding.topic: finding for finding in findings}
    assert by_topic["opencv"].ok
    assert by_topic["onnxruntime"].ok
    assert "ms for a frame" in by_topic["runs on"].what


def test_a_complete_installation_has_no_problem() -> None:
    findings = [*packages(COMPLETE), *double_wheels(COMPLETE)]
    assert all(finding.ok for finding in findings)


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    found = {name: version for name, version in COMPLETE.items() if name not in ("opencv-python", "rich")}
    problems = [finding for finding in packages(found) if not finding.ok]
    assert len(problems) == 1
    assert problems[0].what == "missing: rich, opencv-python"
    assert "pip install 'rich" in problems[0].advice
    assert "'opencv-python" in problems[0].advice
    assert exit_code(problems) == DeviceError.exit_code


@pytest.mark.parametrize(
    ("extra", "topic"),
    [
        ("onnxruntime-gpu", "onnxruntime"),
        ("opencv-python-headless", "opencv"),
        ("opencv-contrib-python", "opencv"),
    ],
)
def test_two_wheels_of_one_package_are_a_problem_with_its_repair(extra: str, topic: str) -> None:
    problems = double_wheels({**COMPLETE, extra: "1.0"})
    assert [(problem.ok, problem.topic) for problem in problems] == [(False, topic)]
    remove, install = problems[0].advice.splitlines()
    assert " -m pip uninstall -y " in remove
    assert extra in remove.split()
    assert " -m pip install --force-reinstall --no-deps '" in install


def test_two_wheels_that_still_work_do_not_stop_pointe() -> None:
    assert exit_code(double_wheels({**COMPLETE, "onnxruntime-gpu": "1.31.1"})) == 0


def test_the_repair_installs_what_pointe_declares() -> None:
    advice = double_wheels({**COMPLETE, "opencv-python-headless": "1.0"})[0].advice
    if "pointe" in installed():
        assert "opencv-python" in advice.splitlines()[1]
        assert ">=5" in advice.splitlines()[1]


def test_training_packages_are_a_hint_and_no_problem() -> None:
    hint = next(finding for finding in packages(COMPLETE) if finding.topic == "training")
    assert hint.ok
    assert "[train]" in hint.advice


def test_a_missing_system_library_is_answered_with_the_line_to_type() -> None:
    error = ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
    assert SYSTEM_LIBRARIES in import_advice(error, "opencv-python")
    assert "pip install" in import_advice(ImportError("No module named 'cv2'"), "opencv-python")


def test_an_opencv_that_does_not_load_is_said_and_the_rest_examined(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')\n"
    )
    answer = examine_with(tmp_path)
    assert answer.returncode == DeviceError.exit_code, answer.stderr
    assert answer.stderr == ""
    assert "libGL.so.1" in answer.stdout
    assert SYSTEM_LIBRARIES in answer.stdout
    assert "onnxruntime" in answer.stdout
    assert "cannot run here" in answer.stdout


def test_an_onnxruntime_that_is_an_empty_shell_is_said(tmp_path: Path) -> None:
    """As it is left by removing one of two wheels."""
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").write_text("")
    answer = examine_with(tmp_path)
    assert answer.returncode == DeviceError.exit_code, answer.stderr
    assert answer.stderr == ""
    assert "damaged" in answer.stdout
    assert "pip uninstall -y" in answer.stdout


def test_an_opencv_before_five_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("__version__ = '4.14.0'\n")
    answer = examine_with(tmp_path)
    assert "OpenCV 4.14.0 is damaged or older than 5" in answer.stdout
    assert answer.returncode == DeviceError.exit_code, answer.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="cameras are only listed on Linux")
def test_a_camera_is_listed_by_its_name_and_its_second_node_is_not(tmp_path: Path) -> None:
    for node, index in (("video0", "0"), ("video1", "1"), ("video10", "0"), ("video2", "0")):
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / node).touch()
        (tmp_path / "about" / node).mkdir(parents=True)
        (tmp_path / "about" / node / "index").write_text(f"{index}\n")
        (tmp_path / "about" / node / "name").write_text(f"Camera {node}\n")
    lines = [finding.what for finding in cameras(tmp_path / "dev", tmp_path / "about")]
    assert [line.rpartition(" ")[2] for line in lines] == ["0", "2", "10"]
    assert "Camera video0" in lines[0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="cameras are only listed on Linux")
def test_no_camera_is_no_problem(tmp_path: Path) -> None:
    findings = cameras(tmp_path, tmp_path)
    assert [finding.ok for finding in findings] == [True]
    assert "rtsp://" in findings[0].advice


@pytest.mark.skipif(os.name != "posix", reason="the tool stands in as a shell script")
def test_the_devices_are_listed_by_the_drivers_own_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\ncase "$1" in\n*=name) echo "NVIDIA RTX 4070";;\nesac\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert nvidia_devices() == ["NVIDIA RTX 4070"]


def test_a_problem_is_printed_with_its_advice_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    command = "python -m pip install " + " ".join(f"'package-{number}>=1.0'" for number in range(12))
    print_findings(
        [
            Finding(True, "5.0", topic="opencv"),
            Finding(True, "none found", "Plug one in.", "cameras"),
            Finding(False, "missing [all]", command, "packages", DeviceError.exit_code),
        ]
    )
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0].split() == ["ok", "opencv", "5.0"]
    assert lines[1].split()[:2] == ["note", "cameras"]
    assert lines[3].startswith("PROBLEM") and lines[3].endswith("missing [all]")
    assert command in lines, "a command must stay on one line to be copied"
    assert lines[-1].startswith("pointe cannot run here yet")


def test_pointe_runs_despite_a_problem_that_does_not_stop_it() -> None:
    assert exit_code([Finding(False, "no recordings", topic="ffmpeg")]) == 0
    assert exit_code([]) == 0
