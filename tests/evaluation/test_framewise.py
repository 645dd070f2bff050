"""Frame-wise figures against cases that can be counted by hand, and against scikit-learn."""

import numpy as np
import pytest

from musicnet_build.evaluation.framewise import (
    FrameScores,
    average_precision,
    best_threshold,
    frame_scores,
    precision_recall,
)
from musicnet_build.evaluation.transcription.frames import frame_counts, frame_match


def made(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    truth = random.random((count // 8, 8)) < 0.1
    # Rounded, so that many scores are equal.
    return truth, np.round(random.normal(truth, 1.0), 1)


def test_average_precision_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    truth, scores = made()
    ours = average_precision(precision_recall(truth, scores))
    assert ours == pytest.approx(metrics.average_precision_score(truth.ravel(), scores.ravel()), abs=1e-12)


def test_the_curve_decides_equal_scores_together() -> None:
    curve = precision_recall([1, 0, 1], [0.5, 0.5, 0.2])
    assert curve.threshold.tolist() == [0.5, 0.2]
    assert curve.precision.tolist() == pytest.approx([0.5, 2 / 3])
    assert curve.recall.tolist() == [0.5, 1.0]


def test_deciding_at_the_best_threshold_gives_the_best_f1() -> None:
    truth, scores = made()
    threshold, f1 = best_threshold(precision_recall(truth, scores))
    assert frame_scores(truth, scores >= threshold).f1 == pytest.approx(f1)
    others = [frame_scores(truth, scores >= other).f1 for other in np.unique(scores)]
    assert max(others) == pytest.approx(f1)


def test_silence_that_is_predicted_as_silence_is_right() -> None:
    silence = np.zeros((3, 4), bool)
    assert frame_scores(silence, silence) == FrameScores(1.0, 1.0, 1.0, 1.0)
    assert frame_scores(silence, ~silence).f1 == 0.0
    assert frame_scores(~silence, silence) == FrameScores(0.0, 0.0, 0.0, 0.0)


def test_frame_errors_are_those_of_mir_eval() -> None:
    multipitch = pytest.importorskip("mir_eval.multipitch")
    random = np.random.default_rng(5)
    truth, decided = random.random((2, 300, 12)) < 0.2
    hz = 440 * 2 ** (np.arange(12) / 12)
    times = np.arange(300) / 100
    found = multipitch.evaluate(times, [hz[row] for row in truth], times, [hz[row] for row in decided])
    errors = frame_match(frame_counts([(truth, decided)]))
    expected = [found[name] for name in ("Total Error", "Substitution Error", "Miss Error", "False Alarm Error")]
    assert [errors.e_tot, errors.e_sub, errors.e_miss, errors.e_fa] == pytest.approx(expected)
    assert frame_scores(truth, decided).accuracy == pytest.approx(found["Accuracy"])
