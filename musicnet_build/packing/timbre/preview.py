"""A listen to a timbre set: the sound of one piece of every kind."""

from pathlib import Path

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.timbre_set import read_set
from musicnet_build.notes import SAMPLE_RATE

EXCERPT_S = 8.0


def write_excerpts(folder: Path, source: Path) -> list[Path]:
    """Write the first seconds of one piece of every kind as WAV files.

    Parameters
    ----------
    folder : Path
        To write into.
    source : Path
        Of the timbre set.

    Returns
    -------
    list of Path
        What was written.
    """
    written = []
    pieces = read_set(source)
    for subset in dict.fromkeys(piece.subset for piece in pieces.pieces):
        kind = [piece for piece in pieces.pieces if piece.subset == subset]
        audio = read_audio(pieces.audio_path(kind[len(kind) // 2]))
        written.append(folder / f"{subset}.wav")
        write_audio(written[-1], audio[: round(EXCERPT_S * SAMPLE_RATE)])
    return written
