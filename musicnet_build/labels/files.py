"""Aligned notes to and from label files: MusicNet CSV, MIDI, transcription TSV, JAMS, Audacity labels.

Times are recording seconds. What each format keeps of a note:

========  ============================================================================================
.csv      times to the sample, beats to 12 digits, pitch, program; confidence (4 decimals) on request
.mid      times to 0.1 ms, pitch, velocity, program, parts, drums
.tsv      times to the microsecond, pitch, velocity
.jams     everything but drums
.txt      times to the microsecond, pitch, program
========  ============================================================================================

What a format does not keep is read back as ``DEFAULT_VELOCITY``, program 0, part 0, beats 0 and unknown confidence; the
beats of a MIDI file are those of its own tempo. All formats but MIDI are lists of pitched notes: there, drums are left
out, and of notes equal in times, instrument and pitch one is written (see ``labelled``).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musicnet_build.errors import LabelError
from musicnet_build.files import replacing
from musicnet_build.labels import csv, jams, midi, text
from musicnet_build.labels.table import DEFAULT_VELOCITY, UNKNOWN, About, labelled
from musicnet_build.notes import NOTE_DTYPE, SAMPLE_RATE, NoteTable, sorted_by_onset

__all__ = ["DEFAULT_VELOCITY", "About", "check_ending", "labelled", "read_labels", "write_labels"]


def check_ending(path: str | os.PathLike[str]) -> None:
    """Raise LabelError when the ending of ``path`` names no label format."""
    _format_of(Path(path))


def write_labels(
    path: str | os.PathLike[str],
    notes: NoteTable,
    *,
    with_confidence: bool = False,
    with_played: bool = False,
    about: About = UNKNOWN,
) -> None:
    """Write notes to a label file of the format that its ending names; the file appears whole or not at all.

    Parameters
    ----------
    path : str or PathLike
        Ends in .csv, .mid, .midi, .tsv, .jams or .txt.
    notes : NoteTable [shape=(n,)]
        Times in recording seconds.
    with_confidence : bool
        Add the column ``confidence`` to a CSV. JAMS always states it, the other formats have no place for it.
    with_played : bool
        Add the column ``played`` to a CSV; no other format has a place for it.
    about : About
        What is known of the recording; only JAMS has a place for it.

    Raises
    ------
    LabelError
        When the ending names no format, or the notes cannot be labels (negative or unordered times, pitch or program
        out of range).

    Examples
    --------
    >>> from musicnet_build import read_labels, write_labels
    >>> notes = read_labels("labels.csv")
    >>> for path in ("labels.mid", "labels.tsv", "labels.jams", "labels.txt"):
    ...     write_labels(path, notes)
    """
    path = Path(path)
    formatter = _format_of(path).write
    _check_notes(path, notes)
    content = formatter(notes, _Wishes(with_confidence, with_played, about))
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_labels(path: str | os.PathLike[str]) -> NoteTable:
    """Read a label file of the format that its ending names.

    A MIDI file may come from anywhere; when notes in it are lost or it had to be mended, a ``UserWarning`` says so.

    Parameters
    ----------
    path : str or PathLike
        Ends in .csv, .mid, .midi, .tsv, .jams or .txt.

    Returns
    -------
    NoteTable [shape=(n,)]
        Sorted by onset, times in recording seconds.

    Raises
    ------
    LabelError
        When the file cannot be read; the message names the line where there is one.

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> notes = read_labels("labels.csv")
    >>> len(notes), [int(pitch) for pitch in notes["pitch"][:3]]
    (82, [69, 62, 62])
    >>> float(notes["onset_s"][0].round(2))
    0.89
    """
    path = Path(path)
    return sorted_by_onset(_format_of(path).read(path))


class _Wishes(NamedTuple):
    """What is written besides notes, in formats that have a place for it."""

    with_confidence: bool
    with_played: bool
    about: About


class _Format(NamedTuple):
    write: Callable[[NoteTable, _Wishes], bytes]
    read: Callable[[Path], NoteTable]


def _format_of(path: Path) -> _Format:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise LabelError(f"{path}: labels are files that end in {', '.join(_FORMATS)}.") from None


def _check_notes(path: Path, notes: NoteTable) -> None:
    if notes.dtype != NOTE_DTYPE:
        raise LabelError(f"{path}: the notes to write are not a note table.")
    faults = {
        "a time that is not finite": ~(np.isfinite(notes["onset_s"]) & np.isfinite(notes["offset_s"])),
        "an onset before the recording": notes["onset_s"] * SAMPLE_RATE < -0.5,
        "an offset before its onset": notes["offset_s"] < notes["onset_s"],
        "a pitch outside 0 to 127": (notes["pitch"] < 0) | (notes["pitch"] > 127),
        "a velocity outside 0 to 127": (notes["velocity"] < 0) | (notes["velocity"] > 127),
        "a program outside 0 to 127": (notes["program"] < 0) | (notes["program"] > 127),
        "beats that are not finite": ~(np.isfinite(notes["onset_beats"]) & np.isfinite(notes["duration_beats"])),
    }
    for fault, where in faults.items():
        if where.any():
            raise LabelError(f"{path}: note {int(np.argmax(where))} to write has {fault}.")


_FORMATS = {
    ".csv": _Format(lambda notes, also: csv.write_csv(notes, also.with_confidence, also.with_played), csv.read_csv),
    ".mid": _Format(lambda notes, _: midi.write_midi(notes), midi.read_midi),
    ".midi": _Format(lambda notes, _: midi.write_midi(notes), midi.read_midi),
    ".tsv": _Format(lambda notes, _: text.write_tsv(notes), text.read_tsv),
    ".jams": _Format(lambda notes, also: jams.write_jams(notes, also.about), jams.read_jams),
    ".txt": _Format(lambda notes, _: text.write_audacity(notes), text.read_audacity),
}
