"""Where the bands of the filterbanks lie."""

import numpy as np
import pytest

from musicnet_build.features import filterbanks


@pytest.mark.parametrize("bands_per_octave", [12, 24])
@pytest.mark.parametrize("window_length", [1024, 2048, 4096])
def test_no_band_is_deaf(window_length: int, bands_per_octave: int) -> None:
    bank = filterbanks.pitch_filterbank(window_length, bands_per_octave)
    assert bank.shape == (1 + window_length // 2, 7.25 * bands_per_octave + 1)
    assert (bank.max(axis=0) > 0).all()
    assert ((bank >= 0) & (bank <= 1)).all()


def test_pitches_are_in_equal_temperament_around_a4() -> None:
    np.testing.assert_allclose(filterbanks.pitch_to_hz([69, 57, 60]), [440.0, 220.0, 261.6255653], rtol=1e-9)
    assert filterbanks.pitch_to_hz(69, a4_hz=415.0) == 415.0


def test_the_logarithmic_filterbank_has_229_unique_normalised_filters() -> None:
    filters = filterbanks.log_filterbank()
    assert filters.shape == (2049, 229)
    np.testing.assert_allclose(filters.sum(axis=0), 1, rtol=1e-6)
    peaks = filters.argmax(axis=0)
    assert (np.diff(peaks) > 0).all()


def test_filter_centres_are_their_formula_to_a_cent() -> None:
    centres = filterbanks.log_filter_centres_hz()
    assert 30 <= centres[0] < 30 * 2 ** (1 / 48)
    assert 8000 / 2 ** (1 / 48) < centres[-1] <= 8000
    cents = 1200 * np.log2(centres / 440)
    assert np.abs(cents - 25 * np.rint(cents / 25)).max() < 1
    np.testing.assert_allclose(np.diff(cents), 25, atol=1e-6)
    # A filter peaks on the bin next to a frequency of the formula, so never half a bin away.
    peaks_hz = filterbanks.log_filterbank().argmax(axis=0) * 44_100 / 4096
    assert np.abs(peaks_hz[:, None] - centres).min(axis=1).max() <= 44_100 / 4096 / 2
