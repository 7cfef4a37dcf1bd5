"""Dance without footage: features for training, clips and long videos, all from a seed.

`python -m train.synth OUT --clips N` writes OUT/train/<move>/*.mp4 and OUT/test/<move>/*.mp4, `--streams N` long videos
with their labels beside them, `--features N` the features of streams; `--demo FILE` films the bundled demo.
The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from models.errors import UsageError, told
from models.files import refuse_unless_writable
from train.bundled_demo import film_demo
from train.choreography import MOVES
from train.filming import write_clips, write_streams
from train.made_features import write_features

# What the command takes, from and to.
LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("clips", "streams", "features"), (0, 100_000)),
    "seed": (0, 10**9),
    "test_fraction": (0, 1),
    "seconds": (1, 3600),
    "sample_hz": (1, 240),
    "fps": (1, 240),
    "height": (16, 2160),
}


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command is to do; ends the process where that makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m train.synth", description="Make dance without footage.")
    parser.add_argument("out", type=Path, nargs="?", metavar="OUT", help="folder to write to")
    parser.add_argument("--clips", type=int, default=0, metavar="N", help="N clips of each move")
    parser.add_argument("--streams", type=int, default=0, metavar="N", help="N long videos with their labels")
    parser.add_argument(
        "--features", type=int, default=0, metavar="N", help="the features of N streams, two cameras each"
    )
    parser.add_argument(
        "--views",
        metavar="DEGREES",
        help="film each stream from these sides, as in --views=-60,0,45,180 (0: the front)",
    )
    parser.add_argument("--demo", type=Path, metavar="FILE", help="film the bundled demo to FILE")
    parser.add_argument("--moves", default=",".join(("none", *MOVES)), help="comma-separated (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test-fraction", type=float, default=0.2, help="of the clips (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=37.0, help="length of a stream (default: %(default)s)")
    parser.add_argument("--sample-hz", type=float, default=15.0, help="of --features (default: %(default)s)")
    parser.add_argument("--fps", type=float, default=25.0, help="of videos (default: %(default)s)")
    parser.add_argument("--height", type=int, default=240, help="of a picture (default: %(default)s)")
    options = parser.parse_args(arguments)
    options.moves = list(dict.fromkeys(move.strip() for move in options.moves.split(",") if move.strip()))
    unknown = [move for move in options.moves if move not in ("none", *MOVES)]
    if unknown:
        parser.error(f"unknown moves: {', '.join(unknown)}. Known are none, {', '.join(MOVES)}")
    try:
        options.views = list(dict.fromkeys(int(view) for view in (options.views or "").split(",") if view.strip()))
    except ValueError:
        parser.error(f"--views {options.views}: give whole degrees with commas between, as in --views=-60,0,45,180")
    for name, (low, high) in LIMITS.items():
        number = getattr(options, name)
        if not low <= number <= high:
            parser.error(f"--{name.replace('_', '-')} {number}: give a number from {low:g} to {high:g}")
    if options.height % 2:
        parser.error(f"--height {options.height}: give an even number, as videos want it")
    try:
        for folder in (options.out, options.demo and options.demo.parent):
            if folder:
                refuse_unless_writable(folder, "Give another.")
    except UsageError as error:
        parser.error(str(error))
    if options.demo and options.demo.is_dir():
        parser.error(f"--demo {options.demo}: give a file, as in --demo demo.mp4")
    if options.out is None and not options.demo:
        parser.error("say where to write: python -m train.synth OUT --clips 20")
    if options.out and not (options.clips or options.streams or options.features):
        parser.error("say what to make: --clips N, --streams N or --features N")
    if not options.moves:
        parser.error("--moves: name one at least")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = _asked(arguments)
    moves: list[str] = options.moves
    if options.demo:
        film_demo(options.demo)
        print(options.demo)
    if options.out is None:
        return 0
    if options.clips:
        paths = write_clips(
            options.out, options.clips, moves, options.seed, options.test_fraction, options.height, options.fps
        )
        print(f"{len(paths)} clips in {options.out}")
    if options.streams:
        paths = write_streams(
            options.out,
            options.streams,
            moves,
            options.seed,
            options.seconds,
            options.height,
            options.fps,
            options.views,
        )
        print(f"{len(paths)} streams in {options.out}")
    if options.features:
        with_none = moves if "none" in moves else ["none", *moves]
        print(
            write_features(options.out, options.features, with_none, options.seed, options.seconds, options.sample_hz)
        )
    return 0


if __name__ == "__main__":
    with told():
        sys.exit(main())
