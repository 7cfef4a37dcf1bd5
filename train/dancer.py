"""Draws a dancer: a body of skin and cloth at given joint positions, in a studio, seen by a camera.

In: joint positions in metres by name, a Camera, a picture to draw on. Out: the picture (BGR). It knows nothing of
moves. The body is that of figure.py, painted back to front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from train.body import JOINTS, Array, unit
from train.camera import Camera
from train.figure import Figure, mesh
from train.mirror import GLASS, Mirror, Wall, darker, upright

Colour = tuple[int, int, int]  # blue, green, red


def colour(values: Array) -> Colour:
    return int(values[0]), int(values[1]), int(values[2])


# The share of costumes that hide the legs: a long skirt, a flat tutu.
LONG_SKIRTS = 0.08
TUTUS = 0.08
# The share of mirrors that show the dancer; the others are dull or turned away.
REFLECTING = 0.4


@dataclass(frozen=True)
class Costume:
    skin: Colour = (150, 176, 222)
    hair: Colour = (38, 48, 66)
    leotard: Colour = (96, 40, 58)
    tights: Colour = (196, 186, 228)
    shoes: Colour = (172, 160, 226)
    sleeves: bool = False
    skirt: float = 0.0  # length in metres below the hips; 0: none, 0.68 at most: to the ankles
    tutu: float = 0.0  # how far a flat tutu stands out from the middle of the body, in metres; 0: none
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
        costume = Costume(
            skin=skin,
            hair=((30, 34, 44), (38, 48, 66), (60, 110, 160), (90, 90, 96))[rng.integers(4)],
            leotard=leotard,
            tights=tights,
            shoes=(172, 160, 226) if rng.random() < 0.6 else (50, 46, 48),
            sleeves=bool(rng.random() < 0.35),
            skirt=float(rng.uniform(0.08, 0.24)) if rng.random() < 0.3 else 0.0,
            skirt_colour=leotard if rng.random() < 0.5 else colour(rng.integers(60, 230, 3)),
        )
        stage = rng.random()
        if stage < LONG_SKIRTS:
            return replace(costume, skirt=float(rng.uniform(0.4, 0.68)))
        if stage < LONG_SKIRTS + TUTUS:
            return replace(costume, skirt=0.0, tutu=float(rng.uniform(0.34, 0.52)))
        return costume


@dataclass(frozen=True)
class Studio:
    wall: Colour = (205, 205, 200)
    floor: Colour = (120, 160, 190)
    barre: bool = True
    mirror: bool = True
    light: tuple[float, float, float] = (0.4, 0.8, 0.45)
    back: float = -2.6  # z of the back wall, seen by a camera on the other side; the room turns with the camera
    reflecting: bool = False  # the mirror shows who is in the room

    @staticmethod
    def random(rng: np.random.Generator) -> Studio:
        grey = rng.integers(110, 235)
        studio = Studio(
            wall=colour(np.clip(grey + rng.integers(-18, 18, 3), 60, 245)),
            floor=colour(np.clip(rng.integers(80, 180) + np.array([-25, 5, 30]), 30, 225)),
            barre=bool(rng.random() < 0.6),
            mirror=bool(rng.random() < 0.5),
            light=(float(rng.uniform(-0.7, 0.7)), 0.8, float(rng.uniform(0.2, 0.8))),
            back=float(rng.uniform(-3.5, -1.8)),
        )
        return replace(studio, reflecting=studio.mirror and bool(rng.random() < REFLECTING))


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
        self.cloth = self.skirt  # seen from both sides
        self.tutu: Array | None = None
        if self.costume.tutu > 0:
            self.tutu, quads = flat_tutu(self.costume.tutu)
            self.quads = np.concatenate([self.quads, quads + len(data.vertices)])
            self.colours = np.concatenate([self.colours, np.tile(self.costume.skirt_colour, (len(quads), 1))])
            self.skirt = np.concatenate([self.skirt, np.zeros(len(quads), bool)])
            self.cloth = np.concatenate([self.cloth, np.ones(len(quads), bool)])

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
        mirror: Mirror | None = None,
    ) -> None:
        """Paint the dancer with the joints (joints, 3), or what a mirror shows of her, on a BGR picture, in place."""
        pose = Figure(dict(zip(names, joints, strict=True)))
        vertices = pose.skinned()
        if self.tutu is not None:
            matrix, place = pose.transforms["pelvis"]
            vertices = np.concatenate([vertices, self.tutu @ matrix.T + place])
        if mirror is not None:
            vertices = mirror.reflect(vertices)
        height = image.shape[0]
        seen = camera.project(vertices).astype(np.float32)
        flat, depth = seen[:, :2] * height, seen[:, 2]
        corners = vertices[self.quads]
        normals = unit(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]))
        if mirror is not None:
            normals = -normals
        centre = corners.mean(1)
        sight = unit(np.asarray(camera.place) - centre)
        outward = (normals * sight).sum(1)
        normals[self.cloth] *= np.sign(outward[self.cloth])[:, None]
        visible = (outward > -0.02) | self.cloth
        light_axis = unit(np.array(light) @ upright(camera))
        shade = 0.58 + 0.42 * (normals @ light_axis) + 0.06 * outward
        if self.tutu is not None:  # light comes through net
            net = self.cloth & ~self.skirt
            shade[net] = 0.72 + 0.28 * shade[net]
        colours = np.clip(self.colours * shade.clip(0.25, 1.08)[:, None], 0, 255)
        chosen = np.flatnonzero(visible)
        distance = depth[self.quads].mean(1)
        distance[self.skirt] -= 0.045 * pose.scale * np.sign(outward[self.skirt])  # cloth lies outside of the legs
        order = chosen[np.argsort(-distance[chosen])]
        polygons = np.round(flat[self.quads[order]] * 16).astype(np.int32)
        bun = self._bun(pose, camera, height, mirror)
        fill = cv2.fillConvexPoly
        bun_behind = bun is None or bun[2] > 0
        if bun is not None and bun_behind:
            cv2.circle(image, bun[0], bun[1], self.costume.hair, -1, cv2.LINE_AA, 4)
        for polygon, colour in zip(polygons, colours[order].tolist(), strict=True):
            fill(image, polygon, colour, cv2.LINE_8, 4)
        if bun is not None and not bun_behind:
            darker = tuple(int(c * 0.85) for c in self.costume.hair)
            cv2.circle(image, bun[0], bun[1], darker, -1, cv2.LINE_AA, 4)

    def _bun(
        self, pose: Figure, camera: Camera, height: int, mirror: Mirror | None
    ) -> tuple[tuple[int, int], int, float] | None:
        """Its middle and radius in sixteenths of a pixel, and how far it lies behind the middle of the head."""
        turn, scale, middle = pose.head
        places = np.stack([middle + turn @ np.array([0.0, 0.07, -0.085]) * scale, middle])
        if mirror is not None:
            places = mirror.reflect(places)
        (x, y, depth), (_, _, head) = camera.project(places)
        radius = 0.042 * scale * camera.focal / depth * height
        return (int(x * height * 16), int(y * height * 16)), max(1, int(radius * 16)), float(depth - head)


def flat_tutu(radius: float) -> tuple[Array, Array]:
    """Layers of stiff net round the hips of the mesh at rest: vertices (n, 3) in metres and quads (m, 4) of them."""
    sectors, rings = 28, 5
    vertices, quads = [], []
    for layer, (share, droop) in enumerate(((1.0, 0.0), (0.93, 0.2), (0.84, 0.42))):
        for ring in range(rings):
            out = 0.11 + (radius * share - 0.11) * ring / (rings - 1)
            angles = np.arange(sectors) * 2 * np.pi / sectors
            frill = 0.012 * np.cos(7 * angles + layer) * ring / (rings - 1)
            height = 0.05 - 0.012 * layer - droop * (out - 0.11) + frill
            vertices.append(np.stack([out * np.sin(angles), height, 0.02 + out * np.cos(angles)], -1))
    for layer in range(3):
        for ring in range(rings - 1):
            inner = (layer * rings + ring) * sectors
            for sector in range(sectors):
                after = (sector + 1) % sectors
                quads.append((inner + sector, inner + sectors + sector, inner + sectors + after, inner + after))
    return np.concatenate(vertices), np.array(quads)


def room(studio: Studio, camera: Camera, height: int) -> Array:
    """The empty studio: floor, back wall, barre, mirror. (height, width, 3) BGR."""
    width = 4 * round(height * camera.aspect / 4)  # even also when halved, as video wants it
    image = np.empty((height, width, 3), np.uint8)
    image[:] = studio.floor
    wall = Wall(camera, studio.back)
    distance = float(np.linalg.norm(np.subtract(camera.target, camera.place) * (1, 0, 1)))
    for plank in range(-16, 17):  # boards that run to the wall
        lines = np.array([wall.at(plank * 0.35, 0, studio.back), wall.at(plank * 0.35, 0, distance * 0.7)])
        a, b = (camera.project(lines)[:, :2] * height).clip(-(2**14), 2**14).astype(int)
        cv2.line(image, tuple(a.tolist()), tuple(b.tolist()), darker(studio.floor, 0.93), 1, cv2.LINE_AA)
    wall.panel(image, -20, 20, 0, 9, studio.wall)
    if studio.mirror:
        shades = (1.06, 1.04) if max(studio.wall) < 235 else (0.95, 0.93)
        for glass, shade in zip(GLASS, shades, strict=True):
            wall.panel(image, *glass, darker(studio.wall, shade))
    wall.panel(image, -20, 20, 0, 0.12, darker(studio.wall, 0.75))
    if studio.barre:
        wall.barre(image, darker(studio.floor, 0.65), darker(studio.wall, 0.55))
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
    soft = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    left, top, wide, high = cv2.boundingRect(soft)  # the rest of the picture stays as it is
    part = image[top : top + high, left : left + wide]
    dark = soft[top : top + high, left : left + wide, None].astype(np.uint16)
    part -= (part * dark // 850).astype(np.uint8)


@dataclass(frozen=True)
class Bystander:
    """Somebody else in the room, who moves without minding the dancer."""

    dancer: Dancer
    positions: Array  # (frames, joints, 3)
    hz: float

    def joints_at(self, time_s: float) -> Array:
        return np.asarray(self.positions[min(round(time_s * self.hz), len(self.positions) - 1)])


class Film:
    """Frames of one dancer in one studio with one camera that does not move."""

    def __init__(
        self,
        camera: Camera,
        height: int,
        costume: Costume | None = None,
        studio: Studio | None = None,
        company: Sequence[Bystander] = (),
    ) -> None:
        self.camera = camera
        self.height = height
        self.studio = studio or Studio()
        self.dancer = Dancer(costume)
        self.company = tuple(company)
        self.room = room(self.studio, camera, 2 * height)
        self.mirror: Mirror | None = None
        if self.studio.mirror and self.studio.reflecting:
            self.mirror = Mirror(Wall(camera, self.studio.back), self.room.shape, self.studio.barre)
            self.mirror.floor(self.room, darker(self.studio.floor, 0.9))

    def shoot(self, joints: Array, names: Sequence[str] = JOINTS, time_s: float = 0.0) -> Array:
        """The picture (height, width, 3) BGR of the dancer with these joints, drawn twice as large and reduced.

        `time_s` says what the company does meanwhile.
        """
        image = self.room.copy()
        people: list[tuple[Dancer, Array, Sequence[str]]] = [(self.dancer, joints, names)]
        people += [(each.dancer, each.joints_at(time_s), JOINTS) for each in self.company]
        people.sort(key=lambda person: -float(self.camera.project(person[1].mean(0))[2]))
        if self.mirror is not None:
            self._reflect(image, self.mirror, people)
        for dancer, places, called in people:
            shadow(image, places, self.camera, called)
            dancer.draw(image, places, self.camera, self.studio.light, called)
        return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))

    def _reflect(self, image: Array, mirror: Mirror, people: Sequence[tuple[Dancer, Array, Sequence[str]]]) -> None:
        reflected = image.copy()
        for dancer, places, names in reversed(people):  # who is far from the camera is near to the glass
            if not mirror.behind(places.mean(0)):
                dancer.draw(reflected, places, self.camera, self.studio.light, names, mirror)
        mirror.show(image, reflected)
