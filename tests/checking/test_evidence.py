"""What is taken from a recording: curves on its own clock, for the labels' pitches and all of the piano's."""

import numpy as np
from conftest import Music
from heard_labels import evidence_of, melody

from musicnet_build.audio.io import read_audio
from musicnet_build.checking.evidence import HOP_S, SILENT_LOGIT, listen
from musicnet_build.labels.files import read_labels


def test_what_is_heard_of_true_labels_is_louder_than_beside_them(music: Music) -> None:
    audio, notes = read_audio(music.recording), read_labels(music.truth)
    evidence = listen(audio, [*notes["pitch"], 115])
    assert {*range(21, 109), 115} == set(evidence.activations)
    assert evidence.duration_s == len(audio) / 44_100
    near = np.arange(-4, 5)
    pitch = notes["pitch"].astype(np.int64)
    there = evidence.logits(pitch, notes["onset_s"], near).max(axis=1)
    beside = evidence.logits(pitch, notes["onset_s"] + 0.13, near).max(axis=1)
    assert np.median(there) > np.median(beside) + 3
    assert abs(evidence.sound_s[0] - notes["onset_s"].min()) < 0.1


def test_outside_the_recording_and_for_other_pitches_there_is_silence() -> None:
    evidence = evidence_of(melody(30), length_s=10.0)
    found = evidence.logits(np.array([60, 60, 127]), np.array([-1.0, 10.0 + 5 * HOP_S, 3.0]), np.array([0]))
    assert (found == SILENT_LOGIT).all()
