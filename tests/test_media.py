"""Video files as they come: of every make each frame once at its true time; damaged ones as far as they are good."""

import json
import shutil
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from test_cli import pointe
from toys import draw_clip, make_model

from live.file_source import FileSource
from live.live_source import LiveSource
from live.moves import MoveTracker
from live.options import Options
from live.recognizer import Recognizer
from live.runner import live, run
from live.screen import Screen
from models.damage import Reading
from models.errors import SourceError
from models.frames import Frame, Image, read_video
from scripts.fuzz_media import main as fuzz_media
from scripts.zoo import AV1, FFMPEG, FFPROBE, FIELDS, MAKES, X264, cut_off, encode, number_of, probe

needs_ffprobe = pytest.mark.skipif(FFMPEG is None or FFPROBE is None, reason="needs apt-get install ffmpeg")


@needs_ffprobe
@pytest.mark.parametrize("name", MAKES)
def test_every_frame_of_any_make_of_video_is_read_once_at_its_true_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    MAKES[name](path)
    count, times_s = probe(path)
    reading = Reading(path)
    frames = list(reading)
    assert len(frames) == count >= 20
    numbers = [number_of(frame.image) for frame in frames]
    assert numbers == sorted(set(numbers))  # none twice, none out of order
    period_s = 1 / 30 if name == "mpeg4-b.avi" else 1 / 25
    for index in range(count):  # a bare stream holds no times, and some containers not every one
        if np.isnan(times_s[index]):
            times_s[index] = times_s[index - 1] + period_s if index else 0.0
    assert max(abs(frame.time_s - time_s) for frame, time_s in zip(frames, times_s, strict=True)) < 1e-3
    assert reading.damage() is None


@needs_ffprobe
def test_an_interlaced_video_of_one_frame_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "one.mts"
    encode(path, "25", *X264, *FIELDS, frames=1, first=77)
    assert [number_of(frame.image) for frame in read_video(path)] == [77]


@needs_ffprobe
def test_of_a_video_that_stands_still_every_frame_is_read(tmp_path: Path) -> None:
    path = tmp_path / "still.mp4"
    encode(path, "5", *X264, change="loop=loop=-1:size=1:start=4,", frames=60)
    frames = list(read_video(path))
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2] + [3] * 57
    assert [frame.time_s for frame in frames] == pytest.approx([number / 5 for number in range(60)])


@needs_ffprobe
def test_a_video_in_colours_that_nobody_can_convert_is_refused_and_not_made_up(tmp_path: Path) -> None:
    path = tmp_path / "ycgco.mp4"
    encode(path, "25", *X264, "-x264-params", "colormatrix=YCgCo")
    with pytest.raises(SourceError, match="holds no frame that can be read"):
        list(read_video(path))


@needs_ffprobe
@pytest.mark.parametrize("name", ["h264-50.mkv", "mjpeg.avi", "flash.flv", "fast-start.mp4"])
def test_of_a_video_that_is_cut_off_the_missing_frames_are_counted(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name in MAKES:
        MAKES[name](path)
    else:
        encode(path, "25", *X264, "-movflags", "faststart")
    reading = Reading(cut_off(path, 0.7))
    frames = len(list(reading))
    assert 0 < frames < 40
    damage = reading.damage() or ""
    assert damage.startswith(f"damaged: {frames} of 4") and damage.endswith("frames can be read")


@needs_ffprobe
def test_a_video_that_is_cut_off_and_takes_too_long_to_be_looked_through_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, kept = tmp_path / "whole.mp4", tmp_path / "lesson.mkv"
    encode(whole, "25", *X264, "-movflags", "faststart")
    encode(kept, "25", *X264)
    monkeypatch.setattr("models.damage.PATIENCE_S", 1e-4)
    of_whole, of_mp4, of_mkv = Reading(whole), Reading(cut_off(whole, 0.7)), Reading(cut_off(kept, 0.7))
    assert len(list(of_whole)) == 40 and of_whole.damage() is None
    frames = len(list(of_mp4))
    told = f"perhaps damaged: {frames} of 40 frames can be read, and it could not be looked through"
    assert of_mp4.damage() == told
    frames = len(list(of_mkv))
    assert (of_mkv.damage() or "").startswith(f"damaged: {frames} of 4")  # without edit lists its length is enough


@needs_ffprobe
def test_a_large_video_that_cannot_be_looked_through_is_classified_all_the_same(tmp_path: Path) -> None:
    whole, slow = tmp_path / "whole.mp4", tmp_path / "ffmpeg"
    encode(whole, "25", *X264, "-movflags", "faststart")
    large = cut_off(whole, 0.7).rename(tmp_path / "large.mp4")
    with large.open("r+b") as file:
        file.truncate(300_000_000)
    # A disk that gives the packets too slowly.
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *framecrc*) exec sleep 60;; esac\nexec "{imageio_ffmpeg.get_ffmpeg_exe()}" "$@"\n'
    )
    slow.chmod(0o755)
    model = make_model(tmp_path / "toy")
    arguments = ("classify", large, "--out", tmp_path / "out", "--model", model)
    code, out, err = pointe(*arguments, IMAGEIO_FFMPEG_EXE=str(slow))
    assert code == 0, err
    assert "perhaps damaged" in out


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long video with labels, cut off in its last second, as one clip and as a stream."""
    root = tmp_path_factory.mktemp("cut")
    whole = draw_clip(root / "lesson.mkv", [("none", 1.0), ("plie", 1.0), ("none", 3.0)])
    (root / "streams").mkdir()
    cut_off(whole, 0.7).rename(root / "streams/lesson.mkv")
    moves = [{"move": "plie", "start_s": 1.0, "end_s": 2.0}, {"move": "tendu", "start_s": 4.8, "end_s": 5.0}]
    (root / "streams/lesson.json").write_text(json.dumps({"moves": moves}))
    for move in ("plie", "none"):
        (root / "clips" / move).mkdir(parents=True)
        for name in ("a.mkv", "b.mkv"):
            (root / "clips" / move / name).hardlink_to(root / "streams/lesson.mkv")
    make_model(root / "toy")
    return root


@pytest.mark.parametrize(
    "arguments",
    [
        ("live", "streams/lesson.mkv", "--headless", "--model", "toy"),
        ("classify", "streams", "--out", "out", "--model", "toy"),
        ("eval", "toy", "streams", "--report", "report-streams"),
        ("eval", "toy", "clips", "--report", "report-clips"),
        ("features", "clips", "--encoder", "toy/encoder.onnx"),
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
def test_every_command_says_how_much_of_a_damaged_video_it_could_use(cut: Path, arguments: tuple[str, ...]) -> None:
    _, out, err = pointe(*arguments, cwd=cut)
    assert "of 150 frames can be read" in out + err
    assert "Traceback" not in out + err
    if arguments[0] == "eval":
        assert "of 150 frames can be read" in (cut / arguments[-1] / "report.md").read_text()


def test_of_a_stream_that_is_cut_off_the_labels_count_as_far_as_it_can_be_read(cut: Path) -> None:
    code, _, err = pointe("eval", "toy", "streams", "--report", "report-cut", cwd=cut)
    assert code == 0, err
    together = json.loads((cut / "report-cut" / "report.json").read_text())["everything"]["together"]
    assert (together["danced"], together["found"]) == (1, 1)


@needs_ffprobe
@pytest.mark.parametrize("how", ["it cannot be started", "it is not installed"])
def test_a_command_that_needs_ffmpeg_and_has_none_names_the_doctor(tmp_path: Path, how: str) -> None:
    draw_clip(tmp_path / "clip.mp4", [("plie", 0.5)])
    encode(tmp_path / "av1.mkv", "25", *AV1, frames=10)
    without = {"IMAGEIO_FFMPEG_EXE": str(tmp_path / "missing")}
    if how == "it is not installed":
        package = Path(imageio_ffmpeg.__file__).parent
        shutil.copytree(package, tmp_path / "bare/imageio_ffmpeg", ignore=shutil.ignore_patterns("ffmpeg-*"))
        without = {"PYTHONPATH": str(tmp_path / "bare"), "PATH": "", "CONDA_PREFIX": ""}
    options = ("--headless", "--no-pace", "--model", make_model(tmp_path / "toy"), "--device", "cpu")
    for expected, arguments in (
        (3, ("live", "av1.mkv", *options)),
        (6, ("live", "clip.mp4", *options, "--record", "out.mp4")),
        (3, ("bench", "clip.mp4", "--height", "96")),
    ):
        code, _, err = pointe(*arguments, cwd=tmp_path, **without)
        assert (code, err.count("\n")) == (expected, 2), err
        assert "ffmpeg" in err and "pointe doctor" in err
    assert not (tmp_path / "out.mp4").exists()


@needs_ffprobe
def test_a_picture_that_changes_its_size_is_decoded_elsewhere_too(tmp_path: Path) -> None:
    small, large = tmp_path / "small.obu", tmp_path / "large.obu"
    encode(small, "25", *AV1, frames=20)
    encode(large, "25", *AV1, frames=20, size=(192, 128))
    both = tmp_path / "both.obu"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    shapes = [frame.image.shape for frame in read_video(both)]
    assert len(shapes) == 40


@needs_ffprobe
def test_videos_damaged_at_random_neither_crash_it_nor_hold_it_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_model(tmp_path / "toy")
    wrong = fuzz_media(["--files", "200", "--seed", "3", "--live-every", "100", "--model", str(model)])
    told = capsys.readouterr().out
    assert wrong == 0, told
    outcomes = json.loads(told.splitlines()[-1])["outcomes"]
    assert outcomes["used"] > 20 and outcomes["used in part"] > 20 and outcomes["refused"] > 20


class CameraOf:
    """A camera that films a video, each frame at its own time."""

    def __init__(self, path: Path) -> None:
        self._frames = FileSource(path)
        self.read_at_s: list[float] = []

    def read(self) -> tuple[bool, Image | None]:
        frame: Frame | None = None
        while frame is None and not self._frames.ended:
            frame = self._frames.next(1.0)
        if frame is None:
            time.sleep(0.6)  # nothing comes any more: the move that went on has ended
        else:
            self.read_at_s.append(time.monotonic())
        return frame is not None, frame.image if frame else None

    def get(self, property_id: int) -> float:
        return 30.0

    def release(self) -> None:
        self._frames.close()


def test_a_live_run_that_drops_nothing_sees_the_moves_of_the_file(tmp_path: Path) -> None:
    stretches = [("none", 1.0), ("plie", 1.0), ("none", 1.0), ("saute", 1.0), ("none", 1.0)]
    clip = draw_clip(tmp_path / "clip.mp4", stretches, rate_hz=10)
    model = make_model(tmp_path / "toy")
    options = Options(model=str(model), device="cpu", headless=True, tell=lambda _: None)
    of_file = live(str(clip), options).moves
    recognizer = Recognizer.load(model, "cpu")
    for _ in range(6):  # on a busy machine a frame may be dropped, or come late and with it all that follow
        camera = CameraOf(clip)
        with LiveSource("camera", lambda camera=camera: camera) as source:
            screen = Screen(source, draw=None, show=None, record=None, record_raw=None)
            tracker = MoveTracker(recognizer.card)
            recognizer.reset()
            summary = run(source, recognizer, tracker, screen, on_move=lambda _: None, max_seconds=5.5)
        if summary.dropped == 0 and max(np.diff(camera.read_at_s)) < 0.2:
            break
    assert summary.dropped == 0
    assert [move.name for move in summary.moves] == [move.name for move in of_file] == ["plie", "saute"]
    for seen, expected in zip(summary.moves, of_file, strict=True):
        assert seen.start_s == pytest.approx(expected.start_s, abs=0.25)
        assert seen.end_s == pytest.approx(expected.end_s, abs=0.25)
