"""Names of note values, in the words of the MusicNet label files."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_NOTE_VALUES: tuple[tuple[float, str], ...] = (
    (1 / 24, "Triplet Sixty Fourth"),
    (1 / 16, "Sixty Fourth"),
    (1 / 12, "Triplet Thirty Second"),
    (1 / 8, "Thirty Second"),
    (1 / 6, "Triplet Sixteenth"),
    (1 / 4, "Sixteenth"),
    (1 / 3, "Triplet"),
    (3 / 8, "Dotted Sixteenth"),
    (1 / 2, "Eighth"),
    (3 / 4, "Dotted Eighth"),
    (1, "Quarter"),
    (9 / 8, "Tied Quarter-Thirty Second"),
    (5 / 4, "Tied Quarter-Sixteenth"),
    (3 / 2, "Dotted Quarter"),
    (2, "Half"),
    (3, "Dotted Half"),
    (4, "Whole"),
)
_SHORTEST_VALUE_BEATS, _LONGEST_VALUE_BEATS = 1 / 48, 4.5


def note_value_name(durations_beats: ArrayLike) -> NDArray[np.str_]:
    """Name the note value nearest to each length, in the words of the MusicNet label files.

    Parameters
    ----------
    durations_beats : array_like of float [shape=(n,)]
        Lengths in quarter notes.

    Returns
    -------
    ndarray of str [shape=(n,)]
        "Triplet Sixty Fourth" to "Whole"; "Unknown" under 1/48 and over 4.5 quarter notes.
    """
    durations = np.atleast_1d(np.asarray(durations_beats, dtype=np.float64))
    lengths = np.array([length for length, _ in _NOTE_VALUES])
    names = np.array([name for _, name in _NOTE_VALUES])
    nearest = np.searchsorted((lengths[1:] + lengths[:-1]) / 2, durations)
    known = (durations >= _SHORTEST_VALUE_BEATS) & (durations <= _LONGEST_VALUE_BEATS)
    return np.where(known, names[nearest], "Unknown")
