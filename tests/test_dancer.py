"""The drawn dancer is where the camera says, and a real pose estimator sees her."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

import models.pretrained
from models.keypoints import INDEX, KEYPOINTS
from train.body import JOINT
from train.camera import SEEN, look_from, project
from train.choreography import make_clip
from train.dancer import Costume, Dancer, Film, Studio, mesh, room, swing

HEIGHT = 240
LIMBS = [INDEX[f"{side}_{joint}"] for joint in ("elbow", "wrist", "knee", "ankle") for side in ("left", "right")]


def poses(move, seed, count):
    """Positions at `count` times within the move, and the way the dancer faces at first."""
    stream = make_clip(move, seed)
    segment = stream.segments[0]
    times = np.linspace(segment.start_s, segment.end_s, count)
    across = stream.positions[0, JOINT["left_hip"]] - stream.positions[0, JOINT["right_hip"]]
    return stream.positions[(times * stream.hz).astype(int)], np.arctan2(-across[2], across[0])


def silhouette(joints, camera):
    """The pixels that the dancer covers."""
    blank = np.full((HEIGHT, round(HEIGHT * camera.aspect), 3), 255, np.uint8)
    dark = Costume(*[(20, 20, 20)] * 5)
    Dancer(dark).draw(blank, joints, camera)
    return blank[..., 0] < 200


@pytest.mark.parametrize("move", ["plie", "arabesque", "pirouette", "grand_jete"])
def test_the_silhouette_covers_the_projected_joints(move):
    positions, face = poses(move, 2, 5)
    camera = look_from(positions, face + 0.4, 1.2, 4.0, 0.8, 1.0)
    for joints in positions:
        covered = cv2.dilate(silhouette(joints, camera).astype(np.uint8), np.ones((5, 5)))
        x, y = (project(joints[None], camera)[0] * HEIGHT).astype(int).T
        assert covered[y, x].all()


def test_the_silhouette_is_no_larger_than_a_body():
    positions, face = poses("plie", 2, 3)
    camera = look_from(positions, face, 1.2, 4.0, 0.8, 1.0)
    for joints in positions:
        rows, columns = np.nonzero(silhouette(joints, camera))
        seen = project(joints[None], camera)[0] * HEIGHT
        margin = 0.12 * HEIGHT
        assert seen[:, 0].min() - margin < columns.min() and columns.max() < seen[:, 0].max() + margin
        assert seen[:, 1].min() - margin < rows.min() and rows.max() < seen[:, 1].max() + margin


def test_a_dancer_who_comes_nearer_is_drawn_larger():
    joints = poses("plie", 2, 2)[0][0]
    areas = []
    for distance in (3.0, 6.0):
        camera = look_from(joints[None], 0.0, 1.0, distance, 0.8, 1.0)
        camera = type(camera)(camera.place, camera.target, 1.2, 1.0)
        areas.append(silhouette(joints, camera).sum())
    assert 3 < areas[0] / areas[1] < 6  # four times, but for perspective


def test_costumes_and_studios_of_one_seed_are_alike_and_of_many_differ():
    assert Costume.random(np.random.default_rng(4)) == Costume.random(np.random.default_rng(4))
    assert len({Costume.random(np.random.default_rng(seed)) for seed in range(20)}) > 15
    assert len({Studio.random(np.random.default_rng(seed)) for seed in range(20)}) == 20


def test_a_studio_has_a_floor_below_and_a_wall_above():
    camera = look_from(poses("plie", 2, 2)[0], 0.0, 1.2, 4.0, 0.8, 1.5)
    studio = Studio(wall=(200, 10, 10), floor=(10, 10, 200), barre=False, mirror=False)
    image = room(studio, camera, HEIGHT)
    assert image.shape == (HEIGHT, 360, 3)
    assert tuple(image[3, 5]) == (200, 10, 10)
    assert image[-3, :, 2].min() > 150 and image[-3, :, 0].max() < 30


def test_only_two_joints_and_no_face_are_enough_for_motion_of_other_skeletons():
    """Motion capture has no eyes and ears; a body is drawn all the same."""
    positions, face = poses("plie", 2, 2)
    names = [name for name in JOINT if not any(part in name for part in ("nose", "eye", "ear", "kneecap"))]
    camera = look_from(positions, face, 1.2, 4.0, 0.8, 1.0)
    whole = Film(camera, HEIGHT).shoot(positions[0])
    fewer = Film(camera, HEIGHT).shoot(positions[0][[JOINT[name] for name in names]], names)
    empty = Film(camera, HEIGHT).room
    assert fewer.shape == whole.shape == (empty.shape[0] // 2, empty.shape[1] // 2, 3)
    different = np.abs(whole.astype(int) - fewer).max(-1) > 40
    assert different.mean() < 0.03


def test_the_smallest_rotation_takes_one_direction_to_the_other():
    rng = np.random.default_rng(0)
    for here, there in [*rng.normal(size=(20, 2, 3)), ((0, 0, 1), (0, 0, -1))]:
        turn = swing(np.array(here, float), np.array(there, float))
        assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-6)
        assert turn @ np.array(here) / np.linalg.norm(here) == pytest.approx(
            np.array(there) / np.linalg.norm(there), abs=1e-6
        )


def test_the_mesh_has_a_source_and_a_licence_and_stays_small():
    folder = Path(__file__).parents[1] / "train" / "assets"
    assert (folder / "dancer_mesh.npz").stat().st_size < 300_000
    assert "CC0" in (folder / "README.md").read_text(encoding="utf-8")
    assert mesh().weight.sum(1) == pytest.approx(1, abs=1e-3)


def keypoints_seen(session, picture, box):
    """What MoveNet sees in a square of the picture: (17, 3) x, y in pixels and score."""
    left, top, size = box
    zoom = 192 / size
    square = cv2.warpAffine(picture, np.array([[zoom, 0, -left * zoom], [0, zoom, -top * zoom]]), (192, 192))
    (found,) = session.run(None, {session.get_inputs()[0].name: square[None, ..., ::-1].astype(np.int32)})
    y, x, score = found[0, 0].T
    return np.stack([x * size + left, y * size + top, score], -1)


def test_movenet_finds_the_limbs_of_the_drawn_dancer():
    path = Path(models.pretrained.__file__).parent / "movenet-lightning.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    near = []
    for move in ("plie", "tendu", "arabesque", "saute"):
        positions, face = poses(move, 1, 4)
        for azimuth in (-1.0, 0.0, 0.8):
            camera = look_from(positions, face + azimuth, 1.2, 4.5, 0.8, 16 / 9)
            film = Film(camera, 360)
            for joints in positions:
                truth = camera.project(joints[SEEN])[:, :2] * 360
                low, high = truth.min(0), truth.max(0)
                size = float((high - low).max() * 1.35)
                corner = (low + high) / 2 - size / 2
                seen = keypoints_seen(session, film.shoot(joints), (*corner, size))
                torso = np.linalg.norm(truth[[5, 6]].mean(0) - truth[[11, 12]].mean(0))
                near.append(np.linalg.norm(seen[LIMBS, :2] - truth[LIMBS], axis=-1) < torso / 4)
    assert np.mean(near) > 0.9


def test_the_keypoints_are_those_of_coco():
    assert [list(JOINT)[index] for index in SEEN] == list(KEYPOINTS)
