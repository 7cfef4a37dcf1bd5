"""What the measurements keep of drawings is of what draws now, and whole."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models.pretrained import pretrained_path
from scripts import measure_estimator
from scripts.measure_estimator import draw_takes, see_take
from scripts.measure_mocap import AZIMUTHS_DEG, DRAWING, film_all
from train.choreography import make_clip


@contextmanager
def full_disk() -> Iterator[None]:
    """Every file ends after 100 bytes, as where the disk is full or the process is killed half-way."""
    resource = pytest.importorskip("resource", reason="limits as Unix has them")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_half_a_film_of_a_recording_is_never_taken_for_whole(tmp_path: Path) -> None:
    stream = make_clip("pirouette", 3)
    np.savez(tmp_path / "a.npz", positions=stream.positions[:12], joints=stream.joint_names, fps=stream.hz)
    (tmp_path / "labels.json").write_text('{"a": {"moves": [], "ignore": []}}')
    with pytest.raises(OSError), full_disk():
        list(film_all(tmp_path, 5.0, tmp_path / "cache"))
    assert [trial.azimuth_deg for trial in film_all(tmp_path, 5.0, tmp_path / "cache")] == list(AZIMUTHS_DEG)


def test_half_a_take_and_half_of_what_was_seen_in_it_are_never_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure_estimator, "LONGEST_S", 0.2)  # or it draws for seconds
    tmp_path.joinpath("cache").mkdir()
    with pytest.raises(OSError), full_disk():
        draw_takes(1, tmp_path / "cache")
    [take] = draw_takes(1, tmp_path / "cache")
    encoder = pretrained_path("pose")
    with pytest.raises(OSError), full_disk():
        see_take(0, take, encoder, tmp_path / "cache")
    assert see_take(0, take, encoder, tmp_path / "cache").shape == (len(take.pictures), 17, 3)


def test_all_that_draws_a_recording_is_in_the_key_of_its_film(root: Path) -> None:
    drawing = {module.__name__ for module in DRAWING}
    for name in drawing:
        tree = ast.parse((root / f"{name.replace('.', '/')}.py").read_text("utf-8"))
        needed = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {module for module in needed if module.partition(".")[0] == "train"} <= drawing, name


def test_a_take_is_drawn_anew_once_its_numbers_its_code_or_the_body_changed(root: Path, tmp_path: Path) -> None:
    for package in ("scripts", "train"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "models").symlink_to(root / "models")
    cache = tmp_path / "cache"

    def drawn() -> int:
        code = f"from pathlib import Path; from scripts.measure_estimator import *; draw_takes(1, Path({str(cache)!r}))"
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
        return len(list(cache.iterdir()))

    script = tmp_path / "scripts" / "measure_estimator.py"
    script.write_text(script.read_text("utf-8").replace("LONGEST_S = 4.0", "LONGEST_S = 0.2"), "utf-8")
    assert [drawn(), drawn()] == [1, 1]
    script.write_text(script.read_text("utf-8").replace("LONGEST_S = 0.2", "LONGEST_S = 0.4"), "utf-8")
    assert drawn() == 2
    for path in (tmp_path / "train" / "leaps.py", tmp_path / "train" / "assets" / "dancer_mesh.npz"):
        with path.open("ab") as file:
            file.write(b"\nMORE = 1\n")
        before = len(list(cache.iterdir()))
        assert drawn() == before + 1, path.name
