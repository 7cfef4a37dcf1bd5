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
from train.choreography import MOVES, make_clip
from train.company import bystander, company
from train.contact_sheet import HEIGHT as ROW_HEIGHT
from train.contact_sheet import contact_sheet
from train.dancer import Costume, Dancer, Film, Studio, room
from train.figure import mesh, swing
from train.mirror import Mirror, Wall

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


def dancer_and_camera():
    """Somebody in second position, two and a half metres before the wall, and a camera in front of her."""
    positions, face = poses("plie", 2, 2)
    camera = look_from(positions, face + 0.5, 1.4, 4.5, 0.6, 4 / 3)
    return positions[0], camera


def test_a_flat_tutu_stands_out_from_the_hips_and_hides_part_of_the_thighs():
    joints, camera = dancer_and_camera()
    seen = {}
    for tutu in (0.0, 0.45):
        image = np.full((HEIGHT, 320, 3), 255, np.uint8)
        # a green that no other part of her has
        Dancer(Costume(tutu=tutu, skirt_colour=(0, 255, 0), tights=(255, 0, 0))).draw(image, joints, camera)
        green = (image[..., 1] > 120) & (image[..., 0] < 60) & (image[..., 2] < 60)
        blue = (image[..., 0] > 100) & (image[..., 1] < 60) & (image[..., 2] < 60)
        seen[tutu] = green.sum(), blue.sum(), np.ptp(np.nonzero(green)[1]) if green.any() else 0
    assert seen[0.0][0] == 0
    assert seen[0.45][1] < 0.95 * seen[0.0][1]
    hips = project(joints[None], camera)[0, [INDEX["left_hip"], INDEX["right_hip"]], 0] * HEIGHT
    assert seen[0.45][2] > 2.5 * abs(hips[0] - hips[1])


def test_a_long_skirt_hides_the_legs():
    joints, camera = dancer_and_camera()
    tights = []
    for skirt in (0.0, 0.66):
        image = np.full((HEIGHT, 320, 3), 255, np.uint8)
        Dancer(Costume(skirt=skirt, skirt_colour=(0, 255, 0), tights=(255, 0, 0))).draw(image, joints, camera)
        tights.append(((image[..., 0] > 100) & (image[..., 1] < 60) & (image[..., 2] < 60)).sum())
    assert tights[1] < 0.3 * tights[0]


def test_costumes_now_and_then_have_a_tutu_or_a_long_skirt():
    costumes = [Costume.random(np.random.default_rng(seed)) for seed in range(300)]
    assert 8 < sum(costume.tutu > 0 for costume in costumes) < 50
    assert 8 < sum(costume.skirt > 0.3 for costume in costumes) < 50


def test_a_mirror_shows_the_dancer_where_she_would_be_behind_the_wall():
    joints, camera = dancer_and_camera()
    dull, bright = (
        Film(camera, HEIGHT, studio=Studio(barre=False, reflecting=reflecting)) for reflecting in (False, True)
    )
    mirror = Mirror(Wall(camera, Studio().back), bright.room.shape, barre=False)
    twice = mirror.reflect(mirror.reflect(joints))
    assert twice == pytest.approx(joints)
    assert not mirror.behind(joints[JOINT["pelvis"]])
    assert mirror.behind(mirror.reflect(joints[JOINT["pelvis"]]))

    changed = np.abs(bright.shoot(joints).astype(int) - bright_room(bright)).max(-1) > 12
    alone = np.abs(dull.shoot(joints).astype(int) - bright_room(dull)).max(-1) > 12
    extra = changed & ~cv2.dilate(alone.astype(np.uint8), np.ones((3, 3))).astype(bool)
    seen = mirror.wall.camera.project(mirror.reflect(joints))[:, :2] * HEIGHT
    low, high = seen.min(0) - 12, seen.max(0) + 12
    rows, columns = np.nonzero(extra)
    assert extra.sum() > 40
    within = (columns > low[0]) & (columns < high[0]) & (rows > low[1]) & (rows < high[1])
    assert within.mean() > 0.95


def bright_room(film):
    """The empty room as a picture of the film's size."""
    return cv2.resize(film.room, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(int)


def test_bystanders_stand_behind_the_dancer_and_move_with_time():
    joints, camera = dancer_and_camera()
    wall = Wall(camera, -2.6)
    for seed in range(6):
        other = bystander(np.random.default_rng(seed), wall, 4.0, 1)
        assert camera.project(other.joints_at(0.0).mean(0))[2] > camera.project(joints.mean(0))[2]
        assert other.joints_at(0.0)[:, 1].min() > -0.01
        assert not np.allclose(other.joints_at(0.0), other.joints_at(3.0), atol=1e-3)
        assert np.array_equal(other.joints_at(4.0), other.joints_at(4.0))
    film = Film(camera, HEIGHT, company=[bystander(np.random.default_rng(1), wall, 4.0, 1)])
    early, late = film.shoot(joints, time_s=0.0), film.shoot(joints, time_s=3.0)
    assert (early != late).any()


def test_company_is_kept_now_and_then_by_one_or_two():
    _, camera = dancer_and_camera()
    counts = [len(company(np.random.default_rng(seed), camera, -2.6, 0.5)) for seed in range(60)]
    assert set(counts) <= {0, 1, 2}
    assert 3 < sum(count > 0 for count in counts) < 25


def test_a_contact_sheet_has_a_row_for_each_move_with_a_dancer_in_every_moment():
    sheet = contact_sheet(("plie", "arabesque", "pirouette"))
    assert sheet.shape[0] == 2 * ROW_HEIGHT  # in two columns
    dark = sheet.max(-1) < 110
    for left in (0, sheet.shape[1] // 2):
        assert dark[:ROW_HEIGHT, left : left + sheet.shape[1] // 2].sum() > 500
    assert len(contact_sheet(MOVES[:1])) == ROW_HEIGHT
