"""Frame-wise piano transcription by small CNNs, after Kelz and Widmer 2018: what a frame of labelling costs.

Two networks: one hears 5 frames, 32 ms apart, the other 17, 10 ms apart, and each says which of the 88 keys sound in
the middle one. They are the convolutional networks of Kelz et al. 2016, the second one deeper; sizes are those of the
code published with the study. Trained by plain gradient descent with Nesterov's momentum on batches of 8, the rate
falling in steps. Judged against labelling function a at 100 frames a second over the first 30 s, whatever they were
trained on; what they say at the lower rate is interpolated.

Steps and rates of the preset ``paper`` are those of that code (50 epochs of 40,000 batches). Ours: linear interpolation
where the code has splines of order 5, and the weights of the last step where it keeps those of the best validation.

References
----------
Kelz, Widmer: Investigating Label Noise Sensitivity of Convolutional Neural Networks for Fine Grained Audio Signal
Labelling. ICASSP 2018.
Kelz, Dorfer, Korzeniowski, Böck, Arzt, Widmer: On the Potential of Simple Framewise Approaches to Piano Transcription.
ISMIR 2016.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from musicnet_build._typing import Audio, Float32s, UInt8s
from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task, device_of
from musicnet_build.baselines.decoding import Activations
from musicnet_build.errors import TrainingError
from musicnet_build.evaluation.framewise import frame_scores
from musicnet_build.features.model_inputs import log_filter_spectrogram
from musicnet_build.labels.pianoroll import PIANO
from musicnet_build.packing.frames import PITCHES, REFERENCE_RATE_HZ, WINDOW_LENGTH, FramesReader

BINS = 229
THRESHOLD = 0.5
_EVALUATED_AT_ONCE = 256
_STEPS_OF_THE_RATE = 5  # halved after each ten of 50 epochs, in the published code


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """What a network hears, how large it is, and what it learns from.

    Attributes
    ----------
    rate_hz : float
        Frames a second: 31.25 or 100.
    context : int
        Frames that it hears: 5 or 17.
    filters : tuple of int
        Of its stages.
    dense : int
        Units of the layer before the last.
    fold : str
        Of the package's splits.
    labelling : str
        Function of the targets.
    validation_frames : int
        At most so many, spread over the recordings for validation.
    """

    rate_hz: float
    context: int
    filters: tuple[int, ...]
    dense: int
    fold: str = "configuration_1/fold_1"
    labelling: str = "a"
    validation_frames: int = 20_000


def network(settings: Settings) -> nn.Module:
    """Build a network: windows [batch, context, 229] to logits [batch, 88]."""
    stages = _two_stages if len(settings.filters) == 2 else _three_stages
    convolutions = nn.Sequential(nn.Unflatten(1, (1, settings.context)), *stages(settings.filters), nn.Flatten())
    with torch.no_grad():
        size = convolutions.eval()(torch.zeros(1, settings.context, BINS)).shape[1]
    dense = nn.Linear(size, settings.dense), nn.ReLU(), nn.BatchNorm1d(settings.dense), nn.Dropout(0.5)
    return nn.Sequential(convolutions, *dense, nn.Linear(settings.dense, PITCHES)).train()


def _two_stages(filters: tuple[int, ...]) -> list[nn.Module]:
    """For 5 frames: three convolutions, pools over frequency alone."""
    first, second = filters
    return [
        *_convolution(1, first, "same"), *_convolution(first, first), nn.MaxPool2d((1, 2)), nn.Dropout(0.25),
        *_convolution(first, second), nn.MaxPool2d((1, 2)), nn.Dropout(0.25),
    ]  # fmt: skip


def _three_stages(filters: tuple[int, ...]) -> list[nn.Module]:
    """For 17 frames: three blocks of two convolutions, the first pooled over time, too, and one convolution more."""
    inputs, layers = 1, []
    for size, pool in zip(filters[:-1], ((2, 2), (1, 2), (1, 2)), strict=True):
        layers += [*_convolution(inputs, size, "same"), *_convolution(size, size), nn.MaxPool2d(pool), nn.Dropout(0.25)]
        inputs = size
    return [*layers, nn.Conv2d(inputs, filters[-1], 3), nn.ReLU()]


def _convolution(inputs: int, outputs: int, padding: str = "valid") -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=padding), nn.ReLU(), nn.BatchNorm2d(outputs)]


def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the binary cross entropy."""
    window, target = batch
    return functional.binary_cross_entropy_with_logits(model(window), target)


def task(model: nn.Module, package: Path, settings: Settings, seed: int) -> Task:
    """Train on frames of a ``frames`` package, every frame of the fold's training set equally likely."""
    reader = _reader(package, settings, "train", settings.labelling)
    # The study judges by function a in the validation, too.
    held_out = _held_out(_reader(package, settings, "valid", "a"), settings.validation_frames)

    def batch(step: int) -> Batch:
        drawn = np.random.default_rng([seed, step]).integers(0, len(reader), settings.batch_size)
        items = [reader.item(index, 0) for index in drawn.tolist()]
        return _batch(items)

    optimizer = torch.optim.SGD(model.parameters(), settings.learning_rate, momentum=0.9, nesterov=True)
    return Task(optimizer, batch, loss, partial(_validated, held_out), partial(_rate, settings))


def predicted(model: nn.Module, windows: Float32s) -> Float32s:
    """Return probabilities [frames, 88] of windows [frames, context, 229]."""
    device = device_of(model)
    with torch.no_grad():
        blocks = torch.from_numpy(windows).split(_EVALUATED_AT_ONCE)
        said: Float32s = torch.cat([torch.sigmoid(model(block.to(device))).cpu() for block in blocks]).numpy()
    return said


def windows_of(spectrogram: Float32s, context: int) -> Float32s:
    """Return the frames around each frame, zeros beyond the ends: float32 [shape=(frames, context, 229)]."""
    padded = np.pad(spectrogram, ((context // 2, context // 2), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, context, axis=0)
    return np.ascontiguousarray(np.swapaxes(around, 1, 2), dtype=np.float32)


def upsampled(said: Float32s, rate_hz: float, frames: int) -> Float32s:
    """Return what a network says at frames of the reference, linearly between its own frames [shape=(frames, 88)]."""
    at = np.minimum(np.arange(frames) * (rate_hz / REFERENCE_RATE_HZ), len(said) - 1)
    before = np.minimum(np.floor(at).astype(np.int64), max(len(said) - 2, 0))
    after = np.minimum(before + 1, len(said) - 1)
    part = (at - before)[:, None].astype(np.float32)
    between: Float32s = (1 - part) * said[before] + part * said[after]
    return between


def judged(model: nn.Module, reader: FramesReader, name: str, settings: Settings) -> tuple[Float32s, UInt8s]:
    """Return what a network says of a recording at 100 frames a second over the first 30 s, and the reference."""
    reference = reader.reference(name)
    spectrogram = reader.recording(name)[0]
    needed = 2 + int(len(reference) * settings.rate_hz / REFERENCE_RATE_HZ)
    # What is heard around the last frame must not be cut off before it is heard.
    said = predicted(model, windows_of(spectrogram[: needed + settings.context], settings.context))
    return upsampled(said, settings.rate_hz, len(reference)), reference


def reader_of_test(package: Path, settings: Settings) -> FramesReader:
    """Return the recordings of the fold's test."""
    return _reader(package, settings, "test", settings.labelling)


def activations(model: nn.Module, audio: Audio, settings: Settings) -> Activations:
    """Return what a network says of a whole recording."""
    level = np.float32(max(np.abs(audio).max(initial=0.0), 1e-9))
    spectrogram = log_filter_spectrogram(audio / level, settings.rate_hz, window_length=WINDOW_LENGTH)
    said = predicted(model, windows_of(spectrogram, settings.context))
    return Activations(said, None, 1 / settings.rate_hz, PIANO[0])


def _reader(package: Path, settings: Settings, part: str, labelling: str) -> FramesReader:
    split = f"{settings.fold}/{part}"
    reader = FramesReader(package, split, rate_hz=settings.rate_hz, labelling=labelling, context=settings.context)
    if not len(reader):
        raise TrainingError(f"{package} has no recordings in {split}: choose another fold, or pack more recordings.")
    return reader


def _held_out(reader: FramesReader, most: int) -> Batch:
    places = np.unique(np.linspace(0, len(reader) - 1, min(most, len(reader))).astype(int))
    return _batch([reader.item(index, 0) for index in places.tolist()])


def _batch(items: list[tuple[Float32s, UInt8s]]) -> Batch:
    windows, targets = zip(*items, strict=True)
    return torch.from_numpy(np.stack(windows)), torch.from_numpy(np.stack(targets)).float()


def _validated(held_out: Batch, model: nn.Module) -> Metrics:
    scores = frame_scores(held_out[1].numpy(), predicted(model, held_out[0].numpy()) > THRESHOLD)
    return {"frame f1": scores.f1, "precision": scores.precision, "recall": scores.recall}


def _rate(settings: Settings, step: int) -> float:
    return settings.learning_rate * 0.5 ** (_STEPS_OF_THE_RATE * step // settings.steps)


# Presets. The paper's are those of the code published with it; the small ones have a quarter of the filters, and hear 5
# frames at both rates: in minutes, the network for 17 does not begin to learn.

_PAPER = partial(Settings, steps=2_000_000, batch_size=8, learning_rate=0.1, validate_every=40_000, dense=512)
_SMALL = partial(
    Settings, steps=500, batch_size=32, learning_rate=2.0, validate_every=250, context=5, filters=(8, 16), dense=128,
    validation_frames=1000,
)  # fmt: skip


def _model(small: Settings, paper: Settings) -> Baseline:
    return Baseline("label_noise", {"small": small, "paper": paper}, network, task, "frame f1", activations)


MODELS = {
    "label-noise": _model(_SMALL(rate_hz=31.25), _PAPER(rate_hz=31.25, context=5, filters=(32, 64))),
    "label-noise-100": _model(
        _SMALL(rate_hz=100.0),
        _PAPER(rate_hz=100.0, context=17, filters=(32, 64, 96, 128)),
    ),
}
