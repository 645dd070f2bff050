"""Labels against the truth: matching, errors, score time, note F1 and calibration by hand; files of every format."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.alignment import (
    calibration,
    evaluate,
    integrated_difference,
    match_notes,
    note_match,
    score_time_errors,
    summary,
)
from musicnet_build.evaluation.files import evaluate_files, read_notes
from musicnet_build.evaluation.report import draw_evaluation, plot_evaluation, table_lines
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import NoteTable, empty_notes

UNKNOWN = np.nan


def notes(
    onset_s: Sequence[float],
    *,
    beats: Sequence[float] | float = UNKNOWN,
    pitch: Sequence[int] | int = 60,
    program: Sequence[int] | int = 0,
    length_s: float = 0.5,
    confidence: Sequence[float] | float = UNKNOWN,
) -> NoteTable:
    table = empty_notes(len(onset_s))
    table["onset_s"] = onset_s
    table["offset_s"] = table["onset_s"] + length_s
    table["onset_beats"], table["pitch"], table["program"], table["confidence"] = beats, pitch, program, confidence
    table["velocity"] = 64
    table["duration_beats"] = 0.5
    return table


def pairs(truth: NoteTable, labels: NoteTable) -> list[tuple[int, int]]:
    return list(zip(*(places.tolist() for places in match_notes(truth, labels)), strict=True))


def a_tune(count: int = 40) -> NoteTable:
    """Notes of a scale that climbs and falls, two of them at once, each pitch often repeated."""
    steps = np.arange(count)
    pitch = 60 + np.abs(steps % 14 - 7)
    return notes(1.0 + 0.3 * (steps // 2), beats=0.5 * (steps // 2), pitch=pitch + 12 * (steps % 2), length_s=0.4)


# ---------------------------------------------------------------------------------------------------------------------
# Matching


def test_the_beat_decides_before_the_time() -> None:
    truth = notes([1.0, 1.2, 1.4], beats=[0.0, 0.5, 1.0])
    labels = notes([1.19, 1.41, 1.9], beats=[0.0, 0.5, 1.0])  # each a note late
    assert pairs(truth, labels) == [(0, 0), (1, 1), (2, 2)]
    # Of two beats that are within the tolerance, the nearer.
    truth, labels = notes([1.0, 1.2], beats=[0.0, 0.05]), notes([1.0, 1.2], beats=[0.05, 0.0])
    assert pairs(truth, labels) == [(0, 1), (1, 0)]


def test_other_pitches_and_beats_further_than_the_tolerance_do_not_match() -> None:
    truth = notes([1.0, 2.0, 3.0], beats=[0.0, 1.0, 2.0], pitch=[60, 62, 64])
    labels = notes([1.0, 2.0, 3.0], beats=[0.0, 1.059, 2.061], pitch=[61, 62, 64])
    assert pairs(truth, labels) == [(1, 1)]


def test_at_one_beat_the_program_decides_before_the_time() -> None:
    truth = notes([1.00, 1.10], beats=0.0, program=[40, 73])
    labels = notes([1.01, 1.09], beats=0.0, program=[73, 40])
    assert pairs(truth, labels) == [(0, 1), (1, 0)]


def test_programs_that_one_side_does_not_know_say_nothing() -> None:
    truth = notes([1.00, 1.10], beats=0.0)
    labels = notes([1.01, 1.09], beats=0.0, program=[73, 0])
    assert pairs(truth, labels) == [(0, 0), (1, 1)]


def test_a_passage_played_twice_is_matched_in_time() -> None:
    truth = notes([1.0, 2.0, 11.0, 12.0], beats=[0.0, 1.0, 0.0, 1.0])
    labels = notes([11.1, 12.1, 1.1, 2.1], beats=[0.0, 1.0, 0.0, 1.0])
    assert pairs(truth, labels) == [(0, 2), (1, 3), (2, 0), (3, 1)]


def test_without_beats_notes_keep_their_order_and_the_odd_one_is_left_over() -> None:
    truth = notes([1.0, 1.2, 1.4, 1.6])
    assert pairs(truth, notes([1.15, 1.35, 1.55, 1.75])) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert pairs(truth, notes([1.01, 1.38, 1.61])) == [(0, 0), (2, 1), (3, 2)]
    assert pairs(notes([1.0, 100.0]), notes([94.9, 1.1])) == [(0, 1)]


def test_of_equal_sums_the_matching_in_order_is_taken() -> None:
    assert pairs(notes([0.0, 1.0]), notes([2.0, 3.0])) == [(0, 0), (1, 1)]


def test_notes_in_unison_share_the_one_label_that_a_list_of_labels_has_of_them() -> None:
    truth = notes([1.0, 1.0, 2.0], beats=[0.0, 0.0, 1.0])
    found = evaluate(truth, notes([1.01, 2.0], beats=[0.0, 1.0]))
    assert (found.notes_without_label, found.labels_without_note) == (0, 0)
    np.testing.assert_allclose(found.onset_error_s, [0.01, 0.01, 0.0])
    # But not that of another note.
    assert evaluate(truth, notes([2.0], beats=1.0)).notes_without_label == 2


@given(st.integers(0, 2**32 - 1))
def test_no_label_is_lost_and_the_order_of_rows_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, labels = (
        notes(random.uniform(0, 20, count), pitch=random.integers(60, 63, count)) for count in random.integers(1, 40, 2)
    )
    true, label = match_notes(truth, labels)
    assert len(set(true.tolist())) == len(true)
    assert len(set(label.tolist())) == len(label)
    np.testing.assert_array_equal(truth["pitch"][true], labels["pitch"][label])
    order, other = random.permutation(len(truth)), random.permutation(len(labels))
    true_again, label_again = match_notes(truth[order], labels[other])
    error = np.sort(labels["onset_s"][label] - truth["onset_s"][true])
    error_again = np.sort(labels["onset_s"][other][label_again] - truth["onset_s"][order][true_again])
    np.testing.assert_allclose(error, error_again, atol=1e-9)


def test_more_notes_of_one_pitch_than_can_be_told_apart_are_refused() -> None:
    many = notes(np.arange(4001) * 0.01)
    with pytest.raises(LabelError, match="too closely"):
        match_notes(many, many)


# ---------------------------------------------------------------------------------------------------------------------
# Errors


def test_errors_by_hand() -> None:
    truth = notes([1.0, 2.0, 3.0, 4.0, 5.0], beats=[0, 1, 2, 3, 4])
    labels = notes([1.005, 1.98, 3.2, 4.03], beats=[0, 1, 2, 3], length_s=0.6)
    found = evaluate(truth, np.concatenate([labels, notes([9.0], beats=9)]))
    onset = found.onset
    assert (found.notes_without_label, found.labels_without_note) == (1, 1)
    assert (onset.notes, onset.matched) == (5, 4)
    assert onset.bias_ms == pytest.approx(17.5)  # of -20, 5, 30, 200
    assert onset.signed_mean_ms == pytest.approx(53.75)
    assert onset.median_ms == pytest.approx(25)
    assert onset.mean_ms == pytest.approx(63.75)
    assert onset.p95_ms == pytest.approx(30 + 0.85 * 170)
    assert onset.worst_ms == pytest.approx(200)
    # The note without a label is within no tolerance.
    within = (onset.within_10_ms, onset.within_25_ms, onset.within_50_ms, onset.within_100_ms)
    assert within == pytest.approx((0.2, 0.4, 0.6, 0.6))
    assert found.offset is not None
    assert found.offset.bias_ms == pytest.approx(117.5)


def test_perfect_labels_are_perfect() -> None:
    truth = a_tune()
    found = evaluate(truth, truth)
    assert found.onset.worst_ms == 0
    assert found.onset.within_10_ms == 1
    assert found.score_time is not None
    assert (found.score_time.time_err_ms, found.score_time.time_dev_ms) == (0, 0)
    assert found.notes_by_onset.f1 == 1
    assert found.notes_by_onset_and_offset is not None
    assert found.notes_by_onset_and_offset.f1 == 1


@pytest.mark.parametrize("shift_s", [-0.03, 0.07])
def test_labels_that_are_all_shifted_have_the_shift_in_every_measure(shift_s: float) -> None:
    truth, labels = a_tune(), a_tune()
    labels["onset_s"] += shift_s
    labels["offset_s"] += shift_s
    found = evaluate(truth, labels)
    assert found.offset is not None
    assert found.score_time is not None
    for value in (found.onset.bias_ms, found.onset.signed_mean_ms, found.offset.bias_ms):
        assert value == pytest.approx(1000 * shift_s)
    for value in (found.onset.median_ms, found.onset.p95_ms, found.onset.worst_ms, *vars(found.score_time).values()):
        assert value == pytest.approx(1000 * abs(shift_s))
    assert found.onset.within_50_ms == (1 if abs(shift_s) < 0.05 else 0)
    assert found.notes_by_onset.f1 == (1 if abs(shift_s) < 0.05 else 0)


def test_offsets_count_only_where_they_are_known() -> None:
    truth = notes([1.0, 2.0], beats=[0, 1])
    truth["offset_s"][0] = UNKNOWN
    found = evaluate(truth, notes([1.0, 2.0], beats=[0, 1], length_s=0.7))
    assert found.offset is not None
    assert (found.offset.notes, found.offset.matched) == (1, 1)
    assert found.offset.median_ms == pytest.approx(200)
    assert found.notes_by_onset_and_offset is None
    truth["offset_s"] = UNKNOWN
    assert evaluate(truth, notes([1.0, 2.0])).offset is None
    known, unknown = notes([1.0, 2.0]), notes([1.0, 2.0])
    unknown["offset_s"] = UNKNOWN
    found = evaluate(known, unknown)
    assert found.offset is found.notes_by_onset_and_offset is None


def test_labels_of_other_music_are_refused() -> None:
    with pytest.raises(LabelError, match="none of the 2 true notes"):
        evaluate(notes([1.0, 2.0]), notes([1.0, 2.0], pitch=61))


# ---------------------------------------------------------------------------------------------------------------------
# Score time


def test_time_err_and_time_dev_by_hand() -> None:
    # From 0.1 to 0.1 over a beat, from 0.1 to -0.3 over two: there it crosses zero after half a beat.
    mean_absolute, root_mean_square = integrated_difference(np.array([0.0, 1.0, 3.0]), np.array([0.1, 0.1, -0.3]))
    triangles = 0.1 * 0.5 / 2 + 0.3 * 1.5 / 2
    assert mean_absolute == pytest.approx((0.1 + triangles) / 3)
    assert root_mean_square == pytest.approx(np.sqrt((0.01 + 2 * (0.01 - 0.03 + 0.09) / 3) / 3))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0.01, 5.0), st.floats(-2.0, 2.0) | st.just(0.0)), min_size=2, max_size=12),
)
def test_time_err_and_time_dev_are_what_dense_numerical_integration_gives(knots: list[tuple[float, float]]) -> None:
    steps, difference = (np.array(column) for column in zip(*knots, strict=True))
    position = np.cumsum(steps)
    found = integrated_difference(position, difference)
    edges = np.linspace(position[0], position[-1], 400_001)
    dense = np.interp((edges[:-1] + edges[1:]) / 2, position, difference)
    assert found[0] == pytest.approx(np.mean(np.abs(dense)), rel=1e-3, abs=1e-6)
    assert found[1] == pytest.approx(np.sqrt(np.mean(dense**2)), rel=1e-3, abs=1e-6)


def test_a_chord_is_one_place_of_the_score_with_its_mean_time() -> None:
    # Errors of -20 and +40 ms in the first chord, 0 in the second: a line from 10 ms to 0.
    truth = notes([1.0, 1.02, 2.0], beats=[0.333333333333, 0.33333, 1.5], pitch=[60, 64, 60])
    labels = notes([0.98, 1.06, 2.0], beats=[0.33333, 0.33333, 1.5], pitch=[60, 64, 60])
    found = score_time_errors(truth, labels)
    assert found is not None
    assert found.time_err_ms == pytest.approx(5)
    assert found.time_dev_ms == pytest.approx(10 / np.sqrt(3))


def test_score_time_is_taken_from_whichever_side_has_it() -> None:
    with_beats, without = a_tune(), a_tune()
    without["onset_beats"] = UNKNOWN
    without["onset_s"] += np.linspace(0, 0.05, len(without))
    one, other = evaluate(without, with_beats).score_time, evaluate(with_beats, without).score_time
    assert one is not None
    assert other is not None
    assert one.time_err_ms == pytest.approx(other.time_err_ms)


def test_there_is_no_score_time_without_beats_or_where_a_passage_is_played_again() -> None:
    tune, again = a_tune(), a_tune()
    again["onset_s"] += 30
    again["offset_s"] += 30
    twice = np.concatenate([tune, again])
    assert evaluate(twice, twice).score_time is None
    tune["onset_beats"] = UNKNOWN
    assert evaluate(tune, tune).score_time is None
    assert evaluate(notes([1.0], beats=0), notes([1.0], beats=0)).score_time is None


# ---------------------------------------------------------------------------------------------------------------------
# Notes as a transcription; confidence


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_note_f1_is_that_of_mir_eval(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = notes(np.round(random.uniform(0, 8, 60), 2), pitch=random.integers(60, 66, 60))
    labels = truth[random.permutation(60)[:50]].copy()
    labels["onset_s"] += np.round(random.normal(0, 0.04, 50), 2)
    labels["offset_s"] = labels["onset_s"] + random.uniform(0.3, 0.7, 50)
    labels["onset_s"] = np.maximum(labels["onset_s"], 0)
    intervals = [np.stack([one["onset_s"], one["offset_s"]], axis=1) for one in (truth, labels)]
    hertz = [mir_eval.util.midi_to_hz(one["pitch"]) for one in (truth, labels)]
    for with_offsets, ratio in ((False, None), (True, 0.2)):
        expected = mir_eval.transcription.precision_recall_f1_overlap(
            intervals[0], hertz[0], intervals[1], hertz[1], offset_ratio=ratio
        )
        found = note_match(truth, labels, with_offsets=with_offsets)
        assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])


def test_calibration_by_hand() -> None:
    confidence = np.array([0.95, 1.0, 0.9, 0.31, 0.39, np.nan])
    right = np.array([True, True, False, True, False, True])
    found = calibration(confidence, right)
    assert found is not None
    assert found.labels == 5
    assert [one.labels for one in found.bins] == [0, 0, 0, 2, 0, 0, 0, 0, 0, 3]
    last = found.bins[-1]
    assert (last.low, last.high, last.mean_confidence, last.right) == pytest.approx((0.9, 1.0, 0.95, 2 / 3))
    assert found.expected_calibration_error == pytest.approx((2 * 0.15 + 3 * (0.95 - 2 / 3)) / 5)
    assert found.brier == pytest.approx((0.05**2 + 0 + 0.9**2 + 0.69**2 + 0.39**2) / 5)
    assert found.auc == pytest.approx(4 / 6)  # of six pairs of a right and a wrong one, those with 0.95 and 1.0


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40))
def test_the_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, bool]]) -> None:
    confidence, right = np.array([row[0] / 20 for row in rows]), np.array([row[1] for row in rows])
    found = calibration(confidence, right)
    assert found is not None
    assert sum(one.labels for one in found.bins) == len(rows)
    difference = np.subtract.outer(confidence[right], confidence[~right])
    if difference.size:
        assert found.auc == pytest.approx(np.mean((difference > 0) + 0.5 * (difference == 0)))
    else:
        assert found.auc is None


def test_confidence_is_judged_on_labels_that_belong_to_a_note() -> None:
    truth = notes([1.0, 2.0, 3.0], beats=[0, 1, 2])
    labels = notes([1.0, 2.2, 9.0], beats=[0, 1, 8], confidence=[0.9, 0.2, 0.7])
    found = evaluate(truth, labels).calibration
    assert found is not None
    assert (found.labels, found.mean_confidence, found.right, found.auc) == pytest.approx((2, 0.55, 0.5, 1.0))
    assert evaluate(truth, truth).calibration is None


def test_the_summary_adds_counts_averages_measures_and_judges_confidences_together() -> None:
    truth = notes([1.0, 2.0], beats=[0, 1])
    good = evaluate(truth, notes([1.01, 2.01], beats=[0, 1], confidence=0.9))
    bad = evaluate(truth[:1], notes([1.21], beats=[0], confidence=0.2))
    found = summary([good, bad])
    assert found["true_notes"] == found["onset"]["notes"] == 3
    assert found["onset"]["median_ms"] == pytest.approx(110)
    assert found["onset"]["within_50_ms"] == pytest.approx(0.5)
    assert found["score_time"]["time_err_ms"] == pytest.approx(10)  # one note alone has none
    assert found["calibration"]["auc"] == 1


# ---------------------------------------------------------------------------------------------------------------------
# Files


def write_json(path: Path, values: Any) -> Path:
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_json_as_objects_under_every_name_and_as_lists(tmp_path: Path) -> None:
    tables = [
        {"notes": [{"pitch": 60, "onset_s": 1.0, "offset_s": 2.0}], "title": "any"},
        [{"note": 60, "onset": 1.0, "offset": 2.0}],
        [{"pitch": 60, "start": 1, "end": 2}],
        {"notes": [{"pitch": 60.0, "p_on": 1.0, "p_off": 2.0, "vel": 64}]},
        [[1.0, 2.0, 60]],
        [[1.0, 2.0, 60, 64]],
    ]
    for values in tables:
        (note,) = read_notes(write_json(tmp_path / "truth.json", values))
        assert (note["pitch"], note["onset_s"], note["offset_s"]) == (60, 1.0, 2.0)
        assert np.isnan(note["onset_beats"])


def test_json_keeps_beats_and_programs_and_leaves_out_what_was_not_played(tmp_path: Path) -> None:
    rows = [
        {"pitch": 64, "p_on": 3.0, "p_off": None, "beat_on": 1.0},
        {"pitch": 62, "p_on": None, "p_off": None, "beat_on": 0.5},
        {"pitch": 60, "p_on": 2.0, "p_off": 2.5, "beat_on": 0.0, "program": 40},
    ]
    with pytest.warns(UserWarning, match="1 of 3 notes have no onset"):
        found = read_notes(write_json(tmp_path / "truth.json", {"notes": rows}))
    assert found["pitch"].tolist() == [60, 64]
    assert found["onset_beats"].tolist() == [0.0, 1.0]
    assert found["program"].tolist() == [40, 0]
    np.testing.assert_equal(found["offset_s"], [2.5, np.nan])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1"),
        ("[1, 2", "line 1"),
        ("3", "neither a list"),
        ('{"a": []}', "neither a list"),
        ('{"annotations": []}', "ending .jams"),
        ("[]", "has no notes"),
        ("[7]", "note 0 is neither"),
        ("[[1, 2]]", "note 0 is neither"),
        ('[{"pitch": 60}]', "note 0 has no onset"),
        ('[{"onset": 1}]', "note 0 has no pitch"),
        ('[{"onset": "1", "pitch": 60}]', "onset is '1'"),
        ('[{"onset": true, "pitch": 60}]', "onset is 'True'"),
        ('[{"onset": NaN, "pitch": 60}]', "onset is 'nan'"),
        ('[{"onset": -1, "pitch": 60}]', "starts before"),
        ("[[1, 2, 60], [1, 1, 60]]", "note 1 does not end"),
        ("[[1, 2, 60.5]]", "no whole number"),
        ("[[1, 2, 128]]", "no whole number"),
        ('[{"onset": 1, "pitch": 60, "program": 200}]', "program"),
        ("[" * 100_000, "not a JSON file"),
    ],
)
def test_json_that_holds_no_notes_is_refused_with_the_reason(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LabelError, match=words) as caught:
        read_notes(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def figures(truth: Path, labels: Path) -> dict[str, Any]:
    (found,) = evaluate_files(truth, [labels])
    return found.pieces[0].evaluation.as_dict()


def test_the_same_truth_gives_the_same_figures_in_every_format(tmp_path: Path) -> None:
    truth, labels = a_tune(), a_tune()
    random = np.random.default_rng(7)
    labels["onset_s"] += random.normal(0, 0.03, len(labels))
    labels["confidence"] = random.uniform(0, 1, len(labels))
    write_labels(tmp_path / "labels.csv", labels, with_confidence=True)
    for ending in (".csv", ".mid", ".tsv", ".jams", ".txt"):
        write_labels(tmp_path / f"truth{ending}", truth)
    fields = ("pitch", "onset_s", "offset_s", "onset_beats")
    write_json(tmp_path / "truth.json", [{name: note[name].item() for name in fields} for note in truth])
    expected = figures(tmp_path / "truth.json", tmp_path / "labels.csv")
    assert 5 < expected["onset"]["median_ms"] < 50
    assert expected["score_time"]["time_err_ms"] > 1
    assert expected["calibration"]["labels"] == len(truth)
    for ending in (".csv", ".mid", ".tsv", ".jams", ".txt"):
        found = figures(tmp_path / f"truth{ending}", tmp_path / "labels.csv")
        for name in ("onset", "offset", "score_time", "notes_by_onset", "notes_by_onset_and_offset"):
            assert found[name] == pytest.approx(expected[name], abs=0.05), (ending, name)  # MIDI keeps 0.1 ms
        assert found["calibration"]["auc"] == expected["calibration"]["auc"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two pieces, and what two aligners made of them: one with confidence, one 60 ms late."""
    truth, sure, late = (tmp_path / name for name in ("truth", "sure", "late"))
    random = np.random.default_rng(3)
    for name, count in (("first", 30), ("second", 40)):
        tune = a_tune(count)
        write_labels(truth / f"{name}.csv", tune)
        labels = tune.copy()
        labels["onset_s"] += random.normal(0, 0.03, count)
        labels["confidence"] = random.uniform(0, 1, count)
        write_labels(sure / f"{name}.csv", labels, with_confidence=True)
        tune["onset_s"] += 0.06
        write_labels(late / f"{name}.mid", tune[1:])
    (truth / "notes.md").write_text("no truth")
    return truth, sure, late


def test_folders_are_paired_by_name_and_summed_up(folders: tuple[Path, Path, Path]) -> None:
    truth, sure, late = folders
    found = evaluate_files(truth, [sure, late])
    assert [each.name for each in found] == ["sure", "late"]
    assert [piece.name for piece in found[0].pieces] == ["first", "second"]
    values = found[1].as_dict()
    assert values["mean"]["onset"]["median_ms"] == pytest.approx(60, abs=0.1)
    assert values["mean"]["notes_without_label"] == 2
    assert values["mean"]["calibration"] is None
    alone = figures(truth / "first.csv", sure / "first.csv")
    assert found[0].as_dict()["pieces"][0]["onset"] == alone["onset"]
    (swapped, _) = evaluate_files(truth, [late, sure])
    assert swapped.as_dict() == values


def test_folders_that_lack_labels_or_have_two_of_one_piece_are_refused(folders: tuple[Path, Path, Path]) -> None:
    truth, sure, late = folders
    (late / "second.mid").rename(late / "third.mid")
    with pytest.raises(LabelError, match="late: has no labels of second"):
        evaluate_files(truth, [sure, late])
    write_labels(sure / "first.tsv", a_tune())
    with pytest.raises(LabelError, match=r"first\.csv and first\.tsv are two labels"):
        evaluate_files(truth, [sure])
    write_labels(truth / "first.d.csv", a_tune())  # sorted by name, it comes between the two
    write_labels(truth / "first.tsv", a_tune())
    with pytest.raises(LabelError, match=r"first\.csv and first\.tsv are two truths"):
        evaluate_files(truth, [sure])
    with pytest.raises(LabelError, match="has no file that ends in"):
        evaluate_files(truth.parent, [sure])


def test_a_truth_that_fits_badly_is_doubted_aloud_and_one_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_labels(tmp_path / "truth.csv", a_tune(40))
    write_labels(tmp_path / "part.csv", a_tune(40)[:10])
    write_labels(tmp_path / "other.csv", notes([1.0], beats=3, pitch=20))
    with pytest.warns(UserWarning, match="only 10 of the 40 notes"):
        evaluate_files(tmp_path / "truth.csv", [tmp_path / "part.csv"])
    with pytest.raises(LabelError, match=r"other\.csv against .*truth\.csv: none of the 40"):
        evaluate_files(tmp_path / "truth.csv", [tmp_path / "other.csv"])


# ---------------------------------------------------------------------------------------------------------------------
# What is shown


def test_the_tables_have_a_row_for_each_file_and_only_what_is_known(folders: tuple[Path, Path, Path]) -> None:
    truth, sure, late = folders
    lines = table_lines(evaluate_files(truth, [sure, late]))
    means = [line.split() for line in lines if "mean of 2 pieces" in line]
    assert [cells[4:7] for cells in means[:2]] == [["70", "0", "0"], ["70", "2", "0"]]
    assert float(means[1][7]) == pytest.approx(60, abs=0.2)
    confidence = lines[next(i for i, line in enumerate(lines) if line.startswith("confidence ")) :]
    assert not any(line.startswith("late") for line in confidence)
    assert "  0.9 to 1.0" in "\n".join(confidence)
    single = table_lines(evaluate_files(truth / "first.csv", [late / "first.mid"]))
    assert single[1].split()[:4] == ["first.mid", "30", "1", "0"]
    assert not any(line.startswith("confidence") for line in single)


def test_the_picture_shows_every_note_and_the_same_bytes_come_again(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    truth, sure, late = folders
    found = evaluate_files(truth, [sure, late])
    shares, reliability, errors = draw_evaluation("Both", found).axes
    highest = [line.get_ydata().max() for line in shares.get_lines() if len(line.get_xdata()) > 2]
    assert highest == pytest.approx([1.0, 68 / 70])
    assert [len(points.get_offsets()) for points in errors.collections] == [70, 70]
    judged = found[0].as_dict()["mean"]["calibration"]["bins"]
    shown = reliability.collections[-1].get_offsets()
    assert shown[:, 1].tolist() == [one["right"] for one in judged if one["labels"]]
    assert len(draw_evaluation("Late", evaluate_files(truth / "first.csv", [late / "first.mid"])).axes) == 2
    for name in ("one.png", "two.png"):
        plot_evaluation(tmp_path / name, "Both", found)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_names_that_are_formulas_or_no_text_can_be_drawn_and_printed(tmp_path: Path) -> None:
    write_labels(tmp_path / "truth.csv", a_tune())
    names = ["a$x^{$.csv", "b\udcff.csv"]
    for name in names:
        write_labels(tmp_path / name, a_tune())
    found = evaluate_files(tmp_path / "truth.csv", [tmp_path / name for name in names])
    plot_evaluation(tmp_path / "plot.png", "Labels against a$\\frac$.csv", found)
    shares, _ = draw_evaluation("", found).axes
    assert [text.get_text().split(":")[0] for text in shares.get_legend().get_texts()] == [r"a\$x^{\$.csv", "b?.csv"]
    assert table_lines(found)[1].startswith("a$x^{$.csv")
