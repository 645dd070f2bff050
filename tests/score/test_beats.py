"""Measures and beats of a score, and passages that are the same."""

import dataclasses
import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_score import made_score

from musicnet_build.score.beats import (
    RepeatedSection,
    beat_grid,
    end_beats,
    measure_starts,
    note_value_name,
    repeated_sections,
    same_music,
)
from musicnet_build.score.model import TimeSignature

SCALE = list(range(40, 104))  # 16 measures of 4/4, no two notes alike


def with_metres(*signatures: tuple[float, int, int]):
    return dataclasses.replace(made_score(SCALE), time_signatures=tuple(TimeSignature(*s) for s in signatures))


def test_measures_follow_the_time_signatures_with_an_upbeat_counted_as_one() -> None:
    score = with_metres((0.0, 1, 4), (1.0, 3, 4), (7.0, 4, 4))
    assert measure_starts(score)[:5].tolist() == [0.0, 1.0, 4.0, 7.0, 11.0]


def test_a_score_without_time_signature_has_no_measures() -> None:
    assert len(measure_starts(made_score(SCALE, metre=None))) == 0


def test_an_absurd_metre_does_not_eat_the_memory() -> None:
    score = made_score(SCALE)
    notes = score.notes.copy()
    notes["onset_beats"] *= 1e9
    huge = dataclasses.replace(score, notes=notes, time_signatures=(TimeSignature(0.0, 1, 128),))
    assert len(measure_starts(huge)) == 0
    assert len(beat_grid(huge).beats) <= 200_001


@given(st.lists(st.tuples(st.integers(1, 15), st.integers(0, 4)), min_size=1, max_size=6))
def test_beats_increase_and_every_measure_begins_on_a_downbeat(metres: list[tuple[int, int]]) -> None:
    at, signatures = 0.0, []
    for numerator, power in metres:
        signatures.append((at, numerator, 2**power))
        at += 2 * 4 * numerator / 2**power
    score = with_metres(*signatures)
    grid = beat_grid(score)
    assert np.all(np.diff(grid.beats) > 0)
    assert np.all(np.diff(grid.seconds) > 0)
    assert set(measure_starts(score)) <= set(grid.beats[grid.is_downbeat])
    assert grid.beats[-1] == end_beats(score)


def test_slow_quarters_have_beats_between_them() -> None:
    assert beat_grid(made_score(SCALE, seconds_per_beat=3.0)).beats[:5].tolist() == [0, 0.25, 0.5, 0.75, 1.0]


def test_same_music_compares_pitches_and_places() -> None:
    score = made_score([60, 62, 64, 65] * 3 + [60, 62, 64, 66])
    assert same_music(score, 0.0, 4.0, 4.0)
    assert not same_music(score, 8.0, 12.0, 4.0)
    assert same_music(score, 8.0, 12.0, 3.0)


def test_note_values_have_the_names_of_the_published_labels():
    lengths = [1 / 48, 1 / 24, 0.0625, 1 / 12, 0.108, 1 / 6, 0.25, 1 / 3, 0.375, 0.4833, 0.75, 0.975, 1.125, 1.25, 1.5]
    assert note_value_name([*lengths, 2, 2.93, 4.5]).tolist() == [
        "Triplet Sixty Fourth", "Triplet Sixty Fourth", "Sixty Fourth", "Triplet Thirty Second", "Thirty Second",
        "Triplet Sixteenth", "Sixteenth", "Triplet", "Dotted Sixteenth", "Eighth", "Dotted Eighth", "Quarter",
        "Tied Quarter-Thirty Second", "Tied Quarter-Sixteenth", "Dotted Quarter", "Half", "Dotted Half", "Whole",
    ]  # fmt: skip


def test_lengths_outside_the_table_are_unknown():
    assert note_value_name([0.0, 0.0208, 4.51, 100]).tolist() == ["Unknown"] * 4
    assert note_value_name([]).tolist() == []


@pytest.mark.parametrize(
    ("length", "name"),
    [
        (70 / 480, "Triplet Sixteenth"),
        (0.4375, "Eighth"),
        (0.625, "Dotted Eighth"),
        (1.75, "Half"),
        (3.5, "Whole"),
    ],
)
def test_a_length_exactly_between_two_values_is_the_longer(length, name):
    assert note_value_name([length, length - 1e-3])[0] == name
    assert note_value_name(length - 1e-3)[0] != name


# --- repeats that are written out

A, B, C = list(range(40, 56)), list(range(56, 80)), list(range(80, 100))


def test_a_repeat_is_found_where_it_is() -> None:
    assert repeated_sections(made_score(C + A + A + B)) == (RepeatedSection(20.0, 36.0, 36.0, 1.0),)


def test_a_theme_that_returns_later_is_found() -> None:
    assert repeated_sections(made_score(A + B + A)) == (RepeatedSection(0.0, 16.0, 40.0, 1.0),)


def test_a_nearly_exact_repeat_is_found_and_said_to_be_no_more() -> None:
    changed = [*A[:6], 30, *A[7:]]
    (section,) = repeated_sections(made_score(A + changed + B))
    assert (section.start_beats, section.end_beats) == (0.0, 16.0)
    assert section.share == 15 / 16


def test_three_passes_are_two_repeats() -> None:
    assert [(s.start_beats, s.again_beats) for s in repeated_sections(made_score(A * 3))] == [(0.0, 16.0), (16.0, 32.0)]


def test_rests_short_figures_and_through_composed_music_are_no_repeats() -> None:
    assert repeated_sections(made_score(A + B + C)) == ()
    assert repeated_sections(made_score([60, 64, 67, 64] * 1 + A + [60, 64, 67, 64])) == ()
    assert repeated_sections(made_score([60, 61], beats_each=40.0)) == ()


@given(st.integers(8, 30), st.integers(0, 12), st.integers(0, 12))
def test_any_repeated_passage_of_unlike_notes_is_found_exactly(length: int, before: int, behind: int) -> None:
    notes = list(range(1, 128))
    head, passage, tail = notes[:before], notes[before : before + length], notes[80 : 80 + behind]
    expected = (RepeatedSection(before, before + length, before + length, 1.0),)
    assert repeated_sections(made_score(head + passage + passage + tail)) == expected


def test_an_hour_of_music_is_compared_in_seconds() -> None:
    notes = [random.Random(1).randint(30, 90) for _ in range(7200)]
    started = time.process_time()
    repeated_sections(made_score(notes))
    assert time.process_time() - started < 10
