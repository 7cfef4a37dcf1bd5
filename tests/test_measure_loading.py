"""The measurement of loading measures every part of it."""

from pathlib import Path

from toys import make_model

from scripts.measure_loading import measure, parts


def test_every_part_of_loading_is_measured(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    measured = measure(folder, rounds=2)
    assert list(measured) == list(parts(folder))
    assert all(figures["clock_ms"] > 0 for figures in measured.values())
