"""The folder of everything that an alignment knows."""

from pathlib import Path

import numpy as np
from laid_score import laid
from made_notation import REPEATS
from made_score import made_score

from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.exports.folder import write_exports
from musicnet_build.exports.names import AS_PLAYED_XML, EXPORTS
from musicnet_build.score.reader import read_score


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_notation_file_gives_every_file_and_the_same_bytes_again(tmp_path: Path) -> None:
    (tmp_path / "a.musicxml").write_text(REPEATS["a repeat"][0])
    score = read_score(tmp_path / "a.musicxml")
    paths, remarks = write_exports(tmp_path / "x", laid(score), score, tmp_path / "a.musicxml")
    assert remarks == ()
    assert set(files(tmp_path / "x")) == set(EXPORTS)
    assert len(paths) == len(EXPORTS)
    write_exports(tmp_path / "y", laid(score), score, tmp_path / "a.musicxml")
    assert files(tmp_path / "x") == files(tmp_path / "y")


def test_a_midi_file_has_no_notation_to_write_out(tmp_path: Path) -> None:
    score = made_score([60, 62, 64])
    _, remarks = write_exports(tmp_path / "x", laid(score), score, "a.mid")
    assert remarks == ()
    assert set(EXPORTS) - set(files(tmp_path / "x")) == {AS_PLAYED_XML}


def test_what_cannot_be_written_is_said_and_the_rest_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.musicxml").write_text(REPEATS["a repeat"][0])
    score = read_score(tmp_path / "a.musicxml")
    slow = TimeMap(np.array([0.0, 1.0]), np.array([1.0, 60.0]))
    alignment = laid(score, order="b0-b6", map_=slow)
    _, remarks = write_exports(tmp_path / "x", alignment, score, tmp_path / "a.musicxml")
    assert [remark.split()[0] for remark in remarks] == ["tempo_mapped.mid", "as_played.musicxml"]
    assert "inside a measure" in remarks[1]
    assert len(files(tmp_path / "x")) == len(EXPORTS) - 2
