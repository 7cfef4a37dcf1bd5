"""What every figure carries along: the machine and the versions."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from models.machine import cores, machine, versions


def test_the_machine_is_told_in_one_line_with_its_cores() -> None:
    assert machine().startswith(f"{cores()} x ")
    assert machine().endswith(f"{platform.system()} {platform.machine()}")
    assert "\n" not in machine()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no process can be pinned here")
def test_a_process_that_is_pinned_to_one_core_has_one(root: Path) -> None:
    pinned = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    code = f"import os\nfrom models.machine import cores\n{pinned}\nprint(cores())"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout == "1\n"


def test_only_what_is_installed_has_a_version() -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert "numpy" in found and all(found.values())


def run_quietly(body: str, root: Path) -> subprocess.CompletedProcess[str]:
    code = f"import os\nfrom models.quiet import native_stderr_kept_back\nwith native_stderr_kept_back():\n    {body}"
    return subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)


def test_native_lines_are_kept_back_while_all_goes_well(root: Path) -> None:
    done = run_quietly("os.write(2, b'greetings from C')", root)
    assert (done.returncode, done.stderr) == (0, "")


def test_native_lines_are_shown_when_something_went_wrong(root: Path) -> None:
    done = run_quietly("os.write(2, b'greetings from C'); raise ValueError('broken')", root)
    assert done.returncode == 1
    assert "greetings from C" in done.stderr and "broken" in done.stderr
