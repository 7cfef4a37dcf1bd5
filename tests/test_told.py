"""How a command and a module that is run alone end: by an error, by a stop, and without what they need."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from test_cli import START, pointe

from models.errors import told
from models.files import refuse_unless_unicode
from models.quiet import native_stderr_kept_back

ROOT = Path(__file__).parents[1]
WAITS = """
import sys, tempfile, time
from pathlib import Path
from models.errors import told
with told(), tempfile.TemporaryDirectory(dir=sys.argv[1]):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_ends_a_module_with_its_code_and_leaves_no_temporary_file(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    assert any(tmp_path.iterdir())
    process.send_signal(sent)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (code, "")
    assert not any(tmp_path.iterdir())


def test_without_a_folder_for_temporary_files_it_is_said_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", list)
    with native_stderr_kept_back():
        print("goes on", file=sys.stderr)
    with pytest.raises(SystemExit) as ended, told(), tempfile.TemporaryDirectory():
        pytest.fail("there is none")
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == "Set TMPDIR to one."


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_in_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, told():
        Path("/dev/full").write_text("report")
    assert ended.value.code == 6
    assert capsys.readouterr().err == (
        "pointe: what comes next cannot be written: no space left on device.\nMake room, and type the same again.\n"
    )


def test_of_a_copy_that_a_full_disk_ends_it_is_said_what_could_not_be_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit), told():
        raise OSError(errno.ENOSPC, "No space left on device", "from.onnx", None, "to.onnx")
    assert capsys.readouterr().err.startswith("pointe: to.onnx cannot be written: no space left on device.\n")


def test_a_file_that_is_missing_is_no_missing_temporary_folder() -> None:
    with pytest.raises(FileNotFoundError), told():
        Path("nowhere").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors as a shell of Unix closes them")
def test_a_command_of_training_goes_on_where_stderr_is_closed(tmp_path: Path) -> None:
    closed = ["bash", "-c", 'exec "$@" 2>&-', "bash"]
    command = [*closed, sys.executable, "-c", START, "export", "nowhere", "model"]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    assert done.returncode == 2
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
def test_a_run_or_a_model_whose_path_is_no_unicode_is_refused(tmp_path: Path) -> None:
    strange = os.fsdecode(b"b\xf6rk")
    for command in (("train", ".", f"{strange}/run"), ("export", "run", f"{strange}/model")):
        code, _, err = pointe(*command, cwd=tmp_path)
        assert code == 2 and len(err.splitlines()) == 2, err
    refuse_unless_unicode(Path("börk"))


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("train.synth", ["out"]),
        ("train.synth", ["out", "--clips", "1", "--moves", ","]),
        ("train.contact_sheet", ["sheet"]),
        ("scripts.performance_page", ["--now"]),
    ],
)
def test_what_makes_no_sense_is_refused_and_makes_nothing(tmp_path: Path, module: str, arguments: list[str]) -> None:
    command = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())
