"""Note prediction from raw audio, after Thickstun et al. 2017: fixed and learned features under one linear regression.

A window of audio goes in, and a number for each of the 128 notes comes out: whether it sounds at the window's middle.
All models end in a linear regression and are trained by the square loss against 0 and 1 (section 4 of the paper); they
differ in what the regression is given:

=================== =================================================================================================
``spectrogram``     magnitudes of the window's Fourier transform
``log_spectrogram`` their logarithm, ln(1 + magnitude)
``log_relugram``    the window's products with sines and cosines, rectified, then ln(1 + x): a spectrogram that is a
                    layer of a network, not learned
``mlp``             the same layer, learned: filters as long as the window
``avgpool``         shorter filters that slide over the window; each one's mean over all places
``cnn``             shorter filters that slide over the window; means over pools of 16 places, 8 apart
=================== =================================================================================================

Ours, since the paper leaves it open or we know no better: windows are brought to unit root mean square; features are
standardised before the regression, and weights found by Adam, so that one learning rate serves all; log-ReLUgrams have
a sine and a cosine of each frequency of the transform, of either sign.

References
----------
Thickstun, Harchaoui, Kakade: Learning Features of Music from Scratch. ICLR 2017.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from musicnet_build._typing import Audio, Float32s, UInt8s
from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task, device_of, falling_rate
from musicnet_build.baselines.decoding import Activations
from musicnet_build.errors import DatasetError, TrainingError
from musicnet_build.evaluation.framewise import average_precision, best_threshold, precision_recall
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.packing.windows import PITCHES, TEST_STRIDE_SAMPLES, MusicNetWindows

_EVALUATED_AT_ONCE = 64
_QUIET = 1e-3  # root mean square below which a window is hardly made louder: silence stays silence
_VALIDATION = 10**9  # a stream of draws that no step has


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """Sizes of a model.

    Attributes
    ----------
    features : str
        One of the table at the top.
    window_samples : int
        What a prediction hears.
    filters : int
        Learned ones: nodes of the MLP, filters of AvgPool and CNN.
    filter_samples : int
        Length of a sliding filter.
    stride_samples : int
        From one place of a sliding filter to the next.
    validation_windows : int
        Drawn once, to follow the training and to choose the threshold.
    """

    features: str
    window_samples: int
    filters: int = 0
    filter_samples: int = 0
    stride_samples: int = 0
    validation_windows: int = 2000


class ToUnitLevel(nn.Module):
    """Bring windows [batch, samples] to a root mean square of 1."""

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Return windows of the same shape."""
        level = audio.square().mean(dim=1, keepdim=True).sqrt()
        return audio / (level + _QUIET)


class Spectrum(nn.Module):
    """Magnitudes of a window's Fourier transform [batch, 1 + samples // 2], or their logarithm."""

    def __init__(self, window_samples: int, log: bool) -> None:
        super().__init__()
        self.log = log
        # Ours: a sine of amplitude 1 has 1, or its regression would need other steps than all others.
        self.scale = 1.0 if log else 2.0 / window_samples

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the features of windows."""
        magnitude = torch.fft.rfft(audio).abs() * self.scale
        return torch.log1p(magnitude) if self.log else magnitude


class LogRelu(nn.Module):
    """ln(1 + max(0, x)): what the paper puts on all filters, as the logarithm on a spectrogram."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the same shape."""
        return torch.log1p(torch.relu(values))


class Standardised(nn.Module):
    """Features [batch, size] of mean 0 and deviation 1, divided by the root of their number.

    Changes no regression, only how soon it is found: a step of Adam then moves predictions alike, be there a thousand
    features or ten.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(size, affine=False)
        self.scale = size**-0.5

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        return self.norm(features) * self.scale


def sinusoids(window_samples: int) -> nn.Linear:
    """Return a layer that multiplies a window with sines and cosines of either sign, and does not learn."""
    # The frequencies of the transform up to half of its bins: beyond 11 kHz no note of music has a fundamental.
    phase = 2 * np.pi * np.outer(np.arange(1, window_samples // 4), np.arange(window_samples)) / window_samples
    rows = np.concatenate([np.cos(phase), np.sin(phase)])
    layer = nn.Linear(window_samples, 2 * len(rows), bias=False).requires_grad_(False)
    layer.weight.copy_(torch.from_numpy(np.concatenate([rows, -rows])))
    return layer


def network(settings: Settings) -> nn.Module:
    """Build a model: windows [batch, window_samples] to predictions [batch, 128]."""
    window, filters = settings.window_samples, settings.filters
    if settings.features in ("spectrogram", "log_spectrogram"):
        features: list[nn.Module] = [Spectrum(window, log=settings.features == "log_spectrogram")]
        size = 1 + window // 2
    elif settings.features == "log_relugram":
        features = [sinusoids(window), LogRelu()]
        size = features[0].out_features
    elif settings.features == "mlp":
        features, size = [nn.Linear(window, filters, bias=False), LogRelu()], filters
    elif settings.features in ("avgpool", "cnn"):
        places = 1 + (window - settings.filter_samples) // settings.stride_samples
        slide = nn.Conv1d(1, filters, settings.filter_samples, stride=settings.stride_samples, bias=False)
        pool = nn.AvgPool1d(places) if settings.features == "avgpool" else nn.AvgPool1d(16, 8)
        pools = 1 if settings.features == "avgpool" else 1 + (places - 16) // 8
        features = [nn.Unflatten(1, (1, window)), slide, LogRelu(), pool, nn.Flatten()]
        size = filters * pools
    else:
        raise TrainingError(f"there are no features {settings.features!r}.")
    return nn.Sequential(ToUnitLevel(), *features, Standardised(size), nn.Linear(size, PITCHES))


def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the square loss, summed over the notes of a window."""
    audio, target = batch
    return (model(audio) - target).square().sum(dim=1).mean()


def task(model: nn.Module, package: Path, settings: Settings, seed: int) -> Task:
    """Train on windows of the split ``train`` of a ``musicnet`` package, every place of it equally likely."""
    windows = MusicNetWindows(package, split="train", window_samples=settings.window_samples)
    held_out = _validation_windows(package, settings)

    def batch(step: int) -> Batch:
        audio, target = windows.random(settings.batch_size, np.random.default_rng([seed, step]))
        return torch.from_numpy(audio), torch.from_numpy(target).float()

    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate)
    # Ours: the falling rate.
    return Task(optimizer, batch, loss, partial(_validated, held_out), partial(falling_rate, settings))


def predicted(model: nn.Module, windows: Audio) -> Float32s:
    """Return predictions [windows, 128] of windows [windows, window_samples]."""
    device = device_of(model)
    with torch.no_grad():
        blocks = torch.from_numpy(windows).split(_EVALUATED_AT_ONCE)
        whole: Float32s = torch.cat([model(block.to(device)).cpu() for block in blocks]).numpy()
    return whole


def on_test_recordings(
    model: nn.Module, package: Path, settings: Settings, *, every: int = 1
) -> Iterator[tuple[str, Float32s, UInt8s]]:
    """Yield predictions and truth of the test recordings, at the middles that the paper tests.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode.
    package : Path
    settings : Settings
    every : int
        Take only every so many of the paper's windows.

    Yields
    ------
    recording_id : str
    predictions : ndarray of float32 [shape=(windows, 128)]
    truth : ndarray of uint8 [shape=(windows, 128)]
    """
    windows = MusicNetWindows(package, split="test", window_samples=settings.window_samples)
    for recording_id in windows.ids:
        chosen = islice(windows.test(recording_id), 0, None, every)
        scores, truths = [], []
        while block := list(islice(chosen, _EVALUATED_AT_ONCE)):
            scores.append(predicted(model, np.stack([audio for audio, _ in block])))
            truths += [truth for _, truth in block]
        if truths:
            yield recording_id, np.concatenate(scores), np.stack(truths)


def activations(model: nn.Module, audio: Audio, settings: Settings) -> Activations:
    """Return predictions for a whole recording, every 512 samples as in the paper's test."""
    half = settings.window_samples // 2
    whole = np.pad(audio, (half, half))
    windows = np.lib.stride_tricks.sliding_window_view(whole, settings.window_samples)[::TEST_STRIDE_SAMPLES]
    blocks = np.array_split(windows, max(1, len(windows) // _EVALUATED_AT_ONCE))
    frame = np.concatenate([predicted(model, np.ascontiguousarray(block)) for block in blocks])
    return Activations(frame, None, TEST_STRIDE_SAMPLES / SAMPLE_RATE, 0)


def _validation_windows(package: Path, settings: Settings) -> tuple[Audio, UInt8s]:
    try:
        windows = MusicNetWindows(package, split="validation", window_samples=settings.window_samples)
    except DatasetError as error:
        raise TrainingError(
            f"{package} has no recordings to choose the threshold by: pack it with --validation-share 0.1."
        ) from error
    return windows.random(settings.validation_windows, np.random.default_rng(_VALIDATION))


def _validated(held_out: tuple[Audio, UInt8s], model: nn.Module) -> Metrics:
    """The paper's figures: average precision, and the threshold with the best F1."""
    audio, truth = held_out
    scores = predicted(model, audio)
    curve = precision_recall(truth, scores)
    threshold, f1 = best_threshold(curve)
    square = float(np.square(scores - truth).sum(axis=1).mean())
    return {"average precision": average_precision(curve), "f1": f1, "threshold": threshold, "square loss": square}


# Presets. Of the paper: 500 nodes on windows of 2,048 samples; 500 filters of 2,048 samples in windows of 16,384, 8
# or 64 samples apart. Ours: steps, batches, rates, and all of the small sizes.

_PAPER = partial(Settings, steps=100_000, batch_size=128, learning_rate=3e-4, validate_every=2000)
_SMALL = partial(Settings, steps=600, batch_size=64, learning_rate=5e-3, validate_every=300, validation_windows=1000)


def _model(small: Settings, paper: Settings) -> Baseline:
    return Baseline("musicnet", {"small": small, "paper": paper}, network, task, "average precision", activations)


_LINEAR: dict[str, Any] = {"features": "log_spectrogram", "window_samples": 2048}
_MLP: dict[str, Any] = {"features": "mlp", "window_samples": 2048, "filters": 500}
_AVGPOOL: dict[str, Any] = {"features": "avgpool", "filter_samples": 2048}
_CNN: dict[str, Any] = {"features": "cnn", "window_samples": 16_384, "filter_samples": 2048}

MODELS = {
    "musicnet-linear": _model(_SMALL(**_LINEAR), _PAPER(**_LINEAR)),
    "musicnet-mlp": _model(_SMALL(**_MLP), _PAPER(**_MLP)),
    "musicnet-avgpool": _model(
        _SMALL(**_AVGPOOL, window_samples=2560, filters=128, stride_samples=64),
        _PAPER(**_AVGPOOL, window_samples=2560, filters=500, stride_samples=8),
    ),
    "musicnet-cnn": _model(
        _SMALL(**_CNN, filters=64, stride_samples=256), _PAPER(**_CNN, filters=500, stride_samples=64)
    ),
}
