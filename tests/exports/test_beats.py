"""Beats, downbeats and measures, and the layers of Sonic Visualiser and Audacity."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from laid_score import laid
from made_score import made_score

from musicnet_build.exports import beats
from musicnet_build.exports.performed import performed_score
from musicnet_build.score.model import Measures, TimeSignature


def performed_in(metre: tuple[int, int] | None, count: int, starts: list[float] | None = None):
    score = made_score(list(range(60, 60 + count)), metre=metre)
    if starts is not None:
        numbers = tuple(map(str, range(len(starts))))
        score = replace(score, measures=Measures(np.array(starts), numbers, np.arange(len(starts))))
    return performed_score(laid(score, slower=2.0, starts_s=0.5), score)


def test_each_quarter_of_common_time_is_a_beat_and_the_first_of_four_a_downbeat() -> None:
    found = beats.beats_of(performed_in((4, 4), 8))
    assert found.beat.tolist() == [1, 2, 3, 4] * 2
    assert found.is_downbeat.tolist() == [True, False, False, False] * 2
    np.testing.assert_allclose(found.time_s, 0.5 + np.arange(8))
    assert found.notes.tolist() == [1] * 8
    assert [found.label(i) for i in (0, 5)] == ["1:1", "2:2"]


@pytest.mark.parametrize(
    ("metre", "step"), [((6, 8), 1.5), ((12, 8), 1.5), ((3, 8), 0.5), ((2, 2), 2.0), ((5, 4), 1.0)]
)
def test_compound_metres_have_dotted_beats(metre: tuple[int, int], step: float) -> None:
    found = beats.beats_of(performed_in(metre, 12))
    np.testing.assert_allclose(np.diff(found.score_beats)[: int(4 * metre[0] / metre[1] / step) - 1], step)


def test_an_upbeat_is_no_downbeat_and_counts_to_the_end_of_its_measure() -> None:
    found = beats.beats_of(performed_in((3, 4), 7, [0.0, 1.0, 4.0]))
    assert [found.label(i) for i in range(4)] == ["0:3", "1:1", "1:2", "1:3"]
    assert found.is_downbeat.tolist() == [False, True, False, False, True, False, False]


def test_the_second_half_of_a_split_measure_goes_on_counting() -> None:
    found = beats.beats_of(performed_in((3, 4), 9, [0.0, 3.0, 5.0, 6.0]))
    assert found.beat.tolist() == [1, 2, 3, 1, 2, 3, 1, 2, 3]
    assert found.is_downbeat.tolist() == [True, False, False] * 3


def test_without_a_metre_quarter_notes_are_beats_and_none_is_a_downbeat() -> None:
    found = beats.beats_of(performed_in(None, 3))
    assert [found.label(i) for i in range(3)] == ["1", "2", "3"]
    assert not found.is_downbeat.any()


def test_a_beat_without_a_note_is_told() -> None:
    score = made_score([60, 62], beats_each=2.0)
    assert beats.beats_of(performed_score(laid(score), score)).notes.tolist() == [1, 0, 1, 0]


def test_the_tables_say_when_each_beat_and_measure_begins() -> None:
    performed = performed_in((4, 4), 8)
    rows = list(csv.DictReader(io.StringIO(beats.beats_csv(beats.beats_of(performed)))))
    assert rows[4] == {
        "time_s": "4.500000", "measure": "2", "beat": "1", "is_downbeat": "1", "score_beats": "4", "notes": "1",
    }  # fmt: skip
    measures = list(csv.reader(io.StringIO(beats.measures_csv(performed))))
    assert measures[1:] == [["1", "0.500000", "4.500000", "0", "4"], ["2", "4.500000", "8.500000", "4", "8"]]


def test_layers_hold_notes_with_pitch_and_duration_and_instants_with_a_name() -> None:
    performed = performed_in((4, 4), 2)
    notes = beats.note_marks(performed)
    assert beats.sonic_visualiser(notes).splitlines()[:2] == [
        "TIME,VALUE,DURATION,LEVEL,LABEL", "0.500000,60,1.000000,0.630,C4",
    ]  # fmt: skip
    assert beats.audacity(notes).splitlines()[1] == "1.500000\t2.500000\tC#4"
    marks = beats.beat_marks(beats.beats_of(performed))
    assert beats.sonic_visualiser(marks).splitlines() == ["TIME,LABEL", "0.500000,1:1", "1.500000,1:2"]


def test_an_event_is_where_a_chord_begins_named_by_its_pitches() -> None:
    score = made_score([60, 64])
    score.notes[["onset_beats", "onset_s"]] = 0.0, 0.0
    score.notes["offset_s"] = 0.5
    performed = performed_score(laid(score), score)
    performed.notes["onset_s"] += [0.02, 0.0]
    assert beats.audacity(beats.event_marks(performed)) == "0.700000\t0.700000\tC4 E4\n"


def test_nothing_is_marked_before_the_recording_begins() -> None:
    score = made_score([60, 62])
    performed = performed_score(laid(score, starts_s=-0.5, slower=2.0), score)
    assert [mark.text for mark in beats.beat_marks(beats.beats_of(performed))] == ["1:2"]


def test_a_time_signature_that_changes_changes_the_beats() -> None:
    score = made_score(list(range(60, 70)))
    score = replace(score, time_signatures=(TimeSignature(0.0, 4, 4), TimeSignature(4.0, 6, 8)))
    found = beats.beats_of(performed_score(laid(score), score))
    assert found.score_beats.tolist() == [0, 1, 2, 3, 4, 5.5, 7, 8.5]
