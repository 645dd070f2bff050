"""Packing a timbre set: frames of its sound as pictures, what each instrument plays in them, subsets and folds.

Where frames lie. In a training set frames are cut from each span in which nothing begins or ends, from its start on,
as many whole ones as fit: every frame is of one note (or chord) only. A frame in which nothing is to be heard counts
only if nothing is, so those in which the last notes die away are left out. In a test set frames lie on a regular grid
from the start of the piece to its last offset.

What a frame's label is. For each instrument the pitch that sounds at the centre of the frame, or ``ABSENT``.

The layout of the package is written down in docs/formats.md.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build import __version__
from musicnet_build.audio import read_audio
from musicnet_build.datasets.audition import AUDIBLE_DBFS, level_dbfs
from musicnet_build.datasets.hdf5 import GZIP_LEVEL, add, reading, stack_shards, writing
from musicnet_build.datasets.jobs import Job, Outcome, run_jobs
from musicnet_build.datasets.timbre_images import (
    COLOUR_MAP,
    COLUMNS,
    FLOOR_DB,
    ROWS,
    SAMPLE_RATE,
    WINDOW_LENGTH,
    ImageSettings,
    colour_table,
    coloured,
    pictures,
    row_frequencies_hz,
)
from musicnet_build.datasets.timbre_set import Piece, TimbreSet, read_set
from musicnet_build.errors import DatasetError
from musicnet_build.files import sha256_of
from musicnet_build.notes import NoteTable

FORMAT = "musicnet_build timbre package 1"
ABSENT = 128
"""The label of an instrument that does not sound; labels 0 to 127 are MIDI pitches."""

CLASSES = 129
FOLDS = 5
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
Integers = NDArray[np.int64]


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
class Packed:
    """What was packed.

    Attributes
    ----------
    path : Path
    frames : int
    subsets : dict of str to int
        Frames in each subset.
    size_bytes : int
    """

    path: Path
    frames: int
    subsets: dict[str, int]
    size_bytes: int


@dataclass(frozen=True, eq=False)
class Frames:
    """Where the frames of a piece are, and what sounds in them.

    Attributes
    ----------
    start : ndarray of int64 [shape=(n,)]
        First sample, at 32,768 Hz.
    pitch : ndarray of uint8 [shape=(n, instruments)]
        MIDI pitch at the centre, or 128.
    note_group : ndarray of int64 [shape=(n,)]
        Frames of one group share notes, or notes that overlap; frames of different groups share none.
    boundary : ndarray of bool [shape=(n, instruments)]
        Whether the instrument begins or ends a note within the frame.
    """

    start: Integers
    pitch: NDArray[np.uint8]
    note_group: Integers
    boundary: NDArray[np.bool_]


def pack_timbre(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    settings: PackSettings | None = None,
    *,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> Packed:
    """Pack a timbre set into one HDF5 file.

    The bytes do not depend on the number of workers. An interrupted run leaves its finished shards in a folder beside
    the output, and the next one goes on from them.

    Parameters
    ----------
    folder : str or PathLike
        Of a set, made by ``generate ascension`` or ``generate timbre-test``.
    output : str or PathLike
        The file to write.
    settings : PackSettings, optional
    workers : int
        Processes.
    on_done : callable, optional
        Told the outcome of every piece.

    Returns
    -------
    Packed

    Raises
    ------
    DatasetError
        When the set is damaged, lacks the instrument, or has too few notes for its folds.
    """
    settings, source, output = settings or PackSettings(), read_set(folder), Path(output)
    names = [instrument.name for instrument in source.instruments]
    if settings.instrument is not None and settings.instrument not in names:
        raise DatasetError(f"{folder} has no {settings.instrument}: its instruments are {', '.join(names)}.")
    shards_folder = output.with_name(f".{output.name}.shards")
    shards = [shards_folder / f"{piece.name}.h5" for piece in source.pieces]
    jobs = [
        Job(
            piece.name,
            pack_piece,
            {"folder": str(folder), "name": piece.name, "shard": str(shard), "settings": settings},
        )
        for piece, shard in zip(source.pieces, shards, strict=True)
    ]
    failed = [each for each in run_jobs(jobs, workers=workers, on_done=on_done) if each.state == "failed"]
    if failed:
        raise DatasetError(f"{len(failed)} pieces could not be packed; {failed[0].id}: {failed[0].reason}")
    attributes = _attributes(source, settings)
    stack_shards(output, shards, attributes=attributes, finish=lambda file: _finish(file, source, settings))
    shutil.rmtree(shards_folder)
    with reading(output) as file:
        subsets = {name: len(group["indices"]) for name, group in file["subsets"].items()}
        return Packed(output, len(file["pitch"]), subsets, output.stat().st_size)


# ---------------------------------------------------------------------------------------------------------------------
# Frames and their labels


def training_frames(notes: Sequence[NoteTable], frame_length: int) -> Frames:
    """Return the frames of a piece in which nothing begins or ends.

    Parameters
    ----------
    notes : sequence of NoteTable
        Of each instrument, in order, none overlapping the next.
    frame_length : int
        Samples at 32,768 Hz.

    Returns
    -------
    Frames
    """
    edges = np.unique(np.concatenate([[0], *(_samples(table).ravel() for table in notes)])).astype(np.int64)
    counts = np.diff(edges) // frame_length
    spans = zip(edges[:-1].tolist(), counts.tolist(), strict=True)
    start = np.concatenate([np.zeros(0, np.int64), *(begin + frame_length * np.arange(n) for begin, n in spans)])
    return _labelled(notes, start, frame_length)


def grid_frames(notes: Sequence[NoteTable], frame_length: int) -> Frames:
    """Return frames one after another, from the start of the piece to its last offset.

    Parameters
    ----------
    notes : sequence of NoteTable
        Of each instrument, in order, none overlapping the next.
    frame_length : int
        Samples at 32,768 Hz.

    Returns
    -------
    Frames
    """
    end = max(int(_samples(table).max(initial=0)) for table in notes)
    return _labelled(notes, np.arange(0, end, frame_length), frame_length)


def pitch_at(samples: Integers, notes: NoteTable) -> NDArray[np.uint8]:
    """Return the pitch that sounds at each sample; ``ABSENT`` where none does.

    Parameters
    ----------
    samples : ndarray of int64 [shape=(n,)]
        At 32,768 Hz.
    notes : NoteTable [shape=(m,)]
        Of one instrument, in order, none overlapping the next.

    Returns
    -------
    ndarray of uint8 [shape=(n,)]
    """
    if not len(notes):
        return np.full(len(samples), ABSENT, dtype=np.uint8)
    onset, offset = _samples(notes)
    last = np.searchsorted(onset, samples, side="right") - 1
    sounds = (last >= 0) & (samples < offset[last])
    return np.where(sounds, notes["pitch"][last], ABSENT).astype(np.uint8)


def one_hot(pitch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return vectors of 129: 1 at the pitch, or at 128 where the instrument is absent.

    Parameters
    ----------
    pitch : ndarray of uint8 [any shape]

    Returns
    -------
    ndarray of uint8 [shape=(*pitch.shape, 129)]
    """
    vectors: NDArray[np.uint8] = (pitch[..., None] == np.arange(CLASSES)).astype(np.uint8)
    return vectors


def _samples(notes: NoteTable) -> Integers:
    """Onsets and offsets in samples at 32,768 Hz; shape (2, n)."""
    times = np.stack([notes["onset_s"], notes["offset_s"]])
    samples: Integers = np.rint(times * SAMPLE_RATE).astype(np.int64)
    return samples


def _labelled(notes: Sequence[NoteTable], start: Integers, frame_length: int) -> Frames:
    centre = start + frame_length // 2
    pitch = np.stack([pitch_at(centre, table) for table in notes], axis=1)
    boundary = np.stack([_is_crossed(start, frame_length, _samples(table).ravel()) for table in notes], axis=1)
    return Frames(start, pitch, np.searchsorted(_group_edges(notes), centre, side="right"), boundary)


def _is_crossed(start: Integers, frame_length: int, edges: Integers) -> NDArray[np.bool_]:
    """Whether an edge lies inside a frame, not at its very start or end."""
    edges = np.sort(edges)
    inside: NDArray[np.bool_] = np.searchsorted(edges, start + frame_length) > np.searchsorted(edges, start, "right")
    return inside


def _group_edges(notes: Sequence[NoteTable]) -> Integers:
    """Return where groups of overlapping notes, of whatever instrument, begin and end, in samples."""
    spans = np.concatenate([_samples(table) for table in notes], axis=1)
    onset, offset = spans[:, np.argsort(spans[0], kind="stable")]
    latest = np.maximum.accumulate(offset)
    first = np.concatenate([[True], onset[1:] >= latest[:-1]]) if len(onset) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(onset)) - 1
    return np.sort(np.concatenate([onset[starts], latest[ends[: len(starts)]]]))


# ---------------------------------------------------------------------------------------------------------------------
# A piece into a shard


def pack_piece(folder: str, name: str, shard: str, settings: PackSettings) -> None:
    """Write the frames of one piece to a shard, unless it is there already.

    Raises
    ------
    DatasetError
        When the sound is not what the set says it is.
    """
    source = read_set(folder)
    place, piece = next((i, piece) for i, piece in enumerate(source.pieces) if piece.name == name)
    fingerprint = _fingerprint(source, piece, place, settings)
    if _is_there(Path(shard), fingerprint):
        return
    if sha256_of(source.audio_path(piece)) != piece.audio_sha256:
        raise DatasetError(f"{source.audio_path(piece)} is not the file that was generated: generate the set again.")
    notes = source.instrument_notes(piece)
    audio = read_audio(source.audio_path(piece), SAMPLE_RATE)
    length = settings.images.frame_length
    frames = (training_frames if source.purpose == "training" else grid_frames)(list(notes.values()), length)
    audio = np.pad(audio, (0, max(0, int(frames.start.max(initial=0)) + length - len(audio))))
    if source.purpose == "training":
        frames = _without_tails(frames, audio, length)
    with writing(shard) as file:
        file.attrs["fingerprint"] = fingerprint
        _write_images(file, audio, frames.start, settings)
        _write_labels(file, frames, list(notes), settings)
        add(file, "piece", np.full(len(frames.start), place, dtype=np.uint32))
        add(file, "notes", _note_rows(notes, place))


def _without_tails(frames: Frames, audio: NDArray[np.float32], length: int) -> Frames:
    """Leave out frames labelled silent in which something still sounds."""
    silent = (frames.pitch == ABSENT).all(axis=1)
    kept = ~silent
    for i in np.flatnonzero(silent):
        kept[i] = level_dbfs(audio[frames.start[i] : frames.start[i] + length]) < AUDIBLE_DBFS
    return Frames(frames.start[kept], frames.pitch[kept], frames.note_group[kept], frames.boundary[kept])


def _write_images(file: h5py.File, audio: NDArray[np.float32], start: Integers, settings: PackSettings) -> None:
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


def _note_rows(notes: Mapping[str, NoteTable], place: int) -> NDArray[np.void]:
    tables = []
    for instrument, table in enumerate(notes.values()):
        rows = np.zeros(len(table), dtype=NOTE_ROW)
        rows["piece"], rows["instrument"] = place, instrument
        for name in ("pitch", "onset_s", "offset_s"):
            rows[name] = table[name]
        tables.append(rows)
    return np.concatenate(tables)


def _fingerprint(source: TimbreSet, piece: Piece, place: int, settings: PackSettings) -> str:
    content = {
        "version": __version__,
        "format": FORMAT,
        "piece": asdict(piece),
        "place": place,
        "labels": sha256_of(source.labels_path(piece)),
        "purpose": source.purpose,
        "instruments": [asdict(instrument) for instrument in source.instruments],
        "settings": asdict(settings),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_there(shard: Path, fingerprint: str) -> bool:
    if not shard.is_file():
        return False
    with reading(shard) as file:
        return bool(file.attrs.get("fingerprint") == fingerprint)


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
        "sample_rate_hz": SAMPLE_RATE,
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


def _test_subsets(subset_of_piece: list[str], piece: Integers) -> dict[str, Integers]:
    return {
        name: np.flatnonzero(np.isin(piece, [i for i, other in enumerate(subset_of_piece) if other == name]))
        for name in sorted(set(subset_of_piece))
    }


def training_subsets(
    pitch: NDArray[np.uint8], note_group: Integers, instruments: Sequence[str], seed: int
) -> dict[str, Integers]:
    """Return the subsets of a training set, as sorted indices of frames.

    Parameters
    ----------
    pitch : ndarray of uint8 [shape=(n, instruments)]
        128 where an instrument is absent.
    note_group : ndarray of int64 [shape=(n,)]
        Frames of one group stay together in the balanced subset.
    instruments : sequence of str
    seed : int
        Chooses the frames of the balanced subset.

    Returns
    -------
    dict of str to ndarray of int64
        ``<instrument>_alone``; ``both_alone`` (``all_alone`` with more than two instruments), these together;
        ``combined``, all frames; ``combined_balanced``, as many frames of each instrument alone and of each combination
        as there are of the rarest.
    """
    present = pitch != ABSENT
    parts = [np.flatnonzero((present == row).all(axis=1)) for row in np.unique(present, axis=0) if row.any()]
    alone = {name: np.flatnonzero(present[:, i] & (present.sum(axis=1) == 1)) for i, name in enumerate(instruments)}
    subsets = {f"{name}_alone": indices for name, indices in alone.items()}
    if len(instruments) > 1:
        subsets["both_alone" if len(instruments) == 2 else "all_alone"] = np.sort(np.concatenate(list(alone.values())))
    smallest = min((len(part) for part in parts), default=0)
    random = np.random.default_rng(seed)
    subsets["combined"] = np.arange(len(pitch))
    chosen = [_thinned(part, note_group, smallest, random) for part in parts]
    subsets["combined_balanced"] = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
    return subsets


def _thinned(part: Integers, note_group: Integers, count: int, random: np.random.Generator) -> Integers:
    """Keep whole groups, drawn at random, as long as they are no more than ``count`` frames."""
    groups, place, sizes = np.unique(note_group[part], return_inverse=True, return_counts=True)
    order = random.permutation(len(groups))
    kept = order[np.cumsum(sizes[order]) <= count]
    return part[np.isin(place, kept)]


def folds(indices: Integers, note_group: Integers | None, seed: int) -> Iterator[tuple[Integers, Integers]]:
    """Yield (training, test) indices of five folds, by scikit-learn's KFold, shuffled.

    Parameters
    ----------
    indices : ndarray of int64 [shape=(n,)]
        Frames.
    note_group : ndarray of int64 [shape=(n,)] or None
        Of these frames; groups are dealt whole. None deals frames.
    seed : int
        KFold's ``random_state``.

    Yields
    ------
    (ndarray of int64, ndarray of int64)

    Raises
    ------
    DatasetError
        When there are fewer groups than folds.
    """
    from sklearn.model_selection import KFold

    _, place = np.unique(np.arange(len(indices)) if note_group is None else note_group, return_inverse=True)
    count = int(place.max(initial=-1)) + 1
    if count < FOLDS:
        raise DatasetError(f"{count} notes cannot be dealt to {FOLDS} folds: generate a larger set.")
    for _, test in KFold(FOLDS, shuffle=True, random_state=seed).split(np.arange(count)):
        in_test = np.isin(place, test)
        yield indices[~in_test], indices[in_test]


def _write_folds(target: h5py.Group, name: str, indices: Integers, groups: Integers | None, seed: int) -> None:
    try:
        for number, (training, test) in enumerate(folds(indices, groups, seed)):
            fold = target.create_group(f"fold_{number}")
            add(fold, "train", training)
            add(fold, "test", test)
    except DatasetError as error:
        raise DatasetError(f"The subset {name}: {error}") from error
