"""Piano rolls of several note tables, block by block, so that hours can be compared in little memory."""

from collections.abc import Iterator, Sequence

from musicnet_build._typing import Bools
from musicnet_build.errors import LabelError
from musicnet_build.labels.pianoroll import ALL_PITCHES, label_rolls
from musicnet_build.notes import NoteTable

MAX_DURATION_S = 6 * 3600
_BLOCK_FRAMES = 60_000


def roll_blocks(tables: Sequence[NoteTable], frame_s: float) -> Iterator[tuple[Bools, ...]]:
    """Yield the piano rolls of note tables, one block of frames after another.

    Frame *k* is centred on ``k * frame_s``; a note sounds from the frame nearest to its onset up to the one nearest to
    its offset (labelling function ``a``).

    Parameters
    ----------
    tables : sequence of NoteTable
        Times in seconds, all known.
    frame_s : float
        Time from one frame to the next.

    Yields
    ------
    tuple of ndarray of bool [shape=(frames, 128)]
        A roll for each table, all as long: up to 60,000 frames. Together they reach to the last offset.

    Raises
    ------
    LabelError
        When notes last longer than six hours.
    """
    end_s = max(float(table["offset_s"].max(initial=0.0)) for table in tables)
    if end_s > MAX_DURATION_S:
        raise LabelError(f"Notes reach to {end_s:.0f} s; no more than {MAX_DURATION_S} s are compared.")
    total = int(end_s / frame_s) + 2
    for first in range(0, total, _BLOCK_FRAMES):
        frames = min(_BLOCK_FRAMES, total - first)
        yield tuple(_roll_block(table, first, frames, frame_s) for table in tables)


def _roll_block(notes: NoteTable, first: int, frames: int, frame_s: float) -> Bools:
    """Return where pitches sound in ``frames`` frames from ``first`` on [shape=(frames, 128)]."""
    start_s = first * frame_s
    near = (notes["onset_s"] < start_s + (frames + 1) * frame_s) & (notes["offset_s"] > start_s - frame_s)
    moved = notes[near]
    moved["onset_s"] -= start_s
    moved["offset_s"] -= start_s
    return label_rolls(moved, frames, frame_s, pitches=ALL_PITCHES).frame
