"""A model's answers for clips in, a report out: figures as JSON, a page for people, two pictures.

Knows nothing of networks or videos; `pointe train` and `pointe eval` both end here.
"""

import csv
import importlib.metadata
import importlib.util
import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.card import display_name, write_atomically
from models.errors import UsageError, harmless
from models.machine import install_command, machine, versions
from train.clip import Skipped
from train.pictures import confusion_picture, curve_picture

REPORT_JSON, REPORT_MD = "report.json", "report.md"
CONFUSION_PNG, CURVE_PNG = "confusion.png", "learning_curve.png"
# Of reports on streams, which may be written to the same folder.
MOVES_PNG, EVENTS_PNG = "moves.png", "confusion_events.png"
STEPS_PNG, RELIABILITY_PNG = "confusion_steps.png", "reliability.png"

Z_95 = 1.96  # standard deviations to either side that hold 95 % of a normal distribution


@dataclass(frozen=True)
class ClipAnswer:
    """What a model said of one clip."""

    path: Path
    truth: str
    probabilities: npt.NDArray[np.float32]  # (moves,)


def as_figure(name: str, lines: Sequence[str]) -> dict[str, str]:
    """What a report is to say of what it was measured on: the lines as one; nothing where there are none."""
    return {name: harmless("; ".join(lines)).replace("\n", "?")} if lines else {}


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
    require_libraries()
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
        counted = f"{title}\n{metrics['right']} of {metrics['clips']} clips right"
        pictures[CONFUSION_PNG] = confusion_picture(np.array(metrics["confusion"]), shown, counted)
    history = _read_history(history_csv) if history_csv is not None else {}
    if history:
        pictures[CURVE_PNG] = curve_picture(history, title)
    write_pictures(folder, pictures)
    text = json.dumps(finite(document), indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(folder / REPORT_JSON, (text + "\n").encode("utf-8", "replace"))
    page = _page(finite(document), shown, sorted(pictures))
    write_atomically(folder / REPORT_MD, page.encode("utf-8", "replace"))
    return metrics


def write_pictures(folder: Path, pictures: Mapping[str, bytes]) -> None:
    """Write a report's pictures by file name, and remove those of an earlier report, which would contradict it."""
    for name in (CONFUSION_PNG, CURVE_PNG, MOVES_PNG, EVENTS_PNG, STEPS_PNG, RELIABILITY_PNG):
        if name in pictures:
            write_atomically(folder / name, pictures[name])
        else:
            (folder / name).unlink(missing_ok=True)


def circumstances() -> dict[str, str]:
    """Where and when something is measured: machine, date, command, versions."""
    return {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "versions": ", ".join(f"{package} {number}" for package, number in versions().items()),
    }


def require_libraries() -> None:
    """Raise UsageError where a report cannot be written."""
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


def finite(value: Any) -> Any:
    """The same document with null for every number that JSON cannot say."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
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
        lines += [f"| {as_code(r['path'])} | {r['truth']} | {r['answer']} | {share(r['probability'])} |" for r in wrong]
        lines.append("")
    if document["skipped"]:
        lines += ["## Skipped", "", *(f"- {as_code(e['path'])}: {e['reason']}" for e in document["skipped"]), ""]
    lines += ["## Measured on", "", *(f"- {key}: {value}" for key, value in document["measured_on"].items())]
    return "\n".join(lines) + "\n"


def _figures(metrics: Mapping[str, Any], shown: Sequence[str]) -> list[str]:
    low, high = metrics["accuracy_95"]
    lines = [
        f"**Accuracy {share(metrics['accuracy'])}**: {metrics['right']} of {metrics['clips']} clips"
        f" (95 % interval {share(low)} to {share(high)};"
        f" always saying the most frequent move: {share(metrics['always_the_most_frequent'])}).  ",
        f"Macro F1 {share(metrics['macro_f1'])} over the {metrics['macro_f1_over']} moves that were tested;"
        f" among the first two answers: {share(metrics['top2_accuracy'])}.",
        "",
    ]
    if metrics["not_finite"]:
        lines += [f"{metrics['not_finite']} clips got a probability that is not a finite number.", ""]
    lines += ["| move | precision | recall | F1 | clips |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {display} | {share(move['precision'])} | {share(move['recall'])} | {share(move['f1'])}"
        f" | {move['support']} |"
        for display, move in zip(shown, metrics["moves"], strict=True)
    ]
    return [*lines, ""]


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def as_code(text: object) -> str:
    """A name or a path in Markdown, where nothing in it can end the code or the cell of a table."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return f"`{printable.replace('`', '´').replace('|', '¦')}`"
