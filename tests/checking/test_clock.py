"""The clock of labels: offset and drift are found with intervals that hold them, whatever single labels do."""

import numpy as np
import pytest
from heard_labels import evidence_of, melody

from musicnet_build.checking.clock import measured_clock, offset_near


@pytest.mark.parametrize(("offset_s", "drift_ppm"), [(0.0, 0.0), (0.4, 0.0), (-0.03, 300.0), (3.2, -2000.0)])
def test_offset_and_drift_are_found_within_their_intervals(offset_s: float, drift_ppm: float) -> None:
    truth = melody()
    labels = truth.copy()
    middle_s = (truth["onset_s"].min() + truth["onset_s"].max()) / 2
    labels["onset_s"] += offset_s + 1e-6 * drift_ppm * (truth["onset_s"] - middle_s)
    clock = measured_clock(evidence_of(truth), labels)
    assert clock.offset_s == pytest.approx(offset_s, abs=0.001)
    assert clock.drift_ppm == pytest.approx(drift_ppm, abs=60)
    assert clock.drift_interval_ppm[0] < clock.drift_ppm < clock.drift_interval_ppm[1]
    assert np.abs(labels["onset_s"] - clock.late_s(labels["onset_s"]) - truth["onset_s"]).max() < 0.003


def test_wrong_labels_do_not_move_the_clock() -> None:
    truth = melody()
    labels = truth.copy()
    labels["onset_s"][::4] += 0.09
    clock = measured_clock(evidence_of(truth), labels)
    assert abs(clock.offset_s) < 0.002


def test_a_few_seconds_have_an_interval_too() -> None:
    labels = melody(12)
    labels["onset_s"] += np.random.default_rng(3).normal(0, 0.01, 12)
    low_ppm, high_ppm = measured_clock(evidence_of(melody(12)), labels).drift_interval_ppm
    assert high_ppm - low_ppm > 1000


def test_a_drift_of_three_milliseconds_between_the_ends_is_within_what_is_heard_apart() -> None:
    labels = melody()
    span_s = float(np.ptp(labels["onset_s"]))
    low_ppm, high_ppm = measured_clock(evidence_of(melody()), labels).drift_interval_ppm
    assert high_ppm - low_ppm > 2 * 2900 / span_s


def test_the_same_seed_gives_the_same_interval() -> None:
    labels = melody(60)
    labels["onset_s"] += np.random.default_rng(3).normal(0, 0.01, 60)
    evidence = evidence_of(melody(60))
    assert measured_clock(evidence, labels, seed=4) == measured_clock(evidence, labels, seed=4)


def test_all_labels_together_are_found_further_away_than_single_ones() -> None:
    labels = melody(60)
    labels["onset_s"] -= 2.5
    late_s, heard = offset_near(evidence_of(melody(60)), labels, 5.0)
    assert late_s == pytest.approx(-2.5, abs=0.01)
    assert heard > 4
