"""What is in a dataset, as bars."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from musicnet_build.datasets.statistics import Statistics
from musicnet_build.evaluation.report import shortened
from musicnet_build.plots.style import INK, literal, new_figure, style, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = "#0f6cbd"
_MOST_BARS = 20
_LEAST_ROWS = 10
_LONGEST_NAME = 30


def plot_statistics(path: str | os.PathLike[str], found: Statistics) -> None:
    """Draw what is in a dataset and write it as a PNG file. The same statistics give the same bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    found : Statistics
    """
    write_png(path, draw_statistics(found))


def draw_statistics(found: Statistics) -> Figure:
    """Draw composers, ensembles, instruments, note values, polyphony and pitches as bars.

    Parameters
    ----------
    found : Statistics

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas, not known to pyplot.
    """
    total = found.total
    title = f"{total.recordings} recordings, {total.minutes:.0f} minutes, {total.labels:,} labels"
    figure = new_figure(15, 9, title)
    figure.set_layout_engine("constrained", rect=(0.01, 0.015, 0.98, 0.915), wspace=0.06, hspace=0.06)
    axes = figure.subplots(2, 3).ravel()
    minutes = {"composer": found.composers, "ensemble": found.ensembles, "instrument": found.instruments}
    for one, (kind, groups) in zip(axes, minutes.items(), strict=False):
        _draw_bars(one, f"Recorded time by {kind}", "minutes", {name: each.minutes for name, each in groups.items()})
    _draw_bars(axes[3], "Labels by note value", "labels", found.note_values)
    shares = {str(notes): 100 * share for notes, share in found.polyphony.items()}
    _draw_bars(axes[4], "Time by notes sounding at once", "% of the time", shares)
    pitches = {name: each.distinct_notes for name, each in found.instruments.items()}
    _draw_bars(axes[5], "Pitches by instrument", "different pitches", pitches)
    return figure


def _draw_bars(axes: Axes, title: str, unit: str, values: Mapping[str, float]) -> None:
    """A bar per name, the first on top; few bars stay as thin as many."""
    names = list(values)[:_MOST_BARS]
    bars = axes.barh(range(len(names)), [values[name] for name in names], height=0.7, color=_BAR)
    axes.set_yticks(range(len(names)), [literal(shortened(name, _LONGEST_NAME)) for name in names])
    axes.set_ylim(max(len(names), _LEAST_ROWS) - 0.5, -0.5)
    axes.set_xlim(0, 1.16 * max(values.values(), default=1) or 1)
    axes.bar_label(bars, fmt=_figure, padding=3, fontsize=7.5, color=INK)
    axes.set_xlabel(unit, fontsize=9, color=INK)
    style(axes, title + (f" (the first {_MOST_BARS} of {len(values)})" if len(values) > _MOST_BARS else ""), "")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
