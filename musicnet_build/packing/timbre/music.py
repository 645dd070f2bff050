"""The music in a timbre package: the notes of its pieces, and which frames are cut from which piece."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build._typing import Float64s, Int64s, Records
from musicnet_build.errors import DatasetError
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.packing.hdf5 import reading
from musicnet_build.packing.timbre.images import TIMBRE_SAMPLE_RATE
from musicnet_build.packing.timbre.package import FORMAT

InstrumentNotes = Mapping[str, NoteTable]
"""Notes of a piece by instrument."""


@dataclass(frozen=True, eq=False)
class PackagedMusic:
    """What a package was cut from.

    Attributes
    ----------
    programs : dict of str to tuple of int
        General MIDI programs of each instrument, in the order of the package's labels.
    notes : dict of piece to (dict of instrument to NoteTable)
    subsets : dict of piece to str
    frames : dict of piece to int64 [shape=(k,)]
        Places of the package's frames that are of the piece.
    start_s : dict of piece to float64 [shape=(k,)]
        When these frames begin.
    frame_s : float
        Length of a frame.
    """

    programs: dict[str, tuple[int, ...]]
    notes: dict[str, InstrumentNotes]
    subsets: dict[str, str]
    frames: dict[str, Int64s]
    start_s: dict[str, Float64s]
    frame_s: float


def read_music(path: Path) -> PackagedMusic:
    """Read the notes and the places of frames of a package made by ``pack timbre``.

    Raises
    ------
    DatasetError
        When the file is no timbre package.
    """
    with reading(path) as file:
        if file.attrs.get("format") != FORMAT:
            raise DatasetError(f"{path} is no timbre package: make one with `pack timbre`.")
        instruments = json.loads(file.attrs["instruments"])
        names = [name.decode() for name in file["piece_name"][...]]
        subsets = [name.decode() for name in file["piece_subset"][...]]
        rows, piece, start = file["notes"][...], file["piece"][...], file["start_sample"][...]
        frame_s = int(file.attrs["frame_length"]) / TIMBRE_SAMPLE_RATE
    programs = {each["name"]: tuple(each["programs"]) for each in instruments}
    frames = {name: np.flatnonzero(piece == i) for i, name in enumerate(names)}
    return PackagedMusic(
        programs,
        {name: _notes_of_rows(rows[rows["piece"] == i], list(programs)) for i, name in enumerate(names)},
        dict(zip(names, subsets, strict=True)),
        frames,
        {name: start[own] / TIMBRE_SAMPLE_RATE for name, own in frames.items()},
        frame_s,
    )


def _notes_of_rows(rows: Records, instruments: list[str]) -> InstrumentNotes:
    tables = {}
    for i, name in enumerate(instruments):
        own = rows[rows["instrument"] == i]
        tables[name] = notes = empty_notes(len(own))
        for field in ("onset_s", "offset_s", "pitch"):
            notes[field] = own[field]
        notes["velocity"] = 64
    return tables
