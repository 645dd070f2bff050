"""Tests of the adaptation: learnt from sure notes only, and from nothing where a score does not fit."""

import numpy as np

from musicnet_build.features.onsets import CHANNELS, HOP_S, OnsetSpectrograms
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.sync.adaptation import adapted_model
from musicnet_build.sync.passes import PADDING_FRAMES
from musicnet_build.sync.refinement import Refinement

COUNT = 60


def played() -> tuple[NoteTable, OnsetSpectrograms]:
    """A note every 0.4 s, whose energy rises slowly."""
    notes = empty_notes(COUNT)
    notes["onset_s"] = np.arange(COUNT) * 0.4
    notes["pitch"] = 60 + np.arange(COUNT) % 5
    frames = PADDING_FRAMES * 2 + round(COUNT * 0.4 / HOP_S)
    medium = np.zeros((frames, 112), np.float32)
    for note in notes:
        at = round(float(note["onset_s"]) / HOP_S) + PADDING_FRAMES
        medium[at : at + 60, note["pitch"] - 21] = np.minimum(np.arange(60) / 20, 1)
    return notes, OnsetSpectrograms(medium, medium, np.zeros(frames, np.float32))


def believed(notes: NoteTable, sure_share: float, apart_s: float = 0.01) -> Refinement:
    p = np.where(np.arange(COUNT) < sure_share * COUNT, 0.99, 0.5)
    onset_s = notes["onset_s"].copy()
    return Refinement(onset_s, onset_s, p, p, p, onset_s + np.full((4, 1), apart_s), np.full((2, COUNT), np.inf))


def test_the_network_learns_from_a_recording_whose_notes_are_sure() -> None:
    notes, spectrograms = played()
    model = adapted_model(notes, believed(notes, 0.9), spectrograms)
    again = adapted_model(notes, believed(notes, 0.9), spectrograms)
    assert model
    assert again
    assert model.taps.shape[1] == CHANNELS
    assert model.taps.tobytes() == again.taps.tobytes()


def test_nothing_is_learnt_where_less_than_a_fifth_of_the_notes_is_sure() -> None:
    notes, spectrograms = played()
    assert adapted_model(notes, believed(notes, 0.15), spectrograms) is None


def test_nothing_is_learnt_where_the_passes_disagree_with_the_labels() -> None:
    notes, spectrograms = played()
    assert adapted_model(notes, believed(notes, 0.9, apart_s=0.3), spectrograms) is None
