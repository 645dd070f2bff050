"""What the audit page draws of a recording: tiles of its spectrogram, and one pitch around one onset.

Tiles are made when they are asked for: the whole spectrogram of an hour would be 95 MB.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.sparse

from musicnet_build._typing import Audio, UInt8s
from musicnet_build.features.filterbanks import pitch_to_hz
from musicnet_build.notes import SAMPLE_RATE

BINS_PER_SEMITONE = 3
LOWEST_PITCH, HIGHEST_PITCH = 21, 108
ROWS = BINS_PER_SEMITONE * (HIGHEST_PITCH - LOWEST_PITCH + 1)
HOP = 441
"""Samples per column at the finest level: 10 ms."""

COLUMNS = 512
LEVELS = (1, 4, 16, 64)
"""Finest columns per column of each level; the loudest is kept, so onsets survive."""

RANGE_DB = 100.0
"""Bytes 0 to 255 stand for -100 to 0 dB, 0 being a sine of full scale."""

ENVELOPE_S = 0.3
ENVELOPE_STEP = 44
"""Samples from one point of an envelope to the next: 1 ms."""

# Windows, and the pitch from which each is used: long ones tell low notes apart, short ones show when high ones begin.
_WINDOWS = ((8192, LOWEST_PITCH), (4096, 50), (2048, 72))
_DENSEST = 16  # frames per column at most: at the coarsest level every fourth, whose windows still touch, is enough
_PARTIALS = (1, 2, 3)
_HIGHEST_HZ = 18_000.0

Read = Callable[[int, int], Audio]


def tile(read: Read, level: int, column: int) -> UInt8s:
    """Return one tile of the spectrogram.

    Parameters
    ----------
    read : callable
        Gives the samples from one position to another, zeros outside the recording.
    level : int
        One of ``LEVELS``.
    column : int
        Number of the tile, from 0; it begins at ``column * COLUMNS * level * HOP`` samples.

    Returns
    -------
    ndarray of uint8 [shape=(ROWS, COLUMNS)]
        The highest pitch in the first row.
    """
    first, stride = column * COLUMNS * level, max(1, level // _DENSEST)
    parts = [_columns(read, first + start, stride) for start in range(0, COLUMNS * level, COLUMNS * stride)]
    loudest = np.concatenate([part.reshape(ROWS, -1, level // stride).max(axis=2) for part in parts], axis=1)
    decibels = 20.0 * np.log10(np.maximum(loudest, 1e-9))
    picture: UInt8s = np.clip(np.rint(255.0 * (1.0 + decibels / RANGE_DB)), 0, 255).astype(np.uint8)
    return picture[::-1]


def _columns(read: Read, first: int, stride: int) -> Audio:
    """Amplitudes of every ``stride``-th of the frames from ``first`` on, the lowest pitch in the first row."""
    widest, hop = _WINDOWS[0][0], HOP * stride
    sound = read(first * HOP - widest // 2, first * HOP + (COLUMNS - 1) * hop + widest // 2)
    rows = []
    for window, _ in _WINDOWS:
        frames = np.lib.stride_tricks.sliding_window_view(sound[(widest - window) // 2 :], window)[::hop][:COLUMNS]
        spectra = np.abs(scipy.fft.rfft(frames * _hann(window), axis=1))
        rows.append(_filters(window) @ spectra.T)
    return np.concatenate(rows)


@lru_cache
def _hann(length: int) -> Audio:
    """Scaled so that a sine of amplitude 1 on a bin has the value 1."""
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    return (4.0 / length * window).astype(np.float32)


@lru_cache
def _filters(window: int) -> scipy.sparse.csr_matrix:
    """Triangles around the rows' frequencies, as wide as a row or as two bins of the transform."""
    starts = [pitch for _, pitch in _WINDOWS] + [HIGHEST_PITCH + 1]
    place = [length for length, _ in _WINDOWS].index(window)
    pitches = np.arange(BINS_PER_SEMITONE * starts[place], BINS_PER_SEMITONE * starts[place + 1]) / BINS_PER_SEMITONE
    centres = pitch_to_hz(pitches - 1.0 / BINS_PER_SEMITONE)[:, None]
    bin_hz = SAMPLE_RATE / window
    widths = np.maximum(centres * (2.0 ** (1.0 / (12 * BINS_PER_SEMITONE)) - 1.0), bin_hz)
    distances = np.abs(np.arange(window // 2 + 1) * bin_hz - centres) / widths
    return scipy.sparse.csr_matrix(np.maximum(1.0 - distances, 0.0).astype(np.float32))


def pitch_envelope(read: Read, centre: int, pitch: int) -> Audio:
    """Return how loud one pitch is, millisecond by millisecond, around an onset.

    The first partials are brought down to 0 Hz and averaged over a window of four periods or 12 ms, whichever is
    longer; the window is symmetric, so a rise is seen where it is heard.

    Parameters
    ----------
    read : callable
    centre : int
        Sample of the onset.
    pitch : int
        MIDI number.

    Returns
    -------
    ndarray of float32 [shape=(n,)]
        ``ENVELOPE_S`` of amplitudes, ``ENVELOPE_STEP`` samples apart, the middle one on the onset.
    """
    half = round(0.5 * ENVELOPE_S * SAMPLE_RATE / ENVELOPE_STEP) * ENVELOPE_STEP
    fundamental = float(pitch_to_hz(np.array(pitch)))
    width = round(max(0.012, 4.0 / fundamental) * SAMPLE_RATE) | 1
    margin = width // 2
    sound = read(centre - half - margin, centre + half + margin + 1)
    clock = np.arange(len(sound)) / SAMPLE_RATE
    window = np.hanning(width + 2)[1:-1]
    window /= window.sum()
    power = np.zeros(2 * half // ENVELOPE_STEP + 1)
    for partial in _PARTIALS:
        hz = partial * fundamental
        if hz < _HIGHEST_HZ:
            moved = sound * np.exp(-2j * np.pi * hz * clock)
            smooth = np.convolve(moved, window, mode="valid")[::ENVELOPE_STEP]
            power += np.abs(2.0 * smooth) ** 2
    return np.sqrt(power).astype(np.float32)
