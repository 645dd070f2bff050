"""How far many jobs are, and how long they have still to go: from estimates at once, then from the pace.

Jobs whose results are there say nothing of how long the others take.
"""

import time
from collections.abc import Mapping

from musicnet_build.jobs.local import Outcome

_SETTLING_S = 10.0
"""So long the estimates are believed rather than the pace: workers start, kernels are compiled."""


class Pace:
    """Counts jobs, and weighs those that take time.

    Parameters
    ----------
    names : mapping
        What people call each job, by its id.
    work_s : mapping
        Estimated processor seconds of the jobs that will take time, by id.
    workers : int or None
        How many jobs run at the same time, where that is known.
    """

    def __init__(self, names: Mapping[str, str], work_s: Mapping[str, float], workers: int | None) -> None:
        self._names = names
        self._work_s = dict(work_s)
        self._whole_s = sum(self._work_s.values())
        self._made_s = 0.0
        self._workers = workers
        self._done = 0
        self._started_s = time.monotonic()

    @property
    def fraction(self) -> float:
        """How much of the whole is done."""
        if self._whole_s:
            return min(self._made_s / self._whole_s, 1.0)
        return self._done / max(len(self._names), 1)

    def start(self) -> str:
        """Return what is to be said before the first job is done."""
        return f"0/{len(self._names)}{self._left()}"

    def step(self, outcome: Outcome) -> str:
        """Note that a job is done, and return what is to be said of it."""
        self._done += 1
        self._made_s += self._work_s.pop(outcome.id, 0.0)
        how = outcome.reason or (f"made in {outcome.seconds:.1f} s" if outcome.result else "up to date")
        name = self._names[outcome.id]
        return f"{self._done}/{len(self._names)}  {outcome.id}  {name}: {how.removesuffix('.')}{self._left()}"

    def _left(self) -> str:
        seconds = self.remaining_s()
        if seconds is None or self._done == len(self._names):
            return ""
        minutes = seconds / 60
        if minutes < 1:
            return ", less than a minute left"
        return f", about {minutes:.0f} min left" if minutes < 90 else f", about {minutes / 60:.1f} h left"

    def remaining_s(self) -> float | None:
        """Return how long the rest will take, None where there is nothing to go by."""
        left_s = self._whole_s - self._made_s
        elapsed_s = time.monotonic() - self._started_s
        if left_s <= 0:
            return None
        if self._made_s and elapsed_s >= _SETTLING_S:
            return elapsed_s / self._made_s * left_s
        return left_s / self._workers if self._workers else None
