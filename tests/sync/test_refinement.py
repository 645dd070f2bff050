"""Tests of the refinement: evidence moves notes where it is clear, and leaves them with their chord where it is not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from musicnet_build.features.onsets import HOP_S
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.sync.chords import chords_around, log_likelihoods
from musicnet_build.sync.refinement import Refinement, refine, share_together

Floats = NDArray[np.float64]
CHORD = (48, 60, 64, 67)
LATE_S = 0.5  # the recording begins later than the score


def written(chords: int = 24, step_s: float = 0.5, pitches: tuple[int, ...] = CHORD) -> NoteTable:
    """The same chord again and again; each pitch is shifted up by as many semitones as its chord's number."""
    notes = empty_notes(chords * len(pitches))
    notes["onset_s"] = np.repeat(np.arange(chords) * step_s, len(pitches))
    notes["offset_s"] = notes["onset_s"] + step_s
    notes["pitch"] = np.tile(pitches, chords) + np.repeat(np.arange(chords) % 7, len(pitches))
    return notes


def heard(notes: NoteTable, onset_s: Floats, height: float = 9.0, width_s: float = 0.006) -> dict[int, Floats]:
    """Evidence with a peak at each onset."""
    times_s = np.arange(round((onset_s.max() + 2.0) / HOP_S)) * HOP_S
    return {
        int(pitch): sum(
            height * np.exp(-0.5 * ((times_s - true_s) / width_s) ** 2) for true_s in onset_s[notes["pitch"] == pitch]
        )
        for pitch in np.unique(notes["pitch"])
    }


def refined(notes: NoteTable, evidence: dict[int, Floats], passes_s: Floats | None = None) -> Refinement:
    exact_s = notes["onset_s"] + LATE_S
    passes = np.array([exact_s - 0.004, exact_s, exact_s + 0.004]) if passes_s is None else passes_s
    return refine(notes, passes, passes[:1], evidence)


def test_a_rolled_chord_is_resolved_to_its_notes() -> None:
    notes = written()
    played_s = notes["onset_s"] + LATE_S
    rolled = slice(40, 44)
    played_s[rolled] += np.array([-0.045, -0.015, 0.015, 0.045])
    found = refined(notes, heard(notes, played_s))
    np.testing.assert_allclose(found.onset_s, played_s, atol=0.008)


def test_a_note_goes_with_a_chord_that_is_struck_together_however_soft_it_is() -> None:
    notes = written()
    exact_s = notes["onset_s"] + LATE_S
    heard_s = exact_s.copy()
    heard_s[41] += 0.05  # one of four, and the other three together
    evidence = heard(notes, exact_s)
    pitch = int(notes["pitch"][41])
    evidence[pitch] = heard(notes, heard_s, height=2.5)[pitch]
    found = refined(notes, evidence)
    assert abs(found.onset_s[41] - exact_s[41]) < 0.02


def share_of(notes: NoteTable, played_s: Floats) -> float:
    """The share of chords that sound struck together where the notes are played at the given times."""
    chords = chords_around(notes, notes["onset_s"] + LATE_S)
    likelihood = log_likelihoods(notes["pitch"], chords, heard(notes, played_s))
    _, first = np.unique(notes["onset_s"], return_index=True)
    return share_together(likelihood, chords, notes["onset_s"][first] + LATE_S)


def by_players(notes: NoteTable, spread_s: float) -> Floats:
    """When the notes are played by people who are not together."""
    return notes["onset_s"] + LATE_S + np.random.default_rng(4).normal(0.0, spread_s, len(notes))


def test_a_recording_says_whether_its_players_are_together() -> None:
    notes = written()
    assert share_of(notes, by_players(notes, 0.004)) > 0.99
    assert share_of(notes, by_players(notes, 0.035)) < 0.3
    few = written(chords=8)
    assert share_of(few, by_players(few, 0.035)) == 1.0


def test_players_who_are_not_together_elsewhere_do_not_hold_the_one_who_is_late_here() -> None:
    notes = written()
    together_s, apart_s = by_players(notes, 0.0), by_players(notes, 0.035)
    late_s = []
    for played_s in (together_s, apart_s):
        played_s[40:44] = together_s[40:44]
        evidence = heard(notes, played_s)
        pitch = int(notes["pitch"][41])
        heard_s = played_s.copy()
        heard_s[41] += 0.05
        evidence[pitch] = heard(notes, heard_s, height=3.0)[pitch]
        passes_s = np.tile(together_s, (3, 1))
        silence = np.zeros((round(together_s.max() / HOP_S) + 200, 88), np.float32)
        late_s.append(refine(notes, passes_s, passes_s, evidence, levels=silence).onset_s[41] - together_s[41])
    assert late_s[0] < 0.02
    assert late_s[1] > 0.03


def test_what_has_learnt_is_judged_by_what_has_not() -> None:
    notes = written()
    exact_s = notes["onset_s"] + LATE_S
    sharp, deaf = heard(notes, exact_s), heard(notes, exact_s, height=0.1)
    passes_s = np.tile(exact_s, (3, 1))
    own, other = refine(notes, passes_s, passes_s, sharp), refine(notes, passes_s, passes_s, sharp, judge=deaf)
    np.testing.assert_array_equal(own.onset_s, other.onset_s)
    assert other.p_within_50ms.mean() < own.p_within_50ms.mean() - 0.1


def test_a_note_without_evidence_goes_with_its_chord() -> None:
    notes = written()
    evidence = heard(notes, notes["onset_s"] + LATE_S)
    mute = int(notes["pitch"].max())
    evidence[mute] = np.zeros_like(evidence[mute])
    found = refined(notes, evidence)
    silent = notes["pitch"] == mute
    np.testing.assert_allclose(found.onset_s[silent], found.chord_s[silent], atol=HOP_S)
    assert found.p_within_50ms[silent].max() < found.p_within_50ms[~silent].min()


def test_evidence_brings_back_a_chord_on_which_all_passes_slipped() -> None:
    notes = written()
    exact_s = notes["onset_s"] + LATE_S
    slipped = exact_s.copy()
    slipped[20:24] += 0.2
    found = refined(notes, heard(notes, exact_s), np.tile(slipped, (3, 1)))
    np.testing.assert_allclose(found.onset_s, exact_s, atol=0.008)


@pytest.mark.parametrize("backwards", [False, True])
def test_chords_at_the_ends_come_back_from_seconds_away(backwards: bool) -> None:
    notes = written()
    exact_s = notes["onset_s"] + LATE_S + 6.0
    slipped = exact_s.copy()
    if backwards:
        slipped[:12] -= np.repeat([5.0, 4.8, 3.0], 4)
    else:
        slipped[-12:] += np.repeat([3.0, 4.8, 5.0], 4)
    found = refined(notes, heard(notes, exact_s), np.tile(slipped, (3, 1)))
    np.testing.assert_allclose(found.onset_s, exact_s, atol=0.008)


def test_chords_behind_a_long_rest_stay_there() -> None:
    notes = written()
    exact_s = notes["onset_s"] + LATE_S
    exact_s[-12:] += 5.0
    found = refined(notes, heard(notes, exact_s), np.tile(exact_s, (3, 1)))
    np.testing.assert_allclose(found.onset_s, exact_s, atol=0.008)


def test_one_pass_that_slipped_is_outvoted_where_nothing_is_heard() -> None:
    notes = written()
    exact_s = notes["onset_s"] + LATE_S
    flat = {pitch: np.zeros_like(curve) for pitch, curve in heard(notes, exact_s).items()}
    slipped = exact_s.copy()
    slipped[20:24] += 0.2
    found = refined(notes, flat, np.array([exact_s, exact_s, slipped]))
    np.testing.assert_allclose(found.onset_s, exact_s, atol=0.012)


def test_repeated_strikes_of_one_pitch_do_not_claim_each_others_onset() -> None:
    notes = written(40, 0.12, (60,))
    notes["pitch"] = 60
    random = np.random.default_rng(2)
    played_s = notes["onset_s"] + LATE_S + random.uniform(-0.02, 0.02, len(notes))
    found = refined(notes, heard(notes, played_s))
    assert np.all(np.diff(found.onset_s) > 0.02)
    np.testing.assert_allclose(found.onset_s, played_s, atol=0.012)


def test_a_missing_note_is_doubted_and_its_chord_is_not_moved() -> None:
    notes = written()
    played = np.ones(len(notes), bool)
    played[41] = False
    exact_s = notes["onset_s"] + LATE_S
    found = refined(notes, heard(notes[played], exact_s[played]) | {})
    assert found.p_within_50ms[41] < found.p_within_50ms[played].min()
    np.testing.assert_allclose(found.chord_s, exact_s, atol=0.008)


def test_the_same_evidence_gives_the_same_times() -> None:
    notes = written()
    evidence = heard(notes, notes["onset_s"] + LATE_S)
    first, second = refined(notes, evidence), refined(notes, evidence)
    assert first.onset_s.tobytes() == second.onset_s.tobytes()
    assert first.p_within_50ms.tobytes() == second.p_within_50ms.tobytes()
