"""The front door in Python: one call labels a recording, and what it returns writes, draws and shows itself.

What is done here is what ``musicnet-build align`` does, to the byte; every step is a function of its own elsewhere.
"""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musicnet_build.align_files import align_files
from musicnet_build.alignment import Alignment
from musicnet_build.errors import LabelError
from musicnet_build.labels.dataframe import to_dataframe
from musicnet_build.labels.files import write_labels
from musicnet_build.labels.midi import to_pretty_midi
from musicnet_build.labels.table import labelled
from musicnet_build.listening import notebook
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.plots.alignment import draw_alignment
from musicnet_build.plots.alignment_picture import alignment_picture, picture_title
from musicnet_build.plots.style import write_png
from musicnet_build.recipe import RecipeSettings

if TYPE_CHECKING:
    import pandas
    import pretty_midi
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class LabelledRecording:
    """A recording with the notes of its score, as ``label`` returns it.

    Attributes
    ----------
    recording, score : Path
        The files that it was made from.
    audio : ndarray of float32 [shape=(n,)]
        The recording: mono, 44.1 kHz.
    alignment : Alignment
        All that is known of how the labels were found.
    """

    recording: Path
    score: Path
    audio: NDArray[np.float32]
    alignment: Alignment

    @property
    def notes(self) -> NoteTable:
        """The labels, in recording seconds, ordered by onset."""
        return self.alignment.notes

    @property
    def verdict(self) -> str:
        """``accept``, ``review`` or ``reject``; ``not measured`` with the preset ``musicnet``."""
        quality = self.alignment.quality
        return str(quality.verdict) if quality else "not measured"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is not ``accept``, in sentences."""
        quality = self.alignment.quality
        return tuple(quality.reasons) if quality else ()

    def to_csv(self, path: str | os.PathLike[str], *, with_confidence: bool = False) -> None:
        """Write the labels as a MusicNet CSV; ``write_labels`` writes the other formats.

        Parameters
        ----------
        path : str or PathLike
            Ends in .csv.
        with_confidence : bool
            Add the column ``confidence``.

        Raises
        ------
        LabelError
            When the path does not end in .csv.
        """
        if Path(path).suffix.lower() != ".csv":
            raise LabelError(f"{path} must end in .csv: write other formats with write_labels.")
        write_labels(path, self.notes, with_confidence=with_confidence)

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return the labels as a table, one row per note; pandas is the extra ``pandas``."""
        return to_dataframe(self.notes)

    def to_pretty_midi(self) -> "pretty_midi.PrettyMIDI":
        """Return the labels as a performance, one instrument per part and program."""
        return to_pretty_midi(self.notes)

    def plot(self, path: str | os.PathLike[str] | None = None) -> "Figure":
        """Draw the alignment: path, cost, tempo, and three excerpts with the labelled onsets.

        Parameters
        ----------
        path : str or PathLike, optional
            A PNG file to write as well.

        Returns
        -------
        matplotlib.figure.Figure
        """
        title = picture_title(self.recording, self.score)
        figure = draw_alignment(alignment_picture(title, self.audio, self.alignment))
        if path is not None:
            write_png(path, figure)
        return figure

    def __repr__(self) -> str:
        duration_s = len(self.audio) / SAMPLE_RATE
        return f"<{self.recording.name}: {len(labelled(self.notes))} notes in {duration_s:.1f} s, {self.verdict}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict, a picture, ten seconds with tones at the onsets, the first notes."""
        png = io.BytesIO()
        self.plot().savefig(png, format="png", dpi=60)
        values = {
            "recording": self.recording.name,
            "score": self.score.name,
            "notes": len(labelled(self.notes)),
            "verdict": " ".join((self.verdict, *self.reasons)),
        }
        player = notebook.audio_player(self.audio, self.notes)
        return "".join(
            (notebook.summary(values), notebook.picture(png.getvalue()), player, notebook.first_notes(self.notes))
        )


def label(
    recording: str | os.PathLike[str],
    score: str | os.PathLike[str],
    *,
    preset: str = "precise",
    soundfont: str | os.PathLike[str] | None = None,
    order: str | None = None,
    witness: str | os.PathLike[str] | None = None,
) -> LabelledRecording:
    """Label a recording with the notes of its score.

    Parameters
    ----------
    recording : str or PathLike
        Any sound file that libsndfile reads.
    score : str or PathLike
        What is played in it.
    preset : {"precise", "musicnet"}
        The recipe; ``musicnet``, that of the MusicNet paper, does not say how sure it is.
    soundfont : str or PathLike, optional
        Name or file of the soundfont that renders the score; by default the best one found.
    order : str, optional
        The order in which the score is played, where it is known: ``"1-24,9-48"`` in measures, ``"b0-b96"`` in beats.
    witness : str or PathLike, optional
        What a transcriber heard in the recording, as notes or probabilities: one more opinion on the onsets.

    Returns
    -------
    LabelledRecording

    Raises
    ------
    MusicnetBuildError
        When the files cannot be read or aligned; its one sentence says what is wrong.

    Examples
    --------
    >>> import musicnet_build as mb
    >>> labelled = mb.label("recording.flac", "score.mid")
    >>> labelled
    <recording.flac: 82 notes in 15.1 s, accept>
    >>> labelled.to_csv("labels.csv")
    >>> labelled.to_pretty_midi().write("labels.mid")
    >>> float(labelled.to_dataframe().onset_s.min().round(1))
    0.9
    """
    settings = RecipeSettings(preset, None if soundfont is None else os.fspath(soundfont), order=order or "")
    aligned = align_files(recording, score, settings, witness=witness)
    return LabelledRecording(aligned.recording, aligned.score, aligned.audio, aligned.alignment)
