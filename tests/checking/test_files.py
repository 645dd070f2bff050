"""Files: labels of every format are checked and refined, and faults name the file."""

from pathlib import Path

import numpy as np
import pytest
from conftest import Music

from musicnet_build.checking.files import check_files, labels_in, refine_files
from musicnet_build.corpora.maps import write_maps_txt
from musicnet_build.errors import LabelError
from musicnet_build.labels.files import read_labels, write_labels


def test_labels_of_maps_and_of_audacity_are_told_apart(music: Music, tmp_path: Path) -> None:
    truth = read_labels(music.truth)
    write_maps_txt(tmp_path / "maps.txt", truth)
    write_labels(tmp_path / "audacity.txt", truth)
    for name in ("maps.txt", "audacity.txt"):
        np.testing.assert_allclose(labels_in(tmp_path / name)["onset_s"], truth["onset_s"], atol=1e-5)


def test_refined_labels_are_written_in_the_format_that_is_asked_for(music: Music, tmp_path: Path) -> None:
    labels = read_labels(music.truth)
    labels["onset_s"] += 0.1
    labels["offset_s"] += 0.1
    write_labels(tmp_path / "late.mid", labels)
    refined = refine_files(music.recording, tmp_path / "late.mid", tmp_path / "new.jams")
    assert len(read_labels(tmp_path / "new.jams")) == len(refined.notes) == len(labels)
    assert refined.clock is not None
    assert refined.clock.offset_s == pytest.approx(0.1, abs=0.015)


def test_a_fault_names_both_files_and_writes_nothing(music: Music, tmp_path: Path) -> None:
    drums = read_labels(music.truth)
    drums["is_drum"] = True
    write_labels(tmp_path / "drums.mid", drums)
    for call in (
        lambda: check_files(music.recording, tmp_path / "drums.mid"),
        lambda: refine_files(music.recording, tmp_path / "drums.mid", tmp_path / "out.csv"),
    ):
        with pytest.raises(LabelError, match=r"drums\.mid against .*recording\.flac"):
            call()
    assert not (tmp_path / "out.csv").exists()
