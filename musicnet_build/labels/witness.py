"""What another program heard in a recording: a list of notes, or probabilities frame by frame.

Any transcriber will do. A list of notes is a label file (MIDI, TSV, JAMS, CSV). Probabilities are an ``.npz`` archive:

==============  ===================================================================================================
``onset``       [88, frames], for each key of the piano from A0 up the probability that it begins at a frame
``sustain``     [88, frames], the probability that it sounds; may be missing
``frame_rate``  frames per second; frame *k* stands for ``k / frame_rate`` seconds
==============  ===================================================================================================

How far to believe it is for ``sync.witness`` to find out.
"""

import io
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build._typing import Features, Float64s
from musicnet_build.errors import LabelError
from musicnet_build.features.onsets import HOP_S
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import NoteTable, pitched

KEYS, LOWEST_KEY = 88, 21
PROBABILITIES_ENDING = ".npz"
ENDINGS = (".mid", ".midi", ".tsv", ".jams", ".csv", PROBABILITIES_ENDING)

MAX_ARRAY_BYTES = 2**29
"""Of one array as it is unpacked: an hour at 400 frames a second in 32 bits."""

_LEAST_RATE, _MOST_RATE = 5.0, 1000.0
_ONSET, _SUSTAIN, _RATE = "onset", "sustain", "frame_rate"


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
        if not LOWEST_KEY <= pitch < LOWEST_KEY + KEYS:
            return np.zeros(frames)
        times_s = np.arange(rows.shape[1]) / self.frame_rate_hz - self.start_s
        curve: Float64s = np.interp(np.arange(frames) * HOP_S, times_s, rows[pitch - LOWEST_KEY], left=0.0, right=0.0)
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
        A label file, or probabilities as above.

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
    if path.suffix.lower() == PROBABILITIES_ENDING:
        return _read_probabilities(path)
    notes = pitched(read_labels(path))
    if not len(notes):
        raise LabelError(f"{path}: holds no notes, so it is no witness.")
    return HeardNotes(notes)


def _read_probabilities(path: Path) -> HeardProbabilities:
    arrays = _arrays(path)
    if missing := [name for name in (_ONSET, _RATE) if name not in arrays]:
        raise LabelError(f"{path}: has no array {missing[0]!r}; a witness has onset, sustain and frame_rate.")
    onset = _probabilities(path, _ONSET, arrays[_ONSET])
    sustain = _probabilities(path, _SUSTAIN, arrays[_SUSTAIN]) if _SUSTAIN in arrays else np.zeros_like(onset)
    if sustain.shape != onset.shape:
        raise LabelError(f"{path}: onset has {onset.shape[1]} frames and sustain {sustain.shape[1]}.")
    rate = arrays[_RATE]
    if rate.size != 1 or rate.dtype.kind not in "fiu" or not _LEAST_RATE <= float(rate.reshape(())) <= _MOST_RATE:
        raise LabelError(f"{path}: frame_rate is not one number of frames per second from 5 to 1000.")
    return HeardProbabilities(onset, sustain, float(rate.reshape(())))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {f"{name}.npy" for name in (_ONSET, _SUSTAIN, _RATE)} & set(archive.namelist())
            return {name.removesuffix(".npy"): _array(path, archive, name) for name in sorted(names)}
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except (
        zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, MemoryError,
    ) as error:  # fmt: skip
        raise LabelError(f"{path}: is not a whole .npz file of plain numbers ({error}).") from error


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as member:
        data = member.read(MAX_ARRAY_BYTES + 1)
    if len(data) > MAX_ARRAY_BYTES:
        raise LabelError(f"{path}: {name} unpacks to more than {MAX_ARRAY_BYTES >> 20} MiB.")
    array: np.ndarray = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def _probabilities(path: Path, name: str, array: np.ndarray) -> Features:
    if array.ndim != 2 or array.shape[0] != KEYS or array.shape[1] < 2 or array.dtype.kind != "f":
        raise LabelError(f"{path}: {name} is not an array of floats [{KEYS}, frames]: its shape is {array.shape}.")
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise LabelError(f"{path}: {name} holds values that are no probabilities from 0 to 1.")
    return array.astype(np.float32)
