"""The package ``segments``: audio, rolls and spectra for the study of spectrogram reconstruction, after Cheuk et al.

Each recording has its audio at 16 kHz, its rolls at a hop of 512 samples (32 ms) and, unless the reader is to compute
them, its log-mel and constant-Q spectrograms. Random segments of 327,680 samples (20.48 s) are cut by the reader.
docs/formats.md writes the layout down.

References
----------
Cheuk, Luo, Benetos, Herremans, "The effect of spectrogram reconstruction on automatic music transcription", ICPR 2020.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Audio
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.folds import Fold, in_sets, train_and_test, without_test_pieces
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.features.model_inputs import CQT_BINS_PER_OCTAVE, log_cqt, log_mel_spectrogram, scaled_to_unit
from musicnet_build.labels.pianoroll import OFFSET, ONSET, PIANO, SOUNDING, label_rolls
from musicnet_build.packing.hdf5 import add, reading_package
from musicnet_build.packing.reader import Augment, Reader, check_kind, names_in
from musicnet_build.packing.shards import described_group, make_shards, merge
from musicnet_build.packing.sources import Packed, Progress, Source, SourceSettings, empty_parts, recordings_of

KIND = "segments"
RATE_HZ = 16_000
HOP_LENGTH = 512
WINDOW_LENGTH = 2048
SEGMENT_SAMPLES = 327_680
SPLIT = "segments"
"""The one split of the package: ``segments/fold_1/train`` and so on."""

_ROLL_NAMES = ("audio", "codes", "velocity")
_SPECTRA = ("mel", "cqt")

Item = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class SegmentsSettings(SourceSettings):
    """What the package holds.

    Attributes
    ----------
    store_spectra : bool
        Store mel and constant-Q spectrograms; otherwise the reader computes them.
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    test_banks : sequence of str
        Banks to test on, whatever the corpus says.
    keep_test_pieces : bool
        Train on recordings of pieces that are also in the test set.
    """

    store_spectra: bool = True
    sustain: bool = True
    test_banks: Sequence[str] = ()
    keep_test_pieces: bool = False


def pack_segments(
    source: Source,
    path: str | os.PathLike[str],
    settings: SegmentsSettings | None = None,
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
    settings : SegmentsSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts notes shorter than a frame (they keep the frame of their onset), outside the piano's range, and after
        the end of the audio; and the recordings left out because their pieces are tested on.

    Examples
    --------
    >>> from musicnet_build.packing.segments import SegmentsSettings, pack_segments
    >>> pack_segments("dataset", "packed.h5", SegmentsSettings(store_spectra=False)).parts
    {'train': 2, 'valid': 0, 'test': 1}
    """
    settings = settings or SegmentsSettings()
    fold, recordings, removed = _chosen(recordings_of(source, settings), settings)
    recipe = {"store_spectra": settings.store_spectra, "sustain": settings.sustain}
    shards = make_shards(path, recordings, write_shard, recipe, workers=workers, progress=progress)
    attributes = {
        "kind": KIND,
        "sample_rate_hz": RATE_HZ,
        "hop_length": HOP_LENGTH,
        "lowest_pitch": PIANO[0],
        "settings": json.dumps(recipe),
    }
    merge(path, shards, {SPLIT: {"fold_1": fold}}, {}, attributes)
    parts = {part: len(names) for part, names in vars(fold).items()}
    counts = shards.counts | {"removed_test_pieces": removed}
    size = Path(path).stat().st_size
    return Packed(Path(path), len(recordings), shards.made, parts, counts, size, empty_parts(parts))


def _chosen(recordings: Sequence[Recording], settings: SegmentsSettings) -> tuple[Fold, list[Recording], int]:
    """Return the split, the recordings in it, and how many were left out for their pieces."""
    fold, removed = train_and_test(recordings, settings.seed, settings.test_banks), 0
    if not settings.keep_test_pieces:
        fold, removed = without_test_pieces(recordings, fold)
    return fold, in_sets(recordings, fold), removed


def write_shard(recording: Recording, file: h5py.File, *, store_spectra: bool, sustain: bool) -> dict[str, int]:
    """Write what the package holds of one recording; return what is counted of its notes."""
    audio = read_audio(recording.audio, RATE_HZ)
    notes = read_notes(recording, sustain=sustain)
    # Both the package and the reader start from the rounded samples, so computed spectra equal stored ones.
    samples = np.rint(audio * 32767).clip(-32768, 32767).astype(np.int16)
    rolls = label_rolls(notes, 1 + len(samples) // HOP_LENGTH, HOP_LENGTH / RATE_HZ)
    arrays: Item = {"audio": samples, "codes": rolls.codes, "velocity": rolls.velocity}
    if store_spectra:
        arrays |= spectra_of(_as_float(samples))
    counts = {"notes": len(notes), "short": rolls.short, "out_of_range": rolls.out_of_range, "outside": rolls.outside}
    group = described_group(file, recording, counts, duration_s=len(samples) / RATE_HZ)
    for name, array in arrays.items():
        add(group, name, array)
    return counts


def spectra_of(audio: Audio) -> Item:
    """Return the two inputs of the models, logarithmic and scaled to 0 to 1 over the whole of the audio.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        At 16 kHz.

    Returns
    -------
    dict
        ``mel`` float32 [shape=(frames, 229)] and ``cqt`` float32 [shape=(frames, 176)], 1 + n // 512 frames.
    """
    mel = log_mel_spectrogram(audio, RATE_HZ, window_length=WINDOW_LENGTH, hop_length=HOP_LENGTH)
    return {"mel": scaled_to_unit(mel), "cqt": scaled_to_unit(log_cqt(audio, RATE_HZ, hop_length=HOP_LENGTH))}


class SegmentsReader(Reader[Item]):
    """Random segments of one split, one per recording and epoch.

    An item is a dict of arrays: ``audio`` float32 [shape=(samples,)]; ``onset``, ``offset``, ``frame`` uint8 and
    ``velocity`` uint8 [shape=(samples / 512, 88)]; ``mel`` [shape=(samples / 512, 229)] and ``cqt``
    [shape=(samples / 512, 176)] float32. Frame *k* is centred on sample 512 · k of the audio. Recordings shorter than a
    segment are followed by zeros.

    A segment begins elsewhere in each epoch, as seed, epoch and index have it.

    Parameters
    ----------
    path : str or PathLike
    part : {"train", "valid", "test"}
    seed : int
    samples : int
        Length of a segment, a multiple of 512.
    spectra : {"stored", "computed", "none"}
        Cut from the package, where they are scaled over the whole recording; computed from the segment's audio, and
        scaled over it; or left out.
    shift_semitones : int
        Move stored constant-Q spectra up or down by up to so many semitones, drawn anew in each epoch; the rolls move
        along. ``audio`` and ``mel``, which cannot be moved so, are then left out.
    augment
        As of :class:`~musicnet_build.packing.reader.Reader`.

    Raises
    ------
    DatasetError
        When the file is no such package, spectra are asked for (or to be moved) that it does not store, or the length
        is no multiple of the hop.

    Examples
    --------
    >>> from musicnet_build.datasets.segments import SegmentsReader
    >>> segments = SegmentsReader("segments.h5", "train", samples=16_384)
    >>> sorted(segments[0])
    ['audio', 'cqt', 'frame', 'mel', 'offset', 'onset', 'velocity']
    >>> segments[0]["frame"].shape
    (32, 88)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        part: Literal["train", "valid", "test"],
        *,
        seed: int = 0,
        samples: int = SEGMENT_SAMPLES,
        spectra: Literal["stored", "computed", "none"] = "stored",
        shift_semitones: int = 0,
        augment: Augment[Item] | None = None,
    ) -> None:
        super().__init__(path, seed=seed, augment=augment)
        if samples < HOP_LENGTH or samples % HOP_LENGTH:
            raise DatasetError(f"A segment must be a multiple of {HOP_LENGTH} samples long, not {samples}.")
        if shift_semitones and spectra != "stored":
            raise DatasetError("Only stored spectra are moved by semitones: take spectra='stored'.")
        self.samples, self.spectra, self.shift_semitones = samples, spectra, shift_semitones
        wanted = (*_ROLL_NAMES, *(_SPECTRA if spectra == "stored" else ()))
        with reading_package(path) as file:
            check_kind(file, KIND)
            self.names = names_in(file, f"{SPLIT}/fold_1/{part}")
            if self.names and any(name not in file[self.names[0]] for name in wanted):
                raise DatasetError(f"{path} stores no spectra: let the reader compute them (spectra='computed').")
            self._located = [
                {name: self._arrays.locate(file[recording][name]) for name in wanted} for recording in self.names
            ]
        self._count_epochs(draws=True)

    def __len__(self) -> int:
        return len(self.names)

    def _read(self, index: int, epoch: int) -> Item:
        spare = self.frames_in(index) - self.samples // HOP_LENGTH
        random = self.generator(index, epoch)
        item = self.segment(index, int(random.integers(0, spare + 1)) if spare > 0 else 0)
        if not self.shift_semitones:
            return item
        return transposed(item, int(random.integers(-self.shift_semitones, self.shift_semitones + 1)))

    def frames_in(self, index: int) -> int:
        """Return the length of a recording in frames."""
        return len(self._arrays[self._located[index]["codes"]])

    def whole(self, index: int) -> Item:
        """Return a whole recording as one segment."""
        return self._item(index, 0, self.frames_in(index))

    def segment(self, index: int, first_frame: int) -> Item:
        """Return the segment of a recording that begins at a frame."""
        return self._item(index, first_frame, self.samples // HOP_LENGTH)

    def _item(self, index: int, first_frame: int, frames: int) -> Item:
        places = self._located[index]
        samples = self._cut(places["audio"], first_frame * HOP_LENGTH, frames * HOP_LENGTH)
        codes = self._cut(places["codes"], first_frame, frames)
        item: Item = {
            "audio": _as_float(samples),
            "onset": (codes == ONSET).astype(np.uint8),
            "offset": (codes == OFFSET).astype(np.uint8),
            "frame": (codes >= SOUNDING).astype(np.uint8),
            "velocity": self._cut(places["velocity"], first_frame, frames),
        }
        if self.spectra == "stored":
            item |= {name: self._cut(places[name], first_frame, frames) for name in _SPECTRA}
        elif self.spectra == "computed":
            item |= {name: spectrum[:frames] for name, spectrum in spectra_of(item["audio"]).items()}
        return item

    def _cut(self, name: str, start: int, length: int) -> NDArray[Any]:
        """Copy rows out of the file, zeros after its end."""
        rows: NDArray[Any] = self._arrays[name][start : start + length]
        if len(rows) == length:
            return rows.copy()
        result = np.zeros((length, *rows.shape[1:]), dtype=rows.dtype)
        result[: len(rows)] = rows
        return result


def transposed(item: Item, semitones: int) -> Item:
    """Return the constant-Q spectrum and the rolls of a segment as they would be so many semitones higher.

    Parameters
    ----------
    item : dict
        Of a :class:`SegmentsReader`.
    semitones : int
        Negative: lower.

    Returns
    -------
    dict
        Without ``audio`` and ``mel``. What comes in from beyond the range is zero: silence, and no note.
    """
    kept = ("onset", "offset", "frame", "velocity")
    rolls = {name: _moved(item[name], semitones) for name in kept}
    return {**rolls, "cqt": _moved(item["cqt"], semitones * CQT_BINS_PER_OCTAVE // 12)}


def _moved(rows: NDArray[Any], columns: int) -> NDArray[Any]:
    """Return rows moved to the right by some columns, zeros coming in."""
    result = np.zeros_like(rows)
    if abs(columns) < rows.shape[1]:
        result[:, max(columns, 0) : rows.shape[1] + min(columns, 0)] = rows[
            :, max(-columns, 0) : rows.shape[1] - max(columns, 0)
        ]
    return result


def _as_float(samples: NDArray[np.int16]) -> Audio:
    return samples.astype(np.float32) / np.float32(32767)
