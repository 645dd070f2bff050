"""Notes that nobody played are told from those that sound."""

import numpy as np
from struck_notes import labels_of, struck

from musicnet_build.quality.partials import partial_levels
from musicnet_build.quality.played import played_probability


def test_notes_that_do_not_sound_are_less_likely_than_those_that_do() -> None:
    sound, notes = struck(60)
    played, absent = labels_of(notes), labels_of(notes)
    absent["pitch"] += 2  # no partial of a note that sounds
    for labels in (played, absent):
        labels["confidence"] = 0.9
    right, wrong = (played_probability(partial_levels(sound, labels), labels) for labels in (played, absent))
    assert np.mean(right[:, None] > wrong[None, :]) > 0.95
    assert np.median(right) > 0.95
    assert np.median(wrong) < 0.6


def test_the_onset_evidence_counts_and_where_there_is_none_nothing_is_said() -> None:
    sound, notes = struck(10)
    labels = labels_of(notes)
    sure = played_probability(partial_levels(sound, labels), labels)
    labels["confidence"] = 0.1
    assert np.all(played_probability(partial_levels(sound, labels), labels) < sure)
    labels["confidence"] = np.nan
    assert np.isnan(played_probability(partial_levels(sound, labels), labels)).all()
