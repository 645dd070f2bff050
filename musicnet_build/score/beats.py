"""Beats of a score: its measures, where a performer may leave it and go on, passages that are the same, note values.

Positions are beats: quarter notes from the start of the score. Measures are numbered from 1, an upbeat measure
included, as the time signatures of the score state them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musicnet_build._typing import Bools, Float64s, Int64s
from musicnet_build.score.model import Score

MAX_MEASURES = 100_000
MAX_BEATS = 200_000
"""Scores with more are treated as if they had no measures, or no beats to jump from: no real score has as many."""

TOLERANCE_BEATS = 1e-6
"""Places nearer to each other than this are the same."""

SAME_BEATS = 1 / 48
"""Notes that begin nearer to each other than half of this begin together."""

_LONGEST_STEP_S = 1.2

_NOTE_VALUES: tuple[tuple[float, str], ...] = (
    (1 / 24, "Triplet Sixty Fourth"),
    (1 / 16, "Sixty Fourth"),
    (1 / 12, "Triplet Thirty Second"),
    (1 / 8, "Thirty Second"),
    (1 / 6, "Triplet Sixteenth"),
    (1 / 4, "Sixteenth"),
    (1 / 3, "Triplet"),
    (3 / 8, "Dotted Sixteenth"),
    (1 / 2, "Eighth"),
    (3 / 4, "Dotted Eighth"),
    (1, "Quarter"),
    (9 / 8, "Tied Quarter-Thirty Second"),
    (5 / 4, "Tied Quarter-Sixteenth"),
    (3 / 2, "Dotted Quarter"),
    (2, "Half"),
    (3, "Dotted Half"),
    (4, "Whole"),
)
_SHORTEST_VALUE_BEATS, _LONGEST_VALUE_BEATS = 1 / 48, 4.5


@dataclass(frozen=True, eq=False)
class BeatGrid:
    """The beats of a score, and its end.

    Attributes
    ----------
    beats, seconds : ndarray of float64 [shape=(k,)]
        Both strictly increasing; the first is the start of the score, the last its end.
    is_downbeat : ndarray of bool [shape=(k,)]
        Whether a measure begins there; all true where the score has no measures.
    """

    beats: Float64s
    seconds: Float64s
    is_downbeat: Bools


def end_beats(score: Score) -> float:
    """Return where the last note ends, in quarter notes."""
    return float((score.notes["onset_beats"] + score.notes["duration_beats"]).max())


def measure_starts(score: Score) -> Float64s:
    """Return where the measures begin, in quarter notes; the end of the score is not among them.

    Parameters
    ----------
    score : Score

    Returns
    -------
    ndarray of float64 [shape=(measures,)]
        Empty where the score states no time signature, or more than ``MAX_MEASURES`` measures.
    """
    end = end_beats(score)
    signatures = [signature for signature in score.time_signatures if signature.beats < end]
    if not signatures:
        return np.empty(0)
    starts = [0.0 if i == 0 else signature.beats for i, signature in enumerate(signatures)]
    lengths = [4.0 * signature.numerator / signature.denominator for signature in signatures]
    stops = [*starts[1:], end]
    if (
        sum((stop - start) / length + 1 for start, stop, length in zip(starts, stops, lengths, strict=True))
        > MAX_MEASURES
    ):
        return np.empty(0)
    pieces = [
        # A measure that would begin at the next change of metre is none.
        np.arange(start, stop - TOLERANCE_BEATS, length)
        for start, stop, length in zip(starts, stops, lengths, strict=True)
    ]
    return np.concatenate(pieces)


def beat_grid(score: Score) -> BeatGrid:
    """Return where a performer may leave a score and go on: its quarter notes, counted in every measure from its start.

    Where a quarter note of the score lasts longer than 1.2 s, its halves (quarters, ...) are beats as well.

    Parameters
    ----------
    score : Score

    Returns
    -------
    BeatGrid
    """
    end = end_beats(score)
    measures = measure_starts(score)
    starts = measures if len(measures) else np.zeros(1)
    seconds_per_beat = score.duration_s / end
    step = 2.0 ** -max(0, math.ceil(math.log2(seconds_per_beat / _LONGEST_STEP_S)))
    step = max(step, end / MAX_BEATS)
    stops = np.append(starts[1:], end)
    beats = [np.arange(start, stop - step / 4, step) for start, stop in zip(starts, stops, strict=True)]
    inside = np.concatenate(
        [piece if len(piece) else np.array([start]) for piece, start in zip(beats, starts, strict=True)]
    )
    inside = inside[inside < end - TOLERANCE_BEATS]
    grid = np.append(inside, end)
    downbeats = np.isin(grid, measures) if len(measures) else np.ones(len(grid), dtype=bool)
    downbeats[-1] = True
    seconds = score.tempo_map.seconds_at(grid)
    seconds[-1] = score.duration_s
    return BeatGrid(grid, seconds, downbeats)


def same_music(
    score: Score, first_beats: float, second_beats: float, length_beats: float, least_share: float = 1.0
) -> bool:
    """Whether the notes that begin in two passages of equal length are the same: pitches at the same places.

    Parameters
    ----------
    score : Score
    first_beats, second_beats : float
        Where the passages begin.
    length_beats : float
        How long both are.
    least_share : float
        Share of all these notes that must be in both passages.

    Returns
    -------
    bool
    """
    both = np.concatenate([_tokens(score, start, length_beats) for start in (first_beats, second_beats)])
    counts = np.unique(both, axis=0, return_counts=True)[1]
    return bool(np.count_nonzero(counts == 2) >= least_share * len(counts))


def _tokens(score: Score, start_beats: float, length_beats: float) -> Int64s:
    """Pitch and place (in 48ths of a beat) of the notes that begin in a passage, as sorted distinct rows."""
    onsets = score.notes["onset_beats"]
    inside = (onsets >= start_beats - SAME_BEATS / 2) & (onsets < start_beats + length_beats - SAME_BEATS / 2)
    places = np.rint((onsets[inside] - start_beats) / SAME_BEATS).astype(np.int64)
    return np.unique(np.stack([places, score.notes["pitch"][inside].astype(np.int64)], axis=1), axis=0)


def note_value_name(durations_beats: ArrayLike) -> NDArray[np.str_]:
    """Name the note value nearest to each length, in the words of the MusicNet label files.

    A length exactly between two values is the longer one, as in the published files.

    Parameters
    ----------
    durations_beats : array_like of float [shape=(n,)]
        Lengths in quarter notes.

    Returns
    -------
    ndarray of str [shape=(n,)]
        "Triplet Sixty Fourth" to "Whole"; "Unknown" under 1/48 and over 4.5 quarter notes.
    """
    durations = np.atleast_1d(np.asarray(durations_beats, dtype=np.float64))
    lengths = np.array([length for length, _ in _NOTE_VALUES])
    names = np.array([name for _, name in _NOTE_VALUES])
    nearest = np.searchsorted((lengths[1:] + lengths[:-1]) / 2 - TOLERANCE_BEATS, durations, side="right")
    known = (durations >= _SHORTEST_VALUE_BEATS) & (durations <= _LONGEST_VALUE_BEATS)
    return np.where(known, names[nearest], "Unknown")
