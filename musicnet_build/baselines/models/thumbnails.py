"""The pitch of a single note from a small picture of its spectrum, after Cen and Jiang.

A picture of the package ``thumbnails`` goes in, and a score for each of the 128 MIDI pitches comes out (softmax).

============ ==========================================================================================================
``cnn``      two convolutions, each with a pool behind it, and two dense layers, the last one the softmax
``simple``   one of each
============ ==========================================================================================================

What we know of the study fixes the two models' layers, the softmax over 128 classes, and that pictures are distorted
while the network learns. Ours: filters of 5 × 5 points, pools of 2 × 2, dropout of a half before the last layer, Adam;
and which distortions: brightness and contrast. Pictures are not turned around, since no note is heard backwards.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from musicnet_build._typing import Audio, Float32s, Int64s, UInt8s
from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task, device_of
from musicnet_build.baselines.decoding import Activations
from musicnet_build.baselines.sound import at_rate
from musicnet_build.packing.thumbnails import (
    CLASSES,
    HOP_LENGTH,
    RANGE_DB,
    RATE_HZ,
    Augmentation,
    Spectrum,
    ThumbnailsReader,
    augmented,
    picture_rows,
    thumbnails,
)

DISTORTION = Augmentation(brightness=0.15, contrast=0.3)
"""Ours: up to 12 dB louder or softer, and distances from the mean up to a third larger or smaller."""

FILTER_POINTS = 5
QUIET_DB = 40.0

Part = Literal["train", "valid", "test"]

_AT_ONCE = 512


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """Sizes of a model.

    Attributes
    ----------
    points : int
        Rows and columns of a picture.
    spectrum : {"cqt", "stft"}
        What pictures show; a recording is drawn so when it is transcribed.
    filters : tuple of int
        Of each convolution.
    hidden : int
        Nodes of the dense layer before the softmax; 0 leaves it out.
    distorted : bool
        Learn from pictures that are made brighter, darker, and of more or less contrast.
    """

    points: int = 32
    spectrum: Spectrum = "cqt"
    filters: tuple[int, ...] = (32, 64)
    hidden: int = 256
    distorted: bool = True


def network(settings: Settings) -> nn.Module:
    """Build a model: pictures [batch, 1, points, points] to scores [batch, 128], before the softmax."""
    layers: list[nn.Module] = []
    channels, points = 1, settings.points
    for filters in settings.filters:
        layers += [nn.Conv2d(channels, filters, FILTER_POINTS, padding="same"), nn.ReLU(), nn.MaxPool2d(2)]
        channels, points = filters, points // 2
    size = channels * points**2
    layers.append(nn.Flatten())
    if settings.hidden:
        layers += [nn.Linear(size, settings.hidden), nn.ReLU()]
        size = settings.hidden
    return nn.Sequential(*layers, nn.Dropout(0.5), nn.Linear(size, CLASSES))


def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the cross entropy."""
    pictures, pitches = batch
    return nn.functional.cross_entropy(model(pictures), pitches)


def task(model: nn.Module, package: Path, settings: Settings, seed: int) -> Task:
    """Train on the pictures of the split ``train``, each as likely, and validate on ``valid``."""
    pictures, pitches = _whole(package, "train")
    held_out = _whole(package, "valid")

    def batch(step: int) -> Batch:
        random = np.random.default_rng([seed, step])
        chosen = random.integers(0, len(pictures), settings.batch_size)
        drawn = _grey(pictures[chosen])
        if settings.distorted:
            drawn = np.stack([augmented(picture, DISTORTION, random) for picture in drawn])
        return torch.from_numpy(drawn[:, None]), torch.from_numpy(pitches[chosen])

    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate)
    validate = partial(_validated, held_out)
    return Task(
        optimizer, batch, loss, validate, lambda step: settings.learning_rate * (1 - 0.9 * step / settings.steps)
    )


def accuracy(model: nn.Module, package: Path, part: Part) -> float:
    """Return the share of a split's pictures whose pitch is named."""
    pictures, pitches = _whole(package, part)
    return float(np.mean(_scores(model, pictures).argmax(axis=1) == pitches))


def activations(model: nn.Module, audio: Audio, settings: Settings) -> Activations:
    """Return the probability of each pitch in each frame of 32 ms of a recording.

    The model names one pitch, whatever it sees. Ours: what is more than ``QUIET_DB`` below the loudest point of the
    recording is silence.
    """
    sound = at_rate(audio, RATE_HZ)
    rows = picture_rows(sound / np.float32(max(np.abs(sound).max(), 1e-9)), settings.points, settings.spectrum)
    steps = np.split(np.arange(len(rows)), range(_AT_ONCE, len(rows), _AT_ONCE))
    scores = np.concatenate([_scores(model, thumbnails(rows, some)) for some in steps])
    probabilities = torch.softmax(torch.from_numpy(scores), dim=1).numpy()
    probabilities[rows.max(axis=1) < 255 * (1 - QUIET_DB / RANGE_DB)] = 0.0
    return Activations(probabilities, None, HOP_LENGTH / RATE_HZ, 0)


def _whole(package: Path, part: Part) -> tuple[UInt8s, Int64s]:
    reader = ThumbnailsReader(package, part)
    return reader.pictures(), reader.pitches.astype(np.int64)


def _grey(pictures: UInt8s) -> Float32s:
    return pictures.astype(np.float32) / np.float32(255)


def _scores(model: nn.Module, pictures: UInt8s) -> Float32s:
    """Scores [pictures, 128] before the softmax."""
    device = device_of(model)
    with torch.no_grad():
        blocks = torch.from_numpy(_grey(pictures)[:, None]).split(_AT_ONCE)
        scores: Float32s = torch.cat([model(block.to(device)).cpu() for block in blocks]).numpy()
    return scores


def _validated(held_out: tuple[UInt8s, Int64s], model: nn.Module) -> Metrics:
    pictures, pitches = held_out
    return {"accuracy": float(np.mean(_scores(model, pictures).argmax(axis=1) == pitches))}


_SMALL = partial(Settings, steps=600, batch_size=64, learning_rate=1e-3, validate_every=200)
_PAPER = partial(Settings, steps=20_000, batch_size=128, learning_rate=1e-3, validate_every=1000)

PRESETS = {
    "thumbnails": {
        "small": _SMALL(filters=(16, 32), hidden=128), "paper": _PAPER(filters=(64, 64), hidden=384),
    },
    "thumbnails-simple": {"small": _SMALL(filters=(16,), hidden=0), "paper": _PAPER(filters=(64,), hidden=0)},
}  # fmt: skip

MODELS = {
    name: Baseline("thumbnails", presets, network, task, "accuracy", activations) for name, presets in PRESETS.items()
}
