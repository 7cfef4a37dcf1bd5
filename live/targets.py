"""The promises about speed, each as a row: what, measured, target, met or not. It judges a comparison's document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

OF_THE_LIMIT = 0.95
TIMES_THE_ANCESTOR, TIMES_ON_ITS_NETWORKS = 60.0, 6.0
HEAD_PERCENT = 5.0
LATENCY_MS = 5.0  # beside the encoder's own time
FIRST_ANSWER_S = 2.5
MEMORY_MB = 350.0


@dataclass(frozen=True)
class Row:
    what: str
    measured: str  # how to measure it, where this run did not
    target: str
    met: bool | None = None  # None: not measured


def rows_of(document: dict[str, Any]) -> list[Row]:
    """Each line of the targets, for the document of `pointe bench --compare`."""
    figures = document["figures"]
    rows = [*_path_rows(document), *_speed_rows(figures)]
    if figures["memory_mb"] is not None:
        memory = figures["memory_mb"]
        rows.append(Row("memory, at most", f"{memory:.0f} MB", f"under {MEMORY_MB:g} MB", memory < MEMORY_MB))
    new = figures["allocations"]
    made = f"yes: {', '.join(sorted(new['places'])) or 'short-lived'}" if new["frame_sized"] else "none"
    return [*rows, Row("frames allocated in the steady state", made, "none", not new["frame_sized"])]


def _path_rows(document: dict[str, Any]) -> list[Row]:
    """The whole path against its limits; how to measure what is promised beside that."""
    ratio, sampled = document["figures"]["ratio"], document["sampled"]
    frames = "frames at the card's rate" if sampled else "every frame"
    other = "--compare without --sample" if sampled else "--compare --sample"
    target, against = f"at least {OF_THE_LIMIT}", "--against keras"
    return [
        Row(
            f"whole path, {frames}, against {document['slowest']} alone",
            with_spread(ratio),
            target,
            ratio["median"] >= OF_THE_LIMIT,
        ),
        _elsewhere("the same at the other rate", other, target),
        _elsewhere("against the ancestor's way", against, f"at least {TIMES_THE_ANCESTOR:g} times"),
        _elsewhere("the ancestor's networks", against, f"at least {TIMES_ON_ITS_NETWORKS:g} times"),
    ]


def _speed_rows(figures: dict[str, Any]) -> list[Row]:
    """The head's share, a camera's latency, and how soon there is an answer."""
    rows = []
    head, first = figures["head_percent"], figures["first_answer_s"]
    if head is not None:
        rows.append(Row("head, of a frame's time", f"{head:.1f} %", f"under {HEAD_PERCENT:g} %", head < HEAD_PERCENT))
    latency, encoder = figures["latency_p95_ms"], figures["encoder_p95_ms"]
    rows.append(
        Row(
            "capture to answer at 30 Hz, p95",
            f"encoder's p95 {latency - encoder:+.1f} ms ({latency:.1f} ms)",
            f"under encoder's p95 +{LATENCY_MS:g} ms",
            latency < encoder + LATENCY_MS,
        )
    )
    if first is not None:
        first_s, target = first["median"], f"under {FIRST_ANSWER_S:g} s"
        rows.append(Row("first answer of `pointe live demo`", f"{first_s:.2f} s", target, first_s < FIRST_ANSWER_S))
    return rows


def rows_against(document: dict[str, Any]) -> list[Row]:
    """The rows of the document of `pointe bench --against keras`."""
    return [
        _times(f"{document['model']}, whole path, against the ancestor's way", document["times"], TIMES_THE_ANCESTOR),
        _times(
            "the ancestor's networks through pointe, against its way",
            document["times_on_its_networks"],
            TIMES_ON_ITS_NETWORKS,
        ),
        _times(
            "the same in int8 (of random weights: answers not compared)",
            document["times_on_its_networks_int8"],
            TIMES_ON_ITS_NETWORKS,
        ),
    ]


def with_spread(ratio: dict[str, float]) -> str:
    """The median of the rounds, and between what they lie."""
    return f"{ratio['median']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"


def print_rows(console: Console, rows: Sequence[Row]) -> None:
    table = Table("what", "measured", "target", "", title="targets")
    for row in rows:
        table.add_row(row.what, row.measured, row.target, verdict(row))
    console.print(table, markup=False)


def verdict(row: Row) -> str:
    return "" if row.met is None else "met" if row.met else "not met"


def _elsewhere(what: str, options: str, target: str) -> Row:
    return Row(what, f"(pointe bench {options})", target)


def _times(what: str, times: dict[str, Any], target: float) -> Row:
    median = times["median"]
    measured = f"{median:.1f} times ({times['low']:.1f} to {times['high']:.1f})"
    return Row(what, measured, f"at least {target:g} times", median >= target)
