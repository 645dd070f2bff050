"""How far labels are from the truth: which label belongs to which true note, and every measure of the difference.

Conventions
-----------
Notes are a ``NoteTable`` in recording seconds in which what is not known is nan: ``onset_beats`` where a format has no
beats, ``offset_s`` where the truth has no offset, ``confidence``. An error is the label's time minus the true one:
positive is late. "Within t" means that the absolute error is below t; shares within are of all true notes, so that a
note without a label counts as wrong.

References
----------
TimeErr and TimeDev: J. Thickstun, J. Brennan and H. Verma, "Rethinking Evaluation Methodology for Audio-to-Score
Alignment", arXiv:2009.14374, 2020, in the form in which the authors' program computes them
(github.com/jthickstun/alignment-eval). Note F1: C. Raffel et al., "mir_eval: a transparent implementation of common MIR
metrics", ISMIR 2014. Expected calibration error: C. Guo et al., "On calibration of modern neural networks", ICML 2017.
Brier score: G. Brier, "Verification of forecasts expressed in terms of probability", 1950.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.errors import LabelError
from musicnet_build.evaluation.calibration import CORRECT_S, Calibration, calibration
from musicnet_build.evaluation.matching import match_notes
from musicnet_build.evaluation.metrics import (
    Errors,
    NoteMatch,
    ScoreTime,
    error_figures,
    note_match,
    score_time_errors,
)
from musicnet_build.notes import NoteTable, pitch_name, sorted_by_onset

__all__ = ["Evaluation", "calibration", "evaluate", "joint_calibration", "match_notes", "note_match", "summary"]

_LISTED_ERRORS = 10


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Labels of one recording against the truth.

    Attributes
    ----------
    true_notes, labels : int
        How many there are.
    notes_without_label, labels_without_note : int
        How many of them belong to nothing.
    onset : Errors
    offset : Errors or None
        None where no offsets are known.
    score_time : ScoreTime or None
        None where no beats are known, or where a passage is played twice: then time is no function of score time.
    notes_by_onset : NoteMatch
        Onsets within 50 ms.
    notes_by_onset_and_offset : NoteMatch or None
        And offsets within 50 ms or a fifth of the note. None where some offsets are unknown.
    calibration : Calibration or None
        None where labels have no confidence.
    truth : NoteTable [shape=(true_notes,)]
        The true notes.
    onset_error_s, confidence : float64 [shape=(true_notes,)]
        Of each true note the error of its label, and the label's confidence; nan where there is none.
    extra : NoteTable [shape=(labels_without_note,)]
        The labels that belong to no true note.
    """

    true_notes: int
    labels: int
    notes_without_label: int
    labels_without_note: int
    onset: Errors
    offset: Errors | None
    score_time: ScoreTime | None
    notes_by_onset: NoteMatch
    notes_by_onset_and_offset: NoteMatch | None
    calibration: Calibration | None
    truth: NoteTable
    onset_error_s: Float64s
    confidence: Float64s
    extra: NoteTable

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values, without the arrays."""
        counts = {name: getattr(self, name) for name in _COUNTED}
        return counts | {name: _plain(getattr(self, name)) for name in (*_AVERAGED, "calibration")}

    def listed(self) -> dict[str, list[dict[str, Any]]]:
        """Name the notes without a label, the labels without a note, and the ten largest onset errors, as plain values.

        Returns
        -------
        dict
            ``missing``, ``extra`` and ``largest_errors``: lists of ``onset_s``, ``pitch`` and ``name``, the last also
            of ``error_ms`` (label minus truth).
        """
        error_s = np.abs(np.nan_to_num(self.onset_error_s))
        largest = np.argsort(-error_s, kind="stable")[:_LISTED_ERRORS]
        largest = largest[error_s[largest] > 0]
        return {
            "missing": _named(self.truth[np.isnan(self.onset_error_s)]),
            "extra": _named(self.extra),
            "largest_errors": [
                {**note, "error_ms": 1000 * float(self.onset_error_s[place])}
                for note, place in zip(_named(self.truth[largest]), largest, strict=True)
            ],
        }


_AVERAGED = ("onset", "offset", "score_time", "notes_by_onset", "notes_by_onset_and_offset")
_COUNTED = ("true_notes", "labels", "notes_without_label", "labels_without_note")


def evaluate(truth: NoteTable, labels: NoteTable) -> Evaluation:
    """Compare the labels of a recording with the truth.

    Parameters
    ----------
    truth, labels : NoteTable
        In recording seconds, in any order; nan where something is not known.

    Returns
    -------
    Evaluation

    Raises
    ------
    LabelError
        When no label belongs to any true note.

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.evaluation.alignment import evaluate
    >>> truth = read_labels("labels.csv")
    >>> late = truth.copy()
    >>> late["onset_s"] += 0.020
    >>> found = evaluate(truth, late)
    >>> round(found.onset.median_ms), found.onset.within_50_ms
    (20, 1.0)
    """
    true, label = match_notes(truth, labels)
    if not len(true):
        raise LabelError(f"none of the {len(truth)} true notes has a label of its pitch near it, of {len(labels)}.")
    onset_error, offset_error, confidence = (np.full(len(truth), np.nan) for _ in range(3))
    onset_error[true] = labels["onset_s"][label] - truth["onset_s"][true]
    offset_error[true] = labels["offset_s"][label] - truth["offset_s"][true]
    confidence[true] = labels["confidence"][label]
    offset_known = np.isfinite(truth["offset_s"])
    all_offsets_known = bool(offset_known.all() and np.isfinite(labels["offset_s"]).all())
    return Evaluation(
        true_notes=len(truth),
        labels=len(labels),
        notes_without_label=len(truth) - len(true),
        labels_without_note=len(labels) - len(np.unique(label)),
        onset=error_figures(onset_error),
        offset=error_figures(offset_error[offset_known]) if np.isfinite(offset_error).any() else None,
        score_time=score_time_errors(truth[true], labels[label]),
        notes_by_onset=note_match(truth, labels, with_offsets=False),
        notes_by_onset_and_offset=note_match(truth, labels, with_offsets=True) if all_offsets_known else None,
        calibration=calibration(confidence, np.abs(onset_error) < CORRECT_S),
        truth=truth,
        onset_error_s=onset_error,
        confidence=confidence,
        extra=sorted_by_onset(np.delete(labels, label)),
    )


def summary(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Sum up over pieces: counts are added, measures averaged with equal weight, confidences judged together.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        At least one.

    Returns
    -------
    dict
        With the names of ``Evaluation.as_dict``. A measure that some pieces do not have is the mean of the others.
    """
    pieces = [evaluation.as_dict() for evaluation in evaluations]
    return {
        **{name: sum(piece[name] for piece in pieces) for name in _COUNTED},
        **{name: _means([piece[name] for piece in pieces if piece[name]]) for name in _AVERAGED},
        "calibration": _plain(joint_calibration(evaluations)),
    }


def joint_calibration(evaluations: Sequence[Evaluation]) -> Calibration | None:
    """Judge the confidences of all labels of several recordings together; None where no confidence is known."""
    confidence = np.concatenate([evaluation.confidence for evaluation in evaluations])
    error_s = np.concatenate([evaluation.onset_error_s for evaluation in evaluations])
    return calibration(confidence, np.abs(error_s) < CORRECT_S)


def _named(notes: NoteTable) -> list[dict[str, Any]]:
    return [
        {"onset_s": float(note["onset_s"]), "pitch": int(note["pitch"]), "name": pitch_name(int(note["pitch"]))}
        for note in notes
    ]


def _plain(figures: Any) -> dict[str, Any] | None:
    return None if figures is None else asdict(figures)


def _means(pieces: Iterable[Mapping[str, float]]) -> dict[str, float] | None:
    pieces = list(pieces)
    if not pieces:
        return None
    columns = {name: [piece[name] for piece in pieces] for name in pieces[0]}
    return {name: sum(of) if name in ("notes", "matched") else float(np.mean(of)) for name, of in columns.items()}
