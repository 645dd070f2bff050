"""Playing orders: the passages of a score in the order in which they were played, in words and from words.

What does not belong here: finding one in a recording (:mod:`musicnet_build.sync.jumps`), and rebuilding a score in it
(:mod:`musicnet_build.score.unfold`). Positions and measures are those of :mod:`musicnet_build.score.beats`.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from musicnet_build.errors import ScoreError
from musicnet_build.score.beats import SAME_BEATS, TOLERANCE_BEATS, end_beats, measures_of, same_music
from musicnet_build.score.model import Measures, Score

MAX_SPANS = 1_000
_SPAN_PATTERN = re.compile(r"(b?)(\d+(?:\.\d+)?)\s*[-–]\s*(b?)(\d+(?:\.\d+)?)")


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


def parse_order(text: str, score: Score) -> PlayingOrder:
    """Read a playing order that a user wrote.

    Parameters
    ----------
    text : str
        Passages in the order in which they are played, with commas between them: ``1-24,9-48`` are measures 1 to 24 and
        then 9 to 48, the last ones included, by their printed numbers where the score has them; ``b0-b96,b32-b192`` is
        from beat 0 up to beat 96 and so on, in quarter notes from the start of the score.
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

    Examples
    --------
    >>> from musicnet_build import read_score
    >>> from musicnet_build.score import parse_order
    >>> order = parse_order("b0-b4,b2-b8", read_score("score.mid"))
    >>> [(span.start_beats, span.end_beats) for span in order.spans]
    [(0.0, 4.0), (2.0, 8.0)]
    """
    order = PlayingOrder(tuple(span for passage in read_passages(text) for span in _spans(passage, score)))
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
    elif not (passage.first.is_integer() and passage.last.is_integer() and passage.first <= passage.last):
        raise ScoreError(f"the passage {text!r} is not from a measure to the same or a later one.")
    return passage


def _spans(passage: Passage, score: Score) -> list[Span]:
    if passage.in_beats:
        end = end_beats(score)
        if passage.first >= end or passage.last > math.ceil(end):
            raise ScoreError(
                f"{passage.text!r} is no passage of {score.name}, which lasts from b0 to b{math.ceil(end)}."
            )
        return [Span(passage.first, min(passage.last, end))]
    measures = measures_of(score)
    if not measures.numbers:
        raise ScoreError(f"{score.name} states no time signature, so write beats instead of measures, as in b32-b96.")
    first, last = (f"{number:.0f}" for number in (passage.first, passage.last))
    if first not in measures.numbers or last not in measures.numbers:
        raise ScoreError(
            f"{passage.text!r} is no passage of {score.name}, which has measures {measures.numbers[0]} to "
            f"{measures.numbers[-1]}."
        )
    stops = np.append(measures.starts_beats[1:], end_beats(score))
    runs = _played_runs(measures, *(int(measures.written[measures.numbers.index(number)]) for number in (first, last)))
    return [Span(float(measures.starts_beats[start]), float(stops[stop - 1])) for start, stop in runs]


def _played_runs(measures: Measures, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Where the score plays written measures in a row, as few stretches as can be: (first place, place behind)."""
    breaks = np.append(np.flatnonzero(np.diff(measures.written) != 1) + 1, len(measures.written))
    while first <= last:
        places = np.flatnonzero(measures.written == first)
        lengths = np.minimum(breaks[np.searchsorted(breaks, places, side="right")] - places, last - first + 1)
        longest = int(np.argmax(lengths))
        yield int(places[longest]), int(places[longest] + lengths[longest])
        first += int(lengths[longest])


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
    phrases += [_jump(score, before, after) for before, after in itertools.pairwise(spans)]
    if _sounds(score, spans[-1].end_beats, end_beats(score)):
        phrases.append(f"the recording ends before {_place(score, spans[-1].end_beats)}")
    return [phrase for phrase in phrases if phrase]


def _jump(score: Score, before: Span, after: Span) -> str:
    """What happens between two passages; nothing where they follow each other in the score."""
    end, start = _at_repeat_signs(score, before, after)
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


def _at_repeat_signs(score: Score, before: Span, after: Span) -> tuple[float, float]:
    """Where a jump leaves and enters the score, moved back to where the two ways into it part.

    Passes of one repeat are the same music, so a jump from one into the other is found anywhere in them.
    """
    end, start = before.end_beats, after.start_beats
    measures = score.measures
    if measures is None or start == end:
        return end, start
    left, entered = (int(np.searchsorted(measures.starts_beats, beats - TOLERANCE_BEATS)) for beats in (end, start))
    edges = np.append(measures.starts_beats, end_beats(score))
    if max(abs(edges[left] - end), abs(edges[entered] - start)) > TOLERANCE_BEATS:
        return end, start
    while left > 0 and entered > 0 and measures.written[left - 1] == measures.written[entered - 1]:
        left, entered = left - 1, entered - 1
    if edges[left] < before.start_beats - TOLERANCE_BEATS:
        return end, start
    return float(edges[left]), float(edges[entered])


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
    measures = measures_of(score)
    if not measures.numbers:
        return f"beats {start_beats:.7g}–{stop_beats:.7g}"
    edges = np.append(measures.starts_beats, end_beats(score))
    first, last = (int(np.argmin(np.abs(edges - beats))) for beats in (start_beats, stop_beats))
    if max(abs(edges[first] - start_beats), abs(edges[last] - stop_beats)) > SAME_BEATS:
        return f"the music from {_place(score, start_beats)} to {_place(score, stop_beats)}"
    return _measures_name(measures, first, last)


def _measures_name(measures: Measures, first: int, stop: int) -> str:
    """Name measures as played by their printed numbers: "measure 9", "measures 9–24", "measures 20–24, 9–12"."""
    breaks = [i for i in range(first + 1, stop) if measures.written[i] != measures.written[i - 1] + 1]
    runs = [(measures.numbers[a], measures.numbers[b - 1]) for a, b in itertools.pairwise([first, *breaks, stop])]
    words = ", ".join(a if a == b else f"{a}–{b}" for a, b in runs)
    return f"measure {words}" if stop == first + 1 else f"measures {words}"


def _place(score: Score, beats: float) -> str:
    """Name a place: a measure and the quarter note in it, counted from 1."""
    measures = measures_of(score)
    if not measures.numbers:
        return f"beat {beats:.7g}"
    place = max(int(np.searchsorted(measures.starts_beats, beats + SAME_BEATS, side="right")) - 1, 0)
    beat, number = beats - measures.starts_beats[place], measures.numbers[place]
    return f"measure {number}" if abs(beat) < SAME_BEATS else f"measure {number}, beat {beat + 1:.4g}"


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
