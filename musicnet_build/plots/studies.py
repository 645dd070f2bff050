"""Pictures of studies: bars with deviations, curves, and learned filters."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from musicnet_build._typing import Float32s, Float64s
from musicnet_build.plots.style import FAINT, INK, literal, new_figure, style, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by colour-blind readers too.
COLOURS = ("#0f6cbd", "#f0851a", "#8e3b9e", "#1c8a5f", "#d7263d", "#5b6b7a", "#b8860b", "#00a5b5")


class Series(NamedTuple):
    """Figures of one kind: a name, and for each group a mean and a deviation (nan where there is none)."""

    name: str
    values: Sequence[tuple[float, float]]


def plot_bars(
    path: str | os.PathLike[str], title: str, groups: Sequence[str], series: Sequence[Series], ylabel: str
) -> None:
    """Draw groups of bars with their deviations and write them as a PNG file.

    Parameters
    ----------
    path : str or PathLike
    title : str
    groups : sequence of str
        Names along the horizontal axis.
    series : sequence of Series
        A bar in each group.
    ylabel : str
    """
    figure, axes = _sheet(title, max(6.0, 1.1 * len(groups) + 2))
    width = 0.8 / len(series)
    for place, (name, values) in enumerate(series):
        at = np.arange(len(groups)) + (place - (len(series) - 1) / 2) * width
        means, deviations = np.array(values).T
        axes.bar(
            at, means, 0.92 * width, yerr=np.nan_to_num(deviations), label=literal(name),
            color=COLOURS[place % len(COLOURS)], ecolor=INK, capsize=2,
        )  # fmt: skip
    axes.set_xticks(range(len(groups)), [literal(name) for name in groups])
    _finished(path, figure, axes, ylabel)


def plot_lines(
    path: str | os.PathLike[str],
    title: str,
    lines: Mapping[str, tuple[Float64s, Float64s]],
    xlabel: str,
    ylabel: str,
    *,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw curves (horizontal and vertical values by name) and write them as a PNG file.

    Parameters
    ----------
    path : str or PathLike
    title : str
    lines : mapping
    xlabel, ylabel : str
    limits : tuple of float, optional
        Of both axes.
    """
    figure, axes = _sheet(title, 8.0)
    for place, (name, (across, up)) in enumerate(lines.items()):
        axes.plot(across, up, label=literal(name), color=COLOURS[place % len(COLOURS)], linewidth=1.3)
    axes.set_xlabel(xlabel, fontsize=9, color=INK)
    if limits:
        axes.set(xlim=limits, ylim=limits)
    _finished(path, figure, axes, ylabel)


def plot_filters(path: str | os.PathLike[str], title: str, filters: Float32s, sample_rate: int) -> None:
    """Draw learned filters and write them as a PNG file: their shapes, and their spectra by their loudest frequency.

    Parameters
    ----------
    path : str or PathLike
    title : str
    filters : ndarray of float32 [shape=(count, samples)]
    sample_rate : int
        In Hz.
    """
    spectra = np.abs(np.fft.rfft(filters, axis=1))
    order = np.argsort(spectra.argmax(axis=1), kind="stable")
    figure = new_figure(11, 6, title)
    for place, number in enumerate(order[np.linspace(0, len(order) - 1, min(16, len(order))).astype(int)]):
        axes = figure.add_axes((0.05 + 0.13 * (place % 4), 0.7 - 0.2 * (place // 4), 0.115, 0.17))
        axes.plot(filters[number], color=INK, linewidth=0.4)
        axes.set(xticks=[], yticks=[])
    axes = figure.add_axes((0.63, 0.1, 0.34, 0.78))
    shown = spectra[order] / np.maximum(spectra[order].max(axis=1, keepdims=True), 1e-12)
    top = int(np.searchsorted(np.fft.rfftfreq(filters.shape[1], 1 / sample_rate), 4000))
    axes.imshow(shown[:, :top].T, origin="lower", aspect="auto", cmap="magma", extent=(0, len(order), 0, 4))
    axes.set_xlabel("filters, by their loudest frequency", fontsize=9, color=INK)
    style(axes, "spectra of all filters", "kHz")
    write_png(path, figure)


def _sheet(title: str, width_in: float) -> tuple[Figure, Axes]:
    figure = new_figure(width_in, 5, title)
    axes = figure.add_axes((0.75 / width_in, 0.12, 1 - 1.0 / width_in, 0.76))
    axes.grid(color=FAINT, alpha=0.3, linewidth=0.5)
    axes.set_axisbelow(True)
    return figure, axes


def _finished(path: str | os.PathLike[str], figure: Figure, axes: Axes, ylabel: str) -> None:
    style(axes, "", ylabel)
    axes.legend(fontsize=8, frameon=False)
    write_png(path, figure)
