"""What a pose estimator would say of a moving dancer: joints projected into a picture, with an estimator's errors.

In: positions (frames, joints, 3) in metres. Out: keypoints (frames, 17, 3), x and y in units of the frame's height from
its top left corner, y down, and a score, as models/encoders.py gives them for a real picture.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from models.keypoints import INDEX, KEYPOINTS, MIRRORED
from train.body import Array
from train.camera import SEEN, Camera

# What MoveNet Lightning does, measured on drawn dancers; scripts/measure_estimator.py prints how near this comes.
# By keypoint, left and right alike: how far one that is found strays and how much of it shakes from step to step, in
# torsos (hips to shoulders); the score it has then; where the estimator sees it other than the joint really is, along
# the torso towards the head; and how often it is quite wrong, beside exchanged and collapsed limbs: the share of steps.
KINDS = tuple(name.removeprefix("left_").removeprefix("right_") for name in KEYPOINTS)
_BY_KIND = {
    "nose": (0.044, 0.030, 0.680, 0.000, 0.011),
    "eye": (0.044, 0.028, 0.705, 0.000, 0.008),
    "ear": (0.044, 0.029, 0.730, -0.045, 0.009),
    "shoulder": (0.055, 0.038, 0.805, 0.066, 0.010),
    "elbow": (0.043, 0.046, 0.685, 0.010, 0.080),
    "wrist": (0.047, 0.054, 0.640, 0.020, 0.115),
    "hip": (0.082, 0.035, 0.830, -0.010, 0.010),
    "knee": (0.039, 0.045, 0.780, -0.020, 0.010),
    "ankle": (0.041, 0.050, 0.760, 0.024, 0.022),
}
STRAY, SHAKE, SCORE, HIGHER, LOST = np.array([_BY_KIND[kind] for kind in KINDS]).T
# How often left and right of everything, and of the legs alone, are exchanged, by how the hips face the camera
# (1 towards it, 0 in profile, -1 away): seen from behind most of all.
FACINGS = (-0.7, 0.0, 0.7)
ALL_SWAPPED, LEGS_SWAPPED = (0.040, 0.025, 0.006), (0.030, 0.032, 0.025)
# Of a leg whose ankle is RAISED torsos above the other, how often the ankle or the knee alone is put on the standing
# leg, and how often either is quite wrong in another way; by how the hips face the camera.
RAISED = 0.6
# Measured on made dancers: (0.015, 0.12, 0.015) and (0.015, 0.12, 0.08). More here, since of a recorded dancer's ankles
# raised above 1.2 torsos the estimator misses a quarter from every side.
ANKLE_FALLEN, KNEE_FALLEN = (0.06, 0.16, 0.06), (0.06, 0.16, 0.12)
ANKLE_ASTRAY, KNEE_ASTRAY = (0.02, 0.06, 0.12), (0.20, 0.05, 0.35)
# An ankle that falls takes its knee along this often.
KNEE_TOO = 0.8
# Of the picture, in torsos: less is as good as inside.
JUST_OUTSIDE = 0.03
# Along with a knee that bends, or against it, the ankle below is seen to go this share of the knee's way: in films of
# made pliés from -0.2 to 0.1, in one of a real dancer 0.25.
ANKLE_WITH_KNEE = 0.15


def ripple(rng: np.random.Generator, steps: int, columns: int, memory: float) -> Array:
    """Noise (steps, columns) of unit variance that remembers its last value."""
    white = rng.normal(0, 1, (steps, columns))
    last = rng.normal(0, 1, (1, columns))
    return np.asarray(lfilter([np.sqrt(1 - memory**2)], [1, -memory], white, axis=0, zi=memory * last)[0])


def _spells(rng: np.random.Generator, likelihood: Array, memory: float) -> Array:
    """Booleans that are true as often as `likelihood` (steps, columns) says and stay so for a while."""
    noise = ripple(rng, likelihood.shape[0], likelihood.shape[1], memory)
    # the normal distribution's share below, close enough (Bowling 2009)
    return np.asarray(1 / (1 + np.exp(-(1.5976 * noise + 0.070565 * noise**3))) < likelihood)


def _exchange(points: Array, when: Array, pairs: list[str]) -> None:
    for name in pairs:
        left, right = INDEX[f"left_{name}"], INDEX[f"right_{name}"]
        points[when, left], points[when, right] = points[when, right], points[when, left].copy()


def torso_lengths(positions: Array, camera: Camera) -> Array:
    """How long the torso would look if it were not foreshortened, in frame heights; (steps,)."""
    body = positions[:, SEEN]
    return np.asarray(camera.focal_lengths * 0.27 * _height(body) / camera.project(body)[..., 2].mean(1))


def view_of(positions: Array, camera: Camera) -> Array:
    """From where the camera sees the dancer: 0 front, 1 side, 2 back; (steps,)."""
    return np.asarray(np.digitize(-_facing(positions, camera), (-0.5, 0.5)))


def _facing(positions: Array, camera: Camera) -> Array:
    """1 where the dancer's hips face the camera, 0 in profile, -1 from behind; (steps,)."""
    body = positions[:, SEEN]
    across = body[:, INDEX["left_hip"]] - body[:, INDEX["right_hip"]]
    sight = body.mean(1) - np.array(camera.place)
    return np.asarray(np.sin(np.arctan2(across[:, 2], across[:, 0]) - np.arctan2(sight[:, 2], sight[:, 0])))


def estimate(positions: Array, camera: Camera, rng: np.random.Generator) -> Array:
    """Keypoints (steps, 17, 3) with scores, with the errors that MoveNet makes."""
    body = positions[:, SEEN]
    seen = camera.project(body)
    points = seen[..., :2]
    steps = len(points)
    torso = torso_lengths(positions, camera)
    facing = _facing(positions, camera)
    quality = rng.uniform(0.4, 1.6)

    all_over, legs = (
        _spells(rng, np.interp(facing, FACINGS, often)[:, None] * quality, 0.88)[:, 0]
        for often in (ALL_SWAPPED, LEGS_SWAPPED)
    )
    moved = points.copy()
    _exchange(moved, legs, ["knee", "ankle"])
    moved[all_over] = moved[all_over][:, MIRRORED]

    collapsed, astray = _raised_leg(moved, torso, facing, rng)
    _follow_knees(moved, float(rng.normal(0, ANKLE_WITH_KNEE)))
    spine = points[:, 5:7].mean(1) - points[:, 11:13].mean(1)
    moved += HIGHER[:, None] * spine[:, None]
    # most of the error stays or changes slowly; on real clips a joint at rest jitters by a sixtieth of a torso a step
    slow, fast = (ripple(rng, steps, 34, memory).reshape(steps, 17, 2) for memory in (0.93, 0.3))
    strays = (0.66 * rng.normal(0, 1, (1, 17, 2)) + 0.55 * slow) * STRAY[:, None] + 0.38 * fast * SHAKE[:, None]
    moved += strays * rng.uniform(0.5, 1.4) * torso[:, None, None]

    unsure = _spells(rng, quality * LOST + astray, 0.7)
    away = ripple(rng, steps, 34, 0.8).reshape(steps, 17, 2) * 0.45 * torso[:, None, None]
    moved += away * unsure[..., None]

    scores = SCORE + rng.uniform(-0.14, 0.12) + 0.11 * ripple(rng, steps, 17, 0.8)
    scores[:, :5] -= 0.12 * (facing < -0.2)[:, None]
    scores -= 0.25 * unsure + 0.22 * collapsed
    _cut_off(moved, scores, camera.aspect, torso, rng)
    return np.concatenate([moved, scores.clip(0.02, 0.97)[..., None]], -1)


def _follow_knees(points: Array, share: float) -> None:
    """The ankles go along with how far the knee is off the line from hip to ankle. In place."""
    for side in ("left", "right"):
        hip, knee, ankle = (points[:, INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
        points[:, INDEX[f"{side}_ankle"]] = ankle + share * (knee - (hip + ankle) / 2)


def _height(body: Array) -> float:
    """Of the dancer, from the longest that hip to ankle is seen."""
    leg = np.linalg.norm(body[:, INDEX["left_hip"]] - body[:, INDEX["left_ankle"]], axis=-1)
    return float(np.percentile(leg, 98) * 2.1)


def _raised_leg(points: Array, torso: Array, facing: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """A raised leg is put on the standing leg, whole or its knee alone. In place.

    Some dancers suffer it for half of the time and most never: it hangs on their costume and the light.

    Returns:
        Which keypoints have fallen, and how likely each is somewhere else for its leg being raised; (steps, 17) each.
    """
    collapsed, astray = np.zeros((2, len(points), 17))
    prone = rng.beta(0.35, 1.4) / 0.2
    for side, other in (("left", "right"), ("right", "left")):
        ankle, knee = INDEX[f"{side}_ankle"], INDEX[f"{side}_knee"]
        above = (points[:, INDEX[f"{other}_ankle"], 1] - points[:, ankle, 1]) / torso
        raised = np.interp(above, [0.3, RAISED], [0.0, 1.0])
        leg, bent = (raised * prone * np.interp(facing, FACINGS, often) for often in (ANKLE_FALLEN, KNEE_FALLEN))
        fallen, knee_too, knee_alone = _spells(rng, np.stack([leg, np.full_like(leg, KNEE_TOO), bent], 1), 0.6).T
        knee_fallen = np.where(fallen, knee_too, knee_alone)
        points[fallen, ankle] = points[fallen, INDEX[f"{other}_ankle"]]
        points[knee_fallen, knee] = points[knee_fallen, INDEX[f"{other}_knee"]]
        collapsed[:, ankle], collapsed[:, knee] = fallen, knee_fallen
        astray[:, ankle] = raised * np.interp(facing, FACINGS, ANKLE_ASTRAY)
        # the knee is missed once it hides the thigh
        astray[:, knee] = np.interp(above, [RAISED, 2 * RAISED], [0.0, 1.0]) * np.interp(facing, FACINGS, KNEE_ASTRAY)
    return collapsed, astray


def _cut_off(points: Array, scores: Array, aspect: float, torso: Array, rng: np.random.Generator) -> None:
    """Joints outside of the picture are guessed somewhere near its edge, with little confidence. In place."""
    steps = len(points)
    inside = points.clip(0, (aspect, 1))
    beyond = np.linalg.norm(points - inside, axis=-1) / torso[:, None]  # in torsos
    outside = beyond > JUST_OUTSIDE
    astray = ripple(rng, steps, 34, 0.75).reshape(steps, 17, 2)
    pulled = inside + (points - inside) * rng.uniform(0, 0.4)
    far = np.interp(beyond, [0.05, 0.6], [0.04, 0.25])
    guess = pulled + astray * (far * torso[:, None])[..., None]
    points[outside] = guess[outside]
    points[..., 0] = points[..., 0].clip(-0.1, aspect + 0.1)
    points[..., 1] = points[..., 1].clip(-0.1, 1.1)
    low = np.interp(beyond, [JUST_OUTSIDE, 0.3], [0.38, 0.12]) + 0.10 * np.abs(ripple(rng, steps, 17, 0.8))
    scores[outside] = np.minimum(scores, low)[outside]
