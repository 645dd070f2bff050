"""The partials of labelled notes."""

import numpy as np
from struck_notes import labels_of, struck

from musicnet_build.notes import SAMPLE_RATE, empty_notes
from musicnet_build.quality.partials import PARTIALS, partial_levels


def test_partials_stand_where_the_pitch_has_them_and_nothing_before_the_onset() -> None:
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * 220 * k * time_s) / k for k in range(1, 7))
    notes = empty_notes(2)
    notes["onset_s"], notes["offset_s"], notes["pitch"] = [0.2, 1.0], 2.0, 57
    levels = partial_levels((np.where(time_s < 1.0, 0, tone) * 0.1).astype(np.float32), notes)
    assert levels.partials.shape == (2, len(PARTIALS))
    assert np.all(levels.partials[0] < 0.001 * levels.partials[1])
    assert np.all(np.diff(levels.partials[1]) < 0)
    assert np.all(levels.partials[1] > 1.5 * levels.beside[1])


def test_notes_at_the_edges_of_recording_and_keyboard_are_heard() -> None:
    sound, notes = struck(4)
    labels = labels_of(notes)
    labels["onset_s"], labels["pitch"] = [0.0, len(sound) / SAMPLE_RATE, 0.1, 0.1], [0, 127, 21, 108]
    levels = partial_levels(sound, labels)
    assert np.isfinite(levels.partials).all()
    assert levels.partials[1, 1:].tolist() == [0.0] * 5  # above the highest band
