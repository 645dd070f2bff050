"""When piano notes end, as a witness heard them sound.

A score says how long a note is written, not when a key is let go or a damper falls. Transcribers of piano hear that
well enough; of winds and strings they do not, and the score knows better.
"""

import numpy as np

from musicnet_build._typing import Float64s, Floats
from musicnet_build.features.onsets import HOP_S
from musicnet_build.notes import NoteTable
from musicnet_build.sync.witness.agreement import Agreement

PIANOS = range(6)
"""General MIDI programs whose notes end where a witness says so: pianos that are struck and damped."""

SOUNDS = 0.3
"""Probability of sounding above which a note goes on."""

STRUCK_S = 0.06
"""So long after its onset a note must sound, or the witness did not hear it."""


def end_with_witness(notes: NoteTable, agreed: Agreement, duration_s: float) -> NoteTable:
    """Let notes of pianos end when a witness hears them end.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.
    agreed : Agreement
        With a witness that is believed.
    duration_s : float
        Length of the recording.

    Returns
    -------
    NoteTable [shape=(n,)]
        In the same order. Notes that the witness did not hear, or not end, stay as they are.
    """
    ended = notes.copy()
    on_piano = np.isin(notes["program"], PIANOS)
    frames = 1 + int(duration_s / HOP_S)
    for pitch in np.unique(notes["pitch"][on_piano]):
        rows = np.flatnonzero(on_piano & (notes["pitch"] == pitch))
        silent = np.flatnonzero(agreed.witness.sustain_curve(int(pitch), frames) < SOUNDS)
        ends_s = _first_from(silent * HOP_S - agreed.delay_s, notes["onset_s"][rows] + STRUCK_S)
        heard = np.isfinite(ends_s) & (ends_s > notes["onset_s"][rows] + STRUCK_S + HOP_S)
        ended["offset_s"][rows[heard]] = ends_s[heard]
    return ended


def _first_from(times_s: Floats, starts_s: Floats) -> Float64s:
    """The first of some ordered times at or after each start; infinite where there is none."""
    return np.append(times_s, np.inf)[np.searchsorted(times_s, starts_s)]
