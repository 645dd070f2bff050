"""The jump search at one tempo: a Viterbi search that walks through the score as the recording goes on."""

from dataclasses import dataclass, replace

import numpy as np

from musicnet_build._typing import Features, Float64s, Int32s, Int64s
from musicnet_build.score.beats import TOLERANCE_BEATS
from musicnet_build.score.order import Span
from musicnet_build.sync import jump_kernels as kernels
from musicnet_build.sync.jump_costs import BLOCK_ROWS, Costs, Grid, pooled
from musicnet_build.sync.passages import Music, Passage


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
    outside_music: float = 0.6
    stay: float = 0.5
    skip: float = 1.4
    shortest_s: float = 4.0
    least_margin_s: float = 1.0
    tempi: tuple[float, ...] = (0.6, 1.0, 1.67)


@dataclass(frozen=True, eq=False)
class Pair:
    """What is searched: a score, as written and as rendered, and a recording on the grid.

    ``outside`` is what leaving the recording's first k frames out costs, in frames, for k from 0 to all of them.
    """

    music: Music
    rendered: Features
    rendered_frames_s: Float64s
    recording: Grid
    outside: Float64s


class Attempt:
    """The search at one tempo: its cost, and on demand the passages that it found.

    It keeps the costs of all states at the beginning of each block of rows, and does a block again where a path is
    asked for: so memory grows with the length of the score, not with its square.

    Parameters
    ----------
    pair : Pair
    tempo : float
        As a factor of that at which score and recording have the same length.
    prices : Prices
    """

    def __init__(self, pair: Pair, tempo: float, prices: Prices) -> None:
        self._music, self._recording = pair.music, pair.recording
        duration_s = pair.music.score.duration_s
        slowness = tempo * duration_s / pair.recording.duration_s  # score seconds a second of the recording
        self._hop_s = slowness * pair.recording.hop_s
        frames = max(1, int(np.ceil(duration_s / self._hop_s)))
        rendered = pooled(pair.rendered, pair.rendered_frames_s, 0.0, self._hop_s, frames)
        self._costs = Costs(pair.recording.features, rendered.features, prices.skip * tempo)
        self._rules, self._beats = _rules(pair, self._hop_s, frames, tempo, prices)
        self._steps = np.empty((BLOCK_ROWS, frames), dtype=np.uint8)
        self._sources = np.empty((BLOCK_ROWS, len(self._rules.gates)), dtype=np.int32)
        self._checkpoints: list[Float64s] = []
        self.cost, self.straight_cost = self._search(frames)

    def _search(self, frames: int) -> tuple[float, float]:
        total, straight = np.full(frames, np.inf), np.full(frames, np.inf)
        best_end = np.array([np.inf, -1.0, -1.0, np.inf])
        for first in range(0, len(self._costs), BLOCK_ROWS):
            self._checkpoints.append(total.copy())
            self._advance(first, total, straight, best_end)
        self._end_row, self._end_state = int(best_end[1]), int(best_end[2])
        return float(best_end[0]), float(best_end[3])

    def _advance(self, first: int, total: Float64s, straight: Float64s, best_end: Float64s) -> None:
        kernels.sweep(
            *self._costs.block(first), first, len(self._costs), total, straight, self._steps, self._sources,
            self._rules, best_end,
        )  # fmt: skip

    def passages(self) -> list[Passage]:
        """Return the passages of the cheapest path, in the order in which they are played."""
        states, entered, left = self._path()
        starts = np.flatnonzero(entered >= 0)
        stops = np.append(starts[1:], self._end_row + 1)
        end_gates = [*(int(left[row]) for row in starts[1:]), self._end_gate()]
        rows = np.arange(len(states), dtype=np.float64)
        recording_s: Float64s = self._recording.start_s + rows * self._recording.hop_s
        passages = [
            Passage(
                Span(float(self._beats[entered[start]]), float(self._beats[gate]), float(recording_s[start])),
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
            first = row // BLOCK_ROWS * BLOCK_ROWS
            total = self._checkpoints[first // BLOCK_ROWS].copy()
            self._advance(first, total, total.copy(), np.array([np.inf, -1.0, -1.0, np.inf]))
            state = kernels.trace(
                self._steps, self._sources, self._rules.gates, first, row, state, states, entered, left
            )
            row = first - 1
        return states, entered, left

    def _end_gate(self) -> int:
        if self._end_state >= self._rules.last_state:
            return len(self._rules.gates) - 1
        return int(np.searchsorted(self._rules.gates, self._end_state, side="right"))


def _rules(pair: Pair, hop_s: float, frames: int, tempo: float, prices: Prices) -> tuple[kernels.Rules, Float64s]:
    """What the kernel wants to know, prices in frames of the recording; and the beat of each gate."""
    music, second = pair.music, 1.0 / pair.recording.hop_s
    gates, beat_of_gate = _gates(music, hop_s, frames)
    beats = music.grid.beats[beat_of_gate]
    rules = kernels.Rules(
        gates=gates,
        reach=_reach(gates, prices.shortest_s * second / tempo),
        shortcuts=_shortcuts(music, beats),
        ends=_ends(music, beat_of_gate, prices) * second,
        stay=float(prices.stay),
        jump=prices.jump_s * second,
        width=prices.width * tempo,
        shortcut=prices.repeat_s * second,
        outside=pair.outside,
        last_state=min(int(music.score.notes["onset_s"].max() / hop_s), frames - 1),
    )
    return rules, beats


def _gates(music: Music, hop_s: float, frames: int) -> tuple[Int64s, Int64s]:
    """Frames at which beats begin, and which beats those are; of beats in one frame, a downbeat or else the first."""
    at = np.minimum(np.round(music.grid.seconds / hop_s).astype(np.int64), frames)
    order = np.lexsort((np.arange(len(at)), ~music.grid.is_downbeat, at))
    gates, first = np.unique(at[order], return_index=True)
    kept = order[first]
    kept[-1] = len(at) - 1  # the end of the score
    return gates, kept


def _reach(gates: Int64s, shortest: float) -> Int64s:
    """For each gate how many gates lie far enough before it to jump from, and the first one far enough behind it."""
    before = np.searchsorted(gates, gates - shortest, side="right")
    behind = np.searchsorted(gates, gates + shortest, side="left")
    return np.stack([before, behind], axis=1).astype(np.int64)


def _ends(music: Music, beat_of_gate: Int64s, prices: Prices) -> Float64s:
    """For each gate the seconds that entering it, leaving at it, and beginning or ending the music there cost."""
    offbeat = np.where(music.grid.is_downbeat[beat_of_gate], 0.0, prices.offbeat_s)
    outer = np.full(len(beat_of_gate), prices.free_end_s)
    outer[music.grid.seconds[beat_of_gate] <= music.score.notes["onset_s"].min()] = 0.0
    outer[-1] = 0.0
    return np.stack([offbeat, offbeat, outer], axis=1)


def _shortcuts(music: Music, beats: Float64s) -> Int64s:
    """The gates that shortcuts leave and enter."""
    wanted = np.array(music.shortcuts, dtype=np.float64).reshape(-1, 2) - TOLERANCE_BEATS
    return np.minimum(np.searchsorted(beats, wanted), len(beats) - 1).astype(np.int64)
