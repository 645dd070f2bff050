"""The note table that every room shares.

One numpy structured array holds the notes of a score *and* the labels of a recording. What differs is only the
clock of ``onset_s`` and ``offset_s``: score seconds in a score, recording seconds in labels.
"""

import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

from musicnet_build._typing import Indices

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
        ("played", np.float64),  # probability that the note was played at all, nan where unknown
        ("score_note", np.int32),  # place among the note ids of the score, -1 where the score has none
    ]
)
"""One row per note."""

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""Names of the twelve pitch classes."""

_PITCH_NAME = re.compile(r"([A-G])([#b]?)(-1|\d)")
_ALTERATIONS = {"#": 1, "b": -1, "": 0}

NoteTable = TypeAliasType("NoteTable", NDArray[np.void])
"""A one-dimensional array of ``NOTE_DTYPE``."""


def empty_notes(count: int = 0) -> NoteTable:
    """Return ``count`` notes, all fields zero, what only an alignment knows unknown.

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
    notes["played"] = np.nan
    notes["score_note"] = -1
    return notes


def sorted_by_onset(notes: NoteTable) -> NoteTable:
    """Return the notes ordered by onset, then program, then pitch, then offset (stable)."""
    return notes[onset_order(notes)]


def onset_order(notes: NoteTable) -> Indices:
    """Return the places of the notes in the order of ``sorted_by_onset``."""
    return np.lexsort((notes["offset_s"], notes["pitch"], notes["program"], notes["onset_s"]))


def pitched(notes: NoteTable) -> NoteTable:
    """Return the notes that have a pitch: all but drums, in the same order.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    NoteTable [shape=(k,)]
    """
    kept: NoteTable = notes[~notes["is_drum"]]
    return kept


def end_at_restrike(
    notes: NoteTable, *, by: Literal["part", "program"] | None = "part", gap_s: float = 0.0
) -> NoteTable:
    """Let no note sound beyond the next onset of its pitch.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
    by : str or None
        Field whose value makes a keyboard of its own: a note is ended only by notes that share it. None where all
        notes share one keyboard.
    gap_s : float
        How long before the next onset a note ends, in seconds.

    Returns
    -------
    NoteTable [shape=(n,)]
        The same rows in the same order, some with earlier offsets.
    """
    fields = ["pitch"] if by is None else ["pitch", by]
    order = np.lexsort((notes["onset_s"], *(notes[field] for field in fields)))
    ordered = notes[order]
    other = np.any([np.diff(ordered[field]) != 0 for field in fields], axis=0)
    # Notes of one key that begin together are ended by the next that begins later.
    begins = 1 + np.flatnonzero(other | (np.diff(ordered["onset_s"]) > 0))
    following = np.append(begins, len(ordered))[np.searchsorted(begins, np.arange(len(ordered)), side="right")]
    own = np.cumsum(np.concatenate([[0], other]))
    again = following < len(ordered)
    again[again] = own[following[again]] == own[: len(ordered)][again]
    limit_s = ordered["onset_s"][following[again]] - gap_s
    ordered["offset_s"][again] = np.minimum(ordered["offset_s"][again], limit_s)
    result = notes.copy()
    result[order] = ordered
    return result


def pitch_name(pitch: int) -> str:
    """Name a pitch in scientific notation.

    Parameters
    ----------
    pitch : int
        MIDI number.

    Returns
    -------
    str

    Examples
    --------
    >>> pitch_name(60), pitch_name(61), pitch_name(0)
    ('C4', 'C#4', 'C-1')
    """
    return f"{PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"


def pitch_number(name: str) -> int:
    """Return the MIDI number of a pitch in scientific notation.

    Parameters
    ----------
    name : str
        A letter from A to G, perhaps ``#`` or ``b``, and an octave from -1 to 9. C4 is middle C.

    Returns
    -------
    int
        -1 (``Cb-1``) to 131 (``B9``): whether MIDI has it is for the caller to ask.

    Raises
    ------
    ValueError
        When it is no such name.

    Examples
    --------
    >>> pitch_number("C4"), pitch_number("Db4"), pitch_number("A4")
    (60, 61, 69)
    """
    match = _PITCH_NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is no pitch such as C#4")
    letter, accidental, octave = match.groups()
    return PITCH_CLASSES.index(letter) + _ALTERATIONS[accidental] + 12 * (int(octave) + 1)
