"""How far labels can be trusted: a verdict for each recording.

``assess`` measures first and judges then. Every threshold that decides stands in ``thresholds``, and docs/precision.md
says where each comes from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from musicnet_build.notes import NoteTable
from musicnet_build.quality.confidence import SURE
from musicnet_build.quality.flags import NOT_MUSIC, TRANSPOSED, WRONG_SCORE, Suspicion, find_suspicions
from musicnet_build.quality.pace import STANDSTILL_S, Extreme, course_of, hurry, standstill, tempo_spread
from musicnet_build.quality.score_match import match_along
from musicnet_build.quality.thresholds import THRESHOLDS, Thresholds
from musicnet_build.score.model import GuessedOffsets, LostNotes, Score
from musicnet_build.score.order import describe
from musicnet_build.sync.result import SyncResult


class Verdict(StrEnum):
    """What is to be done with the labels of a recording.

    Attributes
    ----------
    ACCEPT
        Use them.
    REVIEW
        A person should look.
    REJECT
        Do not use them.
    """

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


@dataclass(frozen=True)
class Measures:
    """What a verdict is given on.

    Attributes
    ----------
    mean_confidence, confident_share : float
        Over all labels.
    offset_s : float
        How much later the first note begins in the recording than in the score.
    drift : float
        Seconds of recording per second of score over the whole piece, less 1.
    tempo_spread : float
        See ``Thresholds``.
    hurry, standstill : Extreme
        Where the score passes fastest, and where most slowly.
    tuning_cents : float
        How far above A4 = 440 Hz the recording is tuned.
    transposition : int
        Semitones by which the score would have to be shifted to fit best.
    transposed_ratio : float
        Distance at that shift, divided by that as written.
    transposition_ratio : float
        See ``Thresholds.wrong_score``.
    structure : tuple of str
        Where the score is not played as written.
    order_given : bool
        Whether the user said so.
    suspicions : tuple of Suspicion
        By recording time.
    first_s, last_s : float
        Recording seconds of the first onset and the last.
    lost : LostNotes
    guessed : GuessedOffsets
    uncertain_share : float
        What was lost and guessed in reading the score, and its share of the notes.
    """

    mean_confidence: float
    confident_share: float
    offset_s: float
    drift: float
    tempo_spread: float
    hurry: Extreme
    standstill: Extreme
    tuning_cents: float
    transposition: int
    transposed_ratio: float
    transposition_ratio: float
    structure: tuple[str, ...]
    order_given: bool
    suspicions: tuple[Suspicion, ...]
    first_s: float
    last_s: float
    lost: LostNotes
    guessed: GuessedOffsets
    uncertain_share: float


@dataclass(frozen=True)
class Quality:
    """How good an alignment is.

    Attributes
    ----------
    verdict : Verdict
    reasons : tuple of str
        Why, in sentences; empty for ``accept``.
    mean_confidence, confident_share, offset_s, drift, tempo_spread, tuning_cents, transposition, transposition_ratio
        See ``Measures``.
    structure : tuple of str
        Where the score is not played as written.
    verdict_as_played : Verdict
        The verdict on the labels alone, once the score is in the order in which it is played.
    suspicions : tuple of Suspicion
        By recording time.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    mean_confidence: float
    confident_share: float
    offset_s: float
    drift: float
    tempo_spread: float
    tuning_cents: float
    transposition: int
    transposition_ratio: float
    structure: tuple[str, ...]
    verdict_as_played: Verdict
    suspicions: tuple[Suspicion, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what goes into a quality report, as plain values."""
        return {name: str(value) if isinstance(value, Verdict) else value for name, value in asdict(self).items()}


def assess(
    sync: SyncResult, written: Score, notes: NoteTable, recording_s: float, thresholds: Thresholds = THRESHOLDS
) -> Quality:
    """Judge an alignment.

    Parameters
    ----------
    sync : SyncResult
        With semitone spectra as features.
    written : Score
        The score as it is written.
    notes : NoteTable
        Its labels, with confidences, in recording seconds.
    recording_s : float
        Length of the recording.
    thresholds : Thresholds
        What decides.

    Returns
    -------
    Quality
    """
    return judged(measured(sync, written, notes, recording_s, thresholds), thresholds)


def measured(
    sync: SyncResult, written: Score, notes: NoteTable, recording_s: float, thresholds: Thresholds = THRESHOLDS
) -> Measures:
    """Measure what a verdict is given on; parameters as for ``assess``."""
    first_s, last_s = float(notes["onset_s"].min()), float(notes["onset_s"].max())
    score_first_s, score_last_s = (float(t) for t in sync.time_map.score_at(np.array([first_s, last_s])))
    span_s = score_last_s - score_first_s
    match, course = match_along(sync), course_of(sync, recording_s)
    played = match.between(first_s, max(last_s, first_s + 1.0))
    return Measures(
        mean_confidence=float(notes["confidence"].mean()),
        confident_share=float(np.mean(notes["confidence"] >= SURE)),
        offset_s=first_s - score_first_s,
        drift=(last_s - first_s) / span_s - 1.0 if span_s > 0 else 0.0,
        tempo_spread=tempo_spread(sync.time_map, score_first_s, score_last_s),
        hurry=hurry(course),
        standstill=standstill(course, sync.recording_features, sync.recording_frames_s),
        tuning_cents=sync.tuning_cents,
        transposition=played.best_shift,
        transposed_ratio=played.best_ratio,
        transposition_ratio=played.transposition_ratio,
        structure=tuple(describe(sync.order, written)) if sync.order else (),
        order_given=bool(sync.order and sync.order.given),
        suspicions=find_suspicions(sync, written, notes, match, recording_s, thresholds),
        first_s=first_s,
        last_s=last_s,
        lost=written.lost,
        guessed=written.guessed,
        uncertain_share=written.uncertain_share,
    )


def judged(measures: Measures, thresholds: Thresholds = THRESHOLDS) -> Quality:
    """Give the verdict that measures deserve.

    Parameters
    ----------
    measures : Measures
    thresholds : Thresholds

    Returns
    -------
    Quality
    """
    found = () if measures.order_given else measures.structure
    departures = [f"the score is not played as written: {departure}." for departure in found]
    reject = [
        *_misfits(measures, thresholds),
        *_doubts(measures, thresholds.reject_mean, thresholds.reject_unsure),
    ]
    review = [
        *_doubts(measures, thresholds.review_mean, thresholds.review_unsure),
        *_odd_tempo(measures, thresholds),
        *_uncertain_score(measures, thresholds),
        *_odd_passages(measures),
    ]
    return Quality(
        verdict=_verdict(reject, departures + review),
        reasons=tuple(reject or departures + review),
        mean_confidence=measures.mean_confidence,
        confident_share=measures.confident_share,
        offset_s=measures.offset_s,
        drift=measures.drift,
        tempo_spread=measures.tempo_spread,
        tuning_cents=measures.tuning_cents,
        transposition=measures.transposition,
        transposition_ratio=measures.transposition_ratio,
        structure=measures.structure,
        verdict_as_played=_verdict(reject, review),
        suspicions=measures.suspicions,
    )


def _verdict(reject: Sequence[str], review: Sequence[str]) -> Verdict:
    return Verdict.REJECT if reject else Verdict.REVIEW if review else Verdict.ACCEPT


def _misfits(measures: Measures, thresholds: Thresholds) -> Iterator[str]:
    shift = measures.transposition
    if shift and measures.transposed_ratio < thresholds.transposed:
        interval = "1 semitone" if abs(shift) == 1 else f"{abs(shift)} semitones"
        yield f"the recording sounds {interval} {'above' if shift > 0 else 'below'} the score."
    elif measures.transposition_ratio > thresholds.wrong_score:
        yield "the score does not fit the recording better than its transpositions do: it seems the wrong score."


def _doubts(measures: Measures, least_mean: float, most_unsure: float) -> Iterator[str]:
    unsure = 1.0 - measures.confident_share
    if measures.mean_confidence < least_mean:
        yield f"the mean confidence of the labels is {measures.mean_confidence:.2f}."
    if unsure > most_unsure:
        yield f"{unsure:.0%} of the labels are not confident."


def _odd_tempo(measures: Measures, thresholds: Thresholds) -> Iterator[str]:
    if measures.tempo_spread > thresholds.tempo_spread:
        yield "the tempo changes as no performer's does: music may be missing from the recording or the score."
    fast, slow = measures.hurry, measures.standstill
    if fast.times > thresholds.hurry:
        yield (
            f"at {fast.start_s:.0f} s a second of the score passes {fast.times:.0f} times as fast as the rest: "
            "music may be missing from the recording."
        )
    if slow.times > thresholds.standstill:
        yield (
            f"from {slow.start_s:.0f} to {slow.end_s:.0f} s the score passes {slow.times:.0f} times as slowly as the "
            f"rest, though as much happens as in {STANDSTILL_S:.0f} s elsewhere: music may be missing from the score."
        )


def _uncertain_score(measures: Measures, thresholds: Thresholds) -> Iterator[str]:
    if measures.uncertain_share > thresholds.uncertain_score:
        yield (
            f"{measures.uncertain_share:.0%} of the score's notes were lost in reading or have guessed ends: "
            f"{measures.lost.total - measures.lost.doubled} lost, {measures.guessed.held} held to the end of their "
            f"track, {measures.guessed.cut} cut at the next strike."
        )


def _odd_passages(measures: Measures) -> Iterator[str]:
    """What sounds between the first onset and the last that is not the score's music."""
    words = {
        NOT_MUSIC: "there is noise or silence in the place of music",
        WRONG_SCORE: "the score does not fit what is played",
        TRANSPOSED: "the score fits better transposed",
    }
    for kind, what in words.items():
        spans = [
            span
            for span in measures.suspicions
            if span.kind == kind and span.end_s > measures.first_s and span.start_s < measures.last_s
        ]
        if spans:
            yield f"{what}: {', '.join(f'{span.start_s:.0f} to {span.end_s:.0f} s' for span in spans)}."
