"""The live loop on the toy model: the right moves at the right times, and whole outputs after every kind of end."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from cameras import Camera, connecting, wait_until
from toys import COLOURS, draw_clip, picture

from live import live_source as live_source_module
from live import sinks
from live.file_source import FileSource
from live.grid import live_grid
from live.moves import Move, MoveTracker
from live.options import Options
from live.outage import Outage
from live.outputs import SinkError
from live.recognizer import Outcome, Prediction, Recognizer, Seen
from live.recording import Recording
from live.runner import live, run
from live.screen import Answer, Screen, mirrored
from live.sinks import describe
from live.source import FrameSource, open_source
from live.view import View
from live.watch import Rate, Summary
from live.window import Action
from models.errors import ModelError, SourceError, UsageError
from models.frames import Box, Image, read_video, to_input
from models.pictures import Pictures
from models.threads import left_running

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

# The window of the toy is 0.4 s, so a move is seen and left behind within that.
SLACK_S = 0.4


def silent(_line: str) -> None:
    pass


def run_live(source: Path | str, model: str, **options: object) -> Summary:
    return live(str(source), Options(model=model, device="cpu", **{"headless": True, "tell": silent, **options}))


def events_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_moves_of_a_clip_are_found_at_their_times(clip: Path, model: str, tmp_path: Path) -> None:
    summary = run_live(clip, model, events=tmp_path / "out.jsonl")
    assert [event["move"] for event in events_of(tmp_path / "out.jsonl")] == ["plie", "saute"]
    for move, (start_s, end_s) in zip(summary.moves, [(1.0, 2.5), (3.5, 4.5)], strict=True):
        assert 0 <= move.start_s - start_s <= SLACK_S
        assert 0 <= move.end_s - end_s <= SLACK_S
    assert (summary.frames, summary.answered, summary.dropped, summary.exit_code) == (150, 150, 0, 0)
    assert summary.fps is not None and summary.fps > 0


def test_each_move_is_told_in_one_line_with_its_accents(clip: Path, model: str) -> None:
    lines: list[str] = []
    run_live(clip, model, tell=lines.append)
    assert len(lines) == 2
    assert "plié" in lines[0] and "sauté" in lines[1] and "%" in lines[0]


def test_two_runs_over_a_file_give_the_same_bytes(clip: Path, model: str, tmp_path: Path) -> None:
    for name in ("one.jsonl", "two.jsonl"):
        run_live(clip, model, events=tmp_path / name)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_the_move_that_goes_on_at_the_end_of_the_file_is_reported(tmp_path: Path, model: str) -> None:
    (move,) = run_live(draw_clip(tmp_path / "c.mp4", [("none", 1), ("tendu", 2)]), model).moves
    assert move.name == "tendu" and move.end_s == pytest.approx(3, abs=0.2)


def test_recordings_hold_every_frame_with_and_without_the_drawing(model: str, tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "large.mp4", [("none", 0.5), ("plie", 1.0)], size=(320, 240))
    run_live(clip, model, record=tmp_path / "drawn.mp4", record_raw=tmp_path / "raw.mp4")
    source, drawn, raw = (
        np.array([frame.image for frame in read_video(path)], np.int16)
        for path in (clip, tmp_path / "drawn.mp4", tmp_path / "raw.mp4")
    )
    assert source.shape == drawn.shape == raw.shape
    assert np.abs(source - raw).mean() < 5
    assert np.abs(drawn - raw).mean() > 1


class Slow(Recording):
    """Misses the first three pictures, as behind a disk that is slow for a while."""

    def write(self, image: Image, time_s: float) -> None:
        if self.dropped < 3:
            self.dropped += 1
        else:
            super().write(image, time_s)


@pytest.mark.parametrize("sources", [1, 2])
def test_pictures_that_a_recording_misses_are_told(
    clip: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: int
) -> None:
    monkeypatch.setattr("live.sinks.Recording", Slow)
    told: list[str] = []
    options = Options(model=model, device="cpu", headless=True, tell=told.append, record=tmp_path / "out.mp4")
    live(str(clip), options) if sources == 1 else live_grid([str(clip)] * 2, options)
    assert [line for line in told if "3 pictures are missing" in line and "out.mp4" in line]


def test_a_run_can_be_limited_in_seconds_of_the_source(clip: Path, model: str) -> None:
    assert run_live(clip, model, max_seconds=2.0).answered == 60


def test_a_threshold_from_the_command_line_counts(clip: Path, model: str) -> None:
    assert run_live(clip, model, threshold=1.0).moves == ()


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (UsageError, {"record": Path(__file__) / "out.mp4"}),
        (UsageError, {"events": Path("moves.txt")}),
        (UsageError, {"threshold": 2.0}),
        (ModelError, {"model": "no-such-model"}),
    ],
)
def test_what_cannot_work_is_an_error_before_anything_is_opened(
    clip: Path, model: str, error: type[Exception], options: dict
) -> None:
    with pytest.raises(error):
        run_live(clip, **{"model": model, **options})


def test_a_source_that_is_dead_at_the_start_leaves_old_events_as_they_are(model: str, tmp_path: Path) -> None:
    events = tmp_path / "out.jsonl"
    events.write_text("precious\n")
    with pytest.raises(SourceError):
        run_live("rtsp://127.0.0.1:1/none", model, events=events)
    assert events.read_text() == "precious\n"


def test_without_a_display_it_says_so_once_and_goes_on(clip: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "display_problem", lambda: "There is no display.\nUse --headless.")
    lines: list[str] = []
    summary = run_live(clip, model, headless=False, tell=lines.append)
    assert summary.answered == 150
    assert [line for line in lines if "no display" in line] == [
        "No window is shown. There is no display.\nUse --headless."
    ]


class Shown:
    """Stands for the window: keeps what was drawn, and presses keys at given pictures."""

    def __init__(self, keys: dict[int, Action] | None = None) -> None:
        self.views: list[tuple[View, bool, bool]] = []
        self.pictures: list[Image] = []
        self._keys = keys or {}

    def draw(self, image: Image, view: View, details: bool, help_: bool) -> Image:
        self.views.append((view, details, help_))
        return image

    def show(self, image: Image) -> Action | None:
        self.pictures.append(image)
        return self._keys.get(len(self.pictures) - 1)


def run_shown(source: FrameSource, model: str, shown: Shown, **options: object) -> Summary:
    recognizer = Recognizer.load(Path(model), "cpu")
    screen = Screen(source, draw=shown.draw, show=shown.show)
    with source:
        return run(source, recognizer, MoveTracker(recognizer.card), screen, on_move=print, tell=silent, **options)


def test_every_frame_of_a_file_is_shown_in_order(clip: Path, model: str) -> None:
    shown = Shown()
    run_shown(FileSource(clip, pace=False), model, shown)
    times = [view.time_s for view, _, _ in shown.views]
    # where no frame comes for a moment the last one is drawn again
    assert list(dict.fromkeys(times)) == [frame.time_s for frame in read_video(clip)]
    last = shown.views[-1][0]
    assert [move.name for move in last.recent] == ["plie", "saute"]
    assert (last.filled, last.window, last.dancer, last.provider) == (4, 4, True, "CPUExecutionProvider")
    assert set(last.stage_s) == {"decode", "prepare", "encode", "head", "draw"}
    assert last.probabilities is not None and last.fps is not None and last.latency_s is not None


def test_the_latency_on_display_is_that_of_the_last_recognised_frame(clip: Path, model: str) -> None:
    shown = Shown()
    summary = run_shown(FileSource(clip, pace=False), model, shown)
    latencies = [view.latency_s for view, _, _ in shown.views]
    recognised = summary.answered / 3  # 30 frames a second, of which the toy looks at 10
    assert len(set(latencies)) == pytest.approx(recognised, abs=2)
    assert latencies[0] == latencies[1] == latencies[2]


def test_the_move_is_on_display_while_it_lasts(clip: Path, model: str) -> None:
    shown = Shown()
    run_shown(FileSource(clip, pace=False), model, shown)
    names = {view.current.name for view, _, _ in shown.views if view.current and 1.8 < view.time_s < 2.4}
    assert names == {"plie"}
    assert all(view.current is None for view, _, _ in shown.views if view.time_s < 1)


def test_q_ends_the_run_and_what_goes_on_is_reported(clip: Path, model: str) -> None:
    shown = Shown({60: Action.QUIT})  # two seconds in, amid the plie
    summary = run_shown(FileSource(clip, pace=False), model, shown)
    assert len(shown.pictures) == 61
    assert [move.name for move in summary.moves] == ["plie"]
    assert summary.exit_code == 0


def test_space_pauses_a_file_and_the_display_goes_on(clip: Path, model: str) -> None:
    shown = Shown({5: Action.PAUSE, 20: Action.PAUSE})
    summary = run_shown(FileSource(clip, pace=False), model, shown)
    paused = [view.paused for view, _, _ in shown.views]
    assert not any(paused[:6]) and all(paused[6:21]) and not any(paused[21:])
    assert summary.answered == 150


def test_keys_toggle_details_and_help(tmp_path: Path, model: str) -> None:
    shown = Shown({0: Action.DETAILS, 1: Action.HELP, 3: Action.DETAILS})
    clip = draw_clip(tmp_path / "c.mp4", [("plie", 0.3)])
    run_shown(FileSource(clip, pace=False), model, shown)
    assert [(details, help_) for _, details, help_ in shown.views[:6]] == [
        (False, False),
        (True, False),
        (True, True),
        (True, True),
        (False, True),
        (False, True),
    ]


def test_a_mirrored_picture_takes_what_lies_on_it_along() -> None:
    image = np.zeros((4, 10, 3), np.uint8)
    image[:, 0] = 255
    keypoints = np.tile(np.array([2.0, 1.0, 0.9], np.float32), (17, 1))
    flipped, view = mirrored(image, View(time_s=0, keypoints=keypoints, box=Box(1, 0, 3, 4)), Pictures())
    assert flipped[0, 9].all() and not flipped[0, 0].any()
    assert view.keypoints is not None and view.keypoints[0].tolist() == [7.0, 1.0, pytest.approx(0.9)]
    assert view.box == Box(6, 0, 3, 4)
    assert keypoints[0, 0] == 2


def test_an_error_of_the_display_ends_the_run_and_leaves_no_thread(clip: Path, model: str) -> None:
    class Failing(Shown):
        def show(self, image: Image) -> Action | None:
            raise OSError("the display went away")

    with pytest.raises(OSError, match="went away"):
        run_shown(FileSource(clip, pace=False), model, Failing())


class Fleeting:
    """A camera of 100 frames a second whose dancer does a plie between the frames 60 and 160; ends after 200."""

    def __init__(self, frames: int = 200) -> None:
        self._frames = frames
        self._index = -1

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(0.01)
        self._index += 1
        if self._index >= self._frames:
            return False, None
        return True, picture("plie" if 60 <= self._index < 160 else "none")

    def get(self, property_id: int) -> float:
        return 100

    def release(self) -> None:
        pass


def test_a_slow_display_of_a_live_source_costs_no_answer_and_no_move(model: str) -> None:
    class Slow(Shown):
        def show(self, image: Image) -> Action | None:
            time.sleep(0.15)
            return super().show(image)

    shown = Slow()
    source = open_source("0", connect=lambda _place: Fleeting())
    summary = run_shown(source, model, shown, max_seconds=1.95)
    assert [move.name for move in summary.moves] == ["plie"]
    assert len(shown.pictures) < summary.answered / 2
    assert summary.frames == summary.answered + summary.dropped


def test_a_live_source_that_stops_is_told_once_and_its_move_ends(model: str) -> None:
    lines: list[str] = []
    shown = Shown()
    recognizer = Recognizer.load(Path(model), "cpu")
    moves: list[Move] = []
    with open_source("0", connect=lambda _place: Fleeting(150)) as source:
        screen = Screen(source, draw=shown.draw, show=shown.show)

        def stopped() -> int:
            return int(bool(moves))

        run(
            source,
            recognizer,
            MoveTracker(recognizer.card),
            screen,
            on_move=moves.append,
            tell=lines.append,
            stopped=stopped,
        )
    assert [move.name for move in moves] == ["plie"]
    assert len(lines) == 1 and "camera 0: " in lines[0]
    last = shown.views[-1][0]
    assert last.status is not None
    assert last.current is None and last.probabilities is None  # what is on display is not so now


def test_an_outage_is_told_once_for_each_reason_and_so_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1000))
    monkeypatch.setattr("live.outage.time.monotonic", lambda: float(next(now)))

    class Failing:
        name, dropped, captured = "camera 0", 3, 0
        trouble: str | None = None
        status: str | None = None

    source, lines = Failing(), list[str]()
    outage = Outage(source, lines.append)
    for trouble, status in (
        (None, None),
        (None, "stale 0.8 s"),
        (None, "stale 0.9 s"),
        ("refused", "reconnecting in 1 s: refused"),
        ("no answer", "reconnecting in 2 s: no answer"),
        ("refused", "reconnecting in 4 s: refused"),
        (None, None),
        (None, None),
        (None, "stale 0.8 s"),
    ):
        source.trouble, source.status = trouble, status
        source.captured += 10 * (status is None)
        outage.check()
    assert lines == [
        "camera 0: stale 0.8 s",
        "camera 0: reconnecting in 1 s: refused",
        "camera 0: reconnecting in 2 s: no answer",
        "camera 0: frames again after 5 s; 3 dropped so far",
        "camera 0: stale 0.8 s",
    ]


def test_a_camera_of_a_frame_a_second_is_told_to_be_slow_once_and_its_outage_still_is() -> None:
    class Slow:
        name, dropped, captured = "camera 0", 0, 0
        trouble: str | None = None
        status: str | None = None

    source, lines = Slow(), list[str]()
    outage = Outage(source, lines.append)
    for _ in range(10):
        for source.status in (None, "stale 0.8 s", "stale 0.9 s"):
            outage.check()
        source.captured += 1
    assert lines[0] == "camera 0: stale 0.8 s" and lines[1].startswith("camera 0: frames again")
    assert lines[2:] == ["camera 0: frames come more than 0.5 s apart, so that no move is recognised"]
    source.trouble = source.status = "reconnecting: no answer"
    outage.check()
    source.trouble = source.status = None
    outage.check()
    assert [line.split(" after")[0] for line in lines[3:]] == [
        "camera 0: reconnecting: no answer",
        "camera 0: frames again",
    ]


def test_no_prediction_mixes_what_was_before_and_after_an_outage(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The camera comes back in another room, larger and slower: the window fills anew, and no frame is made up."""
    monkeypatch.setattr(live_source_module, "BACK_OFF_S", (0.6,))
    plie = [picture("plie")] * 12
    saute = [picture("saute", (128, 96))] * 60

    class Timed(Camera):
        def read(self) -> tuple[bool, np.ndarray | None]:
            time.sleep(1 / self.rate_hz)
            return super().read()

    recognizer = Recognizer.load(Path(model), "cpu")
    pushed: list[tuple[float, int, str | None]] = []
    answer = recognizer.answer

    def watched(seen: Seen) -> Prediction | None:
        prediction = answer(seen)
        likeliest = recognizer.card.names[int(prediction.probabilities.argmax())] if prediction else None
        pushed.append((seen.frame.time_s, recognizer.filled, likeliest))
        return prediction

    monkeypatch.setattr(recognizer, "answer", watched)
    shown = Shown()
    with open_source("0", connect=connecting([Timed(plie, 20), Timed(saute, 30)])) as source:
        run(
            source,
            recognizer,
            MoveTracker(recognizer.card),
            Screen(source, draw=shown.draw, show=shown.show),
            on_move=lambda move: None,
            tell=silent,
            stopped=lambda: int(len(pushed) > 30),
        )
    gaps = [index for index in range(1, len(pushed)) if pushed[index][0] - pushed[index - 1][0] > 0.5]
    assert len(gaps) == 1
    before, after = pushed[: gaps[0]], pushed[gaps[0] :]
    assert {likeliest for _, _, likeliest in before} <= {None, "plie"}
    assert {likeliest for _, _, likeliest in after} == {None, "saute"}
    assert after[0][1] == 1
    assert len({picture.shape for picture in shown.pictures}) == 2


def test_an_error_of_the_recogniser_is_raised_by_the_run(clip: Path, model: str) -> None:
    recognizer = Recognizer.load(Path(model), "cpu")

    def fail(_move: Move) -> None:
        raise SinkError("the disk is full")

    with FileSource(clip, pace=False) as source, pytest.raises(SinkError, match="disk is full"):
        run(source, recognizer, MoveTracker(recognizer.card), Screen(source), on_move=fail, tell=silent)


def test_a_rate_of_n_ticks_is_over_their_intervals() -> None:
    rate = Rate()
    shown = [rate.tick(index / 25) for index in range(200)]
    assert shown[0] is None
    assert shown[1:] == pytest.approx([25] * 199)


def test_a_move_is_described_by_its_display_name(model: str) -> None:
    card = Recognizer.load(Path(model), "cpu").card
    assert describe(Move("plie", 0.914, 1.25, 12.5), card) == "   1.25 to   12.50 s  plié  91 %"


CAMERA_RUN = """
import sys, time
from pathlib import Path
import numpy as np
import models.frames
models.frames.MAX_GAP_S = 60  # however busy the machine is, a plié is one move
from live.grid import live_grid
from live.options import Options
from live.runner import live
class Camera:
    def read(self):
        time.sleep(0.01)
        return True, np.full((48, 64, 3), {plie}, np.uint8)
    def get(self, property_id):
        return 30
    def release(self):
        pass
folder = Path(sys.argv[1])
options = Options(model=str(folder / "toy"), device="cpu", headless=True, connect=lambda place: Camera(),
                  record=folder / "out.mp4", events=folder / "out.jsonl", tell=lambda line: print(line, flush=True))
summary = live("0", options)
sys.exit(summary.exit_code)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_whole_outputs(
    root: Path, tmp_path: Path, model: str, number: signal.Signals, code: int
) -> None:
    script = CAMERA_RUN.replace("{plie}", str(COLOURS["plie"]))
    child = subprocess.Popen([sys.executable, "-c", script, tmp_path], cwd=root, stdout=subprocess.PIPE, text=True)
    try:
        recording = tmp_path / "out.mp4"
        wait_until(lambda: recording.exists() and recording.read_bytes().count(b"moof") >= 10)
        child.send_signal(number)
        said, _ = child.communicate(timeout=20)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == code
    assert [event["move"] for event in events_of(tmp_path / "out.jsonl")] == ["plie"]
    assert "plié" in said
    assert len(list(read_video(recording))) >= 30


def test_a_run_outside_the_main_thread_leaves_signals_alone(clip: Path, model: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    done: list[Summary] = []
    thread = threading.Thread(target=lambda: done.append(run_live(clip, model)))
    thread.start()
    thread.join(30)
    assert done[0].answered == 150
    assert signal.getsignal(signal.SIGINT) is before


def test_what_nobody_sees_is_drawn_once_for_each_frame_and_not_again_while_there_is_none(clip: Path) -> None:
    drawn: list[float] = []

    def draw(image: Image, view: View, details: bool, help_: bool) -> Image:
        drawn.append(view.time_s)
        return image

    with FileSource(clip, pace=False) as source:
        for show, times in ((None, 1), (lambda _: None, 3)):
            screen = Screen(source, draw=draw, show=show)
            frame = source.next(5.0)
            assert frame is not None
            screen.update(Answer(frame, View(time_s=frame.time_s)))
            screen.update(None)
            screen.update(None)
            assert drawn == [frame.time_s] * times
            drawn.clear()


@pytest.mark.parametrize("seen", [True, False])
def test_a_file_that_nobody_sees_is_drawn_by_the_thread_that_recognises_it(clip: Path, model: str, seen: bool) -> None:
    drew_in: set[str] = set()
    times: list[float] = []

    def draw(image: Image, view: View, details: bool, help_: bool) -> Image:
        drew_in.add(threading.current_thread().name)
        times.append(view.time_s)
        return image

    recognizer = Recognizer.load(Path(model), "cpu")
    with FileSource(clip, pace=False) as source:
        screen = Screen(source, draw=draw, show=(lambda image: None) if seen else None)
        run(source, recognizer, MoveTracker(recognizer.card), screen, on_move=print, tell=silent)
    assert drew_in == {threading.current_thread().name if seen else "pointe: recogniser"}
    assert list(dict.fromkeys(times)) == [frame.time_s for frame in read_video(clip)]


def test_a_network_that_hangs_holds_up_no_end_and_nothing_is_drawn_after_it(clip: Path, model: str) -> None:
    recognizer = Recognizer.load(Path(model), "cpu")
    go_on, hangs, drawn = threading.Event(), threading.Event(), []
    answers = recognizer.answers

    def hanging(seen: Sequence[Seen]) -> list[Outcome]:
        if seen[0].frame.index > 20:
            hangs.set()
            go_on.wait(60)
        return answers(seen)

    recognizer.answers = hanging
    with FileSource(clip, pace=False) as source:
        screen = Screen(source, draw=lambda image, *_: drawn.append(image) or image)
        tracker = MoveTracker(recognizer.card)
        summary = run(
            source, recognizer, tracker, screen, on_move=print, tell=silent, stopped=lambda: 143 * hangs.is_set()
        )
    still, before = left_running(), len(drawn)
    go_on.set()
    wait_until(lambda: left_running() == [])
    assert summary.exit_code == 143
    assert "pointe: recogniser" in still, "the network hung when the run had ended"
    assert len(drawn) == before > 0


def test_an_image_encoders_pictures_of_a_file_are_made_in_the_thread_that_decodes_it(
    clip: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_in: list[str] = []

    def noting(*arguments: object) -> Image:
        made_in.append(threading.current_thread().name)
        return to_input(*arguments)

    for module in ("live.beforehand", "models.encoders"):
        monkeypatch.setattr(f"{module}.to_input", noting)
    run_live(clip, model)
    assert made_in == ["MainThread", *["pointe: decoder"] * 50]  # the first tries whether the network ends; 10 of 30 Hz
