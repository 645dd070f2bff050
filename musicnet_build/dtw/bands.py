"""Bands that force a warping path through given cells."""

import numpy as np

from musicnet_build._typing import Float64s, Int64s


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
