"""What a run tells to programs: JSON lines, and figures for Prometheus on loopback."""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from cameras import EndlessCamera
from toys import draw_clip, make_model

from live.log import Line, say, say_json
from live.metrics import Metrics
from live.moves import Move
from live.options import Options
from live.runner import live
from live.source import FrameSource, open_source
from live.view import View
from models.errors import UsageError


def test_a_line_is_one_json_object_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    line = Line("  1.0 to 2.0 s  plié", "move", move="plie", start_s=1.0)
    say_json(line)
    say(line)
    say_json("No window is shown.\nUse --headless.")
    first, plain, second = capsys.readouterr().out.split("\n", 2)
    told = json.loads(first)
    assert datetime.fromisoformat(told.pop("time")).tzinfo is not None
    assert told == {"event": "move", "text": "1.0 to 2.0 s  plié", "move": "plie", "start_s": 1.0}
    assert plain == "  1.0 to 2.0 s  plié"
    assert json.loads(second)["event"] == "note"


def test_lines_of_several_threads_do_not_mix(root: Path) -> None:
    program = """
import sys, threading
from live.log import say_json
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=lambda: [say_json("x" * 50) for _ in range(300)]) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == 1200 and {line["text"] for line in told} == {"x" * 50}


def test_every_line_of_a_run_is_json_where_that_is_asked_for(root: Path, tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", [("none", 1), ("plie", 1.5), ("none", 1)])
    command = [sys.executable, "-c", "import pointe; pointe.main()", "live", str(clip), "--headless", "--no-pace"]
    command += ["--model", str(make_model(tmp_path / "toy")), "--events", str(tmp_path / "out.jsonl")]
    done = subprocess.run([*command, "--log-format", "json"], cwd=root, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in told] == ["move", "summary", "wrote"]
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["move"] == "plie"
    assert {key: told[0][key] for key in row} == row  # programs find the same in the log as in the file
    assert set(told[0]) == {"time", "event", "text", *row}
    assert told[1]["captured"] == told[1]["answered"] + told[1]["dropped"] == 105


def test_an_error_is_json_too_where_that_is_asked_for(root: Path) -> None:
    command = [sys.executable, "-c", "import pointe; pointe.main()", "live", "no-such.mp4", "--log-format", "json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    told = json.loads(done.stdout)
    assert (done.returncode, told["event"], told["exit_code"]) == (3, "error", 3)
    assert "no-such.mp4" in told["text"] and "no-such.mp4" in done.stderr


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
        return free


@pytest.fixture
def source() -> Iterator[FrameSource]:
    with open_source("0", connect=lambda place: EndlessCamera()) as opened:
        yield opened


def figures(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_prometheus_is_told_of_frames_latency_and_the_move(source: FrameSource, port: int) -> None:
    with Metrics(port, source) as metrics:
        for latency_s in (0.015, 0.015, 0.04):
            metrics.answer(View(time_s=1.0, latency_s=latency_s, current=Move("plie", 0.9, 0.5, 1.0)))
        seen = figures(port)
        assert seen["pointe_frames_answered_total"] == 3
        assert 0 < seen["pointe_frames_captured_total"] >= seen["pointe_frames_dropped_total"]
        assert (seen["pointe_reconnects_total"], seen["pointe_connected"]) == (0, 1)
        assert seen['pointe_current_move{move="plie"}'] == 1
        assert seen["pointe_latency_seconds_count"] == 2  # the second frame was not one of the sample
        assert seen['pointe_latency_seconds_bucket{le="0.02"}'] == 1
        metrics.answer(View(time_s=2.0))
        assert not any(name.startswith("pointe_current_move") for name in figures(port))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_only_this_machine_is_told(source: FrameSource, port: int) -> None:
    with Metrics(port, source) as metrics:
        assert metrics.address == ("127.0.0.1", port)


def test_a_port_that_is_taken_is_said(source: FrameSource) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="cannot be had: address already in use"):
            Metrics(other.getsockname()[1], source)


def test_a_missing_extra_is_said(source: FrameSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(UsageError, match=r"needs prometheus-client\.\nType: .*metrics"):
        Metrics(9100, source)


def test_a_run_serves_its_figures_while_it_lasts(tmp_path: Path, port: int) -> None:
    seen: list[dict[str, float]] = []

    class Asking(EndlessCamera):
        def read(self) -> tuple[bool, object]:
            if self.asked % 50 == 0:
                with suppress(OSError):  # too early
                    seen.append(figures(port))
            return super().read()

    options = Options(
        model=str(make_model(tmp_path / "toy")),
        device="cpu",
        headless=True,
        connect=lambda place: Asking(),
        max_seconds=2,
        metrics_port=port,
        tell=lambda line: None,
    )
    live("0", options)
    assert any(each["pointe_frames_answered_total"] > 0 for each in seen)
