"""Which label belongs to which true note."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tunes import notes

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.alignment import evaluate
from musicnet_build.evaluation.matching import match_notes
from musicnet_build.notes import NoteTable


def pairs(truth: NoteTable, labels: NoteTable) -> list[tuple[int, int]]:
    return list(zip(*(places.tolist() for places in match_notes(truth, labels)), strict=True))


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
