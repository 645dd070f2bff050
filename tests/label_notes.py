"""Notes for the tests of label files."""

import numpy as np

from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset


def label_notes(rows) -> NoteTable:
    notes = empty_notes(len(rows))
    for i, (onset, length, pitch, velocity, program, part, beats, confidence) in enumerate(rows):
        notes[i]["onset_s"], notes[i]["offset_s"] = onset / 1000, (onset + length) / 1000
        notes[i]["pitch"], notes[i]["velocity"], notes[i]["program"], notes[i]["part"] = pitch, velocity, program, part
        notes[i]["onset_beats"], notes[i]["duration_beats"] = beats / 3, length / 480
        notes[i]["confidence"] = np.nan if confidence is None else confidence / 10**4
    return sorted_by_onset(notes)


def one_note(**fields) -> NoteTable:
    notes = label_notes([(1000, 500, 60, 64, 40, 0, 0, None)])
    for name, value in fields.items():
        notes[name] = value
    return notes
