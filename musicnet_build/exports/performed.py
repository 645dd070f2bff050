"""The score as it was played: its notes, measures and metre on beats that count what was played, and their seconds.

What every form of export starts from. Beats of a score that has repeats count the written music once; here they count
on from the first passage to the last, so that a repeated measure stands twice.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from musicnet_build._typing import Float64s
from musicnet_build.alignment import Alignment
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.notes import NoteTable
from musicnet_build.score.beats import signature_at
from musicnet_build.score.model import Measures, Score, TimeSignature
from musicnet_build.score.unfold import played_measures

_DIGITS = 6  # of a beat that is computed from seconds; a tick is longer


@dataclass(frozen=True, eq=False)
class PerformedScore:
    """A score laid over a recording, in the order in which it is played.

    Attributes
    ----------
    score : Score
        As it is played: its tempo map and time signatures count the beats below.
    notes : NoteTable [shape=(n,)]
        The labels, in recording seconds.
    onset_beats, duration_beats : ndarray of float64 [shape=(n,)]
        Of the same notes, in quarter notes from the beginning of what is played.
    ids : tuple of str
        Of the same notes: the ids of a notation file, else ``n1``, ``n2``, … in the order of the written score. Where
        any note is played more than once, all ids end in ``-1``, ``-2``, … for the first, the second, … time.
    measures : Measures
        On the same beats; empty where the score has none.
    time_map : TimeMap
        Score seconds to recording seconds.
    end_beats : float
        Where the last note ends.
    """

    score: Score
    notes: NoteTable
    onset_beats: Float64s
    duration_beats: Float64s
    ids: tuple[str, ...]
    measures: Measures
    time_map: TimeMap
    end_beats: float

    @property
    def signatures(self) -> tuple[TimeSignature, ...]:
        """The time signatures, on the same beats."""
        return self.score.time_signatures

    def recording_at(self, beats: ArrayLike) -> Float64s:
        """Return the recording seconds of beats as they are played."""
        return self.time_map.recording_at(self.score.tempo_map.seconds_at(beats))

    def signature_at(self, beats: float) -> TimeSignature | None:
        """Return the time signature in force at a beat as played; None where none is stated."""
        return signature_at(self.score, beats)


def performed_score(alignment: Alignment, written: Score) -> PerformedScore:
    """Return what was played, note by note and measure by measure.

    Parameters
    ----------
    alignment : Alignment
    written : Score
        The score that was aligned, in the order in which it is written.

    Returns
    -------
    PerformedScore
    """
    played, notes = alignment.warping.score, alignment.score_notes
    onset_beats = _played_beats(played, notes)
    duration_beats = notes["duration_beats"]
    return PerformedScore(
        score=played,
        notes=alignment.notes,
        onset_beats=onset_beats,
        duration_beats=duration_beats,
        ids=_ids(notes, onset_beats, written.note_ids),
        measures=played_measures(written, alignment.warping.order),
        time_map=alignment.warping.time_map,
        end_beats=float((onset_beats + duration_beats).max()),
    )


def _played_beats(played: Score, notes: NoteTable) -> Float64s:
    """Written beats keep their exact values; only the whole passage is moved."""
    moved = np.round(played.tempo_map.beats_at(notes["onset_s"]) - notes["onset_beats"], _DIGITS)
    beats: Float64s = notes["onset_beats"] + moved
    return beats


def _ids(notes: NoteTable, onset_beats: Float64s, note_ids: tuple[str, ...]) -> tuple[str, ...]:
    names = [
        note_ids[place] if place >= 0 else name
        for place, name in zip(notes["score_note"].tolist(), _numbered(notes, onset_beats, bool(note_ids)), strict=True)
    ]
    times = Counter(names)
    if max(times.values()) == 1:
        return tuple(names)
    said: Counter[str] = Counter()
    ids = [""] * len(names)
    for i in np.argsort(onset_beats, kind="stable").tolist():
        said[names[i]] += 1
        ids[i] = f"{names[i]}-{said[names[i]]}"
    return tuple(ids)


def _numbered(notes: NoteTable, onset_beats: Float64s, beside_ids: bool) -> list[str]:
    """A name for each written note, whenever it is played: notes that share it differ in the beat as played."""
    doubled: dict[tuple[float, ...], int] = defaultdict(int)
    keys = []
    columns = ("onset_beats", "pitch", "part", "duration_beats")
    for row, played in zip(zip(*(notes[c].tolist() for c in columns), strict=True), onset_beats.tolist(), strict=True):
        doubled[(*row, played)] += 1
        keys.append((*row, doubled[(*row, played)]))
    prefix = "unnamed" if beside_ids else "n"
    place = {key: f"{prefix}{k}" for k, key in enumerate(sorted(set(keys)), start=1)}
    return [place[key] for key in keys]
