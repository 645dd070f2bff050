"""Excerpts to hear in a report, as many as fit: each one stereo FLAC, recording left and tones right."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicnet_build.listening.reports.html import escaped, paragraph
from musicnet_build.listening.streams import Request
from musicnet_build.listening.web.session import OpenRecording
from musicnet_build.notes import SAMPLE_RATE, NoteTable

CLIP_S = 10.0
MOST_CLIPS = 6
BUDGET_BYTES = 10 * 2**20
"""Of a whole report: what mail servers let pass."""


@dataclass(frozen=True)
class Excerpt:
    """A passage that is worth hearing, and why."""

    what: str
    start_s: float


def excerpts(opened: OpenRecording) -> list[Excerpt]:
    """Choose what to hear of a recording, the most telling first.

    Parameters
    ----------
    opened : OpenRecording

    Returns
    -------
    list of Excerpt
    """
    notes, last_s = opened.labels[0].notes, max(0.0, opened.sound.length / SAMPLE_RATE - CLIP_S)
    found = [
        Excerpt(f"suspicious: {span['what']}", span["start_s"] - 1.0) for span in opened.report.get("spans", ())[:3]
    ]
    if np.isfinite(notes["confidence"]).any():
        found.insert(0, Excerpt("the least certain ten seconds", least_certain_s(notes)))
    first_s = float(notes["onset_s"].min()) - 1.0
    found += [Excerpt("the beginning", first_s), Excerpt("the end", float(notes["onset_s"].max()) - CLIP_S + 2.0)]
    return [Excerpt(one.what, float(np.clip(one.start_s, 0.0, last_s))) for one in found]


def least_certain_s(notes: NoteTable) -> float:
    """Return where the ten seconds begin that have the least mean confidence, of those with five notes or more."""
    known = notes[np.isfinite(notes["confidence"])]
    ordered = known[np.argsort(known["onset_s"], kind="stable")]
    end = np.searchsorted(ordered["onset_s"], ordered["onset_s"] + CLIP_S)
    total = np.concatenate([[0.0], np.cumsum(ordered["confidence"])])
    count = end - np.arange(len(ordered))
    mean = (total[end] - total[: len(ordered)]) / count
    mean[count < min(5, len(ordered))] = np.inf
    return float(ordered["onset_s"][int(np.argmin(mean))]) - 0.5


def with_sound(wanted: Iterable[tuple[OpenRecording, Excerpt]], used_bytes: int, names: bool = False) -> str:
    """Return players of excerpts, as many as fit into the budget, and say which do not.

    Parameters
    ----------
    wanted : iterable of (OpenRecording, Excerpt)
    used_bytes : int
        What the rest of the page takes.
    names : bool
        Whether to say of each which recording it is of.

    Returns
    -------
    str
        HTML.
    """
    players: list[str] = []
    left_out: list[str] = []
    for opened, excerpt in wanted:
        title = f"{opened.item.title}: {excerpt.what}" if names else excerpt.what
        player = _player(opened, excerpt, title) if len(players) < MOST_CLIPS else ""
        if player and used_bytes + len(player) <= BUDGET_BYTES:
            players.append(player)
            used_bytes += len(player)
        else:
            left_out.append(f"{title} ({_clock(excerpt.start_s)})")
    said = paragraph(f"Left out to keep this file below 10 MB: {'; '.join(left_out)}.", "soft") if left_out else ""
    return "\n".join([*players, said])


def _player(opened: OpenRecording, excerpt: Excerpt, title: str) -> str:
    begin = round(excerpt.start_s * SAMPLE_RATE)
    frames = min(round(CLIP_S * SAMPLE_RATE), opened.sound.length - begin)
    chunk = opened.streams[0].chunk(Request(begin, frames))
    name = escaped(f"{title}, from {_clock(excerpt.start_s)}")
    return (
        f'<div class="clip"><button type="button" aria-label="Play {name}">▶</button><span>{name}</span>'
        f'<label>recording <input type="range" min="0" max="1" step="0.05" value="0.5"> labels</label>'
        f'<script type="text/plain">{_flac(chunk)}</script></div>'
    )


def _flac(chunk: NDArray[np.int16]) -> str:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, chunk, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return base64.b64encode(file.getvalue()).decode()


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"
