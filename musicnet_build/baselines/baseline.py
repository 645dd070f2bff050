"""What a model is to the trainer, to runs and to studies: four small types.

A study's module has presets (a subclass of :class:`Plan` with the sizes of its network), a function that builds the
network for them, and one that returns the :class:`Task` of training it on a package. :class:`Baseline` holds these
together under a name; ``catalogue`` finds it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from musicnet_build._typing import Audio
from musicnet_build.baselines.decoding import Activations

Batch = tuple[torch.Tensor, ...]
"""What a loss is computed from: inputs and targets, the examples along the first dimension."""

Metrics = dict[str, float]
"""Figures by name."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long a network is trained; the settings of a study's model are a subclass with its sizes.

    Plain values only: the settings are written into the record of a run and read from there again.

    Attributes
    ----------
    steps : int
        Batches, in all.
    batch_size : int
        Examples in a batch.
    learning_rate : float
        At the first step.
    validate_every : int
        Steps from one validation to the next; the checkpoint is written then, too.
    """

    steps: int
    batch_size: int
    learning_rate: float
    validate_every: int


@dataclass(frozen=True)
class Task:
    """A network, and all that is needed to train it.

    Attributes
    ----------
    optimizer : torch.optim.Optimizer
        Of the network's parameters.
    batch : callable
        Given the number of a step, returns its batch, on the CPU: the same batch whenever it is asked for. May be
        called by several threads at a time.
    loss : callable
        Given the network and a batch, returns a scalar.
    validate : callable
        Given the network (in evaluation mode, without gradients), returns figures on data it was not trained on. The
        figures of the last validation are those of the run.
    learning_rate : callable
        Given the number of a step, returns its learning rate.
    """

    optimizer: torch.optim.Optimizer
    batch: Callable[[int], Batch]
    loss: Callable[[nn.Module, Batch], torch.Tensor]
    validate: Callable[[nn.Module], Metrics]
    learning_rate: Callable[[int], float]


@dataclass(frozen=True)
class Baseline:
    """A published model.

    Attributes
    ----------
    module : str
        Of ``baselines.models``, the one that it is described in: its code is part of what a run is made from.
    presets : mapping
        Settings by name: ``small`` and ``paper``.
    network : callable
        Given settings, returns the network with its initial weights, drawn by torch's global generator.
    task : callable
        Given the network, package, settings and seed, returns the task; tensors are moved to the device by the trainer.
    headline : str
        The figure of ``validate`` that curves show.
    activations : callable, optional
        Given the network, a recording (mono, 44.1 kHz) and settings, returns what sounds in it: for models that
        transcribe whole recordings.
    """

    module: str
    presets: Mapping[str, Plan]
    network: Callable[[Any], nn.Module]
    task: Callable[[nn.Module, Path, Any, int], Task]
    headline: str
    activations: Callable[[nn.Module, Audio, Any], Activations] | None = None


def falling_rate(settings: Plan, step: int) -> float:
    """Return a learning rate that falls linearly to a tenth, so that the last steps settle."""
    return settings.learning_rate * (1 - 0.9 * step / settings.steps)


def device_of(network: nn.Module) -> torch.device:
    """Return where the weights of a network are."""
    return next(network.parameters()).device
