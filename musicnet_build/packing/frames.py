"""The package ``frames``: spectra and frame-wise targets for the study of label noise, after Kelz et al. 2016.

Each recording has its logarithmic filterbank spectrogram at two frame rates and, for each labelling function, the
targets; context windows are cut by the reader and not stored. docs/formats.md writes the layout down.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from musicnet_build._typing import Bools, Float32s, Float64s, UInt8s
from musicnet_build.audio.io import read_audio
from musicnet_build.choices import LABELLINGS
from musicnet_build.corpora.folds import Fold, configuration_1, configuration_2, given_split, read_folds
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.features.filterbanks import log_filter_centres_hz, log_filterbank
from musicnet_build.features.model_inputs import log_filter_spectrogram
from musicnet_build.labels.pianoroll import PIANO, label_rolls, packed, unpacked
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.packing.hdf5 import add, reading_package
from musicnet_build.packing.reader import Augment, Reader, Rows, check_kind, names_in
from musicnet_build.packing.shards import described_group, make_shards, merge, parts_of
from musicnet_build.packing.sources import Packed, Progress, Source, SourceSettings, empty_parts, recordings_of

KIND = "frames"
FRAME_RATES_HZ = (31.25, 100.0)
CONTEXTS = (5, 17)
"""Context windows of the studies, in frames; the reader takes any odd number."""

REFERENCE_RATE_HZ, REFERENCE_S = 100.0, 30.0
"""Evaluation compares with function a at this rate over the first 30 s, whatever a model was trained on."""

WINDOW_LENGTH = 4096
PITCHES = PIANO[1] - PIANO[0] + 1


@dataclass(frozen=True, kw_only=True)
class FramesSettings(SourceSettings):
    """What the package holds.

    Attributes
    ----------
    labellings : sequence of str
        Functions to store targets of.
    keep_short : bool
        Give notes without a frame the frame of their onset.
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    test_banks : sequence of str
        Banks of Configuration II to test on; the Disklavier banks of MAPS by default.
    folds : sequence of Path
        Folders of fold files, each stored as the split of its name.
    """

    labellings: Sequence[str] = LABELLINGS
    keep_short: bool = True
    sustain: bool = True
    test_banks: Sequence[str] = ()
    folds: Sequence[Path] = ()


def pack_frames(
    source: Source,
    path: str | os.PathLike[str],
    settings: FramesSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the package.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A folder of MAPS, MAESTRO or MusicNet's layout.
    path : str or PathLike
        The HDF5 file to write.
    settings : FramesSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts notes without a frame by function and rate: ``short_a_31.25``.

    Examples
    --------
    >>> packed = pack_frames("dataset", "frames.h5", FramesSettings(labellings=["a"]), workers=2)  # doctest: +SKIP
    >>> FramesReader("frames.h5", "given/fold_1/train")[0][0].shape  # doctest: +SKIP
    (5, 229)
    """
    settings = settings or FramesSettings()
    recordings = recordings_of(source, settings)
    splits = splits_of(recordings, settings)
    recipe = {name: getattr(settings, name) for name in ("seed", "sustain", "keep_short")}
    recipe["labellings"] = list(settings.labellings)
    shards = make_shards(path, recordings, write_shard, recipe, workers=workers, progress=progress)
    attributes = {
        "kind": KIND,
        "frame_rates_hz": np.array(FRAME_RATES_HZ),
        "sample_rate_hz": SAMPLE_RATE,
        "window_length": WINDOW_LENGTH,
        "lowest_pitch": PIANO[0],
        "pitches": PITCHES,
        "reference_rate_hz": REFERENCE_RATE_HZ,
        "settings": json.dumps(recipe, sort_keys=True),
    }
    merge(path, shards, splits, {"filter_hz": _filter_hz(), "formula_hz": log_filter_centres_hz()}, attributes)
    parts = {name: len(names) for name, names in parts_of(splits).items()}
    warnings = (*empty_parts(parts), *_short_notes(sum(shards.counts.values()), settings.keep_short))
    size = Path(path).stat().st_size
    return Packed(Path(path), len(recordings), shards.made, parts, shards.counts, size, warnings)


def splits_of(recordings: Sequence[Recording], settings: FramesSettings) -> dict[str, dict[str, Fold]]:
    """Return all splits that can be drawn or are given, by name and fold: Configuration II needs two banks."""
    splits = {"configuration_1": configuration_1(recordings, settings.seed)}
    if settings.test_banks or len({recording.bank for recording in recordings}) > 1:
        splits["configuration_2"] = configuration_2(recordings, settings.seed, settings.test_banks)
    given = given_split(recordings)
    if given != Fold((), (), ()):
        splits["given"] = {"fold_1": given}
    return splits | {folder.resolve().name: read_folds(folder, recordings) for folder in settings.folds}


def _short_notes(count: int, kept: bool) -> tuple[str, ...]:
    fate = "kept as one frame" if kept else "left out"
    return (f"notes without a frame of their own were {fate}, {count} in all; --json counts them by function.",) * (
        count > 0
    )


def write_shard(
    recording: Recording, file: h5py.File, *, labellings: Sequence[str], seed: int, sustain: bool, keep_short: bool
) -> dict[str, int]:
    """Write what the package holds of one recording; return how many notes each function leaves without a frame."""
    audio = read_audio(recording.audio)
    notes = read_notes(recording, sustain=sustain)
    # Levels differ between banks, and the logarithm is not blind to them.
    audio = audio / np.float32(np.abs(audio).max())
    spectrograms: dict[str, Float32s] = {}
    targets: dict[str, Bools] = {"reference": _reference(notes, len(audio))}
    counts = {}
    for rate_hz in FRAME_RATES_HZ:
        spectrogram = log_filter_spectrogram(audio, rate_hz, window_length=WINDOW_LENGTH)
        spectrograms[f"spectrogram_{rate_hz:g}"] = spectrogram
        for labelling in labellings:
            rolls = label_rolls(notes, len(spectrogram), 1 / rate_hz, labelling, seed=seed, keep_short=keep_short)
            targets[f"targets_{rate_hz:g}/{labelling}"] = rolls.frame
            counts[f"short_{labelling}_{rate_hz:g}"] = rolls.short
    group = described_group(file, recording, counts, duration_s=len(audio) / SAMPLE_RATE, notes=len(notes))
    for name, spectrogram in spectrograms.items():
        add(group, name, spectrogram)
    for name, roll in targets.items():
        # A column per key, as everybody reads them; mostly zeros, so compressed to a fraction of a bit each.
        add(group, name, roll.astype(np.uint8), compress=True)
    return counts


def _reference(notes: NoteTable, samples: int) -> Bools:
    frames = 1 + int(min(samples / SAMPLE_RATE, REFERENCE_S) * REFERENCE_RATE_HZ)
    frames = min(frames, round(REFERENCE_S * REFERENCE_RATE_HZ))
    return label_rolls(notes, frames, 1 / REFERENCE_RATE_HZ, "a").frame


def _filter_hz() -> Float64s:
    """Where each filter peaks: the transform's bin nearest to the formula."""
    peaks: Float64s = log_filterbank(WINDOW_LENGTH).argmax(axis=0) * (SAMPLE_RATE / WINDOW_LENGTH)
    return peaks


Item = tuple[Float32s, UInt8s]


class FramesReader(Reader[Item]):
    """Spectra and targets of one split, frame by frame.

    An item is ``(window, target)``: ``window`` float32 [shape=(context, 229)], the frames around the one it is about
    (zeros beyond the recording's ends), and ``target`` uint8 [shape=(88,)], one where a pitch sounds in it.

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
    shift_frames : int
        Move each window in time by up to so many frames either way, drawn anew in each epoch; the target moves along.
    seed, augment
        As of :class:`~musicnet_build.packing.reader.Reader`.

    Raises
    ------
    DatasetError
        When the file, split, rate or function is not there, or the context is even.

    Examples
    --------
    >>> from musicnet_build.datasets.frames import FramesReader
    >>> frames = FramesReader("frames.h5", "configuration_2/fold_1/train", context=5)
    >>> window, target = frames[0]
    >>> window.shape, target.shape
    ((5, 229), (88,))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        split: str,
        *,
        rate_hz: float = FRAME_RATES_HZ[0],
        labelling: str = "a",
        context: int = CONTEXTS[0],
        shift_frames: int = 0,
        seed: int = 0,
        augment: Augment[Item] | None = None,
    ) -> None:
        super().__init__(path, seed=seed, augment=augment)
        self.shift_frames = shift_frames
        if context < 1 or context % 2 == 0:
            raise DatasetError(f"A context must be an odd number of frames, not {context}.")
        self.context = context
        self._kept: dict[str, UInt8s] = {}
        with reading_package(path) as file:
            check_kind(file, KIND)
            self.names = names_in(file, split)
            wanted = (f"spectrogram_{rate_hz:g}", f"targets_{rate_hz:g}/{labelling}", "reference")
            for name in wanted:
                if self.names and name not in file[self.names[0]]:
                    raise DatasetError(f"{path} has no {name}: choose another rate or labelling function.")
            self._located = [tuple(self._arrays.locate(file[name][item]) for item in wanted) for name in self.names]
            lengths = [len(file[names[0]]) for names in self._located]
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self._count_epochs(draws=shift_frames > 0)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def _read(self, index: int, epoch: int) -> Item:
        recording = int(np.searchsorted(self._ends, index, side="right"))
        frame = index - (int(self._ends[recording - 1]) if recording else 0)
        spectrogram, targets, _ = self._located[recording]
        if self.shift_frames:
            moved = frame + self.generator(index, epoch).integers(-self.shift_frames, self.shift_frames + 1)
            frame = int(np.clip(moved, 0, len(self._arrays[spectrogram]) - 1))
        return _window(self._arrays[spectrogram], frame, self.context), unpacked(self._bits(targets)[frame], PITCHES)

    def recording(self, name: str) -> Item:
        """Return the whole spectrogram and targets of a recording."""
        spectrogram, targets, _ = self._located_of(name)
        return self._arrays[spectrogram][:], self._rolls(targets)

    def reference(self, name: str) -> UInt8s:
        """Return the targets to evaluate a recording by: function a, 100 frames per second, the first 30 s."""
        return self._rolls(self._located_of(name)[2])

    def _rolls(self, name: str) -> UInt8s:
        """Return targets as zeros and ones [shape=(frames, 88)]; in version 0.1 they were bits."""
        rows: UInt8s = self._arrays[name][:]
        return rows if rows.shape[1] == PITCHES else unpacked(rows, PITCHES)

    def _bits(self, name: str) -> UInt8s:
        """Return targets as bits, kept from now on: 11 bytes per frame, decompressed once in each process."""
        if name not in self._kept:
            self._kept[name] = packed(self._rolls(name).astype(bool))
        return self._kept[name]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": {}}

    def _located_of(self, name: str) -> tuple[str, ...]:
        if name not in self.names:
            raise DatasetError(f"{self.path}: the split has no recording {name}.")
        return self._located[self.names.index(name)]


def _window(rows: Rows, centre: int, length: int) -> Float32s:
    start = centre - length // 2
    window = np.zeros((length, rows.shape[1]), dtype=np.float32)
    first, last = max(start, 0), min(start + length, len(rows))
    window[first - start : last - start] = rows[first:last]
    return window
