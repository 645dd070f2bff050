"""The clock of labels against that of their recording: a constant offset and a drift, with intervals.

How late a label is, is its time minus that of what is heard, as everywhere in this package: positive is late. Of
labels whose clock drifts, that is ``offset_s + drift * (label - middle)``; in the middle of the labels the two faults
do not mix.

1. The offset is where the onset evidence of all labels together is largest (``offset_near``).
2. The line through that place which gathers most of it is searched on a grid, to drifts of ``MOST_DRIFT``.
3. Each label is looked for near the line, and a line is laid through what is found by iteratively reweighted least
   squares with the weights of Student's t, which wrong labels hardly move.
4. The line is laid again through blocks of ``BLOCK_S`` drawn at random (the block bootstrap): what all labels of a
   passage have in common, as those of an alignment do, does not make the intervals too narrow.
5. The interval of the drift is widened by what no bootstrap of one recording tells (``HEARD_APART_S``).

References
----------
Lange, Little and Taylor, "Robust statistical modeling using the t distribution", JASA 84, 1989. Künsch, "The jackknife
and the bootstrap for general stationary observations", Annals of Statistics 17, 1989.
"""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.checking.evidence import HOP_S, Evidence
from musicnet_build.notes import NoteTable

FURTHEST_S = 10.0
"""How far all labels together are looked for."""

REACH_S = 0.6
"""How far from there the line may lie at the ends of the labels, and single labels are looked for."""

MOST_DRIFT = 0.005
LOUD_LOGIT = 8.0  # what is more than clearly heard tells no more

BLOCK_S = 5.0
LEAST_NOTES = 8
"""Fewer labels tell nothing of a clock."""

HEARD_APART_S = 0.003
"""Notes an octave apart are heard a millisecond or more apart, and music changes from its beginning to its end: so
much, in 95 % of recordings, its ends are heard early or late against each other."""

_NEAR_S = 0.12
_WIDE_FRAMES = 6
_MOST_NOTES = 2000
_RESAMPLES = 200
_LEAST_BLOCKS = 8  # of a recording too short for that many blocks, each is shorter
_INTERVAL = (2.5, 97.5)
_FREEDOM = 2.0
_LEAST_SPREAD_S = 0.001


@dataclass(frozen=True)
class Clock:
    """How late labels are.

    Attributes
    ----------
    offset_s : float
        In the middle of the labels; positive where they are late.
    offset_interval_s : (float, float)
        95 % interval.
    drift_ppm : float
        By how many microseconds they get later each second.
    drift_interval_ppm : (float, float)
        95 % interval.
    middle_s : float
        The middle of the labels, on their own clock.
    spread_s : float
        Median distance of what is heard from the line.
    """

    offset_s: float
    offset_interval_s: tuple[float, float]
    drift_ppm: float
    drift_interval_ppm: tuple[float, float]
    middle_s: float
    spread_s: float

    def late_s(self, label_s: Float64s) -> Float64s:
        """Return how late labels at these times are."""
        return self.offset_s + 1e-6 * self.drift_ppm * (label_s - self.middle_s)


def measured_clock(evidence: Evidence, notes: NoteTable, seed: int = 0) -> Clock:
    """Return the offset and the drift of labels.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
        At least ``LEAST_NOTES``, in recording seconds.
    seed : int
        Of the resampling that the intervals come from.

    Returns
    -------
    Clock
    """
    label_s = notes["onset_s"]
    middle_s = float(label_s.min() + label_s.max()) / 2
    from_middle_s = label_s - middle_s
    line = _coarse_line(evidence, notes, from_middle_s)
    for _ in range(2):
        late_s, weight = _late_near(evidence, notes, line[0] + line[1] * from_middle_s)
        line, spread_s = _robust_line(from_middle_s, late_s, weight)
    low, high = np.percentile(_resampled_lines(from_middle_s, late_s, weight, seed), _INTERVAL, axis=0)
    heard_apart = HEARD_APART_S / max(float(np.ptp(label_s)), HOP_S)
    return Clock(
        offset_s=float(line[0]),
        offset_interval_s=(float(low[0]), float(high[0])),
        drift_ppm=float(1e6 * line[1]),
        drift_interval_ppm=(
            float(1e6 * (line[1] - np.hypot(line[1] - low[1], heard_apart))),
            float(1e6 * (line[1] + np.hypot(high[1] - line[1], heard_apart))),
        ),
        middle_s=middle_s,
        spread_s=spread_s,
    )


def offset_near(evidence: Evidence, notes: NoteTable, reach_s: float) -> tuple[float, float]:
    """Return how late labels are all together, to a frame, and the mean logit of them there.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
    reach_s : float
        How far they are looked for.

    Returns
    -------
    (float, float)
    """
    reach = round(reach_s / HOP_S)
    offsets = np.arange(-reach, reach + 1)
    few = _few(notes)
    heard = np.zeros(len(offsets))
    for part in np.array_split(few, max(1, len(few) // 100)):
        logits = evidence.logits(part["pitch"].astype(np.int64), part["onset_s"], offsets)
        heard += np.clip(logits, 0.0, LOUD_LOGIT).sum(axis=0)
    heard = np.convolve(heard, np.ones(3) / 3, mode="same") / max(len(few), 1)
    best = int(np.argmax(heard))
    return -float(offsets[best]) * HOP_S, float(heard[best])


def _few(notes: NoteTable) -> NoteTable:
    """Some of the notes, evenly spread, where there are very many."""
    few: NoteTable = notes[:: max(1, len(notes) // _MOST_NOTES)]
    return few


def _coarse_line(evidence: Evidence, notes: NoteTable, from_middle_s: Float64s) -> Float64s:
    """Offset and drift, to some frames at the ends, of the line that gathers most evidence."""
    offset_s, _ = offset_near(evidence, notes, FURTHEST_S)
    few, apart_s = _few(notes), from_middle_s[:: max(1, len(notes) // _MOST_NOTES)]
    reach = round(REACH_S / HOP_S)
    span = np.arange(-reach, reach + 1)
    logits = evidence.logits(few["pitch"].astype(np.int64), few["onset_s"] - offset_s, span)
    wide = np.clip(_widest(logits), 0.0, LOUD_LOGIT)
    half_s = max(float(np.abs(apart_s).max()), 1e-9)
    most_s = min(REACH_S / 2, MOST_DRIFT * half_s)
    steps = np.arange(-np.floor(most_s / (4 * HOP_S)), np.floor(most_s / (4 * HOP_S)) + 1) * 4 * HOP_S
    shifts = np.arange(-reach // 2, reach // 2 + 1, 2)
    best = max((_gathered(wide, shifts, apart_s * (end_s / half_s)), end_s) for end_s in steps)
    (_, shift), end_s = best
    return np.array([offset_s + shift * HOP_S, end_s / half_s])


def _widest(logits: Float64s) -> Float64s:
    """The largest logit within some frames: a line need not go exactly through what it gathers."""
    from scipy.ndimage import maximum_filter1d

    wide: Float64s = maximum_filter1d(logits, 2 * _WIDE_FRAMES + 1, axis=1)
    return wide


def _gathered(wide: Float64s, shifts: Int64s, late_s: Float64s) -> tuple[float, int]:
    """The most evidence that a line of some slope gathers, and how many frames late it then is."""
    middle = wide.shape[1] // 2
    columns = np.clip(middle - np.round(late_s / HOP_S).astype(np.int64)[:, None] - shifts, 0, wide.shape[1] - 1)
    total = np.take_along_axis(wide, columns, axis=1).sum(axis=0)
    # Among equals, which a wide maximum makes many of, the one in their middle.
    best = np.flatnonzero(total >= total.max() - 1e-9)
    return float(total[best[0]]), int(shifts[best[len(best) // 2]])


def _late_near(evidence: Evidence, notes: NoteTable, late_s: Float64s) -> tuple[Float64s, Float64s]:
    """How late each label is by what is heard nearest to where a line puts it, and how clear that is."""
    reach = round(_NEAR_S / HOP_S)
    span = np.arange(-reach, reach + 1)
    expected_s = notes["onset_s"] - late_s
    logits = evidence.logits(notes["pitch"].astype(np.int64), expected_s, span)
    mass = np.exp(logits - logits.max(axis=1, keepdims=True))
    mass /= mass.sum(axis=1, keepdims=True)
    columns = np.clip(np.argmax(mass, axis=1)[:, None] + np.arange(-3, 4), 0, len(span) - 1)
    around = np.take_along_axis(mass, columns, axis=1)
    frames = np.sum(around * span[columns], axis=1) / around.sum(axis=1)
    heard_s = (np.round(expected_s / HOP_S) + frames) * HOP_S
    return notes["onset_s"] - heard_s, np.clip(around.sum(axis=1), 1e-3, 1.0)


def _robust_line(x: Float64s, y: Float64s, weight: Float64s) -> tuple[Float64s, float]:
    """Intercept and slope, and the median distance from the line."""
    lines, spread = _lines(x, y, weight[None])
    return lines[0], float(spread[0])


def _lines(x: Float64s, y: Float64s, weights: Float64s) -> tuple[Float64s, Float64s]:
    """For each row of weights a line by iteratively reweighted least squares, and the median distance from it."""
    current = weights.copy()
    for _ in range(25):
        total = current.sum(axis=1)
        mean_x, mean_y = (current @ x) / total, (current @ y) / total
        variance = (current @ (x * x)) / total - mean_x**2
        covariance = (current @ (x * y)) / total - mean_x * mean_y
        slope = covariance / np.maximum(variance, 1e-12)
        offset = mean_y - slope * mean_x
        apart = np.abs(y - offset[:, None] - slope[:, None] * x)
        spread = np.maximum(_medians(apart, weights), _LEAST_SPREAD_S)
        current = weights * (_FREEDOM + 1) / (_FREEDOM + (apart / spread[:, None]) ** 2)
    return np.stack([offset, slope], axis=1), spread


def _medians(values: Float64s, weights: Float64s) -> Float64s:
    """The weighted median of each row."""
    order = np.argsort(values, axis=1)
    heaped = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    at = np.argmax(heaped >= heaped[:, -1:] / 2, axis=1)
    medians: Float64s = np.take_along_axis(values, np.take_along_axis(order, at[:, None], axis=1), axis=1)[:, 0]
    return medians


def _resampled_lines(x: Float64s, y: Float64s, weight: Float64s, seed: int) -> Float64s:
    """Lines through blocks drawn at random [resamples, 2]."""
    block_s = max(min(BLOCK_S, float(np.ptp(x)) / _LEAST_BLOCKS), HOP_S)
    _, block = np.unique(np.floor((x - x.min()) / block_s), return_inverse=True)
    blocks = int(block.max()) + 1
    random = np.random.default_rng(seed)
    counts = random.multinomial(blocks, np.full(blocks, 1 / blocks), size=_RESAMPLES)
    return np.concatenate([_lines(x, y, part[:, block] * weight)[0] for part in np.array_split(counts, 20)])
