"""The whole path as a newcomer walks it: clips of three moves, features, training, export, evaluation, and live.

The clips are excerpts from drawn lessons, as one would cut them from recordings of one's own, and every step is the
command itself. The lessons vary little, so that few clips suffice: everybody dances the same three short exercises,
somewhat faster or slower, deeper or higher, before a camera somewhere in front.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from train.body import Body
from train.camera import look_from
from train.dancer import Costume, Film, Studio
from train.event_scores import Span
from train.filming import shoot, write_video
from train.positions import hang, passe, soften, springing
from train.score import Score
from train.stream import Stream
from train.style import Style

ROOT = Path(__file__).parent.parent
START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[0] = 'pointe'; import pointe; pointe.main()"

HEIGHT = 200  # pixels; of all pictures
FPS = 10.0
TRAIN_LESSONS, TEST_LESSONS = 8, 1
# A clip begins so long before its move: in a stream, too, something else came before. No window is trained on that
# holds less than this.
RUN_UP_S = 0.4
SETTINGS = {
    "--sample-hz": FPS,
    "--window": 10,
    "--least-steps": round(RUN_UP_S * FPS),
    "--delay-steps": 2,
    "--units": 32,
    "--dense": 32,
    "--epochs": 15,
    "--epoch-windows": 3000,
    "--seed": 0,
}
SEED = 1
# An announcement covers at least this share of the move, begins so near to it, and lasts no longer where it is wrong.
LEAST_COVERED = 0.5
LARGEST_DELAY_S = 0.7
LONGEST_WRONG_S = 0.9


def plie(score: Score) -> None:
    score.stance("second")
    score.arms("second")
    score.beat(0.5)
    with score.move("plie"):
        for _ in range(2):
            score.bend_knees(score.between(0.64, 0.72))
            score.beat(0.7)
            score.bend_knees(1.0)
            score.beat(0.6)


def pirouette(score: Score) -> None:
    score.stance("fifth")
    score.arms("second")
    score.beat(0.5)
    with score.move("pirouette"):
        score.carry(0.0)
        passe(score)
        score.arms("first")
        score.beat(0.3)
        for _ in range(8):  # two turns by quarters
            score.trunk.yaw += score.side * np.pi / 2
            score.beat(0.18)
        score.land(score.working)
        score.carry()
        score.arms("second")
        score.beat(0.3)


def saute(score: Score) -> None:
    score.stance("first")
    score.arms("low")
    score.beat(0.5)
    with score.move("saute"):
        for _ in range(4):
            soften(score, 0.82, 0.25)
            with springing(score, score.between(0.18, 0.24)) as seconds:
                for leg in (score.left, score.right):
                    hang(score, leg)
                score.exactly(seconds / 2)
                for leg in (score.left, score.right):
                    score.land(leg, heel=0.6)
                score.exactly(seconds / 2)
        score.bend_knees(1.0)
        score.beat(0.3)


def pause(score: Score) -> None:
    """Standing with the arms at rest, or taken through their positions."""
    for arms in ("down", "hips", "chest") if score.chance(0.5) else ("first", "high", "low"):
        score.arms(arms)
        score.beat(0.45)


MOVES: dict[str, Callable[[Score], None]] = {each.__name__: each for each in (plie, pirouette, saute)}


@dataclass(frozen=True)
class Lesson:
    stream: Stream
    film: Film

    @staticmethod
    def of(seed: Sequence[int], rounds: int = 1) -> "Lesson":
        """Somebody dances the three moves, each time in another order, with pauses before, between and after."""
        rng = np.random.default_rng(seed)
        style = Style(tempo=rng.uniform(0.85, 1.15), skill=rng.uniform(0.8, 1.0), wobble=0.15)
        score = Score(rng, Body.random(rng), style)
        for _ in range(rounds):
            for move in rng.permutation(sorted(MOVES)):
                pause(score)
                score.any_side()
                MOVES[move](score)
        pause(score)
        stream = score.perform()
        camera = look_from(
            stream.positions,
            azimuth=np.radians(rng.uniform(-15, 15)),
            height=1.2,
            distance=rng.uniform(3.5, 5),
            fill=0.8,
            aspect=4 / 3,
        )
        return Lesson(stream, Film(camera, HEIGHT, Costume.random(rng), Studio.random(rng)))

    @property
    def danced(self) -> list[Span]:
        return [Span(segment.move, segment.start_s, segment.end_s) for segment in self.stream.segments]

    def write(self, path: Path, start_s: float = 0.0, end_s: float = np.inf) -> None:
        """A video of it all, or of an excerpt."""
        start, end = (round(min(time_s, self.stream.seconds) * self.stream.hz) for time_s in (start_s, end_s))
        excerpt = replace(self.stream, positions=self.stream.positions[start:end])
        write_video(path, shoot(excerpt, self.film, FPS), FPS)

    def cut(self, folder: Path, dancer: str) -> None:
        """Clips in folder/<move>/: each of the moves, and what lies between them as `none`."""
        ended_s = RUN_UP_S
        for number, move in enumerate(self.danced):
            clip = f"dancer-{dancer}_{number}.mp4"
            self.write(folder / "none" / clip, ended_s - RUN_UP_S, move.start_s)
            self.write(folder / move.move / clip, move.start_s - RUN_UP_S, move.end_s)
            ended_s = move.end_s
        self.write(folder / "none" / f"dancer-{dancer}_end.mp4", ended_s - RUN_UP_S)


def pointe(*arguments: object) -> None:
    """Run the command; its exit code says that it did all that it was asked to."""
    process = subprocess.run(
        [sys.executable, "-c", START, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, f"pointe {arguments[0]}: {process.returncode}\n{process.stdout}\n{process.stderr}"


def walk(work: Path, seed: int) -> None:
    """Clips in data/ and, made from them by the commands, run/, model/ and eval/."""
    data = work / "data"
    for number in range(TEST_LESSONS + TRAIN_LESSONS):  # each by another dancer
        Lesson.of([seed, number]).cut(data / ("test" if number < TEST_LESSONS else "train"), dancer=str(number))
    pointe("features", data, "--sample-hz", FPS)
    pointe("train", data, work / "run", *(word for flag in SETTINGS.items() for word in flag))
    pointe("export", work / "run", work / "model")
    pointe("eval", work / "model", data, "--report", work / "eval")


def watch(video: Path, model: Path) -> list[Span]:
    """What `pointe live` announces."""
    events = video.with_suffix(".jsonl")
    pointe("live", video, "--model", model, "--headless", "--no-pace", "--events", events)
    told = [json.loads(line) for line in events.read_text().splitlines()]
    return [Span(each["move"], each["start_s"], each["end_s"]) for each in told]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("end_to_end")
    walk(folder, SEED)
    return folder


@pytest.mark.slow
def test_the_exported_model_knows_the_clips_that_it_was_not_trained_on(work: Path) -> None:
    trained = json.loads((work / "run" / "report" / "report.json").read_text())["metrics"]
    exported = json.loads((work / "eval" / "report.json").read_text())["metrics"]
    clips = len(list((work / "data" / "test").glob("*/*.mp4")))
    assert trained["clips"] == exported["clips"] == clips == TEST_LESSONS * (2 * len(MOVES) + 1)
    assert exported["always_the_most_frequent"] < 0.6
    assert min(trained["accuracy"], exported["accuracy"]) > 0.8


@pytest.mark.slow
def test_each_move_of_a_longer_video_is_found_at_its_time(work: Path, tmp_path: Path) -> None:
    lesson, video = Lesson.of([SEED, TEST_LESSONS + TRAIN_LESSONS], rounds=2), tmp_path / "lesson.mp4"
    lesson.write(video)
    assert_found(lesson.danced, watch(video, work / "model"))


def assert_found(danced: Sequence[Span], announced: Sequence[Span]) -> None:
    assert sorted(move.move for move in danced) == sorted(2 * list(MOVES))
    for move in danced:
        hits = [each for each in announced if each.move == move.move and each.overlap_s(move) > 0]
        assert sum(map(move.overlap_s, hits)) >= LEAST_COVERED * (move.end_s - move.start_s), (move, announced)
        assert abs(hits[0].start_s - move.start_s) <= LARGEST_DELAY_S, (move, announced)
    for each in announced:
        right_s = sum(each.overlap_s(move) for move in danced if move.move == each.move)
        assert each.end_s - each.start_s - right_s <= LONGEST_WRONG_S, (each, danced)
