"""Measures the pose estimator on drawn dancers, whose joints are known, beside what train/camera.py makes of the same.

    python -m scripts.measure_estimator [--frames 3000] [--encoder pose] [--cache out/estimator]

Made dancers in any costume and studio dance before cameras at stated azimuths; the true pose encoder follows them at
15 Hz, tracking crop included. Pictures and what was seen in them are kept in the cache.
"""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
import typer

from models.card import sha256_of, write_atomically
from models.encoders import describe_encoder, open_encoder
from models.frames import Frame
from models.keypoints import INDEX, KEYPOINTS
from train.body import JOINT
from train.cache import code_hash, write_arrays
from train.camera import SEEN, Camera, estimate, look_from, torso_lengths, view_of
from train.choreography import MOVES, Stream, make_clip, make_stream
from train.dancer import Costume, Film, Studio
from train.figure import MESH

Array = npt.NDArray[Any]

AZIMUTHS_DEG = (-60, 0, 45, 90, 180)
SAMPLE_HZ = 15.0
HEIGHT = 360  # pixels
LONGEST_S = 4.0  # of a take
# Two takes in three are of these, about the moment when a leg is highest; the third is of anything.
RAISED = ("arabesque", "attitude", "developpe", "grand_battement", "rond_de_jambe", "fouette", "pirouette")
FAR = 0.25  # torsos from the truth, from which a joint counts as wrong
HEIGHTS = ("0-0.4", "0.4-0.8", "0.8-1.2", "over 1.2")  # torsos, of the raised ankle over the other
VIEWS = ("front", "side", "back")
REPEATS = 4  # of the model, whose errors are drawn at random, on each take


@dataclass(frozen=True)
class Take:
    """One dancer before one camera."""

    positions: Array  # (steps, joints, 3) metres
    camera: Camera
    pictures: tuple[bytes, ...]  # PNG

    @property
    def truth(self) -> Array:
        """(steps, 17, 2) in frame heights."""
        return self.camera.project(self.positions[:, SEEN])[..., :2]


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
            takes.append(Take(kept["positions"], Camera(**json.loads(str(kept["camera"]))), pictures))
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
    azimuth = np.radians(AZIMUTHS_DEG[number % len(AZIMUTHS_DEG)])
    camera = look_from(
        positions, azimuth, height=rng.uniform(0.8, 1.6), distance=rng.uniform(3, 6), fill=rng.uniform(0.35, 0.9)
    )
    film = Film(camera, HEIGHT, Costume.random(rng), Studio.random(rng))
    pictures = [cv2.imencode(".png", film.shoot(joints, stream.joint_names))[1] for joints in positions]
    write_arrays(
        file,
        positions=positions,
        camera=json.dumps(asdict(camera)),
        pictures=np.concatenate(pictures),
        sizes=[len(picture) for picture in pictures],
    )


def _dance(number: int, rng: np.random.Generator) -> tuple[Stream, float]:
    """A motion and the moment of it that is to be seen."""
    if number % 3 == 2:
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


# ---- counting


@dataclass(frozen=True)
class _Pair:
    """Truth and sight of all takes, one after the other, distances in torsos."""

    truth: Array  # (steps, 17, 2)
    seen: Array  # (steps, 17, 2)
    score: Array  # (steps, 17)
    view: Array  # (steps,) of VIEWS
    take: Array  # (steps,)


def figures_of(takes: Sequence[Take], seen: Sequence[Array]) -> dict[str, dict[str, Any]]:
    """Error rates by table and row: see the functions below for what each counts."""
    parts = []
    for number, (take, keypoints) in enumerate(zip(takes, seen, strict=True)):
        there = ~np.isnan(keypoints).any((1, 2))
        torso = torso_lengths(take.positions, take.camera)[:, None, None]
        view = np.array(VIEWS)[view_of(take.positions, take.camera)]
        whole = _Pair(
            take.truth / torso, keypoints[..., :2] / torso, keypoints[..., 2], view, np.full(len(torso), number)
        )
        parts.append(_Pair(*(getattr(whole, name)[there] for name in _Pair.__dataclass_fields__)))
    pair = _Pair(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Pair.__dataclass_fields__))
    return {
        "joints": _joints(pair),
        "swapped": _swapped(pair),
        "raised leg": _raised(pair),
        "spells": _spells(pair),
    }


def _joints(pair: _Pair) -> dict[str, Any]:
    """By joint: median error, share that is far off, mean score; and how much of the error is new in each step."""
    error = np.linalg.norm(pair.seen - pair.truth, axis=-1)
    rows = {}
    shake = np.linalg.norm(np.diff(pair.seen - pair.truth, axis=0), axis=-1)
    shake[np.diff(pair.take) != 0] = np.nan
    for name in dict.fromkeys(name.removeprefix("left_").removeprefix("right_") for name in KEYPOINTS):
        both = [index for index, keypoint in enumerate(KEYPOINTS) if keypoint.endswith(name)]
        rows[name] = {
            "median": _round(np.median(error[:, both])),
            "far": _round((error[:, both] > FAR).mean()),
            "score": _round(pair.score[:, both].mean()),
            "shake": _round(np.nanmedian(shake[:, both])),
        }
    return rows


def _swapped(pair: _Pair) -> dict[str, Any]:
    """By view and limb: left and right exchanged, as a share of the steps in which they lie apart."""
    rows: dict[str, Any] = {}
    for view in VIEWS:
        rows[view] = {}
        for limb in ("shoulder", "wrist", "hip", "knee", "ankle"):
            exchanged, apart = exchange_of(pair.truth, pair.seen, limb)
            here = apart & (pair.view == view)
            rows[view][limb] = _round(exchanged[here].mean()) if here.any() else None
    return rows


def exchange_of(truth: Array, seen: Array, limb: str) -> tuple[Array, Array]:
    """Where left and right of a limb are exchanged, and where they lie far enough apart to tell; (steps,) each."""
    both = [INDEX[f"left_{limb}"], INDEX[f"right_{limb}"]]
    straight = np.linalg.norm(seen[:, both] - truth[:, both], axis=-1)
    crossed = np.linalg.norm(seen[:, both] - truth[:, both[::-1]], axis=-1)
    apart = np.linalg.norm(truth[:, both[0]] - truth[:, both[1]], axis=-1) > FAR
    return (crossed < straight).all(1) & (crossed.sum(1) < 0.6 * straight.sum(1)) & apart, apart


def raised_leg(truth: Array) -> tuple[Array, Array]:
    """Which ankle is higher (0 left, 1 right) and by how much; (steps,) each."""
    above = truth[:, INDEX["right_ankle"], 1] - truth[:, INDEX["left_ankle"], 1]
    return (above < 0).astype(int), np.abs(above)


def lost_of(truth: Array, seen: Array, joint: str) -> Array:
    """Where the raised leg's joint is put on the other leg's, and that one is not put in its place; (steps,)."""
    raised, _ = raised_leg(truth)
    both = np.array([INDEX[f"left_{joint}"], INDEX[f"right_{joint}"]])
    steps = np.arange(len(truth))
    own, other, put = truth[steps, both[raised]], truth[steps, both[1 - raised]], seen[steps, both[raised]]
    away, near = np.linalg.norm(put - own, axis=-1), np.linalg.norm(put - other, axis=-1)
    return np.asarray((away > FAR) & (near < away) & ~exchange_of(truth, seen, joint)[0])


def _raised(pair: _Pair) -> dict[str, Any]:
    """By height of the raised ankle and by view: ankle and knee on the standing leg, ankle far off in any way."""
    raised, height = raised_leg(pair.truth)
    which = np.digitize(height, (0.4, 0.8, 1.2))
    ankles = np.array([INDEX["left_ankle"], INDEX["right_ankle"]])[raised]
    steps = np.arange(len(raised))
    far = np.linalg.norm(pair.seen[steps, ankles] - pair.truth[steps, ankles], axis=-1) > FAR
    lost, knee = lost_of(pair.truth, pair.seen, "ankle"), lost_of(pair.truth, pair.seen, "knee")
    score = pair.score[steps, ankles]
    rows = {}
    for number, name in enumerate(HEIGHTS):
        for view in VIEWS:
            here = (which == number) & (pair.view == view)
            rows[f"{name} {view}"] = {
                "steps": int(here.sum()),
                "ankle lost": _share(lost, here),
                "ankle far": _share(far, here),
                "knee lost": _share(knee, here),
                "both": _share(lost & knee, here),
                "score": _share(score, here),
                "score lost": _share(score, here & lost),
            }
    return rows


def _spells(pair: _Pair) -> dict[str, Any]:
    """How many steps errors last, on average, with the ankle more than 0.4 torsos above the other for the first."""
    _, height = raised_leg(pair.truth)
    kinds: dict[str, Callable[[], Array]] = {
        "ankle lost": lambda: lost_of(pair.truth, pair.seen, "ankle") & (height > 0.4),
        "ankles exchanged": lambda: exchange_of(pair.truth, pair.seen, "ankle")[0],
        "wrists exchanged": lambda: exchange_of(pair.truth, pair.seen, "wrist")[0],
        "hips exchanged": lambda: exchange_of(pair.truth, pair.seen, "hip")[0],
    }
    rows = {}
    for name, find in kinds.items():
        found = find()
        begun = found & ~np.concatenate([[False], found[:-1] & (np.diff(pair.take) == 0)])
        rows[name] = {"steps": _round(found.sum() / max(begun.sum(), 1)), "share": _round(found.mean())}
    return rows


def _share(values: Array, where: Array) -> float | None:
    return _round(values[where].mean()) if where.sum() >= 10 else None


def _round(value: float | Array) -> float:
    return round(float(value), 3)


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
    typer.run(main)
