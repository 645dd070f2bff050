"""Tests of the chords: the best sequence of times, and steps that may be larger after a pause."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.features.onsets import HOP_S
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.sync.chords import (
    UNHEARD,
    Chords,
    chord_means,
    chord_times,
    frame_offsets,
    log_changes,
    log_softmax,
    most_probable_path,
)


@given(
    st.integers(1, 5).flatmap(
        lambda states: st.tuples(
            st.integers(1, 4).flatmap(lambda steps: arrays(np.float64, (steps, states), elements=st.floats(-9, 9))),
            arrays(np.float64, (2, states, states), elements=st.floats(-9, 9)),
            arrays(np.int64, (4,), elements=st.integers(0, 1)),
        )
    )
)
@settings(max_examples=100, deadline=None)
def test_no_sequence_of_states_is_better_than_the_one_found(
    scores: tuple[Float64s, Float64s, Int64s],
) -> None:
    emission, transitions, kind = scores

    def total(path: tuple[int, ...]) -> float:
        return sum(emission[step, state] for step, state in enumerate(path)) + sum(
            transitions[kind[step], one, other] for step, (one, other) in enumerate(itertools.pairwise(path), 1)
        )

    steps, states = emission.shape
    found = most_probable_path(emission, transitions, kind[:steps])
    assert found.shape == (steps,)
    best = max(total(path) for path in itertools.product(range(states), repeat=steps))
    assert total(tuple(found)) == pytest.approx(best)


def test_a_mean_is_taken_over_the_notes_that_begin_together() -> None:
    onsets_s, means = chord_means(np.array([1.0, 0.0, 1.0, 0.0]), np.array([4.0, 1.0, 6.0, 3.0]))
    assert onsets_s.tolist() == [0.0, 1.0]
    assert means.tolist() == [2.0, 5.0]


def shifted_chords(gap_s: float, shift_s: float) -> Float64s:
    """How far each of eight chords of two notes is moved, of which the fifth is heard later than all passes say."""
    centre = np.round((1.0 + np.arange(8) * gap_s) / HOP_S).astype(np.int64)
    late = np.where(np.arange(8) == 4, shift_s, 0.0)
    logits = 6.0 * np.exp(-0.5 * ((frame_offsets() * HOP_S - late[:, None]) / 0.01) ** 2)
    passes_s = np.tile(centre * HOP_S, (3, 1))
    likelihood = np.repeat(log_softmax(logits), 2, axis=0)
    return chord_times(likelihood, Chords(np.repeat(np.arange(8), 2), centre), passes_s, 1.0) - centre * HOP_S


def test_a_chord_moves_more_freely_the_longer_the_chord_before_it_is_past() -> None:
    slow, fast = (shifted_chords(gap_s, 0.06)[4] for gap_s in (2.0, 0.15))
    assert fast < 0.02
    assert slow > 0.04


def voice(pitches: list[int], starts_s: list[float]) -> NoteTable:
    notes = empty_notes(len(pitches))
    notes["pitch"], notes["onset_s"] = pitches, starts_s
    notes["offset_s"] = notes["onset_s"] + 0.5
    return notes


def crossfade(notes: NoteTable, late_s: float) -> tuple[Chords, Float64s]:
    """Chords at the score's times, and levels that pass from each note to the next so much later, over 0.1 s."""
    times_s = np.arange(400) * HOP_S
    levels = np.zeros((len(times_s), 88))
    for note in notes:
        rise, fall = (np.clip((times_s - note[end] - late_s) / 0.1 + 0.5, 0, 1) for end in ("onset_s", "offset_s"))
        levels[:, note["pitch"] - 21] += 4.0 * (rise - fall)
    starts_s, of_note = np.unique(notes["onset_s"], return_inverse=True)
    return Chords(of_note, np.round(starts_s / HOP_S).astype(np.int64)), levels


@given(st.floats(-0.1, 0.1))
@settings(max_examples=20, deadline=None)
def test_a_note_begins_where_the_one_before_it_gives_way(late_s: float) -> None:
    notes = voice([60, 62, 65], [0.5, 1.0, 1.5])
    heard = log_changes(notes, *crossfade(notes, late_s))
    assert np.abs(frame_offsets()[np.argmax(heard[1:], axis=1)] * HOP_S - late_s).max() < 1.5 * HOP_S
    assert np.ptp(heard[0]) == 0.0
    assert (np.exp(heard[1:]) >= UNHEARD / heard.shape[1] * 0.999).all()


@pytest.mark.parametrize(
    "notes", [voice([60, 60], [0.5, 1.0]), voice([60, 62], [0.5, 1.2]), voice([60, 62, 64], [0.5, 1.0, 1.0])]
)
def test_nothing_gives_way_where_a_part_repeats_or_rests_or_is_not_one_voice(notes: NoteTable) -> None:
    assert not log_changes(notes, *crossfade(notes, 0.05)).any()
