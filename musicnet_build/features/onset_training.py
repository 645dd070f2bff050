"""Examples to train the onset network on, and a few steps of training from where it stands.

``tools/train_onsets.py`` trains the network of the package on such examples; ``sync.adaptation`` lets it learn how
one recording sounds.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from musicnet_build._typing import Bools, Features, Float64s, Int64s
from musicnet_build.features.onsets import CONTEXT_FRAMES, OnsetModel

SPAN_FRAMES = 52
"""An example looks at so many frames to each side of its middle."""

MARGIN_FRAMES = SPAN_FRAMES + CONTEXT_FRAMES
LEAST_GAP_FRAMES = 12
"""Onsets of one pitch that are closer than this are no examples: nobody can tell them apart."""

_FIRST_MOMENT, _SECOND_MOMENT, _TINY = 0.9, 0.999, 1e-8
_BARRED = np.float32(-1e9)
_ROWS = (2 * SPAN_FRAMES + 1) // 3
"""Rows of a matrix product: so few that BLAS does not share them out; sums then do not depend on its threads."""


class Example(NamedTuple):
    """One note: what the network sees of it, and what it should say.

    Attributes
    ----------
    channels : ndarray of float32 [shape=(2 * MARGIN_FRAMES + 1, CHANNELS)]
    target : ndarray of float32 [shape=(2 * SPAN_FRAMES + 1,)]
        Probability of the onset at each frame.
    allowed : ndarray of bool [shape=(2 * SPAN_FRAMES + 1,)]
        Frames that are not nearer to another onset of the pitch.
    """

    channels: Features
    target: Features
    allowed: Bools


def onset_example(
    channels: Features, true_frame: float, other_frames: Float64s, centre: int, spread_frames: float
) -> Example | None:
    """Return the example of a note, or None where it is too near to the edge or to another onset of its pitch.

    Parameters
    ----------
    channels : ndarray of float32 [shape=(frames, CHANNELS)]
        Of the note's pitch, as ``onsets.pitch_channels`` gives them.
    true_frame : float
        When the note begins.
    other_frames : ndarray of float64 [shape=(k,)]
        When the other notes of its pitch begin.
    centre : int
        The frame in the middle of the example.
    spread_frames : float
        Standard deviation of the target around the true frame.

    Returns
    -------
    Example or None
    """
    near = len(other_frames) and np.abs(other_frames - true_frame).min() < LEAST_GAP_FRAMES
    if near or centre < MARGIN_FRAMES or centre + MARGIN_FRAMES >= len(channels):
        return None
    at = np.arange(centre - SPAN_FRAMES, centre + SPAN_FRAMES + 1)
    # Others further away than this are further from every frame than the note itself.
    other_frames = other_frames[np.abs(other_frames - true_frame) <= 2 * np.abs(at - true_frame).max() + 1]
    allowed = np.all(np.abs(at - true_frame)[:, None] <= np.abs(at[:, None] - other_frames), axis=1)
    target = np.exp(-0.5 * ((at - true_frame) / spread_frames) ** 2) * allowed
    seen = channels[centre - MARGIN_FRAMES : centre + MARGIN_FRAMES + 1]
    return Example(seen, (target / target.sum()).astype(np.float32), allowed)


@dataclass(frozen=True)
class Training:
    """How the network goes on learning: ``steps`` of Adam on ``batch`` examples each, the rate falling by a cosine."""

    steps: int = 50
    batch: int = 128
    rate: float = 5e-4
    seed: int = 0


def fine_tuned(model: OnsetModel, examples: list[Example], training: Training) -> OnsetModel:
    """Return a network that has gone on learning from examples; the given one stays as it is.

    The loss is the cross-entropy of the softmax over the allowed frames of each example; Adam as in Kingma and Ba
    (2015), with their moments.

    Parameters
    ----------
    model : OnsetModel
    examples : list of Example
        At least one.
    training : Training

    Returns
    -------
    OnsetModel
        The same for the same examples, whatever the number of threads.
    """
    random = np.random.default_rng(training.seed)
    columns = [np.stack(column) for column in zip(*examples, strict=True)]
    weights = model.weights()
    means = {name: np.zeros_like(value) for name, value in weights.items()}
    squares = {name: np.zeros_like(value) for name, value in weights.items()}
    for step, rows in enumerate(_batches(random, len(examples), training)):
        rate = training.rate * (0.02 + 0.5 * (1 + np.cos(np.pi * step / training.steps)))
        gradients = _gradients(weights, *(column[rows] for column in columns))
        for name, gradient in gradients.items():
            means[name] += np.float32(1 - _FIRST_MOMENT) * (gradient - means[name])
            squares[name] += np.float32(1 - _SECOND_MOMENT) * (gradient**2 - squares[name])
            mean = means[name] / np.float32(1 - _FIRST_MOMENT ** (step + 1))
            square = squares[name] / np.float32(1 - _SECOND_MOMENT ** (step + 1))
            weights[name] -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(_TINY))
    return OnsetModel(**weights)


def _batches(random: np.random.Generator, count: int, training: Training) -> list[Int64s]:
    """Rows of each step: all examples in a random order, then all again in another, none twice in a step."""
    size = min(training.batch, count)
    per_round = count // size
    rounds = -(-training.steps // per_round)
    orders = [random.permutation(count)[: per_round * size].reshape(per_round, size) for _ in range(rounds)]
    return list(np.concatenate(orders)[: training.steps])


def _gradients(
    weights: dict[str, Features], channels: Features, target: Features, allowed: Bools
) -> dict[str, Features]:
    """Derivatives of the mean loss of a batch by all weights, in products of ``_ROWS`` rows."""
    taps = weights["taps"]
    windows = np.lib.stride_tricks.sliding_window_view(channels, len(taps), axis=1).transpose(0, 1, 3, 2)
    seen = windows.reshape(-1, _ROWS, taps.shape[0] * taps.shape[1]).astype(taps.dtype, copy=False)
    hidden = np.maximum(seen @ taps.reshape(seen.shape[2], -1) + weights["taps_bias"], 0)
    mixed = np.maximum(hidden @ weights["mixer"] + weights["mixer_bias"], 0)
    logits = np.where(allowed, (mixed * weights["output"]).sum(axis=2).reshape(target.shape), _BARRED)
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    by_logit = ((expected - target) / target.dtype.type(len(target))).reshape(-1, _ROWS, 1)
    by_mixed = by_logit * weights["output"] * (mixed > 0)
    by_hidden = (by_mixed @ weights["mixer"].T) * (hidden > 0)
    return {
        "taps": (seen.transpose(0, 2, 1) @ by_hidden).sum(axis=0).reshape(taps.shape),
        "taps_bias": by_hidden.sum(axis=(0, 1)),
        "mixer": (hidden.transpose(0, 2, 1) @ by_mixed).sum(axis=0),
        "mixer_bias": by_mixed.sum(axis=(0, 1)),
        "output": (mixed * by_logit).sum(axis=(0, 1)),
    }
