"""Packing a timbre set: its frames as pictures, what each instrument plays in them, subsets and folds, in one file.

In training sets, frames without a note in which something is still to be heard are left out: there the last notes die
away. Where frames lie is decided in :mod:`~musicnet_build.packing.timbre.frames`; the layout of the package is
written down in docs/formats.md.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from musicnet_build import __version__
from musicnet_build._typing import Audio, Int64s, Records
from musicnet_build.audio.io import read_audio
from musicnet_build.audio.loudness import level_dbfs
from musicnet_build.corpora.timbre_set import Piece, TimbreSet, read_set
from musicnet_build.errors import DatasetError
from musicnet_build.files import sha256_of
from musicnet_build.generation.preset_check import AUDIBLE_DBFS
from musicnet_build.notes import NoteTable
from musicnet_build.packing.hdf5 import GZIP_LEVEL, add, reading, stack_shards
from musicnet_build.packing.shards import make_shards, publishing
from musicnet_build.packing.sources import Packed, Progress, empty_parts
from musicnet_build.packing.timbre.frames import (
    ABSENT,
    Frames,
    folds,
    grid_frames,
    one_hot,
    training_frames,
    training_subsets,
)
from musicnet_build.packing.timbre.images import (
    COLOUR_MAP,
    COLUMNS,
    FLOOR_DB,
    ROWS,
    TIMBRE_SAMPLE_RATE,
    WINDOW_LENGTH,
    ImageSettings,
    colour_table,
    coloured,
    pictures,
    row_frequencies_hz,
)

FORMAT = "musicnet_build timbre package 1"
NOTE_ROW = np.dtype(
    [
        ("piece", np.uint32),
        ("instrument", np.uint8),
        ("pitch", np.uint8),
        ("onset_s", np.float64),
        ("offset_s", np.float64),
    ]
)
"""One note of the package's table of notes; piece and instrument are indices."""

_BATCH = 32


@dataclass(frozen=True)
class PackSettings:
    """What is stored of each frame.

    Attributes
    ----------
    images : ImageSettings
    storage : {"colour", "float"}
        Three channels of uint8 through a colour map, or one of float32 from 0 to 1.
    instrument : str or None
        None labels every instrument ("dual"); a name labels that one only ("single").
    seed : int
        Shuffles the folds and chooses the balanced frames.
    split_notes : bool
        Let frames of one note fall into different folds.
    """

    images: ImageSettings = field(default_factory=ImageSettings)
    storage: Literal["colour", "float"] = "colour"
    instrument: str | None = None
    seed: int = 0
    split_notes: bool = False


@dataclass(frozen=True)
class SetPiece:
    """A piece of a set, as one shard is made of it."""

    source: TimbreSet
    place: int

    @property
    def piece(self) -> Piece:
        """What the set says of it."""
        return self.source.pieces[self.place]

    @property
    def name(self) -> str:
        """Names the shard."""
        return self.piece.name

    @property
    def inputs(self) -> dict[str, Path]:
        """The files of the piece."""
        return {"audio": self.source.audio_path(self.piece), "labels": self.source.labels_path(self.piece)}

    @property
    def facts(self) -> dict[str, Any]:
        """What the shard depends on besides the files."""
        instruments = [asdict(instrument) for instrument in self.source.instruments]
        about = {"place": self.place, "purpose": self.source.purpose, "instruments": instruments}
        return asdict(self.piece) | about


def pack_timbre(
    source: str | os.PathLike[str],
    path: str | os.PathLike[str],
    settings: PackSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Pack a timbre set into one HDF5 file.

    The bytes do not depend on the number of workers. An interrupted run leaves its finished shards in a folder beside
    the package, and the next one goes on from them.

    Parameters
    ----------
    source : str or PathLike
        Folder of a set, made by ``generate ascension`` or ``generate timbre-test``.
    path : str or PathLike
        The file to write.
    settings : PackSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Its parts count the frames of each subset.

    Raises
    ------
    DatasetError
        When the set is damaged, lacks the instrument, or has too few notes for its folds.

    Examples
    --------
    >>> from musicnet_build.packing.timbre.images import ImageSettings
    >>> from musicnet_build.packing.timbre.package import PackSettings, pack_timbre
    >>> packed = pack_timbre("ascension", "packed.h5", PackSettings(ImageSettings("log", 8192, 1024)))
    >>> packed.recordings, packed.warnings
    (10, ())
    """
    settings, timbre_set = settings or PackSettings(), read_set(source)
    names = [instrument.name for instrument in timbre_set.instruments]
    if settings.instrument is not None and settings.instrument not in names:
        raise DatasetError(f"{source} has no {settings.instrument}: its instruments are {', '.join(names)}.")
    pieces = [SetPiece(timbre_set, place) for place in range(len(timbre_set.pieces))]
    shards = make_shards(path, pieces, write_shard, asdict(settings), workers=workers, progress=progress)
    with publishing(path) as whole:
        stack_shards(
            whole,
            shards.paths,
            attributes=_attributes(timbre_set, settings),
            finish=lambda file: _finish(file, timbre_set, settings),
        )
    with reading(path) as file:
        parts = {name: len(group["indices"]) for name, group in file["subsets"].items()}
    size = Path(path).stat().st_size
    return Packed(Path(path), len(pieces), shards.made, parts, shards.counts, size, empty_parts(parts))


# ---------------------------------------------------------------------------------------------------------------------
# A piece into a shard


def write_shard(item: SetPiece, file: h5py.File, **settings: Any) -> dict[str, int]:
    """Write the frames of one piece; return how many there are.

    Raises
    ------
    DatasetError
        When the sound is not what the set says it is.
    """
    choices = PackSettings(**settings | {"images": ImageSettings(**settings["images"])})
    source, piece = item.source, item.piece
    if sha256_of(source.audio_path(piece)) != piece.audio_sha256:
        raise DatasetError(f"{source.audio_path(piece)} is not the file that was generated: generate the set again.")
    notes = source.instrument_notes(piece)
    audio = read_audio(source.audio_path(piece), TIMBRE_SAMPLE_RATE)
    length = choices.images.frame_length
    frames = (training_frames if source.purpose == "training" else grid_frames)(list(notes.values()), length)
    audio = np.pad(audio, (0, max(0, int(frames.start.max(initial=0)) + length - len(audio))))
    if source.purpose == "training":
        frames = _without_tails(frames, audio, length)
    _write_images(file, audio, frames.start, choices)
    _write_labels(file, frames, list(notes), choices)
    add(file, "piece", np.full(len(frames.start), item.place, dtype=np.uint32))
    add(file, "notes", _note_rows(notes, item.place))
    return {"frames": len(frames.start)}


def _without_tails(frames: Frames, audio: Audio, length: int) -> Frames:
    """Leave out frames labelled silent in which something still sounds."""
    silent = (frames.pitch == ABSENT).all(axis=1)
    kept = ~silent
    for i in np.flatnonzero(silent):
        kept[i] = level_dbfs(audio[frames.start[i] : frames.start[i] + length]) < AUDIBLE_DBFS
    return Frames(frames.start[kept], frames.pitch[kept], frames.note_group[kept], frames.boundary[kept])


def _write_images(file: h5py.File, audio: Audio, start: Int64s, settings: PackSettings) -> None:
    colour = settings.storage == "colour"
    row = (ROWS, COLUMNS, 3) if colour else (ROWS, COLUMNS)
    images = file.create_dataset(
        "image",
        shape=(len(start), *row),
        dtype=np.uint8 if colour else np.float32,
        # One picture a chunk: a reader that wants one reads one.
        chunks=(1, *row),
        compression="gzip",
        compression_opts=GZIP_LEVEL,
        shuffle=not colour,
        track_times=False,
    )
    windows = np.lib.stride_tricks.sliding_window_view(audio, settings.images.frame_length)
    table = colour_table()
    for first in range(0, len(start), _BATCH):
        batch = pictures(windows[start[first : first + _BATCH]], settings.images)
        images[first : first + _BATCH] = coloured(batch, table) if colour else batch


def _write_labels(file: h5py.File, frames: Frames, names: list[str], settings: PackSettings) -> None:
    pitch = frames.pitch if settings.instrument is None else frames.pitch[:, names.index(settings.instrument)]
    add(file, "label", one_hot(pitch), compress=True)
    add(file, "pitch", frames.pitch)
    add(file, "start_sample", frames.start)
    add(file, "note_group", frames.note_group)
    add(file, "boundary", frames.boundary.astype(np.uint8))


def _note_rows(notes: Mapping[str, NoteTable], place: int) -> Records:
    tables = []
    for instrument, table in enumerate(notes.values()):
        rows = np.zeros(len(table), dtype=NOTE_ROW)
        rows["piece"], rows["instrument"] = place, instrument
        for name in ("pitch", "onset_s", "offset_s"):
            rows[name] = table[name]
        tables.append(rows)
    return np.concatenate(tables)


# ---------------------------------------------------------------------------------------------------------------------
# The whole package


def _attributes(source: TimbreSet, settings: PackSettings) -> dict[str, Any]:
    images = settings.images
    own: dict[str, Any] = {"colour_map": COLOUR_MAP} if settings.storage == "colour" else {}
    if images.spectrogram != "cqt":
        own["window_length"] = WINDOW_LENGTH
    return own | {
        "format": FORMAT,
        "version": __version__,
        "purpose": source.purpose,
        "instruments": json.dumps([asdict(instrument) for instrument in source.instruments]),
        "labels": "dual" if settings.instrument is None else "single",
        "label_instrument": settings.instrument or "",
        "sample_rate_hz": TIMBRE_SAMPLE_RATE,
        "frame_length": images.frame_length,
        "hop": images.hop,
        "spectrogram": images.spectrogram,
        "storage": settings.storage,
        "floor_db": FLOOR_DB,
        "seed": settings.seed,
        "soundfonts": json.dumps(source.soundfonts),
        "set": json.dumps(source.settings),
    }


def _finish(file: h5py.File, source: TimbreSet, settings: PackSettings) -> None:
    """Add what belongs to the package as a whole: subsets, folds, pieces, the meaning of rows and colours."""
    text = h5py.string_dtype()
    add(file, "piece_name", np.array([piece.name for piece in source.pieces], dtype=object).astype(text))
    add(file, "piece_subset", np.array([piece.subset for piece in source.pieces], dtype=object).astype(text))
    add(file, "row_frequency_hz", row_frequencies_hz(settings.images.spectrogram))
    if settings.storage == "colour":
        add(file, "colour_table", colour_table())
    # Numbers of groups begin anew in each piece.
    piece, group = file["piece"][...].astype(np.int64), file["note_group"][...]
    _, group = np.unique(piece * (int(group.max(initial=0)) + 1) + group, return_inverse=True)
    file["note_group"][...] = group
    if source.purpose == "test":
        subsets = _test_subsets([piece.subset for piece in source.pieces], piece)
    else:
        names = [instrument.name for instrument in source.instruments]
        subsets = training_subsets(file["pitch"][...], group, names, settings.seed)
    for name, indices in subsets.items():
        target = file.create_group(f"subsets/{name}")
        add(target, "indices", indices)
        if source.purpose == "training":
            _write_folds(target, name, indices, None if settings.split_notes else group[indices], settings.seed)


def _test_subsets(subset_of_piece: list[str], piece: Int64s) -> dict[str, Int64s]:
    return {
        name: np.flatnonzero(np.isin(piece, [i for i, other in enumerate(subset_of_piece) if other == name]))
        for name in sorted(set(subset_of_piece))
    }


def _write_folds(target: h5py.Group, name: str, indices: Int64s, groups: Int64s | None, seed: int) -> None:
    try:
        for number, (training, test) in enumerate(folds(indices, groups, seed)):
            fold = target.create_group(f"fold_{number}")
            add(fold, "train", training)
            add(fold, "test", test)
    except DatasetError as error:
        raise DatasetError(f"The subset {name}: {error}") from error
