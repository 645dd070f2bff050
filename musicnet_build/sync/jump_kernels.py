"""The inner loops of the search for the playing order. No checks, no options: see :mod:`musicnet_build.sync.jumps`.

Words. A *state* is a frame of the score. A *gate* is a state at which a beat begins: passages are entered there, and
left in the frame just before it. Costs are in frames of the recording, of which each counts exactly once. Score that
no frame of the recording is laid on is charged for by how little it resembles what is heard when it is passed over.

    score  ▲                    ● ●
           │                  ●          1  jump: out of the frame before a gate, into another gate,
           │                ●            2  step: stay, or go on by a frame of the score,
           │- - - - - - -┌1●- - - gate   3  start: into any gate, out of the silence or applause before,
           │    ●        │               4  skip: over frames of the score, while the recording does not go on.
           │  ● ↖2    4↕● ●
      gate │3●- - - ● ● - - - - - gate
           └──────────────────────► recording
"""

from typing import NamedTuple

import numpy as np

from musicnet_build._typing import Float32s, Float64s, Int32s, Int64s, UInt8s
from musicnet_build.jit import kernel

STAY, STEP, SKIP, JUMP, START = 0, 1, 2, 3, 4
"""Codes of how a state was reached."""


class Rules(NamedTuple):
    """Where the search may go, and at what price in frames of the recording.

    Attributes
    ----------
    gates : int64 [shape=(g,)]
        States at which beats begin, strictly increasing from 0 on; the last one may be m: the end of the score.
    reach : int64 [shape=(g, 2)]
        For each gate: how many gates lie far enough before it to jump from, and the first gate far enough behind it.
    shortcuts : int64 [shape=(r, 2)]
        Gates left and entered by jumps that have a price of their own.
    ends : float64 [shape=(g, 3)]
        For each gate: price of entering it, of leaving at it, and of beginning or ending the recording there.
    stay, jump, width, shortcut, outside : float
        Price of staying on a frame of the score, of a jump, of each frame that it skips, of a shortcut, and of a frame
        before or behind the music.
    last_state : int
        First state in which the music may end at no price.
    """

    gates: Int64s
    reach: Int64s
    shortcuts: Int64s
    ends: Float64s
    stay: float
    jump: float
    width: float
    shortcut: float
    outside: Float64s
    last_state: int


class Tempi(NamedTuple):
    """What holds for straight paths at several tempi; prices as in ``Rules``.

    Attributes
    ----------
    states, last_states : int64 [shape=(tempi,)]
        How many states each tempo has, and the first in which the music may end.
    hops_s : float64 [shape=(tempi,)]
        Score seconds of a state.
    stay, change : float
        Price of staying, and of going on at another tempo.
    outside : float64 [shape=(rows of the recording + 1,)]
    """

    states: Int64s
    last_states: Int64s
    hops_s: Float64s
    stay: float
    change: float
    outside: Float64s


@kernel
def sweep(
    costs: Float32s,
    charges: Float32s,
    silent: Float32s,
    first_row: int,
    rows: int,
    total: Float64s,
    steps: UInt8s,
    sources: Int32s,
    rules: Rules,
    best_end: Float64s,
) -> None:
    """Advance the search over a block of recording frames.

    Parameters
    ----------
    costs, charges : float32 [shape=(rows of the block, m)]
        What it costs, in the recording frames of the block, to be in each score frame and to skip it.
    silent : float32 [shape=(rows of the block,)]
        How silent these frames are, from 0 to 1: what is laid on silence is not played.
    first_row, rows : int
        The recording frame of the block's first row, and how many there are in all.
    total : float64 [shape=(m,)]
        Cheapest cost so far of being in each state; changed in place.
    steps : uint8 [shape=(rows of the block, m)]
        How each state was reached; written.
    sources : int32 [shape=(rows of the block, gates)]
        For a jump into a gate: the gate left; written.
    rules : Rules
    best_end : float64 [shape=(3,)]
        Cheapest end so far: cost, row and state; changed in place.
    """
    before = np.empty_like(total)
    for row in range(len(costs)):
        i = first_row + row
        before[:] = total
        _step(before, rules.stay, charges[row], silent[row], total, steps[row])
        _jump(before, rules, total, steps[row], sources[row])
        _start(rules, rules.outside[i], total, steps[row])
        _lay(costs[row], charges[row], total, steps[row])
        _end(total, rules, rules.outside[rows] - rules.outside[i + 1], i, best_end)


@kernel
def _step(before: Float64s, stay: float, charges: Float32s, silent: np.float32, total: Float64s, steps: UInt8s) -> None:
    """Let every state stay, or go on by a frame of the score, whichever is cheaper."""
    total[0], steps[0] = before[0] + stay, STAY
    for j in range(1, len(total)):
        stays, goes_on = before[j] + stay, before[j - 1] + silent * charges[j]
        total[j], steps[j] = (stays, STAY) if stays < goes_on else (goes_on, STEP)


@kernel
def _lay(costs: Float32s, charges: Float32s, total: Float64s, steps: UInt8s) -> None:
    """Lay a frame of the recording on every state, and skip frames of the score from there where that is cheaper."""
    least = total[0] = total[0] + costs[0]
    for j in range(1, len(total)):
        laid, skipped = total[j] + costs[j], least + charges[j]
        # Without a branch, which would be foretold wrongly too often.
        least = skipped if skipped < laid else laid
        total[j], steps[j] = least, SKIP if skipped < laid else steps[j]


@kernel
def _jump(before: Float64s, rules: Rules, total: Float64s, steps: UInt8s, sources: Int32s) -> None:
    """Enter gates from afar, where that is cheaper.

    The price of a jump grows linearly with its width, so the cheapest gate to come from is a running minimum of
    (cost - width * gate) over the gates before, and of (cost + width * gate) over those behind.
    """
    gates, width, g = rules.gates, rules.width, len(rules.gates)
    leave = np.full(g, np.inf)
    for k in range(g):
        if gates[k] > 0:
            leave[k] = before[gates[k] - 1] + rules.ends[k, 1]
    at, k = -1, 0
    for target in range(g):
        while k < rules.reach[target, 0]:
            if at < 0 or leave[k] - width * gates[k] < leave[at] - width * gates[at]:
                at = k
            k += 1
        if at >= 0:
            price = rules.jump + rules.ends[target, 0] + width * (gates[target] - gates[at])
            _enter(target, at, leave[at] + price, rules, total, steps, sources)
    at, k = -1, g - 1
    for target in range(g - 1, -1, -1):
        while k >= rules.reach[target, 1]:
            if at < 0 or leave[k] + width * gates[k] < leave[at] + width * gates[at]:
                at = k
            k -= 1
        if at >= 0:
            price = rules.jump + rules.ends[target, 0] + width * (gates[at] - gates[target])
            _enter(target, at, leave[at] + price, rules, total, steps, sources)
    for e in range(len(rules.shortcuts)):
        at, target = rules.shortcuts[e]
        _enter(target, at, leave[at] + rules.shortcut, rules, total, steps, sources)


@kernel
def _enter(target: int, at: int, value: float, rules: Rules, total: Float64s, steps: UInt8s, sources: Int32s) -> None:
    j = rules.gates[target]
    if j < len(total) and value < total[j]:
        total[j], steps[j], sources[target] = value, JUMP, at


@kernel
def _start(rules: Rules, value: float, total: Float64s, steps: UInt8s) -> None:
    """Begin the music in this frame of the recording, at any gate."""
    for k in range(len(rules.gates)):
        j = rules.gates[k]
        price = rules.ends[k, 2] if k > 0 else 0.0
        if j < len(total) and value + price < total[j]:
            total[j], steps[j] = value + price, START


@kernel
def _end(total: Float64s, rules: Rules, rest: float, i: int, best_end: Float64s) -> None:
    """Remember the recording frame and the state in which the music ends most cheaply."""
    for j in range(rules.last_state, len(total)):
        if total[j] + rest < best_end[0]:
            best_end[0], best_end[1], best_end[2] = total[j] + rest, i, j
    for k in range(len(rules.gates)):
        j = rules.gates[k] - 1
        if 0 <= j < rules.last_state and total[j] + rules.ends[k, 2] + rest < best_end[0]:
            best_end[0], best_end[1], best_end[2] = total[j] + rules.ends[k, 2] + rest, i, j


@kernel
def sweep_straight(
    costs: Float32s,
    charges: Float32s,
    silent: Float32s,
    first_row: int,
    totals: Float64s,
    tempi: Tempi,
    best_end: float,
) -> float:
    """Advance straight paths, which know no jumps but may change their tempo, over a block of recording frames.

    Parameters
    ----------
    costs, charges : float32 [shape=(tempi, rows of the block, m)]
        As for ``sweep``, at each tempo; only its own states count.
    silent : float32 [shape=(rows of the block,)]
    first_row : int
    totals : float64 [shape=(tempi, m)]
        Cheapest cost so far of being in each state at each tempo; changed in place.
    tempi : Tempi
    best_end : float
        Cost of the cheapest end so far.

    Returns
    -------
    float
        The same behind this block.
    """
    before, no_steps = np.empty_like(totals), np.empty(totals.shape[1], np.uint8)
    outside = tempi.outside
    for row in range(len(silent)):
        i = first_row + row
        before[:] = totals
        for k in range(len(totals)):
            m = tempi.states[k]
            _step(before[k, :m], tempi.stay, charges[k, row, :m], silent[row], totals[k, :m], no_steps)
            totals[k, 0] = min(totals[k, 0], outside[i])
            _lay(costs[k, row, :m], charges[k, row, :m], totals[k, :m], no_steps)
        before[:] = totals
        for k in range(len(totals)):
            _change_tempo(before, k, tempi, totals[k])
            ends = totals[k, tempi.last_states[k] : tempi.states[k]]
            best_end = min(best_end, ends.min() + outside[-1] - outside[i + 1])
    return best_end


@kernel
def _change_tempo(before: Float64s, tempo: int, tempi: Tempi, total: Float64s) -> None:
    """Go on at this tempo where another one comes cheaper to the same place of the score."""
    for other in range(len(before)):
        if other == tempo:
            continue
        ratio = tempi.hops_s[tempo] / tempi.hops_s[other]
        for j in range(tempi.states[tempo]):
            at = min(int((j + 0.5) * ratio), tempi.states[other] - 1)
            total[j] = min(total[j], before[other, at] + tempi.change)


@kernel
def trace(
    steps: UInt8s,
    sources: Int32s,
    gates: Int64s,
    first_row: int,
    row: int,
    state: int,
    states: Int32s,
    entered: Int32s,
    left: Int32s,
) -> int:
    """Follow the codes of a block back from a state.

    Parameters
    ----------
    steps, sources, gates, first_row
        As for ``sweep``, which wrote them.
    row, state : int
        The recording frame, in this block, and the score frame to begin with.
    states : int32 [shape=(rows of the recording,)]
        Score frame in each recording frame; written.
    entered, left : int32 [shape=(rows of the recording,)]
        Where a frame was reached by a jump or is the first one, the gate entered; where by a jump, the gate left.
        Written there, untouched elsewhere.

    Returns
    -------
    int
        State before the first row of the block; -1 where the music begins in this block.
    """
    j = state
    for i in range(row, first_row - 1, -1):
        while steps[i - first_row, j] == SKIP:
            j -= 1
        states[i] = j
        code = steps[i - first_row, j]
        if code <= STEP:
            j -= code
            continue
        k = np.searchsorted(gates, j)
        entered[i] = k
        if code == START:
            return -1
        left[i] = sources[i - first_row, k]
        j = gates[left[i]] - 1
    return j


@kernel
def distances_from_products(products: Float32s, row_squares: Float32s, column_squares: Float32s) -> None:
    """Turn inner products into Euclidean distances, in place.

    Through x² + y² − 2xy, which is off by 0.01 for equal frames and four times as fast as direct differences: enough
    here, where frames of two different sounds are compared.
    """
    for i in range(len(products)):
        row = products[i]
        for j in range(len(row)):
            square = row_squares[i] + column_squares[j] - np.float32(2.0) * row[j]
            row[j] = np.sqrt(max(square, np.float32(0.0)))


@kernel
def costs_from_distances(
    distances: Float32s,
    charges: Float32s,
    weights: Float32s,
    low: Float32s,
    right: Float32s,
    scale: np.float32,
    skip: np.float32,
) -> None:
    """Turn distances into costs, in place, and write charges: what they are above those of a right place.

    A cost is (distance - low of the column) * scale * weight of the row; a charge (distance - right of the column) *
    scale * skip, and not less than 0.
    """
    for i in range(len(distances)):
        factor = scale * weights[i]
        for j in range(distances.shape[1]):
            charges[i, j] = max((distances[i, j] - right[j]) * scale * skip, np.float32(0.0))
            distances[i, j] = (distances[i, j] - low[j]) * factor
