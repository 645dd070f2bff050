"""Packages of rows: a recording is a row, with its sound, its notes and its metadata; rows are joined to files.

``parquet``, ``webdataset`` and ``notesequence`` differ in how they write a row and how they join rows, and in nothing
else.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from musicnet_build._typing import Audio
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.musicnet import METADATA_FIELDS
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.files import write_json
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.packing.shards import FOLDER_INDEX, Counts, make_shards, publishing_folder
from musicnet_build.packing.sources import (
    Packed,
    Progress,
    Source,
    SourceSettings,
    empty_parts,
    recordings_in_sets,
    sizes_by_split,
)

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

Index = Mapping[str, Mapping[str, Sequence[str]]]
"""The ids in each file, by split and name of the file."""


@dataclass(frozen=True, kw_only=True)
class RowsSettings(SourceSettings):
    """What packages of rows hold.

    Attributes
    ----------
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    shard_megabytes : int
        Files are begun anew before they grow beyond this.
    """

    sustain: bool = True
    shard_megabytes: int = 500


class Form(NamedTuple):
    """How a kind of package writes rows.

    Attributes
    ----------
    ending : str
        Of a file with one row.
    write : callable
        A function of a module, which writes the row of a recording to a path and returns what it counted.
    join : callable
        Writes the rows of some files into one.
    name : str
        Of a file of the package: a template of ``split``, ``number`` and ``count``.
    """

    ending: str
    write: Callable[..., Counts]
    join: Callable[[Path, Sequence[Path]], None]
    name: str


def pack_rows(
    source: Source,
    path: str | os.PathLike[str],
    form: Form,
    settings: RowsSettings,
    recipe: Mapping[str, Any],
    *,
    workers: int,
    progress: Progress | None,
    describe: Callable[[Path, Index], None] = lambda folder, index: None,
) -> Packed:
    """Write a package of rows.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
    path : str or PathLike
        The folder to write.
    form : Form
    settings : RowsSettings
    recipe : mapping
        What ``form.write`` is told besides the recording; what JSON can hold.
    workers : int
    progress : callable, optional
    describe : callable, optional
        Given the folder and its index, writes what else belongs there.

    Returns
    -------
    Packed
    """
    recordings = recordings_in_sets(source, settings)
    shards = make_shards(path, recordings, form.write, recipe, workers=workers, progress=progress, ending=form.ending)
    limit = settings.shard_megabytes * 10**6
    with publishing_folder(path) as whole:
        index = {}
        for split in SPLITS:
            own = [pair for pair in zip(recordings, shards.paths, strict=True) if pair[0].split == split]
            index[split] = _write_split(whole, split, own, form, limit)
        write_json(whole / FOLDER_INDEX, index)
        describe(whole, index)
    parts = sizes_by_split(recordings)
    size = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    return Packed(Path(path), len(recordings), shards.made, parts, shards.counts, size, empty_parts(parts))


def _write_split(
    folder: Path, split: str, rows: Sequence[tuple[Recording, Path]], form: Form, limit: int
) -> dict[str, list[str]]:
    """Join the rows of a split to files; return the ids in each, by the file's name."""
    groups = shard_groups([shard.stat().st_size for _, shard in rows], limit)
    written = {}
    for number, group in enumerate(groups):
        name = form.name.format(split=split, number=number, count=len(groups))
        (folder / name).parent.mkdir(exist_ok=True)
        form.join(folder / name, [rows[place][1] for place in group])
        written[name] = [rows[place][0].id for place in group]
    return written


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
