"""What one row of ``parquet`` and one sample of ``webdataset`` hold: encoded audio, notes as lists, metadata."""

import io
from typing import Any

import numpy as np
import soundfile

from musicnet_build._typing import Audio
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.musicnet import METADATA_FIELDS
from musicnet_build.corpora.recording import Recording
from musicnet_build.notes import SAMPLE_RATE, NoteTable

NOTE_LISTS = {
    "onset": "float64",  # seconds
    "offset": "float64",
    "pitch": "int32",  # MIDI number
    "instrument": "int32",  # General MIDI program + 1, as MusicNet counts
    "velocity": "int32",
    "onset_beats": "float64",  # quarter notes from the start of the score
    "duration_beats": "float64",
    "confidence": "float32",  # null where unknown
}
"""Lists of a row, an entry per note, with their types."""

TEXTS = ("id", "split", "piece", *METADATA_FIELDS)


def flac_of(audio: Audio, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Encode audio as FLAC of 16 bits."""
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def note_lists(notes: NoteTable) -> dict[str, list[Any]]:
    """Return notes as lists by the names of ``NOTE_LISTS``."""
    confidence = [None if np.isnan(value) else value for value in notes["confidence"].tolist()]
    return {
        "onset": notes["onset_s"].tolist(),
        "offset": notes["offset_s"].tolist(),
        "pitch": notes["pitch"].tolist(),
        "instrument": (notes["program"].astype(int) + 1).tolist(),
        "velocity": notes["velocity"].tolist(),
        "onset_beats": notes["onset_beats"].tolist(),
        "duration_beats": notes["duration_beats"].tolist(),
        "confidence": confidence,
    }


def row_of(recording: Recording, *, sustain: bool) -> tuple[bytes, dict[str, Any]]:
    """Return the FLAC of a recording, and all else that is known of it, as JSON can hold it."""
    samples = read_audio(recording.audio)
    texts = {name: recording.metadata.get(name, "") for name in METADATA_FIELDS}
    known = {"id": recording.id, "split": recording.split, "piece": recording.piece, **texts}
    measures = {"seconds": len(samples) / SAMPLE_RATE, "sample_rate": SAMPLE_RATE}
    return flac_of(samples), {**known, **measures, **note_lists(read_notes(recording, sustain=sustain))}


def shard_groups(sizes: list[int], limit: int) -> list[list[int]]:
    """Deal items, in order, to shards of at most ``limit`` bytes; an item that is larger has one of its own.

    Examples
    --------
    >>> shard_groups([4, 4, 4, 20, 1], 10)
    [[0, 1], [2], [3], [4]]
    """
    groups: list[list[int]] = []
    filled = limit + 1
    for place, size in enumerate(sizes):
        if filled + size > limit:
            groups.append([])
            filled = 0
        groups[-1].append(place)
        filled += size
    return groups
