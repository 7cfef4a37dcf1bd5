"""Measures all that docs/performance.md tells, and writes the page: the one command for a quiet machine.

Each configuration is a run of `pointe bench` in a process of its own; models that are not shipped are made with
untrained weights, which run as fast as trained ones. About half an hour; with --quick a few minutes, for a look.

    python -m scripts.measure_performance [--quick]
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from models.card import write_atomically
from models.errors import told
from models.machine import install_command
from scripts.bench_growth import OUT

QUICK_ROUNDS, QUICK_PART = 2, 4
HEIGHT = 720


@dataclass(frozen=True)
class Run:
    """A run of `pointe bench`, whose document is written as NAME.json."""

    name: str
    options: tuple[str, ...]
    model: str = "ballet"  # or one of those that `untrained_models` makes
    frames: int = 300  # in a round

    def command(self, folder: Path, rounds: int, part: int) -> list[str]:
        model = str(folder / self.model) if self.model != "ballet" else self.model
        frames = max(self.frames // part, 20)
        return [
            *(sys.executable, "-c", "import pointe; pointe.main()", "bench", "demo", "--height", str(HEIGHT)),
            *("--model", model, "--frames", str(frames), "--rounds", str(rounds), *self.options),
        ]


COMPARE, SAMPLE = ("--compare",), ("--compare", "--sample")
RUNS = (
    Run("pose", COMPARE),
    Run("pose-sample", SAMPLE),
    Run("image", COMPARE, "image"),
    Run("image-sample", SAMPLE, "image"),
    Run("inception", COMPARE, "inception", 60),
    Run("inception-sample", SAMPLE, "inception", 120),
    Run("original", COMPARE, "original", 129),  # whole lots of eight, as it answers
    Run("against", ("--against", "keras"), frames=300),
)


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few rounds of few frames.")] = False,
    rounds: Annotated[int, typer.Option(min=1)] = 7,
    only: Annotated[str, typer.Option(help="Names of runs, as pose,against; growth is one too.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for the documents.")] = OUT,
) -> None:
    """Measure, write the documents, and write the page anew."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    wanted = only.split(",") if only else [run.name for run in RUNS] + ["growth"]
    unknown = set(wanted) - {run.name for run in RUNS} - {"growth"}
    if unknown:
        raise typer.BadParameter(f"there is no run {', '.join(sorted(unknown))}", param_hint="--only")
    rounds, part = (QUICK_ROUNDS, QUICK_PART) if quick else (rounds, 1)
    with TemporaryDirectory(prefix="pointe-performance-") as name:
        folder, chosen = Path(name), [run for run in RUNS if run.name in wanted]
        untrained_models(folder, [run.model for run in chosen])
        for run in chosen:
            print(f"-- {run.name}", flush=True)
            document = last_line(run.command(folder, rounds, part))
            write_atomically(out / f"{run.name}.json", (json.dumps(json.loads(document), indent=1) + "\n").encode())
    if "growth" in wanted:
        print("-- growth", flush=True)
        frames = str(150 // part)
        last_line(
            [
                sys.executable,
                "-m",
                "scripts.bench_growth",
                "--frames",
                frames,
                "--rounds",
                str(min(rounds, 3)),
                "--out",
                str(out),
            ]
        )
    subprocess.run([sys.executable, "-m", "scripts.performance_page"], check=True)


def last_line(command: Sequence[str]) -> str:
    """Run it, show what it prints but for the last line, and return that."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    print("\n".join(lines[:-1]), flush=True)
    if done.returncode or not lines:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return lines[-1]


def untrained_models(folder: Path, wanted: Sequence[str]) -> None:
    """Make those of image, inception and original that are wanted, each a folder named like it."""
    needed = {"image", "inception", "original"} & set(wanted)
    if not needed:
        return
    try:
        from export.pretrained import build_inception
        from export.untrained import write_untrained
        from models.encoders import POSE_DIM
        from train.network import build_network
        from train.settings import settings_for
    except ImportError as error:
        raise SystemExit(f"{error.name} is missing.\nType: {install_command('train')}") from error
    if "image" in needed:
        head = build_network(settings_for(), 1280, classes=19, pose=False)
        write_untrained(folder / "image", "image", head, name="pointe")
    if "inception" in needed:
        encoder = folder / "inception-v3.onnx"
        build_inception(encoder, weights=None)
        head = build_network(settings_for(), 2048, classes=19, pose=False)
        write_untrained(folder / "inception", encoder, head, name="pointe")
    if "original" in needed:
        head = build_network(settings_for("original"), POSE_DIM, classes=19, pose=True)
        write_untrained(folder / "original", "pose", head, name="original")


if __name__ == "__main__":
    with told():
        typer.run(main)
