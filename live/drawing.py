"""Text, panels, bars and the dancer's skeleton, drawn into a picture in place.

Where they go and what they say is told from outside: it knows nothing of what the recogniser answers.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models.encoders import SEEN
from models.frames import Box, Image
from models.keypoints import INDEX, KEYPOINTS, SKELETON

Colour = tuple[int, int, int]  # BGR

ACCENT: Colour = (128, 84, 244)  # rose: what is happening now, and the dancer's left side
ICE: Colour = (255, 240, 214)  # the dancer's right side
WHITE: Colour = (247, 247, 247)
QUIET: Colour = (190, 188, 188)
BLOCK: Colour = (116, 106, 106)  # a past move in the timeline
TRACK: Colour = (98, 94, 94)  # the empty part of a bar
SHADOW: Colour = (24, 22, 22)
RECORDING: Colour = (72, 72, 255)

BOLD, SEMIBOLD, REGULAR = 700, 600, 400
PANEL_LIGHT = 0.22  # how much of the picture shows through a panel; white then lies at 56 of 255
LONGEST_TEXT = 80  # characters
LARGEST_NUMBER = 1e6


class Rect(NamedTuple):
    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


# Text


@lru_cache(maxsize=1)
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


@lru_cache(maxsize=512)
def clean(text: str) -> str:
    """The text with what cannot be drawn replaced: on half a surrogate OpenCV crashes the process."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: LONGEST_TEXT + 1])
    return shown if len(shown) <= LONGEST_TEXT else shown[: LONGEST_TEXT - 1] + "…"


def number(value: float | None, format_: str, scale: float = 1) -> str:
    """The number as text; a dash for one that is not known or cannot be meant."""
    return format(value * scale, format_) if value is not None and abs(value * scale) < LARGEST_NUMBER else "–"


@lru_cache(maxsize=2048)
def text_width(text: str, size: int, weight: int) -> int:
    left, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _font(), size, weight)
    return int(left + width)


@lru_cache(maxsize=1024)
def fit(text: str, width: int, size: int, smallest: int, weight: int) -> tuple[str, int]:
    """The text and the size, not above `size`, at which it is at most `width` wide; cut with … where it must be."""
    wide = text_width(text, size, weight)
    if wide <= width:
        return text, size
    for smaller in range(min(size, max(smallest, size * max(width, 0) // max(wide, 1) + 1)), smallest - 1, -1):
        if text_width(text, smaller, weight) <= width:
            return text, smaller
    for length in range(len(text) - 1, 0, -1):
        cut = text[:length].rstrip() + "…"
        if text_width(cut, smallest, weight) <= width:
            return cut, smallest
    return "", smallest


def write(picture: Image, text: str, left: int, baseline: int, size: int, colour: Colour, weight: int) -> int:
    """Draw the text and return where it ends."""
    if not text:
        return left
    cv2.putText(picture, text, (left, baseline), colour, _font(), size, weight)
    return left + text_width(text, size, weight)


def write_right(picture: Image, text: str, right: int, baseline: int, size: int, colour: Colour, weight: int) -> int:
    """Draw the text so that it ends at `right`, and return where it begins."""
    left = right - text_width(text, size, weight)
    write(picture, text, left, baseline, size, colour, weight)
    return left


# Shapes


@lru_cache(maxsize=32)
def _shade(width: int, height: int, radius: int) -> Image:
    """What a panel multiplies the picture with: PANEL_LIGHT inside, 1 outside its rounded corners; of 255."""
    shade = np.full((height, width, 3), 255, np.uint8)
    radius = min(radius, width // 2, height // 2)
    dark = (round(255 * PANEL_LIGHT),) * 3
    cv2.rectangle(shade, (radius, 0), (width - 1 - radius, height - 1), dark, -1)
    cv2.rectangle(shade, (0, radius), (width - 1, height - 1 - radius), dark, -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(shade, (x, y), radius, dark, -1, cv2.LINE_AA)
    return shade


def draw_panel(picture: Image, rect: Rect, pad: int, pad_x: int | None = None) -> Rect:
    """Darken the rectangle, which must lie in the picture, and return what is inside its padding."""
    region = picture[rect.top : rect.bottom, rect.left : rect.right]
    pad_x = pad if pad_x is None else pad_x
    cv2.multiply(region, _shade(rect.width, rect.height, round(0.6 * pad_x)), dst=region, scale=1 / 255)
    return Rect(rect.left + pad_x, rect.top + pad, rect.width - 2 * pad_x, rect.height - 2 * pad)


def draw_bar(picture: Image, left: int, right: int, y: int, thickness: int, part: float, colour: Colour) -> None:
    """A bar with round ends, `part` of it filled."""
    start, end = left + thickness // 2, right - thickness // 2
    cv2.line(picture, (start, y), (end, y), TRACK, thickness, cv2.LINE_AA)
    if part > 0:
        cv2.line(picture, (start, y), (start + round(part * (end - start)), y), colour, thickness, cv2.LINE_AA)


# The dancer


def draw_corners(picture: Image, box: Box) -> None:
    """The part of the picture that was looked at, as four corners."""
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    if not all(math.isfinite(edge) for edge in edges):
        return
    height, width = picture.shape[:2]
    inset = max(2, min(width, height) // 90)
    left, right = (round(min(max(x, inset), width - 1 - inset)) for x in edges[::2])
    top, bottom = (round(min(max(y, inset), height - 1 - inset)) for y in edges[1::2])
    arm = min(right - left, bottom - top) // 8
    if arm < 2:
        return
    for colour, extra in ((SHADOW, 2), (WHITE, 0)):
        for x, along in ((left, arm), (right, -arm)):
            for y, up in ((top, arm), (bottom, -arm)):
                corner = np.array([(x + along, y), (x, y), (x, y + up)], np.int32)
                cv2.polylines(picture, [corner], False, colour, max(1, inset // 3) + extra, cv2.LINE_AA)


# Dots on eyes and ears would hide the face.
FACE = frozenset(INDEX[name] for name in ("left_eye", "right_eye", "left_ear", "right_ear"))
SIDE = tuple(ACCENT if name.startswith("left") else ICE if name.startswith("right") else WHITE for name in KEYPOINTS)


def draw_skeleton(picture: Image, keypoints: npt.NDArray[Any]) -> None:
    """Bones and joints that were seen, the dancer's left in the accent colour; a bone across the body is white."""
    height, width = picture.shape[:2]
    joints = seen_joints(keypoints, width, height)
    if not joints:
        return
    ys = [y for _, y in joints.values()]
    size = min(max(max(ys) - min(ys), height // 6), height)
    thickness = max(1, round(size / 160))
    bones = [
        (joints[a], joints[b], SIDE[a] if SIDE[a] == SIDE[b] else WHITE)
        for a, b in SKELETON
        if a in joints and b in joints
    ]
    for start, end, _ in bones:
        cv2.line(picture, start, end, SHADOW, thickness + 2, cv2.LINE_AA)
    for start, end, colour in bones:
        cv2.line(picture, start, end, colour, thickness, cv2.LINE_AA)
    for index, joint in joints.items():
        radius = round(1.5 * thickness) + 1
        cv2.circle(picture, joint, radius + 1, SHADOW, -1, cv2.LINE_AA)
        cv2.circle(picture, joint, radius, SIDE[index], -1, cv2.LINE_AA)


def seen_joints(keypoints: npt.NDArray[Any], width: int, height: int) -> dict[int, tuple[int, int]]:
    """Those with a score, by their index. One more than a picture's size outside is a mistake and left out."""
    if keypoints.shape != (len(KEYPOINTS), 3):
        return {}
    return {
        index: (round(x), round(y))
        for index, (x, y, score) in enumerate(keypoints.tolist())
        if index not in FACE and score >= SEEN and -width <= x <= 2 * width and -height <= y <= 2 * height
    }
