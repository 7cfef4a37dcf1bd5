"""Measures the pose estimator on drawn dancers, whose joints are known, beside what train/estimator.py makes of them.

    python -m scripts.measure_estimator [--frames 3000] [--encoder pose] [--cache out/estimator]

Made dancers in any costume and studio dance before cameras at stated azimuths, and before some that cut off a part of
the body; the true pose encoder follows them at 15 Hz, tracking crop included. Pictures and what was seen in them are
kept in the cache.
"""

import hashlib
import io
import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
import typer

from models.card import sha256_of, write_atomically
from models.encoders import describe_encoder, open_encoder
from models.errors import told
from models.frames import Frame
from scripts.estimator_figures import Take, figures_of
from train.body import JOINT
from train.cache import code_hash, write_arrays
from train.camera import Camera, inside, look_from, project, random_camera
from train.choreography import MOVES, Stream, make_clip, make_stream
from train.dancer import Costume, Film, Studio
from train.estimator import estimate
from train.figure import MESH

Array = npt.NDArray[Any]

AZIMUTHS_DEG = (-60, 0, 45, 90, 180)
SAMPLE_HZ = 15.0
HEIGHT = 360  # pixels
LONGEST_S = 4.0  # of a take
# Two takes of four are of these, about the moment when a leg is highest, and two of anything.
RAISED = ("arabesque", "attitude", "developpe", "grand_battement", "rond_de_jambe", "fouette", "pirouette")
CUT_OFF = (0.05, 0.75)  # the share of the joints that is outside of the picture, in the last of four takes
REPEATS = 4  # of the model, whose errors are drawn at random, on each take


def main(
    frames: Annotated[int, typer.Option(min=100, help="How many frames are drawn.")] = 3000,
    encoder: Annotated[str, typer.Option(help="A pose encoder's name or .onnx file.")] = "pose",
    cache: Annotated[Path, typer.Option(help="Where pictures and what was seen in them are kept.")] = Path(
        "out/estimator"
    ),
) -> None:
    """Print measured against modelled error rates, then one JSON line."""
    path, info = describe_encoder(encoder)
    takes = draw_takes(frames, cache)
    seen = [see_take(number, take, path, cache) for number, take in enumerate(takes)]
    modelled = [
        estimate(take.positions, take.camera, np.random.default_rng([number, repeat]))
        for repeat in range(REPEATS)
        for number, take in enumerate(takes)
    ]
    figures = {"measured": figures_of(takes, seen), "modelled": figures_of(takes * REPEATS, modelled)}
    print(f"{info.name}, {sum(len(take.positions) for take in takes)} frames; measured / modelled\n")
    for table in figures["measured"]:
        _print(table, figures["measured"][table], figures["modelled"][table])
    print(json.dumps({"encoder": info.name, "sha256": info.sha256, **figures}))


# ---- drawing and seeing


def draw_takes(frames: int, cache: Path) -> list[Take]:
    """As many takes as hold `frames` frames; the same number draws the same."""
    takes: list[Take] = []
    while sum(len(take.positions) for take in takes) < frames:
        file = cache / f"take-{len(takes):03d}-{_made_by()}.npz"
        if not file.exists():
            _draw_take(len(takes), file)
        with np.load(file) as kept:
            ends = np.cumsum(kept["sizes"])[:-1]
            pictures = tuple(part.tobytes() for part in np.split(kept["pictures"], ends))
            camera = Camera(**json.loads(str(kept["camera"])))
            takes.append(Take(kept["positions"], camera, pictures, is_cut(len(takes))))
    return takes


@lru_cache(maxsize=1)
def _made_by() -> str:
    """Of all that makes motion and draws it, this file's numbers and the mesh too: when it changes, so do the takes."""
    sources = [Path(__file__), MESH, *sorted(MESH.parents[1].glob("*.py"))]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


def _draw_take(number: int, file: Path) -> None:
    rng = np.random.default_rng([3, number])
    stream, moment_s = _dance(number, rng)
    start = np.clip(moment_s - rng.uniform(0.3, 0.7) * LONGEST_S, 0, max(0.0, stream.seconds - LONGEST_S))
    times = np.arange(start, min(start + LONGEST_S, stream.seconds - 1 / stream.hz), 1 / SAMPLE_HZ)
    positions = stream.positions[np.round(times * stream.hz).astype(int)]
    camera = _any_that_cuts(positions, rng) if is_cut(number) else _from_a_stated_side(number, positions, rng)
    film = Film(camera, HEIGHT, Costume.random(rng), Studio.random(rng))
    pictures = [cv2.imencode(".png", film.shoot(joints, stream.joint_names))[1] for joints in positions]
    write_arrays(
        file,
        positions=positions,
        camera=json.dumps(asdict(camera)),
        pictures=np.concatenate(pictures),
        sizes=[len(picture) for picture in pictures],
    )


def is_cut(number: int) -> bool:
    """Whether a part of the body is outside of this take's picture."""
    return number % 4 == 3


def _any_that_cuts(positions: Array, rng: np.random.Generator) -> Camera:
    while True:
        camera = random_camera(positions, rng)
        if CUT_OFF[0] < (~inside(project(positions, camera), camera.aspect)).mean() < CUT_OFF[1]:
            return camera


def _from_a_stated_side(number: int, positions: Array, rng: np.random.Generator) -> Camera:
    azimuth = np.radians(AZIMUTHS_DEG[number % len(AZIMUTHS_DEG)])
    return look_from(
        positions, azimuth, height=rng.uniform(0.8, 1.6), distance=rng.uniform(3, 6), fill=rng.uniform(0.35, 0.9)
    )


def _dance(number: int, rng: np.random.Generator) -> tuple[Stream, float]:
    """A motion and the moment of it that is to be seen."""
    if number % 4 >= 2:
        stream = make_stream(900_000_000 + number, 4 * LONGEST_S, MOVES)
        return stream, rng.uniform(0, stream.seconds)
    stream = make_clip(RAISED[int(rng.integers(len(RAISED)))], 900_000_000 + number)
    left, right = (stream.positions[:, JOINT[f"{side}_ankle"], 1] for side in ("left", "right"))
    return stream, float(np.abs(left - right).argmax()) / stream.hz


def see_take(number: int, take: Take, encoder_path: Path, cache: Path) -> Array:
    """What the pose encoder sees of a take, (steps, 17, 3); a step without a dancer is all NaN."""
    file = cache / f"take-{number:03d}-{_made_by()}-{sha256_of(encoder_path)[:12]}-{code_hash()[:12]}.npy"
    if not file.exists():
        encoder = open_encoder("pose", encoder_path, "cpu")
        seen = np.full((len(take.pictures), 51), np.nan, np.float32)
        for index, picture in enumerate(take.pictures):
            image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
            feature = encoder.push(Frame(np.asarray(image, np.uint8), index, index / SAMPLE_HZ))
            if feature is not None:
                seen[index] = feature
        content = io.BytesIO()
        np.save(content, seen.reshape(-1, 17, 3))
        write_atomically(file, content.getvalue())
    return np.asarray(np.load(file))


def _print(title: str, measured: dict[str, Any], modelled: dict[str, Any]) -> None:
    columns = list(next(iter(measured.values())))
    print(f"{title:<18}" + "".join(f"{column:>16}" for column in columns))
    for row, values in measured.items():
        cells = []
        for column in columns:
            ours, theirs = (
                "-" if number is None else f"{number:g}" for number in (values[column], modelled[row][column])
            )
            cells.append(f"{ours} / {theirs}")
        print(f"{row:<18}" + "".join(f"{cell:>16}" for cell in cells))
    print()


if __name__ == "__main__":
    with told():
        typer.run(main)
