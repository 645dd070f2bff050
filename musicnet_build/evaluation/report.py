"""How evaluations of labels are shown: tables of text, and a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.evaluation.alignment import RIGHT_S, TOLERANCES_S, Calibration, ConfidenceBin, joint_calibration
from musicnet_build.evaluation.files import Labelling, Piece
from musicnet_build.plots.style import FAINT, INK, label_time_axis, literal, new_figure, style, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Column = tuple[str, Callable[[Mapping[str, Any]], float | None], str]
"""Heading, the figure of a row, and its format."""

# Told apart by colour-blind readers too; the first two most easily, since two is what is compared most often.
_COLOURS = ("#0f6cbd", "#f0851a", "#8e3b9e", "#1c8a5f", "#d7263d", "#5b6b7a", "#b8860b", "#00a5b5")
_LONGEST_NAME = 36
_LEAST_ERROR_MS = 0.3
_MOST_NAMED = 12


def _figure(*path: str) -> Callable[[Mapping[str, Any]], float | None]:
    """A function that finds a figure by its names in nested dicts; None where a part is missing."""

    def find(values: Mapping[str, Any]) -> float | None:
        found: Any = values
        for name in path:
            found = None if found is None else found[name]
        figure: float | None = found
        return figure

    return find


def _error_columns(kind: str) -> list[Column]:
    in_ms = {"bias": "bias_ms", "median": "median_ms", "mean": "mean_ms", "p95": "p95_ms", "worst": "worst_ms"}
    return [
        *((name, _figure(kind, field), "+.1f" if name == "bias" else ".1f") for name, field in in_ms.items()),
        *((f"<{1000 * t:.0f} ms", _figure(kind, f"within_{1000 * t:.0f}_ms"), ".1%") for t in TOLERANCES_S),
    ]


_BLOCKS: dict[str, list[Column]] = {
    "onsets (ms)": [
        ("notes", _figure("true_notes"), "d"),
        ("missing", _figure("notes_without_label"), "d"),
        ("surplus", _figure("labels_without_note"), "d"),
        *_error_columns("onset"),
    ],
    "offsets (ms)": [
        ("notes", _figure("offset", "notes"), "d"),
        ("matched", _figure("offset", "matched"), "d"),
        *_error_columns("offset"),
    ],
    "score time (ms)": [
        ("TimeErr", _figure("score_time", "time_err_ms"), ".1f"),
        ("TimeDev", _figure("score_time", "time_dev_ms"), ".1f"),
        ("F1 on", _figure("notes_by_onset", "f1"), ".4f"),
        ("F1 on+off", _figure("notes_by_onset_and_offset", "f1"), ".4f"),
    ],
    "confidence": [
        ("labels", _figure("calibration", "labels"), "d"),
        ("mean", _figure("calibration", "mean_confidence"), ".3f"),
        ("right", _figure("calibration", "right"), ".3f"),
        ("ECE", _figure("calibration", "expected_calibration_error"), ".3f"),
        ("AUC", _figure("calibration", "auc"), ".3f"),
        ("Brier", _figure("calibration", "brier"), ".4f"),
    ],
}


def table_lines(labellings: Sequence[Labelling]) -> list[str]:
    """Return evaluations as lines of text: a table for each kind of measure, a row for each label file.

    Parameters
    ----------
    labellings : sequence of Labelling

    Returns
    -------
    list of str
    """
    groups = [_rows(labelling) for labelling in labellings]
    names = [name for group in groups for name in group]
    width = min(max(map(len, (*names, *_BLOCKS))), _LONGEST_NAME)
    lines: list[str] = []
    for title, columns in _BLOCKS.items():
        rows = [row for group in groups for row in _filled(columns, group)]
        if rows:
            headings = "".join(f" {heading:>{_width(heading)}}" for heading, _, _ in columns)
            lines.append(f"{title:{width}}{headings}")
            lines += [f"{_shortened(name, width):{width}}{cells}".rstrip() for name, cells in rows]
            lines.append("")
    for labelling in labellings:
        lines += _reliability_lines(labelling)
    return lines[:-1]


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


# ---------------------------------------------------------------------------------------------------------------------
# Text


def _rows(labelling: Labelling) -> dict[str, Mapping[str, Any] | None]:
    """Figures by name of the row; None for a heading."""
    values = labelling.as_dict()
    if values["mean"] is None:
        return {labelling.name: values["pieces"][0]}
    pieces = {f"  {piece['name']}": piece for piece in values["pieces"]}
    return {labelling.name: None} | pieces | {f"  mean of {len(pieces)} pieces": values["mean"]}


def _filled(columns: Sequence[Column], group: Mapping[str, Mapping[str, Any] | None]) -> list[tuple[str, str]]:
    """Names and cells of the rows in which there is something to show, and of headings over such rows."""
    rows = [
        (name, figures)
        for name, figures in group.items()
        if figures is None or any(find(figures) is not None for _, find, _ in columns)
    ]
    if all(figures is None for _, figures in rows):
        return []
    return [(name, "" if figures is None else _cells(columns, figures)) for name, figures in rows]


def _cells(columns: Sequence[Column], figures: Mapping[str, Any]) -> str:
    return "".join(f" {_shown(find(figures), form):>{_width(heading)}}" for heading, find, form in columns)


def _width(heading: str) -> int:
    return max(len(heading), 7)


def _reliability_lines(labelling: Labelling) -> Iterator[str]:
    found = joint_calibration([piece.evaluation for piece in labelling.pieces])
    if found is None:
        return
    yield f"{labelling.name}: confidence against the share of onsets within {1000 * RIGHT_S:.0f} ms"
    yield f"{'confidence':>12}{'labels':>10}{'mean':>10}{'right':>10}"
    for one in filter(_has_labels, found.bins):
        mean, right = _shown(one.mean_confidence, ".3f"), _shown(one.right, ".3f")
        yield f"{f'{one.low:.1f} to {one.high:.1f}':>12}{one.labels:>10}{mean:>10}{right:>10}"
    yield ""


def _has_labels(one: ConfidenceBin) -> bool:
    return one.labels > 0


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _shortened(name: str, width: int) -> str:
    """Leave out the middle of a long name: what tells names apart is at either end."""
    if len(name) <= width:
        return name
    return f"{name[: width // 2]}…{name[len(name) - (width - 1) // 2 :]}"


# ---------------------------------------------------------------------------------------------------------------------
# Pictures


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _draw_shares(axes: Axes, labellings: Sequence[Labelling]) -> None:
    """The share of true notes whose label is off by less than so much; notes without a label never come in."""
    for i, labelling in enumerate(labellings):
        error_ms = 1000 * np.concatenate([piece.evaluation.onset_error_s for piece in labelling.pieces])
        absolute = np.sort(np.abs(error_ms[np.isfinite(error_ms)]))
        share = np.arange(1, len(absolute) + 1) / len(error_ms)
        within = np.mean(np.abs(error_ms) < 1000 * RIGHT_S)
        of_all = " of all notes" if len(labelling.pieces) > 1 else ""
        name = literal(_shortened(labelling.name, _LONGEST_NAME))
        axes.step(
            np.maximum(absolute, _LEAST_ERROR_MS), share, where="post", color=_colour(i), lw=1.8,
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
    """Each bin's share of right labels over its mean confidence, with what chance leaves open."""
    axes.plot([0, 1], [0, 1], color=FAINT, lw=0.9, ls=(0, (5, 4)))
    for i, judged in enumerate(found):
        if judged is None:
            continue
        bins = list(filter(_has_labels, judged.bins))
        count = np.array([one.labels for one in bins], dtype=np.float64)
        mean, right = (np.array([getattr(one, name) for one in bins]) for name in ("mean_confidence", "right"))
        low, high = _chance(right, count)
        axes.vlines(mean, low, high, color=_colour(i), lw=1.2, alpha=0.7)
        axes.plot(mean, right, color=_colour(i), lw=1.2, alpha=0.7)
        axes.scatter(mean, right, s=12 + 14 * np.log10(count) ** 2, color=_colour(i), zorder=3)
        if sum(one is not None for one in found) == 1:
            for x, y, labels in zip(mean, right, count, strict=True):
                axes.annotate(
                    f"{labels:.0f}", (x, y), xytext=(6, -11), textcoords="offset points", fontsize=8, color=INK
                )
    axes.set(xlim=(0.0, 1.04), ylim=(0.0, 1.04))
    axes.set_xlabel("mean confidence of the labels in a tenth", fontsize=9, color=INK)
    style(axes, "What the confidence is worth (bars: 95 % intervals)", "share within 50 ms")


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
        axes.scatter(places, error_ms, s=7, color=_colour(i), alpha=0.55, lw=0)
        missing = places[np.isnan(error_ms)]
        axes.plot(
            missing, np.full(len(missing), 0.02 + 0.03 * i), "|", color=_colour(i), ms=7,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.axhspan(-1000 * RIGHT_S, 1000 * RIGHT_S, color="#e8f1f8", lw=0, zorder=0)
    axes.axhline(0.0, color=FAINT, lw=0.8)
    axes.set_yscale("symlog", linthresh=1000 * RIGHT_S)
    reach_ms = 2.0 * max(abs(limit) for limit in (*axes.get_ylim(), 1000 * RIGHT_S))
    ticks = [t for t in (-10_000, -1000, -200, -50, -25, 0, 25, 50, 200, 1000, 10_000) if abs(t) < reach_ms]
    axes.set_yticks(ticks, [f"{t:+g}" if t else "0" for t in ticks])
    axes.minorticks_off()
    axes.set_ylim(-reach_ms, reach_ms)
    if alone:
        _label_seconds(axes, labellings[0].pieces[0])
    else:
        _name_pieces(axes, labellings[0])
    style(axes, "Where onsets are off (shaded: within 50 ms; marks at the foot: notes without a label)", "ms, + late")


def _duration_s(piece: Piece) -> float:
    return float(piece.evaluation.onset_s.max()) + 1.0


def _places(piece: Piece, index: int | None) -> Float64s:
    """Where the notes are drawn: at their seconds; in a folder, piece ``index`` is drawn from there to the next."""
    seconds = piece.evaluation.onset_s
    return seconds if index is None else index + seconds / _duration_s(piece)


def _label_seconds(axes: Axes, piece: Piece) -> None:
    axes.set_xlim(0.0, _duration_s(piece))
    label_time_axis(axes, _duration_s(piece))
    axes.set_xlabel("recording (minutes:seconds)", fontsize=9, color=INK)


def _name_pieces(axes: Axes, labelling: Labelling) -> None:
    count = len(labelling.pieces)
    axes.set_xlim(0.0, count)
    for k in range(1, count):
        axes.axvline(k, color=FAINT, lw=0.8)
    named = count <= _MOST_NAMED
    names = [literal(_shortened(piece.name, 24)) if named else str(k + 1) for k, piece in enumerate(labelling.pieces)]
    axes.set_xticks(np.arange(count) + 0.5, names, rotation=10 if named and count > 5 else 0)
