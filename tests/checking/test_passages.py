"""Passages of other music and of a local shift are found with their ends; other recordings and keys are told."""

import numpy as np
import pytest
from heard_labels import evidence_of, melody

from musicnet_build.checking.hearing import hear
from musicnet_build.checking.passages import Passage, Standing, find_passages, standing, transposition
from musicnet_build.notes import NoteTable


def found(truth: NoteTable, labels: NoteTable) -> tuple[Standing, list[Passage]]:
    evidence = evidence_of(truth)
    heard = hear(evidence, labels, labels["onset_s"]).heard
    stands = standing(evidence, labels, labels["onset_s"], heard)
    return stands, find_passages(evidence, labels, labels["onset_s"], stands)


def test_right_labels_stand_out_and_have_no_passage_of_other_music() -> None:
    stands, passages = found(melody(), melody())
    assert stands.separation > 3
    assert passages == []


def test_a_passage_of_other_music_is_found_with_its_ends() -> None:
    labels = melody()
    labels["pitch"][80:130] = melody(50, seed=9)["pitch"]
    _, (passage,) = found(melody(), labels)
    assert abs(passage.first - 80) <= 3
    assert abs(passage.last - 129) <= 3
    assert passage.late_s is None


def test_a_passage_that_is_late_as_a_whole_is_told_by_how_much() -> None:
    labels = melody()
    labels["onset_s"][80:130] += 0.7
    order = np.argsort(labels["onset_s"], kind="stable")
    _, (passage,) = found(melody(), labels[order])
    assert passage.late_s == pytest.approx(0.7, abs=0.01)


def test_labels_of_another_recording_do_not_stand_out() -> None:
    assert found(melody(), melody(seed=5))[0].separation < 1


@pytest.mark.parametrize("semitones", [-12, 3])
def test_a_transposition_of_all_labels_is_found(semitones: int) -> None:
    labels = melody()
    labels["pitch"] += semitones
    assert transposition(evidence_of(melody()), labels)[0] == semitones
    assert transposition(evidence_of(melody()), melody()) == (0, 0.0)
