"""The pose's geometry says what the body does, wherever it is seen."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.keypoints import INDEX, MIRRORED
from train.geometry import ANGLES, LIMBS, PoseGeometry

WINDOW = 12
GEOMETRY = PoseGeometry()
GEOMETRY.build((None, WINDOW, 51))

BODY = {  # a dancer that stands, seen from the front, 1 being the torso's length
    "nose": (0, -1.5), "eye": (0.08, -1.58), "ear": (0.15, -1.52), "shoulder": (0.38, -1.0), "elbow": (0.55, -0.4),
    "wrist": (0.6, 0.2), "hip": (0.22, 0), "knee": (0.24, 0.85), "ankle": (0.24, 1.7),
}  # fmt: skip


def geometry(windows: Any) -> Any:
    return np.asarray(GEOMETRY(np.asarray(windows, np.float32)))


def dance(seed: int = 0, window: int = WINDOW) -> np.ndarray[Any, Any]:
    """A body that moves at random about standing: (1, window, 17, 3)."""
    random = np.random.default_rng(seed)
    joints = np.zeros((17, 2))
    for name, number in INDEX.items():
        side, _, joint = name.rpartition("_")
        x, y = BODY[joint]
        joints[number] = (-x if side == "right" else x, y)
    moving = joints + np.cumsum(0.05 * random.standard_normal((window, 17, 2)), axis=0)
    place = (0.6, 0.5) + 0.2 * moving
    score = random.uniform(0.4, 1, (window, 17, 1))
    return np.concatenate([place, score], axis=2)[None].astype(np.float32)


def flat(joints: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return joints.reshape(*joints.shape[:2], 51)


@settings(deadline=None)
@given(st.integers(0, 50), st.floats(-1, 1), st.floats(-1, 1), st.floats(0.3, 3))
def test_where_and_how_large_the_dancer_is_seen_changes_nothing(seed: int, x: float, y: float, size: float) -> None:
    joints = dance(seed)
    elsewhere = joints.copy()
    elsewhere[..., :2] = elsewhere[..., :2] * size + (x, y)
    np.testing.assert_allclose(geometry(flat(elsewhere)), geometry(flat(joints)), atol=2e-3)


@settings(deadline=None, max_examples=200)
@given(arrays.arrays(np.float32, (1, WINDOW, 51), elements=st.floats(width=32)))
def test_whatever_comes_in_finite_numbers_come_out(windows: Any) -> None:
    out = geometry(windows)
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 20


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(INDEX))), st.integers(0, 1))
def test_unseen_joints_leave_finite_numbers(unseen: set[str], score: int) -> None:
    joints = dance()
    for name in unseen:
        joints[:, :, INDEX[name]] = (0, 0, 0.1 * score)
    out = geometry(flat(joints))
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 20


def test_limbs_and_their_angles_are_those_of_the_joints_in_torso_lengths() -> None:
    joints = dance(3)
    out = geometry(flat(joints))[0]
    place, score = joints[0, ..., :2].astype(np.float64), joints[0, ..., 2:]

    def middle(joint: str) -> Any:
        ends = [INDEX[f"{side}_{joint}"] for side in ("left", "right")]
        weight = score[:, ends] ** 2
        return (place[:, ends] * weight).sum(axis=1) / weight.sum(axis=1)

    torso = np.sort(np.linalg.norm(middle("hip") - middle("shoulder"), axis=1))[::-1][int(0.2 * WINDOW)]
    body = (place - middle("hip")[:, None]) / torso
    np.testing.assert_allclose(out[:, :34].reshape(WINDOW, 2, 17), body.transpose(0, 2, 1), atol=1e-3)
    limbs = np.stack([body[:, INDEX[end]] - body[:, INDEX[start]] for start, end in LIMBS], axis=1)
    length = np.linalg.norm(limbs, axis=2)
    np.testing.assert_allclose(out[:, 88:98], length, atol=1e-3)
    turn = [np.sum(limbs[:, a] * limbs[:, b], axis=1) / (length[:, a] * length[:, b]) for a, b in ANGLES]
    np.testing.assert_allclose(out[:, 165:174], np.stack(turn, axis=1), atol=5e-3)


@pytest.mark.parametrize("padded", [1, 5, WINDOW])
def test_padding_stays_zero_and_other_steps_do_not(padded: int) -> None:
    joints = flat(dance())
    joints[:, :padded] = 0
    out = geometry(joints)
    assert not out[:, :padded].any()
    assert out[:, padded:].any(axis=2).all()


def test_padding_is_no_part_of_what_scale_and_floor_are_measured_on() -> None:
    still = flat(np.repeat(dance()[:, :1], WINDOW, axis=1))
    padded = still.copy()
    padded[:, :7] = 0
    np.testing.assert_allclose(geometry(padded)[:, 7:], geometry(still)[:, 7:], atol=1e-5)


def test_a_jump_out_of_the_padding_is_no_velocity() -> None:
    still = np.repeat(dance()[:, :1], WINDOW, axis=1)
    still[:, :4] = 0
    out = geometry(flat(still))
    np.testing.assert_allclose(out[:, 4:] - out[:, 4:5], 0, atol=1e-5)


def test_unseen_hips_are_stood_in_for_by_the_shoulders() -> None:
    joints = dance()
    joints[:, :, [INDEX["left_hip"], INDEX["right_hip"]], 2] = 0.05
    moved = joints.copy()
    moved[:, :, [INDEX["left_hip"], INDEX["right_hip"]], :2] += 5  # where they are guessed to be must not matter
    body, same = (geometry(flat(each))[..., : 2 * 17].reshape(1, WINDOW, 2, 17) for each in (joints, moved))
    shoulders = [INDEX["left_shoulder"], INDEX["right_shoulder"], INDEX["nose"]]
    assert np.abs(body[..., shoulders]).max() < 3
    # The scale then comes from the body's spread, which shrinks the guess's effect; the sides stay where they were.
    assert (np.sign(body[..., shoulders[:2]]) == np.sign(same[..., shoulders[:2]])).all()


def test_the_signed_width_says_which_way_the_body_faces() -> None:
    front = dance()
    back = front[:, :, list(MIRRORED)]  # left and right have changed places
    ours, theirs = geometry(flat(front)), geometry(flat(back))
    opposite = np.abs(ours + theirs).max(axis=(0, 1)) < 1e-3
    same = np.abs(ours - theirs).max(axis=(0, 1)) < 1e-3
    assert (opposite & ~same).sum() >= 2  # the widths
    assert (same & ~opposite).sum() >= 40  # the pairs that a swap of left and right leaves alone


def test_another_length_than_a_poses_is_refused() -> None:
    with pytest.raises(ValueError, match="51"):
        PoseGeometry().build((None, WINDOW, 48))
