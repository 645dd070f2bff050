"""One picture that shows at a glance whether an alignment is right, and where it is not.

Only drawing lives here: the caller computes what is drawn.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from musicnet_build._typing import Float64s, Floats
from musicnet_build.errors import AlignmentError
from musicnet_build.notes import NoteTable
from musicnet_build.plots.style import FAINT, INK, clock, label_time_axis, new_figure, style, tick_step_s, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOWEST_PITCH = 21
EXCERPT_S = 6.0
TEMPO_WINDOW_S = 2.0

_PATH = "#ff5a36"
_SEAM = "#ffd23f"
_DEPARTURES_SAID = 2
# Steps are seen sooner than shades; beside their hues, what is not sure has shapes, for all eyes.
_UNSURE, _FAIRLY_SURE, _SURE, _UNKNOWN = "#d7263d", "#f0851a", "#0f6cbd", "#8e3b9e"
_SHAPES = {_UNSURE: "X", _FAIRLY_SURE: "^"}
_LEAST_FAIR, _LEAST_SURE = 0.5, 0.8


@dataclass(frozen=True)
class AlignmentPicture:
    """What an alignment looks like, as arrays.

    Attributes
    ----------
    title : str
        First line of the picture.
    score_s, recording_s : ndarray of float64 [shape=(k,)]
        Points of the warping path or time map, in score and recording seconds; neither ever falls.
    path_cost : ndarray of float64 [shape=(k,)]
        Distance of the two feature frames at each point.
    cost_image : ndarray of float [shape=(rows, columns)]
        Coarse cost matrix: rows are score time, columns recording time, from 0 to the durations.
    score_duration_s, recording_duration_s : float
        What the cost image spans.
    pitch_energy : ndarray of float [shape=(frames, 88)]
        Log-compressed energy of the recording in the semitones from MIDI 21 to 108. Frame ``k`` is centred on
        ``k / frame_rate_hz`` seconds.
    frame_rate_hz : float
        Frames per second of ``pitch_energy``.
    notes : NoteTable
        Aligned labels, in recording seconds.
    seams_s : tuple of float
        Recording seconds at which the performer leaves the score and goes on elsewhere; the score's clock counts on.
    departures : tuple of str
        In words, where the score is not played as written.
    verdict : str
        On the labels; empty where there is none.
    """

    title: str
    score_s: Float64s
    recording_s: Float64s
    path_cost: Float64s
    cost_image: Floats
    score_duration_s: float
    recording_duration_s: float
    pitch_energy: Floats
    frame_rate_hz: float
    notes: NoteTable
    seams_s: tuple[float, ...] = ()
    departures: tuple[str, ...] = ()
    verdict: str = ""

    def __post_init__(self) -> None:
        """Refuse arrays that cannot belong to one alignment.

        Raises
        ------
        AlignmentError
            When the shapes do not fit together, or time runs backwards along the path.
        """
        if not len(self.score_s) == len(self.recording_s) == len(self.path_cost) >= 2:
            raise AlignmentError(
                f"A picture needs a path of two points or more with a cost for each, not {len(self.score_s)} score "
                f"times, {len(self.recording_s)} recording times and {len(self.path_cost)} costs."
            )
        if np.any(np.diff(self.score_s) < 0) or np.any(np.diff(self.recording_s) < 0):
            raise AlignmentError("A picture needs a path along which neither score nor recording time falls.")
        if self.pitch_energy.ndim != 2 or self.pitch_energy.shape[1] != 88:
            raise AlignmentError(f"A picture needs energies of 88 pitches, not an array of {self.pitch_energy.shape}.")


def coarse_cost(X: Floats, Y: Floats, *, largest: int = 500) -> Float64s:
    """Return the Euclidean cost matrix of two feature sequences, coarse enough to be looked at.

    Frames are averaged in equal blocks first, so that the image spans exactly what the sequences span.

    Parameters
    ----------
    X : ndarray [shape=(m, d)]
        Features of the score, frames by dimensions.
    Y : ndarray [shape=(n, d)]
        Features of the recording.
    largest : int
        Most rows and columns of the image.

    Returns
    -------
    ndarray of float64 [shape=(min(m, largest), min(n, largest))]
    """
    x, y = _block_means(X, largest), _block_means(Y, largest)
    squares = np.sum(x**2, axis=1)[:, None] + np.sum(y**2, axis=1)[None, :] - 2.0 * (x @ y.T)
    distances: Float64s = np.sqrt(np.maximum(squares, 0.0))
    return distances


def local_tempo_ratio(score_s: Float64s, recording_s: Float64s, times_s: Float64s) -> Float64s:
    """Return how many score seconds pass per recording second, over two seconds around each time.

    Parameters
    ----------
    score_s, recording_s : ndarray of float64 [shape=(k,)]
        The path; neither falls.
    times_s : ndarray of float64 [shape=(t,)]
        Recording seconds.

    Returns
    -------
    ndarray of float64 [shape=(t,)]
        1 where the music is as fast as the score says, 2 where it is twice as fast; nan where the path stands still
        in recording time.
    """
    begin = np.clip(times_s - TEMPO_WINDOW_S / 2, recording_s[0], recording_s[-1])
    end = np.clip(times_s + TEMPO_WINDOW_S / 2, recording_s[0], recording_s[-1])
    passed = np.interp(end, recording_s, score_s) - np.interp(begin, recording_s, score_s)
    ratio: Float64s = np.full(len(times_s), np.nan)
    np.divide(passed, end - begin, out=ratio, where=end > begin)
    return ratio


def excerpt_spans(notes: NoteTable, duration_s: float) -> list[tuple[float, float]]:
    """Return up to three spans of six seconds: where the notes begin, half-way, and where they end.

    Parameters
    ----------
    notes : NoteTable
        Labels in recording seconds.
    duration_s : float
        Length of the recording.

    Returns
    -------
    list of (float, float)
        Starts and ends in seconds; fewer than three when they would overlap.
    """
    first, last = (float(notes["onset_s"].min()), float(notes["onset_s"].max())) if len(notes) else (0.0, duration_s)
    latest = max(duration_s - EXCERPT_S, 0.0)
    wanted = [first - 0.5, (first + last - EXCERPT_S) / 2, last - EXCERPT_S + 1.5]
    starts: list[float] = []
    for start in (min(max(start, 0.0), latest) for start in wanted):
        if not starts or start >= starts[-1] + EXCERPT_S:
            starts.append(start)
    return [(start, min(start + EXCERPT_S, duration_s)) for start in starts]


def plot_alignment(path: str | os.PathLike[str], picture: AlignmentPicture) -> None:
    """Draw an alignment and write it as a PNG file. The same picture gives the same bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    picture : AlignmentPicture
        What to draw.
    """
    write_png(path, draw_alignment(picture))


def draw_alignment(picture: AlignmentPicture) -> Figure:
    """Draw an alignment: on the left the path, its cost and the tempo; on the right excerpts with the labels.

    Parameters
    ----------
    picture : AlignmentPicture
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas, not known to pyplot.
    """
    figure = new_figure(16, 10, picture.title)
    verdict = (f"verdict: {picture.verdict}",) if picture.verdict else ()
    brief = ". ".join((*verdict, *filter(None, (_in_brief(picture.departures),))))
    figure.text(0.045, 0.938, brief, fontsize=10, color=_UNSURE if picture.departures else INK, va="center")
    _draw_whole(figure, picture)
    _draw_excerpts(figure, picture)
    return figure


def _in_brief(departures: Sequence[str]) -> str:
    """The first few departures from the score, and how many more there are."""
    said = "; ".join(departures[:_DEPARTURES_SAID])
    unsaid = len(departures) - _DEPARTURES_SAID
    return f"{said}; and {unsaid} more" if unsaid > 0 else said


def _block_means(features: Floats, largest: int) -> Float64s:
    starts = np.linspace(0, len(features), min(len(features), largest), endpoint=False).astype(np.int64)
    sums = np.add.reduceat(features.astype(np.float64), starts, axis=0)
    means: Float64s = sums / np.diff(np.append(starts, len(features)))[:, None]
    return means


def _draw_whole(figure: Figure, picture: AlignmentPicture) -> None:
    grid = figure.add_gridspec(
        3, 1, height_ratios=[5.2, 1.2, 1.2], hspace=0.16, left=0.045, right=0.425, top=0.905, bottom=0.065
    )
    path_axes = figure.add_subplot(grid[0])
    cost_axes = figure.add_subplot(grid[1], sharex=path_axes)
    tempo_axes = figure.add_subplot(grid[2], sharex=path_axes)
    _draw_path(path_axes, picture)
    _draw_path_cost(cost_axes, picture)
    _draw_tempo(tempo_axes, picture)
    for axes in (path_axes, cost_axes):
        axes.tick_params(labelbottom=False)
    label_time_axis(tempo_axes, picture.recording_duration_s)
    tempo_axes.set_xlabel("recording (minutes:seconds)", fontsize=9, color=INK)


def _draw_path(axes: Axes, picture: AlignmentPicture) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    width, height = picture.recording_duration_s, picture.score_duration_s
    low, high = _contrast(picture.cost_image, 1.0, 98.0)
    axes.imshow(
        picture.cost_image,
        extent=(0.0, width, 0.0, height),
        origin="lower",
        aspect="auto",
        cmap="bone",
        vmin=low,
        vmax=high,
        interpolation="bilinear",
    )
    axes.plot([0.0, width], [0.0, height], color="white", lw=1.1, ls=(0, (5, 4)), alpha=0.9, label="constant tempo")
    axes.plot(picture.recording_s, picture.score_s, color=_PATH, lw=1.6, label="warping path")
    if picture.seams_s:
        at_s = np.interp(picture.seams_s, picture.recording_s, picture.score_s)
        axes.vlines(picture.seams_s, 0.0, height, color=_SEAM, lw=1.2, ls=(0, (2, 2)), label="jump in the score")
        axes.hlines(at_s, 0.0, width, color=_SEAM, lw=0.6)
    axes.set(xlim=(0.0, width), ylim=(0.0, height))
    order = "score as played" if picture.seams_s else "score"
    style(axes, "Warping path over the cost of matching (dark: alike)", f"{order} (minutes:seconds)")
    axes.yaxis.set_major_locator(MultipleLocator(tick_step_s(height)))
    axes.yaxis.set_major_formatter(FuncFormatter(clock))
    legend = axes.legend(loc="upper left", fontsize=8.5, framealpha=0.85, facecolor=INK, edgecolor="none")
    for text in legend.get_texts():
        text.set_color("white")


def _draw_path_cost(axes: Axes, picture: AlignmentPicture) -> None:
    times_s = np.arange(0.0, picture.recording_duration_s, 0.25)
    cost = np.interp(times_s, picture.recording_s, picture.path_cost)
    smooth = np.convolve(np.pad(cost, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    axes.plot(picture.recording_s, picture.path_cost, color=FAINT, lw=0.5, alpha=0.55)
    axes.plot(times_s, smooth, color=INK, lw=1.4)
    axes.set_ylim(0.0, max(1.15 * float(np.percentile(picture.path_cost, 99.5)), 1e-9))
    style(axes, "Cost along the path (a plateau: wrong music, a repeat or a cut)", "cost")


def _draw_tempo(axes: Axes, picture: AlignmentPicture) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    times_s = np.arange(picture.recording_s[0], picture.recording_s[-1], 0.25)
    ratio = np.clip(local_tempo_ratio(picture.score_s, picture.recording_s, times_s), 0.2, 5.0)
    axes.axhspan(0.5, 2.0, color="#e8f1f8", lw=0)
    axes.axhline(1.0, color=FAINT, lw=0.8, ls=(0, (5, 4)))
    axes.plot(times_s, ratio, color=_PATH, lw=1.4)
    axes.set_yscale("log")
    axes.set_ylim(0.2, 5.0)
    axes.yaxis.set_major_locator(FixedLocator([0.25, 0.5, 1.0, 2.0, 4.0]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    style(axes, "Tempo against the score (over 2 s; seldom outside the band)", "× as written")


def _draw_excerpts(figure: Figure, picture: AlignmentPicture) -> None:
    spans = excerpt_spans(picture.notes, picture.recording_duration_s)
    grid = figure.add_gridspec(len(spans), 1, hspace=0.24, left=0.475, right=0.985, top=0.905, bottom=0.065)
    for row, span_s in enumerate(spans):
        axes = figure.add_subplot(grid[row])
        _draw_excerpt(axes, picture, span_s)
    axes.set_xlabel("recording (seconds)", fontsize=9, color=INK)
    _draw_key(figure, bool(np.isfinite(picture.notes["confidence"]).any()))


def _draw_excerpt(axes: Axes, picture: AlignmentPicture, span_s: tuple[float, float]) -> None:
    begin_s, end_s = span_s
    notes = picture.notes[(picture.notes["onset_s"] < end_s) & (picture.notes["offset_s"] > begin_s)]
    _draw_energy(axes, picture, span_s)
    _draw_notes(axes, notes)
    low, high = (int(notes["pitch"].min()), int(notes["pitch"].max())) if len(notes) else (48, 84)
    axes.set(xlim=span_s, ylim=(low - 3.5, high + 5.5))
    octaves = range(-(-(low - 3) // 12) * 12, high + 6, 12)
    axes.set_yticks(list(octaves), [f"C{pitch // 12 - 1}" for pitch in octaves])
    struck = int(np.count_nonzero(notes["onset_s"] >= begin_s))
    style(axes, f"{clock(begin_s)} to {clock(end_s)}: {struck} onsets on the energy of each pitch", "pitch")


def _draw_energy(axes: Axes, picture: AlignmentPicture, span_s: tuple[float, float]) -> None:
    rate = picture.frame_rate_hz
    first = min(max(int(span_s[0] * rate), 0), max(len(picture.pitch_energy) - 1, 0))
    excerpt = picture.pitch_energy[first : int(span_s[1] * rate) + 2]
    if not excerpt.size:
        return
    low, high = _contrast(excerpt, 40.0, 98.5)
    # A frame is centred on its time, and so reaches half a frame to either side.
    sides = ((first - 0.5) / rate, (first + len(excerpt) - 0.5) / rate)
    axes.imshow(
        excerpt.T,
        extent=(*sides, LOWEST_PITCH - 0.5, LOWEST_PITCH + 87.5),
        origin="lower",
        aspect="auto",
        cmap="Greys",
        vmin=low,
        vmax=high + 0.35 * (high - low),  # the darkest grey stays light enough for the colours on top
        interpolation="nearest",
    )


def _draw_notes(axes: Axes, notes: NoteTable) -> None:
    """A bright bar at each onset, a thin line as long as the note."""
    colours = [_confidence_colour(float(confidence)) for confidence in notes["confidence"]]
    axes.hlines(notes["pitch"], notes["onset_s"], notes["offset_s"], colors=colours, lw=1.1, alpha=0.7)
    below, above = notes["pitch"] - 0.9, notes["pitch"] + 0.9
    axes.vlines(notes["onset_s"], below, above, colors="white", lw=4.2)
    axes.vlines(notes["onset_s"], below, above, colors=colours, lw=2.4)
    for colour, shape in _SHAPES.items():
        those = notes[[one == colour for one in colours]]
        axes.plot(those["onset_s"], those["pitch"], shape, color=colour, ms=7, mec="white", mew=0.6)


def _confidence_colour(confidence: float) -> str:
    if np.isnan(confidence):
        return _UNKNOWN
    if confidence < _LEAST_FAIR:
        return _UNSURE
    return _FAIRLY_SURE if confidence < _LEAST_SURE else _SURE


def _draw_key(figure: Figure, any_known: bool) -> None:
    """Say in the head of the right half what the colours mean."""
    from matplotlib.lines import Line2D

    words = {_UNKNOWN: "labelled onset"}
    if any_known:
        words = {
            _SURE: f"labelled onset, confidence from {_LEAST_SURE:g}",
            _FAIRLY_SURE: f"{_LEAST_FAIR:g} to {_LEAST_SURE:g}",
            _UNSURE: f"below {_LEAST_FAIR:g}",
        }
    bars = [
        Line2D(
            [],
            [],
            color=colour,
            marker=_SHAPES.get(colour, "|"),
            ls="none",
            ms=8 if colour in _SHAPES else 11,
            mew=0 if colour in _SHAPES else 3,
            label=word,
        )
        for colour, word in words.items()
    ]
    figure.legend(
        handles=bars, loc="center right", bbox_to_anchor=(0.99, 0.962), ncols=len(bars), fontsize=9.5, frameon=False,
        labelcolor=INK, handletextpad=0.1, columnspacing=1.4,
    )  # fmt: skip


def _contrast(image: Floats, darkest: float, brightest: float) -> tuple[float, float]:
    """The values between which an image is drawn, from two percentiles; never equal."""
    low, high = np.percentile(image, [darkest, brightest])
    return float(low), float(high if high > low else low + 1.0)
