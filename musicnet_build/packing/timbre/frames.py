"""Where the frames of a timbre package lie, what each is labelled, and which subsets and folds they make. Pure arrays.

Where frames lie. In a training set frames are cut from each span in which nothing begins or ends, from its start on,
as many whole ones as fit: every frame is of one note (or chord) only. In a test set frames lie on a regular grid from
the start of the piece to its last offset.

What a frame's label is. For each instrument the pitch that sounds at the centre of the frame, or ``ABSENT``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Int64s, UInt8s
from musicnet_build.errors import DatasetError
from musicnet_build.notes import NoteTable
from musicnet_build.packing.timbre.images import TIMBRE_SAMPLE_RATE

ABSENT = 128
"""The label of an instrument that does not sound; labels 0 to 127 are MIDI pitches."""

CLASSES = 129
FOLDS = 5


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

    start: Int64s
    pitch: UInt8s
    note_group: Int64s
    boundary: Bools


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


def pitch_at(samples: Int64s, notes: NoteTable) -> UInt8s:
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


def one_hot(pitch: UInt8s) -> UInt8s:
    """Return vectors of 129: 1 at the pitch, or at 128 where the instrument is absent.

    Parameters
    ----------
    pitch : ndarray of uint8 [any shape]

    Returns
    -------
    ndarray of uint8 [shape=(*pitch.shape, 129)]
    """
    vectors: UInt8s = (pitch[..., None] == np.arange(CLASSES)).astype(np.uint8)
    return vectors


def _samples(notes: NoteTable) -> Int64s:
    """Onsets and offsets in samples at 32,768 Hz; shape (2, n)."""
    times = np.stack([notes["onset_s"], notes["offset_s"]])
    samples: Int64s = np.rint(times * TIMBRE_SAMPLE_RATE).astype(np.int64)
    return samples


def _labelled(notes: Sequence[NoteTable], start: Int64s, frame_length: int) -> Frames:
    centre = start + frame_length // 2
    pitch = np.stack([pitch_at(centre, table) for table in notes], axis=1)
    boundary = np.stack([_is_crossed(start, frame_length, _samples(table).ravel()) for table in notes], axis=1)
    return Frames(start, pitch, np.searchsorted(_group_edges(notes), centre, side="right"), boundary)


def _is_crossed(start: Int64s, frame_length: int, edges: Int64s) -> Bools:
    """Whether an edge lies inside a frame, not at its very start or end."""
    edges = np.sort(edges)
    inside: Bools = np.searchsorted(edges, start + frame_length) > np.searchsorted(edges, start, "right")
    return inside


def _group_edges(notes: Sequence[NoteTable]) -> Int64s:
    """Return where groups of overlapping notes, of whatever instrument, begin and end, in samples."""
    spans = np.concatenate([_samples(table) for table in notes], axis=1)
    onset, offset = spans[:, np.argsort(spans[0], kind="stable")]
    latest = np.maximum.accumulate(offset)
    first = np.concatenate([[True], onset[1:] >= latest[:-1]]) if len(onset) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(onset)) - 1
    return np.sort(np.concatenate([onset[starts], latest[ends[: len(starts)]]]))


def training_subsets(pitch: UInt8s, note_group: Int64s, instruments: Sequence[str], seed: int) -> dict[str, Int64s]:
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
        as there are of the rarest, and where there are rests no more frames of silence than that.
    """
    present = pitch != ABSENT
    alone = {name: np.flatnonzero(present[:, i] & (present.sum(axis=1) == 1)) for i, name in enumerate(instruments)}
    subsets = {f"{name}_alone": indices for name, indices in alone.items()}
    if len(instruments) > 1:
        subsets["both_alone" if len(instruments) == 2 else "all_alone"] = np.sort(np.concatenate(list(alone.values())))
    subsets["combined"] = np.arange(len(pitch))
    subsets["combined_balanced"] = _balanced(present, note_group, np.random.default_rng(seed))
    return subsets


def _balanced(present: Bools, note_group: Int64s, random: np.random.Generator) -> Int64s:
    """Draw as many frames of each combination of instruments as there are of the rarest; of silence no more."""
    combinations = [np.flatnonzero((present == row).all(axis=1)) for row in np.unique(present, axis=0) if row.any()]
    smallest = min((len(part) for part in combinations), default=0)
    silence = np.flatnonzero(~present.any(axis=1))
    chosen = [_thinned(part, note_group, smallest, random) for part in (*combinations, silence)]
    return np.sort(np.concatenate(chosen))


def _thinned(part: Int64s, note_group: Int64s, count: int, random: np.random.Generator) -> Int64s:
    """Keep whole groups, drawn at random, as long as they are no more than ``count`` frames."""
    groups, place, sizes = np.unique(note_group[part], return_inverse=True, return_counts=True)
    order = random.permutation(len(groups))
    kept = order[np.cumsum(sizes[order]) <= count]
    return part[np.isin(place, kept)]


def folds(indices: Int64s, note_group: Int64s | None, seed: int) -> Iterator[tuple[Int64s, Int64s]]:
    """Yield (training, test) indices of five folds, those of scikit-learn's KFold, shuffled.

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
    _, place = np.unique(np.arange(len(indices)) if note_group is None else note_group, return_inverse=True)
    count = int(place.max(initial=-1)) + 1
    if count < FOLDS:
        raise DatasetError(f"{count} notes cannot be dealt to {FOLDS} folds: generate a larger set.")
    # As scikit-learn's KFold(5, shuffle=True, random_state=seed): its shuffle, cut into parts of as equal sizes.
    shuffled = np.random.RandomState(seed).permutation(count)
    for test in np.array_split(shuffled, FOLDS):
        in_test = np.isin(place, test)
        yield indices[~in_test], indices[in_test]
