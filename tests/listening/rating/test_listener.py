"""Tests of what trials say of a listener, and of the rate without what the ear misses and imagines."""

import numpy as np
import pytest

from musicnet_build.listening.rating.intervals import Judged, rate_of
from musicnet_build.listening.rating.listener import SHIFTS_MS, corrected, measured_listener, trials_of


def listener(
    threshold_ms: float, times: int = 12
) -> tuple["np.typing.NDArray[np.float64]", "np.typing.NDArray[np.bool_]"]:
    shifts = np.tile(np.array(SHIFTS_MS, np.float64), times)
    random = np.random.default_rng(2)
    return shifts, np.abs(shifts) + random.normal(0, 12, len(shifts)) > threshold_ms


@pytest.mark.parametrize("threshold_ms", [25.0, 45.0, 80.0])
def test_the_threshold_is_found(threshold_ms: float) -> None:
    found = measured_listener(*listener(threshold_ms))
    middle, low, high = found.threshold_ms
    assert low < threshold_ms < high
    assert middle == pytest.approx(threshold_ms, abs=15)


def test_a_rate_is_corrected_for_what_the_ear_misses_and_imagines() -> None:
    # 10 % are wrong; of these 80 % are heard, and 5 % of the others are called wrong: 12.5 % are called wrong.
    called = (np.arange(4000) < 500).astype(np.float64)
    ones = np.ones(4000)
    _, posterior = rate_of(Judged(np.zeros(4000, np.int64), np.arange(4000), called, ones, ones))
    wrong, right = np.full(400, 60.0), np.full(400, 30.0)
    answers = np.concatenate([np.arange(400) < 320, np.arange(400) < 20])
    found = corrected(posterior, measured_listener(np.concatenate([wrong, right]), answers))
    assert found is not None
    assert found[0] == pytest.approx(0.1, abs=0.01)
    assert found[1] < 0.1 < found[2]


def test_nobody_is_corrected_who_was_not_measured_or_hears_nothing() -> None:
    posterior = np.linspace(0.0, 0.1, 4000)
    assert corrected(posterior, measured_listener(np.zeros(0), np.zeros(0, np.bool_))) is None
    shifts = np.tile(np.array(SHIFTS_MS, np.float64), 10)
    assert corrected(posterior, measured_listener(shifts, np.arange(70) % 2 == 0)) is None


def test_trials_are_read_from_events_of_that_reviewer_alone() -> None:
    events = [
        {"kind": "sham", "reviewer": "ada", "shift_ms": 60, "value": "tone_late"},
        {"kind": "sham", "reviewer": "ada", "shift_ms": 0, "value": "fine"},
        {"kind": "sham", "reviewer": "ben", "shift_ms": 0, "value": "fine"},
        {"kind": "sham", "reviewer": "ada", "shift_ms": "much", "value": "fine"},
        {"kind": "note", "reviewer": "ada", "value": "fine"},
    ]
    shifts, called = trials_of(events, "ada")
    assert (shifts.tolist(), called.tolist()) == ([60.0, 0.0], [True, False])
