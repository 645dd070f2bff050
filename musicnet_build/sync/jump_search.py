"""The jump search at one tempo: a Viterbi search that walks through the score as the recording goes on.

It finds passages of the score; here, too, is where exactly the jumps between them are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from musicnet_build._typing import Bools, Features, Float64s, Int32s, Int64s
from musicnet_build.anchors import Place
from musicnet_build.score.beats import TOLERANCE_BEATS, BeatGrid, beat_grid, repeated_sections, same_music
from musicnet_build.score.order import Span
from musicnet_build.score.reader import Score
from musicnet_build.sync import jump_kernels as kernels
from musicnet_build.sync.jump_costs import BLOCK_ROWS, Costs, Grid, Prices, pooled

SCRAP_S = 5.0
"""A passage at the beginning or the end that is shorter than this cannot be told from chance."""

ASTRAY_S = 30.0
"""What it costs to be elsewhere where somebody heard a place of the score: more than any way there, in seconds."""

_PLACE_SLACK_S = 0.5
_TWIN_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Music:
    """A score, its beats, and the jumps that its repeats suggest: (beats left, beats entered)."""

    score: Score
    grid: BeatGrid
    shortcuts: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, score: Score) -> "Music":
        """Find the beats and repeats of a score."""
        shortcuts = []
        for section in repeated_sections(score):
            length = section.end_beats - section.start_beats
            if abs(section.again_beats - section.end_beats) < TOLERANCE_BEATS:
                middle, end = section.end_beats, section.end_beats + length
                shortcuts += [(middle, end), (middle, section.start_beats), (end, middle)]
        return cls(score, beat_grid(score), tuple(shortcuts))


@dataclass(frozen=True, eq=False)
class Passage:
    """A span, and when the recording is where in it: score seconds and recording seconds along the path."""

    span: Span
    score_s: Float64s
    recording_s: Float64s

    def recording_at(self, score_s: float) -> float:
        """Return when the recording reaches a place of the score."""
        at = int(np.searchsorted(self.score_s, score_s))
        return float(self.recording_s[min(at, len(self.recording_s) - 1)])

    def heard(self, places: Sequence[Place]) -> list[Place]:
        """Return those of the places that are heard in it."""
        return [place for place in places if self.recording_s[0] <= place.recording_s <= self.recording_s[-1]]

    @property
    def duration_s(self) -> float:
        """How long it lasts, in the recording or in the score: the lesser of the two."""
        return min(float(np.ptp(self.recording_s)), float(np.ptp(self.score_s)))


@dataclass(frozen=True, eq=False)
class Pair:
    """What is searched: a score, as written and as rendered, and a recording on the grid.

    ``outside`` is what leaving the recording's first k frames out costs, in frames, for k from 0 to all of them;
    ``heard`` the score seconds one of which somebody has heard in a frame of the recording.
    """

    music: Music
    rendered: Features
    rendered_frames_s: Float64s
    recording: Grid
    outside: Float64s
    heard: Mapping[int, Float64s] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Layout:
    """A score in frames of some score seconds each, and what it costs to lay the recording on them.

    ``last_state`` is the frame in which the last note begins, ``astray`` the frames of the score that are far from what
    was heard in a row.
    """

    hop_s: float
    frames: int
    costs: Costs
    last_state: int
    astray: dict[int, Bools]
    astray_cost: np.float32

    @classmethod
    def at(cls, pair: Pair, tempo: float, prices: Prices) -> "Layout":
        """Lay a score out at a tempo, as a factor of that at which score and recording have the same length."""
        score, recording = pair.music.score, pair.recording
        slowness = tempo * score.duration_s / recording.duration_s  # score seconds a second of the recording
        hop_s = slowness * recording.hop_s
        frames = max(1, int(np.ceil(score.duration_s / hop_s)))
        rendered = pooled(pair.rendered, pair.rendered_frames_s, 0.0, hop_s, frames)
        states_s = np.arange(frames)[:, None] * hop_s
        return cls(
            hop_s=hop_s,
            frames=frames,
            costs=Costs(recording.features, rendered.features, prices.skip * tempo),
            last_state=min(int(score.notes["onset_s"].max() / hop_s), frames - 1),
            astray={
                row: np.abs(states_s - places_s).min(axis=1) > _PLACE_SLACK_S * slowness
                for row, places_s in pair.heard.items()
            },
            astray_cost=np.float32(ASTRAY_S / recording.hop_s),
        )

    def block(self, first: int) -> tuple[Features, Features, Features]:
        """As ``Costs.block``, with what it costs to be elsewhere than where something was heard."""
        costs, charges, silent = self.costs.block(first)
        for row in self.astray.keys() & range(first, first + len(costs)):
            costs[row - first, self.astray[row]] += self.astray_cost
        return costs, charges, silent


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
        self._layout = Layout.at(pair, tempo, prices)
        self._rules, self._beats = _rules(pair, self._layout, tempo, prices)
        self._steps = np.empty((BLOCK_ROWS, self._layout.frames), dtype=np.uint8)
        self._sources = np.empty((BLOCK_ROWS, len(self._rules.gates)), dtype=np.int32)
        self._checkpoints: list[Float64s] = []
        self.cost = self._search()

    def _search(self) -> float:
        total, best_end = np.full(self._layout.frames, np.inf), np.array([np.inf, -1.0, -1.0])
        for first in range(0, len(self._layout.costs), BLOCK_ROWS):
            self._checkpoints.append(total.copy())
            self._advance(first, total, best_end)
        self._end_row, self._end_state = int(best_end[1]), int(best_end[2])
        return float(best_end[0])

    def _advance(self, first: int, total: Float64s, best_end: Float64s) -> None:
        block, rows = self._layout.block(first), len(self._layout.costs)
        kernels.sweep(*block, first, rows, total, self._steps, self._sources, self._rules, best_end)

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
                (states[start:stop] * self._layout.hop_s).astype(np.float64),
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
        states, entered, left = (np.full(len(self._layout.costs), -1, dtype=np.int32) for _ in range(3))
        row, state = self._end_row, self._end_state
        while state >= 0:
            first = row // BLOCK_ROWS * BLOCK_ROWS
            total = self._checkpoints[first // BLOCK_ROWS].copy()
            self._advance(first, total, np.array([np.inf, -1.0, -1.0]))
            state = kernels.trace(
                self._steps, self._sources, self._rules.gates, first, row, state, states, entered, left
            )
            row = first - 1
        return states, entered, left

    def _end_gate(self) -> int:
        if self._end_state >= self._rules.last_state:
            return len(self._rules.gates) - 1
        return int(np.searchsorted(self._rules.gates, self._end_state, side="right"))


def _rules(pair: Pair, layout: Layout, tempo: float, prices: Prices) -> tuple[kernels.Rules, Float64s]:
    """What the kernel wants to know, prices in frames of the recording; and the beat of each gate."""
    music, second = pair.music, 1.0 / pair.recording.hop_s
    gates, beat_of_gate = _gates(music, layout.hop_s, layout.frames)
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
        last_state=layout.last_state,
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


def settled(music: Music, passages: list[Passage], places: Sequence[Place] = ()) -> tuple[Span, ...]:
    """Return the spans of passages without detours and scraps, every jump at its canonical place.

    Places that somebody heard stay in their passages.
    """
    kept = _without_scraps(_without_detours(music.score, passages, places), places)
    for k in range(len(kept) - 1):
        kept[k], kept[k + 1] = _canonical(music, kept[k], kept[k + 1], places)
    return tuple(passage.span for passage in kept)


def _without_detours(score: Score, passages: list[Passage], places: Sequence[Place]) -> list[Passage]:
    """Undo jumps there and back where going on gives nearly the same notes: a place sounded more like its twin."""
    passages, k = list(passages), 1
    while k < len(passages) - 1:
        before, span, behind = (passage.span for passage in passages[k - 1 : k + 2])
        length_beats = span.end_beats - span.start_beats
        earlier, later = before.end_beats, behind.start_beats - length_beats  # where it would follow, or be followed
        there_and_back = (span.start_beats - before.end_beats) * (behind.start_beats - span.end_beats) < 0
        undone = there_and_back and not passages[k].heard(places)
        follows, leads = (
            undone and same_music(score, span.start_beats, place, length_beats, _TWIN_SHARE)
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


def _without_scraps(passages: list[Passage], places: Sequence[Place]) -> list[Passage]:
    """Drop what a jump leads to at the end, or away from at the beginning, and is too short to mean anything."""

    def is_scrap(passage: Passage) -> bool:
        return passage.duration_s < SCRAP_S and not passage.heard(places)

    while len(passages) > 1 and is_scrap(passages[-1]):
        passages = passages[:-1]
    while len(passages) > 1 and is_scrap(passages[0]):
        passages = passages[1:]
    return passages


def _joined(score: Score, passages: list[Passage], start_beats: float) -> Passage:
    """Passages as one that begins somewhere, each moved there as a whole."""
    lengths_beats = [passage.span.end_beats - passage.span.start_beats for passage in passages]
    places_beats = start_beats + np.concatenate([[0.0], np.cumsum(lengths_beats)])
    moves_s = score.tempo_map.seconds_at(places_beats[:-1]) - score.tempo_map.seconds_at(
        [passage.span.start_beats for passage in passages]
    )
    return Passage(
        Span(start_beats, float(places_beats[-1]), passages[0].span.recording_start_s),
        np.concatenate([passage.score_s + move_s for passage, move_s in zip(passages, moves_s, strict=True)]),
        np.concatenate([passage.recording_s for passage in passages]),
    )


def _canonical(music: Music, first: Passage, second: Passage, places: Sequence[Place]) -> tuple[Passage, Passage]:
    """Move a jump to the place that stands for all those between which no listener could tell.

    Where the same music stands before both ends of a jump, it may as well be made earlier; where it stands behind both,
    later. Of all such places the first whose ends are both downbeats is taken, or else the first; but none that parts
    what somebody heard from its passage.
    """
    found = first.span.end_beats, second.span.start_beats
    jumps = [
        *reversed(list(_places(music, first.span, second.span, -1))), found, *_places(music, first.span, second.span, 1)
    ]  # fmt: skip
    possible = [jump for jump in jumps if _keeps(music, first, second, jump, places)] or [found]
    end, start = next((jump for jump in possible if _on_downbeats(music.grid, jump)), possible[0])
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


def _keeps(music: Music, first: Passage, second: Passage, jump: tuple[float, float], places: Sequence[Place]) -> bool:
    """Whether what is heard in two passages is still in them after another jump."""
    end_s, start_s = music.score.tempo_map.seconds_at(np.array(jump) - TOLERANCE_BEATS)
    return all(bool(np.any(place.score_s < end_s)) for place in first.heard(places)) and all(
        bool(np.any(place.score_s >= start_s)) for place in second.heard(places)
    )


def _on_downbeats(grid: BeatGrid, place: tuple[float, float]) -> bool:
    downbeats = grid.beats[grid.is_downbeat]
    return all(bool(np.any(np.abs(downbeats - beats) < TOLERANCE_BEATS)) for beats in place)


def _places(music: Music, first: Span, second: Span, step: int) -> Iterator[tuple[float, float]]:
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
