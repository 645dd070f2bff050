"""A piano that plays notes of known velocities, for tests of what a recording tells of them."""

import numpy as np
from made_score import made_score

from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont

STEP_S = 0.25


def struck(count: int, seed: int = 3) -> tuple[np.ndarray, NoteTable]:
    """Sound, and the notes that are played in it: chords of two, no octaves, of any velocity."""
    random = np.random.default_rng(seed)
    score = made_score([60] * count, seconds_per_beat=STEP_S)
    notes = score.notes
    notes["pitch"] = random.integers(45, 80, count)
    notes["velocity"] = random.integers(25, 120, count)
    # Every other note joins the one before it, a third or so above.
    notes["onset_s"][1::2] = notes["onset_s"][: count - 1 : 2]
    notes["pitch"][1::2] = notes["pitch"][: count - 1 : 2] + random.integers(3, 9, len(notes["pitch"][1::2]))
    sound = synthesize(score, choose_soundfont("TimGM6mb")).audio
    return sound, notes


def labels_of(notes: NoteTable) -> NoteTable:
    """The same notes as labels: of one velocity, quite sure."""
    labels = empty_notes(len(notes))
    for field in ("onset_s", "offset_s", "pitch"):
        labels[field] = notes[field]
    labels["velocity"], labels["confidence"] = 80, 0.9
    return labels
