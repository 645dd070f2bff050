"""A finished training applied to a recording: what it says of each frame, and the notes in it."""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Audio
from musicnet_build.baselines.decoding import Activations, notes_in
from musicnet_build.baselines.runs import Run
from musicnet_build.errors import TrainingError
from musicnet_build.labels.pianoroll import PIANO
from musicnet_build.labels.posteriorgram import DEFAULT_THRESHOLD, Posteriorgram
from musicnet_build.notes import SAMPLE_RATE, NoteTable

SHORTEST_S = 0.05
"""Shorter notes are taken for noise."""


@dataclass(frozen=True, eq=False)
class Transcript:
    """What was heard in a recording.

    Attributes
    ----------
    posteriorgram : Posteriorgram
    notes : NoteTable
    left_out : int
        Notes that are too short.
    """

    posteriorgram: Posteriorgram
    notes: NoteTable
    left_out: int


def transcribe(
    finished: Run, audio: Audio, *, threshold: float | None = None, shortest_s: float = SHORTEST_S
) -> Transcript:
    """Transcribe a recording.

    Parameters
    ----------
    finished : Run
        Of a model that hears whole recordings.
    audio : ndarray of float32 [shape=(n,)]
        Mono, at 44.1 kHz.
    threshold : float, optional
        Where a pitch sounds; by default the threshold that the training found best.
    shortest_s : float
        Shorter notes are left out.

    Returns
    -------
    Transcript

    Raises
    ------
    TrainingError
        When the model hears no whole recordings.
    """
    if finished.baseline.activations is None:
        raise TrainingError(f"the model {finished.model} does not transcribe recordings: its study tests it.")
    said: Activations = finished.baseline.activations(finished.network, audio, finished.settings)
    figures = finished.record.report["figures"]
    if threshold is None:
        threshold = float(figures.get("frame threshold", figures.get("threshold", DEFAULT_THRESHOLD)))
    notes = notes_in(said, threshold, figures.get("onset threshold"))
    long = notes["offset_s"] - notes["onset_s"] >= shortest_s - 1e-6
    # No label ends behind the end of its recording.
    kept = notes[long]
    kept["offset_s"] = np.minimum(
        kept["offset_s"], max(len(audio) / SAMPLE_RATE, float(kept["onset_s"].max(initial=0.0)))
    )
    return Transcript(posteriorgram_of(said, threshold), kept, int(np.sum(~long)))


def posteriorgram_of(said: Activations, threshold: float = DEFAULT_THRESHOLD) -> Posteriorgram:
    """Return what a model says of the keys of the piano as probabilities, as an alignment takes them for a witness.

    Where the model does not say when a key begins, that is by how much the probability rises that it sounds.

    Parameters
    ----------
    said : Activations
    threshold : float
        From which activation on a key sounds.

    Returns
    -------
    Posteriorgram
        Of regressions, what is below 0 and above 1 is cut off.

    Examples
    --------
    >>> frame = np.zeros((4, 128), np.float32)
    >>> frame[1:3, 60] = 0.5, 1.25
    >>> said = posteriorgram_of(Activations(frame, None, 0.01, 0))
    >>> said.sustain[:, 39].tolist(), said.onset[:, 39].tolist()
    ([0.0, 0.5, 1.0, 0.0], [0.0, 0.5, 0.5, 0.0])
    """
    keys = np.s_[:, PIANO[0] - said.lowest_pitch : PIANO[1] + 1 - said.lowest_pitch]
    sustain = np.clip(said.frame[keys], 0, 1)
    begins = np.diff(sustain, axis=0, prepend=0) if said.onset is None else said.onset[keys]
    return Posteriorgram(sustain, 1.0 / said.frame_length_s, threshold, np.clip(begins, 0, 1))
