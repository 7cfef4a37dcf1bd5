"""The two encoders on real networks: what they see, what they refuse."""

import cv2
import numpy as np
import pytest

from live.address import DEMO
from models.encoders import JOINTS_TO_FOLLOW, LIMBS, POSE_DIM, SEEN, Encoder, describe_encoder, open_encoder
from models.errors import ModelError
from models.frames import Frame, read_video
from models.keypoints import INDEX, KEYPOINTS, MIRRORED
from models.pretrained import ENCODERS, pretrained_path


@pytest.fixture(scope="module")
def pose() -> Encoder:
    return open_encoder("pose", pretrained_path(ENCODERS["pose"]), "cpu")


@pytest.fixture(scope="module")
def dancer() -> Frame:
    """A frame of the bundled clip in which the dancer stands."""
    return next(read_video(DEMO))


def blank(height: int = 240, width: int = 320) -> Frame:
    return Frame(np.full((height, width, 3), 90, np.uint8), 0, 0.0)


def test_an_empty_room_has_no_dancer(pose: Encoder) -> None:
    pose.reset()
    assert pose.push(blank()) is None
    assert pose.keypoints is None


def test_the_drawn_dancer_is_seen_upright_with_her_joints_in_place(pose: Encoder, dancer: Frame) -> None:
    pose.reset()
    feature = pose.push(dancer)
    assert feature is not None and feature.shape == (POSE_DIM,) and feature.dtype == np.float32
    _, y, score = feature.reshape(-1, 3).T
    assert np.count_nonzero(score[LIMBS] >= SEEN) >= JOINTS_TO_FOLLOW
    left = [INDEX[f"left_{joint}"] for joint in ("shoulder", "hip", "knee", "ankle")]
    assert np.all(np.diff(y[left]) > 0)
    assert y[left].min() >= 0 and y[left].max() <= 1


def test_the_crop_follows_the_dancer_and_starts_from_the_whole_frame_again_when_lost(
    pose: Encoder, dancer: Frame
) -> None:
    pose.reset()
    pose.push(dancer)
    assert pose.box is not None and pose.box.width == max(dancer.image.shape[:2])
    pose.push(dancer)
    assert pose.box.width < max(dancer.image.shape[:2])
    assert pose.keypoints is not None
    low, high = pose.keypoints[LIMBS, :2].min(axis=0), pose.keypoints[LIMBS, :2].max(axis=0)
    assert pose.box.left < low[0] and high[0] < pose.box.left + pose.box.width
    assert pose.push(blank(*dancer.image.shape[:2])) is None
    pose.push(dancer)
    assert pose.box.width == max(dancer.image.shape[:2])


def test_the_crop_has_room_for_one_who_moves_and_not_for_one_who_stands(pose: Encoder, dancer: Frame) -> None:
    def widths(step: int) -> list[float]:
        pose.reset()
        found = []
        for number in range(4):
            moved = np.roll(dancer.image, step * number, axis=1)
            assert pose.push(Frame(moved, number, number / 15)) is not None
            assert pose.box is not None
            found.append(pose.box.width)
        return found

    standing, moving = widths(0), widths(16)
    assert moving[1] == pytest.approx(standing[1], rel=0.02)  # nothing is known of where it came from
    assert moving[3] == pytest.approx(standing[3] + 16, abs=6)


def test_the_feature_does_not_depend_on_the_resolution(pose: Encoder, dancer: Frame) -> None:
    half = cv2.resize(dancer.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    features = []
    for image in (dancer.image, half):
        pose.reset()
        features.append(pose.push(Frame(image, 0, 0.0)))
    full, small = (np.asarray(feature).reshape(-1, 3)[LIMBS, :2] for feature in features)
    assert np.median(np.linalg.norm(full - small, axis=1)) < 0.02


def test_pushing_is_the_three_stages_one_after_the_other(pose: Encoder, dancer: Frame) -> None:
    pose.reset()
    pushed = pose.push(dancer)
    pose.reset()
    staged = pose.interpret(pose.infer(pose.prepare(dancer)), dancer)
    assert np.array_equal(np.asarray(pushed), np.asarray(staged))


def test_the_larger_pose_encoder_sees_the_same_dancer_in_a_larger_square(pose: Encoder, dancer: Frame) -> None:
    path, info = describe_encoder("pose-thunder")
    assert (info.kind, info.name, info.input_size, info.feature_dim) == ("pose", "movenet-thunder", 256, POSE_DIM)
    features = []
    for encoder in (pose, open_encoder("pose", path, "cpu")):
        encoder.reset()
        features.append(encoder.push(dancer))
    small, large = (np.asarray(feature).reshape(-1, 3)[LIMBS, :2] for feature in features)
    assert 0 < np.median(np.linalg.norm(small - large, axis=1)) < 0.02


def test_the_image_encoder_sees_colours_in_their_order(dancer: Frame) -> None:
    encoder = open_encoder("image", pretrained_path(ENCODERS["image"]), "cpu")
    feature = encoder.push(dancer)
    swapped = encoder.push(Frame(np.ascontiguousarray(dancer.image[:, :, ::-1]), 0, 0.0))
    assert feature is not None and swapped is not None
    assert feature.shape == (encoder.feature_dim,) == (1280,)
    assert np.abs(feature - swapped).max() > 0.1
    # A feature is the caller's own: the next frame must not change it.
    kept = feature.copy()
    encoder.push(blank())
    assert np.array_equal(kept, feature)


def test_an_encoder_of_the_other_kind_is_refused() -> None:
    with pytest.raises(ModelError, match="int32"):
        open_encoder("pose", pretrained_path(ENCODERS["image"]), "cpu")
    with pytest.raises(ModelError, match="uint8"):
        open_encoder("image", pretrained_path(ENCODERS["pose"]), "cpu")


def test_mirroring_twice_is_no_mirroring() -> None:
    assert [MIRRORED[MIRRORED[index]] for index in range(len(KEYPOINTS))] == list(range(len(KEYPOINTS)))
    assert MIRRORED[INDEX["left_knee"]] == INDEX["right_knee"]
