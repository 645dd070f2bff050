"""Tests of how far a witness is believed: as far as it agrees with the sure notes."""

import numpy as np
import pytest

from musicnet_build._typing import Bools
from musicnet_build.features.onsets import HOP_S
from musicnet_build.labels.witness import HeardNotes, HeardProbabilities, Witness
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.sync.witness.agreement import LEAST_NOTES, agreement, joined

COUNT, FRAMES = 200, 12_000
RATE_HZ = 50.0


def played(seed: int = 0) -> NoteTable:
    random = np.random.default_rng(seed)
    notes = empty_notes(COUNT)
    notes["onset_s"] = np.sort(random.uniform(1, FRAMES * HOP_S - 2, COUNT))
    notes["offset_s"] = notes["onset_s"] + 0.2
    notes["pitch"] = random.integers(50, 70, COUNT)
    return notes


def heard(notes: NoteTable, late_s: float = 0.0, missed: float = 0.2) -> HeardNotes:
    """The notes as a transcriber hears them: late, 10 ms off, some missed and as many invented."""
    random = np.random.default_rng(1)
    kept = notes[random.random(len(notes)) > missed]
    kept["onset_s"] += late_s + random.normal(0, 0.01, len(kept))
    invented = played(seed=7)[: len(notes) - len(kept)]
    return HeardNotes(np.concatenate([kept, invented]))


def as_probabilities(witness: HeardNotes) -> HeardProbabilities:
    onset = np.full((88, round(FRAMES * HOP_S * RATE_HZ)), 0.01, np.float32)
    for note in witness.notes:
        onset[note["pitch"] - 21, min(round(float(note["onset_s"]) * RATE_HZ), onset.shape[1] - 1)] = 0.8
    return HeardProbabilities(onset, np.zeros_like(onset), RATE_HZ)


def all_sure() -> Bools:
    return np.ones(COUNT, np.bool_)


@pytest.mark.parametrize("late_s", [-0.05, 0.0, 0.03])
@pytest.mark.parametrize("kind", [HeardNotes, HeardProbabilities])
def test_a_witness_of_the_recording_is_believed_however_late_it_is(kind: type, late_s: float) -> None:
    notes = played()
    witness: Witness = heard(notes, late_s)
    if kind is HeardProbabilities:
        witness = as_probabilities(heard(notes, late_s))
    agreed = agreement(witness, notes, notes["onset_s"], all_sure(), FRAMES)
    assert agreed.agrees
    assert agreed.delay_s == pytest.approx(late_s, abs=0.012)


def test_a_witness_of_another_piece_is_not_believed() -> None:
    notes = played()
    for seed in range(5, 10):
        agreed = agreement(HeardNotes(played(seed)), notes, notes["onset_s"], all_sure(), FRAMES)
        assert not agreed.agrees
        assert agreed.gain_nats < 0.1


def test_the_more_a_witness_misses_the_less_it_gains() -> None:
    notes = played()
    gains = [
        agreement(heard(notes, missed=missed), notes, notes["onset_s"], all_sure(), FRAMES).gain_nats
        for missed in (0.0, 0.3, 0.6, 0.9)
    ]
    assert gains == sorted(gains, reverse=True)


def test_a_few_sure_notes_are_too_few_to_judge_by() -> None:
    notes = played()
    few = np.arange(COUNT) < LEAST_NOTES - 1
    assert not agreement(heard(notes), notes, notes["onset_s"], few, FRAMES).agrees


@pytest.mark.parametrize("late_s", [-0.05, 0.0, 0.03])
def test_what_a_witness_heard_raises_the_activation_where_the_recording_has_it(late_s: float) -> None:
    notes = played()
    agreed = agreement(heard(notes, late_s, missed=0.0), notes, notes["onset_s"], all_sure(), FRAMES)
    own = {int(pitch): np.zeros(FRAMES, np.float32) for pitch in np.unique(notes["pitch"])}
    curves = joined(own, agreed)
    note = notes[COUNT // 2]
    curve = curves[int(note["pitch"])]
    around = slice(round(float(note["onset_s"]) / HOP_S) - 20, round(float(note["onset_s"]) / HOP_S) + 21)
    assert abs(int(np.argmax(curve[around])) - 20) <= 6
    assert curve[around].max() > 1
    assert all(len(curve) == FRAMES for curve in curves.values())


def test_a_witness_that_is_not_believed_changes_nothing() -> None:
    notes = played()
    own = {int(pitch): np.ones(FRAMES, np.float32) for pitch in np.unique(notes["pitch"])}
    agreed = agreement(HeardNotes(played(5)), notes, notes["onset_s"], all_sure(), FRAMES)
    assert joined(own, agreed) is own
    assert joined(own, None) is own
