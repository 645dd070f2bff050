"""The same jobs on a Dask cluster; every machine of it sees the same files under the same paths.

A worker may die at any moment: the scheduler gives its job to another. No more jobs are sent than there are threads,
so that a job which kills its worker takes no waiting neighbours with it.
"""

import importlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from musicnet_build.errors import DatasetError
from musicnet_build.jobs.local import Job, Outcome, attempt

_CONNECT_S = 30


def cluster_runner(address: str) -> Callable[[Sequence[Job], Callable[[Outcome], object]], list[Outcome]]:
    """Return what runs jobs on the cluster of a scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://scheduler:8786``.

    Returns
    -------
    callable
        Takes jobs and a function that is told each outcome, as ``run_jobs``.

    Raises
    ------
    DatasetError
        From the callable: when Dask is missing, or no scheduler answers.
    """

    def run(jobs: Sequence[Job], on_done: Callable[[Outcome], object]) -> list[Outcome]:
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError as error:
            raise DatasetError("a cluster needs Dask: pip install 'musicnet_build[cluster]'.") from error
        try:
            client = distributed.Client(address, timeout=_CONNECT_S)
        except (OSError, ValueError, ImportError) as error:
            raise DatasetError(f"no Dask scheduler answers at {address}: {error}.") from error
        outcomes: dict[str, Outcome] = {}
        with client:
            for outcome in _outcomes(client, jobs):
                outcomes[outcome.id] = outcome
                on_done(outcome)
        return [outcomes[job.id] for job in jobs]

    return run


def _outcomes(client: Any, jobs: Sequence[Job]) -> Iterator[Outcome]:
    """Send jobs as threads become free, and yield the outcomes as they come."""
    waiting = list(reversed(jobs))
    running: dict[Any, Job] = {}
    completed: Any = importlib.import_module("distributed").as_completed()
    while waiting or running:
        while waiting and len(running) < _threads(client):
            job = waiting.pop()
            future = client.submit(_timed_attempt, job.function, dict(job.arguments), pure=False)
            running[future] = job
            completed.add(future)
        future = next(completed)
        yield _outcome(running.pop(future), future)


def _threads(client: Any) -> int:
    threads: int = sum(client.nthreads().values())
    return max(1, threads)


def _outcome(job: Job, future: Any) -> Outcome:
    if future.status == "finished":
        reason, result, seconds = future.result()
        return Outcome(job.id, "failed" if reason else "done", reason, seconds, result)
    # Not the job's own exception, which is caught where it runs: workers died of it, or could not load it.
    error = future.exception() if future.status == "error" else "it was cancelled"
    return Outcome(job.id, "failed", f"the cluster could not run it: {' '.join(str(error).split())}", 0.0)


def _timed_attempt(function: Callable[..., object], arguments: Mapping[str, Any]) -> tuple[str | None, object, float]:
    started = time.monotonic()
    reason, result = attempt(function, arguments)
    return reason, result, time.monotonic() - started
