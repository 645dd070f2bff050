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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from musicnet_build._typing import Bools, Float64s, Int64s
from musicnet_build.errors import LabelError
from musicnet_build.notes import NoteTable

BEAT_TOLERANCE = 0.06
"""Beats that a label's place in the score may be from the true note's: less than any grace note or tuplet is away."""

FARTHEST_S = 5.0
"""Where beats are not known, a label further away than this belongs to another note."""

TOLERANCES_S = (0.010, 0.025, 0.050, 0.100)
RIGHT_S = 0.050
"""What the confidence of a label speaks of: an onset within this of the true one."""

BINS = 10

# Costs of a match in seconds, so that the order of what decides is: beat, program, time. Among matches that are equally
# far apart in sum the square prefers those that keep the order in time.
_BEAT_COST_S, _PROGRAM_COST_S, _SQUARE_COST, _NO_MATCH_S = 1e4, 10.0, 1e-3, 1e7
_MOST_ALIKE = 4_000
# Nobody plays a unison a second apart: it is the same passage, played again.
_AGAIN_S = 1.0


@dataclass(frozen=True)
class Errors:
    """Errors of onsets or offsets, in ms.

    Attributes
    ----------
    notes : int
        True notes whose time is known.
    matched : int
        Of them, those that have a label. The errors in ms are theirs.
    bias_ms, signed_mean_ms : float
        Median and mean of the signed errors; positive is late.
    median_ms, mean_ms, p95_ms, worst_ms : float
        Of the absolute errors.
    within_10_ms, within_25_ms, within_50_ms, within_100_ms : float
        Share of ``notes`` with an absolute error below.
    """

    notes: int
    matched: int
    bias_ms: float
    signed_mean_ms: float
    median_ms: float
    mean_ms: float
    p95_ms: float
    worst_ms: float
    within_10_ms: float
    within_25_ms: float
    within_50_ms: float
    within_100_ms: float


@dataclass(frozen=True)
class ScoreTime:
    """Difference of the two alignments as functions of score time, in ms."""

    time_err_ms: float
    time_dev_ms: float


@dataclass(frozen=True)
class NoteMatch:
    """Precision, recall and F1 of labels as a transcription of the true notes."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ConfidenceBin:
    """Labels whose confidence is from ``low`` to below ``high`` (1 is in the last): their number, mean and truth."""

    low: float
    high: float
    labels: int
    mean_confidence: float | None
    right: float | None


@dataclass(frozen=True)
class Calibration:
    """What the confidence of labels is worth; right is an onset within 50 ms.

    Attributes
    ----------
    labels : int
        Labels with a confidence that belong to a true note.
    mean_confidence, right : float
        Mean confidence, and share of labels that are right: equal for an honest confidence.
    expected_calibration_error : float
        Mean over labels of how far their bin's mean confidence is from its share of right labels.
    auc : float or None
        Probability that a right label has a higher confidence than a wrong one, ties counting half; None where all
        labels are right, or all wrong.
    brier : float
        Mean of (confidence - 1)² of right and confidence² of wrong labels: 0 is best.
    bins : tuple of ConfidenceBin
        The reliability table.
    """

    labels: int
    mean_confidence: float
    right: float
    expected_calibration_error: float
    auc: float | None
    brier: float
    bins: tuple[ConfidenceBin, ...]


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
    onset_s, onset_error_s, confidence : ndarray of float64 [shape=(true_notes,)]
        Of each true note its time, the error of its label, and the label's confidence; nan where there is none.
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
    onset_s: Float64s
    onset_error_s: Float64s
    confidence: Float64s

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values, without the arrays."""
        counts = {name: getattr(self, name) for name in _COUNTED}
        return counts | {name: _plain(getattr(self, name)) for name in (*_AVERAGED, "calibration")}


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
        calibration=calibration(confidence, np.abs(onset_error) < RIGHT_S),
        onset_s=truth["onset_s"].astype(np.float64),
        onset_error_s=onset_error,
        confidence=confidence,
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
    return calibration(confidence, np.abs(error_s) < RIGHT_S)


def match_notes(truth: NoteTable, labels: NoteTable) -> tuple[Int64s, Int64s]:
    """Find which label belongs to which true note, one to one.

    Where both know beats: the same pitch, and beats within 0.06; among several the nearest beat, then (where both know
    instruments) the same program, then the nearest time. Elsewhere: the same pitch, and onsets within 5 s. As many
    notes as can be are matched, and among those matchings the one with the least sum of differences is taken.

    True notes in unison (one pitch, beat and time) that are left without a label then share one, because a list of
    labels holds only one of them where the instrument is the same, too.

    Parameters
    ----------
    truth, labels : NoteTable

    Returns
    -------
    true, label : ndarray of int64 [shape=(k,)]
        Places of the notes that belong together, sorted by ``true``, each of which is there once.

    Raises
    ------
    LabelError
        When thousands of notes of one pitch cannot be told apart.
    """
    from scipy.optimize import linear_sum_assignment

    by_beat = _beats_known(truth) and _beats_known(labels)
    field, reach = ("onset_beats", BEAT_TOLERANCE) if by_beat else ("onset_s", FARTHEST_S)
    by_program = bool(truth["program"].any() and labels["program"].any())
    matches = [np.zeros((2, 0), dtype=np.int64)]
    for true, label in _alike(truth, labels, field, reach):
        cost = _match_cost(truth[true], labels[label], by_beat=by_beat, by_program=by_program)
        cost[np.abs(np.subtract.outer(truth[field][true], labels[field][label])) > reach] = _NO_MATCH_S
        row, column = linear_sum_assignment(cost)
        found = cost[row, column] < _NO_MATCH_S
        matches.append(np.stack([true[row[found]], label[column[found]]]))
    true, label = np.concatenate(matches, axis=1)
    label_of = np.full(len(truth), -1)
    label_of[true] = label
    label_of = _shared_in_unison(truth, label_of)
    true = np.flatnonzero(label_of >= 0)
    return true, label_of[true]


def error_figures(error_s: Float64s) -> Errors:
    """Sum up errors.

    Parameters
    ----------
    error_s : ndarray of float64 [shape=(n,)]
        Label minus truth in seconds; nan for a note without a label. At least one is known.

    Returns
    -------
    Errors
    """
    signed = error_s[np.isfinite(error_s)]
    absolute = np.abs(signed)
    in_ms = {
        "bias_ms": np.median(signed),
        "signed_mean_ms": np.mean(signed),
        "median_ms": np.median(absolute),
        "mean_ms": np.mean(absolute),
        "p95_ms": np.percentile(absolute, 95),
        "worst_ms": np.max(absolute),
    }
    within = {f"within_{1000 * t:.0f}_ms": float(np.sum(absolute < t) / len(error_s)) for t in TOLERANCES_S}
    return Errors(len(error_s), len(signed), **{name: 1000 * float(value) for name, value in in_ms.items()}, **within)


def score_time_errors(truth: NoteTable, labels: NoteTable) -> ScoreTime | None:
    """Return TimeErr and TimeDev of notes that belong together.

    Both alignments are the piecewise-linear functions through (beat, mean onset of the notes at that beat), so their
    difference is piecewise linear, too. The score time of the paper is that of a MIDI file; here it is in beats.

    Parameters
    ----------
    truth, labels : NoteTable [shape=(k,)]
        Row by row the same note; beats are the truth's where it has them.

    Returns
    -------
    ScoreTime or None
        None where beats are unknown, are fewer than two, or return: a passage was played again.
    """
    if not (_beats_known(truth) or _beats_known(labels)):
        return None
    # Rounded, since files round: 0.33333 and 0.333333333333 are one place.
    beats = np.round((truth if _beats_known(truth) else labels)["onset_beats"], 3)
    if _is_played_again(truth["pitch"], beats, truth["onset_s"]):
        return None
    places, index, count = np.unique(beats, return_inverse=True, return_counts=True)
    if len(places) < 2:
        return None
    error_s = np.bincount(index, labels["onset_s"] - truth["onset_s"]) / count
    time_err_s, time_dev_s = integrated_difference(places, error_s)
    return ScoreTime(1000 * time_err_s, 1000 * time_dev_s)


def integrated_difference(position: Float64s, difference: Float64s) -> tuple[float, float]:
    """Return the mean absolute and the root mean square value of a piecewise-linear function, exactly.

    TimeErr = 1/S ∫ |d(s)| ds and TimeDev = sqrt(1/S ∫ d(s)² ds) over the score's length S. On a segment from value a to
    value b, the mean of |d| is (|a| + |b|) / 2 where both have one sign and (a² + b²) / (2 (|a| + |b|)) where the
    function crosses zero; the mean of d² is (a² + ab + b²) / 3.

    Parameters
    ----------
    position : ndarray of float64 [shape=(k,)]
        Where the function bends, ascending; two places or more.
    difference : ndarray of float64 [shape=(k,)]
        Its values there; it is linear between.

    Returns
    -------
    mean_absolute, root_mean_square : float
    """
    length = np.diff(position)
    a, b = difference[:-1], difference[1:]
    sums = np.abs(a) + np.abs(b)
    crosses = np.sign(a) * np.sign(b) < 0
    absolute = sums / 2
    absolute[crosses] = (a[crosses] ** 2 + b[crosses] ** 2) / (2 * sums[crosses])
    squared = (a**2 + a * b + b**2) / 3
    return float(np.average(absolute, weights=length)), float(np.sqrt(np.average(squared, weights=length)))


def note_match(truth: NoteTable, labels: NoteTable, *, with_offsets: bool) -> NoteMatch:
    """Return precision, recall and F1 of labels as a transcription, by ``mir_eval.transcription``.

    Parameters
    ----------
    truth, labels : NoteTable
        Offsets may be unknown where they are not asked for.
    with_offsets : bool
        Whether offsets count: within 50 ms or a fifth of the true note, whichever is longer.

    Returns
    -------
    NoteMatch
    """
    from mir_eval.transcription import match_notes as most_matches

    hits = 0
    # mir_eval compares all notes with all; notes of other pitches and times cannot match, and need not be compared.
    for true, label in _alike(truth, labels, "onset_s", FARTHEST_S):
        intervals = [np.stack([one["onset_s"], one["offset_s"]], axis=1) for one in (truth[true], labels[label])]
        one_pitch = [np.full(len(one), 440.0) for one in intervals]
        offset_ratio = 0.2 if with_offsets else None
        hits += len(most_matches(intervals[0], one_pitch[0], intervals[1], one_pitch[1], offset_ratio=offset_ratio))
    return NoteMatch(hits / len(labels), hits / len(truth), 2 * hits / (len(truth) + len(labels)))


def calibration(confidence: Float64s, right: Bools) -> Calibration | None:
    """Judge the confidence of labels by whether they are right.

    Parameters
    ----------
    confidence : ndarray of float64 [shape=(n,)]
        From 0 to 1; labels with nan are left out.
    right : ndarray of bool [shape=(n,)]

    Returns
    -------
    Calibration or None
        None where no confidence is known.
    """
    known = np.isfinite(confidence)
    if not known.any():
        return None
    confidence, right = confidence[known], right[known]
    place = np.digitize(confidence, np.arange(1, BINS) / BINS)
    bins = tuple(_confidence_bin(i, confidence[place == i], right[place == i]) for i in range(BINS))
    return Calibration(
        labels=len(confidence),
        mean_confidence=float(np.mean(confidence)),
        right=float(np.mean(right)),
        expected_calibration_error=sum(_gap(one) * one.labels for one in bins) / len(confidence),
        auc=_auc(confidence, right),
        brier=float(np.mean((confidence - right) ** 2)),
        bins=bins,
    )


def _beats_known(notes: NoteTable) -> bool:
    return bool(np.isfinite(notes["onset_beats"]).all())


def _alike(truth: NoteTable, labels: NoteTable, field: str, reach: float) -> Iterator[tuple[Int64s, Int64s]]:
    """Groups of true notes and labels, as places, outside of which nothing can match.

    In a group, all have one pitch, and no step from one to the next in ``field`` is larger than ``reach``.
    """
    pitch = np.concatenate([truth["pitch"], labels["pitch"]])
    position = np.concatenate([truth[field], labels[field]])
    order = np.lexsort((position, pitch))
    apart = (np.diff(pitch[order]) != 0) | (np.diff(position[order]) > reach)
    for group in np.split(order, np.flatnonzero(apart) + 1):
        true, label = group[group < len(truth)], group[group >= len(truth)] - len(truth)
        if len(true) * len(label) > _MOST_ALIKE**2:
            raise LabelError(f"more than {_MOST_ALIKE} notes of one pitch follow each other too closely to be matched.")
        if len(true) and len(label):
            yield true, label


def _match_cost(truth: NoteTable, labels: NoteTable, *, by_beat: bool, by_program: bool) -> Float64s:
    apart_s = np.abs(np.subtract.outer(truth["onset_s"], labels["onset_s"]))
    cost: Float64s = apart_s + _SQUARE_COST * apart_s**2
    if by_program:
        cost += _PROGRAM_COST_S * (truth["program"][:, None] != labels["program"])
    if by_beat:
        cost += _BEAT_COST_S * np.abs(np.subtract.outer(truth["onset_beats"], labels["onset_beats"]))
    return cost


def _shared_in_unison(truth: NoteTable, label_of: Int64s) -> Int64s:
    """Give notes without a label (-1) that of a note with the same pitch, beat and time, if one has any."""
    keys = np.stack([truth["pitch"], np.nan_to_num(truth["onset_beats"]), truth["onset_s"]], axis=1)
    _, unison = np.unique(keys, axis=0, return_inverse=True)
    any_label = np.full(len(truth), -1)
    np.maximum.at(any_label, unison.ravel(), label_of)
    return np.where(label_of >= 0, label_of, any_label[unison.ravel()])


def _is_played_again(pitch: Int64s, beats: Float64s, onset_s: Float64s) -> bool:
    """Whether a place of the score is reached twice."""
    order = np.lexsort((onset_s, beats, pitch))
    same = (np.diff(pitch[order]) == 0) & (np.diff(beats[order]) == 0)
    return bool(np.any(same & (np.diff(onset_s[order]) > _AGAIN_S)))


def _confidence_bin(index: int, confidence: Float64s, right: Bools) -> ConfidenceBin:
    mean, share = (float(np.mean(values)) if len(values) else None for values in (confidence, right))
    return ConfidenceBin(index / BINS, (index + 1) / BINS, len(confidence), mean, share)


def _gap(one: ConfidenceBin) -> float:
    return 0.0 if one.mean_confidence is None or one.right is None else abs(one.mean_confidence - one.right)


def _auc(confidence: Float64s, right: Bools) -> float | None:
    """The area under the receiver operating characteristic, from the sum of ranks (Mann and Whitney)."""
    from scipy.stats import rankdata

    rights, wrongs = int(right.sum()), int((~right).sum())
    if not (rights and wrongs):
        return None
    return float((rankdata(confidence)[right].sum() - rights * (rights + 1) / 2) / (rights * wrongs))


def _plain(figures: Any) -> dict[str, Any] | None:
    return None if figures is None else asdict(figures)


def _means(pieces: Iterable[Mapping[str, float]]) -> dict[str, float] | None:
    pieces = list(pieces)
    if not pieces:
        return None
    columns = {name: [piece[name] for piece in pieces] for name in pieces[0]}
    return {name: sum(of) if name in ("notes", "matched") else float(np.mean(of)) for name, of in columns.items()}
