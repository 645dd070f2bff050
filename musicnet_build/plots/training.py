"""How a training went: loss and validation over its steps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from musicnet_build.plots.style import FAINT, INK, new_figure, style, write_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_curves(
    path: str | os.PathLike[str], title: str, history: Sequence[Mapping[str, float]], headline: str
) -> None:
    """Draw the course of a training and write it as a PNG file.

    Parameters
    ----------
    path : str or PathLike
    title : str
        Name of the model.
    history : sequence of mapping
        At each validation: ``step``, ``loss`` and figures.
    headline : str
        The figure to draw below the loss.
    """
    write_png(path, draw_curves(title, history, headline))


def draw_curves(title: str, history: Sequence[Mapping[str, float]], headline: str) -> Figure:
    """Draw loss and one figure over the steps of a training; see :func:`plot_curves`."""
    figure = new_figure(8, 6, title)
    steps = [row["step"] for row in history]
    for place, name in enumerate(("loss", headline)):
        axes = figure.add_axes((0.1, 0.53 - 0.44 * place, 0.87, 0.36))
        axes.plot(steps, [row[name] for row in history], color=INK, linewidth=1.4, marker="o", markersize=3)
        axes.grid(color=FAINT, alpha=0.3, linewidth=0.5)
        style(axes, "mean loss since the validation before" if name == "loss" else f"validation: {name}", name)
    axes.set_xlabel("step", fontsize=9, color=INK)
    return figure
