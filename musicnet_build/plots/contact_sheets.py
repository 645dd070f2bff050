"""Pictures from all over a package on one sheet, with their labels, axes and scale."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import UInt8s
from musicnet_build.features.model_inputs import CQT_BINS, CQT_BINS_PER_OCTAVE, CQT_LOW_HZ
from musicnet_build.notes import pitch_name
from musicnet_build.packing.hdf5 import reading
from musicnet_build.packing.reader import check_kind
from musicnet_build.packing.thumbnails import KIND
from musicnet_build.packing.timbre.frames import ABSENT
from musicnet_build.packing.timbre.images import TIMBRE_SAMPLE_RATE, row_frequencies_hz
from musicnet_build.packing.timbre.reader import TimbreFrames
from musicnet_build.plots.style import INK, new_figure, write_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAP = "magma"


@dataclass(frozen=True)
class _Sheet:
    """Pictures (low frequencies last), what is written over each, and what their axes span."""

    title: str
    pictures: Sequence[NDArray[Any]]
    captions: Sequence[str]
    shape: tuple[int, int]
    picture_in: tuple[float, float]
    seconds: float
    hz: tuple[str, str]
    floor_db: float
    level: str


def plot_thumbnails(path: str | os.PathLike[str], package: str | os.PathLike[str]) -> None:
    """Write the contact sheet of a package made by ``pack thumbnails`` as a PNG file; the same bytes each time."""
    write_png(path, draw_thumbnails(package))


def draw_thumbnails(package: str | os.PathLike[str], *, columns: int = 12) -> Figure:
    """Draw pictures of a package made by ``pack thumbnails``, evenly chosen from the lowest pitch to the highest.

    Parameters
    ----------
    package : str or PathLike
    columns : int
        Pictures side by side, and one above another.

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas, not known to pyplot.
    """
    with reading(package) as file:
        check_kind(file, KIND)
        order = np.argsort(file["pitch"][:], kind="stable")
        chosen = order[np.linspace(0, len(order) - 1, min(columns**2, len(order))).astype(int)].tolist()
        pictures = [file["images"][i] for i in chosen]
        pitches = [int(file["pitch"][i]) for i in chosen]
        seconds = pictures[0].shape[1] * int(file.attrs["hop_length"]) / int(file.attrs["sample_rate_hz"])
        is_cqt = json.loads(file.attrs["settings"])["spectrum"] == "cqt"
        floor_db = -float(file.attrs["range_db"])
        nyquist_hz = int(file.attrs["sample_rate_hz"]) / 2
    highest_hz = CQT_LOW_HZ * 2 ** ((CQT_BINS - 1) / CQT_BINS_PER_OCTAVE)
    hz = (_hertz(CQT_LOW_HZ), _hertz(highest_hz)) if is_cqt else ("0", _hertz(nyquist_hz))
    captions = [f"{pitch_name(pitch)} ({pitch})" for pitch in pitches]
    level = "dB relative to the loudest point of the recording"
    title = f"{len(pictures)} of {len(order)} pictures of single notes, by pitch"
    return _drawn(_Sheet(title, pictures, captions, (columns, columns), (0.95, 1.05), seconds, hz, floor_db, level))


def plot_timbre_frames(path: str | os.PathLike[str], frames: TimbreFrames) -> None:
    """Write the contact sheet of a timbre package as a PNG file; the same bytes each time."""
    write_png(path, draw_timbre_frames(frames))


def draw_timbre_frames(frames: TimbreFrames, *, shape: tuple[int, int] = (4, 6)) -> Figure:
    """Draw pictures from all over a timbre package.

    Parameters
    ----------
    frames : TimbreFrames
    shape : (int, int)
        Rows and columns of pictures.

    Returns
    -------
    matplotlib.figure.Figure
        With an Agg canvas, not known to pyplot.
    """
    places = np.linspace(0, max(len(frames) - 1, 0), shape[0] * shape[1]).astype(np.int64)
    chosen = list(dict.fromkeys(places[: len(frames)].tolist()))
    pitches = frames.pitches()
    rows_hz = row_frequencies_hz(frames.attributes["spectrogram"])  # type: ignore[arg-type]
    sheet = _Sheet(
        f"{len(chosen)} of {len(frames)} frames",
        [np.flipud(frames[place][0]) for place in chosen],
        [_instruments(pitches[place], frames.instruments) for place in chosen],
        shape,
        (2.6, 1.7),
        int(frames.attributes["frame_length"]) / TIMBRE_SAMPLE_RATE,
        (_hertz(rows_hz[0]), _hertz(rows_hz[-1])),
        float(frames.attributes["floor_db"]),
        "dB relative to a sine of full scale",
    )
    return _drawn(sheet)


def _drawn(sheet: _Sheet) -> Figure:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    rows, columns = sheet.shape
    figure = new_figure(columns * sheet.picture_in[0] + 1.9, rows * sheet.picture_in[1] + 1.3, sheet.title)
    figure.set_layout_engine("constrained", rect=(0.02, 0.02, 0.96, 0.90))
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(grid.ravel()):
        axes.set_axis_off()
        if place < len(sheet.pictures):
            picture = sheet.pictures[place]
            largest = 255 if picture.dtype == np.uint8 and picture.ndim == 2 else 1
            axes.imshow(picture, cmap=_MAP, vmin=0, vmax=largest, aspect="auto", interpolation="nearest")
            axes.set_title(sheet.captions[place], fontsize=7, color=INK, pad=2)
    figure.supxlabel(f"time: {1000 * sheet.seconds:.0f} ms per picture", fontsize=9, color=INK)
    figure.supylabel(f"frequency: {sheet.hz[0]} to {sheet.hz[1]} per picture", fontsize=9, color=INK)
    bar = figure.colorbar(ScalarMappable(Normalize(sheet.floor_db, 0), _MAP), ax=grid, fraction=0.03, pad=0.01)
    bar.set_label(sheet.level, fontsize=9, color=INK)
    bar.ax.tick_params(labelsize=8, colors=INK)
    return figure


def _hertz(hz: float) -> str:
    return f"{hz / 1000:.3g} kHz" if hz >= 1000 else f"{hz:.3g} Hz"


def _instruments(pitches: UInt8s, instruments: list[str]) -> str:
    sounding = [
        f"{name} {pitch_name(pitch)}"
        for name, pitch in zip(instruments, pitches.tolist(), strict=True)
        if pitch != ABSENT
    ]
    return ", ".join(sounding) or "silence"
