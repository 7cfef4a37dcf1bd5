"""Made streams and recorded motion are scored by the same core as videos."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.card import HEAD_FILE, ModelCard, find_model
from models.errors import SourceError
from models.runtime import open_session
from scripts.measure_made import (
    Replay,
    announcements,
    as_result,
    in_the_picture,
    misnamed,
    part_by_sight,
    watch_features,
)
from scripts.measure_mocap import AZIMUTHS_DEG, KIND_NAMES, KIND_OF, as_kinds, film_all, film_file, is_everyday, main
from scripts.measure_motion import compare, postures_by_kind
from train.body import turned
from train.camera import look_from
from train.choreography import Stream, make_clip, make_stream
from train.event_scores import Span
from train.made_features import observe
from train.stream_scores import StreamResult, score

NAMES = ("none", "plie", "pirouette", "fouette", "grand_jete", "arabesque", "attitude")


def seen(probabilities: list[list[float]], announced: list[Span]) -> StreamResult:
    steps = np.array(probabilities, np.float32)
    return StreamResult(
        name="a",
        seconds=10.0,
        times_s=np.arange(len(steps)) * 1.0,
        probabilities=steps,
        announced=announced,
        shown_at_s=[span.start_s + 1 for span in announced],
        danced=[Span("pirouette", 0, 2)],
    )


def test_a_kind_is_as_likely_as_its_moves_together_and_the_rest_is_none() -> None:
    kinds = as_kinds(seen([[0.1, 0.2, 0.3, 0.1, 0.05, 0.15, 0.1]] * 2, []), NAMES)
    assert kinds.probabilities == pytest.approx(np.array([[0.3, 0.4, 0.05, 0.25]] * 2), abs=1e-6)
    assert KIND_NAMES == ("none", "pirouette", "jete", "arabesque")


def test_a_fouette_finds_a_pirouette_and_a_plie_is_not_one_of_these() -> None:
    spans = [Span("plie", 4, 5), Span("fouette", 0, 2), Span("attitude", 6, 7)]
    kinds = as_kinds(seen([[1, 0, 0, 0, 0, 0, 0]] * 10, spans), NAMES)
    assert [(span.move, at) for span, at in zip(kinds.announced, kinds.shown_at_s, strict=True)] == [
        ("pirouette", 1),
        ("arabesque", 7),
    ]
    scores = score([kinds], KIND_NAMES)
    assert scores.moves["pirouette"].f1 == 1
    assert scores.moves["arabesque"].false == 1


def test_every_kind_is_of_moves_that_the_shipped_model_may_announce() -> None:
    names = ModelCard.load(find_model("ballet")).names
    assert set(KIND_OF.values()) == set(KIND_NAMES) - {"none"}
    assert {KIND_OF[name] for name in names if name in KIND_OF} == set(KIND_OF.values())


def test_features_are_watched_as_frames_are_and_a_step_without_a_dancer_gives_no_answer() -> None:
    folder = find_model("ballet")
    card = ModelCard.load(folder)
    rng = np.random.default_rng(0)
    steps = 3 * card.window
    features = np.tile(rng.uniform(0.2, 0.8, (1, 51)).astype(np.float32), (steps, 1))
    features[:, 2::3] = 0.9  # every joint is seen
    features[card.window : card.window + 3] = np.nan
    times = np.arange(steps) / card.sample_hz
    head = open_session(folder / HEAD_FILE, "cpu")
    watched = watch_features(card, head, features, times)
    answered = np.delete(times, range(card.window, card.window + 3))[card.window - 1 :]
    assert watched.times_s == pytest.approx(answered - card.delay_s)
    spans, shown_at_s = announcements(card, head, features, times)
    result = as_result(watched, "a", 6.0, [], [], "front")
    assert list(result.announced) == spans and list(result.shown_at_s) == shown_at_s
    assert result.times_s is watched.times_s


def test_a_replay_sees_a_dancer_by_the_rule_of_the_encoder() -> None:
    features = np.zeros((1, 51), np.float32)
    replay = Replay(features)
    assert replay.interpret(features[0], None) is None  # type: ignore[arg-type]


def write_trial(mocap: Path, name: str, stream: Stream, seconds: float) -> None:
    mocap.mkdir(exist_ok=True)
    positions = stream.positions[: round(seconds * stream.hz)]
    np.savez(mocap / f"{name}.npz", positions=positions, joints=stream.joint_names, fps=stream.hz)
    moves = [{"move": "pirouette", "start_s": 0.5, "end_s": seconds}] if name.startswith("dancer") else []
    path = mocap / "labels.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**known, name: {"moves": moves, "ignore": []}}))


def test_motion_is_filmed_from_every_side_and_only_once(tmp_path: Path) -> None:
    mocap, cache = tmp_path / "mocap", tmp_path / "cache"
    write_trial(mocap, "dancer_1", make_clip("pirouette", 3), 0.5)
    first = list(film_all(mocap, 5.0, cache))
    assert [(trial.name, trial.azimuth_deg) for trial in first] == [("dancer_1", each) for each in AZIMUTHS_DEG]
    assert all(trial.features.shape == (len(trial.times_s), 51) and not is_everyday(trial.name) for trial in first)
    written = {path: path.stat().st_mtime_ns for path in cache.rglob("*.npz")}
    again = list(film_all(mocap, 5.0, cache))
    assert written == {path: path.stat().st_mtime_ns for path in cache.rglob("*.npz")}
    assert all(np.array_equal(one.features, two.features) for one, two in zip(first, again, strict=True))


def test_a_recording_that_is_another_now_is_filmed_anew_and_one_that_is_gone_is_said(tmp_path: Path) -> None:
    mocap, cache = tmp_path / "mocap", tmp_path / "cache"
    write_trial(mocap, "dancer_1", make_clip("pirouette", 3), 0.5)
    first = list(film_all(mocap, 5.0, cache))
    write_trial(mocap, "dancer_1", make_clip("plie", 4), 0.5)
    again = list(film_all(mocap, 5.0, cache))
    assert not np.array_equal(first[0].features, again[0].features)
    assert len(list(cache.rglob("*.npz"))) == 2 * len(AZIMUTHS_DEG) == len(list(cache.rglob("*.*")))
    (mocap / "dancer_1.npz").unlink()
    with pytest.raises(SourceError, match="dancer_1"):
        list(film_all(mocap, 5.0, cache))


def test_recorded_motion_is_measured_by_kind_and_by_view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mocap, cache, folder = tmp_path / "mocap", tmp_path / "cache", find_model("ballet")
    card, head = ModelCard.load(folder), open_session(folder / HEAD_FILE, "cpu")
    write_trial(mocap, "dancer_1", make_clip("pirouette", 3), 0.2)
    list(film_all(mocap, card.sample_hz, cache))
    idle = make_stream(4, 12, ("plie",))  # what is danced there is false for the everyday
    write_trial(mocap, "everyday_1", idle, idle.seconds)
    features, _ = observe(idle, np.random.default_rng(0), card.sample_hz)
    times = np.arange(len(features)) / card.sample_hz
    for azimuth in AZIMUTHS_DEG:
        file = film_file(cache, mocap / "everyday_1.npz", azimuth, card.sample_hz)
        np.savez(file, times=times, features=features)
    main("ballet", mocap, cache)
    out = capsys.readouterr().out
    figures = json.loads(out.splitlines()[-1])
    assert figures["views"] == list(AZIMUTHS_DEG)
    announced, _ = announcements(card, head, features, times)
    assert figures["false any per minute of everyday motion"] == pytest.approx(
        60 * len(announced) / times[-1], abs=0.01
    )
    for azimuth in AZIMUTHS_DEG:
        assert f"{azimuth}°" in out


def test_what_is_recorded_and_hardly_ever_made_is_told() -> None:
    made = make_stream(1, 120.0)
    of_made = postures_by_kind([made])
    leant = replace(made, positions=made.positions @ turned(np.zeros(1), np.zeros(1), np.full(1, 0.9))[0].T)
    of_leant = postures_by_kind([leant])
    assert set(of_made) == {"pirouette", "jete", "arabesque"}
    for kind, measures in of_made.items():
        itself = compare(measures["trunk from upright"], measures["trunk from upright"])
        assert itself.beyond == pytest.approx(0.04, abs=0.01)  # what lies beyond 2 and 98 in a hundred
        assert compare(of_leant[kind]["trunk from upright"], measures["trunk from upright"]).beyond > 0.5
        # a body that leans as a whole bends its joints as before
        assert of_leant[kind]["knee, more bent"] == pytest.approx(measures["knee, more bent"], abs=1e-6)


def test_a_move_counts_as_danced_where_the_camera_sees_it_and_else_as_neither_danced_nor_false() -> None:
    stream = make_clip("pirouette", 3)
    times = np.arange(0, stream.seconds, 1 / 15)
    everywhere, nowhere = np.ones(len(times), bool), np.zeros(len(times), bool)
    moves = [Span(move.move, move.start_s, move.end_s) for move in stream.segments]
    assert part_by_sight(stream, times, everywhere) == (moves, [])
    assert part_by_sight(stream, times, nowhere) == ([], [(move.start_s, move.end_s) for move in moves])


def test_a_dancer_is_in_the_picture_while_half_of_her_limbs_are() -> None:
    positions = make_clip("plie", 3).positions
    whole = look_from(positions, 0.0, 1.2, 4.0, 0.8)
    assert in_the_picture(positions, whole).all()
    looking_up, looking_away = (
        replace(whole, target=(whole.target[0] + right, whole.target[1] + up, whole.target[2]))
        for right, up in ((0.0, 1.8), (5.0, 0.0))
    )
    assert not in_the_picture(positions, looking_up).any()
    assert not in_the_picture(positions, looking_away).any()


def test_a_move_without_a_name_is_counted_where_it_is_called_another() -> None:
    with_releve = replace(seen([], [Span("plie", 4, 5), Span("attitude", 8, 9)]), danced=[Span("releve", 4, 6)])
    quiet = replace(seen([], [Span("plie", 7, 8)]), danced=[Span("releve", 4, 6), Span("plie", 7, 8)])
    assert misnamed([with_releve, quiet], NAMES) == (1, 2)
    assert misnamed([with_releve, quiet], (*NAMES, "releve", "plie")) == (0, 0)


@pytest.mark.parametrize(
    ("module", "arguments", "code"),
    [
        ("scripts.measure_made", ["nowhere"], 4),
        ("scripts.measure_phrases", ["nowhere"], 3),
        ("scripts.measure_loading", ["nowhere"], 4),
        ("scripts.soak", ["--frames", "10", "--model", "nowhere"], 4),
        ("train.default", ["run", "--recorded", "nowhere"], 3),
    ],
)
def test_a_module_that_is_run_by_itself_says_what_is_wrong_as_pointe_does(
    tmp_path: Path, module: str, arguments: list[str], code: int
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", module, *arguments]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == code, run.stderr
    assert re.search(r"^pointe: .*nowhere.*\n.+\n$", run.stderr, re.MULTILINE)
    assert "Traceback" not in run.stderr
    assert not any(tmp_path.iterdir())
