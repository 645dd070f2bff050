"""Activations become the notes that anybody would read in them."""

import numpy as np
import pytest

from musicnet_build.baselines.decoding import Activations, notes_in, peaks


def made(frames: int = 40) -> np.ndarray:
    return np.zeros((frames, 88), np.float32)


def test_without_onsets_a_note_is_a_run_of_active_frames() -> None:
    frame = made()
    frame[:3, 0], frame[10:20, 39], frame[25:40, 39] = 0.9, 0.6, 0.6
    notes = notes_in(Activations(frame, None, 0.01, 21), 0.5)
    assert notes["pitch"].tolist() == [21, 60, 60]
    assert notes["onset_s"] == pytest.approx([0.0, 0.1, 0.25])
    assert notes["offset_s"] == pytest.approx([0.03, 0.2, 0.4])


def test_with_onsets_a_note_begins_at_each_of_them_and_nowhere_else() -> None:
    frame, onset = made(), made()
    frame[10:30, 5] = frame[10:30, 6] = 1.0
    onset[[10, 18], 5] = 0.8  # struck twice; nobody struck the other pitch
    notes = notes_in(Activations(frame, onset, 0.01, 21), 0.5, 0.3)
    assert notes["pitch"].tolist() == [26, 26]
    assert notes["onset_s"] == pytest.approx([0.1, 0.18])
    assert notes["offset_s"] == pytest.approx([0.18, 0.3])


@pytest.mark.parametrize("true_frame", [12.0, 12.2, 12.45, 11.7])
def test_an_onset_between_frames_is_found_between_them(true_frame: float) -> None:
    onset = made()
    onset[:, 5] = np.maximum(0, 1 - np.abs(np.arange(40) - true_frame) / 3)
    frame = made()
    frame[12:20, 5] = 1.0
    notes = notes_in(Activations(frame, onset, 1.0, 21), 0.5, 0.3)
    assert notes["onset_s"] == pytest.approx([true_frame])


def test_a_note_without_active_frames_lasts_to_the_next_frame() -> None:
    onset = made()
    onset[[3, 39], 5] = 1.0
    notes = notes_in(Activations(made(), onset, 1.0, 21), 0.5, 0.3)
    assert notes["onset_s"].tolist() == [3.0, 39.0]
    assert notes["offset_s"].tolist() == [4.0, 40.0]


def test_silence_has_no_notes() -> None:
    for onset in (None, made()):
        assert len(notes_in(Activations(made(), onset, 0.01, 21), 0.5, 0.3)) == 0


def test_of_equal_neighbours_the_first_is_the_peak() -> None:
    values = np.array([[0.2], [0.7], [0.7], [0.1], [0.4]], np.float32)
    assert np.flatnonzero(peaks(values, 0.3)).tolist() == [1, 4]
    assert not peaks(values, 0.9).any()
