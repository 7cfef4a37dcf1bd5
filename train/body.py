"""A dancer's body: its proportions, and the positions of its joints when a score says what pelvis, legs and arms do.

In: channels over time (see CHANNELS). Out: positions (frames, joints, 3) in metres, Y up, floor at 0. Feet that stand
stay where they are put, limbs keep their length, flight is a parabola. It knows nothing of ballet.

A dancer with yaw 0 looks along +Z and has the left side at +X. Limb vectors are written (out, up, front), where "out"
is away from the middle of the body, so that one text serves both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CENTRAL = ("pelvis", "chest", "neck", "head", "nose", "left_eye", "right_eye", "left_ear", "right_ear")
SIDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe", "kneecap")
# "toe" is the ball of the foot; "kneecap" is a marker a hand's breadth before the knee: it says how the leg is turned.
JOINTS = CENTRAL + tuple(f"{side}_{joint}" for joint in SIDED for side in ("left", "right"))
JOINT = {name: index for index, name in enumerate(JOINTS)}

# What a key pose says, and how many numbers each takes.
LEG = {"ball": 3, "heel": 1, "turnout": 1, "free": 1, "direction": 3, "reach": 1, "knee": 3, "point": 1}
ARM = {"hand": 3, "elbow": 3}
TRUNK = {
    "anchor": 2,  # x, z of the point over which the pelvis is carried
    "offset": 2,  # of the pelvis from there: to the left, to the front
    "yaw": 1,
    "tilt": 1,  # pelvis forward
    "lean": 1,  # pelvis to the left
    "hike": 1,  # the left hip higher than the right; the spine stays where it is
    "swivel": 1,  # the left hip behind the right, likewise
    "bend": 1,  # chest forward, relative to the pelvis
    "sway": 1,  # chest to the left
    "twist": 1,  # chest turned to the left
    "nod": 1,  # head down, relative to the chest
    "look": 1,  # head turned to the left
    "tip": 1,  # head to the left shoulder
    "seat": 1,  # height of the pelvis over the floor where the legs do not carry it
    "seated": 1,  # 0: the legs carry the pelvis, 1: "seat" says how high it is
}


def _layout() -> dict[str, slice]:
    parts = dict(TRUNK)
    for side in ("left", "right"):
        parts |= {f"{side}_{name}": size for name, size in (LEG | ARM).items()}
    ends = np.cumsum(list(parts.values()))
    return {name: slice(int(end) - size, int(end)) for (name, size), end in zip(parts.items(), ends, strict=True)}


CHANNELS = _layout()
WIDTH = max(part.stop for part in CHANNELS.values())

GRAVITY = 9.81
BALL_HEIGHT = 0.012  # of the joint over the floor when the foot stands, as a share of leg length
FLAT = np.radians(27)  # slope of the line from ankle to ball on a flat foot
RISE = np.radians(52)  # what a full demi-pointe adds to it
LOWEST = 0.28  # a leg is never folded more than to this share of its length: 33 degrees between thigh and shin
NEAREST_HAND = 0.24  # nor an arm: 28 degrees at the elbow


@dataclass(frozen=True)
class Body:
    """Lengths in metres; the defaults are those of the mesh that is drawn, 1.6 m tall."""

    thigh: float = 0.376
    shin: float = 0.385
    foot: float = 0.125  # ankle to ball
    toes: float = 0.06  # ball to tip
    hips: float = 0.19  # between the hip joints
    spine: float = 0.455  # hips to the line of the shoulders
    shoulders: float = 0.31
    upper_arm: float = 0.235
    forearm: float = 0.215
    neck: float = 0.136  # shoulder line to the middle between the ears, less the height of the head
    head: float = 0.082  # half its width

    @property
    def leg(self) -> float:
        return self.thigh + self.shin

    @property
    def arm(self) -> float:
        return self.upper_arm + self.forearm

    @staticmethod
    def random(rng: np.random.Generator) -> Body:
        """Anybody from a child of seven to a tall adult, with limbs a little longer or shorter than usual."""
        base = Body()
        scale = rng.uniform(0.72, 1.2)
        legs, arms, trunk, wide = rng.normal(1, (0.05, 0.05, 0.04, 0.08)).clip(0.85, 1.15)
        child = 1 + 0.6 * max(0.0, 1 - scale)  # a child's head is large for its body
        return Body(
            thigh=base.thigh * scale * legs,
            shin=base.shin * scale * legs,
            foot=base.foot * scale,
            toes=base.toes * scale,
            hips=base.hips * scale * wide,
            spine=base.spine * scale * trunk,
            shoulders=base.shoulders * scale * wide,
            upper_arm=base.upper_arm * scale * arms,
            forearm=base.forearm * scale * arms,
            neck=base.neck * scale,
            head=base.head * scale * child,
        )


def unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def turned(yaw: Array, pitch: Array, roll: Array) -> Array:
    """Rotation matrices (frames, 3, 3): first roll to the left, then pitch forward, then yaw to the left."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    one, nil = np.ones_like(yaw), np.zeros_like(yaw)
    about_y = np.stack([cy, nil, sy, nil, one, nil, -sy, nil, cy], -1).reshape(-1, 3, 3)
    about_x = np.stack([one, nil, nil, nil, cp, -sp, nil, sp, cp], -1).reshape(-1, 3, 3)
    about_z = np.stack([cr, sr, nil, -sr, cr, nil, nil, nil, one], -1).reshape(-1, 3, 3)
    return np.asarray(about_y @ about_x @ about_z)


def bend(
    root: Array, direction: Array, distance: Array, pole: Array, upper: float, lower: float
) -> tuple[Array, Array]:
    """Middle and end of a two-part limb from `root`, its end `distance` away, its middle towards `pole`."""
    distance = np.clip(distance, abs(upper - lower) + 1e-3, upper + lower - 1e-6)[..., None]
    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0))
    across = unit(pole - (pole * direction).sum(-1, keepdims=True) * direction)
    return root + along * direction + aside * across, root + distance * direction


def _lift(leg: Array, height: Array, distance: Array) -> tuple[Array, Array]:
    """A leg (frames, 3) whose foot comes up by `height`: it swings out to stay straight, or bends if it hangs down."""
    up = leg[:, 1] + height
    across = np.hypot(leg[:, 0], leg[:, 2])
    straight = np.sqrt(np.maximum(distance**2 - up**2, 0))
    swung = np.interp(across / distance, [0.08, 0.25], [0, 1])
    wider = (across + swung * (straight - across)) / np.maximum(across, 1e-9)
    lifted = np.stack([leg[:, 0] * wider, up, leg[:, 2] * wider], -1)
    return unit(lifted), np.minimum(np.linalg.norm(lifted, axis=-1), distance)


@dataclass
class _Leg:
    hip: Array
    knee: Array
    ankle: Array
    toe: Array
    kneecap: Array


class _Motion:
    """The channels of one motion by name, and the joints worked out of them one after the other."""

    def __init__(self, channels: Array, body: Body, flights: list[tuple[int, int]], hz: float) -> None:
        self.body = body
        self.hz = hz
        self.channels = channels
        self.flights = flights
        yaw = self["yaw"]
        self.facing = turned(yaw, np.zeros_like(yaw), np.zeros_like(yaw))
        self.pelvis_turn = turned(yaw, self["tilt"], self["lean"])
        hips = turned(self["swivel"], np.zeros_like(yaw), -self["hike"])
        self.hip_line = (self.pelvis_turn @ hips)[:, :, 0]  # to the left hip
        self.chest_turn = self.pelvis_turn @ turned(self["twist"], self["bend"], self["sway"])
        self.head_turn = self.chest_turn @ turned(self["look"], self["nod"], self["tip"])

    def __getitem__(self, name: str) -> Array:
        part = self.channels[:, CHANNELS[name]]
        return part[:, 0] if part.shape[1] == 1 else part

    def outward(self, name: str, side: int, frame: Array) -> Array:
        """A channel written (out, up, front) as a vector of the world."""
        return np.asarray(np.einsum("tij,tj->ti", frame, self[name] * (side, 1, 1)))

    def stand(self, leg: str, side: int) -> tuple[Array, Array, Array]:
        """Where a standing foot has its ankle, which way its toes point on the floor, and the line ankle to ball."""
        heading = self["yaw"] + side * self[f"{leg}_turnout"]
        forward = np.stack([np.sin(heading), np.zeros_like(heading), np.cos(heading)], -1)
        slope = FLAT + self[f"{leg}_heel"] * RISE
        line = np.cos(slope)[:, None] * forward - np.sin(slope)[:, None] * np.array([0.0, 1, 0])
        ball = self[f"{leg}_ball"] + (0, BALL_HEIGHT * self.body.leg, 0)
        return ball - self.body.foot * line, forward, line

    def carry_pelvis(self) -> Array:
        """The pelvis, as high as the standing legs hold it; in flight on a parabola."""
        body = self.body
        offset = np.einsum("tij,tj->ti", self.facing, np.insert(self["offset"], 1, 0, axis=1))
        anchor = self["anchor"]
        pelvis = np.stack([anchor[:, 0] + offset[:, 0], np.zeros(len(anchor)), anchor[:, 1] + offset[:, 2]], -1)
        heights = []
        for leg, side in (("left", 1), ("right", -1)):
            ankle = self.stand(leg, side)[0]
            hip = pelvis + self.hip_line * side * body.hips / 2
            aside = np.hypot(*(ankle - hip)[:, [0, 2]].T)
            length = body.leg * np.clip(self[f"{leg}_reach"], LOWEST, 1)
            up = np.sqrt(np.maximum(length**2 - aside**2, (0.2 * body.leg) ** 2))
            heights.append(ankle[:, 1] + up - hip[:, 1] + 2 * body.leg * self[f"{leg}_free"] ** 2)
        # the leg that reaches less high holds the pelvis down; one that is lifted or put down, only partly
        left, right = heights
        low_free = np.where(left < right, self["left_free"], self["right_free"])
        carried = np.maximum(left, right) - (1 - low_free) * np.abs(left - right)
        airborne = np.zeros(len(carried), bool)
        for start, end in self.flights:
            airborne[start + 1 : end] = True
        seated = self["seated"]
        pelvis[:, 1] = np.where(airborne, 0, carried * (1 - seated) + seated * self["seat"] * body.leg)
        for start, end in self.flights:
            share = np.linspace(0, 1, end - start + 1)[:, None]
            rise = GRAVITY / 2 * ((end - start) / self.hz) ** 2 * share * (1 - share)
            pelvis[start : end + 1] = pelvis[start] * (1 - share) + pelvis[end] * share + rise * (0.0, 1, 0)
        return pelvis

    def swing_leg(self, leg: str, side: int, pelvis: Array) -> _Leg:
        body = self.body
        hip = pelvis + self.hip_line * side * body.hips / 2
        ankle, forward, line = self.stand(leg, side)
        free = self[f"{leg}_free"][:, None]
        reached = np.linalg.norm(ankle - hip, axis=-1)
        held = unit(self.outward(f"{leg}_direction", side, self.facing))
        direction = unit((1 - free) * unit(ankle - hip) + free * held)
        share = (1 - free[:, 0]) * np.minimum(reached / body.leg, 1)
        share = share + free[:, 0] * np.clip(self[f"{leg}_reach"], LOWEST, 1)
        pole = unit((1 - free) * forward + free * unit(self.outward(f"{leg}_knee", side, self.facing)))
        distance = share * body.leg
        point = self[f"{leg}_point"][:, None]
        for _ in range(3):  # toes that would be under the floor lift the whole leg
            knee, end = bend(hip, direction, distance, pole, body.thigh, body.shin)
            shin = unit(end - knee)
            flexed = unit(pole - (pole * shin).sum(-1, keepdims=True) * shin)
            foot = unit((1 - free) * line + free * unit(point * shin + (1 - point) * flexed))
            tip = end[:, 1] + np.minimum(foot[:, 1], 0) * (body.foot + free[:, 0] * body.toes)
            sunk = np.where(free[:, 0] > 0, np.maximum(0.004 - tip, 0), 0)
            direction, distance = _lift(end - hip, sunk, distance)
            # of one who sits or rolls, the whole body is lifted below
            distance = np.where(self["seated"] > 0, np.maximum(distance, LOWEST * body.leg), distance)
        cap = unit(pole - (pole * unit(end - hip)).sum(-1, keepdims=True) * unit(end - hip))
        return _Leg(hip, knee, end, end + body.foot * foot, knee + 0.12 * body.leg * cap)

    def hold_arm(self, arm: str, side: int, shoulder: Array) -> tuple[Array, Array]:
        hand = self.outward(f"{arm}_hand", side, self.chest_turn) * self.body.arm
        hand[:, 1] = np.maximum(hand[:, 1], 0.03 * self.body.leg - shoulder[:, 1])  # the floor is hard
        pole = self.outward(f"{arm}_elbow", side, self.chest_turn)
        distance = np.maximum(np.linalg.norm(hand, axis=-1), NEAREST_HAND * self.body.arm)
        return bend(shoulder, unit(hand), distance, pole, self.body.upper_arm, self.body.forearm)


def pose_joints(channels: Array, body: Body, flights: list[tuple[int, int]], hz: float) -> Array:
    """Positions (frames, joints, 3) of JOINTS for channels (frames, WIDTH).

    A flight is a pair of frames: the last on the floor and the first on the floor again.
    """
    motion = _Motion(channels, body, flights, hz)
    pelvis = motion.carry_pelvis()
    loin = pelvis + motion.pelvis_turn[:, :, 1] * 0.35 * body.spine
    shoulder_line = loin + motion.chest_turn[:, :, 1] * 0.65 * body.spine
    joints = np.empty((len(channels), len(JOINTS), 3))
    joints[:, JOINT["pelvis"]] = pelvis
    joints[:, JOINT["chest"]] = loin + motion.chest_turn[:, :, 1] * 0.25 * body.spine
    joints[:, JOINT["neck"]] = shoulder_line + motion.chest_turn[:, :, 1] * 0.05 * body.spine
    nape = shoulder_line + motion.chest_turn[:, :, 1] * 0.5 * body.neck
    head = nape + motion.head_turn[:, :, 1] * (0.5 * body.neck + body.head)
    joints[:, JOINT["head"]] = head
    for name, face in (
        ("nose", (0, -0.28, 1.55)),
        ("left_eye", (0.39, 0.13, 1.27)),
        ("right_eye", (-0.39, 0.13, 1.27)),
        ("left_ear", (1.0, 0.0, 0.0)),
        ("right_ear", (-1.0, 0.0, 0.0)),
    ):
        joints[:, JOINT[name]] = head + motion.head_turn @ (np.array(face) * body.head)
    for name, side in (("left", 1), ("right", -1)):
        shoulder = shoulder_line + motion.chest_turn[:, :, 0] * side * body.shoulders / 2
        leg = motion.swing_leg(name, side, pelvis)
        elbow, wrist = motion.hold_arm(name, side, shoulder)
        places = (shoulder, elbow, wrist, leg.hip, leg.knee, leg.ankle, leg.toe, leg.kneecap)
        for joint, place in zip(SIDED, places, strict=True):
            joints[:, JOINT[f"{name}_{joint}"]] = place
    # who sits or rolls lies on the floor, not in it
    sunk = np.minimum(joints[..., 1].min(1), 0) * (motion["seated"] > 0)
    joints[..., 1] -= sunk[:, None]
    return joints
