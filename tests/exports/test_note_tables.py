"""Which note of the score is which of the performance; that other programs read it is shown in ``tests/optional``."""

import csv
import io
import re
from dataclasses import replace

import numpy as np
from laid_score import laid
from made_score import made_score

from musicnet_build.exports import note_tables
from musicnet_build.exports.performed import performed_score
from musicnet_build.score.model import Measures

UPBEAT = Measures(np.array([0.0, 1.0, 4.0]), ("0", "1", "2"), np.arange(3))


def performed():
    score = replace(made_score([67, 60, 61, 64, 67], metre=(3, 4)), measures=UPBEAT)
    return performed_score(laid(score, slower=2.0, starts_s=0.5), score)


def test_a_match_line_says_where_in_the_score_and_when_in_the_recording_a_note_is() -> None:
    lines = note_tables.match_file(performed(), "Ländler (1), F").splitlines()
    assert lines[0] == "info(matchFileVersion,1.0.0)."
    assert lines[1] == "info(piece,Ländler  1   F)."
    assert lines[4:7] == [
        "scoreprop(timeSignature,3/4,0:3,0,-1.0000).",
        "snote(n1,[G,n],4,0:3,0,1/4,-1.0000,0.0000,[v1,staff1])-note(n0,67,5000,15000,80,0,0).",
        "snote(n2,[C,n],4,1:1,0,1/4,0.0000,1.0000,[v1,staff1])-note(n1,60,15000,25000,80,0,0).",
    ]
    assert len(lines) == 5 + 5


def test_places_inside_a_beat_are_fractions_of_a_whole_note() -> None:
    score = made_score([60] * 7, beats_each=1 / 3)
    lines = note_tables.match_file(performed_score(laid(score), score), "").splitlines()
    places = [re.search(r",4,(\d+:\d+,[\d/]+),", line)[1] for line in lines if line.startswith("snote")]
    assert places == ["1:1,0", "1:1,1/12", "1:1,1/6", "1:2,0", "1:2,1/12", "1:2,1/6", "1:3,0"]


def test_the_tables_hold_every_note_once_with_the_same_names() -> None:
    music = performed()
    rows = list(csv.DictReader(io.StringIO(note_tables.note_alignment_tsv(music)), delimiter="\t"))
    assert [row["xml_id"] for row in rows] == list(music.ids)
    assert [float(row["onset"]) for row in rows] == music.notes["onset_s"].tolist()
    files = {name: list(csv.DictReader(io.StringIO(text))) for name, text in note_tables.parangonada(music).items()}
    assert sorted(files) == ["align.csv", "feature.csv", "part.csv", "ppart.csv", "zalign.csv"]
    assert [row["id"] for row in files["part.csv"]] == list(music.ids)
    assert [row["ppartid"] for row in files["align.csv"]] == [row["id"] for row in files["ppart.csv"]]
    assert {row["matchtype"] for row in files["align.csv"]} == {"0"}
    assert files["part.csv"][0]["onset_beat"] == "-1"
    assert files["ppart.csv"][1]["onset_sec"] == "1.500000"
