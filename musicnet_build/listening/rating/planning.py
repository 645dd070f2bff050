"""How much to listen to: until a rate is known twice as well, or until a dataset can be accepted."""

import math

import numpy as np
from scipy.stats import binom

from musicnet_build._typing import Float64s, Int64s

CONFIDENCE = 0.95


def acceptance_plan(limit: float, most_wrong: int = 2) -> list[int]:
    """Return how many notes show that fewer than ``limit`` are wrong, with none wrong, one, two and so on.

    The notes are drawn with equal probability (a lot tolerance plan at 95 %).

    Parameters
    ----------
    limit : float
        Share, 0 to 1.
    most_wrong : int

    Returns
    -------
    list of int

    Examples
    --------
    >>> acceptance_plan(0.05)
    [59, 93, 124]
    """
    return [_least_count(limit, wrong) for wrong in range(most_wrong + 1)]


def to_halve(weight: Float64s, mean: Float64s, judged: Int64s, sizes: Int64s) -> Int64s:
    """Return how many more units of each stratum to judge so that the interval becomes half as wide.

    The least number in all (Neyman's allocation), by what the judgements say of each stratum so far.

    Parameters
    ----------
    weight : ndarray of float64 [shape=(k,)]
        Share of the population.
    mean : ndarray of float64 [shape=(k,)]
        Share of wrong labels, not 0 or 1: a posterior's mean.
    judged, sizes : ndarray of int64 [shape=(k,)]
        Units that were judged, and all.

    Returns
    -------
    ndarray of int64 [shape=(k,)]
    """
    spread = weight * np.sqrt(mean * (1 - mean))
    variance = float((spread**2 / np.maximum(judged, 1)).sum())
    if not variance:
        return np.zeros(len(weight), np.int64)
    total = spread.sum() ** 2 / (variance / 4)
    wanted = np.ceil(total * spread / spread.sum()).astype(np.int64)
    more: Int64s = np.clip(wanted - judged, 0, np.maximum(sizes - judged, 0))
    return more


def _least_count(limit: float, wrong: int) -> int:
    low, high = wrong, 2 * math.ceil((wrong + 3) * (wrong + 2) / limit)
    while high - low > 1:
        middle = (low + high) // 2
        shown = binom.cdf(wrong, middle, limit) <= 1 - CONFIDENCE
        low, high = (low, middle) if shown else (middle, high)
    return high
