"""Pictures of a report: the spectrogram with the labels over it, confidence and tempo below."""

import base64
import io

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.listening import pictures
from musicnet_build.listening.web.session import OpenRecording
from musicnet_build.notes import SAMPLE_RATE, NoteTable

_MOST_COLUMNS = 4000
_STRIP_HEIGHT = 60
_TEMPO_BEATS = 8.0
_COLOURS = {"#ff9a3c": (0.0, 0.5), "#ffe08a": (0.5, 0.9), "#6fd3ff": (0.9, np.inf)}
"""Of labels, by confidence from and below."""

_UNKNOWN = "#6fd3ff"


def spectrogram(opened: OpenRecording) -> str:
    """Return the whole recording's spectrogram with a box per label, coloured by confidence, and suspicious spans.

    Parameters
    ----------
    opened : OpenRecording

    Returns
    -------
    str
        SVG.
    """
    columns = -(-opened.sound.length // pictures.HOP)
    level = next((one for one in pictures.LEVELS if columns / one <= _MOST_COLUMNS), pictures.LEVELS[-1])
    width = max(1, -(-columns // level))
    tiles = [_tile(opened, level, column) for column in range(-(-width // pictures.COLUMNS))]
    picture = np.concatenate(tiles, axis=1)[:, :width]
    per_second = SAMPLE_RATE / pictures.HOP / level
    spans = "".join(
        f'<rect x="{span["start_s"] * per_second:.1f}" y="0" height="{pictures.ROWS}" '
        f'width="{max(1.0, (span["end_s"] - span["start_s"]) * per_second):.1f}" fill="#f00" opacity="0.25"/>'
        for span in opened.report.get("spans", ())
    )
    shapes = "".join(_boxes(notes, colour, per_second) for colour, notes in _by_colour(opened.labels[0].notes).items())
    image = f'<image href="data:image/png;base64,{_png(picture)}" width="{width}" height="{pictures.ROWS}"/>'
    return (
        f'<svg viewBox="0 0 {width} {pictures.ROWS}" preserveAspectRatio="none" role="img" '
        f'aria-label="Spectrogram with the labels over it" style="height:320px">{image}{spans}{shapes}</svg>'
    )


def strip(values: Float64s, times_s: Float64s, duration_s: float, top: float, name: str) -> str:
    """Return a curve over the recording's time, from 0 to ``top``; nothing where there is none.

    Parameters
    ----------
    values, times_s : ndarray of float64 [shape=(n,)]
    duration_s, top : float
    name : str

    Returns
    -------
    str
        SVG.
    """
    if not len(values):
        return ""
    x = times_s / max(duration_s, 1e-9) * 1000
    y = _STRIP_HEIGHT * (1 - np.clip(values / top, 0, 1))
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f'<svg class="strip" viewBox="0 0 1000 {_STRIP_HEIGHT}" preserveAspectRatio="none" style="height:70px" '
        f'role="img" aria-label="{name}"><polyline points="{points}" fill="none" stroke="#1c6b8c" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )


def confidence_curve(notes: NoteTable, count: int = 200) -> tuple[Float64s, Float64s]:
    """Return mean confidences and the times that they are of."""
    known = notes[np.isfinite(notes["confidence"])]
    if not len(known):
        return np.zeros(0), np.zeros(0)
    place = np.minimum((known["onset_s"] / known["onset_s"].max() * count).astype(int), count - 1)
    held = np.bincount(place, minlength=count)
    mean = np.bincount(place, known["confidence"], minlength=count)[held > 0] / held[held > 0]
    return mean, (np.flatnonzero(held) + 0.5) / count * float(known["onset_s"].max())


def tempo_curve(notes: NoteTable) -> tuple[Float64s, Float64s]:
    """Return tempi in quarter notes per minute, each over eight of them, and the times that they are of."""
    beats, first = np.unique(notes["onset_beats"], return_index=True)
    onset_s = notes["onset_s"][first]
    later = np.searchsorted(beats, beats + _TEMPO_BEATS)
    here = np.flatnonzero(later < len(beats))
    there = later[here]
    lasted_s = onset_s[there] - onset_s[here]
    fine = lasted_s > 0.1
    tempo = 60 * (beats[there] - beats[here])[fine] / lasted_s[fine]
    return tempo, (onset_s[here] + onset_s[there])[fine] / 2


def _by_colour(notes: NoteTable) -> dict[str, NoteTable]:
    if not np.isfinite(notes["confidence"]).any():
        return {_UNKNOWN: notes}
    confidence = notes["confidence"]
    return {colour: notes[(confidence >= low) & (confidence < high)] for colour, (low, high) in _COLOURS.items()}


def _boxes(notes: NoteTable, colour: str, per_second: float) -> str:
    row = pictures.BINS_PER_SEMITONE * (pictures.HIGHEST_PITCH - notes["pitch"].astype(int))
    lines = "".join(
        f"M{note['onset_s'] * per_second:.1f} {y}h{max(1.0, (note['offset_s'] - note['onset_s']) * per_second):.1f}v3"
        f"h-{max(1.0, (note['offset_s'] - note['onset_s']) * per_second):.1f}z"
        for note, y in zip(notes, row.tolist(), strict=True)
    )
    return f'<path d="{lines}" fill="none" stroke="{colour}" vector-effect="non-scaling-stroke"/>' if lines else ""


def _tile(opened: OpenRecording, level: int, column: int) -> "np.typing.NDArray[np.uint8]":
    return np.frombuffer(opened.tile(level, column), np.uint8).reshape(pictures.ROWS, pictures.COLUMNS)


def _png(picture: "np.typing.NDArray[np.uint8]") -> str:
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(file, picture, cmap="magma", vmin=np.quantile(picture, 0.5), vmax=255, format="png")
    return base64.b64encode(file.getvalue()).decode()
