"""Beats of a score: its measures, where a performer may leave it and go on, passages that come again, note values.

Positions are beats: quarter notes from the start of the score. Measures are numbered from 1, an upbeat measure
included, as the time signatures of the score state them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musicnet_build._typing import Bools, Float64s, Int64s
from musicnet_build.score.model import Measures, Score, TimeSignature

MAX_MEASURES = 100_000
MAX_BEATS = 200_000
"""Scores with more are treated as if they had no measures, or no beats to jump from: no real score has as many."""

TOLERANCE_BEATS = 1e-6
"""Places nearer to each other than this are the same."""

SAME_BEATS = 1 / 48
"""Notes that begin nearer to each other than half of this begin together."""

_LONGEST_STEP_S = 1.2
MOST_BEATS_COMPARED = 20_000
_SHORTEST_REPEAT_BEATS, _SHORTEST_REPEAT_S = 8, 4.0
_GAP_BEATS = 2
_LEAST_SHARE = 0.8

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


def signature_at(score: Score, beats: float) -> TimeSignature | None:
    """Return the time signature in force at a beat; None where none is stated."""
    earlier = [signature for signature in score.time_signatures if signature.beats <= beats + TOLERANCE_BEATS]
    return earlier[-1] if earlier else None


def beat_length(signature: TimeSignature | None) -> float:
    """Return the length of a beat in quarter notes: three eighths in 6/8, 9/8, 12/8 (and in sixteenths alike).

    Parameters
    ----------
    signature : TimeSignature or None
        A quarter note where there is none.

    Returns
    -------
    float

    Examples
    --------
    >>> from musicnet_build.score.model import TimeSignature
    >>> [beat_length(TimeSignature(0.0, n, d)) for n, d in ((3, 4), (2, 2), (3, 8), (6, 8))]
    [1.0, 2.0, 0.5, 1.5]
    """
    if signature is None:
        return 1.0
    compound = signature.denominator >= 8 and signature.numerator > 3 and signature.numerator % 3 == 0
    return 4.0 / signature.denominator * (3 if compound else 1)


def end_beats(score: Score) -> float:
    """Return where the last note ends, in quarter notes."""
    return float((score.notes["onset_beats"] + score.notes["duration_beats"]).max())


def measures_of(score: Score) -> Measures:
    """Return the measures of a score: as it states them, else as its time signatures count them from 1.

    Parameters
    ----------
    score : Score

    Returns
    -------
    Measures
        Empty where the score states neither, or more than ``MAX_MEASURES`` measures. The end of the score is none.
    """
    if score.measures is None:
        starts = _counted_starts(score)
        return Measures(starts, tuple(map(str, range(1, len(starts) + 1))), np.arange(len(starts)))
    stated = score.measures
    kept = np.flatnonzero(stated.starts_beats < end_beats(score) - TOLERANCE_BEATS)
    numbers = tuple(stated.numbers[i] or str(i + 1) for i in kept)
    return Measures(stated.starts_beats[kept], numbers, stated.written[kept])


def measure_starts(score: Score) -> Float64s:
    """Return where the measures begin, in quarter notes, as ``measures_of`` finds them.

    Parameters
    ----------
    score : Score

    Returns
    -------
    ndarray of float64 [shape=(measures,)]
    """
    return measures_of(score).starts_beats


def _counted_starts(score: Score) -> Float64s:
    """Where the time signatures let measures begin; nowhere where there are none, or too many."""
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


@dataclass(frozen=True)
class RepeatedSection:
    """A passage of a score that comes again, note for note or nearly so.

    Attributes
    ----------
    start_beats, end_beats : float
        The passage, in quarter notes.
    again_beats : float
        Where it begins again, at ``end_beats`` or later.
    share : float
        Share of its beats that are the same: 1.0 where it is exact, at least 0.8.
    """

    start_beats: float
    end_beats: float
    again_beats: float
    share: float


def repeated_sections(score: Score) -> tuple[RepeatedSection, ...]:
    """Find passages of at least eight beats and four seconds that come again, the longest at each place.

    Two beats are the same when the same pitches begin at the same places of them; velocities, lengths and instruments
    do not matter. Up to two beats in a row may differ where four fifths of all are the same.

    Parameters
    ----------
    score : Score

    Returns
    -------
    tuple of RepeatedSection
        In the order in which they begin. Empty for scores of more than ``MOST_BEATS_COMPARED`` beats.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build import read_score, write_labels
    >>> from musicnet_build.score.beats import repeated_sections
    >>> once = read_score("scores/piece-1.mid").notes
    >>> again = once.copy()
    >>> again["onset_s"] += 12
    >>> again["offset_s"] += 12
    >>> write_labels("twice.mid", np.concatenate([once, again]))
    >>> [(section.start_beats, section.again_beats) for section in repeated_sections(read_score("twice.mid"))]
    [(0.0, 24.0)]
    """
    grid = beat_grid(score)
    if len(grid.beats) > MOST_BEATS_COMPARED:
        return ()
    kinds, sounding = _kinds_of_beats(score, grid)
    candidates = [c for lag in range(1, len(kinds)) for c in _runs(kinds, sounding, lag)]
    candidates.sort(key=lambda c: (c[0] - c[1], c[2]))  # the longest first, of these the nearest
    said_before = np.zeros(len(kinds), dtype=bool)
    kept: list[RepeatedSection] = []
    for start, stop, lag in candidates:
        again = slice(start + lag, stop + lag)
        long_enough = grid.seconds[stop] - grid.seconds[start] >= _SHORTEST_REPEAT_S
        if long_enough and said_before[again].mean() < 0.5:
            said_before[again] = True
            share = float(np.mean(kinds[start:stop] == kinds[again]))
            kept.append(
                RepeatedSection(
                    float(grid.beats[start]), float(grid.beats[stop]), float(grid.beats[start + lag]), share
                )
            )
    return tuple(sorted(kept, key=lambda section: (section.start_beats, section.again_beats)))


def _kinds_of_beats(score: Score, grid: BeatGrid) -> tuple[Int64s, Bools]:
    """A number for each beat, equal where the same notes begin in it; and whether any begin."""
    onsets = score.notes["onset_beats"]
    beat = np.clip(np.searchsorted(grid.beats, onsets + SAME_BEATS / 2, side="right") - 1, 0, len(grid.beats) - 2)
    place = np.rint((onsets - grid.beats[beat]) / SAME_BEATS).astype(np.int64)
    rows = np.unique(np.stack([beat, place, score.notes["pitch"].astype(np.int64)], axis=1), axis=0)
    edges = np.searchsorted(rows[:, 0], np.arange(len(grid.beats)))
    lengths = np.rint(np.diff(grid.beats) / SAME_BEATS).astype(np.int64)
    names: dict[bytes, int] = {}
    kinds = [
        names.setdefault(int(length).to_bytes(8, "big") + rows[a:b, 1:].tobytes(), len(names))
        for a, b, length in zip(edges[:-1], edges[1:], lengths, strict=True)
    ]
    return np.array(kinds, dtype=np.int64), np.diff(edges) > 0


def _runs(kinds: Int64s, sounding: Bools, lag: int) -> list[tuple[int, int, int]]:
    """Passages that are the same a lag later as (first beat, beat behind the last, lag), none longer than the lag."""
    if lag < _SHORTEST_REPEAT_BEATS:
        return []
    same = np.flatnonzero(kinds[:-lag] == kinds[lag:])
    if len(same) < _SHORTEST_REPEAT_BEATS:
        return []
    breaks = np.flatnonzero(np.diff(same) > _GAP_BEATS + 1)
    found = []
    for first, last in zip(same[np.append(0, breaks + 1)], same[np.append(breaks, -1)], strict=True):
        for start in range(int(first), int(last) + 1, lag):
            stop = min(start + lag, int(last) + 1)
            alike = (kinds[start:stop] == kinds[start + lag : stop + lag]) & sounding[start:stop]
            long = stop - start >= _SHORTEST_REPEAT_BEATS and alike.sum() >= _SHORTEST_REPEAT_BEATS
            if long and np.mean(kinds[start:stop] == kinds[start + lag : stop + lag]) >= _LEAST_SHARE:
                found.append((start, stop, lag))
    return found


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
