"""How far labels are from the true notes that they belong to, as functions of arrays."""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.evaluation.matching import beats_known, groups_alike
from musicnet_build.notes import NoteTable

TOLERANCES_S = (0.010, 0.025, 0.050, 0.100)

ONSET_TOLERANCE_S = 0.05
"""Of notes that count as found; that of MIREX and mir_eval."""

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
    median_signed_ms, mean_signed_ms : float
        Median and mean of the signed errors; positive is late.
    median_ms, mean_ms, p95_ms, max_ms : float
        Of the absolute errors.
    within_10_ms, within_25_ms, within_50_ms, within_100_ms : float
        Share of ``notes`` with an absolute error below.
    """

    notes: int
    matched: int
    median_signed_ms: float
    mean_signed_ms: float
    median_ms: float
    mean_ms: float
    p95_ms: float
    max_ms: float
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
        "median_signed_ms": np.median(signed),
        "mean_signed_ms": np.mean(signed),
        "median_ms": np.median(absolute),
        "mean_ms": np.mean(absolute),
        "p95_ms": np.percentile(absolute, 95),
        "max_ms": np.max(absolute),
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
    if not (beats_known(truth) or beats_known(labels)):
        return None
    # Rounded, since files round: 0.33333 and 0.333333333333 are one place.
    beats = np.round((truth if beats_known(truth) else labels)["onset_beats"], 3)
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


def note_match(
    truth: NoteTable, labels: NoteTable, *, with_offsets: bool, tolerance_s: float = ONSET_TOLERANCE_S
) -> NoteMatch:
    """Return precision, recall and F1 of labels as a transcription, by ``mir_eval.transcription``.

    Parameters
    ----------
    truth, labels : NoteTable
        Offsets may be unknown where they are not asked for.
    with_offsets : bool
        Whether offsets count: within 50 ms or a fifth of the true note, whichever is longer.
    tolerance_s : float
        How far an onset may be off.

    Returns
    -------
    NoteMatch
        All zero where there are no notes, or no labels.

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.evaluation.metrics import note_match
    >>> truth = read_labels("labels.csv")
    >>> note_match(truth, truth[:-8], with_offsets=False)
    NoteMatch(precision=1.0, recall=0.9024390243902439, f1=0.9487179487179487)
    """
    from mir_eval.transcription import match_notes as most_matches

    hits = 0
    # mir_eval compares all notes with all; notes of other pitches and times cannot match, and need not be compared.
    for true, label in groups_alike(truth, labels, "onset_s", 2 * tolerance_s):
        intervals = [np.stack([one["onset_s"], one["offset_s"]], axis=1) for one in (truth[true], labels[label])]
        one_pitch = [np.full(len(one), 440.0) for one in intervals]
        offset_ratio = 0.2 if with_offsets else None
        hits += len(
            most_matches(
                intervals[0], one_pitch[0], intervals[1], one_pitch[1],
                onset_tolerance=tolerance_s, offset_ratio=offset_ratio,
            )
        )  # fmt: skip
    both = len(truth) + len(labels)
    return NoteMatch(hits / max(len(labels), 1), hits / max(len(truth), 1), 2 * hits / max(both, 1))


def _is_played_again(pitch: Int64s, beats: Float64s, onset_s: Float64s) -> bool:
    """Whether a place of the score is reached twice."""
    order = np.lexsort((onset_s, beats, pitch))
    same = (np.diff(pitch[order]) == 0) & (np.diff(beats[order]) == 0)
    return bool(np.any(same & (np.diff(onset_s[order]) > _AGAIN_S)))
