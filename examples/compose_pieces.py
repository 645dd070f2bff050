"""Compose four pieces for electric guitar and trumpet, as MIDI files to test timbre sets with.

    python examples/compose_pieces.py FOLDER

Random melodies on a grid of sixteenth notes, with rests, leaps and accents; the guitar plays now and then a chord.
"""

import sys
from pathlib import Path

import mido
import numpy as np

TICKS, PIECES, BEATS = 480, 4, 100
LENGTHS = (0.25, 0.5, 0.5, 0.75, 1.0, 1.0, 1.5, 2.0)
STEPS = (-12, -7, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 7, 12)
REST, CHORD = 0.15, 0.1

Note = tuple[float, float, int, int]
"""Onset and length in beats, MIDI pitch, velocity."""


def melody(random: np.random.Generator, lowest: int, highest: int, chords: float) -> list[Note]:
    """Walk up and down within a range; a chord has two notes below that of the melody."""
    notes: list[Note] = []
    beat, pitch = 0.0, (lowest + highest) // 2
    while beat < BEATS:
        length = float(random.choice(LENGTHS))
        if random.random() >= REST:
            pitch = int(np.clip(pitch + random.choice(STEPS), lowest, highest))
            velocity = int(random.integers(64, 116))
            below = (0, 4, 7) if random.random() < chords else (0,)
            notes += [(beat, length, pitch - each, velocity) for each in below if pitch - each >= lowest]
        beat += length
    return notes


def track(notes: list[Note], program: int, channel: int) -> mido.MidiTrack:
    """Return notes as a track of a MIDI file."""
    events = [(round(TICKS * (at + length)), 0, pitch) for at, length, pitch, _ in notes]
    events += [(round(TICKS * at), velocity, pitch) for at, _, pitch, velocity in notes]
    result, now = mido.MidiTrack([mido.Message("program_change", program=program, channel=channel)]), 0
    for tick, velocity, pitch in sorted(events):
        result.append(mido.Message("note_on", note=pitch, velocity=velocity, channel=channel, time=tick - now))
        now = tick
    return result


def main(folder: str) -> None:
    """Write the pieces; their guitars are programs 26 to 29."""
    random = np.random.default_rng(7)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(PIECES):
        file = mido.MidiFile(ticks_per_beat=TICKS)
        file.tracks.append(track(melody(random, 40, 80, CHORD), 26 + number, 0))
        file.tracks.append(track(melody(random, 54, 84, 0.0), 56, 1))
        file.save(Path(folder) / f"piece-{number + 1}.mid")


if __name__ == "__main__":
    main(sys.argv[1])
