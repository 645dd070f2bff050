"""What the confidence of labels is worth."""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Float64s

CORRECT_S = 0.050
"""What the confidence of a label speaks of: an onset within this of the true one."""

BINS = 10


@dataclass(frozen=True)
class ConfidenceBin:
    """Labels whose confidence is from ``low`` to below ``high`` (1 is in the last): their number, mean and truth."""

    low: float
    high: float
    labels: int
    mean_confidence: float | None
    correct: float | None


@dataclass(frozen=True)
class Calibration:
    """What the confidence of labels is worth; correct is an onset within 50 ms.

    Attributes
    ----------
    labels : int
        Labels with a confidence that belong to a true note.
    mean_confidence, correct : float
        Mean confidence, and share of labels that are correct: equal for an honest confidence.
    expected_calibration_error : float
        Mean over labels of how far their bin's mean confidence is from its share of correct labels.
    auc : float or None
        Probability that a correct label has a higher confidence than a wrong one, ties counting half; None where all
        labels are correct, or all wrong.
    brier : float
        Mean of (confidence - 1)² of correct and confidence² of wrong labels: 0 is best.
    bins : tuple of ConfidenceBin
        The reliability table.
    """

    labels: int
    mean_confidence: float
    correct: float
    expected_calibration_error: float
    auc: float | None
    brier: float
    bins: tuple[ConfidenceBin, ...]


def calibration(confidence: Float64s, correct: Bools) -> Calibration | None:
    """Judge the confidence of labels by whether they are correct.

    Parameters
    ----------
    confidence : ndarray of float64 [shape=(n,)]
        From 0 to 1; labels with nan are left out.
    correct : ndarray of bool [shape=(n,)]

    Returns
    -------
    Calibration or None
        None where no confidence is known.
    """
    known = np.isfinite(confidence)
    if not known.any():
        return None
    confidence, correct = confidence[known], correct[known]
    place = np.digitize(confidence, np.arange(1, BINS) / BINS)
    bins = tuple(_confidence_bin(i, confidence[place == i], correct[place == i]) for i in range(BINS))
    return Calibration(
        labels=len(confidence),
        mean_confidence=float(np.mean(confidence)),
        correct=float(np.mean(correct)),
        expected_calibration_error=sum(_gap(one) * one.labels for one in bins) / len(confidence),
        auc=_auc(confidence, correct),
        brier=float(np.mean((confidence - correct) ** 2)),
        bins=bins,
    )


def _confidence_bin(index: int, confidence: Float64s, correct: Bools) -> ConfidenceBin:
    mean, share = (float(np.mean(values)) if len(values) else None for values in (confidence, correct))
    return ConfidenceBin(index / BINS, (index + 1) / BINS, len(confidence), mean, share)


def _gap(one: ConfidenceBin) -> float:
    return 0.0 if one.mean_confidence is None or one.correct is None else abs(one.mean_confidence - one.correct)


def _auc(confidence: Float64s, correct: Bools) -> float | None:
    """The area under the receiver operating characteristic, from the sum of ranks (Mann and Whitney)."""
    from scipy.stats import rankdata

    hits, misses = int(correct.sum()), int((~correct).sum())
    if not (hits and misses):
        return None
    return float((rankdata(confidence)[correct].sum() - hits * (hits + 1) / 2) / (hits * misses))
