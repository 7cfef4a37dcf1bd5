"""The body that is drawn: the MakeHuman base mesh (CC0, see assets/README.md), moved by linear-blend skinning.

In: positions of joints in metres by name. Out: the vertices of skin and cloth. It knows no colours and no cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from train.body import Array, unit

MESH = Path(__file__).parent / "assets" / "dancer_mesh.npz"

# Landmarks of the mesh at rest, metres.
REST_EARS = ((0.083, 0.674, 0.03), (-0.083, 0.674, 0.03))
REST_NOSE = (0.0, 0.651, 0.159)
REST_LEG = 0.76  # hip to knee to ankle
REST_HEAD = 0.166  # from ear to ear


@dataclass(frozen=True)
class Mesh:
    vertices: Array  # (vertices, 3) at rest
    quads: Array
    bones: tuple[str, ...]
    heads: Array
    tails: Array
    weight_bone: Array
    weight: Array
    is_skirt: Array  # (quads,)


@cache
def mesh() -> Mesh:
    with np.load(MESH) as file:
        return Mesh(
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


class Figure:
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
