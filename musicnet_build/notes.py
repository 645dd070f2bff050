"""The note table that every room shares.

One numpy structured array holds the notes of a score *and* the labels of a recording. What differs is only the
clock of ``onset_s`` and ``offset_s``: score seconds in a score, recording seconds in labels.
"""

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

SAMPLE_RATE = 44_100
"""Sample rate in Hz of everything inside: audio, label times, spectra."""

NOTE_DTYPE = np.dtype(
    [
        ("onset_s", np.float64),
        ("offset_s", np.float64),
        ("onset_beats", np.float64),  # quarter notes from the start of the score
        ("duration_beats", np.float64),  # length as written, in quarter notes
        ("pitch", np.int16),  # MIDI number, 0 to 127
        ("velocity", np.int16),  # 1 to 127
        ("program", np.int16),  # General MIDI program, 0 to 127 (MusicNet's instrument is program + 1)
        ("part", np.int16),  # index into the parts of the score; 0 where a label file names no part
        ("is_drum", np.bool_),
        ("confidence", np.float64),  # probability of a right onset, nan where unknown
    ]
)
"""One row a note."""

NoteTable = TypeAliasType("NoteTable", NDArray[np.void])
"""A one-dimensional array of ``NOTE_DTYPE``."""


def empty_notes(count: int = 0) -> NoteTable:
    """Return ``count`` notes, all fields zero, confidence unknown.

    Parameters
    ----------
    count : int
        Number of rows.

    Returns
    -------
    NoteTable [shape=(count,)]
    """
    notes = np.zeros(count, dtype=NOTE_DTYPE)
    notes["confidence"] = np.nan
    return notes


def sorted_by_onset(notes: NoteTable) -> NoteTable:
    """Return the notes ordered by onset, then program, then pitch, then offset (stable)."""
    order = np.lexsort((notes["offset_s"], notes["pitch"], notes["program"], notes["onset_s"]))
    return notes[order]
