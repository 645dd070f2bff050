"""Bands that force a path through cells."""

import numpy as np

from musicnet_build.dtw.bands import band_through
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
