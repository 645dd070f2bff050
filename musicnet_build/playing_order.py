"""Playing orders: the passages of a score in the order in which they were played.

What belongs here: measures and beats of a score, the score rebuilt in a playing order, and playing orders in words and
from words. What does not: finding one in a recording (:mod:`musicnet_build.structure`).

Positions are beats: quarter notes from the start of the score. Measures are numbered from 1, an upbeat measure
included, as the time signatures of the score state them.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicnet_build.errors import ScoreError
from musicnet_build.notes import NoteTable
from musicnet_build.score import CONTROL_DTYPE, MAX_DURATION_S, Score, TempoMap, TimeSignature

Floats = NDArray[np.float64]

MAX_MEASURES = 100_000
MAX_BEATS = 200_000
"""Scores with more are treated as if they had no measures, or no beats to jump from: no real score has as many."""

TOLERANCE_BEATS = 1e-6
"""Places nearer to each other than this are the same."""

_LONGEST_STEP_S = 1.2
_SAME_BEATS = 1 / 48


@dataclass(frozen=True)
class Span:
    """A passage of the score, played without interruption.

    Attributes
    ----------
    start_beats, end_beats : float
        From here, and up to here, in quarter notes from the start of the score.
    recording_start_s : float
        When it begins in the recording; nan where nobody knows yet.
    """

    start_beats: float
    end_beats: float
    recording_start_s: float = math.nan


@dataclass(frozen=True)
class PlayingOrder:
    """Passages of a score in the order in which they are played.

    Attributes
    ----------
    spans : tuple of Span
        At least one.
    margin_s : float
        How much better the order explains the recording than playing straight through: in seconds of music laid on a
        wrong place of the score. 0 where it is straight through, nan where a user gave the order.
    """

    spans: tuple[Span, ...]
    margin_s: float = math.nan


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

    beats: Floats
    seconds: Floats
    is_downbeat: NDArray[np.bool_]


def end_beats(score: Score) -> float:
    """Return where the last note ends, in quarter notes."""
    return float((score.notes["onset_beats"] + score.notes["duration_beats"]).max())


def measure_starts(score: Score) -> Floats:
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


def same_music(score: Score, first_beats: float, second_beats: float, length_beats: float) -> bool:
    """Whether the notes that begin in two passages of equal length are the same: pitches at the same places.

    Parameters
    ----------
    score : Score
    first_beats, second_beats : float
        Where the passages begin.
    length_beats : float
        How long both are.

    Returns
    -------
    bool
    """
    first, second = _tokens(score, first_beats, length_beats), _tokens(score, second_beats, length_beats)
    return np.array_equal(first, second)


def _tokens(score: Score, start_beats: float, length_beats: float) -> NDArray[np.int64]:
    """Pitch and place (in 48ths of a beat) of the notes that begin in a passage, as sorted distinct rows."""
    onsets = score.notes["onset_beats"]
    inside = (onsets >= start_beats - _SAME_BEATS / 2) & (onsets < start_beats + length_beats - _SAME_BEATS / 2)
    places = np.rint((onsets[inside] - start_beats) / _SAME_BEATS).astype(np.int64)
    return np.unique(np.stack([places, score.notes["pitch"][inside].astype(np.int64)], axis=1), axis=0)


# --- the score rebuilt ----------------------------------------------------------------------------------------------

# Registered and other parameters are set by several controllers in a row (98 to 101 name one, 6, 38, 96, 97 change it).
_PARAMETERS = (6, 38, 96, 97, 98, 99, 100, 101)
_AT_REST = {7: 100, 8: 64, 10: 64, 11: 127, 98: 127, 99: 127, 100: 127, 101: 127}
_RESET_ALL = 121
_PEDALS = (64, 65, 66, 67, 68, 69)


def score_in_order(score: Score, order: PlayingOrder) -> tuple[Score, NDArray[np.int64]]:
    """Rebuild a score as it was played.

    Each passage keeps its tempo. At a seam no note sounds on; pedals are lifted, and every controller gets the value
    that it has at that place of the score. Notes and controls keep the beats of the original score, so that a repeated
    measure has the same beats both times; the tempo map and the time signatures count the beats as they are played.

    Parameters
    ----------
    score : Score
    order : PlayingOrder

    Returns
    -------
    Score
        Its time 0 is the beginning of the first passage.
    ndarray of int64 [shape=(notes of the rebuilt score,)]
        Index of each of its notes among the notes of the original score.

    Raises
    ------
    ScoreError
        When no note begins in the passages, or they last too long.
    """
    starts_s, seconds = _span_seconds(score, order)
    if float(seconds.sum()) > MAX_DURATION_S:
        raise ScoreError(f"{score.name} in this playing order lasts more than {MAX_DURATION_S // 3600} hours.")
    offsets_s = np.concatenate([[0.0], np.cumsum(seconds)])
    passages = [
        _notes_of(score, span, shift_s) for span, shift_s in zip(order.spans, offsets_s[:-1] - starts_s, strict=True)
    ]
    notes = np.concatenate([passage for passage, _ in passages])
    if not len(notes):
        raise ScoreError(f"{score.name} has no notes in this playing order.")
    index = np.concatenate([index for _, index in passages])
    by_onset = np.lexsort((notes["offset_s"], notes["pitch"], notes["program"], notes["onset_s"]))
    played = dataclasses.replace(
        score,
        notes=notes[by_onset],
        controls=_controls_in_order(score, order, offsets_s[:-1] - starts_s),
        tempo_map=_tempo_in_order(score, order, offsets_s),
        time_signatures=_signatures_in_order(score, order),
    )
    return played, index[by_onset]


def _span_seconds(score: Score, order: PlayingOrder) -> tuple[Floats, Floats]:
    """Score seconds at which the passages begin, and how long they last."""
    starts_s = score.tempo_map.seconds_at([span.start_beats for span in order.spans])
    stops_s = score.tempo_map.seconds_at([span.end_beats for span in order.spans])
    return starts_s, stops_s - starts_s


def _notes_of(score: Score, span: Span, shift_s: float) -> tuple[NoteTable, NDArray[np.int64]]:
    """The notes that begin in a passage, ending with it at the latest, and their indices in the score."""
    onsets = score.notes["onset_beats"]
    index = np.flatnonzero((onsets >= span.start_beats - TOLERANCE_BEATS) & (onsets < span.end_beats - TOLERANCE_BEATS))
    notes = score.notes[index].copy()
    stop_s = float(score.tempo_map.seconds_at(span.end_beats))
    notes["onset_s"] += shift_s
    notes["offset_s"] = np.minimum(notes["offset_s"], max(stop_s, 0.0)) + shift_s
    return notes, index


def _controls_in_order(score: Score, order: PlayingOrder, shifts_s: Floats) -> NDArray[np.void]:
    pieces = []
    touched: set[tuple[int, int]] = set()
    previous_end = 0.0
    for span, shift_s in zip(order.spans, shifts_s, strict=True):
        if span.start_beats != previous_end:
            pieces.append(_chased(score, span.start_beats, shift_s, touched))
        beats = score.controls["beats"]
        # What stands at the end of a passage belongs to what follows it, except at the end of the score.
        played = score.controls[(beats >= span.start_beats) & (beats < span.end_beats)].copy()
        played["time_s"] += shift_s
        pieces.append(played)
        touched.update(zip(played["part"].tolist(), played["number"].tolist(), strict=True))
        previous_end = span.end_beats
    return np.concatenate(pieces)


def _chased(score: Score, start_beats: float, shift_s: float, touched: set[tuple[int, int]]) -> NDArray[np.void]:
    """What sets all controls at a seam to the state that they have at a place of the score.

    First what was touched before the seam is put to rest; then follow the last value of each control before the place,
    and all that set parameters, in the order of the score.
    """
    rest = [(part, number, _AT_REST.get(number, 0)) for part, number in sorted(touched) if number != _RESET_ALL]
    earlier = score.controls[score.controls["beats"] < start_beats]
    latest = {(int(row["part"]), int(row["number"])): i for i, row in enumerate(earlier)}
    kept = sorted({*latest.values(), *np.flatnonzero(np.isin(earlier["number"], _PARAMETERS)).tolist()})
    chased = np.zeros(len(rest) + len(kept), dtype=CONTROL_DTYPE)
    for i, (part, number, value) in enumerate(rest):
        chased[i] = (0.0, start_beats, part, number, value)
    chased[len(rest) :] = earlier[kept]
    chased["beats"] = start_beats
    chased["time_s"] = score.tempo_map.seconds_at(start_beats) + shift_s
    touched.update(latest)
    return chased


def _tempo_in_order(score: Score, order: PlayingOrder, offsets_s: Floats) -> TempoMap:
    """The tempo map on the beats as they are played."""
    tempo, beats, seconds, slowness = score.tempo_map, [], [], []
    played = 0.0
    for span, offset_s in zip(order.spans, offsets_s[:-1], strict=True):
        inside = tempo.beats[(tempo.beats > span.start_beats) & (tempo.beats < span.end_beats)]
        knots = np.concatenate([[span.start_beats], inside])
        segment = np.maximum(np.searchsorted(tempo.beats, knots, side="right") - 1, 0)
        beats.append(knots - span.start_beats + played)
        seconds.append(tempo.seconds_at(knots) - float(tempo.seconds_at(span.start_beats)) + offset_s)
        slowness.append(tempo.seconds_per_beat[segment])
        played += span.end_beats - span.start_beats
    return TempoMap(np.concatenate(beats), np.concatenate(seconds), np.concatenate(slowness))


def _signatures_in_order(score: Score, order: PlayingOrder) -> tuple[TimeSignature, ...]:
    """The time signatures on the beats as they are played; each passage begins with the one in force there."""
    found: list[TimeSignature] = []
    played = 0.0
    for span in order.spans:
        earlier = [s for s in score.time_signatures if s.beats <= span.start_beats]
        inside = [s for s in score.time_signatures if span.start_beats < s.beats < span.end_beats]
        for s in [dataclasses.replace(s, beats=span.start_beats) for s in earlier[-1:]] + inside:
            found.append(dataclasses.replace(s, beats=played + s.beats - span.start_beats))
        played += span.end_beats - span.start_beats
    return tuple(found)


# --- repeats in a score ---------------------------------------------------------------------------------------------

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


def _kinds_of_beats(score: Score, grid: BeatGrid) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """A number for each beat, equal where the same notes begin in it; and whether any begin."""
    onsets = score.notes["onset_beats"]
    beat = np.clip(np.searchsorted(grid.beats, onsets + _SAME_BEATS / 2, side="right") - 1, 0, len(grid.beats) - 2)
    place = np.rint((onsets - grid.beats[beat]) / _SAME_BEATS).astype(np.int64)
    rows = np.unique(np.stack([beat, place, score.notes["pitch"].astype(np.int64)], axis=1), axis=0)
    edges = np.searchsorted(rows[:, 0], np.arange(len(grid.beats)))
    lengths = np.rint(np.diff(grid.beats) / _SAME_BEATS).astype(np.int64)
    names: dict[bytes, int] = {}
    kinds = [
        names.setdefault(int(length).to_bytes(8, "big") + rows[a:b, 1:].tobytes(), len(names))
        for a, b, length in zip(edges[:-1], edges[1:], lengths, strict=True)
    ]
    return np.array(kinds, dtype=np.int64), np.diff(edges) > 0


def _runs(kinds: NDArray[np.int64], sounding: NDArray[np.bool_], lag: int) -> list[tuple[int, int, int]]:
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
