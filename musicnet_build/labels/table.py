"""What the lists of labels share, whatever their format: which notes they hold, and when."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from musicnet_build._typing import Int64s
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, pitched

DEFAULT_VELOCITY = 64
"""Velocity of notes from formats that have none."""


class About(NamedTuple):
    """What is known of a recording besides its notes.

    Attributes
    ----------
    title, artist : str
        Empty where they are not known.
    duration_s : float or None
        Of the recording.
    """

    title: str = ""
    artist: str = ""
    duration_s: float | None = None


UNKNOWN = About()


def labelled(notes: NoteTable) -> NoteTable:
    """Return the notes that a label list holds: no drums, and exact duplicates once.

    Duplicates are equal in instrument, pitch, and times to the sample, as in unison doublings of one part.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    NoteTable [shape=(k,)]
        Sorted by start sample, program, pitch, end sample.
    """
    kept = pitched(notes)
    start, end = sample_times(kept)
    keys = np.stack([start, kept["program"], kept["pitch"], end], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    result: NoteTable = kept[first]
    return result


def sample_times(notes: NoteTable) -> tuple[Int64s, Int64s]:
    """Return start and end in samples, the end always after the start."""
    start = np.maximum(np.rint(notes["onset_s"] * SAMPLE_RATE), 0).astype(np.int64)
    end = np.rint(notes["offset_s"] * SAMPLE_RATE).astype(np.int64)
    return start, np.maximum(end, start + 1)


def by_part(notes: NoteTable) -> Iterator[NoteTable]:
    """Split notes by part, program and whether they are drums, in that order."""
    keys = np.stack([notes["part"], notes["program"], notes["is_drum"]], axis=1)
    for key in np.unique(keys, axis=0):
        yield notes[(keys == key).all(axis=1)]


def table_of(rows: Sequence[Mapping[str, Any]]) -> NoteTable:
    """Make a note table of rows that name the fields they know."""
    notes = empty_notes(len(rows))
    notes["velocity"] = DEFAULT_VELOCITY
    for field in rows[0] if rows else ():
        notes[field] = [row[field] for row in rows]
    return notes
