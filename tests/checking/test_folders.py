"""Whole folders: which labels belong to which recording, and nothing is done twice."""

import shutil
from pathlib import Path

import pytest
from conftest import Music

from musicnet_build.checking.folders import check_folder, find_pairs
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels, write_labels


def test_a_musicnet_folder_is_read_by_its_layout(dataset: Path) -> None:
    pairs = find_pairs(dataset)
    assert len(pairs) >= 1
    assert all(pair.labels.suffix == ".csv" and "_labels" in str(pair.labels) for pair in pairs)


def test_labels_are_found_beside_their_recordings_and_in_another_folder(tmp_path: Path) -> None:
    for name in ("a/one.flac", "a/one.tsv", "a/one.mid", "audio/two.wav", "jams/two.jams", "alone.wav", "score.mid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = {pair.name: pair.labels.relative_to(tmp_path).as_posix() for pair in find_pairs(tmp_path)}
    assert found == {"a/one": "a/one.tsv", "audio/two": "jams/two.jams"}


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no recording with a label file"):
        find_pairs(tmp_path)


def test_what_is_done_is_not_done_again_and_a_bad_file_fails_alone(music: Music, tmp_path: Path) -> None:
    folder, work = tmp_path / "in", tmp_path / "work"
    folder.mkdir()
    for name in ("good", "bad"):
        shutil.copy(music.recording, folder / f"{name}.flac")
        write_labels(folder / f"{name}.tsv", read_labels(music.truth))
    (folder / "bad.tsv").write_text("no labels\n", encoding="utf-8")
    first, failed = check_folder(folder, work)
    assert [one.name for one in first] == ["good"]
    assert first[0].found["verdict"] == "accept"
    assert [(outcome.id, "bad.tsv" in str(outcome.reason)) for outcome in failed] == [("bad", True)]
    write_labels(folder / "bad.tsv", read_labels(music.truth))
    done: list[object] = []
    second, failed = check_folder(folder, work, on_done=lambda outcome: done.append((outcome.id, outcome.result)))
    assert (len(second), failed) == (2, [])
    assert sorted(done) == [("bad", True), ("good", False)]
