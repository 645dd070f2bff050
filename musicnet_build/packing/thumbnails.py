"""The package ``thumbnails``: a small picture of the spectrum around each time step at which one note sounds.

For the classification of isolated notes, after Cen and Jiang. A picture has as many columns as rows: columns are
frames of 32 ms around the time step, rows are frequencies, high ones at the top. docs/formats.md writes the layout
down.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from musicnet_build import __version__
from musicnet_build._typing import Audio, Float32s, Int64s, UInt8s
from musicnet_build.audio.io import read_audio
from musicnet_build.choices import THUMBNAIL_SIZES
from musicnet_build.corpora.folds import Fold, four_to_one, given_split, in_sets
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.errors import DatasetError
from musicnet_build.features.model_inputs import log_cqt
from musicnet_build.features.spectra import amplitude_blocks
from musicnet_build.labels.pianoroll import ALL_PITCHES, label_rolls
from musicnet_build.packing.hdf5 import add, reading, reading_package, stack_shards
from musicnet_build.packing.reader import Augment, Reader, check_kind
from musicnet_build.packing.shards import make_shards, publishing
from musicnet_build.packing.sources import Packed, Progress, Source, SourceSettings, empty_parts, recordings_of

KIND = "thumbnails"
CLASSES = 128
"""A class is a MIDI pitch."""

RATE_HZ = 16_000
HOP_LENGTH = 512
STFT_WINDOW_LENGTH = 2048
RANGE_DB = 80.0
"""White is the loudest point of the recording, black this far below it and everything under that."""

PARTS = ("train", "valid", "test")

_DB_PER_NEPER = 20.0 / np.log(10.0)

Spectrum = Literal["cqt", "stft"]


@dataclass(frozen=True, kw_only=True)
class ThumbnailsSettings(SourceSettings):
    """What the package holds.

    Attributes
    ----------
    size : int
        Rows and columns of a picture: one of ``THUMBNAIL_SIZES``.
    spectrum : {"cqt", "stft"}
        Constant-Q transform (27.5 Hz to 4.3 kHz) or short-time Fourier transform (to 8 kHz).
    step_frames : int
        One picture every so many frames of 32 ms.
    """

    categories: Sequence[str] = ("ISOL",)
    size: int = 32
    spectrum: Spectrum = "cqt"
    step_frames: int = 1

    def __post_init__(self) -> None:
        """Refuse other sizes."""
        if self.size not in THUMBNAIL_SIZES:
            raise DatasetError(f"A picture is {', '.join(map(str, THUMBNAIL_SIZES))} points wide, not {self.size}.")


def pack_thumbnails(
    source: Source,
    path: str | os.PathLike[str],
    settings: ThumbnailsSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the package.

    The split is that of the corpus; where it has none, a fifth of the recordings tests and a fifth of the others
    validates.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A folder of MAPS, MAESTRO or MusicNet's layout.
    path : str or PathLike
        The HDF5 file to write.
    settings : ThumbnailsSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Its parts count pictures.

    Raises
    ------
    DatasetError
        When there is no time step at which a single note sounds.

    Examples
    --------
    >>> from musicnet_build.packing.thumbnails import ThumbnailsSettings, pack_thumbnails
    >>> packed = pack_thumbnails("corpus", "packed.h5", ThumbnailsSettings(step_frames=4))
    >>> packed.recordings
    4
    """
    settings = settings or ThumbnailsSettings()
    recordings = _chosen(recordings_of(source, settings), settings.seed)
    recipe: dict[str, Any] = {name: getattr(settings, name) for name in ("size", "spectrum", "step_frames")}
    name_bytes = max((len(recording.name.encode()) for recording in recordings), default=1)
    of_shard = {**recipe, "name_bytes": name_bytes}
    shards = make_shards(path, recordings, write_shard, of_shard, workers=workers, progress=progress)
    with_pictures = [shard for shard in shards.paths if _pictures_in(shard)]
    if not with_pictures:
        raise DatasetError("There is no time step at which a single note sounds: pack isolated notes (category ISOL).")
    with publishing(path) as whole:
        stack_shards(whole, with_pictures, attributes=_attributes(recipe))
    parts = {part: shards.counts.get(part, 0) for part in PARTS}
    counts = {"pictures": sum(parts.values())}
    size = Path(path).stat().st_size
    return Packed(Path(path), len(recordings), shards.made, parts, counts, size, empty_parts(parts))


def _chosen(recordings: Sequence[Recording], seed: int) -> list[Recording]:
    """Return the recordings with the parts of the package that they are in as their splits."""
    given = given_split(recordings)
    drawn = four_to_one([recording.name for recording in recordings], seed)
    return in_sets(recordings, drawn if given == Fold((), (), ()) else given)


def _attributes(recipe: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": KIND,
        "classes": CLASSES,
        "sample_rate_hz": RATE_HZ,
        "hop_length": HOP_LENGTH,
        "range_db": RANGE_DB,
        "parts": json.dumps(PARTS),
        "settings": json.dumps(recipe),
        "musicnet_build": __version__,
    }


def write_shard(
    recording: Recording, file: h5py.File, *, size: int, spectrum: Spectrum, step_frames: int, name_bytes: int
) -> dict[str, int]:
    """Write the pictures of one recording; return how many there are in its part."""
    audio = read_audio(recording.audio, RATE_HZ)
    # The floor under the logarithm is absolute: at equal levels it takes nothing from soft recordings.
    rows = picture_rows(audio / np.float32(np.abs(audio).max()), size, spectrum)
    steps, pitches = _single_notes(recording, len(rows), step_frames)
    count, part = len(steps), SPLITS.index(recording.split)
    add(file, "images", thumbnails(rows, steps))
    add(file, "pitch", pitches.astype(np.uint8))
    add(file, "time_s", (steps * (HOP_LENGTH / RATE_HZ)).astype(np.float32))
    add(file, "recording", np.full(count, recording.name.encode(), dtype=f"S{name_bytes}"))
    add(file, "part", np.full(count, part, dtype=np.uint8))
    return {PARTS[part]: count}


def picture_rows(audio: Audio, size: int, spectrum: Spectrum) -> UInt8s:
    """Return a spectrogram with ``size`` rows of grey values, frame by frame.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        At 16 kHz.
    size : int
        Bins are averaged to this number of frequencies.
    spectrum : {"cqt", "stft"}

    Returns
    -------
    ndarray of uint8 [shape=(frames, size)]
        High frequencies first. 255 is the loudest point, 0 everything ``RANGE_DB`` and more below it.
    """
    if spectrum == "cqt":
        level_db = _DB_PER_NEPER * log_cqt(audio, RATE_HZ, hop_length=HOP_LENGTH)
    else:
        amplitudes = np.concatenate(list(amplitude_blocks(audio, STFT_WINDOW_LENGTH, HOP_LENGTH)))
        level_db = 20.0 * np.log10(amplitudes[:, 1:] + 1e-5)
    pooled = level_db @ _averaging(level_db.shape[1], size)
    grey = 255.0 * (1.0 + (pooled - pooled.max()) / RANGE_DB)
    picture: UInt8s = np.rint(grey[:, ::-1].clip(0, 255)).astype(np.uint8)
    return picture


def thumbnails(rows: UInt8s, steps: Int64s) -> UInt8s:
    """Cut a square picture around each step; black beyond the ends of the recording.

    Parameters
    ----------
    rows : ndarray of uint8 [shape=(frames, size)]
    steps : ndarray of int64 [shape=(k,)]
        Frames; each becomes column ``size // 2`` of its picture.

    Returns
    -------
    ndarray of uint8 [shape=(k, size, size)]
        Picture, row (high frequencies first), column (time).
    """
    size = rows.shape[1]
    padded = np.pad(rows, ((size // 2, size - size // 2), (0, 0)))
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(padded, size, axis=0)[steps])


def _averaging(bins: int, size: int) -> Float32s:
    """Weights that average ``bins`` values to ``size``, in proportion to how far each reaches into each."""
    edges = np.linspace(0, bins, size + 1)
    positions = np.arange(bins)[:, None]
    overlap = np.minimum(edges[1:], positions + 1) - np.maximum(edges[:-1], positions)
    weights: Float32s = (np.maximum(overlap, 0) / (bins / size)).astype(np.float32)
    return weights


def _single_notes(recording: Recording, frames: int, step_frames: int) -> tuple[Int64s, Int64s]:
    """Return the steps at which exactly one pitch sounds, and the pitches."""
    rolls = label_rolls(read_notes(recording), frames, HOP_LENGTH / RATE_HZ, pitches=ALL_PITCHES)
    sounding = rolls.frame
    steps = np.flatnonzero(sounding.sum(axis=1) == 1)
    steps = steps[steps % step_frames == 0]
    return steps, sounding[steps].argmax(axis=1)


def _pictures_in(shard: Path) -> int:
    with reading(shard) as file:
        return len(file["images"])


@dataclass(frozen=True)
class Augmentation:
    """Mild changes, drawn anew for each picture and epoch.

    Attributes
    ----------
    brightness : float
        Grey values move by up to this much either way, where 1 is white.
    contrast : float
        Distances from the mean grow or shrink by up to this share.
    mirror : bool
        Turn every other picture around in time. It makes no musical sense; some studies do it.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    mirror: bool = False


Item = tuple[Float32s, int]


class ThumbnailsReader(Reader[Item]):
    """Pictures and pitches of one set.

    An item is ``(picture, pitch)``: float32 [shape=(1, size, size)], 0 to 1, and an int from 0 to 127.

    Parameters
    ----------
    path : str or PathLike
    part : {"train", "valid", "test"}
    augmentation : Augmentation, optional
        Without it pictures are as they are stored.
    seed : int
        With the epoch and the index, draws the augmentation.
    augment
        As of :class:`~musicnet_build.packing.reader.Reader`; comes after ``augmentation``.

    Raises
    ------
    DatasetError
        When the file is no such package, or there is no such set.

    Examples
    --------
    >>> from musicnet_build.datasets.thumbnails import ThumbnailsReader
    >>> pictures = ThumbnailsReader("thumbnails.h5", "train")
    >>> picture, pitch = pictures[0]
    >>> picture.shape
    (1, 32, 32)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        part: Literal["train", "valid", "test"],
        *,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        augment: Augment[Item] | None = None,
    ) -> None:
        super().__init__(path, seed=seed, augment=augment)
        if part not in PARTS:
            raise DatasetError(f"There is no set {part!r}: choose one of {', '.join(PARTS)}.")
        self.augmentation = augmentation
        with reading_package(path) as file:
            check_kind(file, KIND)
            self.indices = np.flatnonzero(file["part"][:] == PARTS.index(part))
            self.pitches = file["pitch"][:][self.indices]
            self._images = self._arrays.locate(file["images"])
        self._count_epochs(draws=augmentation is not None)

    def __len__(self) -> int:
        return len(self.indices)

    def pictures(self) -> UInt8s:
        """Return all pictures as they are stored [shape=(n, size, size)], in the order of ``pitches``."""
        whole: UInt8s = self._arrays[self._images][...][self.indices]
        return whole

    def _read(self, index: int, epoch: int) -> Item:
        picture = self._arrays[self._images][int(self.indices[index])].astype(np.float32) / np.float32(255)
        if self.augmentation is not None:
            picture = augmented(picture, self.augmentation, self.generator(index, epoch))
        return picture[np.newaxis], int(self.pitches[index])


def augmented(picture: Float32s, augmentation: Augmentation, random: np.random.Generator) -> Float32s:
    """Change a picture as an augmentation says.

    Parameters
    ----------
    picture : ndarray of float32 [shape=(rows, columns)]
        0 to 1.
    augmentation : Augmentation
    random : Generator

    Returns
    -------
    ndarray of float32 [shape=(rows, columns)]
        0 to 1.
    """
    brightness, contrast = random.uniform(-1, 1, 2) * (augmentation.brightness, augmentation.contrast)
    mean = picture.mean()
    changed: Float32s = ((picture - mean) * np.float32(1 + contrast) + mean + np.float32(brightness)).clip(0, 1)
    return changed[:, ::-1] if augmentation.mirror and random.integers(2) else changed
