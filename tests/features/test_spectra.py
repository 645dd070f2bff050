"""Tests of the spectra: energy lies where and when the sound has it, at the level that the module promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicnet_build.features import spectra
from musicnet_build.notes import SAMPLE_RATE


def sine(frequency_hz: float, seconds: float = 1.0, amplitude: float = 0.5) -> NDArray[np.float32]:
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def click(sample: int, length: int = SAMPLE_RATE) -> NDArray[np.float32]:
    audio = np.zeros(length, np.float32)
    audio[sample] = 1.0
    return audio


def noise(length: int, seed: int = 0) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)


def direct_amplitudes(audio: NDArray[np.float32], window_length: int, hop_length: int) -> NDArray[np.float64]:
    """The definition, frame by frame in double precision."""
    padded = np.pad(audio.astype(np.float64), window_length)
    window = np.hanning(window_length + 1)[:-1]
    rows = []
    for frame in range(1 + len(audio) // hop_length):
        start = frame * hop_length - window_length // 2 + window_length
        rows.append(2 / window.sum() * np.abs(np.fft.rfft(window * padded[start : start + window_length])))
    return np.array(rows)


@given(length=st.integers(1, 9000), window_length=st.sampled_from([64, 512, 2048]), hop_length=st.integers(16, 600))
@settings(max_examples=40, deadline=None)
def test_amplitudes_are_those_of_the_definition_for_any_length(
    length: int, window_length: int, hop_length: int
) -> None:
    audio = noise(length)
    found = np.concatenate(list(spectra.amplitude_blocks(audio, window_length, hop_length)))
    assert found.shape == (spectra.frame_count(length, hop_length), 1 + window_length // 2)
    np.testing.assert_allclose(found, direct_amplitudes(audio, window_length, hop_length), atol=1e-6)


def test_a_long_signal_has_no_seam_where_blocks_meet() -> None:
    audio = noise(3 * 2048 * 64)
    blocks = list(spectra.amplitude_blocks(audio, 256, 64))
    assert len(blocks) > 1
    np.testing.assert_allclose(np.concatenate(blocks), direct_amplitudes(audio, 256, 64), atol=1e-6)


@pytest.mark.parametrize("window_length", [1024, 2048, 4096])
def test_a_sine_on_a_bin_has_its_amplitude_whatever_the_window(window_length: int) -> None:
    amplitude = 0.37
    audio = sine(20 * SAMPLE_RATE / 1024, amplitude=amplitude)
    frame = np.concatenate(list(spectra.amplitude_blocks(audio, window_length, 512)))[40]
    assert frame.max() == pytest.approx(amplitude, rel=1e-3)
    assert np.argmax(frame) == 20 * window_length // 1024


@pytest.mark.parametrize("sample", [0, 512 * 17, 512 * 30 + 200, SAMPLE_RATE - 1])
def test_the_loudest_frame_of_a_click_is_the_one_centred_nearest_to_it(sample: int) -> None:
    energy = spectra.log_spectrogram(click(sample), bins=None).sum(axis=1)
    assert abs(spectra.frame_times_s(np.argmax(energy)) - sample / SAMPLE_RATE) <= 256 / SAMPLE_RATE


def test_the_log_spectrogram_of_the_paper_is_log_of_one_plus_magnitude_in_the_low_bins() -> None:
    audio = noise(20_000)
    window_sum = np.hanning(2049)[:-1].sum()
    magnitudes = direct_amplitudes(audio, 2048, 512) * window_sum / 2
    found = spectra.log_spectrogram(audio)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.log1p(magnitudes[:, :50]), rtol=1e-4, atol=1e-5)


def test_silence_is_zero_everywhere() -> None:
    silence = np.zeros(5000, np.float32)
    assert not spectra.log_spectrogram(silence).any()
    assert not spectra.band_spectrogram(silence, window_length=1024, hop_length=256, bands_per_octave=12).any()


@pytest.mark.parametrize("pitch", [33, 45, 60, 69, 81, 100, 108])
def test_a_note_lights_the_band_of_its_pitch(pitch: int) -> None:
    audio = sine(float(spectra.pitch_to_hz(pitch)))
    bands = spectra.band_spectrogram(audio, window_length=8192, hop_length=1024, bands_per_octave=12)
    assert bands.shape[1] == 88
    assert np.argmax(bands[20]) == pitch - spectra.LOWEST_PITCH


@pytest.mark.parametrize("cents", [-45, -20, 0, 5, 30, 45])
def test_the_tuning_of_a_chord_is_measured(cents: int) -> None:
    audio = sum(sine(float(spectra.pitch_to_hz(pitch + cents / 100)), amplitude=0.1) for pitch in (45, 57, 61, 64, 76))
    assert spectra.estimated_tuning_cents(np.asarray(audio, np.float32)) == pytest.approx(cents, abs=5)


def test_silence_has_no_tuning() -> None:
    assert spectra.estimated_tuning_cents(np.zeros(SAMPLE_RATE, np.float32)) == 0.0


def test_bands_follow_the_tuning() -> None:
    audio = sine(float(spectra.pitch_to_hz(72.4)))
    usual, tuned = (
        spectra.band_spectrogram(
            audio, window_length=8192, hop_length=1024, bands_per_octave=12, tuning_cents=tuning_cents
        )[20]
        for tuning_cents in (0.0, 40.0)
    )
    at = 72 - spectra.LOWEST_PITCH
    assert tuned[at] > usual[at]
    assert tuned[at + 1] < usual[at + 1] - 1
