"""Where in a recording something is wrong, and what."""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.notes import NoteTable
from musicnet_build.quality.confidence import SURE, mean_around
from musicnet_build.quality.score_match import Fit
from musicnet_build.quality.thresholds import LIMITS, Limits
from musicnet_build.score.order import PlayingOrder
from musicnet_build.score.reader import Score
from musicnet_build.sync.result import Warping

EXTRA_IN_RECORDING = "the recording has music that the score has not"
MISSING_IN_RECORDING = "the score has music that the recording has not"
WRONG_SCORE = "wrong score"
TRANSPOSED = "transposed or mistuned"
UNCERTAIN = "labels are uncertain"
OUTSIDE = "noise or silence"

_SEAM_S = 0.5  # less than this between two passages is a breath or a rest
_LEAST_FRAMES = 20  # of a window whose mean distance means something


@dataclass(frozen=True)
class Suspicion:
    """A span in which something is wrong.

    Attributes
    ----------
    kind : str
        What is wrong, in words.
    start_s, end_s : float
        Recording seconds.
    score_start_s, score_end_s : float
        Seconds of the score as it is written.
    """

    kind: str
    start_s: float
    end_s: float
    score_start_s: float
    score_end_s: float


def find_suspicions(
    warping: Warping, written: Score, notes: NoteTable, fit: Fit, recording_s: float, limits: Limits = LIMITS
) -> tuple[Suspicion, ...]:
    """Return passages played again or left out, other music, doubtful labels, and what is not music.

    Parameters
    ----------
    warping : Warping
    written : Score
        The score as it is written.
    notes : NoteTable
        Its labels, with confidences, in recording seconds.
    fit : Fit
        Of score and recording, from the first onset to the last.
    recording_s : float
        Length of the recording.
    limits : Limits
        What decides.

    Returns
    -------
    tuple of Suspicion
        By recording time.
    """
    spans = [
        *_other_music(fit, limits),
        *((UNCERTAIN, *span) for span in _unsure_spans(notes)),
        (OUTSIDE, 0.0, float(notes["onset_s"].min())),
        (OUTSIDE, float(notes["offset_s"].max()), recording_s),
    ]
    found = [
        Suspicion(kind, start_s, end_s, *_written_s(warping, written, start_s, end_s))
        for kind, start_s, end_s in spans
        if end_s - start_s >= limits.span_s
    ]
    found += _seams(warping.order, written, warping.time_map) if warping.order else []
    return tuple(sorted(found, key=lambda suspicion: suspicion.start_s))


def _other_music(fit: Fit, limits: Limits) -> list[tuple[str, float, float]]:
    """Passages of noise, and those in which the score does not fit, or fits better transposed.

    Windows overlap by half; those of one kind that touch are one passage.
    """
    starts_s = [float(time_s) for time_s in np.arange(fit.times_s[0], fit.times_s[-1], limits.passage_s / 2)]
    kinds = _whole_keys([_kind_of_music(fit.between(at, at + limits.passage_s), limits) for at in starts_s])
    passages: list[tuple[str, float, float]] = []
    for kind, start_s in zip(kinds, starts_s, strict=True):
        end_s = min(start_s + limits.passage_s, float(fit.times_s[-1]))
        if kind and passages and passages[-1][0] == kind and passages[-1][2] >= start_s:
            passages[-1] = (kind, passages[-1][1], end_s)
        elif kind:
            passages.append((kind, start_s, end_s))
    return passages


def _whole_keys(kinds: list[str]) -> list[str]:
    """Windows half in one key and half in another fit no score; they belong to the transposed passage beside them."""
    beside = zip(["", *kinds], kinds, [*kinds[1:], ""], strict=False)
    return [
        TRANSPOSED if kind == WRONG_SCORE and TRANSPOSED in (before, behind) else kind
        for before, kind, behind in beside
    ]


def _kind_of_music(window: Fit, limits: Limits) -> str:
    if len(window.times_s) < _LEAST_FRAMES:
        return ""
    if window.best_shift and window.best_ratio < limits.transposed_passage:
        return TRANSPOSED
    if window.shift_ratio < limits.wrong_passage:
        return ""
    return OUTSIDE if np.median(window.contrast) < limits.contrast else WRONG_SCORE


def _unsure_spans(notes: NoteTable) -> list[tuple[float, float]]:
    """Stretches in which the mean confidence within a second is under ``SURE``."""
    onset_s = np.sort(notes["onset_s"])
    trust = mean_around(onset_s, notes["confidence"][np.argsort(notes["onset_s"], kind="stable")], 1.0)
    low = np.concatenate([[False], trust < SURE, [False]])
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    return [(float(onset_s[a]), float(onset_s[b - 1])) for a, b in edges.reshape(-1, 2)]


def _written_s(warping: Warping, written: Score, start_s: float, end_s: float) -> tuple[float, float]:
    """Recording seconds on the clock of the written score; a span over a seam ends in the passage it began in."""
    played = [float(time_s) for time_s in warping.time_map.score_at(np.array([start_s, end_s]))]
    if warping.order is None:
        return played[0], played[1]
    first_s, stop_s, begins_s = _passages(warping.order, written)
    passage = max(0, int(np.searchsorted(begins_s, played[0], side="right")) - 1)
    from_s, to_s = (min(first_s[passage] + time_s - begins_s[passage], stop_s[passage]) for time_s in played)
    return float(from_s), float(to_s)


def _passages(order: PlayingOrder, written: Score) -> tuple[Float64s, Float64s, Float64s]:
    """Of each passage its start and end in the written score, and its start as played."""
    first_s = written.tempo_map.seconds_at([span.start_beats for span in order.spans])
    stop_s = written.tempo_map.seconds_at([span.end_beats for span in order.spans])
    return first_s, stop_s, np.concatenate([[0.0], np.cumsum(stop_s - first_s)[:-1]])


def _seams(order: PlayingOrder, written: Score, time_map: TimeMap) -> list[Suspicion]:
    """What was left out or played again between the passages of a playing order, and at its ends."""
    first_s, stop_s, begins_s = _passages(order, written)
    # From the end of each passage, or the start of the score, to the start of the next, or the end of the score.
    leaves_s, enters_s = np.concatenate([[0.0], stop_s]), np.concatenate([first_s, [written.duration_s]])
    begins_s = np.append(begins_s, begins_s[-1] + stop_s[-1] - first_s[-1])
    seams = []
    for leaves, enters, begins in zip(leaves_s, enters_s, begins_s, strict=True):
        if enters - leaves > _SEAM_S:
            at = max(0.0, float(time_map.recording_at(begins)))
            seams.append(Suspicion(MISSING_IN_RECORDING, at, at, float(leaves), float(enters)))
        elif leaves - enters > _SEAM_S:
            from_s, to_s = (float(t) for t in time_map.recording_at(np.array([begins, begins + leaves - enters])))
            seams.append(Suspicion(EXTRA_IN_RECORDING, from_s, to_s, float(enters), float(leaves)))
    return seams
