"""The trainer: one loop for all models.

Checkpoints are written at every validation; a training that was killed goes on from the last of them and ends with
the weights that it would have had: the batch of a step follows from the seed and the step, and so does what dropout
draws in it. On one kind of CPU the same seed gives the same weights, on the same number of threads.
"""

import contextlib
import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task
from musicnet_build.baselines.catalogue import find_baseline
from musicnet_build.baselines.runs import (
    CHECKPOINT,
    CURVES,
    RECORD,
    WEIGHTS,
    Tensors,
    load_tensors,
    save_tensors,
    usable_device,
)
from musicnet_build.errors import TrainingError
from musicnet_build.files import sha256_of
from musicnet_build.jobs.resume import Made, Record, code_fingerprint, make_once
from musicnet_build.plots.training import plot_curves
from musicnet_build.progress import Progress, ignore

FIRST_LOSSES = 100
"""Steps whose losses are kept one by one: by them two machines can be compared."""

_AHEAD = 4  # batches that are prepared while one is learned from

History = list[dict[str, float]]


@dataclass
class Course:
    """How far a training is.

    Attributes
    ----------
    step : int
        Steps done.
    first_losses : list of float
        Of the first ``FIRST_LOSSES`` steps.
    history : list of dict
        At each validation: ``step``, the mean ``loss`` since the one before, and the figures.
    """

    step: int = 0
    first_losses: list[float] = field(default_factory=list)
    history: History = field(default_factory=list)


def train(
    model: str,
    package: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    preset: str = "small",
    settings: Plan | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = ignore,
) -> Record:
    """Train a model on a package, or go on, or find that it is done already.

    Parameters
    ----------
    model : str
        One of ``choices.BASELINES``.
    package : str or PathLike
        As the model reads it.
    folder : str or PathLike
        Of the run: weights, record and curves (:mod:`musicnet_build.baselines.runs`).
    preset : {"small", "paper"}
    settings : Plan, optional
        In place of those of the preset.
    seed : int
        Draws initial weights, batches, and what dropout leaves out.
    device : str
        ``cpu`` or ``cuda``.
    progress : callable
        Told loss and figures, and the fraction of steps done.

    Returns
    -------
    Record
        Of the run; ``report["figures"]`` has those of the last validation.

    Raises
    ------
    TrainingError
        When the model, the preset or the device is not there, or the loss is no longer finite.
    DatasetError
        When the package cannot be read.
    """
    baseline = find_baseline(model)
    if preset not in baseline.presets:
        raise TrainingError(f"{model} has no preset {preset!r}: choose from {', '.join(baseline.presets)}.")
    settings = settings or baseline.presets[preset]
    made_from = {
        "model": model,
        "settings": asdict(settings),
        "seed": seed,
        "device": usable_device(device).type,
        "package": sha256_of(package),
        "code": code_fingerprint("baselines.training", "baselines.baseline", f"baselines.models.{baseline.module}"),
    }
    run = _Training(baseline, settings, seed, made_from, Path(package), Path(folder), device, progress)
    return make_once(Path(folder) / RECORD, folder, made_from, run.make)[0]


@dataclass(frozen=True)
class _Training:
    """One training: what it is made from, and where it leaves what."""

    baseline: Baseline
    settings: Plan
    seed: int
    made_from: Mapping[str, Any]
    package: Path
    folder: Path
    device: str
    progress: Progress

    def make(self) -> Made:
        """Train to the end and write everything but the record."""
        torch.manual_seed(self.seed)  # on the CPU, whatever the device: first weights are the same on all of them
        network = self.baseline.network(self.settings).to(usable_device(self.device))
        task = self.baseline.task(network, self.package, self.settings, self.seed)
        course = self._resumed(network, task.optimizer)
        for done in self._steps(network, task, course):
            self._validate(network, task, done)
        save_tensors(self.folder / WEIGHTS, network.state_dict())
        plot_curves(self.folder / CURVES, str(self.made_from["model"]), course.history, self.baseline.headline)
        (self.folder / CHECKPOINT).unlink(missing_ok=True)
        figures = {name: value for name, value in course.history[-1].items() if name not in ("step", "loss")}
        report = {"figures": figures, "history": course.history, "first_losses": course.first_losses}
        report["parameters"] = sum(parameter.numel() for parameter in network.parameters())
        return Made([WEIGHTS, CURVES], report | {"threads": torch.get_num_threads()})

    def _steps(self, network: nn.Module, task: Task, course: Course) -> Iterator[Course]:
        """Learn; yield whenever a validation is due."""
        total, device = torch.zeros((), device=usable_device(self.device)), usable_device(self.device)
        validated = course.step
        for batch in _prepared(task, range(course.step, self.settings.steps)):
            loss = learn(network, task, course.step, tuple(part.to(device) for part in batch), self.seed)
            total += loss
            if course.step < FIRST_LOSSES:
                course.first_losses.append(loss.item())
            course.step += 1
            if course.step % self.settings.validate_every == 0 or course.step == self.settings.steps:
                course.history.append({"step": course.step, "loss": total.item() / (course.step - validated)})
                yield course
                total, validated = torch.zeros_like(total), course.step

    def _validate(self, network: nn.Module, task: Task, course: Course) -> None:
        latest = course.history[-1]
        if not latest["loss"] < float("inf"):
            raise TrainingError(f"{self.made_from['model']}: the loss is no longer finite at step {course.step}.")
        latest |= validated(network, task)
        told = f"step {course.step:,}: loss {latest['loss']:.4g}, {self.baseline.headline} "
        self.progress(f"{told}{latest[self.baseline.headline]:.3f}", course.step / self.settings.steps)
        if course.step < self.settings.steps:
            state = {"made_from": self.made_from, "course": asdict(course)}
            save_tensors(self.folder / CHECKPOINT, _tensors_of(network, task.optimizer), state)

    def _resumed(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> Course:
        """Return to the checkpoint, where there is one of this very training; else to the beginning."""
        path = self.folder / CHECKPOINT
        if not path.is_file():
            return Course()
        with contextlib.suppress(TrainingError):  # of a damaged checkpoint nothing is to be had: begin anew
            tensors, state = load_tensors(path)
            if state.get("made_from") == self.made_from:
                _take_up(tensors, network, optimizer)
                return Course(**state["course"])
        return Course()


def learn(network: nn.Module, task: Task, step: int, batch: Batch, seed: int) -> torch.Tensor:
    """Make one step; return its loss, still on the device."""
    # What dropout draws follows from the step, as the batch does.
    torch.manual_seed(1_000_003 * seed + step)
    for group in task.optimizer.param_groups:
        group["lr"] = task.learning_rate(step)
    network.train()
    loss = task.loss(network, batch)
    task.optimizer.zero_grad()
    loss.backward()
    task.optimizer.step()
    return loss.detach()


def validated(network: nn.Module, task: Task) -> Metrics:
    """Return the figures of a network on data it was not trained on."""
    network.eval()
    with torch.no_grad():
        return task.validate(network)


def _prepared(task: Task, steps: range) -> Iterator[Batch]:
    """Yield the batches of steps; a thread prepares the next ones meanwhile."""
    pool = ThreadPoolExecutor(1)
    try:
        waiting = deque(pool.submit(task.batch, step) for step in steps[:_AHEAD])
        for step in steps:
            batch = waiting.popleft().result()
            if step + _AHEAD < steps.stop:
                waiting.append(pool.submit(task.batch, step + _AHEAD))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)


# Checkpoints


def _tensors_of(network: nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """Weights, and the optimizer's state of each parameter, by the parameter's number."""
    state = {
        f"optimizer.{number}.{name}": torch.as_tensor(value)
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
        if value is not None
    }
    return {f"network.{name}": tensor for name, tensor in network.state_dict().items()} | state


def _take_up(tensors: Tensors, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    weights = {name.removeprefix("network."): one for name, one in tensors.items() if name.startswith("network.")}
    network.load_state_dict(weights)
    state: dict[int, Tensors] = {}
    for name in tensors:
        kind, _, place = name.partition(".")
        if kind == "optimizer":
            number, _, value = place.partition(".")
            state.setdefault(int(number), {})[value] = tensors[name]
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
