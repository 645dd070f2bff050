"""What all pictures have in common: the sheet they are drawn on, how axes look, and how they become a file.

matplotlib is imported when a picture is made, and used through its objects alone, so that no window, backend or state
of the caller's program is touched.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from musicnet_build.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#22303c"
FAINT = "#8a97a3"


def new_figure(width_in: float, height_in: float, title: str) -> Figure:
    """Return a white figure with a title, on an Agg canvas, not known to pyplot.

    Parameters
    ----------
    width_in, height_in : float
        Size in inches of 110 dots.
    title : str
        Written in the upper left corner.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=110, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.045, 0.962, literal(title), fontsize=16, fontweight="bold", color=INK, va="center")
    return figure


def write_png(path: str | os.PathLike[str], figure: Figure) -> None:
    """Write a figure as a PNG file, whole or not at all. The same figure gives the same bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    figure : matplotlib.figure.Figure
    """
    with replacing(path) as temporary:
        # Without its own name and version in the file, matplotlib writes the same bytes everywhere it draws the same.
        figure.savefig(temporary, format="png", metadata={"Software": None})


def literal(text: str) -> str:
    """Return text, such as the name of a file, so that matplotlib can draw it and takes no part of it for a formula.

    Parameters
    ----------
    text : str
        May hold dollar signs, and bytes that are no text.

    Returns
    -------
    str
    """
    return text.encode("utf-8", "replace").decode("utf-8").replace("$", r"\$")


def style(axes: Axes, title: str, ylabel: str) -> None:
    """Give axes their title, the name of what is drawn upwards, and quiet lines.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    title, ylabel : str
    """
    axes.set_title(title, fontsize=10, color=INK, loc="left", pad=5)
    axes.set_ylabel(ylabel, fontsize=9, color=INK)
    axes.tick_params(labelsize=8.5, colors=INK, length=3)
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.7)


def label_time_axis(axes: Axes, duration_s: float) -> None:
    """Mark seconds along the horizontal axis as minutes:seconds, with at most about ten marks.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    duration_s : float
        What the axis spans.
    """
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axes.xaxis.set_major_locator(MultipleLocator(tick_step_s(duration_s)))
    axes.xaxis.set_major_formatter(FuncFormatter(clock))


def tick_step_s(duration_s: float, steps_s: Sequence[float] = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)) -> float:
    """Return the smallest of the usual steps that gives at most ten ticks."""
    return next((step for step in steps_s if duration_s / step <= 10), duration_s / 10)


def clock(seconds: float, _position: int | None = None) -> str:
    """Return seconds as minutes:seconds; the second argument is what matplotlib's formatters are given."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
