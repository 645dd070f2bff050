"""The package ``musicnet``: one HDF5 file in the layout of MusicNet's first release.

A group ``id_<n>`` for each recording, with ``data`` and ``labels``. docs/formats.md writes the layout down;
:mod:`musicnet_build.packing.windows` reads it for training.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build import __version__
from musicnet_build._typing import Audio, Records
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.musicnet import METADATA_FIELDS, id_order
from musicnet_build.corpora.recording import Recording
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.packing.hdf5 import add, merge_shards
from musicnet_build.packing.shards import make_shards, publishing
from musicnet_build.packing.sources import (
    Packed,
    Progress,
    Source,
    SourceSettings,
    empty_parts,
    recordings_of,
    sizes_by_split,
)
from musicnet_build.score.reader import note_value_name

SampleFormat = Literal["float32", "int16"]

NO_MEASURE = -1
"""Stands for the measure, which MusicNet's label files do not name."""

LABEL_DTYPE = np.dtype(
    [
        ("beat", "<f8"),  # quarter notes from the start of the score
        ("end_time", "<i4"),  # samples at 44.1 kHz
        ("instrument", "<i4"),  # General MIDI program + 1
        ("measure", "<i4"),
        ("note_id", "<i4"),  # MIDI number
        ("note_value", "S30"),
        ("start_time", "<i4"),
    ]
)
"""A label in ``musicnet.h5``: readers address the fields by name, some by position."""

INT16_SCALE = 32768.0
"""Full scale of 16 bit samples."""


@dataclass(frozen=True, kw_only=True)
class MusicNetSettings(SourceSettings):
    """What the package holds.

    Attributes
    ----------
    sample_format : {"float32", "int16"}
        Of ``data``.
    compress : bool
        Gzip and byte shuffling; smaller, and slower to read.
    """

    sample_format: SampleFormat = "float32"
    compress: bool = False


def pack_musicnet(
    source: Source,
    path: str | os.PathLike[str],
    settings: MusicNetSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the package.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A dataset folder.
    path : str or PathLike
        The HDF5 file to write. While it is made, its parts are kept in a hidden folder beside it, so that a run which
        was stopped goes on where it was.
    settings : MusicNetSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed

    Raises
    ------
    DatasetError
        When a recording cannot be packed or the file cannot be written; then there is no file.

    Examples
    --------
    >>> packed = pack_musicnet("dataset", "musicnet.h5", workers=2)  # doctest: +SKIP
    >>> packed.parts  # doctest: +SKIP
    {'train': 320, 'validation': 0, 'test': 10}
    """
    settings = settings or MusicNetSettings()
    recordings = sorted(recordings_of(source, settings), key=lambda recording: id_order(recording.id))
    recipe = {"sample_format": settings.sample_format, "compress": settings.compress}
    shards = make_shards(path, recordings, write_shard, recipe, workers=workers, progress=progress)
    attributes = {
        "sample_rate": SAMPLE_RATE,
        "sample_format": settings.sample_format,
        "made_by": f"musicnet_build {__version__}",
    }
    with publishing(path) as whole:
        merge_shards(whole, shards.paths, attributes=attributes)
    parts, size = sizes_by_split(recordings), Path(path).stat().st_size
    return Packed(Path(path), len(recordings), shards.made, parts, shards.counts, size, empty_parts(parts))


def write_shard(
    recording: Recording, file: h5py.File, *, sample_format: SampleFormat, compress: bool
) -> dict[str, int]:
    """Write the group of one recording; return how many notes it has."""
    samples = read_audio(recording.audio)
    notes = read_notes(recording)
    group = file.create_group(f"id_{recording.id}")
    seconds = len(samples) / SAMPLE_RATE
    group.attrs.update({"split": recording.split, "sample_rate": SAMPLE_RATE, "seconds": seconds})
    group.attrs.update({name: recording.metadata.get(name, "") for name in METADATA_FIELDS})
    data = samples if sample_format == "float32" else as_int16(samples)
    scale = {} if sample_format == "float32" else {"scale": 1 / INT16_SCALE}
    add(group, "data", data, compress=compress, attributes=scale)
    add(group, "labels", h5_labels(notes), compress=compress)
    add(group, "end_beat", notes["duration_beats"], compress=compress, attributes={"unit": "quarter notes"})
    if np.isfinite(notes["confidence"]).any():
        add(group, "confidence", notes["confidence"].astype(np.float32), compress=compress)
    return {"notes": len(notes)}


def h5_labels(notes: NoteTable) -> Records:
    """Return notes as ``musicnet.h5`` has them.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.

    Returns
    -------
    ndarray of LABEL_DTYPE [shape=(n,)]
    """
    table = np.zeros(len(notes), dtype=LABEL_DTYPE)
    table["beat"] = notes["onset_beats"]
    table["start_time"] = np.rint(notes["onset_s"] * SAMPLE_RATE)
    table["end_time"] = np.rint(notes["offset_s"] * SAMPLE_RATE)
    table["instrument"] = notes["program"] + 1
    table["measure"] = NO_MEASURE
    table["note_id"] = notes["pitch"]
    table["note_value"] = note_value_name(notes["duration_beats"]).astype("S30")
    return table


def as_int16(audio: Audio) -> NDArray[np.int16]:
    """Return samples of 16 bits, clipped at full scale [same shape]."""
    whole: NDArray[np.int16] = np.rint(audio * INT16_SCALE).clip(-INT16_SCALE, INT16_SCALE - 1).astype(np.int16)
    return whole
