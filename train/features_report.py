"""What the user sees of an extraction: its progress, what was skipped and why, and features_report beside the cache."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from models.card import write_atomically
from models.errors import harmless
from train.report import as_code

if TYPE_CHECKING:
    from train.features import FeatureSet

PLAIN_LINE_EVERY_S = 10.0  # progress where there is no terminal
NOTES_SHOWN = 10  # clips in part unused that are named on screen; those skipped are all named
REPORT = "features_report"


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} clips/s", style="progress.data.speed")


@contextmanager
def show_progress(console: Console, what: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, a line now and then elsewhere; yields what to call for each clip that is done."""
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("clips"), _Speed())
        with Progress(*columns, TimeRemainingColumn(), TextColumn("left"), console=console) as bar:
            task = bar.add_task(_plain(what), total=total, completed=done)
            yield lambda: bar.advance(task)
        return
    start = said = time.monotonic()
    count = done

    def advance() -> None:
        nonlocal count, said
        count += 1
        now = time.monotonic()
        if now - said >= PLAIN_LINE_EVERY_S or count == total:
            said = now
            speed = (count - done) / max(now - start, 1e-9)
            left_s = (total - count) / speed
            console.print(f"{_plain(what)}: {count}/{total} clips, {speed:.2f} clips/s, {left_s:.0f} s left")

    yield advance


def _plain(text: str) -> str:
    """Text from outside, such as a file's name, as rich prints it unchanged and a terminal shows it."""
    return escape(harmless(text))


def print_problems(console: Console, features: "FeatureSet", data: Path) -> None:
    """What was skipped, or is used in part, and why."""
    for note in features.notes:
        console.print(f"note: {_plain(note)}", soft_wrap=True)
    noted = [clip for clip in features.clips if clip.note]
    for clip in noted[:NOTES_SHOWN]:
        console.print(f"{_plain(_within(clip.clip.path, data))}: {_plain(clip.note)}", soft_wrap=True)
    if len(noted) > NOTES_SHOWN:
        more = f"... and {len(noted) - NOTES_SHOWN} more clips of which not all is used: {_report_path(features)}"
        console.print(_plain(more), soft_wrap=True)
    for skipped in features.skipped:
        where, reason = _plain(_within(skipped.path, data)), _plain(skipped.reason)
        console.print(f"[yellow]skipped[/] {where}: {reason}", soft_wrap=True)


def print_summary(features: "FeatureSet") -> None:
    """What is there now and what it took, on stdout."""
    console = Console(highlight=False, soft_wrap=True)
    effort = features.effort
    steps = sum(len(clip.times_s) for clip in features.clips)
    console.print(
        f"{len(features.clips)} clips of {len(features.moves)} moves, {steps} steps"
        f" ({steps / features.sample_hz:.1f} s at {features.sample_hz:g} Hz)"
    )
    for move, display in zip(features.moves, features.displays, strict=True):
        per_split = Counter(clip.clip.split for clip in features.clips if clip.clip.move == move)
        console.print(f"  {_plain(display)}: {per_split['train']} train, {per_split['test']} test")
    if effort.encoded:
        seconds = max(effort.seconds, 1e-9)
        console.print(
            f"{effort.encoded} clips encoded, {effort.cached} from the cache, in {effort.seconds:.1f} s:"
            f" {effort.encoded / seconds:.2f} clips/s, {effort.frames / seconds:.0f} frames/s"
        )
    else:
        console.print(f"all {effort.cached} clips from the cache, in {effort.seconds:.1f} s")
    console.print(f"cache: {_plain(str(features.cache))}")


def write_report(features: "FeatureSet", data: Path) -> None:
    """features_report.json and .md beside the features: every clip, used or skipped."""
    clips = [
        {
            "path": _within(clip.clip.path, data),
            "split": clip.clip.split,
            "move": clip.clip.move,
            "dancer": clip.clip.dancer,
            "frames": clip.frames,
            "samples": clip.samples,
            "steps": len(clip.times_s),
            "note": clip.note,
        }
        for clip in features.clips
    ]
    skipped = [{"path": _within(entry.path, data), "reason": entry.reason} for entry in features.skipped]
    document = {
        "data": str(data),
        "encoder": features.encoder.model_dump(),
        "sample_hz": features.sample_hz,
        "moves": features.moves,
        "notes": features.notes,
        "skipped": skipped,
        "clips": clips,
    }
    write_atomically(features.cache / f"{REPORT}.json", (json.dumps(document, indent=2) + "\n").encode())
    lines = [
        f"# Features of {data}",
        "",
        f"Encoder {features.encoder.name} ({features.encoder.sha256[:12]}), {features.sample_hz:g} samples a second;"
        f" {len(clips)} clips used, {len(skipped)} skipped.",
        *([""] + [f"- {note}" for note in features.notes] if features.notes else []),
        "",
        "## Skipped",
        "",
        *([f"- {as_code(entry['path'])}: {entry['reason']}" for entry in skipped] or ["Nothing."]),
        "",
        "## Used",
        "",
        "| clip | move | split | dancer | frames | samples | steps | |",
        "|---|---|---|---|--:|--:|--:|---|",
        *(
            f"| {as_code(clip['path'])} | {clip['move']} | {clip['split']} | {clip['dancer'] or ''} | {clip['frames']}"
            f" | {clip['samples']} | {clip['steps']} | {clip['note']} |"
            for clip in clips
        ),
    ]
    text = "\n".join(lines) + "\n"
    write_atomically(features.cache / f"{REPORT}.md", text.encode("utf-8", "replace"))


def _within(path: Path, data: Path) -> str:
    return path.relative_to(data).as_posix() if path.is_relative_to(data) else str(path)


def _report_path(features: "FeatureSet") -> Path:
    return features.cache / f"{REPORT}.md"


def count_skipped(features: "FeatureSet") -> str:
    """The end of an error's text: how many, and where the reasons are."""
    return f"{len(features.skipped)} skipped.\nThe reasons are in {_report_path(features)}"
