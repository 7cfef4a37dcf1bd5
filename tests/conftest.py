"""Fixtures that several test files share."""

import os
from collections.abc import Iterator
from pathlib import Path

# Before any test imports TensorFlow, OpenCV or Qt: their native lines would bury the report.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

import pytest
from hypothesis import settings

from models.machine import cores
from models.threads import left_running

ROOT = Path(__file__).parent.parent

# No property is about time, and whoever runs the tests may do something else meanwhile.
settings.register_profile("pointe", deadline=None)
settings.load_profile("pointe")


def pytest_xdist_auto_num_workers() -> int:
    """Many tests wait, for cameras that hang and processes that end: the cores have time for two more."""
    return cores() + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that in the end no core waits for the last of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recordings, motion and reference weights that lie beside the checkout but are no part of the project."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of shared test data is absent")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """Fails where a thread of ours is left; for `pytestmark` of files whose every test must end its own."""
    yield
    assert left_running() == []


@pytest.fixture
def model(tmp_path: Path) -> str:
    """The folder of the toy model."""
    from toys import make_model

    return str(make_model(tmp_path / "toy"))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """The clip of `toys.STRETCHES`."""
    from toys import STRETCHES, draw_clip

    return draw_clip(tmp_path / "clip.mp4", STRETCHES)
