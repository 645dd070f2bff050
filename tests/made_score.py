"""Scores made of plain notes, for tests that need a score and no file."""

import numpy as np

from musicnet_build.notes import empty_notes, sorted_by_onset
from musicnet_build.score.model import CONTROL_DTYPE, LostNotes, Part, Score, TempoMap, TimeSignature


def made_score(
    pitches: list[int],
    *,
    beats_each: float = 1.0,
    seconds_per_beat: float = 0.5,
    metre: tuple[int, int] | None = (4, 4),
    controls: list[tuple[float, int, int]] = (),
    tempo: list[tuple[float, float]] = (),
) -> Score:
    """One voice of equal notes; controls are (beats, number, value), tempo changes (beats, seconds per beat)."""
    changes = [(0.0, seconds_per_beat), *tempo]
    beats = np.array([b for b, _ in changes])
    slowness = np.array([s for _, s in changes])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(beats) * slowness[:-1])])
    tempo_map = TempoMap(beats, seconds, slowness)
    notes = empty_notes(len(pitches))
    notes["onset_beats"] = np.arange(len(pitches)) * beats_each
    notes["duration_beats"] = beats_each
    notes["onset_s"] = tempo_map.seconds_at(notes["onset_beats"])
    notes["offset_s"] = tempo_map.seconds_at(notes["onset_beats"] + beats_each)
    notes["pitch"], notes["velocity"] = pitches, 80
    rows = [(float(tempo_map.seconds_at(b)), b, 0, number, value) for b, number, value in controls]
    return Score(
        notes=sorted_by_onset(notes),
        controls=np.array(rows, dtype=CONTROL_DTYPE),
        parts=(Part("Piano", 0, False),),
        tempo_map=tempo_map,
        time_signatures=(TimeSignature(0.0, *metre),) if metre else (),
        lost=LostNotes(),
        name="made",
        warnings=(),
    )


def spans(score: Score) -> list[tuple[int, float, float]]:
    """(pitch, onset, offset in beats) of all notes."""
    notes = score.notes
    ends = notes["onset_beats"] + notes["duration_beats"]
    return sorted(zip(notes["pitch"].tolist(), notes["onset_beats"].tolist(), ends.tolist(), strict=True))
