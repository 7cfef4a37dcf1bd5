"""The strip at the foot of the picture: where it comes from, how fast, and the moves of the last seconds."""

import math
from collections.abc import Callable

import cv2

from live.drawing import (
    ACCENT,
    BLOCK,
    QUIET,
    RECORDING,
    REGULAR,
    SEMIBOLD,
    TRACK,
    WHITE,
    Rect,
    clean,
    draw_panel,
    fit,
    number,
    write,
    write_right,
)
from live.layout import Layout
from live.view import View
from models.card import NONE
from models.frames import Image

TIMELINE_S = 20.0
TICK_S = 5.0
LEAST_LETTERS = 4  # of a label in the timeline; one cut shorter says nothing


def draw_strip(picture: Image, layout: Layout, rect: Rect, view: View, shown: Callable[[str], str]) -> None:
    """The source, how fast it goes and the moves of the last seconds; `shown` says a move's name for people."""
    inner = draw_panel(picture, rect, round(0.8 * layout.pad), layout.pad)
    baseline = inner.top + round(0.85 * layout.small)
    speed = f"{number(view.fps, '.1f')} fps   {number(view.latency_s, '.0f', 1000)} ms"
    if view.dropped:
        speed += f"   {view.dropped} dropped"
    speed, size = fit(speed, inner.width, layout.small, layout.smallest, REGULAR)
    right = write_right(picture, speed, inner.right, baseline, size, QUIET, REGULAR)
    left = inner.left
    if view.recording:
        radius = max(3, round(0.3 * layout.small))
        middle = (left + radius, baseline - round(0.36 * layout.small))
        cv2.circle(picture, middle, radius, RECORDING, -1, cv2.LINE_AA)
        left += 3 * radius
        left = write(picture, "REC", left, baseline, layout.small, WHITE, SEMIBOLD) + layout.small
    source, size = fit(clean(view.source), right - layout.small - left, layout.small, layout.small, REGULAR)
    write(picture, source, left, baseline, size, QUIET, REGULAR)
    lane_top = inner.bottom - round(1.6 * layout.small)
    _draw_timeline(picture, Rect(inner.left, lane_top, inner.width, inner.bottom - lane_top), layout, view, shown)


def _draw_timeline(picture: Image, lane: Rect, layout: Layout, view: View, shown: Callable[[str], str]) -> None:
    """Time runs to the left; the right edge is now. A block's label may reach beyond it, up to the next block."""
    if not math.isfinite(view.time_s):
        return
    per_second = lane.width / TIMELINE_S
    bottom = lane.bottom - 1
    for tick in range(int(TIMELINE_S / TICK_S) + 1):
        x = lane.right - round((view.time_s % TICK_S + tick * TICK_S) * per_second)
        if x >= lane.left:
            cv2.line(picture, (x, lane.top), (x, bottom), TRACK, 1)
    free_to = lane.right  # where the block to the right begins
    current = [] if view.current is None else [(view.current, True)]
    for move, now in [*current, *((move, False) for move in reversed(view.recent))]:
        end_s = view.time_s if now else move.end_s
        if end_s < view.time_s - TIMELINE_S:
            break  # and so are all before it
        if not (math.isfinite(move.start_s) and math.isfinite(end_s)) or move.name == NONE:
            continue
        seconds = [min(max(view.time_s - time_s, 0), TIMELINE_S) for time_s in (move.start_s, end_s)]
        left, right = (lane.right - round(past * per_second) for past in seconds)
        right = min(right, free_to)
        if left >= right:
            continue
        cv2.rectangle(picture, (left, lane.top), (right - 1, bottom), ACCENT if now else BLOCK, -1)
        inset = max(2, layout.small // 4)
        cv2.rectangle(picture, (left, lane.top), (left + inset // 2, bottom), WHITE if now else QUIET, -1)
        name = shown(move.name)
        room = free_to - left - 3 * inset
        text, size = fit(name, room, layout.small, max(10, round(0.8 * layout.small)), SEMIBOLD)
        if text != name:
            text, size = fit(name, room, layout.small, layout.small, SEMIBOLD)
        if text == name or (len(text) >= LEAST_LETTERS and not now):
            baseline = (lane.top + lane.bottom + round(0.62 * size)) // 2
            write(picture, text, left + 2 * inset, baseline, size, WHITE, SEMIBOLD)
        free_to = left - 1
