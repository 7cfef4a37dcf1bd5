"""Several sources in one run: each has its tile, its turn and its own trouble."""

import csv
import json
import os
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cameras import Camera, connecting
from toys import STRETCHES, draw_clip, picture
from typer.testing import CliRunner

import pointe
from live import grid, sinks
from live.capture import UnreachableError
from live.events import Events
from live.file_source import FileSource
from live.grid import MOST_SOURCES, in_turn, live_grid
from live.moves import Move
from live.options import Options
from live.recognizer import Recognizer
from live.runner import live
from live.screen import Answer
from live.tiles import GAP, Tiles, columns_of, tile_size
from live.view import View
from live.watch import Summary
from live.window import Action
from models.errors import SourceError, UsageError
from models.ffmpeg_options import VARIABLE, ffmpeg_options
from models.frames import Box, Frame, Image, read_video

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

DEAD = "rtsp://anna:hunter2@127.0.0.1:1/none"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return draw_clip(tmp_path / "other.mp4", [("none", 1.0), ("tendu", 1.0), ("none", 0.5)], rate_hz=20)


def run(sources: list[Path | str], model: str, **options: object) -> tuple[Summary, list[str]]:
    lines: list[str] = []
    options = {"headless": True, "tell": lines.append, **options}
    return live_grid([str(source) for source in sources], Options(model=model, device="cpu", **options)), lines


def events_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Ticking(Camera):
    """Gives its pictures, `rate_hz` of them a second."""

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(1 / self.rate_hz)
        return super().read()


def test_each_file_has_the_moves_that_it_has_alone(clip: Path, other: Path, model: str, tmp_path: Path) -> None:
    summary, lines = run([clip, other], model, events=tmp_path / "out.jsonl")
    assert (summary.frames, summary.answered, summary.dropped, summary.exit_code) == (200, 200, 0, 0)
    together = events_of(tmp_path / "out.jsonl")
    for path in (clip, other):
        alone = tmp_path / "alone.jsonl"
        live(str(path), Options(model=model, device="cpu", headless=True, events=alone, tell=lambda _: None))
        mine = [{**event} for event in together if event["source"] == path.name]
        assert mine == [{**event, "source": path.name} for event in events_of(alone)]
        assert any(line.startswith(f"{path.name}: ") and "answered, 0 dropped" in line for line in lines)
    assert [event["source"] for event in together].count(clip.name) == 2


def test_the_events_of_one_source_stay_as_they_are(tmp_path: Path) -> None:
    move = Move("plie", 0.9, 1.0, 2.0)
    for name, with_source in (("one.csv", False), ("more.csv", True)):
        with Events(tmp_path / name, with_source=with_source) as file:
            file.write(move, "clip.mp4")
    assert (tmp_path / "one.csv").read_text() == "move,start_s,end_s,confidence\nplie,1.0,2.0,0.9\n"
    assert (tmp_path / "more.csv").read_text() == ("move,start_s,end_s,confidence,source\nplie,1.0,2.0,0.9,clip.mp4\n")


def test_the_same_name_twice_is_told_apart(clip: Path, model: str, tmp_path: Path) -> None:
    run([clip, clip], model, events=tmp_path / "out.jsonl")
    assert {event["source"] for event in events_of(tmp_path / "out.jsonl")} == {"clip.mp4", "clip.mp4 (2)"}


def test_all_share_one_encoder_and_one_head(model: str) -> None:
    first = Recognizer.load(Path(model), "cpu")
    second = first.another()
    assert second.encoder is not first.encoder
    assert second.encoder._session is first.encoder._session and second._head is first._head  # type: ignore[attr-defined]
    first.push(Frame(picture("plie"), 0, 0.0))
    assert (first.filled, second.filled) == (1, 0)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
@pytest.mark.parametrize("source", ["größe.mp4", "踊り.mp4", "half\udcff.mp4"])
def test_a_source_of_any_name_is_among_the_events(tmp_path: Path, name: str, source: str) -> None:
    with Events(tmp_path / name, with_source=True) as events:
        events.write(Move("plie", 0.9, 1.0, 2.0), source)
    text = (tmp_path / name).read_text("utf-8")
    if name.endswith("jsonl"):
        assert json.loads(text)["source"] == source
    else:
        [row] = csv.DictReader(text.splitlines())
        assert row["source"] == source.replace("\udcff", "?")


class Turns:
    """A stream that has an answer every so many times that it is asked, for a hundred times."""

    def __init__(self, name: str, order: list[str], every: int) -> None:
        self.name, self.source, self.asked = name, SimpleNamespace(live=False), 0
        self._order, self._every = order, every

    @property
    def over(self) -> bool:
        return self.asked == 100

    def advance(self) -> bool:
        self.asked += 1
        self._order.append(self.name)
        return self.asked % self._every == 0


def test_none_is_asked_twice_before_the_others_were_asked_once() -> None:
    order: list[str] = []
    streams = [Turns(name, order, every) for name, every in (("a", 1), ("b", 3), ("c", 1))]
    answered = Counter(stream.name for stream in in_turn(streams) if stream)  # type: ignore[arg-type]
    assert "".join(order) == 100 * "abc"
    assert answered == {"a": 100, "b": 33, "c": 100}


def test_a_camera_that_is_faster_than_we_are_starves_no_file(clip: Path, model: str) -> None:
    summary, lines = run([clip, "0"], model, connect=connecting([Ticking([picture("none")] * 10**6, 1000)]))
    assert any(line.startswith("clip.mp4: 150 frames: 150 answered, 0 dropped") for line in lines)
    assert summary.frames == summary.answered + summary.dropped


def test_a_camera_that_dies_and_comes_back_costs_the_other_nothing(model: str, tmp_path: Path) -> None:
    dying = [Ticking([picture("none")] * 20, 20), "unplugged", Ticking([picture("saute")] * 10**6, 20)]
    steady = Ticking([picture(move) for move in ["none"] * 10 + ["plie"] * 40 + ["none"] * 1000], 10)
    first, second = connecting(dying), connecting([steady])

    def connect(place: object) -> Camera:
        return first(place) if "0" in str(place) else second(place)

    reference = draw_clip(tmp_path / "reference.mp4", [("tendu", 6.0)])
    drawn = tmp_path / "grid.mp4"
    events = tmp_path / "out.jsonl"
    summary, lines = run(["0", "1", reference], model, connect=connect, record=drawn, events=events)
    assert summary.exit_code == 0
    said = "\n".join(lines)
    assert "camera 0: reconnecting" in said and "unplugged" in said and "camera 0: frames again after" in said
    (of_steady,) = (line for line in lines if line.startswith("camera 1: ") and "answered" in line)
    frames_of_steady, dropped = int(of_steady.split()[2]), int(of_steady.split()[-2])
    assert frames_of_steady > 40 and dropped <= 3  # one that waits at the end, or a busy machine
    assert "camera 1: reconnecting" not in said
    assert any("reference.mp4: 180 frames: 180 answered" in line for line in lines)
    moves = {(event["source"], event["move"]) for event in events_of(events)}
    assert moves == {("camera 0", "saute"), ("camera 1", "plie"), ("reference.mp4", "tendu")}
    frames = list(read_video(drawn))
    assert frames[-1].time_s == pytest.approx(6, abs=2)
    width, height = tile_size(3)
    assert frames[0].image.shape == (2 * height + GAP, 2 * width + GAP, 3)


def test_what_cannot_be_opened_is_said_and_the_rest_goes_on(clip: Path, model: str) -> None:
    summary, lines = run([clip, "missing.mp4", DEAD], model)
    assert (summary.exit_code, summary.answered) == (6, 150)
    said = "\n".join(lines)
    assert "missing.mp4" in said and "127.0.0.1:1/none: refused, no server on that port" in said
    assert "hunter2" not in said


def test_it_is_an_error_when_none_can_be_opened(model: str, tmp_path: Path) -> None:
    lines: list[str] = []
    options = Options(model=model, headless=True, events=tmp_path / "out.jsonl", tell=lines.append)
    with pytest.raises(SourceError, match="None of the 2"):
        live_grid(["missing.mp4", DEAD], options)
    assert len(lines) == 2
    assert not (tmp_path / "out.jsonl").exists()


def test_a_camera_that_is_given_up_leaves_the_others(clip: Path, model: str) -> None:
    connect = connecting([Ticking([picture("none")] * 5, 20)])
    slow = draw_clip(clip.with_name("slow.mp4"), [("plie", 4.0)])
    summary, lines = run([slow, "0"], model, connect=connect, give_up_after_s=1.0, record=clip.with_name("out.mp4"))
    assert summary.exit_code == 6
    assert any(line.startswith("camera 0: given up after") for line in lines)
    assert any(line.startswith("slow.mp4: 120 frames: 120 answered") for line in lines)


def test_cameras_that_are_all_given_up_are_exit_code_3(model: str) -> None:
    connect = connecting([Ticking([picture("none")] * 5, 20), Ticking([picture("none")] * 5, 20)])
    summary, lines = run(["0", "1"], model, connect=connect, give_up_after_s=1.0)
    assert summary.exit_code == 3
    assert sum("given up after" in line for line in lines) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"record": Path("clip.mp4")},
        {"events": Path("moves.txt")},
        {"threshold": 2.0},
        {"wanted": "1280x720"},
    ],
)
def test_what_cannot_work_is_an_error_before_the_run(
    clip: Path, other: Path, model: str, options: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    from live.webcam import Wanted

    monkeypatch.chdir(clip.parent)
    if "wanted" in options:
        options = {"wanted": Wanted.parse("1280x720", None)}
    with pytest.raises(UsageError):
        run([other, clip], model, **options)


def test_too_many_sources_are_refused(clip: Path, model: str) -> None:
    with pytest.raises(UsageError, match="at most"):
        run([clip] * (MOST_SOURCES + 1), model)


@pytest.mark.parametrize("flag", ["--record-raw", "--metrics-port"])
def test_what_is_for_one_source_says_so(clip: Path, flag: str, tmp_path: Path) -> None:
    value = str(tmp_path / "raw.mp4") if flag == "--record-raw" else "9123"
    result = CliRunner().invoke(pointe.app, ["live", str(clip), str(clip), flag, value])
    assert isinstance(result.exception, UsageError)
    assert flag in str(result.exception) and "one source" in str(result.exception)


# The picture


class Still:
    """A stream that stands still, with one answer."""

    def __init__(self, source: object, image: Image, view: View) -> None:
        self.source, self.over, self.failed = source, False, None
        self._answer: Answer | None = Answer(Frame(image, 0, 0.0), view)

    def take(self) -> Answer | None:
        answer, self._answer = self._answer, None
        return answer


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 16])
def test_tiles_fill_the_grid_and_can_be_encoded(count: int) -> None:
    width, height = tile_size(count)
    columns = columns_of(count)
    assert width % 2 == height % 2 == 0
    assert (columns - 1) ** 2 < count <= columns**2
    assert columns * width + (columns - 1) * GAP <= 1930


def test_a_tile_shows_the_whole_picture_in_its_middle_and_the_dancer_where_it_is(clip: Path, model: str) -> None:
    card = Recognizer.load(Path(model), "cpu").card
    image = np.full((480, 240, 3), 200, np.uint8)  # upright, as of a telephone
    box = Box(0, 0, 240, 240)
    with FileSource(clip, pace=False) as source:
        still = Still(source, image, View(time_s=0, box=box))
        drawn = Tiles([still, still], card, recording=False).update()
    width, height = tile_size(2)
    assert drawn.shape == (height, 2 * width + GAP, 3)
    middle, scaled = drawn[height // 2, :width].max(axis=1), round(240 * height / 480)
    lit = np.flatnonzero(middle > 100)
    assert len(lit) == pytest.approx(scaled, abs=4)
    assert lit[0] + lit[-1] == pytest.approx(width, abs=4)


def test_keys_reach_every_tile(clip: Path, model: str) -> None:
    card = Recognizer.load(Path(model), "cpu").card
    with FileSource(clip, pace=False) as one, FileSource(clip, pace=False) as two:
        stills = [Still(source, picture("plie", (640, 360)), View(time_s=0)) for source in (one, two)]
        tiles = Tiles(stills, card, recording=False)  # type: ignore[arg-type]
        tiles.update(Action.PAUSE)
        assert one.next(0) is None and two.next(0) is None
        tiles.update(Action.PAUSE)
        assert one.next(1) is not None and two.next(1) is not None


def test_q_ends_them_all_and_what_goes_on_is_reported(
    clip: Path, other: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures: list[tuple[int, ...]] = []

    def show(image: Image) -> Action | None:
        pictures.append(image.shape)
        return Action.QUIT if len(pictures) == 45 else None  # 1.8 s in, amid the plie and the tendu

    monkeypatch.setattr(grid, "can_be_shown", lambda _tell: True)
    monkeypatch.setattr(sinks, "showing", lambda _stack, _title: show)
    summary, _ = run([clip, other], model, headless=False)
    assert {move.name for move in summary.moves} == {"plie", "tendu"}
    assert summary.exit_code == 0 and summary.answered < 200
    assert set(pictures) == {(360, 1284, 3)}


# Opening


def test_a_file_is_opened_while_a_camera_is_without_its_options() -> None:
    entered, leave, seen = threading.Event(), threading.Event(), []

    def address() -> None:
        with ffmpeg_options.set_to("protocol_whitelist;rtsp"):
            entered.set()
            assert leave.wait(10)

    def file() -> None:
        with ffmpeg_options.set_to(None):
            seen.append(os.environ.get(VARIABLE))

    before = os.environ.get(VARIABLE)
    threads = [threading.Thread(target=address)]
    threads[0].start()
    assert entered.wait(10)
    assert os.environ[VARIABLE] == "protocol_whitelist;rtsp"
    threads.append(threading.Thread(target=file))
    threads[1].start()
    threads[1].join(0.2)
    assert seen == []  # it waits
    leave.set()
    for thread in threads:
        thread.join(10)
    assert seen == [before] and os.environ.get(VARIABLE) == before


def test_two_addresses_are_opened_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def address() -> None:
        with ffmpeg_options.set_to("x;y"):
            both.wait()

    threads = [threading.Thread(target=address) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not both.broken and VARIABLE not in os.environ


def test_files_are_read_while_addresses_are_tried_again_and_again(clip: Path) -> None:
    from live.address import Address
    from live.capture import open_address

    over = threading.Event()

    def trying() -> None:
        while not over.is_set():
            with pytest.raises(UnreachableError):
                open_address(Address("rtsp://127.0.0.1:1/none"))

    thread = threading.Thread(target=trying)
    thread.start()
    try:
        for _ in range(20):
            assert next(iter(read_video(clip))).index == 0
    finally:
        over.set()
        thread.join(20)


def test_what_cannot_be_read_of_a_file_is_said(clip: Path, model: str, tmp_path: Path) -> None:
    whole = draw_clip(tmp_path / "whole.mkv", STRETCHES).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) // 2])
    _, lines = run([cut, clip], model)
    assert [line for line in lines if "damaged" in line and line.startswith("cut.mkv: ")]
    assert not [line for line in lines if "damaged" in line and line.startswith("clip.mp4")]
