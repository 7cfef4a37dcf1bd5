"""Sources that attack are not opened, passwords are not shown, and names from outside break out of nothing."""

import json
import os
import re
import select
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cli import pointe, start
from toys import draw_clip, make_model

from live.address import Address, understand
from live.classify import classify
from live.source import open_source
from models.errors import SourceError
from models.frames import read_video

SECRET = "s3cr3t"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that would notice if anybody came."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def nobody_came(server: socket.socket) -> bool:
    return not select.select([server], [], [], 0.1)[0]


ATTACKS = [
    "concat:{clip}|{clip}",
    "concatf:{clip}",
    "subfile,,start,0,end,900,,:{clip}",
    "data:text/plain;base64,AAAA",
    "file:{clip}",
    "file://{clip}",
    "FILE:///etc/passwd",
    "async:{clip}",
    "cache:{clip}",
    "crypto:{clip}",
    "md5:{folder}/written",
    "tee:{folder}/written",
    "pipe:0",
    "fd:0",
    "unix:{folder}/socket",
    "ftp://127.0.0.1:{port}/a.mp4",
    "tcp://127.0.0.1:{port}",
    "rtmp://127.0.0.1:{port}/live",
    "gopher://127.0.0.1:{port}/",
    "srt://127.0.0.1:{port}",
    "udp://127.0.0.1:{port}",
    "http:127.0.0.1:{port}/a.mp4",
    "rtsp://127.0.0.1:{port}/a\r\nTEARDOWN rtsp://x",
    "rtsp://127.0.0.1:{port}/a\0b",
    "{folder}/fifo",
    "{folder}/socket",
    "{folder}/zero.mp4",
    "/dev/zero",
    "/dev/../dev/zero",
    "/proc/self/fd",
    "lavfi:testsrc",
    "glob:{folder}/*.mp4",
    "rtsp://a..b/x",
    "rtsp://" + "a" * 64 + "/x",
]


@pytest.mark.skipif(sys.platform == "win32", reason="files as Unix has them")
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_user_cannot_mean_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: socket.socket, attack: str
) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 0.2)])
    os.mkfifo(tmp_path / "fifo")  # to open it would wait for ever
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    text = attack.format(clip=clip, folder=tmp_path, port=listener.getsockname()[1])
    with socket.socket(socket.AF_UNIX) as unix:
        monkeypatch.chdir(tmp_path)
        unix.bind("socket")  # relative, since such an address is short
        unix.listen()
        with pytest.raises(SourceError) as refusal:
            open_source(text)
        assert nobody_came(unix) and nobody_came(listener)
    assert not (tmp_path / "written").exists()
    assert len(str(refusal.value).splitlines()) <= 2


LISTS = {
    "ffconcat": "ffconcat version 1.0\nfile '{clip}'\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n",
    "hls with blanks before": "\ufeff \n\t#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n",
    "dash": '<?xml version="1.0"?>\n<MPD><Period><BaseURL>{clip}</BaseURL></Period></MPD>\n',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".sdp"])
def test_a_list_of_other_files_is_opened_by_no_command(
    tmp_path: Path, listener: socket.socket, kind: str, suffix: str
) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 0.2)])
    path = tmp_path / f"list{suffix}"
    path.write_text(LISTS[kind].format(clip=clip, port=listener.getsockname()[1]), "utf-8")
    with pytest.raises(SourceError, match="list of other files"):
        open_source(str(path))
    with pytest.raises(SourceError, match="list of other files"):
        next(read_video(path))
    assert nobody_came(listener)


SHAPES = [
    "rtsp://anna:s3cr3t@127.0.0.1:{port}/cam",
    "rtsp://s3cr3t@127.0.0.1:{port}/cam",
    "rtsp://:s3cr3t@127.0.0.1:{port}/cam",
    "RTSP://anna:s3cr3t@127.0.0.1:{port}/cam",
    "rtsp://anna:%40%2Fs3cr3t@127.0.0.1:{port}/cam",
    "rtsp://anna:x@s3cr3t@127.0.0.1:{port}/cam",
    "rtsp://anna:s3cr3t/x@127.0.0.1:{port}/cam",
    "rtsp://anna:žš-s3cr3t@127.0.0.1:{port}/cam",
    "rtsp://127.0.0.1:{port}/cam?password=s3cr3t",
    "rtsp://127.0.0.1:{port}/cam?channel=1&token=s3cr3t",
    "rtsp://127.0.0.1:{port}/cam?auth=s3cr3t#s3cr3t",
    "rtsp://127.0.0.1:{port}/user=anna_password=s3cr3t_channel=1.sdp",
    "http://anna:s3cr3t@127.0.0.1:{port}/video.mjpg",
    "https://anna:s3cr3t@127.0.0.1:{port}/live.m3u8",
    "rtsps://anna:s3cr3t@127.0.0.1:{port}/cam",
    "rtsp://anna:s3cr3t@[::1]:{port}/cam",
    "rtsp://anna:s3cr3t@127.0.0.1:99999/cam",
    "rtsp://anna:s3cr3t@127.0.0.1:0/cam",
    "rtsp://anna:s3cr3t@127.0.0.1:{port}/c am",
    "rtsp:/anna:s3cr3t@127.0.0.1:{port}/cam",
    "anna:s3cr3t@127.0.0.1:{port}/cam",
    "rtsp:anna:s3cr3t@127.0.0.1:{port}/cam",
    "anna:s3cr3t@127.0.0.1:{port}/cam?token=s3cr3t",
    "anna:s3cr3t@127.0.0.1:{port}/cam?token=" + "s3cr3t" * 50,
    "ftp://anna:s3cr3t@127.0.0.1:{port}/cam",
    "rtsp://anna:${{POINTE_TEST_PASSWORD}}@127.0.0.1:{port}/cam",
    "rtsp://127.0.0.1:{port}/${{POINTE_TEST_PASSWORD}}/cam",
]


def refusing_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_password_is_shown_nowhere_whatever_the_shape_of_the_address(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    monkeypatch.setenv("POINTE_TEST_PASSWORD", SECRET)
    monkeypatch.setenv("OPENCV_FFMPEG_DEBUG", "1")
    monkeypatch.setenv("OPENCV_FFMPEG_LOGLEVEL", "56")
    address = shape.format(port=refusing_port())
    with pytest.raises(SourceError) as refusal:
        open_source(address)
    native = capfd.readouterr()
    assert SECRET not in str(refusal.value) + native.out + native.err
    if not address.startswith("ftp:") and "t/x@" not in address:  # FFmpeg would take what comes before / for the host
        assert "127.0.0.1" in str(refusal.value) or "[::1]" in str(refusal.value)


LONG = "anna:s3cr3t@host/cam?token=" + "s3cr3t" * 50  # longer than the name of a file may be


@pytest.mark.parametrize(
    "address", ["rtsp://anna:s3cr3t@127.0.0.1:{port}/cam?token=s3cr3t", "anna:s3cr3t@host/cam", LONG]
)
def test_no_command_shows_a_password_even_when_the_libraries_are_to_talk(tmp_path: Path, address: str) -> None:
    given = address.format(port=refusing_port())
    talk = {
        "OPENCV_FFMPEG_DEBUG": "1",
        "OPENCV_FFMPEG_LOGLEVEL": "56",
        "OPENCV_LOG_LEVEL": "VERBOSE",
        "OPENCV_VIDEOIO_DEBUG": "1",
    }
    outputs = ("--record", "a.mp4", "--events", "a.jsonl")
    for command in (("live", given, "--headless", *outputs), ("bench", given), ("classify", given, "--out", "o")):
        code, out, err = pointe(*command, cwd=tmp_path, **talk)
        assert code in (2, 3), err
        assert SECRET not in out + err and "Traceback" not in err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


ADDRESS = f"rtsp://anna:'{SECRET}@127.0.0.1/cam"


@pytest.mark.parametrize(
    "arguments",
    [
        (ADDRESS,),
        (ADDRESS.removeprefix("rtsp://"),),
        ("bench", "demo", ADDRESS),
        ("live", "demo", "--device", ADDRESS),
        ("live", "demo", f"--log-format={ADDRESS}"),
        ("live", "demo", "--headless", "--model", ADDRESS, "--log-format", "json"),
        ("eval", "ballet", ADDRESS),
        ("features", ADDRESS),
        ("train", ADDRESS, "run"),
        ("live", "demo", "--headless", "--events", f"{ADDRESS}.jsonl"),
        ("live", "demo", "--headless", "--record", f"{ADDRESS}.mp4"),
    ],
    ids=lambda arguments: " ".join(arguments[:-1]) or arguments[0][:4],
)
def test_an_address_in_the_wrong_place_shows_no_password(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = pointe(*arguments, cwd=tmp_path)
    assert code in (2, 4), err
    assert "***@127.0.0.1/cam" in err and SECRET not in out + err
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="the process list as Linux has it")
@pytest.mark.parametrize("film", ["café.mp4", os.fsdecode(b"caf\xe9.mp4")])
def test_the_process_list_shows_the_host_but_no_password(tmp_path: Path, listener: socket.socket, film: str) -> None:
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    source = f"rtsp://anna:{SECRET}@{host}/cam?token={SECRET}"
    process = start("live", source, "--headless", "--record", film, cwd=tmp_path)
    try:
        until_s = time.monotonic() + 20
        while True:
            title = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode(errors="replace")
            if "***" in title:
                break
            assert process.poll() is None and time.monotonic() < until_s, title
            time.sleep(0.02)
        assert host in title and SECRET not in title
    finally:
        process.kill()
        process.communicate()


def test_variables_of_the_environment_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAM_PASSWORD", "p@ss/w:rd%41")
    monkeypatch.setenv("CAM_HOST", "studio.example:8554")
    monkeypatch.setenv("CAM", "rtsp://anna:s3cr3t@studio.example/cam")
    login = understand("rtsp://anna:${CAM_PASSWORD}@${CAM_HOST}/cam/${CAM_HOST}")
    assert isinstance(login, Address)
    assert login.url == "rtsp://anna:p%40ss%2Fw%3Ard%2541@studio.example:8554/cam/studio.example:8554"
    whole = understand("${CAM}")
    assert isinstance(whole, Address)
    assert whole.url == "rtsp://anna:s3cr3t@studio.example/cam"
    assert whole.shown == "rtsp://***@studio.example/cam"


@pytest.mark.parametrize("text", ["rtsp://h:99999/${KEY}", "rtsp://h/${KEY}/b c", "${ADDRESS}"])
def test_an_address_that_is_none_is_quoted_with_its_variables_and_not_with_what_they_hold(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("ADDRESS", f"rtsp://h/top {SECRET}")
    with pytest.raises(SourceError) as refusal:
        understand(text)
    assert SECRET not in str(refusal.value) and len(str(refusal.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["rtsp://anna:${CAM_NOT_SET}@host/cam", "${CAM_NOT_SET}", "rtsp://h/${CAM_NOT_SET}"])
def test_a_variable_that_is_not_set_is_named(text: str) -> None:
    with pytest.raises(SourceError, match="CAM_NOT_SET, which is not set"):
        understand(text)


@pytest.mark.parametrize("value", ["/etc/passwd", "concat:a|b", "file:///etc/passwd", "-"])
def test_a_variable_opens_nothing_that_could_not_be_named_itself(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CAM", value)
    with pytest.raises(SourceError, match="holds no address"):
        understand("${CAM}")


NASTY = [
    *("[bold red]x.mp4", "=HYPERLINK(1).mp4", "a\x1b[2J\x1b]0;t\x07.mp4", "a\rb.mp4", "a\nb.mp4"),
    *("<b>&'\".mp4", "-x.mp4", "`x`.mp4"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="names as Unix allows them")
def test_names_of_files_reach_neither_the_terminal_nor_another_folder(tmp_path: Path) -> None:
    model = make_model(tmp_path / "toy")
    clip = draw_clip(tmp_path / "clip.mp4", [("none", 0.5), ("plie", 1.0)])
    for move in ("plie", "none"):
        (tmp_path / "clips" / move).mkdir(parents=True)
        for name in NASTY:
            shutil.copy(clip, tmp_path / "clips" / move / name)
    (tmp_path / "clips/plie/bad\x1b[31m.mp4").write_bytes(b"junk" * 100)
    for command in (
        ("classify", "clips", "--out", "out", "--model", model),
        ("features", "clips", "--encoder", model / "encoder.onnx"),
        ("eval", model, "clips", "--report", "report"),
        ("live", "clips/plie/" + NASTY[2], "--headless", "--model", model),
        ("live", "clips/plie/bad\x1b[31m.mp4", "--headless", "--model", model),
    ):
        code, out, err = pointe(*command, cwd=tmp_path)
        assert code in (0, 3, 6), err
        assert "\x1b" not in out + err and "\x07" not in out + err and "\r" not in out + err
        assert "Traceback" not in err
    names = {path.name for path in (tmp_path / "out/plie").iterdir()}
    assert names == {f"{name}.jsonl" for name in NASTY}
    told = json.loads((tmp_path / "out/summary.json").read_text())
    assert len(told["videos"]) == 2 * len(NASTY)
    page = (tmp_path / "report/report.md").read_text()
    assert "\x1b" not in page and "<b>" not in re.sub(r"``.+?``|`.+?`", "", page)


def test_a_move_called_like_a_formula_or_markup_is_shown_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from live.classify import print_summary
    from models.card import MoveClass

    moves = (MoveClass(name="none", display="none"), MoveClass(name="plie", display="[red]=1+1</a>"))
    rest = tuple(MoveClass(name=name, display=name) for name in ("tendu", "saute"))
    model = make_model(tmp_path / "toy", moves=(*moves, *rest))
    clip = draw_clip(tmp_path / "clip.mp4", [("none", 0.5), ("plie", 1.0), ("none", 0.5)])
    summary = classify([str(clip)], tmp_path / "out", model=str(model), device="cpu", jobs=1, events="csv")
    print_summary(summary)
    assert "[red]=1+1</a> 1" in capsys.readouterr().out
    assert (tmp_path / "out/clip.mp4.csv").read_text().splitlines()[1].startswith("plie,")
