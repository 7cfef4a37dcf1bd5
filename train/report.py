"""A model's answers for clips in, a report out: figures as JSON, a page for people, two pictures.

Knows nothing of networks or videos; `pointe train` and `pointe eval` both end here.
"""

import csv
import importlib.metadata
import importlib.util
import io
import json
import math
import shlex
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.card import display_name, write_atomically
from models.errors import UsageError
from models.machine import install_command, machine, versions
from train.clips import Skipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REPORT_JSON, REPORT_MD = "report.json", "report.md"
CONFUSION_PNG, CURVE_PNG = "confusion.png", "learning_curve.png"

Z_95 = 1.96  # standard deviations to either side that hold 95 % of a normal distribution
DPI = 120
MOST_LARGE_CELLS = 12  # moves; with more, the cells of the confusion matrix are drawn smaller
INK, FAINT, GRID = "#1f2430", "#6b7280", "#e5e7eb"
TRAIN_COLOUR, VALIDATION_COLOUR = "#2563a8", "#c2410c"


@dataclass(frozen=True)
class ClipAnswer:
    """What a model said of one clip."""

    path: Path
    truth: str
    probabilities: npt.NDArray[np.float32]  # (moves,)


def write_report(
    folder: Path,
    *,
    title: str,
    moves: Sequence[str],
    answers: Sequence[ClipAnswer],
    measured_on: Mapping[str, str],
    skipped: Sequence[Skipped] = (),
    history_csv: Path | None = None,
    displays: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Write report.json, report.md, confusion.png and, where there is a history, learning_curve.png.

    Args:
        moves: in the order of the probabilities.
        measured_on: what the figures rest on ("data", "encoder", ...); machine, date, command and versions are added
            unless given. Paths of clips are shown relative to its "data".
        skipped: clips that took no part, and why; answers for a move that the model does not know are added.
        history_csv: a Keras CSV log: epoch, loss, accuracy, val_loss, val_accuracy.
        displays: how the moves are written for people.

    Returns:
        What report.json holds under "metrics"; empty where no clip was answered.

    Raises:
        UsageError: scikit-learn or matplotlib are not installed.
    """
    _require_libraries()
    data = Path(measured_on["data"]) if "data" in measured_on else None
    shown = list(displays) if displays is not None else [display_name(move) for move in moves]
    known = [answer for answer in answers if answer.truth in moves]
    unknown = [answer for answer in answers if answer.truth not in moves]
    skipped = [*skipped, *(Skipped(a.path, f"the model knows no move '{a.truth}'") for a in unknown)]
    rows = [_row(answer, moves, data) for answer in known]
    metrics = _metrics(moves, [row["truth"] for row in rows], known) if known else {}
    document = {
        "title": title,
        "metrics": metrics,
        "measured_on": {"clips": str(len(known)), **circumstances(), **measured_on},
        "skipped": [{"path": _shown_path(entry.path, data), "reason": entry.reason} for entry in skipped],
        "answers": rows,
    }
    pictures = {}
    if known:
        pictures[CONFUSION_PNG] = _confusion_picture(np.array(metrics["confusion"]), shown, title)
    history = _read_history(history_csv) if history_csv is not None else {}
    if history:
        pictures[CURVE_PNG] = _curve_picture(history, title)
    for name in (CONFUSION_PNG, CURVE_PNG):
        if name in pictures:
            write_atomically(folder / name, pictures[name])
        else:
            (folder / name).unlink(missing_ok=True)  # of an earlier report, which it would contradict
    text = json.dumps(_finite(document), indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(folder / REPORT_JSON, (text + "\n").encode("utf-8", "replace"))
    page = _page(_finite(document), shown, sorted(pictures))
    write_atomically(folder / REPORT_MD, page.encode("utf-8", "replace"))
    return metrics


def circumstances() -> dict[str, str]:
    """Where and when something is measured: machine, date, command, versions."""
    return {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "versions": ", ".join(f"{package} {number}" for package, number in versions().items()),
    }


def _require_libraries() -> None:
    for module, package in (("sklearn", "scikit-learn"), ("matplotlib", "matplotlib")):
        if importlib.util.find_spec(module) is None:
            raise UsageError(f"A report needs {package}, which is not installed.\nType: {install_command('train')}")


# ---- figures


def _row(answer: ClipAnswer, moves: Sequence[str], data: Path | None) -> dict[str, Any]:
    probabilities = _usable(answer.probabilities)
    best = int(probabilities.argmax())
    return {
        "path": _shown_path(answer.path, data),
        "truth": answer.truth,
        "answer": moves[best],
        "probability": float(answer.probabilities[best]),
        "of_truth": float(answer.probabilities[list(moves).index(answer.truth)]),
    }


def _usable(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """A number that is not finite counts as 0 in the ranking; in the report it is null."""
    return np.nan_to_num(probabilities.astype(np.float64), nan=0, posinf=0, neginf=0)


def _metrics(moves: Sequence[str], truths: Sequence[str], answers: Sequence[ClipAnswer]) -> dict[str, Any]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels = np.arange(len(moves))
    probabilities = np.stack([_usable(answer.probabilities) for answer in answers])  # (clips, moves)
    truth = np.array([list(moves).index(name) for name in truths])
    # Stable and descending, so that the first of equals wins as argmax has it.
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    answered = ranked[:, 0]
    confusion = confusion_matrix(truth, answered, labels=labels)
    precision, recall, f1, support = precision_recall_fscore_support(truth, answered, labels=labels, zero_division=0)
    tested, said = support > 0, confusion.sum(axis=0) > 0
    right = int((answered == truth).sum())
    return {
        "clips": len(truth),
        "right": right,
        "accuracy": right / len(truth),
        "accuracy_95": list(_wilson(right, len(truth))),
        "top2_accuracy": float((ranked[:, :2] == truth[:, None]).any(axis=1).mean()),
        "macro_f1": float(f1[tested].mean()),
        "macro_f1_over": int(tested.sum()),
        "always_the_most_frequent": float(support.max() / len(truth)),
        "not_finite": sum(not np.isfinite(answer.probabilities).all() for answer in answers),
        "moves": [
            {
                "move": move,
                "precision": float(precision[i]) if said[i] else None,  # None: 0 of 0, undefined
                "recall": float(recall[i]) if tested[i] else None,
                "f1": float(f1[i]) if tested[i] or said[i] else None,
                "support": int(support[i]),
            }
            for i, move in enumerate(moves)
        ],
        "confusion": confusion.tolist(),  # [truth][answer]
    }


def _wilson(right: int, of: int) -> tuple[float, float]:
    """The range that holds the true accuracy in 95 of 100 such tests (Wilson 1927); wide when the clips are few."""
    share, z2 = right / of, Z_95**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _finite(value: Any) -> Any:
    """The same document with null for every number that JSON cannot say."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def _shown_path(path: Path, data: Path | None) -> str:
    if data is not None and path.is_relative_to(data):
        return path.relative_to(data).as_posix()
    return path.as_posix() if not path.is_absolute() else "/".join(path.parts[-3:])  # <split>/<move>/<clip>


def _read_history(path: Path) -> dict[str, list[float]]:
    """The columns of a Keras CSV log, NaN where a cell holds no finite number; empty where there is no row."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [_number(row.get(name)) for row in rows] for name in rows[0] if name} if rows else {}


def _number(text: str | None) -> float:
    try:
        number = float(text or "nan")
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


# ---- the page


def _page(document: Mapping[str, Any], shown: Sequence[str], pictures: Sequence[str]) -> str:
    lines = [f"# {document['title']}", ""]
    if document["metrics"]:
        lines += _figures(document["metrics"], shown)
    else:
        lines += ["No clip of the test split could be answered, so there is no accuracy.", ""]
    for picture in pictures:
        lines += [f"![{Path(picture).stem.replace('_', ' ')}]({picture})", ""]
    wrong = [row for row in document["answers"] if row["answer"] != row["truth"]]
    if wrong:
        lines += ["## Wrong answers", "", "| clip | is | answered | probability |", "|---|---|---|--:|"]
        lines += [
            f"| {as_code(r['path'])} | {r['truth']} | {r['answer']} | {_share(r['probability'])} |" for r in wrong
        ]
        lines.append("")
    if document["skipped"]:
        lines += ["## Skipped", "", *(f"- {as_code(e['path'])}: {e['reason']}" for e in document["skipped"]), ""]
    lines += ["## Measured on", "", *(f"- {key}: {value}" for key, value in document["measured_on"].items())]
    return "\n".join(lines) + "\n"


def _figures(metrics: Mapping[str, Any], shown: Sequence[str]) -> list[str]:
    low, high = metrics["accuracy_95"]
    lines = [
        f"**Accuracy {_share(metrics['accuracy'])}**: {metrics['right']} of {metrics['clips']} clips"
        f" (95 % interval {_share(low)} to {_share(high)};"
        f" always saying the most frequent move: {_share(metrics['always_the_most_frequent'])}).  ",
        f"Macro F1 {_share(metrics['macro_f1'])} over the {metrics['macro_f1_over']} moves that were tested;"
        f" among the first two answers: {_share(metrics['top2_accuracy'])}.",
        "",
    ]
    if metrics["not_finite"]:
        lines += [f"{metrics['not_finite']} clips got a probability that is not a finite number.", ""]
    lines += ["| move | precision | recall | F1 | clips |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {display} | {_share(move['precision'])} | {_share(move['recall'])} | {_share(move['f1'])}"
        f" | {move['support']} |"
        for display, move in zip(shown, metrics["moves"], strict=True)
    ]
    return [*lines, ""]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def as_code(text: object) -> str:
    """A name or a path in Markdown, where nothing in it can end the code or the cell of a table."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return f"`{printable.replace('`', '´').replace('|', '¦')}`"


# ---- pictures


def _confusion_picture(confusion: npt.NDArray[np.int_], shown: Sequence[str], title: str) -> bytes:
    """Rows are what the clips are, columns what was answered; the deeper the colour, the larger the share of the row.

    Right answers are blue, wrong ones orange; the numbers are clips.
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
        text = str(int(confusion[row, column]))
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    axes.set_xticks(range(count), shown, rotation=45, ha="right", rotation_mode="anchor", fontsize=size, color=INK)
    labels = [f"{name}  ({total})" for name, total in zip(shown, tested, strict=True)]
    axes.set_yticks(range(count), labels, fontsize=size, color=INK)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=GRID, linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("answered", color=FAINT)
    axes.set_ylabel("is  (clips)", color=FAINT)
    _head(figure, f"{title}\n{int(np.trace(confusion))} of {int(tested.sum())} clips right")
    return _png(figure)


def _curve_picture(history: Mapping[str, Sequence[float]], title: str) -> bytes:
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
