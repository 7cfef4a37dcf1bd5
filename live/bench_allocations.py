"""Whether the steady state allocates frames anew: numpy tells Python's tracer of memory of its arrays."""

import tracemalloc
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from live.bench_loop import loop
from live.bench_subject import warm_up
from live.file_source import FileSource
from live.overlay import Overlay
from live.recognizer import Recognizer
from models.frames import Image

TRACED_FRAMES = 30
LOOKED_EVERY = 10  # frames


@dataclass(frozen=True)
class Allocations:
    """What was allocated after the warm-up. Buffers that were there before and are used again do not show."""

    frame_bytes: int
    peak_bytes: int  # of all that was new at any one time
    places: dict[str, int]  # "file.py:12" -> how many arrays of a frame's size made there were alive when looked at

    @property
    def frame_sized(self) -> bool:
        """Sure where False: not even everything together is as large as a frame."""
        return self.peak_bytes >= self.frame_bytes


def allocations(recognizer: Recognizer, video: Path) -> Allocations:
    """Run the product's loop, slowly, with every allocation traced after the warm-up."""
    skip = warm_up(recognizer)
    drawn = frame_bytes = peak_bytes = 0
    places: Counter[str] = Counter()

    def look(image: Image) -> None:
        nonlocal drawn, frame_bytes, peak_bytes
        drawn += 1
        if drawn == skip:
            tracemalloc.start()
        elif drawn > skip:
            frame_bytes = image.nbytes
            peak_bytes = max(peak_bytes, tracemalloc.get_traced_memory()[1])
            if (drawn - skip) % LOOKED_EVERY == 0:
                places.update(_alive(frame_bytes))
                tracemalloc.reset_peak()  # what looking itself took does not count

    source = FileSource(video, pace=False, beforehand=recognizer.beforehand())
    try:
        loop(recognizer, Overlay(recognizer.card), source, skip, TRACED_FRAMES, look)
    finally:
        tracemalloc.stop()
    return Allocations(frame_bytes, peak_bytes, dict(places))


def _alive(size: int) -> Counter[str]:
    """Where what is at least so large and was allocated since the tracing began was made."""
    found = (trace.traceback[0] for trace in tracemalloc.take_snapshot().traces if trace.size >= size)
    return Counter(f"{Path(place.filename).name}:{place.lineno}" for place in found)
