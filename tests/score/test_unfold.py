"""A score rebuilt in a playing order."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_score import made_score

from musicnet_build.errors import ScoreError
from musicnet_build.score.order import PlayingOrder, Span
from musicnet_build.score.unfold import unfold_score

SCALE = list(range(40, 104))
PEDAL, VOLUME = 64, 7


def order(*spans: tuple[float, float]) -> PlayingOrder:
    return PlayingOrder(tuple(Span(*span) for span in spans))


def test_played_straight_through_a_score_stays_as_it_is() -> None:
    score = made_score(SCALE, controls=[(0.0, VOLUME, 90), (3.0, PEDAL, 127), (5.0, PEDAL, 0)], tempo=[(8.0, 1.0)])
    played, index = unfold_score(score, order((0.0, 64.0)))
    assert played.notes.tobytes() == score.notes.tobytes()
    assert np.array_equal(played.controls, score.controls)
    assert np.array_equal(index, np.arange(64))
    assert played.time_signatures == score.time_signatures
    assert np.array_equal(played.tempo_map.seconds, score.tempo_map.seconds)


def test_a_repeated_measure_has_the_same_beats_both_times_and_twice_the_seconds() -> None:
    played, index = unfold_score(made_score(SCALE), order((0.0, 8.0), (4.0, 64.0)))
    assert len(played.notes) == 68
    assert played.notes["onset_beats"][4:12].tolist() == [4.0, 5.0, 6.0, 7.0, 4.0, 5.0, 6.0, 7.0]
    assert np.allclose(played.notes["onset_s"], np.arange(68) * 0.5)
    assert index[4:12].tolist() == [4, 5, 6, 7, 4, 5, 6, 7]


def test_every_passage_keeps_its_tempo() -> None:
    score = made_score(SCALE, tempo=[(8.0, 1.0), (12.0, 0.25)])
    played, _ = unfold_score(score, order((8.0, 12.0), (0.0, 4.0), (10.0, 14.0)))
    onsets = [0, 1, 2, 3, 4, 4.5, 5, 5.5, 6, 7, 8, 8.25]
    assert np.allclose(played.notes["onset_s"], onsets)
    assert np.allclose(played.tempo_map.seconds_at(np.arange(12)), onsets)


def test_a_note_over_a_seam_ends_there() -> None:
    score = made_score([60, 62, 64, 65], beats_each=4.0)
    played, _ = unfold_score(score, order((0.0, 6.0), (8.0, 16.0)))
    assert played.notes["offset_s"].tolist() == [2.0, 3.0, 5.0, 7.0]


def state_at(score, time_s: float) -> dict[int, int]:
    """Value of each control after everything up to a time."""
    rows = score.controls[score.controls["time_s"] <= time_s]
    return {int(row["number"]): int(row["value"]) for row in rows}


def test_at_a_seam_pedal_and_volume_are_those_of_the_place() -> None:
    controls = [(0.0, VOLUME, 90), (4.0, PEDAL, 127), (8.0, PEDAL, 0), (20.0, VOLUME, 50), (22.0, PEDAL, 127)]
    played, _ = unfold_score(made_score(SCALE, controls=controls), order((0.0, 24.0), (2.0, 64.0)))
    seam_s = 12.0
    assert state_at(played, seam_s - 0.01) == {VOLUME: 50, PEDAL: 127}
    assert state_at(played, seam_s) == {VOLUME: 90, PEDAL: 0}
    assert np.all(np.diff(played.controls["time_s"]) >= 0)


def test_a_pedal_that_is_down_on_both_sides_of_a_seam_is_lifted_between() -> None:
    controls = [(4.0, PEDAL, 127), (20.0, PEDAL, 0), (30.0, PEDAL, 127)]
    played, _ = unfold_score(made_score(SCALE, controls=controls), order((0.0, 6.0), (32.0, 64.0)))
    at_seam = played.controls[played.controls["time_s"] == 3.0]
    assert at_seam["value"].tolist() == [0, 127]


def test_parameters_set_before_a_late_start_are_set_again_in_their_order() -> None:
    controls = [(0.0, 101, 0), (0.0, 100, 0), (0.0, 6, 12), (0.0, 101, 127), (0.0, 100, 127)]
    played, _ = unfold_score(made_score(SCALE, controls=controls), order((32.0, 64.0)))
    assert list(zip(played.controls["number"], played.controls["value"], strict=True)) == [
        (101, 0), (100, 0), (6, 12), (101, 127), (100, 127),
    ]  # fmt: skip
    assert np.all(played.controls["time_s"] == 0.0)


def test_the_metre_of_a_passage_comes_with_it() -> None:
    from musicnet_build.score.reader import TimeSignature

    metres = (TimeSignature(0.0, 4, 4), TimeSignature(16.0, 3, 4))
    score = dataclasses.replace(made_score(SCALE), time_signatures=metres)
    played, _ = unfold_score(score, order((16.0, 22.0), (12.0, 19.0)))
    assert played.time_signatures == (TimeSignature(0.0, 3, 4), TimeSignature(6.0, 4, 4), TimeSignature(10.0, 3, 4))


def test_an_order_without_notes_or_without_end_is_refused() -> None:
    score = made_score(SCALE, beats_each=1.0)
    with pytest.raises(ScoreError, match="no notes"):
        unfold_score(score, order((0.25, 0.5)))
    with pytest.raises(ScoreError, match="hours"):
        unfold_score(made_score(SCALE, seconds_per_beat=60.0), order(*[(0.0, 64.0)] * 100))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4)), min_size=1, max_size=8))
def test_any_order_gives_its_notes_in_time_order_with_their_own_beats(pieces: list[tuple[int, int]]) -> None:
    score = made_score(SCALE, tempo=[(16.0, 0.3), (40.0, 0.7)], controls=[(5.0, PEDAL, 127), (50.0, PEDAL, 0)])
    played, index = unfold_score(score, order(*[(float(a), float(a + n)) for a, n in pieces]))
    assert played.notes["onset_beats"].tolist() == [float(b) for a, n in pieces for b in range(a, a + n)]
    assert np.array_equal(played.notes["pitch"], score.notes["pitch"][index])
    lengths = played.notes["offset_s"] - played.notes["onset_s"]
    assert np.allclose(lengths, (score.notes["offset_s"] - score.notes["onset_s"])[index])
    assert np.all(np.diff(played.controls["time_s"]) >= 0)
