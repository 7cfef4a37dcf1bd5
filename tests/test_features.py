"""Drawn clips and toy encoders in, features out: what is sampled, cached, skipped and said."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from rich.console import Console

from models.encoders import open_encoder
from models.errors import DeviceError, ModelError, PartlyDone, SourceError, UsageError
from models.frames import Frame, Sampler, read_video
from models.nvidia import missing_for
from train.features import FeatureSet, extract, longest_piece, run_features
from train.features_report import show_progress

SIZE = 16  # of the toy encoders' input


def draw(path: Path, levels: list[int], fps: float = 15) -> Path:
    """A clip of plain frames, one for each grey level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for level in levels:
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    return path


def save(
    path: Path, nodes: list[onnx.NodeProto], input_type: int, shape: list[int | str], out: list[int | str]
) -> Path:
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("frames", input_type, shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, out)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def constant(name: str, values: object) -> onnx.NodeProto:
    array = np.array(values, np.float32)
    return helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(array))


def image_encoder(path: Path) -> Path:
    """Its feature is the mean red, green and blue."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["cast"], ["features"], axes=[1, 2], keepdims=0),
    ]
    return save(path, nodes, TensorProto.UINT8, ["batch", SIZE, SIZE, 3], ["batch", 3])


def pose_encoder(path: Path) -> Path:
    """It sees a dancer in the middle of light frames and none in dark ones."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["cast"], ["mean"], keepdims=1),  # (1, 1, 1, 1)
        constant("score", np.tile([0, 0, 1 / 255], (17, 1))),
        constant("middle", np.tile([0.5, 0.5, 0], (17, 1))),
        helper.make_node("Mul", ["mean", "score"], ["scored"]),
        helper.make_node("Add", ["scored", "middle"], ["features"]),
    ]
    return save(path, nodes, TensorProto.INT32, [1, SIZE, SIZE, 3], [1, 1, 17, 3])


def slow_encoder(path: Path) -> Path:
    """The image encoder with some 10^10 multiplications beside it, so that there is time to kill it."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["cast"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("ReduceMean", ["cast"], ["mean"], keepdims=0),
        constant("zero", 0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Constant", [], ["side"], value=onnx.numpy_helper.from_array(np.array([1024, 1024]))),
        helper.make_node("Expand", ["nothing", "side"], ["square0"]),
        *(helper.make_node("MatMul", [f"square{i}"] * 2, [f"square{i + 1}"]) for i in range(4)),
        helper.make_node("ReduceMean", ["square4"], ["burnt"], keepdims=0),
        helper.make_node("Add", ["means", "burnt"], ["features"]),
    ]
    return save(path, nodes, TensorProto.UINT8, ["batch", SIZE, SIZE, 3], ["batch", 3])


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return image_encoder(tmp_path / "toy.onnx")


@pytest.fixture
def pose(tmp_path: Path) -> Path:
    return pose_encoder(tmp_path / "toy-pose.onnx")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three clips to train on and one to test, each of 20 light frames."""
    folder = tmp_path / "data"
    for number, name in enumerate(("train/plie/a", "train/plie/b", "train/tendu/c", "test/plie/d")):
        draw(folder / f"{name}.avi", [200 + number] * 20)
    return folder


def features_of(features: FeatureSet, name: str) -> np.ndarray:
    return next(clip.features for clip in features.clips if clip.clip.path.name == name)


def reasons(features: FeatureSet) -> dict[str, str]:
    return {skipped.path.name: skipped.reason for skipped in features.skipped}


def entries(data: Path) -> dict[str, int]:
    """The cached clips and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in (data / ".pointe").rglob("*.npz")}


def test_features_are_those_of_the_live_encoder_on_the_frames_it_would_sample(data: Path, image: Path) -> None:
    levels = list(range(0, 250, 5))
    clip = draw(data / "train" / "plie" / "rising.avi", levels, fps=29.97)
    found = extract(data, image, 15, progress=False)
    encoder, sampler = open_encoder("image", image, "cpu"), Sampler(15)
    expected = [encoder.push(frame) for frame in read_video(clip) if sampler.take(frame.time_s)]
    assert len(expected) == 25
    np.testing.assert_array_equal(features_of(found, "rising.avi"), np.stack([f for f in expected if f is not None]))
    assert found.encoder.kind == "image"
    assert (found.encoder.name, found.encoder.input_size, found.encoder.feature_dim) == ("toy", SIZE, 3)
    assert found.moves == ("plie", "tendu") and found.displays == ("plié", "tendu")
    assert found.skipped == ()


def test_the_clips_keep_split_and_move_and_times(data: Path, image: Path) -> None:
    found = extract(data, image, 15, progress=False)
    assert [(clip.clip.split, clip.clip.move) for clip in found.clips] == [
        ("train", "plie"),
        ("train", "plie"),
        ("train", "tendu"),
        ("test", "plie"),
    ]
    for clip in found.clips:
        assert clip.features.dtype == np.float32 and clip.features.shape == (20, 3)
        np.testing.assert_allclose(clip.times_s, np.arange(20) / 15, atol=0.002)


def test_a_second_run_reads_the_cache_and_gives_the_same(data: Path, image: Path) -> None:
    first = extract(data, image, progress=False)
    written = entries(data)
    second = extract(data, image, progress=False)
    assert (first.effort.encoded, first.effort.cached) == (4, 0)
    assert (second.effort.encoded, second.effort.cached, second.effort.frames) == (0, 4, 0)
    assert entries(data) == written
    for one, other in zip(first.clips, second.clips, strict=True):
        assert one.clip == other.clip
        np.testing.assert_array_equal(one.features, other.features)
        np.testing.assert_array_equal(one.times_s, other.times_s)


@pytest.mark.skipif(missing_for("cuda") is None, reason="this machine has an NVIDIA driver")
def test_a_device_that_cannot_be_had_is_an_error_also_where_all_is_in_the_cache(data: Path, image: Path) -> None:
    extract(data, image, progress=False)
    with pytest.raises(DeviceError):
        extract(data, image, device="cuda", progress=False)


def test_another_rate_another_encoder_or_a_changed_clip_is_encoded_again(data: Path, image: Path, pose: Path) -> None:
    extract(data, image, 15, progress=False)
    assert extract(data, image, 10, progress=False).effort.encoded == 4
    assert extract(data, pose, 15, progress=False).effort.encoded == 4
    draw(data / "train" / "plie" / "a.avi", [90] * 30)
    again = extract(data, image, 15, progress=False)
    assert again.effort.encoded == 1
    assert len(features_of(again, "a.avi")) == 30


def test_a_clip_that_is_replaced_while_it_is_encoded_is_encoded_again(
    data: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = data / "train" / "plie" / "a.avi"

    def replacing(path: Path) -> Iterator[Frame]:
        frames = list(read_video(path))
        if path == replaced:
            draw(path, [10] * 40)
        yield from frames

    monkeypatch.setattr("models.damage.read_video", replacing)
    extract(data, image, 15, progress=False)
    monkeypatch.undo()
    again = extract(data, image, 15, progress=False)
    assert again.effort.encoded == 1
    assert len(features_of(again, "a.avi")) == 40


def test_a_cache_folder_can_be_chosen_and_leaves_the_data_alone(data: Path, image: Path, tmp_path: Path) -> None:
    found = extract(data, image, cache=tmp_path / "cache", progress=False)
    assert not (data / ".pointe").exists()
    assert found.cache.parent == tmp_path / "cache"
    assert found.cache.name.startswith("toy-" + found.encoder.sha256[:12]) and found.cache.name.endswith("-15hz")
    assert extract(data, image, cache=tmp_path / "cache", progress=False).effort.cached == 4


def test_a_damaged_cache_entry_is_made_again_whatever_the_damage(data: Path, image: Path) -> None:
    whole = extract(data, image, progress=False)
    path = next((data / ".pointe").rglob("a.avi.npz"))
    content, draw_from = path.read_bytes(), random.Random(1)
    damages = [b"", content[: len(content) // 2], b"PK", b"\x93NUMPY", b"nonsense" * 50, content[: len(content) - 1]]
    for _ in range(60):
        flipped = bytearray(content)
        for _ in range(draw_from.choice([1, 3])):
            flipped[draw_from.randrange(len(flipped))] ^= 1 << draw_from.randrange(8)
        damages.append(bytes(flipped))
    for damage in damages:
        path.write_bytes(damage)
        again = extract(data, image, progress=False)
        np.testing.assert_array_equal(features_of(again, "a.avi"), features_of(whole, "a.avi"))
    path.write_bytes(damages[1])
    assert extract(data, image, progress=False).effort.encoded == 1


def test_a_cache_entry_with_pickled_objects_is_not_opened(data: Path, image: Path) -> None:
    extract(data, image, progress=False)
    path = next((data / ".pointe").rglob("a.avi.npz"))
    with path.open("wb") as file:
        np.savez(file, key=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert extract(data, image, progress=False).effort.encoded == 1


def stop_midway(data: Path, encoder: Path, how: signal.Signals, threads: int) -> tuple[int, str]:
    """Extract in a process of its own and send it a signal after the first clip; its exit code and what it said."""
    code = "import sys; from pathlib import Path; from train.features import extract; "
    code += "extract(Path(sys.argv[1]), sys.argv[2], threads=int(sys.argv[3]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(data), str(encoder), str(threads)],
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not entries(data) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_a_killed_run_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    encoder = slow_encoder(tmp_path / "slow.onnx")
    exit_code, said = stop_midway(data, encoder, signal.SIGKILL, threads=1)
    assert exit_code == -signal.SIGKILL, said
    survived = entries(data)
    assert 1 <= len(survived) < 4
    found = extract(data, encoder, progress=False)
    assert (found.effort.cached, found.effort.encoded) == (len(survived), 4 - len(survived))
    assert {name: written for name, written in entries(data).items() if name in survived} == survived
    assert len(found.clips) == 4


def test_ctrl_c_stops_all_threads_without_storing_a_clip_in_part(data: Path, tmp_path: Path) -> None:
    encoder = slow_encoder(tmp_path / "slow.onnx")
    exit_code, said = stop_midway(data, encoder, signal.SIGINT, threads=2)
    assert exit_code == -signal.SIGINT and "KeyboardInterrupt" in said
    assert 1 <= len(entries(data)) < 4
    for path in (data / ".pointe").rglob("*.npz"):
        with np.load(path, allow_pickle=False) as entry:
            assert len(entry["features"]) == 20


def test_clips_that_give_nothing_are_named_with_the_reason(data: Path, pose: Path) -> None:
    (data / "train" / "plie" / "broken.mp4").write_bytes(b"this is no video")
    draw(data / "train" / "plie" / "short.avi", [200] * 5)
    draw(data / "train" / "plie" / "dark.avi", [10] * 30)
    draw(data / "train" / "plie" / "flicker.avi", ([200] * 4 + [10] * 10) * 3)
    found = extract(data, pose, 15, progress=False)
    assert reasons(found) == {
        "broken.mp4": "Cannot read it as a video.",
        "short.avi": "too short: 5 samples at 15 Hz out of 5 frames, 8 are needed",
        "dark.avi": "no dancer is seen in 30 samples",
        "flicker.avi": "a dancer is seen in 4 samples running at most, of 42; 8 are needed",
    }
    assert len(found.clips) == 4
    report = json.loads((found.cache / "features_report.json").read_text())
    assert {Path(row["path"]).name: row["reason"] for row in report["skipped"]} == reasons(found)
    assert report["skipped"][0]["path"].startswith("train/plie/")
    page = (found.cache / "features_report.md").read_text()
    assert all(f"train/plie/{name}`: {reason}" in page for name, reason in reasons(found).items())


def test_a_clip_of_few_or_many_frames_is_used_for_what_it_holds(data: Path, image: Path) -> None:
    draw(data / "train" / "plie" / "few.avi", [200] * 8)
    draw(data / "train" / "plie" / "many.avi", [200] * 400)
    found = extract(data, image, progress=False)
    assert len(features_of(found, "few.avi")) == 8
    assert len(features_of(found, "many.avi")) == 400


def test_a_file_with_a_broken_tail_gives_what_can_be_read_and_a_note(data: Path, image: Path) -> None:
    path = draw(data / "train" / "plie" / "cut.avi", [(5 * i) % 250 for i in range(60)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = extract(data, image, progress=False)
    steps = len(features_of(found, "cut.avi"))
    assert 10 <= steps < 60
    note = next(clip.note for clip in found.clips if clip.clip.path.name == "cut.avi")
    assert note == f"damaged: {steps} of 60 frames can be read"
    assert found.skipped == ()


def test_a_gap_without_a_dancer_parts_a_clip_and_its_longest_piece_is_used(data: Path, pose: Path) -> None:
    draw(data / "train" / "plie" / "gap.avi", [200] * 10 + [10] * 10 + [220] * 15 + [10] * 3 + [220] * 2)
    found = extract(data, pose, 15, progress=False)
    clip = next(clip for clip in found.clips if clip.clip.path.name == "gap.avi")
    np.testing.assert_allclose(clip.times_s * 15, [*range(20, 35), 38, 39], atol=0.05)
    assert clip.samples == 40
    assert clip.note == "no dancer in 13 of 40 samples; used from 1.33 to 2.60 s, 10 steps beyond a gap left out"


def test_the_longest_piece_has_no_gap_over_half_a_second() -> None:
    assert longest_piece(np.array([])) == slice(0, 0)
    assert longest_piece(np.array([0.0, 0.5, 1.0])) == slice(0, 3)
    assert longest_piece(np.array([0.0, 0.1, 0.7, 0.8, 0.9])) == slice(2, 5)
    assert longest_piece(np.array([0.0, 0.1, 0.7, 0.8])) == slice(0, 2)


def test_min_steps_is_applied_to_cached_clips_too(data: Path, image: Path) -> None:
    extract(data, image, progress=False)
    with pytest.raises(SourceError, match="nothing is left to train on, 4 skipped"):
        extract(data, image, min_steps=21, progress=False)


def test_with_nothing_left_the_exit_code_and_the_report_say_so(data: Path, pose: Path) -> None:
    for path in data.rglob("*.avi"):
        path.write_bytes(b"")
    with pytest.raises(SourceError, match="nothing is left to train on, 4 skipped") as raised:
        extract(data, pose, progress=False)
    assert raised.value.exit_code == 3
    report = Path(str(raised.value).splitlines()[1].removeprefix("The reasons are in "))
    assert report.read_text().count("Cannot read it as a video") == 4


def test_a_move_whose_clips_are_all_skipped_is_no_move_any_more(data: Path, image: Path) -> None:
    draw(data / "train" / "saute" / "s.avi", [200] * 20)
    draw(data / "test" / "tendu" / "t.avi", [200] * 20)
    (data / "train" / "tendu" / "c.avi").write_bytes(b"")
    found = extract(data, image, progress=False)
    assert found.moves == ("plie", "saute") and found.displays == ("plié", "sauté")
    assert reasons(found)["t.avi"] == "no clip of 'tendu' is left to train on"
    (data / "train" / "saute" / "s.avi").write_bytes(b"")
    with pytest.raises(SourceError, match="only clips of 'plie' are left"):
        extract(data, image, progress=False)


def test_the_command_ends_with_partly_done_where_clips_were_skipped(
    data: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_features(data, image)
    said = capsys.readouterr()
    assert "4 clips of 2 moves, 80 steps (5.3 s at 15 Hz)" in said.out
    assert "plié: 2 train, 1 test" in said.out
    assert "4 clips encoded, 0 from the cache" in said.out and "frames/s" in said.out
    assert "4/4 clips" in said.err
    (data / "train" / "plie" / "[red]x.mp4").write_bytes(b"no video")
    with pytest.raises(PartlyDone, match="4 clips are done, 1 skipped") as raised:
        run_features(data, image)
    assert raised.value.exit_code == 6
    said = capsys.readouterr()
    assert "skipped train/plie/[red]x.mp4: Cannot read it as a video." in said.err
    assert str(data / ".pointe") in said.out


def test_frames_and_crops_are_written_also_when_the_features_are_cached(data: Path, pose: Path, tmp_path: Path) -> None:
    first = extract(data, pose, 5, min_steps=4, progress=False)
    second = extract(data, pose, 5, min_steps=4, frames=tmp_path / "frames", progress=False)
    np.testing.assert_array_equal(features_of(first, "a.avi"), features_of(second, "a.avi"))
    folder = tmp_path / "frames" / "train" / "plie" / "a.avi"
    assert [path.name for path in sorted(folder.iterdir())][:4] == [
        "00000_0.000s.jpg",
        "00000_0.000s_crop.jpg",
        "00003_0.200s.jpg",
        "00003_0.200s_crop.jpg",
    ]
    whole, crop = (cv2.imread(str(folder / f"00003_0.200s{what}.jpg")) for what in ("", "_crop"))
    assert whole is not None and whole.shape == (48, 64, 3)
    assert crop is not None and crop.shape == (SIZE, SIZE, 3)
    assert crop.min() > 190  # the crop around the dancer, without the black bars of the whole square
    assert len(list((tmp_path / "frames").rglob("*_crop.jpg"))) == sum(clip.samples for clip in second.clips)


def test_the_crop_has_the_colours_of_the_frame(data: Path, image: Path, tmp_path: Path) -> None:
    path = data / "train" / "plie" / "blue.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15, (64, 48))
    for _ in range(10):
        writer.write(np.full((48, 64, 3), (250, 10, 10), np.uint8))
    writer.release()
    extract(data, image, frames=tmp_path / "frames", progress=False)
    crop = cv2.imread(str(tmp_path / "frames" / "train" / "plie" / "blue.avi" / "00000_0.000s_crop.jpg"))
    assert crop is not None
    blue, green, red = crop.reshape(-1, 3).mean(axis=0)
    assert blue > 230 and green < 30 and red < 30


def test_two_threads_give_what_one_gives(data: Path, pose: Path, tmp_path: Path) -> None:
    one = extract(data, pose, cache=tmp_path / "one", progress=False)
    two = extract(data, pose, cache=tmp_path / "two", threads=2, progress=False)
    assert [clip.clip for clip in one.clips] == [clip.clip for clip in two.clips]
    for a, b in zip(one.clips, two.clips, strict=True):
        np.testing.assert_array_equal(a.features, b.features)


def test_an_error_of_the_program_in_a_worker_is_raised_and_not_taken_for_a_bad_clip(
    data: Path, image: Path, tmp_path: Path
) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "train").write_text("in the way")
    with pytest.raises(UsageError, match="--frames: cannot make the folder"):
        extract(data, image, frames=tmp_path / "frames", progress=False)


def test_a_container_whose_frames_jump_in_time_starts_the_encoder_afresh(data: Path, pose: Path) -> None:
    """At one frame a second each frame is a gap: no piece is long enough, and that is said."""
    draw(data / "train" / "plie" / "lapse.avi", [200] * 20, fps=1)
    found = extract(data, pose, 15, progress=False)
    assert reasons(found)["lapse.avi"] == "a dancer is seen in 1 samples running at most, of 20; 8 are needed"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sample_hz": 0.5}, "--sample-hz 0.5"),
        ({"sample_hz": float("nan")}, "--sample-hz nan"),
        ({"threads": 0}, "--threads 0"),
        ({"min_steps": 0}, "--min-steps 0"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_their_flag(
    data: Path, image: Path, options: dict[str, float], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        run_features(data, str(image), **options)


def test_nothing_is_written_among_the_clips(data: Path, image: Path) -> None:
    with pytest.raises(UsageError, match="--frames .* would be taken for a move"):
        extract(data, image, frames=data / "frames")
    with pytest.raises(UsageError, match="--cache .* would be taken for a move"):
        extract(data, image, cache=data)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_data_that_cannot_be_written_to_asks_for_a_cache_folder(data: Path, image: Path) -> None:
    data.chmod(0o500)
    try:
        with pytest.raises(UsageError, match="--cache DIR"):
            extract(data, image, progress=False)
    finally:
        data.chmod(0o700)


def test_a_cache_folder_that_is_a_file_asks_for_another(data: Path, image: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UsageError, match="Cannot write features to .*--cache DIR|--cache DIR"):
        extract(data, image, cache=tmp_path / "taken", progress=False)


def test_an_encoder_that_is_none_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no encoder 'poze'"):
        extract(data, "poze", progress=False)
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot be loaded"):
        extract(data, tmp_path / "bad.onnx", progress=False)


def test_a_terminal_gets_a_bar_with_speed_and_time_left() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with show_progress(console, "encoding [b]", 10, 4) as advance:
        for _ in range(6):
            advance()
    assert "encoding [b]" in screen.getvalue()
    assert "10/10" in screen.getvalue() and "clips/s" in screen.getvalue() and "left" in screen.getvalue()


def test_the_shipped_pose_encoder_follows_a_dancer_on_film(shared: Path, tmp_path: Path) -> None:
    for move, name in (("plie", "ballet_plie"), ("tendu", "tendu_reference")):
        (tmp_path / "train" / move).mkdir(parents=True)
        (tmp_path / "train" / move / f"{name}.mp4").write_bytes((shared / "video" / f"{name}.mp4").read_bytes())
    found = extract(tmp_path, "pose", progress=False)
    assert found.encoder.name == "movenet-lightning" and found.encoder.feature_dim == 51
    for clip in found.clips:
        seen = clip.features.reshape(-1, 17, 3)
        assert len(seen) > 0.6 * clip.samples
        assert np.median(seen[:, 15:, 1]) > np.median(seen[:, :5, 1])  # feet below the head
