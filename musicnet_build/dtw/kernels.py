"""Numba kernels of exact DTW: dumb loops over arrays, without options and without checks.

What belongs here is arithmetic on one tile of the cost matrix. Validation, the choice of tiles, threads and memory
live in :mod:`musicnet_build.dtw.exact`.

How a tile is computed
----------------------
A tile is cut into blocks of ``LANES`` rows by ``CHUNK`` columns, small enough that everything about a block stays in
cache. A block takes three passes, each of which a compiler turns into vector instructions by itself:

1. *Distances*, four rows at a time. The columns' features are stored transposed, ``Yt [d, n]``, so a loop over columns
   reads and writes contiguous memory. Each turn adds five dimensions at once: 4 rows × 5 dimensions stay in registers
   and every value loaded from ``Yt`` serves four rows::

                     Yt[k]    ─────────────────▶ columns
                     Yt[k+1]  ─────────────────▶
                       ⋮
        X[i]   ● ● ● ● ●      cost[0] += Σ₅ (x − y)²
        X[i+1] ● ● ● ● ●      cost[1] += Σ₅ (x − y)²
        X[i+2] ● ● ● ● ●      cost[2] += Σ₅ (x − y)²
        X[i+3] ● ● ● ● ●      cost[3] += Σ₅ (x − y)²

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

Reproducibility: a cell's distance is the same chain of additions, and its recursion the same float64 operations,
wherever block and tile borders fall, so path and cost depend neither on the memory plan nor on the number of threads.
Sums are never reordered. The one liberty given to the compiler is to fuse ``a + d * d`` into one instruction where the
processor has it; the chain leaves a single way to do so, in vector loops and in their remainders alike.
"""

import numpy as np

from musicnet_build._typing import Float32s, Float64s, Int64s, UInt8s
from musicnet_build.jit import Function, kernel

LANES = 32
"""Rows of a block; tile heights are multiples of it."""

CHUNK = 512
"""Columns of a block."""

ROWS_AT_ONCE = 4
DIMENSIONS_AT_ONCE = 5

DIAGONAL, ACROSS, DOWN = 0, 1, 2
"""Codes of the steps (1, 1), (0, 1) and (1, 0), in the order in which ties are broken."""

Weights = tuple[float, float, float]
Five = tuple[np.float32, np.float32, np.float32, np.float32, np.float32]


def _fused_kernel(function: Function) -> Function:
    """A kernel in which ``a + d * d`` may become one fused instruction."""
    return kernel(function, fastmath={"contract"})


@kernel
def _five(x: Float32s, k: int) -> Five:
    return x[k], x[k + 1], x[k + 2], x[k + 3], x[k + 4]


@_fused_kernel
def _add_five_squares(total: np.float32, x: Five, y: Five) -> np.float32:
    """Add squared differences one by one: never x² + y² − 2xy, which is not 0 for equal frames."""
    d0, d1, d2, d3, d4 = x[0] - y[0], x[1] - y[1], x[2] - y[2], x[3] - y[3], x[4] - y[4]
    total = total + d0 * d0
    total = total + d1 * d1
    total = total + d2 * d2
    total = total + d3 * d3
    return total + d4 * d4


@_fused_kernel
def _add_squares(X: Float32s, Yt: Float32s, row: int, start: int, stop: int, k: int, cost: Float32s) -> None:
    """Add dimensions k to k + 4 of four rows against columns start to stop."""
    a, b, c, d = _five(X[row], k), _five(X[row + 1], k), _five(X[row + 2], k), _five(X[row + 3], k)
    cost_a, cost_b, cost_c, cost_d = cost[0], cost[1], cost[2], cost[3]
    y0, y1, y2 = Yt[k, start:stop], Yt[k + 1, start:stop], Yt[k + 2, start:stop]
    y3, y4 = Yt[k + 3, start:stop], Yt[k + 4, start:stop]
    for j in range(stop - start):
        y = (y0[j], y1[j], y2[j], y3[j], y4[j])
        cost_a[j] = _add_five_squares(cost_a[j], a, y)
        cost_b[j] = _add_five_squares(cost_b[j], b, y)
        cost_c[j] = _add_five_squares(cost_c[j], c, y)
        cost_d[j] = _add_five_squares(cost_d[j], d, y)


@kernel
def distances(X: Float32s, Yt: Float32s, band: Int64s, row: int, start: int, stop: int, cost: Float32s) -> None:
    """Fill ``cost [LANES, CHUNK]`` with distances of LANES rows to columns start..stop; infinite outside the band."""
    width = stop - start
    for r in range(0, LANES, ROWS_AT_ONCE):
        rows = cost[r : r + ROWS_AT_ONCE]
        rows[:, :width] = 0.0
        for k in range(0, X.shape[1], DIMENSIONS_AT_ONCE):
            _add_squares(X, Yt, row + r, start, stop, k, rows)
    for r in range(LANES):
        for j in range(width):
            cost[r, j] = np.sqrt(cost[r, j])
        first, last = band[row + r, 0] - start, band[row + r, 1] - start
        cost[r, : min(max(first, 0), width)] = np.inf
        cost[r, min(max(last, 0), width) : width] = np.inf


@kernel
def _skew(cost: Float32s, width: int, skewed: Float32s) -> None:
    """Lay anti-diagonals side by side. Places beside the block keep any value: no result depends on them."""
    for s in range(width + LANES - 1):
        if LANES - 1 <= s < width:
            for r in range(LANES):
                skewed[s, r] = cost[r, s - r]
        else:
            for r in range(max(0, s - width + 1), min(LANES, s + 1)):
                skewed[s, r] = cost[r, s - r]


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
def sweep_tile(
    X: Float32s,
    Yt: Float32s,
    band: Int64s,
    weights: Weights,
    row: int,
    column: int,
    corner: float,
    border: Float64s,
    side: Float64s,
) -> None:
    """Accumulate one tile whose first cell is (row, column).

    Parameters
    ----------
    X [shape=(rows, d)], Yt [shape=(d, columns)] : float32
        Features, d a multiple of five, rows a multiple of LANES.
    band [shape=(rows, 2)] : int64
        Half-open column range of every row.
    weights : three floats
        Of the steps (1, 1), (1, 0), (0, 1).
    row, column : int
        First cell of the tile.
    corner : float
        Accumulated cost at (row - 1, column - 1).
    border [shape=(tile columns,)], side [shape=(tile rows,)] : float64, changed in place
        Accumulated cost of the row above and the column left of the tile; on return of its last row and last column.
    """
    height, width = side.shape[0], border.shape[0]
    cost = np.empty((LANES, CHUNK), dtype=np.float32)
    skewed = np.empty((CHUNK + LANES, LANES), dtype=np.float32)
    lanes = np.zeros((3, LANES + 1))
    for left in range(0, width, CHUNK):
        right = min(left + CHUNK, width)
        next_corner = border[right - 1]
        for top in range(0, height, LANES):
            edge = side[top : top + LANES]
            corner_below = edge[LANES - 1]
            rows = band[row + top : row + top + LANES]
            start = min(max(rows[:, 0].min() - column, left), right)
            stop = max(min(rows[:, 1].max() - column, right), left)
            if start > left:  # the band begins inside this block
                edge[:] = np.inf
                corner = border[start - 1]
            if start < stop:
                is_first = row + top == 0 and column + start == 0
                distances(X, Yt, band, row + top, column + start, column + stop, cost)
                _skew(cost, stop - start, skewed)
                _sweep_block(skewed, weights, is_first, corner, border[start:stop], edge, lanes)
            border[left:start] = np.inf
            if stop < right:  # the band ends inside this block
                border[stop:right] = np.inf
                edge[:] = np.inf
            corner = corner_below
        corner = next_corner


@kernel
def step_codes(
    X: Float32s,
    Yt: Float32s,
    band: Int64s,
    weights: Weights,
    row: int,
    column: int,
    corner: float,
    border: Float64s,
    side: Float64s,
    steps: UInt8s,
) -> None:
    """Accumulate a tile again, plainly, and note the best step into every cell in ``steps``.

    Arguments as for ``sweep_tile``; ``steps [shape=(at least tile rows, at least tile columns)]`` receives the codes.
    Sums are compared as they are rounded, and a later step must be strictly better.
    """
    height, width = side.shape[0], border.shape[0]
    cost = np.empty((LANES, CHUNK), dtype=np.float32)
    for chunk in range(0, width, CHUNK):
        stop = min(chunk + CHUNK, width)
        next_corner = border[stop - 1]
        for block in range(0, height, LANES):
            distances(X, Yt, band, row + block, column + chunk, column + stop, cost)
            for r in range(block, min(block + LANES, height)):
                diagonal_cell, left_cell = corner, side[r]
                corner = left_cell
                for j in range(chunk, stop):
                    c = np.float64(cost[r - block, j - chunk])
                    best, step = diagonal_cell + weights[0] * c, DIAGONAL
                    across = left_cell + weights[2] * c
                    if across < best:
                        best, step = across, ACROSS
                    down = border[j] + weights[1] * c
                    if down < best:
                        best, step = down, DOWN
                    if row + r == 0 and column + j == 0:
                        best = c
                    steps[r, j] = step
                    diagonal_cell, left_cell, border[j] = border[j], best, best
                side[r] = left_cell
        corner = next_corner


@kernel
def walk_back(steps: UInt8s, row: int, column: int, i: int, j: int, path: Int64s, at: int) -> tuple[int, int, int]:
    """Follow the steps of a tile from (i, j) until they leave it, filling ``path`` from ``at`` downwards.

    Returns the first cell outside the tile and the next free place in ``path``.
    """
    while i >= row and j >= column:
        path[at, 0], path[at, 1] = i, j
        at -= 1
        if i == 0 and j == 0:
            return -1, -1, at
        step = steps[i - row, j - column]
        if step != ACROSS:
            i -= 1
        if step != DOWN:
            j -= 1
    return i, j, at
