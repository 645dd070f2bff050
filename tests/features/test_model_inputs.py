"""The spectra that transcription models are trained on: where their bins lie, and what a sine does to them."""

import numpy as np
import pytest

from musicnet_build.features import spectra

RATE = 16_000


def sine(hz: float, rate: int = RATE, seconds: float = 2.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def test_the_logarithmic_filterbank_has_229_unique_normalised_filters() -> None:
    filters = spectra.log_filterbank()
    assert filters.shape == (2049, 229)
    np.testing.assert_allclose(filters.sum(axis=0), 1, rtol=1e-6)
    peaks = filters.argmax(axis=0)
    assert (np.diff(peaks) > 0).all()


def test_filter_centres_are_their_formula_to_a_cent() -> None:
    centres = spectra.log_filter_centres_hz()
    assert 30 <= centres[0] < 30 * 2 ** (1 / 48)
    assert 8000 / 2 ** (1 / 48) < centres[-1] <= 8000
    cents = 1200 * np.log2(centres / 440)
    assert np.abs(cents - 25 * np.rint(cents / 25)).max() < 1
    np.testing.assert_allclose(np.diff(cents), 25, atol=1e-6)
    # A filter peaks on the bin next to a frequency of the formula, so never half a bin away.
    peaks_hz = spectra.log_filterbank().argmax(axis=0) * 44_100 / 4096
    assert np.abs(peaks_hz[:, None] - centres).min(axis=1).max() <= 44_100 / 4096 / 2


@pytest.mark.parametrize("frame_rate_hz", [31.25, 100.0])
def test_frames_of_a_fractional_hop_do_not_drift(frame_rate_hz: float) -> None:
    audio = np.zeros(44_100 * 20, dtype=np.float32)
    clicks_s = np.arange(1, 19)
    audio[clicks_s * 44_100] = 1
    energy = spectra.log_filter_spectrogram(audio, frame_rate_hz).sum(axis=1)
    assert len(energy) == 1 + int(20 * frame_rate_hz)
    for click_s in clicks_s:
        heard = np.flatnonzero(energy > 0)
        frames = heard[np.abs(heard - click_s * frame_rate_hz) < 0.1 * frame_rate_hz]
        centre = np.average(frames, weights=energy[frames])
        assert centre == pytest.approx(click_s * frame_rate_hz, abs=0.3)


def test_a_sine_is_loudest_in_the_filter_at_its_frequency() -> None:
    spectrum = spectra.log_filter_spectrogram(sine(1000, 44_100), 31.25)
    peaks_hz = spectra.log_filterbank().argmax(axis=0) * 44_100 / 4096
    assert peaks_hz[spectrum[20].argmax()] == pytest.approx(1000, abs=11)


def test_mel_filters_reach_from_30_hz_to_half_the_rate_without_gaps() -> None:
    filters = spectra.mel_filterbank(2048, RATE)
    assert filters.shape == (1025, 229)
    assert (filters.sum(axis=0) > 0).all()
    heard_hz = np.flatnonzero(filters.sum(axis=1)) * RATE / 2048
    assert 30 <= heard_hz[0] < 40
    assert heard_hz[-1] > 7900


def test_mel_filters_are_those_of_librosa() -> None:
    import librosa

    np.testing.assert_allclose(
        spectra.mel_filterbank(2048, RATE), librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=229, fmin=30).T, atol=1e-6
    )


@pytest.mark.parametrize(("hz", "index"), [(27.5, 0), (440.0, 96), (261.6255653, 78), (4308.67, 175)])
def test_the_constant_q_transform_peaks_on_the_bin_of_its_tone(hz: float, index: int) -> None:
    amplitudes = np.exp(spectra.log_cqt(sine(hz, seconds=3), RATE))
    assert amplitudes.shape == (1 + 3 * RATE // 512, 176)
    assert amplitudes[47].argmax() == index
    assert amplitudes[47].max() == pytest.approx(0.5, rel=0.01)


def test_the_constant_q_transform_is_the_sum_it_is_defined_as() -> None:
    audio = np.random.default_rng(0).standard_normal(RATE * 3).astype(np.float32)
    quality = 1 / (2 ** (1 / 24) - 1)
    hz, centre = 27.5 * 2 ** (60 / 24), 40 * 512
    width = quality * RATE / hz
    offsets = np.arange(-int(width // 2), int(width // 2) + 1)
    window = 0.5 + 0.5 * np.cos(2 * np.pi * offsets / width)
    tone = np.exp(-2j * np.pi * hz / RATE * offsets)
    expected = abs(np.sum(audio[centre + offsets] * window * tone)) * 2 / window.sum()
    assert np.exp(spectra.log_cqt(audio, RATE)[40, 60]) == pytest.approx(expected, rel=0.01)


def test_scaling_goes_from_0_to_1_and_survives_constant_input() -> None:
    scaled = spectra.scaled_to_unit(np.array([[-3.0, 1.0], [5.0, 0.0]], dtype=np.float32))
    assert (scaled.min(), scaled.max()) == (0, 1)
    assert scaled.dtype == np.float32
    assert not spectra.scaled_to_unit(np.full((2, 3), 7, dtype=np.float32)).any()
