"""What stands in docs/performance.md is what was measured."""

import json
from pathlib import Path

import pytest
from toys import draw_clip, make_model

from live.bench_subject import EVERY_FRAME_HZ
from live.recognizer import Recognizer
from scripts.bench_growth import OUT, many_sources, one_source
from scripts.performance_page import BEGIN, END, PAGE, figures, with_figures
from scripts.performance_pictures import growth_picture, stages_picture

PNG = b"\x89PNG"


def documents() -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in OUT.glob("*.json")}


def test_the_page_holds_the_figures_of_the_documents_beside_it() -> None:
    page = PAGE.read_text("utf-8")
    assert with_figures(page, figures(documents())) == page, "run python -m scripts.performance_page"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"mine\n{BEGIN}\nold\n{END}\nmine too\n"
    assert with_figures(page, "new") == f"mine\n{BEGIN}\n\nnew\n\n{END}\nmine too\n"
    with pytest.raises(SystemExit, match="marks"):
        with_figures("a page without marks", "new")


def test_every_picture_and_document_that_the_page_names_is_there() -> None:
    page = PAGE.read_text("utf-8")
    named = [part.partition(")")[0] for part in page.split("](")[1:]]
    assert "measured/performance/stages.png" in named
    assert all((PAGE.parent / name).is_file() for name in named)


def test_the_pictures_are_drawn_from_what_was_measured() -> None:
    stages = {"decode": 3.0, "prepare": 0.3, "encode": 7.0, "head": 0.5, "draw": 0.6}
    one, other = stages_picture({"pose": stages}), stages_picture({"pose": {**stages, "encode": 20.0}})
    assert one.startswith(PNG) and one != other and one == stages_picture({"pose": stages})
    assert growth_picture(documents()["growth"]).startswith(PNG)


def test_several_sources_answer_together_and_tell_their_stages(tmp_path: Path) -> None:
    clip = draw_clip(tmp_path / "clip.mp4", [("plie", 3)])
    recognizer = Recognizer.load(make_model(tmp_path / "toy"), "cpu", sample_hz=EVERY_FRAME_HZ)
    for fps, stages_ms in (many_sources(recognizer, clip, 3, 30), one_source(recognizer, clip, 30)):
        assert fps > 0
        assert all(stages_ms[name] > 0 for name in ("decode", "encode", "head"))
