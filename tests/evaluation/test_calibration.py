"""What confidence is worth, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicnet_build.evaluation.calibration import calibration


def test_calibration_by_hand() -> None:
    confidence = np.array([0.95, 1.0, 0.9, 0.31, 0.39, np.nan])
    right = np.array([True, True, False, True, False, True])
    found = calibration(confidence, right)
    assert found is not None
    assert found.labels == 5
    assert [one.labels for one in found.bins] == [0, 0, 0, 2, 0, 0, 0, 0, 0, 3]
    last = found.bins[-1]
    assert (last.low, last.high, last.mean_confidence, last.correct) == pytest.approx((0.9, 1.0, 0.95, 2 / 3))
    assert found.expected_calibration_error == pytest.approx((2 * 0.15 + 3 * (0.95 - 2 / 3)) / 5)
    assert found.brier == pytest.approx((0.05**2 + 0 + 0.9**2 + 0.69**2 + 0.39**2) / 5)
    assert found.auc == pytest.approx(4 / 6)  # of six pairs of a right and a wrong one, those with 0.95 and 1.0


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40))
def test_the_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, bool]]) -> None:
    confidence, right = np.array([row[0] / 20 for row in rows]), np.array([row[1] for row in rows])
    found = calibration(confidence, right)
    assert found is not None
    assert sum(one.labels for one in found.bins) == len(rows)
    difference = np.subtract.outer(confidence[right], confidence[~right])
    if difference.size:
        assert found.auc == pytest.approx(np.mean((difference > 0) + 0.5 * (difference == 0)))
    else:
        assert found.auc is None
