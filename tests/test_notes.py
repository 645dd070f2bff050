"""The note table: who has a pitch, keys struck again, names of pitches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicnet_build.notes import empty_notes, end_at_restrike, pitch_name, pitch_number, pitched


def table(rows: list[tuple[float, float, int, int, int]]):
    """Rows are (onset, offset, pitch, program, part)."""
    notes = empty_notes(len(rows))
    for field, column in zip(("onset_s", "offset_s", "pitch", "program", "part"), zip(*rows, strict=True), strict=True):
        notes[field] = column
    return notes


def test_drums_have_no_pitch() -> None:
    notes = table([(0, 1, 36, 0, 0), (1, 2, 60, 0, 1), (2, 3, 38, 0, 0)])
    notes["is_drum"] = [True, False, True]
    assert pitched(notes)["pitch"].tolist() == [60]


def test_a_note_ends_where_its_part_strikes_the_pitch_again_and_the_rows_stay_in_place() -> None:
    notes = table([(1.0, 2.0, 60, 0, 0), (0.0, 1.5, 60, 0, 0), (0.5, 3.0, 60, 0, 1), (0.7, 3.0, 62, 0, 0)])
    assert end_at_restrike(notes)["offset_s"].tolist() == [2.0, 1.0, 3.0, 3.0]
    assert notes["offset_s"].tolist() == [2.0, 1.5, 3.0, 3.0], "the caller's table stays as it is"


def test_what_shares_a_keyboard_is_for_the_caller_to_say() -> None:
    notes = table([(0.0, 9.0, 60, 0, 0), (1.0, 9.0, 60, 0, 1), (2.0, 9.0, 60, 1, 2)])
    assert end_at_restrike(notes)["offset_s"].tolist() == [9.0, 9.0, 9.0]
    assert end_at_restrike(notes, by="program")["offset_s"].tolist() == [1.0, 9.0, 9.0]
    assert end_at_restrike(notes, by=None)["offset_s"].tolist() == [1.0, 2.0, 9.0]
    assert end_at_restrike(notes, by=None, gap_s=0.25)["offset_s"].tolist() == [0.75, 1.75, 9.0]


def test_an_empty_table_stays_empty() -> None:
    assert len(end_at_restrike(empty_notes())) == 0


@given(st.integers(0, 127))
def test_every_pitch_is_found_by_its_name(pitch: int) -> None:
    assert pitch_number(pitch_name(pitch)) == pitch


def test_flats_are_read_and_written_as_sharps() -> None:
    assert pitch_name(pitch_number("Db4")) == "C#4"
    assert pitch_number("Cb4") == pitch_number("B3")


@pytest.mark.parametrize("name", ["", "H4", "c4", "C##4", "C4 ", "C-2", "60"])
def test_what_is_no_pitch_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no pitch"):
        pitch_number(name)


def test_names_take_the_integers_of_a_table() -> None:
    assert pitch_name(np.int16(69)) == "A4"
