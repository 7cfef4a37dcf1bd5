"""The recogniser on the toy model, whose answers are known, and its refusal of models that do not fit together."""

from pathlib import Path

import numpy as np
import pytest
from toys import NAMES, SAMPLE_HZ, WINDOW, draw_clip, make_card, make_model, picture, save_encoder, save_head

from live.evaluate import answer_clip
from live.recognizer import Prediction, Recognizer
from models.card import ENCODER_FILE, HEAD_FILE, EncoderInfo
from models.errors import ModelError, SourceError
from models.frames import MAX_GAP_S, Box, Frame, read_video

PERIOD_S = 1 / SAMPLE_HZ


class PlainEncoder:
    """The mean colour, or no dancer where the picture is black. Counts what it is asked."""

    feature_dim = 3
    provider = "none"
    keypoints: np.ndarray | None = None
    box: Box | None = None

    def __init__(self) -> None:
        self.encoded: list[float] = []
        self.resets = 0

    def prepare(self, frame: Frame) -> np.ndarray:
        self.encoded.append(frame.time_s)
        return frame.image

    def infer(self, prepared: np.ndarray) -> np.ndarray:
        return prepared.reshape(-1, 3).mean(axis=0, dtype=np.float32)[::-1] / 255

    def interpret(self, output: np.ndarray, frame: Frame) -> np.ndarray | None:
        return output if output.any() else None

    def push(self, frame: Frame) -> np.ndarray | None:
        return self.interpret(self.infer(self.prepare(frame)), frame)

    def reset(self) -> None:
        self.resets += 1


class PlainHead:
    """Keeps the windows it is shown, and answers what it was told to."""

    def __init__(self, answer: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)) -> None:
        self.windows: list[np.ndarray] = []
        self.answer = np.array([answer], np.float32)

    def run(self, array: np.ndarray) -> np.ndarray:
        self.windows.append(array.copy())
        return self.answer


def plain(**changes: object) -> tuple[Recognizer, PlainEncoder, PlainHead]:
    encoder, head = PlainEncoder(), PlainHead()
    return Recognizer(make_card(**changes), encoder, head), encoder, head


def at(time_s: float, move: str = "plie") -> Frame:
    return Frame(picture(move), 0, time_s)


def black(time_s: float) -> Frame:
    return Frame(np.zeros((48, 64, 3), np.uint8), 0, time_s)


def test_predictions_begin_when_the_window_is_full_and_then_come_with_each_sample() -> None:
    recognizer, _, _ = plain()
    answers = [recognizer.push(at(index * PERIOD_S)) for index in range(WINDOW + 3)]
    assert [answer is not None for answer in answers] == [False] * (WINDOW - 1) + [True] * 4
    assert [answer.time_s for answer in answers if answer] == pytest.approx([0.3, 0.4, 0.5, 0.6])
    assert recognizer.filled == WINDOW


def test_only_the_sampled_frames_of_a_faster_source_are_encoded() -> None:
    recognizer, encoder, _ = plain()
    for index in range(61):
        recognizer.push(at(index / 60))
    assert len(encoder.encoded) == 11
    assert np.diff(encoder.encoded) == pytest.approx(PERIOD_S, abs=1.1 / 60)


def test_the_window_rolls_oldest_first() -> None:
    recognizer, _, head = plain()
    moves = ["plie", "tendu", "saute", "plie", "tendu"]
    for index, move in enumerate(moves):
        recognizer.push(at(index * PERIOD_S, move))
    first, second = head.windows
    assert first.shape == (1, WINDOW, 3) and first.dtype == np.float32
    assert first[0].argmax(axis=1).tolist() == [0, 1, 2, 0]
    assert second[0].argmax(axis=1).tolist() == [1, 2, 0, 1]


def test_a_sample_without_a_dancer_is_no_feature() -> None:
    recognizer, _, head = plain()
    recognizer.push(at(0.0, "plie"))
    assert recognizer.dancer
    assert recognizer.push(black(0.1)) is None
    assert not recognizer.dancer
    for time_s in (0.2, 0.3, 0.4):
        recognizer.push(at(time_s, "tendu"))
    (window,) = head.windows
    assert window[0].argmax(axis=1).tolist() == [0, 1, 1, 1]


def test_a_dancer_unseen_for_longer_than_the_gap_starts_the_window_afresh() -> None:
    recognizer, _, _ = plain()
    for index in range(WINDOW):
        recognizer.push(at(index * PERIOD_S))
    for index in range(WINDOW, WINDOW + 7):
        assert recognizer.push(black(index * PERIOD_S)) is None
    assert recognizer.filled == 0


def test_no_prediction_mixes_what_was_before_a_gap_with_what_is_after() -> None:
    recognizer, encoder, head = plain()
    for index in range(WINDOW):
        recognizer.push(at(index * PERIOD_S, "plie"))
    resets = encoder.resets
    later_s = (WINDOW - 1) * PERIOD_S + MAX_GAP_S + 0.01
    answers = [recognizer.push(at(later_s + index * PERIOD_S, "tendu")) for index in range(WINDOW)]
    assert [answer is not None for answer in answers] == [False] * (WINDOW - 1) + [True]
    assert head.windows[-1][0].argmax(axis=1).tolist() == [1] * WINDOW
    assert encoder.resets == resets + 1


def test_a_gap_that_is_not_longer_keeps_the_window() -> None:
    recognizer, _, _ = plain()
    recognizer.push(at(0.0))
    recognizer.push(at(MAX_GAP_S))
    assert recognizer.filled == 2


def test_a_picture_of_another_size_starts_the_window_afresh() -> None:
    recognizer, encoder, _ = plain()
    recognizer.push(at(0.0))
    recognizer.push(at(PERIOD_S))
    resets = encoder.resets
    recognizer.push(Frame(picture("plie", (128, 96)), 2, 2 * PERIOD_S))
    assert (recognizer.filled, encoder.resets) == (1, resets + 1)


def test_time_that_goes_back_starts_the_window_afresh() -> None:
    recognizer, _, _ = plain()
    for index in range(WINDOW):
        recognizer.push(at(5 + index * PERIOD_S))
    assert recognizer.push(at(1.0)) is None
    assert recognizer.filled == 1


def test_finish_answers_for_a_stream_too_short_with_zeros_in_front() -> None:
    recognizer, _, head = plain()
    recognizer.push(at(0.0))
    recognizer.push(at(0.1))
    answer = recognizer.finish()
    assert answer is not None and answer.time_s == pytest.approx(0.1)
    assert not head.windows[0][0, :2].any()
    assert head.windows[0][0, 2:].all()
    assert recognizer.filled == 0


def test_finish_has_nothing_to_add_to_a_full_window_or_an_empty_one() -> None:
    recognizer, _, _ = plain()
    assert recognizer.finish() is None
    for index in range(WINDOW):
        recognizer.push(at(index * PERIOD_S))
    assert recognizer.finish() is None


def test_the_temperature_divides_the_logits() -> None:
    recognizer, _, _ = plain(temperature=2.0)
    answers = [recognizer.push(at(index * PERIOD_S)) for index in range(WINDOW)]
    assert answers[-1] is not None
    roots = np.sqrt([0.1, 0.2, 0.3, 0.4])
    assert answers[-1].probabilities == pytest.approx(roots / roots.sum(), rel=1e-5)
    assert answers[-1].probabilities.dtype == np.float32


def test_a_prediction_does_not_change_when_the_next_one_is_made() -> None:
    recognizer, _, head = plain()
    answers = [recognizer.push(at(index * PERIOD_S)) for index in range(WINDOW)]
    first = answers[-1]
    head.answer[:] = 0.25
    assert isinstance(first, Prediction)
    assert first.probabilities == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_head_that_answers_with_nan_is_named_as_broken() -> None:
    recognizer, _, head = plain()
    head.answer[:] = np.nan
    with pytest.raises(ModelError, match="not finite"):
        for index in range(WINDOW):
            recognizer.push(at(index * PERIOD_S))


def test_the_time_of_each_stage_is_known_after_a_sample() -> None:
    recognizer, _, _ = plain()
    recognizer.push(at(0.0))
    assert recognizer.times.prepare_s > 0 and recognizer.times.encode_s > 0
    assert recognizer.times.head_s == 0
    for index in range(1, WINDOW):
        recognizer.push(at(index * PERIOD_S))
    assert recognizer.times.head_s > 0


def test_a_model_folder_is_recognised_with(tmp_path: Path) -> None:
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    for name in NAMES:
        recognizer.reset()
        answers = [recognizer.push(at(index * PERIOD_S, name)) for index in range(WINDOW)]
        assert answers[-1] is not None
        assert NAMES[int(answers[-1].probabilities.argmax())] == name
    assert recognizer.provider == "CPUExecutionProvider"


def broken(folder: Path, **changes: object) -> Path:
    """The toy with networks that were replaced before its card was written."""
    make_card(folder, **changes).save(folder)
    return folder


@pytest.mark.parametrize(
    ("field", "network", "options", "changes"),
    [
        ("window", HEAD_FILE, {"window": WINDOW + 1}, {}),
        ("encoder.feature_dim", HEAD_FILE, {"features": 5}, {}),
        ("number of moves", HEAD_FILE, {"moves": 7}, {}),
        ("probabilities", HEAD_FILE, {"softmax": False}, {}),
        ("encoder.feature_dim", ENCODER_FILE, {"features": 8}, {}),
        ("encoder.input_size", ENCODER_FILE, {"size": 48}, {}),
        ("encoder must take", ENCODER_FILE, {}, {"kind": "pose"}),
    ],
)
def test_networks_that_contradict_the_card_are_refused_with_file_and_field(
    tmp_path: Path, field: str, network: str, options: dict, changes: dict
) -> None:
    folder = make_model(tmp_path / "toy")
    {ENCODER_FILE: save_encoder, HEAD_FILE: save_head}[network](folder / network, **options)
    if changes:
        info = make_card(folder).encoder.model_dump() | changes
        changes = {"encoder": EncoderInfo(**info)}
    with pytest.raises(ModelError, match=network) as caught:
        Recognizer.load(broken(folder, **changes), "cpu")
    assert field in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_head_of_any_window_length_is_taken(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "toy")
    save_head(folder / HEAD_FILE, window="steps")
    recognizer = Recognizer.load(broken(folder, window=9), "cpu")
    assert recognizer.card.window == 9


def test_a_clip_is_answered_by_the_mean_of_its_predictions(tmp_path: Path) -> None:
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    clip = draw_clip(tmp_path / "clip.mp4", [("tendu", 1.0), ("saute", 0.2)])
    answer = answer_clip(recognizer, read_video(clip))
    assert NAMES[int(answer.argmax())] == "tendu"
    assert answer.sum() == pytest.approx(1, abs=1e-4)


def test_a_clip_shorter_than_the_window_is_answered_too(tmp_path: Path) -> None:
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu")
    answer = answer_clip(recognizer, read_video(draw_clip(tmp_path / "clip.mp4", [("saute", 0.3)])))
    assert NAMES[int(answer.argmax())] == "saute"


def test_a_clip_in_which_no_dancer_is_seen_is_an_error(tmp_path: Path) -> None:
    recognizer, encoder, _ = plain()
    encoder.interpret = lambda output, frame: None  # type: ignore[method-assign]
    with pytest.raises(SourceError, match="No dancer is seen"):
        answer_clip(recognizer, read_video(draw_clip(tmp_path / "clip.mp4", [("plie", 0.5)])))


def test_the_pose_recogniser_follows_a_dancer_on_real_footage(shared: Path, root: Path) -> None:
    from models.encoders import open_encoder

    info = EncoderInfo(kind="pose", name="movenet", sha256="0" * 64, input_size=192, feature_dim=51)
    encoder = open_encoder("pose", root / "models" / "pretrained" / "movenet-lightning.onnx", "cpu")
    recognizer = Recognizer(make_card(encoder=info, sample_hz=5.0), encoder, PlainHead())
    answers = [recognizer.push(frame) for frame in read_video(shared / "video" / "ballet_plie.mp4")]
    assert sum(answer is not None for answer in answers) > 10
    assert recognizer.encoder.keypoints is not None
