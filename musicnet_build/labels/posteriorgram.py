"""Posteriorgrams: a score for each pitch in each frame, as transcription models give them; their file, and their notes.

The file is an .npz of NumPy with the arrays ``scores`` [frames, 88 or 128], float, and ``frame_rate_hz``, one number;
``threshold``, one number, may say from which score on a pitch sounds. Frame *k* is centred on ``k / frame_rate_hz``.
88 columns are the keys of the piano from A0, 128 all MIDI pitches.
"""

import os
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Bools, Float32s, Int64s
from musicnet_build.errors import LabelError
from musicnet_build.files import read_bounded, replacing
from musicnet_build.labels.pianoroll import ALL_PITCHES, PIANO
from musicnet_build.labels.table import DEFAULT_VELOCITY
from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset

ENDING = ".npz"
MAX_BYTES = 2**30
FRAME_RATES_HZ = (1.0, 200.0)
DEFAULT_THRESHOLD = 0.5

_LOWEST_PITCHES = {1 + high - low: low for low, high in (PIANO, ALL_PITCHES)}
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, eq=False)
class Posteriorgram:
    """What a model says of each pitch in each frame.

    Attributes
    ----------
    scores : ndarray of float32 [shape=(frames, 88 or 128)]
        All finite.
    frame_rate_hz : float
    threshold : float
        From this score on a pitch sounds.
    """

    scores: Float32s
    frame_rate_hz: float
    threshold: float = DEFAULT_THRESHOLD

    @property
    def lowest_pitch(self) -> int:
        """MIDI pitch of the first column."""
        return _LOWEST_PITCHES[self.scores.shape[1]]

    @property
    def sounding(self) -> Bools:
        """Where a pitch sounds [shape=(frames, 88 or 128)]."""
        return self.scores >= self.threshold

    def over_all_pitches(self) -> Float32s:
        """Return the scores of all 128 pitches, ``-inf`` for those that the model does not know."""
        before = self.lowest_pitch
        after = 128 - before - self.scores.shape[1]
        return np.pad(self.scores, ((0, 0), (before, after)), constant_values=-np.inf)

    def notes(self, shortest_s: float = 0.0) -> NoteTable:
        """Return the notes that sound; see :func:`notes_of_frames`."""
        return notes_of_frames(
            self.sounding, 1.0 / self.frame_rate_hz, lowest_pitch=self.lowest_pitch, shortest_s=shortest_s
        )


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
    """Write a posteriorgram as an .npz file, whole or not at all. The same scores give the same bytes.

    Parameters
    ----------
    path : str or PathLike
    posteriorgram : Posteriorgram
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            scores=posteriorgram.scores,
            frame_rate_hz=np.float64(posteriorgram.frame_rate_hz),
            threshold=np.float64(posteriorgram.threshold),
        )


def read_posteriorgram(path: str | os.PathLike[str], threshold: float | None = None) -> Posteriorgram:
    """Read a posteriorgram.

    Parameters
    ----------
    path : str or PathLike
    threshold : float, optional
        In place of the file's own; 0.5 where there is none.

    Returns
    -------
    Posteriorgram

    Raises
    ------
    LabelError
        When the file cannot be read, or is none; nothing in it is unpickled.
    """
    arrays = _arrays(Path(path))
    missing = [name for name in ("scores", "frame_rate_hz") if name not in arrays]
    if missing:
        raise LabelError(f"{path}: has no array {missing[0]}; it needs scores [frames, 88 or 128] and frame_rate_hz.")
    scores = arrays["scores"]
    if scores.ndim != 2 or scores.shape[1] not in _LOWEST_PITCHES or scores.dtype.kind not in "biuf":
        raise LabelError(f"{path}: scores is {scores.dtype} {list(scores.shape)}, not numbers [frames, 88 or 128].")
    values = scores.astype(np.float32)
    if not np.isfinite(values).all():
        raise LabelError(f"{path}: has a score that is not finite.")
    frame_rate_hz = _number(path, arrays, "frame_rate_hz")
    if not FRAME_RATES_HZ[0] <= frame_rate_hz <= FRAME_RATES_HZ[1]:
        raise LabelError(f"{path}: frame_rate_hz is {frame_rate_hz:g}, not from 1 to 200.")
    if threshold is None:
        threshold = _number(path, arrays, "threshold") if "threshold" in arrays else DEFAULT_THRESHOLD
    return Posteriorgram(values, frame_rate_hz, threshold)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    data = read_bounded(path, MAX_BYTES, what="a posteriorgram", error=LabelError)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise LabelError(f"{path}: holds more than {MAX_BYTES >> 20} MiB, too much for a posteriorgram.")
            return {
                name.removesuffix(".npy"): np.lib.format.read_array(BytesIO(archive.read(name)), allow_pickle=False)
                for name in archive.namelist()
            }
    except _DAMAGE as error:
        raise LabelError(f"{path}: is no .npz file of plain arrays, or it is damaged.") from error


def _number(path: str | os.PathLike[str], arrays: dict[str, NDArray[Any]], name: str) -> float:
    array = arrays[name]
    if array.size != 1 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise LabelError(f"{path}: {name} is not one number.")
    return float(array.item())
