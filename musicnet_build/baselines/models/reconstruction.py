"""Transcription that must also give the spectrogram back, after Cheuk et al. 2020.

The paper's model has two U-nets. The first transcribes a spectrogram into a posteriorgram, the second makes a
spectrogram of that again. The transcriber is then applied a second time, to the reconstruction, and the loss is the sum
of three: the square error of the reconstruction, and the binary cross entropy of either posteriorgram. Only pitches are
learned from, neither onsets nor offsets: a note is a run of frames in which its pitch is more likely than not. The
baseline is the transcriber alone.

    spectrogram ─ U-net ─ BiLSTM ─ posteriorgram ─ BiLSTM ─ U-net ─ reconstruction ─ (the transcriber again)

Ours, where we know no better: U-nets of 3 × 3 convolutions with batch normalization that halve time and frequency at
each level, and add what they find to the picture that they are given; a normalization of each frame before the
transcriber's BiLSTM, and a last layer that begins by expecting a pitch in one frame of twenty (without these three,
nothing was learned in 400 steps); Adam, and a rate that falls to a tenth.

References
----------
Cheuk, Luo, Benetos, Herremans: The effect of spectrogram reconstruction on automatic music transcription. ICPR 2020.
"""

import itertools
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import nn

from musicnet_build._typing import Audio, Float32s
from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task, device_of, falling_rate
from musicnet_build.baselines.decoding import Activations
from musicnet_build.baselines.sound import at_rate
from musicnet_build.errors import TrainingError
from musicnet_build.evaluation.framewise import frame_scores
from musicnet_build.labels.pianoroll import PIANO
from musicnet_build.packing.segments import HOP_LENGTH, RATE_HZ, SegmentsReader, spectra_of

PITCHES = 1 + PIANO[1] - PIANO[0]
BINS = {"mel": 229, "cqt": 176}
THRESHOLD = 0.5

_SELDOM = -3.0  # before the sigmoid: 0.05

_AT_ONCE_FRAMES, _AROUND_FRAMES = 640, 64  # whole recordings go through in pieces, with what surrounds them


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """Sizes of a model.

    Attributes
    ----------
    spectrum : {"mel", "cqt"}
        229 mel bands or 176 bins of a constant-Q transform.
    reconstructs : bool
        Whether there is a second U-net; without it, it is the baseline.
    frames : int
        Of a segment to learn from; 32 ms each.
    channels : tuple of int
        Of each level of the U-nets.
    hidden : int
        Of a BiLSTM in either direction.
    """

    spectrum: Literal["mel", "cqt"] = "mel"
    reconstructs: bool = True
    frames: int = 640
    channels: tuple[int, ...] = (16, 32, 64, 128)
    hidden: int = 128


def convolutions(inputs: int, outputs: int) -> nn.Sequential:
    """Return two convolutions that keep the size of a picture."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """A picture [batch, frames, bins] to one of the same size: down by halves, and up again beside what was before."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(channels))
        self.first = convolutions(1, channels[0])
        self.down = nn.ModuleList(convolutions(upper, lower) for upper, lower in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(lower, upper, 2, stride=2) for upper, lower in pairs)
        self.beside = nn.ModuleList(convolutions(2 * upper, upper) for upper, _ in pairs)
        self.last = nn.Conv2d(channels[0], 1, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Return a picture of the same shape."""
        _, frames, bins = picture.shape
        whole = 2 ** len(self.down)
        values = nn.functional.pad(picture[:, None], (0, -bins % whole, 0, -frames % whole))
        levels = [self.first(values)]
        for down in self.down:
            levels.append(down(nn.functional.max_pool2d(levels[-1], 2)))
        values = levels.pop()
        for up, beside in zip(reversed(self.up), reversed(self.beside), strict=True):
            values = beside(torch.cat([up(values), levels.pop()], dim=1))
        found: torch.Tensor = self.last(values)[:, 0, :frames, :bins]
        return picture + found


class Recurrent(nn.Module):
    """A BiLSTM over frames, and a number for each output [batch, frames, inputs] to [batch, frames, outputs]."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, batch_first=True, bidirectional=True)
        self.last = nn.Linear(2 * hidden, outputs)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return values for every frame."""
        result: torch.Tensor = self.last(self.lstm(values)[0])
        return result


class Transcription(NamedTuple):
    """What a model makes of a spectrogram [batch, frames, …]; the baseline makes no more than the first.

    ``first`` and ``second`` are posteriorgrams before the sigmoid.
    """

    first: torch.Tensor
    reconstruction: torch.Tensor | None = None
    second: torch.Tensor | None = None


class Model(nn.Module):
    """The transcriber, and perhaps the way back."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        bins, hidden = BINS[settings.spectrum], settings.hidden
        pitches = Recurrent(bins, hidden, PITCHES)
        nn.init.constant_(pitches.last.bias, _SELDOM)
        self.transcribe = nn.Sequential(UNet(settings.channels), nn.LayerNorm(bins), pitches)
        back = nn.Sequential(Recurrent(PITCHES, hidden, bins), UNet(settings.channels))
        self.reconstruct = back if settings.reconstructs else None

    def forward(self, spectrogram: torch.Tensor) -> Transcription:
        """Transcribe spectrograms [batch, frames, bins]."""
        first = self.transcribe(spectrogram)
        if self.reconstruct is None:
            return Transcription(first)
        reconstruction = self.reconstruct(torch.sigmoid(first))
        return Transcription(first, reconstruction, self.transcribe(reconstruction))


def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return L2 + 2 BCE, or the one cross entropy that the baseline has."""
    spectrogram, target = batch
    found: Transcription = model(spectrogram)
    total = nn.functional.binary_cross_entropy_with_logits(found.first, target)
    if found.reconstruction is None or found.second is None:
        return total
    again = nn.functional.binary_cross_entropy_with_logits(found.second, target)
    return total + again + nn.functional.mse_loss(found.reconstruction, spectrogram)


def task(model: nn.Module, package: Path, settings: Settings, seed: int) -> Task:
    """Train on segments of the split ``train`` of a ``segments`` package, every place of it equally likely."""
    segments = SegmentsReader(package, "train", samples=settings.frames * HOP_LENGTH)
    if not len(segments):
        raise TrainingError(f"{package} has no recordings to learn from.")
    if not len(SegmentsReader(package, "valid")):
        raise TrainingError(f"{package} has no recordings to validate on: pack more, or with --validation-share 0.1.")
    share = np.array([segments.frames_in(i) for i in range(len(segments))], np.float64)

    def batch(step: int) -> Batch:
        random = np.random.default_rng([seed, step])
        items = []
        for index in random.choice(len(segments), settings.batch_size, p=share / share.sum()).tolist():
            spare = max(0, segments.frames_in(index) - settings.frames)
            items.append(segments.segment(index, int(random.integers(0, spare + 1))))
        spectrograms, rolls = (np.stack([item[name] for item in items]) for name in (settings.spectrum, "frame"))
        return torch.from_numpy(spectrograms), torch.from_numpy(rolls).float()

    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate)
    validate = partial(_validated, package, settings)
    return Task(optimizer, batch, loss, validate, partial(falling_rate, settings))


class Heard(NamedTuple):
    """A recording and what a model made of it; ``reconstruction`` and ``second`` are None from the baseline.

    Spectrograms are float32 [frames, bins], posteriorgrams float32 [frames, 88] from 0 to 1.
    """

    spectrogram: Float32s
    first: Float32s
    reconstruction: Float32s | None
    second: Float32s | None


def heard(model: nn.Module, spectrogram: Float32s) -> Heard:
    """Apply a model in evaluation mode to a whole recording, piece by piece, each with what surrounds it."""
    pieces = []
    for start in range(0, len(spectrogram), _AT_ONCE_FRAMES):
        begin = max(0, start - _AROUND_FRAMES)
        around = spectrogram[begin : start + _AT_ONCE_FRAMES + _AROUND_FRAMES]
        with torch.no_grad():
            found = model(torch.from_numpy(around)[None].to(device_of(model)))
        inner = slice(start - begin, start - begin + _AT_ONCE_FRAMES)
        pieces.append([None if part is None else part[0, inner].cpu() for part in found])
    first, reconstruction, second = (
        None if parts[0] is None else torch.cat([part for part in parts if part is not None])
        for parts in zip(*pieces, strict=True)
    )
    assert first is not None
    probabilities = [None if part is None else torch.sigmoid(part).numpy() for part in (first, second)]
    assert probabilities[0] is not None
    return Heard(
        spectrogram,
        probabilities[0],
        None if reconstruction is None else reconstruction.numpy(),
        probabilities[1],
    )


def activations(model: nn.Module, audio: Audio, settings: Settings) -> Activations:
    """Return what a model hears in a recording, in frames of 32 ms."""
    spectrogram = spectra_of(at_rate(audio, RATE_HZ))[settings.spectrum]
    return Activations(heard(model, spectrogram).first, None, HOP_LENGTH / RATE_HZ, PIANO[0])


def _validated(package: Path, settings: Settings, model: nn.Module) -> Metrics:
    """Frame figures on the split ``valid``."""
    recordings = SegmentsReader(package, "valid", samples=settings.frames * HOP_LENGTH)
    wholes = [recordings.whole(i) for i in range(len(recordings))]
    truth = np.concatenate([whole["frame"] for whole in wholes]).astype(bool)
    found = np.concatenate([heard(model, whole[settings.spectrum]).first for whole in wholes])
    figures = frame_scores(truth, found > THRESHOLD)
    return {"f1": figures.f1, "precision": figures.precision, "recall": figures.recall, "threshold": THRESHOLD}


_SMALL = partial(
    Settings, steps=200, batch_size=4, learning_rate=4e-3, validate_every=100, frames=32, channels=(4, 8), hidden=64
)
_PAPER = partial(Settings, steps=40_000, batch_size=8, learning_rate=1e-3, validate_every=1000)

PRESETS = {
    "reconstruction": {"small": _SMALL(), "paper": _PAPER()},
    "reconstruction-baseline": {"small": _SMALL(reconstructs=False), "paper": _PAPER(reconstructs=False)},
}

MODELS = {
    name: Baseline("reconstruction", presets, Model, task, "f1", activations) for name, presets in PRESETS.items()
}
