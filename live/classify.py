"""A folder of videos in, the moves of each in a file of its own out, and a summary; goes on where it was stopped."""

import hashlib
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from live.log import say
from live.moves import MoveTracker
from live.outputs import ADDRESS
from live.results import Done, Results, held
from live.stopping import stop_signals
from live.videos import Failed, Video, find_videos, names_for, shown
from live.workers import Classified, Unreadable, Workers
from models.card import DEFAULT_MODEL, ModelCard, find_model
from models.errors import SourceError, UsageError
from models.machine import cores, machine, versions
from models.nvidia import PROVIDERS
from models.runtime import Device, choose_device

SUMMARY = "summary.json"
FORMATS = ("jsonl", "csv")


@dataclass(frozen=True)
class Speed:
    """Of the videos that were looked at in this run."""

    frames: int = 0
    video_s: float = 0.0
    wall_s: float = 0.0  # loading the model is part of it
    cpu_s: float = 0.0
    jobs: int = 0

    @property
    def figures(self) -> dict[str, float]:
        return {
            "frames_per_s": round(self.frames / self.wall_s, 1) if self.wall_s else 0.0,
            "frames_per_s_of_a_core": round(self.frames / self.cpu_s, 1) if self.cpu_s else 0.0,
            "times_real_time": round(self.video_s / self.wall_s, 2) if self.wall_s else 0.0,
        }


@dataclass(frozen=True)
class Summary:
    path: Path  # where it is written as JSON
    card: ModelCard
    done: tuple[Done, ...] = ()  # in the order of their paths; those of earlier runs too
    again: int = 0  # of them were done before
    failed: tuple[Failed, ...] = ()
    left: int = 0  # not looked at, since the run was stopped
    speed: Speed = field(default_factory=Speed)
    exit_code: int = 0  # 0, or 128 and the number of the signal that ended it


def classify(
    named: Sequence[str],
    out: Path,
    *,
    model: str = DEFAULT_MODEL,
    device: Device = "auto",
    jobs: int | None = None,
    threshold: float | None = None,
    events: str = "jsonl",
    tell: Callable[[str], None] = lambda _line: None,
) -> Summary:
    """What `pointe classify` does: the moves of every video that is named, into a file each, and a summary.

    Args:
        named: files, folders and patterns.
        out: the folder of the results.
        jobs: videos at once; as many as this machine has cores if not given. A core that is left decodes ahead.
        events: jsonl or csv.
        tell: takes a line about each video as it is done.

    Raises:
        UsageError: the options make no sense, or another run writes to `out`.
        SourceError: there is no video, or none of them can be read.
        ModelError, DeviceError: the model cannot be run.
        SinkError: the results cannot be written. What was finished is kept.
    """
    if ADDRESS.match(str(out)):
        raise UsageError(f"--out {out} is an address.\nGive a folder.")
    if events not in FORMATS:
        raise UsageError(f"--format {events}: give one of {', '.join(FORMATS)}.")
    folder = find_model(model)
    card = ModelCard.load(folder)
    MoveTracker(card, threshold)  # refuses what is no threshold
    videos, failed = find_videos(named)
    if not videos:
        raise SourceError(f"{failed[0].video}: {failed[0].reason}.\nGive video files, folders of them, or 'DIR/*.mp4'.")
    with held(out), stop_signals() as stop:
        stop.raises = False
        results = Results(
            out, f".{events}", partial(_made_by, card, threshold), provider=PROVIDERS[choose_device(device)]
        )
        names = names_for(videos, results.owner_of)
        done: dict[Video, Done] = {}
        for video in videos:
            record = None if stop.exit_code else results.finished(video, names[video])
            if record:
                done[video] = record
        again = len(done)
        todo = {video.path: video for video in videos if video not in done}
        speed = Speed(jobs=min(jobs or cores(), len(todo)))
        start_s, providers = time.monotonic(), set[str]()
        with Workers(folder, _of_workers(device), threshold, speed.jobs) as workers:
            for path, answer in workers.each(list(todo), lambda: stop.exit_code):
                video = todo.pop(path)
                if isinstance(answer, Unreadable):
                    failed.append(Failed(shown(path), answer.reason))
                else:
                    done[video] = results.keep(video, names[video], answer)
                    providers.add(answer.provider)
                    speed = _add(speed, answer, time.monotonic() - start_s)
                tell(f"[{len(videos) - len(todo)}/{len(videos)}] {_line(path, answer)}")
        summary = Summary(
            out / SUMMARY,
            card,
            tuple(done[video] for video in videos if video in done),
            again,
            tuple(failed),
            len(todo),
            speed,
            stop.exit_code,
        )
        results.write(summary.path, _as_json(summary, threshold, providers))
    if failed and not done and not summary.exit_code:
        raise SourceError(f"None of the videos could be read.\n{failed[0].video}: {failed[0].reason}")
    return summary


def print_summary(summary: Summary) -> None:
    """A table of all videos, and what it took, on stdout."""
    displays = {move.name: move.display for move in summary.card.moves}
    table = Table("video", "length", "frames", "moves", "note", box=None)
    for index in (1, 2):
        table.columns[index].justify = "right"
    for column in table.columns:
        column.overflow = "fold"
    for each in summary.done:
        moves = ", ".join(f"{displays.get(name, name)} {count}" for name, count in each.moves.items())
        video = escape(shown(Path(each.events).with_suffix("")))
        table.add_row(video, f"{each.seconds:.1f} s", str(each.frames), escape(moves) or "none", each.damage or "")
    # As text, since a Console on stdout raises where that is closed or its disk full. It is as wide as the terminal.
    text = io.StringIO()
    Console(file=text, highlight=False, color_system=None).print(table)
    say(text.getvalue().rstrip("\n"))
    for failed in summary.failed:
        say(f"not done: {failed.video}: {failed.reason}")
    speed, figures = summary.speed, summary.speed.figures
    if speed.frames:
        say(
            f"{speed.frames} frames of {speed.video_s:.1f} s in {speed.wall_s:.1f} s, {speed.jobs} at once:"
            f" {figures['frames_per_s']:g} frames/s, {figures['frames_per_s_of_a_core']:g} a second of one core,"
            f" {figures['times_real_time']:g} times as fast as real time"
        )
    looked_at = len(summary.done) - summary.again
    say(f"videos: {looked_at} done, {summary.again} done before, {len(summary.failed)} not done")
    if summary.left:
        say(f"stopped, {summary.left} left; the same command goes on with them")


def _as_json(summary: Summary, threshold: float | None, providers: Collection[str]) -> bytes:
    card = summary.card
    told = ("video", "events", "sha256", "frames", "seconds", "moves", "damage")
    document: dict[str, Any] = {
        "model": {"name": card.name, "encoder": card.encoder.sha256, "head": card.head.sha256},
        "threshold": "those of the card" if threshold is None else threshold,
        "ran_on": ", ".join(sorted(providers)) or None,  # nothing ran where all was done before
        "machine": machine(),
        "versions": versions(),
        "videos": [{key: asdict(done)[key] for key in told} for done in summary.done],
        "not_done": [asdict(failed) for failed in summary.failed],
        "left": summary.left,
        "moves": dict(sorted(sum((Counter(done.moves) for done in summary.done), Counter()).items())),
        "speed": asdict(summary.speed) | summary.speed.figures,
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _made_by(card: ModelCard, threshold: float | None, provider: str) -> str:
    """All but the video that its moves depend on."""
    whole = json.dumps([card.model_dump_json(), provider, threshold, versions().get("pointe")])
    return hashlib.sha256(whole.encode()).hexdigest()


def _of_workers(device: Device) -> Device:
    """What each is told, so that why `auto` takes the CPU is said here and not by every one of them."""
    return "cpu" if choose_device(device) == "cpu" else device


def _add(speed: Speed, answer: Classified, wall_s: float) -> Speed:
    return Speed(
        speed.frames + answer.frames,
        round(speed.video_s + answer.seconds, 3),
        round(wall_s, 3),
        round(speed.cpu_s + answer.cpu_s, 3),
        speed.jobs,
    )


def _line(path: Path, answer: Classified | Unreadable) -> str:
    if isinstance(answer, Unreadable):
        return f"{shown(path)}: {answer.reason}"
    moves = f"{len(answer.moves)} move{'s' * (len(answer.moves) != 1)}"
    damage = f"; {answer.damage}" if answer.damage else ""
    return f"{shown(path)}: {answer.frames} frames, {moves}{damage}"
