"""Velocities from the sound of a recording."""

import numpy as np
from scipy.stats import spearmanr
from struck_notes import labels_of, struck

from musicnet_build.notes import empty_notes
from musicnet_build.quality.dynamics import MIDDLE, recorded_velocities
from musicnet_build.quality.partials import partial_levels


def test_louder_notes_have_higher_velocities_whatever_the_gain() -> None:
    sound, notes = struck(60)
    velocities = recorded_velocities(partial_levels(sound, labels_of(notes)))
    assert spearmanr(velocities, notes["velocity"])[0] > 0.75
    assert abs(np.median(velocities) - MIDDLE) <= 1
    assert velocities.min() >= 1
    assert velocities.max() <= 127
    np.testing.assert_array_equal(recorded_velocities(partial_levels(0.25 * sound, labels_of(notes))), velocities)


def test_notes_that_sound_alike_are_in_the_middle_and_none_have_none() -> None:
    sound, notes = struck(8)
    same = labels_of(notes)
    same["onset_s"], same["pitch"] = same["onset_s"][0], same["pitch"][0]
    assert recorded_velocities(partial_levels(sound, same)).tolist() == [MIDDLE] * 8
    assert recorded_velocities(partial_levels(sound, empty_notes(0))).tolist() == []
