"""Tests of what a recipe gives: the cost along its map is small where the two sound alike and large where not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.notes import empty_notes
from musicnet_build.score.reader import CONTROL_DTYPE, LostNotes, Score, TempoMap
from musicnet_build.sync.result import SyncResult, cost_along, with_estimate

HOP_S = 0.1


def warping(score: NDArray[np.float32], recording: NDArray[np.float32], time_map: TimeMap) -> SyncResult:
    return SyncResult(
        score=written_score(),
        order=None,
        time_map=time_map,
        score_features=score,
        recording_features=recording,
        score_frames_s=HOP_S * np.arange(len(score)),
        recording_frames_s=HOP_S * np.arange(len(recording)),
        warnings=(),
    )


def written_score() -> Score:
    return Score(
        notes=empty_notes(),
        controls=np.empty(0, CONTROL_DTYPE),
        parts=(),
        tempo_map=TempoMap(np.zeros(1), np.zeros(1), np.full(1, 0.5)),
        time_signatures=(),
        lost=LostNotes(),
        name="score",
        warnings=(),
    )


def features(frames: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((frames, 6)).astype(np.float32)


def identity(frames: int) -> TimeMap:
    times_s = HOP_S * np.arange(frames)
    return TimeMap(times_s, times_s)


def test_the_same_sound_costs_nothing() -> None:
    same = features(30)
    np.testing.assert_array_equal(cost_along(warping(same, same.copy(), identity(30))), np.zeros(30))


def test_the_cost_rises_only_where_the_recording_plays_something_else() -> None:
    score, recording = features(30), features(30)
    recording[10:15] += 1.0
    cost = cost_along(warping(score, recording, identity(30)))
    np.testing.assert_allclose(cost[10:15], np.sqrt(6), rtol=1e-5)
    assert not np.delete(cost, range(10, 15)).any()


def test_each_point_is_measured_at_the_frames_nearest_to_it() -> None:
    score, recording = features(10), features(10, seed=1)
    time_map = TimeMap(np.array([0.04, 0.26]), np.array([0.31, 0.89]))
    expected = [np.linalg.norm(score[0] - recording[3]), np.linalg.norm(score[3] - recording[9])]
    np.testing.assert_allclose(cost_along(warping(score, recording, time_map)), expected, rtol=1e-6)


def test_points_beyond_the_frames_are_measured_at_the_last_one() -> None:
    score, recording = features(4), features(4, seed=1)
    time_map = TimeMap(np.array([-3.0, 9.0]), np.array([-3.0, 9.0]))
    expected = np.linalg.norm(score[[0, 3]] - recording[[0, 3]], axis=1)
    np.testing.assert_allclose(cost_along(warping(score, recording, time_map)), expected, rtol=1e-6)


def test_one_frame_on_either_side_is_enough() -> None:
    cost = cost_along(warping(features(1), features(1), TimeMap(np.array([0.0]), np.array([0.0]))))
    np.testing.assert_array_equal(cost, [0.0])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3.0, "aligning"),
        (45.4, "aligning, about 45 s"),
        (100.0, "aligning, about 2 min"),
        (3600, "aligning, about 60 min"),
    ],
)
def test_only_a_long_stage_tells_its_time_in_a_unit_that_people_use(seconds: float, said: str) -> None:
    assert with_estimate("aligning", seconds) == said
