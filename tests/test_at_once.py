"""Parts of a work, each in a process of its own."""

import os
from math import isqrt

import pytest

from train.at_once import LEAST_PARTS, each_of

PARTS = range(3 * LEAST_PARTS)


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_results_come_in_the_order_of_the_parts_whoever_made_them(processes: int) -> None:
    assert each_of(isqrt, PARTS, processes) == [isqrt(part) for part in PARTS]


def test_many_parts_are_done_by_other_processes_and_few_by_this_one() -> None:
    assert os.getpid() not in each_of(_who, PARTS, 2)
    assert set(each_of(_who, PARTS[:2], 2)) == {os.getpid()}


def test_what_a_part_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="nonnegative"):
        each_of(isqrt, [*PARTS, -1], 2)


def _who(part: int) -> int:
    return os.getpid()
