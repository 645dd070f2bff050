"""Playing orders in words and from words."""

import pytest
from made_score import made_score

from musicnet_build.errors import ScoreError
from musicnet_build.score.order import PlayingOrder, Span, describe, parse_order, passage_name

SCALE = list(range(40, 104))  # 16 measures of 4/4, no two notes alike


def order(*spans: tuple[float, float]) -> PlayingOrder:
    return PlayingOrder(tuple(Span(*span, 10.0 * i) for i, span in enumerate(spans)))


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
