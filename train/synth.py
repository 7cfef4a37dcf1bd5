"""Dance without footage: features for training, clips and long videos, all from a seed.

`python -m train.synth OUT --clips N` writes OUT/train/<move>/*.mp4 and OUT/test/<move>/*.mp4, `--streams N` long videos
with their labels beside them, `--features N` the features of streams; `--demo FILE` films the bundled demo.
The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np

from models.card import whole_or_none
from models.errors import SourceError, UsageError
from models.files import refuse_unless_writable
from models.keypoints import INDEX
from train import everyday
from train.at_once import each_of
from train.body import Array, Body
from train.camera import Camera, look_from, random_camera
from train.choreography import MOVES, PROGRAMS, Stream, make_clip, make_stream
from train.company import company
from train.dancer import Costume, Film, Studio
from train.estimator import estimate
from train.score import Score
from train.stream_labels import LABELS, LabelledMove, StreamLabels, Stretch
from train.style import Style

if TYPE_CHECKING:
    from train.windows import Sequence as FeatureSequence

UNSURE = -1
LIMBS = [INDEX[f"{side}_{joint}"] for joint in ("elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")]
LEAST_LIMBS = 4


def labels_at(stream: Stream, times: Array, moves: Sequence[str], unnamed: Sequence[str] = ()) -> Array:
    """For each time the index of the move in `moves`, which holds "none"; -1 where either name would be right.

    A move that is not among them is "none" if it is `unnamed`, and else -1.
    """
    labels = np.full(len(times), moves.index("none"), np.int32)
    for start, end in stream.unsure:
        labels[(times >= start) & (times < end)] = UNSURE
    for segment in stream.segments:
        during = (times >= segment.start_s) & (times < segment.end_s)
        name = "none" if segment.move in unnamed else segment.move
        labels[during] = moves.index(name) if name in moves else UNSURE
    return labels


def observe(
    stream: Stream,
    rng: np.random.Generator,
    sample_hz: float,
    moves: Sequence[str] = ("none", *MOVES),
    unnamed: Sequence[str] = (),
) -> tuple[Array, Array]:
    """Features (steps, 51) as the pose encoder gives them from a random camera, and labels (steps,)."""
    phase = rng.uniform(0, 1 / sample_hz)
    times = np.arange(phase, stream.seconds - 1 / stream.hz, 1 / sample_hz)
    frames = np.minimum(np.round(times * stream.hz).astype(int), len(stream.positions) - 1)
    camera = random_camera(stream.positions, rng)
    keypoints = estimate(stream.positions[frames], camera, rng)
    labels = labels_at(stream, times, moves, unnamed)
    labels[(keypoints[:, LIMBS, 2] > 0.3).sum(1) < LEAST_LIMBS] = UNSURE  # the dancer has left the picture
    return keypoints.reshape(len(frames), -1).astype(np.float32), labels


def feature_streams(
    n: int,
    seconds: float = 37.0,
    sample_hz: float = 15.0,
    seed: int = 0,
    moves: Sequence[str] = ("none", *MOVES),
    unnamed: Sequence[str] = (),
    cameras: int = 2,
) -> list[FeatureSequence]:
    """`n` streams of `moves` and `unnamed`, each seen by `cameras` cameras.

    Labels are indices into `moves`, "none", which must be one of them, for what is unnamed, too.
    """
    from train.windows import Sequence as FeatureSequence  # it would pull in what drawing does not need

    seen = partial(
        _seen, seconds=seconds, sample_hz=sample_hz, seed=seed, moves=moves, unnamed=unnamed, cameras=cameras
    )
    return [
        FeatureSequence(f"made-{seed}-{index}-{view}", features, labels)
        for index, views in enumerate(each_of(seen, range(n)))
        for view, (features, labels) in enumerate(views)
    ]


def _seen(
    index: int,
    *,
    seconds: float,
    sample_hz: float,
    seed: int,
    moves: Sequence[str],
    unnamed: Sequence[str],
    cameras: int,
) -> list[tuple[Array, Array]]:
    """Features and labels of one stream, from each camera."""
    danced = sorted({*moves, *unnamed} - {"none"}, key=MOVES.index)
    stream = make_stream(seed * 1_000_003 + index, seconds, danced)
    rngs = [np.random.default_rng([seed, index, view]) for view in range(cameras)]
    return [observe(stream, rng, sample_hz, moves, unnamed) for rng in rngs]


# -- clips and videos ---------------------------------------------------------------------------------------------


def write_video(path: Path, frames: Iterator[Array], fps: float, quality: int = 23, speed: str = "veryfast") -> None:
    """BGR frames as H.264 that every player shows; the same frames give the same bytes."""
    first = next(frames)
    height, width = first.shape[:2]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-"]
    command += ["-c:v", "libx264", "-preset", speed, "-crf", str(quality), "-pix_fmt", "yuv420p", "-threads", "1"]
    command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-movflags", "+faststart"]
    with whole_or_none(path) as half:
        with subprocess.Popen([*command, "-f", "mp4", str(half)], stdin=subprocess.PIPE) as encoder:
            assert encoder.stdin is not None
            with suppress(BrokenPipeError):  # ffmpeg has said why on stderr
                for frame in chain([first], frames):
                    encoder.stdin.write(np.ascontiguousarray(frame).tobytes())
                encoder.stdin.close()
        if encoder.returncode:
            raise SourceError(
                f"ffmpeg could not write {path}.\nSee its message above; check the folder and the free space."
            )


def shoot(stream: Stream, film: Film, fps: float) -> Iterator[Array]:
    """The frames of a stream, at `fps`."""
    for index in range(int(stream.seconds * fps)):
        yield film.shoot(stream.positions[round(index / fps * stream.hz)], stream.joint_names, index / fps)


def any_film(stream: Stream, rng: np.random.Generator, height: int, azimuth: float | None = None) -> Film:
    """Any costume, studio, company and camera from which the whole dancer is seen; `azimuth` in place of any."""
    anywhere = rng.uniform(-np.pi, np.pi)
    camera = look_from(
        stream.positions,
        azimuth=anywhere if azimuth is None else azimuth,
        height=rng.uniform(0.8, 1.7),
        distance=rng.uniform(3.0, 6.0),
        fill=rng.uniform(0.65, 0.9),
        aspect=4 / 3,
    )
    costume, studio = Costume.random(rng), Studio.random(rng)
    return Film(camera, height, costume, studio, company(rng, camera, studio.back, stream.seconds))


def write_clips(
    out: Path,
    count: int,
    moves: Sequence[str],
    seed: int = 0,
    test_fraction: float = 0.2,
    height: int = 240,
    fps: float = 25.0,
) -> list[Path]:
    """`count` clips of each move under OUT/train/<move> and OUT/test/<move>; returns their paths."""
    tests = round(count * test_fraction)
    clips = [
        (index, move, number, out / ("test" if number < tests else "train") / move / f"{move}_{seed}_{number:04d}.mp4")
        for index, move in enumerate(moves)
        for number in range(count)
    ]
    return each_of(partial(_write_clip, seed=seed, height=height, fps=fps), clips)


def _write_clip(clip: tuple[int, str, int, Path], *, seed: int, height: int, fps: float) -> Path:
    index, move, number, path = clip
    stream = make_clip(move, (seed * 1009 + index) * 100_003 + number)
    write_video(path, shoot(stream, any_film(stream, np.random.default_rng([seed, index, number]), height), fps), fps)
    return path


def write_streams(
    out: Path,
    count: int,
    moves: Sequence[str],
    seed: int = 0,
    seconds: float = 37.0,
    height: int = 240,
    fps: float = 25.0,
    views: Sequence[int] = (),
) -> list[Path]:
    """Long videos OUT/stream_*.mp4, each with its labels OUT/stream_*.json.

    `views` are azimuths in degrees from where the dancer faces at the start, towards her left; each stream is filmed
    from each of them. Without them one camera stands anywhere, and the labels say which side it sees at the start.
    """
    danced = tuple(move for move in moves if move != "none")
    films = [(number, view) for number in range(count) for view in views or (None,)]
    write = partial(_write_stream, out=out, danced=danced, seed=seed, seconds=seconds, height=height, fps=fps)
    return each_of(write, films)


def _write_stream(
    film_of: tuple[int, int | None],
    *,
    out: Path,
    danced: tuple[str, ...],
    seed: int,
    seconds: float,
    height: int,
    fps: float,
) -> Path:
    number, view = film_of
    stream = make_stream(seed * 1_000_003 + number, seconds, danced)
    start = facing(stream)
    rng = np.random.default_rng([seed, number])
    film = any_film(stream, rng, height, None if view is None else start + np.radians(view))
    path = out / f"stream_{seed}_{number:04d}{'' if view is None else f'_{view:+04d}'}.mp4"
    write_video(path, shoot(stream, film, fps), fps)
    labels = labels_of(stream, side_seen(film.camera, start) if view is None else f"{view}°")
    labels.until((int(stream.seconds * fps) - 1) / fps).save(path.with_suffix(LABELS))  # the last frame's time
    return path


def labels_of(stream: Stream, view: str) -> StreamLabels:
    """The stream's labels as they lie beside a video, to the millisecond."""
    moves = [(s.move, round(s.start_s, 3), round(s.end_s, 3)) for s in stream.segments]
    unsure = [(round(start, 3), round(end, 3)) for start, end in stream.unsure]
    return StreamLabels(
        moves=tuple(LabelledMove(move=move, start_s=start, end_s=end) for move, start, end in moves if start < end),
        ignore=tuple(Stretch(start_s=start, end_s=end) for start, end in unsure if start < end),
        view=view,
    )


def facing(stream: Stream) -> float:
    """Where the dancer faces at the start, in radians as azimuths are."""
    names = stream.joint_names
    across = stream.positions[0, names.index("left_hip")] - stream.positions[0, names.index("right_hip")]
    return float(np.arctan2(-across[2], across[0]))


def side_seen(camera: Camera, yaw: float) -> str:
    """Which side of somebody who faces `yaw` a camera sees: "front", "side" or "back"."""
    towards = np.subtract(camera.place, camera.target)
    turned = np.cos(np.arctan2(towards[0], towards[2]) - yaw)
    return "front" if turned > np.sqrt(0.5) else "back" if turned < -np.sqrt(0.5) else "side"


def write_features(out: Path, count: int, moves: Sequence[str], seed: int, seconds: float, sample_hz: float) -> Path:
    """OUT/features.npz: for each stream and camera "<name>/features" and "<name>/labels", and "moves"."""
    arrays: dict[str, Array] = {"moves": np.array(moves)}
    for sequence in feature_streams(count, seconds, sample_hz, seed, moves):
        arrays[f"{sequence.name}/features"] = sequence.features
        arrays[f"{sequence.name}/labels"] = sequence.labels
    out.mkdir(parents=True, exist_ok=True)
    path = out / "features.npz"
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


# -- the bundled demo ---------------------------------------------------------------------------------------------

DEMO_SEED = 357
DEMO_MOVES = ("plie", "tendu", "pirouette", "arabesque", "saute")


def demo_stream(seed: int = DEMO_SEED) -> Stream:
    """Plié, tendu, pirouette, arabesque and sauté with standing in between, as at an examination."""
    rng = np.random.default_rng(seed)
    score = Score(rng, Body(), Style(tempo=0.85, turnout=1.25, skill=1.0, wobble=0.12))
    score.arms("low")
    score.beat(1.0)
    for move in DEMO_MOVES:
        profile = 1.25 if move == "arabesque" else 0.0  # of a leg behind nobody sees much from the front
        face(score, profile)
        PROGRAMS[move](score)
        score.stance("first", 0.5)
        score.arms("low")
        score.beat(0.9)
    return score.perform()


def face(score: Score, yaw: float) -> None:
    """Turn to look there with two small steps."""
    turn = (yaw - score.trunk.yaw + np.pi) % (2 * np.pi) - np.pi
    if abs(turn) > 0.7:
        everyday.steps(score, 2, 0.0, 0.5, turn / 2, lift=0.04)
        score.arms("low")
        score.stance("first", 0.5)


def film_demo(path: Path, height: int = 360, fps: float = 25.0) -> Stream:
    """Write the demo that the package brings; returns its motion, for its labels."""
    stream = demo_stream()
    camera = look_from(stream.positions, azimuth=0.35, height=1.25, distance=5.2, fill=0.76)
    camera = replace(camera, aspect=16 / 9)
    costume = Costume(skirt=0.10, skirt_colour=(120, 70, 96), leotard=(84, 34, 56))
    write_video(path, shoot(stream, Film(camera, height, costume, Studio()), fps), fps, quality=25, speed="veryslow")
    return stream


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
    sys.exit(main())
