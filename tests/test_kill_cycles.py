"""The short form of scripts/kill_cycles: the command, a real server, and three of the ways in which a stream fails."""

import subprocess
from pathlib import Path

import pytest
from toys import make_model

from scripts.kill_cycles import BREAKAGES, PASSWORD, run_cycles
from scripts.rtsp import PYTHON


@pytest.mark.slow
def test_the_command_survives_a_server_that_freezes_resets_and_changes_its_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if subprocess.run([PYTHON, "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"]).returncode:
        pytest.skip("GStreamer's RTSP server is not installed")
    chosen = [each for each in BREAKAGES if each.name in ("frozen", "reset mid-frame", "wrong password")]
    report = run_cycles(3, str(make_model(tmp_path / "toy")), tmp_path, chosen)
    assert len(report.outcomes) == 3
    # How long the ending took is a matter of the machine; all the others are not.
    assert [broken for broken in report.broken_promises if "ends within" not in broken] == []
    assert report.ended_in_s < 10
    assert PASSWORD not in capsys.readouterr().out
