"""Several windows in one run of the head: the bits of each alone, or one by one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from test_recognizer import PlainEncoder
from toys import NAMES, WINDOW, make_card, picture, save_head

from export.quantize import quantize_head
from export.to_onnx import head_to_onnx
from live.evaluate import follow
from live.moves import MoveTracker
from live.recognizer import Outcome, Recognizer
from live.several import LEAST_BYTES, MOST, MOST_SMALL, Several
from models.card import DEFAULT_MODEL, HEAD_FILE, find_model
from models.frames import Frame
from models.on_device import Answered
from models.runtime import Session, open_session
from train.network import build_network
from train.settings import settings_for


@pytest.fixture(autouse=True)
def _however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live.several.LEAST_BYTES", 0)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head of the `original` kind over WINDOW mean colours, narrower than the preset."""
    path = tmp_path_factory.mktemp("original") / HEAD_FILE
    settings = settings_for("original", units=256, dense=64, window=WINDOW)
    head_to_onnx(build_network(settings, 3, len(NAMES), False), path)
    return path


@pytest.fixture(params=["toy", "original"])
def head(request: pytest.FixtureRequest, original: Path, tmp_path: Path) -> Session:
    if request.param == "original":
        return open_session(original, "cpu")
    save_head(tmp_path / HEAD_FILE)
    return open_session(tmp_path / HEAD_FILE, "cpu")


def frames() -> Iterator[Frame]:
    """At 20 Hz of which 10 are sampled; a gap, frames without a dancer, few and many, and a jump back among them."""
    rng = np.random.default_rng(3)
    times_s = [0.05 * step for step in range(80)]
    times_s += [5.0 + 0.05 * step for step in range(60)]
    times_s += [1.0 + 0.05 * step for step in range(40)]
    unseen = {20, 21, 22, *range(100, 114)}
    for index, time_s in enumerate(times_s):
        image = picture("plie")
        image[:] = 0 if index in unseen else rng.integers(1, 256, 3)
        yield Frame(image, index, time_s)


def known(outcome: Outcome) -> tuple[object, ...]:
    prediction = outcome.prediction
    bits = prediction and (prediction.probabilities.tobytes(), prediction.time_s)
    return bits, outcome.filled, outcome.times.prepare_s, outcome.times.encode_s, outcome.times.head_s > 0


@pytest.mark.parametrize("together", [2, 5, MOST])
def test_several_frames_are_answered_to_the_bit_as_one_by_one(head: Session, together: int) -> None:
    recognizer, other = (Recognizer(make_card(), PlainEncoder(), head) for _ in range(2))
    seen = [recognizer.see(frame) for frame in frames()]
    alone = [Outcome(recognizer.answer(each), recognizer.filled, recognizer.times) for each in seen]
    groups = [other.answers(seen[start : start + together]) for start in range(0, len(seen), together)]
    assert [known(outcome) for group in groups for outcome in group] == [known(outcome) for outcome in alone]
    assert sum(outcome.prediction is not None for outcome in alone) > 30
    assert other.answers_at_once == MOST


def test_a_stream_is_followed_in_full_lots_and_told_as_frame_by_frame(
    head: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = make_card()
    recognizer, tracker, told = Recognizer(card, PlainEncoder(), head), MoveTracker(card), []
    for frame in frames():
        prediction = recognizer.push(frame)
        told.append((frame.time_s, prediction, tracker.follow(prediction, frame.time_s)))
    told.append((told[-1][0], None, tracker.finish()))
    batches: list[int] = []
    run = Session.run

    def counting(session: Session, array: np.ndarray) -> np.ndarray:
        batches.append(len(array))
        return run(session, array)

    monkeypatch.setattr(Session, "run", counting)
    followed = list(follow(Recognizer(card, PlainEncoder(), head), MoveTracker(card), frames()))
    bits = [
        [(time_s, said and (said.probabilities.tobytes(), said.time_s), move) for time_s, said, move in each]
        for each in (told, followed)
    ]
    assert bits[0] == bits[1]
    assert sum(said is not None for _, said, _ in followed) > 30
    assert batches.count(MOST) >= 5  # of 60 windows; a lot in which some frames show no dancer may be of fewer


def for_one_alone(source: Path, target: Path) -> None:
    """A copy of the toy's head that says it takes any batch and fails for more than one."""
    network = onnx.load(source)
    [mean] = [node for node in network.graph.node if node.op_type == "ReduceMean"]
    mean.output[0] = "means"
    network.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 3]), "one"))
    network.graph.node.insert(1, onnx.helper.make_node("Reshape", ["means", "one"], ["mean"]))
    onnx.save(network, target)


@pytest.mark.parametrize("kind", ["int8", "shipped", "for one alone"])
def test_whatever_the_head_its_answers_for_several_are_those_of_each_alone(
    original: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / HEAD_FILE
    if kind == "int8":
        assert quantize_head(original, path)
    elif kind == "shipped":
        path = find_model(DEFAULT_MODEL) / HEAD_FILE
    else:
        save_head(tmp_path / "toy.onnx")
        for_one_alone(tmp_path / "toy.onnx", path)
    head = open_session(path, "cpu")
    window, features = (int(length) for length in head.input.shape[1:] if isinstance(length, int))
    several = Several(head, window, features)
    windows = np.random.default_rng(5).standard_normal((MOST, window, features), np.float32)
    for each in windows:
        several.add(each)
    answers = several.run()
    assert several.at_once == 1 or kind == "shipped"  # which differs on some processors, and from model to model
    assert [answer.tobytes() for answer in answers] == [head.run(each[None])[0].tobytes() for each in windows]


@pytest.mark.parametrize("count", range(1, MOST_SMALL + 1))
def test_a_small_head_answers_for_as_many_windows_as_there_are(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.several.LEAST_BYTES", LEAST_BYTES)
    save_head(tmp_path / HEAD_FILE)
    head = open_session(tmp_path / HEAD_FILE, "cpu")
    several = Several(head, WINDOW, 3)
    assert several.at_once == MOST_SMALL
    windows = np.random.default_rng(5).standard_normal((count, WINDOW, 3), np.float32)
    for _ in range(2):  # the first time it is tried, the second it counts
        for window in windows:
            several.add(window)
        assert np.stack(several.run()).tobytes() == np.concatenate([head.run(each[None]) for each in windows]).tobytes()
    assert several.at_once == MOST_SMALL


def test_a_head_of_a_fixed_batch_or_on_a_gpu_gets_one_window_and_a_small_one_fewer_than_a_large_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, fixed = tmp_path / "free.onnx", tmp_path / "fixed.onnx"
    save_head(free)
    network = onnx.load(free)
    network.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(network, fixed)
    assert Several(open_session(free, "cpu"), WINDOW, 3).at_once == MOST
    assert Several(open_session(fixed, "cpu"), WINDOW, 3).at_once == 1
    assert Several(Answered(), WINDOW, len(NAMES)).at_once == 1
    monkeypatch.setattr("live.several.LEAST_BYTES", LEAST_BYTES)
    assert Several(open_session(free, "cpu"), WINDOW, 3).at_once == MOST_SMALL
    assert Several(open_session(fixed, "cpu"), WINDOW, 3).at_once == 1
