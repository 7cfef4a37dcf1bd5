"""Draws on the picture what the recogniser sees: the move, its rivals, the skeleton, the last seconds and the state.

A `View` comes in beside the frame; a picture of the same size goes out. It knows nothing of windows, files or networks,
and draws whatever it is given: a display must never be what stops a rehearsal.
"""

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from live.drawing import (
    ACCENT,
    BOLD,
    QUIET,
    REGULAR,
    SEMIBOLD,
    WHITE,
    Rect,
    clean,
    draw_bar,
    draw_corners,
    draw_panel,
    draw_skeleton,
    fit,
    number,
    seen_joints,
    text_width,
    write,
    write_right,
)
from live.layout import BEST, Layout, layout_of
from live.strip import draw_strip
from live.view import View
from models.card import NONE, ModelCard, display_name
from models.frames import Image

HELP_LIGHT = 0.16
LEAST_OF_NAME = 0.6  # of its size, where it would hide the dancer
BESIDE_JOINTS = 0.06  # of the picture's height: how far head, hands and feet reach beyond the joints

KEYS = (
    ("q  Esc", "end"),
    ("space", "pause a file, go on"),
    ("m", "mirror the picture"),
    ("d", "details"),
    ("?", "this help"),
)


class Overlay:
    """Draws views of one model's answers. The picture it returns is its own and is drawn over by the next call."""

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self._display = {move.name: move.display for move in card.moves}
        self._picture = np.empty((0, 0, 3), np.uint8)
        self._free: tuple[tuple[float, bool] | None, int | None] = (None, None)  # of which move, and what it leaves

    def draw(
        self, image: Image, view: View, *, details: bool = False, help: bool = False, in_place: bool = False
    ) -> Image:
        """The image (height, width, 3) with the view drawn on it; the given one is left as it is unless `in_place`."""
        picture = image if in_place else self._copy_of(image)
        layout = layout_of(image.shape[1], image.shape[0])
        if view.keypoints is not None:
            draw_skeleton(picture, view.keypoints)
        elif view.box is not None and view.dancer:
            draw_corners(picture, view.box)
        if help:
            _draw_help(picture, layout)
            return picture
        if layout.name:
            self._draw_name(picture, layout, layout.name, view)
        if layout.best:
            self._draw_best(picture, layout, layout.best, view, thresholds=details)
        if layout.strip:
            draw_strip(picture, layout, layout.strip, view, self._shown)
        chips_top = _draw_chips(picture, layout, view)
        if details:
            self._draw_details(picture, layout, view, chips_top)
        return picture

    def _copy_of(self, image: Image) -> Image:
        if self._picture.shape != image.shape:
            self._picture = np.empty(image.shape, np.uint8)
        np.copyto(self._picture, image)
        return self._picture

    def _shown(self, name: str) -> str:
        """The name of a move for people; "no move" for `none`."""
        return "no move" if name == NONE else clean(self._display.get(name) or display_name(name))

    def _draw_name(self, picture: Image, layout: Layout, rect: Rect, view: View) -> None:
        if view.current is None or view.current.name == NONE:
            _draw_state(picture, layout, rect, view)
            return
        part = self._confidence(view)
        percent = f"{100 * part:.0f} %"
        reserved = text_width("100 %", layout.body, SEMIBOLD) + layout.pad
        room = layout.name_widest - 2 * layout.pad - reserved
        text, size = fit(self._shown(view.current.name), room, layout.huge, layout.small, BOLD)
        narrowest, free = rect.width, self._free_width(view, picture, rect)
        if free is not None:
            least = min(size, round(LEAST_OF_NAME * layout.huge))
            size = fit(text, free - 2 * layout.pad - reserved, size, least, BOLD)[1]
            narrowest = min(narrowest, max(free, 0))
        wanted = text_width(text, size, BOLD) + reserved + 2 * layout.pad
        rect = rect._replace(width=min(max(narrowest, wanted), layout.name_widest))
        inner = draw_panel(picture, rect, layout.pad)
        bar_y = inner.bottom - layout.bar // 2 - 1
        # A long name is smaller: half of what it leaves free goes below it.
        baseline = bar_y - layout.bar - round(0.26 * layout.huge + 0.2 * (layout.huge - size))
        bearing = round(0.045 * size)  # the empty part of a letter's left, so that name and bar are flush
        write(picture, text, inner.left - bearing, baseline, size, WHITE, BOLD)
        write_right(picture, percent, inner.right, baseline, layout.body, WHITE, SEMIBOLD)
        draw_bar(picture, inner.left, inner.right, bar_y, layout.bar, part, ACCENT)

    def _free_width(self, view: View, picture: Image, rect: Rect) -> int | None:
        """How wide the name may be beside the dancer, as she stood when the move was first shown: a name that grew and
        shrank with her would flicker. None where she is below it, or not known."""
        assert view.current is not None
        of = (view.current.start_s, view.mirrored)
        if self._free[0] != of:
            height, width = picture.shape[:2]
            joints = {} if view.keypoints is None else seen_joints(view.keypoints, width, height)
            beyond = round(BESIDE_JOINTS * height)
            hidden = min((y for _, y in joints.values()), default=height) - beyond < rect.bottom
            left = min((x for x, y in joints.values() if y < 2 * rect.bottom), default=0)  # so low may soon be there
            self._free = (of, left - beyond - rect.left if hidden else None)
        return self._free[1]

    def _confidence(self, view: View) -> float:
        """Of the current move: its family's probability now, which is what was decided on, else its mean so far."""
        assert view.current is not None
        names = self._card.names
        if view.probabilities is not None and view.current.name in names:
            values = np.asarray(view.probabilities, np.float64).ravel()
            index = names.index(view.current.name)
            family = next((each for each in self._card.families if index in each), (index,))
            if max(family) < len(values):
                return _part(values[list(family)].sum())
        return _part(view.current.confidence)

    def _draw_best(self, picture: Image, layout: Layout, rect: Rect, view: View, *, thresholds: bool) -> None:
        rows = best_of(view.probabilities, len(self._card.moves))
        if not rows:
            return
        inner = draw_panel(picture, rect, layout.pad)
        row = inner.height / BEST
        for place, (index, part) in enumerate(rows):
            bar_y = inner.top + round((place + 1) * row) - layout.bar // 2 - 1
            baseline = bar_y - layout.bar - round(0.2 * layout.body)
            move = self._card.moves[index]
            now = view.current is not None and move.name == view.current.name and move.name != NONE
            percent = f"{100 * part:.0f} %"
            room = inner.width - text_width("100 %", layout.body, REGULAR) - layout.pad
            text, size = fit(self._shown(move.name), room, layout.body, layout.smallest, SEMIBOLD if now else REGULAR)
            colour = WHITE if now else QUIET
            write(picture, text, inner.left, baseline, size, colour, SEMIBOLD if now else REGULAR)
            write_right(picture, percent, inner.right, baseline, layout.body, colour, REGULAR)
            draw_bar(picture, inner.left, inner.right, bar_y, layout.bar, part, ACCENT if now else QUIET)
            if thresholds and move.name != NONE:
                x = inner.left + round(move.enter * inner.width)
                cv2.line(picture, (x, bar_y - layout.bar), (x, bar_y + layout.bar), WHITE, max(1, layout.bar // 3))

    def _draw_details(self, picture: Image, layout: Layout, view: View, bottom: int) -> None:
        card = self._card
        rows = [
            ("model", clean(card.name)),
            ("encoder", clean(card.encoder.name)),
            ("device", clean(view.provider).removesuffix("ExecutionProvider") or "–"),
            ("picture", clean(view.gives) if view.gives else f"{picture.shape[1]} × {picture.shape[0]}"),
            ("window", f"{view.filled}/{view.window} at {card.sample_hz:g} Hz"),
            ("dropped", str(view.dropped)),
            ("time", f"{number(view.time_s, '.1f')} s"),
            *((clean(stage), f"{number(time_s, '.1f', 1000)} ms") for stage, time_s in view.stage_s.items()),
        ]
        beside = layout.best is not None and layout.best.top == layout.margin
        above = layout.best or layout.name
        top = above.bottom + layout.margin // 2 if above else layout.margin
        if beside and layout.strip:  # below the best on the right, where no chips are
            bottom = layout.chips_bottom
        line, pad = round(1.35 * layout.small), round(0.8 * layout.pad)
        rows = rows[: max(0, (bottom - top - 2 * pad) // line)]
        labels = max((text_width(label, layout.small, REGULAR) for label, _ in rows), default=0)
        values = max((text_width(value, layout.small, REGULAR) for _, value in rows), default=0)
        width = min(labels + values + 2 * layout.small + 2 * layout.pad, picture.shape[1] - 2 * layout.margin)
        if beside and above:
            width = above.width
        if not rows or width < labels + 4 * layout.small:
            return
        left = above.left if above else layout.margin
        inner = draw_panel(picture, Rect(left, top, width, len(rows) * line + 2 * pad), pad, layout.pad)
        for place, (label, value) in enumerate(rows):
            baseline = inner.top + place * line + round(layout.small)
            left = write(picture, label, inner.left, baseline, layout.small, QUIET, REGULAR)
            value, size = fit(value, inner.right - left - layout.small // 2, layout.small, layout.smallest, REGULAR)
            write_right(picture, value, inner.right, baseline, size, WHITE, REGULAR)


def best_of(probabilities: npt.NDArray[Any] | None, moves: int) -> list[tuple[int, float]]:
    """The three likeliest moves, best first, as (index, probability in 0..1)."""
    if probabilities is None:
        return []
    parts = np.clip(np.nan_to_num(np.asarray(probabilities, np.float64).ravel()[:moves]), 0, 1)
    return [(int(index), float(parts[index])) for index in np.argsort(-parts, kind="stable")[:BEST]]


def _part(value: float) -> float:
    return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0


def _draw_state(picture: Image, layout: Layout, rect: Rect, view: View) -> None:
    """In the name's place while there is no move: why, or a quiet dash."""
    text, part = "–", None
    if view.status:  # it says what there is to say
        pass
    elif not view.dancer and view.filled <= 0:  # one frame without a dancer empties no window and is not worth a word
        text = "no dancer"
    elif view.filled < view.window:
        text = f"warming up {view.filled}/{view.window}"
        part = _part(view.filled / max(view.window, 1))
    stacked = layout.best is not None and layout.best.top > layout.margin
    text, size = fit(text, rect.width - 2 * layout.pad, layout.state, layout.small, REGULAR)
    if not stacked:  # no larger than it must be
        wanted = max(text_width(text, size, REGULAR), 3 * layout.state) + 2 * layout.pad
        height = layout.state + (3 * layout.bar if part is not None else 0) + 2 * layout.pad
        rect = rect._replace(width=min(wanted, rect.width), height=min(height, rect.height))
    inner = draw_panel(picture, rect, layout.pad)
    baseline = (inner.top + inner.bottom + round(0.66 * size)) // 2
    if part is not None:
        bar_y = inner.bottom - layout.bar // 2 - 1
        baseline -= round(1.5 * layout.bar)
        draw_bar(picture, inner.left, inner.right, bar_y, layout.bar, part, QUIET)
    write(picture, text, inner.left, baseline, size, QUIET, REGULAR)


def _draw_chips(picture: Image, layout: Layout, view: View) -> int:
    """What is unusual, in small panels above the strip; returns where they begin."""
    texts = []
    if view.ended:
        texts.append("the end")
    elif view.paused:
        texts.append("paused")
    if view.status:
        texts.append(clean(view.status))
    height = round(1.9 * layout.body)
    top = layout.chips_bottom - height
    covered = max((rect.bottom for rect in (layout.name, layout.best) if rect), default=0)
    if not texts or top < covered + layout.margin // 2:
        return layout.chips_bottom
    left = layout.margin
    for text in texts:
        room = picture.shape[1] - layout.margin - left - 2 * layout.pad
        text, size = fit(text, room, layout.body, layout.small, SEMIBOLD)
        if not text:
            break
        rect = Rect(left, top, text_width(text, size, SEMIBOLD) + 2 * layout.pad, height)
        inner = draw_panel(picture, rect, 0, layout.pad)
        write(picture, text, inner.left, inner.top + (height + round(0.66 * size)) // 2, size, WHITE, SEMIBOLD)
        left = rect.right + layout.margin // 2
    return top


def _draw_help(picture: Image, layout: Layout) -> None:
    """The keys, over the darkened picture and instead of everything else."""
    cv2.convertScaleAbs(picture, picture, HELP_LIGHT)
    height, width = picture.shape[:2]
    size = max(11, min(round(1.5 * layout.body), height // 11))
    line, gap = round(1.7 * size), size
    keys = max(text_width(key, size, BOLD) for key, _ in KEYS)
    meanings = max(text_width(meaning, size, REGULAR) for _, meaning in KEYS)
    left, top = (width - keys - gap - meanings) // 2, (height - len(KEYS) * line) // 2
    if left < 0 or top < 0:
        return
    for place, (key, meaning) in enumerate(KEYS):
        baseline = top + place * line + size
        write_right(picture, key, left + keys, baseline, size, ACCENT, BOLD)
        write(picture, meaning, left + keys + gap, baseline, size, WHITE, REGULAR)
