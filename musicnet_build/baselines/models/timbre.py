"""Which instrument plays which pitch in a frame of sound, after Albarosa.

A picture of the package ``timbre`` goes in, and for each instrument a score for each of 129 classes comes out: the
MIDI pitch that it plays, or that it is absent (softmax for each instrument). Labels are "dual", of all instruments at
once by one network, or "single": then a network knows one instrument only.

============ ==========================================================================================================
``shallow``  one convolution with its pool, and a dense layer
``deep``     three convolutions with pools, and a dense layer more
============ ==========================================================================================================

The study (sections III.B to III.D) fixes a shallow network of 16 filters of 3 × 3 points as the better one, its
classes, batches of 32, 20 epochs and five folds. Ours: one branch for all instruments, one pool, dropout, Adam. Of a
picture's 512 columns, interpolated from a few frames, every 64th is enough. While a network learns, every picture is
made louder or softer by up to 8 dB: instruments are not told by their loudness.

References
----------
Albarosa: Timbre Separation of Monophonic Mixes Using Convolutional Neural Networks. Project report, University of
Durham, 2021.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from musicnet_build._typing import Float32s, Int64s, UInt8s
from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task, device_of, falling_rate
from musicnet_build.errors import TrainingError
from musicnet_build.files import sha256_of
from musicnet_build.packing.hdf5 import reading
from musicnet_build.packing.timbre.frames import CLASSES, FOLDS
from musicnet_build.packing.timbre.images import COLUMNS, FLOOR_DB, ROWS
from musicnet_build.packing.timbre.reader import TimbreFrames

LOUDER_DB = 8.0
FILTER_POINTS = 3
KEPT_COLUMNS = 8

_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """Sizes of a model, and what it learns from.

    Attributes
    ----------
    subset : str
        Of the package: ``guitar_alone``, ``combined_balanced`` and so on.
    instruments : tuple of int
        Places of the instruments that the network knows: all of them, or one.
    filters : tuple of int
        Of each convolution.
    hidden : int
        Nodes of a dense layer before the last; 0 leaves it out.
    """

    subset: str = "combined_balanced"
    instruments: tuple[int, ...] = (0, 1)
    filters: tuple[int, ...] = (32,)
    hidden: int = 0


def network(settings: Settings) -> nn.Module:
    """Build a model: pictures [batch, 1, 128, 8] to scores [batch, instruments, 129], before the softmax."""
    layers: list[nn.Module] = []
    channels, rows, columns = 1, ROWS, KEPT_COLUMNS
    for filters in settings.filters:
        layers += [nn.Conv2d(channels, filters, FILTER_POINTS, padding="same"), nn.ReLU(), nn.MaxPool2d(2)]
        channels, rows, columns = filters, rows // 2, columns // 2
    size = channels * rows * columns
    layers.append(nn.Flatten())
    if settings.hidden:
        layers += [nn.Linear(size, settings.hidden), nn.ReLU()]
        size = settings.hidden
    count = len(settings.instruments)
    return nn.Sequential(*layers, nn.Dropout(0.2), nn.Linear(size, count * CLASSES), nn.Unflatten(1, (count, CLASSES)))


def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the cross entropy, the mean over the instruments."""
    pictures, pitches = batch
    return nn.functional.cross_entropy(model(pictures).transpose(1, 2), pitches)


def task(model: nn.Module, package: Path, settings: Settings, seed: int) -> Task:
    """Train on a subset but for one of its five folds, in epochs, and validate on that; seed *k* holds out fold *k*."""
    pictures = pictures_of(package)
    pitches = TimbrePitches(package, settings, seed % FOLDS)

    def batch(step: int) -> Batch:
        chosen, random = pitches.drawn(step, settings.batch_size, seed)
        louder = random.uniform(-LOUDER_DB, LOUDER_DB, (len(chosen), 1, 1)).astype(np.float32) / np.float32(-FLOOR_DB)
        drawn = pictures[chosen]
        # The floor stays the floor, however loud what stands on it is made.
        drawn = np.where(drawn > 0, np.clip(drawn + louder, 0, 1), np.float32(0))
        return torch.from_numpy(drawn[:, None]), torch.from_numpy(pitches.of_frames[chosen])

    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate)
    validate = partial(_validated, pictures, pitches)
    return Task(optimizer, batch, loss, validate, partial(falling_rate, settings))


class TimbrePitches:
    """Which frames of a package are learned from and which held out, and what is played in them."""

    def __init__(self, package: Path, settings: Settings, fold: int) -> None:
        learned, held_out = (TimbreFrames(package, settings.subset, fold=fold, train=train) for train in (True, False))
        if not len(learned.indices):
            raise TrainingError(f"{package} has no frames of {settings.subset} to learn from.")
        with reading(package) as file:
            pitch: UInt8s = file["pitch"][...]
        self.of_frames: Int64s = pitch[:, list(settings.instruments)].astype(np.int64)
        self.learned, self.held_out = learned.indices, held_out.indices

    def drawn(self, step: int, count: int, seed: int) -> tuple[Int64s, np.random.Generator]:
        """Return the frames of a step's batch, each once an epoch, and a generator for what else is drawn."""
        epoch, place = divmod(step, -(-len(self.learned) // count))
        order = np.random.default_rng([seed, epoch]).permutation(self.learned)
        return order[place * count : (place + 1) * count], np.random.default_rng([seed, epoch, place])


def steps_in(package: Path, settings: Settings, epochs: int) -> int:
    """Return the number of steps that go so often through the frames to learn from."""
    return epochs * -(-len(TimbrePitches(package, settings, 0).learned) // settings.batch_size)


def predicted(model: nn.Module, package: Path) -> Int64s:
    """Return the pitch of each instrument that a model knows, 128 for none, in each frame of a package [frames, k]."""
    return _named(model, pictures_of(package))


def pictures_of(package: Path) -> Float32s:
    """Return the pictures of a package as values from 0 to 1, of 8 columns [shape=(frames, 128, 8)]."""
    return _pictures(package, sha256_of(package))


@lru_cache(maxsize=2)
def _pictures(package: Path, _sha256: str) -> Float32s:
    """All pictures of a package, kept for the next training: reading them takes longer than learning from them."""
    with reading(package) as file:
        images = file["image"]
        blocks = [_narrowed(images[i : i + _AT_ONCE], file) for i in range(0, len(images), _AT_ONCE)]
    return np.concatenate([np.zeros((0, ROWS, KEPT_COLUMNS), np.float32), *blocks])


def _narrowed(images: NDArray[Any], file: h5py.File) -> Float32s:
    """Take every 64th column; colours become values again."""
    kept = images[:, :, COLUMNS // KEPT_COLUMNS // 2 :: COLUMNS // KEPT_COLUMNS]
    return values_of(kept, file["colour_table"][...]) if "colour_table" in file else kept.astype(np.float32)


def values_of(colours: UInt8s, table: UInt8s) -> Float32s:
    """Return colours as values from 0 to 1, by their place in the table of the package.

    Parameters
    ----------
    colours : ndarray of uint8 [shape=(…, 3)]
    table : ndarray of uint8 [shape=(256, 3)]

    Returns
    -------
    ndarray of float32 [shape=(…)]
    """
    place = np.zeros(1 << 24, dtype=np.uint8)
    red, green, blue = table.astype(np.uint32).T
    place[red << 16 | green << 8 | blue] = np.arange(256)
    red, green, blue = np.moveaxis(colours.astype(np.uint32), -1, 0)
    values: Float32s = place[red << 16 | green << 8 | blue] / np.float32(255)
    return values


def _named(model: nn.Module, pictures: Float32s) -> Int64s:
    """The likeliest class for each instrument [shape=(frames, instruments)]."""
    device = device_of(model)
    with torch.no_grad():
        blocks = torch.from_numpy(pictures[:, None]).split(_AT_ONCE)
        named: Int64s = torch.cat([model(block.to(device)).argmax(dim=2).cpu() for block in blocks]).numpy()
    return named


def _validated(pictures: Float32s, pitches: TimbrePitches, model: nn.Module) -> Metrics:
    """Share of what instruments play that is named rightly, absence too, in the fold that is held out."""
    named = _named(model, pictures[pitches.held_out])
    return {"accuracy": float(np.mean(named == pitches.of_frames[pitches.held_out]))}


_SMALL = partial(Settings, steps=400, batch_size=32, learning_rate=3e-3, validate_every=200)
_PAPER = partial(Settings, steps=5000, batch_size=32, learning_rate=1e-3, validate_every=500)

PRESETS = {
    "timbre": {"small": _SMALL(filters=(8,)), "paper": _PAPER(filters=(16,))},
    "timbre-deep": {
        "small": _SMALL(filters=(8, 16, 32), hidden=128), "paper": _PAPER(filters=(16, 32, 64), hidden=512),
    },
}  # fmt: skip

MODELS = {name: Baseline("timbre", presets, network, task, "accuracy") for name, presets in PRESETS.items()}
