"""Numba kernels of exact DTW: dumb loops over arrays, without options and without checks.

What belongs here is arithmetic on one tile of the cost matrix. Validation, the choice of tiles, threads and memory
live in :mod:`musicnet_build.dtw.exact`; the two loops that a compiler does not vectorize well in
:mod:`musicnet_build.dtw.vectors`.

How a tile is computed
----------------------
A tile is cut into blocks of ``LANES`` rows by ``CHUNK`` columns, small enough that everything about a block stays in
cache. A block takes three passes:

1. *Distances*, four rows by sixteen columns at a time. Their 64 sums stay in registers while all dimensions are added,
   one after the other. The columns' features are stored in strips of sixteen columns, ``strips [n / 16, d, 16]``, so
   that what a turn reads lies side by side; a strip serves all rows of the block while it is in the nearest cache::

                     strip[k]    ▬▬▬▬▬▬▬▬ ▬▬▬▬▬▬▬▬
        X[i, k]   ●              sum += (x − y)²    8 + 8 lanes
        X[i+1, k] ●              sum += (x − y)²
        X[i+2, k] ●              sum += (x − y)²
        X[i+3, k] ●              sum += (x − y)²

2. *Skewing*. Cells on one anti-diagonal do not depend on each other, so they are laid side by side: row ``r`` is
   delayed by ``r`` steps, and step ``s`` holds the cells ``(r, s − r)``::

        cost   a0 a1 a2 a3          skewed   s=0  a0  ·  ·
               b0 b1 b2 b3                   s=1  a1 b0  ·
               c0 c1 c2 c3                   s=2  a2 b1 c0
                                             s=3  a3 b2 c1
                                             s=4   · b3 c2
                                             s=5   ·  · c3

3. *Recursion*, one step a turn, all lanes at once. Lane ``r + 1`` holds row ``r``; lane 0 holds the row above the
   block. Left and up come from the step before, the diagonal from two steps before::

        step s−2    D[r−1, j−1]                  lane r
        step s−1    D[r−1, j]     D[r, j−1]      lanes r, r+1
        step s                    D[r, j]        lane r+1

   Where several step weights are asked for, the recursion is run for each of them over the same distances.

Reproducibility: a cell's distance is the same chain of additions, and its recursion the same float64 operations,
wherever block and tile borders fall, so path and cost depend neither on the memory plan nor on the number of threads.
Sums are never reordered. The one liberty given to the compiler is to fuse ``a + d * d`` into one instruction where the
processor has it; the chain leaves a single way to do so.
"""

import numpy as np

from musicnet_build._typing import Float32s, Float64s, Int64s, UInt8s
from musicnet_build.dtw.vectors import ROWS_AT_ONCE, skew, square_roots_of_squares
from musicnet_build.dtw.vectors import STRIP as STRIP
from musicnet_build.jit import kernel

LANES = 32
"""Rows of a block; tile heights are multiples of it."""

CHUNK = 512
"""Columns of a block."""

MARGIN = 48
"""Columns at both ends of a block's distances that skewing may touch; what they hold reaches no result."""

DIAGONAL, ACROSS, DOWN = 0, 1, 2
"""Codes of the steps (1, 1), (0, 1) and (1, 0), in the order in which ties are broken."""

Weights = tuple[float, float, float]


@kernel
def empty_block() -> Float32s:
    """Room for the distances of a block: column ``MARGIN + j`` belongs to the block's column j."""
    return np.zeros((LANES, CHUNK + 2 * MARGIN), dtype=np.float32)


@kernel
def distances(X: Float32s, strips: Float32s, band: Int64s, row: int, start: int, stop: int, cost: Float32s) -> None:
    """Fill an ``empty_block`` with distances of LANES rows to columns start..stop, infinite outside the band.

    ``start`` is a multiple of STRIP.
    """
    width = stop - start
    for strip in range((width + STRIP - 1) // STRIP):
        for r in range(0, LANES, ROWS_AT_ONCE):
            square_roots_of_squares(X, strips, row + r, start // STRIP + strip, cost, r, MARGIN + strip * STRIP)
    for r in range(LANES):
        first, last = band[row + r, 0] - start, band[row + r, 1] - start
        cost[r, MARGIN : MARGIN + min(max(first, 0), width)] = np.inf
        cost[r, MARGIN + min(max(last, 0), width) : MARGIN + width] = np.inf


@kernel
def _skew(cost: Float32s, width: int, skewed: Float32s) -> None:
    """Lay anti-diagonals side by side. Places beside the block keep any value: no result depends on them."""
    for s in range(0, width + LANES - 1, 8):
        for r in range(0, LANES, 8):
            skew(cost, r, MARGIN + s - r, skewed, s)


@kernel
def _step(cost: Float32s, weights: Weights, before: Float64s, last: Float64s, now: Float64s) -> None:
    """One anti-diagonal from the two before it."""
    for r in range(LANES):
        c = np.float64(cost[r])
        diagonal = before[r] + weights[0] * c
        down = last[r] + weights[1] * c
        across = last[r + 1] + weights[2] * c
        nearer = diagonal if diagonal < down else down
        now[r + 1] = nearer if nearer < across else across


@kernel
def _sweep_block(
    skewed: Float32s, weights: Weights, is_first: bool, corner: float, border: Float64s, side: Float64s, lanes: Float64s
) -> None:
    """Run the recursion over one block.

    ``border [width]`` holds the row above and is left holding the last row; ``side [LANES]`` holds the column to the
    left and is left holding the last column; ``corner`` is the cell above ``side`` and left of ``border``.
    """
    width = border.shape[0]
    before, last, now = lanes[0], lanes[1], lanes[2]
    before[0] = corner
    last[0], last[1] = border[0], side[0]
    for s in range(width + LANES - 1):
        _step(skewed[s], weights, before, last, now)
        if is_first and s == 0:
            now[1] = skewed[0, 0]  # the very first cell has no predecessor and no weight
        if s + 1 < LANES:
            now[s + 2] = side[s + 1]  # row s + 1 starts next: its lane holds the column to its left until then
        now[0] = border[min(s + 1, width - 1)]
        if s >= LANES - 1:
            border[s - LANES + 1] = now[LANES]
        if s >= width - 1:
            side[s - width + 1] = now[s - width + 2]
        before, last, now = last, now, before


@kernel
def _columns_in_band(band: Int64s, column: int, left: int, right: int) -> tuple[int, int]:
    """The columns of a block, from ``left`` to ``right`` of the tile, that the band of any of its rows touches."""
    start = min(max(band[:, 0].min() - column, left), right)
    stop = max(min(band[:, 1].max() - column, right), left)
    return left + (start - left) // STRIP * STRIP if start < stop else start, stop


@kernel
def sweep_tile(
    X: Float32s,
    strips: Float32s,
    band: Int64s,
    weights: Float64s,
    row: int,
    column: int,
    corners: Float64s,
    borders: Float64s,
    sides: Float64s,
) -> None:
    """Accumulate one tile whose first cell is (row, column), once for each of w triples of weights.

    Parameters
    ----------
    X [shape=(rows, d)], strips [shape=(strips, d, STRIP)] : float32
        Features; rows a multiple of LANES.
    band [shape=(rows, 2)] : int64
        Half-open column range of every row.
    weights [shape=(w, 3)] : float64
        Of the steps (1, 1), (1, 0), (0, 1).
    row, column : int
        First cell of the tile; ``column`` is a multiple of STRIP.
    corners [shape=(w,)] : float64, changed
        Accumulated cost at (row - 1, column - 1).
    borders [shape=(w, tile columns)], sides [shape=(w, tile rows)] : float64, changed in place
        Accumulated cost of the row above and the column left of the tile; on return of its last row and last column.
    """
    height, width = sides.shape[1], borders.shape[1]
    cost = empty_block()
    skewed = np.empty((CHUNK + LANES + 8, LANES), dtype=np.float32)
    for left in range(0, width, CHUNK):
        right = min(left + CHUNK, width)
        next_corners = borders[:, right - 1].copy()
        for top in range(0, height, LANES):
            start, stop = _columns_in_band(band[row + top : row + top + LANES], column, left, right)
            is_first = row + top == 0 and column + start == 0
            if start < stop:
                distances(X, strips, band, row + top, column + start, column + stop, cost)
                _skew(cost, stop - start, skewed)
            for w in range(len(weights)):
                border, side = borders[w, left:right], sides[w, top : top + LANES]
                corner_below = side[LANES - 1]
                _sweep_part(skewed, weights[w], is_first, corners[w], border, side, start - left, stop - left)
                corners[w] = corner_below
        corners[:] = next_corners


@kernel
def _sweep_part(
    skewed: Float32s,
    weights: Float64s,
    is_first: bool,
    corner: float,
    border: Float64s,
    side: Float64s,
    start: int,
    stop: int,
) -> None:
    """Run the recursion over the columns of a block that the band touches; beside them there is no way."""
    if start > 0:
        side[:] = np.inf
        corner = border[start - 1]
    if start < stop:
        three = (weights[0], weights[1], weights[2])
        _sweep_block(skewed, three, is_first, corner, border[start:stop], side, np.zeros((3, LANES + 1)))
    border[:start] = np.inf
    if stop < len(border):
        border[stop:] = np.inf
        side[:] = np.inf


@kernel
def step_codes(
    X: Float32s,
    strips: Float32s,
    band: Int64s,
    weights: Float64s,
    row: int,
    column: int,
    corner: float,
    border: Float64s,
    side: Float64s,
    steps: UInt8s,
    origins: Int64s,
) -> None:
    """Accumulate a tile plainly, and note the best step into every cell of the band in ``steps``.

    Arguments as for ``sweep_tile`` with one triple of weights. ``steps [shape=(at least tile rows, columns)]`` receives
    the codes, those of each LANES rows from the column ``origins [shape=(blocks,)]`` of the tile on.
    """
    height, width = side.shape[0], border.shape[0]
    cost = empty_block()
    for left in range(0, width, CHUNK):
        right = min(left + CHUNK, width)
        next_corner = border[right - 1]
        for top in range(0, height, LANES):
            edge = side[top : min(top + LANES, height)]
            corner_below = edge[-1]
            start, stop = _columns_in_band(band[row + top : row + top + LANES], column, left, right)
            if start > left:
                edge[:] = np.inf
                corner = border[start - 1]
            if start < stop:
                distances(X, strips, band, row + top, column + start, column + stop, cost)
                is_first = row + top == 0 and column + start == 0
                origin = origins[top // LANES]
                here = steps[top : top + len(edge), start - origin : stop - origin]
                _step_codes_of_block(cost, weights, is_first, corner, border[start:stop], edge, here)
            border[left:start] = np.inf
            if stop < right:
                border[stop:right] = np.inf
                edge[:] = np.inf
            corner = corner_below
        corner = next_corner


@kernel
def _step_codes_of_block(
    cost: Float32s,
    weights: Float64s,
    is_first: bool,
    corner: float,
    border: Float64s,
    side: Float64s,
    steps: UInt8s,
) -> None:
    """The same for one block. Sums are compared as they are rounded, and a later step must be strictly better."""
    for r in range(len(side)):
        diagonal_cell, left_cell = corner, side[r]
        corner = left_cell
        for j in range(len(border)):
            c = np.float64(cost[r, MARGIN + j])
            best, step = diagonal_cell + weights[0] * c, DIAGONAL
            across = left_cell + weights[2] * c
            if across < best:
                best, step = across, ACROSS
            down = border[j] + weights[1] * c
            if down < best:
                best, step = down, DOWN
            if is_first and r == 0 and j == 0:
                best = c
            steps[r, j] = step
            diagonal_cell, left_cell, border[j] = border[j], best, best
        side[r] = left_cell


@kernel
def walk_back(
    steps: UInt8s, origins: Int64s, row: int, column: int, i: int, j: int, path: Int64s, at: int
) -> tuple[int, int, int]:
    """Follow the steps of a tile from (i, j) until they leave it, filling ``path`` from ``at`` downwards.

    ``steps`` and ``origins`` are what ``step_codes`` wrote and was given. Returns the first cell outside the tile and
    the next free place in ``path``.
    """
    while i >= row and j >= column:
        path[at, 0], path[at, 1] = i, j
        at -= 1
        if i == 0 and j == 0:
            return -1, -1, at
        step = steps[i - row, j - column - origins[(i - row) // LANES]]
        if step != ACROSS:
            i -= 1
        if step != DOWN:
            j -= 1
    return i, j, at
