"""Loudness and silence of recordings: which part is music, and how loud it is."""

import math

import numpy as np
from numpy.typing import ArrayLike

from musicnet_build._typing import Audio
from musicnet_build.errors import AudioError
from musicnet_build.notes import SAMPLE_RATE

REFERENCE_RMS = 0.05
"""The level to which signals are brought before they are compared."""

_BLOCK_SAMPLES = 1024
_BLOCKS_AT_ONCE = 64  # squares of so many stay in a core's cache
_ACTIVE_SHARE = 0.03


def active_span(audio: Audio) -> tuple[int, int]:
    """Return the first and the end sample of the music: what is louder than 3 % of the loud parts.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.

    Returns
    -------
    (int, int)
        Start and end in samples, in steps of 1,024.

    Raises
    ------
    AudioError
        When the signal is shorter than one block or silent.
    """
    blocks = audio[: len(audio) // _BLOCK_SAMPLES * _BLOCK_SAMPLES].reshape(-1, _BLOCK_SAMPLES)
    energy = np.empty(len(blocks), np.float32)
    for first in range(0, len(blocks), _BLOCKS_AT_ONCE):
        some = slice(first, first + _BLOCKS_AT_ONCE)
        energy[some] = np.square(blocks[some]).mean(axis=1)
    if not energy.any():
        raise AudioError("the audio is silent or shorter than 25 ms: there is nothing to align.")
    level = np.sqrt(energy)
    loud = np.flatnonzero(level > _ACTIVE_SHARE * np.percentile(level, 90))
    if not len(loud):
        loud = np.flatnonzero(level)
    return int(loud[0]) * _BLOCK_SAMPLES, int(loud[-1] + 1) * _BLOCK_SAMPLES


def music_duration_s(audio: Audio) -> float:
    """Return how many seconds of a mono signal at 44.1 kHz are music, by :func:`active_span`."""
    start, end = active_span(audio)
    return (end - start) / SAMPLE_RATE


def levelled(audio: Audio) -> Audio:
    """Return the signal scaled so that the music in it has an RMS of ``REFERENCE_RMS``."""
    return audio * level_factor(audio)


def level_factor(audio: Audio) -> np.float32:
    """Return what brings the music in a signal to an RMS of ``REFERENCE_RMS``."""
    start, end = active_span(audio)
    size = _BLOCKS_AT_ONCE * _BLOCK_SAMPLES
    pieces = (audio[first : min(first + size, end)] for first in range(start, end, size))
    rms = np.sqrt(sum(np.square(piece).sum(dtype=np.float64) for piece in pieces) / (end - start))
    return np.float32(REFERENCE_RMS / rms)


def level_dbfs(audio: ArrayLike) -> float:
    """Return the root mean square of a sound in decibels relative to full scale; -200 for silence.

    Parameters
    ----------
    audio : array of float
        Of any shape; all of its values count alike.

    Returns
    -------
    float

    Examples
    --------
    >>> round(level_dbfs([0.1, -0.1]), 6)
    -20.0
    """
    return 10 * math.log10(float(np.mean(np.square(audio, dtype=np.float64))) + 1e-20)
