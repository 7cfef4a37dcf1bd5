"""Where the loading of a model goes on the CPU: python -m scripts.measure_loading [MODEL] [--rounds N]

Each part beside what onnxruntime alone takes for the same, in rounds one after the other. CPU time is told beside the
clock's, since other programs do not count in it. The last line is one JSON document.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from live.recognizer import Recognizer
from models.bounded import within_bounds
from models.card import DEFAULT_MODEL, ENCODER_FILE, HEAD_FILE, ModelCard, find_model
from models.errors import told
from models.machine import machine, versions
from models.nvidia import PROVIDERS
from models.runtime import open_session, session_options


def parts(folder: Path) -> dict[str, Callable[[], Any]]:
    """What is measured, by name."""
    import onnxruntime as ort

    encoder, head = folder / ENCODER_FILE, folder / HEAD_FILE

    def alone(path: Path) -> Any:
        return ort.InferenceSession(str(path), session_options(1), providers=[PROVIDERS["cpu"]])

    return {
        "card and hashes": lambda: ModelCard.load(folder),
        "encoder, onnxruntime alone": lambda: alone(encoder),
        "encoder": lambda: open_session(encoder, "cpu"),
        "head, onnxruntime alone": lambda: alone(head),
        "head": lambda: open_session(head, "cpu"),
        "bounds of time and memory": lambda: within_bounds(folder, lambda: None, lambda: None),
        "whole model, tried once": lambda: Recognizer.load(folder, "cpu"),
    }


def measure(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each part: of the CPU (least of the rounds) and by the clock (median)."""
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, work in parts(folder).items():
            cpu, clock = time.process_time(), time.perf_counter()
            work()
            taken.setdefault(name, []).append((time.process_time() - cpu, time.perf_counter() - clock))
    return {
        name: {
            "cpu_ms": round(1000 * min(cpu for cpu, _ in each), 2),
            "clock_ms": round(1000 * statistics.median(clock for _, clock in each), 2),
        }
        for name, each in taken.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=DEFAULT_MODEL)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    measured = measure(find_model(asked.model), asked.rounds)
    print(f"{'':<28}{'CPU ms':>8}{'clock ms':>10}")
    for name, figures in measured.items():
        print(f"{name:<28}{figures['cpu_ms']:>8.1f}{figures['clock_ms']:>10.1f}")
    print(json.dumps({"model": asked.model, "machine": machine(), "versions": versions(), "parts": measured}))


if __name__ == "__main__":
    with told():
        main()
