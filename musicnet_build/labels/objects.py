"""Labels as the objects of other libraries: tables of pandas, performances of pretty_midi."""

from typing import TYPE_CHECKING

import numpy as np

from musicnet_build.notes import NoteTable

if TYPE_CHECKING:
    import pandas
    import pretty_midi


def to_dataframe(notes: NoteTable) -> "pandas.DataFrame":
    """Return notes as a table of pandas, which is the extra ``pandas``.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    pandas.DataFrame
        One row per note, one column per field of the note table: ``onset_s``, ``offset_s``, ``pitch``, …

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.labels.objects import to_dataframe
    >>> table = to_dataframe(read_labels("labels.csv"))
    >>> len(table[table.pitch < 60])
    11
    """
    import pandas

    return pandas.DataFrame({name: notes[name] for name in notes.dtype.names or ()})


def to_pretty_midi(notes: NoteTable) -> "pretty_midi.PrettyMIDI":
    """Return notes as a performance, with times as they are: not rounded to ticks until it is written.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    pretty_midi.PrettyMIDI
        One instrument per part and program, in their order.

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.labels.objects import to_pretty_midi
    >>> midi = to_pretty_midi(read_labels("labels.csv"))
    >>> [instrument.program for instrument in midi.instruments]
    [0, 40]
    """
    import pretty_midi

    midi = pretty_midi.PrettyMIDI()
    for part, program, is_drum in np.unique(notes[["part", "program", "is_drum"]]).tolist():
        of_it = (notes["part"] == part) & (notes["program"] == program) & (notes["is_drum"] == is_drum)
        instrument = pretty_midi.Instrument(program, is_drum)
        fields = ("velocity", "pitch", "onset_s", "offset_s")
        instrument.notes = [pretty_midi.Note(*values) for values in notes[of_it][list(fields)].tolist()]
        midi.instruments.append(instrument)
    return midi
