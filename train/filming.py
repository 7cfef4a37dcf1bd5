"""Made dance as videos: clips sorted by move, and long streams with their labels."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from models.card import remove_halves, whole_or_none
from models.children import ffmpeg_path, without_ffmpeg
from models.errors import SourceError
from train.at_once import each_of
from train.body import Array
from train.camera import Camera, look_from
from train.choreography import Stream, make_clip, make_stream
from train.company import company
from train.dancer import Costume, Film, Studio
from train.stream_labels import LABELS, LabelledMove, StreamLabels, Stretch


def write_video(path: Path, frames: Iterator[Array], fps: float, quality: int = 23, speed: str = "veryfast") -> None:
    """BGR frames as H.264 that every player shows; the same frames give the same bytes."""
    first = next(frames)
    height, width = first.shape[:2]
    options = [
        *("-loglevel", "error", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-"),
        *("-c:v", "libx264", "-preset", speed, "-crf", str(quality), "-pix_fmt", "yuv420p", "-threads", "1"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-movflags", "+faststart"),
    ]
    remove_halves(path)
    with whole_or_none(path) as half:
        try:
            encoder = subprocess.Popen([ffmpeg_path(), *options, "-f", "mp4", str(half)], stdin=subprocess.PIPE)
        except OSError as error:
            raise SourceError(without_ffmpeg(f"{path} cannot be written", error)) from error
        with encoder:
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
    return each_of(partial(_write_clip, seed=seed, height=height, fps=fps), clips, what="clips")


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
    return each_of(write, films, what="videos")


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
