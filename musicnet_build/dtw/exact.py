"""Exact dynamic time warping in bounded memory.

The cost matrix of two 18-minute recordings has nine billion cells, so it is never stored. It is cut into tiles; a tile
is computed while it is in cache, and only its last row and last column, in float64, are kept as checkpoints. To trace
the path back, the tiles that it crosses (a percent or two of all) are computed once more from their checkpoints::

        ┌──────┬──────┬──────┐
        │ ●──● │      │      │      ─  last rows     ⎫ kept: 8 · m · n · (1 / rows + 1 / columns) bytes
        ├─────●┼──────┼──────┤      │  last columns  ⎭
        │     ●│      │      │      ●  the path: only its tiles are computed twice
        ├─────●┼●──●──┼──────┤
        │      │    ● │      │      Tiles on one anti-diagonal do not depend on each other,
        │      │     ●┼●──●  │      so threads share them.
        └──────┴──────┴──────┘

What belongs here: checking arguments, planning memory, handing tiles to threads, following the path. The arithmetic is
in :mod:`musicnet_build.dtw.kernels`; what is compared (spectra) and what the path means (times) is elsewhere.

Method: H. Sakoe and S. Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE
Transactions on Acoustics, Speech, and Signal Processing 26(1), 1978.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from musicnet_build._typing import Float32s, Float64s, Int64s, UInt8s
from musicnet_build.dtw import kernels
from musicnet_build.errors import AlignmentError
from musicnet_build.threads import thread_count

Progress = Callable[[float], None]
Weights = tuple[float, float, float]

_SMALLEST_TILE = 512
_ENOUGH_TILES = 2500  # finer tiles would cost more in handing them out than they save in tracing back
_LARGEST_TILE = 8192  # a fifth of a second's work, so that an interrupt is answered; exceeded only to save memory
_NARROW_COLUMNS = _SMALLEST_TILE
_PROGRESS_INTERVAL_S = 0.2


@dataclass(frozen=True)
class WarpingPath:
    """The cheapest way through the cost matrix.

    Attributes
    ----------
    path : int64 [shape=(k, 2)]
        Pairs (row frame, column frame) from (0, 0) to (m - 1, n - 1), each step (1, 1), (1, 0) or (0, 1).
    cost : float
        Sum of the weighted distances along the path.
    """

    path: Int64s
    cost: float


@dataclass(frozen=True)
class TilePlan:
    """How the cost matrix will be cut, and the memory that this takes.

    Attributes
    ----------
    rows, columns : int
        Size of a tile in frames.
    tiles : int
        Number of tiles.
    kept : int
        Columns of each row whose steps are kept, in a narrow band; 0 where tiles are computed again to trace
        back: in a wide one, or where memory does not suffice.
    memory_bytes : int
        Everything that ``dtw`` will allocate: padded features, checkpoints, workspaces, and the path.
    """

    rows: int
    columns: int
    tiles: int
    kept: int
    memory_bytes: int


def dtw(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    step_weights: Weights = (1.0, 1.0, 1.0),
    band: Int64s | None = None,
    memory_bytes: int = 2**30,
    threads: int | None = None,
    progress: Progress | None = None,
) -> WarpingPath:
    """Align two feature sequences exactly, from both starts to both ends.

    Distances are Euclidean and computed in float32 from direct differences, accumulated in float64. Among equally cheap
    steps into a cell (1, 1) is taken before (0, 1), and that before (1, 0). The result depends neither on
    ``memory_bytes`` nor on ``threads``.

    Parameters
    ----------
    X : array_like [shape=(m, d)]
        Features of the rows, a frame a row; converted to float32.
    Y : array_like [shape=(n, d)]
        Features of the columns.
    step_weights : three floats
        Factors of the distance in the cell stepped into, for the steps (1, 1), (1, 0) and (0, 1). The first cell counts
        once.
    band : int64 [shape=(m, 2)], optional
        Half-open range of columns that each row may use. Time and memory shrink with it. See ``band_around``.
    memory_bytes : int
        Most memory to use besides the caller's own arrays.
    threads : int, optional
        Number of threads; by default what ``OMP_NUM_THREADS`` says, else one per available processor.
    progress : callable, optional
        Called from the calling thread a few times a second with the fraction done, from 0 to 1.

    Returns
    -------
    WarpingPath

    Raises
    ------
    AlignmentError
        When the features, weights or band cannot be used, or the memory does not suffice.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build import dtw
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> warped = dtw(X, np.repeat(X, 2, axis=0))
    >>> warped.path.tolist()
    [[0, 0], [0, 1], [1, 2], [1, 3], [2, 4], [2, 5]]
    >>> warped.cost
    0.0
    """
    sides = [X, Y]
    del X, Y
    return _warped(sides, (step_weights,), band, memory_bytes, threads, progress)[0]


def dtw_of_each(
    X: ArrayLike,
    Y: ArrayLike,
    step_weights: Sequence[Weights],
    *,
    band: Int64s | None = None,
    memory_bytes: int = 2**30,
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[WarpingPath]:
    """Align two feature sequences once with each of several step weights; distances are computed once for all.

    Parameters
    ----------
    X, Y : array_like [shape=(m, d)], [shape=(n, d)]
    step_weights : sequence of three floats
        At least one triple.
    band, memory_bytes, threads, progress
        As for ``dtw``.

    Returns
    -------
    list of WarpingPath
        What ``dtw`` returns with each of the weights.

    Raises
    ------
    AlignmentError
        As ``dtw``.
    """
    sides = [X, Y]
    del X, Y
    return _warped(sides, step_weights, band, memory_bytes, threads, progress)


def _warped(
    sides: list[ArrayLike],
    step_weights: Sequence[Weights],
    band: Int64s | None,
    memory_bytes: int,
    threads: int | None,
    progress: Progress | None,
) -> list[WarpingPath]:
    """The cheapest way by each of the weights.

    ``sides`` is emptied as they are copied: unless the caller keeps them, nobody pays for both at a time.
    """
    columns, rows = _checked_features(sides.pop(), "Y"), _checked_features(sides.pop(), "X")
    if rows.shape[1] != columns.shape[1]:
        raise AlignmentError(f"X has {rows.shape[1]} features a frame and Y has {columns.shape[1]}; both must agree.")
    weights = np.array([_checked_weights(three) for three in step_weights])
    (m, d), n = rows.shape, len(columns)
    n_threads, report = _checked_threads(threads), progress or _ignore
    plan = plan_tiles(m, n, d, band=band, memory_bytes=memory_bytes, threads=n_threads, several=len(weights))
    packed_rows = _padded_rows(rows)
    del rows
    strips = _strips(columns)
    del columns
    matrix = _TiledMatrix(packed_rows, strips, _padded_band(band, m, n), weights, plan, m, n)
    _sweep(matrix, n_threads, report)
    costs = matrix.sides[-1, :, (m - 1) % plan.rows]  # of the last column
    if not np.isfinite(costs).all():
        raise AlignmentError("The features are too large: their distances overflow float32; scale X and Y down.")
    paths = [WarpingPath(_trace_back(matrix, w), float(cost)) for w, cost in enumerate(costs)]
    report(1.0)
    return paths


def plan_tiles(
    m: int,
    n: int,
    d: int,
    *,
    band: Int64s | None = None,
    memory_bytes: int = 2**30,
    threads: int | None = None,
    several: int = 1,
) -> TilePlan:
    """Choose tiles for ``dtw`` so that its memory stays within a budget, or say what it needs.

    Larger tiles need fewer checkpoints and make tracing back slower, so sizes are doubled only as far as necessary.

    Parameters
    ----------
    m, n : int
        Numbers of row and column frames.
    d : int
        Features a frame.
    band, memory_bytes, threads
        As for ``dtw``.
    several : int
        Number of step weights that are tried at once.

    Returns
    -------
    TilePlan

    Raises
    ------
    AlignmentError
        When no tiles fit, or the band is not valid.
    """
    ranges = None if band is None else _checked_band(band, m, n)
    n_threads = _checked_threads(threads)
    size = _SMALLEST_TILE
    kept = _narrow_columns(ranges, m, n)
    plan = _plan(m, n, d, ranges, size, n_threads, several, kept)
    if kept and plan.memory_bytes > memory_bytes:  # then time is given for memory
        kept = 0
        plan = _plan(m, n, d, ranges, size, n_threads, several, kept)
    while plan.memory_bytes > memory_bytes or (plan.tiles > _ENOUGH_TILES and size < _LARGEST_TILE):
        size *= 2
        coarser = _plan(m, n, d, ranges, size, n_threads, several, kept)
        if coarser.memory_bytes >= plan.memory_bytes > memory_bytes:
            raise AlignmentError(
                f"Aligning {m} with {n} frames needs {plan.memory_bytes / 2**20:.1f} MiB and only "
                f"{memory_bytes / 2**20:.1f} MiB are allowed; allow more memory, give a band, or use longer hops."
            )
        plan = coarser
    return plan


def band_around(columns: ArrayLike, half_width_frames: float, n_columns: int) -> Int64s:
    """Make a band around a rough path.

    Every cell within the half width of its row's centre is inside. The band is widened where necessary so that it holds
    both corners, never moves backwards, and can be walked from row to row.

    Parameters
    ----------
    columns : array_like of float [shape=(m,)]
        Centre of the band in each row, in column frames.
    half_width_frames : float
        How far the band reaches to either side.
    n_columns : int
        Number of column frames.

    Returns
    -------
    int64 [shape=(m, 2)]
        Half-open column range of every row.

    Raises
    ------
    AlignmentError
        When a centre or the half width is not a finite number, or there are no rows or columns.
    """
    centres = np.asarray(columns, dtype=np.float64)
    if centres.ndim != 1 or len(centres) == 0 or not np.isfinite(centres).all():
        raise AlignmentError("A band needs one finite centre column for each row.")
    if not (np.isfinite(half_width_frames) and half_width_frames >= 0 and n_columns > 0):
        raise AlignmentError(f"A band cannot reach {half_width_frames} frames around a path in {n_columns} columns.")
    first = np.clip(np.floor(centres - half_width_frames), 0, n_columns - 1).astype(np.int64)
    last = np.clip(np.ceil(centres + half_width_frames), 0, n_columns - 1).astype(np.int64)
    first[0], last[-1] = 0, n_columns - 1
    first = np.minimum.accumulate(first[::-1])[::-1]
    stop = np.maximum.accumulate(last) + 1
    first[1:] = np.minimum(first[1:], stop[:-1])
    return np.stack([first, stop], axis=1)


def estimate_seconds(m: int, n: int, d: int, *, band: Int64s | None = None) -> float:
    """Estimate how long ``dtw`` will take with all processors, from one tile timed now on one of them.

    Parameters
    ----------
    m, n : int
        Numbers of row and column frames.
    d : int
        Features a frame.
    band : int64 [shape=(m, 2)], optional
        As for ``dtw``.

    Returns
    -------
    float
        Seconds.
    """
    cells = m * n if band is None else int((band[:, 1] - band[:, 0]).sum())
    frames = np.zeros((2048, d), dtype=np.float32)
    dtw(frames[:1], frames[:1], threads=1)  # compiles on the very first use
    start = time.perf_counter()
    dtw(frames, frames, threads=1)
    return (time.perf_counter() - start) * cells / len(frames) ** 2 / _checked_threads(None)


# --- checks ---------------------------------------------------------------------------------------------------------


def _checked_features(features: ArrayLike, name: str) -> Float64s | Float32s:
    try:
        array = np.asarray(features)
    except ValueError:
        raise AlignmentError(f"{name} must have the same number of features in every frame.") from None
    if array.dtype.kind not in "fiub":
        raise AlignmentError(f"{name} must hold real numbers, not {array.dtype}.")
    if array.ndim != 2:
        raise AlignmentError(f"{name} must have two dimensions (frames, features), not {array.ndim}.")
    if array.size == 0:
        raise AlignmentError(f"{name} is empty: its shape is {array.shape}.")
    limit = float(np.finfo(np.float32).max)
    if not (-limit <= array.min() and array.max() <= limit):  # also false for nan
        raise AlignmentError(f"{name} holds values that are not finite in float32 (nan, infinity, or too large).")
    return array


def _checked_weights(step_weights: Weights) -> Weights:
    try:
        diagonal, down, across = (float(weight) for weight in step_weights)
    except (TypeError, ValueError):
        raise AlignmentError(f"step_weights must be three numbers, not {step_weights!r}.") from None
    if not all(np.isfinite(weight) and weight > 0 for weight in (diagonal, down, across)):
        raise AlignmentError(f"step_weights must be positive and finite, not {step_weights!r}.")
    return diagonal, down, across


def _checked_threads(threads: int | None) -> int:
    if threads is None:
        return thread_count()
    if threads < 1:
        raise AlignmentError(f"threads must be at least 1, not {threads}.")
    return threads


def _checked_band(band: Int64s, m: int, n: int) -> Int64s:
    """Return the band once it is certain that a path runs through it."""
    ranges = np.asarray(band)
    if ranges.shape != (m, 2) or ranges.dtype.kind not in "iu":
        raise AlignmentError(f"The band must be integers of shape ({m}, 2), not {ranges.dtype} of {ranges.shape}.")
    ranges = ranges.astype(np.int64)
    first, stop = ranges[:, 0], ranges[:, 1]
    if (first < 0).any() or (stop > n).any():
        raise AlignmentError(f"The band leaves the {n} columns in row {np.flatnonzero((first < 0) | (stop > n))[0]}.")
    if first[0] != 0 or stop[-1] != n:
        raise AlignmentError(f"The band must hold the first cell (0, 0) and the last cell ({m - 1}, {n - 1}).")
    # A path cannot turn back: from any row on, columns left of an earlier row's first one are out of reach.
    reachable = np.maximum.accumulate(first)
    broken = first >= stop
    broken |= reachable >= stop
    broken[1:] |= reachable[1:] > stop[:-1]
    if broken.any():
        raise AlignmentError(
            f"No path runs through the band: it is empty or cut off in row {np.flatnonzero(broken)[0]}."
        )
    return ranges


# --- plan and layout ------------------------------------------------------------------------------------------------


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def _tile_columns(ranges: Int64s | None, m: int, n: int, rows: int, columns: int) -> tuple[Int64s, Int64s]:
    """First tile and one past the last tile of every row of tiles."""
    starts = np.arange(0, m, rows)
    if ranges is None:
        return np.zeros(len(starts), dtype=np.int64), np.full(len(starts), -(-n // columns), dtype=np.int64)
    first = np.minimum.reduceat(ranges[:, 0], starts) // columns
    stop = -(-np.maximum.reduceat(ranges[:, 1], starts) // columns)
    return first, stop


def _plan(m: int, n: int, d: int, ranges: Int64s | None, size: int, threads: int, several: int, kept: int) -> TilePlan:
    rows = min(size, _round_up(m, kernels.LANES))
    columns = min(size, n)
    first, stop = _tile_columns(ranges, m, n, rows, columns)
    tiles = int((stop - first).sum())
    steps = several * _round_up(m, kernels.LANES) * kept or rows * columns
    features = 4 * d * (_round_up(m, kernels.LANES) + _round_up(n, kernels.STRIP))
    band = 4 * 8 * (m + kernels.LANES)  # the checked ranges and their padded copy
    checkpoints = 8 * several * tiles * (rows + columns)
    blocks = threads * (8 * kernels.LANES * (kernels.CHUNK + 2 * kernels.MARGIN) + 8 * several * (rows + columns))
    paths = 2 * 8 * several * (m + n)
    return TilePlan(rows, columns, tiles, kept, features + band + checkpoints + blocks + steps + paths)


def _padded_rows(X: Float64s | Float32s) -> Float32s:
    m, d = X.shape
    padded = np.zeros((_round_up(m, kernels.LANES), d), dtype=np.float32)
    padded[:m] = X
    return padded


def _strips(Y: Float64s | Float32s) -> Float32s:
    """The columns' features as the kernels read them [strips, d, STRIP], the last strip filled up with zeros."""
    n, d = Y.shape
    whole = n // kernels.STRIP
    strips = np.zeros((-(-n // kernels.STRIP), d, kernels.STRIP), dtype=np.float32)
    strips[:whole] = Y[: whole * kernels.STRIP].reshape(whole, kernels.STRIP, d).transpose(0, 2, 1)
    strips[whole:, :, : n % kernels.STRIP] = Y[whole * kernels.STRIP :].T
    return strips


def _padded_band(band: Int64s | None, m: int, n: int) -> Int64s:
    """A copy of the band in which the rows that pad the features are empty."""
    ranges = np.empty((_round_up(m, kernels.LANES), 2), dtype=np.int64)
    ranges[:m] = (0, n) if band is None else band
    ranges[m:] = (n, 0)
    return ranges


def _narrow_columns(ranges: Int64s | None, m: int, n: int) -> int:
    """The columns of a narrow band whose steps are worth keeping; 0 where it is wide, or there is none."""
    most = _NARROW_COLUMNS + 1 if ranges is None else _columns_of_blocks(_padded_band(ranges, m, n))[1]
    return most if most <= _NARROW_COLUMNS else 0


def _columns_of_blocks(padded_band: Int64s) -> tuple[Int64s, int]:
    """The first column that each block of rows may use, a multiple of STRIP, and the most columns from there on."""
    blocks = padded_band.reshape(-1, kernels.LANES, 2)
    first: Int64s = blocks[:, :, 0].min(axis=1) // kernels.STRIP * kernels.STRIP
    return first, int((blocks[:, :, 1].max(axis=1) - first).max())


class _TiledMatrix:
    """The cost matrix as far as it exists: features, and the last row and column of every tile by each of w weights."""

    def __init__(
        self,
        rows: Float32s,
        columns: Float32s,
        band: Int64s,
        weights: Float64s,
        plan: TilePlan,
        m: int,
        n: int,
    ) -> None:
        self._compared, self.weights = (rows, columns, band), weights
        self.plan, self.m, self.n = plan, m, n
        self.first, self.stop = _tile_columns(band[:m], m, n, plan.rows, plan.columns)
        self._offsets = np.concatenate([[0], np.cumsum(self.stop - self.first)])
        self.borders = np.empty((plan.tiles, len(weights), plan.columns))
        self.sides = np.empty((plan.tiles, len(weights), plan.rows))
        self._origins, _ = _columns_of_blocks(band)
        self._kept = np.empty((len(weights), len(rows), plan.kept), np.uint8)

    def anti_diagonals(self) -> Iterator[list[tuple[int, int]]]:
        """Tiles in groups that depend on earlier groups only."""
        for diagonal in range(int((self.stop + np.arange(len(self.stop))).max())):
            rows = np.arange(min(diagonal + 1, len(self.first)))
            inside = rows[(diagonal - rows >= self.first[rows]) & (diagonal - rows < self.stop[rows])]
            yield [(int(row), diagonal - int(row)) for row in inside]

    def _index(self, row: int, column: int) -> int | None:
        """Place of a tile among the checkpoints; None outside the band."""
        if row < 0 or not self.first[row] <= column < self.stop[row]:
            return None
        return int(self._offsets[row] + column - self.first[row])

    def _edges(self, row: int, column: int) -> tuple[Float64s, Float64s, Float64s]:
        """Copies of what a tile starts from: corners [w], the rows above [w, columns], the columns beside [w, rows]."""
        width = min(self.plan.columns, self.n - column * self.plan.columns)
        height = min(self.plan.rows, len(self._compared[0]) - row * self.plan.rows)
        above, beside = self._index(row - 1, column), self._index(row, column - 1)
        before, w = self._index(row - 1, column - 1), len(self.weights)
        corners = np.full(w, np.inf) if before is None else self.borders[before, :, -1].copy()
        borders = np.full((w, width), np.inf) if above is None else self.borders[above, :, :width].copy()
        sides = np.full((w, height), np.inf) if beside is None else self.sides[beside, :, :height].copy()
        return corners, borders, sides

    def sweep(self, tile: tuple[int, int]) -> None:
        """Compute a tile and keep its borders."""
        row, column = tile
        first_row, first_column = row * self.plan.rows, column * self.plan.columns
        corners, borders, sides = self._edges(row, column)
        if self.plan.kept:
            origins = self._origins[first_row // kernels.LANES :] - first_column
            for w, kept in enumerate(self._kept[:, first_row:]):
                corner, border, side = float(corners[w]), borders[w], sides[w]
                kernels.step_codes(
                    *self._compared, self.weights[w], first_row, first_column, corner, border, side, kept, origins
                )
        else:
            kernels.sweep_tile(*self._compared, self.weights, first_row, first_column, corners, borders, sides)
        index = self._index(row, column)
        self.borders[index, :, : borders.shape[1]] = borders
        self.sides[index, :, : sides.shape[1]] = sides

    def steps_until(self, i: int, j: int, w: int) -> tuple[UInt8s, Int64s, int, int]:
        """Best steps by weights w, up to (i, j): codes and origins as ``step_codes`` has them, first row and column."""
        if self.plan.kept:
            return self._kept[w], self._origins, 0, 0
        row, column = i // self.plan.rows, j // self.plan.columns
        first_row, first_column = row * self.plan.rows, column * self.plan.columns
        corners, borders, sides = self._edges(row, column)
        border, side = borders[w, : j - first_column + 1], sides[w, : i - first_row + 1]
        steps = np.empty((len(side), len(border)), dtype=np.uint8)
        origins = np.zeros(-(-len(side) // kernels.LANES), np.int64)
        kernels.step_codes(
            *self._compared, self.weights[w], first_row, first_column, float(corners[w]), border, side, steps, origins
        )
        return steps, origins, first_row, first_column


# --- the two passes -------------------------------------------------------------------------------------------------


def _ignore(fraction: float) -> None:
    """Report progress to nobody."""


def _sweep(matrix: _TiledMatrix, threads: int, progress: Progress) -> None:
    """Compute all tiles. The calling thread only waits, so an interrupt reaches it at once."""
    done, reported_s = 0, time.monotonic()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="dtw")
    try:
        for tiles in matrix.anti_diagonals():
            for _ in pool.map(matrix.sweep, tiles):
                done += 1
                if time.monotonic() - reported_s > _PROGRESS_INTERVAL_S:
                    progress(done / (matrix.plan.tiles + 1))
                    reported_s = time.monotonic()
    finally:
        pool.shutdown(cancel_futures=True)


def _trace_back(matrix: _TiledMatrix, w: int) -> Int64s:
    """Follow the best steps by weights w from the last cell to the first."""
    path = np.empty((matrix.m + matrix.n - 1, 2), dtype=np.int64)
    i, j, at = matrix.m - 1, matrix.n - 1, len(path) - 1
    while i >= 0:
        steps, origins, first_row, first_column = matrix.steps_until(i, j, w)
        i, j, at = kernels.walk_back(steps, origins, first_row, first_column, i, j, path, at)
    return path[at + 1 :]
