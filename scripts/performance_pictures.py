"""The pictures of docs/performance.md: where a frame's time goes, and how its cost grows. Figures in, PNGs out."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 100
INK, FAINT = "#1f2430", "#6b7280"
# Recognition is blue; reading and showing, which go on beside it, are warm.
COLOURS = {"prepare": "#93c5fd", "encode": "#2563a8", "head": "#1e3a5f", "decode": "#f59e0b", "draw": "#fcd9a5"}
IN_ORDER = ("prepare", "encode", "head")
BESIDE = ("decode", "draw")

Stages = Mapping[str, float]  # milliseconds of a frame


def stages_picture(configurations: Mapping[str, Stages]) -> bytes:
    """Two bars for each configuration: what recognising a frame takes, and what reading and showing it does.

    Both as parts of the recognition's time, since networks differ twentyfold.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 1.0 + 0.75 * len(configurations)), layout="constrained")
    axes = figure.add_subplot()
    for place, stages in enumerate(configurations.values()):
        whole_ms = sum(stages[name] for name in IN_ORDER)
        _bar(axes, place - 0.19, IN_ORDER, stages, whole_ms)
        _bar(axes, place + 0.19, BESIDE, stages, whole_ms)
    axes.set_yticks(range(len(configurations)), list(configurations), fontsize=9, color=INK)
    axes.invert_yaxis()
    axes.set_xlabel(
        "percent of the time of recognition, which is the upper bar; what the lower one shows goes on beside it",
        color=FAINT,
        fontsize=9,
    )
    axes.spines[["top", "right"]].set_visible(False)
    handles = [axes.barh(0, 0, color=colour, label=name) for name, colour in COLOURS.items()]
    axes.legend(
        handles=handles, frameon=False, fontsize=9, ncols=len(handles), loc="lower center", bbox_to_anchor=(0.5, 1)
    )
    return _png(figure)


def growth_picture(document: Mapping[str, Any]) -> bytes:
    """A panel each for sources, window and height: frames a second, and below it the stages of a frame."""
    from matplotlib.figure import Figure

    panels = {"sources": "sources at once", "window": "steps of the window", "height": "lines of the picture"}
    figure = Figure(figsize=(10.0, 5.4), layout="constrained")
    grid = figure.subplots(2, len(panels))
    for column, (name, label) in enumerate(panels.items()):
        rows: Sequence[Mapping[str, Any]] = document[name]
        sizes, places = [str(row["size"]) for row in rows], range(len(rows))
        above, below = grid[0][column], grid[1][column]
        rates = [row["fps"] for row in rows]
        spread = [[row["fps"] - row["low"] for row in rows], [row["high"] - row["fps"] for row in rows]]
        above.errorbar(places, rates, spread, color=COLOURS["encode"], marker="o", capsize=3, linewidth=1.8)
        above.set_ylim(0, 1.15 * max(row["high"] for row in rows))
        for place, row in enumerate(rows):
            start = 0.0
            for stage in (*IN_ORDER, *BESIDE):
                taken = row["stages_ms"].get(stage, 0.0)
                below.bar(place, taken, bottom=start, color=COLOURS[stage], width=0.6)
                start += taken
        for axes in (above, below):
            axes.set_xticks(places, sizes, color=INK)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set_xlabel(label, color=FAINT)
    grid[0][0].set_ylabel("frames/s of all together", color=FAINT)
    grid[1][0].set_ylabel("ms of a frame, stage by stage", color=FAINT)
    handles = [grid[1][0].bar(0, 0, color=colour, label=name) for name, colour in COLOURS.items()]
    figure.legend(handles=handles, frameon=False, fontsize=9, ncols=len(handles), loc="outside upper center")
    return _png(figure)


def _bar(axes: "Axes", place: float, names: Sequence[str], stages: Stages, whole_ms: float) -> None:
    start = 0.0
    for name in names:
        percent = 100 * stages[name] / whole_ms
        axes.barh(place, percent, left=start, height=0.34, color=COLOURS[name])
        start += percent
    taken_ms = sum(stages[name] for name in names)
    axes.text(start, place, f" {taken_ms:.1f} ms", va="center", fontsize=8, color=FAINT)


def _png(figure: "Figure") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()
