"""Recorded motion becomes streams: the same poses, other bodies, labels where they belong."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import SourceError
from train.body import JOINT, JOINTS
from train.choreography import make_clip
from train.default import recorded_material
from train.recorded import LABELS_FILE, _rebuilt, _with_arms_of, read_recordings, recorded_streams
from train.windows import OTHER, SKIP

MOVES = ("none", "pirouette", "grand_jete", "arabesque")
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_kneecap", "right_kneecap")
SHARED = Path(__file__).parents[1] / "../shared/mocap"


def write(folder: Path, moves: list[dict[str, object]], drop: str = "") -> None:
    clip = make_clip("arabesque", 3)
    names = [name for name in JOINTS if name not in (*FACE, drop)]
    positions = clip.positions[:, [JOINT[name] for name in names]].astype(np.float32)
    for trial in ("one", "two"):
        np.savez(folder / f"{trial}.npz", positions=positions, joints=np.array(names), fps=clip.hz)
    labels = {"one": {"moves": moves, "ignore": []}, "two": {"moves": [], "ignore": [{"start_s": 0, "end_s": 0.5}]}}
    (folder / LABELS_FILE).write_text(json.dumps(labels), "utf-8")


def jete(start_s: float, end_s: float) -> dict[str, object]:
    return {"move": "jete", "start_s": start_s, "end_s": end_s}


def test_a_recording_keeps_its_joints_and_looks_where_its_chest_does(tmp_path: Path) -> None:
    write(tmp_path, [jete(0.5, 1.5)])
    first = read_recordings(tmp_path)[0].stream
    made = make_clip("arabesque", 3)
    for name in ("left_ankle", "right_wrist", "pelvis"):
        assert np.allclose(first.positions[:, JOINT[name]], made.positions[1:, JOINT[name]], atol=1e-6)
    nose, neck = (first.positions[0, JOINT[name]] for name in ("nose", "neck"))
    across = first.positions[0, JOINT["left_shoulder"]] - first.positions[0, JOINT["right_shoulder"]]
    ahead = np.cross(across, first.positions[0, JOINT["neck"]] - first.positions[0, JOINT["pelvis"]])
    assert (nose - neck) @ ahead > 0


def test_a_jete_is_learnt_as_a_grand_jete_and_its_edges_as_either(tmp_path: Path) -> None:
    write(tmp_path, [jete(0.5, 1.5)])
    stream = read_recordings(tmp_path)[0].stream
    assert [(segment.move, segment.start_s, segment.end_s) for segment in stream.segments] == [
        ("grand_jete", pytest.approx(0.6), pytest.approx(1.4))
    ]
    assert (pytest.approx(0.4), pytest.approx(0.6)) in stream.unsure


def test_what_else_is_danced_in_a_recording_with_moves_is_of_no_known_name(tmp_path: Path) -> None:
    write(tmp_path, [jete(0.5, 1.5)])
    danced, plain = recorded_streams(read_recordings(tmp_path), 1, 15.0, 7, MOVES)
    assert set(danced.labels.tolist()) == {SKIP, OTHER, MOVES.index("grand_jete")}
    assert set(plain.labels.tolist()) == {SKIP, MOVES.index("none")}


def test_every_time_is_another_body_camera_and_tempo_and_the_seed_decides_which(tmp_path: Path) -> None:
    write(tmp_path, [jete(0.5, 1.5)])
    recordings = read_recordings(tmp_path)
    streams = recorded_streams(recordings, 4, 15.0, 7, MOVES)
    assert len(streams) == 8
    assert len({len(each.features) for each in streams[:4]}) > 1
    again = recorded_streams(recordings, 4, 15.0, 7, MOVES)
    assert all(np.array_equal(a.features, b.features) for a, b in zip(streams, again, strict=True))
    other = recorded_streams(recordings, 4, 15.0, 8, MOVES)
    assert not any(np.array_equal(a.features, b.features) for a, b in zip(streams, other, strict=True))
    jump = MOVES.index("grand_jete")
    assert all(jump in each.labels for each in streams[:4])
    assert not any(jump in each.labels for each in streams[4:])


def test_a_recording_with_moves_is_learnt_from_more_often_than_one_without(tmp_path: Path) -> None:
    write(tmp_path, [jete(0.5, 1.5)])
    names = [each.name.split("-")[0] for each in recorded_material(read_recordings(tmp_path), 15.0, MOVES)]
    assert names.count("one") > names.count("two") > 0


def test_recordings_that_are_left_out_are_not_read_and_unknown_ones_are_said(tmp_path: Path) -> None:
    write(tmp_path, [])
    (tmp_path / "two.npz").unlink()
    assert [each.name for each in read_recordings(tmp_path, ["two"])] == ["one"]
    with pytest.raises(SourceError, match=r"has no three\.\nIt has: one, two"):
        read_recordings(tmp_path, ["three"])


def test_the_arms_of_another_leave_legs_and_trunk_alone_and_are_as_long_as_they_were_there() -> None:
    one, other = (make_clip(move, 3).positions for move in ("plie", "arabesque"))
    lent = _with_arms_of(one, other, np.random.default_rng(1))
    arms = [JOINT[f"{side}_{joint}"] for side in ("left", "right") for joint in ("elbow", "wrist")]
    assert np.array_equal(np.delete(lent, arms, axis=1), np.delete(one, arms, axis=1))
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist")):
        length = [
            np.linalg.norm(joints[:, JOINT[f"left_{lower}"]] - joints[:, JOINT[f"left_{upper}"]], axis=1)
            for joints in (lent, other)
        ]
        assert np.allclose(length[0], length[1][0], atol=1e-6)
    assert not np.allclose(lent[:, arms], one[:, arms], atol=0.05)


@pytest.mark.parametrize("drop", ["left_knee", "pelvis"])
def test_a_recording_that_lacks_a_joint_is_refused_by_name(tmp_path: Path, drop: str) -> None:
    write(tmp_path, [], drop)
    with pytest.raises(SourceError, match=rf"one\.npz cannot be used: there is no {drop}"):
        read_recordings(tmp_path)


def test_a_folder_without_labels_and_a_file_that_is_no_recording_are_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"labels\.json cannot be read"):
        read_recordings(tmp_path)
    write(tmp_path, [])
    (tmp_path / "one.npz").write_bytes(b"no zip")
    with pytest.raises(SourceError, match=r"one\.npz cannot be used"):
        read_recordings(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not at hand")
def test_longer_legs_leave_the_feet_on_the_floor() -> None:
    stream = read_recordings(SHARED)[0].stream
    feet = [JOINT["left_toe"], JOINT["right_toe"]]
    taller = _rebuilt(stream.positions, 1.12, 0.9)
    assert np.allclose(taller[:, feet, 1].min(1), stream.positions[:, feet, 1].min(1), atol=1e-6)
    assert taller[:, JOINT["pelvis"], 1].mean() > stream.positions[:, JOINT["pelvis"], 1].mean()
