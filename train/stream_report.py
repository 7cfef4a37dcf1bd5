"""What a model said of labelled streams in, a report out: figures as JSON, a page for people, four pictures.

There is no date in it: the same streams and the same model give the same bytes. What the figures mean is in
`train/stream_scores.py` and, for readers, at the end of the page.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.card import NONE, display_name, write_atomically
from train.clip import Skipped
from train.event_scores import LEAST_OVERLAP, MoveScore
from train.pictures import confusion_picture, moves_picture, reliability_picture
from train.report import (
    EVENTS_PNG,
    MOVES_PNG,
    RELIABILITY_PNG,
    REPORT_JSON,
    REPORT_MD,
    STEPS_PNG,
    as_code,
    finite,
    require_libraries,
    share,
    write_pictures,
)
from train.stream_scores import CALIBRATION_BINS, StreamResult, StreamScores, by_view, percentile, score

WIDEST = 120  # characters of a table on the terminal
NOTHING = "nothing"  # the row of what is announced while none is danced; the column of moves that are not announced

MEANING = f"""\
- A move is *found* when it is announced by its name and the two share {LEAST_OVERLAP:.0%} or more of the shorter one.
  Two that follow each other may be found by one announcement that goes on over both.
- An announcement is *false* when it finds no move, or lies for less than {LEAST_OVERLAP:.0%} of its time where moves of
  its name are danced, or the labels say `ignore` or name a move that the model does not have; such a one finds nothing.
  Where {LEAST_OVERLAP:.0%} of it lie in the latter two alone it is not counted at all.
- *Precision* is the share of the announcements that are not false, *recall* the share of the moves danced that were
  found, *F1* their harmonic mean; *mean F1* is over the moves that were danced, each weighing the same. The row *all*
  adds the counts of all moves up.
- *False per minute*: all false announcements over the whole length of the streams. *False per minute of none*: those
  that lie for more than half of their time where no move is danced, over the time in which none is and nothing is
  ignored.
- *Delay*: from the start of a move, as labelled, to its announcement on the display by its own name; of the moves
  found, and of several that one announcement finds of the first.
- *AP* is the average precision of a move's probability over all sampled steps, the model's delay taken off and what is
  ignored left out, unless a move is labelled there; *mean AP* is over the moves that were danced, without none.
  Probabilities are the head's own, before the smoothing of the display; so are those of the calibration.
- *Calibration error*: how far the probability of the likeliest answer is from how often it is right, over
  {CALIBRATION_BINS} bins of one width, weighted by their steps (Guo et al. 2017).
- A *step* is an answer of the model. There is none while the window fills and while no dancer is seen.
"""


@dataclass(frozen=True)
class StreamReport:
    """The figures of all streams, and of those of each view where the labels name views."""

    everything: StreamScores
    views: Mapping[str, StreamScores]


def write_stream_report(
    folder: Path,
    *,
    title: str,
    names: Sequence[str],
    results: Sequence[StreamResult],
    measured_on: Mapping[str, str],
    skipped: Sequence[Skipped] = (),
    displays: Sequence[str] | None = None,
) -> StreamReport:
    """Write report.json, report.md and the pictures.

    Args:
        names: the model's moves, in the order of the probabilities.
        measured_on: what the figures rest on; the streams are added.
        skipped: what took no part, and why.
        displays: how the moves are written for people.

    Raises:
        UsageError: scikit-learn or matplotlib are not installed.
    """
    require_libraries()
    report = StreamReport(score(results, names), {view: score(part, names) for view, part in by_view(results).items()})
    shown = dict(zip(names, displays or map(display_name, names), strict=True))
    document: dict[str, Any] = {
        "title": title,
        "measured_on": {
            **measured_on,
            "streams": [
                {
                    "name": result.name,
                    "minutes": round(result.seconds / 60, 3),
                    "moves": len(result.danced),
                    "view": result.view,
                    "dancer": result.dancer,
                }
                for result in results
            ],
        },
        "everything": as_document(report.everything),
        "views": {view: as_document(scores) for view, scores in report.views.items()},
        "skipped": [{"path": entry.path.name, "reason": entry.reason} for entry in skipped],
    }
    document = finite(document)
    pictures = _pictures(report.everything, shown, title)
    write_pictures(folder, pictures)
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(folder / REPORT_JSON, (text + "\n").encode("utf-8", "replace"))
    page = _page(report, document, shown, list(pictures))
    write_atomically(folder / REPORT_MD, page.encode("utf-8", "replace"))
    return report


def as_document(scores: StreamScores) -> dict[str, Any]:
    """All figures for JSON; a share of nothing is NaN, which `finite` makes null."""
    steps = scores.step_confusion.sum(axis=1)
    bins = scores.calibration
    width = 1 / len(bins.steps)
    return {
        "streams": scores.streams,
        "minutes": scores.seconds / 60,
        "minutes_danced": scores.danced_seconds / 60,
        "minutes_of_none": scores.none_seconds / 60,
        "steps": scores.steps,
        "steps_judged": int(steps.sum()),
        "mean_f1": scores.mean_f1,
        "mean_f1_over": sum(score.danced > 0 for score in scores.moves.values()),
        "mean_average_precision": scores.mean_average_precision,
        "false_per_minute": scores.false_per_minute,
        "false_per_minute_of_none": scores.false_per_minute_of_none,
        "calibration_error": bins.error,
        "together": _counts(scores.together),
        "moves": [
            {"move": name, **_counts(move), "average_precision": scores.average_precision[name]}
            for name, move in scores.moves.items()
        ],
        "none_average_precision": scores.average_precision.get(NONE),
        "moves_without_a_name_in_the_model": dict(scores.unknown),
        "calibration": [
            {
                "from": index * width,
                "to": (index + 1) * width,
                "steps": int(bins.steps[index]),
                "confidence": float(bins.confidence[index]),
                "accuracy": float(bins.accuracy[index]),
            }
            for index in range(len(bins.steps))
        ],
        "confusion_events": {
            "labels": [*scores.moves, NOTHING],
            "danced_by_announced": scores.event_confusion.tolist(),
        },
        "confusion_steps": {"labels": list(scores.names), "truth_by_answer": scores.step_confusion.tolist()},
    }


def _counts(score: MoveScore) -> dict[str, Any]:
    return {
        "danced": score.danced,
        "found": score.found,
        "announced": score.announced,
        "false": score.false,
        "precision": score.precision if score.announced else None,  # None: 0 of 0, undefined
        "recall": score.recall if score.danced else None,
        "f1": score.f1 if score.danced or score.announced else None,
        "delay_p50_s": percentile(score.delays_s, 50),
        "delay_p95_s": percentile(score.delays_s, 95),
    }


# ---- tables, for the terminal and for the page


def move_rows(everything: Mapping[str, Any], shown: Mapping[str, str]) -> list[list[str]]:
    """A heading, a row for each move that was danced or announced, and one of all together; of a finite document."""
    rows = [["move", "danced", "found", "announced", "false", "precision", "recall", "F1", "AP", "delay p50", "p95"]]
    for move in everything["moves"]:
        if move["danced"] or move["announced"]:
            rows.append(_row(shown[move["move"]], move, move["average_precision"]))
    return [*rows, _row("all", everything["together"], everything["mean_average_precision"])]


def _row(name: str, counts: Mapping[str, Any], average_precision: float | None) -> list[str]:
    numbers = [str(counts[key]) for key in ("danced", "found", "announced", "false")]
    shares = [share(counts[key]) for key in ("precision", "recall", "f1")]
    return [name, *numbers, *shares, share(average_precision), *_delays(counts)]


def _delays(counts: Mapping[str, Any]) -> list[str]:
    return ["-" if counts[key] is None else f"{counts[key]:.2f} s" for key in ("delay_p50_s", "delay_p95_s")]


def view_rows(document: Mapping[str, Any]) -> list[list[str]]:
    """A heading, and a row for everything and for each view."""
    rows = [["view", "streams", "minutes", "mean F1", "precision", "recall", "mean AP"]]
    rows[0] += ["false/min", "of none", "cal. error", "delay p50", "p95"]
    for view, figures in [("all", document["everything"]), *document["views"].items()]:  # which may be called "all"
        together = figures["together"]
        shares = [figures["mean_f1"], together["precision"], together["recall"], figures["mean_average_precision"]]
        rates = [_rate(figures["false_per_minute"]), _rate(figures["false_per_minute_of_none"])]
        rows.append([view, str(figures["streams"]), f"{figures['minutes']:.1f}", *map(share, shares), *rates])
        rows[-1] += [share(figures["calibration_error"]), *_delays(together)]
    return rows


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def print_tables(report: StreamReport, names: Sequence[str], displays: Sequence[str]) -> None:
    """The figures by move and by view."""
    document = finite(
        {
            "everything": as_document(report.everything),
            "views": {view: as_document(scores) for view, scores in report.views.items()},
        }
    )
    # On a narrower terminal, or in a file, a line is broken or long, and no figure is cut off.
    console = Console(width=max(WIDEST, Console().width), highlight=False)
    for heading, *rows in (
        move_rows(document["everything"], dict(zip(names, displays, strict=True))),
        view_rows(document),
    ):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column, name in enumerate(heading):
            table.add_column(name, justify="right" if column else "left", no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))  # not as markup: a view may be called [front]
        console.print(table, crop=False)


# ---- the page


def _page(report: StreamReport, document: Mapping[str, Any], shown: Mapping[str, str], pictures: Sequence[str]) -> str:
    everything = document["everything"]
    lines = [f"# {document['title']}", ""]
    lines += [
        f"**Mean event F1 {share(everything['mean_f1'])}** over the {everything['mean_f1_over']} moves danced,"
        f" mean average precision of steps {share(everything['mean_average_precision'])},"
        f" {_rate(everything['false_per_minute'])} false moves a minute,"
        f" calibration error {share(everything['calibration_error'])}:"
        f" {everything['streams']} streams of {everything['minutes']:.1f} minutes.",
        "",
    ]
    lines += ["## By move", "", *_markdown(move_rows(everything, shown))]
    lines += ["## By view", "", *_markdown(view_rows(document))]
    for picture in pictures:
        lines += [f"![{Path(picture).stem.replace('_', ' ')}]({picture})", ""]
    unknown = everything["moves_without_a_name_in_the_model"]
    if unknown:
        lines += ["## Danced, but unknown to the model", "", "Neither missed nor false.", ""]
        lines += [*(f"- {as_code(name)}: {count}" for name, count in unknown.items()), ""]
    if document["skipped"]:
        lines += ["## Left out", ""]
        lines += [*(f"- {as_code(e['path'])}: {' '.join(e['reason'].split())}" for e in document["skipped"]), ""]
    lines += ["## What the figures mean", "", MEANING, "## Measured on", ""]
    measured_on = dict(document["measured_on"])
    streams = measured_on.pop("streams")
    lines += [*(f"- {key}: {value}" for key, value in measured_on.items()), ""]
    rows = [["stream", "minutes", "moves", "view", "dancer"]]
    for each in streams:
        known = [_cell(each["view"]), _cell(each["dancer"])]
        rows.append([as_code(each["name"]), f"{each['minutes']:.2f}", str(each["moves"]), *known])
    return "\n".join([*lines, *_markdown(rows)])


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    heading, *others = rows
    cells = [heading, ["---", *["--:"] * (len(heading) - 1)], *([_cell(row[0]), *row[1:]] for row in others)]
    return [*("| " + " | ".join(row) + " |" for row in cells), ""]


def _cell(text: str | None) -> str:
    return "-" if text is None else text.replace("|", "¦")


def _pictures(scores: StreamScores, shown: Mapping[str, str], title: str) -> dict[str, bytes]:
    """By file name. Moves that were neither danced nor announced are left out of that of the moves."""
    moves = {name: move for name, move in scores.moves.items() if move.danced or move.announced}
    pictures = {}
    if moves:
        counts = [_counts(move) for move in moves.values()]
        pictures[MOVES_PNG] = moves_picture(
            [shown[name] for name in moves],
            {name: [each[name.lower()] for each in counts] for name in ("precision", "recall", "F1")},
            [move.danced for move in moves.values()],
            f"{title}\nevents by move (how often danced)",
        )
    pictures[EVENTS_PNG] = confusion_picture(
        scores.event_confusion,
        [*(shown[name] for name in scores.moves), NOTHING],
        f"{title}\n{scores.together.found} of {scores.together.danced} moves found; what was announced meanwhile",
        of="moves",
        columns="announced",
    )
    pictures[STEPS_PNG] = confusion_picture(
        scores.step_confusion,
        [shown[name] for name in scores.names],
        f"{title}\nlikeliest answer at each of {scores.step_confusion.sum()} steps",
        of="steps",
        percent=True,
    )
    bins = scores.calibration
    error = "-" if np.isnan(bins.error) else f"{bins.error:.3f}"
    pictures[RELIABILITY_PNG] = reliability_picture(
        bins.confidence, bins.accuracy, bins.steps, f"{title}\ncalibration error {error}"
    )
    return pictures
