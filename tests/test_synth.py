"""Clips, streams and features made from a seed: their labels fit, and the same seed gives the same bytes."""

import re

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import SourceError
from models.keypoints import INDEX, MIRRORED
from train.bundled_demo import DEMO_MOVES, demo_stream
from train.camera import Camera, look_from, project, random_camera
from train.choreography import MOVES, Segment, Stream, make_clip, make_stream
from train.estimator import estimate
from train.filming import facing, side_seen, write_clips, write_video
from train.made_features import UNSURE, feature_streams, labels_at, observe
from train.stream_labels import StreamLabels
from train.synth import main

FEW = ("none", "plie", "tendu", "pirouette", "arabesque", "saute")


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (frame := capture.read()[1]) is not None:
        frames.append(frame)
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return frames, rate


def test_streams_become_features_with_one_label_a_step():
    sequences = feature_streams(2, 12.0, 15.0, seed=3, moves=FEW)
    assert len(sequences) == 4
    for sequence in sequences:
        steps = len(sequence.labels)
        assert steps == pytest.approx(12 * 15, abs=2)
        assert sequence.features.shape == (steps, 51)
        assert sequence.features.dtype == np.float32
        assert np.isfinite(sequence.features).all()
        assert set(np.unique(sequence.labels)) <= {UNSURE, *range(len(FEW))}
    assert len({sequence.name for sequence in sequences}) == 4


def test_a_move_without_a_name_is_danced_too_and_is_none():
    named = feature_streams(3, 20.0, 15.0, 3, ("none", "plie", "tendu"))
    unnamed = feature_streams(3, 20.0, 15.0, 3, ("none", "plie"), ("tendu",))
    for with_name, without in zip(named, unnamed, strict=True):
        assert with_name.features.tobytes() == without.features.tobytes()
        assert without.labels.tolist() == np.where(with_name.labels == 2, 0, with_name.labels).tolist()
    assert any((sequence.labels == 2).any() for sequence in named)


def test_the_same_seed_gives_the_same_features():
    first, again, other = (feature_streams(1, 8.0, 15.0, seed, FEW) for seed in (5, 5, 6))
    assert [s.features.tobytes() for s in first] == [s.features.tobytes() for s in again]
    assert [s.features.tobytes() for s in first] != [s.features.tobytes() for s in other]


def test_labels_change_when_the_move_does():
    stream = Stream(np.zeros((600, 1, 3)), ("nose",), 60.0, [Segment("plie", 2.0, 4.0)], [(4.0, 4.5)])
    times = np.arange(0, 10, 0.25)
    labels = labels_at(stream, times, ("none", "plie"))
    assert list(times[labels == 1]) == [2 + 0.25 * step for step in range(8)]
    assert list(times[labels == UNSURE]) == [4.0, 4.25]
    assert (labels == 0).sum() == len(times) - 10


def test_a_move_that_is_not_asked_for_is_not_trained_on_as_none():
    stream = Stream(np.zeros((600, 1, 3)), ("nose",), 60.0, [Segment("tendu", 2.0, 4.0)])
    assert labels_at(stream, np.array([3.0]), ("none", "plie"))[0] == UNSURE


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([10.0, 15.0, 29.97]))
def test_what_is_observed_lies_in_the_picture_and_is_scored_between_nothing_and_one(seed, sample_hz):
    stream = make_clip("arabesque", seed)
    features, labels = observe(stream, np.random.default_rng(seed), sample_hz)
    assert len(features) == len(labels)
    x, y, score = features.reshape(-1, 17, 3).transpose(2, 0, 1)
    assert x.min() >= -0.11 and x.max() <= 16 / 9 + 0.11
    assert y.min() >= -0.11 and y.max() <= 1.11
    assert score.min() > 0 and score.max() < 1
    arabesque = 1 + MOVES.index("arabesque")
    lasts = stream.segments[0].end_s - stream.segments[0].start_s
    unseen = (labels == UNSURE).sum() / sample_hz
    assert lasts - unseen - 1.01 / sample_hz <= (labels == arabesque).sum() / sample_hz <= lasts + 1.01 / sample_hz


def test_a_camera_in_front_sees_the_left_side_of_the_dancer_on_its_right():
    stream = make_clip("plie", 1)
    across = stream.positions[0, 9:11]  # the shoulders
    face = np.arctan2(-(across[0] - across[1])[2], (across[0] - across[1])[0])
    seen = project(stream.positions, look_from(stream.positions, face, 1.2, 4.0, 0.8))
    assert seen[0, INDEX["left_shoulder"], 0] > seen[0, INDEX["right_shoulder"], 0]
    assert seen[0, INDEX["nose"], 1] < seen[0, INDEX["left_hip"], 1] < seen[0, INDEX["left_ankle"], 1]


def test_a_camera_looks_at_its_target():
    camera = Camera((1.0, 2.0, 5.0), (0.3, 0.9, -0.2), 1.3, 1.5)
    assert camera.project(np.array(camera.target))[:2] == pytest.approx((0.75, 0.5))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_mirroring_the_dancer_mirrors_the_picture_and_swaps_left_and_right(seed):
    stream = make_clip("tendu", seed)
    camera = look_from(stream.positions, 0.0, 1.2, 4.0, 0.8)
    seen = project(stream.positions, camera)
    names = list(stream.joint_names)
    other = [
        names.index(n.replace("left", "right") if "left" in n else n.replace("right", "left"))
        for n in stream.joint_names
    ]
    middle = camera.target[0]
    mirrored_body = stream.positions[:, other] * (-1, 1, 1) + (2 * middle, 0, 0)
    mirrored = project(mirrored_body, camera)
    assert mirrored[..., 0] == pytest.approx(camera.aspect - seen[:, MIRRORED, 0])
    assert mirrored[..., 1] == pytest.approx(seen[:, MIRRORED, 1])


def test_the_estimator_is_mostly_near_the_truth_and_now_and_then_wrong():
    misses = []
    for seed in range(6):
        stream = make_stream(seed, 12)
        camera = look_from(stream.positions, 0.3, 1.2, 5.0, 0.6)
        seen = estimate(stream.positions[::4], camera, np.random.default_rng(seed))
        truth = project(stream.positions[::4], camera)
        torso = np.median(np.linalg.norm(truth[:, [5, 6]].mean(1) - truth[:, [11, 12]].mean(1), axis=-1))
        misses.append((np.linalg.norm(seen[..., :2] - truth, axis=-1) > torso / 4).mean())
    assert 0.02 < np.mean(misses) < 0.2


def test_joints_outside_of_the_picture_get_low_scores():
    stream = make_clip("plie", 4)
    whole = look_from(stream.positions, 0.0, 1.2, 4.0, 0.8)
    legs_only = Camera(whole.place, (whole.target[0], 0.35, whole.target[2]), whole.focal * 1.8, whole.aspect)
    seen = estimate(stream.positions, legs_only, np.random.default_rng(0))
    outside = project(stream.positions, legs_only)[..., 1] < -0.15
    assert outside[:, INDEX["nose"]].all()
    assert seen[..., 2][outside].mean() < 0.3
    assert seen[:, INDEX["left_ankle"], 2].mean() > 0.5


def test_cameras_are_of_all_kinds():
    stream = make_clip("plie", 4)
    cameras = [random_camera(stream.positions, np.random.default_rng(seed)) for seed in range(200)]
    heads = [(project(stream.positions[:1], camera)[0, 0, 1] < 0) for camera in cameras]
    assert 0.03 < np.mean(heads) < 0.35
    assert len({camera.aspect for camera in cameras}) >= 3


def test_clips_are_sorted_by_move_and_play(tmp_path):
    paths = write_clips(tmp_path, 2, ("plie", "none"), seed=1, test_fraction=0.5, height=96, fps=8)
    assert sorted(path.relative_to(tmp_path).parts[:2] for path in paths) == [
        ("test", "none"),
        ("test", "plie"),
        ("train", "none"),
        ("train", "plie"),
    ]
    for path in paths:
        frames, rate = frames_of(path)
        assert rate == 8
        assert len(frames) > 8
        assert frames[0].shape == (96, 128, 3)


def test_the_same_seed_films_the_same_bytes(tmp_path):
    first, again, other = (
        write_clips(tmp_path / name, 1, ("changement",), seed=seed, height=64, fps=5)[0].read_bytes()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again != other


def test_the_command_writes_streams_with_their_labels_beside_them(tmp_path, capsys):
    asked = ["--streams", "1", "--seed", "3", "--seconds", "9", "--moves", "plie,saute", "--height", "64", "--fps", "6"]
    assert main([str(tmp_path), *asked]) == 0
    (video,) = tmp_path.glob("*.mp4")
    frames, rate = frames_of(video)
    assert len(frames) / rate == pytest.approx(9, abs=0.2)
    labels = StreamLabels.read(video.with_suffix(".json"))
    assert {span.move for span in labels.danced} <= {"plie", "saute"}
    assert labels.view in ("front", "side", "back")
    assert labels.danced
    last_s = (len(frames) - 1) / rate
    assert max(each.end_s for each in (*labels.moves, *labels.ignore)) == pytest.approx(last_s)  # she goes on after it
    assert "1 streams" in capsys.readouterr().out


def test_a_stream_is_filmed_from_each_view_with_the_same_labels(tmp_path):
    asked = ["--streams", "1", "--seed", "3", "--seconds", "14", "--height", "48", "--fps", "2"]
    assert main([str(tmp_path), *asked, "--views=-60,180"]) == 0
    videos = sorted(tmp_path.glob("*.mp4"))
    assert [video.name for video in videos] == ["stream_3_0000_+180.mp4", "stream_3_0000_-060.mp4"]
    behind, aside = (StreamLabels.read(video.with_suffix(".json")) for video in videos)
    assert (behind.view, aside.view) == ("180°", "-60°")
    stream = make_stream(3 * 1_000_003, 14)
    assert behind.danced == aside.danced
    assert [span.move for span in behind.danced] == [segment.move for segment in stream.segments]
    assert [each for stretch in behind.ignored for each in stretch] == pytest.approx(
        [each for stretch in stream.unsure for each in stretch], abs=1e-3
    )


def test_a_view_is_the_side_of_the_dancer_that_the_camera_sees():
    stream = make_stream(5, 6)
    start = facing(stream)
    sides = {}
    for degrees in (0, 90, 180, -90):
        camera = look_from(stream.positions, start + np.radians(degrees), 1.2, 30.0, 0.6)
        sides[degrees] = side_seen(camera, start)
        seen = project(stream.positions[:1], camera)[0, :, 0]
        across = seen[INDEX["left_hip"]] - seen[INDEX["right_hip"]]
        if degrees in (0, 180):  # from the front her left is on the right of the picture
            assert across > 0 if degrees == 0 else across < 0
    assert sides == {0: "front", 90: "side", 180: "back", -90: "side"}


def test_views_that_are_no_numbers_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--streams", "1", "--views", "front"])
    assert stopped.value.code == 2
    assert "whole degrees" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("file --clips 1", "Cannot write to the folder .*file"),
        ("file/clips --streams 1", "Cannot write to the folder .*file/clips"),
        ("--demo file/demo.mp4", "Cannot write to the folder .*file"),
        ("new --clips 1 --fps 0", "--fps 0.0: give a number from 1 to 240"),
        ("new --clips 1 --fps nan", "--fps nan: give a number"),
        ("new --clips 1 --height 241", "--height 241: give an even number"),
        ("--demo .", "--demo .: give a file"),
        ("new --clips -1", "--clips -1: give a number"),
        ("new --streams 1 --seconds 0", "--seconds 0.0: give a number"),
        ("new --features 1 --sample-hz 0", "--sample-hz 0.0: give a number"),
        ("new --clips 1 --test-fraction 2", "--test-fraction 2.0: give a number from 0 to 1"),
    ],
)
def test_what_the_command_cannot_do_is_refused_before_anything_is_made(tmp_path, monkeypatch, capsys, asked, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stopped:
        main(asked.split())
    assert stopped.value.code == 2
    assert re.search(says, capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_command_writes_features(tmp_path):
    main([str(tmp_path), "--features", "1", "--seconds", "8", "--moves", "plie,tendu"])
    with np.load(tmp_path / "features.npz") as file:
        assert list(file["moves"]) == ["none", "plie", "tendu"]
        names = {name.rsplit("/", 1)[0] for name in file.files if "/" in name}
        assert len(names) == 2
        for name in names:
            assert file[f"{name}/features"].shape == (len(file[f"{name}/labels"]), 51)


def test_the_command_refuses_a_move_it_does_not_know(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--clips", "1", "--moves", "plie,moonwalk"])
    assert stopped.value.code == 2
    assert "moonwalk" in capsys.readouterr().err


def test_the_demo_shows_its_moves_one_after_the_other():
    stream = demo_stream()
    assert tuple(segment.move for segment in stream.segments) == DEMO_MOVES
    assert 20 < stream.seconds < 28
    for earlier, later in zip(stream.segments, stream.segments[1:], strict=False):
        assert later.start_s - earlier.end_s > 1.0


def test_the_bundled_demo_is_small_and_as_long_as_its_motion():
    from pathlib import Path

    path = Path(__file__).parents[1] / "live" / "assets" / "demo.mp4"
    assert path.stat().st_size < 1_000_000
    frames, rate = frames_of(path)
    assert len(frames) / rate == pytest.approx(demo_stream().seconds, abs=0.1)


def test_a_video_without_ffmpeg_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "missing"))
    with pytest.raises(SourceError, match="without ffmpeg.*\nType: pointe doctor"):
        write_video(tmp_path / "clip.mp4", iter([np.zeros((16, 16, 3), np.uint8)]), 25.0)
    assert not any(tmp_path.iterdir())


def test_what_a_killed_run_left_of_a_video_goes_with_the_next_one(tmp_path):
    (tmp_path / ".clip.mp4.999999.half").touch()
    write_video(tmp_path / "clip.mp4", iter([np.zeros((16, 16, 3), np.uint8)]), 25.0)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
