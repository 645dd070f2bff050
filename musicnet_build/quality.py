"""How far can labels be trusted? A confidence for each note, a verdict for each recording.

Confidence is the probability that a label lies within 50 ms of the true onset. Verdicts are ``accept``, ``review`` (a
person should look) and ``reject``; every limit that decides stands in ``LIMITS``, and docs/precision.md says where
each comes from.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build.notes import NoteTable
from musicnet_build.playing_order import PlayingOrder, describe
from musicnet_build.refinement import Refinement
from musicnet_build.score import Score
from musicnet_build.timemap import TimeMap
from musicnet_build.warping import Warping

Floats = NDArray[np.float64]

ACCEPT, REVIEW, REJECT = "accept", "review", "reject"
SURE = 0.5
"""Notes of at least this confidence count as confident."""

EXTRA_IN_RECORDING = "the recording has music that the score has not"
MISSING_IN_RECORDING = "the score has music that the recording has not"
UNCERTAIN = "labels are uncertain"
OUTSIDE = "noise or silence"

SEAM_S = 0.5
"""Less than this between two passages is a breath or a rest."""


@dataclass(frozen=True)
class Limits:
    """What decides a verdict.

    Attributes
    ----------
    wrong_score : float
        Reject where the distance along the path is more than this share of what it is with the score shifted by a
        semitone: a right score fits much better than its neighbours.
    transposed : float
        Reject where a shift of the score fits this many times as well as no shift.
    reject_mean, review_mean : float
        Least mean confidence.
    reject_unsure, review_unsure : float
        Largest share of notes that are not confident.
    tempo_spread : float
        Review where the local tempo varies more: standard deviation of its logarithm to base 2, in windows of 2 s.
    span_s : float
        Suspicious spans shorter than this are not reported.
    """

    wrong_score: float = 0.88
    transposed: float = 0.95
    reject_mean: float = 0.62
    review_mean: float = 0.72
    reject_unsure: float = 0.30
    review_unsure: float = 0.15
    tempo_spread: float = 0.8
    span_s: float = 2.0


LIMITS = Limits()


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
        Score seconds, as written for passages played again or left out, otherwise as played.
    """

    kind: str
    start_s: float
    end_s: float
    score_start_s: float
    score_end_s: float


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


_CENTRES = (5.607, 5.554, -4.009)
_SCALES = (1.793, 0.931, 0.493)
_WEIGHTS = (0.574, 0.682, -0.345)
_BIAS = 4.623


def note_confidence(refinement: Refinement) -> Floats:
    """Return the probability that each note's onset lies within 50 ms of its label.

    A logistic regression on ``confidence_features``, fitted by ``tools/fit_confidence.py``.

    Parameters
    ----------
    refinement : Refinement
        Of n notes.

    Returns
    -------
    ndarray of float64 [shape=(n,)]
    """
    standardized = (confidence_features(refinement) - np.array(_CENTRES)) / np.array(_SCALES)
    logit = _BIAS + np.sum(standardized * np.array(_WEIGHTS), axis=1)
    return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)


def confidence_features(refinement: Refinement) -> Floats:
    """Return what the confidence of each note is computed from.

    Parameters
    ----------
    refinement : Refinement
        Of n notes.

    Returns
    -------
    ndarray of float64 [shape=(n, 3)]
        The logit of what the refinement itself believes, its mean over the notes labelled within a second, and how far
        the passes are from the label: the mean logarithm of that distance in seconds plus 10 ms.
    """
    near = np.clip(refinement.near, 1e-3, 1 - 1e-3)
    belief = np.log(near / (1 - near))
    apart_s = np.abs(refinement.opinions_s - refinement.onset_s)
    around = _mean_around(refinement.onset_s, belief, 1.0)
    return np.stack([belief, around, np.log(apart_s + 0.01).mean(axis=0)], axis=1)


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
    time_map, confidence = warping.time_map, notes["confidence"]
    first_s, last_s = float(notes["onset_s"].min()), float(notes["onset_s"].max())
    score_first_s, score_last_s = time_map.score_at(np.array([first_s, last_s]))
    distance = _distance_by_shift(warping, first_s, max(last_s, first_s + 1.0))
    shift = min(distance, key=lambda k: distance[k])
    shift_ratio = distance[0] / min(distance[-1], distance[1])
    spread = _tempo_spread(time_map, score_first_s, score_last_s)
    unsure = float(np.mean(confidence < SURE))
    mean = float(confidence.mean())
    structure = tuple(describe(warping.order, written)) if warping.order else ()
    reject: list[str] = []
    departures = [f"the score is not played as written: {departure}." for departure in structure]
    review: list[str] = []
    if shift and distance[shift] < limits.transposed * distance[0]:
        interval = "1 semitone" if abs(shift) == 1 else f"{abs(shift)} semitones"
        reject.append(f"the recording sounds {interval} {'above' if shift > 0 else 'below'} the score.")
    elif shift_ratio > limits.wrong_score:
        reject.append(
            "the score does not fit the recording better than its transpositions do: it seems the wrong score."
        )
    for sentences, least_mean, most_unsure in (
        (reject, limits.reject_mean, limits.reject_unsure),
        (review, limits.review_mean, limits.review_unsure),
    ):
        if mean < least_mean:
            sentences.append(f"the mean confidence of the labels is {mean:.2f}.")
        if unsure > most_unsure:
            sentences.append(f"{unsure:.0%} of the labels are not confident.")
    if spread > limits.tempo_spread:
        review.append("the tempo changes as no performer's does: music may be missing from the recording or the score.")
    span_s = float(score_last_s - score_first_s)
    return Quality(
        verdict=_verdict(reject, departures + review),
        reasons=tuple(reject or departures + review),
        mean_confidence=mean,
        confident_share=1.0 - unsure,
        offset_s=first_s - float(score_first_s),
        drift=(last_s - first_s) / span_s - 1.0 if span_s > 0 else 0.0,
        tempo_spread=spread,
        tuning_cents=warping.tuning_cents,
        transposition=shift,
        shift_ratio=shift_ratio,
        structure=structure,
        verdict_as_played=_verdict(reject, review),
        suspicions=_suspicions(warping, written, notes, recording_s, limits),
    )


def _verdict(reject: Sequence[str], review: Sequence[str]) -> str:
    return REJECT if reject else REVIEW if review else ACCEPT


def _mean_around(times_s: Floats, values: Floats, reach_s: float) -> Floats:
    """For each time the mean of the values at times within ``reach_s`` of it."""
    order = np.argsort(times_s, kind="stable")
    ordered_s = times_s[order]
    total = np.concatenate([[0.0], np.cumsum(values[order])])
    low = np.searchsorted(ordered_s, times_s - reach_s, side="left")
    high = np.searchsorted(ordered_s, times_s + reach_s, side="right")
    means: Floats = (total[high] - total[low]) / (high - low)
    return means


def _distance_by_shift(warping: Warping, first_s: float, last_s: float) -> dict[int, float]:
    """Mean distance along the path between first and last onset, with the score shifted by up to three semitones."""
    inside = (warping.recording_frames_s >= first_s) & (warping.recording_frames_s <= last_s)
    times_s = warping.recording_frames_s[inside]
    rows = np.searchsorted(warping.score_frames_s, warping.time_map.score_at(times_s))
    score = warping.score_features[np.clip(rows, 0, len(warping.score_features) - 1)]
    heard = warping.recording_features[inside]
    middle = heard[:, 3:-3]
    return {
        shift: float(np.linalg.norm(middle - score[:, 3 - shift : score.shape[1] - 3 - shift], axis=1).mean())
        for shift in range(-3, 4)
    }


def _tempo_spread(time_map: TimeMap, first_s: float, last_s: float) -> float:
    edges_s = np.arange(first_s, last_s, 2.0)
    if len(edges_s) < 3:
        return 0.0
    slope = np.diff(time_map.recording_at(edges_s)) / 2.0
    return float(np.std(np.log2(np.maximum(slope, 1e-3))))


def _suspicions(
    warping: Warping, written: Score, notes: NoteTable, recording_s: float, limits: Limits
) -> tuple[Suspicion, ...]:
    """Passages played again or left out, stretches without trust, and what lies before and behind the music."""
    time_map = warping.time_map
    spans = [(UNCERTAIN, *span) for span in _unsure_spans(notes)]
    spans += [(OUTSIDE, 0.0, float(notes["onset_s"].min())), (OUTSIDE, float(notes["offset_s"].max()), recording_s)]
    found = [
        Suspicion(kind, start_s, end_s, *(float(t) for t in time_map.score_at(np.array([start_s, end_s]))))
        for kind, start_s, end_s in spans
        if end_s - start_s >= limits.span_s
    ]
    found += _seams(warping.order, written, time_map) if warping.order else []
    return tuple(sorted(found, key=lambda suspicion: suspicion.start_s))


def _seams(order: PlayingOrder, written: Score, time_map: TimeMap) -> list[Suspicion]:
    """What was left out or played again between the passages of a playing order, and at its ends."""
    start_s = written.tempo_map.seconds_at([span.start_beats for span in order.spans])
    stop_s = written.tempo_map.seconds_at([span.end_beats for span in order.spans])
    begins_s = np.concatenate([[0.0], np.cumsum(stop_s - start_s)])
    # From the end of each passage, or the start of the score, to the start of the next, or the end of the score.
    leaves_s, enters_s = np.concatenate([[0.0], stop_s]), np.concatenate([start_s, [written.duration_s]])
    seams = []
    for leaves, enters, begins in zip(leaves_s, enters_s, begins_s, strict=True):
        if enters - leaves > SEAM_S:
            at = max(0.0, float(time_map.recording_at(begins)))
            seams.append(Suspicion(MISSING_IN_RECORDING, at, at, float(leaves), float(enters)))
        elif leaves - enters > SEAM_S:
            from_s, to_s = (float(t) for t in time_map.recording_at(np.array([begins, begins + leaves - enters])))
            seams.append(Suspicion(EXTRA_IN_RECORDING, from_s, to_s, float(enters), float(leaves)))
    return seams


def _unsure_spans(notes: NoteTable) -> list[tuple[float, float]]:
    """Stretches in which the mean confidence within a second is under ``SURE``."""
    onset_s = np.sort(notes["onset_s"])
    trust = _mean_around(onset_s, notes["confidence"][np.argsort(notes["onset_s"], kind="stable")], 1.0)
    low = np.concatenate([[False], trust < SURE, [False]])
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    return [(float(onset_s[a]), float(onset_s[b - 1])) for a, b in edges.reshape(-1, 2)]
