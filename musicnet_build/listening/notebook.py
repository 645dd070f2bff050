"""What a notebook shows of labelled audio: an audio player, a few notes, a picture, as fragments of HTML."""

import base64
import html
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from musicnet_build.listening.overlay import overlay
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.score.programs import PROGRAM_NAMES

EXCERPT_S = 10.0
"""How much of a recording is heard in a notebook, which keeps what it shows in its file."""

ROWS = 6


def summary(values: Mapping[str, object]) -> str:
    """Return names and values as a table of two columns.

    Parameters
    ----------
    values : mapping

    Returns
    -------
    str
        HTML; names and values are escaped.
    """
    rows = (f"<tr><th>{_escaped(name)}</th><td>{_escaped(value)}</td></tr>" for name, value in values.items())
    return f"<table>{''.join(rows)}</table>"


def first_notes(notes: NoteTable) -> str:
    """Return the first few notes as a table.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    str
        HTML.
    """
    head = "".join(f"<th>{name}</th>" for name in ("onset (s)", "offset (s)", "pitch", "instrument", "confidence"))
    rows = "".join(f"<tr>{_cells(note)}</tr>" for note in notes[:ROWS])
    return f"<table><tr>{head}</tr>{rows}</table>"


def audio_player(recording: NDArray[np.float32], notes: NoteTable) -> str:
    """Return a player of ten seconds of a recording from its first note on, with a tone at every labelled onset.

    Parameters
    ----------
    recording : ndarray of float32 [shape=(n,)]
        Mono audio at 44,100 Hz.
    notes : NoteTable
        Its labels, in recording seconds.

    Returns
    -------
    str
        HTML that holds the sound as FLAC.
    """
    duration_s = len(recording) / SAMPLE_RATE
    first_s = float(notes["onset_s"].min()) if len(notes) else 0.0
    start_s = max(min(first_s - 0.5, duration_s - EXCERPT_S), 0.0)
    heard = overlay(recording, notes, span_s=(start_s, min(start_s + EXCERPT_S, duration_s)))
    return f'<audio controls src="data:audio/flac;base64,{_base64_flac(heard)}"></audio>'


def picture(png: bytes) -> str:
    """Return a picture of a PNG file's bytes, as wide as the page.

    Parameters
    ----------
    png : bytes

    Returns
    -------
    str
        HTML.
    """
    return f'<img style="max-width: 100%" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _cells(note: np.void) -> str:
    confidence = "" if np.isnan(note["confidence"]) else f"{note['confidence']:.2f}"
    name = PROGRAM_NAMES[note["program"]]
    values = (f"{note['onset_s']:.3f}", f"{note['offset_s']:.3f}", note["pitch"], name, confidence)
    return "".join(f"<td>{_escaped(value)}</td>" for value in values)


def _base64_flac(audio: NDArray[np.float32]) -> str:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, audio, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return base64.b64encode(file.getvalue()).decode()


def _escaped(value: object) -> str:
    return html.escape(str(value))
