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
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Audio
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.folds import Fold, in_sets
from musicnet_build.corpora.recordings import Recording, read_notes
from musicnet_build.errors import DatasetError
from musicnet_build.features.model_inputs import log_cqt, log_mel_spectrogram, scaled_to_unit
from musicnet_build.labels.pianoroll import OFFSET, ONSET, PIANO, SOUNDING, label_rolls
from musicnet_build.packing.hdf5 import add, reading, writing
from musicnet_build.packing.memmap import MappedFile, Place, check_kind, names_in, place_of
from musicnet_build.packing.shards import Packed, Progress, check_names, describe, make_shards, merge, summed_counts

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


def pack_segments(
    path: str | os.PathLike[str],
    recordings: Sequence[Recording],
    fold: Fold,
    *,
    store_spectra: bool = True,
    sustain: bool = True,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the package.

    Parameters
    ----------
    path : str or PathLike
        The HDF5 file to write.
    recordings : sequence of Recording
        Those in no set of the fold are left out.
    fold : Fold
    store_spectra : bool
        Store mel and constant-Q spectrograms; otherwise the reader computes them.
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts notes shorter than a frame (they keep the frame of their onset), outside the piano's range, and after
        the end of the audio.
    """
    recordings = in_sets(recordings, fold)
    check_names(recordings)
    settings = {"store_spectra": store_spectra, "sustain": sustain}
    shards, made = make_shards(path, recordings, write_shard, settings, workers=workers, progress=progress)
    counts = summed_counts(shards)
    attributes = {
        "kind": KIND,
        "sample_rate_hz": RATE_HZ,
        "hop_length": HOP_LENGTH,
        "lowest_pitch": PIANO[0],
        "settings": json.dumps(settings),
    }
    merge(path, shards, {SPLIT: {"fold_1": fold}}, {}, attributes)
    return Packed(len(recordings), made, counts)


def write_shard(recording: Recording, shard: Path, store_spectra: bool, sustain: bool) -> None:
    """Compute what the package holds of one recording; a job of :func:`pack_segments`."""
    audio = read_audio(recording.audio, RATE_HZ)
    notes = read_notes(recording, sustain=sustain)
    # Both the package and the reader start from the rounded samples, so computed spectra equal stored ones.
    samples = np.rint(audio * 32767).clip(-32768, 32767).astype(np.int16)
    rolls = label_rolls(notes, 1 + len(samples) // HOP_LENGTH, HOP_LENGTH / RATE_HZ)
    with writing(shard) as file:
        group = file.create_group(recording.name)
        describe(group, recording)
        group.attrs["duration_s"] = len(samples) / RATE_HZ
        group.attrs["count_notes"] = len(notes)
        group.attrs["count_short"] = rolls.short
        group.attrs["count_out_of_range"] = rolls.out_of_range
        group.attrs["count_outside"] = rolls.outside
        add(group, "audio", samples)
        add(group, "codes", rolls.codes)
        add(group, "velocity", rolls.velocity)
        if store_spectra:
            for name, spectrum in spectra_of(_as_float(samples)).items():
                add(group, name, spectrum)


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


class SegmentsReader:
    """Random segments of one split, one a recording and epoch.

    An item is a dict of arrays: ``audio`` float32 [shape=(samples,)]; ``onset``, ``offset``, ``frame`` uint8 and
    ``velocity`` uint8 [shape=(samples / 512, 88)]; ``mel`` [shape=(samples / 512, 229)] and ``cqt``
    [shape=(samples / 512, 176)] float32. Frame *k* is centred on sample 512 · k of the audio. Recordings shorter than a
    segment are followed by zeros.

    Where a segment begins depends on seed, epoch and index alone, not on the process that asks. The file is mapped
    into memory by each process for itself, so readers may be sent to workers, forked or spawned.

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

    Raises
    ------
    DatasetError
        When the file is no such package, spectra are asked for that it does not store, or the length is no multiple
        of the hop.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        part: Literal["train", "valid", "test"],
        *,
        seed: int = 0,
        samples: int = SEGMENT_SAMPLES,
        spectra: Literal["stored", "computed", "none"] = "stored",
    ) -> None:
        if samples < HOP_LENGTH or samples % HOP_LENGTH:
            raise DatasetError(f"A segment must be a multiple of {HOP_LENGTH} samples long, not {samples}.")
        self.samples, self.spectra, self.seed, self.epoch = samples, spectra, seed, 0
        self._file = MappedFile(path)
        wanted = (*_ROLL_NAMES, *(_SPECTRA if spectra == "stored" else ()))
        with reading(path) as file:
            check_kind(file, KIND)
            self.names = names_in(file, f"{SPLIT}/fold_1/{part}")
            if self.names and any(name not in file[self.names[0]] for name in wanted):
                raise DatasetError(f"{path} stores no spectra: let the reader compute them (spectra='computed').")
            self._places = [{name: place_of(file[item][name]) for name in wanted} for item in self.names]

    def set_epoch(self, epoch: int) -> None:
        """Draw other segments from now on; in workers, before they are started."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Item:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        frames = self.samples // HOP_LENGTH
        spare = self._places[index]["codes"].shape[0] - frames
        random = np.random.default_rng([self.seed, self.epoch, index])
        return self.segment(index, int(random.integers(0, spare + 1)) if spare > 0 else 0)

    def segment(self, index: int, first_frame: int) -> Item:
        """Return the segment of a recording that begins at a frame."""
        places, frames = self._places[index], self.samples // HOP_LENGTH
        samples = self._cut(places["audio"], first_frame * HOP_LENGTH, self.samples)
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

    def _cut(self, place: Place, start: int, length: int) -> NDArray[Any]:
        """Copy rows out of the file, zeros after its end."""
        rows = self._file.array(place)[start : start + length]
        if len(rows) == length:
            return rows.copy()
        result = np.zeros((length, *rows.shape[1:]), dtype=rows.dtype)
        result[: len(rows)] = rows
        return result


def _as_float(samples: NDArray[np.int16]) -> Audio:
    return samples.astype(np.float32) / np.float32(32767)
