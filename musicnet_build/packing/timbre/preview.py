"""A look at a timbre package, and a listen: a contact sheet of pictures with their labels, and the sound of a few."""

from pathlib import Path

import numpy as np

from musicnet_build._typing import UInt8s
from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.timbre_set import read_set
from musicnet_build.files import replacing
from musicnet_build.notes import pitch_name
from musicnet_build.packing.timbre.frames import ABSENT
from musicnet_build.packing.timbre.reader import TimbreFrames

ROWS, COLUMNS = 4, 6
EXCERPT_S = 8.0


def write_preview(folder: Path, package: Path, source: Path) -> list[Path]:
    """Write ``contact_sheet.png``, and the first seconds of one piece of every kind as WAV files.

    Parameters
    ----------
    folder : Path
        To write into.
    package : Path
        Made by ``pack timbre``.
    source : Path
        The folder that was packed.

    Returns
    -------
    list of Path
        What was written.
    """
    written = [folder / "contact_sheet.png"]
    contact_sheet(written[0], TimbreFrames(package))
    pieces = read_set(source)
    for subset in dict.fromkeys(piece.subset for piece in pieces.pieces):
        kind = [piece for piece in pieces.pieces if piece.subset == subset]
        audio = read_audio(pieces.audio_path(kind[len(kind) // 2]))
        written.append(folder / f"{subset}.wav")
        write_audio(written[-1], audio[: round(EXCERPT_S * 44_100)])
    return written


def contact_sheet(path: Path, frames: TimbreFrames) -> None:
    """Draw pictures from all over a package, low frequencies at the bottom, each with its label. Same bytes each time.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    frames : TimbreFrames
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3 * COLUMNS, 1.9 * ROWS), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    places = np.linspace(0, max(len(frames) - 1, 0), ROWS * COLUMNS).astype(np.int64)
    pitches = frames.pitches()
    for i, place in enumerate(dict.fromkeys(places[: len(frames)].tolist())):
        axes = figure.add_subplot(ROWS, COLUMNS, i + 1)
        axes.imshow(frames[place][0], origin="lower", aspect="auto", cmap="magma", vmin=0, vmax=1)
        axes.set_title(_caption(pitches[place], frames.instruments), fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _caption(pitches: UInt8s, instruments: list[str]) -> str:
    sounding = [
        f"{name} {pitch_name(pitch)}"
        for name, pitch in zip(instruments, pitches.tolist(), strict=True)
        if pitch != ABSENT
    ]
    return ", ".join(sounding) or "silence"
