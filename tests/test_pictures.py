"""Pictures lend memory again only once nobody holds it."""

import numpy as np

from models.pictures import KEPT, Pictures

SHAPE = (4, 6, 3)


def test_a_picture_that_is_held_or_looked_into_is_not_lent_again() -> None:
    pictures = Pictures()
    first = pictures.take(SHAPE)
    part = pictures.take(SHAPE)[1:3]
    third = pictures.take(SHAPE)
    assert not any(np.shares_memory(a, b) for a, b in ((first, part), (part, third), (first, third)))


def test_a_picture_that_was_let_go_is_lent_again() -> None:
    pictures = Pictures()
    first, second = pictures.take(SHAPE), pictures.take(SHAPE)
    held, address = second, first.ctypes.data
    del first
    assert pictures.take(SHAPE).ctypes.data == address
    assert held.ctypes.data != address


def test_a_buffer_of_a_picture_keeps_it_too() -> None:
    pictures = Pictures()
    view = pictures.take(SHAPE).data
    view[0, 0, 0] = 7
    pictures.take(SHAPE)[:] = 0
    assert view[0, 0, 0] == 7


def test_a_picture_of_another_shape_replaces_those_before() -> None:
    pictures = Pictures()
    pictures.take(SHAPE)
    assert pictures.take((2, 2, 3)).shape == (2, 2, 3)
    image = pictures.free()
    assert image is not None and image.shape == (2, 2, 3)


def test_what_many_hold_is_not_kept_beyond_a_number() -> None:
    pictures = Pictures()
    held = [pictures.take(SHAPE) for _ in range(KEPT + 5)]
    assert len({image.ctypes.data for image in held}) == KEPT + 5
    held.clear()
    assert sum(pictures.free() is not None for _ in range(3)) == 3
