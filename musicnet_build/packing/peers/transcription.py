"""Files for piano transcription: 16 kHz FLAC with TSV labels, and one HDF5 file a recording.

- ``{train,validation,test}_data/NAME.flac`` and ``tsv_{train,validation,test}_labels/NAME.tsv``; for MAPS and its likes
  ``flac/NAME.flac``, ``tsv/matched/NAME.tsv`` and, the same again, ``tsvs/NAME.tsv``: as onsets-and-frames and the
  study of spectrogram reconstruction read them.
- ``hdf5s/CORPUS/YEAR/NAME.h5``, as high-resolution piano transcription reads it.
- ``{train,validation,test}_metadata.csv``: MusicNet's metadata of each set.

All instruments together are one piano: notes outside its 88 keys are left out and counted.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.maps import CATEGORIES
from musicnet_build.corpora.maps import parse_stem
from musicnet_build.corpora.musicnet import METADATA_FIELDS, METADATA_COLUMNS, id_order, write_table
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.labels.files import DEFAULT_VELOCITY, write_labels
from musicnet_build.labels.pianoroll import PIANO
from musicnet_build.notes import NoteTable
from musicnet_build.packing.hdf5 import add, writing
from musicnet_build.packing.musicnet_h5 import as_int16
from musicnet_build.packing.peers.folders import FilesMade, make_files
from musicnet_build.packing.sources import (
    Packed,
    Progress,
    Source,
    SourceSettings,
    empty_parts,
    recordings_of,
    sizes_by_split,
)

RATE_HZ = 16_000

# High-resolution piano transcription keeps its files in a folder a year; MusicNet's labels do not know the year.
_NO_YEAR = "0000"
_END_OF_TRACK = "<meta message end_of_track time=0>"


def midi_events(notes: NoteTable) -> tuple[NDArray[np.float32], list[str]]:
    """Return notes as the key strokes of one piano, as text in the form of mido's messages.

    A piano has one key a pitch: a note that begins while another of its pitch sounds ends that one, and of notes that
    begin together the longest is kept.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.

    Returns
    -------
    times_s : ndarray of float32 [shape=(2 k,)]
    events : list of str
        ``note_on`` and ``note_off`` messages, in order of time; ends come before starts.
    """
    strokes = sorted(_key_strokes(notes))
    events = [
        f"{'note_on' if is_on else 'note_off'} channel=0 note={pitch} velocity={velocity} time=0"
        for _, is_on, pitch, velocity in strokes
    ]
    return np.array([time_s for time_s, *_ in strokes], dtype=np.float32), events


def _key_strokes(notes: NoteTable) -> Iterator[tuple[float, bool, int, int]]:
    """(seconds, whether it is a start, pitch, velocity)."""
    for pitch in np.unique(notes["pitch"]).tolist():
        same = notes[notes["pitch"] == pitch]
        same = same[np.lexsort((same["offset_s"], same["onset_s"]))]
        onset_s = same["onset_s"]
        last = np.append(onset_s[1:] > onset_s[:-1], True)
        same, onset_s = same[last], onset_s[last]
        offset_s = np.minimum(same["offset_s"], np.append(onset_s[1:], np.inf))
        for start_s, end_s, velocity in zip(
            onset_s.tolist(), offset_s.tolist(), same["velocity"].tolist(), strict=True
        ):
            yield start_s, True, pitch, velocity or DEFAULT_VELOCITY
            yield end_s, False, pitch, 0


