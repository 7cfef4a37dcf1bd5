"""What an estimator saw of drawn dancers against where their joints are: error rates by joint, view and height of leg.

In: takes, whose joints are known, and the keypoints that were seen in each, by whatever estimator or model of one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.keypoints import INDEX, KEYPOINTS
from train.camera import Camera, inside, project
from train.estimator import JUST_OUTSIDE, KINDS, torso_lengths, view_of

Array = npt.NDArray[Any]

FAR = 0.25  # torsos from the truth, from which a joint counts as wrong
HEIGHTS = ("0-0.4", "0.4-0.8", "0.8-1.2", "over 1.2")  # torsos, of the raised ankle over the other
VIEWS = ("front", "side", "back")
OUTSIDE = (0.1, 0.3, 0.6, 1.0)  # torsos out of the picture: borders of the rows


@dataclass(frozen=True)
class Take:
    """One dancer before one camera."""

    positions: Array  # (steps, joints, 3) metres
    camera: Camera
    pictures: tuple[bytes, ...]  # PNG
    cut: bool = False  # the picture cuts off a part of the body

    @property
    def truth(self) -> Array:
        """(steps, 17, 2) in frame heights."""
        return project(self.positions, self.camera)


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
    within = [(take, keypoints) for take, keypoints in zip(takes, seen, strict=True) if not take.cut]
    for number, (take, keypoints) in enumerate(within):
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
        **_cut_off([(take, keypoints) for take, keypoints in zip(takes, seen, strict=True) if take.cut]),
    }


def _joints(pair: _Pair) -> dict[str, Any]:
    """By joint: median error, share that is far off, mean score; and how much of the error is new in each step."""
    error = np.linalg.norm(pair.seen - pair.truth, axis=-1)
    rows = {}
    shake = np.linalg.norm(np.diff(pair.seen - pair.truth, axis=0), axis=-1)
    shake[np.diff(pair.take) != 0] = np.nan
    for name in dict.fromkeys(KINDS):
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


def _cut_off(takes: Sequence[tuple[Take, Array]]) -> dict[str, dict[str, Any]]:
    """Of bodies that the picture cuts off: joints outside by how far they are, and those within by joint.

    Outside: the score, how far from the picture's edge they are put (torsos, median and 90 in a hundred), and how often
    within the picture. Within: how often they are far off, and the score.
    """
    if not takes:
        return {}
    beyond, edge, error, score, put_inside = (np.concatenate(each) for each in zip(*map(_of_cut, takes), strict=True))
    outside, which = beyond > JUST_OUTSIDE, np.digitize(beyond, OUTSIDE)
    borders = [str(JUST_OUTSIDE), *map(str, OUTSIDE)]
    names = [*map("-".join, zip(borders[:-1], borders[1:], strict=True)), f"over {borders[-1]}"]
    rows, kinds = {}, np.array(KINDS)
    for number, name in enumerate(names):
        here = outside & (which == number)
        rows[name] = {
            "joints": int(here.sum()),
            "score": _share(score, here),
            "from edge": _round(np.median(edge[here])) if here.any() else None,
            "p90": _round(np.percentile(edge[here], 90)) if here.any() else None,
            "put inside": _share(put_inside, here),
        }
    within = np.any(outside, axis=1, keepdims=True) & ~outside
    by_kind = {}
    for kind in dict.fromkeys(KINDS):
        here = within & (kinds == kind)
        by_kind[kind] = {"far": _share(error > FAR, here), "score": _share(score, here)}
    return {"joints outside of the picture": rows, "joints within, of bodies cut off": by_kind}


def _of_cut(seen: tuple[Take, Array]) -> tuple[Array, Array, Array, Array, Array]:
    """How far each joint is out of the picture, how far it is seen from the edge there and from the truth, in torsos;
    its score; whether it is seen within; (steps, 17) each."""
    take, keypoints = seen
    there = ~np.isnan(keypoints).any((1, 2))
    truth, points = take.truth[there], keypoints[there, :, :2]
    torso = torso_lengths(take.positions, take.camera)[there, None]
    nearest = truth.clip(0, (take.camera.aspect, 1))
    pairs = ((truth, nearest), (points, nearest), (points, truth))
    beyond, edge, error = (np.linalg.norm(one - other, axis=-1) / torso for one, other in pairs)
    return beyond, edge, error, keypoints[there, :, 2], inside(points, take.camera.aspect)


def _share(values: Array, where: Array) -> float | None:
    return _round(values[where].mean()) if where.sum() >= 10 else None


def _round(value: float | Array) -> float:
    return round(float(value), 3)
