"""The package ``thumbnails``: a small picture of the spectrum around each time step at which one note sounds.

For the classification of isolated notes, after Cen and Jiang. A picture has as many columns as rows: columns are
frames of 32 ms around the time step, rows are frequencies, high ones at the top. docs/formats.md writes the layout
down.
"""

import json
import os
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from musicnet_build import __version__
from musicnet_build._typing import Audio, Float32s, Int64s, UInt8s
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.folds import Fold, in_sets
from musicnet_build.corpora.recordings import Recording, read_notes
from musicnet_build.errors import DatasetError
from musicnet_build.features.model_inputs import log_cqt
from musicnet_build.features.spectra import amplitude_blocks
from musicnet_build.files import replacing
from musicnet_build.labels.pianoroll import ALL_PITCHES, label_rolls
from musicnet_build.packing.hdf5 import add, reading, stack_shards, writing
from musicnet_build.packing.memmap import check_kind
from musicnet_build.packing.shards import Progress, check_names, make_shards, remove_shards

KIND = "thumbnails"
CLASSES = 128
"""A class is a MIDI pitch."""

RATE_HZ = 16_000
HOP_LENGTH = 512
STFT_WINDOW_LENGTH = 2048
SIZES = (32, 48, 64, 96, 128)
RANGE_DB = 80.0
"""White is the loudest point of the recording, black this far below it and everything under that."""

PARTS = ("train", "valid", "test")

_DB_PER_NEPER = 20.0 / np.log(10.0)

Spectrum = Literal["cqt", "stft"]


@dataclass(frozen=True)
class PackedThumbnails:
    """What was packed.

    Attributes
    ----------
    recordings : int
    pictures : int
    made : int
        Recordings worked on in this run.
    """

    recordings: int
    pictures: int
    made: int


def pack_thumbnails(
    path: str | os.PathLike[str],
    recordings: Sequence[Recording],
    fold: Fold,
    *,
    size: int = SIZES[0],
    spectrum: Spectrum = "cqt",
    step_frames: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
) -> PackedThumbnails:
    """Write the package.

    Parameters
    ----------
    path : str or PathLike
        The HDF5 file to write.
    recordings : sequence of Recording
    fold : Fold
        Sets of recordings, so no recording is in two of them.
    size : int
        Rows and columns of a picture: one of ``SIZES``.
    spectrum : {"cqt", "stft"}
        Constant-Q transform (27.5 Hz to 4.3 kHz) or short-time Fourier transform (to 8 kHz).
    step_frames : int
        One picture every so many frames of 32 ms.
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    PackedThumbnails

    Raises
    ------
    DatasetError
        When there is no time step at which a single note sounds.
    """
    if size not in SIZES:
        raise DatasetError(f"A picture is {', '.join(map(str, SIZES))} points wide, not {size}.")
    check_names(recordings)
    recordings = in_sets(recordings, fold)
    settings: dict[str, Any] = {
        "size": size,
        "spectrum": spectrum,
        "step_frames": step_frames,
        "name_bytes": max((len(recording.name.encode()) for recording in recordings), default=1),
    }
    shards, made = make_shards(path, recordings, write_shard, settings, workers=workers, progress=progress)
    attributes = {
        "kind": KIND,
        "classes": CLASSES,
        "sample_rate_hz": RATE_HZ,
        "hop_length": HOP_LENGTH,
        "range_db": RANGE_DB,
        "parts": json.dumps(PARTS),
        "settings": json.dumps({key: settings[key] for key in ("size", "spectrum", "step_frames")}),
        "musicnet_build": __version__,
    }
    with_pictures = [shard for shard in shards if _pictures_in(shard)]
    if not with_pictures:
        raise DatasetError("There is no time step at which a single note sounds: pack isolated notes (category ISOL).")
    stack_shards(path, with_pictures, attributes=attributes)
    remove_shards(path)
    with reading(path) as file:
        return PackedThumbnails(len(recordings), len(file["images"]), made)


def write_shard(
    recording: Recording,
    shard: Path,
    size: int,
    spectrum: Spectrum,
    step_frames: int,
    name_bytes: int,
) -> None:
    """Make the pictures of one recording; a job of :func:`pack_thumbnails`."""
    audio = read_audio(recording.audio, RATE_HZ)
    # The floor under the logarithm is absolute: at equal levels it takes nothing from soft recordings.
    rows = picture_rows(audio / np.float32(np.abs(audio).max()), size, spectrum)
    steps, pitches = _single_notes(recording, len(rows), step_frames)
    count = len(steps)
    with writing(shard) as file:
        add(file, "images", thumbnails(rows, steps), chunks=(1, size, size) if count else None)
        add(file, "pitch", pitches.astype(np.uint8))
        add(file, "time_s", (steps * (HOP_LENGTH / RATE_HZ)).astype(np.float32))
        add(file, "recording", np.full(count, recording.name.encode(), dtype=f"S{name_bytes}"))
        add(file, "part", np.full(count, PARTS.index(recording.split), dtype=np.uint8))


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


# Reading

_open_readers: "weakref.WeakSet[ThumbnailsReader]" = weakref.WeakSet()


def _close_all() -> None:
    """An HDF5 handle must not cross a fork: parent and child open the file again, each for itself."""
    for reader in list(_open_readers):
        reader.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_all)


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


class ThumbnailsReader:
    """Pictures and pitches of one set.

    An item is ``(picture, pitch)``: float32 [shape=(1, size, size)], 0 to 1, and an int from 0 to 127.

    The file is opened when it is first read, once in each process, and closed before a fork.

    Parameters
    ----------
    path : str or PathLike
    part : {"train", "valid", "test"}
    augmentation : Augmentation, optional
        Without it pictures are as they are stored.
    seed : int
        With the epoch and the index, draws the augmentation.

    Raises
    ------
    DatasetError
        When the file is no such package, or there is no such set.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        part: Literal["train", "valid", "test"],
        *,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        if part not in PARTS:
            raise DatasetError(f"There is no set {part!r}: choose one of {', '.join(PARTS)}.")
        self.path, self.augmentation, self.seed, self.epoch = Path(path), augmentation, seed, 0
        self._file: h5py.File | None = None
        with reading(path) as file:
            check_kind(file, KIND)
            self.indices = np.flatnonzero(file["part"][:] == PARTS.index(part))
            self.pitches = file["pitch"][:][self.indices]

    def set_epoch(self, epoch: int) -> None:
        """Draw other augmentations from now on; in workers, before they are started."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> tuple[Float32s, int]:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        picture = self._images()[int(self.indices[index])].astype(np.float32) / np.float32(255)
        if self.augmentation is not None:
            random = np.random.default_rng([self.seed, self.epoch, index])
            picture = augmented(picture, self.augmentation, random)
        return picture[np.newaxis], int(self.pitches[index])

    def close(self) -> None:
        """Close the file; the next item opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _images(self) -> h5py.Dataset:
        if self._file is None:
            # A picture is read once an epoch, so a cache of chunks would only be filled.
            self._file = h5py.File(self.path, "r", rdcc_nbytes=0)
            _open_readers.add(self)
        return self._file["images"]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None}


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


def contact_sheet(path: str | os.PathLike[str], package: str | os.PathLike[str], *, columns: int = 12) -> None:
    """Draw pictures of a package with their pitches: evenly chosen, from low to high.

    Parameters
    ----------
    path : str or PathLike
        PNG file to write.
    package : str or PathLike
    columns : int
        Pictures side by side, and one above another.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with reading(package) as file:
        check_kind(file, KIND)
        order = np.argsort(file["pitch"][:], kind="stable")
        chosen = order[np.linspace(0, len(order) - 1, min(columns**2, len(order))).astype(int)]
        pictures = [(int(file["pitch"][i]), file["images"][i]) for i in chosen.tolist()]
    figure = Figure(figsize=(columns, columns * 1.15), dpi=100)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.98, wspace=0.08, hspace=0.25)
    for i, (pitch, image) in enumerate(pictures, start=1):
        axes = figure.add_subplot(columns, columns, i)
        axes.imshow(image, cmap="magma", vmin=0, vmax=255, aspect="equal", interpolation="nearest")
        axes.set_title(str(pitch), fontsize=6, pad=2)
        axes.set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
