"""How far labels can be trusted: a verdict for each recording.

Verdicts are ``accept``, ``review`` (a person should look) and ``reject``.

Every limit that decides stands in ``limits``, and docs/precision.md says where each comes from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.notes import NoteTable
from musicnet_build.quality.confidence import SURE
from musicnet_build.quality.flags import OUTSIDE, TRANSPOSED, WRONG_SCORE, Suspicion, find_suspicions
from musicnet_build.quality.score_match import Fit, fit_along
from musicnet_build.quality.thresholds import LIMITS, Limits
from musicnet_build.score.order import describe
from musicnet_build.score.reader import Score
from musicnet_build.sync.result import Warping

ACCEPT, REVIEW, REJECT = "accept", "review", "reject"


@dataclass(frozen=True)
class Quality:
    """How good an alignment is.

    Attributes
    ----------
    verdict : str
        ``accept``, ``review`` or ``reject``.
    reasons : tuple of str
        Why, in sentences; empty for ``accept``.
    mean_confidence, confident_share : float
        Over all labels.
    offset_s : float
        How much later the first note begins in the recording than in the score.
    drift : float
        Seconds of recording to a second of score over the whole piece, less 1.
    tempo_spread : float
        See ``Limits``.
    tuning_cents : float
        How far above A4 = 440 Hz the recording is tuned.
    transposition : int
        Semitones by which the score would have to be shifted to fit best.
    shift_ratio : float
        See ``Limits.wrong_score``.
    structure : tuple of str
        Where the score is not played as written.
    verdict_as_played : str
        The verdict on the labels alone, once the score is in the order in which it is played.
    suspicions : tuple of Suspicion
        By recording time.
    """

    verdict: str
    reasons: tuple[str, ...]
    mean_confidence: float
    confident_share: float
    offset_s: float
    drift: float
    tempo_spread: float
    tuning_cents: float
    transposition: int
    shift_ratio: float
    structure: tuple[str, ...]
    verdict_as_played: str
    suspicions: tuple[Suspicion, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what goes into a quality report, as plain values."""
        return asdict(self)


def assess(warping: Warping, written: Score, notes: NoteTable, recording_s: float, limits: Limits = LIMITS) -> Quality:
    """Judge an alignment.

    Parameters
    ----------
    warping : Warping
        With semitone spectra as features.
    written : Score
        The score as it is written.
    notes : NoteTable
        Its labels, with confidences, in recording seconds.
    recording_s : float
        Length of the recording.
    limits : Limits
        What decides.

    Returns
    -------
    Quality
    """
    time_map = warping.time_map
    first_s, last_s = float(notes["onset_s"].min()), float(notes["onset_s"].max())
    score_first_s, score_last_s = (float(t) for t in time_map.score_at(np.array([first_s, last_s])))
    span_s = score_last_s - score_first_s
    fit = fit_along(warping, first_s, max(last_s, first_s + 1.0))
    spread = _tempo_spread(time_map, score_first_s, score_last_s)
    structure = tuple(describe(warping.order, written)) if warping.order else ()
    suspicions = find_suspicions(warping, written, notes, fit, recording_s, limits)
    found = [] if warping.order is None or warping.order.given else structure
    departures = [f"the score is not played as written: {departure}." for departure in found]
    reject = [*_misfits(fit, limits), *_doubts(notes, limits.reject_mean, limits.reject_unsure)]
    review = [
        *_doubts(notes, limits.review_mean, limits.review_unsure),
        *_odd_tempo(spread, limits),
        *_odd_passages(suspicions, first_s, last_s),
    ]
    return Quality(
        verdict=_verdict(reject, departures + review),
        reasons=tuple(reject or departures + review),
        mean_confidence=float(notes["confidence"].mean()),
        confident_share=float(np.mean(notes["confidence"] >= SURE)),
        offset_s=first_s - score_first_s,
        drift=(last_s - first_s) / span_s - 1.0 if span_s > 0 else 0.0,
        tempo_spread=spread,
        tuning_cents=warping.tuning_cents,
        transposition=fit.best_shift,
        shift_ratio=fit.shift_ratio,
        structure=structure,
        verdict_as_played=_verdict(reject, review),
        suspicions=suspicions,
    )


def _verdict(reject: Sequence[str], review: Sequence[str]) -> str:
    return REJECT if reject else REVIEW if review else ACCEPT


def _misfits(fit: Fit, limits: Limits) -> Iterator[str]:
    shift = fit.best_shift
    if shift and fit.best_ratio < limits.transposed:
        interval = "1 semitone" if abs(shift) == 1 else f"{abs(shift)} semitones"
        yield f"the recording sounds {interval} {'above' if shift > 0 else 'below'} the score."
    elif fit.shift_ratio > limits.wrong_score:
        yield "the score does not fit the recording better than its transpositions do: it seems the wrong score."


def _doubts(notes: NoteTable, least_mean: float, most_unsure: float) -> Iterator[str]:
    mean, unsure = float(notes["confidence"].mean()), float(np.mean(notes["confidence"] < SURE))
    if mean < least_mean:
        yield f"the mean confidence of the labels is {mean:.2f}."
    if unsure > most_unsure:
        yield f"{unsure:.0%} of the labels are not confident."


def _odd_tempo(spread: float, limits: Limits) -> Iterator[str]:
    if spread > limits.tempo_spread:
        yield "the tempo changes as no performer's does: music may be missing from the recording or the score."


def _odd_passages(suspicions: tuple[Suspicion, ...], first_s: float, last_s: float) -> Iterator[str]:
    """What sounds between the first onset and the last that is not the score's music."""
    words = {
        OUTSIDE: "there is noise or silence in the place of music",
        WRONG_SCORE: "the score does not fit what is played",
        TRANSPOSED: "the score fits better transposed",
    }
    for kind, what in words.items():
        spans = [s for s in suspicions if s.kind == kind and s.end_s > first_s and s.start_s < last_s]
        if spans:
            yield f"{what}: {', '.join(f'{s.start_s:.0f} to {s.end_s:.0f} s' for s in spans)}."


def _tempo_spread(time_map: TimeMap, first_s: float, last_s: float) -> float:
    edges_s = np.arange(first_s, last_s, 2.0)
    if len(edges_s) < 3:
        return 0.0
    slope = np.diff(time_map.recording_at(edges_s)) / 2.0
    return float(np.std(np.log2(np.maximum(slope, 1e-3))))
