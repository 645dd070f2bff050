"""Bands hold the path that they are made for, and force it through cells."""

import numpy as np
import pytest

from musicnet_build.dtw.bands import band_of_rough_path, band_through
from musicnet_build.dtw.exact import dtw


def test_a_path_goes_through_the_cells_and_is_free_between_them() -> None:
    X = np.zeros((30, 1), np.float32)
    path = dtw(X, X, band=band_through(np.array([5.0, 20.0]), np.array([12.0, 25.0]), 1, (30, 30))).path
    for row, column in ((5, 12), (20, 25)):
        assert np.abs(path[path[:, 0] == row, 1] - column).max() <= 1
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [29, 29]


def test_cells_beside_the_edges_leave_a_way_to_the_corners() -> None:
    X = np.zeros((10, 1), np.float32)
    for cell in ((0.0, 0.0), (-3.0, -2.0), (9.0, 9.0), (14.0, 12.0)):
        band = band_through(np.array([cell[0]]), np.array([cell[1]]), 0, (10, 10))
        assert len(dtw(X, X, band=band).path) >= 10


@pytest.mark.parametrize("frames", [1, 3, 4])
def test_a_rough_path_leads_to_the_path_of_the_whole_matrix_though_one_side_stands_still(frames: int) -> None:
    X = np.random.default_rng(frames).standard_normal((203, 3)).cumsum(axis=0).astype(np.float32)
    Y = np.repeat(X, np.where(np.arange(203) == 90, 150, 1), axis=0)
    weights = (1.25, 1.0, 1.0)
    band = band_of_rough_path(X, Y, weights, frames, 20)
    assert (band[:, 1] - band[:, 0]).mean() < 0.3 * len(Y)
    assert np.array_equal(dtw(X, Y, step_weights=weights, band=band).path, dtw(X, Y, step_weights=weights).path)
    assert np.array_equal(band_of_rough_path(X, Y[:1], weights, frames, 20), np.tile([0, 1], (203, 1)))
