"""Tests of the pace: music that was cut out or put in shows, a fermata and an even performance do not."""

import numpy as np
import pytest

from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.quality.pace import EVEN, Course, hurry, standstill, tempo_spread
from musicnet_build.quality.thresholds import THRESHOLDS

FRAME_S, BANDS = 0.025, 40


def course(*points: tuple[float, float], recording_s: float = 40.0) -> Course:
    """A score that is played along points of score seconds and recording seconds."""
    score_s, played_s = np.array(points).T
    return Course(TimeMap(score_s, played_s), float(score_s[0]), float(score_s[-1]), recording_s)


def chords(*held: tuple[float, float], seconds: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of a recording with a new chord every half second, except in these spans; and the times of its frames."""
    frames_s = np.arange(0.0, seconds, FRAME_S)
    begins = [at for at in np.arange(0.0, seconds, 0.5) if not any(start < at < end for start, end in held)]
    spectra = np.random.default_rng(0).uniform(size=(len(begins), BANDS)).astype(np.float32)
    return spectra[np.searchsorted(begins, frames_s, side="right") - 1], frames_s


EVENLY = course((0.0, 0.5), (30.0, 39.5))


def test_an_even_performance_neither_hurries_nor_stands_still() -> None:
    assert hurry(EVENLY).times == pytest.approx(1.0)
    assert standstill(EVENLY, *chords()).times == pytest.approx(1.0, abs=0.2)
    assert tempo_spread(EVENLY.time_map, 0.0, 30.0) == pytest.approx(0.0)


def test_music_cut_out_shows_where_it_was_cut() -> None:
    fast = hurry(course((0.0, 0.0), (16.0, 16.0), (20.0, 16.1), (40.0, 36.1)))
    assert fast.times > 2 * THRESHOLDS.hurry
    assert 14.0 < fast.start_s <= 16.1


@pytest.mark.parametrize(
    ("points", "at_s"),
    [(((0.0, -4.0), (34.0, 30.0)), 0.0), (((0.0, 6.0), (38.0, 44.0)), 40.0)],
    ids=["start", "end"],
)
def test_labels_crowd_where_the_recording_begins_too_late_or_ends_too_early(
    points: tuple[tuple[float, float], ...], at_s: float
) -> None:
    fast = hurry(course(*points))
    assert fast.times > 2 * THRESHOLDS.hurry
    assert fast.start_s == pytest.approx(at_s, abs=1.0)


def test_music_put_in_shows_and_a_fermata_as_long_does_not() -> None:
    lingering = course((0.0, 0.0), (20.0, 20.0), (20.3, 24.0), (36.0, 39.7))
    put_in = standstill(lingering, *chords())
    assert put_in.times > THRESHOLDS.standstill
    assert (put_in.start_s, put_in.end_s) == pytest.approx((20.5, 23.5), abs=0.7)
    assert standstill(lingering, *chords((20.0, 24.0))).times < 0.6 * THRESHOLDS.standstill


@pytest.mark.parametrize("heard", [np.zeros((1600, BANDS), np.float32), np.ones((3, BANDS), np.float32)])
def test_nothing_is_said_where_nothing_changes(heard: np.ndarray) -> None:
    assert standstill(EVENLY, heard, np.arange(len(heard)) * FRAME_S) == EVEN


def test_nothing_is_said_of_a_few_seconds() -> None:
    short = course((0.0, 0.0), (0.7, 0.7), (1.0, 1.6), recording_s=3.5)
    assert hurry(short) == EVEN
    assert standstill(short, *chords(seconds=3.5)) == EVEN
