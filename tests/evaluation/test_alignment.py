"""Labels against the truth: all measures of one recording, and of many."""

import numpy as np
import pytest
from tunes import UNKNOWN, a_tune, notes

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.alignment import evaluate, summary


def test_errors_by_hand() -> None:
    truth = notes([1.0, 2.0, 3.0, 4.0, 5.0], beats=[0, 1, 2, 3, 4])
    labels = notes([1.005, 1.98, 3.2, 4.03], beats=[0, 1, 2, 3], length_s=0.6)
    found = evaluate(truth, np.concatenate([labels, notes([9.0], beats=9)]))
    onset = found.onset
    assert (found.notes_without_label, found.labels_without_note) == (1, 1)
    assert (onset.notes, onset.matched) == (5, 4)
    assert onset.median_signed_ms == pytest.approx(17.5)  # of -20, 5, 30, 200
    assert onset.mean_signed_ms == pytest.approx(53.75)
    assert onset.median_ms == pytest.approx(25)
    assert onset.mean_ms == pytest.approx(63.75)
    assert onset.p95_ms == pytest.approx(30 + 0.85 * 170)
    assert onset.max_ms == pytest.approx(200)
    # The note without a label is within no tolerance.
    within = (onset.within_10_ms, onset.within_25_ms, onset.within_50_ms, onset.within_100_ms)
    assert within == pytest.approx((0.2, 0.4, 0.6, 0.6))
    assert found.offset is not None
    assert found.offset.median_signed_ms == pytest.approx(117.5)


def test_perfect_labels_are_perfect() -> None:
    truth = a_tune()
    found = evaluate(truth, truth)
    assert found.onset.max_ms == 0
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
    for value in (found.onset.median_signed_ms, found.onset.mean_signed_ms, found.offset.median_signed_ms):
        assert value == pytest.approx(1000 * shift_s)
    for value in (found.onset.median_ms, found.onset.p95_ms, found.onset.max_ms, *vars(found.score_time).values()):
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


def test_confidence_is_judged_on_labels_that_belong_to_a_note() -> None:
    truth = notes([1.0, 2.0, 3.0], beats=[0, 1, 2])
    labels = notes([1.0, 2.2, 9.0], beats=[0, 1, 8], confidence=[0.9, 0.2, 0.7])
    found = evaluate(truth, labels).calibration
    assert found is not None
    assert (found.labels, found.mean_confidence, found.correct, found.auc) == pytest.approx((2, 0.55, 0.5, 1.0))
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
