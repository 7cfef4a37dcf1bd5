"""Does `pointe live` survive its camera? A real RTSP server is killed, frozen, cut off and misconfigured, many times.

python -m scripts.kill_cycles --cycles 100

The command runs as a user runs it, in a process of its own that is looked at from outside. Each cycle breaks the
stream in one way, waits until the command says why, mends it, and waits until frames come again. Needs GStreamer's
RTSP server (see scripts/rtsp.py). The last line is one JSON document; the exit code is 1 where a promise broke.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from models.children import ffmpeg_path
from models.errors import told
from scripts.door import Door
from scripts.footprint import Footprint
from scripts.rtsp import Server

ROOT = Path(__file__).parent.parent
PASSWORD = "s3cr3t"
STREAM_S = 180
# The longest that a cause may take to be told, and a mended stream to be back: the longest wait between attempts,
# one that runs into its time-out, and a slow machine.
PATIENCE_S = 40.0
SETTLE_S = 12.0  # what was left behind in OpenCV ends with its time-outs
MOST_GROWTH_MIB = 10.0
LONGEST_END_S = 2.0


class Command:
    """`pointe live` as a child process, and the lines that it says."""

    def __init__(self, url: str, model: str, folder: Path) -> None:
        self.events, self.recording = folder / "out.jsonl", folder / "out.mp4"
        outputs = ["--events", str(self.events), "--record", str(self.recording)]
        start = "import sys; sys.argv[0] = 'pointe'; import pointe; pointe.main()"
        self.child = subprocess.Popen(
            [sys.executable, "-c", start, "live", url, "--headless", "--device", "cpu", "--model", model, *outputs],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._changed = threading.Condition()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def wait_for(self, pattern: str, since: int) -> str | None:
        """The first line from number `since` on that matches; None when none comes within PATIENCE_S."""

        def found() -> str | None:
            return next((line for line in self.said[since:] if re.search(pattern, line)), None)

        with self._changed:
            return self._changed.wait_for(found, PATIENCE_S)

    def end(self) -> tuple[int | None, float]:
        """Exit code after SIGTERM, and how long it took."""
        start_s = time.monotonic()
        self.child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(PATIENCE_S)
        return self.child.returncode, time.monotonic() - start_s

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        self._listening.join()
        assert self.child.stdout is not None
        self.child.stdout.close()

    def _listen(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            with self._changed:
                self.said.append(line.rstrip("\n"))
                self._changed.notify_all()


@dataclass(frozen=True)
class Stage:
    """What there is to break."""

    door: Door
    server: Server
    locked: Server
    elsewhere: Server


@dataclass(frozen=True)
class Breakage:
    """How the stream is broken, in a `with` that mends it, and what must be said of it."""

    name: str
    broken: Callable[[Stage], Any]
    said: str  # a pattern


@contextmanager
def _killed(stage: Stage) -> Iterator[None]:
    stage.server.close()
    stage.server.start()
    yield


@contextmanager
def _frozen(stage: Stage) -> Iterator[None]:
    stage.server.send(signal.SIGSTOP)
    try:
        yield
    finally:
        stage.server.send(signal.SIGCONT)


@contextmanager
def _reset(stage: Stage) -> Iterator[None]:
    stage.door.cut()
    yield


@contextmanager
def _refused(stage: Stage) -> Iterator[None]:
    stage.door.lock()
    stage.door.cut()
    try:
        yield
    finally:
        stage.door.unlock()


@contextmanager
def _mute(stage: Stage) -> Iterator[None]:
    stage.door.mute = True
    stage.door.cut()
    try:
        yield
    finally:
        stage.door.mute = False
        stage.door.cut()


@contextmanager
def _led_to(stage: Stage, server: Server) -> Iterator[None]:
    stage.door.target = server.port
    stage.door.cut()
    try:
        yield
    finally:
        stage.door.target = stage.server.port


BREAKAGES = (
    Breakage("killed, restarted", _killed, "it gives no frame"),
    Breakage("frozen", _frozen, "no frame for"),
    Breakage("reset mid-frame", _reset, "it gives no frame"),
    Breakage("wrong password", lambda stage: _led_to(stage, stage.locked), "user or password refused"),
    Breakage("wrong path", lambda stage: _led_to(stage, stage.elsewhere), "no such path"),
    Breakage("refused", _refused, "refused, no server"),
    Breakage("mute host", _mute, "no answer"),
)


@dataclass(frozen=True)
class Outcome:
    breakage: str
    said_after_s: float | None  # None: the cause was not told
    back_after_s: float | None  # since it was mended; None: never


@dataclass(frozen=True)
class Report:
    outcomes: list[Outcome]
    before: Footprint
    after: Footprint
    exit_code: int | None
    ended_in_s: float
    counted: bool  # captured = answered + dropped in the last line
    recording_plays: bool
    password_shown: bool

    @property
    def broken_promises(self) -> list[str]:
        grown = self.after.rss_mib - self.before.rss_mib
        checks = {
            "every cause is told": all(each.said_after_s is not None for each in self.outcomes),
            "every stream comes back": all(each.back_after_s is not None for each in self.outcomes),
            "no more threads": self.after.threads <= self.before.threads,
            "no more descriptors": self.after.descriptors <= self.before.descriptors,
            f"memory within {MOST_GROWTH_MIB:g} MiB": grown <= MOST_GROWTH_MIB,
            "SIGTERM ends with 143": self.exit_code == 143,
            f"it ends within {LONGEST_END_S:g} s": self.ended_in_s <= LONGEST_END_S,
            "captured = answered + dropped": self.counted,
            "the recording plays": self.recording_plays,
            "the password is not shown": not self.password_shown,
        }
        return [promise for promise, kept in checks.items() if not kept]


def run_cycles(
    cycles: int,
    model: str,
    folder: Path,
    breakages: Sequence[Breakage] = BREAKAGES,
    tell: Callable[[str], None] = print,
) -> Report:
    """Break and mend the stream `cycles` times, one breakage after the other; files go to `folder`."""
    clip = _draw_stream(folder / "stream.mp4")
    with ExitStack() as stack:
        server, locked, elsewhere = (
            stack.enter_context(Server(clip, *options)) for options in ((), ("test", "anna", "another"), ("elsewhere",))
        )
        door = stack.enter_context(closing(Door(server.port)))
        url = f"rtsp://anna:{PASSWORD}@127.0.0.1:{door.port}/test"
        command = stack.enter_context(closing(Command(url, model, folder)))
        _wait_until_it_records(command)
        stage, outcomes, before = Stage(door, server, locked, elsewhere), [], Footprint.of(command.child.pid)
        for number, breakage in enumerate(islice(cycle(breakages), cycles), 1):
            outcomes.append(_one_cycle(breakage, stage, command))
            tell(f"{number:4}  {_described(outcomes[-1])}  {Footprint.of(command.child.pid)}")
        after = _settled(command.child.pid, before)
        exit_code, ended_in_s = command.end()
        last = command.wait_for(r"\d+ frames: \d+ answered", 0) or ""
        frames, answered, dropped = (int(n) for n in re.findall(r"(\d+) (?:frames:|answered|dropped)", last)[:3])
        return Report(
            outcomes=outcomes,
            before=before,
            after=after,
            exit_code=exit_code,
            ended_in_s=round(ended_in_s, 2),
            counted=frames == answered + dropped,
            recording_plays=_plays(command.recording),
            password_shown=any(PASSWORD in line for line in command.said),
        )


def _one_cycle(breakage: Breakage, stage: Stage, command: Command) -> Outcome:
    since, start_s = len(command.said), time.monotonic()
    with breakage.broken(stage):
        said = command.wait_for(breakage.said, since)
        said_s = time.monotonic() - start_s
    mended_s = time.monotonic()
    back = command.wait_for("frames again", since)
    back_s = time.monotonic() - mended_s
    time.sleep(1.0)  # of a whole stream
    return Outcome(breakage.name, round(said_s, 2) if said else None, round(back_s, 2) if back else None)


def _described(outcome: Outcome) -> str:
    said = "was not told" if outcome.said_after_s is None else f"told after {outcome.said_after_s:5.2f} s"
    back = "did not come back" if outcome.back_after_s is None else f"back {outcome.back_after_s:5.2f} s after"
    return f"{outcome.breakage:18} {said}, {back}"


def _wait_until_it_records(command: Command) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not command.recording.exists() or command.recording.stat().st_size < 20_000:
        if command.child.poll() is not None or time.monotonic() > until_s:
            raise SystemExit("pointe live does not run:\n" + "\n".join(command.said))
        time.sleep(0.2)
    time.sleep(3.0)


def _draw_stream(path: Path) -> Path:
    """A stream that is never still, so that there is always something to send."""
    source = f"testsrc2=size=320x240:rate=25:duration={STREAM_S}"
    subprocess.run(
        [
            *(ffmpeg_path(), "-v", "error", "-y", "-f", "lavfi", "-i", source),
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-pix_fmt", "yuv420p"),
            str(path),
        ],
        check=True,
    )
    return path


def _settled(pid: int, before: Footprint) -> Footprint:
    until_s = time.monotonic() + SETTLE_S
    while (now := Footprint.of(pid)).threads > before.threads or now.descriptors > before.descriptors:
        if time.monotonic() > until_s:
            break
        time.sleep(0.2)
    return now


def _plays(path: Path) -> bool:
    decode = [ffmpeg_path(), "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    return subprocess.run(decode, capture_output=True).returncode == 0


def _summarised(report: Report) -> dict[str, Any]:
    by_breakage = {}
    for name in dict.fromkeys(each.breakage for each in report.outcomes):
        own = [each for each in report.outcomes if each.breakage == name]
        said = [each.said_after_s for each in own if each.said_after_s is not None]
        back = [each.back_after_s for each in own if each.back_after_s is not None]
        by_breakage[name] = {
            "cycles": len(own),
            "told": len(said),
            "back": len(back),
            "told after s, median and most": [round(float(np.median(said)), 2), max(said)] if said else None,
            "back after s, median and most": [round(float(np.median(back)), 2), max(back)] if back else None,
        }
    document = {key: value for key, value in asdict(report).items() if key != "outcomes"}
    return {"cycles": len(report.outcomes), "breakages": by_breakage, **document, "broken": report.broken_promises}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--model", default="ballet")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run_cycles(chosen.cycles, chosen.model, Path(folder))
    for promise in report.broken_promises:
        print(f"NOT KEPT: {promise}")
    print(json.dumps(_summarised(report)))
    sys.exit(1 if report.broken_promises else 0)


if __name__ == "__main__":
    with told():
        main()
