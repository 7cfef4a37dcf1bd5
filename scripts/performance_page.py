"""Writes the figures of docs/performance.md, between its two marks, and its pictures, from the measured documents.

python -m scripts.performance_page
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from live.targets import Row, rows_against, rows_of, verdict, with_spread
from models.card import write_atomically
from scripts.bench_growth import OUT
from scripts.performance_pictures import growth_picture, stages_picture

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- measured: python -m scripts.performance_page -->", "<!-- end of what was measured -->"
# Documents of `pointe bench --compare`, and what they are of.
COMPARED = {
    "pose": "pose, every frame",
    "pose-sample": "pose, the card's 15 a second",
    "image": "image (EfficientNet-Lite0), every frame",
    "image-sample": "image, 15 a second",
    "inception": "InceptionV3, every frame",
    "inception-sample": "InceptionV3, 15 a second",
    "original": "pose with `--head original`, every frame",
}

# The load that a measurement just before leaves behind by itself, on two cores.
IDLE_LOAD = 2.5

Document = Mapping[str, Any]


def main() -> None:
    """Say what was written."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    documents = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(OUT.glob("*.json"))}
    compared = {title: documents[name] for name, title in COMPARED.items() if name in documents}
    if compared:
        stages = {title.replace("`", ""): each["figures"]["stages_ms"] for title, each in compared.items()}
        write_atomically(OUT / "stages.png", stages_picture(stages))
    if "growth" in documents:
        write_atomically(OUT / "growth.png", growth_picture(documents["growth"]))
    page = with_figures(PAGE.read_text("utf-8"), figures(documents))
    write_atomically(PAGE, page.encode())
    print(f"wrote {PAGE} from {len(documents)} documents")


def with_figures(page: str, text: str) -> str:
    """The page with what stands between its marks replaced; what people wrote around them stays."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE} lacks its marks: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def figures(documents: Mapping[str, Document]) -> str:
    """All that depends on what was measured, in Markdown."""
    compared = {title: documents[name] for name, title in COMPARED.items() if name in documents}
    parts = [_measured_on(documents), _targets(compared, documents.get("against"))]
    if compared:
        parts += [
            "### Frames a second",
            _rates(compared),
            "### Where a frame's time goes",
            STAGES_TEXT,
            _stages(compared),
        ]
    if "growth" in documents:
        parts += ["### How the cost grows", _growth(documents["growth"])]
    return "\n\n".join(parts)


STAGES_TEXT = (
    "![Where a frame's time goes](measured/performance/stages.png)\n\n"
    "Mean milliseconds of a frame that is encoded, as the product runs. Decoding and drawing are done beside the"
    " recognition, and so is preparing for an encoder of whole frames; they take time from it only where they want the"
    " same core."
)


def _measured_on(documents: Mapping[str, Document]) -> str:
    machines = sorted({each["machine"] for each in documents.values()})
    versions = next(iter(documents.values()))["versions"] if documents else {}
    named = [
        f"{name} {versions[name]}"
        for name in ("python", "onnxruntime-gpu", "onnxruntime", "opencv-python", "keras")
        if name in versions
    ]
    sources = sorted({f"{each['source']['name']}, {each['source']['size']}" for each in documents.values()})
    loads = [each["load_before"] for each in documents.values() if each.get("load_before") is not None]
    busy = ""
    if loads and max(loads) > IDLE_LOAD:
        busy = (
            f" **Other programs ran at the same time** (load {min(loads):g} to {max(loads):g} before each measurement)"
        )
        busy += ": only what is compared within a round says something."
    return f"Machine: {'; '.join(machines)}. {', '.join(named)}. Source: {'; '.join(sources)}.{busy}"


def _targets(compared: Mapping[str, Document], against: Document | None) -> str:
    rows: list[tuple[str, Row]] = []
    for title, document in compared.items():
        own = [row for row in rows_of(dict(document)) if row.met is not None]
        # What is promised of the pose model alone is told of it alone; of the original head also its share.
        kept = own if title == COMPARED["pose"] else [r for r in own if r.what.startswith(_promised_of(title))]
        rows += [(title, row) for row in kept]
    if against:
        rows += [("pose", row) for row in rows_against(dict(against))]
    return _table(
        ("configuration", "what", "measured", "target", "kept"),
        ((title, row.what, row.measured, row.target, verdict(row) or "") for title, row in rows),
    )


def _promised_of(title: str) -> tuple[str, ...]:
    return ("whole path", "head") if title == COMPARED["original"] else ("whole path",)


def _rates(compared: Mapping[str, Document]) -> str:
    rows = []
    for title, document in compared.items():
        own = document["figures"]
        rates = [f"{own[key]['median']:.1f}" for key in ("encoder_fps", "decode_fps", "both_fps", "product_fps")]
        rows.append((title, *rates, with_spread(own["ratio"]), with_spread(own["ratio_of_both"])))
    return _table(
        (
            "frames of the file a second",
            "encoder alone",
            "decoding alone",
            "both at once",
            "whole path",
            "of the slower",
            "of both at once",
        ),
        rows,
    )


def _stages(compared: Mapping[str, Document]) -> str:
    names = ("decode", "prepare", "encode", "head", "draw")
    rows = (
        (title, *(f"{document['figures']['stages_ms'][name]:.2f}" for name in names))
        for title, document in compared.items()
    )
    return _table(("ms", *names), rows)


def _growth(document: Document) -> str:
    rows = [
        (
            label,
            str(row["size"]),
            f"{row['fps']:.1f}",
            *(f"{row['stages_ms'].get(name, 0):.2f}" for name in ("decode", "encode", "head")),
        )
        for name, label in (
            ("sources", "sources at once"),
            ("window", "steps of the window"),
            ("height", "lines of the picture"),
        )
        for row in document[name]
    ]
    return "![How the cost grows](measured/performance/growth.png)\n\n" + _table(
        ("what grows", "to", "frames/s of all together", "decode ms", "encode ms", "head ms"), rows
    )


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
