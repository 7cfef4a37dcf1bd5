"""Where the parts of the overlay go in a picture of one size. It knows nothing of what they say or how they look."""

from dataclasses import dataclass
from functools import lru_cache

from live.drawing import Rect

BEST = 3  # moves, the likeliest, that have a row each
LARGEST_SIZE = 1000  # pixels; of text


@dataclass(frozen=True)
class Layout:
    """Where things go in a picture of one size. A part that has no room is None."""

    huge: int  # the move's name, 15 % of the picture's shorter side: 15 mm high letters on a laptop
    state: int  # what stands in the name's place: "no dancer"
    body: int
    small: int
    smallest: int  # to which long names shrink before they are cut
    margin: int
    pad: int
    bar: int  # thickness
    name: Rect | None  # at its narrowest; grows to the right
    name_widest: int
    best: Rect | None
    strip: Rect | None
    chips_bottom: int


@lru_cache(maxsize=16)
def layout_of(width: int, height: int) -> Layout:
    """The name in the top left corner, its rivals top right (below it in a portrait picture), the time at the foot."""
    unit = min(width, height) / 9
    body, small = max(12, round(0.34 * unit)), max(11, round(0.26 * unit))
    margin, pad, bar = max(4, round(0.25 * unit)), max(5, round(0.24 * unit)), max(3, round(0.09 * unit))
    huge = min(LARGEST_SIZE, round(1.35 * unit))
    panel = max(round(0.95 * huge) + 3 * bar, BEST * (round(1.05 * body) + round(2.6 * bar))) + 2 * pad
    across, down = width - 2 * margin, height - 2 * margin

    fits = huge >= body and across >= 6 * body and down >= panel
    name_widest = across
    best = None
    beside = round(4.1 * unit)
    if fits and width >= 1.2 * height and across - margin - beside >= 7 * body and beside >= 8 * body:
        best = Rect(width - margin - beside, margin, beside, panel)
        name_widest = across - margin - beside
    strip_height = round(1.35 * small) + round(1.6 * small) + 2 * round(0.8 * pad)
    used = panel if fits else 0
    strip = None
    if across >= 10 * small and down >= used + margin + strip_height:
        strip = Rect(margin, height - margin - strip_height, across, strip_height)
        used += margin + strip_height
    if fits and best is None and across >= 8 * body and down >= used + margin + panel and width < 1.2 * height:
        best = Rect(margin, 2 * margin + panel, across, panel)
    name = Rect(margin, margin, min(name_widest, round(5.4 * unit)) if best and best.top == margin else across, panel)
    return Layout(
        huge=huge,
        state=max(body, round(0.62 * unit)),
        body=body,
        small=small,
        smallest=max(10, round(0.6 * body)),
        margin=margin,
        pad=pad,
        bar=bar,
        name=name if fits else None,
        name_widest=name_widest,
        best=best,
        strip=strip,
        chips_bottom=strip.top - margin // 2 if strip else height - margin,
    )
