"""The trainings of a study, as many at a time as there are cores: small networks gain little from several threads each.

Each worker computes in one thread, so weights do not depend on the machine's number of cores. On a GPU one training
follows another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from musicnet_build.baselines.baseline import Plan
from musicnet_build.baselines.studies.study import Setup, part_of
from musicnet_build.baselines.training import train
from musicnet_build.errors import TrainingError
from musicnet_build.jobs.local import Job, run_jobs
from musicnet_build.threads import available_processors


@dataclass(frozen=True)
class Training:
    """One training of a study.

    Attributes
    ----------
    name : str
        Of its folder below ``runs/``; says what is trained, and the seed.
    model : str
    package : Path
    settings : Plan
    seed : int
    """

    name: str
    model: str
    package: Path
    settings: Plan
    seed: int

    def folder(self, setup: Setup) -> Path:
        """Return the folder of its run."""
        return setup.output / "runs" / self.name


def train_all(trainings: Sequence[Training], setup: Setup, *, first: float = 0.0) -> None:
    """Do trainings, those that are done already excepted.

    Parameters
    ----------
    trainings : sequence of Training
    setup : Setup
        Its progress is told from ``first`` to 1.
    first : float
        Fraction of the study that is done before.

    Raises
    ------
    TrainingError
        When one fails; those that are done are kept.
    """
    parts = [first + (1 - first) * done / len(trainings) for done in range(len(trainings) + 1)]
    if setup.device != "cpu":
        for place, one in enumerate(trainings):
            progress = part_of(setup.progress, parts[place], parts[place + 1], one.name)
            train(
                one.model, one.package, one.folder(setup), settings=one.settings, seed=one.seed, device=setup.device,
                progress=progress,
            )  # fmt: skip
        return
    done = 0

    def on_done(outcome: object) -> None:
        nonlocal done
        done += 1
        setup.progress(f"trained {done} of {len(trainings)}", parts[done])

    jobs = [Job(one.name, train_one, {"training": one, "folder": str(one.folder(setup))}) for one in trainings]
    outcomes = run_jobs(jobs, workers=available_processors(), on_done=on_done)
    if failed := [outcome for outcome in outcomes if outcome.state == "failed"]:
        raise TrainingError(f"{failed[0].id}: {failed[0].reason}")


def train_one(training: Training, folder: str) -> None:
    """Do a training on the CPU, in a worker."""
    train(training.model, training.package, folder, settings=training.settings, seed=training.seed)
