"""The four kinds of activations and their metrics, by hand; predictions in every form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicnet_build.evaluation.timbre import (
    Counts,
    count_activations,
    evaluate,
    table_lines,
)
from musicnet_build.notes import NoteTable, empty_notes


def table(*notes: tuple[float, float, int], program: int = 27) -> NoteTable:
    result = empty_notes(len(notes))
    for row, (onset, offset, pitch) in zip(result, notes, strict=True):
        row["onset_s"], row["offset_s"], row["pitch"], row["velocity"] = onset, offset, pitch, 64
    result["program"] = program
    return result


# 1 s true: 0.5 s found, 0.2 s at another pitch, 0.3 s missed; 0.4 s of what is not there.
TRUTH = table((0.0, 0.5, 60), (0.5, 1.0, 62))
PREDICTED = table((0.0, 0.5, 60), (0.5, 0.7, 64), (1.2, 1.6, 65))
COUNTS = Counts(correct=50, wrong=20, false=40, missed=30)


def test_all_four_kinds_in_one_example_counted_by_hand() -> None:
    assert count_activations(PREDICTED, TRUTH) == COUNTS


def test_metrics_of_that_example() -> None:
    assert COUNTS.precision == pytest.approx(50 / 110)
    assert COUNTS.recall == pytest.approx(50 / 80)
    assert COUNTS.f_measure == pytest.approx(2 * (50 / 110) * (50 / 80) / (50 / 110 + 50 / 80))
    assert COUNTS.accuracy == pytest.approx(50 / 140)


def test_chords_are_compared_as_sets_of_pitches() -> None:
    truth = table((0.0, 0.1, 60), (0.0, 0.1, 64))
    predicted = table((0.0, 0.1, 60), (0.0, 0.1, 65), (0.0, 0.1, 70))
    assert count_activations(predicted, truth) == Counts(correct=10, wrong=10, false=10, missed=0)


def test_what_cannot_be_said_is_not_said() -> None:
    nothing = count_activations(table(), table())
    assert (nothing.precision, nothing.recall, nothing.f_measure, nothing.accuracy) == (None, None, None, None)
    silent = count_activations(table(), TRUTH)
    assert (silent.precision, silent.recall, silent.f_measure) == (None, 0.0, 0.0)
    invented = count_activations(PREDICTED, table())
    assert (invented.precision, invented.recall, invented.f_measure) == (0.0, None, None)


@settings(deadline=None)
@given(st.integers(0, 1300))
def test_counts_do_not_depend_on_where_in_a_long_piece_the_notes_are(shift_s: int) -> None:
    def moved(notes: NoteTable) -> NoteTable:
        notes = notes.copy()
        notes["onset_s"] += shift_s
        notes["offset_s"] += shift_s
        return notes

    assert count_activations(moved(PREDICTED), moved(TRUTH)) == COUNTS


def test_a_note_across_blocks_is_counted_once() -> None:
    assert count_activations(table((0.0, 1300.0, 60)), table((0.0, 1300.0, 60))) == Counts(correct=130_000)


def test_the_report_sums_by_set_and_instrument_and_averages_over_the_sets() -> None:
    truth = {"a": {"guitar": TRUTH, "trumpet": table()}, "b": {"guitar": TRUTH, "trumpet": TRUTH}}
    predicted = {"a": {"guitar": PREDICTED}, "b": {"guitar": TRUTH, "trumpet": table()}}
    report = evaluate(predicted, truth, {"a": "guitar_alone", "b": "combined"})
    assert report["guitar_alone"]["guitar"]["correct"] == 50
    assert report["guitar_alone"]["trumpet"]["f_measure"] is None
    assert report["combined"]["all"]["correct"] == 100
    assert report["combined"]["all"]["missed"] == 100
    assert report["average"]["guitar"]["precision"] == pytest.approx((50 / 110 + 1) / 2)
    assert report["average"]["trumpet"]["recall"] == 0.0  # of the one set in which it plays
    lines = table_lines(report)
    assert len(lines) == 1 + 3 * 3
    assert "guitar_alone" in lines[1]
    assert " 50 " in lines[1]
