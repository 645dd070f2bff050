"""A score rebuilt in a playing order: its passages one after another, as they were played.

What belongs here: what becomes of notes, controls and tempo at the jumps.
"""

import dataclasses

import numpy as np

from musicnet_build._typing import Float64s, Int64s, Records
from musicnet_build.errors import ScoreError
from musicnet_build.notes import NoteTable
from musicnet_build.score.beats import TOLERANCE_BEATS, measures_of
from musicnet_build.score.model import (
    CONTROL_DTYPE,
    MAX_DURATION_S,
    PARAMETER_CONTROLS,
    Measures,
    Score,
    TempoMap,
    TimeSignature,
)
from musicnet_build.score.order import PlayingOrder, Span

_AT_REST = {7: 100, 8: 64, 10: 64, 11: 127, 98: 127, 99: 127, 100: 127, 101: 127}
_RESET_ALL = 121
_PEDALS = (64, 65, 66, 67, 68, 69)


def unfold_score(score: Score, order: PlayingOrder) -> tuple[Score, Int64s]:
    """Rebuild a score as it was played: its performed structure written out.

    Each passage keeps its tempo. At a jump no note sounds on; pedals are lifted, and every controller gets the value
    that it has at that place of the score. Notes and controls keep the beats of the original score, so that a repeated
    measure has the same beats both times; tempo map, time signatures and measures count the beats as they are played.

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

    Examples
    --------
    >>> from musicnet_build import read_score
    >>> from musicnet_build.score import parse_order, score_in_order
    >>> score = read_score("score.mid")
    >>> played, written_note = score_in_order(score, parse_order("b0-b4,b0-b4", score))
    >>> len(played.notes), int(written_note[0]), int(written_note[len(played.notes) // 2])
    (32, 0, 0)
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
        measures=measures_in_order(score.measures, order) if score.measures else None,
    )
    return played, index[by_onset]


score_in_order = unfold_score
"""The name of ``unfold_score`` in version 0.1.0."""


def _span_seconds(score: Score, order: PlayingOrder) -> tuple[Float64s, Float64s]:
    """Score seconds at which the passages begin, and how long they last."""
    starts_s = score.tempo_map.seconds_at([span.start_beats for span in order.spans])
    stops_s = score.tempo_map.seconds_at([span.end_beats for span in order.spans])
    return starts_s, stops_s - starts_s


def _notes_of(score: Score, span: Span, shift_s: float) -> tuple[NoteTable, Int64s]:
    """The notes that begin in a passage, ending with it at the latest, and their indices in the score."""
    onsets = score.notes["onset_beats"]
    index = np.flatnonzero((onsets >= span.start_beats - TOLERANCE_BEATS) & (onsets < span.end_beats - TOLERANCE_BEATS))
    notes = score.notes[index].copy()
    stop_s = float(score.tempo_map.seconds_at(span.end_beats))
    notes["onset_s"] += shift_s
    notes["offset_s"] = np.minimum(notes["offset_s"], max(stop_s, 0.0)) + shift_s
    return notes, index


def _controls_in_order(score: Score, order: PlayingOrder, shifts_s: Float64s) -> Records:
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


def _chased(score: Score, start_beats: float, shift_s: float, touched: set[tuple[int, int]]) -> Records:
    """What sets all controls at a jump to the state that they have at a place of the score.

    First what was touched before the jump is put to rest; then follow the last value of each control before the place,
    and all that set parameters, in the order of the score.
    """
    rest = [(part, number, _AT_REST.get(number, 0)) for part, number in sorted(touched) if number != _RESET_ALL]
    earlier = score.controls[score.controls["beats"] < start_beats]
    latest = {(int(row["part"]), int(row["number"])): i for i, row in enumerate(earlier)}
    kept = sorted({*latest.values(), *np.flatnonzero(np.isin(earlier["number"], PARAMETER_CONTROLS)).tolist()})
    chased = np.zeros(len(rest) + len(kept), dtype=CONTROL_DTYPE)
    for i, (part, number, value) in enumerate(rest):
        chased[i] = (0.0, start_beats, part, number, value)
    chased[len(rest) :] = earlier[kept]
    chased["beats"] = start_beats
    chased["time_s"] = score.tempo_map.seconds_at(start_beats) + shift_s
    touched.update(latest)
    return chased


def _tempo_in_order(score: Score, order: PlayingOrder, offsets_s: Float64s) -> TempoMap:
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
        in_force = [s for s in score.time_signatures if s.beats <= span.start_beats][-1:]
        inside = [s for s in score.time_signatures if span.start_beats < s.beats < span.end_beats]
        shift = played - span.start_beats
        found += [dataclasses.replace(s, beats=max(s.beats, span.start_beats) + shift) for s in in_force + inside]
        played += span.end_beats - span.start_beats
    return tuple(found)


def played_measures(written: Score, order: PlayingOrder | None) -> Measures:
    """Return the measures of a score as it is played, with the numbers of those written.

    Parameters
    ----------
    written : Score
        In the order in which it is written.
    order : PlayingOrder or None
        None where that is the order in which it is played.

    Returns
    -------
    Measures
        On the beats as played; empty where the score has none.
    """
    measures = measures_of(written)
    return measures_in_order(measures, order) if order and measures.numbers else measures


def measures_in_order(measures: Measures, order: PlayingOrder) -> Measures:
    """Return the measures on the beats as they are played; a passage that begins inside a measure begins it anew.

    Parameters
    ----------
    measures : Measures
        As written, at least one.
    order : PlayingOrder

    Returns
    -------
    Measures
    """
    starts: list[float] = []
    places: list[int] = []
    played = 0.0
    for span in order.spans:
        before = max(int(np.searchsorted(measures.starts_beats, span.start_beats + TOLERANCE_BEATS, "right")) - 1, 0)
        behind = max(int(np.searchsorted(measures.starts_beats, span.end_beats - TOLERANCE_BEATS)), before + 1)
        places += range(before, behind)
        starts += (
            np.maximum(measures.starts_beats[before:behind], span.start_beats) - span.start_beats + played
        ).tolist()
        played += span.end_beats - span.start_beats
    return Measures(np.array(starts), tuple(measures.numbers[i] for i in places), measures.written[places])
