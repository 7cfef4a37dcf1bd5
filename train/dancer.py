"""Draws a dancer: a body of skin and cloth at given joint positions, in a studio, seen by a camera.

In: joint positions in metres by name, a Camera, a picture to draw on. Out: the picture (BGR). It knows nothing of
moves. The body is the MakeHuman base mesh (CC0, see assets/README.md), moved by linear-blend skinning and painted back
to front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from train.body import JOINTS, Array, unit
from train.camera import Camera

MESH = Path(__file__).parent / "assets" / "dancer_mesh.npz"
Colour = tuple[int, int, int]  # blue, green, red

# Landmarks of the mesh at rest, metres.
REST_EARS = ((0.083, 0.674, 0.03), (-0.083, 0.674, 0.03))
REST_NOSE = (0.0, 0.651, 0.159)
REST_LEG = 0.76  # hip to knee to ankle
REST_HEAD = 0.166  # from ear to ear


def colour(values: Array) -> Colour:
    return int(values[0]), int(values[1]), int(values[2])


@dataclass(frozen=True)
class Costume:
    skin: Colour = (150, 176, 222)
    hair: Colour = (38, 48, 66)
    leotard: Colour = (96, 40, 58)
    tights: Colour = (196, 186, 228)
    shoes: Colour = (172, 160, 226)
    sleeves: bool = False
    skirt: float = 0.0  # length in metres below the hips; 0: none
    skirt_colour: Colour = (150, 110, 160)

    @staticmethod
    def random(rng: np.random.Generator) -> Costume:
        skins: tuple[Colour, ...] = ((150, 176, 222), (120, 150, 205), (84, 116, 168), (52, 76, 118), (170, 194, 232))
        skin = skins[rng.integers(len(skins))]
        leotards: tuple[Colour, ...] = (
            (40, 38, 40),
            (96, 40, 58),
            (60, 40, 120),
            (130, 70, 30),
            (70, 90, 40),
            (235, 232, 236),
            (150, 60, 140),
        )
        leotard = leotards[rng.integers(len(leotards))]
        bare, black = rng.random() < 0.3, rng.random() < 0.4
        tights = skin if bare else (44, 40, 42) if black else (196, 186, 228)
        return Costume(
            skin=skin,
            hair=((30, 34, 44), (38, 48, 66), (60, 110, 160), (90, 90, 96))[rng.integers(4)],
            leotard=leotard,
            tights=tights,
            shoes=(172, 160, 226) if rng.random() < 0.6 else (50, 46, 48),
            sleeves=bool(rng.random() < 0.35),
            skirt=float(rng.uniform(0.08, 0.24)) if rng.random() < 0.3 else 0.0,
            skirt_colour=leotard if rng.random() < 0.5 else colour(rng.integers(60, 230, 3)),
        )


@dataclass(frozen=True)
class Studio:
    wall: Colour = (205, 205, 200)
    floor: Colour = (120, 160, 190)
    barre: bool = True
    mirror: bool = True
    light: tuple[float, float, float] = (0.4, 0.8, 0.45)
    back: float = -2.6  # z of the back wall, seen by a camera on the other side; the room turns with the camera

    @staticmethod
    def random(rng: np.random.Generator) -> Studio:
        grey = rng.integers(110, 235)
        return Studio(
            wall=colour(np.clip(grey + rng.integers(-18, 18, 3), 60, 245)),
            floor=colour(np.clip(rng.integers(80, 180) + np.array([-25, 5, 30]), 30, 225)),
            barre=bool(rng.random() < 0.6),
            mirror=bool(rng.random() < 0.5),
            light=(float(rng.uniform(-0.7, 0.7)), 0.8, float(rng.uniform(0.2, 0.8))),
            back=float(rng.uniform(-3.5, -1.8)),
        )


@dataclass(frozen=True)
class _Mesh:
    vertices: Array  # (vertices, 3) at rest
    quads: Array
    bones: tuple[str, ...]
    heads: Array
    tails: Array
    weight_bone: Array
    weight: Array
    is_skirt: Array  # (quads,)


@cache
def mesh() -> _Mesh:
    with np.load(MESH) as file:
        return _Mesh(
            file["vertices_m"].astype(np.float32),
            file["quads"].astype(np.int64),
            tuple(str(name) for name in file["bones"]),
            file["heads_m"].astype(float),
            file["tails_m"].astype(float),
            file["weight_bone"].astype(np.int64),
            file["weight"].astype(np.float32),
            file["part"] == 1,
        )


@cache
def rest_hand(side: str) -> Array:
    """From the wrist to the middle of the fingers at rest."""
    data = mesh()
    bone = data.bones.index(f"hand_{side}")
    hand = data.weight_bone[np.arange(len(data.vertices)), data.weight.argmax(1)] == bone
    return np.asarray(data.vertices[hand].mean(0) - data.heads[bone], float)


def frame(along: Array, towards: Array) -> Array:
    """An orthonormal frame (columns): second axis along a bone, third as near to `towards` as can be."""
    y = unit(along)
    z = unit(towards - (towards @ y) * y)
    return np.stack([np.cross(y, z), y, z], axis=1)


def swing(here: Array, there: Array) -> Array:
    """The smallest rotation that takes one direction to another."""
    a, b = unit(here), unit(there)
    axis, cos = np.cross(a, b), float(a @ b)
    if cos < -0.9999:  # opposite: any half turn across
        across = unit(np.cross(a, (0.3, 0.5, 0.8)))
        return np.asarray(2 * np.outer(across, across) - np.eye(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cos))


class _Pose:
    """Where each bone of the mesh goes for one set of joints."""

    def __init__(self, joints: dict[str, Array]) -> None:
        self.joints = joints
        self.mesh = mesh()
        self.transforms: dict[str, tuple[Array, Array]] = {}  # bone: matrix, and where the matrix puts the origin
        leg = sum(
            np.linalg.norm(joints[a] - joints[b]) for a, b in (("left_hip", "left_knee"), ("left_knee", "left_ankle"))
        )
        self.scale = float(leg) / REST_LEG
        self._trunk()
        for side in ("left", "right"):
            self._leg(side)
            self._arm(side)
        self._head()

    def ends(self, bone: str) -> tuple[Array, Array]:
        index = self.mesh.bones.index(bone)
        return self.mesh.heads[index], self.mesh.tails[index]

    def put(self, bone: str, matrix: Array, rest: Array, place: Array) -> None:
        self.transforms[bone] = (matrix, place - matrix @ rest)

    def limb(self, bone: str, rest_towards: Array, start: Array, end: Array, towards: Array) -> Array:
        """Turn a bone so that it lies between two joints and its front looks `towards`; returns the rotation."""
        head, tail = self.ends(bone)
        stretch = np.linalg.norm(end - start) / np.linalg.norm(tail - head)
        here, there = frame(tail - head, rest_towards), frame(end - start, towards)
        matrix = there @ np.diag([self.scale, stretch, self.scale]) @ here.T
        self.put(bone, matrix, head, start)
        return np.asarray(there @ here.T)

    def _trunk(self) -> None:
        joints = self.joints
        across = joints["left_hip"] - joints["right_hip"]
        shoulders = joints["left_shoulder"] - joints["right_shoulder"]
        spine = joints["neck"] - joints["chest"]
        self.chest = np.roll(frame(shoulders, spine), 2, axis=1)  # columns: y, z, x -> x, y, z below
        x = unit(shoulders)
        y = unit(spine - (spine @ x) * x)
        self.chest = np.stack([x, y, np.cross(x, y)], axis=1)
        x = unit(across)
        low = joints["chest"] - joints["pelvis"]
        y = unit(low - (low @ x) * x)
        pelvis = np.stack([x, y, np.cross(x, y)], axis=1)
        hips = (joints["left_hip"] + joints["right_hip"]) / 2
        rest_hips = (self.ends("thigh_l")[0] + self.ends("thigh_r")[0]) / 2
        rest_shoulders = (self.ends("upperarm_l")[0] + self.ends("upperarm_r")[0]) / 2
        middle = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
        stretch = np.diag(
            [self.scale, np.linalg.norm(middle - hips) / np.linalg.norm(rest_shoulders - rest_hips), self.scale]
        )
        # the spine bends between pelvis and chest: each vertebra follows both in part
        for bone, share in (("pelvis", 0.0), ("spine_01", 0.35), ("spine_02", 0.75), ("spine_03", 1.0)):
            mixed = (1 - share) * pelvis + share * self.chest
            left, _, right = np.linalg.svd(mixed)
            matrix = left @ right @ stretch
            from_hips = hips + matrix @ (self.ends(bone)[0] - rest_hips)
            from_shoulders = middle + matrix @ (self.ends(bone)[0] - rest_shoulders)
            self.put(bone, matrix, self.ends(bone)[0], (1 - share) * from_hips + share * from_shoulders)
        for side in ("left", "right"):
            bone = f"clavicle_{side[0]}"
            matrix, place = self.transforms["spine_03"]
            head, tail = self.ends(bone)
            start = matrix @ head + place
            turn = swing(self.chest @ (tail - head), joints[f"{side}_shoulder"] - start) @ self.chest
            self.put(bone, turn * self.scale, tail, joints[f"{side}_shoulder"])

    def _leg(self, side: str) -> None:
        joints, s = self.joints, side[0]
        hip, knee, ankle, toe = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "toe"))
        if f"{side}_kneecap" in joints:
            front = joints[f"{side}_kneecap"] - knee
        else:
            front = toe - ankle + 0.3 * (2 * knee - hip - ankle)
        ahead = np.array([0.0, 0.0, 1.0])
        self.limb(f"thigh_{s}", ahead, hip, knee, front)
        self.limb(f"calf_{s}", ahead, knee, ankle, front)
        up = np.array([0.0, 1.0, 0.0])
        instep = unit(front) + 0.5 * unit(knee - ankle)
        self.limb(f"foot_{s}", up, ankle, toe, instep)
        # the toes lie on the floor when the ball stands on it, else they go on from the foot
        line = unit(toe - ankle)
        standing = float(np.clip(1.6 - 20 * toe[1] / max(self.scale, 0.1), 0, 1)) if line[1] > -0.97 else 0.0
        flat = line * (1, 1 - standing, 1)
        head, tail = self.ends(f"ball_{s}")
        self.limb(f"ball_{s}", up, toe, toe + unit(flat) * np.linalg.norm(tail - head) * self.scale, instep)

    def _arm(self, side: str) -> None:
        joints, s = self.joints, side[0]
        shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        turn = self.chest
        ends = {"upperarm": (shoulder, elbow), "lowerarm": (elbow, wrist)}
        for name, (start, end) in ends.items():
            bone = f"{name}_{s}"
            head, tail = self.ends(bone)
            turn = swing(turn @ (tail - head), end - start) @ turn
            along = unit(tail - head)
            stretch = np.linalg.norm(end - start) / np.linalg.norm(tail - head) / self.scale - 1
            self.put(bone, self.scale * turn @ (np.eye(3) + stretch * np.outer(along, along)), head, start)
        # a dancer's hand prolongs the arm
        fingers = rest_hand(s)
        turn = swing(turn @ fingers, unit(wrist - elbow) + 0.15 * unit(wrist - shoulder)) @ turn
        self.put(f"hand_{s}", self.scale * turn, self.ends(f"hand_{s}")[0], wrist)

    def _head(self) -> None:
        joints = self.joints
        rest_middle = np.mean(REST_EARS, axis=0)
        if "nose" in joints and "left_ear" in joints:
            middle = (joints["left_ear"] + joints["right_ear"]) / 2
            width = float(np.linalg.norm(joints["left_ear"] - joints["right_ear"]))
            here = frame(np.subtract(*REST_EARS), np.subtract(REST_NOSE, rest_middle))
            there = frame(joints["left_ear"] - joints["right_ear"], joints["nose"] - middle)
            turn, scale = there @ here.T, width / REST_HEAD
        else:
            turn, scale = self.chest, self.scale
            middle = joints["neck"] + self.chest @ (rest_middle - self.ends("neck_01")[0]) * scale
        self.head = (turn, scale, middle)
        self.put("head", turn * scale, rest_middle, middle)
        matrix, place = self.transforms["spine_03"]
        head, tail = self.ends("neck_01")
        start, end = matrix @ head + place, turn @ (tail - rest_middle) * scale + middle
        neck = swing(self.chest @ (tail - head), end - start) @ self.chest
        along = unit(tail - head)
        stretch = np.linalg.norm(end - start) / np.linalg.norm(tail - head) / self.scale - 1
        self.put("neck_01", self.scale * neck @ (np.eye(3) + stretch * np.outer(along, along)), head, start)

    def skinned(self) -> Array:
        data = self.mesh
        matrices = np.stack([self.transforms[bone][0] for bone in data.bones]).astype(np.float32)
        places = np.stack([self.transforms[bone][1] for bone in data.bones]).astype(np.float32)
        result = np.zeros_like(data.vertices)
        for column in range(data.weight.shape[1]):
            bone, weight = data.weight_bone[:, column], data.weight[:, column, None]
            moved = np.einsum("vij,vj->vi", matrices[bone], data.vertices) + places[bone]
            result += weight * moved
        return result


class Dancer:
    """One dancer in one costume."""

    def __init__(self, costume: Costume | None = None) -> None:
        self.costume = costume or Costume()
        data = mesh()
        middle = data.vertices[data.quads].mean(1)
        keep = ~data.is_skirt
        if self.costume.skirt > 0:
            keep |= data.is_skirt & (middle[:, 1] > -self.costume.skirt) & (middle[:, 1] < 0.12)
        self.quads = data.quads[keep]
        self.skirt = data.is_skirt[keep]
        self.colours = self._dye()[self.quads].mean(1)
        self.colours[self.skirt] = self.costume.skirt_colour

    def _dye(self) -> Array:
        """A colour for each vertex by the bone that moves it and where it lies at rest."""
        data, costume = mesh(), self.costume
        bones = np.array(data.bones)[data.weight_bone[np.arange(len(data.weight)), data.weight.argmax(1)]]
        x, y, z = data.vertices.T
        aside = np.abs(x)
        colours = np.empty((len(bones), 3))
        colours[:] = costume.skin
        trunk = np.isin(bones, ["pelvis", "spine_01", "spine_02", "spine_03", "clavicle_l", "clavicle_r"])
        colours[trunk & (y < 0.462)] = costume.leotard
        legs = np.char.startswith(bones, "thigh") | np.char.startswith(bones, "calf")
        colours[legs] = costume.tights
        low = (legs | (bones == "pelvis")) & (y < -0.11 + 0.9 * aside)
        colours[low] = costume.tights
        colours[legs & ~low] = costume.leotard
        colours[np.char.startswith(bones, "foot") | np.char.startswith(bones, "ball")] = costume.shoes
        colours[legs & (y < -0.755)] = costume.shoes
        if costume.sleeves:
            colours[np.char.startswith(bones, "upperarm") | np.char.startswith(bones, "lowerarm")] = costume.leotard
        head = (bones == "head") | (bones == "neck_01")
        hairline = 0.728 - 0.55 * (0.12 - z).clip(0)
        colours[head & (y > np.maximum(hairline, 0.615)) & ~((aside > 0.07) & (y < 0.70) & (z > 0))] = costume.hair
        brow = (np.abs(aside - 0.034) < 0.016) & (np.abs(y - 0.703) < 0.003)
        eye = (np.abs(aside - 0.033) < 0.012) & (np.abs(y - 0.682) < 0.006)
        colours[head & (brow | eye) & (z > 0.1)] = (46, 46, 54)
        colours[head & (aside < 0.022) & (np.abs(y - 0.612) < 0.008) & (z > 0.12)] = (96, 92, 178)
        return colours

    def draw(
        self,
        image: Array,
        joints: Array,
        camera: Camera,
        light: Sequence[float] = (0.4, 0.8, 0.45),
        names: Sequence[str] = JOINTS,
    ) -> None:
        """Paint the dancer with the joints (joints, 3) on a BGR picture, in place."""
        pose = _Pose(dict(zip(names, joints, strict=True)))
        vertices = pose.skinned()
        height = image.shape[0]
        seen = camera.project(vertices).astype(np.float32)
        flat, depth = seen[:, :2] * height, seen[:, 2]
        corners = vertices[self.quads]
        normals = unit(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]))
        centre = corners.mean(1)
        sight = unit(np.asarray(camera.place) - centre)
        outward = (normals * sight).sum(1)
        normals[self.skirt] *= np.sign(outward[self.skirt])[:, None]
        visible = (outward > -0.02) | self.skirt
        light_axis = unit(np.array(light) @ _upright(camera))
        shade = 0.58 + 0.42 * (normals @ light_axis) + 0.06 * outward
        colours = np.clip(self.colours * shade.clip(0.25, 1.08)[:, None], 0, 255)
        chosen = np.flatnonzero(visible)
        distance = depth[self.quads].mean(1)
        distance[self.skirt] -= 0.045 * pose.scale * np.sign(outward[self.skirt])  # cloth lies outside of the legs
        order = chosen[np.argsort(-distance[chosen])]
        polygons = np.round(flat[self.quads[order]] * 16).astype(np.int32)
        bun = self._bun(pose, camera, height)
        fill = cv2.fillConvexPoly
        bun_behind = bun is None or bun[2] > float(np.mean(camera.project(pose.head[2])[2]))
        if bun is not None and bun_behind:
            cv2.circle(image, bun[0], bun[1], self.costume.hair, -1, cv2.LINE_AA, 4)
        for polygon, colour in zip(polygons, colours[order].tolist(), strict=True):
            fill(image, polygon, colour, cv2.LINE_8, 4)
        if bun is not None and not bun_behind:
            darker = tuple(int(c * 0.85) for c in self.costume.hair)
            cv2.circle(image, bun[0], bun[1], darker, -1, cv2.LINE_AA, 4)

    def _bun(self, pose: _Pose, camera: Camera, height: int) -> tuple[tuple[int, int], int, float] | None:
        turn, scale, middle = pose.head
        x, y, depth = camera.project(middle + turn @ np.array([0.0, 0.07, -0.085]) * scale)
        radius = 0.042 * scale * camera.focal / depth * height
        return (int(x * height * 16), int(y * height * 16)), max(1, int(radius * 16)), float(depth)


def _upright(camera: Camera) -> Array:
    """Rows: right, up and backward of the camera on the floor, so that light comes with the camera."""
    forward = unit(np.subtract(camera.target, camera.place) * (1, 0, 1))
    return np.stack([np.cross(forward, (0.0, 1.0, 0.0)), (0.0, 1.0, 0.0), -forward])


def _fill(image: Array, camera: Camera, corners: Array, colour: Colour) -> None:
    """A polygon of the room, cut off where it comes too near to the camera."""
    seen = camera.project(corners)
    points = np.round(seen[:, :2] * image.shape[0] * 4).clip(-(2**18), 2**18).astype(np.int32)
    cv2.fillPoly(image, [points], colour, cv2.LINE_AA, 2)


def room(studio: Studio, camera: Camera, height: int) -> Array:
    """The empty studio: floor, back wall, barre, mirror. (height, width, 3) BGR."""
    width = 4 * round(height * camera.aspect / 4)  # even also when halved, as video wants it
    image = np.empty((height, width, 3), np.uint8)
    image[:] = studio.floor
    axes = _upright(camera)
    origin = np.array(camera.target) * (1, 0, 1)

    def at(right: float, up: float, near: float) -> Array:
        return np.asarray(origin + right * axes[0] + up * axes[1] + near * axes[2])

    def panel(left: float, right: float, low: float, high: float, colour: Colour, near: float = 0.0) -> None:
        back = studio.back + near
        places = [at(left, low, back), at(right, low, back), at(right, high, back), at(left, high, back)]
        _fill(image, camera, np.array(places), colour)

    def darker(colour: Colour, share: float) -> Colour:
        return (int(colour[0] * share), int(colour[1] * share), int(colour[2] * share))

    distance = float(np.linalg.norm(np.subtract(camera.target, camera.place) * (1, 0, 1)))
    for plank in range(-16, 17):  # boards that run to the wall
        lines = np.array([at(plank * 0.35, 0, studio.back), at(plank * 0.35, 0, distance * 0.7)])
        a, b = (camera.project(lines)[:, :2] * height).clip(-(2**14), 2**14).astype(int)
        cv2.line(image, tuple(a.tolist()), tuple(b.tolist()), darker(studio.floor, 0.93), 1, cv2.LINE_AA)
    panel(-20, 20, 0, 9, studio.wall)
    if studio.mirror:
        panel(-2.4, -0.1, 0.25, 2.3, darker(studio.wall, 1.06 if max(studio.wall) < 235 else 0.95))
        panel(0.0, 2.3, 0.25, 2.3, darker(studio.wall, 1.04 if max(studio.wall) < 235 else 0.93))
    panel(-20, 20, 0, 0.12, darker(studio.wall, 0.75))
    if studio.barre:
        for up in (0.78, 1.02):
            panel(-20, 20, up, up + 0.045, darker(studio.floor, 0.65), 0.15)
        for post in (-2.6, -0.9, 0.9, 2.6):
            panel(post, post + 0.04, 0.0, 1.05, darker(studio.wall, 0.55), 0.12)
    return image


def shadow(image: Array, joints: Array, camera: Camera, names: Sequence[str] = JOINTS) -> None:
    """A soft shadow on the floor under the dancer, in place."""
    places = dict(zip(names, joints * (1, 0, 1), strict=True))
    height = image.shape[0]
    mask = np.zeros((image.shape[0] // 2, image.shape[1] // 2), np.uint8)
    scale = camera.focal / float(camera.project(joints.mean(0))[2]) * height / 2
    for a, b, wide in (
        ("left_hip", "left_toe", 0.14),
        ("right_hip", "right_toe", 0.14),
        ("pelvis", "neck", 0.26),
        ("left_shoulder", "left_wrist", 0.07),
        ("right_shoulder", "right_wrist", 0.07),
    ):
        ends = (camera.project(np.stack([places[a], places[b]]))[:, :2] * height / 2).clip(-9999, 9999).astype(int)
        cv2.line(
            mask, tuple(ends[0].tolist()), tuple(ends[1].tolist()), 255, max(1, int(wide * scale * 0.6)), cv2.LINE_AA
        )
    size = max(3, int(0.06 * scale)) | 1
    mask = cv2.GaussianBlur(mask, (size, size), 0)
    soft = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None].astype(np.uint16)
    image -= (image * soft // 850).astype(np.uint8)


class Film:
    """Frames of one dancer in one studio with one camera that does not move."""

    def __init__(
        self, camera: Camera, height: int, costume: Costume | None = None, studio: Studio | None = None
    ) -> None:
        self.camera = camera
        self.height = height
        self.studio = studio or Studio()
        self.dancer = Dancer(costume)
        self.room = room(self.studio, camera, 2 * height)

    def shoot(self, joints: Array, names: Sequence[str] = JOINTS) -> Array:
        """The picture (height, width, 3) BGR of the dancer with these joints, drawn twice as large and reduced."""
        image = self.room.copy()
        shadow(image, joints, self.camera, names)
        self.dancer.draw(image, joints, self.camera, self.studio.light, names)
        return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
