"""Handing over between threads: nothing lost or the newest, errors raised where somebody waits, no thread left."""

import threading
import time
from collections.abc import Iterator

import pytest

from models.ahead import Ahead, decoded_ahead
from models.threads import left_running


def test_every_item_arrives_once_and_in_order() -> None:
    ahead = Ahead(iter(range(500)), 3, "numbers")
    got = []
    while not ahead.ended:
        item = ahead.next(5)
        if item is not None:
            got.append(item)
    assert got == list(range(500))
    assert ahead.dropped == 0


def test_several_are_given_together_where_they_are_all_there_and_else_one() -> None:
    made = threading.Semaphore(0)

    def numbers() -> Iterator[int]:
        for number in range(9):
            yield number
            made.release()

    ahead = Ahead(numbers(), 4, "numbers")
    for _ in range(4):
        assert made.acquire(timeout=5)
    assert ahead.several(4, 5) == [0, 1, 2, 3]
    for _ in range(4):
        assert made.acquire(timeout=5)
    assert [ahead.several(3, 5) for _ in range(2)] == [[4, 5, 6], [7]]
    assert ahead.several(3, 5) == [8]
    assert ahead.several(3, 5) == [] and ahead.ended


def test_who_lingers_gets_several_that_come_soon_and_one_where_they_do_not() -> None:
    go_on = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(7):
            if number == 4:
                go_on.wait(5)
            time.sleep(0.01)
            yield number

    ahead = Ahead(numbers(), 4, "numbers")
    assert ahead.several(3, 5, linger_s=5) == [0, 1, 2]
    assert ahead.several(3, 5, linger_s=0.05) == [3], "no other came meanwhile"
    go_on.set()
    assert ahead.several(2, 5, linger_s=5) == [4, 5]
    assert ahead.several(2, 5, linger_s=5) == [6], "there will be no other"
    assert ahead.several(2, 5, linger_s=5) == [] and ahead.ended


def test_the_newest_is_given_and_the_others_are_counted() -> None:
    all_made = threading.Event()

    def numbers() -> Iterator[int]:
        yield from range(100)
        all_made.set()

    ahead = Ahead(numbers(), 1, "numbers", newest=True)
    assert all_made.wait(5)
    assert ahead.next(5) == 99
    assert ahead.dropped == 99


def test_a_thread_that_dies_raises_its_error_where_it_is_waited_for_after_the_items_before() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("the disk is on fire")

    ahead = Ahead(failing(), 4, "failing")
    assert ahead.next(5) == 1
    with pytest.raises(ValueError, match="on fire"):
        ahead.next(5)
    assert ahead.ended
    assert ahead.next(5) is None


def test_waiting_without_an_item_returns_none_and_has_not_ended() -> None:
    release = threading.Event()

    def slow() -> Iterator[int]:
        release.wait(5)
        yield 7

    ahead = Ahead(slow(), 1, "slow")
    assert ahead.next(0.01) is None
    assert not ahead.ended
    release.set()
    assert ahead.next(5) == 7


def test_close_ends_a_thread_that_waits_for_room_and_closes_its_iterator_there() -> None:
    closed_in: list[str] = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed_in.append(threading.current_thread().name)

    ahead = Ahead(endless(), 2, "endless")
    assert ahead.next(5) == 1
    assert ahead.close(5)
    assert closed_in == ["pointe: endless"]
    assert ahead.ended
    assert left_running() == []


def test_none_is_not_handed_over_but_lets_a_close_be_noticed() -> None:
    ticked = threading.Event()

    def idle() -> Iterator[int | None]:
        while True:
            yield None
            ticked.set()
            threading.Event().wait(0.001)

    ahead = Ahead(idle(), 1, "idle")
    assert ticked.wait(5)
    assert ahead.next(0.01) is None
    assert ahead.close(5)


def test_close_gives_up_on_a_thread_that_hangs_and_it_is_known_to_be_left() -> None:
    release = threading.Event()

    def hanging() -> Iterator[int]:
        release.wait(10)
        yield 1

    ahead = Ahead(hanging(), 1, "hanging")
    assert not ahead.close(0.01)
    assert left_running() == ["pointe: hanging"]
    release.set()
    assert ahead.close(5)
    assert left_running() == []


@pytest.mark.parametrize("core_free", [True, False])
def test_frames_are_the_same_whether_a_core_is_free_to_decode_them_ahead_or_not(core_free: bool) -> None:
    read_in: set[int] = set()

    def frames() -> Iterator[int]:
        for number in range(50):
            read_in.add(threading.get_ident())
            yield number
        raise ValueError("the rest cannot be read")

    taken: list[int] = []
    with pytest.raises(ValueError, match="the rest"), decoded_ahead(frames(), core_free=core_free) as ahead:
        for number in ahead:
            taken.append(number)
    assert taken == list(range(50))
    assert (threading.get_ident() in read_in) is not core_free
    assert left_running() == []


def test_who_takes_no_more_frames_leaves_no_thread_behind() -> None:
    with decoded_ahead(iter(range(10**6)), core_free=True) as ahead:
        assert next(ahead) == 0
    assert left_running() == []
