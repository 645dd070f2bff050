"""Labels against the notes of their score: which have none, and which are too many."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from musicnet_build._typing import Int64s
from musicnet_build.alignment import Alignment
from musicnet_build.checking import errata as kinds
from musicnet_build.checking.check import Check, judged
from musicnet_build.checking.errata import Erratum
from musicnet_build.checking.thresholds import CHECK_THRESHOLDS, CheckThresholds
from musicnet_build.evaluation.matching import match_notes
from musicnet_build.notes import NoteTable, pitch_name
from musicnet_build.quality.confidence import SURE
from musicnet_build.quality.verdict import Verdict

TOGETHER_S = 0.5
"""A label further than this from the note of the score is another note."""


def against_score(check: Check, alignment: Alignment, thresholds: CheckThresholds = CHECK_THRESHOLDS) -> Check:
    """Tell also which notes of a score have no label, and which labels are in no score.

    Parameters
    ----------
    check : Check
        Of the labels.
    alignment : Alignment
        Of the score with the same recording.
    thresholds : CheckThresholds

    Returns
    -------
    Check
        With errata ``missing`` and ``surplus``; where the score does not fit the recording, with a reason that says so.
    """
    if alignment.quality is None or alignment.quality.verdict == Verdict.REJECT:
        verdict = Verdict.REJECT if check.verdict == Verdict.REJECT else Verdict.REVIEW
        reason = "the score does not fit the recording: missing and surplus notes cannot be told."
        return replace(check, verdict=verdict, reasons=(*check.reasons, reason))
    written = _without_beats(alignment.notes)
    labels = _without_beats(check.notes)
    if check.clock:
        labels["onset_s"] -= check.clock.late_s(labels["onset_s"])
    labels["pitch"] -= check.transposition
    missing, surplus = _unmatched(written, labels)
    told = [*_missing(written[missing], check), *_surplus(check.notes, surplus)]
    return judged(check.clock, check.transposition, check.notes, [*check.errata, *told], thresholds)


def _without_beats(notes: NoteTable) -> NoteTable:
    """Notes that are matched by their times: the beats of labels may count from elsewhere."""
    timed = notes.copy()
    timed["onset_beats"] = np.nan
    return timed


def _unmatched(written: NoteTable, labels: NoteTable) -> tuple[Int64s, Int64s]:
    """Places of the notes of the score that have no label, and of the labels that have none of its notes."""
    true, label = match_notes(written, labels)
    near = np.abs(written["onset_s"][true] - labels["onset_s"][label]) <= TOGETHER_S
    missing = np.setdiff1d(np.arange(len(written)), true[near])
    surplus = np.setdiff1d(np.arange(len(labels)), label[near])
    return missing, surplus


def _missing(notes: NoteTable, check: Check) -> Iterator[Erratum]:
    """Notes that are heard and have no label; where they belong on the clock of the labels."""
    late_s = check.clock.late_s(notes["onset_s"]) if check.clock else np.zeros(len(notes))
    for note, onset_s in zip(notes, (notes["onset_s"] + late_s).tolist(), strict=True):
        if note["confidence"] >= SURE:
            pitch = int(note["pitch"]) + check.transposition
            text = f"{pitch_name(pitch)} at {onset_s:.2f} s: in the score, and not labelled"
            yield Erratum(kinds.MISSING, text, onset_s, onset_s, None, pitch, sure=float(note["confidence"]))


def _surplus(notes: NoteTable, rows: Int64s) -> Iterator[Erratum]:
    """Labels of notes that are not in the score; the less sure, the more is heard of them."""
    for row in rows.tolist():
        onset_s, pitch = float(notes["onset_s"][row]), int(notes["pitch"][row])
        text = f"{pitch_name(pitch)} at {onset_s:.2f} s: not in the score"
        sure = 1.0 - float(notes["confidence"][row]) / 2
        yield Erratum(kinds.SURPLUS, text, onset_s, onset_s, row + 1, pitch, sure=sure)
