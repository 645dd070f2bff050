"""Refined labels: right ones stay, disturbed ones come back, nothing moves too far or changes its order."""

import numpy as np
import pytest
from conftest import Music

from musicnet_build.audio.io import read_audio
from musicnet_build.checking.refine import refine_labels
from musicnet_build.errors import LabelError
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import NoteTable, sorted_by_onset


def disturbed(truth: NoteTable, reach_s: float, late_s: float = 0.0) -> NoteTable:
    random = np.random.default_rng(5)
    labels = truth.copy()
    by_s = late_s + random.uniform(-reach_s, reach_s, len(truth))
    labels["onset_s"] += by_s
    labels["offset_s"] += by_s
    return labels


def errors_s(labels: NoteTable, truth: NoteTable) -> np.ndarray:
    return np.abs(labels["onset_s"] - truth["onset_s"])


def test_right_labels_stay_where_they_are(music: Music) -> None:
    truth = read_labels(music.truth)
    refined = refine_labels(read_audio(music.recording), truth)
    assert np.mean(errors_s(refined.notes, truth) < 0.010) > 0.97


def test_disturbed_and_late_labels_come_back(music: Music) -> None:
    truth = read_labels(music.truth)
    labels = disturbed(truth, 0.08, late_s=0.05)
    refined = refine_labels(read_audio(music.recording), labels)
    assert np.mean(errors_s(labels, truth) < 0.05) < 0.6
    assert np.mean(errors_s(refined.notes, truth) < 0.05) > 0.88
    np.testing.assert_allclose(refined.notes["onset_s"] - labels["onset_s"], refined.moved_s, atol=1e-9)


def test_no_note_moves_further_than_allowed_and_those_of_a_pitch_keep_their_order(music: Music) -> None:
    labels = sorted_by_onset(disturbed(read_labels(music.truth), 0.08))
    refined = refine_labels(read_audio(music.recording), labels, within_s=0.03)
    assert np.abs(refined.moved_s).max() < 0.031
    for pitch in np.unique(labels["pitch"]):
        own = refined.notes["onset_s"][labels["pitch"] == pitch]
        assert (np.diff(own) >= 0).all()
    assert (refined.notes["offset_s"] > refined.notes["onset_s"]).all()


def test_labels_that_are_further_off_than_allowed_are_refused_with_what_would_be_enough(music: Music) -> None:
    late = disturbed(read_labels(music.truth), 0.0, late_s=0.5)
    with pytest.raises(LabelError, match=r"0\.(49|5\d?) s late.*allow 0\.7 s"):
        refine_labels(read_audio(music.recording), late)


def test_labels_of_other_music_are_refused(music: Music) -> None:
    labels = read_labels(music.truth)
    random = np.random.default_rng(1)
    labels["pitch"] = random.integers(36, 84, len(labels))
    labels["onset_s"] = np.sort(random.uniform(1, 12, len(labels)))
    labels["offset_s"] = labels["onset_s"] + 0.2
    with pytest.raises(LabelError, match="do not belong to this recording"):
        refine_labels(read_audio(music.recording), labels, within_s=20.0)
