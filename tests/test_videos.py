"""What is found behind the names of files, folders and patterns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from live.videos import Failed, find_videos

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.mp4", "b.MOV", "notes.txt", ".DS_Store", ".hidden.mp4", "mon/c.mp4", "mon/late/d.mp4", ".x/e.mp4"):
        (tmp_path / "v" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "v" / name).touch()
    (tmp_path / "v/mon/round").symlink_to(tmp_path / "v")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("v/*", ["a.mp4", "b.MOV", "mon/c.mp4", "mon/late/d.mp4"]),
        ("v/**", ["a.mp4", "b.MOV", "mon/c.mp4", "mon/late/d.mp4"]),
        ("v/**/*", ["a.mp4", "b.MOV", "mon/c.mp4", "mon/late/d.mp4"]),
        ("v/*/**", ["mon/c.mp4", "mon/late/d.mp4"]),
        ("v/**/*.mp4", ["a.mp4", "mon/c.mp4", "mon/late/d.mp4"]),
        ("v/a**.mp4", ["a.mp4"]),
        ("v/***.mp4", ["a.mp4"]),
        ("v/[ab].*", ["a.mp4", "b.MOV"]),
        ("v/*.txt", ["notes.txt"]),  # named by its suffix: it is tried
        ("v/.h*.mp4", [".hidden.mp4"]),
        ("v/*/d.mp4", []),
        ("v/*/../a.mp4", ["a.mp4"]),
        ("v/*/late/../../*.MOV", ["b.MOV"]),
        ("v/" + "a" * 300 + "*", []),
    ],
)
def test_a_pattern_finds_what_a_shell_would_without_what_is_no_video(
    folder: Path, pattern: str, expected: list[str]
) -> None:
    videos, failed = find_videos([pattern])
    assert [str(video.path.relative_to(folder / "v")) for video in videos] == expected
    names = [str(video.wanted) for video in videos]
    assert names == (expected if ".." not in pattern else [name.removeprefix("mon/") for name in expected])
    assert failed == ([] if expected else [Failed(failed[0].video, "no video matches this")])


def test_a_video_is_found_once_by_whatever_way_it_is_named(folder: Path) -> None:
    videos, _ = find_videos(["v/a.mp4", "v/mon/../a.mp4", "v/*/../a.mp4", str(folder / "v/mon/late/../../a.mp4")])
    assert [video.path for video in videos] == [folder / "v/a.mp4"]


def test_a_pattern_that_no_file_can_match_is_told(folder: Path) -> None:
    (failed,) = find_videos(["v/*/" + "a" * 300])[1]
    assert failed.reason in ("file name too long", "no video matches this")  # as this Python has it


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
@pytest.mark.parametrize("suffix", [b".mp4", b".caf\xe9", b"." + b"x" * 230])
def test_a_long_name_is_cut_whatever_its_suffix(folder: Path, suffix: bytes) -> None:
    path = Path(os.fsdecode(b"a" * (250 - len(suffix)) + suffix))
    path.touch()
    ((video,), _) = find_videos([str(path)])
    assert 190 < len(os.fsencode(video.wanted)) <= 200


@pytest.mark.skipif(sys.platform == "win32", reason="folders are closed as Unix does it")
@pytest.mark.parametrize("named", ["v", "v/*", "v/**"])
def test_a_folder_that_is_closed_is_told_and_the_rest_is_found(folder: Path, named: str) -> None:
    (folder / "v/mon").chmod(0)
    code = (
        "import os, sys; from live.videos import find_videos;"
        "os.chdir(sys.argv[1]); os.getuid() or os.setuid(65534);"  # root may read everything
        "videos, failed = find_videos(sys.argv[2:]);"
        "print([video.path.name for video in videos], failed[0].video, failed[0].reason, len(failed))"
    )
    folder.chmod(0o755)  # the folder of a test is closed to all but its user
    try:
        done = subprocess.run([sys.executable, "-c", code, folder, named], capture_output=True, text=True, cwd=ROOT)
    finally:
        (folder / "v/mon").chmod(0o755)
    assert done.stdout == "['a.mp4', 'b.MOV'] v/mon this folder cannot be read: permission denied 1\n", done.stderr
