"""What a training leaves in its folder, and how it is read again.

===========================  =========================================================================================
``weights.safetensors``      the network, after the last step
``run.json``                 the record (:mod:`musicnet_build.jobs.resume`): what the weights were made from (model,
                             settings, seed, device, hash of the package, fingerprint of the code), their hash, and the
                             report: figures and losses
``curves.png``               loss and validation, drawn
``checkpoint.safetensors``   while the training lasts: weights, state of the optimizer, and in the header how far it is
===========================  =========================================================================================
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from musicnet_build.baselines.baseline import Baseline, Plan
from musicnet_build.baselines.catalogue import find_baseline
from musicnet_build.errors import TrainingError
from musicnet_build.files import replacing
from musicnet_build.jobs.resume import Record, is_whole, read_record

WEIGHTS, RECORD, CURVES, CHECKPOINT = "weights.safetensors", "run.json", "curves.png", "checkpoint.safetensors"

_STATE = "state"  # one entry: of several, safetensors writes the order in which it finds them

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training.

    Attributes
    ----------
    model : str
        Name of the baseline.
    baseline : Baseline
    settings : Plan
        Of the class that the baseline's presets have.
    record : Record
    network : nn.Module
        With its weights, in evaluation mode.
    """

    model: str
    baseline: Baseline
    settings: Plan
    record: Record
    network: nn.Module


def load_run(folder: str | os.PathLike[str], device: str = "cpu") -> Run:
    """Read a finished training.

    Parameters
    ----------
    folder : str or PathLike
    device : str
        Where the network goes.

    Returns
    -------
    Run

    Raises
    ------
    TrainingError
        When there is no finished training in the folder, or its weights are not those of its record.
    """
    record = read_record(Path(folder) / RECORD)
    if record is None:
        raise TrainingError(f"{folder} holds no finished training: run `musicnet-build train` with -o {folder}.")
    if not is_whole(record, folder):
        raise TrainingError(f"{Path(folder) / WEIGHTS}: is missing or not what the training wrote; train again.")
    model = str(record.made_from["model"])
    baseline = find_baseline(model)
    settings = settings_of(baseline, record.made_from["settings"])
    network = baseline.network(settings)
    try:
        network.load_state_dict(load_tensors(Path(folder) / WEIGHTS)[0])
    except RuntimeError as error:
        raise TrainingError(f"{Path(folder) / WEIGHTS}: does not fit the model {model}; train again.") from error
    return Run(model, baseline, settings, record, network.to(usable_device(device)).eval())


def settings_of(baseline: Baseline, values: Mapping[str, Any]) -> Plan:
    """Return settings from the plain values of a record.

    Raises
    ------
    TrainingError
        When names are missing or not known, as in records of other versions.
    """
    kind = type(next(iter(baseline.presets.values())))
    if {field.name for field in fields(kind)} != set(values):
        raise TrainingError(
            "the run was trained by another version, with other settings than this one has; train again."
        )
    # JSON has no tuples.
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind(**plain)


def usable_device(name: str) -> torch.device:
    """Return a device, or say that this machine has none such."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError("no CUDA device can be used here: train on the CPU with --device cpu.")
    return torch.device(name)


# Tensors


def save_tensors(path: str | os.PathLike[str], tensors: Tensors, state: Mapping[str, Any] | None = None) -> None:
    """Write tensors and plain values as one safetensors file, whole or not at all; equal input gives equal bytes."""
    copies = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        save_file(copies, temporary, {_STATE: json.dumps(state or {}, allow_nan=False)})


def load_tensors(path: str | os.PathLike[str]) -> tuple[Tensors, dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises
    ------
    TrainingError
        When the file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {}).get(_STATE, "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118 - not a mapping
    except (SafetensorError, ValueError) as error:
        raise TrainingError(f"{path}: is no safetensors file that this package wrote, or is damaged.") from error
