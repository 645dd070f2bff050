"""Playing orders: the passages of a score in the order in which they were played.

What belongs here: the measures and beats of a score, and playing orders in words and from words. What does not: finding
one in a recording (:mod:`musicnet_build.sync.jumps`), and rebuilding a score in it
(:mod:`musicnet_build.score.unfold`).

Positions are beats: quarter notes from the start of the score. Measures are numbered from 1, an upbeat measure
included, as the time signatures of the score state them.
"""

import itertools
import math
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from musicnet_build._typing import Bools, Float64s, Int64s
from musicnet_build.errors import ScoreError
from musicnet_build.score.reader import Score

MAX_MEASURES = 100_000
MAX_BEATS = 200_000
"""Scores with more are treated as if they had no measures, or no beats to jump from: no real score has as many."""

TOLERANCE_BEATS = 1e-6
"""Places nearer to each other than this are the same."""

_LONGEST_STEP_S = 1.2
SAME_BEATS = 1 / 48
"""Notes that begin nearer to each other than half of this begin together."""


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

    @property
    def given(self) -> bool:
        """Whether a user gave the order, so that nobody needs to be told of it."""
        return math.isnan(self.margin_s)


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


# --- in words and from words ----------------------------------------------------------------------------------------

MAX_SPANS = 1_000
_SPAN_PATTERN = re.compile(r"(b?)(\d+(?:\.\d+)?)\s*[-–]\s*(b?)(\d+(?:\.\d+)?)")


def parse_order(text: str, score: Score) -> PlayingOrder:
    """Read a playing order that a user wrote.

    Parameters
    ----------
    text : str
        Passages in the order in which they are played, with commas between them: ``1-24,9-48`` are measures 1 to 24 and
        then 9 to 48, the last ones included; ``b0-b96,b32-b192`` is from beat 0 up to beat 96 and so on, in quarter
        notes from the start of the score.
    score : Score
        Whose measures and beats are meant.

    Returns
    -------
    PlayingOrder
        Recording times and margin are nan.

    Raises
    ------
    ScoreError
        When the text is no playing order, or names what the score does not have.
    """
    order = PlayingOrder(tuple(_span(passage, score) for passage in read_passages(text)))
    if not any(_sounds(score, span.start_beats, span.end_beats) for span in order.spans):
        raise ScoreError(f"the score has no notes in the playing order {text!r}.")
    return order


class Passage(NamedTuple):
    """A passage as a user wrote it: in beats (from, up to) or in measures (first, last), of whatever score."""

    text: str
    in_beats: bool
    first: float
    last: float


def read_passages(text: str) -> list[Passage]:
    """Read the passages of a playing order, without asking whether a score has them.

    Parameters
    ----------
    text : str
        As ``parse_order`` takes it.

    Returns
    -------
    list of Passage
        At least one.

    Raises
    ------
    ScoreError
        When the text is no playing order of any score.
    """
    passages = [passage.strip() for passage in text.split(",")]
    if len(passages) > MAX_SPANS:
        raise ScoreError(f"the playing order has {len(passages)} passages; more than {MAX_SPANS} are not supported.")
    return [_passage(passage) for passage in passages]


def _passage(text: str) -> Passage:
    match = _SPAN_PATTERN.fullmatch(text)
    if match is None or match[1] != match[3]:
        raise ScoreError(
            f"{text!r} is no passage of a playing order: write measures as in 9-24, or beats as in b32-b96."
        )
    passage = Passage(text, bool(match[1]), float(match[2]), float(match[4]))
    if passage.in_beats:
        if not passage.first < passage.last:
            raise ScoreError(f"the passage {text!r} does not end after it begins.")
    elif not (passage.first.is_integer() and passage.last.is_integer() and 1 <= passage.first <= passage.last):
        raise ScoreError(f"the passage {text!r} is not from a measure to the same or a later one, counted from 1.")
    return passage


def _span(passage: Passage, score: Score) -> Span:
    if passage.in_beats:
        end = end_beats(score)
        if passage.first >= end or passage.last > math.ceil(end):
            raise ScoreError(
                f"{passage.text!r} is no passage of {score.name}, which lasts from b0 to b{math.ceil(end)}."
            )
        return Span(passage.first, min(passage.last, end))
    starts = measure_starts(score)
    if not len(starts):
        raise ScoreError(f"{score.name} states no time signature, so write beats instead of measures, as in b32-b96.")
    if passage.last > len(starts):
        raise ScoreError(f"{passage.text!r} is no passage of {score.name}, which has measures 1 to {len(starts)}.")
    stops = np.append(starts[1:], end_beats(score))
    return Span(float(starts[int(passage.first) - 1]), float(stops[int(passage.last) - 1]))


def describe(order: PlayingOrder, score: Score) -> list[str]:
    """Say in words where a playing order departs from the score as written.

    Parameters
    ----------
    order : PlayingOrder
    score : Score

    Returns
    -------
    list of str
        A phrase each, such as "the repeat of measures 9–24 was left out (at 1:23.4)"; empty where the score is played
        straight through.
    """
    spans = order.spans
    phrases = []
    if _sounds(score, 0.0, spans[0].start_beats):
        where = _place(score, spans[0].start_beats)
        phrases.append(f"the recording begins at {where}{_at(spans[0].recording_start_s)}")
    phrases += [_seam(score, before, after) for before, after in itertools.pairwise(spans)]
    if _sounds(score, spans[-1].end_beats, end_beats(score)):
        phrases.append(f"the recording ends before {_place(score, spans[-1].end_beats)}")
    return [phrase for phrase in phrases if phrase]


def _seam(score: Score, before: Span, after: Span) -> str:
    """What happens between two passages; nothing where they follow each other in the score."""
    end, start = before.end_beats, after.start_beats
    if abs(end - start) < TOLERANCE_BEATS:
        return ""
    passage, when = passage_name(score, min(end, start), max(end, start)), _at(after.recording_start_s)
    if start < end:
        return f"{passage} {'was' if _is_one(passage) else 'were'} played again{when}"
    length = start - end
    if same_music(score, end - length, end, length) and end >= length:
        return f"the repeat of {passage_name(score, end - length, end)} was left out{when}"
    if same_music(score, end, start, length):
        return f"the repeat of {passage} was left out{when}"
    return f"{passage} {'was' if _is_one(passage) else 'were'} left out{when}"


def passage_name(score: Score, start_beats: float, stop_beats: float) -> str:
    """Name a passage in measures, or in beats where the score has no measures or the passage cuts them.

    Parameters
    ----------
    score : Score
    start_beats, stop_beats : float
        In quarter notes.

    Returns
    -------
    str
        "measures 9–24", "measure 9", "beats 32–96", or "the music from measure 9, beat 2 to measure 24".
    """
    starts = measure_starts(score)
    if not len(starts):
        return f"beats {start_beats:.7g}–{stop_beats:.7g}"
    edges = np.append(starts, end_beats(score))
    first, last = (int(np.argmin(np.abs(edges - beats))) for beats in (start_beats, stop_beats))
    if max(abs(edges[first] - start_beats), abs(edges[last] - stop_beats)) > SAME_BEATS:
        return f"the music from {_place(score, start_beats)} to {_place(score, stop_beats)}"
    return f"measure {last}" if last == first + 1 else f"measures {first + 1}–{last}"


def _place(score: Score, beats: float) -> str:
    """Name a place: a measure and the quarter note in it, counted from 1."""
    starts = measure_starts(score)
    if not len(starts):
        return f"beat {beats:.7g}"
    measure = max(int(np.searchsorted(starts, beats + SAME_BEATS, side="right")) - 1, 0)
    beat = beats - starts[measure]
    return f"measure {measure + 1}" if abs(beat) < SAME_BEATS else f"measure {measure + 1}, beat {beat + 1:.4g}"


def _at(recording_s: float) -> str:
    """When, in minutes and seconds of the recording; nothing where nobody knows."""
    if not math.isfinite(recording_s):
        return ""
    tenths = max(round(recording_s * 10), 0)
    return f" (at {tenths // 600}:{tenths % 600 / 10:04.1f})"


def _is_one(passage: str) -> bool:
    return passage.startswith(("measure ", "the music"))


def _sounds(score: Score, start_beats: float, stop_beats: float) -> bool:
    """Whether any note begins in a passage."""
    onsets = score.notes["onset_beats"]
    return bool(((onsets >= start_beats - TOLERANCE_BEATS) & (onsets < stop_beats - TOLERANCE_BEATS)).any())
