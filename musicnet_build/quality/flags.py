"""Where in a recording something is wrong, and what."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from musicnet_build._typing import Bools, Float64s
from musicnet_build.notes import NoteTable
from musicnet_build.quality.confidence import SURE, mean_around
from musicnet_build.quality.score_match import ScoreMatch
from musicnet_build.quality.thresholds import THRESHOLDS, Thresholds
from musicnet_build.score.order import PlayingOrder
from musicnet_build.score.reader import Score
from musicnet_build.sync.result import SyncResult

EXTRA_IN_RECORDING = "extra_in_recording"
MISSING_IN_RECORDING = "missing_in_recording"
WRONG_SCORE = "wrong_score"
TRANSPOSED = "transposed"
UNCERTAIN = "uncertain_labels"
NOT_MUSIC = "noise_or_silence"

MESSAGES = {
    EXTRA_IN_RECORDING: "the recording has music that the score has not",
    MISSING_IN_RECORDING: "the score has music that the recording has not",
    WRONG_SCORE: "wrong score",
    TRANSPOSED: "transposed or mistuned",
    UNCERTAIN: "labels are uncertain",
    NOT_MUSIC: "noise or silence",
}
"""What each kind of suspicion is called where people read it."""

_SEAM_S = 0.5  # less than this between two passages is a breath or a rest
_REST_S = 1.0  # a score that is silent for longer rests
_LEAST_FRAMES = 20  # of a window whose mean distance means something


@dataclass(frozen=True)
class Suspicion:
    """A span in which something is wrong.

    Attributes
    ----------
    kind : str
        What is wrong: a key of ``MESSAGES``.
    message : str
        The same in words.
    start_s, end_s : float
        Recording seconds.
    score_start_s, score_end_s : float
        Seconds of the score as it is written.
    """

    kind: str
    message: str
    start_s: float
    end_s: float
    score_start_s: float
    score_end_s: float


class _Span(NamedTuple):
    """A kind of suspicion, and recording seconds."""

    kind: str
    start_s: float
    end_s: float


def find_suspicions(
    sync: SyncResult,
    written: Score,
    notes: NoteTable,
    match: ScoreMatch,
    recording_s: float,
    thresholds: Thresholds = THRESHOLDS,
) -> tuple[Suspicion, ...]:
    """Return passages played again or left out, other music, doubtful labels, and what is not music.

    Parameters
    ----------
    sync : SyncResult
    written : Score
        The score as it is written.
    notes : NoteTable
        Its labels, with confidences, in recording seconds.
    match : ScoreMatch
        Of score and recording, all of it.
    recording_s : float
        Length of the recording.
    thresholds : Thresholds
        What decides.

    Returns
    -------
    tuple of Suspicion
        By recording time.
    """
    first_s, last_s = float(notes["onset_s"].min()), float(notes["onset_s"].max())
    played = match.between(first_s, max(last_s, first_s + 1.0))
    spans = [
        *_other_music(played.where(~_rests(sync.score, notes, played.times_s)), thresholds),
        *_unsure_spans(notes),
        *_outside(match, 0.0, first_s, thresholds),
        *_outside(match, float(notes["offset_s"].max()), recording_s, thresholds),
    ]
    found = [_suspicion(sync, written, span) for span in spans if span.end_s - span.start_s >= thresholds.span_s]
    found += _seams(sync, written) if sync.order else []
    return tuple(sorted(found, key=lambda suspicion: suspicion.start_s))


def _suspicion(sync: SyncResult, written: Score, span: _Span) -> Suspicion:
    return Suspicion(span.kind, MESSAGES[span.kind], *span[1:], *_written_s(sync, written, span.start_s, span.end_s))


def _rests(score: Score, notes: NoteTable, times_s: Float64s) -> Bools:
    """Which recording times lie where no label sounds for longer than ``_REST_S``: a score that rests fits nothing."""
    onset_s = np.sort(notes["onset_s"])
    sounding_until_s = np.maximum.accumulate(notes["offset_s"][np.argsort(notes["onset_s"], kind="stable")])
    gap_s = onset_s[1:] - sounding_until_s[:-1]
    rest = np.flatnonzero(gap_s > _REST_S)
    begins_s, ends_s = sounding_until_s[rest], onset_s[rest + 1]
    at = np.searchsorted(begins_s, times_s, side="right") - 1
    inside: Bools = (at >= 0) & (times_s < np.append(ends_s, -np.inf)[at])
    return inside


def _outside(match: ScoreMatch, start_s: float, end_s: float, thresholds: Thresholds) -> list[_Span]:
    """What sounds before the first note or behind the last one: noise, or music that is not in the score."""
    around = match.between(start_s, end_s)
    tonal = len(around.times_s) >= _LEAST_FRAMES and float(np.median(around.contrast)) >= thresholds.contrast
    # The last chord dies away, and a reverberating note is no music of its own.
    long = end_s - start_s >= thresholds.passage_s
    return [_Span(EXTRA_IN_RECORDING if tonal and long else NOT_MUSIC, start_s, end_s)]


def _other_music(match: ScoreMatch, thresholds: Thresholds) -> list[_Span]:
    """Passages of noise, and those in which the score does not fit, or fits better transposed.

    Windows overlap by half; those of one kind that touch are one passage.
    """
    if not len(match.times_s):
        return []
    starts_s = [float(time_s) for time_s in np.arange(match.times_s[0], match.times_s[-1], thresholds.passage_s / 2)]
    windows = [match.between(at, at + thresholds.passage_s) for at in starts_s]
    kinds = _whole_keys([_kind_of_music(window, thresholds) for window in windows])
    passages: list[_Span] = []
    for kind, start_s in zip(kinds, starts_s, strict=True):
        end_s = min(start_s + thresholds.passage_s, float(match.times_s[-1]))
        if kind and passages and passages[-1].kind == kind and passages[-1].end_s >= start_s:
            passages[-1] = passages[-1]._replace(end_s=end_s)
        elif kind:
            passages.append(_Span(kind, start_s, end_s))
    return passages


def _whole_keys(kinds: list[str]) -> list[str]:
    """Windows half in one key and half in another fit no score; they belong to the transposed passage beside them."""
    beside = zip(["", *kinds], kinds, [*kinds[1:], ""], strict=False)
    return [
        TRANSPOSED if kind == WRONG_SCORE and TRANSPOSED in (before, behind) else kind
        for before, kind, behind in beside
    ]


def _kind_of_music(window: ScoreMatch, thresholds: Thresholds) -> str:
    if len(window.times_s) < _LEAST_FRAMES:
        return ""
    if window.best_shift and window.best_ratio < thresholds.transposed_passage:
        return TRANSPOSED
    if window.transposition_ratio < thresholds.wrong_passage:
        return ""
    return NOT_MUSIC if np.median(window.contrast) < thresholds.contrast else WRONG_SCORE


def _unsure_spans(notes: NoteTable) -> list[_Span]:
    """Stretches in which the mean confidence within a second is under ``SURE``."""
    onset_s = np.sort(notes["onset_s"])
    mean = mean_around(onset_s, notes["confidence"][np.argsort(notes["onset_s"], kind="stable")], 1.0)
    low = np.concatenate([[False], mean < SURE, [False]])
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    return [_Span(UNCERTAIN, float(onset_s[a]), float(onset_s[b - 1])) for a, b in edges.reshape(-1, 2)]


def _written_s(sync: SyncResult, written: Score, start_s: float, end_s: float) -> tuple[float, float]:
    """Recording seconds on the clock of the written score; a span over a seam ends in the passage it began in."""
    played = [float(time_s) for time_s in sync.time_map.score_at(np.array([start_s, end_s]))]
    if sync.order is None:
        return played[0], played[1]
    first_s, stop_s, begins_s = _passages(sync.order, written)
    passage = max(0, int(np.searchsorted(begins_s, played[0], side="right")) - 1)
    from_s, to_s = (min(first_s[passage] + time_s - begins_s[passage], stop_s[passage]) for time_s in played)
    return float(from_s), float(to_s)


def _passages(order: PlayingOrder, written: Score) -> tuple[Float64s, Float64s, Float64s]:
    """Of each passage its start and end in the written score, and its start as played."""
    first_s = written.tempo_map.seconds_at([span.start_beats for span in order.spans])
    stop_s = written.tempo_map.seconds_at([span.end_beats for span in order.spans])
    return first_s, stop_s, np.concatenate([[0.0], np.cumsum(stop_s - first_s)[:-1]])


def _seams(sync: SyncResult, written: Score) -> list[Suspicion]:
    """What was left out or played again between the passages of a playing order, and at its ends."""
    if sync.order is None:
        return []
    first_s, stop_s, begins_s = _passages(sync.order, written)
    # From the end of each passage, or the start of the score, to the start of the next, or the end of the score.
    leaves_s, enters_s = np.concatenate([[0.0], stop_s]), np.concatenate([first_s, [written.duration_s]])
    begins_s = np.append(begins_s, begins_s[-1] + stop_s[-1] - first_s[-1])
    found = []
    for leaves, enters, begins in zip(leaves_s, enters_s, begins_s, strict=True):
        if enters - leaves > _SEAM_S:
            at = max(0.0, float(sync.time_map.recording_at(begins)))
            found.append(_seam(MISSING_IN_RECORDING, at, at, leaves, enters))
        elif leaves - enters > _SEAM_S:
            from_s, to_s = sync.time_map.recording_at(np.array([begins, begins + leaves - enters]))
            found.append(_seam(EXTRA_IN_RECORDING, from_s, to_s, enters, leaves))
    return found


def _seam(kind: str, start_s: float, end_s: float, score_start_s: float, score_end_s: float) -> Suspicion:
    times_s = (float(time_s) for time_s in (start_s, end_s, score_start_s, score_end_s))
    return Suspicion(kind, MESSAGES[kind], *times_s)
