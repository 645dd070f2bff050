"""Notes to frame-wise targets: labelling functions by name, sustain, and piano rolls.

Conventions
-----------
Frame *k* stands for the time ``k * frame_length_s`` on which it is centred (see
:mod:`musicnet_build.features.spectra`). A labelling function turns the onset and offset of a note into frames
``[start, end)``: the note sounds in ``start``, not in ``end``. With x the onset, y the offset and L the frame length,
all in seconds:

==========  =====================  ==========================================
function    start                  end
==========  =====================  ==========================================
``a``       round(x / L)           round(y / L)
``b``       ceil(x / L)            ceil(y / L)
``c``       floor(x / L)           floor(y / L)
``d``       floor(x / L)           start + floor((y − x) / L)
``d_ceil``  ceil(x / L)            start + ceil((y − x) / L)
``e``       a's start + step       a's end + the same step
``f``       a's start + step       a's end + a step of its own
==========  =====================  ==========================================

The steps of ``e`` and ``f`` are drawn from {−1, 0, 1} with equal chances, once a note and seed, so one note is moved
alike at any frame rate. ``d`` is what the study of label noise prints; the code published with it computes ``d_ceil``,
as an earlier paper did.

Ties. ``round`` is to the nearest frame, and half-way cases go to the even frame. The published training code rounds
so (it calls numpy or Python, and both do), and over many notes no direction is favoured. Times in seconds are seldom
exact in binary, and label files print them with few digits, so a quotient within a millionth of a frame of a half or
whole number is taken for that number: 0.3 s is frame 3 of frames of 0.1 s for all functions, though 0.3 / 0.1 is
computed as 2.9999999999999996.

Sustain is a matter of the notes, not of the frames: see :func:`sustained`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from musicnet_build._typing import Bools, Float64s, Int64s, Records, UInt8s
from musicnet_build.choices import LABELLINGS
from musicnet_build.errors import LabelError
from musicnet_build.notes import NoteTable, end_at_restrike, pitched, sorted_by_onset

PIANO = (21, 108)
"""Lowest and highest pitch of the piano: rolls of 88 notes."""

ALL_PITCHES = (0, 127)
"""Rolls of 128 notes."""

ONSET, SOUNDING, OFFSET = 3, 2, 1
"""Label codes: the frame a note starts in, the others it sounds in, the first in which it does not; else 0."""

SUSTAIN_PEDAL = 64
"""Number of the MIDI controller; it is down from the value 64 on."""

# Of a frame. Far below any audible difference, far above what double precision and six printed decimals make of it.
_SNAP = 1e-6


_WHOLE: dict[str, Callable[[Float64s], Float64s]] = {
    "a": np.rint,
    "b": np.ceil,
    "c": np.floor,
    "d": np.floor,
    "d_ceil": np.ceil,
    "e": np.rint,
    "f": np.rint,
}


@dataclass(frozen=True, eq=False)
class Rolls:
    """What is heard in which frame.

    Attributes
    ----------
    codes : ndarray of uint8 [shape=(frames, pitches)]
        3 in the frame of an onset, 2 in the other frames in which the pitch sounds, 1 in the frame of an offset, 0
        elsewhere. Where several notes claim a frame, the highest code stands: an onset is never hidden.
    velocity : ndarray of uint8 [shape=(frames, pitches)]
        Velocity of the note that sounds, of the one that began last where there are several; 0 where none does.
    short : int
        Notes that the labelling function gives no frame at all. They are in the roll, as an onset of one frame, or
        left out, as was asked for.
    out_of_range : int
        Notes left out because their pitch is outside the roll.
    outside : int
        Notes left out because they begin after the last frame, or end before the first.
    """

    codes: UInt8s
    velocity: UInt8s
    short: int
    out_of_range: int
    outside: int

    @property
    def frame(self) -> Bools:
        """Where a pitch sounds [shape=(frames, pitches)]."""
        return self.codes >= SOUNDING

    @property
    def onset(self) -> Bools:
        """Where a note begins [shape=(frames, pitches)]."""
        return np.equal(self.codes, ONSET)

    @property
    def offset(self) -> Bools:
        """Where a note has ended [shape=(frames, pitches)]; not where the same pitch sounds on or begins again."""
        return np.equal(self.codes, OFFSET)


def label_frames(
    onset_s: ArrayLike, offset_s: ArrayLike, frame_length_s: float, labelling: str = "a", *, seed: int = 0
) -> tuple[Int64s, Int64s]:
    """Return the frames [start, end) of each note, as a labelling function has them.

    Nothing is mended here: the frames of a short note may be none (end = start) or fewer (``e`` moves no note apart,
    ``f`` may), and a random step may lead to frame −1.

    Parameters
    ----------
    onset_s, offset_s : array_like of float [shape=(n,)]
        In seconds.
    frame_length_s : float
        Time from one frame to the next, in seconds.
    labelling : str
        One of ``LABELLINGS``; the table at the top says what each does.
    seed : int
        Draws the steps of ``e`` and ``f``: two for each note, in the order of the notes.

    Returns
    -------
    start, end : ndarray of int64 [shape=(n,)]

    Raises
    ------
    LabelError
        When there is no such function, the frame length is not positive, or a time is not finite.

    Examples
    --------
    >>> from musicnet_build.labels import label_frames
    >>> start, end = label_frames([0.10, 0.50], [0.45, 0.90], 0.032)[:2]
    >>> start.tolist(), end.tolist()
    ([3, 16], [14, 28])
    """
    onset, offset = np.asarray(onset_s, dtype=np.float64), np.asarray(offset_s, dtype=np.float64)
    if labelling not in LABELLINGS:
        raise LabelError(f"There is no labelling function {labelling!r}: choose one of {', '.join(LABELLINGS)}.")
    if not frame_length_s > 0:
        raise LabelError(f"A frame must last more than 0 s, not {frame_length_s}.")
    if not (np.isfinite(onset).all() and np.isfinite(offset).all()):
        raise LabelError("The notes have an onset or offset that is not finite, so they have no frames.")
    x, y = _in_frames(onset, frame_length_s), _in_frames(offset, frame_length_s)
    whole = _WHOLE[labelling]
    if labelling in ("d", "d_ceil"):
        return _integers(whole(x)), _integers(whole(x) + whole(_in_frames(offset - onset, frame_length_s)))
    start, end = _integers(whole(x)), _integers(whole(y))
    if labelling not in ("e", "f"):
        return start, end
    steps = np.random.default_rng(seed).integers(-1, 2, size=(len(start), 2))
    return start + steps[:, 0], end + steps[:, 0 if labelling == "e" else 1]


def label_rolls(
    notes: NoteTable,
    frames: int,
    frame_length_s: float,
    labelling: str = "a",
    *,
    seed: int = 0,
    pitches: tuple[int, int] = PIANO,
    keep_short: bool = True,
) -> Rolls:
    """Return the piano rolls of notes.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        Times in seconds from the first frame. The random steps of ``e`` and ``f`` go by the order of the notes.
    frames : int
        Length of the rolls.
    frame_length_s : float
        Time from one frame to the next, in seconds.
    labelling : str
        One of ``LABELLINGS``.
    seed : int
        Draws the steps of ``e`` and ``f``.
    pitches : tuple of int
        Lowest and highest pitch of the rolls: ``PIANO`` or ``ALL_PITCHES``, say.
    keep_short : bool
        Give a note that has no frame the frame of its onset; otherwise it is left out. Both are counted.

    Returns
    -------
    Rolls

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.labels import label_rolls
    >>> rolls = label_rolls(read_labels("labels.csv"), frames=470, frame_length_s=0.032)
    >>> rolls.codes.shape
    (470, 88)
    """
    start, end = label_frames(notes["onset_s"], notes["offset_s"], frame_length_s, labelling, seed=seed)
    short = end <= start
    if keep_short:
        end = np.maximum(end, start + 1)
    column = notes["pitch"].astype(np.int64) - pitches[0]
    in_range = (notes["pitch"] >= pitches[0]) & (notes["pitch"] <= pitches[1])
    inside = (start < frames) & (end > 0)
    kept = np.flatnonzero(in_range & inside & (keep_short | ~short))
    kept = kept[np.argsort(notes["onset_s"][kept], kind="stable")]
    codes, velocity = np.zeros((2, frames, pitches[1] - pitches[0] + 1), dtype=np.uint8)
    spans = list(zip(np.maximum(start[kept], 0).tolist(), end[kept].tolist(), column[kept].tolist(), strict=True))
    _paint(codes, velocity, spans, notes["velocity"][kept].tolist())
    _mark_onsets(codes, start[kept], column[kept])
    return Rolls(codes, velocity, int(short.sum()), int((~in_range).sum()), int((in_range & ~inside).sum()))


def sustained(notes: NoteTable, controls: Records) -> NoteTable:
    """Let notes sound on while the sustain pedal is down, as strings do.

    A note whose key is released while the pedal is down ends when the pedal is lifted, or where its part strikes the
    same pitch again, if that is earlier. A pedal that is never lifted is lifted at the last event of all. Without the
    pedal a note also ends where its pitch is struck again.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        Offsets are those of the keys.
    controls : ndarray of CONTROL_DTYPE [shape=(c,)]
        See :mod:`musicnet_build.score.reader`; only controller 64 matters.

    Returns
    -------
    NoteTable [shape=(n,)]
        In the same order, with later offsets, or earlier ones where a pitch is struck again.
    """
    result = notes.copy()
    pedal = controls[controls["number"] == SUSTAIN_PEDAL]
    last_s = max(float(notes["offset_s"].max(initial=0.0)), float(controls["time_s"].max(initial=0.0)))
    for part in np.unique(notes["part"]).tolist():
        chosen = notes["part"] == part
        result["offset_s"][chosen] = _released_s(result["offset_s"][chosen], pedal[pedal["part"] == part], last_s)
    return end_at_restrike(result)


def packed(roll: Bools) -> UInt8s:
    """Return a roll with eight pitches a byte, the lowest pitch in the highest bit (as ``numpy.packbits`` has it).

    Parameters
    ----------
    roll : ndarray of bool [shape=(frames, pitches)]

    Returns
    -------
    ndarray of uint8 [shape=(frames, ceil(pitches / 8))]
    """
    return np.packbits(roll, axis=-1)


def unpacked(bits: UInt8s, pitches: int) -> UInt8s:
    """Return the roll, as zeros and ones, that :func:`packed` packed; further leading dimensions are allowed."""
    return np.unpackbits(bits, axis=-1, count=pitches)


# Frames


def _in_frames(time_s: Float64s, frame_length_s: float) -> Float64s:
    """Divide, and repair what binary fractions and printed decimals do to halves and whole numbers."""
    quotient: Float64s = time_s / frame_length_s
    nearest_half = np.rint(2 * quotient) / 2
    return np.where(np.abs(quotient - nearest_half) <= _SNAP, nearest_half, quotient)


def _integers(values: Float64s) -> Int64s:
    return values.astype(np.int64)


def _paint(codes: UInt8s, velocity: UInt8s, spans: Iterable[tuple[int, int, int]], loudness: list[int]) -> None:
    for (start, end, column), value in zip(spans, loudness, strict=True):
        codes[start:end, column] = SOUNDING
        velocity[start:end, column] = value
        if end < len(codes):
            codes[end, column] = max(codes[end, column], OFFSET)


def _mark_onsets(codes: UInt8s, start: Int64s, column: Int64s) -> None:
    """Last of all, so that neither the offset nor the sound of another note hides an onset."""
    heard = start >= 0
    codes[start[heard], column[heard]] = ONSET


# Sustain


def _released_s(offset_s: Float64s, pedal: Records, last_s: float) -> Float64s:
    """Return when each note ends, for key releases at ``offset_s`` and the pedal events of its part."""
    if not len(pedal):
        return offset_s
    # Of several events at one time the last in the file counts.
    last_of_time = np.append(np.diff(pedal["time_s"]) > 0, True)
    pedal = pedal[last_of_time]
    down = pedal["value"] >= 64
    # At one time keys come before pedals, as in the synthesis: a pedal that goes down as the key is released is late.
    state = np.searchsorted(pedal["time_s"], offset_s, side="left") - 1
    lifted_s = np.where(down, np.inf, pedal["time_s"])
    next_lift_s = np.append(np.minimum.accumulate(lifted_s[::-1])[::-1], np.inf)
    held = (state >= 0) & down[np.maximum(state, 0)]
    return np.where(held, np.minimum(next_lift_s[state + 1], last_s), offset_s)


def on_one_keyboard(notes: NoteTable) -> NoteTable:
    """Return what a pianist does who plays all parts of a score on one keyboard.

    Notes of one pitch that overlap are strikes of one key: it is struck at each onset, and between strikes held as
    long as any of the notes before lasts. Of notes that begin together the loudest is struck.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    NoteTable [shape=(k,)]
        Sorted by onset, part and program 0; no two notes of one pitch overlap.
    """
    keys = pitched(notes).copy()
    keys["part"] = keys["program"] = 0
    keys = keys[np.lexsort((-keys["velocity"], keys["onset_s"], keys["pitch"]))]
    for pitch in np.unique(keys["pitch"]).tolist():
        chosen = keys["pitch"] == pitch
        keys["offset_s"][chosen] = np.maximum.accumulate(keys["offset_s"][chosen])
    first = np.append(True, (np.diff(keys["pitch"]) != 0) | (np.diff(keys["onset_s"]) > 0))[: len(keys)]
    # Of several strikes at one time, the last row knows how long the longest of them is held.
    last = np.append(first[1:], True)[: len(keys)]
    strikes = keys[first]
    strikes["offset_s"] = keys["offset_s"][last]
    return sorted_by_onset(end_at_restrike(strikes))
