"""Models and studies by name; the module of one is imported when it is named."""

import importlib
from typing import TYPE_CHECKING

from musicnet_build.choices import BASELINES, STUDIES
from musicnet_build.errors import TrainingError

if TYPE_CHECKING:
    from musicnet_build.baselines.baseline import Baseline
    from musicnet_build.baselines.studies.study import Study


def find_baseline(name: str) -> "Baseline":
    """Return a model.

    Parameters
    ----------
    name : str
        One of ``choices.BASELINES``, where its module is named.

    Raises
    ------
    TrainingError
        When there is none of that name.
    """
    if name not in BASELINES:
        raise TrainingError(f"there is no model {name!r}: choose from {', '.join(BASELINES)}.")
    module = importlib.import_module(f"musicnet_build.baselines.models.{BASELINES[name]}")
    baseline: Baseline = module.MODELS[name]
    return baseline


def find_study(name: str) -> "Study":
    """Return a study.

    Raises
    ------
    TrainingError
        When there is none of that name.
    """
    if name not in STUDIES:
        raise TrainingError(f"there is no study {name!r}: choose from {', '.join(STUDIES)}.")
    module = importlib.import_module(f"musicnet_build.baselines.studies.{name.replace('-', '_')}")
    study: Study = module.STUDY
    return study
