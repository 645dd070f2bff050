"""Where each label stands in the score."""

import csv
from pathlib import Path

from made_notation import HEAD, backward, measure, note, part, score

from musicnet_build.labels.files import write_labels
from musicnet_build.labels.score_notes import write_score_notes
from musicnet_build.score.reader import read_score


def test_each_label_has_its_note_id_measure_and_beat_in_the_order_of_the_labels(tmp_path: Path) -> None:
    first = measure("12a", note("C4", 1.5, note_id="x"), note("E4", 0.5, note_id="y"), note("G4", 2), head=HEAD)
    (tmp_path / "a.musicxml").write_text(score(part(first, measure(13, note("C5", 4, note_id="z"), right=backward()))))
    music = read_score(tmp_path / "a.musicxml")
    write_labels(tmp_path / "a.csv", music.notes)
    write_score_notes(tmp_path / "a.score.csv", music.notes, music)
    labels, places = (list(csv.DictReader((tmp_path / name).open())) for name in ("a.csv", "a.score.csv"))
    shared = ("start_time", "end_time", "instrument", "note")
    assert [[row[k] for k in shared] for row in labels] == [[row[k] for k in shared] for row in places]
    assert [(row["note_id"], row["measure"], row["beat"]) for row in places if row["note_id"] in "xyz"] == [
        ("x", "12a", "1"), ("y", "12a", "2.5"), ("z", "13", "1"),
        ("x", "12a", "1"), ("y", "12a", "2.5"), ("z", "13", "1"),
    ]  # fmt: skip


def test_a_midi_score_has_measures_but_no_ids(tmp_path: Path, music) -> None:
    written = read_score(music.score)
    write_score_notes(tmp_path / "a.csv", written.notes, written)
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert {row["note_id"] for row in rows} == {""}
