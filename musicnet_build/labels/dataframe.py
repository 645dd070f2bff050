"""Labels as a table of pandas; as an object of pretty_midi they are in :mod:`musicnet_build.labels.midi`."""

from typing import TYPE_CHECKING

from musicnet_build.notes import NoteTable

if TYPE_CHECKING:
    import pandas


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
    >>> from musicnet_build.labels.dataframe import to_dataframe
    >>> table = to_dataframe(read_labels("labels.csv"))
    >>> len(table[table.pitch < 60])
    16
    """
    import pandas

    return pandas.DataFrame({name: notes[name] for name in notes.dtype.names or ()})
