"""How far two reviewers agree on which labels are wrong.

Where few labels are wrong, kappa is low even when reviewers agree (its prevalence paradox); so it stands beside raw
agreement, agreement on *wrong* alone, and Gwet's AC1 (Gwet 2008, "Computing inter-rater reliability and its variance
in the presence of high agreement").
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Float64s, Int64s

Counts = Float64s
"""Labels that both call wrong, the first alone, the second alone, neither: the last axis."""


@dataclass(frozen=True)
class Measure:
    """A measure of agreement with its 95 % interval; nan where the counts do not define it."""

    value: float
    low: float
    high: float


def raw(counts: Counts) -> Float64s:
    """Return the share of labels on which both say the same.

    Parameters
    ----------
    counts : ndarray of float64 [shape=(..., 4)]

    Returns
    -------
    ndarray of float64 [shape=(...)]
    """
    return _ratio(counts[..., 0] + counts[..., 3], counts.sum(axis=-1))


def on_wrong(counts: Counts) -> Float64s:
    """Return how likely one calls wrong what the other calls wrong (positive specific agreement)."""
    return _ratio(2 * counts[..., 0], 2 * counts[..., 0] + counts[..., 1] + counts[..., 2])


def kappa(counts: Counts) -> Float64s:
    """Return Cohen's kappa.

    Examples
    --------
    >>> float(kappa(np.array([20.0, 5.0, 10.0, 15.0])).round(3))
    0.4
    """
    first, second = _ratio(counts[..., :2].sum(axis=-1), counts.sum(axis=-1)), _second(counts)
    return _beyond(raw(counts), first * second + (1 - first) * (1 - second))


def ac1(counts: Counts) -> Float64s:
    """Return Gwet's AC1.

    Examples
    --------
    >>> round(float(ac1(np.array([118.0, 5.0, 2.0, 0.0]))), 4)
    0.9408
    """
    share = (_ratio(counts[..., :2].sum(axis=-1), counts.sum(axis=-1)) + _second(counts)) / 2
    return _beyond(raw(counts), 2 * share * (1 - share))


MEASURES: dict[str, Callable[[Counts], Float64s]] = {"raw": raw, "on_wrong": on_wrong, "kappa": kappa, "ac1": ac1}


def agreement(counts: Counts, cluster: Int64s, draws: int = 2000, seed: int = 0) -> dict[str, Measure]:
    """Compute all measures, their intervals by drawing clusters again.

    Parameters
    ----------
    counts : ndarray of float64 [shape=(n, 4)]
        Of each unit.
    cluster : ndarray of int64 [shape=(n,)]
    draws, seed : int

    Returns
    -------
    dict
    """
    _, number = np.unique(cluster, return_inverse=True)
    sums = np.column_stack([np.bincount(number, column) for column in counts.T])
    again = np.random.default_rng(seed).integers(len(sums), size=(draws, len(sums)))
    resampled = sums[again].sum(axis=1)
    return {name: _measure(float(of(sums.sum(axis=0))), of(resampled)) for name, of in MEASURES.items()}


def _measure(value: float, resampled: Float64s) -> Measure:
    known = resampled[~np.isnan(resampled)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    return Measure(value, float(low), float(high))


def _second(counts: Counts) -> Float64s:
    return _ratio(counts[..., 0] + counts[..., 2], counts.sum(axis=-1))


def _beyond(observed: Float64s, by_chance: Float64s) -> Float64s:
    return _ratio(observed - by_chance, 1 - by_chance)


def _ratio(part: Float64s, whole: Float64s) -> Float64s:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    ratio: Float64s = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return ratio
