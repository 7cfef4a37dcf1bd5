"""A live source that hangs: another connection is made beside it, and nothing old is ever taken for new."""

import time
from collections.abc import Iterator
from itertools import repeat

import numpy as np
import pytest
from cameras import Camera, EndlessCamera, HangingCamera, connecting, wait_until
from toys import picture

from live import live_source as live_source_module
from live import reader as reader_module
from live.live_source import LiveSource
from live.source import open_source
from models.errors import SourceError
from models.threads import left_running


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    wait_until(lambda: left_running() == [])


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a connection that is lost another one is begun at once."""
    monkeypatch.setattr(live_source_module, "BACK_OFF_S", (0.01,))


@pytest.fixture
def impatient(at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise, and it is lost after a fifth of a second."""
    monkeypatch.setattr(reader_module, "LOST_S", 0.2)
    monkeypatch.setattr(reader_module, "FIRST_FRAME_S", 0.2)
    monkeypatch.setattr(live_source_module, "LEAVE_S", 0.05)


def test_a_read_that_hangs_is_left_behind_and_its_late_frames_are_not_taken(impatient: None) -> None:
    old, new = HangingCamera([picture("plie")] * 3), EndlessCamera()
    with open_source("0", connect=connecting([old, new])) as source:
        wait_until(lambda: new.asked > 0)
        assert old.released_in is None and "pointe: capture" in left_running()  # it still reads
        old.thaw.set()
        wait_until(lambda: old.released_in is not None)
        images = [frame.image for _ in range(20) if (frame := source.next(1))]
        assert source.status is None and source.reconnects == 1
    assert len(images) == 20 and all((image == picture("plie")).all() for image in images)
    assert old.released_in == old.read_in == "pointe: capture"


def test_an_opening_that_hangs_is_left_behind_too(impatient: None) -> None:
    new, stuck = EndlessCamera(), HangingCamera([])
    attempts = iter([Camera([picture("plie")]), stuck, new])

    def connect(_place: object) -> Camera:
        camera = next(attempts)
        if camera is stuck:
            stuck.read()  # in its opening
        return camera

    with open_source("0", connect=connect) as source:
        wait_until(lambda: new.asked > 0 and source.status is None)
        stuck.thaw.set()
        wait_until(lambda: stuck.released_in is not None)


def test_no_further_connections_are_made_while_many_hang(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_module, "MOST_HANGING", 2)
    hanging = [HangingCamera([picture("plie")]) for _ in range(3)]
    made: list[Camera] = []

    def connect(_place: object) -> Camera:
        made.append(hanging[len(made)] if len(made) < 2 else EndlessCamera())
        return made[-1]

    with open_source("0", connect=connect) as source:
        wait_until(lambda: "it hangs and cannot be closed" in (source.status or ""))
        assert len(made) == 2
        hanging[0].thaw.set()
        wait_until(lambda: source.status is None)
        assert len(made) == 3
        hanging[1].thaw.set()


def test_whoever_does_not_want_to_wait_is_told_so(impatient: None) -> None:
    cameras = connecting([Camera([picture("plie")]), *repeat("unplugged", 100)])
    with (
        open_source("0", connect=cameras, give_up_after_s=0.5) as source,
        pytest.raises(SourceError, match=r"camera 0: given up after \d s without a frame: unplugged") as caught,
    ):
        while True:
            source.next(0.1)
    assert caught.value.exit_code == 3 and len(str(caught.value).splitlines()) == 2
    assert source.ended


def test_a_hanging_read_does_not_keep_from_giving_up(impatient: None) -> None:
    camera = HangingCamera([picture("plie")])
    with (
        open_source("0", connect=connecting([camera]), give_up_after_s=0.5) as source,
        pytest.raises(SourceError, match="given up"),
    ):
        while True:
            source.next(0.1)
    camera.thaw.set()


def test_every_captured_frame_is_taken_or_counted_as_dropped_over_all_connections(at_once: None) -> None:
    class Flaky(EndlessCamera):
        """Gives 200 pictures and breaks."""

        def read(self) -> tuple[bool, np.ndarray]:
            ok, image = super().read()
            return ok and self.asked <= 200, image

    cameras = [Flaky() for _ in range(4)]
    source = open_source("0", connect=connecting([*cameras]))
    taken = []
    while cameras[-1].asked <= 200:
        frame = source.next(0.1)
        if frame is not None:
            taken.append(frame)
            time.sleep(0.01)
    source.close()
    assert source.captured == 800 == len(taken) + source.dropped
    indices = [frame.index for frame in taken]
    assert indices == sorted(set(indices)) and indices[-1] < 800


def test_a_camera_may_come_back_with_another_size_and_rate(at_once: None) -> None:
    sizes, seen = ((64, 48), (128, 96)), set()

    def until_seen(size: tuple[int, int]) -> Iterator[np.ndarray]:
        while size not in seen:
            time.sleep(0.001)
            yield picture("plie", size)

    cameras = [Camera(until_seen(size), rate_hz) for size, rate_hz in zip(sizes, (25, 50), strict=True)]
    with open_source("0", connect=connecting([*cameras])) as source:
        while len(seen) < 2:
            frame = source.next(1)
            if frame is not None:
                seen.add(frame.image.shape[1::-1])
        assert (frame.image.shape[1::-1], source.rate_hz) == ((128, 96), 50)
        assert source.size == (64, 48)
    assert seen == {(64, 48), (128, 96)}


def test_a_camera_that_raises_is_connected_again(at_once: None) -> None:
    import cv2

    class Raising(Camera):
        def read(self) -> tuple[bool, np.ndarray | None]:
            ok, image = super().read()
            if not ok:
                raise cv2.error("the driver")
            return ok, image

    new = EndlessCamera()
    with open_source("0", connect=connecting([Raising([picture("plie")]), new])) as source:
        wait_until(lambda: new.asked > 0)
        assert isinstance(source, LiveSource) and source.reconnects == 1
