"""Parts of a work, each in another process."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import isqrt
from pathlib import Path

import pytest

from train.at_once import LEAST_PARTS, each_of
from train.filming import write_clips
from train.made_features import feature_streams

PARTS = range(6 * LEAST_PARTS)
SLEEPS = """
import os, time
from train.at_once import each_of

def sleep(part):
    os.write(1, b"begun\\n")  # in one piece, unlike what `print` writes
    time.sleep(20)

each_of(sleep, range(40), 2)
"""


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_results_come_in_the_order_of_the_parts_whoever_made_them(processes: int) -> None:
    assert each_of(isqrt, PARTS, processes) == [isqrt(part) for part in PARTS]


def test_many_parts_are_done_by_other_processes_and_few_by_this_one() -> None:
    assert os.getpid() not in each_of(_who, PARTS, 2)
    assert set(each_of(_who, PARTS[: LEAST_PARTS - 1], 2)) == {os.getpid()}


def test_what_a_part_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="nonnegative"):
        each_of(isqrt, [*PARTS, -1], 2)


def test_clips_and_features_are_the_same_however_many_cores_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for cores in (1, 2):
        monkeypatch.setattr("train.at_once.cores", lambda cores=cores: cores)
        clips = write_clips(tmp_path / str(cores), LEAST_PARTS, ("changement",), height=48, fps=4)
        streams = feature_streams(LEAST_PARTS, 6.0, seed=3)
        made.append(([clip.read_bytes() for clip in clips], [stream.features.tobytes() for stream in streams]))
    assert made[0] == made[1]


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9"])
def test_no_process_outlives_the_one_that_was_stopped(how: str, root: Path, tmp_path: Path) -> None:
    script = tmp_path / "sleeps.py"  # without the `if __name__ == "__main__"` that other pools need
    script.write_text(SLEEPS)
    assert_ended_with_its_parent([sys.executable, script], root, how)


def assert_ended_with_its_parent(command: Sequence[str | Path], root: Path, how: str) -> None:
    """Stop a command that says "begun" once its processes work; none of them may go on."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            if how == "Ctrl-C":
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.kill()
            process.communicate(timeout=30)  # its output, which they all have, ends once none of them is left
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _who(part: int) -> int:
    return os.getpid()
