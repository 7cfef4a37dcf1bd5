"""A camera in somebody's hands: what it sees is what one on a stand would that is turned likewise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.keypoints import INDEX
from train.body import JOINT
from train.camera import SEEN, Camera, look_from
from train.choreography import make_stream
from train.estimator import estimate, torso_lengths
from train.held_camera import HeldCamera, held

STREAM = make_stream(11, 20)
POSITIONS = STREAM.positions[:: round(STREAM.hz / 15)]
ON_A_STAND = look_from(STREAM.positions, 0.3, 1.2, 5.0, 0.7)


def handled(turned: np.ndarray, zoomed: np.ndarray, camera: Camera = ON_A_STAND) -> HeldCamera:
    return HeldCamera(**vars(camera), turned=turned, zoomed=zoomed)


def test_held_quite_still_it_is_as_good_as_a_stand() -> None:
    still = handled(np.zeros((len(POSITIONS), 2)), np.ones(len(POSITIONS)))
    assert still.project(POSITIONS) == pytest.approx(ON_A_STAND.project(POSITIONS), abs=1e-9)
    assert torso_lengths(POSITIONS, still) == pytest.approx(torso_lengths(POSITIONS, ON_A_STAND))


@settings(max_examples=50, deadline=None)
@given(st.floats(-0.6, 0.6), st.floats(0.4, 2.5))
def test_turned_and_zoomed_it_sees_what_another_camera_would_that_looks_there(angle: float, zoom: float) -> None:
    level = Camera((0.4, 1.1, 5.0), (0.0, 1.1, 0.0), 1.3)
    to_the_right, _, ahead = level.axes()
    target = np.array(level.place) + np.cos(angle) * ahead + np.sin(angle) * to_the_right
    other = Camera(level.place, tuple(target), level.focal * zoom, level.aspect)
    steps = len(POSITIONS)
    turned = handled(np.tile((angle, 0.0), (steps, 1)), np.full(steps, zoom), level)
    assert turned.project(POSITIONS) == pytest.approx(other.project(POSITIONS), abs=1e-9)
    assert torso_lengths(POSITIONS, turned) == pytest.approx(torso_lengths(POSITIONS, other))


@pytest.mark.parametrize("seed", range(8))
def test_one_that_follows_has_the_dancer_nearer_the_middle_than_one_on_a_stand(seed: int) -> None:
    across = POSITIONS + np.linspace(0, 4, len(POSITIONS))[:, None, None] * (1, 0, 0)
    on_a_stand = look_from(across, 0.3, 1.2, 5.0, 0.7)
    camera = held(on_a_stand, across, 15.0, np.random.default_rng(seed))
    of_the_middle, of_a_stand = (
        float(np.std(each.project(across)[:, JOINT["pelvis"], 0] / np.median(torso_lengths(across, each))))
        for each in (camera, on_a_stand)
    )
    assert of_the_middle < 0.5 * of_a_stand


def test_the_estimator_sees_the_dancer_where_the_held_camera_has_her() -> None:
    camera = held(ON_A_STAND, POSITIONS, 15.0, np.random.default_rng(3))
    seen = estimate(POSITIONS, camera, np.random.default_rng(0))
    truth = camera.project(POSITIONS[:, SEEN])[..., :2]
    hips = [INDEX["left_hip"], INDEX["right_hip"]]
    inside = ((truth > 0) & (truth < (camera.aspect, 1))).all((1, 2))
    away = np.linalg.norm(seen[:, hips, :2].mean(1) - truth[:, hips].mean(1), axis=-1) / torso_lengths(
        POSITIONS, camera
    )
    assert inside.mean() > 0.2
    assert np.median(away[inside]) < 0.15


def test_the_same_seed_holds_the_camera_the_same_way() -> None:
    one, other = (held(ON_A_STAND, POSITIONS, 15.0, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.project(POSITIONS), other.project(POSITIONS))
