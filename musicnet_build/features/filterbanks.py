"""Filterbanks: which bins of a transform make up a band.

Bands of equal width in pitch, for the alignment (:func:`pitch_filterbank`), and those that transcription models are
trained on after Kelz et al. 2016 (:func:`log_filterbank`). librosa has neither: its filters are mel, chroma and
wavelets. What it has is taken from there, in ``model_inputs``.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from musicnet_build._typing import Float32s, Float64s, Int64s
from musicnet_build.notes import SAMPLE_RATE

LOWEST_PITCH, HIGHEST_PITCH = 21, 108

LOG_BANDS_PER_OCTAVE, LOG_LOW_HZ, LOG_HIGH_HZ = 48, 30.0, 8000.0
"""The logarithmic filterbank of Kelz et al. 2016: with windows of 4,096 samples at 44.1 kHz it has 229 filters."""


def pitch_to_hz(pitch: ArrayLike, a4_hz: float = 440.0) -> Float64s:
    """Return the frequency in Hz of (fractional) MIDI pitches in equal temperament."""
    return a4_hz * 2.0 ** ((np.asarray(pitch, dtype=np.float64) - 69.0) / 12.0)


@lru_cache(maxsize=16)
def pitch_filterbank(
    window_length: int,
    bands_per_octave: int,
    highest_pitch: int = HIGHEST_PITCH,
    tuning_cents: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
) -> Float32s:
    """Return triangular filters, centred on equal-tempered pitches from MIDI 21 up.

    Each filter falls to zero at its neighbours' centres, but never spans less than one bin to each side, so that
    low filters of short windows are not empty.

    Parameters
    ----------
    window_length : int
        Length of the transform in samples.
    bands_per_octave : int
        Filters per octave.
    highest_pitch : int
        MIDI number on which the last filter is centred.
    tuning_cents : float
        How far the centres lie above equal temperament on A4 = 440 Hz.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32 [shape=(1 + window_length // 2, bands)]
    """
    step = 12.0 / bands_per_octave
    pitches = np.arange(LOWEST_PITCH, highest_pitch + step / 2, step) + tuning_cents / 100.0
    centres_hz = pitch_to_hz(pitches)
    bin_hz = sample_rate / window_length
    below = np.maximum(centres_hz - pitch_to_hz(pitches - step), bin_hz)
    above = np.maximum(pitch_to_hz(pitches + step) - centres_hz, bin_hz)
    distance = np.arange(1 + window_length // 2)[:, None] * bin_hz - centres_hz
    slope = np.where(distance < 0, -distance / below, distance / above)
    return np.maximum(0.0, 1.0 - slope).astype(np.float32)


@lru_cache(maxsize=16)
def bands_of_bins(
    window_length: int,
    bands_per_octave: int,
    highest_pitch: int = HIGHEST_PITCH,
    tuning_cents: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
) -> Int64s:
    """Return the half-open range of bands to which each bin adds, of the filters of :func:`pitch_filterbank`.

    Parameters
    ----------
    window_length, bands_per_octave, highest_pitch, tuning_cents, sample_rate
        As for ``pitch_filterbank``.

    Returns
    -------
    ndarray of int64 [shape=(1 + window_length // 2, 2)]
        Empty ranges where no band reaches.
    """
    inside = pitch_filterbank(window_length, bands_per_octave, highest_pitch, tuning_cents, sample_rate) > 0
    first, behind = inside.argmax(axis=1), inside.shape[1] - inside[:, ::-1].argmax(axis=1)
    return np.stack([first, np.where(inside.any(axis=1), behind, first)], axis=1)


def log_filter_centres_hz(
    bands_per_octave: int = LOG_BANDS_PER_OCTAVE,
    low_hz: float = LOG_LOW_HZ,
    high_hz: float = LOG_HIGH_HZ,
    a4_hz: float = 440.0,
) -> Float64s:
    """Return the frequencies a4 · 2^(k / bands_per_octave), k whole, from ``low_hz`` to ``high_hz``, in Hz."""
    first = np.ceil(bands_per_octave * np.log2(low_hz / a4_hz))
    last = np.floor(bands_per_octave * np.log2(high_hz / a4_hz))
    return a4_hz * 2.0 ** (np.arange(first, last + 1) / bands_per_octave)


@lru_cache(maxsize=4)
def log_filterbank(window_length: int = 4096, sample_rate: int = SAMPLE_RATE) -> Float32s:
    """Return triangular filters between the transform's bins that lie nearest to logarithmically spaced frequencies.

    Of the frequencies of :func:`log_filter_centres_hz` that share a bin only one counts, so low filters, where bins
    are sparser than bands, are one bin apart. Each filter rises from the bin before its own to the bin after it, and
    its weights sum to 1.

    Parameters
    ----------
    window_length : int
        Length of the transform in samples.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32 [shape=(1 + window_length // 2, filters)]
        229 filters for the default arguments.

    References
    ----------
    Kelz et al., "On the potential of simple framewise approaches to piano transcription", ISMIR 2016.
    """
    bin_hz = sample_rate / window_length
    bins = np.unique(np.rint(log_filter_centres_hz() / bin_hz))
    below, centre, above = bins[:-2], bins[1:-1], bins[2:]
    positions = np.arange(1 + window_length // 2)[:, None]
    rising = (positions - below) / (centre - below)
    falling = (above - positions) / (above - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    normalised: Float32s = (filters / filters.sum(axis=0)).astype(np.float32)
    return normalised
