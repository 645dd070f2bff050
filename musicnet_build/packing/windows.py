"""Reading ``musicnet.h5`` for training: windows of audio, and the notes that sound at their middle.

References
----------
Thickstun, Harchaoui, Kakade: Learning Features of Music from Scratch. ICLR 2017, section 4: windows of 16,384 samples,
the 128 pitches at the middle of each; tested every 512 samples from the 1st to the 91st second of a recording.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from musicnet_build._typing import Audio, Int32s, Int64s, UInt8s
from musicnet_build.errors import DatasetError
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.packing.hdf5 import damage_told, reading_package
from musicnet_build.packing.reader import Augment, Reader

PITCHES = 128
WINDOW_SAMPLES = 16_384
TEST_STRIDE_SAMPLES = 512
TEST_SPAN_S = (1.0, 91.0)
EPOCH_WINDOWS = 10_000

Item = tuple[Audio, UInt8s]


class MusicNetWindows(Reader[Item]):
    """Windows of the recordings in a ``musicnet.h5``.

    An item is ``(audio, target)``: float32 [shape=(window_samples,)] and uint8 [shape=(128,)], 1 for each pitch that
    sounds at the middle of the window. Windows are drawn anew in each epoch, each place of each recording being
    equally likely.

    Parameters
    ----------
    path : str or PathLike
    split : {"train", "validation", "test"}, optional
        Only recordings whose attribute ``split`` says so.
    ids : sequence of str, optional
        Only these recordings.
    window_samples : int
        Length of a window.
    epoch_windows : int
        Windows in an epoch, which is the length of this sequence.
    shift_semitones : int
        Play each window up to so many semitones higher or lower, drawn anew each time; the labels move along.
    jitter_semitones : float
        And by up to this fraction of a semitone more, which leaves the labels as they are.
    seed, augment
        As of :class:`~musicnet_build.packing.reader.Reader`.

    Raises
    ------
    DatasetError
        When the file cannot be read, or has no such recording that is long enough.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.datasets.windows import MusicNetWindows
    >>> windows = MusicNetWindows("musicnet.h5", split="train")
    >>> audio, pitches = windows.random(8, np.random.default_rng(0))
    >>> audio.shape, pitches.shape
    ((8, 16384), (8, 128))
    >>> windows = MusicNetWindows("musicnet.h5", split="train", seed=1)  # doctest: +SKIP
    >>> loader = torch.utils.data.DataLoader(windows, 64, num_workers=2, persistent_workers=True)  # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        split: str | None = None,
        ids: Sequence[str] | None = None,
        window_samples: int = WINDOW_SAMPLES,
        epoch_windows: int = EPOCH_WINDOWS,
        shift_semitones: int = 0,
        jitter_semitones: float = 0.0,
        seed: int = 0,
        augment: Augment[Item] | None = None,
    ) -> None:
        super().__init__(path, seed=seed, augment=augment)
        self.window_samples, self.epoch_windows = window_samples, epoch_windows
        self.shift_semitones, self.jitter_semitones = shift_semitones, jitter_semitones
        self._labels: dict[str, tuple[Int32s, ...]] = {}
        self._scales: dict[str, np.float32] = {}
        self.lengths: dict[str, int] = {}
        with reading_package(path) as file:
            for name in _chosen(file, split, ids):
                self._add(name.removeprefix("id_"), file[name])
        if not self.lengths:
            raise DatasetError(f"{path} has no recording of at least {window_samples} samples in what was asked for.")
        self.ids = tuple(self.lengths)
        # Every window of the set is as likely as any other.
        self._ends = np.cumsum([length - window_samples + 1 for length in self.lengths.values()])
        self._count_epochs(draws=True)

    def __len__(self) -> int:
        return self.epoch_windows

    def _read(self, index: int, epoch: int) -> Item:
        random = self.generator(index, epoch)
        (place,), (start,) = self._places(random.integers(0, self._ends[-1], 1))
        if not (self.shift_semitones or self.jitter_semitones):
            return self.window(self.ids[place], start), self.target(self.ids[place], start)
        semitones = int(random.integers(-self.shift_semitones, self.shift_semitones + 1))
        jitter = random.uniform(-self.jitter_semitones, self.jitter_semitones)
        return self.shifted(self.ids[place], start, semitones, jitter)

    def shifted(self, recording_id: str, start: int, semitones: int, jitter: float = 0.0) -> Item:
        """Return a window played faster or slower around its middle, and so higher or lower, with its labels.

        Parameters
        ----------
        recording_id : str
        start : int
            Of the window as it would be without the shift.
        semitones : int
            By which sound and labels move.
        jitter : float
            Semitones by which the sound moves besides.

        Returns
        -------
        audio : float32 [shape=(window_samples,)]
            Interpolated linearly; silence beyond the recording.
        target : uint8 [shape=(128,)]
        """
        ratio = 2.0 ** ((semitones + jitter) / 12)
        half = self.window_samples // 2
        places = start + half + (np.arange(self.window_samples) - half) * ratio
        first = max(int(places[0]), 0)
        samples = self._arrays[f"/id_{recording_id}/data"][first : int(places[-1]) + 2]
        audio = np.interp(places, first + np.arange(len(samples)), samples, left=0.0, right=0.0).astype(np.float32)
        if recording_id in self._scales:
            audio *= self._scales[recording_id]
        pitches = np.flatnonzero(self.target(recording_id, start)) + semitones
        target = np.zeros(PITCHES, np.uint8)
        target[pitches[(pitches >= 0) & (pitches < PITCHES)]] = 1
        return audio, target

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
        places, starts = self._places(generator.integers(0, self._ends[-1], count))
        audio = np.empty((count, self.window_samples), np.float32)
        targets = np.zeros((count, PITCHES), np.uint8)
        with damage_told(self.path):
            for row, (place, start) in enumerate(zip(places, starts, strict=True)):
                self._fill(audio[row], self.ids[place], start)
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
        audio = np.empty(self.window_samples, np.float32)
        self._fill(audio, recording_id, start)
        return audio

    def _fill(self, audio: Audio, recording_id: str, start: int) -> None:
        """Copy a window once, from the file to where it is wanted."""
        audio[:] = self._arrays[f"/id_{recording_id}/data"][start : start + self.window_samples]
        if recording_id in self._scales:
            audio *= self._scales[recording_id]

    def target(self, recording_id: str, start: int) -> UInt8s:
        """Return which pitches sound at the middle of that window: uint8 [shape=(128,)]."""
        middle = start + self.window_samples // 2
        starts, ends, pitches = self.labels(recording_id)
        vector = np.zeros(PITCHES, np.uint8)
        vector[pitches[(starts <= middle) & (middle < ends)]] = 1
        return vector

    def labels(self, recording_id: str) -> tuple[Int32s, ...]:
        """Return the labels of a recording: starts and ends in samples, and pitches, int32 [shape=(n,)] each."""
        # Each an array of its own: much quicker to search than the table.
        if recording_id not in self._labels:
            table = self._arrays[f"/id_{recording_id}/labels"][:]
            self._labels[recording_id] = tuple(table[name].copy() for name in ("start_time", "end_time", "note_id"))
        return self._labels[recording_id]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_labels": {}}

    def _add(self, recording_id: str, group: h5py.Group) -> None:
        data = group["data"]
        if len(data) < self.window_samples:
            return
        self._arrays.locate(data)
        self.lengths[recording_id] = len(data)
        if data.dtype == np.int16:
            self._scales[recording_id] = np.float32(data.attrs["scale"])
        self._arrays.locate(group["labels"])

    def _places(self, drawn: Int64s) -> tuple[list[int], list[int]]:
        """Return the recording, and the sample in it, of each window of the set."""
        places = np.searchsorted(self._ends, drawn, side="right")
        starts = drawn - np.where(places > 0, self._ends[places - 1], 0)
        return places.tolist(), starts.tolist()


def _chosen(file: h5py.File, split: str | None, ids: Sequence[str] | None) -> list[str]:
    """Return the names of the groups that are asked for."""
    wanted = list(file) if ids is None else [f"id_{one}" for one in ids]
    if missing := [name for name in wanted if name not in file]:
        raise DatasetError(f"{file.filename} has no recording {missing[0].removeprefix('id_')}.")
    return [name for name in wanted if split is None or file[name].attrs.get("split") == split]
