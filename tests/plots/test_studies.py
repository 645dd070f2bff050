"""Pictures of studies: drawn of whatever comes out, and the same bytes for the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from musicnet_build.plots.studies import Series, plot_bars, plot_filters, plot_lines


def test_bars_are_drawn_with_and_without_deviations(tmp_path: Path) -> None:
    series = [Series("F1", [(50.0, 1.0), (60.0, float("nan"))]), Series("$100", [(10.0, 0.5), (20.0, 0.5)])]
    for name in ("a.png", "b.png"):
        plot_bars(tmp_path / name, "Bars", ["musicnet", "precise"], series, "%")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_lines_may_have_gaps(tmp_path: Path) -> None:
    at = np.arange(4.0)
    plot_lines(tmp_path / "a.png", "Lines", {"a": (at, np.array([0.1, np.nan, 0.3, 0.2])), "b": (at, at)}, "x", "y")
    plot_lines(tmp_path / "b.png", "Lines", {"a": (at, at)}, "x", "y", limits=(0, 1))
    assert (tmp_path / "a.png").stat().st_size > 5000
    assert (tmp_path / "b.png").stat().st_size > 5000


@pytest.mark.parametrize("count", [1, 3, 40])
def test_filters_are_drawn_however_many_they_are_and_even_if_empty(count: int, tmp_path: Path) -> None:
    filters = np.random.default_rng(0).standard_normal((count, 256)).astype(np.float32)
    filters[0] = 0.0
    plot_filters(tmp_path / "a.png", "Filters", filters, 44_100)
    assert (tmp_path / "a.png").stat().st_size > 5000
