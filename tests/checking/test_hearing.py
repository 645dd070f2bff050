"""What is heard of each label: right notes are told from moved ones, wrong octaves and notes that are not there."""

import numpy as np
from heard_labels import evidence_of, melody

from musicnet_build.checking.hearing import HYPOTHESES, hear, heard_features, surroundings


def test_each_fault_is_the_most_probable_where_it_was_planted() -> None:
    truth = melody()
    labels = truth.copy()
    labels["onset_s"][10] += 0.15
    labels["pitch"][50] += 12
    labels["pitch"][90] += 30
    hearing = hear(evidence_of(truth), labels, labels["onset_s"])
    likeliest = hearing.probability.argmax(axis=1)
    assert [HYPOTHESES[likeliest[row]] for row in (10, 50, 90)] == ["moved", "octave", "absent"]
    assert np.mean(likeliest == 0) > 0.97
    assert abs(hearing.elsewhere_s[10] - 0.15) < 0.01
    assert hearing.octave[50] == -12
    np.testing.assert_allclose(hearing.probability.sum(axis=1), 1.0)


def test_an_octave_that_is_labelled_itself_says_nothing_against_a_note() -> None:
    truth = melody(48)
    lower = truth.copy()
    lower["pitch"] -= 12
    both = np.concatenate([truth, lower])
    features = heard_features(evidence_of(both), both, both["onset_s"])[0]
    assert (features[:, 3] < -5).all()


def test_what_is_nearer_to_another_label_of_the_pitch_is_foreign() -> None:
    labels = melody(48)
    labels["pitch"][:2], labels["onset_s"][:2] = 60, (5.0, 5.2)
    around = surroundings(evidence_of(labels), labels, labels["onset_s"])
    assert around.foreign[0][around.away_s[0] > 0.11].all()
    assert not around.foreign[0][np.abs(around.away_s[0]) < 0.09].any()
