"""Labels checked against their recording: what is wrong with them, and what is to be done with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musicnet_build._typing import Audio, Float64s
from musicnet_build.checking import errata as kinds
from musicnet_build.checking.clock import LEAST_NOTES, Clock, measured_clock
from musicnet_build.checking.errata import Erratum
from musicnet_build.checking.evidence import Evidence, listen
from musicnet_build.checking.hearing import NEAR_S, Hearing, hear
from musicnet_build.checking.passages import LEAST_S, Passage, find_passages, standing, transposition
from musicnet_build.checking.thresholds import CHECK_THRESHOLDS, CheckThresholds
from musicnet_build.errors import LabelError
from musicnet_build.notes import NoteTable, pitched, sorted_by_onset
from musicnet_build.quality.confidence import SURE
from musicnet_build.quality.verdict import Verdict

_LEAST_SPREAD_S = 0.005


@dataclass(frozen=True, eq=False)
class Check:
    """What is known of labels after they were heard.

    Attributes
    ----------
    verdict : Verdict
    reasons : tuple of str
        Why, in sentences; empty for ``accept``.
    clock : Clock or None
        None where the labels are too few, or not of this recording.
    transposition : int
        Semitones by which all labels are too high.
    notes : NoteTable [shape=(n,)]
        The labels, by onset, each with its confidence: the probability that it lies within 50 ms of the true onset.
    errata : tuple of Erratum
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    clock: Clock | None
    transposition: int
    notes: NoteTable
    errata: tuple[Erratum, ...]

    @property
    def mean_confidence(self) -> float:
        """Over all labels."""
        return float(self.notes["confidence"].mean())

    @property
    def confident_share(self) -> float:
        """The share of labels with a confidence of a half and more."""
        return float(np.mean(self.notes["confidence"] >= SURE))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values: what ``--json`` prints and folders are summed up from."""
        clock = self.clock
        return {
            "verdict": str(self.verdict),
            "reasons": list(self.reasons),
            "labels": len(self.notes),
            "mean_confidence": round(self.mean_confidence, 4),
            "confident_share": round(self.confident_share, 4),
            "offset_s": round(clock.offset_s, 6) if clock else None,
            "offset_interval_s": [round(end, 6) for end in clock.offset_interval_s] if clock else None,
            "drift_ppm": round(clock.drift_ppm, 3) if clock else None,
            "drift_interval_ppm": [round(end, 3) for end in clock.drift_interval_ppm] if clock else None,
            "transposition": self.transposition,
            "errata": [erratum.as_dict() for erratum in self.errata],
        }


def check_labels(
    audio: Audio, notes: NoteTable, *, thresholds: CheckThresholds = CHECK_THRESHOLDS, seed: int = 0
) -> Check:
    """Check labels against the recording that they are of.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(samples,)]
        The recording: mono, 44.1 kHz.
    notes : NoteTable [shape=(n,)]
        Its labels; drums are left out.
    thresholds : CheckThresholds
        What decides.
    seed : int
        Of the resampling that the clock's intervals come from.

    Returns
    -------
    Check

    Raises
    ------
    LabelError
        When there are no pitched labels.
    AudioError
        When the recording is silent.

    Examples
    --------
    >>> from musicnet_build import check_labels, read_audio, read_labels
    >>> notes = read_labels("labels.csv")
    >>> notes["onset_s"] += 0.1
    >>> found = check_labels(read_audio("recording.flac"), notes)
    >>> str(found.verdict), [erratum.what for erratum in found.errata][:1]
    ('reject', ['offset'])
    >>> round(found.clock.offset_s, 1)
    0.1
    """
    kept = sorted_by_onset(pitched(notes))
    if not len(kept):
        raise LabelError("there are no labels but drums: there is nothing to check.")
    return checked(listen(audio, kept["pitch"]), kept, thresholds=thresholds, seed=seed)


def checked(
    evidence: Evidence, notes: NoteTable, *, thresholds: CheckThresholds = CHECK_THRESHOLDS, seed: int = 0
) -> Check:
    """Check labels against what is heard of a recording; parameters as for ``check_labels``.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
        Pitched, by onset.
    thresholds : CheckThresholds
    seed : int

    Returns
    -------
    Check
    """
    found = _heard(evidence, notes, thresholds, seed)
    told = [
        *_of_all(found, notes, thresholds),
        *kinds.outside_errata(evidence, notes, thresholds),
        *kinds.duplicate_errata(notes, thresholds),
    ]
    if found.belongs and not found.semitones:
        told += kinds.passage_errata(found.passages, notes)
        excused = _excused(told, found.passages)
        told += kinds.note_errata(found.hearing, notes, found.late_s, excused, thresholds)
    labels = notes.copy()
    labels["confidence"] = _confidence(found)
    return judged(found.clock if found.belongs else None, found.semitones, labels, told, thresholds)


@dataclass(frozen=True, eq=False)
class _Heard:
    """What was heard of labels: their clock, how late it says each is, and each of them where it says."""

    clock: Clock | None
    semitones: int
    late_s: Float64s
    hearing: Hearing
    belongs: bool
    passages: Sequence[Passage]


def _heard(evidence: Evidence, notes: NoteTable, thresholds: CheckThresholds, seed: int) -> _Heard:
    if len(notes) < LEAST_NOTES:
        nowhere_late_s = np.zeros(len(notes))
        return _Heard(None, 0, nowhere_late_s, hear(evidence, notes, notes["onset_s"]), True, [])
    semitones, _ = transposition(evidence, notes, thresholds)
    meant = notes.copy()
    meant["pitch"] -= semitones
    clock = measured_clock(evidence, meant, seed)
    late_s = clock.late_s(notes["onset_s"])
    expected_s = notes["onset_s"] - late_s
    hearing = hear(evidence, meant, expected_s)
    stands = standing(evidence, meant, expected_s, hearing.heard)
    comparable = evidence.sound_s[1] - evidence.sound_s[0] >= LEAST_S
    belongs = not comparable or stands.separation >= thresholds.belongs
    passages = find_passages(evidence, meant, expected_s, stands, thresholds) if belongs and comparable else []
    return _Heard(clock, semitones, late_s, hearing, belongs, passages)


def _of_all(found: _Heard, notes: NoteTable, thresholds: CheckThresholds) -> Iterator[Erratum]:
    """What is wrong with all labels together."""
    if not found.belongs:
        yield kinds.other_recording_erratum(notes)
        return
    if found.semitones:
        yield kinds.transposed_erratum(notes, found.semitones)
    if found.clock:
        yield from kinds.clock_errata(found.clock, notes, thresholds)


def _excused(told: Sequence[Erratum], passages: Sequence[Passage]) -> set[int]:
    """Labels of which something is told already."""
    inside = {row for passage in passages for row in range(passage.first, passage.last + 1)}
    return inside | {erratum.note - 1 for erratum in told if erratum.note is not None}


def _confidence(found: _Heard) -> Float64s:
    """The probability of each label, as it stands, to lie within 50 ms of its onset."""
    if found.semitones or not found.belongs:
        return np.zeros(len(found.late_s))
    spread_s = max(found.clock.spread_s, _LEAST_SPREAD_S) if found.clock else _LEAST_SPREAD_S
    from scipy.stats import t

    within = t.cdf((NEAR_S - found.late_s) / spread_s, 2) - t.cdf((-NEAR_S - found.late_s) / spread_s, 2)
    centred = t.cdf(NEAR_S / spread_s, 2) - t.cdf(-NEAR_S / spread_s, 2)
    return np.asarray(found.hearing.of("right") * np.minimum(within / centred, 1.0), dtype=np.float64)


def judged(
    clock: Clock | None,
    semitones: int,
    notes: NoteTable,
    errata: Sequence[Erratum],
    thresholds: CheckThresholds = CHECK_THRESHOLDS,
) -> Check:
    """Give the verdict that labels deserve.

    Parameters
    ----------
    clock : Clock or None
    semitones : int
        By which all labels are too high.
    notes : NoteTable [shape=(n,)]
        With confidences.
    errata : sequence of Erratum
    thresholds : CheckThresholds

    Returns
    -------
    Check
    """
    reject = [*_whole(errata, (kinds.OTHER_RECORDING, kinds.TRANSPOSED))]
    if not reject:
        reject += _doubts(notes, thresholds.reject_mean, thresholds.reject_unsure)
    review = [
        *_whole(errata, (kinds.OFFSET, kinds.DRIFT, kinds.OTHER_MUSIC, kinds.SHIFTED)),
        *_doubts(notes, thresholds.review_mean, thresholds.review_unsure),
        *_many(errata, len(notes), thresholds.review_errata),
    ]
    verdict = Verdict.REJECT if reject else Verdict.REVIEW if review else Verdict.ACCEPT
    reasons = list(dict.fromkeys([*reject, *review])) if reject else review
    return Check(verdict, tuple(reasons), clock, semitones, notes, tuple(errata))


def _whole(errata: Sequence[Erratum], what: Sequence[str]) -> Iterator[str]:
    yield from (f"{erratum.message}." for erratum in errata if erratum.what in what)


def _doubts(notes: NoteTable, least_mean: float, most_unsure: float) -> Iterator[str]:
    mean, unsure = float(notes["confidence"].mean()), float(np.mean(notes["confidence"] < SURE))
    if mean < least_mean:
        yield f"the mean confidence of the labels is {mean:.2f}."
    if unsure > most_unsure:
        yield f"{unsure:.0%} of the labels are not confident."


def _many(errata: Sequence[Erratum], labels: int, most: float) -> Iterator[str]:
    for what in (kinds.BEFORE, kinds.BEHIND, kinds.MISSING, kinds.SURPLUS):
        count = sum(erratum.what == what for erratum in errata)
        if count > most * labels:
            yield f"{count} of {labels} notes: {kinds.MESSAGES[what]}."
