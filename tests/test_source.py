"""Sources: a file loses no frame, a live one gives its newest, counts the others and comes back."""

import subprocess
import threading
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from cameras import Camera, EndlessCamera, connecting, wait_until
from toys import draw_clip, picture

from live import live_source as live_source_module
from live import reader as reader_module
from live.file_source import FileSource
from live.source import FrameSource, open_source
from models.errors import SourceError
from models.frames import Frame, read_video
from models.threads import left_running

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return draw_clip(tmp_path / "clip.mp4", [("plie", 0.5), ("tendu", 0.5)])


def next_frame(source: FrameSource) -> Frame:
    frame = source.next(10)
    assert frame is not None
    return frame


@pytest.mark.parametrize("pace", [True, False])
def test_a_file_gives_every_frame_once_with_its_time(clip: Path, pace: bool) -> None:
    with open_source(str(clip), pace=pace) as source:
        got = [(frame.index, frame.time_s) for frame in source]
        assert source.dropped == 0 and source.ended
    assert got == [(frame.index, frame.time_s) for frame in read_video(clip)]
    assert len(got) == 30


def test_a_paced_file_gives_no_frame_before_its_time(clip: Path) -> None:
    with FileSource(clip) as source:
        start_s = time.monotonic()
        for frame in source:
            assert time.monotonic() - start_s >= frame.time_s - 0.001


def test_a_slow_consumer_of_a_file_still_gets_every_frame(clip: Path) -> None:
    with FileSource(clip) as source:
        indices = []
        for frame in source:
            indices.append(frame.index)
            if frame.index == 10:
                time.sleep(0.5)
    assert indices == list(range(30))


def test_a_paused_file_waits_and_goes_on_where_it_was(clip: Path) -> None:
    with FileSource(clip) as source:
        assert next_frame(source).index == 0
        source.pause(True)
        assert source.next(0.05) is None
        assert not source.ended
        source.pause(False)
        assert next_frame(source).index == 1


def test_a_file_knows_its_size_rate_and_name(clip: Path) -> None:
    with open_source(str(clip)) as source:
        assert (source.size, source.rate_hz, source.name, source.live) == ((64, 48), 30, "clip.mp4", False)


def timed_clip(path: Path, times: str, frames: int = 60) -> Path:
    """A clip of 25 pictures a second, moved to other times by an expression of N in units of 1/90000 s."""
    subprocess.run(
        [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=s=64x48:r=25"),
            *("-vf", f"settb=1/90000,setpts={times}", "-frames:v", str(frames), "-fps_mode", "passthrough"),
            *("-enc_time_base", "1/90000", "-c:v", "libx264", "-preset", "superfast", str(path)),
        ],
        check=True,
    )
    return path


@pytest.mark.parametrize(
    ("times", "rate_hz"),
    [
        ("N*3600", 25),  # as named
        (r"N*3600+mod(N\,2)*200", 25),  # jitter
        (r"if(lt(N\,30)\,N*1500\,45000+(N-30)*6000)", 60),  # 60 a second, then 15
        (r"if(lt(N\,30)\,N*9000\,270000+(N-30)*100)", 240),  # no screen shows 900 a second
    ],
)
def test_the_rate_of_a_file_is_that_of_its_closest_pictures(tmp_path: Path, times: str, rate_hz: float) -> None:
    with open_source(str(timed_clip(tmp_path / "clip.mp4", times)), pace=False) as source:
        assert source.rate_hz == pytest.approx(rate_hz, rel=0.06)


def test_a_gap_of_hours_in_a_files_time_stamps_is_not_sat_out(tmp_path: Path) -> None:
    clip = timed_clip(tmp_path / "clip.mkv", r"if(lt(N\,10)\,N*3600\,900000000+N*3600)", frames=20)
    start_s = time.monotonic()
    with FileSource(clip) as source:
        times_s = [frame.time_s for frame in source]
    assert len(times_s) == 20 and times_s[-1] > 9999
    assert time.monotonic() - start_s < 9


@pytest.mark.parametrize("name", ["list.mp4", "list.ffconcat"])
@pytest.mark.parametrize(
    "before",
    [b"ffconcat version 1.0\n", b"\xef\xbb\xbf \r\n\tffconcat version 1.0\n", b"#EXTM3U\n", b"\n #extm3u\n"],
)
def test_a_list_of_other_files_is_no_video(tmp_path: Path, clip: Path, name: str, before: bytes) -> None:
    playlist = tmp_path / name
    playlist.write_bytes(before + b"file clip.mp4\n")
    with pytest.raises(SourceError, match=f"{name} is a list of other files"):
        open_source(str(playlist))


def test_closing_a_file_early_leaves_no_thread(clip: Path) -> None:
    source = open_source(str(clip), pace=False)
    next_frame(source)
    source.close()
    assert left_running() == []


def test_a_file_is_closed_also_when_the_body_raises(clip: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_source(str(clip), pace=False):
        raise ZeroDivisionError
    assert left_running() == []


def test_a_file_that_is_no_video_is_an_error_at_once(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("this is no video")
    with pytest.raises(SourceError, match=r"notes\.mp4"):
        open_source(str(text))


def test_a_webcam_gives_its_newest_frame_and_counts_the_others() -> None:
    cameras = [EndlessCamera()]
    with open_source("0", connect=connecting(cameras)) as source:
        taken = [next_frame(source)]
        wait_until(lambda: cameras[0].asked > 50)
        taken.append(next_frame(source))
        assert taken[1].index > 40
    assert cameras[0].released_in == cameras[0].read_in == "pointe: capture"
    assert cameras[0].asked == len(taken) + source.dropped


def test_the_times_of_a_live_source_start_at_zero_and_increase() -> None:
    with open_source("0", connect=connecting([EndlessCamera()])) as source:
        times = [next_frame(source).time_s for _ in range(20)]
        assert source.now_s is not None and source.now_s >= times[-1]
    assert 0 <= times[0] < 0.5  # 0 unless a busy machine dropped the first
    assert all(np.diff(times) > 0)


def test_a_camera_that_names_no_believable_rate_is_given_the_usual_one() -> None:
    for said_hz, taken_hz in ((0, 30), (180000, 30), (float("nan"), 30), (25, 25)):
        with open_source("0", connect=connecting([Camera([picture("plie")] * 3, said_hz)])) as source:
            assert source.rate_hz == taken_hz


def test_a_first_open_that_fails_is_an_error_at_once() -> None:
    with pytest.raises(SourceError, match="camera 0: unplugged") as caught:
        open_source("0", connect=connecting(["unplugged"]))
    assert caught.value.exit_code == 3


def test_a_camera_that_opens_but_gives_no_frame_is_an_error_too() -> None:
    camera = Camera([])
    with pytest.raises(SourceError, match="gives no frame"):
        open_source("0", connect=connecting([camera]))
    assert camera.released_in == "pointe: capture"


def test_a_camera_that_fails_is_opened_again_with_the_reason_on_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_module, "BACK_OFF_S", (0.3, 0.1))
    again = EndlessCamera()
    cameras = connecting([Camera([picture("plie")] * 2), "unplugged", "unplugged", again])
    seen = set()
    with open_source("0", connect=cameras) as source:
        first = next_frame(source)
        while again.asked == 0:
            seen.add(source.status)
            time.sleep(0.01)
        wait_until(lambda: source.status is None)
        later = [frame for _ in range(3) if (frame := source.next(10))]
    assert {status for status in seen if status and "unplugged" in status}
    assert first.time_s < later[-1].time_s
    assert later[-1].index > 1


def test_waits_between_attempts_grow_and_then_stay() -> None:
    assert [live_source_module.wait_before(attempt) for attempt in range(7)] == [1, 2, 4, 5, 5, 5, 5]


def test_a_live_source_without_frames_is_called_stale() -> None:
    go_on = threading.Event()

    class Freezing(Camera):
        def read(self) -> tuple[bool, np.ndarray | None]:
            if self.read_in:
                go_on.wait(5)
            return super().read()

    with open_source("0", connect=connecting([Freezing([picture("plie")] * 2)])) as source:
        next_frame(source)
        wait_until(lambda: source.status is not None)
        assert source.status is not None and source.status.startswith("stale ")
        go_on.set()


def test_a_read_that_ran_into_its_time_out_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "LOST_S", 0.05)
    monkeypatch.setattr(live_source_module, "BACK_OFF_S", (0.001,))

    class Slow(Camera):
        def read(self) -> tuple[bool, np.ndarray | None]:
            if self.read_in:
                time.sleep(0.1)
            return super().read()

    old = Slow([picture("plie")] + [picture("saute")] * 5)
    others = (EndlessCamera() for _ in range(1000))  # on a busy machine one of them may be as slow
    with open_source("0", connect=connecting([old, *others])) as source:
        images = [next_frame(source).image for _ in range(5)]
    assert all((image == picture("plie")).all() for image in images)


def test_closing_while_it_waits_to_reconnect_does_not_wait() -> None:
    source = open_source("0", connect=connecting([Camera([picture("plie")])]))
    next_frame(source)
    wait_until(lambda: source.status is not None)
    source.close()
    assert left_running() == []


def test_a_reader_that_hangs_is_left_behind_and_can_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_module, "LEAVE_S", 0.05)
    go_on = threading.Event()

    class Hanging(Camera):
        def read(self) -> tuple[bool, np.ndarray | None]:
            if self.read_in:
                go_on.wait(10)
            return super().read()

    camera = Hanging([picture("plie")] * 2)
    source = open_source("0", connect=connecting([camera]))
    source.close()
    assert left_running() == ["pointe: capture"]
    assert camera.released_in is None  # never while it reads
    go_on.set()
    wait_until(lambda: left_running() == [])
    assert camera.released_in == "pointe: capture"


def test_a_webcam_that_is_not_there_is_an_error_that_lists_those_that_are() -> None:
    if Path("/dev/video99").exists():
        pytest.skip("there is a camera 99")
    with pytest.raises(SourceError, match="/dev/video99 does not exist"):
        open_source("99")
