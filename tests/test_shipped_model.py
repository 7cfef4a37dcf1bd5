"""The model that ships: it says what it is, and does on footage what its card claims."""

import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from live.evaluate import watch
from live.moves import Move, MoveTracker
from live.recognizer import Recognizer
from models.card import DEFAULT_MODEL, ENCODER_FILE, HEAD_FILE, NONE, find_model, sha256_of
from models.frames import read_video
from models.pretrained import pretrained_path


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(find_model(DEFAULT_MODEL), "cpu")


def moves_in(recognizer: Recognizer, video: Path) -> list[Move]:
    return list(watch(recognizer, MoveTracker(recognizer.card), read_video(video)).moves)


def test_its_card_says_what_it_was_trained_on_and_measured_at(recognizer: Recognizer) -> None:
    card = recognizer.card
    assert {"plie", "tendu", "pirouette", "arabesque", "saute", NONE} <= set(card.names)
    assert "made by" in card.provenance.trained_on
    assert any("F1" in name for name in card.measured)
    assert any("false moves per minute" in name for name in card.measured)
    assert any("without its phrase" in name for name in card.measured)


def test_its_page_names_every_move_and_every_figure(recognizer: Recognizer) -> None:
    page = (find_model(DEFAULT_MODEL) / "README.md").read_text("utf-8")
    for move in recognizer.card.moves:
        assert move.name == NONE or f"| {move.display} |" in page
    for name, value in recognizer.card.measured.items():
        assert f"{name}: {value}" in page


def test_its_encoder_is_the_pretrained_one_unchanged() -> None:
    assert sha256_of(find_model(DEFAULT_MODEL) / ENCODER_FILE) == sha256_of(pretrained_path("pose"))


def test_it_finds_the_plie_of_a_real_dancer(recognizer: Recognizer, shared: Path) -> None:
    # The knees bend from about 4.0 to 5.6 s.
    moves = moves_in(recognizer, shared / "video" / "ballet_plie.mp4")
    assert [move.name for move in moves] == ["plie"]
    assert 3.5 < moves[0].start_s < 4.7 and 5.0 < moves[0].end_s < 6.5


def test_it_finds_the_large_tendu_of_a_real_dancer(recognizer: Recognizer, shared: Path) -> None:
    # The foot goes out from about 4.1 s; the clip ends with it.
    moves = moves_in(recognizer, shared / "video" / "tendu_reference.mp4")
    assert [move.name for move in moves] == ["tendu"]
    assert 3.9 < moves[0].start_s < 4.6


@pytest.mark.parametrize("video", ["simple_step.mp4", "breakdance_6_step.mp4"])
def test_it_sees_no_move_in_an_everyday_step_or_in_a_breakdance(
    recognizer: Recognizer, shared: Path, video: str
) -> None:
    assert moves_in(recognizer, shared / "video" / video) == []


def test_an_empty_room_has_no_moves(recognizer: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "room.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15, (320, 240))
    for _ in range(60):
        writer.write(np.full((240, 320, 3), 140, np.uint8))
    writer.release()
    assert moves_in(recognizer, path) == []


@pytest.mark.slow
def test_the_wheel_holds_the_model_the_demo_and_the_licences(root: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(root)]
    subprocess.run(build, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    model = {f"models/{DEFAULT_MODEL}/{file}" for file in ("card.json", ENCODER_FILE, HEAD_FILE, "README.md")}
    assert model <= names
    assert {"live/assets/demo.mp4", "train/assets/dancer_mesh.npz", "pointe.py"} <= names
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}
    assert not any(name.startswith("tests/") for name in names)
