"""Amplitudes in bands against numpy's transforms at every length; and no frame depends on its neighbours."""

import numpy as np
import pytest

from musicnet_build.features import transforms
from musicnet_build.features.filterbanks import bands_of_bins, pitch_filterbank

FRAMES = 2 * transforms.FRAMES_AT_ONCE


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(count, dtype=np.float32)


def numpys_amplitudes(signal: np.ndarray, length: int, hop: int) -> np.ndarray:
    frames = np.lib.stride_tricks.sliding_window_view(signal, length)[::hop]
    window = np.hanning(length + 1)[:-1]
    return np.abs(np.fft.rfft(frames * window * 2 / window.sum(), axis=1))


@pytest.mark.parametrize("length", [16, 32, 64, 128, 1024, 2048, 4096])
@pytest.mark.parametrize("hop", [7, 128])
def test_each_bin_has_the_amplitude_of_its_definition(length: int, hop: int) -> None:
    signal, bins = noise((FRAMES - 1) * hop + length), 1 + length // 2
    each = np.stack([np.arange(bins), np.arange(bins) + 1], axis=1)
    found = np.empty((FRAMES, bins), np.float32)
    transforms.band_amplitudes(signal, hop, transforms.plan_of(length), np.eye(bins, dtype=np.float32), each, found)
    np.testing.assert_allclose(found, numpys_amplitudes(signal, length, hop), rtol=2e-5, atol=2e-6)


def test_bands_are_the_product_with_the_filterbank() -> None:
    signal, bank = noise((FRAMES - 1) * 256 + 2048), pitch_filterbank(2048, 12)
    found = np.empty((FRAMES, bank.shape[1]), np.float32)
    transforms.band_amplitudes(signal, 256, transforms.plan_of(2048), bank, bands_of_bins(2048, 12), found)
    np.testing.assert_allclose(found, numpys_amplitudes(signal, 2048, 256) @ bank, rtol=2e-5)


def test_a_frame_is_the_same_in_any_place_to_the_bit() -> None:
    signal, bank = noise((FRAMES + 4) * 64 + 1024), pitch_filterbank(1024, 12)
    here, later = np.empty((2, FRAMES, bank.shape[1]), np.float32)
    for start, found in ((0, here), (3, later)):
        arguments = transforms.plan_of(1024), bank, bands_of_bins(1024, 12), found
        transforms.band_amplitudes(signal[start * 64 :], 64, *arguments)
    np.testing.assert_array_equal(here[3:], later[:-3])


@pytest.mark.parametrize("length", [0, 8, 1000, 1536])
def test_a_window_that_is_no_power_of_two_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=rf"power of two .* not {length}\."):
        transforms.plan_of(length)
