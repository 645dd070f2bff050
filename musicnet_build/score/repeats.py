"""Passages of a score that come again: repeats that are written out.

What belongs here: what the notes of a score say by themselves. What a performer made of it is found in
:mod:`musicnet_build.sync.jumps`.
"""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Int64s
from musicnet_build.score.beats import SAME_BEATS, BeatGrid, beat_grid
from musicnet_build.score.model import Score

MOST_BEATS_COMPARED = 20_000
_SHORTEST_REPEAT_BEATS, _SHORTEST_REPEAT_S = 8, 4.0
_GAP_BEATS = 2
_LEAST_SHARE = 0.8


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
    >>> from musicnet_build.score.repeats import repeated_sections
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
