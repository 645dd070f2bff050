"""Anchors: what a person heard, found in the score as it is played."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_score import made_score

from musicnet_build.anchors import (
    Anchor,
    check_anchors,
    parse_anchors,
    pinned,
    place_of,
    read_anchors,
    write_anchors,
)
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.errors import AlignmentError
from musicnet_build.score.beats import measures_of
from musicnet_build.score.model import TimeSignature

SCORE = made_score(list(range(60, 76)))
AS_WRITTEN = TimeMap(np.array([0.0, 8.0]), np.array([0.0, 8.0]))


def pins(text: str, *, score=SCORE, guess: TimeMap = AS_WRITTEN, measures=None):
    return pinned(parse_anchors(text), score, measures or measures_of(score), guess)


def test_anchors_are_read_in_the_order_of_time() -> None:
    assert parse_anchors("60=40, 1234.5678=33:2.5") == (Anchor(60, "40", 1), Anchor(1234.5678, "33", 2.5))
    assert parse_anchors(",".join(map(str, parse_anchors("1234.5678=12a:2.5")))) == (Anchor(1234.5678, "12a", 2.5),)


@pytest.mark.parametrize("text", ["12.5", "12.5=", "=3", "-1=3", "1=3:0.5", "1=3:x", "1=2,1=3"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(AlignmentError):
        parse_anchors(text)


def test_a_csv_file_names_the_line_of_its_first_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("measure,recording_s,beat,by\n3,4.5,2,me\n2,2.5,,me\n")
    assert read_anchors(path) == (Anchor(2.5, "2", 1), Anchor(4.5, "3", 2))
    path.write_text("recording_s,measure\n4.5,3\nlate,2\n")
    with pytest.raises(AlignmentError, match="line 3"):
        read_anchors(path)
    path.write_text("time,bar\n")
    with pytest.raises(AlignmentError, match="line 1"):
        read_anchors(path)


def test_a_place_is_found_by_measure_and_beat_of_the_metre() -> None:
    np.testing.assert_allclose(pins("1=2:1,2=3:3").score_s, [2.0, 5.0])
    in_six = replace(SCORE, time_signatures=(TimeSignature(0.0, 6, 8),))
    np.testing.assert_allclose(pins("1=2:2", score=in_six).score_s, [2.25])


def test_of_a_measure_played_twice_the_time_that_fits_is_meant() -> None:
    twice = replace(measures_of(SCORE), numbers=("1", "2", "1", "2"))
    assert pins("1=2", measures=twice).score_s.tolist() == [2.0]
    assert pins("6.5=2", measures=twice).score_s.tolist() == [6.0]
    assert pins("4=2,4.5=1", measures=twice).score_s.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1=9", "no measure 9, but measures 1 to 4"),
        ("1=2:5", "no beat 5"),
        ("1=3,2=2", "1=3:1 and 2=2:1 contradict each other"),
    ],
)
def test_an_anchor_that_cannot_be_says_why(text: str, words: str) -> None:
    with pytest.raises(AlignmentError, match=words):
        pins(text)


def test_an_anchor_behind_the_end_of_the_recording_is_refused() -> None:
    check_anchors(parse_anchors("1=2,8=3"), 8.0)
    with pytest.raises(AlignmentError, match=r"9=3:1 is behind the end of the recording, which lasts 8\.0 s"):
        check_anchors(parse_anchors("1=2,9=3"), 8.0)


def test_a_score_without_measures_has_no_place_for_anchors() -> None:
    with pytest.raises(AlignmentError, match="no time signature"):
        pins("1=2", score=made_score([60, 62], metre=None))


def test_anchors_that_were_written_are_read_again(tmp_path: Path) -> None:
    anchors = parse_anchors("12.345678=33:1.5,60=12a")
    write_anchors(tmp_path / "new" / "a.csv", anchors)
    assert read_anchors(tmp_path / "new" / "a.csv") == anchors


@pytest.mark.parametrize(
    ("metre", "beats", "place"), [((4, 4), 5.0, "2:2"), ((6, 8), 4.5, "2:2"), ((2, 2), 7.0, "2:2.5")]
)
def test_the_place_of_a_note_is_found_again(metre: tuple[int, int], beats: float, place: str) -> None:
    score = replace(SCORE, time_signatures=(TimeSignature(0.0, *metre),))
    assert place_of(beats, score) == place
    np.testing.assert_allclose(pins(f"1={place}", score=score).score_s, [beats / 2])
