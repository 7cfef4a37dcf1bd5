"""Motion made by programs: what holds of bodies, floors and jumps holds of it too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.barre import developpe
from train.body import CENTRAL, GRAVITY, JOINT, Body, bend
from train.choreography import MOVES, ORDINARY, PROGRAMS, begin, make_clip, make_stream
from train.play import playground_jumps
from train.score import Score, Style
from train.stage import foot_held
from train.tumbling import cartwheel

BONES = [
    ("hip", "knee"),
    ("knee", "ankle"),
    ("ankle", "toe"),
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
]
LENGTH_TOLERANCE_M = 1e-6
SLIDE_M_S = 0.02  # of the ball of a foot that stands
SINK_M = 0.005
FASTEST_PELVIS_M_S = 6.5
SEEDS = st.integers(0, 10_000)

# Feet that glide along the floor while they carry are part of the échappé relevé.
STANDING_STILL = [move for move in MOVES if move != "echappe"]


def joint(stream, name):
    return stream.positions[:, JOINT[name]]


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_limbs_keep_their_length(seed):
    stream = make_stream(seed, 15)
    for upper, lower in BONES:
        for side in ("left", "right"):
            length = np.linalg.norm(joint(stream, f"{side}_{upper}") - joint(stream, f"{side}_{lower}"), axis=-1)
            assert np.ptp(length) < LENGTH_TOLERANCE_M
    for left, right in (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), ("left_ear", "right_ear")):
        assert np.ptp(np.linalg.norm(joint(stream, left) - joint(stream, right), axis=-1)) < LENGTH_TOLERANCE_M


@pytest.mark.parametrize("move", [*STANDING_STILL, "none"])
def test_a_standing_foot_neither_slides_nor_leaves_the_floor(move):
    for seed in range(6):
        stream = make_clip(move, seed)
        for side, stands in zip(("left", "right"), stream.contact.T, strict=True):
            ball = joint(stream, f"{side}_toe")
            steady = stands[1:] & stands[:-1]
            speed = np.hypot(*np.diff(ball[:, [0, 2]], axis=0).T)[steady] * stream.hz
            assert speed.max(initial=0) < SLIDE_M_S
            assert np.ptp(ball[stands, 1]) < SINK_M if stands.any() else True


@pytest.mark.parametrize("move", MOVES)
def test_no_joint_sinks_into_the_floor(move):
    for seed in range(6):
        assert make_clip(move, seed).positions[..., 1].min() > -SINK_M


@pytest.mark.parametrize("move", ["saute", "changement", "assemble", "jete", "grand_jete"])
def test_in_flight_the_pelvis_falls_as_all_bodies_do(move):
    score = begin(3)
    PROGRAMS[move](score)
    stream = score.perform()
    assert score.flights
    for start_s, end_s in score.flights:
        start, end = round(start_s * stream.hz), round(end_s * stream.hz)
        height = joint(stream, "pelvis")[start : end + 1, 1]
        assert np.diff(height, 2) * stream.hz**2 == pytest.approx(-GRAVITY, abs=1e-6)
        across = joint(stream, "pelvis")[start : end + 1][:, [0, 2]]
        assert np.abs(np.diff(across, 2, axis=0)).max() < 1e-9


@settings(max_examples=6, deadline=None)
@given(SEEDS)
def test_the_same_seed_gives_the_same_stream(seed):
    first, second = make_stream(seed, 8), make_stream(seed, 8)
    assert first.positions.tobytes() == second.positions.tobytes()
    assert first.segments == second.segments


def test_another_seed_gives_another_stream():
    assert make_stream(1, 8).positions.tobytes() != make_stream(2, 8).positions.tobytes()


@pytest.mark.parametrize("move", MOVES)
def test_a_clip_shows_its_move_and_its_label_covers_it(move):
    for seed in range(4):
        stream = make_clip(move, seed)
        assert {segment.move for segment in stream.segments} == {move}
        start, end = stream.segments[0].start_s, stream.segments[-1].end_s
        assert 0 < start < end < stream.seconds
        assert end - start > (0.35 if move in ("pirouette", "grand_jete") else 0.8)
        assert len(stream.positions) == pytest.approx(stream.seconds * stream.hz)


def test_a_clip_of_none_shows_no_move():
    for seed in range(8):
        assert make_clip("none", seed).segments == []


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_segments_follow_one_another_within_the_stream(seed):
    stream = make_stream(seed, 20, ("plie", "tendu", "pirouette"))
    times = [time for segment in stream.segments for time in (segment.start_s, segment.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= stream.seconds for time in times)
    assert {segment.move for segment in stream.segments} <= {"plie", "tendu", "pirouette"}
    assert stream.seconds == pytest.approx(20, abs=0.02)


def test_a_long_stream_shows_every_move_that_was_asked_for():
    asked = ("plie", "tendu", "pirouette", "arabesque", "saute")
    assert {segment.move for segment in make_stream(0, 600, asked).segments} == set(asked)


@pytest.mark.parametrize("program", [program for program, _ in ORDINARY], ids=lambda program: program.__name__)
def test_everyday_motion_stays_finite_and_names_no_move(program):
    for seed in range(4):
        score = begin(seed)
        program(score)
        stream = score.perform()
        assert np.isfinite(stream.positions).all()
        assert stream.segments == []
        assert stream.positions[..., 1].min() > -0.15  # hands on the floor may be pressed in a little


def test_a_plie_bends_the_knees_outwards_and_keeps_the_heels_down():
    stream = make_clip("plie", 5)
    hip_line = joint(stream, "left_hip") - joint(stream, "right_hip")
    knee_line = joint(stream, "left_knee") - joint(stream, "right_knee")
    lowest = joint(stream, "pelvis")[:, 1].argmin()
    assert np.linalg.norm(knee_line[lowest]) > 1.5 * np.linalg.norm(hip_line[lowest])
    ankles = np.stack([joint(stream, "left_ankle"), joint(stream, "right_ankle")])[..., 1]
    segment = stream.segments[0]
    during = slice(round(segment.start_s * stream.hz), round(segment.end_s * stream.hz))
    assert np.ptp(ankles[:, during]) < 0.02


def test_a_pirouette_goes_round_on_one_leg():
    for seed in range(6):
        stream = make_clip("pirouette", seed)
        segment = stream.segments[0]
        during = slice(round(segment.start_s * stream.hz), round(segment.end_s * stream.hz))
        across = (joint(stream, "left_hip") - joint(stream, "right_hip"))[during]
        turned = np.ptp(np.unwrap(np.arctan2(across[:, 0], across[:, 2])))
        assert turned > np.pi * 0.9
        middle = (during.start + during.stop) // 2
        assert stream.contact[middle].sum() == 1


def test_moves_are_made_to_both_sides():
    raised = set()
    for seed in range(12):
        stream = make_clip("arabesque", seed)
        heights = {side: joint(stream, f"{side}_ankle")[:, 1].max() for side in ("left", "right")}
        raised.add(max(heights, key=heights.__getitem__))
    assert raised == {"left", "right"}


def test_swapping_sides_mirrors_the_motion():
    """The same program with the other leg is the mirror image of the first, joint for joint."""

    def danced(side):
        score = Score(np.random.default_rng(0), Body(), Style(wobble=0.0))
        score.side = side
        score.any_side = lambda: None
        developpe(score)
        return score.perform()

    left, right = danced(1), danced(-1)
    swapped = {name: name for name in CENTRAL}
    for name in JOINT:
        swapped[name] = name.replace("left", "RIGHT").replace("right", "left").lower()
    mirrored = np.stack([right.positions[:, JOINT[swapped[name]]] for name in JOINT], 1) * (-1, 1, 1)
    assert left.positions == pytest.approx(mirrored, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 2.0), st.integers(0, 1000))
def test_a_two_part_limb_reaches_as_far_as_it_can(distance, seed):
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(1, 3))
    direction /= np.linalg.norm(direction)
    middle, end = bend(np.zeros((1, 3)), direction, np.array([distance]), rng.normal(size=(1, 3)), 0.4, 0.35)
    assert np.linalg.norm(middle) == pytest.approx(0.4)
    assert np.linalg.norm(end - middle) == pytest.approx(0.35)
    assert np.linalg.norm(end) == pytest.approx(np.clip(distance, 0.051, 0.75), abs=1e-5)


@pytest.mark.parametrize("move", MOVES)
def test_no_part_of_the_body_jumps_from_one_frame_to_the_next(move):
    for seed in range(6):
        stream = make_clip(move, seed)
        pelvis = joint(stream, "pelvis")
        assert np.linalg.norm(np.diff(pelvis, axis=0), axis=-1).max() * stream.hz < FASTEST_PELVIS_M_S


def test_each_leap_is_labelled_from_take_off_to_landing():
    several = 0
    for seed in range(20):
        score = begin(seed)
        PROGRAMS["grand_jete"](score)
        leaps = [segment for segment in score.perform().segments if segment.move == "grand_jete"]
        several += len(leaps) > 1
        for leap in leaps:
            (flight,) = [f for f in score.flights if f[0] < leap.end_s and f[1] > leap.start_s]
            assert 0 < flight[0] - leap.start_s < 0.18
            assert 0 < leap.end_s - flight[1] < 0.15
    assert several > 3


def test_turns_are_stepped_onto_and_done_again_and_again_with_steps_between():
    turns = [make_clip("pirouette", seed).segments for seed in range(40)]
    assert sum(len(segments) > 1 for segments in turns) > 5
    lasting = [segment.end_s - segment.start_s for segments in turns for segment in segments]
    assert 0.4 < min(lasting) < 0.8
    assert 0.7 < np.median(lasting) < 1.4


def test_a_held_foot_without_a_turn_and_a_jump_on_the_playground_are_no_moves():
    for program in (foot_held, playground_jumps):
        score = begin(2)
        program(score)
        assert score.perform().segments == []


def test_a_saute_stays_on_the_spot_and_a_jump_on_the_playground_does_not():
    def way(program):
        far = []
        for seed in range(10):
            score = begin(seed)
            program(score)
            far.append(np.linalg.norm(score.trunk.anchor))
        return np.median(far)

    assert way(PROGRAMS["saute"]) < 0.2 < way(playground_jumps)


def test_a_plie_is_labelled_from_where_the_knees_begin_to_bend():
    for seed in range(8):
        stream = make_clip("plie", seed)
        segment = stream.segments[0]
        start = round(segment.start_s * stream.hz)
        height = joint(stream, "pelvis")[:, 1]
        assert abs(height[start] - height[start - 6]) < 0.012
        assert height[start : round(segment.end_s * stream.hz)].min() < height[start] - 0.02


def test_after_a_cartwheel_the_dancer_stands_as_before():
    for seed in range(12):
        score = begin(seed)
        cartwheel(score)
        positions = score.perform().positions
        head = positions[:, JOINT["head"], 1]
        assert head[-1] > 0.9 * head[0]
        assert np.linalg.norm(np.diff(positions[:, JOINT["head"]], axis=0), axis=-1).max() * 60 < 12
