"""Errata name the note, what is wrong with it, and by how much."""

import numpy as np
from heard_labels import evidence_of, melody

from musicnet_build.checking import errata as kinds
from musicnet_build.checking.clock import Clock
from musicnet_build.checking.errata import clock_errata, duplicate_errata, outside_errata
from musicnet_build.checking.thresholds import CHECK_THRESHOLDS


def clock(offset_s: float, drift_ppm: float, width: float = 0.001) -> Clock:
    offset = (offset_s - width, offset_s + width)
    return Clock(offset_s, offset, drift_ppm, (drift_ppm - 1e4 * width, drift_ppm + 1e4 * width), 20.0, 0.003)


def test_an_offset_and_a_drift_are_told_only_beyond_threshold_and_interval() -> None:
    def told(one: Clock) -> list[str]:
        return [erratum.what for erratum in clock_errata(one, melody(), CHECK_THRESHOLDS)]

    assert told(clock(0.1, 50.0)) == [kinds.OFFSET, kinds.DRIFT]
    assert told(clock(0.01, 10.0)) == []
    assert told(clock(0.1, 50.0, width=0.2)) == []


def test_a_drift_over_a_short_span_is_told_only_where_it_sets_labels_apart() -> None:
    def told(ppm: float, length_s: float) -> list[str]:
        labels = melody()
        labels["onset_s"] *= length_s / (labels["onset_s"][-1] - labels["onset_s"][0])
        return [erratum.what for erratum in clock_errata(clock(0.0, ppm, width=1e-4), labels, CHECK_THRESHOLDS)]

    assert told(100.0, 20.0) == []
    assert told(300.0, 20.0) == [kinds.DRIFT]
    assert told(20.0, 40.0) == [kinds.DRIFT]


def test_labels_outside_the_sound_are_told_with_their_distance() -> None:
    labels = melody(50)
    evidence = evidence_of(labels)
    labels["onset_s"][0] -= 0.9
    labels["onset_s"][-1] += 5.0
    before, behind = outside_errata(evidence, labels, CHECK_THRESHOLDS)
    assert (before.what, before.note, behind.what, behind.note) == (kinds.BEFORE, 1, kinds.BEHIND, 50)
    assert before.by is not None
    assert abs(before.by + 0.88) < 0.01
    assert "before the first sound" in before.message


def test_a_note_that_is_labelled_twice_is_told_once() -> None:
    labels = melody(30)
    twice = labels[7:8].copy()
    twice["onset_s"] += 0.004
    together = np.insert(labels, 8, twice[0])
    (erratum,) = duplicate_errata(together, CHECK_THRESHOLDS)
    assert (erratum.what, erratum.note) == (kinds.DUPLICATE, 9)
    twice["part"] = 1
    assert list(duplicate_errata(np.insert(labels, 8, twice[0]), CHECK_THRESHOLDS)) == []
