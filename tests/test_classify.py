"""Many videos at once: each in a file of its own, gone on with where it was stopped, whatever one of them does."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from cameras import wait_until
from test_at_once import assert_ended_with_its_parent
from test_cli import START, pointe, start
from toys import draw_clip, make_card, make_model

from live import workers
from live.classify import Summary, classify
from live.moves import MoveTracker
from live.options import Options
from live.recognizer import Recognizer
from live.results import Results
from live.runner import live
from live.videos import Video
from live.workers import Classified
from models.card import sha256_of
from models.errors import ModelError, SourceError, UsageError
from models.frames import Frame, read_video
from scripts.footprint import children_of
from scripts.zoo import AV1, FFMPEG, encode


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos of one name in several folders, and what is no video."""
    root = tmp_path_factory.mktemp("recordings")
    for place, move in (("mon/lesson.mp4", "plie"), ("tue/lesson.mp4", "saute"), ("tue/late/lesson.mp4", "tendu")):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        draw_clip(root / place, [("none", 0.5), (move, 1.0), ("none", 0.5)])
    (root / "notes.txt").write_text("not looked at")
    (root / ".hidden.mp4").write_text("not looked at either")
    return root


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "toy")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that takes many seconds to look at."""
    folder = tmp_path_factory.mktemp("long")
    short = draw_clip(folder / "short.mp4", [("none", 1.0), ("plie", 1.0)])
    repeat = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-stream_loop", "1000", "-i", short, "-c", "copy")
    subprocess.run([*repeat, folder / "long.mp4"], check=True)
    return folder / "long.mp4"


def run(named: list[Path | str], out: Path, model: Path, **options: Any) -> tuple[Summary, list[str]]:
    lines: list[str] = []
    options = {"jobs": 1, "device": "cpu"} | options
    return classify([str(each) for each in named], out, model=str(model), tell=lines.append, **options), lines


def moves_in(path: Path) -> list[str]:
    return [json.loads(line)["move"] for line in path.read_text().splitlines()]


def test_each_video_of_a_folder_gets_its_events_once_and_again_only_when_something_changed(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    shutil.copytree(folder, videos)
    summary, _ = run([videos], out, model, jobs=2)
    assert [done.video for done in summary.done] == [
        str(videos / place) for place in ("mon/lesson.mp4", "tue/late/lesson.mp4", "tue/lesson.mp4")
    ]
    assert moves_in(out / "mon/lesson.mp4.jsonl") == ["plie"]
    assert moves_in(out / "tue/late/lesson.mp4.jsonl") == ["tendu"]
    assert moves_in(out / "tue/lesson.mp4.jsonl") == ["saute"]
    told = json.loads((out / "summary.json").read_text())
    assert told["moves"] == {"plie": 1, "saute": 1, "tendu": 1}
    assert told["speed"]["frames"] == 180 and told["speed"]["frames_per_s_of_a_core"] > 0

    assert run([videos], out, model)[1] == []  # all is done
    os.utime(videos / "mon/lesson.mp4")  # touched, not changed
    assert run([videos], out, model)[1] == []
    shutil.copy(videos / "tue/lesson.mp4", videos / "mon/lesson.mp4")
    (out / "tue/late/lesson.mp4.jsonl").write_text("spoilt")
    summary, lines = run([videos], out, model)
    assert len(lines) == 2 and summary.again == 1
    assert moves_in(out / "mon/lesson.mp4.jsonl") == ["saute"]
    assert moves_in(out / "tue/late/lesson.mp4.jsonl") == ["tendu"]
    assert len(run([videos], out, model, threshold=0.7)[1]) == 3  # another option
    make_card(model, smoothing_s=0.1).save(shutil.copytree(model, tmp_path / "other"))
    assert len(run([videos], out, tmp_path / "other", threshold=0.7)[1]) == 3  # another model


def test_files_of_one_name_keep_apart_and_a_pattern_keeps_its_folders(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    first, _ = run([folder / "tue/lesson.mp4"], tmp_path, model)
    assert first.done[0].events == "lesson.mp4.jsonl"
    both, lines = run([folder / "mon/lesson.mp4", folder / "tue/lesson.mp4"], tmp_path, model)
    assert len(lines) == 1  # the other one is still where it was
    assert moves_in(tmp_path / "lesson.mp4.jsonl") == ["saute"]
    (other,) = tmp_path.glob("lesson-*.mp4.jsonl")
    assert moves_in(other) == ["plie"]
    assert {done.events for done in both.done} == {"lesson.mp4.jsonl", other.name}
    matched, _ = run([folder / "*/lesson.mp4", str(folder / "*/lesson.mp4")], tmp_path / "matched", model)
    assert [done.events for done in matched.done] == ["mon/lesson.mp4.jsonl", "tue/lesson.mp4.jsonl"]


def test_a_folder_that_was_moved_is_not_looked_at_again_and_keeps_its_results_from_then_on(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    out, old, new = tmp_path / "out", tmp_path / "old", tmp_path / "new"
    shutil.copytree(folder / "mon", old)
    run([old], out, model)
    old.rename(new)
    summary, lines = run([new], out, model)
    assert (summary.again, lines) == (1, [])
    (told,) = json.loads((out / "summary.json").read_text())["videos"]
    assert (told["video"], told["events"]) == (str(new / "lesson.mp4"), "lesson.mp4.jsonl")
    other, _ = run([folder / "tue/lesson.mp4"], out, model)
    assert other.done[0].events != "lesson.mp4.jsonl"
    assert moves_in(out / "lesson.mp4.jsonl") == ["plie"]


def test_a_video_that_was_touched_is_hashed_once(folder: Path, model: Path, tmp_path: Path) -> None:
    video = Path(shutil.copy(folder / "mon/lesson.mp4", tmp_path))
    run([video], tmp_path / "out", model)
    os.utime(video, ns=(0, 1))
    assert run([video], tmp_path / "out", model)[0].done[0].changed_ns == 1
    assert json.loads((tmp_path / "out/.pointe/lesson.mp4.jsonl.json").read_text())["changed_ns"] == 1


def test_a_folder_of_recordings_may_be_called_lock_also_where_an_earlier_version_has_one(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "mon", tmp_path / "videos/lock")
    (tmp_path / "out/.pointe").mkdir(parents=True)
    (tmp_path / "out/.pointe/lock").touch()
    run([tmp_path / "videos"], tmp_path / "out", model)
    assert moves_in(tmp_path / "out/lock/lesson.mp4.jsonl") == ["plie"]
    assert run([tmp_path / "videos"], tmp_path / "out", model)[0].again == 1


def test_the_events_are_those_of_a_live_run_over_the_file(folder: Path, model: Path, tmp_path: Path) -> None:
    for suffix in ("jsonl", "csv"):
        run([folder / "mon"], tmp_path, model, events=suffix)
        alone = tmp_path / f"alone.{suffix}"
        live(str(folder / "mon/lesson.mp4"), Options(model=str(model), device="cpu", headless=True, events=alone))
        assert (tmp_path / f"lesson.mp4.{suffix}").read_bytes() == alone.read_bytes()


def test_a_core_that_no_video_needs_decodes_ahead_and_the_events_stay_the_same(
    folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[bool] = []
    begin = workers._Worker.begin

    def noting(worker: workers._Worker, task: workers._Task) -> None:
        begun.append(task.core_free)
        begin(worker, task)

    monkeypatch.setattr(workers._Worker, "begin", noting)
    results = {}
    for there in (1, 2):
        monkeypatch.setattr("live.workers.cores", lambda count=there: count)
        summary, _ = run([folder], tmp_path / str(there), model, jobs=1)
        results[there] = [(done.frames, (tmp_path / str(there) / done.events).read_bytes()) for done in summary.done]
    assert results[1] == results[2] and len(results[1]) == 3
    assert begun == [False] * 3 + [True] * 3


@pytest.mark.parametrize("core_free", [True, False])
def test_a_video_is_decoded_in_a_thread_of_its_own_where_a_core_is_free(
    folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch, core_free: bool
) -> None:
    read_in: set[str] = set()

    def noting(path: Path) -> Iterator[Frame]:
        for frame in read_video(path):
            read_in.add(threading.current_thread().name)
            yield frame

    monkeypatch.setattr("models.damage.read_video", noting)
    recognizer = Recognizer.load(model, "cpu")
    task = workers._Task(folder / "mon" / "lesson.mp4", core_free)
    _ours, theirs = multiprocessing.Pipe()
    answer = workers._classify(task, recognizer, MoveTracker(recognizer.card), workers._Pulse(theirs))
    assert (answer.frames, [move.name for move in answer.moves]) == (60, ["plie"])
    assert read_in == {"pointe: decoder" if core_free else threading.current_thread().name}


def test_of_a_video_that_is_overwritten_while_it_is_read_no_moves_are_told(
    folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = folder / "mon" / "lesson.mp4"

    def overwriting(path: Path) -> Iterator[Frame]:
        yield from read_video(path)
        os.utime(path, (0, 0))

    monkeypatch.setattr("models.damage.read_video", overwriting)
    recognizer = Recognizer.load(model, "cpu")
    _ours, theirs = multiprocessing.Pipe()
    with pytest.raises(SourceError, match="was changed while it was read"):
        workers._classify(workers._Task(video, False), recognizer, MoveTracker(recognizer.card), workers._Pulse(theirs))


def test_what_cannot_be_read_is_listed_and_the_rest_is_done_with_exit_code_6(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    (tmp_path / "list.mp4").write_text(f"ffconcat version 1.0\nfile '{folder}/mon/lesson.mp4'\n")
    whole = (folder / "mon/lesson.mp4").read_bytes()
    (tmp_path / "cut.ts").write_bytes(whole[: len(whole) // 2])  # no video any more: its index stood at the end
    os.mkfifo(tmp_path / "pipe.mp4")
    named = (
        "junk.mp4",
        "list.mp4",
        "cut.ts",
        "pipe.mp4",
        "absent.mp4",
        "*.avi",
        "rtsp://anna:s3cr3t@host/x",
        "/dev/zero",
    )
    code, out, err = pointe(
        "classify", folder / "mon/lesson.mp4", *named, "--out", "o", "--model", model, "--jobs", 2, cwd=tmp_path
    )
    assert code == 6, err
    assert moves_in(tmp_path / "o/lesson.mp4.jsonl") == ["plie"]
    not_done = json.loads((tmp_path / "o/summary.json").read_text())["not_done"]
    assert len(not_done) == len(named)
    for what in (
        "junk.mp4: Cannot read",
        "list of other files",
        "pipe.mp4: no ordinary file",
        "absent.mp4: no such file",
    ):
        assert what in out
    assert "s3cr3t" not in out + err and "Traceback" not in out + err
    assert len(err.splitlines()) == 1


def test_a_damaged_video_is_used_as_far_as_it_is_good_and_the_damage_is_counted(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.mkv"
    draw_clip(whole, [("none", 0.5), ("plie", 1.0), ("none", 1.5)])
    content = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) * 7 // 10])
    code, out, err = pointe("classify", "cut.mkv", "--out", "o", "--model", model, cwd=tmp_path)
    assert code == 0, err
    (done,) = json.loads((tmp_path / "o/summary.json").read_text())["videos"]
    assert done["moves"] == {"plie": 1}
    assert 30 < done["frames"] < 90
    assert done["damage"] == f"damaged: {done['frames']} of 90 frames can be read"
    assert done["damage"] in out


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_whoever_reads_the_table_may_go(folder: Path, model: Path, tmp_path: Path, unbuffered: str) -> None:
    environment = {"PYTHONUNBUFFERED": unbuffered}
    process = start("classify", folder / "mon", "--out", "o", "--model", model, cwd=tmp_path, **environment)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (0, "")
    process.stderr.close()
    assert moves_in(tmp_path / "o/lesson.mp4.jsonl") == ["plie"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(("named", "code"), [((), 0), (("absent.mp4",), 6)])
def test_a_table_that_cannot_be_printed_is_no_reason_to_fail(
    folder: Path, model: Path, tmp_path: Path, named: tuple[str, ...], code: int, unbuffered: str
) -> None:
    arguments = ("classify", folder / "mon", *named, "--out", "o", "--model", model)
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-c", START, *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == code, done.stderr
    assert len(done.stderr.splitlines()) == len(named)
    assert moves_in(tmp_path / "o/lesson.mp4.jsonl") == ["plie"]


def test_nothing_to_do_is_an_error_that_says_why(folder: Path, model: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no video in this folder"):
        run([tmp_path], tmp_path / "out", model)
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    with pytest.raises(SourceError, match="None of the videos"):
        run([tmp_path / "junk.mp4"], tmp_path / "out", model)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        run([folder], tmp_path / "file", model)
    with pytest.raises(UsageError, match="--format"):
        run([folder], tmp_path / "out", model, events="xml")


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
@pytest.mark.parametrize("whom", ["all", "parent"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_whole_files_and_goes_on_with_the_rest(
    model: Path, long: Path, tmp_path: Path, sent: signal.Signals, whom: str
) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    draw_clip(videos / "a.mp4", [("none", 0.5), ("plie", 1.0), ("none", 0.5)])
    (videos / "b.mp4").hardlink_to(long)
    arguments = ("classify", str(videos), "--out", str(out), "--model", str(model), "--jobs", "1")
    command = [sys.executable, "-c", START, *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert "a.mp4" in process.stdout.readline()
    if whom == "all":  # as systemd does it
        for child in children_of(process.pid):
            os.kill(child, sent)
    process.send_signal(sent)
    printed, err = process.communicate(timeout=20)
    assert process.returncode == (-9 if sent == signal.SIGKILL else 128 + sent)
    assert err == ""
    assert sent == signal.SIGKILL or "stopped, 1 left" in printed
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert files - {"summary.json"} == {"a.mp4.jsonl", ".pointe/a.mp4.jsonl.json", ".pointe.lock"}
    assert moves_in(out / "a.mp4.jsonl") == ["plie"]
    (videos / "b.mp4").unlink()
    draw_clip(videos / "b.mp4", [("none", 0.5), ("saute", 1.0)])
    (out / ".b.mp4.jsonl.77.half").write_text("of a run that was killed while it wrote")
    summary, lines = run([videos], out, model)
    assert summary.again == 1 and len(lines) == 1
    assert moves_in(out / "b.mp4.jsonl") == ["saute"]
    assert not list(out.rglob("*.half"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
@pytest.mark.parametrize(("sent", "said"), [(signal.SIGSEGV, "crash"), (signal.SIGSTOP, "hang")])
def test_a_decoder_that_crashes_or_hangs_costs_one_video(
    model: Path, long: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, said: str
) -> None:
    monkeypatch.setattr(workers, "STUCK_S", 2.0)
    draw_clip(tmp_path / "b.mp4", [("none", 0.5), ("plie", 1.0), ("none", 0.5)])
    with workers.Workers(model, "cpu", None, 1) as pool:
        hit = False

        def read(frames: int) -> None:
            nonlocal hit
            if frames and not hit:
                hit = True
                (worker,) = multiprocessing.active_children()
                os.kill(worker.pid or 0, sent)

        answers = dict(pool.each([long, tmp_path / "b.mp4"], lambda: 0, read))
    bad, good = answers[long], answers[tmp_path / "b.mp4"]
    assert isinstance(bad, workers.Unreadable) and said in bad.reason
    assert isinstance(good, workers.Classified) and [move.name for move in good.moves] == ["plie"]
    wait_until(lambda: multiprocessing.active_children() == [])


@pytest.mark.skipif(sys.platform != "linux" or FFMPEG is None, reason="needs the process list of Linux, and ffmpeg")
def test_a_decoder_that_hangs_in_a_process_of_its_own_ends_with_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "STUCK_S", 2.0)
    long_av1(tmp_path)
    decoders: list[int] = []
    with workers.Workers(model, "cpu", None, 1) as pool:

        def read(frames: int) -> None:
            if frames and not decoders:
                (worker,) = multiprocessing.active_children()
                decoders.extend(children_of(worker.pid))
                for decoder in decoders:
                    os.kill(decoder, signal.SIGSTOP)

        answers = dict(pool.each([tmp_path / "av1.mkv"], lambda: 0, read))
    assert isinstance(answers[tmp_path / "av1.mkv"], workers.Unreadable)
    assert len(decoders) == 1
    wait_until(lambda: not running(decoders[0]))


@pytest.mark.skipif(sys.platform != "linux" or FFMPEG is None, reason="needs the process list of Linux, and ffmpeg")
def test_a_live_run_that_ends_leaves_no_decoder_that_hangs(model: Path, tmp_path: Path) -> None:
    process = start("live", long_av1(tmp_path), "--headless", "--model", model, "--device", "cpu", cwd=tmp_path)
    decoders: list[int] = []

    def decoding() -> bool:
        # The first that come look through the file, and end by themselves.
        decoders[:] = [child for child in children_of(process.pid) if b"showinfo" in command_of(child)]
        return bool(decoders)

    wait_until(decoding)
    os.kill(decoders[0], signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM, err
    wait_until(lambda: not running(decoders[0]))


def long_av1(folder: Path) -> Path:
    """A video that OpenCV has no decoder for, and that takes many seconds to look at."""
    encode(folder / "short.mkv", "25", *AV1)
    repeat = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-stream_loop", "500", "-i", folder / "short.mkv")
    subprocess.run([*repeat, "-c", "copy", folder / "av1.mkv"], check=True)
    return folder / "av1.mkv"


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def running(pid: int) -> bool:
    """Whether there is such a process that has not ended; who takes over an orphan may let its end stand."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
def test_a_process_that_dies_while_it_loads_costs_only_itself(model: Path, folder: Path) -> None:
    videos = sorted(folder.rglob("lesson.mp4"))
    killed: list[int] = []

    def kill_one() -> int:
        children = multiprocessing.active_children()
        if len(children) == 2 and not killed:
            killed.append(children[0].pid or 0)
            os.kill(killed[0], signal.SIGKILL)  # as the kernel does it where memory runs out
        return 0

    with workers.Workers(model, "cpu", None, 2) as pool:
        answers = dict(pool.each(videos, kill_one))
    assert killed and sorted(answers) == videos
    assert all(isinstance(answer, workers.Classified) for answer in answers.values())
    with workers.Workers(model, "cpu", None, 1) as pool, pytest.raises(ModelError, match="cannot be loaded"):
        killed = [0]

        def kill_all() -> int:
            for child in multiprocessing.active_children():
                child.kill()
            return 0

        dict(pool.each(videos, kill_all))


HANGS = """
import sys
from pathlib import Path
from live import workers

begin = workers._Worker.begin

def begun(worker, task):
    begin(worker, task)
    print("begun", flush=True)

if __name__ == "__main__":
    workers._Worker.begin = begun
    with workers.Workers(Path(sys.argv[1]), "cpu", None, 1) as pool:
        dict(pool.each([Path(sys.argv[2])], lambda: 0))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes of this kind")
def test_a_process_that_hangs_in_a_video_does_not_outlive_a_killed_parent(
    root: Path, model: Path, tmp_path: Path
) -> None:
    script, video = tmp_path / "hangs.py", tmp_path / "never.mp4"
    script.write_text(HANGS)
    os.mkfifo(video)  # opening it waits for a writer, for ever
    assert_ended_with_its_parent([sys.executable, script, model, video], root, "kill -9")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count it")
def test_the_time_of_a_decoder_in_a_process_of_its_own_counts() -> None:
    before_s = workers._cpu_s()
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert workers._cpu_s() - before_s > 0.25


def test_the_time_that_a_short_video_takes_is_more_than_none() -> None:
    for _ in range(20):
        begun_s = workers._cpu_s()
        sum(range(10_000))  # far less than the hundredth of a second by which systems count
        assert workers._cpu_s() > begun_s


def test_a_process_says_that_it_goes_on_with_each_mebibyte_of_a_video_on_a_slow_disk(tmp_path: Path) -> None:
    (tmp_path / "large.mp4").write_bytes(bytes(5 << 20))
    ours, theirs = multiprocessing.Pipe()
    workers._hash_of(tmp_path / "large.mp4", workers._Pulse(theirs))
    beats = 0
    while ours.poll():
        ours.recv()
        beats += 1
    assert beats == 5


def test_two_runs_into_one_folder_do_not_mix(folder: Path, model: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def again(_line: str) -> None:
        with pytest.raises(UsageError, match="Another run") as caught:
            run([folder], tmp_path, model)
        refused.append(str(caught.value))

    classify([str(folder / "mon")], tmp_path, model=str(model), device="cpu", jobs=1, tell=again)
    assert len(refused) == 1


def test_what_ran_elsewhere_than_it_should_have_is_done_again_where_it_can(tmp_path: Path) -> None:
    def made_by(provider: str) -> str:
        return f"toy on {provider}"

    video = Video(draw_clip(tmp_path / "a.mp4", [("plie", 0.2)]), Path("a.mp4"))
    stat = video.path.stat()
    for provider, again in (("CPU", True), ("CUDA", False)):
        answer = Classified(
            sha256_of(video.path), stat.st_size, stat.st_mtime_ns, 6, 0.2, (), None, 0.1, provider=provider
        )
        results = Results(tmp_path / "out", ".jsonl", made_by, provider="CUDA")
        results.keep(video, video.wanted, answer)
        assert (results.finished(video, video.wanted) is None) == again
