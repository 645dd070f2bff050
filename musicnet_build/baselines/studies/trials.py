"""Trainings that a study compares: each of them with every seed, in a folder of its own, and judged."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from musicnet_build.baselines.baseline import Metrics, Plan
from musicnet_build.baselines.runs import Run, load_run
from musicnet_build.baselines.studies.study import Setup, Spread, spread_of
from musicnet_build.baselines.studies.trainings import Training, train_all


@dataclass(frozen=True)
class Trial:
    """One kind of training.

    Attributes
    ----------
    name : str
        As tables call it.
    folder : str
        Begins the names of the folders of its runs.
    model : str
        One of ``choices.BASELINES``.
    package : Path
    settings : Plan
    """

    name: str
    folder: str
    model: str
    package: Path
    settings: Plan


def tried(
    setup: Setup, trials: Sequence[Trial], judge: Callable[[Trial, Run], Metrics], *, first: float = 0.0
) -> dict[str, list[Metrics]]:
    """Train every trial with every seed, and return the figures of each by its name, seed by seed.

    Parameters
    ----------
    setup : Setup
    trials : sequence of Trial
    judge : callable
        Given a trial and its finished run, returns figures on data for the test.
    first : float
        Fraction of the study's work that is done before.

    Returns
    -------
    dict of str to list of dict
    """
    runs = [
        (trial, Training(f"{trial.folder}-{seed}", trial.model, trial.package, trial.settings, seed))
        for trial in trials
        for seed in range(setup.seeds)
    ]
    train_all([training for _, training in runs], setup, first=first)
    found: dict[str, list[Metrics]] = {trial.name: [] for trial in trials}
    for trial, training in runs:
        found[trial.name].append(judge(trial, load_run(training.folder(setup), setup.device)))
    return found


def spreads(found: Iterable[Metrics]) -> dict[str, Spread]:
    """Return mean and deviation of each figure over the seeds.

    Examples
    --------
    >>> spreads([{"f1": 0.5}, {"f1": 0.7}])["f1"].mean
    0.6
    """
    seeds = list(found)
    return {name: spread_of([one[name] for one in seeds]) for name in seeds[0]}
