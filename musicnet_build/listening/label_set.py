"""The labels of a recording as listeners meet them: pitched notes, the hash of their file, and the page's bytes."""

from dataclasses import dataclass

import numpy as np

from musicnet_build.errors import LabelError
from musicnet_build.files import sha256_of
from musicnet_build.labels.files import read_labels
from musicnet_build.listening.catalogue import Item
from musicnet_build.notes import SAMPLE_RATE, NoteTable, pitched

NOTE_COLUMNS = ("onset", "end", "pitch", "instrument", "confidence", "beat")


@dataclass(frozen=True)
class LabelSet:
    """One label file of a recording.

    Attributes
    ----------
    name : str
    sha256 : str
        Of the file's bytes.
    notes : NoteTable
        Pitched notes, sorted by onset.
    """

    name: str
    sha256: str
    notes: NoteTable

    def block(self) -> bytes:
        """Return the notes as the page reads them: ``NOTE_COLUMNS`` one after another, four bytes a value.

        Onsets and ends are int32 samples, the others float32; unknown confidence is nan.
        """
        notes = self.notes
        whole = [np.rint(notes[field] * SAMPLE_RATE).astype("<i4") for field in ("onset_s", "offset_s")]
        others = (notes["pitch"], notes["program"] + 1, notes["confidence"], notes["onset_beats"])
        return b"".join(column.tobytes() for column in (*whole, *(other.astype("<f4") for other in others)))


def read_label_set(item: Item, index: int) -> LabelSet:
    """Read one label file of an item.

    Parameters
    ----------
    item : Item
    index : int

    Returns
    -------
    LabelSet

    Raises
    ------
    LabelError
        When the file cannot be read, or has no pitched note.
    """
    path = item.labels[index]
    notes = pitched(read_labels(path))
    if not len(notes):
        raise LabelError(f"{path} has no notes to listen to.")
    return LabelSet(path.name, sha256_of(path), notes)
