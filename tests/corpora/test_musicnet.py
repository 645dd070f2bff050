"""Half a dataset must not pass for a whole one."""

import fcntl
from pathlib import Path

import pytest

from musicnet_build.corpora.musicnet import BUILD_FOLDER, INDEX_FILE, LOCK_FILE, check_finished, recording_in
from musicnet_build.errors import DatasetError


def test_a_published_dataset_is_finished(tmp_path: Path) -> None:
    check_finished(tmp_path)


def test_a_build_at_work_or_broken_off_is_named_with_what_is_ready(tmp_path: Path) -> None:
    (tmp_path / BUILD_FOLDER).mkdir()
    (tmp_path / BUILD_FOLDER / "1.json").touch()
    with pytest.raises(DatasetError, match=r"is not finished \(1 recordings ready\): run `build` again"):
        check_finished(tmp_path)
    (tmp_path / INDEX_FILE).touch()
    check_finished(tmp_path)
    with (tmp_path / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DatasetError, match=r"a build is at work in .* \(1 recordings ready\)"):
            check_finished(tmp_path)
    check_finished(tmp_path)


def test_recordings_without_a_title_are_pieces_of_their_own(tmp_path: Path) -> None:
    """Otherwise the first of them that is tested on would take all others out of training."""
    untitled = {"composer": "Bach", "composition": "", "movement": ""}
    pieces = [recording_in(tmp_path, "train", tmp_path / name, untitled).piece for name in ("1.wav", "2.wav")]
    assert pieces == ["1", "2"]
    titled = {"composer": "Bach", "composition": "WTC I", "movement": "Fugue 2"}
    pieces = [recording_in(tmp_path, "train", tmp_path / name, titled).piece for name in ("1.wav", "2.wav")]
    assert pieces == ["Bach | WTC I | Fugue 2"] * 2
