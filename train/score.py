"""A score: key poses of a dancer one after the other in time, and the stream of joint positions played from them.

Moves are written on a Score: change the pose, then say how long it takes to get there (`beat`). The score knows legs,
weight, arms, steps and jumps; what a plié is, choreography.py knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from train.body import CHANNELS, FLAT, GRAVITY, JOINTS, RISE, Body, pose_joints, unit
from train.habits import open_hips, sway
from train.key_pose import ARMS, POSITIONS, SPREAD, Arm, Leg, Trunk, Vector
from train.stream import Segment, Stream, merged
from train.style import Manner, Style

HZ = 60.0


class Score:
    def __init__(self, rng: np.random.Generator, body: Body, style: Style) -> None:
        self.rng = rng
        self.body = body
        self.style = style
        self.left, self.right = Leg(), Leg()
        self.left_arm, self.right_arm = Arm(), Arm()
        self.trunk = Trunk()
        self.side = 1  # +1: the left leg works
        self.time_s = 0.0
        self.times: list[float] = []
        self.rows: list[list[float]] = []
        self.flights: list[tuple[float, float]] = []
        self.segments: list[Segment] = []
        self.unsure: list[tuple[float, float]] = []
        self.pace = 1.0
        self.manner = Manner()
        self.place("first")
        self.carry()
        self._write()

    # -- chance ---------------------------------------------------------------------------------------------------

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def count(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def pick(self, *choices: str) -> str:
        return choices[int(self.rng.integers(len(choices)))]

    def degrees(self, low: float, high: float) -> float:
        """An angle in radians, the nearer to `high` the more skilled the dancer."""
        return float(np.radians(low + (high - low) * np.clip(self.style.skill + self.rng.normal(0, 0.25), 0, 1)))

    # -- limbs by their part in the move --------------------------------------------------------------------------

    @property
    def working(self) -> Leg:
        return self.left if self.side > 0 else self.right

    @property
    def standing(self) -> Leg:
        return self.right if self.side > 0 else self.left

    def change_sides(self) -> None:
        self.side = -self.side

    def any_side(self) -> None:
        self.side = 1 if self.chance(0.5) else -1

    def sign(self, leg: Leg) -> int:
        return 1 if leg is self.left else -1

    # -- time -----------------------------------------------------------------------------------------------------

    def beat(self, seconds: float, least: float = 0.0) -> None:
        """The pose as it is now is reached after this time at tempo 1; nobody does it in less than `least`."""
        self.exactly(max(least, seconds * self.style.tempo * self.pace * self.between(0.92, 1.08)))

    def exactly(self, seconds: float) -> None:
        self.time_s += max(seconds, 0.02)
        self._write()

    def _write(self) -> None:
        self.times.append(self.time_s)
        row = self._carried().row() + self.left.row() + self.left_arm.row() + self.right.row() + self.right_arm.row()
        self.rows.append(row)

    def _carried(self) -> Trunk:
        """The trunk in the dancer's own manner; nobody poses on the floor."""
        trunk, manner = self.trunk, self.manner
        if trunk.seated:
            return trunk
        return replace(
            trunk,
            twist=trunk.twist + manner.twist,
            look=trunk.look + manner.look,
            nod=trunk.nod + manner.nod,
            tip=trunk.tip + manner.tip,
            bend=trunk.bend + manner.bend,
            sway=trunk.sway + manner.sway,
        )

    @contextmanager
    def move(self, name: str, later: float = 0.0, longer: float = 0.0) -> Iterator[None]:
        """What is danced inside shows this move; its label may begin `later` and last `longer` than the poses."""
        start = self.time_s + later
        if later > 0:
            self.unsure.append((self.time_s, start))
        yield
        self.segments.append(Segment(name, start, self.time_s + longer))

    @contextmanager
    def preparing(self) -> Iterator[None]:
        start = self.time_s
        yield
        self.unsure.append((start, self.time_s))

    # -- feet and weight ------------------------------------------------------------------------------------------

    def world(self, out: float, front: float) -> tuple[float, float]:
        """(left, front) of the dancer in metres as a step (x, z) on the floor."""
        sin, cos = np.sin(self.trunk.yaw), np.cos(self.trunk.yaw)
        return float(out * cos + front * sin), float(-out * sin + front * cos)

    def foot_line(self, leg: Leg, heel: float) -> tuple[float, float]:
        """From ankle to ball on the floor."""
        heading = self.trunk.yaw + self.sign(leg) * leg.turnout
        length = self.body.foot * np.cos(FLAT + heel * RISE)
        return float(length * np.sin(heading)), float(length * np.cos(heading))

    def support(self, leg: Leg) -> tuple[float, float]:
        """The point of the foot that carries: before the ankle, on demi-pointe over the ball."""
        line, back = self.foot_line(leg, leg.heel), 0.65 - 0.5 * leg.heel
        return leg.ball[0] - back * line[0], leg.ball[2] - back * line[1]

    def carry(self, working: float = 0.5) -> None:
        """Weight on the working leg: 0, both legs: 0.5, or 1."""
        here, there = self.support(self.working), self.support(self.standing)
        self.trunk.anchor = (
            here[0] * working + there[0] * (1 - working),
            here[1] * working + there[1] * (1 - working),
        )
        aside = 0.2 * self.body.hips * self.side * (1 - 2 * working)  # the hips stay a little inside of one leg
        self.trunk.offset = (aside, 0.0)

    def spot(self, leg: Leg, out: float, front: float) -> tuple[float, float]:
        """Where the ball of this foot is when its ankle is (out, front) leg lengths from the dancer's middle."""
        step = self.world(self.sign(leg) * out * self.body.leg, front * self.body.leg)
        line = self.foot_line(leg, 0.0)
        return self.trunk.anchor[0] + step[0] + 0.65 * line[0], self.trunk.anchor[1] + step[1] + 0.65 * line[1]

    def place(self, position: str, wide: float = 1.0) -> None:
        """Both feet in a position round the dancer's middle, at once: for a start, or while in the air."""
        working, standing, turnout = POSITIONS[position]
        wide *= self.between(*SPREAD.get(position, (1.0, 1.0)))
        for leg, (out, front) in ((self.working, working), (self.standing, standing)):
            leg.turnout = self.style.turnout if turnout is None else turnout
            x, z = self.spot(leg, out * wide, front * wide)
            leg.ball = (x, 0.0, z)

    def land(self, leg: Leg, heel: float = 0.0) -> None:
        """This leg stands again, where its foot was put last."""
        leg.free, leg.heel, leg.reach, leg.point = 0.0, heel, 1.0, 0.0
        leg.knee = (1, 0, 0.5)

    def step(self, leg: Leg, x: float, z: float, seconds: float, lift: float = 0.05, stay: float = 0.5) -> None:
        """One foot is lifted and put down at (x, z); `stay` is the weight left on the other when it is down."""
        share = 1.0 if leg is self.standing else 0.0
        start = leg.ball
        self.carry(0.15 + 0.7 * share)
        leg.ball = ((start[0] + x) / 2, lift * self.body.leg, (start[2] + z) / 2)
        leg.heel = 0.5
        self.beat(seconds / 2, least=0.09)
        leg.ball, leg.heel = (x, 0.0, z), 0.0
        self.carry(stay * share + (1 - stay) * (1 - share))
        self.beat(seconds / 2, least=0.09)

    def stance(self, position: str, seconds: float = 0.5) -> None:
        """Step into a position where the dancer stands; feet that are there already stay."""
        for leg in (self.working, self.standing):
            self.land(leg)
        self.carry()
        middle = self.trunk.anchor
        working, standing, turnout = POSITIONS[position]
        apart = self.between(-0.01, 0.05)  # heels seldom touch
        spread = self.between(*SPREAD.get(position, (1.0, 1.0)))
        for leg, (out, front) in ((self.standing, standing), (self.working, working)):
            self.trunk.anchor = middle
            leg.turnout = self.style.turnout if turnout is None else turnout
            x, z = self.spot(leg, out * spread + apart, front * spread)
            if np.hypot(x - leg.ball[0], z - leg.ball[2]) > 0.02:
                self.step(leg, x, z, seconds / 2)
        self.carry()
        self.upright()
        self.beat(0.15)

    def free(
        self, leg: Leg, direction: Vector, reach: float = 1.0, point: float = 1.0, knee: Vector | None = None
    ) -> None:
        """Hold a leg in the air; its foot comes down again where it was put last unless it is placed anew."""
        leg.free, leg.direction, leg.point, leg.heel = 1.0, direction, point, 0.0
        leg.reach = reach * (1 - 0.035 * (1 - self.style.skill))
        leg.knee = (1.0, 0.15, 0.35) if knee is None else knee

    def fold(self, leg: Leg, thigh: Vector, shin: Vector, point: float = 1.0) -> None:
        """Hold a leg in the air with the thigh in one direction and the shin in another."""
        up, low = unit(np.array(thigh)), unit(np.array(shin))
        line = self.body.thigh * up + self.body.shin * low
        reach, along = float(np.linalg.norm(line)), unit(line)
        knee = unit(up - (up @ along) * along + 1e-3 * np.array((1.0, 0.3, 0.3)))
        leg.free, leg.point, leg.heel, leg.reach = 1.0, point, 0.0, reach / self.body.leg
        leg.direction = (float(along[0]), float(along[1]), float(along[2]))
        leg.knee = (float(knee[0]), float(knee[1]), float(knee[2]))

    def bend_knees(self, reach: float, heel: float = 0.0) -> None:
        for leg in (self.left, self.right):
            leg.reach, leg.heel = reach, heel

    # -- trunk, arms, head ----------------------------------------------------------------------------------------

    def unwind(self) -> None:
        """After a whole turn sideways, as in a cartwheel: the past is counted from the other side."""
        for row in self.rows:
            row[CHANNELS["lean"].start] -= self.trunk.lean
        self.trunk.lean = 0.0

    def upright(self) -> None:
        trunk = self.trunk
        trunk.tilt = trunk.lean = trunk.bend = trunk.sway = trunk.twist = trunk.nod = trunk.look = trunk.tip = 0.0
        trunk.seated = 0.0

    def arms(self, working: str, standing: str | None = None) -> None:
        for side, position in ((self.side, working), (-self.side, working if standing is None else standing)):
            if self.manner.astray and self.chance(self.manner.astray):
                self.arm_anywhere(side)
            else:
                self.arm(side, position)

    def arm_anywhere(self, side: int) -> None:
        """A hand anywhere it can be."""
        if self.chance(0.4):
            self.arm(side, self.pick(*ARMS))
            return
        arm = self.left_arm if side > 0 else self.right_arm
        arm.hand = (self.between(-0.4, 0.9), self.between(-0.95, 0.7), self.between(0.08, 0.9))
        arm.elbow = (1.0, self.between(-1, 0.3), self.between(-0.8, 0.1))

    def arm(self, side: int, position: str) -> None:
        hand, elbow = ARMS[position]
        x, y, z = (float(value + self.rng.normal(0, 0.05)) for value in hand)
        arm = self.left_arm if side > 0 else self.right_arm
        arm.hand, arm.elbow = (x, y, z), elbow

    # -- in the air -----------------------------------------------------------------------------------------------

    def flight_time(self, height: float) -> float:
        """Seconds in the air of a jump that lifts the pelvis by this share of leg length."""
        return float(np.sqrt(8 * height * self.body.leg / GRAVITY))

    @contextmanager
    def flight(self) -> Iterator[None]:
        start = self.time_s
        yield
        self.flights.append((start, self.time_s))

    # -- playing --------------------------------------------------------------------------------------------------

    def perform(self, hz: float = HZ) -> Stream:
        """Play the score: the positions of all joints from its first key to its last."""
        frames = int(self.time_s * hz) + 1
        times = np.arange(frames) / hz
        channels = PchipInterpolator(np.array(self.times), np.array(self.rows), axis=0)(times)
        open_hips(channels, self.style.opened)
        sway(channels, hz, self.style.wobble, self.rng)
        for leg in ("left", "right"):
            reach = channels[:, CHANNELS[f"{leg}_reach"]]
            np.minimum(reach, self.style.straight, out=reach)
        flights = [(round(start * hz), round(end * hz)) for start, end in self.flights]
        airborne = np.zeros(frames, bool)
        for start, end in flights:
            airborne[start + 1 : end] = True
        contact = np.stack(
            [
                (channels[:, CHANNELS[f"{leg}_free"]][:, 0] < 1e-6)
                & (channels[:, CHANNELS[f"{leg}_ball"]][:, 1] < 1e-6)
                & (channels[:, CHANNELS["seated"]][:, 0] < 1e-6)
                & ~airborne
                for leg in ("left", "right")
            ],
            axis=1,
        )
        positions = pose_joints(channels, self.body, flights, hz)
        return Stream(positions, JOINTS, hz, merged(self.segments), list(self.unsure), contact)
