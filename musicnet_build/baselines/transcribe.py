"""A finished training applied to a recording: what it says of each frame, and the notes in it."""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Audio
from musicnet_build.baselines.decoding import Activations, notes_in
from musicnet_build.baselines.runs import Run
from musicnet_build.errors import TrainingError
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
    scores = Posteriorgram(said.frame, 1.0 / said.frame_length_s, threshold)
    return Transcript(scores, kept, int(np.sum(~long)))
