"""What one pianist would have to do to play a recording's notes: the form that piano transcription wants."""

from typing import Literal, NamedTuple

import numpy as np

from musicnet_build.labels.files import DEFAULT_VELOCITY
from musicnet_build.labels.pianoroll import PIANO
from musicnet_build.notes import NoteTable, end_at_restrike

_ONE_STROKE_S = 2e-3
"""No key is struck again so soon, and MIDI files of long recordings could not tell the strokes apart."""


class Strokes(NamedTuple):
    """The keys that are struck, and how many notes have no key on a piano."""

    notes: NoteTable
    out_of_range: int


def on_piano(notes: NoteTable) -> Strokes:
    """Leave out the notes that a piano does not have.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    Strokes
    """
    kept = (notes["pitch"] >= PIANO[0]) & (notes["pitch"] <= PIANO[1])
    return Strokes(notes[kept], int((~kept).sum()))


def key_strokes(notes: NoteTable, *, by: Literal["program"] | None = None) -> NoteTable:
    """Return the notes as strokes of one key per pitch.

    A note that begins while another of its pitch sounds ends that one; of notes of one pitch that begin together
    (within 2 ms) the last is kept, and of those that begin at the same time the longest.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
    by : {"program"} or None
        Give each program a keyboard of its own; None where all notes share one.

    Returns
    -------
    NoteTable [shape=(k,)]
        Sorted by keyboard, pitch and onset; velocities that are not known are ``DEFAULT_VELOCITY``.
    """
    keys = ("pitch",) if by is None else ("pitch", by)
    ordered = notes[np.lexsort((notes["offset_s"], notes["onset_s"], *(notes[key] for key in keys)))]
    next_differs = np.any([np.diff(ordered[key]) != 0 for key in keys], axis=0)
    next_differs |= np.diff(ordered["onset_s"]) > _ONE_STROKE_S
    strokes = end_at_restrike(ordered[np.append(next_differs, True)[: len(ordered)]], by=by)
    strokes["velocity"] = np.where(strokes["velocity"] > 0, strokes["velocity"], DEFAULT_VELOCITY)
    return strokes
