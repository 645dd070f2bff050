"""Tests of the refinement: evidence moves notes where it is clear, and leaves them with their chord where it is not."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from musicnet_build.features.onsets import HOP_S
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.sync.refinement import Refinement, chord_means, most_probable_path, refine

Floats = NDArray[np.float64]
CHORD = (48, 60, 64, 67)
LATE_S = 0.5  # the recording begins later than the score


@given(
    st.integers(1, 5).flatmap(
        lambda states: st.tuples(
            st.integers(1, 4).flatmap(lambda steps: arrays(np.float64, (steps, states), elements=st.floats(-9, 9))),
            arrays(np.float64, (states, states), elements=st.floats(-9, 9)),
        )
    )
)
@settings(max_examples=100, deadline=None)
def test_no_sequence_of_states_is_better_than_the_one_found(scores: tuple[Floats, Floats]) -> None:
    emission, transition = scores

    def total(path: tuple[int, ...]) -> float:
        return sum(emission[step, state] for step, state in enumerate(path)) + sum(
            transition[one, other] for one, other in itertools.pairwise(path)
        )

    steps, states = emission.shape
    found = most_probable_path(emission, transition)
    assert found.shape == (steps,)
    best = max(total(path) for path in itertools.product(range(states), repeat=steps))
    assert total(tuple(found)) == pytest.approx(best)


def test_a_mean_is_taken_over_the_notes_that_begin_together() -> None:
    onsets_s, means = chord_means(np.array([1.0, 0.0, 1.0, 0.0]), np.array([4.0, 1.0, 6.0, 3.0]))
    assert onsets_s.tolist() == [0.0, 1.0]
    assert means.tolist() == [2.0, 5.0]


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
    assert found.reliability > 0.8
    np.testing.assert_allclose(found.onset_s, played_s, atol=0.008)


def test_softly_bowed_notes_stay_with_their_chord() -> None:
    notes, random = written(), np.random.default_rng(1)
    exact_s = notes["onset_s"] + LATE_S
    evidence = heard(notes, exact_s + random.uniform(-0.07, 0.07, len(notes)))
    found = refined(notes, evidence)
    assert found.reliability < 0.55
    np.testing.assert_array_equal(found.onset_s, found.chord_s)
    assert np.median(np.abs(found.onset_s - exact_s)) < 0.02


def test_a_note_without_evidence_goes_with_its_chord() -> None:
    notes = written()
    evidence = heard(notes, notes["onset_s"] + LATE_S)
    mute = int(notes["pitch"].max())
    evidence[mute] = np.zeros_like(evidence[mute])
    found = refined(notes, evidence)
    silent = notes["pitch"] == mute
    np.testing.assert_allclose(found.onset_s[silent], found.chord_s[silent], atol=HOP_S)
    assert found.near[silent].max() < found.near[~silent].min()


def test_evidence_brings_back_a_chord_on_which_all_passes_slipped() -> None:
    notes = written()
    exact_s = notes["onset_s"] + LATE_S
    slipped = exact_s.copy()
    slipped[20:24] += 0.2
    found = refined(notes, heard(notes, exact_s), np.tile(slipped, (3, 1)))
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
    assert found.near[41] < found.near[played].min()
    np.testing.assert_allclose(found.chord_s, exact_s, atol=0.008)


def test_the_same_evidence_gives_the_same_times() -> None:
    notes = written()
    evidence = heard(notes, notes["onset_s"] + LATE_S)
    first, second = refined(notes, evidence), refined(notes, evidence)
    assert first.onset_s.tobytes() == second.onset_s.tobytes()
    assert first.near.tobytes() == second.near.tobytes()
