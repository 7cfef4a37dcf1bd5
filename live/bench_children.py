"""What only a process of its own can tell: how much memory `pointe live` takes, and how soon its first answer comes."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from models.card import ModelCard, find_model
from models.errors import SourceError

LONGEST_S = 120.0
LOOKED_EVERY_S = 0.01
MEASURED_S = 8.0  # of a video, for its memory


@dataclass(frozen=True)
class Child:
    seconds: float  # from its start to its end
    answered: int  # frames
    peak_mb: float | None  # of memory; None where the system does not tell


def first_answer(model: str, card: ModelCard, device: str, threads: int) -> float:
    """Seconds from the start of `pointe live demo` until it has answered for the first full window.

    Without a window on the screen it waits for no frame's time, so nothing is taken off for the window's length; that
    its frames are computed, and the end of the run, is part of the figure. So it is an upper bound.
    """
    window_s = (card.window + 1) / card.sample_hz
    return run_live("demo", model, device, threads, window_s).seconds


def peak_memory(video: Path, model: str, device: str, threads: int) -> float | None:
    """MB that `pointe live VIDEO --headless --no-pace` holds at most; None where the system does not tell."""
    return run_live(str(video.absolute()), model, device, threads, MEASURED_S).peak_mb


def run_live(source: str, model: str, device: str, threads: int, max_seconds: float) -> Child:
    """Run `pointe live` without a window in a process of its own until `max_seconds` of the source.

    Raises:
        ModelError: no such model.
        SourceError: it failed; says why.
    """
    # The process starts in another folder, where a relative name would be another model's, or none's.
    folder = str(find_model(model).absolute())
    command = [
        *(sys.executable, "-c", "import pointe; pointe.main()", "live", source, "--headless", "--no-pace"),
        *("--model", folder, "--device", device, "--threads", str(threads)),
        *("--max-seconds", f"{max_seconds:.3f}", "--log-format", "json"),
    ]
    start_s = time.monotonic()
    process = subprocess.Popen(
        command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak_mb: float | None = None
    try:
        while process.poll() is None and time.monotonic() - start_s < LONGEST_S:
            peak_mb = _high_water_mb(process.pid) or peak_mb
            time.sleep(LOOKED_EVERY_S)
        ended_s = time.monotonic() - start_s
    finally:
        process.kill()
        out, err = process.communicate()
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    answered = sum(line["answered"] for line in lines if line.get("event") == "summary")
    if process.returncode or not answered:
        reason = (err.strip().splitlines() or ["it answered for no frame"])[0]
        raise SourceError(f"pointe live {source} in a process of its own failed: {reason}")
    return Child(ended_s, answered, peak_mb)


def _high_water_mb(pid: int) -> float | None:
    """The most that the process held so far. What the kernel counts for a child at its end holds its parent's too."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(found[0]) * 1024 / 1e6 if found else None
