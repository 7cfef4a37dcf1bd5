"""Damages videos of many makes at random and gives them to pointe: nothing may crash it or hold it up.

    python -m scripts.fuzz_media --files 1000 --seed 1

Each file goes the way of `pointe classify`; every so many of them also through a real `pointe live`, recording. Needs
ffmpeg's and ffprobe's own commands to make the videos. The last line is one JSON document.
"""

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from live.workers import Classified, Workers
from models.card import DEFAULT_MODEL, find_model
from models.errors import told
from scripts.zoo import MAKES, NOISY

LONGEST_S = 10.0
# A process takes this long to start and to load a model on a busy machine.
STARTING_S = 10.0
BOUNDARY = (b"\0", b"\xff", b"\x7f", b"\x80")


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The same with one to four things wrong: bits, holes, doubles, a lost end; the first part is hit most often."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if len(data) < 16:
            break
        at = chance.randrange(min(len(data), 2000) if chance.random() < 0.3 else len(data))
        length = chance.choice((1, 4, 8, 64, 1024))
        match chance.choice((0, 0, 0, 1, 2, 3, 4, 4, 4, 5, 5, 6)):  # mostly what leaves the rest where it was
            case 0:
                for _ in range(chance.choice((1, 8, 64))):
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + length]
            case 2:
                del data[max(at, 16) :]
            case 3:
                data[at:at] = chance.randbytes(length)
            case 4:
                data[at : at + length] = chance.randbytes(length)[: len(data) - at]
            case 5:
                data[at : at + length] = chance.choice(BOUNDARY) * len(data[at : at + length])
            case 6:
                data[at:at] = data[chance.randrange(len(data)) :][:length]
    return bytes(data)


def damaged_videos(folder: Path, files: int, seed: int) -> list[Path]:
    """`files` damaged videos in the folder, always the same for a seed and a version of ffmpeg."""
    originals = []
    (folder / "whole").mkdir()
    for name, make in {**MAKES, **NOISY}.items():
        make(folder / "whole" / name)
        originals.append(folder / "whole" / name)
    chance = random.Random(seed)
    damaged = []
    for number in range(files):
        original = chance.choice(originals)
        path = folder / f"{number:05}-{original.name}"
        path.write_bytes(mutated(original.read_bytes(), chance))
        damaged.append(path)
    return damaged


def through_classify(videos: Sequence[Path], model: Path) -> tuple[Counter[str], list[str], float]:
    """What came of the videos, what went wrong, and the longest that one took, in seconds."""
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    longest_s, before_s = 0.0, time.monotonic()
    with Workers(model, "cpu", None, 1) as workers:
        for path, answer in workers.each(videos, lambda: 0):
            now_s = time.monotonic()
            if outcomes:  # before the first one the model is loaded
                longest_s = max(longest_s, now_s - before_s)
            before_s = now_s
            if isinstance(answer, Classified):
                outcomes["used in part" if answer.damage else "used"] += 1
            else:
                outcomes["refused"] += 1
                if "the decoder" in answer.reason or "without a word" in answer.reason:
                    wrong.append(f"{path.name} {answer.reason}")
    return outcomes, wrong, longest_s


def through_live(path: Path, model: Path, out: Path) -> str | None:
    """What is wrong with how `pointe live` takes a video; None where nothing is."""
    command = [sys.executable, "-c", "import pointe; pointe.main()", "live", str(path), "--headless", "--device", "cpu"]
    command += ["--model", str(model), "--record", str(out / "out.mp4"), "--events", str(out / "out.jsonl")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S + STARTING_S, errors="replace")
    except subprocess.TimeoutExpired:
        return f"{path.name}: live took longer than {LONGEST_S + STARTING_S:.0f} s"
    if done.returncode not in (0, 3) or "Traceback" in done.stderr:
        return f"{path.name}: live ended with {done.returncode}: {done.stderr[-500:]}"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live-every", type=int, default=25, help="so many files, one also goes through `pointe live`")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    chosen = parser.parse_args(arguments)
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"  # as `pointe` has it; for the processes that are started
    begun_s = time.monotonic()
    model = find_model(chosen.model).absolute()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        videos = damaged_videos(folder, chosen.files, chosen.seed)
        outcomes, wrong, longest_s = through_classify(videos, model)
        lived = videos[:: chosen.live_every]
        wrong += [said for path in lived if (said := through_live(path, model, folder))]
    for line in wrong:
        print(line)
    document = {
        "command": shlex.join([Path(sys.executable).name, "-m", "scripts.fuzz_media", *(arguments or sys.argv[1:])]),
        "files": len(videos),
        "seed": chosen.seed,
        "outcomes": dict(outcomes),
        "through_live": len(lived),
        "wrong": len(wrong),
        "longest_s": round(longest_s, 2),
        "seconds": round(time.monotonic() - begun_s, 1),
    }
    print(json.dumps(document))
    return 1 if wrong or longest_s > LONGEST_S else 0


if __name__ == "__main__":
    with told():
        sys.exit(main())
