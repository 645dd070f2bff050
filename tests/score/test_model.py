"""What follows from a score alone: other times, another tuning."""

import numpy as np
from made_score import made_score

from musicnet_build.score.model import PITCH_BEND


def test_retimed_moves_notes_and_controls_but_not_beats() -> None:
    score = made_score([60, 62], controls=[(1.0, 64, 127)])
    moved = score.retimed(lambda t: 2 * t + 1)
    assert moved.notes["onset_s"].tolist() == [1.0, 2.0]
    assert moved.controls["time_s"].tolist() == [2.0]
    assert moved.notes["onset_beats"].tolist() == score.notes["onset_beats"].tolist()
    assert score.notes["onset_s"].tolist() == [0.0, 0.5], "the original must stay"


def test_a_score_is_detuned_from_its_start_and_through_all_its_bends() -> None:
    score = made_score([60, 62], controls=[(1.0, PITCH_BEND, -4096), (1.5, PITCH_BEND, 8000)])
    tuned = score.detuned(50.0)
    assert tuned.controls["number"].tolist() == [PITCH_BEND] * 3
    assert tuned.controls["value"].tolist() == [2048, -2048, 8191]
    assert tuned.controls["beats"].tolist() == [0.0, 1.0, 1.5]


def test_each_part_may_have_a_tuning_of_its_own_and_none_is_none() -> None:
    score = made_score([60])
    assert score.detuned(np.array([-100.0])).controls["value"].tolist() == [-4096]
    assert score.detuned(0.0) is score
