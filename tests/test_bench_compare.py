"""The product beside its limits and beside the ancestor: the ratios, the promises, and the exit code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from test_cli import pointe
from toys import draw_clip, make_model

from live.against import run_against
from live.bench_children import peak_memory, run_live
from live.bench_loop import Times
from live.bench_subject import describe_video, open_subject
from live.compare import Round, figures_of, frames_to_fill, slowest, spread
from live.targets import rows_against, rows_of
from models.errors import SourceError
from models.frames import Image, read_video

TIMES = Times(10.0, 10.0, 12.0, 13.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 frames at 30 Hz."""
    return draw_clip(tmp_path_factory.mktemp("compare") / "clip.mp4", [("plie", 2), ("tendu", 4 / 3)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "toy")


def a_round(encoder_fps: float, decode_fps: float, product_fps: float, encoded: float = 1.0) -> Round:
    stages_ms = {"decode": 3.0, "prepare": 0.3, "encode": 8.0, "head": 0.5, "draw": 0.5}
    return Round(encoder_fps, decode_fps, encoder_fps / 2, product_fps, encoded, TIMES, TIMES, stages_ms)


def document(**changes: Any) -> dict[str, Any]:
    figures = {
        "ratio": spread([0.96, 0.97, 0.9], 4),
        "head_percent": 4.9,
        "encoder_p95_ms": 9.0,
        "latency_p95_ms": 13.9,
        "first_answer_s": spread([2.4]),
        "memory_mb": 349.0,
        "allocations": {"frame_bytes": 100, "peak_bytes": 99, "places": {}, "frame_sized": False},
    }
    return {"sampled": False, "slowest": "the encoder", "figures": figures | changes}


def test_the_limit_is_the_slower_of_the_two_and_the_ratio_is_taken_within_a_round(model: Path) -> None:
    rounds = [a_round(100, 200, 95), a_round(50, 80, 40), a_round(120, 90, 90)]
    assert [each.limit_fps for each in rounds] == [100, 50, 90]
    assert slowest(rounds) == "the encoder"
    figures = figures_of(rounds, open_subject(str(model), None, "cpu", 1))
    assert figures["ratio"] == {"median": 0.95, "low": 0.8, "high": 1.0}
    assert figures["product_fps"]["median"] == 90
    assert figures["ratio_of_both"] == {"median": 1.6, "low": 1.5, "high": 1.9}


def test_the_heads_share_is_that_of_the_frames_that_are_encoded(model: Path) -> None:
    subject = open_subject(str(model), None, "cpu", 1, sampled=True)
    figures = figures_of([a_round(100, 200, 100, encoded=0.5)], subject)
    assert figures["head_percent"] == pytest.approx(2.5)  # 0.5 ms of the 20 ms from one encoded frame to the next


def test_at_the_cards_rate_more_frames_pass_until_the_window_is_full(model: Path) -> None:
    every, sampled = (open_subject(str(model), None, "cpu", 1, sampled=each) for each in (False, True))
    assert frames_to_fill(every, 30.0) == 30
    assert frames_to_fill(sampled, 30.0) == 90  # the card asks for 10 a second


def test_every_promise_is_kept_at_its_edge_and_broken_beyond_it() -> None:
    assert all(row.met for row in rows_of(document()) if row.met is not None)
    broken: dict[str, Any] = {
        "ratio": spread([0.94]),
        "head_percent": 5.0,
        "latency_p95_ms": 14.0,
        "first_answer_s": spread([2.5]),
        "memory_mb": 350.0,
        "allocations": {"frame_bytes": 100, "peak_bytes": 100, "places": {"a.py:1": 1}, "frame_sized": True},
    }
    for name, value in broken.items():
        assert [row.met for row in rows_of(document(**{name: value}))].count(False) == 1, name


def test_what_a_run_did_not_measure_is_said_with_how_to_measure_it() -> None:
    others = [row.measured for row in rows_of(document()) if row.met is None]
    assert others == [
        "(pointe bench --compare --sample)",
        "(pointe bench --against keras)",
        "(pointe bench --against keras)",
    ]


def test_the_comparison_ends_with_one_line_of_json_and_fails_only_far_from_the_limit(clip: Path, model: Path) -> None:
    options = ("--model", model, "--compare", "--rounds", "1", "--frames", "20", "--height", "96")
    code, out, err = pointe("bench", clip, *options, "--sample", "--fail-below", "0.000001")
    assert code == 0, err
    compared = json.loads(out.splitlines()[-1])
    [only] = compared["rounds"]
    assert only["limit_fps"] == min(only["encoder_fps"], only["decode_fps"])
    assert only["ratio"] == pytest.approx(only["product_fps"] / only["limit_fps"])
    assert only["both_fps"] > 0 and compared["figures"]["both_fps"]["median"] == round(only["both_fps"], 2)
    assert compared["source"]["size"] == "128x96"
    assert compared["figures"]["first_answer_s"]["median"] > 0
    assert compared["machine"] and compared["versions"]["numpy"]
    code, out, err = pointe("bench", clip, *options, "--fail-below", "1000")
    assert code == 6
    assert "below 1000" in err and len(err.splitlines()) == 2
    assert json.loads(out.splitlines()[-1])["targets"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sample",), "--compare"),
        (("--fail-below", "0.8"), "--compare"),
        (("--compare", "--against", "keras"), "one of them"),
        (("--against", "torch"), "keras"),
        (("--against", "keras", "--encoder", "pose"), "--model"),
        (("--compare", "--threads", "1,2"), "one number"),
        (("--compare", "--sample", "--encoder", "pose"), "--model"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], says: str) -> None:
    code, _, err = pointe("bench", "demo", *options)
    assert code == 2
    assert says in err and len(err.splitlines()) <= 2


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no model folder"):
        run_live("demo", str(tmp_path), "cpu", 1, 1.0)


def test_a_model_and_a_video_by_relative_names_are_those_of_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_model(tmp_path / "mine")
    draw_clip(tmp_path / "clip.mp4", [("plie", 1.0)])
    assert run_live(str(Path("clip.mp4").absolute()), "mine", "cpu", 1, 60.0).answered == 30
    peak_mb = peak_memory(Path("clip.mp4"), "mine", "cpu", 1)
    assert peak_mb is None or peak_mb > 20


def test_a_shipped_model_is_meant_by_its_name_also_where_a_folder_is_called_so(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ballet").mkdir()  # of recordings, for one
    assert run_live(str(clip), "ballet", "cpu", 1, 1.0).answered > 0


class Contender:
    """Stands for the ancestor: it looks at each picture that it is given."""

    def __init__(self, model: Path) -> None:
        self.seen: list[Image] = []
        self._model = model

    def answer(self, image: Image, /) -> object:
        self.seen.append(image)
        return None

    def as_model(self) -> Path:
        return self._model

    def in_int8(self, model: Path, _video: Path, /) -> Path:
        return model


def test_the_ancestor_and_pointe_take_turns_on_one_video(
    clip: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ancestor = Contender(model)
    measured = run_against(
        describe_video(clip, "clip"),
        ancestor,
        model=str(model),
        frames=60,
        rounds=2,
        threads=1,
        device="cpu",
        console=Console(),
    )
    assert len(ancestor.seen) == 1 + 2 * 4
    assert {image.shape for image in ancestor.seen} == {(48, 64, 3)}
    assert measured["times"]["low"] <= measured["times"]["median"] <= measured["times"]["high"]
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == json.loads(json.dumps(measured))


def test_sixty_times_and_six_times_the_ancestor_are_enough() -> None:
    times = {"times": spread([60]), "times_on_its_networks": spread([5.9]), "times_on_its_networks_int8": spread([6])}
    rows = rows_against({"model": "ballet", **times})
    assert [row.met for row in rows] == [True, False, True]


@pytest.mark.slow
def test_the_ancestors_networks_answer_through_pointe_as_they_do_in_keras_and_in_int8_too(clip: Path) -> None:
    from export.ancestor import Ancestor
    from live.bench_subject import EVERY_FRAME_HZ
    from live.recognizer import Recognizer
    from models.card import HEAD_FILE

    frames = [frame for frame, _ in zip(read_video(clip), range(2), strict=False)]
    with Ancestor() as ancestor:
        expected = [ancestor.answer(frame.image) for frame in frames][-1]
        folder = ancestor.as_model()
        predictions = []
        for model in (folder, ancestor.in_int8(folder, clip)):
            recognizer = Recognizer.load(model, "cpu", sample_hz=EVERY_FRAME_HZ)
            for frame in frames:
                recognizer.push(frame)
            predictions.append(recognizer.finish())  # padded in front with zeros, as the ancestor's window begins
        sizes = [(model / HEAD_FILE).stat().st_size for model in (folder, folder.with_name("ancestor-int8"))]
    floating, int8 = predictions
    assert floating is not None and int8 is not None
    np.testing.assert_allclose(floating.probabilities, expected, atol=1e-4)
    assert sizes[1] < sizes[0] / 3
