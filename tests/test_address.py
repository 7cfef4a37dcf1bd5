"""What is opened, what is refused unopened, and what of an address is shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.address import Address, Camera, File, redact, understand
from models.errors import SourceError


def test_cameras_addresses_and_files_are_understood(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    assert understand("0") == Camera(0)
    assert understand("/dev/video2") == Camera("/dev/video2")
    assert understand("rtsp://host/path") == Address("rtsp://host/path")
    assert understand("RTSPS://host:322/") == Address("RTSPS://host:322/")
    assert understand(str(clip)) == File(clip)


def test_a_file_named_like_a_protocol_is_opened_as_the_file_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("concat:a.mp4").touch()
    place = understand("concat:a.mp4")
    assert place == File(tmp_path / "concat:a.mp4")


@pytest.mark.parametrize(
    "text",
    [
        "concat:/etc/passwd|/etc/hosts",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "data:text/plain;base64,AAAA",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "pipe:0",
        "tcp://127.0.0.1:80",
        "udp://127.0.0.1:80",
        "rtmp://host/live",
        "ftp://host/a.mp4",
        "smb://host/a.mp4",
        "crypto+file:///etc/passwd",
        "rtsp:/host",
        "rtsp://",
        "rtsp://:secret@/path",
        "rtsp://host:99999/path",
        "rtsp://host:0/path",
        "rtsp://host/pa th",
        "rtsp://host/path\r\nX: y",
        "/dev/zero",
        "/dev/stdin",
        "/dev/video0/../zero",
        "/etc",
        "-1",
        "",
        "a\0b",
        "/dev/video",
        "٣",
        "a" * 300,
        "a/" * 3000,
    ],
)
def test_whatever_else_is_named_is_refused_unopened_in_two_lines_at_most(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        understand(text)
    assert len(str(caught.value).splitlines()) <= 2
    assert str(caught.value).replace("\n", "").isprintable()
    assert caught.value.exit_code == 3


SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "address",
    [
        f"rtsp://anna:{SECRET}@studio.example:554/cam",
        f"RTSP://anna:{SECRET}@studio.example/cam",
        f"rtsps://anna:{SECRET}@studio.example/cam",
        f"rtsp://:{SECRET}@studio.example/",
        f"rtsp://{SECRET}@studio.example",
        f"rtsp://anna:x@{SECRET}@studio.example/cam",
        f"rtsp://anna:%40{SECRET}@studio.example/cam",
        f"rtsp://studio.example/cam?user=anna&password={SECRET}",
        f"rtsp://studio.example/user=anna_password={SECRET}_channel=1",
        f"rtsp://studio.example/cam#{SECRET}",
        f"http://anna:{SECRET}@studio.example:8080/video.mjpg?key={SECRET}",
        f"https://studio.example/token/{SECRET}/live.m3u8",
        f"rtsp://anna:{SECRET}@studio.example/user:{SECRET}@x",
    ],
)
def test_no_password_of_an_address_is_shown_and_its_host_is(address: str) -> None:
    assert SECRET not in redact(address)
    assert "studio.example" in redact(address)


@pytest.mark.parametrize("raw", [f"ab/{SECRET}", f"12/{SECRET}", f"a?{SECRET}", f"a#{SECRET}", f"a/b@{SECRET}"])
def test_a_password_that_should_have_been_escaped_is_not_shown_either(raw: str) -> None:
    assert SECRET not in redact(f"rtsp://anna:{raw}@studio.example/cam")


def test_an_address_without_secrets_is_shown_as_it_is() -> None:
    assert redact("rtsp://studio.example:8554/cam/1") == "rtsp://studio.example:8554/cam/1"
    assert redact("rtsp://[::1]:8554/cam") == "rtsp://[::1]:8554/cam"


@given(st.text(), st.text())
def test_what_is_shown_of_any_text_is_one_printable_line(user: str, path: str) -> None:
    shown = redact(f"rtsp://{user}@host/{path}")
    assert shown.isprintable()
    assert len(shown) <= 200


@pytest.mark.parametrize("address", [f"rtsp://anna:{SECRET}@host:99999/x", f"rtsp://anna:{SECRET}@[bad/x"])
def test_an_address_that_is_refused_is_quoted_without_its_password(address: str) -> None:
    with pytest.raises(SourceError) as caught:
        understand(address)
    assert SECRET not in str(caught.value)
