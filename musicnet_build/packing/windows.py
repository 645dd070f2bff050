"""Reading ``musicnet.h5`` for training: windows of audio, and the notes that sound at their middle.

Any number of processes may read at once: each opens the file for itself, when it first reads.

References
----------
Thickstun, Harchaoui, Kakade: Learning Features of Music from Scratch. ICLR 2017, section 4: windows of 16,384 samples,
the 128 pitches at the middle of each; tested every 512 samples from the 1st to the 91st second of a recording.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from musicnet_build._typing import Audio, Int32s, UInt8s
from musicnet_build.errors import DatasetError
from musicnet_build.notes import SAMPLE_RATE

PITCHES = 128
WINDOW_SAMPLES = 16_384
TEST_STRIDE_SAMPLES = 512
TEST_SPAN_S = (1.0, 91.0)


class MusicNetWindows:
    """Windows of the recordings in a ``musicnet.h5``.

    Parameters
    ----------
    path : str or PathLike
    split : {"train", "test"}, optional
        Only recordings whose attribute ``split`` says so.
    ids : sequence of str, optional
        Only these recordings.
    window_samples : int
        Length of a window.

    Raises
    ------
    DatasetError
        When the file cannot be read, or has no such recording that is long enough.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        split: str | None = None,
        ids: Sequence[str] | None = None,
        window_samples: int = WINDOW_SAMPLES,
    ) -> None:
        self.path = Path(path)
        self.window_samples = window_samples
        self._file: h5py.File | None = None
        self._process = -1
        self._data: dict[str, h5py.Dataset] = {}
        self._labels: dict[str, tuple[Int32s, ...]] = {}
        file = self._open()
        wanted = list(file) if ids is None else [f"id_{one}" for one in ids]
        if missing := [name for name in wanted if name not in file]:
            raise DatasetError(f"{path} has no recording {missing[0].removeprefix('id_')}.")
        chosen = [name for name in wanted if split is None or file[name].attrs.get("split") == split]
        lengths = {name.removeprefix("id_"): len(file[name]["data"]) for name in chosen}
        self.lengths = {one: length for one, length in lengths.items() if length >= window_samples}
        if not self.lengths:
            raise DatasetError(f"{path} has no recording of at least {window_samples} samples in what was asked for.")
        self.ids = tuple(self.lengths)
        # Every window of the set is as likely as any other.
        self._ends = np.cumsum([length - window_samples + 1 for length in self.lengths.values()])
        self.close()

    def random(self, count: int, generator: np.random.Generator) -> tuple[Audio, UInt8s]:
        """Draw windows, each place of each recording being equally likely.

        Parameters
        ----------
        count : int
        generator : numpy.random.Generator
            One for each process, or all draw the same.

        Returns
        -------
        audio : float32 [shape=(count, window_samples)]
        targets : uint8 [shape=(count, 128)]
            1 for each pitch that sounds at the middle of the window.
        """
        drawn = generator.integers(0, self._ends[-1], count)
        places = np.searchsorted(self._ends, drawn, side="right")
        starts = drawn - np.where(places > 0, self._ends[places - 1], 0)
        audio = np.empty((count, self.window_samples), np.float32)
        targets = np.zeros((count, PITCHES), np.uint8)
        for row, (place, start) in enumerate(zip(places.tolist(), starts.tolist(), strict=True)):
            audio[row] = self.window(self.ids[place], start)
            targets[row] = self.target(self.ids[place], start)
        return audio, targets

    def test(self, recording_id: str) -> Iterator[tuple[Audio, UInt8s]]:
        """Yield the windows of the paper's test: middles every 512 samples from the 1st to the 91st second.

        Parameters
        ----------
        recording_id : str

        Yields
        ------
        audio : float32 [shape=(window_samples,)]
        targets : uint8 [shape=(128,)]
            Windows that do not lie within the recording as a whole are left out.
        """
        first, end = (round(second * SAMPLE_RATE) for second in TEST_SPAN_S)
        for middle in range(first, end, TEST_STRIDE_SAMPLES):
            start = middle - self.window_samples // 2
            if 0 <= start <= self.lengths[recording_id] - self.window_samples:
                yield self.window(recording_id, start), self.target(recording_id, start)

    def window(self, recording_id: str, start: int) -> Audio:
        """Return the window that begins at a sample of a recording: float32 [shape=(window_samples,)]."""
        data = self._data_of(recording_id)
        samples = data[start : start + self.window_samples]
        scale = data.attrs["scale"] if data.dtype == np.int16 else 1.0
        audio: Audio = samples if scale == 1.0 else samples.astype(np.float32) * np.float32(scale)
        return audio

    def target(self, recording_id: str, start: int) -> UInt8s:
        """Return which pitches sound at the middle of that window: uint8 [shape=(128,)]."""
        middle = start + self.window_samples // 2
        starts, ends, pitches = self._labels_of(recording_id)
        vector = np.zeros(PITCHES, np.uint8)
        vector[pitches[(starts <= middle) & (middle < ends)]] = 1
        return vector

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = None
        self._data = {}

    def _data_of(self, recording_id: str) -> h5py.Dataset:
        """Finding a dataset in its file takes as long as reading a window of it."""
        file = self._open()
        if recording_id not in self._data:
            self._data[recording_id] = file[f"id_{recording_id}"]["data"]
        return self._data[recording_id]

    def _labels_of(self, recording_id: str) -> tuple[Int32s, ...]:
        """Starts, ends and pitches, each as an array of its own: much quicker to search than the table."""
        if recording_id not in self._labels:
            table = self._open()[f"id_{recording_id}"]["labels"][:]
            self._labels[recording_id] = tuple(table[name].copy() for name in ("start_time", "end_time", "note_id"))
        return self._labels[recording_id]

    def _open(self) -> h5py.File:
        """A handle that came with a fork reads wrong data: each process gets one of its own."""
        if self._file is None or self._process != os.getpid():
            try:
                self._file = h5py.File(self.path, "r")
            except OSError as error:
                raise DatasetError(f"{self.path} cannot be read as an HDF5 file: {error}.") from error
            self._process = os.getpid()
            self._data = {}
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None, "_process": -1, "_data": {}}
