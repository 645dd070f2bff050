"""Tests of the onset activations: it rises where a note begins at its pitch, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
from conftest import Music
from numpy.typing import NDArray

from musicnet_build.audio.io import read_audio
from musicnet_build.audio.loudness import levelled
from musicnet_build.features import onsets
from musicnet_build.features.filterbanks import pitch_to_hz
from musicnet_build.features.onsets import HOP_S, OnsetSpectrograms
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable


@pytest.fixture(scope="module")
def truth(music: Music) -> NoteTable:
    return read_labels(music.truth)


@pytest.fixture(scope="module")
def spectrograms(music: Music) -> OnsetSpectrograms:
    return onsets.onset_spectrograms(levelled(read_audio(music.recording)), tuning_cents=5.0)


def around(curve: NDArray[np.float32], time_s: float, reach_s: float) -> NDArray[np.float32]:
    frame, reach = round(time_s / HOP_S), round(reach_s / HOP_S)
    return curve[max(0, frame - reach) : frame + reach + 1]


def test_most_notes_of_a_recorded_ensemble_are_heard_where_they_begin(
    spectrograms: OnsetSpectrograms, truth: NoteTable
) -> None:
    activations = onsets.onset_activations(spectrograms, map(int, truth["pitch"]))
    apart_s = []
    for note in truth[truth["onset_s"] > 1.5]:
        window = around(activations[int(note["pitch"])], note["onset_s"], 0.2)
        apart_s.append((int(np.argmax(window)) - len(window) // 2) * HOP_S)
    assert np.mean(np.abs(apart_s) < 0.03) > 0.7
    assert abs(np.median(apart_s)) <= HOP_S


def test_a_pitch_that_does_not_sound_has_less_activations_than_one_that_does(
    spectrograms: OnsetSpectrograms, truth: NoteTable
) -> None:
    played = sorted(set(map(int, truth["pitch"])))
    absent = [pitch for pitch in range(min(played), max(played)) if pitch not in played]
    activations = onsets.onset_activations(spectrograms, [*played, *absent])
    strongest = [np.quantile(activations[pitch], 0.99) for pitch in played]
    assert np.mean([np.quantile(activations[pitch], 0.99) for pitch in absent]) < np.mean(strongest) - 0.8


def test_each_pitch_has_one_value_a_frame(music: Music, spectrograms: OnsetSpectrograms) -> None:
    activations = onsets.onset_activations(spectrograms, iter([60, 62, 60]))
    assert list(activations) == [60, 62]
    frames = 1 + len(read_audio(music.recording)) // onsets.HOP_LENGTH
    assert all(curve.shape == (frames,) for curve in activations.values())


@pytest.mark.parametrize("pitch", [0, 20, 127])
def test_pitches_beyond_the_piano_are_answered(spectrograms: OnsetSpectrograms, pitch: int) -> None:
    assert np.isfinite(onsets.onset_activations(spectrograms, [pitch])[pitch]).all()


def test_a_long_recording_has_no_seam_where_blocks_meet() -> None:
    model = onsets.onset_model()
    channels = np.random.default_rng(0).random((8192 + 300, onsets.CHANNELS), np.float32)
    whole = model(channels)
    reach = onsets.CONTEXT_FRAMES
    tail = model(channels[8192 - 100 - reach :])[reach:]
    assert len(whole) == len(channels)
    np.testing.assert_allclose(whole[8192 - 100 :], tail, rtol=1e-4, atol=1e-4)


def test_instruments_tuned_sharp_are_heard_as_if_they_were_not() -> None:
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE

    def channels(cents: float, tuning_cents: float) -> NDArray[np.float32]:
        audio = (0.05 * np.sin(2 * np.pi * float(pitch_to_hz(69 + cents / 100)) * time_s)).astype(np.float32)
        return onsets.pitch_channels(onsets.onset_spectrograms(audio, tuning_cents), 69)[80, :-1]

    usual, sharp, corrected = channels(0, 0), channels(40, 0), channels(40, 40)
    assert np.abs(corrected - usual).max() < 0.3 * np.abs(sharp - usual).max()


def test_the_network_comes_with_the_package() -> None:
    model = onsets.onset_model()
    assert model.taps.shape[:2] == (2 * onsets.CONTEXT_FRAMES + 1, onsets.CHANNELS)
    assert (Path(onsets.__file__).with_name("onset_model.npz")).stat().st_size < 100_000
