"""Files for piano transcription: 16 kHz FLAC with TSV labels, and one HDF5 file a recording.

- ``{train,validation,test}_data/NAME.flac`` and ``tsv_{train,validation,test}_labels/NAME.tsv``; for MAPS and its likes
  ``flac/NAME.flac``, ``tsv/matched/NAME.tsv`` and, the same again, ``tsvs/NAME.tsv``: as onsets-and-frames and the
  study of spectrogram reconstruction read them.
- ``hdf5s/CORPUS/YEAR/NAME.h5``, as high-resolution piano transcription reads it.
- ``{train,validation,test}_metadata.csv``: MusicNet's metadata of each set.

All instruments together are one piano: notes outside its 88 keys are left out and counted.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from musicnet_build._typing import Float32s
from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.maestro import year_of
from musicnet_build.corpora.maps import parse_stem
from musicnet_build.corpora.musicnet import BANK as MUSICNET_BANK
from musicnet_build.corpora.musicnet import METADATA_COLUMNS, id_order, write_table
from musicnet_build.corpora.recording import Recording
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import NoteTable
from musicnet_build.packing.hdf5 import add, writing
from musicnet_build.packing.musicnet_h5 import as_int16
from musicnet_build.packing.peers.folders import OneMade, make_files, packed_folder
from musicnet_build.packing.peers.keyboard import key_strokes, on_piano
from musicnet_build.packing.sources import (
    Packed,
    Progress,
    Source,
    SourceSettings,
    recordings_of,
    sizes_by_split,
)

RATE_HZ = 16_000

_END_OF_TRACK = "<meta message end_of_track time=0>"


@dataclass(frozen=True, kw_only=True)
class TranscriptionSettings(SourceSettings):
    """Which recordings are packed.

    Attributes
    ----------
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    """

    sustain: bool = True


def pack_transcription(
    source: Source,
    path: str | os.PathLike[str],
    settings: TranscriptionSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the files.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A folder of MAPS, MAESTRO or MusicNet's layout.
    path : str or PathLike
        The folder to write.
    settings : TranscriptionSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts the notes, and those left out because no piano has their keys (``out_of_range``).

    Raises
    ------
    DatasetError
        When a recording cannot be packed; the others are there.

    Examples
    --------
    >>> from musicnet_build.packing.peers.transcription import pack_transcription
    >>> pack_transcription("dataset", "transcription").recordings
    3
    """
    settings, root = settings or TranscriptionSettings(), Path(path)
    recordings = sorted(recordings_of(source, settings), key=lambda recording: id_order(recording.id))
    recipe = {"sustain": settings.sustain}
    made = make_files(root, recordings, write_recording, recipe, workers=workers, progress=progress)
    _write_metadata(root, recordings, [report["seconds"] for report in made.reports])
    return packed_folder(root, recordings, made)


def _write_metadata(root: Path, recordings: Sequence[Recording], seconds: Sequence[float]) -> None:
    for split, count in sizes_by_split(recordings).items():
        rows = [
            {**one.metadata, "id": one.id, "seconds": f"{duration_s:.0f}"}
            for one, duration_s in zip(recordings, seconds, strict=True)
            if one.split == split
        ]
        if count:
            write_table(root / f"{split}_metadata.csv", METADATA_COLUMNS, rows)


def write_recording(recording: Recording, root: Path, *, sustain: bool) -> OneMade:
    """Write the files of one recording."""
    samples = read_audio(recording.audio, RATE_HZ)
    on_keys, out_of_range = on_piano(read_notes(recording, sustain=sustain))
    files = _places_of(recording)
    write_audio(root / files.flac, samples, RATE_HZ)
    for tsv in files.tsv:
        write_labels(root / tsv, on_keys)
    duration_s = len(samples) / RATE_HZ
    with writing(root / files.h5) as file:
        file.attrs.update(_attributes(recording, duration_s))
        add(file, "waveform", as_int16(samples))
        times, events = midi_events(on_keys)
        add(file, "midi_event", np.array(events, dtype="S100"))
        add(file, "midi_event_time", times)
    counts = {"notes": len(on_keys), "out_of_range": out_of_range}
    return OneMade([files.flac, *files.tsv, files.h5], counts, {"seconds": duration_s})


class _Places(NamedTuple):
    """Where the files of a recording are, from the package."""

    flac: str
    tsv: tuple[str, ...]
    h5: str


def _places_of(recording: Recording) -> _Places:
    name = recording.name
    h5 = f"hdf5s/{_corpus_of(recording)}/{year_of(recording)}/{name}.h5"
    if recording.split:
        split = recording.split
        return _Places(f"{split}_data/{name}.flac", (f"tsv_{split}_labels/{name}.tsv",), h5)
    return _Places(f"flac/{name}.flac", (f"tsv/matched/{name}.tsv", f"tsvs/{name}.tsv"), h5)


def _corpus_of(recording: Recording) -> str:
    if parse_stem(recording.name):
        return "maps"
    return "musicnet" if recording.bank == MUSICNET_BANK else "maestro"


def _attributes(recording: Recording, duration_s: float) -> dict[str, Any]:
    texts = {
        "canonical_composer": recording.metadata.get("composer", ""),
        "canonical_title": recording.metadata.get("composition", "") or recording.piece,
        "split": recording.split,
        "year": year_of(recording),
        "midi_filename": f"{recording.id}.mid",
        "audio_filename": f"{recording.id}.wav",
    }
    # Its reader decodes bytes.
    encoded = {name: np.bytes_(text.encode()[:100]) for name, text in texts.items()}
    return {**encoded, "duration": np.float32(duration_s)}


def midi_events(notes: NoteTable) -> tuple[Float32s, list[str]]:
    """Return notes as the key strokes of one piano, as text in the form of mido's messages.

    The last event is the end of the track, as in MAESTRO: the reader these files are for never looks at the last event.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.

    Returns
    -------
    times_s : ndarray of float32 [shape=(2 k + 1,)]
    events : list of str
        ``note_on`` and ``note_off`` messages, in order of time, ends before starts; then ``end_of_track``.
    """
    strokes = key_strokes(notes)
    starts = [(note["onset_s"], 1, note["pitch"], note["velocity"]) for note in strokes]
    ends = [(note["offset_s"], 0, note["pitch"], 0) for note in strokes]
    ordered = sorted(starts + ends)
    events = [
        f"note_{'on' if is_on else 'off'} channel=0 note={pitch} velocity={velocity} time=0"
        for _, is_on, pitch, velocity in ordered
    ]
    times_s = [time_s for time_s, *_ in ordered]
    return np.array([*times_s, max(times_s, default=0.0)], dtype=np.float32), [*events, _END_OF_TRACK]
