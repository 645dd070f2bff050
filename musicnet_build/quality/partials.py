"""How loud the partials of each labelled note are just after its onset, beside what lies next to them."""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Audio, Features, Float64s, Int64s
from musicnet_build.audio.loudness import level_factor
from musicnet_build.features import onsets, spectra
from musicnet_build.notes import SAMPLE_RATE, NoteTable

PARTIALS = (0, 12, 19, 24, 28, 31)
"""Semitones of the first six partials above the pitch."""

AFTER_S = (0.02, 0.11)
"""Seconds behind an onset between which the sound is taken: later another note begins, earlier nothing is there yet."""

_WINDOW, _HOP = 4096, 512
_HIGHEST_BAND = 132
_BANDS = _HIGHEST_BAND - spectra.LOWEST_PITCH + 1


@dataclass(frozen=True, eq=False)
class PartialLevels:
    """Amplitudes in semitone bands behind the onset of each note; their unit is that of a levelled recording.

    Attributes
    ----------
    partials : ndarray of float64 [shape=(notes, 6)]
        At the first six partials; 0 where one is above the highest band.
    beside : ndarray of float64 [shape=(notes, 6)]
        The louder of the two semitones beside each.
    whole : ndarray of float64 [shape=(notes,)]
        Of all bands together.
    """

    partials: Float64s
    beside: Float64s
    whole: Float64s


def partial_levels(recording: Audio, notes: NoteTable, tuning_cents: float = 0.0) -> PartialLevels:
    """Listen for the partials of labelled notes.

    Parameters
    ----------
    recording : ndarray of float32 [shape=(n,)]
        Mono audio at 44.1 kHz.
    notes : NoteTable [shape=(notes,)]
        Labels, in recording seconds.
    tuning_cents : float
        How far above A4 = 440 Hz the recording is tuned.

    Returns
    -------
    PartialLevels
    """
    levelled = recording * np.float32(level_factor(recording))
    bands = onsets.semitones(levelled, _WINDOW, _HOP, _HIGHEST_BAND, tuning_cents)
    after = _means(bands, notes["onset_s"])
    at = notes["pitch"].astype(np.int64)[:, None] - spectra.LOWEST_PITCH + np.array(PARTIALS)
    beside = np.maximum(_taken(after, at - 1), _taken(after, at + 1))
    return PartialLevels(_taken(after, at), beside, after.sum(axis=1))


def _means(bands: Features, onset_s: Float64s) -> Float64s:
    """Mean amplitude of each band behind each onset."""
    amplitudes = np.cumsum(np.expm1(bands), axis=0, dtype=np.float64)
    sums = np.concatenate([np.zeros((1, bands.shape[1])), amplitudes])
    first, stop = (np.rint((onset_s + edge_s) * SAMPLE_RATE / _HOP).astype(np.int64) for edge_s in AFTER_S)
    first = np.clip(first, 0, len(bands) - 1)
    stop = np.clip(stop, first + 1, len(bands))
    means: Float64s = (sums[stop] - sums[first]) / (stop - first)[:, None]
    return means


def _taken(after: Float64s, at: Int64s) -> Float64s:
    inside = (at >= 0) & (at < _BANDS)
    rows = np.arange(len(after))[:, None]
    return np.where(inside, after[rows, np.clip(at, 0, _BANDS - 1)], 0.0)
