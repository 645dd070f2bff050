"""What is to be predicted about timbre, and predictions of it, from files."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.corpora.timbre_set import Instrument, read_set
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import empty_notes, pitched
from musicnet_build.packing.timbre.frames import ABSENT, CLASSES
from musicnet_build.packing.timbre.images import TIMBRE_SAMPLE_RATE
from musicnet_build.packing.timbre.music import InstrumentNotes, read_music

_ENDINGS = (".csv", ".mid", ".midi", ".npy")


@dataclass(frozen=True, eq=False)
class Truth:
    """What is to be predicted.

    Attributes
    ----------
    programs : dict of str to tuple of int
        General MIDI programs of each instrument, which tell the notes of label files apart.
    notes : dict of piece to (dict of instrument to NoteTable)
    subsets : dict of piece to str
    frames : dict of piece to ndarray of int64, or None
        Places of the package's frames that are of the piece; None where the truth is no package.
    start_s : dict of piece to ndarray of float64
        When these frames begin.
    frame_s : float
        Length of a frame.
    """

    programs: dict[str, tuple[int, ...]]
    notes: dict[str, InstrumentNotes]
    subsets: dict[str, str]
    frames: dict[str, Int64s] | None
    start_s: dict[str, Float64s]
    frame_s: float

    @property
    def instruments(self) -> tuple[str, ...]:
        """Names, in the order of the columns of per-frame predictions."""
        return tuple(self.programs)


def read_truth(path: str | os.PathLike[str], instruments: Sequence[Instrument], frame_length: int = 8192) -> Truth:
    """Read what is to be predicted.

    Parameters
    ----------
    path : str or PathLike
        The folder of a timbre set, a package made of one, or a label file.
    instruments : sequence of Instrument
        Of a label file; sets and packages name their own.
    frame_length : int
        Samples at 32,768 Hz that one row of a per-frame prediction stands for; packages know their own.

    Returns
    -------
    Truth

    Raises
    ------
    DatasetError, LabelError
        When it cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() in (".h5", ".hdf5"):
        music = read_music(path)
        return Truth(music.programs, music.notes, music.subsets, music.frames, music.start_s, music.frame_s)
    frame_s = frame_length / TIMBRE_SAMPLE_RATE
    if path.is_dir():
        found = read_set(path)
        programs = {each.name: each.programs for each in found.instruments}
        notes: dict[str, InstrumentNotes] = {piece.name: found.instrument_notes(piece) for piece in found.pieces}
        return Truth(programs, notes, {piece.name: piece.subset for piece in found.pieces}, None, {}, frame_s)
    programs = {each.name: each.programs for each in instruments}
    return Truth(programs, {path.stem: _by_program(path, programs)}, {path.stem: path.stem}, None, {}, frame_s)


def read_predictions(path: str | os.PathLike[str], truth: Truth) -> dict[str, InstrumentNotes]:
    """Read predictions.

    Parameters
    ----------
    path : str or PathLike
        One file, or a folder with a file per piece, named after it. MusicNet CSV and MIDI files hold notes, told
        apart by program. An .npy file holds a row per frame: pitches (128: absent) [shape=(n, instruments)], or a value
        per class [shape=(n, instruments, 129)], of which the greatest counts; where there is one instrument its
        axis may be missing. One .npy file may hold all frames of a package.
    truth : Truth

    Returns
    -------
    dict of piece to (dict of instrument to NoteTable)

    Raises
    ------
    DatasetError, LabelError
        When a file cannot be read, or does not fit.
    """
    path = Path(path)
    if path.is_dir():
        files = {piece: _file_of(path, piece) for piece in truth.notes}
        return {piece: _prediction(file, piece, truth) for piece, file in files.items() if file is not None}
    if truth.frames is not None and path.suffix.lower() == ".npy":
        pitch = _pitches(path, len(truth.instruments))
        total = sum(len(frames) for frames in truth.frames.values())
        if len(pitch) != total:
            raise DatasetError(f"{path} has {len(pitch)} rows, and the package {total} frames.")
        return notes_of_package(pitch, truth)
    if len(truth.notes) != 1:
        raise DatasetError(f"{path} is one file, and the truth has {len(truth.notes)} pieces: give a folder of files.")
    (piece,) = truth.notes
    return {piece: _prediction(path, piece, truth)}


def notes_of_package(pitch: Int64s, truth: Truth) -> dict[str, InstrumentNotes]:
    """Return what was predicted for all frames of a package, piece by piece.

    Parameters
    ----------
    pitch : ndarray of int64 [shape=(frames, instruments)]
        128 where an instrument is absent.
    truth : Truth
        Of a package.

    Returns
    -------
    dict of piece to (dict of instrument to NoteTable)
    """
    return {piece: _notes_of_frames(pitch[rows], piece, truth) for piece, rows in (truth.frames or {}).items()}


def _file_of(folder: Path, piece: str) -> Path | None:
    return next((path for ending in _ENDINGS if (path := folder / f"{piece}{ending}").is_file()), None)


def _prediction(path: Path, piece: str, truth: Truth) -> InstrumentNotes:
    if path.suffix.lower() == ".npy":
        return _notes_of_frames(_pitches(path, len(truth.instruments)), piece, truth)
    return _by_program(path, truth.programs)


def _by_program(path: Path, programs: Mapping[str, tuple[int, ...]]) -> InstrumentNotes:
    """Read a label file, and tell its notes apart by their programs."""
    notes = read_labels(path)
    tables = {name: pitched(notes[np.isin(notes["program"], own)]) for name, own in programs.items()}
    others = len(notes) - sum(len(table) for table in tables.values())
    if others:
        warnings.warn(f"{path}: {others} of {len(notes)} notes are of no instrument that is evaluated.", stacklevel=2)
    return tables


def _pitches(path: Path, instruments: int) -> Int64s:
    """Read per-frame predictions as pitches [shape=(n, instruments)]."""
    values = _load(path)
    if values.ndim >= 2 and values.shape[-1] == CLASSES:
        values = values.argmax(axis=-1)
    if values.ndim == 1 and instruments == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != instruments:
        raise DatasetError(
            f"{path} has the shape {values.shape}; wanted are {instruments} pitches (or 129 values each) a row."
        )
    if not np.isin(values, np.arange(ABSENT + 1)).all():
        raise DatasetError(f"{path} holds values that are no pitches from 0 to 127, nor 128 for an absent instrument.")
    pitch: Int64s = values.astype(np.int64)
    return pitch


def _load(path: Path) -> NDArray[Any]:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{path} cannot be read as a numpy array ({error}).") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
        raise DatasetError(f"{path} is not one array of numbers.")
    return values


def _notes_of_frames(pitch: Int64s, piece: str, truth: Truth) -> InstrumentNotes:
    """Return a note for every frame in which an instrument sounds."""
    start_s = truth.start_s.get(piece, np.arange(len(pitch)) * truth.frame_s)
    if len(start_s) != len(pitch):
        raise DatasetError(
            f"{piece}: {len(pitch)} rows were predicted, and the package has {len(start_s)} frames of it."
        )
    tables = {}
    for i, name in enumerate(truth.instruments):
        sounds = pitch[:, i] != ABSENT
        notes = empty_notes(int(sounds.sum()))
        notes["onset_s"], notes["offset_s"] = start_s[sounds], start_s[sounds] + truth.frame_s
        notes["pitch"], notes["velocity"] = pitch[sounds, i], 64
        tables[name] = notes
    return tables
