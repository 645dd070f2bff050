"""Pictures over time, one above the other: spectrograms, posteriorgrams, piano rolls."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicnet_build.plots.style import INK, label_time_axis, new_figure, style, write_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Panel(NamedTuple):
    """One picture.

    Attributes
    ----------
    title : str
    values : ndarray [shape=(frames, rows)]
        The lowest row is drawn at the bottom; from black, the least, to bright.
    lowest : int
        What the lowest row is called, such as a MIDI pitch.
    rows : str
        What rows are.
    """

    title: str
    values: NDArray[np.generic]
    lowest: int
    rows: str


def plot_panels(path: str | os.PathLike[str], title: str, panels: Sequence[Panel], frame_length_s: float) -> None:
    """Draw pictures over the same time and write them as a PNG file. The same pictures give the same bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    title : str
    panels : sequence of Panel
    frame_length_s : float
        Time from one frame to the next.
    """
    write_png(path, draw_panels(title, panels, frame_length_s))


def draw_panels(title: str, panels: Sequence[Panel], frame_length_s: float) -> Figure:
    """Draw pictures over the same time, one above the other.

    Parameters
    ----------
    title : str
    panels : sequence of Panel
    frame_length_s : float
        Time from one frame to the next.

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas, not known to pyplot.
    """
    height = 1.0 + 2.1 * len(panels)
    figure = new_figure(11, height, title)
    grid = figure.add_gridspec(
        len(panels), 1, left=0.07, right=0.985, top=1 - 0.75 / height, bottom=0.5 / height, hspace=0.35
    )
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(grid[place])
        frames, rows = panel.values.shape
        duration_s = frames * frame_length_s
        axes.imshow(
            panel.values.T, origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
            extent=(0.0, duration_s, panel.lowest - 0.5, panel.lowest + rows - 0.5),
        )  # fmt: skip
        label_time_axis(axes, duration_s)
        style(axes, panel.title, panel.rows)
    axes.set_xlabel("minutes:seconds", fontsize=9, color=INK)
    return figure
