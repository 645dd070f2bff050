"""Tests of the interval: it covers the truth where errors come in clusters and where alignments derail.

``tests/benchmarks/bench_error_rate.py`` simulates more.
"""

import numpy as np
import pytest

from musicnet_build._typing import Float64s
from musicnet_build.listening.rating.intervals import Judged, bootstrap, rate_of, share_of


def clips(wrong: Float64s, notes: Float64s) -> Judged:
    count = len(wrong)
    return Judged(np.zeros(count, np.int64), np.arange(count), wrong, notes, np.ones(count))


def simulated(random: np.random.Generator, correlation: float) -> Judged:
    """28 clips of about 120 notes, 4 % of which are wrong."""
    mean = random.beta(0.04 * (1 - correlation) / correlation, 0.96 * (1 - correlation) / correlation, 28)
    notes = random.poisson(120, 28)
    return clips(random.binomial(notes, mean).astype(np.float64), notes.astype(np.float64))


@pytest.mark.parametrize("correlation", [0.02, 0.25])
def test_the_interval_covers_however_clustered_errors_are(correlation: float) -> None:
    random = np.random.default_rng(1)
    rates = [rate_of(simulated(random, correlation))[0] for _ in range(60)]
    assert sum(rate.low <= 0.04 <= rate.high for rate in rates) >= 53  # fewer once in 200 times at 93 %


def test_300_single_notes_tell_four_percent_to_within_two_and_a_half_points() -> None:
    wrong = (np.arange(300) < 12).astype(np.float64)
    rate, _ = rate_of(clips(wrong, np.ones(300)))
    assert rate.value == pytest.approx(0.04)
    assert rate.half_width < 0.025


def test_strata_count_by_their_size() -> None:
    stratum = np.repeat([0, 1], 50)
    wrong = np.concatenate([np.ones(25), np.zeros(75)])
    weight = np.where(stratum == 0, 1.0, 19.0)
    rate, posterior = rate_of(Judged(stratum, np.arange(100), wrong, np.ones(100), weight))
    assert rate.value == pytest.approx(0.025)
    assert 0.0 < rate.low < 0.025 < rate.high < 0.1
    assert (rate.wrong, rate.notes) == (25, 100)
    assert posterior.mean() == pytest.approx(0.034, abs=0.005)


def test_a_stratum_of_which_nothing_is_known_makes_the_interval_wide() -> None:
    judged = clips(np.zeros(100), np.ones(100))
    known, _ = rate_of(judged)
    unknown, _ = rate_of(judged, np.array([25.0]))
    assert known.high < 0.03
    assert unknown.high > 0.15


@pytest.mark.parametrize(("wrong", "notes"), [(0, 1), (1, 1), (0, 300), (300, 300)])
def test_none_wrong_and_all_wrong_are_rates_too(wrong: int, notes: int) -> None:
    rate = share_of(wrong, notes)
    assert rate.value == wrong / notes
    assert (rate.low == 0.0) == (wrong == 0)
    assert (rate.high == 1.0) == (wrong == notes)


def test_one_clip_says_little_and_no_clip_nothing() -> None:
    one, _ = rate_of(clips(np.array([4.0]), np.array([100.0])))
    assert one.low < 0.04 < 0.3 < one.high
    nothing, _ = rate_of(clips(np.zeros(0), np.zeros(0)))
    assert np.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0.0, 1.0)
    assert bootstrap(clips(np.zeros(0), np.zeros(0))) == (0.0, 1.0)


def test_the_bootstrap_draws_clusters() -> None:
    same = np.repeat(np.arange(10), 30)
    wrong = (same == 0).astype(np.float64)
    ones = np.ones(300)
    clustered = bootstrap(Judged(np.zeros(300, np.int64), same, wrong, ones, ones))
    independent = bootstrap(Judged(np.zeros(300, np.int64), np.arange(300), wrong, ones, ones))
    assert clustered[1] - clustered[0] > 3 * (independent[1] - independent[0])


def test_clips_of_one_note_count_as_notes_do() -> None:
    wrong = (np.arange(40) < 3).astype(np.float64)
    single, _ = rate_of(clips(wrong, np.ones(40)))
    mixed, _ = rate_of(clips(np.append(wrong, 0.0), np.append(np.ones(40), 2.0)))
    assert mixed.high == pytest.approx(single.high, abs=0.02)
