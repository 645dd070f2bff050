"""What a transcriber says of each frame, and the notes in it: arrays in, note tables out, without PyTorch.

Two readings, one of them for models that say where notes begin. Both are the plain ones: a note lasts as long as its
pitch is active, and where onsets are known, a note begins at each of them and nowhere else (as in Hawthorne et al.:
Onsets and Frames, ISMIR 2018, section 3); between frames, where the peak of a triangle would be (Kong et al.:
High-Resolution Piano Transcription, IEEE/ACM TASLP 2021).
"""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Float32s, Float64s, Int64s
from musicnet_build.labels.posteriorgram import notes_of_frames
from musicnet_build.labels.table import DEFAULT_VELOCITY
from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset


@dataclass(frozen=True, eq=False)
class Activations:
    """What a model says of a recording.

    Attributes
    ----------
    frame : ndarray of float32 [shape=(frames, pitches)]
        How much each pitch seems to sound in each frame.
    onset : ndarray of float32 [shape=(frames, pitches)] or None
        How much each pitch seems to begin in each frame; None from models that do not say.
    frame_length_s : float
        Frame *k* stands for the time k · frame_length_s.
    lowest_pitch : int
        MIDI number of the first column.
    """

    frame: Float32s
    onset: Float32s | None
    frame_length_s: float
    lowest_pitch: int


def notes_in(activations: Activations, frame_threshold: float, onset_threshold: float | None = None) -> NoteTable:
    """Return the notes in activations.

    Parameters
    ----------
    activations : Activations
    frame_threshold : float
        From this activation on a pitch sounds.
    onset_threshold : float, optional
        A note begins where the onset's activation is larger and at its peak; needed where the model gives onsets.

    Returns
    -------
    NoteTable [shape=(n,)]
        Ordered by onset; all with the same velocity, program 0.

    Examples
    --------
    >>> frame = np.zeros((6, 88), np.float32)
    >>> frame[2:5, 39] = 1.0
    >>> notes = notes_in(Activations(frame, None, 0.032, 21), 0.5)
    >>> notes["pitch"].tolist(), notes["onset_s"].tolist(), notes["offset_s"].round(3).tolist()
    ([60], [0.064], [0.16])
    """
    active = activations.frame >= frame_threshold
    if activations.onset is None:
        return notes_of_frames(active, activations.frame_length_s, lowest_pitch=activations.lowest_pitch)
    start, column = np.nonzero(peaks(activations.onset, onset_threshold or 0.0))
    end = _ends(active, start, column)
    onset = start + _shift_of_the_peak(activations.onset, start, column)
    notes = empty_notes(len(start))
    notes["onset_s"], notes["offset_s"] = onset * activations.frame_length_s, end * activations.frame_length_s
    notes["pitch"] = column + activations.lowest_pitch
    notes["velocity"] = DEFAULT_VELOCITY
    return sorted_by_onset(notes[notes["offset_s"] > notes["onset_s"]])


def peaks(values: Float32s, threshold: float) -> Bools:
    """Return where values are above a threshold and the largest of their neighbours in time [same shape].

    Of equal neighbours the first counts.
    """
    edge = np.full((1, values.shape[1]), -np.inf, np.float32)
    before, after = np.concatenate([edge, values[:-1]]), np.concatenate([values[1:], edge])
    return (values > threshold) & (values > before) & (values >= after)


def _ends(active: Bools, start: Int64s, column: Int64s) -> Int64s:
    """Frames in which notes end: the first in which their pitch is silent or begins again, one frame on at least."""
    ends = np.empty(len(start), np.int64)
    for pitch in np.unique(column).tolist():
        chosen = np.flatnonzero(column == pitch)
        silent = np.append(np.flatnonzero(~active[:, pitch]), len(active))
        falls_silent = silent[np.searchsorted(silent, start[chosen] + 1)]
        ends[chosen] = np.minimum(falls_silent, np.append(start[chosen][1:], len(active)))
    return ends


def _shift_of_the_peak(values: Float32s, start: Int64s, column: Int64s) -> Float64s:
    """By which fraction of a frame a peak lies beside its frame, were it a triangle (Kong et al. 2021, section 3.3)."""
    inner = (start > 0) & (start < len(values) - 1)
    before, after = (values[np.clip(start + step, 0, len(values) - 1), column].astype(np.float64) for step in (-1, 1))
    height = values[start, column] - np.minimum(before, after)
    return np.where(inner & (height > 0), 0.5 * (after - before) / np.where(height > 0, height, 1.0), 0.0)
