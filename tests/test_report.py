"""Answers in, figures, page and pictures out."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import UsageError
from train.clip import Skipped
from train.report import ClipAnswer, write_report

MOVES = ("none", "plie", "tendu")


def answer(truth: str, *probabilities: float, name: str = "a") -> ClipAnswer:
    return ClipAnswer(Path(f"/data/test/{truth}/{name}.mp4"), truth, np.array(probabilities, np.float32))


def strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def report(folder: Path, answers: list[ClipAnswer], moves: tuple[str, ...] = MOVES, **more: Any) -> dict[str, Any]:
    write_report(folder, title="three moves", moves=moves, answers=answers, measured_on={"data": "/data"}, **more)
    document: dict[str, Any] = strict((folder / "report.json").read_text("utf-8"))
    return document


FOUR = [
    answer("plie", 0.1, 0.8, 0.1),
    answer("plie", 0.2, 0.3, 0.5, name="b"),
    answer("tendu", 0.1, 0.2, 0.7),
    answer("tendu", 0.6, 0.3, 0.1, name="b"),
]


def test_the_figures_are_those_one_counts_by_hand(tmp_path: Path) -> None:
    metrics = report(tmp_path, FOUR)["metrics"]
    assert (metrics["clips"], metrics["right"]) == (4, 2)
    assert metrics["accuracy"] == 0.5
    assert metrics["top2_accuracy"] == 0.75
    assert metrics["always_the_most_frequent"] == 0.5
    assert metrics["confusion"] == [[0, 0, 0], [0, 1, 1], [1, 0, 1]]
    none, plie, tendu = metrics["moves"]
    assert plie == {"move": "plie", "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    assert tendu == {"move": "tendu", "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert none == {"move": "none", "precision": 0.0, "recall": None, "f1": 0.0, "support": 0}
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)  # over the two moves that were tested
    assert metrics["macro_f1_over"] == 2


def test_the_interval_is_wilsons(tmp_path: Path) -> None:
    # Brown, Cai and DasGupta (2001): the interval for 0 of 10 and 10 of 10 reaches 0.2775 from its end.
    low, high = report(tmp_path, [answer("plie", 0, 1, 0)] * 10)["metrics"]["accuracy_95"]
    assert (low, high) == (pytest.approx(1 - 0.2775, abs=1e-3), pytest.approx(1))
    low, high = report(tmp_path, [answer("plie", 1, 0, 0)] * 10)["metrics"]["accuracy_95"]
    assert (low, high) == (pytest.approx(0), pytest.approx(0.2775, abs=1e-3))


def test_what_is_returned_is_what_the_file_holds(tmp_path: Path) -> None:
    returned = write_report(tmp_path, title="x", moves=MOVES, answers=FOUR, measured_on={})
    assert strict((tmp_path / "report.json").read_text("utf-8"))["metrics"] == returned


def test_every_clip_is_listed_with_truth_answer_and_probability(tmp_path: Path) -> None:
    rows = report(tmp_path, FOUR)["answers"]
    assert [(row["path"], row["truth"], row["answer"]) for row in rows] == [
        ("test/plie/a.mp4", "plie", "plie"),
        ("test/plie/b.mp4", "plie", "tendu"),
        ("test/tendu/a.mp4", "tendu", "tendu"),
        ("test/tendu/b.mp4", "tendu", "none"),
    ]
    assert rows[1]["probability"] == pytest.approx(0.5) and rows[1]["of_truth"] == pytest.approx(0.3)


def test_no_path_of_the_machine_is_shown(tmp_path: Path) -> None:
    elsewhere = ClipAnswer(Path("/home/someone/clips/test/plie/a.mp4"), "plie", np.array([0, 1, 0], np.float32))
    assert report(tmp_path, [elsewhere])["answers"][0]["path"] == "test/plie/a.mp4"


def test_the_figures_travel_with_where_they_were_measured(tmp_path: Path) -> None:
    measured = report(tmp_path, FOUR)["measured_on"]
    assert measured["data"] == "/data" and measured["clips"] == "4"
    assert measured["date"].startswith("20") and measured["command"] and measured["machine"]
    assert f"python {sys.version_info.major}.{sys.version_info.minor}" in measured["versions"]
    assert "numpy" in measured["versions"] and "scikit-learn" in measured["versions"]


def test_what_the_caller_says_of_the_measurement_stands(tmp_path: Path) -> None:
    write_report(tmp_path, title="x", moves=MOVES, answers=FOUR, measured_on={"command": "pointe eval M D"})
    assert strict((tmp_path / "report.json").read_text())["measured_on"]["command"] == "pointe eval M D"


def test_the_page_tells_people_the_same(tmp_path: Path) -> None:
    skipped = [Skipped(Path("/data/test/plie/|c`.mp4"), "Cannot read it as a video.")]
    report(tmp_path, FOUR, skipped=skipped)
    page = (tmp_path / "report.md").read_text("utf-8")
    assert "**Accuracy 0.500**: 2 of 4 clips" in page
    assert "| plié | 1.000 | 0.500 | 0.667 | 2 |" in page
    assert "| none | 0.000 | - | 0.000 | 0 |" in page
    assert "| `test/plie/b.mp4` | plie | tendu | 0.500 |" in page
    assert "- `test/plie/¦c´.mp4`: Cannot read it as a video." in page
    assert "](confusion.png)" in page and "learning_curve" not in page


def test_a_number_that_is_not_finite_is_null_and_never_the_answer(tmp_path: Path) -> None:
    nan, inf = float("nan"), float("inf")
    document = report(tmp_path, [answer("plie", nan, 0.2, 0.1), answer("tendu", nan, inf, nan), *FOUR])
    first, second = document["answers"][:2]
    assert first["answer"] == "plie"
    assert second["probability"] is None and second["of_truth"] is None
    assert document["metrics"]["not_finite"] == 2
    assert "2 clips got a probability that is not a finite number" in (tmp_path / "report.md").read_text("utf-8")


def test_a_clip_of_a_move_that_the_model_does_not_know_is_skipped_with_the_reason(tmp_path: Path) -> None:
    document = report(tmp_path, [*FOUR, answer("saute", 0.1, 0.8, 0.1)])
    assert document["metrics"]["clips"] == 4
    assert document["skipped"] == [{"path": "test/saute/a.mp4", "reason": "the model knows no move 'saute'"}]


def test_without_answers_the_report_says_that_there_is_no_accuracy(tmp_path: Path) -> None:
    report(tmp_path, FOUR)
    document = report(tmp_path, [])
    assert document["metrics"] == {} and document["answers"] == []
    assert "there is no accuracy" in (tmp_path / "report.md").read_text("utf-8")
    assert not (tmp_path / "confusion.png").exists()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=12))
def test_whatever_is_answered_the_figures_lie_between_0_and_1_and_add_up(
    tmp_path_factory: pytest.TempPathFactory, count: int, pairs: list[tuple[int, int]]
) -> None:
    moves = tuple(f"move_{i}" for i in range(count))
    answers = [answer(moves[t % count], *np.eye(count)[a % count]) for t, a in pairs]
    metrics = report(tmp_path_factory.mktemp("report"), answers, moves)["metrics"]
    assert sum(map(sum, metrics["confusion"])) == metrics["clips"] == len(pairs)
    assert metrics["right"] == sum(t % count == a % count for t, a in pairs)
    low, high = metrics["accuracy_95"]
    assert 0 <= low <= metrics["accuracy"] + 1e-9 and metrics["accuracy"] - 1e-9 <= high <= 1
    assert metrics["accuracy"] <= metrics["top2_accuracy"] <= 1
    for move in metrics["moves"]:
        assert all(move[name] is None or 0 <= move[name] <= 1 for name in ("precision", "recall", "f1"))
        assert (move["recall"] is None) == (move["support"] == 0)


@pytest.mark.parametrize("count", [2, 40])
def test_the_confusion_matrix_is_a_square_picture_with_blue_right_and_orange_wrong_answers(
    tmp_path: Path, count: int
) -> None:
    moves = tuple(f"move_{i}" for i in range(count))
    right = [answer(move, *np.eye(count)[i]) for i, move in enumerate(moves)]
    report(tmp_path, [*right, answer(moves[0], *np.eye(count)[1])], moves)
    picture = cv2.imread(str(tmp_path / "confusion.png"))
    assert picture is not None and 400 < picture.shape[0] == picture.shape[1] < 4000
    blue, _, red = (picture[..., channel].astype(int) for channel in range(3))
    assert np.count_nonzero(blue - red > 60) > 400 and np.count_nonzero(red - blue > 60) > 400


def history(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["epoch,accuracy,learning_rate,loss,val_accuracy,val_loss", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    "rows",
    [
        ["1,0.5,0.001,1.2,0.4,1.3"],
        ["1,0.5,0.001,1.2,0.4,1.3", "2,0.6,0.001,nan,,inf", "3,0.7,0.001,0.9,0.6,1.0"],
        ["1,nan,,nan,,nan", "2,x,,nan,,nan"],
    ],
)
def test_a_learning_curve_is_drawn_from_any_history(tmp_path: Path, rows: list[str]) -> None:
    report(tmp_path, FOUR, history_csv=history(tmp_path / "history.csv", *rows))
    picture = cv2.imread(str(tmp_path / "learning_curve.png"))
    assert picture is not None and picture.shape[1] > picture.shape[0] > 300
    assert "](learning_curve.png)" in (tmp_path / "report.md").read_text("utf-8")


def test_without_a_history_there_is_no_learning_curve_not_even_an_older_one(tmp_path: Path) -> None:
    report(tmp_path, FOUR, history_csv=history(tmp_path / "history.csv", "1,0.5,0.001,1.2,0.4,1.3"))
    report(tmp_path, FOUR, history_csv=tmp_path / "missing.csv")
    assert not (tmp_path / "learning_curve.png").exists()
    report(tmp_path, FOUR, history_csv=history(tmp_path / "history.csv"))
    assert not (tmp_path / "learning_curve.png").exists()


def test_drawing_leaves_pyplot_alone(tmp_path: Path) -> None:
    loaded = "matplotlib.pyplot" in sys.modules
    report(tmp_path, FOUR, history_csv=history(tmp_path / "history.csv", "1,0.5,0.001,1.2,0.4,1.3"))
    assert ("matplotlib.pyplot" in sys.modules) == loaded


def test_missing_libraries_are_named_with_what_brings_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UsageError, match=r"Type: .*\[train\]"):
        write_report(tmp_path, title="x", moves=MOVES, answers=FOUR, measured_on={})
