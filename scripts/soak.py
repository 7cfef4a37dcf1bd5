"""Does `pointe live` run all day? Three long runs of the real live path, with a camera that films a clip over and over.

python -m scripts.soak --frames 100000        memory, threads, descriptors and temporary files over many frames
python -m scripts.soak --slow 600             a recogniser half as fast as the camera: age of what is answered
python -m scripts.soak --outage 60            what waiting for a camera that is gone costs

Source, recognition, display (drawn, not shown), recording and events are those of the command. The last line is one
JSON document; the exit code is 1 where a promise broke.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from live.address import DEMO
from live.bench_loop import FilmedCamera
from live.bench_subject import EVERY_FRAME_HZ
from live.capture import UnreachableError
from live.live_source import LiveSource
from live.moves import MoveTracker
from live.options import Options
from live.overlay import Overlay
from live.recognizer import Prediction, Recognizer, Seen
from live.runner import live, run
from live.screen import Screen
from live.view import View
from models.card import find_model
from models.errors import PartlyDone, told
from models.frames import Image
from scripts.footprint import Footprint, of_children

MOST_GROWTH_MIB = 20.0
FROM_FRAME = 1000
MOST_CPU = 0.05  # of a core
SLOW_CAMERA_HZ = 25.0
LOADED_S = 4.0  # by then the model is loaded and the camera gone


@dataclass(frozen=True)
class Soaked:
    """What many frames came to. Footprints are of the process that holds camera and recogniser."""

    frames: int  # that the camera gave
    captured: int
    answered: int
    dropped: int
    seconds: float
    at_frame_1000: Footprint
    at_the_end: Footprint
    most_rss_mib: float  # after that frame
    threads_left: list[str]
    descriptors_left: int
    files_left: list[str]  # in the folder for temporary files

    @property
    def broken_promises(self) -> list[str]:
        checks = {
            f"at most {MOST_GROWTH_MIB:g} MiB more": self.most_rss_mib - self.at_frame_1000.rss_mib <= MOST_GROWTH_MIB,
            "captured = answered + dropped": self.frames == self.captured == self.answered + self.dropped,
            "no thread is left": not self.threads_left,
            "no descriptor is left": self.descriptors_left <= 0,
            "no temporary file is left": not self.files_left,
        }
        return [promise for promise, kept in checks.items() if not kept]


class ShortCamera(FilmedCamera):
    """Gives so many frames and then none."""

    def __init__(self, frames: int, rate_hz: float) -> None:
        super().__init__(DEMO, rate_hz)
        self.given = 0
        self._most = frames

    def read(self) -> tuple[bool, Image]:
        ok, image = super().read()
        if self.given == self._most:
            self.end()
            return False, image
        self.given += 1
        return ok, image

    def end(self) -> None:
        """What is done beside that."""


class CountedCamera(ShortCamera):
    """Sends SIGTERM at its end, as somebody who ends the command does; looks at the process now and then."""

    def __init__(self, frames: int, rate_hz: float) -> None:
        super().__init__(frames, rate_hz)
        self.footprints: list[Footprint] = []  # after every FROM_FRAME frames

    def read(self) -> tuple[bool, Image]:
        if self.given and self.given % FROM_FRAME == 0:
            self.footprints.append(Footprint.of())
        return super().read()

    def end(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def soak(frames: int, rate_hz: float, model: str) -> Soaked:
    """`frames` frames of a camera at `rate_hz` through `pointe live`, recorded; ended by SIGTERM."""
    camera = CountedCamera(frames, rate_hz)
    options = Options(model=model, device="cpu", headless=True, connect=lambda place: camera)
    live("0", replace(options, connect=lambda place: FilmedCamera(DEMO, 30), max_seconds=1))
    threads, before = set(threading.enumerate()), Footprint.of()  # with all that is loaded once
    with tempfile.TemporaryDirectory() as folder, _temporary_files_in(Path(folder) / "tmp") as temporary:
        start_s = time.monotonic()
        summary = live("0", replace(options, record=Path(folder) / "out.mp4", events=Path(folder) / "out.jsonl"))
        seconds = time.monotonic() - start_s
        after, files_left = Footprint.of(), [path.name for path in temporary.iterdir()]
    if len(camera.footprints) < 2:
        raise PartlyDone(f"It was stopped before frame {2 * FROM_FRAME}, so there is nothing to compare.")
    return Soaked(
        frames=camera.given,
        captured=summary.frames,
        answered=summary.answered,
        dropped=summary.dropped,
        seconds=round(seconds, 1),
        at_frame_1000=camera.footprints[0],
        at_the_end=camera.footprints[-1],
        most_rss_mib=max(each.rss_mib for each in camera.footprints),
        threads_left=[thread.name for thread in set(threading.enumerate()) - threads],
        descriptors_left=after.descriptors - before.descriptors,
        files_left=files_left,
    )


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before


@dataclass(frozen=True)
class Slow:
    """What a recogniser half as fast as the camera came to. Ages are those of a frame when its answer is there."""

    seconds: float
    rate_hz: float
    captured: int
    answered: int
    dropped: int
    dropped_on_display: int  # in the last picture that was drawn
    inference_p99_ms: float
    age_p50_ms: float
    age_p99_ms: float
    age_p99_ms_by_third: list[float]
    growth_ms: float  # of the median age, from the first third to the last

    @property
    def limit_ms(self) -> float:
        """One inference and two frame periods."""
        return self.inference_p99_ms + 2000 / self.rate_hz

    @property
    def broken_promises(self) -> list[str]:
        checks = {
            "age p99 at most one inference and two periods": self.age_p99_ms <= self.limit_ms,
            "no growth": self.growth_ms <= 1000 / self.rate_hz,
            "captured = answered + dropped": self.captured == self.answered + self.dropped,
            "what is dropped is on the display": 0 < self.dropped_on_display <= self.dropped,
        }
        return [promise for promise, kept in checks.items() if not kept]


class SlowRecognizer(Recognizer):
    """Takes two periods of the camera for each frame, and notes how old the frame is then."""

    source: LiveSource
    ages_s: list[float]
    took_s: list[float]

    def answer(self, seen: Seen) -> Prediction | None:
        prediction = super().answer(seen)
        time.sleep(max(0.0, seen.taken.at_s + 2 / SLOW_CAMERA_HZ - time.monotonic()))
        self.took_s.append(time.monotonic() - seen.taken.at_s)
        self.ages_s.append(self.source.now_s - seen.frame.time_s)
        return prediction


def consume_slowly(seconds: float, model: str) -> Slow:
    """The live loop for so long, on a camera of SLOW_CAMERA_HZ."""
    cv2.setNumThreads(1)
    recognizer = SlowRecognizer.load(find_model(model), "cpu", 1, EVERY_FRAME_HZ)
    assert isinstance(recognizer, SlowRecognizer)
    recognizer.ages_s, recognizer.took_s = [], []
    overlay, shown = Overlay(recognizer.card), [0]

    def draw(image: Image, view: View, details: bool, help_: bool) -> Image:
        shown.append(view.dropped)
        return overlay.draw(image, view, details=details, help=help_)

    with LiveSource("filmed", lambda: FilmedCamera(DEMO, SLOW_CAMERA_HZ)) as source:
        recognizer.source = source
        summary = run(
            source,
            recognizer,
            MoveTracker(recognizer.card),
            Screen(source, draw=draw),
            on_move=lambda move: None,
            max_seconds=seconds,
        )
    ages_ms = 1000 * np.array(recognizer.ages_s)
    thirds = np.array_split(ages_ms, 3)
    p50s, p99s = ([float(np.percentile(third, at)) for third in thirds] for at in (50, 99))
    return Slow(
        seconds=seconds,
        rate_hz=SLOW_CAMERA_HZ,
        captured=summary.frames,
        answered=summary.answered,
        dropped=summary.dropped,
        dropped_on_display=shown[-1],
        inference_p99_ms=round(1000 * float(np.percentile(recognizer.took_s, 99)), 1),
        age_p50_ms=round(float(np.percentile(ages_ms, 50)), 1),
        age_p99_ms=round(float(np.percentile(ages_ms, 99)), 1),
        age_p99_ms_by_third=[round(p99, 1) for p99 in p99s],
        growth_ms=round(p50s[-1] - p50s[0], 1),
    )


@dataclass(frozen=True)
class Waiting:
    """What waiting for a camera that is gone costs, as parts of a core."""

    seconds: float
    recorded: bool
    own_cpu: float
    encoder_cpu: float  # of the recording's process

    @property
    def broken_promises(self) -> list[str]:
        return [] if self.own_cpu + self.encoder_cpu <= MOST_CPU else [f"at most {100 * MOST_CPU:g} % of a core"]


def wait_for_a_camera(seconds: float, model: str, *, record: bool) -> Waiting:
    """`pointe live` whose camera gave a second of pictures and then is gone."""
    attempts = iter([ShortCamera(30, 30)])
    used: list[tuple[float, float]] = []  # own and the encoder's

    def connect(_place: object) -> FilmedCamera:
        attempt = next(attempts, None)
        if attempt is None:
            raise UnreachableError("camera 0", "unplugged", "Plug it in.")
        return attempt

    def note() -> None:
        used.append((Footprint.of().cpu_s, sum(child.cpu_s for child in of_children())))

    with tempfile.TemporaryDirectory() as folder:
        timers = [threading.Timer(at_s, note) for at_s in (LOADED_S, LOADED_S + seconds)]
        for timer in timers:
            timer.start()
        options = Options(
            model=model,
            device="cpu",
            headless=True,
            connect=connect,
            max_seconds=LOADED_S + seconds + 1.0,
            record=Path(folder) / "out.mp4" if record else None,
        )
        live("0", options)
    (own, encoder), (own_later, encoder_later) = used
    return Waiting(
        seconds, record, round((own_later - own) / seconds, 4), round((encoder_later - encoder) / seconds, 4)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--frames", type=int, help=f"at least {2 * FROM_FRAME}")
    what.add_argument("--slow", type=float, metavar="SECONDS")
    what.add_argument("--outage", type=float, metavar="SECONDS")
    parser.add_argument("--rate", type=float, default=250.0, help="of the camera, for --frames (default: 250)")
    parser.add_argument("--record", action="store_true", help="for --outage: with a recording")
    parser.add_argument("--model", default="ballet")
    chosen = parser.parse_args()
    result: Soaked | Slow | Waiting
    if chosen.frames:
        result = soak(max(chosen.frames, 2 * FROM_FRAME), chosen.rate, chosen.model)
    elif chosen.slow:
        result = consume_slowly(chosen.slow, chosen.model)
    else:
        result = wait_for_a_camera(chosen.outage, chosen.model, record=chosen.record)
    for promise in result.broken_promises:
        print(f"NOT KEPT: {promise}")
    print(json.dumps({**asdict(result), "broken": result.broken_promises}))
    sys.exit(1 if result.broken_promises else 0)


if __name__ == "__main__":
    with told():
        main()
