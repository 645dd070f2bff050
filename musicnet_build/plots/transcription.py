"""Evaluations of transcriptions in one picture: what scores are worth, and how well each piece does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from musicnet_build.evaluation.framewise import average_precision
from musicnet_build.evaluation.report import shortened
from musicnet_build.evaluation.transcription.files import Transcriptions
from musicnet_build.evaluation.transcription.ranking import Ranking, curve, thinned
from musicnet_build.plots.style import FAINT, INK, literal, new_figure, style, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KINDS = {"all": "all frames", "one_note": "one note", "three_notes": "three notes"}
_MEASURES = {"frame": "frames", "note": "notes", "note_with_offset": "notes with offsets"}
_COLOURS = ("#0f6cbd", "#f0851a", "#8e3b9e")
_MARKERS = "os^"
_MOST_NAMED = 12


def plot_transcriptions(path: str | os.PathLike[str], title: str, found: Transcriptions) -> None:
    """Draw evaluations of transcriptions and write them as a PNG file. The same evaluations give the same bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    title : str
        First line of the picture.
    found : Transcriptions
    """
    write_png(path, draw_transcriptions(title, found))


def draw_transcriptions(title: str, found: Transcriptions) -> Figure:
    """Draw F1 of frames and notes for each piece and, where there are scores, precision over recall.

    Parameters
    ----------
    title : str
        First line of the picture.
    found : Transcriptions

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas, not known to pyplot.
    """
    ranked = found.rankings
    figure = new_figure(14 if ranked else 9, 5.5, title)
    grid = figure.add_gridspec(1, 2 if ranked else 1, left=0.06, right=0.985, top=0.85, bottom=0.16, wspace=0.14)
    _draw_pieces(figure.add_subplot(grid[0]), found)
    if ranked:
        _draw_curves(figure.add_subplot(grid[1]), ranked)
    return figure


def _draw_pieces(axes: Axes, found: Transcriptions) -> None:
    """F1 of each piece, and a line for the mean."""
    places = np.arange(len(found.pieces))
    for (kind, name), colour, marker in zip(_MEASURES.items(), _COLOURS, _MARKERS, strict=True):
        f1 = np.array([getattr(piece.measures, kind).f1 for piece in found.pieces])
        deviation = f" ± {np.std(f1, ddof=1):.3f}" if len(f1) > 1 else ""
        axes.scatter(places, f1, s=32, color=colour, marker=marker, label=f"{name}: {f1.mean():.3f}{deviation}")
        axes.axhline(f1.mean(), color=colour, lw=0.9, ls=(0, (5, 4)))
    named = len(places) <= _MOST_NAMED
    names = [literal(shortened(piece.name, 20)) if named else str(i + 1) for i, piece in enumerate(found.pieces)]
    axes.set_xticks(places, names, rotation=12 if named and len(places) > 3 else 0)
    axes.set(xlim=(-0.6, len(places) - 0.4), ylim=(-0.03, 1.03))
    axes.grid(axis="y", color=FAINT, lw=0.4, alpha=0.5)
    style(axes, f"How good each piece is (onsets within {1000 * found.tolerance_s:g} ms)", "F1")
    axes.legend(loc="lower left", fontsize=9, labelcolor=INK, edgecolor=FAINT)


def _draw_curves(axes: Axes, ranked: dict[str, Ranking]) -> None:
    for (kind, name), colour, marker in zip(_KINDS.items(), _COLOURS, _MARKERS, strict=True):
        whole = curve(ranked[kind])
        if whole is None:
            continue
        shown = thinned(whole)
        axes.plot(
            shown.recall, shown.precision, color=colour, lw=1.8, marker=marker, markevery=0.15, ms=5,
            label=f"{name}: average precision {average_precision(whole):.3f}",
        )  # fmt: skip
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
    axes.grid(color=FAINT, lw=0.4, alpha=0.5)
    axes.set_xlabel("recall", fontsize=9, color=INK)
    style(axes, "What the scores are worth: precision over recall of all pieces together", "precision")
    axes.legend(loc="lower left", fontsize=9, labelcolor=INK, edgecolor=FAINT)
