"""A key pose: where legs, arms and trunk are at one moment, and the names that ballet has for where they may be."""

from __future__ import annotations

from dataclasses import dataclass

Vector = tuple[float, float, float]  # (out, up, front)

# Where the hand is, seen from the shoulder in arm lengths, and which way the elbow points.
ARMS: dict[str, tuple[Vector, Vector]] = {
    "low": ((-0.10, -0.84, 0.38), (1, 0.1, -0.1)),
    "first": ((-0.26, -0.22, 0.66), (1, 0.15, 0)),
    "second": ((0.92, -0.12, 0.24), (0.1, 0.5, -1)),
    "half": ((0.62, -0.66, 0.28), (0.6, 0.4, -1)),
    "high": ((-0.22, 0.86, 0.24), (1, 0.1, 0)),
    "open": ((0.62, 0.68, 0.20), (0.5, -0.3, -1)),
    "ahead": ((0.05, 0.12, 0.98), (0.5, -1, 0)),
    "side": ((0.98, 0.02, 0.08), (0, -0.6, -1)),
    "slant": ((0.86, 0.45, 0.14), (0.1, -0.6, -1)),
    "back": ((0.62, -0.28, -0.66), (0.3, 0.6, -1)),
    "hips": ((0.06, -0.56, 0.04), (1, 0, -0.6)),
    "down": ((0.10, -0.97, 0.04), (0.3, 0, -1)),
    "chest": ((-0.35, -0.35, 0.36), (1, -0.6, 0)),
    "barre": ((0.35, -0.45, 0.55), (0.8, -0.6, -0.3)),
}

# Where the ankles are, in leg lengths: (out, front) of the working and of the standing leg. None: the usual turnout.
POSITIONS: dict[str, tuple[tuple[float, float], tuple[float, float], float | None]] = {
    "first": ((0.055, 0.0), (0.055, 0.0), None),
    "second": ((0.30, 0.0), (0.30, 0.0), None),
    "fifth": ((-0.05, 0.11), (-0.05, -0.11), None),
    "fifth_back": ((-0.05, -0.11), (-0.05, 0.11), None),
    "fourth": ((0.03, 0.25), (0.03, -0.25), None),
    "fourth_back": ((0.03, -0.25), (0.03, 0.25), None),
    "parallel": ((0.11, 0.0), (0.11, 0.0), 0.15),
    "wide": ((0.24, 0.0), (0.24, 0.0), 0.35),
    "stride": ((0.12, 0.22), (0.12, -0.22), 0.15),
}
# By how much the feet may be nearer or farther than that: a second is a foot wide for one teacher and two for another.
SPREAD = {
    "second": (0.4, 1.15),
    "fourth": (0.6, 1.2),
    "fourth_back": (0.6, 1.2),
    "parallel": (0.6, 1.5),
    "wide": (0.6, 1.3),
    "stride": (0.6, 1.3),
}


@dataclass
class Leg:
    ball: Vector = (0, 0, 0)  # of the foot when it stands: x, height, z of the world
    heel: float = 0.0  # 0 on the floor, 1 on demi-pointe
    turnout: float = 0.2
    free: float = 0.0  # 0 it stands, 1 it is held in the air as the next lines say
    direction: Vector = (0.1, -1, 0.1)  # from hip to ankle
    reach: float = 1.0  # of its length, standing or free; 1 is straight
    knee: Vector = (1, 0, 0.5)  # which way it points
    point: float = 0.0  # 0 the foot is flexed, 1 pointed

    def row(self) -> list[float]:
        return [*self.ball, self.heel, self.turnout, self.free, *self.direction, self.reach, *self.knee, self.point]


@dataclass
class Arm:
    hand: Vector = ARMS["down"][0]
    elbow: Vector = ARMS["down"][1]

    def row(self) -> list[float]:
        return [*self.hand, *self.elbow]


@dataclass
class Trunk:
    anchor: tuple[float, float] = (0.0, 0.0)
    offset: tuple[float, float] = (0.0, 0.0)
    yaw: float = 0.0
    tilt: float = 0.0
    lean: float = 0.0
    bend: float = 0.0
    sway: float = 0.0
    twist: float = 0.0
    nod: float = 0.0
    look: float = 0.0
    tip: float = 0.0
    seat: float = 1.0
    seated: float = 0.0

    def row(self) -> list[float]:
        pelvis = [self.yaw, self.tilt, self.lean, 0.0, 0.0]  # hike and swivel are not written: see open_hips
        chest_and_head = [self.bend, self.sway, self.twist, self.nod, self.look, self.tip]
        return [*self.anchor, *self.offset, *pelvis, *chest_and_head, self.seat, self.seated]
