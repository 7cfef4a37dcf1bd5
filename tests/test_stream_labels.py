"""Labels beside long videos: what is taken, and what is refused in words that say where."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UsageError
from train.stream_labels import LabelError, LabelledMove, StreamLabels, Stretch, find_streams, holds_streams

PLIE = {"move": "plie", "start_s": 1.5, "end_s": 4.2}


def written(folder: Path, document: Any, name: str = "a") -> Path:
    path = folder / f"{name}.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


def test_a_whole_label_file_is_read(tmp_path: Path) -> None:
    labels = StreamLabels.read(
        written(
            tmp_path,
            {"moves": [PLIE], "ignore": [{"start_s": 4.2, "end_s": 5}], "view": "front", "dancer": "Anaïs"},
        )
    )
    assert [(span.move, span.start_s, span.end_s) for span in labels.danced] == [("plie", 1.5, 4.2)]
    assert labels.ignored == ((4.2, 5.0),)
    assert (labels.view, labels.dancer) == ("front", "Anaïs")


def test_a_bare_list_of_moves_is_enough(tmp_path: Path) -> None:
    labels = StreamLabels.read(written(tmp_path, [PLIE]))
    assert len(labels.moves) == 1 and labels.ignore == () and labels.view is None
    assert StreamLabels.read(written(tmp_path, [])).moves == ()


def test_moves_may_stand_in_any_order_and_be_named_as_folders_are(tmp_path: Path) -> None:
    later = {"move": "Grand Plié", "start_s": 5, "end_s": 6}
    assert [move.move for move in StreamLabels.read(written(tmp_path, [later, PLIE])).moves] == ["plie", "grand_plie"]


def test_none_is_what_lies_between_moves_and_no_move(tmp_path: Path) -> None:
    assert StreamLabels.read(written(tmp_path, [PLIE | {"move": "none"}])).moves == ()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"moves": [PLIE], "speed": 2}, r"a\.json: speed: no such field; known are moves, ignore, view"),
        ([PLIE | {"confidence": 1}], r"moves\[0\]\.confidence: no such field"),
        ([PLIE | {"end_s": 1.5}], r"moves\[0\]: end_s \(1\.5\) must come after start_s \(1\.5\)"),
        ([PLIE | {"start_s": -1}], r"moves\[0\]\.start_s: .*greater than or equal to 0"),
        ([PLIE | {"start_s": "1"}], r"moves\[0\]\.start_s: .*valid number"),
        ([PLIE, PLIE | {"start_s": 4, "end_s": 5}], r"moves: plie \(1\.5 to 4\.2 s\) and plie \(4 to 5 s\) overlap"),
        ([{"move": "plie", "start_s": 1}], r"moves\[0\]\.end_s: Field required"),
        ([PLIE | {"move": "プリエ"}], r"moves\[0\]\.move: 'プリエ' has no Latin letter"),
        ({"moves": [], "ignore": [{"start_s": 3, "end_s": 2}]}, r"ignore\[0\]: end_s \(2\) must come after"),
        ({"moves": [], "view": "a\nb"}, r"view: holds a character that cannot be printed"),
        ({"ignore": []}, r"moves: Field required"),
        ("{", r"a\.json is no JSON"),
        ('[{"move": "plie", "start_s": NaN, "end_s": 2}]', r"moves\[0\]\.start_s"),
        ("[" * 100_000, r"a\.json is no JSON"),
        (f'[{{"move": "plie", "start_s": 1, "end_s": {"9" * 5000}}}]', r"a\.json is no JSON: .*5000 digits"),
        (3, r"the document: "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, document: Any, said: str) -> None:
    with pytest.raises(LabelError, match=said) as caught:
        StreamLabels.read(written(tmp_path, document))
    assert len(str(caught.value).splitlines()) == 1


def test_labels_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelError, match="no JSON"):
        StreamLabels.read(tmp_path / "a.json")


def test_labels_of_another_video_are_noticed() -> None:
    labels = StreamLabels(moves=(LabelledMove(move="plie", start_s=1, end_s=3),), ignore=())
    labels.check(2.0)  # a move that the end cuts off is one
    with pytest.raises(LabelError, match=r"go on at 1 s and the video ends at 0\.50 s"):
        labels.check(0.5)


def test_of_a_video_that_is_cut_off_the_labels_end_with_what_was_seen() -> None:
    later = LabelledMove(move="saute", start_s=5, end_s=6)
    labels = StreamLabels(
        moves=(LabelledMove(**PLIE), later), ignore=(Stretch(start_s=0, end_s=1), Stretch(start_s=2, end_s=4)), view="a"
    )
    assert labels.until(3.0) == StreamLabels(
        moves=(LabelledMove(**PLIE | {"end_s": 3.0}),),
        ignore=(Stretch(start_s=0, end_s=1), Stretch(start_s=2, end_s=3)),
        view="a",
    )
    assert labels.until(9.0) == labels


@st.composite
def any_labels(draw: st.DrawFn) -> StreamLabels:
    times = sorted(draw(st.lists(st.integers(0, 10_000), unique=True, max_size=12)))
    pairs = [(start / 100, end / 100) for start, end in zip(times[::2], times[1::2], strict=False)]
    names = st.sampled_from(["plie", "grand_jete"])
    text = st.none() | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
    return StreamLabels(
        moves=tuple(LabelledMove(move=draw(names), start_s=start, end_s=end) for start, end in pairs),
        ignore=tuple(Stretch(start_s=start, end_s=end) for start, end in draw(st.permutations(pairs))[:2]),
        view=draw(text),
        dancer=draw(text),
    )


@given(any_labels())
def test_what_is_saved_is_read_again(tmp_path_factory: pytest.TempPathFactory, labels: StreamLabels) -> None:
    path = tmp_path_factory.getbasetemp() / "round" / "a.json"
    labels.save(path)
    assert StreamLabels.read(path) == labels


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(10**400) | st.floats() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(["moves", "ignore", "view", "move", "start_s", "end_s", "?"]), part, max_size=4
        )
    ),
    max_leaves=12,
)


@given(anything)
def test_whatever_json_is_there_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    path = written(tmp_path_factory.getbasetemp(), document, "fuzz")
    try:
        labels = StreamLabels.read(path)
    except LabelError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert all(span.start_s < span.end_s for span in labels.danced)


def test_what_cannot_be_used_is_listed_with_its_reason(tmp_path: Path) -> None:
    for name in ("good.mp4", "bare.mp4", "wrong.mp4", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).touch()
    written(tmp_path, [PLIE], "good")
    written(tmp_path, [PLIE | {"end_s": 0}], "wrong")
    written(tmp_path, [PLIE], "lonely")
    (tmp_path / "lost.mp4").symlink_to("nowhere")
    found = find_streams(tmp_path)
    assert [video.path.name for video in found.videos] == ["good.mp4"]
    reasons = {entry.path.name: entry.reason for entry in found.skipped}
    assert set(reasons) == {"bare.mp4", "wrong.mp4", "lonely.json", "lost.mp4"}
    assert reasons["lost.mp4"] == "no ordinary file"
    assert "no bare.json beside it" in reasons["bare.mp4"]
    assert "must come after" in reasons["wrong.mp4"]
    assert "without a video" in reasons["lonely.json"]


def test_folders_beside_the_videos_are_listed_and_labels_are_of_one_video_alone(tmp_path: Path) -> None:
    for name in ("a.mkv", "a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    for name in ("monday", ".pointe"):
        (tmp_path / name).mkdir()
    written(tmp_path, [PLIE], "a")
    written(tmp_path, [PLIE], "b")
    found = find_streams(tmp_path)
    assert [video.path.name for video in found.videos] == ["a.mkv", "b.mp4"]
    assert {entry.path.name: entry.reason for entry in found.skipped} == {
        "a.mp4": "a.json is taken for the labels of a.mkv; rename one",
        "monday": "a folder beside the videos is not looked into; evaluate it by itself",
    }


def test_one_video_may_be_given_alone(tmp_path: Path) -> None:
    (tmp_path / "good.mp4").touch()
    written(tmp_path, [PLIE], "good")
    assert [video.path.name for video in find_streams(tmp_path / "good.mp4").videos] == ["good.mp4"]


def test_where_nothing_is_labelled_it_is_said_what_to_put_there(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(UsageError, match=r"a\.mp4: no labels(.|\n)*NAME\.json beside NAME\.mp4"):
        find_streams(tmp_path)


def test_folders_of_clips_and_of_streams_are_told_apart(tmp_path: Path) -> None:
    clips, streams, bare = tmp_path / "clips", tmp_path / "streams", tmp_path / "bare"
    (clips / "train" / "plie").mkdir(parents=True)
    (clips / "train" / "plie" / "a.mp4").touch()
    (clips / "stray.mp4").touch()
    (clips / "about.json").touch()
    (streams / "cut").mkdir(parents=True)
    (streams / "a.mp4").touch()
    written(streams, [])
    bare.mkdir()
    (bare / "a.mp4").touch()
    assert [holds_streams(folder) for folder in (clips, streams, bare, tmp_path / "absent")] == [
        False,
        True,
        True,
        False,
    ]
    assert holds_streams(streams / "a.mp4")
