"""Measuring a model on labelled clips or streams: what is watched, what is left out, and the report of it.

How a model watches a video is handed in, since what runs live is not for training to know.
"""

import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
from rich.markup import escape
from rich.progress import Progress, track

from models.ahead import decoded_ahead
from models.card import ModelCard
from models.damage import Reading
from models.errors import PartlyDone, SourceError, UsageError, harmless
from models.files import refuse_unless_writable
from models.frames import Frame, frames_promised
from models.machine import cores, versions
from train.clip import TEST, TRAIN, Clip, Skipped, copies_among, copies_of
from train.clips import ClipSet, find_clips
from train.event_scores import Span
from train.report import ClipAnswer, as_code, as_figure, write_report
from train.split import dancers_in
from train.stream_labels import LabelError, LabelledVideo, StreamLabels, find_streams
from train.stream_report import print_tables, write_stream_report
from train.stream_scores import StreamResult


class SeenMove(Protocol):
    """A move that was announced, by its name on the card; times in seconds of the stream."""

    @property
    def name(self) -> str: ...

    @property
    def start_s(self) -> float: ...

    @property
    def end_s(self) -> float: ...


class Seen(Protocol):
    """What a model said of one stream, with the meanings of `StreamResult`."""

    @property
    def seconds(self) -> float: ...

    @property
    def times_s(self) -> npt.NDArray[np.float64]: ...

    @property
    def probabilities(self) -> npt.NDArray[np.float32]: ...

    @property
    def moves(self) -> Sequence[SeenMove]: ...

    @property
    def shown_at_s(self) -> Sequence[float]: ...


AnswerClip = Callable[[Iterable[Frame]], npt.NDArray[np.float32]]  # (moves,) for the frames of a clip
WatchStream = Callable[[Iterable[Frame]], Seen]

# How the card of a training on clips begins; one of before their fingerprints were kept says no more of them.
LEARNT_FROM_CLIPS = re.compile(r"\d+ clips in ")
ANOTHER_REPORT = "Give another with --report DIR."


def evaluate_clips(card: ModelCard, data: Path, out: Path, answer: AnswerClip, *, model: str, ran_on: str) -> None:
    """Write the report on a folder of clips by move to `out`: on its test clips, or on all where it has none.

    On all, too, where the model learnt from none of them and nobody said which are for the test. Test clips that are
    the same files as the model learnt from are left out, and in the report with the reason: a folder that has grown
    since the training may be split otherwise.

    Args:
        answer: what the model says of a clip; raises SourceError where it says nothing.
        model: how the user calls it.
        ran_on: the device, for the report.

    Raises:
        UsageError: there are no clips, none of a move that the model has, it learnt from every test clip, or `out`
            cannot be written.
        SourceError: no clip gave an answer.
        PartlyDone: the report is written and leaves some clips out.
    """
    refuse_unless_writable(out, ANOTHER_REPORT)  # before the long work
    found = find_clips(data, for_training=False)
    clips, learnt, circumstances = _to_measure(found, card)
    skipped = [*found.skipped, *(Skipped(clip.path, "the model learnt from it") for clip in learnt)]
    if not clips:
        raise UsageError(
            f"{model} learnt from every test clip of {data}.\nGive clips that it has not seen, or train it anew."
        )
    copies = copies_among(clips)
    skipped += [
        Skipped(clip.path, f"the same file as {as_code(path.relative_to(data))}") for clip, path in copies.items()
    ]
    clips = [clip for clip in clips if clip not in copies]
    print(f"measured on {len(clips)} of {len(found.clips)} clips; split: {circumstances['split']}")
    answers: list[ClipAnswer] = []
    damaged: list[str] = []
    for clip in track(clips, description="clips"):
        try:
            reading = Reading(clip.path)
            with decoded_ahead(iter(reading), core_free=cores() > 1) as frames:
                answers.append(ClipAnswer(clip.path, clip.move, answer(frames)))
            damaged += _damage_of(clip.path, reading)
        except SourceError as error:
            skipped.append(_unread(clip.path, error))
        except cv2.error as error:
            skipped.append(Skipped(clip.path, f"OpenCV cannot decode it: {error.err}"))
    unknown = [each for each in answers if each.truth not in card.names]
    skipped += [Skipped(each.path, f"the model has no move '{each.truth}'") for each in unknown]
    answers = [each for each in answers if each.truth in card.names]
    if unknown and not answers and not learnt:
        raise UsageError(
            f"{model} has none of the moves of {data}: {', '.join(sorted({each.truth for each in unknown}))}.\n"
            f"It has {', '.join(card.names)}. Name the folders so, or evaluate another model."
        )
    if not answers:
        raise SourceError(f"None of the {len(clips)} clips in {data} gave an answer.\n{skipped[-1].reason}")
    metrics = write_report(
        out,
        title=f"{card.name} on {data.resolve().name}",
        moves=card.names,
        answers=answers,
        measured_on={
            "data": data.resolve().name,
            "clips": f"{len(answers)} of {len(found.clips)}",
            **circumstances,
            **_of_model(card, ran_on),
            **as_figure("read in part", damaged),
        },
        skipped=skipped,
        displays=[move.display for move in card.moves],
    )
    print(f"accuracy {metrics['accuracy']:.3f} on {len(answers)} clips; the report is in {out}")
    if skipped:
        raise PartlyDone(f"{_left_out(skipped, 'clip')}; {out / 'report.md'} says which and why.")


def _to_measure(found: ClipSet, card: ModelCard) -> tuple[Sequence[Clip], Sequence[Clip], dict[str, str]]:
    """The clips to measure on, those left out as the model learnt from them, and how that was chosen: told, and as
    figures of the report."""
    known = frozenset(card.provenance.clips)
    learnt = copies_of(known, found.clips)
    new = not learnt and (bool(known) or not LEARNT_FROM_CLIPS.match(card.provenance.trained_on))
    tested = [] if new and found.drawn else [clip for clip in found.clips if clip.split == TEST]
    chosen = tested or found.clips
    unseen = [clip for clip in chosen if clip not in learnt]
    left_out = [clip for clip in chosen if clip in learnt]
    if tested:
        split = "test"
    elif new:
        split = "all: the model learnt from none of them"
    elif not unseen:
        unseen, left_out = left_out, []
        split = "all, as none is kept for the test: the model learnt from every one of them"
    elif known:
        split = "all that the model did not learn from, as none is kept for the test"
    else:
        split = "all, as none is kept for the test: the model may have learnt from them"
    of_split = () if new and found.drawn else found.notes  # that was drawn and is not used
    notes = [harmless(note).replace("\n", "?") for note in (*of_split, *_dancers_learnt(found, unseen, learnt))]
    for note in notes:
        print(f"note: {note}")
    return unseen, left_out, {"split": split, **as_figure("notes", notes)}


def _dancers_learnt(found: ClipSet, measured: Sequence[Clip], learnt: Collection[Clip]) -> list[str]:
    """A note on the dancers whom the model knows from other clips, and whom no note of the split names."""
    named = dancers_in(found.clips, TRAIN) & dancers_in(found.clips, TEST)
    known = {clip.dancer for clip in measured if clip.dancer} & {clip.dancer for clip in learnt} - named
    return [f"the model learnt from other clips of {', '.join(sorted(map(str, known)))}"] if known else []


def evaluate_streams(
    card: ModelCard, data: Path, out: Path, watch: WatchStream, *, threshold: float | None, ran_on: str
) -> None:
    """Write the report on labelled streams to `out` and its tables to the terminal.

    Args:
        watch: follows a stream from its first frame to its last; raises SourceError where it gives none.
        threshold: that `watch` puts in the place of the card's, for the report.
        ran_on: the device, for the report.

    Raises:
        UsageError: there are no labelled streams, or `out` cannot be written.
        SourceError: none of them could be scored.
        PartlyDone: the report is written and leaves some of them out.
    """
    refuse_unless_writable(out, ANOTHER_REPORT)  # before the long work
    found = find_streams(data)
    results, unread, damaged = watch_streams(found.videos, watch)
    # An earlier report may lie beside the videos.
    skipped = [*(each for each in found.skipped if each.path.resolve() != out.resolve()), *unread]
    if not results:
        raise SourceError(f"None of the {len(found.videos)} videos in {data} could be scored.\n{unread[0].reason}")
    written = write_stream_report(
        out,
        title=f"{card.name} on {data.resolve().name}",
        names=card.names,
        results=results,
        measured_on={
            "data": data.resolve().name,
            **_of_model(card, ran_on),
            "threshold": "those of the card" if threshold is None else f"{threshold:g} for every move",
            **as_figure("read in part", damaged),
            "versions": ", ".join(f"{package} {number}" for package, number in versions().items()),
        },
        skipped=skipped,
        displays=[move.display for move in card.moves],
    )
    print_tables(written, card.names, [move.display for move in card.moves])
    streams = "stream" if len(results) == 1 else "streams"
    print(f"{card.name} (head {card.head.sha256[:12]}) on {len(results)} {streams}; the report is in {out}")
    if skipped:
        raise PartlyDone(f"{_left_out(skipped, 'file')}; {out / 'report.md'} says which and why.")


def watch_streams(
    videos: Sequence[LabelledVideo], watch: WatchStream
) -> tuple[list[StreamResult], list[Skipped], list[str]]:
    """What was said of each video, those left out, and in words those of which not all could be read."""
    results: list[StreamResult] = []
    skipped: list[Skipped] = []
    damaged: list[str] = []
    with Progress(transient=True) as progress:
        done = progress.add_task("streams", total=len(videos))
        for video in videos:
            task = progress.add_task(escape(harmless(video.path.name)), total=None)
            try:
                promised = frames_promised(video.path)
                reading = Reading(video.path)
                with decoded_ahead(iter(reading), core_free=cores() > 1) as frames:
                    seen = watch(progress.track(frames, total=promised, task_id=task))
                lost = _damage_of(video.path, reading)
                damaged += lost
                labels = video.labels
                if lost:
                    labels = labels.until(seen.seconds)
                else:
                    labels.check(seen.seconds)
                results.append(_result(video.path.name, seen, labels))
            except (SourceError, LabelError) as error:
                skipped.append(_unread(video.path, error))
            except cv2.error as error:
                skipped.append(Skipped(video.path, f"OpenCV cannot decode it: {error.err}"))
            progress.remove_task(task)
            progress.advance(done)
    return results, skipped, damaged


def _left_out(skipped: Sequence[Skipped], what: str) -> str:
    return f"1 {what} was left out" if len(skipped) == 1 else f"{len(skipped)} {what}s were left out"


def _unread(path: Path, error: Exception) -> Skipped:
    return Skipped(path, harmless(str(error).replace(str(path), "it").splitlines()[0]))


def _result(name: str, seen: Seen, labels: StreamLabels) -> StreamResult:
    return StreamResult(
        name=name,
        seconds=seen.seconds,
        times_s=seen.times_s,
        probabilities=seen.probabilities,
        announced=[Span(move.name, move.start_s, move.end_s) for move in seen.moves],
        shown_at_s=seen.shown_at_s,
        danced=labels.danced,
        ignored=labels.ignored,
        view=labels.view,
        dancer=labels.dancer,
    )


def _damage_of(path: Path, reading: Reading) -> list[str]:
    """What could not be read of a video, told and as a list; empty where nothing is known."""
    damage = reading.damage()
    if not damage:
        return []
    name = harmless(path.name).replace("\n", "?")
    line = f"{name}: {damage}"
    print(line, file=sys.stderr)
    return [line]


def _of_model(card: ModelCard, ran_on: str) -> dict[str, str]:
    return {
        "model": card.name,
        "head sha256": card.head.sha256,
        "encoder": f"{card.encoder.name}, sha256 {card.encoder.sha256}",
        "ran on": ran_on,
    }
