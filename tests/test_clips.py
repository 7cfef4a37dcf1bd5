"""Folders in, clips with move, split and dancer out. Files may be empty: nothing here opens a video."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UsageError
from train.clip import TEST, TRAIN, Clip, fingerprint
from train.clips import ClipSet, find_clips, move_name
from train.split import split_validation

ROOT = Path(__file__).parents[1]


def put(data: Path, *names: str) -> Path:
    for name in names:
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return data


def flat(data: Path, counts: dict[str, int], name: str = "{}.mp4") -> Path:
    return put(data, *(f"{move}/{name.format(i)}" for move, count in counts.items() for i in range(count)))


def names(found: ClipSet, split: str) -> set[str]:
    return {f"{clip.move}/{clip.path.name}" for clip in found.clips if clip.split == split}


def dancers(clips: tuple[Clip, ...], split: str) -> set[str | None]:
    return {clip.dancer for clip in clips if clip.split == split}


def reasons(found: ClipSet) -> dict[str, str]:
    return {skipped.path.name: skipped.reason for skipped in found.skipped}


def test_train_and_test_folders_say_the_split(tmp_path: Path) -> None:
    found = find_clips(put(tmp_path, "train/plie/a.mp4", "train/tendu/b.MOV", "test/plie/c.webm"))
    assert names(found, TRAIN) == {"plie/a.mp4", "tendu/b.MOV"}
    assert names(found, TEST) == {"plie/c.webm"}
    assert found.moves == ("plie", "tendu")
    assert found.displays == ("plié", "tendu")
    assert found.skipped == ()
    assert found.notes == ("no clip in the test split: tendu",)


def test_train_and_test_are_known_in_any_case_and_never_taken_for_moves(tmp_path: Path) -> None:
    found = find_clips(put(tmp_path, "Train/plie/a.mp4", "Train/tendu/b.mp4", "TEST/plie/c.mp4"))
    assert found.moves == ("plie", "tendu")
    assert names(found, TEST) == {"plie/c.mp4"}


def test_hidden_files_sidecars_and_the_cache_are_not_clips(tmp_path: Path) -> None:
    put(tmp_path, "train/plie/a.mp4", "train/plie/a.json", "train/plie/.DS_Store", "train/plie/notes.txt")
    put(tmp_path, "train/tendu/b.mp4", "train/README.md", ".pointe/movenet/train/plie/a.mp4.npz")
    found = find_clips(tmp_path)
    assert names(found, TRAIN) == {"plie/a.mp4", "tendu/b.mp4"}
    assert found.skipped == ()


def test_what_cannot_be_a_clip_is_named_with_the_reason(tmp_path: Path) -> None:
    put(tmp_path, "train/plie/a.mp4", "train/tendu/b.mp4", "train/plie/more/c.mp4", "train/lost.mp4")
    put(tmp_path, "test/saute/d.mp4", "val/plie/e.mp4", "stray.mp4", "notes.txt")
    (tmp_path / "train" / "releve").mkdir()
    found = find_clips(tmp_path)
    assert names(found, TRAIN) == {"plie/a.mp4", "tendu/b.mp4"}
    assert reasons(found) == {
        "more": "a folder inside a move's folder; put its clips into plie/ itself",
        "lost.mp4": "lies in no move's folder",
        "stray.mp4": "lies in no move's folder",
        "releve": "the folder holds no clip",
        "d.mp4": "the move 'saute' has no clip in train",
    }
    assert "not read, as it lies beside train/: val" in found.notes


@pytest.mark.skipif(sys.platform == "win32", reason="folders and files are closed as Unix does it")
@pytest.mark.parametrize("closed", ["train", "train/plie", "clips.csv"])
def test_what_may_not_be_read_is_named(tmp_path: Path, closed: str) -> None:
    put(tmp_path / "data", "train/plie/a.mp4", "train/tendu/b.mp4")
    (tmp_path / "data/clips.csv").write_text("path,dancer\n")
    code = (
        "import os, sys; from pathlib import Path; from train.clips import find_clips;"
        "from models.errors import UsageError;"
        "os.chdir(sys.argv[1]); os.getuid() or os.setuid(65534)\n"  # root may read everything
        "try: find_clips(Path())\n"
        "except UsageError as error: print(error)"
    )
    path = tmp_path / "data" / closed
    (tmp_path / "data").chmod(0o755)
    path.chmod(0)
    try:
        done = subprocess.run([sys.executable, "-c", code, tmp_path / "data"], capture_output=True, text=True, cwd=ROOT)
    finally:
        path.chmod(0o755)
    assert done.stdout.startswith(f"{closed} cannot be read: permission denied.\n"), done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_a_missing_test_split_is_said_and_no_failure(tmp_path: Path) -> None:
    found = find_clips(put(tmp_path, "train/plie/a.mp4", "train/tendu/b.mp4"))
    assert names(found, TEST) == set()
    assert any("test: no clip is kept to measure the accuracy on" in note for note in found.notes)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "holds no clip to train on"),
        (["train/plie/notes.txt"], "holds no clip to train on"),
        (["plie/a.mp4"], "clips of one move only, plie"),
        (["test/plie/a.mp4"], "test/ and no train/"),
        (["a.mp4"], "lies in no move's folder"),
        (["train/Plié/a.mp4", "train/plie/b.mp4"], "both mean the move 'plie'"),
        (["train/プリエ/a.mp4", "train/plie/b.mp4"], "no Latin letter"),
        ([f"train/{'long' * 16}/a.mp4"], "more than 60 characters"),
    ],
)
def test_a_folder_that_cannot_be_trained_on_is_refused_with_what_is_wrong(
    tmp_path: Path, files: list[str], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        find_clips(put(tmp_path, *files))


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["plie/a.mp4"], {"plie/a.mp4"}),
        (["train/plie/a.mp4"], {"plie/a.mp4"}),
        (["test/plie/a.mp4"], {"plie/a.mp4"}),
        (["train/plie/a.mp4", "test/tendu/b.mp4"], {"plie/a.mp4", "tendu/b.mp4"}),
    ],
)
def test_what_is_only_measured_may_be_too_little_to_train_on(tmp_path: Path, files: list[str], found: set[str]) -> None:
    clips = find_clips(put(tmp_path, *files), for_training=False)
    assert names(clips, TRAIN) | names(clips, TEST) == found
    assert clips.skipped == ()
    with pytest.raises(UsageError, match=r"holds no clip \(.*\n.*/<move>/"):
        find_clips(put(tmp_path / "other", "lost.mp4"), for_training=False)


def test_whether_the_split_was_told_or_drawn_is_known(tmp_path: Path) -> None:
    flat(tmp_path, {"plie": 2, "tendu": 2})
    assert find_clips(tmp_path).drawn
    (tmp_path / "clips.csv").write_text("path,dancer,split\nplie/0.mp4,,test\n")
    assert not find_clips(tmp_path).drawn
    assert not find_clips(put(tmp_path / "told", "train/plie/a.mp4", "train/tendu/a.mp4")).drawn


def test_a_missing_folder_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such folder of clips: .*nowhere"):
        find_clips(tmp_path / "nowhere")


def test_folder_names_for_people_become_ascii_names_and_stay_as_display(tmp_path: Path) -> None:
    found = find_clips(put(tmp_path, "train/Grand Plié/a.mp4", "train/grand_jete/b.mp4", "train/Œuvre [1]/c.mp4"))
    assert dict(zip(found.moves, found.displays, strict=True)) == {
        "grand_plie": "Grand Plié",
        "grand_jete": "grand jeté",
        "oeuvre_1": "Œuvre [1]",
    }


def test_train_and_test_may_write_the_same_move_differently(tmp_path: Path) -> None:
    found = find_clips(put(tmp_path, "train/Plié/a.mp4", "train/none/b.mp4", "test/plie/c.mp4"))
    assert names(found, TEST) == {"plie/c.mp4"}
    assert found.displays == ("none", "Plié")


@given(st.text(max_size=40))
def test_a_move_name_is_always_snake_case_and_naming_it_again_changes_nothing(text: str) -> None:
    name = move_name(text)
    assert name == "" or all(part.isalnum() and part.isascii() and part == part.lower() for part in name.split("_"))
    assert move_name(name) == name


def test_without_split_folders_each_move_with_two_clips_is_tested(tmp_path: Path) -> None:
    found = find_clips(flat(tmp_path, {"plie": 10, "tendu": 2, "saute": 1}))
    tested = [clip.move for clip in found.clips if clip.split == TEST]
    assert {move: tested.count(move) for move in found.moves} == {"plie": 2, "saute": 0, "tendu": 1}
    assert "no clip in the test split: saute" in found.notes
    assert any("split by clip (seed 0)" in note for note in found.notes)


def test_the_split_depends_on_the_seed_alone(tmp_path: Path) -> None:
    flat(tmp_path, {"plie": 20, "tendu": 20})
    assert find_clips(tmp_path, seed=3) == find_clips(tmp_path, seed=3)
    assert len({frozenset(names(find_clips(tmp_path, seed=seed), TEST)) for seed in range(4)}) == 4


def test_clips_that_are_added_later_leave_most_of_the_split_as_it_was(tmp_path: Path) -> None:
    before = names(find_clips(flat(tmp_path, {"plie": 20, "tendu": 20})), TEST)
    after = names(find_clips(flat(tmp_path, {"plie": 25, "tendu": 20})), TEST)
    assert len(before - after) <= 2


def test_no_clip_is_tested_where_no_fraction_is_asked_for(tmp_path: Path) -> None:
    assert names(find_clips(flat(tmp_path, {"plie": 5, "tendu": 5}), test_fraction=0), TEST) == set()
    with pytest.raises(UsageError, match="--test-fraction 1"):
        find_clips(tmp_path, test_fraction=1)


def test_a_dancer_named_in_file_names_is_never_in_both_splits(tmp_path: Path) -> None:
    for dancer in ("anna", "Ben", "carla", "dimitri", "eva"):
        flat(tmp_path, {"plie": 4, "tendu": 4}, f"dancer-{dancer}_{{}}.mp4")
    found = find_clips(tmp_path)
    train, test = dancers(found.clips, TRAIN), dancers(found.clips, TEST)
    assert train | test == {"anna", "ben", "carla", "dimitri", "eva"}
    assert not train & test
    assert len(test) == 1
    assert {clip.move for clip in found.clips if clip.split == TEST} == {"plie", "tendu"}


def test_a_dancer_who_alone_shows_a_move_trains(tmp_path: Path) -> None:
    flat(tmp_path, {"plie": 3, "tendu": 3}, "dancer-anna_{}.mp4")
    flat(tmp_path, {"plie": 3}, "dancer-ben_{}.mp4")
    found = find_clips(tmp_path)
    assert dancers(found.clips, TEST) == {"ben"}
    assert "no clip in the test split: tendu" in found.notes


def test_with_one_dancer_nobody_is_tested_and_that_is_said(tmp_path: Path) -> None:
    found = find_clips(flat(tmp_path, {"plie": 3, "tendu": 3}, "dancer-anna_{}.mp4"))
    assert names(found, TEST) == set()
    assert any("nobody, every dancer is needed to train" in note for note in found.notes)


def test_clips_csv_names_dancers_and_beats_the_file_name(tmp_path: Path) -> None:
    flat(tmp_path, {"plie": 2, "tendu": 2}, "dancer-x_{}.mp4")
    rows = ["path,dancer", "plie/dancer-x_0.mp4,anna", "tendu\\dancer-x_0.mp4,anna"]
    (tmp_path / "clips.csv").write_text("\ufeff" + "\n".join(rows), "utf-8")
    found = find_clips(tmp_path)
    assert {clip.path.name: clip.dancer for clip in found.clips} == {"dancer-x_0.mp4": "anna", "dancer-x_1.mp4": "x"}
    assert len(dancers(found.clips, TEST)) == 1


def test_a_dancer_is_the_same_however_the_name_is_written(tmp_path: Path) -> None:
    written = ("Renée  Dupont", " rene\u0301e dupont", "RENÉE DUPONT")  # also with the accent apart, as macOS keeps it
    rows = ["path,dancer"]
    for move in ("plie", "tendu"):
        put(tmp_path, f"{move}/dancer-RENÉE DUPONT_.mp4", f"{move}/dancer-rene\u0301e dupont_.mp4")
        for number, name in enumerate((*written, "Ben", "carla")):
            put(tmp_path, f"{move}/{number}.mp4")
            rows.append(f"{move}/{number}.mp4,{name}")
    (tmp_path / "clips.csv").write_text("\n".join(rows), "utf-8")
    found = find_clips(tmp_path)
    train, test = dancers(found.clips, TRAIN), dancers(found.clips, TEST)
    assert train | test == {"renée dupont", "ben", "carla"}
    assert not train & test


def test_clips_csv_may_say_the_split(tmp_path: Path) -> None:
    flat(tmp_path, {"plie": 2, "tendu": 2})
    (tmp_path / "clips.csv").write_text("path,dancer,split\nplie/0.mp4,anna,test\ntendu/1.mp4,,Train\n")
    found = find_clips(tmp_path)
    assert names(found, TEST) == {"plie/0.mp4"}
    assert "2 clips without a split in clips.csv are used to train" in found.notes


def test_a_row_of_clips_csv_that_names_no_clip_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat(tmp_path, {"plie": 2, "tendu": 2})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips.csv").write_text(f"path,dancer\nplie/7.mp4,anna\n{tmp_path}/plie/1.mp4,anna\n")
    assert reasons(find_clips(Path())) == {
        "7.mp4": "listed in clips.csv, and there is no such file",
        "1.mp4": "listed in clips.csv, and no clip by that path; paths begin in the folder of clips.csv",
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"file,who\n", "lacks a column"),
        (b"", "lacks a column"),
        (b"path,dancer,split\nplie/0.mp4,anna,dev\n", "line 2: the split 'dev' is neither"),
        (b"path,dancer\nplie/0.mp4,anna\nplie/0.mp4,ben\n", "line 3: plie/0.mp4 is listed twice"),
        (b"path,dancer,split\nplie/0.mp4,anna,test\nplie/1.mp4,anna,train\n", "anna in both train and test"),
        (b"path,dancer,split\nplie/0.mp4,Anna,test\nplie/1.mp4,anna,train\n", "anna in both train and test"),
        (b"path,dancer\nplie/0.mp4,Ren\xe9e\n", "Save it as UTF-8"),
    ],
)
def test_a_clips_csv_that_makes_no_sense_is_refused_with_the_line(tmp_path: Path, content: bytes, says: str) -> None:
    flat(tmp_path, {"plie": 2, "tendu": 2})
    (tmp_path / "clips.csv").write_bytes(content)
    with pytest.raises(UsageError, match=says):
        find_clips(tmp_path)


def test_clips_csv_may_not_contradict_the_split_folders(tmp_path: Path) -> None:
    put(tmp_path, "train/plie/a.mp4", "train/tendu/b.mp4")
    (tmp_path / "clips.csv").write_text("path,dancer,split\ntrain/plie/a.mp4,anna,test\n")
    with pytest.raises(UsageError, match="puts train/plie/a.mp4 into test, its folder into train"):
        find_clips(tmp_path)


def test_a_dancer_in_both_split_folders_is_noted(tmp_path: Path) -> None:
    put(tmp_path, "train/plie/dancer-anna_1.mp4", "train/tendu/dancer-ben_1.mp4", "test/plie/dancer-anna_2.mp4")
    assert any("in both train and test: anna" in note for note in find_clips(tmp_path).notes)


def made(move: str, count: int, dancer: str | None = None, split: str = TRAIN) -> list[Clip]:
    return [Clip(Path(f"{move}/{dancer}{i}.mp4"), move, TEST if split == TEST else TRAIN, dancer) for i in range(count)]


def test_validation_takes_from_every_move_with_two_clips(tmp_path: Path) -> None:
    clips = [*made("plie", 10), *made("tendu", 2), *made("saute", 1)]
    train, validation = split_validation(clips, fraction=0.3)
    assert sorted([*train, *validation], key=clips.index) == clips
    counts = {move: sum(clip.move == move for clip in validation) for move in ("plie", "tendu", "saute")}
    assert counts == {"plie": 3, "tendu": 1, "saute": 0}


def test_validation_never_takes_from_test() -> None:
    with pytest.raises(ValueError, match="not of the train split"):
        split_validation([*made("plie", 4), *made("plie", 1, split=TEST)])


def test_validation_goes_by_clip_where_each_dancer_alone_shows_a_move() -> None:
    clips = [*made("plie", 20, "anna"), *made("tendu", 20, "ben"), *made("none", 20, "carla")]
    train, validation = split_validation(clips)
    assert (len(train), len(validation)) == (48, 12)
    assert {clip.move for clip in validation} == {"plie", "tendu", "none"}


@given(
    st.lists(
        st.tuples(st.sampled_from(["plie", "tendu", "saute"]), st.sampled_from("abcde"), st.integers(1, 4)),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[:2],
    ),
    st.floats(0.05, 0.6),
    st.integers(0, 5),
)
def test_with_three_dancers_of_whom_one_can_be_spared_none_is_in_both_and_no_move_loses_its_last_clip(
    rows: list[tuple[str, str, int]], fraction: float, seed: int
) -> None:
    clips = list(itertools.chain.from_iterable(made(move, count, dancer) for move, dancer, count in rows))
    train, validation = split_validation(clips, fraction=fraction, seed=seed)
    assert {*train, *validation} == set(clips) and len(train) + len(validation) == len(clips)
    assert {clip.move for clip in train} == {clip.move for clip in clips}
    shown_by = {move: {dancer for shown, dancer, _ in rows if shown == move} for move, _, _ in rows}
    everybody = {dancer for _, dancer, _ in rows}
    needed = {dancer for shows in shown_by.values() if len(shows) == 1 for dancer in shows}
    if len(everybody) >= 3 and needed != everybody:
        assert validation
        assert not {clip.dancer for clip in train} & {clip.dancer for clip in validation}


def test_a_clip_is_known_by_its_content_wherever_it_lies_and_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    for name, written in (("a.mp4", content), ("b.mov", content), ("end.mp4", content[:-1] + b"x"), ("none.mp4", b"")):
        (tmp_path / name).write_bytes(written)
    known = fingerprint(tmp_path / "a.mp4")
    assert fingerprint(tmp_path / "b.mov") == known and len(known) == 16
    assert known not in (fingerprint(tmp_path / "end.mp4"), fingerprint(tmp_path / "none.mp4"))
    os.mkfifo(tmp_path / "pipe.mp4")
    assert fingerprint(tmp_path / "pipe.mp4") == fingerprint(tmp_path / "gone.mp4") == fingerprint(tmp_path) == ""
