"""Motion made by programs: what holds of bodies, floors and jumps holds of it too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.barre import developpe
from train.body import CENTRAL, GRAVITY, JOINT, Body, bend
from train.choreography import MOVES, ORDINARY, PROGRAMS, Segment, begin, make_clip, make_stream
from train.leaps import leap_into_turn
from train.play import playground_jumps
from train.positions import raised
from train.score import Score
from train.stage import foot_held
from train.style import Manner, Style
from train.tumbling import cartwheel
from train.unfinished import no_turn

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
SHORTEST_S = {
    "pirouette": 0.35,
    "grand_jete": 0.35,
    "releve": 0.4,
    "arabesque": 0.35,
    "attitude": 0.35,
    "rond_de_jambe": 0.5,
}

# Joint limits, in degrees: between the two parts of a limb; the thigh behind the pelvis; and how far a limb is turned
# about itself from where the joint bends straight ahead, inwards and outwards. The last of all but three in a hundred
# frames: an arm on its way from pose to pose takes the short way.
SHARPEST_KNEE, SHARPEST_ELBOW = 20, 25
HIP_BACK = 75
HIP_TURNED = (-60, 140)
SHOULDER_TURNED = (-120, 120)
# The pelvis lies or hangs there: what is behind it means little.
ON_THE_FLOOR = ("floor_work", "cartwheel")
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


def performed(program, seed):
    score = begin(seed)
    score.manner = Manner.random(score.rng)
    program(score)
    return score.perform()


@pytest.mark.parametrize(
    ("name", "program"),
    [
        *((move, PROGRAMS[move]) for move in STANDING_STILL),
        ("leap_into_turn", leap_into_turn),
        *((each.__name__, each) for each, _ in ORDINARY),
    ],
)
def test_a_standing_foot_neither_slides_nor_leaves_the_floor(name, program):
    for seed in range(6):
        stream = performed(program, seed)
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


def test_whatever_jumps_falls_as_all_bodies_do():
    """Skips, hops and chassés, too: the pelvis of every flight of every program is on a parabola."""
    flights = 0
    for program in (*PROGRAMS.values(), *(each for each, _ in ORDINARY)):
        for seed in range(3):
            score = begin(seed)
            program(score)
            stream = score.perform()
            for start_s, end_s in score.flights:
                height = joint(stream, "pelvis")[round(start_s * stream.hz) : round(end_s * stream.hz) + 1, 1]
                if len(height) > 3:
                    flights += 1
                    assert np.diff(height, 2) * stream.hz**2 == pytest.approx(-GRAVITY, abs=1e-6)
    assert flights > 40


def test_streams_show_every_move_and_leave_half_of_the_time_to_what_is_none():
    stream = make_stream(5, 3000)
    assert {segment.move for segment in stream.segments} == set(MOVES)
    dancing = sum(segment.end_s - segment.start_s for segment in stream.segments)
    assert 0.25 < dancing / stream.seconds < 0.6


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
        assert end - start > SHORTEST_S.get(move, 0.6)
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
        stream = performed(program, seed)
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


def frame_of(stream, part):
    """The axes (frames, 3, 3: left, up, front in columns) of the pelvis or of the chest."""
    low, high = ("pelvis", "chest") if part == "hip" else ("chest", "neck")
    left = joint(stream, f"left_{part}") - joint(stream, f"right_{part}")
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    up = joint(stream, high) - joint(stream, low)
    up -= (up * left).sum(-1, keepdims=True) * left
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    return np.stack([left, up, np.cross(left, up)], -1)


def bone_in(stream, part, side, upper, lower):
    """A bone (frames, 3) as (out, up, front) of the part of the trunk it hangs from, of length 1."""
    bone = joint(stream, f"{side}_{lower}") - joint(stream, f"{side}_{upper}")
    local = np.einsum("tji,tj->ti", frame_of(stream, part), bone) * (1 if side == "left" else -1, 1, 1)
    return local / np.linalg.norm(local, axis=-1, keepdims=True)


def turned_outwards(limb, bends_to, least):
    """Degrees (frames,) by which a limb is turned about itself, nan where the joint is bent by less than `least`.

    Neutral is what swinging the limb from hanging down, without any turn, makes of "straight ahead"; from above
    the horizontal it says less and less.
    """
    across = bends_to - (bends_to * limb).sum(-1, keepdims=True) * limb
    down, ahead = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    axis, along = np.cross(down, limb), limb @ down
    first = np.cross(axis, ahead)
    neutral = ahead + first + np.cross(axis, first) / np.maximum(1 + along, 0.05)[:, None]
    outwards = np.cross(neutral, limb)
    turned = np.degrees(np.arctan2((across * outwards).sum(-1), (across * neutral).sum(-1)))
    bent = np.linalg.norm(across, axis=-1) > np.sin(np.radians(least))
    return np.where(bent & (along > -0.35), turned, np.nan)


def angle_at(stream, side, root, middle, end):
    here, there = (joint(stream, f"{side}_{name}") - joint(stream, f"{side}_{middle}") for name in (root, end))
    cos = (here * there).sum(-1) / np.linalg.norm(here, axis=-1) / np.linalg.norm(there, axis=-1)
    return np.degrees(np.arccos(cos.clip(-1, 1)))


@pytest.mark.parametrize(
    ("name", "program"), [*PROGRAMS.items(), *((program.__name__, program) for program, _ in ORDINARY)]
)
def test_joints_bend_as_far_and_the_way_that_joints_do(name, program):
    hips, shoulders = [], []
    for seed in range(8):
        stream = performed(program, seed * 31 + 7)
        for side in ("left", "right"):
            assert angle_at(stream, side, "hip", "knee", "ankle").min() > SHARPEST_KNEE
            assert angle_at(stream, side, "shoulder", "elbow", "wrist").min() > SHARPEST_ELBOW
            thigh, upper_arm = (
                bone_in(stream, "hip", side, "hip", "knee"),
                bone_in(stream, "shoulder", side, "shoulder", "elbow"),
            )
            if name not in ON_THE_FLOOR:
                assert np.degrees(np.arcsin(-thigh[:, 2])).max() < HIP_BACK
            hips.append(turned_outwards(thigh, -bone_in(stream, "hip", side, "knee", "ankle"), 15))
            shoulders.append(turned_outwards(upper_arm, bone_in(stream, "shoulder", side, "elbow", "wrist"), 25))
    for turned, (least, most) in ((hips, HIP_TURNED), (shoulders, SHOULDER_TURNED)):
        known = np.concatenate(turned)
        known = known[~np.isnan(known)]
        # whoever lies down, or gets up from there, leans on a hand behind now and then
        beyond = 6 if name in ON_THE_FLOOR else 3
        low, high = np.percentile(known, [beyond, 100 - beyond])
        assert least < low
        assert high < most


def test_a_knee_that_bends_the_wrong_way_would_be_seen():
    """The measure itself: a shin in front of its thigh is a knee turned right round."""
    thigh, shin = np.array([[0.0, -1.0, 0.0]]), np.array([[0.0, -0.8, 0.6]])
    assert abs(turned_outwards(thigh, -shin, 15)[0]) == pytest.approx(180)
    assert turned_outwards(thigh, -shin * (1, 1, -1), 15)[0] == pytest.approx(0)
    assert turned_outwards(thigh, np.array([[0.6, 0.8, 0.0]]), 15)[0] == pytest.approx(90)


def test_the_tempo_of_dancers_spans_half_to_double():
    tempi = [begin(seed).style.tempo for seed in range(400)]
    assert 0.5 <= min(tempi) < 0.53
    assert 1.9 < max(tempi) <= 2.0

    def lasting(tempo):
        score = Score(np.random.default_rng(1), Body(), Style(tempo=tempo))
        PROGRAMS["developpe"](score)
        return score.time_s

    assert lasting(2.0) > 3 * lasting(0.5)


def test_dancers_are_children_and_tall_adults_beginners_and_professionals():
    scores = [begin(seed) for seed in range(400)]
    heights = [score.body.leg + score.body.spine + score.body.neck + 2 * score.body.head for score in scores]
    assert min(heights) < 1.2
    assert max(heights) > 1.75
    skills = [score.style.skill for score in scores]
    assert min(skills) < 0.2
    assert max(skills) > 0.97
    assert min(score.style.straight for score in scores) < 0.96  # soft knees


def turns_of(stream, segment):
    """How far the hips turn to the left within a segment, in radians."""
    during = slice(round(segment.start_s * stream.hz), round(segment.end_s * stream.hz))
    across = (joint(stream, "left_hip") - joint(stream, "right_hip"))[during]
    facing = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    return facing[-1] - facing[0], during


def test_pirouettes_go_en_dehors_and_en_dedans_to_both_sides():
    seen = set()
    for seed in range(40):
        stream = make_clip("pirouette", seed)
        turned, during = turns_of(stream, stream.segments[0])
        middle = (during.start + during.stop) // 2
        free = "left" if joint(stream, "left_ankle")[middle, 1] > joint(stream, "right_ankle")[middle, 1] else "right"
        outward = (turned > 0) == (free == "left")
        seen.add((free, outward))
    assert len(seen) == 4


def test_a_leap_may_land_in_a_turn_that_is_danced_at_once_and_mostly_on_both_feet():
    both = 0
    for seed in range(30):
        stream = performed(leap_into_turn, seed)
        leap, turn = stream.segments[:2]
        assert (leap.move, turn.move) == ("grand_jete", "pirouette")
        assert 0 < turn.start_s - leap.end_s < 0.2
        turned, during = turns_of(stream, turn)
        assert abs(turned) > 2.5
        ankles = np.stack([joint(stream, f"{side}_ankle")[during, 1] for side in ("left", "right")])
        both += bool(np.median(ankles.max(axis=0)) < 0.2)
    assert 12 < both < 29


def test_some_pirouettes_are_a_la_seconde_the_leg_to_the_side_as_high_as_the_hip():
    high = 0
    for seed in range(120):
        stream = make_clip("pirouette", seed)
        _, during = turns_of(stream, stream.segments[0])
        for side in ("left", "right"):
            leg = bone_in(stream, "hip", side, "hip", "ankle")[during]
            high += bool(np.median(leg[:, 0]) > 0.75 and np.median(leg[:, 1]) > -0.6)
    assert 0.04 < high / 120 < 0.2


def test_a_rond_de_jambe_en_l_air_keeps_the_thigh_still_while_the_shin_draws_a_circle():
    still = 0
    for seed in range(40):
        stream = make_clip("rond_de_jambe", seed)
        _, during = turns_of(stream, stream.segments[0])
        for side in ("left", "right"):
            thigh = bone_in(stream, "hip", side, "hip", "knee")[during]
            knee = angle_at(stream, side, "hip", "knee", "ankle")[during]
            still += bool(thigh[:, 0].min() > 0.3 and np.ptp(knee) > 50)
    assert 3 < still < 20


def test_both_ways_of_a_rond_de_jambe_are_drawn():
    outward = set()
    for seed in range(30):
        stream = make_clip("rond_de_jambe", seed)
        _, during = turns_of(stream, stream.segments[0])
        spread = {
            side: np.ptp(bone_in(stream, "hip", side, "hip", "ankle")[during][:, 2]) for side in ("left", "right")
        }
        side = max(spread, key=spread.__getitem__)
        front = bone_in(stream, "hip", side, "hip", "ankle")[during][:, 2]
        if spread[side] > 0.6:
            outward.add(bool(front.argmax() < front.argmin()))
    assert outward == {True, False}


def test_a_leg_that_is_thrown_comes_down_at_once_and_one_in_arabesque_mostly_stays():
    def in_the_air(move, seed):
        stream = make_clip(move, seed)
        up = np.maximum(joint(stream, "left_ankle")[:, 1], joint(stream, "right_ankle")[:, 1]) > 0.35
        edges = np.flatnonzero(np.diff(np.concatenate([[False], up, [False]]).astype(int)))
        return (edges[1::2] - edges[::2]) / stream.hz

    thrown = np.concatenate([in_the_air("grand_battement", seed) for seed in range(30)])
    held = np.array([in_the_air("arabesque", seed).max(initial=0) for seed in range(30)])
    assert thrown.max() < 0.9
    assert np.median(held) > 1.5 * np.median(thrown)  # some pass by in a moment, too
    assert np.percentile(held, 75) > 2 * thrown.max()


def test_a_releve_is_labelled_from_its_rise_and_not_while_it_is_long_held():
    for seed in range(20):
        stream = make_clip("releve", seed)
        segment = stream.segments[0]
        start, end = (round(time * stream.hz) for time in (segment.start_s, segment.end_s))
        heels = np.maximum(joint(stream, "left_ankle")[:, 1], joint(stream, "right_ankle")[:, 1])
        assert heels[start] < heels[start:end].max() - 0.02
        assert heels[start + 30 :][: end - start].max() > heels[start]
        top = heels[start:end] > heels[start:end].max() - 0.004
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], top, [0]]))))
        assert runs.max() / stream.hz < 1.2


def test_a_prepared_pirouette_that_is_not_turned_is_no_move():
    for seed in range(10):
        score = begin(seed)
        no_turn(score)
        stream = score.perform()
        assert stream.segments == []
        assert abs(turns_of(stream, stream_segment(stream))[0]) < np.pi * 0.7


def stream_segment(stream):
    return Segment("none", 0.0, stream.seconds)


def test_a_high_leg_behind_is_seen_with_a_chest_that_stays_up_and_with_one_that_goes_down():
    def inclined(seed):
        """Radians of the trunk from upright where a leg is highest, and how high it is."""
        stream = make_clip("arabesque", seed)
        raised = np.max(
            [joint(stream, f"{side}_ankle") - joint(stream, f"{side}_hip") for side in ("left", "right")], 0
        )
        top = int(raised[:, 1].argmax())
        trunk = (joint(stream, "left_shoulder") + joint(stream, "right_shoulder"))[top] / 2 - joint(stream, "pelvis")[
            top
        ]
        return np.arccos(trunk[1] / np.linalg.norm(trunk)), raised[top, 1]

    trunks = np.array([angle for angle, height in map(inclined, range(60)) if height > 0])
    assert len(trunks) > 10
    assert (trunks < 0.26).mean() > 0.15
    assert (trunks > 0.5).mean() > 0.15


@pytest.mark.parametrize("where", ["front", "side", "back"])
@pytest.mark.parametrize("side", [1, -1])
def test_the_hip_of_a_raised_leg_goes_up_with_it_unless_the_dancer_keeps_the_hips_square(where, side):
    def hip_up(opened, angle):
        """Degrees that the hip of a leg raised so far is above the other, and that it is behind it."""
        score = Score(np.random.default_rng(0), Body(), Style(wobble=0.0, opened=opened))
        score.side = side
        score.carry(0.0)
        score.free(score.working, raised(where, np.radians(angle)))
        score.exactly(1.0)
        stream = score.perform()
        line = (joint(stream, "left_hip") - joint(stream, "right_hip"))[-1] * side
        return np.degrees(np.arcsin(line[1] / Body().hips)), np.degrees(np.arctan2(-line[2], line[0] * side))

    assert hip_up(0.0, 90) == pytest.approx((0, 0), abs=0.01)
    assert hip_up(1.0, 25)[0] == pytest.approx(0, abs=0.01)
    assert 25 < hip_up(1.0, 90)[0] < 38
    assert hip_up(1.0, 70)[0] < hip_up(1.0, 90)[0] < hip_up(1.0, 110)[0] <= 50
    assert np.sign(round(hip_up(1.0, 90)[1] / 10)) == {"front": -1, "side": 0, "back": 1}[where]


def test_an_arabesque_out_of_a_run_is_passed_through_and_not_only_posed():
    def speeds(seed):
        """Metres a second of the hips over the floor while the arabesques last."""
        score = begin(seed)
        PROGRAMS["arabesque"](score)
        stream = score.perform()
        hips = (joint(stream, "left_hip") + joint(stream, "right_hip"))[:, [0, 2]] / 2
        speed = np.linalg.norm(np.diff(hips, axis=0), axis=-1) * stream.hz
        return [np.median(speed[round(s.start_s * stream.hz) : round(s.end_s * stream.hz)]) for s in stream.segments]

    medians = np.concatenate([speeds(seed) for seed in range(60)])
    assert (medians > 0.15).mean() > 0.1
    assert (medians < 0.05).mean() > 0.2
