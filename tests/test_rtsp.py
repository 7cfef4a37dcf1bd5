"""A real RTSP server on loopback: frames arrive, moves are found, a server that dies comes back, no password shows."""

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from toys import draw_clip, make_model

from live.options import Options
from live.runner import live
from live.source import FrameSource, open_source
from models.errors import SourceError
from models.threads import left_running
from scripts.rtsp import PYTHON, Server, free_port

NEEDED = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [name for name in ("qtdemux", "h264parse", "rtph264pay") if not Gst.ElementFactory.find(name)]
assert not missing, missing
"""
PASSWORD = "s3cr3t"


@pytest.fixture(scope="module", autouse=True)
def gstreamer() -> None:
    """Skips all of this where GStreamer's RTSP server is not installed."""
    if not Path(PYTHON).exists():
        pytest.skip(f"there is no {PYTHON}")
    if subprocess.run([PYTHON, "-c", NEEDED], capture_output=True).returncode:
        pytest.skip(
            "needs apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-{base,good,bad,ugly}"
        )


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    until_s = time.monotonic() + 10  # one that was left behind in OpenCV ends with its time-out
    while left_running() and time.monotonic() < until_s:
        time.sleep(0.05)
    assert left_running() == []


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stretches = [("none", 1.5), ("plie", 1.5), ("none", 1.0), ("saute", 1.5), ("none", 6.0)]
    return draw_clip(tmp_path_factory.mktemp("rtsp") / "clip.mp4", stretches, size=(160, 120))


def frames_until(source: FrameSource, count: int, patience_s: float = 30) -> list[float]:
    """The times of the next frames."""
    until_s, times = time.monotonic() + patience_s, []
    while len(times) < count:
        assert time.monotonic() < until_s, f"only {len(times)} frames came; {source.status}"
        frame = source.next(0.1)
        if frame is not None:
            times.append(frame.time_s)
    return times


def since(source: FrameSource, time_s: float) -> float:
    assert source.now_s is not None
    return source.now_s - time_s


def status_within(source: FrameSource, patience_s: float) -> str:
    until_s = time.monotonic() + patience_s
    while source.status is None:
        assert time.monotonic() < until_s, "the outage was not noticed"
        source.next(0.05)
    return source.status


def test_frames_arrive_with_increasing_times_and_all_are_accounted_for(clip: Path) -> None:
    with Server(clip) as server, open_source(server.url) as source:
        assert source.size == (160, 120)
        assert source.live and source.name == server.url
        times = frames_until(source, 30)
        assert source.status is None
    assert times == sorted(set(times))


def test_the_moves_of_a_stream_are_found(clip: Path, tmp_path: Path) -> None:
    model = make_model(tmp_path / "toy")
    options = Options(
        model=str(model),
        device="cpu",
        headless=True,
        record=tmp_path / "out.mp4",
        max_seconds=7,
        tell=lambda line: None,
    )
    with Server(clip) as server:
        summary = live(server.url, options)
    assert [move.name for move in summary.moves] == ["plie", "saute"]
    # The server sends what it has at once, so the beginning of a stream is shorter than the clip's.
    for move, start_s in zip(summary.moves, (1.5, 4.0), strict=True):
        assert start_s - 1.5 < move.start_s < start_s + 1
        assert 1.0 < move.end_s - move.start_s < 2.5
    assert summary.frames == summary.answered + summary.dropped
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_a_server_that_is_killed_and_started_again_is_found_again(clip: Path) -> None:
    with Server(clip) as server, open_source(server.url) as source:
        before = frames_until(source, 10)
        server.close()
        while frame := source.next(0.3):
            before.append(frame.time_s)
        assert status_within(source, 5)
        while "refused" not in (source.status or ""):
            source.next(0.1)
        server.start()
        after = frames_until(source, 10)
        assert source.status is None
    assert after[0] > before[-1]


def test_a_server_that_freezes_is_noticed_and_found_again_without_old_frames(clip: Path) -> None:
    with Server(clip) as server, open_source(server.url) as source:
        before = frames_until(source, 10)
        server.send(signal.SIGSTOP)
        while frame := source.next(0.3):
            before.append(frame.time_s)
        frozen_s = source.now_s
        assert status_within(source, 5).startswith("stale")
        print(f"stale after {since(source, before[-1]):.2f} s")
        assert since(source, before[-1]) < 2  # 1 on a machine with nothing else to do
        while source.reconnects == 0:  # also while OpenCV's read of the old connection still blocks
            source.next(0.05)
        print(f"connects again after {since(source, before[-1]):.2f} s")
        assert since(source, before[-1]) < 6  # likewise 5
        assert "no frame" in (source.status or "")
        server.send(signal.SIGCONT)
        after = frames_until(source, 10)
    assert frozen_s is not None and after[0] > frozen_s + 2


def test_a_password_opens_the_stream(clip: Path) -> None:
    with Server(clip, "test", "anna", PASSWORD) as server:
        url = server.url.replace("rtsp://", f"rtsp://anna:{PASSWORD}@")
        with open_source(url) as source:
            frames_until(source, 5)
            assert source.name == server.url.replace("rtsp://", "rtsp://***@")


def test_no_output_of_a_stream_holds_its_password(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", PASSWORD)
    lines: list[str] = []
    options = Options(
        model=str(make_model(tmp_path / "toy")),
        device="cpu",
        headless=True,
        record=tmp_path / "drawn.mp4",
        record_raw=tmp_path / "raw.mp4",
        events=tmp_path / "moves.jsonl",
        max_seconds=3,
        tell=lines.append,
    )
    with Server(clip, "test", "anna", PASSWORD) as server:
        live(server.url.replace("rtsp://", "rtsp://anna:${CAMERA_PASSWORD}@"), options)
    written = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(written) == 3 and all(path.stat().st_size for path in written[:2])
    assert not [path.name for path in written if PASSWORD.encode() in path.read_bytes()]
    native = capfd.readouterr()
    assert PASSWORD not in native.out + native.err + "".join(lines)


def test_whatever_is_wrong_is_said_in_two_lines_without_the_password(
    clip: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(clip, "test", "anna", PASSWORD) as locked, Server(clip) as plain:
        for address, said in (
            (f"rtsp://anna:not{PASSWORD}@127.0.0.1:{locked.port}/test", "user or password refused"),
            (f"rtsp://127.0.0.1:{locked.port}/test", "asks for a user and password"),
            (f"rtsp://anna:{PASSWORD}@127.0.0.1:{locked.port}/nothing", "no such path"),
            (f"rtsp://anna:{PASSWORD}@127.0.0.1:{plain.port}/nothing", "no such path"),
            (f"rtsp://anna:{PASSWORD}@127.0.0.1:{free_port()}/test", "refused"),
            (f"http://anna:{PASSWORD}@127.0.0.1:{plain.port}/test", "refused by the server"),
        ):
            with pytest.raises(SourceError) as caught:
                open_source(address)
            text = str(caught.value)
            assert said in text and "127.0.0.1" in text
            assert PASSWORD not in text
            assert len(text.splitlines()) == 2
    native = capfd.readouterr()
    assert PASSWORD not in native.out + native.err + caplog.text


def test_a_host_that_never_answers_is_given_up_in_time() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(SourceError, match="no answer"):
            open_source(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/test")


def test_a_playlist_from_the_net_reaches_no_file(clip: Path, tmp_path: Path) -> None:
    segment = tmp_path / "segment.ts"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", clip, "-c", "copy", segment], check=True)
    for name, target in (("own.m3u8", segment.name), ("file.m3u8", f"file://{segment}")):
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:12", "#EXTINF:12,", target, "#EXT-X-ENDLIST", ""]
        (tmp_path / name).write_text("\n".join(lines))
    port = free_port()
    command = [PYTHON, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        with open_source(f"http://127.0.0.1:{port}/own.m3u8") as source:
            assert source.size == (160, 120)
        with pytest.raises(SourceError, match="no video"):
            open_source(f"http://127.0.0.1:{port}/file.m3u8")
    finally:
        server.kill()
        server.wait()


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def test_ffmpegs_options_are_not_left_in_the_environment(clip: Path) -> None:
    before = dict(os.environ)
    with Server(clip) as server, open_source(server.url):
        pass
    changed = {name for name in os.environ | before if os.environ.get(name) != before.get(name)}
    assert changed <= {"OPENCV_FFMPEG_LOGLEVEL"}
