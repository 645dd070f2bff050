"""Tests of how much there is to listen to."""

import numpy as np
from scipy.stats import binom

from musicnet_build.listening.rating.planning import acceptance_plan, to_halve


def test_the_plan_for_five_percent_is_the_known_one() -> None:
    assert acceptance_plan(0.05) == [59, 93, 124]


def test_a_plan_is_the_least_that_shows_it() -> None:
    for limit in (0.01, 0.1, 0.5):
        for wrong, count in enumerate(acceptance_plan(limit, 4)):
            assert binom.cdf(wrong, count, limit) <= 0.05 < binom.cdf(wrong, count - 1, limit)


def test_four_times_as_many_halve_the_interval() -> None:
    more = to_halve(np.ones(1), np.array([0.04]), np.array([300]), np.array([10**6]))
    assert more.tolist() == [900]


def test_what_is_judged_next_is_where_errors_are_unsure() -> None:
    more = to_halve(np.array([0.1, 0.9]), np.array([0.4, 0.02]), np.array([20, 280]), np.array([1000, 9000]))
    assert more[0] / 20 > more[1] / 280 > 0


def test_no_more_than_there_is() -> None:
    assert to_halve(np.ones(1), np.array([0.04]), np.array([300]), np.array([350])).tolist() == [50]
