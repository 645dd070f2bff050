"""Evaluations of labels in one picture: how far off, where, and whether the confidence can be trusted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.evaluation.alignment import joint_calibration
from musicnet_build.evaluation.calibration import CORRECT_S, Calibration
from musicnet_build.evaluation.files import EvaluatedPiece, Labelling
from musicnet_build.evaluation.metrics import TOLERANCES_S
from musicnet_build.evaluation.report import shortened
from musicnet_build.plots.style import FAINT, INK, label_time_axis, literal, new_figure, style, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by colour-blind readers too; the first two most easily, since two is what is compared most often.
_COLOURS = ("#0f6cbd", "#f0851a", "#8e3b9e", "#1c8a5f", "#d7263d", "#5b6b7a", "#b8860b", "#00a5b5")
_MARKERS = "os^Dv*PX"
_LONGEST_NAME = 36
_LEAST_ERROR_MS = 0.3
_MOST_NAMED = 12


def plot_evaluation(path: str | os.PathLike[str], title: str, labellings: Sequence[Labelling]) -> None:
    """Draw evaluations and write them as a PNG file. The same evaluations give the same bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    title : str
        First line of the picture.
    labellings : sequence of Labelling
        Of the same truth.
    """
    write_png(path, draw_evaluation(title, labellings))


def draw_evaluation(title: str, labellings: Sequence[Labelling]) -> Figure:
    """Draw evaluations: how many onsets are how far off, where they are off, and what the confidence is worth.

    Parameters
    ----------
    title : str
        First line of the picture.
    labellings : sequence of Labelling
        Of the same truth.

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas, not known to pyplot.
    """
    found = [joint_calibration([piece.evaluation for piece in labelling.pieces]) for labelling in labellings]
    figure = new_figure(14, 9, title)
    upper = figure.add_gridspec(1, 2, left=0.06, right=0.985, top=0.905, bottom=0.5, wspace=0.13, width_ratios=[1.7, 1])
    lower = figure.add_gridspec(1, 1, left=0.06, right=0.985, top=0.42, bottom=0.075)
    with_confidence = any(found)
    _draw_shares(figure.add_subplot(upper[0] if with_confidence else upper[:]), labellings)
    if with_confidence:
        _draw_reliability(figure.add_subplot(upper[1]), found)
    _draw_errors(figure.add_subplot(lower[0]), labellings)
    return figure


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _marker(index: int) -> str:
    return _MARKERS[index % len(_MARKERS)]


def _draw_shares(axes: Axes, labellings: Sequence[Labelling]) -> None:
    """The share of true notes whose label is off by less than so much; notes without a label never come in."""
    for i, labelling in enumerate(labellings):
        error_ms = 1000 * np.concatenate([piece.evaluation.onset_error_s for piece in labelling.pieces])
        absolute = np.sort(np.abs(error_ms[np.isfinite(error_ms)]))
        share = np.arange(1, len(absolute) + 1) / len(error_ms)
        within = np.mean(np.abs(error_ms) < 1000 * CORRECT_S)
        of_all = " of all notes" if len(labelling.pieces) > 1 else ""
        name = literal(shortened(labelling.name, _LONGEST_NAME))
        axes.step(
            np.maximum(absolute, _LEAST_ERROR_MS), share, where="post", color=_colour(i), lw=1.8,
            marker=_marker(i), markevery=0.15, ms=5,
            label=f"{name}: median {np.median(absolute):.1f} ms, {within:.1%}{of_all} within 50 ms",
        )  # fmt: skip
    for tolerance_s in TOLERANCES_S:
        axes.axvline(1000 * tolerance_s, color=FAINT, lw=0.8, ls=(0, (5, 4)))
    axes.set_xscale("log")
    axes.set(xlim=(_LEAST_ERROR_MS, None), ylim=(0.0, 1.02))
    ticks = [1, 3, 10, 25, 50, 100, 1000, 10_000]
    largest_ms = axes.get_xlim()[1]
    axes.set_xticks([t for t in ticks if t < largest_ms], [f"{t:g}" for t in ticks if t < largest_ms])
    axes.minorticks_off()
    axes.grid(axis="y", color=FAINT, lw=0.4, alpha=0.5)
    axes.set_xlabel("onset error (ms)", fontsize=9, color=INK)
    style(axes, "How many onsets are less than so far off", "share of true notes")
    axes.legend(loc="lower right", fontsize=9, labelcolor=INK, edgecolor=FAINT)


def _draw_reliability(axes: Axes, found: Sequence[Calibration | None]) -> None:
    """Each bin's share of correct labels over its mean confidence, with what chance leaves open."""
    axes.plot([0, 1], [0, 1], color=FAINT, lw=0.9, ls=(0, (5, 4)))
    alone = sum(one is not None for one in found) == 1
    for i, judged in enumerate(found):
        if judged is None:
            continue
        bins = [one for one in judged.bins if one.labels]
        count = np.array([one.labels for one in bins], dtype=np.float64)
        mean, correct = (np.array([getattr(one, name) for one in bins]) for name in ("mean_confidence", "correct"))
        low, high = _chance(correct, count)
        axes.vlines(mean, low, high, color=_colour(i), lw=1.2, alpha=0.7)
        axes.plot(mean, correct, color=_colour(i), lw=1.2, alpha=0.7)
        axes.scatter(mean, correct, s=12 + 14 * np.log10(count) ** 2, color=_colour(i), marker=_marker(i), zorder=3)
        if alone:
            _write_counts(axes, mean, count)
    axes.set(xlim=(-0.03, 1.06), ylim=(-0.05, 1.17), xticks=np.arange(6) / 5, yticks=np.arange(6) / 5)
    axes.set_xlabel("mean confidence of the labels in a tenth", fontsize=9, color=INK)
    style(
        axes, f"What the confidence is worth (95 % intervals{'; above: labels' if alone else ''})", "share within 50 ms"
    )


def _write_counts(axes: Axes, mean: Float64s, count: Float64s) -> None:
    """Write the numbers of labels above the frame of the shares, in two rows, since tenths may lie close together."""
    for i, (x, labels) in enumerate(zip(mean, count, strict=True)):
        axes.text(x, (1.05, 1.10)[i % 2], f"{labels:.0f}", fontsize=8, color=INK, ha="center", va="bottom")


def _chance(share: Float64s, count: Float64s) -> tuple[Float64s, Float64s]:
    """Wilson's interval for a share of so many, at 95 %."""
    z = 1.96
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return centre - half, centre + half


def _draw_errors(axes: Axes, labellings: Sequence[Labelling]) -> None:
    """Signed errors over recording time; the pieces of a folder side by side, each from its start to its end."""
    alone = len(labellings[0].pieces) == 1
    for i, labelling in enumerate(labellings):
        places = np.concatenate([_places(piece, None if alone else k) for k, piece in enumerate(labelling.pieces)])
        error_ms = 1000 * np.concatenate([piece.evaluation.onset_error_s for piece in labelling.pieces])
        axes.scatter(places, error_ms, s=9, color=_colour(i), marker=_marker(i), alpha=0.55, lw=0)
        missing = places[np.isnan(error_ms)]
        axes.plot(
            missing, np.full(len(missing), 0.02 + 0.03 * i), "|", color=_colour(i), ms=7,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.axhspan(-1000 * CORRECT_S, 1000 * CORRECT_S, color="#e8f1f8", lw=0, zorder=0)
    axes.axhline(0.0, color=FAINT, lw=0.8)
    axes.set_yscale("symlog", linthresh=1000 * CORRECT_S)
    reach_ms = 2.0 * max(abs(limit) for limit in (*axes.get_ylim(), 1000 * CORRECT_S))
    ticks = [t for t in (-10_000, -1000, -200, -50, -25, 0, 25, 50, 200, 1000, 10_000) if abs(t) < reach_ms]
    axes.set_yticks(ticks, [f"{t:+g}" if t else "0" for t in ticks])
    axes.minorticks_off()
    axes.set_ylim(-reach_ms, reach_ms)
    if alone:
        _label_seconds(axes, labellings[0].pieces[0])
    else:
        _name_pieces(axes, labellings[0])
    style(
        axes,
        "Where onsets are off (shaded: ±50 ms, linear; logarithmic beyond; marks at the foot: notes without a label)",
        "onset error (ms, + late)",
    )


def _duration_s(piece: EvaluatedPiece) -> float:
    return float(piece.evaluation.truth["onset_s"].max()) + 1.0


def _places(piece: EvaluatedPiece, index: int | None) -> Float64s:
    """Where the notes are drawn: at their seconds; in a folder, piece ``index`` is drawn from there to the next."""
    seconds: Float64s = piece.evaluation.truth["onset_s"]
    return seconds if index is None else index + seconds / _duration_s(piece)


def _label_seconds(axes: Axes, piece: EvaluatedPiece) -> None:
    axes.set_xlim(0.0, _duration_s(piece))
    label_time_axis(axes, _duration_s(piece))
    axes.set_xlabel("recording (minutes:seconds)", fontsize=9, color=INK)


def _name_pieces(axes: Axes, labelling: Labelling) -> None:
    count = len(labelling.pieces)
    axes.set_xlim(0.0, count)
    for k in range(1, count):
        axes.axvline(k, color=FAINT, lw=0.8)
    named = count <= _MOST_NAMED
    names = [literal(shortened(piece.name, 24)) if named else str(k + 1) for k, piece in enumerate(labelling.pieces)]
    axes.set_xticks(np.arange(count) + 0.5, names, rotation=10 if named and count > 5 else 0)
