"""Labels between tabs, as loaders and people write them."""

import numpy as np
from label_notes import one_note

from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.score.programs import PROGRAM_NAMES


def test_tsv_loads_with_numpy_and_has_the_header_of_the_loaders(tmp_path):
    write_labels(tmp_path / "a.tsv", one_note())
    assert (tmp_path / "a.tsv").read_text() == "# onset,offset,note,velocity\n1.000000\t1.500000\t60\t64\n"
    assert np.loadtxt(tmp_path / "a.tsv", delimiter="\t").tolist() == [1.0, 1.5, 60.0, 64.0]


def test_tsv_of_floats_is_read_as_other_programs_write_it(tmp_path):
    (tmp_path / "a.tsv").write_text("# onset,offset,note,velocity\n1.000000\t1.500000\t60.000000\t64.000000\n")
    assert read_labels(tmp_path / "a.tsv")["pitch"].tolist() == [60]


def test_audacity_shows_pitch_and_instrument(tmp_path):
    write_labels(tmp_path / "a.txt", one_note(pitch=61))
    assert (tmp_path / "a.txt").read_text() == "1.000000\t1.500000\tC#4 violin\n"


def test_labels_typed_by_hand_in_audacity_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("0\t1\tDb4 Violin\n\\\t100\t200\n1\t2\t61\n2\t3\tC-1\n")
    notes = read_labels(tmp_path / "a.txt")
    assert notes["pitch"].tolist() == [61, 61, 0]
    assert notes["program"].tolist() == [40, 0, 0]


def test_instrument_names_can_be_told_apart():
    assert len(set(PROGRAM_NAMES)) == 128
