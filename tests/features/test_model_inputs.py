"""The spectra that transcription models are trained on: where their bins lie, and what a sine does to them."""

import numpy as np
import pytest

from musicnet_build.features import filterbanks, model_inputs

RATE = 16_000


def sine(hz: float, rate: int = RATE, seconds: float = 2.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("frame_rate_hz", [31.25, 100.0])
def test_frames_of_a_fractional_hop_do_not_drift(frame_rate_hz: float) -> None:
    audio = np.zeros(44_100 * 20, dtype=np.float32)
    clicks_s = np.arange(1, 19)
    audio[clicks_s * 44_100] = 1
    energy = model_inputs.log_filter_spectrogram(audio, frame_rate_hz).sum(axis=1)
    assert len(energy) == 1 + int(20 * frame_rate_hz)
    for click_s in clicks_s:
        heard = np.flatnonzero(energy > 0)
        frames = heard[np.abs(heard - click_s * frame_rate_hz) < 0.1 * frame_rate_hz]
        centre = np.average(frames, weights=energy[frames])
        assert centre == pytest.approx(click_s * frame_rate_hz, abs=0.3)


def test_a_sine_is_loudest_in_the_filter_at_its_frequency() -> None:
    spectrum = model_inputs.log_filter_spectrogram(sine(1000, 44_100), 31.25)
    peaks_hz = filterbanks.log_filterbank().argmax(axis=0) * 44_100 / 4096
    assert peaks_hz[spectrum[20].argmax()] == pytest.approx(1000, abs=11)


@pytest.mark.parametrize(("hz", "index"), [(27.5, 0), (440.0, 96), (261.6255653, 78), (4308.67, 175)])
def test_the_constant_q_transform_peaks_on_the_bin_of_its_tone(hz: float, index: int) -> None:
    amplitudes = np.exp(model_inputs.log_cqt(sine(hz, seconds=3), RATE))
    assert amplitudes.shape == (1 + 3 * RATE // 512, 176)
    assert amplitudes[47].argmax() == index
    assert amplitudes[47].max() == pytest.approx(0.5, rel=0.01)


def test_the_constant_q_transform_is_the_sum_it_is_defined_as() -> None:
    audio = np.random.default_rng(0).standard_normal(RATE * 3).astype(np.float32)
    hz, centres = 27.5 * 2 ** (60 / 24), np.arange(30, 60) * 512
    width = (2 ** (1 / 12) + 1) / (2 ** (1 / 12) - 1) * RATE / hz  # librosa's windows, of 34.6 periods
    offsets = np.arange(-int(width // 2), int(width // 2) + 1)
    window = 0.5 + 0.5 * np.cos(2 * np.pi * offsets / width)
    tone = np.exp(-2j * np.pi * hz / RATE * offsets)
    expected = np.abs(np.sum(audio[centres[:, None] + offsets] * window * tone, axis=1)) * 2 / window.sum()
    error = np.exp(model_inputs.log_cqt(audio, RATE)[30:60, 60]) - expected
    assert np.abs(error).max() < 0.05 * expected.max()


def test_scaling_goes_from_0_to_1_and_survives_constant_input() -> None:
    scaled = model_inputs.scaled_to_unit(np.array([[-3.0, 1.0], [5.0, 0.0]], dtype=np.float32))
    assert (scaled.min(), scaled.max()) == (0, 1)
    assert scaled.dtype == np.float32
    assert not model_inputs.scaled_to_unit(np.full((2, 3), 7, dtype=np.float32)).any()


def test_the_spectra_of_a_long_recording_are_those_of_its_parts() -> None:
    """librosa sees blocks of 66 s: neither the seam at 2,048 frames nor the end may show."""
    audio = np.random.default_rng(0).standard_normal(RATE * 70).astype(np.float32)
    for transform in (model_inputs.log_mel_spectrogram, model_inputs.log_cqt):
        whole, part = transform(audio, RATE), transform(audio[1024 * 512 :], RATE)
        assert len(whole) == 1 + len(audio) // 512
        np.testing.assert_allclose(np.exp(whole[1100:]), np.exp(part[76:]), rtol=0.01, atol=1e-4)


def test_the_mel_spectrogram_is_that_of_librosa() -> None:
    import librosa

    audio = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    expected = librosa.feature.melspectrogram(y=audio, sr=RATE, n_fft=2048, hop_length=512, n_mels=229, fmin=30).T
    np.testing.assert_allclose(np.exp(model_inputs.log_mel_spectrogram(audio, RATE)), expected + 1e-5, rtol=1e-4)
