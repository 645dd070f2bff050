"""Precision over recall: scikit-learn is the reference."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from musicnet_build.evaluation.framewise import average_precision
from musicnet_build.evaluation.transcription.ranking import Ranking, curve, pooled, rankings, thinned

RANDOM = np.random.default_rng(2)
TRUTH = RANDOM.random((400, 128)) < 0.015
# Rounded, so that many scores are equal.
SCORES = np.round(0.3 * TRUTH + RANDOM.random(TRUTH.shape) * 0.8, 2).astype(np.float32)


def test_average_precision_and_curve_are_those_of_scikit_learn() -> None:
    found = curve(rankings(TRUTH, SCORES)["all"])
    assert found is not None
    assert average_precision(found) == pytest.approx(average_precision_score(TRUTH.ravel(), SCORES.ravel()))
    precision, recall, threshold = precision_recall_curve(TRUTH.ravel(), SCORES.ravel())
    np.testing.assert_allclose(found.precision, precision[-2::-1])
    np.testing.assert_allclose(found.recall, recall[-2::-1])
    np.testing.assert_allclose(found.threshold, threshold[::-1])


def test_frames_of_one_and_of_three_notes_are_looked_at_alone() -> None:
    found = rankings(TRUTH, SCORES)
    for name, count in (("one_note", 1), ("three_notes", 3)):
        rows = TRUTH.sum(axis=1) == count
        expected = average_precision_score(TRUTH[rows].ravel(), SCORES[rows].ravel())
        each = curve(found[name])
        assert each is not None
        assert average_precision(each) == pytest.approx(expected)


def test_what_has_no_score_is_never_found() -> None:
    scores = SCORES[:300].copy()
    scores[:, :10] = -np.inf
    found = rankings(TRUTH, scores)["all"]
    assert found.unscored == TRUTH[300:].sum() + TRUTH[:300, :10].sum()
    each = curve(found)
    assert each is not None
    assert each.recall[-1] == pytest.approx(1 - found.unscored / TRUTH.sum())


def test_pieces_are_ranked_together() -> None:
    halves = [rankings(TRUTH[part], SCORES[part])["all"] for part in (np.s_[:150], np.s_[150:])]
    whole, together = curve(rankings(TRUTH, SCORES)["all"]), curve(pooled(halves))
    assert whole is not None
    assert together is not None
    assert average_precision(together) == average_precision(whole)


def test_a_thinned_curve_keeps_its_ends() -> None:
    random = np.random.default_rng(0)
    whole = curve(Ranking(random.random(5000, dtype=np.float32), random.random(5000) < 0.2))
    assert whole is not None
    few = thinned(whole, 50)
    assert len(few.recall) <= 50
    assert few.recall[-1] == 1.0
    assert thinned(few, 50) is few


def test_where_no_pitch_is_true_there_is_no_curve() -> None:
    assert curve(Ranking(np.float32([0.5]), np.array([False]))) is None
