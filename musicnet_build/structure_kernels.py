"""The inner loop of the search for the playing order. No checks, no options: see :mod:`musicnet_build.structure`.

Words. A *state* is a score frame. A *gate* is a state at which a beat begins: passages are entered there, and left in
the frames just before it. Costs are in frames of the recording, of which each counts exactly once.
"""

import numba
import numpy as np

JUMP, START = 4, 5
"""Codes of how a state was reached, besides 0 to 3: by how many score frames it was advanced."""

EXIT_REACH = 3
"""A passage that ends at a gate may be left from this many frames: a path of steps up to 3 cannot miss them all."""


@numba.njit(cache=True, nogil=True)
def sweep(costs, first_row, rows, total, straight, steps, sources, gates, reach, penalties, pace, jump, outside, ends):
    """Advance the search over a block of recording frames.

    Parameters
    ----------
    costs : float32 [rows, m]
        Cost of each score frame in the recording frames of the block.
    first_row : int
        The recording frame of the block's first row.
    rows : int
        Number of recording frames in all.
    total, straight : float64 [m]
        Cheapest cost so far of being in each state, with and without jumps; changed in place.
    steps : uint8 [rows of the block, m]
        How each state was reached; written.
    sources : int32 [rows of the block, gates]
        For a jump into a gate: 4 * gate left + frames before it; written.
    gates : int64 [g]
        States where beats begin, strictly increasing; the last one may be m: the end of the score.
    reach : int64 [g, 2]
        For each gate: how many gates lie far enough before it, and the first gate far enough behind it.
    penalties : float64 [g, 3]
        For each gate: of entering, of leaving, and of beginning or ending the recording there.
    pace : float64 [4]
        Penalty of advancing the score by 0, 1, 2 or 3 frames.
    jump : float64 [2]
        Penalty of a jump, and of a jump for each frame of its width.
    outside : float64 [2]
        Cost of a recording frame before or behind the music; first state at which the music may end at no cost.
    ends : float64 [4]
        Cheapest end: cost, row, state, and cost without jumps; changed in place.
    """
    m, g = len(total), len(gates)
    new_total, new_straight = np.empty(m), np.empty(m)
    leave = np.empty(g)
    leave_from = np.empty(g, dtype=np.int32)
    before, before_from = np.empty(g), np.empty(g, dtype=np.int32)
    behind, behind_from = np.empty(g), np.empty(g, dtype=np.int32)
    last_free = int(outside[1])
    for row in range(len(costs)):
        i = first_row + row
        for j in range(m):
            best, code = total[j] + pace[0], 0
            plain = straight[j] + pace[0]
            for s in range(1, min(j, 3) + 1):
                value = total[j - s] + pace[s]
                if value < best:
                    best, code = value, s
                plain = min(plain, straight[j - s] + pace[s])
            new_total[j], new_straight[j], steps[row, j] = best, plain, code
        _leaving(total, gates, penalties, leave, leave_from)
        _running_minima(leave, gates, jump[1], before, before_from, behind, behind_from)
        for k in range(g):
            j = gates[k]
            if j >= m:
                continue
            far = jump[0] + penalties[k, 0]
            if reach[k, 0] > 0:
                x = reach[k, 0] - 1
                value = before[x] + jump[1] * j + far
                if value < new_total[j]:
                    new_total[j], steps[row, j] = value, JUMP
                    sources[row, k] = 4 * before_from[x] + leave_from[before_from[x]]
            if reach[k, 1] < g:
                x = reach[k, 1]
                value = behind[x] - jump[1] * j + far
                if value < new_total[j]:
                    new_total[j], steps[row, j] = value, JUMP
                    sources[row, k] = 4 * behind_from[x] + leave_from[behind_from[x]]
            value = outside[0] * i + (penalties[k, 2] if j > 0 else 0.0)
            if value < new_total[j]:
                new_total[j], steps[row, j] = value, START
        new_straight[0] = min(new_straight[0], outside[0] * i)
        for j in range(m):
            total[j] = new_total[j] + costs[row, j]
            straight[j] = new_straight[j] + costs[row, j]
        _note_ends(total, straight, gates, penalties, last_free, outside[0] * (rows - 1 - i), i, ends)


@numba.njit(cache=True, nogil=True)
def _leaving(total, gates, penalties, leave, leave_from):
    """Cheapest way to have just left a passage at each gate, and how many frames before the gate that was."""
    m = len(total)
    for k in range(len(gates)):
        leave[k], leave_from[k] = np.inf, 1
        for d in range(1, EXIT_REACH + 1):
            j = gates[k] - d
            if 0 <= j < m and total[j] + penalties[k, 1] < leave[k]:
                leave[k], leave_from[k] = total[j] + penalties[k, 1], d


@numba.njit(cache=True, nogil=True)
def _running_minima(leave, gates, width, before, before_from, behind, behind_from):
    """Prefix minima of leave - width * gate, suffix minima of leave + width * gate, and where they lie."""
    g = len(gates)
    low, at = np.inf, 0
    for k in range(g):
        if leave[k] - width * gates[k] < low:
            low, at = leave[k] - width * gates[k], k
        before[k], before_from[k] = low, at
    low, at = np.inf, g - 1
    for k in range(g - 1, -1, -1):
        if leave[k] + width * gates[k] < low:
            low, at = leave[k] + width * gates[k], k
        behind[k], behind_from[k] = low, at


@numba.njit(cache=True, nogil=True)
def _note_ends(total, straight, gates, penalties, last_free, rest, i, ends):
    """Remember the recording frame and state in which the music ends most cheaply."""
    m = len(total)
    for j in range(last_free, m):
        if total[j] + rest < ends[0]:
            ends[0], ends[1], ends[2] = total[j] + rest, i, j
        ends[3] = min(ends[3], straight[j] + rest)
    for k in range(len(gates)):
        for d in range(1, EXIT_REACH + 1):
            j = gates[k] - d
            if 0 <= j < last_free and total[j] + penalties[k, 2] + rest < ends[0]:
                ends[0], ends[1], ends[2] = total[j] + penalties[k, 2] + rest, i, j


@numba.njit(cache=True, nogil=True)
def finish(products, row_squares, column_squares, low, scale, ceiling):
    """Turn inner products into costs, in place: (distance - low of the column) * scale, no more than the ceiling."""
    two, zero = np.float32(2.0), np.float32(0.0)
    for i in range(len(products)):
        row = products[i]
        for j in range(len(row)):
            square = max(row_squares[i] + column_squares[j] - two * row[j], zero)
            row[j] = min((np.sqrt(square) - low[j]) * scale, ceiling)


@numba.njit(cache=True, nogil=True)
def trace(steps, sources, gates, first_row, row, state, states, entered, left):
    """Follow the codes of a block back from a state.

    Parameters
    ----------
    steps, sources, gates, first_row
        As ``sweep`` wrote them.
    row, state : int
        The recording frame, in this block, and the score frame to begin with.
    states : int32 [rows of the recording]
        Score frame in each recording frame; written.
    entered, left : int32 [rows of the recording]
        Where a frame was reached by a jump or is the first one, the gate entered; where by a jump, the gate left;
        -1 elsewhere. Written.

    Returns
    -------
    int
        State before the first row of the block; -1 where the music begins in this block.
    """
    j = state
    for i in range(row, first_row - 1, -1):
        states[i] = j
        code = steps[i - first_row, j]
        if code < JUMP:
            j -= code
            continue
        k = np.searchsorted(gates, j)
        entered[i] = k
        if code == START:
            return -1
        source = sources[i - first_row, k]
        left[i] = source // 4
        j = gates[left[i]] - source % 4
    return j
