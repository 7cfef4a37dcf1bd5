"""What the display shows, and that it shows it whatever it is given."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from live.drawing import ACCENT, BLOCK, BOLD, ICE, RECORDING, WHITE, Rect, clean, fit, text_width
from live.layout import layout_of
from live.moves import Move
from live.overlay import LEAST_OF_NAME, Overlay, best_of
from live.view import View
from models.card import EncoderInfo, HeadInfo, ModelCard, MoveClass, Provenance, display_name
from models.frames import Box, Image
from models.keypoints import INDEX

NAMES = ("plie", "tendu", "pirouette", "grand_jete_en_tournant", "none")
CARD = ModelCard(
    name="drawn",
    moves=tuple(MoveClass(name=name, display=display_name(name)) for name in NAMES),
    encoder=EncoderInfo(kind="pose", name="movenet-lightning", sha256="0" * 64, input_size=192, feature_dim=51),
    head=HeadInfo(name="pointe", sha256="0" * 64),
    sample_hz=15,
    window=30,
    provenance=Provenance(trained_on="nothing"),
)
SIZES = [
    (320, 240),
    (640, 360),
    (640, 480),
    (1280, 720),
    (1920, 1080),
    (3840, 2160),
    (720, 1280),
    (360, 640),
    (500, 500),
]
PLIE = Move("plie", 0.9, 29.0, 30.0)
VIEW = View(
    time_s=30.0,
    source="dance.mp4",
    filled=30,
    window=30,
    probabilities=np.array([0.8, 0.1, 0.05, 0.03, 0.02], np.float32),
    current=PLIE,
    recent=[Move("tendu", 0.7, 20.0, 22.0)],
    fps=29.97,
    latency_s=0.04,
    provider="CPUExecutionProvider",
    stage_s={"decode": 0.003, "encode": 0.009},
)


def grey(width: int = 1280, height: int = 720, value: int = 128) -> Image:
    return np.full((height, width, 3), value, np.uint8)


def drawn(view: View, width: int = 1280, height: int = 720, **options: bool) -> Image:
    return Overlay(CARD).draw(grey(width, height), view, **options)


def part(picture: Image, rect: Rect) -> Image:
    return picture[rect.top : rect.bottom, rect.left : rect.right]


def shows(picture: npt.NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    """Whether some pixel has this very colour."""
    return bool((picture == colour).all(axis=-1).any())


any_float = st.floats(width=32) | st.floats()
any_move = st.builds(Move, st.sampled_from(NAMES) | st.text(max_size=90), any_float, any_float, any_float)
any_view = st.builds(
    View,
    time_s=any_float,
    source=st.text(max_size=200),
    filled=st.integers(-5, 2000),
    window=st.integers(0, 2000),
    dancer=st.booleans(),
    probabilities=st.none() | hnp.arrays(np.float32, st.integers(0, 9), elements=st.floats(width=32)),
    current=st.none() | any_move,
    recent=st.lists(any_move, max_size=6),
    keypoints=st.none()
    | hnp.arrays(np.float32, (17, 3), elements=st.floats(width=32) | st.floats(-100, 900, width=32))
    | hnp.arrays(np.float32, hnp.array_shapes(max_dims=3)),
    box=st.none() | st.builds(Box, any_float, any_float, any_float, any_float),
    fps=st.none() | any_float,
    latency_s=st.none() | any_float,
    dropped=st.integers(0, 10**12),
    provider=st.text(max_size=60),
    stage_s=st.dictionaries(st.text(max_size=30), any_float, max_size=8),
    status=st.none() | st.text(max_size=200),
    paused=st.booleans(),
    recording=st.booleans(),
    ended=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(any_view, st.integers(1, 900), st.integers(1, 700), st.booleans(), st.booleans())
def test_whatever_is_to_be_shown_the_picture_keeps_its_size_and_the_given_one_its_pixels(
    view: View, width: int, height: int, details: bool, help_: bool
) -> None:
    image = grey(width, height)
    with np.errstate(all="raise"):
        picture = Overlay(CARD).draw(image, view, details=details, help=help_)
    assert picture.shape == image.shape
    assert picture.dtype == np.uint8
    assert (image == 128).all()
    with np.errstate(all="raise"):
        assert Overlay(CARD).draw(image, view, details=details, help=help_, in_place=True) is image
    assert (image == picture).all()


@settings(deadline=None)
@given(st.integers(1, 4000), st.integers(1, 4000))
def test_the_panels_lie_apart_and_inside_the_picture(width: int, height: int) -> None:
    layout = layout_of(width, height)
    widest = layout.name and layout.name._replace(width=layout.name_widest)
    panels = [rect for rect in (widest, layout.best, layout.strip) if rect]
    covered = np.zeros((height, width), np.uint8)
    for rect in panels:
        assert 0 <= rect.left < rect.right <= width
        assert 0 <= rect.top < rect.bottom <= height
        covered[rect.top : rect.bottom, rect.left : rect.right] += 1
    assert covered.max() <= 1


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_drawn_beside_the_panels(width: int, height: int) -> None:
    view = replace(VIEW, current=replace_name(PLIE, "grand_jete_en_tournant"), recording=True)
    changed = (drawn(view, width, height) != 128).any(axis=-1)
    layout = layout_of(width, height)
    assert layout.name and layout.best and layout.strip
    for rect in (layout.name._replace(width=layout.name_widest), layout.best, layout.strip):
        changed[rect.top : rect.bottom, rect.left : rect.right] = False
    assert not changed.any()


def replace_name(move: Move, name: str) -> Move:
    return Move(name, move.confidence, move.start_s, move.end_s)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_name_is_a_seventh_of_the_shorter_side_and_a_long_one_shrinks_whole(width: int, height: int) -> None:
    layout = layout_of(width, height)
    assert layout.huge >= min(width, height) / 7
    long = "grand jeté en tournant"
    text, size = fit(long, layout.name_widest - 4 * layout.pad, layout.huge, layout.small, BOLD)
    assert text == long
    assert layout.small <= size <= layout.huge


@given(st.text(max_size=60).map(clean), st.integers(-20, 900), st.integers(8, 200))
def test_a_fitted_text_is_never_wider_than_its_room(text: str, width: int, size: int) -> None:
    fitted, smaller = fit(text, width, size, 8, BOLD)
    assert fitted == "" or text_width(fitted, smaller, BOLD) <= width
    assert fitted == text or fitted == "" or fitted.endswith("…")


def standing(left: float, top: float) -> npt.NDArray[np.float32]:
    """(17, 3): somebody whose leftmost and topmost joints lie there."""
    rng = np.random.default_rng(3)
    places = np.array([left, top]) + rng.uniform(0, 1, (17, 2)) * (120, 400)
    places[0, 1], places[9, 0] = top, left
    return np.column_stack([places, np.ones(17)]).astype(np.float32)


def name_width(picture: Image) -> int:
    """How far the panel in the top left corner reaches: it is darker than the grey picture."""
    row = picture[layout_of(1280, 720).margin + 4, :, 1]
    return int(np.argmax(row[40:] == 128)) + 40


def test_a_long_name_is_smaller_where_it_would_hide_the_dancer_and_no_smaller_than_can_be_read() -> None:
    turning = replace(VIEW, current=Move("pirouette", 0.9, 29.0, 30.0))
    alone = name_width(drawn(turning))
    assert name_width(drawn(replace(turning, keypoints=standing(560, 150)))) < 560 < alone
    assert name_width(drawn(replace(turning, keypoints=standing(560, 300)))) == alone, "she stands below it"
    crowded = name_width(drawn(replace(turning, keypoints=standing(100, 150))))
    assert LEAST_OF_NAME * alone <= crowded < 560


def test_a_name_keeps_its_size_while_the_move_goes_on() -> None:
    overlay, attitude = Overlay(CARD), Move("pirouette", 0.9, 29.0, 30.0)
    widths = [
        name_width(overlay.draw(grey(), replace(VIEW, current=attitude, keypoints=standing(left, 150))))
        for left in (430, 900, 300)
    ]
    assert widths[0] == widths[1] == widths[2] < name_width(drawn(replace(VIEW, current=attitude)))
    later = replace(VIEW, current=replace(attitude, start_s=29.5), keypoints=standing(900, 150))
    assert name_width(overlay.draw(grey(), later)) > widths[0]


def test_the_room_for_a_name_is_looked_for_anew_where_the_picture_is_turned_to_a_mirror() -> None:
    overlay, turning = Overlay(CARD), replace(VIEW, current=Move("pirouette", 0.9, 29.0, 30.0))
    beside = name_width(overlay.draw(grey(), replace(turning, keypoints=standing(900, 150))))
    mirrored = replace(turning, keypoints=standing(300, 150), mirrored=True)
    assert name_width(overlay.draw(grey(), mirrored)) < beside


def test_a_leg_far_below_the_name_takes_no_room_from_it() -> None:
    turning = replace(VIEW, current=Move("pirouette", 0.9, 29.0, 30.0))
    joints = standing(900, 150)
    joints[INDEX["left_ankle"], :2] = (420, 600)
    assert name_width(drawn(replace(turning, keypoints=joints))) == name_width(drawn(turning))
    joints[INDEX["left_ankle"], :2] = (420, 200)
    assert name_width(drawn(replace(turning, keypoints=joints))) < name_width(drawn(turning))


@pytest.mark.parametrize("name", ["плие", "芭蕾", "\ud800", "a\x00b", "\n", "", "🩰", "e\u0301", "x" * 500])
def test_a_name_in_any_script_or_none_is_drawn(name: str) -> None:
    """Half a surrogate, as a bad file name gives, ends the process inside OpenCV if it gets there."""
    changed = drawn(replace(VIEW, source=name, status=name, current=replace_name(PLIE, name)))
    assert (changed != 128).any()


def test_a_panel_is_dark_and_its_writing_light_on_white_and_on_black() -> None:
    for value in (0, 255):
        picture = Overlay(CARD).draw(grey(value=value), VIEW)
        name = layout_of(1280, 720).name
        assert name
        assert np.median(part(picture, name)) <= 60
        assert shows(part(picture, name), WHITE)


def test_the_confidence_bar_ends_where_the_probability_says() -> None:
    def filled(probability: float) -> int:
        probabilities = np.array([probability, 0, 0, 0, 0])
        name = layout_of(1280, 720).name
        assert name
        region = part(drawn(replace(VIEW, probabilities=probabilities)), name)
        return int(np.flatnonzero((region == ACCENT).all(axis=-1).any(axis=0)).max())

    name = layout_of(1280, 720).name
    assert name
    assert filled(0.5) == pytest.approx(name.width / 2, abs=4)
    assert filled(1.0) == pytest.approx(name.width - layout_of(1280, 720).pad, abs=4)


def test_a_move_of_a_family_is_shown_as_sure_as_the_family_is() -> None:
    family = (PLIE.name, CARD.names[(CARD.names.index(PLIE.name) + 1) % len(CARD.names)])
    moves = tuple(
        move.model_copy(update={"family": "both"}) if move.name in family and move.name != "none" else move
        for move in CARD.moves
    )
    related = CARD.model_copy(update={"moves": moves})
    halves = np.zeros(len(CARD.names))
    halves[[CARD.names.index(name) for name in family]] = 0.4
    whole = np.where(np.array(CARD.names) == PLIE.name, 0.8, 0.0)
    name = layout_of(1280, 720).name
    assert name and "none" not in family
    shown = part(Overlay(related).draw(grey(), replace(VIEW, probabilities=halves)), name)
    assert (shown == part(drawn(replace(VIEW, probabilities=whole)), name)).all()


@pytest.mark.parametrize("confidence", [math.nan, -math.inf, -3.0])
def test_a_confidence_that_is_none_is_shown_as_zero(confidence: float) -> None:
    def shown(value: float) -> Image:
        return drawn(replace(VIEW, probabilities=None, current=Move("plie", value, 29.0, 30.0)))

    assert (shown(confidence) == shown(0.0)).all()


def test_none_is_no_move() -> None:
    shown_none = drawn(replace(VIEW, current=replace_name(PLIE, "none")))
    assert (shown_none == drawn(replace(VIEW, current=None))).all()
    assert not shows(shown_none, ACCENT)


def test_without_a_move_the_name_gives_way_to_a_small_panel() -> None:
    layout = layout_of(1280, 720)
    assert layout.name
    for view in (
        replace(VIEW, current=None),
        replace(VIEW, current=None, filled=12, probabilities=None),
        replace(VIEW, current=None, filled=0, probabilities=None, dancer=False),
    ):
        changed = (part(drawn(view), layout.name) != 128).any(axis=-1)
        assert 0.1 < changed.mean() < 0.75


def test_warming_up_and_no_dancer_are_told_apart() -> None:
    warming = replace(VIEW, current=None, filled=12, probabilities=None)
    lost = replace(VIEW, current=None, filled=0, probabilities=None, dancer=False)
    nothing = replace(VIEW, current=None)
    pictures = [drawn(view) for view in (warming, lost, nothing, replace(warming, filled=13))]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_one_frame_without_a_dancer_does_not_flicker() -> None:
    warming = replace(VIEW, current=None, filled=12, probabilities=None)
    assert (drawn(warming) == drawn(replace(warming, dancer=False))).all()


def test_before_the_first_prediction_there_are_no_rivals() -> None:
    best = layout_of(1280, 720).best
    assert best
    assert (part(drawn(replace(VIEW, probabilities=None)), best) == 128).all()


def test_the_best_three_come_in_order_and_without_nonsense() -> None:
    assert best_of(np.array([0.1, 0.6, 0.3, 0.0]), 4) == [(1, 0.6), (2, 0.3), (0, 0.1)]
    assert best_of(np.array([np.nan, 2.0, -np.inf]), 3) == [(1, 1.0), (0, 0.0), (2, 0.0)]
    assert best_of(np.array([0.1, 0.2, 0.9]), 2) == [(1, 0.2), (0, 0.1)]
    assert best_of(None, 4) == []


def keypoints(**joints: tuple[float, float, float]) -> npt.NDArray[np.float32]:
    points = np.zeros((17, 3), np.float32)
    for name, point in joints.items():
        points[INDEX[name]] = point
    return points


def test_the_dancers_left_is_drawn_in_the_accent_and_the_right_in_ice() -> None:
    picture = drawn(
        replace(VIEW, keypoints=keypoints(left_knee=(700, 400, 0.9), right_knee=(600, 400, 0.9))),
    )
    assert tuple(picture[400, 700]) == ACCENT
    assert tuple(picture[400, 600]) == ICE


def test_a_joint_that_was_not_seen_is_not_drawn() -> None:
    unseen = [
        keypoints(left_knee=(700, 400, 0.29)),
        keypoints(left_knee=(math.nan, 400, 0.9)),
        keypoints(left_knee=(1e9, 400, 0.9)),
        keypoints(left_eye=(700, 400, 0.9)),
    ]
    bare = drawn(replace(VIEW, keypoints=None))
    for points in unseen:
        assert (drawn(replace(VIEW, keypoints=points)) == bare).all()


def test_what_an_image_encoder_looked_at_is_marked_at_its_corners() -> None:
    changed = (drawn(replace(VIEW, box=Box(300, 250, 400, 300))) != drawn(VIEW)).any(axis=-1)
    rows, columns = np.nonzero(changed)
    assert (columns.min(), columns.max()) == pytest.approx((300, 700), abs=6)
    assert (rows.min(), rows.max()) == pytest.approx((250, 550), abs=6)
    assert not changed[350:450].any()


def test_a_move_lies_in_the_timeline_where_it_happened() -> None:
    strip = layout_of(1280, 720).strip
    assert strip
    lane = part(drawn(replace(VIEW, current=None)), strip)
    columns = np.flatnonzero((lane == BLOCK).all(axis=-1).any(axis=0))
    # At 30 s the last twenty seconds are shown: a move from 20 s to 22 s is the middle tenth.
    assert columns.min() == pytest.approx(0.5 * strip.width, abs=12)
    assert columns.max() == pytest.approx(0.6 * strip.width, abs=12)


@pytest.mark.parametrize(("start_s", "end_s"), [(1.0, 9.0), (40.0, 50.0), (25.0, 24.0), (math.nan, 25.0)])
def test_a_move_of_another_time_is_not_in_the_timeline(start_s: float, end_s: float) -> None:
    strip = layout_of(1280, 720).strip
    assert strip
    view = replace(VIEW, current=None, recent=[Move("tendu", 0.9, start_s, end_s)])
    assert not shows(part(drawn(view), strip), BLOCK)


def test_a_recording_shows_its_dot() -> None:
    assert shows(drawn(replace(VIEW, recording=True)), RECORDING)
    assert not shows(drawn(VIEW), RECORDING)


def test_pause_end_and_the_state_of_the_source_stand_above_the_timeline() -> None:
    strip = layout_of(1280, 720).strip
    assert strip
    row = slice(strip.top - 70, strip.top - 1)
    assert (drawn(VIEW)[row] == 128).all()
    pictures = [
        drawn(replace(VIEW, paused=True)),
        drawn(replace(VIEW, ended=True)),
        drawn(replace(VIEW, status="reconnecting …")),
        drawn(replace(VIEW, status="reconnecting …", paused=True)),
    ]
    assert len({picture[row].tobytes() for picture in pictures}) == len(pictures)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_details_overlap_nothing(width: int, height: int) -> None:
    """Where they darken the picture nothing else stands, with chips there or not."""
    busy = replace(VIEW, paused=True, status="reconnecting …", provider="CUDAExecutionProvider")
    without, with_ = drawn(busy, width, height), drawn(busy, width, height, details=True)
    layout = layout_of(width, height)
    assert layout.best and layout.name and layout.strip
    changed = (without != with_).any(axis=-1)
    # The thresholds' marks in the panel of the best are part of the details.
    changed[layout.best.top : layout.best.bottom, layout.best.left : layout.best.right] = False
    assert changed.any()
    assert (without[changed] == 128).all()


def test_help_takes_the_place_of_everything() -> None:
    helped = drawn(VIEW, help=True)
    assert (helped == drawn(replace(VIEW, current=None, paused=True), details=True, help=True)).all()
    assert np.median(helped) < 40
    assert shows(helped, ACCENT)


def test_nothing_of_the_last_frame_is_left() -> None:
    overlay = Overlay(CARD)
    overlay.draw(grey(), replace(VIEW, paused=True, recording=True), details=True)
    overlay.draw(grey(640, 360), VIEW)
    assert (overlay.draw(grey(), VIEW) == drawn(VIEW)).all()


def test_no_text_in_no_room_is_no_text() -> None:
    assert fit("", -1, 8, 8, 700)[0] == ""
