"""Figures in, pictures out, as the bytes of a PNG; the same figures give the same bytes.

Knows nothing of what was measured. Needs matplotlib; whoever calls has made sure of it.
"""

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 120
MOST_LARGE_CELLS = 12  # moves; with more, the cells of the confusion matrix are drawn smaller
INK, FAINT, GRID = "#1f2430", "#6b7280", "#e5e7eb"
TRAIN_COLOUR, VALIDATION_COLOUR = "#2563a8", "#c2410c"
MARK_COLOURS = (TRAIN_COLOUR, VALIDATION_COLOUR, INK)


def confusion_picture(
    confusion: npt.NDArray[np.int_],
    shown: Sequence[str],
    title: str,
    *,
    of: str = "clips",
    columns: str = "answered",
    percent: bool = False,
) -> bytes:
    """Rows are what was danced, columns what was answered; the deeper the colour, the larger the share of the row.

    Right answers are blue, wrong ones orange; the numbers are what is counted, or percents of the row.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    count = len(shown)
    few = count <= MOST_LARGE_CELLS
    cell, size = (0.62, 10) if few else (0.42, 8)  # inches, points
    side = max(cell * count + 1.4 + 0.085 * max(len(name) for name in shown), 4.5)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    tested = confusion.sum(axis=1)
    share = confusion / np.maximum(tested, 1)[:, None]
    right = np.eye(count, dtype=bool)[..., None]
    depth = 0.85 * share  # not to the darkest, so that the numbers stay readable
    picture = np.where(right, colormaps["Blues"](depth), colormaps["Oranges"](depth))
    axes.imshow(np.where((confusion == 0)[..., None], (1.0, 1.0, 1.0, 1.0), picture))
    for row, column in np.argwhere(confusion > 0):
        colour = "white" if share[row, column] > 0.55 else INK
        number = int(confusion[row, column])
        text = str(number) if not percent else f"{100 * share[row, column]:.0f}" if share[row, column] >= 0.005 else "·"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    axes.set_xticks(range(count), shown, rotation=45, ha="right", rotation_mode="anchor", fontsize=size, color=INK)
    labels = [f"{name}  ({total})" for name, total in zip(shown, tested, strict=True)]
    axes.set_yticks(range(count), labels, fontsize=size, color=INK)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=GRID, linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(columns, color=FAINT)
    axes.set_ylabel(f"is  ({of}{', percent of the row' if percent else ''})", color=FAINT)
    _head(figure, title)
    return _png(figure)


def curve_picture(history: Mapping[str, Sequence[float]], title: str) -> bytes:
    from matplotlib.figure import Figure

    panels = [name for name in ("loss", "accuracy") if name in history or f"val_{name}" in history]
    figure = Figure(figsize=(4.8 * max(len(panels), 1), 3.6), layout="constrained")
    length = max(len(column) for column in history.values())
    epochs = np.array(history.get("epoch", []), float)
    if len(epochs) != length or not np.isfinite(epochs).all():
        epochs = np.arange(1.0, length + 1)
    judged = np.array(history.get("val_loss", []), float)
    best = int(np.nanargmin(judged)) if np.isfinite(judged).any() else None
    for place, name in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), place)
        for column, label, colour in ((name, "train", TRAIN_COLOUR), (f"val_{name}", "validation", VALIDATION_COLOUR)):
            if column in history:
                marker = "o" if length < 3 else None  # a line of one point would not be seen
                axes.plot(epochs, history[column], color=colour, label=label, linewidth=1.8, marker=marker)
        if best is not None:
            axes.axvline(float(epochs[best]), color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
            if place == 1:
                axes.annotate(
                    f"best: epoch {epochs[best]:g}",
                    (float(epochs[best]), 1),
                    (4, -4),
                    xycoords=("data", "axes fraction"),
                    textcoords="offset points",
                    va="top",
                    fontsize=8,
                    color=FAINT,
                )
        if length < 3:
            axes.set_xlim(epochs[0] - 1, epochs[-1] + 1)
        _tidy(axes, name)
    _head(figure, title)
    return _png(figure)


def moves_picture(
    shown: Sequence[str], figures: Mapping[str, Sequence[float | None]], danced: Sequence[int], title: str
) -> bytes:
    """One row for each move with a mark for each of the figures, which are shares such as "precision"."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 0.30 * max(len(shown), 3) + 1.7), layout="constrained")
    axes = figure.add_subplot()
    rows = np.arange(len(shown))
    for (name, values), marker, colour in zip(figures.items(), "ox|", MARK_COLOURS, strict=False):
        numbers = np.array([np.nan if value is None else value for value in values], float)
        axes.plot(numbers, rows, marker, color=colour, label=name, markersize=9 if marker == "|" else 6, linewidth=0)
    axes.set_yticks(rows, [f"{name}  ({n})" for name, n in zip(shown, danced, strict=True)], fontsize=9, color=INK)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=FAINT, length=0)
    axes.legend(frameon=False, fontsize=9, ncols=len(figures), loc="lower left", bbox_to_anchor=(0, 1))
    _head(figure, title)
    return _png(figure)


def reliability_picture(
    confidence: npt.NDArray[np.float64],
    accuracy: npt.NDArray[np.float64],
    steps: npt.NDArray[np.int64],
    title: str,
) -> bytes:
    """How often the likeliest answer was right against how likely it was said to be; NaN in a bin without steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8, 5.6), layout="constrained")
    axes, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    used = steps > 0
    axes.plot((0, 1), (0, 1), color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(confidence[used], accuracy[used], "o-", color=TRAIN_COLOUR, linewidth=1.8, markersize=5)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("right", color=FAINT)
    width = 1 / len(steps)
    below.bar((np.arange(len(steps)) + 0.5) * width, steps / max(int(steps.sum()), 1), 0.9 * width, color=TRAIN_COLOUR)
    below.set_xlim(0, 1.02)
    below.set_xlabel("probability of the likeliest move", color=FAINT)
    below.set_ylabel("share of steps", color=FAINT)
    for each in (axes, below):
        each.grid(color=GRID, linewidth=0.8)
        each.set_axisbelow(True)
        each.spines[["top", "right"]].set_visible(False)
        each.tick_params(colors=FAINT, length=0)
    _head(figure, title)
    return _png(figure)


def _tidy(axes: "Axes", name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(name, fontsize=10, color=INK, loc="left")
    axes.set_xlabel("epoch", color=FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if name == "accuracy":
        axes.set_ylim(0, 1.02)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=FAINT, length=0)
    axes.legend(frameon=False, fontsize=9)


def _head(figure: "Figure", text: str) -> None:
    width = int(figure.get_figwidth() * 11)  # characters, at this size of type
    text = "\n".join(textwrap.fill(line, width) for line in text.splitlines())
    figure.suptitle(text, fontsize=11, color=INK, parse_math=False)


def _png(figure: "Figure") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()
