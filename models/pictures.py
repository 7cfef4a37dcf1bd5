"""The memory of pictures, used over and over: for each new array the system would have to hand out fresh pages."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.frames import Image

# As many as a file, its encoder and its display hold together, with queues full. What is held beyond is not kept.
KEPT = 40


class Pictures:
    """Arrays of one shape, each of which is lent again once nobody else holds it, nor a view of it.

    One thread takes them; whoever holds one may be in any other, and need not give it back. All are there from the
    first picture on, but none takes memory of the machine until it is written to.
    """

    def __init__(self) -> None:
        self._kept: list[Image] = []

    def free(self) -> "Image | None":
        """One that nobody holds; None where there is none."""
        for place in range(len(self._kept)):
            if _holders(self._kept, place) == NOBODY_ELSE:
                return self._kept[place]
        return None

    def keep(self, image: "Image") -> None:
        """From now on lend pictures of its shape."""
        if not self._kept or self._kept[0].shape != image.shape:
            self._kept = [image, *(np.empty(image.shape, np.uint8) for _ in range(KEPT - 1))]

    def take(self, shape: tuple[int, ...]) -> "Image":
        """One of this shape that nobody holds; what is in it is of no account."""
        if not self._kept or self._kept[0].shape != shape:
            self.keep(np.empty(shape, np.uint8))
        image = self.free()
        return np.empty(shape, np.uint8) if image is None else image


def _holders(images: "Sequence[Image]", place: int) -> int:
    return sys.getrefcount(images[place])


# As many as Python counts, in its present version, for an array that is in a list and nowhere else.
NOBODY_ELSE = _holders([np.empty(0, np.uint8)], 0)
