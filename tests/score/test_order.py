"""Playing orders: measures and beats of a score, orders in words and from words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_score import made_score

from musicnet_build.errors import ScoreError
from musicnet_build.score.order import (
    PlayingOrder,
    Span,
    beat_grid,
    describe,
    end_beats,
    measure_starts,
    parse_order,
    passage_name,
    same_music,
)
from musicnet_build.score.reader import TimeSignature

SCALE = list(range(40, 104))  # 16 measures of 4/4, no two notes alike


def order(*spans: tuple[float, float]) -> PlayingOrder:
    return PlayingOrder(tuple(Span(*span, 10.0 * i) for i, span in enumerate(spans)))


def with_metres(*signatures: tuple[float, int, int]):
    import dataclasses

    return dataclasses.replace(made_score(SCALE), time_signatures=tuple(TimeSignature(*s) for s in signatures))


def test_measures_follow_the_time_signatures_with_an_upbeat_counted_as_one() -> None:
    score = with_metres((0.0, 1, 4), (1.0, 3, 4), (7.0, 4, 4))
    assert measure_starts(score)[:5].tolist() == [0.0, 1.0, 4.0, 7.0, 11.0]


def test_a_score_without_time_signature_has_no_measures() -> None:
    assert len(measure_starts(made_score(SCALE, metre=None))) == 0


def test_an_absurd_metre_does_not_eat_the_memory() -> None:
    import dataclasses

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


def test_an_order_is_read_in_measures_both_ends_included() -> None:
    spans = parse_order("1-4, 3–16", made_score(SCALE)).spans
    assert [(s.start_beats, s.end_beats) for s in spans] == [(0.0, 16.0), (8.0, 64.0)]


def test_an_order_is_read_in_beats() -> None:
    spans = parse_order("b0-b9.5,b8-b64", made_score(SCALE, metre=None)).spans
    assert [(s.start_beats, s.end_beats) for s in spans] == [(0.0, 9.5), (8.0, 64.0)]


@pytest.mark.parametrize(
    "text", ["", "1-4,", "1", "4-1", "0-4", "1-17", "1.5-4", "b4-b4", "b0-b65", "1-b4", "b-1-b4", "x"]
)
def test_an_impossible_order_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ScoreError) as error:
        parse_order(text, made_score(SCALE))
    assert "\n" not in str(error.value)


def test_measures_are_refused_where_the_score_states_none() -> None:
    with pytest.raises(ScoreError, match="beats"):
        parse_order("1-4", made_score(SCALE, metre=None))


def test_an_endless_order_is_refused() -> None:
    with pytest.raises(ScoreError, match="1000"):
        parse_order(",".join(["1-2"] * 1001), made_score(SCALE))


def test_a_score_played_straight_through_needs_no_words() -> None:
    assert describe(order((0.0, 64.0)), made_score(SCALE)) == []


def test_a_cut_is_said_in_measures_and_minutes() -> None:
    score = made_score(SCALE)
    assert describe(order((0.0, 16.0), (24.0, 64.0)), score) == ["measures 5–6 were left out (at 0:10.0)"]
    assert describe(order((0.0, 16.0), (20.0, 64.0)), score) == ["measure 5 was left out (at 0:10.0)"]


def test_a_left_out_repeat_is_called_by_its_first_pass() -> None:
    score = made_score(SCALE[:8] + SCALE[8:24] * 2 + SCALE[24:])
    for left_out in ((24.0, 40.0), (8.0, 24.0)):
        words = describe(order((0.0, left_out[0]), (left_out[1], 80.0)), score)
        assert words == ["the repeat of measures 3–6 was left out (at 0:10.0)"]


def test_music_played_again_is_named() -> None:
    words = describe(order((0.0, 24.0), (8.0, 64.0)), made_score(SCALE))
    assert words == ["measures 3–6 were played again (at 0:10.0)"]


def test_missing_ends_are_named() -> None:
    words = describe(order((16.0, 40.0)), made_score(SCALE))
    assert words == ["the recording begins at measure 5 (at 0:00.0)", "the recording ends before measure 11"]


def test_a_passage_that_cuts_measures_is_named_by_its_beats() -> None:
    assert passage_name(made_score(SCALE), 1.0, 8.0) == "the music from measure 1, beat 2 to measure 3"
    assert passage_name(made_score(SCALE, metre=None), 1.5, 8.0) == "beats 1.5–8"
