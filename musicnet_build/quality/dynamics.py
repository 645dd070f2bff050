"""How hard each labelled note was struck, as far as the recording tells: velocities within one piece.

Loudness is the amplitude of a note's partials just behind its onset, and half as much (in logarithms) that of the whole
sound there: notes of a loud chord are loud. Neither is what sounded before the onset subtracted, nor what is loud in
each register taken out: both made the order of the notes worse. ``tests/benchmarks/bench_dynamics.py`` compares that
order with the truth.
"""

import numpy as np

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.quality.partials import PartialLevels

MIDDLE, SPREAD = 64, 18
"""Velocity of the median note, and of a standard deviation."""

_WHOLE_SHARE = 0.5
_FLOOR = 1e-5
_QUARTILES_PER_DEVIATION = 1.349  # between the quartiles of a normal distribution


def recorded_velocities(levels: PartialLevels) -> Int64s:
    """Return velocities of labelled notes from the sound of their recording.

    They compare the notes of one recording with each other; microphone and gain decide what is loud.

    Parameters
    ----------
    levels : PartialLevels
        Of the notes.

    Returns
    -------
    ndarray of int64 [shape=(notes,)]
        1 to 127; the median note has 64, and 18 is a standard deviation.

    Examples
    --------
    >>> from musicnet_build import read_audio, read_labels
    >>> from musicnet_build.quality.dynamics import recorded_velocities
    >>> from musicnet_build.quality.partials import partial_levels
    >>> velocities = recorded_velocities(partial_levels(read_audio("recording.flac"), read_labels("labels.csv")))
    >>> len(velocities), int(sorted(velocities)[41])
    (82, 64)
    """
    loudness = _loudness(levels)
    if not len(loudness):
        return np.zeros(0, dtype=np.int64)
    lower, middle, upper = np.quantile(loudness, (0.25, 0.5, 0.75))
    deviation = max(float(upper - lower) / _QUARTILES_PER_DEVIATION, 1e-9)
    scaled = MIDDLE + SPREAD * (loudness - middle) / deviation
    velocities: Int64s = np.clip(np.rint(scaled), 1, 127).astype(np.int64)
    return velocities


def _loudness(levels: PartialLevels) -> Float64s:
    loudness: Float64s = np.log(levels.partials.sum(axis=1) + _FLOOR) + _WHOLE_SHARE * np.log(levels.whole + _FLOOR)
    return loudness
