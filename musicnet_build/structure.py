"""In which order was the score played? Features of a recording and a score in, a playing order out.

Performers leave out a repeat, add one, or begin after the introduction, and an aligner that knows no jumps smears a
minute of notes over a second. Here a Viterbi search on a coarse grid walks through the score as the recording goes
on; it may advance the score by nothing to three frames at a time, and, at a price, leave it at any beat and go on at
any other. docs/algorithms.md explains the search, its prices, and what each of them is worth.

What belongs here: the search, and what it finds. Turning a playing order into a score, into words, or reading one that
a user wrote is the business of :mod:`musicnet_build.playing_order`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build import structure_kernels as kernels
from musicnet_build.errors import AlignmentError
from musicnet_build.playing_order import TOLERANCE_BEATS, BeatGrid, PlayingOrder, Span, beat_grid, same_music
from musicnet_build.score import Score
from musicnet_build.spectra import Features

Floats = NDArray[np.float64]

_BLOCK_ROWS = 128
_SILENCE = (0.1, 0.4)


@dataclass(frozen=True)
class Prices:
    """What the search charges, in seconds of the recording unless said otherwise.

    A second is what a recording frame costs more when it is laid on the wrong place of the score, times the frames of
    a second.

    Attributes
    ----------
    jump_s : float
        A jump.
    width : float
        Each second of the score that is jumped over, forwards or backwards.
    offbeat_s : float
        Each end of a jump that is no downbeat.
    free_end_s : float
        Beginning or ending the recording elsewhere than at the beginning or end of the score.
    outside : float
        A recording frame before or behind the music, in frames.
    pace : tuple of float
        Advancing the score by 0, 1, 2, 3 frames, in frames.
    shortest_s : float
        Jumps over less of the score are not considered.
    tempi : tuple of float
        Tempi to try, as factors of the one at which score and recording have the same length.
    """

    jump_s: float = 3.0
    width: float = 0.01
    offbeat_s: float = 0.3
    free_end_s: float = 2.5
    outside: float = 0.0
    pace: tuple[float, float, float, float] = (0.5, 0.0, 0.2, 0.8)
    shortest_s: float = 4.0
    tempi: tuple[float, ...] = (0.6, 0.77, 1.0, 1.3, 1.67)
    ceiling: float = 10.0


PRICES = Prices()


def find_playing_order(
    score: Score,
    score_features: Features,
    score_frames_s: Floats,
    recording_features: Features,
    recording_frames_s: Floats,
    prices: Prices = PRICES,
) -> PlayingOrder:
    """Find the order in which the passages of a score are played in a recording.

    Parameters
    ----------
    score : Score
        For its beats and measures, at which jumps are possible.
    score_features : ndarray of float32 [shape=(frames of the score, d)]
        Of the score as rendered.
    score_frames_s : ndarray of float64 [shape=(frames of the score,)]
        Score seconds on which these frames are centred, evenly spaced.
    recording_features : ndarray of float32 [shape=(frames of the recording, d)]
    recording_frames_s : ndarray of float64 [shape=(frames of the recording,)]
        Recording seconds on which they are centred, evenly spaced.
    prices : Prices
        What the search charges.

    Returns
    -------
    PlayingOrder
        One span from the first beat to the last where the score is played as written.

    Raises
    ------
    AlignmentError
        When features and times do not fit together.
    """
    _check(score_features, score_frames_s, "score")
    _check(recording_features, recording_frames_s, "recording")
    if score_features.shape[1] != recording_features.shape[1]:
        raise AlignmentError("score and recording must have the same number of features a frame.")
    basis = _basis(score_features, recording_features)
    if basis is not None:
        score_features, recording_features = score_features @ basis, recording_features @ basis
    recording = _recording_grid(recording_features, recording_frames_s)
    ratio = score.duration_s / (len(recording.features) * recording.hop_s)
    attempts = [
        _Attempt(score, score_features, score_frames_s, recording, ratio, tempo, prices) for tempo in prices.tempi
    ]
    best = min(attempts, key=lambda attempt: attempt.cost)
    straight = min(attempt.straight_cost for attempt in attempts)
    order = best.order()
    if len(order.spans) == 1 and best.is_whole(order.spans[0]):
        return order
    return replace(order, margin_s=(straight - best.cost) * recording.hop_s)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Features on the grid of the search; frame k spans the seconds from start_s + k * hop_s on."""

    features: Features
    start_s: float
    hop_s: float


class _Attempt:
    """The search at one tempo: its cost, and on demand the order that it found."""

    def __init__(
        self,
        score: Score,
        score_features: Features,
        score_frames_s: Floats,
        recording: _Grid,
        ratio: float,
        tempo: float,
        prices: Prices,
    ) -> None:
        self._score, self._recording, self._prices = score, recording, prices
        self._ratio, self._tempo = ratio, tempo
        hop_s = ratio * tempo * recording.hop_s
        frames = max(1, int(np.ceil(score.duration_s / hop_s)))
        self._grid = _Grid(_pooled(score_features, score_frames_s, 0.0, hop_s, frames), 0.0, hop_s)
        self._candidates = beat_grid(score)
        self._gates, self._kept = np.unique(
            np.minimum(np.round(self._candidates.seconds / hop_s).astype(np.int64), frames), return_index=True
        )
        self._sweep = _Sweep(self._costs(), self._gates, *self._tables())
        self.cost, self.straight_cost = self._sweep.cost, self._sweep.straight_cost

    def is_whole(self, span: Span) -> bool:
        """Whether a span is the whole score."""
        return span.start_beats == self._candidates.beats[0] and span.end_beats == self._candidates.beats[-1]

    def order(self) -> PlayingOrder:
        """Return the order of the cheapest path, every jump at its canonical place."""
        states, entered, left, end_gate = self._sweep.path()
        beats = self._candidates.beats[self._kept]
        rows = np.flatnonzero(entered >= 0)
        ends = [*(left[row] for row in rows[1:]), end_gate]
        passages = [
            _Passage(
                Span(float(beats[entered[row]]), float(beats[end]), self._seconds_of(row)),
                states[row:stop] * self._grid.hop_s,
                self._seconds_of(np.arange(row, row + len(states[row:stop]))),
            )
            for row, stop, end in zip(rows, [*rows[1:], self._sweep.end_row + 1], ends, strict=True)
        ]
        for k in range(len(passages) - 1):
            passages[k], passages[k + 1] = _canonical(self._score, self._candidates, passages[k], passages[k + 1])
        return PlayingOrder(tuple(passage.span for passage in passages), 0.0)

    def _seconds_of(self, row: NDArray[np.int64] | int) -> Any:
        """Recording seconds at which a row of the grid begins."""
        return self._recording.start_s + row * self._recording.hop_s

    def _tables(self) -> tuple[NDArray[np.int64], Floats, Floats, Floats, Floats]:
        """Reach, penalties, pace, jump and outside, as the kernel wants them: in frames of the recording."""
        prices, hop_s = self._prices, self._recording.hop_s
        second = 1.0 / hop_s
        shortest = prices.shortest_s * self._ratio / self._grid.hop_s  # in frames of the score
        reach = np.stack(
            [
                np.searchsorted(self._gates, self._gates - shortest, side="right"),
                np.searchsorted(self._gates, self._gates + shortest, side="left"),
            ],
            axis=1,
        )
        offbeat = np.where(self._candidates.is_downbeat[self._kept], 0.0, prices.offbeat_s * second)
        penalties = np.stack([offbeat, offbeat, np.full(len(offbeat), prices.free_end_s * second)], axis=1)
        penalties[-1, 1:] = 0.0
        last_onset = int(self._score.notes["onset_s"].max() / self._grid.hop_s)
        jump = np.array([prices.jump_s * second, prices.width * self._tempo])
        outside = np.array([prices.outside, min(last_onset, len(self._grid.features) - 1)])
        return reach.astype(np.int64), penalties, np.array(prices.pace), jump, outside

    def _costs(self) -> "_Costs":
        return _Costs(self._recording.features, self._grid.features, self._prices.ceiling)


@dataclass(frozen=True, eq=False)
class _Passage:
    """A span, and when the recording is where in it: score seconds and recording seconds along the path."""

    span: Span
    score_s: Floats
    recording_s: Floats

    def recording_at(self, score_s: float) -> float:
        """When the recording reaches a place of the score."""
        at = int(np.searchsorted(self.score_s, score_s))
        return float(self.recording_s[min(at, len(self.recording_s) - 1)])


def _canonical(score: Score, grid: BeatGrid, first: _Passage, second: _Passage) -> tuple[_Passage, _Passage]:
    """Move a jump to the place that stands for all those between which no listener could tell.

    Where the same music stands before both ends of a jump, it may as well be made earlier; where it stands behind both,
    later. Of all such places the first whose ends are both downbeats is taken, or else the first.
    """
    places = [
        *reversed(list(_places(score, grid, first.span, second.span, -1))),
        (first.span.end_beats, second.span.start_beats),
        *_places(score, grid, first.span, second.span, 1),
    ]
    downbeats = grid.beats[grid.is_downbeat]
    on_downbeats = (place for place in places if np.abs(downbeats[:, None] - place).min(axis=0).max() < TOLERANCE_BEATS)
    end, start = next(on_downbeats, places[0])
    moved = start - second.span.start_beats
    if moved < 0:
        recording_s = first.recording_at(float(score.tempo_map.seconds_at(end)))
    else:
        recording_s = second.recording_at(float(score.tempo_map.seconds_at(start)))
    return (
        replace(first, span=replace(first.span, end_beats=end)),
        replace(second, span=replace(second.span, start_beats=start, recording_start_s=recording_s)),
    )


def _places(score: Score, grid: BeatGrid, first: Span, second: Span, step: int) -> Iterator[tuple[float, float]]:
    """The places before (step -1) or behind (+1) a jump to which it can be moved, beat by beat, nearest first."""
    end, start = first.end_beats, second.start_beats
    at = int(np.searchsorted(grid.beats, end - TOLERANCE_BEATS)) + step
    while 0 <= at < len(grid.beats):
        move = float(grid.beats[at]) - end
        inside = first.start_beats < end + move and start + move < second.end_beats
        if not (
            inside and start + move >= 0.0 and same_music(score, end + min(move, 0), start + min(move, 0), abs(move))
        ):
            return
        end, start, at = end + move, start + move, at + step
        yield end, start


class _Costs:
    """What it costs to lay each frame of the recording on each frame of the score, a block of rows at a time.

    A distance says little by itself: some frames of a score (a soft chord, a rest) are near to everything. So each
    frame of the score is measured against its own 20 % quantile over the recording, and the unit is what a right
    place gains over a middling one.
    """

    def __init__(self, rows: Features, columns: Features, ceiling: float) -> None:
        self._rows, self._columns, self._ceiling = rows, np.ascontiguousarray(columns.T), np.float32(ceiling)
        self._row_squares = np.square(rows).sum(axis=1)
        self._column_squares = np.square(columns).sum(axis=1)
        self._weights = np.clip((np.sqrt(self._row_squares) - _SILENCE[0]) / (_SILENCE[1] - _SILENCE[0]), 0.0, 1.0)
        nothing, one = np.zeros(len(columns), dtype=np.float32), np.float32(1.0)
        sample = rows[:: max(1, len(rows) // 400)]
        squares = self._row_squares[:: max(1, len(rows) // 400)]
        distances = sample @ self._columns
        kernels.finish(distances, squares, self._column_squares, nothing, one, np.float32(np.inf))
        self._low = np.partition(distances, len(distances) // 5, axis=0)[len(distances) // 5]
        step = max(1, len(columns) // 100)
        distances = rows @ np.ascontiguousarray(self._columns[:, ::step])
        kernels.finish(
            distances, self._row_squares, self._column_squares[::step].copy(), nothing, one, np.float32(np.inf)
        )
        unit = np.median(np.partition(distances, len(rows) // 2, axis=0)[len(rows) // 2] - distances.min(axis=0))
        self._unit = np.float32(max(float(unit), 1e-6))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def columns(self) -> int:
        """How many frames the score has."""
        return self._columns.shape[1]

    def block(self, first: int) -> Features:
        """Costs of up to ``_BLOCK_ROWS`` frames of the recording from ``first`` on."""
        rows = slice(first, min(first + _BLOCK_ROWS, len(self._rows)))
        costs: Features = self._rows[rows] @ self._columns
        kernels.finish(
            costs, self._row_squares[rows], self._column_squares, self._low, np.float32(1.0) / self._unit, self._ceiling
        )
        costs *= self._weights[rows][:, None]
        return costs


class _Sweep:
    """The search itself. It keeps the state of every 128th row, and does a block again where a path is asked for."""

    def __init__(
        self,
        costs: _Costs,
        gates: NDArray[np.int64],
        reach: NDArray[np.int64],
        penalties: Floats,
        pace: Floats,
        jump: Floats,
        outside: Floats,
    ) -> None:
        self._costs, self._gates = costs, gates
        self._prices = (reach, penalties, pace, jump, outside)
        self._steps = np.empty((_BLOCK_ROWS, costs.columns), dtype=np.uint8)
        self._sources = np.empty((_BLOCK_ROWS, len(gates)), dtype=np.int32)
        total = np.full(costs.columns, np.inf)
        straight = total.copy()
        self._checkpoints = []
        ends = np.array([np.inf, -1.0, -1.0, np.inf])
        for first in range(0, len(costs), _BLOCK_ROWS):
            self._checkpoints.append(total.copy())
            self._advance(first, total, straight, ends)
        self.cost, self.end_row, self._end_state = float(ends[0]), int(ends[1]), int(ends[2])
        self.straight_cost = float(ends[3])

    def path(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], int]:
        """States, gates entered, gates left (see ``kernels.trace``), and the gate at which the path ends."""
        states, entered, left = (np.full(len(self._costs), -1, dtype=np.int32) for _ in range(3))
        row, state = self.end_row, self._end_state
        end_gate = int(np.searchsorted(self._gates, state, side="right"))
        if state >= self._prices[-1][1]:
            end_gate = len(self._gates) - 1
        while state >= 0:
            block = row // _BLOCK_ROWS
            first = block * _BLOCK_ROWS
            total = self._checkpoints[block].copy()
            self._advance(first, total, total.copy(), np.array([np.inf, -1.0, -1.0, np.inf]))
            state = kernels.trace(self._steps, self._sources, self._gates, first, row, state, states, entered, left)
            row = first - 1
        return states, entered, left, end_gate

    def _advance(self, first: int, total: Floats, straight: Floats, ends: Floats) -> None:
        block, rows = self._costs.block(first), len(self._costs)
        reach, penalties, pace, jump, outside = self._prices
        kernels.sweep(
            block, first, rows, total, straight, self._steps, self._sources, self._gates, reach, penalties, pace,
            jump, outside, ends,
        )  # fmt: skip


def _check(features: Features, frames_s: Floats, name: str) -> None:
    if features.ndim != 2 or len(features) != len(frames_s) or len(features) < 2:
        raise AlignmentError(f"the {name} needs features of two dimensions and a time for each of its frames.")
    if not np.isfinite(features).all():
        raise AlignmentError(f"the features of the {name} hold values that are not finite.")


_HOP_S = 4096 / 44100
_ROWS = 6_500


def _recording_grid(features: Features, frames_s: Floats) -> _Grid:
    """Pool the recording to about 93 ms a frame, twice or four times as much where it lasts longer than ten minutes."""
    duration_s = float(frames_s[-1] - frames_s[0])
    hop_s = _HOP_S
    while duration_s / hop_s > _ROWS and hop_s < 4 * _HOP_S:
        hop_s *= 2
    frames = max(1, int(np.ceil(duration_s / hop_s)))
    start_s = float(frames_s[0])
    return _Grid(_pooled(features, frames_s, start_s, hop_s, frames), start_s, hop_s)


def _pooled(features: Features, frames_s: Floats, start_s: float, hop_s: float, count: int) -> Features:
    """Mean of the features in ``count`` bins of ``hop_s``; a bin without a frame takes the next one."""
    edges = np.searchsorted(frames_s, start_s + np.arange(count) * hop_s)
    edges = np.minimum(edges, len(frames_s) - 1)
    end = min(int(np.searchsorted(frames_s, start_s + count * hop_s)), len(frames_s))
    counts = np.maximum(np.diff(np.append(edges, max(end, edges[-1] + 1))), 1)
    sums = np.add.reduceat(features[: max(end, edges[-1] + 1)], edges, axis=0)
    pooled: Features = (sums / counts[:, None]).astype(np.float32)
    return pooled


DIMS = 48


def _basis(score_features: Features, recording_features: Features) -> Features | None:
    """The directions in which the features differ most: distances need no more."""
    if not DIMS or score_features.shape[1] <= DIMS:
        return None
    n = len(score_features) + len(recording_features)
    gram = score_features.T @ score_features + recording_features.T @ recording_features
    mean = (score_features.sum(axis=0) + recording_features.sum(axis=0)) / n
    covariance = gram.astype(np.float64) / n - np.outer(mean, mean)
    basis: Features = np.ascontiguousarray(np.linalg.eigh(covariance)[1][:, -DIMS:].astype(np.float32))
    return basis
