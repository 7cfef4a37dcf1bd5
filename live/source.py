"""Where frames come from: a file gives every one of them, a live source its newest and counts what it dropped.

It knows nothing of recognition; `live.address` says what may be opened.
"""

from collections.abc import Callable, Iterator
from typing import Protocol, Self

from live.address import Address, Camera, File, understand
from live.capture import Capture, Reusing, open_address, silence_opencv
from live.file_source import FileSource
from live.live_source import LiveSource
from live.webcam import Wanted, open_webcam
from models.errors import UsageError
from models.frames import Frame


class FrameSource(Protocol):
    """Frames of one stream, in the order of their times. Opened means that the first frame has come."""

    name: str  # to be shown; holds no password
    live: bool
    paced: bool  # each frame comes when its time has come, and not as soon as it is asked for
    size: tuple[int, int]  # (width, height) of the first frame

    @property
    def rate_hz(self) -> float:
        """At which hardly a frame is lost in a recording. Time stamps are what counts."""

    @property
    def captured(self) -> int:
        """Frames that it gave, with those that were dropped."""

    @property
    def dropped(self) -> int: ...

    @property
    def reconnects(self) -> int:
        """How often it was tried to connect a live source again."""

    @property
    def trouble(self) -> str | None:
        """Why a live source is being connected again; None while all is well."""

    @property
    def status(self) -> str | None:
        """What is wrong right now, for the display; None when all is well."""

    @property
    def now_s(self) -> float | None:
        """The present on the clock of a live source's frames; None for a file."""

    @property
    def gives(self) -> str | None:
        """Size and rate of a live source as they were measured; None where they are not known."""

    @property
    def decode_s(self) -> float:
        """How long the last frame took to be read."""

    @property
    def ended(self) -> bool: ...

    def next(self, timeout_s: float) -> Frame | None:
        """The next frame; None when none came in time, while paused, or when it has ended."""

    def pause(self, paused: bool) -> None: ...

    def damage(self) -> str | None:
        """Once it has ended: what could not be read of a file; None where nothing is known, and for a live source."""

    def close(self) -> None: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exc: object) -> None: ...


def open_source(
    text: str,
    *,
    pace: bool = True,
    give_up_after_s: float | None = None,
    wanted: Wanted | None = None,
    connect: Callable[[Camera | Address], Capture] | None = None,
    beforehand: Callable[[Frame], Frame] | None = None,
) -> FrameSource:
    """Open what a user named and wait for its first frame.

    Args:
        text: a camera's number, /dev/video0, a file, an rtsp://, rtsps://, http:// or https:// address, or `demo`.
        pace: give a file's frames at their own times; otherwise as fast as they are asked for.
        give_up_after_s: a camera without a frame for so long is an error; None connects again for ever.
        wanted: what a webcam is asked for.
        connect: opens a camera or an address in place of OpenCV.
        beforehand: is done to each frame of a file in the thread that decodes it.

    Raises:
        SourceError: it may not be opened, or gives no frame; the text shows no password.
        UsageError: something is wanted of what is no webcam.
    """
    place = understand(text)
    if wanted and not isinstance(place, Camera):
        raise UsageError(f"--camera-size and --camera-fps are for webcams, and {place.shown} is none.\nLeave them out.")
    silence_opencv()
    if isinstance(place, File):
        name = "demo" if text == "demo" else None
        return FileSource(place.path, pace=pace, name=name, beforehand=beforehand)

    def open_place() -> Capture:
        if connect:
            return connect(place)
        opened = open_webcam(place, wanted or Wanted()) if isinstance(place, Camera) else open_address(place)
        return Reusing(opened)

    return LiveSource(place.shown, open_place, give_up_after_s=give_up_after_s)
