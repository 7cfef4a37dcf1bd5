"""What the sources of frames share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Self

from models.frames import Frame


class Framed(ABC):
    """`with` and iteration for a file and a live source."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        while not self.ended:
            frame = self.next(1.0)
            if frame is not None:
                yield frame

    @property
    @abstractmethod
    def ended(self) -> bool: ...

    @abstractmethod
    def next(self, timeout_s: float) -> Frame | None: ...

    @abstractmethod
    def close(self) -> None: ...
