"""Tests of agreement against worked examples."""

import numpy as np
import pytest

from musicnet_build.listening.rating.agreement import ac1, agreement, kappa, on_wrong, raw


def test_kappa_equals_the_usual_worked_example() -> None:
    # Two readers, 50 proposals: 20 yes by both, 15 no by both (kappa 0.4).
    counts = np.array([20.0, 5.0, 10.0, 15.0])
    assert float(raw(counts)) == pytest.approx(0.7)
    assert float(kappa(counts)) == pytest.approx(0.4)
    assert float(on_wrong(counts)) == pytest.approx(40 / 55)


def test_ac1_equals_gwets_example_of_the_prevalence_paradox() -> None:
    # Gwet 2008: 118 of 125 by both, none by neither: kappa -0.0234 for 94 % agreement, AC1 0.9408.
    counts = np.array([118.0, 5.0, 2.0, 0.0])
    assert float(raw(counts)) == pytest.approx(0.944)
    assert float(kappa(counts)) == pytest.approx(-0.0234, abs=5e-5)
    assert float(ac1(counts)) == pytest.approx(0.9408, abs=5e-5)


def test_what_counts_do_not_define_is_nan_and_does_no_harm() -> None:
    found = agreement(np.tile([0.0, 0.0, 0.0, 1.0], (10, 1)), np.arange(10))
    assert np.isnan(found["kappa"].value)
    assert np.isnan(found["on_wrong"].low)
    assert (found["raw"].value, found["ac1"].value) == (1.0, 1.0)


def test_intervals_are_wider_where_units_come_in_clusters() -> None:
    same = np.repeat([[0, 0, 0, 1.0], [0, 1.0, 0, 0]], [240, 60], axis=0)
    units = agreement(same, np.arange(300))["raw"]
    clusters = agreement(same, np.arange(300) // 30)["raw"]
    assert units.low < 0.8 < units.high
    assert clusters.high - clusters.low > 3 * (units.high - units.low)
