"""Prices and grid of the jump search, and what it costs to lay a frame of the recording on a frame of the score."""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Features, Float64s, Indices
from musicnet_build.sync import jump_kernels as kernels

HOP_S = 4096 / 44_100
MOST_ROWS = 6_500
"""Recordings of more frames of ``HOP_S`` (ten minutes) are searched on a grid of twice or four times the hop."""

BLOCK_ROWS = 128

TONAL_CONTRAST = (0.05, 0.10)
"""Tonal contrast below which a soft frame counts as silence, and above which it counts in full."""

REST_LEVEL_DB = (-25.0, -15.0)
"""Level below which a frame without tones counts as silence, and above which it counts in full, as noise."""

_DIMENSIONS = 48
_SILENT_NORM, _SOUNDING_NORM = 0.1, 0.4
_LOW_SHARE = 0.2
_LEAST_SOUNDING = 10


@dataclass(frozen=True)
class Prices:
    """What the search charges, in seconds of the recording unless said otherwise.

    One second is what it costs to lay a second of the recording on a middling instead of the right place of the score.

    Attributes
    ----------
    jump_s : float
        A jump.
    repeat_s : float
        A jump that leaves out one of two equal passages next to each other, or plays it again.
    width : float
        Each second that is jumped over, forwards or backwards.
    offbeat_s : float
        Each end of a jump that is no downbeat.
    free_end_s : float
        Beginning or ending the recording elsewhere than at the beginning or end of the score.
    outside : float
        Each second before or behind the music that has no tones; at no price, a recording that resembles the score
        little would be thought to be nothing but applause.
    outside_music : float
        Each second before or behind the music that sounds like music: more than a slow introduction costs.
    stay : float
        Each second of the recording in which the score does not advance.
    skip : float
        Each second of the score that nothing is laid on, where it resembles what is heard as little as a middling
        place; less where it resembles it more.
    shortest_s : float
        Jumps over less are not considered.
    tempo_change_s : float
        Each change of the tempo on the straight path that an order with jumps is compared with.
    least_margin_s : float
        A playing order with jumps must explain the recording better than playing straight through by this much.
    tempi, straight_tempi : tuple of float
        Tempi to try, as factors of the one at which score and recording have the same length; and those between which
        the straight path may change.
    """

    jump_s: float = 2.5
    repeat_s: float = 2.0
    width: float = 0.01
    offbeat_s: float = 0.1
    free_end_s: float = 2.5
    outside: float = 0.1
    outside_music: float = 0.6
    stay: float = 0.5
    skip: float = 1.4
    shortest_s: float = 4.0
    tempo_change_s: float = 2.0
    least_margin_s: float = 1.25
    tempi: tuple[float, ...] = (0.6, 1.0, 1.67)
    straight_tempi: tuple[float, ...] = (0.6, 0.77, 1.0, 1.3, 1.67)


@dataclass(frozen=True, eq=False)
class Grid:
    """Features on the grid of the search; frame k spans the seconds from start_s + k * hop_s on."""

    features: Features
    start_s: float
    hop_s: float

    @property
    def duration_s(self) -> float:
        """Seconds from the start of the first frame to the end of the last."""
        return len(self.features) * self.hop_s


def reduced(score_features: Features, recording_features: Features) -> tuple[Features, Features]:
    """Project both on the directions in which they differ most: 48 of 176 serve as well, in a third of the time."""
    both = (score_features, recording_features)
    count = len(score_features) + len(recording_features)
    mean = np.sum([features.sum(axis=0, dtype=np.float64) for features in both], axis=0) / count
    squares = np.sum([features.T @ features for features in both], axis=0).astype(np.float64) / count
    _, vectors = np.linalg.eigh(squares - np.outer(mean, mean))
    basis = np.ascontiguousarray(vectors[:, -_DIMENSIONS:], dtype=np.float32)
    return score_features @ basis, recording_features @ basis


def recording_grid(features: Features, frames_s: Float64s) -> Grid:
    """Pool a recording on the finest grid that the search can afford."""
    start_s, duration_s = float(frames_s[0]), float(frames_s[-1] - frames_s[0])
    hop_s = HOP_S
    while duration_s / hop_s > MOST_ROWS and hop_s < 4 * HOP_S:
        hop_s *= 2
    return pooled(features, frames_s, start_s, hop_s, max(1, int(np.ceil(duration_s / hop_s))))


def pooled(features: Features, frames_s: Float64s, start_s: float, hop_s: float, count: int) -> Grid:
    """Return the mean of the features in ``count`` bins of ``hop_s``; a bin without a frame takes the next one."""
    edges = np.searchsorted(frames_s, start_s + np.arange(count + 1) * hop_s)
    starts = np.minimum(edges[:-1], len(frames_s) - 1)
    stop = max(int(edges[-1]), int(starts[-1]) + 1)
    counts = np.maximum(np.diff(np.append(starts, stop)), 1)
    sums = np.add.reduceat(features[:stop], starts, axis=0)
    return Grid((sums / counts[:, None]).astype(np.float32), start_s, hop_s)


def pooled_share(values: Float64s, frames_s: Float64s, grid: Grid, between: tuple[float, float]) -> Float64s:
    """Return where each frame of a grid lies between two values, from 0 at the lower to 1 at the upper."""
    low, high = between
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    column = share[:, None].astype(np.float32)
    return pooled(column, frames_s, grid.start_s, grid.hop_s, len(grid.features)).features[:, 0].astype(np.float64)


class Costs:
    """What it costs to lay each frame of the recording on each frame of the score, a block of rows at a time.

    A distance says little by itself: some frames of a score (a soft chord, a rest) are near to everything. So each
    frame of the score is measured against its own 20 % quantile over what sounds in the recording, and the unit is
    what a right place gains over a middling one. A silent frame of the recording says nothing.

    Parameters
    ----------
    rows, columns : ndarray of float32 [shape=(rows, d)], [shape=(columns, d)]
        Features of the recording, silent where it has no tones, and of the score.
    skip : float
        Price of skipping a frame of the score that resembles what is heard as little as a middling one.
    """

    def __init__(self, rows: Features, columns: Features, skip: float) -> None:
        self._rows, self._columns = rows, np.ascontiguousarray(columns.T)
        self._row_squares, self._column_squares = np.square(rows).sum(axis=1), np.square(columns).sum(axis=1)
        loudness = (np.sqrt(self._row_squares) - _SILENT_NORM) / (_SOUNDING_NORM - _SILENT_NORM)
        self._weights = np.clip(loudness, 0.0, 1.0).astype(np.float32)
        sounding = np.flatnonzero(self._weights > 0.5)
        if len(sounding) < _LEAST_SOUNDING:
            sounding = np.arange(len(rows))
        some_rows = self._distances(sounding[:: max(1, len(sounding) // 400)], slice(None))
        self._low = _quantile(some_rows, _LOW_SHARE)
        some_columns = self._distances(sounding, slice(None, None, max(1, len(columns) // 100)))
        least = some_columns.min(axis=0)
        unit = float(np.median(_quantile(some_columns, 0.5) - least))
        self._scale = np.float32(1.0 / max(unit, 1e-6))
        self._skip = np.float32(skip)
        gain = np.float32(np.median(_quantile(some_columns, _LOW_SHARE) - least))
        # Where much of the recording is silent, the rests of the score have nothing below them.
        self._right = np.maximum(self._low - gain, np.float32(0.0))

    def __len__(self) -> int:
        return len(self._rows)

    def block(self, first: int) -> tuple[Features, Features, Features]:
        """Costs, charges for skipping, and silence of up to ``BLOCK_ROWS`` recording frames from ``first`` on."""
        rows = slice(first, first + BLOCK_ROWS)
        costs = self._distances(rows, slice(None))
        charges = np.empty_like(costs)
        kernels.costs_from_distances(
            costs, charges, self._weights[rows], self._low, self._right, self._scale, self._skip
        )
        return costs, charges, 1 - self._weights[rows]

    def _distances(self, rows: "slice | Indices", columns: slice) -> Features:
        products: Features = np.ascontiguousarray(self._rows[rows]) @ np.ascontiguousarray(self._columns[:, columns])
        row_squares, column_squares = self._row_squares[rows], self._column_squares[columns]
        kernels.distances_from_products(
            products, np.ascontiguousarray(row_squares), np.ascontiguousarray(column_squares)
        )
        return products


def _quantile(distances: Features, share: float) -> Features:
    """The value of each column below which a share of its rows lie."""
    at = int(share * len(distances))
    below: Features = np.partition(distances, at, axis=0)[at]
    return below
