"""Errors in score time and note F1, by hand and by dense integration."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tunes import notes

from musicnet_build.evaluation.metrics import integrated_difference, note_match, score_time_errors


def test_time_err_and_time_dev_by_hand() -> None:
    # From 0.1 to 0.1 over a beat, from 0.1 to -0.3 over two: there it crosses zero after half a beat.
    mean_absolute, root_mean_square = integrated_difference(np.array([0.0, 1.0, 3.0]), np.array([0.1, 0.1, -0.3]))
    triangles = 0.1 * 0.5 / 2 + 0.3 * 1.5 / 2
    assert mean_absolute == pytest.approx((0.1 + triangles) / 3)
    assert root_mean_square == pytest.approx(np.sqrt((0.01 + 2 * (0.01 - 0.03 + 0.09) / 3) / 3))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0.01, 5.0), st.floats(-2.0, 2.0) | st.just(0.0)), min_size=2, max_size=12),
)
def test_time_err_and_time_dev_are_what_dense_numerical_integration_gives(knots: list[tuple[float, float]]) -> None:
    steps, difference = (np.array(column) for column in zip(*knots, strict=True))
    position = np.cumsum(steps)
    found = integrated_difference(position, difference)
    edges = np.linspace(position[0], position[-1], 400_001)
    dense = np.interp((edges[:-1] + edges[1:]) / 2, position, difference)
    assert found[0] == pytest.approx(np.mean(np.abs(dense)), rel=1e-3, abs=1e-6)
    assert found[1] == pytest.approx(np.sqrt(np.mean(dense**2)), rel=1e-3, abs=1e-6)


def test_a_chord_is_one_place_of_the_score_with_its_mean_time() -> None:
    # Errors of -20 and +40 ms in the first chord, 0 in the second: a line from 10 ms to 0.
    truth = notes([1.0, 1.02, 2.0], beats=[0.333333333333, 0.33333, 1.5], pitch=[60, 64, 60])
    labels = notes([0.98, 1.06, 2.0], beats=[0.33333, 0.33333, 1.5], pitch=[60, 64, 60])
    found = score_time_errors(truth, labels)
    assert found is not None
    assert found.time_err_ms == pytest.approx(5)
    assert found.time_dev_ms == pytest.approx(10 / np.sqrt(3))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_note_f1_is_that_of_mir_eval(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = notes(np.round(random.uniform(0, 8, 60), 2), pitch=random.integers(60, 66, 60))
    labels = truth[random.permutation(60)[:50]].copy()
    labels["onset_s"] += np.round(random.normal(0, 0.04, 50), 2)
    labels["offset_s"] = labels["onset_s"] + random.uniform(0.3, 0.7, 50)
    labels["onset_s"] = np.maximum(labels["onset_s"], 0)
    intervals = [np.stack([one["onset_s"], one["offset_s"]], axis=1) for one in (truth, labels)]
    hertz = [mir_eval.util.midi_to_hz(one["pitch"]) for one in (truth, labels)]
    for with_offsets, ratio in ((False, None), (True, 0.2)):
        expected = mir_eval.transcription.precision_recall_f1_overlap(
            intervals[0], hertz[0], intervals[1], hertz[1], offset_ratio=ratio
        )
        found = note_match(truth, labels, with_offsets=with_offsets)
        assert (found.precision, found.recall, found.f1) == pytest.approx(expected[:3])
