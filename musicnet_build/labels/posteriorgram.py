"""Posteriorgrams: how probable each key of the piano is in each frame, as transcription models say; file and notes.

The file is an ``.npz`` archive of NumPy:

==============  ===================================================================================================
``onset``       [88, frames], floats: for each key of the piano from A0 up, the probability that it begins at a frame
``sustain``     [88, frames], floats: the probability that it sounds
``frame_rate``  frames per second; frame *k* stands for ``k / frame_rate`` seconds
``threshold``   from which probability on a key sounds; may be missing
==============  ===================================================================================================

``evaluate transcription`` needs ``sustain``, a witness (:mod:`musicnet_build.labels.witness`) ``onset``; what is not
needed may be missing.
"""

import io
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Bools, Float32s, Int64s
from musicnet_build.errors import LabelError
from musicnet_build.files import replacing
from musicnet_build.labels.pianoroll import ALL_PITCHES, PIANO
from musicnet_build.labels.table import DEFAULT_VELOCITY
from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset

ENDING = ".npz"
KEYS = 1 + PIANO[1] - PIANO[0]
FRAME_RATES_HZ = (5.0, 1000.0)
DEFAULT_THRESHOLD = 0.5

MAX_ARRAY_BYTES = 2**29
"""Of one array as it is unpacked: an hour at 400 frames a second in 32 bits."""

ONSET, SUSTAIN = "onset", "sustain"
_RATE, _THRESHOLD = "frame_rate", "threshold"


@dataclass(frozen=True, eq=False)
class Posteriorgram:
    """What a model says of each key of the piano in each frame.

    Attributes
    ----------
    sustain : ndarray of float32 [shape=(frames, 88)]
        Probability that a key sounds, from A0 up.
    frame_rate_hz : float
    threshold : float
        From this probability on a key sounds.
    onset : ndarray of float32 [shape=(frames, 88)] or None
        Probability that a key begins; None where the model does not say.
    """

    sustain: Float32s
    frame_rate_hz: float
    threshold: float = DEFAULT_THRESHOLD
    onset: Float32s | None = None

    @property
    def sounding(self) -> Bools:
        """Where a key sounds [shape=(frames, 88)]."""
        return self.sustain >= self.threshold

    def over_all_pitches(self) -> Float32s:
        """Return the probabilities of all 128 pitches, ``-inf`` for those that are no keys."""
        beside = (PIANO[0] - ALL_PITCHES[0], ALL_PITCHES[1] - PIANO[1])
        return np.pad(self.sustain, ((0, 0), beside), constant_values=-np.inf)

    def notes(self, shortest_s: float = 0.0) -> NoteTable:
        """Return the notes that sound; see :func:`notes_of_frames`."""
        return notes_of_frames(self.sounding, 1.0 / self.frame_rate_hz, lowest_pitch=PIANO[0], shortest_s=shortest_s)


def notes_of_frames(
    sounding: Bools, frame_length_s: float, *, lowest_pitch: int = 0, shortest_s: float = 0.0
) -> NoteTable:
    """Return a note for each run of frames in which a pitch sounds.

    A run from frame *i* up to, and without, frame *j* is a note from ``i * frame_length_s`` to ``j * frame_length_s``:
    the inverse of labelling function ``a``.

    Parameters
    ----------
    sounding : ndarray of bool [shape=(frames, pitches)]
    frame_length_s : float
        Time from one frame to the next, in seconds.
    lowest_pitch : int
        MIDI pitch of the first column.
    shortest_s : float
        Shorter notes are left out.

    Returns
    -------
    NoteTable [shape=(n,)]
        Sorted by onset; all with the same velocity.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.labels.posteriorgram import notes_of_frames
    >>> sounding = np.zeros((10, 88), dtype=bool)
    >>> sounding[2:6, 39] = sounding[8, 39] = True
    >>> notes = notes_of_frames(sounding, 0.1, lowest_pitch=21, shortest_s=0.2)
    >>> notes["pitch"].tolist(), notes["onset_s"].round(3).tolist(), notes["offset_s"].round(3).tolist()
    ([60], [0.2], [0.6])
    """
    start, end, column = runs_of(sounding)
    # A hair of a frame, lest a note just as long as the shortest is lost to rounding.
    kept = (end - start) * frame_length_s > shortest_s - 1e-6 * frame_length_s
    notes = empty_notes(int(kept.sum()))
    notes["pitch"] = lowest_pitch + column[kept]
    notes["onset_s"], notes["offset_s"] = start[kept] * frame_length_s, end[kept] * frame_length_s
    notes["velocity"] = DEFAULT_VELOCITY
    return sorted_by_onset(notes)


def runs_of(sounding: Bools) -> tuple[Int64s, Int64s, Int64s]:
    """Return first frame, frame after the last, and column of each run of frames in which a pitch sounds."""
    edges = np.diff(np.pad(sounding.T.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    # Row by row, the k-th beginning belongs to the k-th end.
    column, start = np.nonzero(edges == 1)
    return start, np.nonzero(edges == -1)[1], column


def write_posteriorgram(path: str | os.PathLike[str], posteriorgram: Posteriorgram) -> None:
    """Write a posteriorgram as an .npz file, whole or not at all. The same probabilities give the same bytes.

    Parameters
    ----------
    path : str or PathLike
    posteriorgram : Posteriorgram
    """
    arrays: dict[str, Any] = {
        SUSTAIN: posteriorgram.sustain.T,
        _RATE: np.float64(posteriorgram.frame_rate_hz),
        _THRESHOLD: np.float64(posteriorgram.threshold),
    }
    if posteriorgram.onset is not None:
        arrays[ONSET] = posteriorgram.onset.T
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_posteriorgram(
    path: str | os.PathLike[str], threshold: float | None = None, *, needed: str = SUSTAIN
) -> Posteriorgram:
    """Read a posteriorgram.

    Parameters
    ----------
    path : str or PathLike
    threshold : float, optional
        In place of the file's own; 0.5 where there is none.
    needed : {"sustain", "onset"}
        What must be there. Where ``sustain`` is not, it is zero.

    Returns
    -------
    Posteriorgram

    Raises
    ------
    LabelError
        When the file cannot be read, or is none; nothing in it is unpickled.
    """
    arrays = _arrays(Path(path))
    if missing := [name for name in (needed, _RATE) if name not in arrays]:
        raise LabelError(f"{path}: has no array {missing[0]!r}; it needs {needed} [{KEYS}, frames] and {_RATE}.")
    said = {name: _probabilities(path, name, arrays[name]) for name in (ONSET, SUSTAIN) if name in arrays}
    if len({array.shape for array in said.values()}) > 1:
        frames = [len(said[name]) for name in (ONSET, SUSTAIN)]
        raise LabelError(f"{path}: onset has {frames[0]} frames and sustain {frames[1]}.")
    rate_hz = _number(path, arrays, _RATE)
    if not FRAME_RATES_HZ[0] <= rate_hz <= FRAME_RATES_HZ[1]:
        raise LabelError(f"{path}: {_RATE} is not one number of frames per second from 5 to 1000.")
    if threshold is None:
        threshold = _number(path, arrays, _THRESHOLD) if _THRESHOLD in arrays else DEFAULT_THRESHOLD
    return Posteriorgram(said.get(SUSTAIN, np.zeros_like(said[needed])), rate_hz, threshold, said.get(ONSET))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {f"{name}.npy" for name in (ONSET, SUSTAIN, _RATE, _THRESHOLD)} & set(archive.namelist())
            return {name.removesuffix(".npy"): _array(path, archive, name) for name in sorted(names)}
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror or error}).") from error
    except (
        zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, MemoryError,
    ) as error:  # fmt: skip
        raise LabelError(f"{path}: is not a whole .npz file of plain numbers ({error}).") from error


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as member:
        data = member.read(MAX_ARRAY_BYTES + 1)
    if len(data) > MAX_ARRAY_BYTES:
        raise LabelError(f"{path}: {name} unpacks to more than {MAX_ARRAY_BYTES >> 20} MiB.")
    array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def _probabilities(path: str | os.PathLike[str], name: str, array: NDArray[Any]) -> Float32s:
    """Check the probabilities of a file [88, frames] and return them as [frames, 88]."""
    if array.ndim != 2 or array.shape[0] != KEYS or array.shape[1] < 2 or array.dtype.kind != "f":
        raise LabelError(f"{path}: {name} is not an array of floats [{KEYS}, frames]: its shape is {array.shape}.")
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise LabelError(f"{path}: {name} holds values that are no probabilities from 0 to 1.")
    return array.T.astype(np.float32)


def _number(path: str | os.PathLike[str], arrays: dict[str, NDArray[Any]], name: str) -> float:
    array = arrays[name]
    if array.size != 1 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise LabelError(f"{path}: {name} is not one number.")
    return float(array.item())
