"""A small timbre set, and pieces for test sets, composed on the spot."""

from pathlib import Path

import mido

from musicnet_build.corpora.timbre_set import Instrument
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

GUITAR = Instrument("guitar", (26, 27), 60, 63)
TRUMPET = Instrument("trumpet", (56,), 62, 64)
SMALL_PAIR = (GUITAR, TRUMPET)

Line = list[tuple[float, float, int]]
"""Onset and length in beats, and pitch."""

TUNE = [0, 2, 4, 5, 7, 5, 4, 2, 0, 4, 7, 12]


def soundfont() -> Soundfont:
    """The soundfont that comes with pretty_midi, so that sounds are the same on every machine."""
    return choose_soundfont("TimGM6mb")


def tune(start: int, *, beat: float = 0.0, length: float = 1.0) -> Line:
    """A tune of twelve notes."""
    return [(beat + i * length, length, start + step) for i, step in enumerate(TUNE)]


def write_tracks(path: Path, tracks: list[tuple[int, int, Line]], *, bpm: float = 93.0) -> Path:
    """Write a MIDI file with a track for each (program, channel, line)."""
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))]))
    for program, channel, line in tracks:
        events = [(round(480 * (at + length)), "note_off", pitch) for at, length, pitch in line]
        events += [(round(480 * at), "note_on", pitch) for at, length, pitch in line]
        track = mido.MidiTrack([mido.Message("program_change", program=program, channel=channel)])
        now = 0
        for tick, kind, pitch in sorted(events):
            track.append(mido.Message(kind, note=pitch, velocity=40, channel=channel, time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(path)
    return path
