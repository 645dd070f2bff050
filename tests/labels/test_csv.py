"""MusicNet CSV, as published and as found."""

import numpy as np
from label_notes import one_note

from musicnet_build.labels.files import DEFAULT_VELOCITY, read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE


def test_csv_has_the_bytes_of_the_published_files(tmp_path):
    notes = one_note(onset_s=0.5, offset_s=1.25, onset_beats=1 / 3, duration_beats=5 / 3)
    write_labels(
        tmp_path / "a.csv", np.concatenate([notes, one_note(onset_s=0.1, duration_beats=2.0, onset_beats=1e3)])
    )
    assert (tmp_path / "a.csv").read_bytes() == (
        b"start_time,end_time,instrument,note,start_beat,end_beat,note_value\n"
        b"4410,66150,41,60,1000.0,2.0,Half\n"
        b"22050,55125,41,60,0.333333333333,1.66666666667,Dotted Quarter\n"
    )


def test_csv_times_are_rounded_and_ends_come_after_starts(tmp_path):
    write_labels(tmp_path / "a.csv", one_note(onset_s=9.6 / SAMPLE_RATE, offset_s=9.7 / SAMPLE_RATE))
    assert (tmp_path / "a.csv").read_text().splitlines()[1].startswith("10,11,")


def test_csv_confidence_is_a_last_column_empty_where_unknown(tmp_path):
    notes = np.concatenate([one_note(confidence=0.98765), one_note(onset_s=1.2)])
    write_labels(tmp_path / "a.csv", notes, with_confidence=True)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[1] for line in lines] == ["confidence", "0.9877", ""]
    back = read_labels(tmp_path / "a.csv")["confidence"]
    assert back[0] == 0.9877
    assert np.isnan(back[1])


def test_csv_from_other_systems_is_read(tmp_path):
    path = tmp_path / "a.csv"
    head = "start_time,end_time,instrument,note,start_beat,end_beat,note_value"
    path.write_bytes(f"\ufeff{head}\r\n9182,90078,43,53,4.0,1.5,Dotted Quarter\r\n".encode())
    notes = read_labels(path)
    assert (notes["onset_s"] * SAMPLE_RATE).tolist() == [9182]
    assert (notes["program"][0], notes["pitch"][0], notes["velocity"][0]) == (42, 53, DEFAULT_VELOCITY)
    assert (notes["onset_beats"][0], notes["duration_beats"][0]) == (4.0, 1.5)
