"""The errors of the pose estimator as they are modelled: where they fall and how often; and the report on them."""

import numpy as np
import pytest

from models.keypoints import INDEX
from scripts.estimator_figures import Take, exchange_of, figures_of, lost_of, raised_leg
from train.body import JOINT, Body
from train.camera import SEEN, Camera, look_from
from train.choreography import make_clip
from train.estimator import estimate, torso_lengths, view_of
from train.score import Score
from train.style import Style

SEEDS = range(40)


def made_dancer() -> np.ndarray:
    """Joints (joints, 3) of a dancer of the usual build, upright, who looks along +Z."""
    score = Score(np.random.default_rng(0), Body(), Style())
    score.stance("first", 0.5)
    score.beat(0.5)
    return np.array(score.perform().positions[0])


def standing_with_a_leg_to_the_side(steps: int = 60) -> np.ndarray:
    """Positions (steps, joints, 3) of a made dancer who stands still with the left foot as high as the hip."""
    joints = made_dancer()
    across = joints[JOINT["left_hip"]] - joints[JOINT["right_hip"]]
    across /= np.linalg.norm(across)
    for joint, far in (("left_knee", 0.376), ("left_ankle", 0.76), ("left_toe", 0.88)):
        joints[JOINT[joint]] = joints[JOINT["left_hip"]] + far * across
    return np.repeat(joints[None], steps, 0)


def camera_at(positions: np.ndarray, degrees_from_the_front: float) -> Camera:
    across = positions[0, JOINT["left_hip"]] - positions[0, JOINT["right_hip"]]
    front = np.arctan2(-across[2], across[0])
    return look_from(positions, front + np.radians(degrees_from_the_front), 1.2, 4.5, 0.8)


def seen_from(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Truth and sight (steps, 17, 2) in torsos over many dancers with the left leg raised to the side."""
    positions = standing_with_a_leg_to_the_side()
    camera = camera_at(positions, degrees)
    torso = torso_lengths(positions, camera)[:, None, None]
    truth = camera.project(positions[:, SEEN])[..., :2] / torso
    seen = [estimate(positions, camera, np.random.default_rng(seed))[..., :2] / torso for seed in SEEDS]
    return np.concatenate([truth] * len(SEEDS)), np.concatenate(seen)


@pytest.mark.parametrize(("degrees", "view"), [(0, 0), (30, 0), (90, 1), (-90, 1), (180, 2), (150, 2)])
def test_a_camera_sees_the_dancer_from_the_front_the_side_or_the_back(degrees: float, view: int) -> None:
    positions = standing_with_a_leg_to_the_side()
    assert set(view_of(positions, camera_at(positions, degrees))) == {view}


def test_a_torso_is_as_long_as_it_looks_from_the_front() -> None:
    positions = standing_with_a_leg_to_the_side()
    camera = camera_at(positions, 0)
    seen = camera.project(positions[0, SEEN])[:, :2]
    torso = np.linalg.norm(seen[[5, 6]].mean(0) - seen[[11, 12]].mean(0))
    assert torso_lengths(positions, camera) == pytest.approx(torso, rel=0.12)


def test_a_raised_leg_is_lost_in_profile_more_often_than_from_front_or_back() -> None:
    lost = {degrees: lost_of(*seen_from(degrees), "ankle").mean() for degrees in (0, 80, 180)}
    assert 0 < lost[0] < 0.1
    assert 0 < lost[180] < 0.1
    assert 0.05 < lost[80] < 0.35


def test_some_dancers_lose_the_raised_leg_often_and_most_hardly_ever() -> None:
    lost = lost_of(*seen_from(80), "ankle").reshape(len(SEEDS), -1).mean(1)
    assert (lost < 0.1).mean() > 0.4
    assert (lost > 0.2).mean() > 0.05


def test_left_and_right_are_exchanged_from_behind_and_hardly_ever_from_the_front() -> None:
    front, back = (exchange_of(*seen_from(degrees), "ankle")[0].mean() for degrees in (0, 180))
    assert front < 0.05 < back < 0.2


def test_a_leg_on_the_floor_does_not_fall_on_the_other() -> None:
    stream = make_clip("plie", 5)
    camera = look_from(stream.positions, 0.4, 1.2, 4.5, 0.8)
    torso = torso_lengths(stream.positions, camera)[:, None, None]
    truth = camera.project(stream.positions[:, SEEN])[..., :2] / torso
    lost = [
        lost_of(truth, estimate(stream.positions, camera, np.random.default_rng(seed))[..., :2] / torso, "ankle").mean()
        for seed in SEEDS
    ]
    assert np.mean(lost) < 0.03


def test_the_report_of_a_perfect_estimator_holds_no_errors() -> None:
    positions = standing_with_a_leg_to_the_side()
    take = Take(positions, camera_at(positions, 0), ())
    perfect = np.concatenate([take.truth, np.ones((len(positions), 17, 1))], -1)
    figures = figures_of([take], [perfect])
    assert {row["far"] for row in figures["joints"].values()} == {0}
    assert {share for row in figures["swapped"].values() for share in row.values()} <= {0, None}
    assert figures["raised leg"]["over 1.2 front"]["ankle lost"] == 0
    assert figures["raised leg"]["over 1.2 front"]["steps"] == len(positions)


def test_the_report_counts_a_fallen_leg_an_exchanged_pair_and_a_step_without_a_dancer() -> None:
    positions = standing_with_a_leg_to_the_side()
    take = Take(positions, camera_at(positions, 0), ())
    seen = np.concatenate([take.truth, np.ones((len(positions), 17, 1))], -1)
    left, right = INDEX["left_ankle"], INDEX["right_ankle"]
    seen[:20, left] = seen[:20, right]
    seen[20:30, [left, right]] = seen[20:30, [right, left]]
    seen[-10:] = np.nan
    figures = figures_of([take], [seen])
    row = figures["raised leg"]["over 1.2 front"]
    assert (row["steps"], row["ankle lost"], row["ankle far"]) == (50, 0.4, 0.6)
    assert figures["swapped"]["front"]["ankle"] == 0.2
    assert figures["spells"]["ankle lost"] == {"steps": 20, "share": 0.4}
    assert raised_leg(take.truth)[0].tolist() == [0] * len(positions)


def cut_off(steps: int) -> tuple[Take, Take]:
    """One take of a whole dancer, and one that shows the legs alone."""
    positions = standing_with_a_leg_to_the_side(steps)
    whole = camera_at(positions, 0)
    legs_only = Camera(whole.place, (whole.target[0], 0.35, whole.target[2]), whole.focal * 1.8, whole.aspect)
    return Take(positions, whole, ()), Take(positions, legs_only, (), cut=True)


def test_a_perfect_sight_of_a_body_cut_off_has_no_joint_outside_put_inside_and_none_far_off() -> None:
    takes = cut_off(60)
    seen = [np.concatenate([take.truth, np.full((60, 17, 1), 0.5)], -1) for take in takes]
    figures = figures_of(takes, seen)
    outside = figures["joints outside of the picture"]
    assert sum(row["joints"] for row in outside.values()) > 60
    assert {row["put inside"] for row in outside.values()} <= {0, None}
    assert {row["far"] for row in figures["joints within, of bodies cut off"].values()} <= {0, None}


def test_the_model_is_less_sure_of_joints_outside_of_the_picture_the_farther_they_are() -> None:
    whole, cut = cut_off(600)
    seen = [estimate(cut.positions, cut.camera, np.random.default_rng(seed)) for seed in SEEDS]
    figures = figures_of([whole, *[cut] * len(seen)], [seen[0], *seen])
    scores = [row["score"] for row in figures["joints outside of the picture"].values() if row["score"] is not None]
    assert len(scores) >= 2
    assert scores[-1] < min(0.25, scores[0])
