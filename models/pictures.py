"""The memory of pictures, used over and over: for each new array the system would have to hand out fresh pages."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.frames import Image

# More are not kept, however many their users hold.
MOST_KEPT = 32


class Pictures:
    """Arrays of one shape, each of which is lent again once nobody else holds it, nor a view of it.

    One thread takes them; whoever holds one may be in any other, and need not give it back.
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
        """Lend it again later on; those of another shape are forgotten."""
        if any(kept is image for kept in self._kept):
            return
        if self._kept and self._kept[0].shape != image.shape:
            self._kept.clear()
        if len(self._kept) < MOST_KEPT:
            self._kept.append(image)

    def take(self, shape: tuple[int, ...]) -> "Image":
        """One of this shape that nobody holds; what is in it is of no account."""
        image = self.free()
        if image is None or image.shape != shape:
            image = np.empty(shape, np.uint8)
            self.keep(image)
        return image


def _holders(images: "Sequence[Image]", place: int) -> int:
    return sys.getrefcount(images[place])


# As many as Python counts, in its present version, for an array that is in a list and nowhere else.
NOBODY_ELSE = _holders([np.empty(0, np.uint8)], 0)
