"""Tests of the time map: it never turns back, can be undone, and goes through the middle of what the path says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicnet_build.dtw.timemap import TimeMap, map_from_path, monotone_map, smoothed
from musicnet_build.errors import AlignmentError

STEPS = {0: (1, 1), 1: (1, 0), 2: (0, 1)}


@st.composite
def paths(draw: st.DrawFn) -> NDArray[np.int64]:
    """Warping paths of every form, one point among them."""
    steps = draw(st.lists(st.integers(0, 2), max_size=80))
    return np.cumsum([(0, 0), *(STEPS[step] for step in steps)], axis=0).astype(np.int64)


@st.composite
def maps(draw: st.DrawFn) -> TimeMap:
    steps = draw(st.lists(st.tuples(st.floats(0.2, 3), st.floats(0.2, 3)), min_size=1, max_size=20))
    score_s, recording_s = np.cumsum(np.array(steps), axis=0).T
    return TimeMap(score_s - 1, recording_s)


def test_the_diagonal_is_the_identity() -> None:
    time_map = map_from_path(np.tile(np.arange(50)[:, None], 2), 0.01, 0.01)
    times_s = np.linspace(-1, 2, 40)
    np.testing.assert_allclose(time_map.recording_at(times_s), times_s, atol=1e-12)


def test_hops_turn_frames_into_seconds_on_both_sides() -> None:
    time_map = map_from_path(np.tile(np.arange(50)[:, None], 2), 0.01, 0.02)
    np.testing.assert_allclose(time_map.recording_at([0.1, 0.2]), [0.2, 0.4])


def test_a_frame_that_lasts_stands_for_the_middle_of_its_time() -> None:
    # score frame 1 is held over recording frames 1 to 5
    path = np.array([(0, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 6)])
    assert map_from_path(path, 1.0, 1.0).recording_at(1.0) == pytest.approx(3.0)
    assert map_from_path(path[:, ::-1], 1.0, 1.0).score_at(1.0) == pytest.approx(3.0)


@given(paths())
@settings(max_examples=200)
def test_any_path_gives_a_map_that_stays_near_it_and_increases(path: NDArray[np.int64]) -> None:
    time_map = map_from_path(path, 1.0, 1.0)
    assert np.all(np.diff(time_map.score_s) > 0)
    assert np.all(np.diff(time_map.recording_s) > 0)
    for score, recording in zip(time_map.score_s, time_map.recording_s, strict=True):
        within_rows = (path[:, 0] >= np.floor(score)) & (path[:, 0] <= np.ceil(score))
        near = path[within_rows, 1]
        assert near.min() <= recording <= near.max()


@given(maps(), st.lists(st.floats(-5, 70), min_size=1, max_size=10))
def test_there_and_back_is_the_same_time(time_map: TimeMap, times: list[float]) -> None:
    back = time_map.score_at(time_map.recording_at(times))
    np.testing.assert_allclose(back, times, atol=1e-6)


@given(maps(), st.lists(st.floats(-5, 70), min_size=2, max_size=10))
def test_later_in_the_score_is_never_earlier_in_the_recording(time_map: TimeMap, times: list[float]) -> None:
    assert np.all(np.diff(time_map.recording_at(np.sort(times))) >= 0)


def test_beyond_its_ends_a_map_goes_on_at_the_scores_tempo() -> None:
    time_map = TimeMap(np.array([1.0, 2.0]), np.array([5.0, 9.0]))
    np.testing.assert_allclose(time_map.recording_at([0.0, 1.5, 3.0]), [4.0, 7.0, 10.0])


def test_a_map_of_one_point_is_a_shift() -> None:
    np.testing.assert_allclose(TimeMap(np.array([1.0]), np.array([3.0])).recording_at([0, 1, 9]), [2, 3, 11])


def test_points_that_run_backwards_are_pushed_forward_as_little_as_may_be() -> None:
    time_map = monotone_map(np.arange(5.0), np.array([0.0, 1.0, 0.8, 3.0, 4.0]))
    assert np.all(np.diff(time_map.recording_s) > 0)
    np.testing.assert_allclose(time_map.recording_s, [0.0, 1.0, 1.0, 3.0, 4.0], atol=0.002)


@pytest.mark.parametrize(
    ("score_s", "recording_s"),
    [([], []), ([0.0, 1.0], [0.0]), ([0.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [1.0, 0.5])],
)
def test_what_is_no_map_is_refused(score_s: list[float], recording_s: list[float]) -> None:
    with pytest.raises(AlignmentError, match="time map"):
        TimeMap(np.array(score_s), np.array(recording_s))


@given(paths(), st.sampled_from([0.1, 0.3]))
@settings(max_examples=100)
def test_a_smoothed_map_increases_whatever_the_path(path: NDArray[np.int64], sigma_s: float) -> None:
    assert np.all(np.diff(smoothed(map_from_path(path, 0.05, 0.05), sigma_s).recording_s) > 0)


def test_smoothing_evens_out_the_steps_of_a_path_and_keeps_its_course() -> None:
    random = np.random.default_rng(0)
    true_s = np.linspace(0.0, 20.0, 400)
    course = TimeMap(true_s, 1.0 + true_s + 0.3 * np.sin(true_s / 3))
    jagged = monotone_map(true_s, course.recording_s + random.uniform(-0.02, 0.02, 400))
    smooth = smoothed(jagged, 0.3)
    times_s = np.linspace(1.0, 19.0, 300)
    np.testing.assert_allclose(smooth.recording_at(times_s), course.recording_at(times_s), atol=0.012)
    roughness = [np.abs(np.diff(one.recording_at(times_s), 2)).max() for one in (smooth, jagged)]
    assert roughness[0] < 0.2 * roughness[1]


def test_smoothing_leaves_a_shift_as_it_is() -> None:
    shift = TimeMap(np.array([0.0, 5.0]), np.array([3.0, 8.0]))
    np.testing.assert_allclose(smoothed(shift, 0.3).recording_at([-1, 0, 2.5, 5, 9]), [2, 3, 5.5, 8, 12], atol=1e-9)
