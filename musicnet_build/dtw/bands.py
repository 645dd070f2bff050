"""Bands in which a warping path is looked for: around a rough path, or through given cells."""

import numpy as np

from musicnet_build._typing import Features, Float64s, Int64s
from musicnet_build.dtw.exact import Weights, dtw


def band_of_rough_path(
    X: Features, Y: Features, step_weights: Weights, frames: int, reach: int, memory_bytes: int = 2**30
) -> Int64s:
    """Make a band around the cheapest path between the means of some frames each.

    Parameters
    ----------
    X, Y : ndarray of float32 [shape=(m, d)], [shape=(n, d)]
        Features of the rows and of the columns.
    step_weights : three floats
        As for ``dtw``.
    frames : int
        How many frames one mean is of; looking for the rough path is so many times cheaper, squared.
    reach : int
        How many columns the band goes beyond the rough path to both sides.
    memory_bytes : int
        Most memory to use.

    Returns
    -------
    ndarray of int64 [shape=(m, 2)]
        Half-open column range of every row, as ``dtw`` takes it.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.dtw.bands import band_of_rough_path
    >>> X = np.arange(6, dtype=np.float32)[:, None]
    >>> band_of_rough_path(X, X, (1.0, 1.0, 1.0), 2, 1).tolist()
    [[0, 3], [0, 3], [1, 5], [1, 5], [3, 6], [3, 6]]
    """
    rough = dtw(_means(X, frames), _means(Y, frames), step_weights=step_weights, memory_bytes=memory_bytes).path
    rows = np.arange(len(X)) // frames
    low = rough[np.searchsorted(rough[:, 0], rows), 1]
    high = rough[np.searchsorted(rough[:, 0], rows, side="right") - 1, 1]
    return np.stack([np.maximum(low * frames - reach, 0), np.minimum((high + 1) * frames + reach, len(Y))], axis=1)


def _means(features: Features, frames: int) -> Features:
    """Means of so many frames each, the last of what is left."""
    starts = np.arange(0, len(features), frames)
    sums: Features = np.add.reduceat(features, starts, axis=0)
    counts = np.diff(starts, append=len(features)).astype(np.float32)
    means: Features = np.divide(sums, counts[:, None], dtype=np.float32)
    return means


def band_through(rows: Float64s, columns: Float64s, slack: float, shape: tuple[int, int]) -> Int64s:
    """Make a band that is open between given cells and narrow at them.

    Parameters
    ----------
    rows, columns : ndarray of float64 [shape=(k,)]
        The cells, in frames, both ascending.
    slack : float
        How many columns a path may be off at the row of a cell.
    shape : (int, int)
        Numbers of rows and of columns.

    Returns
    -------
    ndarray of int64 [shape=(rows, 2)]
        Half-open column range of every row, as ``dtw`` takes it.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.dtw.bands import band_through
    >>> band_through(np.array([1.0]), np.array([4.0]), 1, (3, 8)).tolist()
    [[0, 6], [3, 6], [3, 8]]
    """
    m, n = shape
    at = np.clip(np.rint(rows), 0, m - 1).astype(np.int64)
    first, stop = np.zeros(m, np.int64), np.full(m, n, np.int64)
    for row, column in zip(at.tolist(), columns.tolist(), strict=True):
        first[row:] = np.clip(round(column - slack), 0, n - 1)
        stop[: row + 1] = np.minimum(stop[: row + 1], np.clip(round(column + slack) + 1, 1, n))
    return np.stack([first, np.maximum(stop, first + 1)], axis=1)
