"""Notes and tunes for tests that compare labels with the truth."""

from collections.abc import Sequence

import numpy as np

from musicnet_build.notes import NoteTable, empty_notes

UNKNOWN = np.nan


def notes(
    onset_s: Sequence[float],
    *,
    beats: Sequence[float] | float = UNKNOWN,
    pitch: Sequence[int] | int = 60,
    program: Sequence[int] | int = 0,
    length_s: float = 0.5,
    confidence: Sequence[float] | float = UNKNOWN,
) -> NoteTable:
    table = empty_notes(len(onset_s))
    table["onset_s"] = onset_s
    table["offset_s"] = table["onset_s"] + length_s
    table["onset_beats"], table["pitch"], table["program"], table["confidence"] = beats, pitch, program, confidence
    table["velocity"] = 64
    table["duration_beats"] = 0.5
    return table


def a_tune(count: int = 40) -> NoteTable:
    """Notes of a scale that climbs and falls, two of them at once, each pitch often repeated."""
    steps = np.arange(count)
    pitch = 60 + np.abs(steps % 14 - 7)
    return notes(1.0 + 0.3 * (steps // 2), beats=0.5 * (steps // 2), pitch=pitch + 12 * (steps % 2), length_s=0.4)


def a_scale(count: int = 40) -> NoteTable:
    """Notes two at a time, none of which overlaps or touches another of its pitch."""
    steps = np.arange(count)
    return notes(1.0 + 0.3 * (steps // 2), beats=0.5 * (steps // 2), pitch=50 + steps % 6 * 3, length_s=0.4)
