"""How well scores tell which pitches sound in which frames: precision, recall, and average precision.

All figures are micro averages: every pitch of every frame is one decision, and all of them are pooled.

References
----------
Thickstun, Harchaoui, Kakade: Learning Features of Music from Scratch. ICLR 2017, section 4.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from musicnet_build._typing import Float64s


@dataclass(frozen=True)
class FrameScores:
    """Precision, recall, F1 and accuracy (hits over hits, misses and false alarms) of decisions."""

    precision: float
    recall: float
    f1: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision and recall at every threshold.

    Attributes
    ----------
    threshold : ndarray of float64 [shape=(k,)]
        Descending; decisions are positive where the score is at least this.
    precision, recall : ndarray of float64 [shape=(k,)]
    """

    threshold: Float64s
    precision: Float64s
    recall: Float64s


def frame_scores(truth: ArrayLike, decided: ArrayLike) -> FrameScores:
    """Return the figures of decisions.

    Parameters
    ----------
    truth, decided : array_like of bool [same shape]

    Returns
    -------
    FrameScores
        0 where nothing was decided or nothing is true; 1 where both hold.

    Examples
    --------
    >>> frame_scores([[1, 1, 0, 0]], [[1, 0, 1, 0]])
    FrameScores(precision=0.5, recall=0.5, f1=0.5, accuracy=0.3333333333333333)
    """
    true, positive = np.asarray(truth, bool), np.asarray(decided, bool)
    hits, found, wanted = int(np.sum(true & positive)), int(positive.sum()), int(true.sum())
    if not (found or wanted):
        return FrameScores(1.0, 1.0, 1.0, 1.0)
    precision, recall = hits / max(found, 1), hits / max(wanted, 1)
    return FrameScores(precision, recall, 2 * hits / (found + wanted), hits / (found + wanted - hits))


def precision_recall(truth: ArrayLike, scores: ArrayLike) -> PrecisionRecall:
    """Return precision and recall at every score that occurs.

    Parameters
    ----------
    truth : array_like of bool [any shape]
        At least one is true.
    scores : array_like of float [same shape]

    Returns
    -------
    PrecisionRecall
    """
    flat = np.asarray(scores, np.float64).ravel()
    order = np.argsort(-flat, kind="stable")
    hits = np.cumsum(np.asarray(truth, bool).ravel()[order])
    # Equal scores are decided together.
    last = np.append(np.flatnonzero(np.diff(flat[order])), len(flat) - 1)
    return PrecisionRecall(flat[order][last], hits[last] / (last + 1.0), hits[last] / hits[-1])


def average_precision(curve: PrecisionRecall) -> float:
    """Return the area below the curve, each precision over the recall gained by it: Σ (Rₖ − Rₖ₋₁) Pₖ.

    Examples
    --------
    >>> average_precision(precision_recall([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]))
    0.8333333333333333
    """
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def best_threshold(curve: PrecisionRecall) -> tuple[float, float]:
    """Return the threshold with the best F1, and that F1.

    Examples
    --------
    >>> best_threshold(precision_recall([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]))
    (0.7, 0.8)
    """
    f1 = 2 * curve.precision * curve.recall / np.maximum(curve.precision + curve.recall, 1e-12)
    best = int(np.argmax(f1))
    return float(curve.threshold[best]), float(f1[best])
