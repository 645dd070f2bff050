"""Tests of the ends of piano notes: a witness says when they are let go, of other instruments the score does."""

import numpy as np

from musicnet_build.labels.witness import HeardNotes
from musicnet_build.notes import empty_notes
from musicnet_build.sync.witness.agreement import Agreement
from musicnet_build.sync.witness.offsets import end_with_witness


def test_piano_notes_end_where_the_witness_hears_them_end_less_its_delay() -> None:
    notes = empty_notes(4)
    notes["onset_s"], notes["offset_s"] = [1.0, 1.0, 3.0, 5.0], [1.5, 1.5, 3.5, 5.5]
    notes["pitch"], notes["program"] = [60, 64, 60, 67], [0, 0, 0, 40]
    heard = notes.copy()
    heard["offset_s"] = [2.0, 1.2, 3.9, 6.0]
    heard["onset_s"] += 0.0116
    heard["offset_s"] += 0.0116
    agreed = Agreement(HeardNotes(heard[[0, 1, 3]]), gain_nats=2.0, delay_frames=2, odds=10.0)
    ended = end_with_witness(notes, agreed, 10.0)
    assert np.allclose(ended["offset_s"], [2.0, 1.2, 3.5, 5.5], atol=0.012)
    assert (ended["onset_s"] == notes["onset_s"]).all()


def test_a_note_that_a_witness_never_hears_end_ends_as_before() -> None:
    notes = empty_notes(1)
    notes["onset_s"], notes["offset_s"], notes["pitch"] = 1.0, 1.5, 60
    heard = notes.copy()
    heard["offset_s"] = 30.0
    ended = end_with_witness(notes, Agreement(HeardNotes(heard), gain_nats=2.0), 10.0)
    assert ended["offset_s"][0] == 1.5
