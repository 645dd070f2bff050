"""The passages of a playing order as the search finds them, and where the jumps between them are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.score.beats import TOLERANCE_BEATS, BeatGrid, beat_grid, repeated_sections, same_music
from musicnet_build.score.order import Span
from musicnet_build.score.reader import Score

SCRAP_S = 5.0
"""A passage at the beginning or the end that is shorter than this cannot be told from chance."""

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

    @property
    def duration_s(self) -> float:
        """How long it lasts, in the recording or in the score: the lesser of the two."""
        return min(float(np.ptp(self.recording_s)), float(np.ptp(self.score_s)))


def settled(music: Music, passages: list[Passage]) -> tuple[Span, ...]:
    """Return the spans of passages without detours and scraps, every jump at its canonical place."""
    kept = _without_scraps(_without_detours(music.score, passages))
    for k in range(len(kept) - 1):
        kept[k], kept[k + 1] = _canonical(music, kept[k], kept[k + 1])
    return tuple(passage.span for passage in kept)


def _without_detours(score: Score, passages: list[Passage]) -> list[Passage]:
    """Undo jumps there and back where going on gives nearly the same notes: a place sounded more like its twin."""
    passages, k = list(passages), 1
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


def _without_scraps(passages: list[Passage]) -> list[Passage]:
    """Drop what a jump leads to at the end, or away from at the beginning, and is too short to mean anything."""
    while len(passages) > 1 and passages[-1].duration_s < SCRAP_S:
        passages = passages[:-1]
    while len(passages) > 1 and passages[0].duration_s < SCRAP_S:
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


def _canonical(music: Music, first: Passage, second: Passage) -> tuple[Passage, Passage]:
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
