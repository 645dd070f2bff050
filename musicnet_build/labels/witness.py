"""What another program heard in a recording: a list of notes, or probabilities frame by frame.

Any transcriber will do. A list of notes is a label file (MIDI, TSV, JAMS, CSV), probabilities are a posteriorgram
(:mod:`musicnet_build.labels.posteriorgram`). How far to believe it is for ``sync.witness`` to find out.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build._typing import Features, Float64s
from musicnet_build.errors import LabelError
from musicnet_build.features.onsets import HOP_S
from musicnet_build.labels.files import read_labels
from musicnet_build.labels.pianoroll import PIANO
from musicnet_build.labels.posteriorgram import ENDING, ONSET, read_posteriorgram
from musicnet_build.notes import NoteTable, pitched

ENDINGS = (".mid", ".midi", ".tsv", ".jams", ".csv", ENDING)


@dataclass(frozen=True, eq=False)
class HeardNotes:
    """A witness that lists notes.

    Attributes
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.
    start_s : float
        Where in the recording the part begins that is labelled.
    """

    notes: NoteTable
    start_s: float = 0.0

    def onset_curve(self, pitch: int, frames: int) -> Float64s:
        """Return how many onsets of a pitch there are at each frame of ``HOP_S``, those between frames shared."""
        places = (self._of(pitch)["onset_s"] - self.start_s) / HOP_S
        places = places[(places >= 0) & (places < frames - 1)]
        before = places.astype(np.int64)
        curve = np.zeros(frames)
        np.add.at(curve, before, 1 - (places - before))
        np.add.at(curve, before + 1, places - before)
        return curve

    def sustain_curve(self, pitch: int, frames: int) -> Float64s:
        """Return 1 at the frames of ``HOP_S`` where a pitch sounds, 0 elsewhere."""
        own = self._of(pitch)
        ends = (np.stack([own["onset_s"], own["offset_s"]]) - self.start_s) / HOP_S
        first, last = np.clip(np.ceil(ends), 0, frames).astype(np.int64)
        steps = np.bincount(first, minlength=frames + 1) - np.bincount(last, minlength=frames + 1)
        return np.minimum(np.cumsum(steps)[:frames], 1).astype(np.float64)

    def _of(self, pitch: int) -> NoteTable:
        own: NoteTable = self.notes[self.notes["pitch"] == pitch]
        return own


@dataclass(frozen=True, eq=False)
class HeardProbabilities:
    """A witness that gives probabilities.

    Attributes
    ----------
    onset : ndarray of float32 [shape=(88, n)]
        Probability that a key of the piano begins, from A0 up.
    sustain : ndarray of float32 [shape=(88, n)]
        Probability that it sounds; zeros where the witness does not say.
    frame_rate_hz : float
    start_s : float
        Where in the recording the part begins that is labelled.
    """

    onset: Features
    sustain: Features
    frame_rate_hz: float
    start_s: float = 0.0

    def onset_curve(self, pitch: int, frames: int) -> Float64s:
        """Return the probability of an onset of a pitch at each frame of ``HOP_S``."""
        return self._on_our_grid(self.onset, pitch, frames)

    def sustain_curve(self, pitch: int, frames: int) -> Float64s:
        """Return the probability that a pitch sounds at each frame of ``HOP_S``."""
        return self._on_our_grid(self.sustain, pitch, frames)

    def _on_our_grid(self, rows: Features, pitch: int, frames: int) -> Float64s:
        if not PIANO[0] <= pitch <= PIANO[1]:
            return np.zeros(frames)
        times_s = np.arange(rows.shape[1]) / self.frame_rate_hz - self.start_s
        curve: Float64s = np.interp(np.arange(frames) * HOP_S, times_s, rows[pitch - PIANO[0]], left=0.0, right=0.0)
        return curve


Witness = HeardNotes | HeardProbabilities


def check_witness_ending(path: str | os.PathLike[str]) -> None:
    """Raise LabelError when the ending of ``path`` names no format of a witness."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise LabelError(f"{path}: a witness is a file that ends in {', '.join(ENDINGS)}.")


def read_witness(path: str | os.PathLike[str]) -> Witness:
    """Read what a transcriber heard in a recording.

    Parameters
    ----------
    path : str or PathLike
        A label file, or a posteriorgram.

    Returns
    -------
    HeardNotes or HeardProbabilities

    Raises
    ------
    LabelError
        When the file cannot be read, or holds no note.

    Examples
    --------
    >>> from musicnet_build.labels.witness import read_witness
    >>> len(read_witness("labels.csv").notes)
    82
    """
    path = Path(path)
    check_witness_ending(path)
    if path.suffix.lower() == ENDING:
        said = read_posteriorgram(path, needed=ONSET)
        assert said.onset is not None
        onset, sustain = (np.ascontiguousarray(rows.T) for rows in (said.onset, said.sustain))
        return HeardProbabilities(onset, sustain, said.frame_rate_hz)
    notes = pitched(read_labels(path))
    if not len(notes):
        raise LabelError(f"{path}: holds no notes, so it is no witness.")
    return HeardNotes(notes)
