"""Compose short piano pieces and record them, as material for the tutorial.

    python examples/record_pieces.py recordings scores

Six pieces as MIDI files with names, and a recording of each that is named after a session, as recordings are: played
with rubato, in a room, a few cents out of tune. No data is needed, and no recording tells its piece by its name.
"""

import sys
from pathlib import Path

import numpy as np

from musicnet_build import choose_soundfont, read_score, write_audio, write_labels
from musicnet_build.generation.demo import perform, stand_in_recording
from musicnet_build.notes import NoteTable, empty_notes

PIECES, BARS, BEAT_S = 6, 6, 0.5
PROGRESSION = ((0, 4, 7), (-3, 0, 4), (-7, -3, 0), (-5, -1, 2))
"""Chords as semitones above the key."""


def piece(random: np.random.Generator) -> NoteTable:
    """Compose a melody over broken chords, in score seconds."""
    key = int(random.integers(55, 62))
    rows = [row for bar in range(BARS) for row in _bar(4 * bar, key, PROGRESSION[bar % 4], random)]
    notes = empty_notes(len(rows))
    beats, lengths, notes["pitch"], notes["velocity"] = np.array(rows).T
    notes["onset_s"], notes["offset_s"] = beats * BEAT_S, (beats + 0.9 * lengths) * BEAT_S
    return notes


def _bar(
    start: float, key: int, chord: tuple[int, ...], random: np.random.Generator
) -> list[tuple[float, float, int, int]]:
    """Onset and length in beats, pitch, velocity: eight eighth notes of the chord, and a melody over them."""
    broken = [(start + beat / 2, 0.5, key + chord[beat % len(chord)], 60) for beat in range(8)]
    steps = random.choice([0, 2, 4, 5, 7, 9, 11, 12], 4)
    return broken + [(start + beat, 1.0, key + 12 + int(step), 84) for beat, step in enumerate(steps)]


def places(number: int, recordings: Path, scores: Path) -> tuple[Path, Path]:
    """Return where a recording and its score are written: the order of the sessions is not that of the pieces."""
    return recordings / f"session-{number * 5 % 7}.flac", scores / f"piece-{number}.mid"


def record(number: int, recordings: Path, scores: Path) -> None:
    """Write the score of a piece, and a recording of it."""
    session, score = places(number, recordings, scores)
    write_labels(score, piece(np.random.default_rng(number)))
    performance = perform(read_score(score), seed=number)
    write_audio(session, stand_in_recording(performance, choose_soundfont(), seed=number))


def main(recordings: str, scores: str) -> None:
    """Write the scores and their recordings."""
    for number in range(1, PIECES + 1):
        record(number, Path(recordings), Path(scores))


if __name__ == "__main__":
    main(*sys.argv[1:])
