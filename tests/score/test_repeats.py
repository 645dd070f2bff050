"""Repeats that are written out in a score."""

import random
import time

from hypothesis import given
from hypothesis import strategies as st
from made_score import made_score

from musicnet_build.score.repeats import RepeatedSection, repeated_sections

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
