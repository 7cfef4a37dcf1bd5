"""`pointe eval` on long videos with labels, from the video to the report, with a model whose answers are known."""

import json
import math
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from test_cli import pointe
from toys import NAMES, draw_clip, make_card, make_model

from live.evaluate import watch
from live.moves import MoveTracker
from live.options import Options
from live.recognizer import Outcome, Prediction, Recognizer, Seen, StageTimes, Taken
from live.runner import live
from models.card import ModelCard, Provenance
from models.errors import PartlyDone, SourceError, UsageError
from models.frames import Frame, frames_promised, read_video
from train.clip import TEST, Skipped, fingerprint
from train.clips import find_clips
from train.evaluate import evaluate_clips, evaluate_streams
from train.event_scores import Span
from train.report import ClipAnswer, write_report
from train.stream_report import StreamReport, as_document, print_tables, view_rows, write_stream_report
from train.stream_scores import StreamResult, score

STRETCHES = [("none", 1.0), ("plie", 1.5), ("none", 1.0), ("tendu", 1.5), ("none", 1.0)]
MOVES = [{"move": "plie", "start_s": 1.0, "end_s": 2.5}, {"move": "tendu", "start_s": 3.5, "end_s": 5.0}]


def stream(folder: Path, name: str, labels: Any, stretches: list[tuple[str, float]] | None = None) -> Path:
    """A video of coloured stretches, and its labels where there are any."""
    folder.mkdir(parents=True, exist_ok=True)
    path = draw_clip(folder / f"{name}.mp4", stretches or STRETCHES)
    if labels is not None:
        path.with_suffix(".json").write_text(json.dumps(labels), "utf-8")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "toy")


# ---- watching a stream


def test_a_stream_is_watched_as_it_would_be_live(model: Path, tmp_path: Path) -> None:
    path = stream(tmp_path, "a", None)
    recognizer = Recognizer.load(model, "cpu")
    seen = watch(recognizer, MoveTracker(recognizer.card), read_video(path))
    options = Options(model=str(model), device="cpu", headless=True, pace=False, tell=lambda line: None)
    summary = live(str(path), options)
    assert seen.moves == summary.moves
    assert [move.name for move in seen.moves] == ["plie", "tendu"]
    assert seen.seconds == pytest.approx(6.0, abs=0.1)
    assert seen.probabilities.shape == (len(seen.times_s), len(NAMES))
    for move, shown_s in zip(seen.moves, seen.shown_at_s, strict=True):
        assert move.start_s < shown_s <= move.end_s


def test_a_second_stream_begins_with_nothing_of_the_first(model: Path, tmp_path: Path) -> None:
    recognizer = Recognizer.load(model, "cpu")
    tracker = MoveTracker(recognizer.card)
    cut = stream(tmp_path, "a", None, [("none", 1.0), ("plie", 1.0)])
    first, again = (watch(recognizer, tracker, read_video(cut)) for _ in range(2))
    assert first.moves == again.moves and len(first.moves) == 1
    assert np.array_equal(first.probabilities, again.probabilities)


CARD = make_card()


class NoNetwork:
    """Stands where the recogniser does: a prediction for every frame whose picture is not black."""

    answers_at_once = 3

    def __init__(self, **card: object) -> None:
        self.card = make_card(smoothing_s=0.0, **card)

    def reset(self) -> None: ...

    def likeliest(self, frame: Frame) -> int:
        return 1

    def see(self, frame: Frame) -> Seen:
        sure = np.eye(4, dtype=np.float32)[self.likeliest(frame)] if frame.image.any() else None
        return Seen(Taken(frame, 0.0, True, False), sure, sure is not None, None, None, 0.0, 0.0)

    def answers(self, seen: Sequence[Seen]) -> list[Outcome]:
        said = [None if each.feature is None else Prediction(each.feature, each.frame.time_s) for each in seen]
        return [Outcome(each, 0, StageTimes()) for each in said]


def test_a_move_ends_where_the_dancer_is_lost(tmp_path: Path) -> None:
    white, black = np.full((1, 1, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)
    frames = [Frame(black if 10 <= i < 20 else white, i, i / 10) for i in range(30)]
    recognizer: Any = NoNetwork()
    seen = watch(recognizer, MoveTracker(recognizer.card), frames)
    assert [(move.start_s, move.end_s) for move in seen.moves] == [(0.0, 0.9), (2.0, 2.9)]
    assert seen.shown_at_s == pytest.approx((0.2, 2.2))
    assert len(seen.times_s) == 20


def test_a_move_is_announced_when_its_own_name_is_first_shown() -> None:
    recognizer: Any = NoNetwork()
    related = [m.model_copy(update={"family": "both", "enter": 0.7} if m.name != "none" else {}) for m in CARD.moves]
    recognizer.card = recognizer.card.model_copy(update={"moves": tuple(related)})
    likeliest = [1] * 10 + [2] * 30
    recognizer.likeliest = lambda frame: likeliest[frame.index]
    frames = [Frame(np.full((1, 1, 3), 255, np.uint8), i, i / 10) for i in range(40)]
    seen = watch(recognizer, MoveTracker(recognizer.card), frames)
    [move] = seen.moves
    assert move.name == recognizer.card.names[2] and move.start_s == 0
    assert seen.shown_at_s == pytest.approx((2.0,), abs=0.11)  # the other was shown at 0.2


def test_what_a_late_answer_speaks_of_is_earlier_and_the_display_is_not() -> None:
    white = np.full((1, 1, 3), 255, np.uint8)
    recognizer: Any = NoNetwork(delay_s=0.25)
    seen = watch(recognizer, MoveTracker(recognizer.card), [Frame(white, i, 1 + i / 8) for i in range(9)])
    assert seen.times_s.tolist() == [0.75 + i / 8 for i in range(9)]
    assert [(move.start_s, move.end_s) for move in seen.moves] == [(0.75, 2.0)]  # it goes on where the video ends
    assert seen.shown_at_s == (1.25,)


def test_no_frames_are_no_answers() -> None:
    recognizer: Any = NoNetwork()
    seen = watch(recognizer, MoveTracker(recognizer.card), [])
    assert (seen.moves, seen.seconds, seen.probabilities.shape) == ((), 0.0, (0, 4))


def test_a_video_promises_its_frames(tmp_path: Path) -> None:
    assert frames_promised(stream(tmp_path, "a", None)) == 180
    with pytest.raises(SourceError):
        frames_promised(tmp_path / "absent.mp4")


# ---- the report


def made_up(view: str | None = None, name: str = "a.mp4") -> StreamResult:
    times = np.arange(0, 10, 0.1)
    said = np.full((100, 4), 0.1, np.float32)
    said[:, 0] = 0.7
    said[20:40] = (0.1, 0.7, 0.1, 0.1)
    plie, tendu = Span("plie", 2, 4), Span("tendu", 6, 7)
    return StreamResult(name, 10.0, times, said, [plie], [2.5], [plie, tendu], [], view)


def report(folder: Path, results: list[StreamResult], **more: Any) -> dict[str, Any]:
    write_stream_report(folder, title="toy | on a", names=NAMES, results=results, measured_on={"model": "toy"}, **more)
    document: dict[str, Any] = json.loads(
        (folder / "report.json").read_text("utf-8"), parse_constant=lambda constant: pytest.fail(constant)
    )
    return document


def test_the_report_holds_the_figures_of_all_and_of_each_view(tmp_path: Path) -> None:
    document = report(tmp_path, [made_up("front"), made_up("back", "b.mp4")])
    everything = document["everything"]
    assert everything["streams"] == 2
    assert everything["mean_f1"] == pytest.approx(0.5)
    plie, tendu, saute = everything["moves"]
    assert (plie["danced"], plie["found"], plie["f1"], plie["delay_p50_s"]) == (2, 2, 1.0, 0.5)
    assert (tendu["recall"], tendu["precision"], tendu["delay_p95_s"]) == (0.0, None, None)
    assert (saute["recall"], saute["f1"], saute["average_precision"]) == (None, None, None)
    assert list(document["views"]) == ["front", "back"]
    assert document["views"]["back"]["streams"] == 1
    assert [each["name"] for each in document["measured_on"]["streams"]] == ["a.mp4", "b.mp4"]
    assert sum(each["steps"] for each in everything["calibration"]) == 200


def test_the_page_tells_figures_streams_and_what_was_left_out(tmp_path: Path) -> None:
    strange = replace(made_up("front|left"), danced=[Span("fouette", 1, 2)])
    report(tmp_path, [made_up(), strange], skipped=[Skipped(tmp_path / "c.mp4", "no labels")], displays=None)
    page = (tmp_path / "report.md").read_text("utf-8")
    for told in ("| plié | 1 | 1 |", "`fouette`: 1", "`c.mp4`: no labels", "front¦left", "not said", "- model: toy"):
        assert told in page
    for line in page.splitlines():
        if line.startswith("!["):
            picture = line.split("(")[1].rstrip(")")
            assert cv2.imread(str(tmp_path / picture)) is not None
    assert page.count("![") == 4


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        report(tmp_path / folder, [made_up("front")])
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 6
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_a_report_of_streams_in_which_nothing_is_danced_can_be_written(tmp_path: Path) -> None:
    silent = replace(
        made_up(), announced=[], shown_at_s=[], danced=[], times_s=np.zeros(0), probabilities=np.zeros((0, 4), "f4")
    )
    document = report(tmp_path, [silent])
    assert document["everything"]["mean_f1"] is None
    assert document["everything"]["false_per_minute"] == 0


def test_the_terminal_shows_every_figure_whole(capsys: pytest.CaptureFixture[str]) -> None:
    scores = score([made_up()], NAMES)
    print_tables(StreamReport(scores, {"[front]": scores}), NAMES, ("none", "plié", "tendu", "sauté"))
    out = capsys.readouterr().out
    assert "…" not in out
    assert "plié" in out and "1.000" in out and "[front]" in out
    assert "sauté" not in out  # neither danced nor announced
    assert not math.isnan(scores.mean_f1)


def test_a_view_may_have_any_name_and_the_row_of_all_streams_stays(capsys: pytest.CaptureFixture[str]) -> None:
    every, one = score([made_up(), made_up()], NAMES), score([made_up()], NAMES)
    rows = view_rows({"everything": as_document(every), "views": {"all": as_document(one)}})
    assert [row[:2] for row in rows[1:]] == [["all", "2"], ["all", "1"]]


# ---- the command


def test_the_command_scores_a_folder_of_streams(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    stream(data, "a", {"moves": MOVES, "view": "front"})
    stream(data, "b", {"moves": [*MOVES[:1], MOVES[1] | {"move": "fouette"}], "view": "back"})
    code, out, err = pointe("eval", model, data, "--report", tmp_path / "r", "--device", "cpu")
    assert code == 0, err
    assert "plié" in out and "front" in out and "toy (head " in out
    document = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))
    everything = document["everything"]
    assert everything["mean_f1"] == 1
    assert everything["together"]["danced"] == everything["together"]["found"] == 3
    assert everything["together"]["false"] == 0
    assert everything["moves_without_a_name_in_the_model"] == {"fouette": 1}
    # the window of four steps at 10 Hz turns a little after the colour, and is shown after the least duration
    assert 0.2 < everything["together"]["delay_p50_s"] < 0.8
    assert set(document["views"]) == {"front", "back"}
    assert document["measured_on"]["head sha256"] == json.loads((model / "card.json").read_text())["head"]["sha256"]
    assert "date" not in document["measured_on"]
    first = {path.name: path.read_bytes() for path in (tmp_path / "r").iterdir()}
    assert pointe("eval", model, data, "--report", tmp_path / "again", "--device", "cpu")[0] == 0
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}


def test_what_cannot_be_scored_is_listed_and_the_rest_is_done(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    stream(data, "a", MOVES)
    stream(data, "unlabelled", None)
    stream(data, "other", [MOVES[0] | {"start_s": 50, "end_s": 51}])
    (data / "broken.mp4").write_bytes(b"no video at all")
    (data / "broken.json").write_text("[]")
    (data / "lonely.json").write_text("[]")
    code, out, err = pointe("eval", model, data, "--report", tmp_path / "r")
    assert code == 6
    assert "4 files were left out" in err and "on 1 stream;" in out
    document = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))
    reasons = {each["path"]: each["reason"] for each in document["skipped"]}
    assert set(reasons) == {"unlabelled.mp4", "other.mp4", "broken.mp4", "lonely.json"}
    assert "Cannot read" in reasons["broken.mp4"]
    assert "the video ends at" in reasons["other.mp4"]
    assert document["everything"]["streams"] == 1


def test_a_report_that_lies_beside_the_videos_is_not_left_out_of_the_next_one(model: Path, tmp_path: Path) -> None:
    stream(tmp_path, "a", [])
    (tmp_path / "b").mkdir()
    for _ in range(2):
        assert pointe("eval", model, tmp_path, "--report", tmp_path / "r")[0] == 6
        assert [each["path"] for each in json.loads((tmp_path / "r" / "report.json").read_text())["skipped"]] == ["b"]


def test_videos_that_all_fail_are_an_error_of_the_source(model: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    (tmp_path / "broken.json").write_text("[]")
    code, _, err = pointe("eval", model, tmp_path, "--report", tmp_path / "r")
    assert code == 3
    assert "None of the 1 videos" in err and "Cannot read" in err
    assert not (tmp_path / "r").exists()


def test_streams_without_any_labels_are_an_error_of_usage(model: Path, tmp_path: Path) -> None:
    stream(tmp_path, "a", None)
    code, _, err = pointe("eval", model, tmp_path)
    assert code == 2
    assert "NAME.json beside NAME.mp4" in err


def test_a_threshold_that_nothing_reaches_announces_nothing(model: Path, tmp_path: Path) -> None:
    path = stream(tmp_path, "a", MOVES)
    assert pointe("eval", model, path, "--report", tmp_path / "r", "--threshold", 1)[0] == 0
    document = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))
    assert document["everything"]["together"]["announced"] == 0
    assert document["measured_on"]["threshold"] == "1 for every move"


def test_clips_have_no_threshold_and_are_reported_by_the_names_of_the_card(model: Path, tmp_path: Path) -> None:
    for move in ("plie", "tendu"):
        (tmp_path / "data" / move).mkdir(parents=True)
        draw_clip(tmp_path / "data" / move / "a.mp4", [(move, 1.0)])
    code, _, err = pointe("eval", model, tmp_path / "data", "--threshold", 0.5)
    assert code == 2 and "--threshold is for streams" in err
    moves = [each.model_copy(update={"display": f"le {each.display}"}) for each in make_card().moves]
    named = make_model(tmp_path / "named", moves=moves)
    assert pointe("eval", named, tmp_path / "data", "--report", tmp_path / "r")[0] == 0
    assert "| le plié |" in (tmp_path / "r" / "report.md").read_text("utf-8")


@pytest.mark.parametrize("out", ["file", "file/report", "a" * 300])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_watched(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").touch()
    data = coloured_clips(tmp_path / "data", "plie/a.mp4", "tendu/a.mp4")
    videos = tmp_path / "videos"
    stream(videos, "a", MOVES)

    def watch_nothing(frames: Iterable[Frame]) -> Any:
        pytest.fail("a video was watched")

    with pytest.raises(UsageError, match="--report DIR"):
        evaluate_clips(CARD, data, tmp_path / out, watch_nothing, model="toy", ran_on="cpu")
    with pytest.raises(UsageError, match="--report DIR"):
        evaluate_streams(CARD, videos, tmp_path / out, watch_nothing, threshold=None, ran_on="cpu")


def coloured_clips(folder: Path, *paths: str) -> Path:
    """Clips in the colour of the move in whose folder they lie, each of another length."""
    for number, path in enumerate(paths):
        clip = folder / path
        clip.parent.mkdir(parents=True, exist_ok=True)
        draw_clip(clip, [(clip.parent.name, 1 + number / 10)])  # no two alike
    return folder


def taught(model: Path, folder: Path, clips: Iterable[Path]) -> Path:
    """The model, with a card that says that it learnt from these clips; of none, that it learnt from some."""
    shutil.copytree(model, folder)
    card = ModelCard.read(folder)
    learnt = Provenance(trained_on="4 clips in data", clips=tuple(map(fingerprint, clips)))
    card.model_copy(update={"provenance": learnt}).save(folder)
    return folder


def test_of_clips_that_are_split_those_of_the_test_are_measured_and_that_is_said(model: Path, tmp_path: Path) -> None:
    data = coloured_clips(tmp_path / "data", *(f"{move}/{take}.mp4" for move in ("plie", "tendu") for take in "abc"))
    code, out, err = pointe("eval", taught(model, tmp_path / "learner", []), data, "--report", tmp_path / "r")
    assert code == 0, err
    assert "note: split by clip (seed 0), as no dancer is known" in out
    assert "measured on 2 of 6 clips; split: test\n" in out
    measured_on = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))["measured_on"]
    assert (measured_on["clips"], measured_on["split"]) == ("2 of 6", "test")
    assert "split by clip (seed 0)" in measured_on["notes"]
    assert measured_on["head sha256"] == json.loads((model / "card.json").read_text())["head"]["sha256"]
    assert measured_on["ran on"] == "CPUExecutionProvider"


def test_of_clips_that_the_model_never_saw_all_are_measured_unless_it_is_said_which(
    model: Path, tmp_path: Path
) -> None:
    data = coloured_clips(tmp_path / "data", *(f"{move}/{take}.mp4" for move in ("plie", "tendu") for take in "abc"))
    elsewhere = coloured_clips(tmp_path / "elsewhere", "plie/x.mp4") / "plie" / "x.mp4"
    elsewhere.write_bytes(elsewhere.read_bytes() + bytes(8))
    for learner in (model, taught(model, tmp_path / "learner", [elsewhere])):  # the first learnt from no clips at all
        code, out, err = pointe("eval", learner, data, "--report", tmp_path / "r")
        assert code == 0, err
        assert "note: " not in out
        assert "measured on 6 of 6 clips; split: all: the model learnt from none of them\n" in out
        assert "- split: all: the model learnt from none of them\n" in (tmp_path / "r" / "report.md").read_text("utf-8")
    (data / "clips.csv").write_text("path,dancer,split\nplie/a.mp4,,test\n")
    code, out, err = pointe("eval", model, data, "--report", tmp_path / "r")
    assert code == 0, err
    assert "measured on 1 of 6 clips; split: test\n" in out


def test_clips_of_one_move_or_of_the_test_alone_can_be_measured(model: Path, tmp_path: Path) -> None:
    for number, clips in enumerate((["plie/a.mp4"], ["test/plie/a.mp4", "test/tendu/a.mp4"])):
        data = coloured_clips(tmp_path / str(number), *clips)
        code, out, err = pointe("eval", model, data, "--report", tmp_path / "r")
        assert code == 0, err
        assert f"accuracy 1.000 on {len(clips)} clips" in out


def test_of_clips_that_are_the_same_file_one_is_measured(model: Path, tmp_path: Path) -> None:
    data = coloured_clips(tmp_path / "data", "plie/a.mp4", "tendu/a.mp4")
    for copy in ("plie/b.mp4", "tendu/b.mp4"):
        shutil.copy(data / "plie" / "a.mp4", data / copy)
    code, out, err = pointe("eval", model, data, "--report", tmp_path / "r")
    assert code == 6 and "2 clips were left out" in err
    assert "accuracy 1.000 on 2 clips" in out
    page = (tmp_path / "r" / "report.md").read_text("utf-8")
    assert page.count("the same file as `plie/") == 2


def test_a_video_that_opencv_stumbles_over_is_left_out_and_the_rest_is_done(tmp_path: Path) -> None:
    def stumble(frames: Iterable[Frame]) -> Any:
        frames = list(frames)
        if frames[-1].time_s > 1:
            cv2.resize(frames[-1].image[:0], (8, 8))  # of nothing
        return watch(NoNetwork(), MoveTracker(CARD), frames)  # type: ignore[arg-type]

    data = coloured_clips(tmp_path / "data", "plie/a.mp4", "tendu/a.mp4")
    draw_clip(data / "plie" / "a.mp4", [("plie", 0.5)])
    with pytest.raises(PartlyDone, match="1 clip was left out"):
        evaluate_clips(
            CARD, data, tmp_path / "r", lambda frames: stumble(frames).probabilities[0], model="toy", ran_on="cpu"
        )
    for name, seconds in (("a", 0.5), ("b", 2.0)):
        stream(tmp_path / "videos", name, [], [("plie", seconds)])
    with pytest.raises(PartlyDone, match="1 file was left out"):
        evaluate_streams(CARD, tmp_path / "videos", tmp_path / "s", stumble, threshold=None, ran_on="cpu")
    for report in ("r", "s"):
        assert "OpenCV cannot decode it: " in (tmp_path / report / "report.md").read_text("utf-8")


def test_clips_that_the_model_may_have_learnt_from_are_not_measured_without_a_word(model: Path, tmp_path: Path) -> None:
    data = coloured_clips(tmp_path / "data", "train/plie/a.mp4", "train/tendu/a.mp4", "va\nl/plie/a.mp4")
    code, out, err = pointe("eval", taught(model, tmp_path / "learner", []), data, "--report", tmp_path / "r")
    assert code == 0, err
    assert "note: not read, as it lies beside train/: va?l\n" in out
    assert "measured on 2 of 2 clips; split: all, as none is kept for the test: the model may have learnt from" in out
    page = (tmp_path / "r" / "report.md").read_text("utf-8")
    assert "- clips: 2 of 2\n" in page
    assert "- split: all, as none is kept for the test: the model may have learnt from them\n" in page


def test_clips_that_the_model_learnt_from_are_left_out_when_a_folder_that_has_grown_is_split_anew(
    model: Path, tmp_path: Path
) -> None:
    data = coloured_clips(tmp_path / "data", *(f"{move}/{take}.mp4" for move in ("plie", "tendu") for take in "abc"))
    tested = [clip.path for clip in find_clips(data).clips if clip.split == TEST]
    learner = taught(model, tmp_path / "learner", [tested[0]])
    code, out, err = pointe("eval", learner, data, "--report", tmp_path / "r")
    assert (code, err) == (6, f"pointe: 1 clip was left out; {tmp_path / 'r' / 'report.md'} says which and why.\n")
    assert "measured on 1 of 6 clips; split: test\n" in out
    (skipped,) = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))["skipped"]
    assert skipped["path"].endswith(f"{tested[0].parent.name}/{tested[0].name}")
    assert skipped["reason"] == "the model learnt from it"

    scholar = taught(model, tmp_path / "scholar", tested)
    code, out, err = pointe("eval", scholar, data, "--report", tmp_path / "none")
    assert code == 2 and "measured on" not in out and not (tmp_path / "none").exists()
    assert err.startswith("pointe: scholar learnt from every test clip of ")


def test_without_a_test_split_what_the_model_did_not_learn_from_is_measured(model: Path, tmp_path: Path) -> None:
    data = coloured_clips(tmp_path / "data", *(f"train/{move}/dancer-eve_{move}.mp4" for move in ("plie", "tendu")))
    plie, tendu = sorted(data.rglob("*.mp4"))
    code, out, err = pointe("eval", taught(model, tmp_path / "half", [plie]), data, "--report", tmp_path / "r")
    assert code == 6, err
    assert "measured on 1 of 2 clips; split: all that the model did not learn from, as none is kept" in out
    assert "note: the model learnt from other clips of eve\n" in out

    code, out, err = pointe("eval", taught(model, tmp_path / "all", [plie, tendu]), data, "--report", tmp_path / "r")
    assert code == 0, err
    assert "measured on 2 of 2 clips; split: all, as none is kept for the test: the model learnt from every one" in out


def test_dancers_whom_the_model_knows_from_other_clips_are_named(model: Path, tmp_path: Path) -> None:
    names = (
        f"{move}/dancer-{dancer}_{take}.mp4"
        for move in ("plie", "tendu")
        for dancer in ("eve", "ida", "ute")
        for take in "ab"
    )
    data = coloured_clips(tmp_path / "data", *names)
    tested = [clip for clip in find_clips(data).clips if clip.split == TEST]
    learner = taught(model, tmp_path / "learner", [tested[0].path])
    code, out, err = pointe("eval", learner, data, "--report", tmp_path / "r")
    assert code == 6, err
    assert f"note: the model learnt from other clips of {tested[0].dancer}\n" in out


def test_a_report_leaves_no_picture_of_an_earlier_one_of_the_other_kind(tmp_path: Path) -> None:
    answer = ClipAnswer(Path("plie/a.mp4"), "plie", np.array([0.1, 0.7, 0.1, 0.1], np.float32))
    write_report(tmp_path, title="clips", moves=NAMES, answers=[answer], measured_on={})
    assert (tmp_path / "confusion.png").exists()
    report(tmp_path, [made_up()])
    assert not (tmp_path / "confusion.png").exists()
    write_report(tmp_path, title="clips", moves=NAMES, answers=[answer], measured_on={})
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["confusion.png"]
