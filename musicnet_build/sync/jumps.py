"""In which order was the score played? Features of a recording and a score in, a playing order out.

Performers leave out a repeat, add one, or begin after the introduction, and an aligner that knows no jumps smears a
minute of notes over a second. Here a Viterbi search on a coarse grid walks through the score as the recording goes
on; it may advance the score by nothing to three frames at a time, and, at a price, leave it at any beat and go on at
any other. docs/algorithms.md explains the search, its prices, and what each of them is worth.

What belongs here: the search, and what it finds. Measures, beats and playing orders in words are in
:mod:`musicnet_build.score.order`, the score in its new order in :mod:`musicnet_build.score.unfold`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from musicnet_build._typing import Features, Float64s, Int32s, Int64s
from musicnet_build.errors import AlignmentError
from musicnet_build.score.beats import TOLERANCE_BEATS, BeatGrid, beat_grid, same_music
from musicnet_build.score.order import PlayingOrder, Span
from musicnet_build.score.reader import Score
from musicnet_build.score.repeats import repeated_sections
from musicnet_build.sync import jump_kernels as kernels

HOP_S = 4096 / 44_100
MOST_ROWS = 6_500
"""Recordings of more frames of ``HOP_S`` (ten minutes) are searched on a grid of twice or four times the hop."""

_BLOCK_ROWS = 128
_DIMENSIONS = 48
_SILENT_NORM, _SOUNDING_NORM = 0.1, 0.4
_LOW_SHARE = 0.2
_TWIN_SHARE = 0.9


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
        Each second before or behind the music; at no price, a recording that resembles the score little would be
        thought to be nothing but applause.
    stay : float
        Each second of the recording in which the score does not advance.
    skip : float
        Each second of the score that nothing is laid on, where it resembles what is heard as little as a middling
        place; less where it resembles it more.
    shortest_s : float
        Jumps over less are not considered.
    least_margin_s : float
        A playing order with jumps must explain the recording better than playing straight through by this much.
    tempi : tuple of float
        Tempi to try, as factors of the one at which score and recording have the same length.
    """

    jump_s: float = 2.5
    repeat_s: float = 2.0
    width: float = 0.01
    offbeat_s: float = 0.1
    free_end_s: float = 2.5
    outside: float = 0.1
    stay: float = 0.5
    skip: float = 1.4
    shortest_s: float = 4.0
    least_margin_s: float = 1.0
    tempi: tuple[float, ...] = (0.6, 1.0, 1.67)


PRICES = Prices()


def find_playing_order(
    score: Score,
    score_features: Features,
    score_frames_s: Float64s,
    recording_features: Features,
    recording_frames_s: Float64s,
    prices: Prices = PRICES,
) -> PlayingOrder:
    """Find the order in which the passages of a score are played in a recording.

    Parameters
    ----------
    score : Score
        For its beats, measures and repeats. As read: its seconds are those of its tempo map.
    score_features : ndarray of float32 [shape=(frames of the score, d)]
        Of the score as rendered; silence has a norm near 0, full sound one near 1 or more.
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
        raise AlignmentError(
            f"the score has {score_features.shape[1]} features a frame and the recording "
            f"{recording_features.shape[1]}; both must agree."
        )
    basis = _basis(score_features, recording_features)
    music = _Music.of(score)
    recording = _recording_grid(recording_features @ basis, recording_frames_s)
    rendered = score_features @ basis
    attempts = [_Attempt(music, rendered, score_frames_s, recording, tempo, prices) for tempo in prices.tempi]
    best = min(attempts, key=lambda attempt: attempt.cost)
    straight = min(attempts, key=lambda attempt: attempt.straight_cost)
    margin_s = (straight.straight_cost - best.cost) * recording.hop_s
    order = best.order()
    whole = replace(order.spans[0], start_beats=0.0, end_beats=float(music.grid.beats[-1]))
    if order.spans == (whole,) or margin_s < prices.least_margin_s:
        return PlayingOrder((whole,), 0.0)
    return replace(order, margin_s=margin_s)


# --- grids and costs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Frames:
    """Features on the grid of the search; frame k spans the seconds from start_s + k * hop_s on."""

    features: Features
    start_s: float
    hop_s: float

    @property
    def duration_s(self) -> float:
        return len(self.features) * self.hop_s


@dataclass(frozen=True, eq=False)
class _Music:
    """A score, its beats, and the jumps that its repeats suggest: (beats left, beats entered)."""

    score: Score
    grid: BeatGrid
    shortcuts: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, score: Score) -> "_Music":
        shortcuts = []
        for section in repeated_sections(score):
            length = section.end_beats - section.start_beats
            if abs(section.again_beats - section.end_beats) < TOLERANCE_BEATS:
                middle, end = section.end_beats, section.end_beats + length
                shortcuts += [(middle, end), (middle, section.start_beats), (end, middle)]
        return cls(score, beat_grid(score), tuple(shortcuts))


def _check(features: Features, frames_s: Float64s, name: str) -> None:
    if features.ndim != 2 or len(features) != len(frames_s) or len(features) < 2:
        raise AlignmentError(f"the {name} needs features of two dimensions and a time for each of its frames.")
    if not np.isfinite(features).all():
        raise AlignmentError(f"the features of the {name} hold values that are not finite.")
    if not np.isfinite(frames_s).all() or np.any(np.diff(frames_s) <= 0):
        raise AlignmentError(f"the frames of the {name} must be in the order of their times.")


def _basis(score_features: Features, recording_features: Features) -> Features:
    """The directions in which the features differ most: 48 of 176 serve as well, in a third of the time."""
    both = (score_features, recording_features)
    count = len(score_features) + len(recording_features)
    mean = np.sum([features.sum(axis=0, dtype=np.float64) for features in both], axis=0) / count
    squares = np.sum([features.T @ features for features in both], axis=0).astype(np.float64) / count
    _, vectors = np.linalg.eigh(squares - np.outer(mean, mean))
    return np.ascontiguousarray(vectors[:, -_DIMENSIONS:], dtype=np.float32)


def _recording_grid(features: Features, frames_s: Float64s) -> _Frames:
    start_s, duration_s = float(frames_s[0]), float(frames_s[-1] - frames_s[0])
    hop_s = HOP_S
    while duration_s / hop_s > MOST_ROWS and hop_s < 4 * HOP_S:
        hop_s *= 2
    return _pooled(features, frames_s, start_s, hop_s, max(1, int(np.ceil(duration_s / hop_s))))


def _pooled(features: Features, frames_s: Float64s, start_s: float, hop_s: float, count: int) -> _Frames:
    """Mean of the features in ``count`` bins of ``hop_s``; a bin without a frame takes the next one."""
    edges = np.searchsorted(frames_s, start_s + np.arange(count + 1) * hop_s)
    starts = np.minimum(edges[:-1], len(frames_s) - 1)
    stop = max(int(edges[-1]), int(starts[-1]) + 1)
    counts = np.maximum(np.diff(np.append(starts, stop)), 1)
    sums = np.add.reduceat(features[:stop], starts, axis=0)
    return _Frames((sums / counts[:, None]).astype(np.float32), start_s, hop_s)


class _Costs:
    """What it costs to lay each frame of the recording on each frame of the score, a block of rows at a time.

    A distance says little by itself: some frames of a score (a soft chord, a rest) are near to everything. So each
    frame of the score is measured against its own 20 % quantile over the recording, and the unit is what a right place
    gains over a middling one. A silent frame of the recording says nothing.
    """

    def __init__(self, rows: Features, columns: Features, skip: float) -> None:
        self._rows, self._columns = rows, np.ascontiguousarray(columns.T)
        self._row_squares, self._column_squares = np.square(rows).sum(axis=1), np.square(columns).sum(axis=1)
        loudness = (np.sqrt(self._row_squares) - _SILENT_NORM) / (_SOUNDING_NORM - _SILENT_NORM)
        self._weights = np.clip(loudness, 0.0, 1.0).astype(np.float32)
        some_rows = self._distances(slice(None, None, max(1, len(rows) // 400)), slice(None))
        self._low = _partitioned(some_rows, _LOW_SHARE)
        some_columns = self._distances(slice(None), slice(None, None, max(1, len(columns) // 100)))
        least = some_columns.min(axis=0)
        unit = float(np.median(_partitioned(some_columns, 0.5) - least))
        self._scale = np.float32(1.0 / max(unit, 1e-6))
        self._skip = np.float32(skip)
        self._right = self._low - np.float32(np.median(_partitioned(some_columns, _LOW_SHARE) - least))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def columns(self) -> int:
        """How many frames the score has."""
        return len(self._column_squares)

    def block(self, first: int) -> tuple[Features, Features, Features]:
        """Costs, charges for skipping, and silence of up to ``_BLOCK_ROWS`` recording frames from ``first`` on."""
        rows = slice(first, first + _BLOCK_ROWS)
        costs = self._distances(rows, slice(None))
        charges = np.empty_like(costs)
        kernels.costs_from_distances(
            costs, charges, self._weights[rows], self._low, self._right, self._scale, self._skip
        )
        return costs, charges, 1 - self._weights[rows]

    def _distances(self, rows: slice, columns: slice) -> Features:
        products: Features = np.ascontiguousarray(self._rows[rows]) @ np.ascontiguousarray(self._columns[:, columns])
        row_squares, column_squares = self._row_squares[rows], self._column_squares[columns]
        kernels.distances_from_products(
            products, np.ascontiguousarray(row_squares), np.ascontiguousarray(column_squares)
        )
        return products


def _partitioned(distances: Features, share: float) -> Features:
    """The value of each column below which a share of its rows lie."""
    at = int(share * len(distances))
    below: Features = np.partition(distances, at, axis=0)[at]
    return below


# --- the search -----------------------------------------------------------------------------------------------------


class _Attempt:
    """The search at one tempo: its cost, and on demand the order that it found.

    It keeps the costs of all states at the beginning of each block of rows, and does a block again where a path is
    asked for: so memory grows with the length of the score, not with its square.
    """

    def __init__(
        self,
        music: _Music,
        rendered: Features,
        rendered_frames_s: Float64s,
        recording: _Frames,
        tempo: float,
        prices: Prices,
    ) -> None:
        self._music, self._recording = music, recording
        duration_s = music.score.duration_s
        slowness = tempo * duration_s / recording.duration_s  # score seconds a second of the recording
        self._hop_s = slowness * recording.hop_s
        frames = max(1, int(np.ceil(duration_s / self._hop_s)))
        self._costs = _Costs(
            recording.features,
            _pooled(rendered, rendered_frames_s, 0.0, self._hop_s, frames).features,
            prices.skip * tempo,
        )
        self._gates, self._beat_of_gate = _gates(music.grid, self._hop_s, frames)
        self._rules = _rules(music, self._gates, self._beat_of_gate, self._hop_s, recording.hop_s, tempo, prices)
        self._steps = np.empty((_BLOCK_ROWS, frames), dtype=np.uint8)
        self._sources = np.empty((_BLOCK_ROWS, len(self._gates)), dtype=np.int32)
        self._checkpoints: list[Float64s] = []
        self.cost, self.straight_cost = self._search(frames)

    def _search(self, frames: int) -> tuple[float, float]:
        total, straight = np.full(frames, np.inf), np.full(frames, np.inf)
        best_end = np.array([np.inf, -1.0, -1.0, np.inf])
        for first in range(0, len(self._costs), _BLOCK_ROWS):
            self._checkpoints.append(total.copy())
            self._advance(first, total, straight, best_end)
        self._end_row, self._end_state = int(best_end[1]), int(best_end[2])
        return float(best_end[0]), float(best_end[3])

    def _advance(self, first: int, total: Float64s, straight: Float64s, best_end: Float64s) -> None:
        kernels.sweep(
            *self._costs.block(first), first, len(self._costs), total, straight, self._steps, self._sources,
            self._rules, best_end,
        )  # fmt: skip

    def order(self) -> PlayingOrder:
        """Return the order of the cheapest path, every jump at its canonical place."""
        passages = _without_detours(self._music.score, self._passages())
        for k in range(len(passages) - 1):
            passages[k], passages[k + 1] = _canonical(self._music, passages[k], passages[k + 1])
        return PlayingOrder(tuple(passage.span for passage in passages))

    def _passages(self) -> list["_Passage"]:
        states, entered, left = self._path()
        beats = self._music.grid.beats[self._beat_of_gate]
        starts = np.flatnonzero(entered >= 0)
        stops = np.append(starts[1:], self._end_row + 1)
        end_gates = [*(int(left[row]) for row in starts[1:]), self._end_gate()]
        rows = np.arange(len(states), dtype=np.float64)
        recording_s: Float64s = self._recording.start_s + rows * self._recording.hop_s
        passages = [
            _Passage(
                Span(float(beats[entered[start]]), float(beats[gate]), float(recording_s[start])),
                (states[start:stop] * self._hop_s).astype(np.float64),
                recording_s[start:stop],
            )
            for start, stop, gate in zip(starts, stops, end_gates, strict=True)
        ]
        if passages[0].span.start_beats <= self._music.score.notes["onset_beats"].min():
            # Only rests come before: nothing is missing.
            passages[0] = replace(passages[0], span=replace(passages[0].span, start_beats=0.0))
        return passages

    def _path(self) -> tuple[Int32s, Int32s, Int32s]:
        """States, gates entered and gates left, as ``kernels.trace`` gives them, -1 where there is none."""
        states, entered, left = (np.full(len(self._costs), -1, dtype=np.int32) for _ in range(3))
        row, state = self._end_row, self._end_state
        while state >= 0:
            block = row // _BLOCK_ROWS
            total = self._checkpoints[block].copy()
            self._advance(block * _BLOCK_ROWS, total, total.copy(), np.array([np.inf, -1.0, -1.0, np.inf]))
            first = block * _BLOCK_ROWS
            state = kernels.trace(self._steps, self._sources, self._gates, first, row, state, states, entered, left)
            row = first - 1
        return states, entered, left

    def _end_gate(self) -> int:
        if self._end_state >= self._rules.last_state:
            return len(self._gates) - 1
        return int(np.searchsorted(self._gates, self._end_state, side="right"))


def _gates(grid: BeatGrid, hop_s: float, frames: int) -> tuple[Int64s, Int64s]:
    """Frames at which beats begin, and which beats those are; of beats in one frame, a downbeat or else the first."""
    at = np.minimum(np.round(grid.seconds / hop_s).astype(np.int64), frames)
    order = np.lexsort((np.arange(len(at)), ~grid.is_downbeat, at))
    gates, first = np.unique(at[order], return_index=True)
    kept = order[first]
    kept[-1] = len(at) - 1  # the end of the score
    return gates, kept


def _rules(
    music: _Music,
    gates: Int64s,
    beat_of_gate: Int64s,
    hop_s: float,
    recording_hop_s: float,
    tempo: float,
    prices: Prices,
) -> kernels.Rules:
    """What the kernel wants to know, prices in frames of the recording."""
    second = 1.0 / recording_hop_s
    shortest = prices.shortest_s * second / tempo  # in frames of the score
    before = np.searchsorted(gates, gates - shortest, side="right")
    behind = np.searchsorted(gates, gates + shortest, side="left")
    offbeat = np.where(music.grid.is_downbeat[beat_of_gate], 0.0, prices.offbeat_s * second)
    outer = np.full(len(gates), prices.free_end_s * second)
    onsets_s = music.score.notes["onset_s"]
    outer[music.grid.seconds[beat_of_gate] <= onsets_s.min()] = 0.0
    outer[-1] = 0.0
    frames = max(1, int(np.ceil(music.score.duration_s / hop_s)))
    beats = music.grid.beats[beat_of_gate]
    shortcuts = np.searchsorted(beats, np.array(music.shortcuts, dtype=np.float64).reshape(-1, 2) - TOLERANCE_BEATS)
    return kernels.Rules(
        gates=gates,
        reach=np.stack([before, behind], axis=1).astype(np.int64),
        shortcuts=np.minimum(shortcuts, len(gates) - 1).astype(np.int64),
        ends=np.stack([offbeat, offbeat, outer], axis=1),
        stay=float(prices.stay),
        jump=prices.jump_s * second,
        width=prices.width * tempo,
        shortcut=prices.repeat_s * second,
        outside=float(prices.outside),
        last_state=min(int(onsets_s.max() / hop_s), frames - 1),
    )


# --- where a jump is ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Passage:
    """A span, and when the recording is where in it: score seconds and recording seconds along the path."""

    span: Span
    score_s: Float64s
    recording_s: Float64s

    def recording_at(self, score_s: float) -> float:
        """When the recording reaches a place of the score."""
        at = int(np.searchsorted(self.score_s, score_s))
        return float(self.recording_s[min(at, len(self.recording_s) - 1)])


def _without_detours(score: Score, passages: list[_Passage]) -> list[_Passage]:
    """Undo jumps there and back where going on gives nearly the same notes: a place sounded more like its twin."""
    k = 1
    while k < len(passages) - 1:
        before, span, behind = (passage.span for passage in passages[k - 1 : k + 2])
        length_beats = span.end_beats - span.start_beats
        earlier, later = before.end_beats, behind.start_beats - length_beats  # where it would follow, or be followed
        there_and_back = (span.start_beats - before.end_beats) * (behind.start_beats - span.end_beats) < 0
        follows, leads = (
            there_and_back and same_music(score, span.start_beats, place, length_beats, _TWIN_SHARE)
            for place in (earlier, later)
        )
        if follows and abs(later - earlier) < TOLERANCE_BEATS:
            passages[k - 1 : k + 2] = [_joined(score, passages[k - 1 : k + 2], before.start_beats)]
        elif follows:
            passages[k - 1 : k + 1] = [_joined(score, passages[k - 1 : k + 1], before.start_beats)]
        elif leads:
            passages[k : k + 2] = [_joined(score, passages[k : k + 2], later)]
        else:
            k += 1
    return passages


def _joined(score: Score, passages: list[_Passage], start_beats: float) -> _Passage:
    """Passages as one that begins somewhere, each moved there as a whole."""
    lengths_beats = [passage.span.end_beats - passage.span.start_beats for passage in passages]
    places_beats = start_beats + np.concatenate([[0.0], np.cumsum(lengths_beats)])
    moves_s = score.tempo_map.seconds_at(places_beats[:-1]) - score.tempo_map.seconds_at(
        [passage.span.start_beats for passage in passages]
    )
    return _Passage(
        Span(start_beats, float(places_beats[-1]), passages[0].span.recording_start_s),
        np.concatenate([passage.score_s + move_s for passage, move_s in zip(passages, moves_s, strict=True)]),
        np.concatenate([passage.recording_s for passage in passages]),
    )


def _canonical(music: _Music, first: _Passage, second: _Passage) -> tuple[_Passage, _Passage]:
    """Move a jump to the place that stands for all those between which no listener could tell.

    Where the same music stands before both ends of a jump, it may as well be made earlier; where it stands behind both,
    later. Of all such places the first whose ends are both downbeats is taken, or else the first.
    """
    places = [
        *reversed(list(_places(music, first.span, second.span, -1))),
        (first.span.end_beats, second.span.start_beats),
        *_places(music, first.span, second.span, 1),
    ]
    end, start = next((place for place in places if _on_downbeats(music.grid, place)), places[0])
    if start == second.span.start_beats:
        return first, second
    if start < second.span.start_beats:
        recording_s = first.recording_at(float(music.score.tempo_map.seconds_at(end)))
    else:
        recording_s = second.recording_at(float(music.score.tempo_map.seconds_at(start)))
    return (
        replace(first, span=replace(first.span, end_beats=end)),
        replace(second, span=replace(second.span, start_beats=start, recording_start_s=recording_s)),
    )


def _on_downbeats(grid: BeatGrid, place: tuple[float, float]) -> bool:
    downbeats = grid.beats[grid.is_downbeat]
    return all(bool(np.any(np.abs(downbeats - beats) < TOLERANCE_BEATS)) for beats in place)


def _places(music: _Music, first: Span, second: Span, step: int) -> Iterator[tuple[float, float]]:
    """The places before (step -1) or behind (+1) a jump to which it can be moved, beat by beat, nearest first."""
    beats, end, start = music.grid.beats, first.end_beats, second.start_beats
    at = int(np.searchsorted(beats, end - TOLERANCE_BEATS)) + step
    while 0 <= at < len(beats):
        move = float(beats[at]) - end
        inside = first.start_beats < end + move and 0.0 <= start + move < second.end_beats
        low = min(move, 0.0)
        if not inside or not same_music(music.score, end + low, start + low, abs(move)):
            return
        end, start, at = end + move, start + move, at + step
        yield end, start
