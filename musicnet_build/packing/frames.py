"""The package ``frames``: spectra and frame-wise targets for the study of label noise, after Kelz et al. 2016.

Each recording has its logarithmic filterbank spectrogram at two frame rates and, for each labelling function, the
targets; context windows are cut by the reader and not stored. docs/formats.md writes the layout down.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Bools, Float32s, Float64s, UInt8s
from musicnet_build.audio.io import read_audio
from musicnet_build.choices import LABELLINGS
from musicnet_build.corpora.folds import Fold
from musicnet_build.corpora.recordings import Recording, read_notes
from musicnet_build.errors import DatasetError
from musicnet_build.features.filterbanks import log_filter_centres_hz, log_filterbank
from musicnet_build.features.model_inputs import log_filter_spectrogram
from musicnet_build.labels.pianoroll import PIANO, label_rolls, packed, unpacked
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.packing.hdf5 import add, reading, writing
from musicnet_build.packing.memmap import MappedFile, Place, check_kind, names_in, place_of
from musicnet_build.packing.shards import Packed, Progress, check_names, describe, make_shards, merge, summed_counts

KIND = "frames"
FRAME_RATES_HZ = (31.25, 100.0)
CONTEXTS = (5, 17)
"""Context windows of the studies, in frames; the reader takes any odd number."""

REFERENCE_RATE_HZ, REFERENCE_S = 100.0, 30.0
"""Evaluation compares with function a at this rate over the first 30 s, whatever a model was trained on."""

WINDOW_LENGTH = 4096
PITCHES = PIANO[1] - PIANO[0] + 1


def pack_frames(
    path: str | os.PathLike[str],
    recordings: Sequence[Recording],
    splits: Mapping[str, Mapping[str, Fold]],
    *,
    labellings: Sequence[str] = LABELLINGS,
    seed: int = 0,
    sustain: bool = True,
    keep_short: bool = True,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the package.

    Parameters
    ----------
    path : str or PathLike
        The HDF5 file to write.
    recordings : sequence of Recording
    splits : mapping
        Folds by the name of the split and the name of the fold.
    labellings : sequence of str
        Functions to store targets of.
    seed : int
        Draws the random steps of the functions e and f.
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    keep_short : bool
        Give notes without a frame the frame of their onset.
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts notes without a frame by function and rate: ``short_a_31.25``.
    """
    check_names(recordings)
    settings = {"labellings": list(labellings), "seed": seed, "sustain": sustain, "keep_short": keep_short}
    shards, made = make_shards(path, recordings, write_shard, settings, workers=workers, progress=progress)
    counts = summed_counts(shards)
    attributes = {
        "kind": KIND,
        "frame_rates_hz": np.array(FRAME_RATES_HZ),
        "sample_rate_hz": SAMPLE_RATE,
        "window_length": WINDOW_LENGTH,
        "lowest_pitch": PIANO[0],
        "pitches": PITCHES,
        "reference_rate_hz": REFERENCE_RATE_HZ,
        "settings": json.dumps(settings),
    }
    arrays = {"filter_hz": _filter_hz(), "formula_hz": log_filter_centres_hz()}
    merge(path, shards, splits, arrays, attributes)
    return Packed(len(recordings), made, counts)


def write_shard(
    recording: Recording, shard: Path, labellings: Sequence[str], seed: int, sustain: bool, keep_short: bool
) -> None:
    """Compute what the package holds of one recording; a job of :func:`pack_frames`."""
    audio = read_audio(recording.audio)
    notes = read_notes(recording, sustain=sustain)
    # Levels differ between banks, and the logarithm is not blind to them.
    audio = audio / np.float32(np.abs(audio).max())
    with writing(shard) as file:
        group = file.create_group(recording.name)
        describe(group, recording)
        group.attrs["duration_s"] = len(audio) / SAMPLE_RATE
        group.attrs["notes"] = len(notes)
        for rate_hz in FRAME_RATES_HZ:
            spectrogram = log_filter_spectrogram(audio, rate_hz, window_length=WINDOW_LENGTH)
            add(group, f"spectrogram_{rate_hz:g}", spectrogram)
            for labelling in labellings:
                rolls = label_rolls(notes, len(spectrogram), 1 / rate_hz, labelling, seed=seed, keep_short=keep_short)
                add(group, f"targets_{rate_hz:g}/{labelling}", packed(rolls.frame))
                group.attrs[f"count_short_{labelling}_{rate_hz:g}"] = rolls.short
        add(group, "reference", packed(_reference(notes, len(audio))))


def _reference(notes: NoteTable, samples: int) -> Bools:
    frames = 1 + int(min(samples / SAMPLE_RATE, REFERENCE_S) * REFERENCE_RATE_HZ)
    frames = min(frames, round(REFERENCE_S * REFERENCE_RATE_HZ))
    return label_rolls(notes, frames, 1 / REFERENCE_RATE_HZ, "a").frame


def _filter_hz() -> Float64s:
    """Where each filter peaks: the transform's bin nearest to the formula."""
    peaks: Float64s = log_filterbank(WINDOW_LENGTH).argmax(axis=0) * (SAMPLE_RATE / WINDOW_LENGTH)
    return peaks


class FramesReader:
    """Spectra and targets of one split, frame by frame.

    An item is ``(window, target)``: ``window`` float32 [shape=(context, 229)], the frames around the one it is about
    (zeros beyond the recording's ends), and ``target`` uint8 [shape=(88,)], one where a pitch sounds in it.

    The file is mapped into memory by each process for itself, so readers may be sent to workers, forked or spawned.

    Parameters
    ----------
    path : str or PathLike
    split : str
        Such as ``configuration_2/fold_1/train``.
    rate_hz : float
        31.25 or 100.
    labelling : str
        Function of the targets.
    context : int
        Frames in a window, an odd number: 5 and 17 in the studies.

    Raises
    ------
    DatasetError
        When the file, split, rate or function is not there, or the context is even.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        split: str,
        *,
        rate_hz: float = FRAME_RATES_HZ[0],
        labelling: str = "a",
        context: int = CONTEXTS[0],
    ) -> None:
        if context < 1 or context % 2 == 0:
            raise DatasetError(f"A context must be an odd number of frames, not {context}.")
        self.context = context
        self._file = MappedFile(path)
        with reading(path) as file:
            check_kind(file, KIND)
            self.names = names_in(file, split)
            wanted = (f"spectrogram_{rate_hz:g}", f"targets_{rate_hz:g}/{labelling}", "reference")
            for name in wanted:
                if self.names and name not in file[self.names[0]]:
                    raise DatasetError(f"{path} has no {name}: choose another rate or labelling function.")
            self._places = [tuple(place_of(file[name][item]) for item in wanted) for name in self.names]
        lengths = [places[0].shape[0] for places in self._places]
        self._ends = np.cumsum(lengths, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> tuple[Float32s, UInt8s]:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        recording = int(np.searchsorted(self._ends, index, side="right"))
        frame = index - (int(self._ends[recording - 1]) if recording else 0)
        spectrogram, targets = (self._file.array(place) for place in self._places[recording][:2])
        return _window(spectrogram, frame, self.context), unpacked(targets[frame], PITCHES)

    def recording(self, name: str) -> tuple[Float32s, UInt8s]:
        """Return the whole spectrogram and targets of a recording."""
        spectrogram, targets, _ = self._places_of(name)
        return self._file.array(spectrogram), unpacked(self._file.array(targets), PITCHES)

    def reference(self, name: str) -> UInt8s:
        """Return the targets to evaluate a recording by: function a, 100 frames a second, the first 30 s."""
        return unpacked(self._file.array(self._places_of(name)[2]), PITCHES)

    def __iter__(self) -> Iterator[tuple[Float32s, UInt8s]]:
        return (self[index] for index in range(len(self)))

    def _places_of(self, name: str) -> tuple[Place, ...]:
        if name not in self.names:
            raise DatasetError(f"{self._file.path}: the split has no recording {name}.")
        return self._places[self.names.index(name)]


def _window(rows: NDArray[Any], centre: int, length: int) -> Float32s:
    start = centre - length // 2
    window = np.zeros((length, rows.shape[1]), dtype=np.float32)
    first, last = max(start, 0), min(start + length, len(rows))
    window[first - start : last - start] = rows[first:last]
    return window
