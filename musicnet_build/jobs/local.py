"""Many independent jobs on the cores of one machine.

A job writes its result to files of its own (through :func:`musicnet_build.files.replacing`), so nothing is lost when
a process dies at any moment: its caller finds out by the files what is done, and asks for the rest. A worker that is
killed or runs out of memory takes down only the job it was at, which is tried once more.

Workers are spawned, not forked: they share no threads and no open files with the caller, and each computes in one
thread. A script that calls ``run_jobs`` therefore needs the usual ``if __name__ == "__main__":``.
"""

import contextlib
import errno
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal, NamedTuple

from musicnet_build.errors import NO_SPACE_LEFT, MusicnetBuildError
from musicnet_build.threads import available_processors

OUT_OF_MEMORY = "it ran out of memory."

_ATTEMPTS = 2
_MEMORY_SHARE = 0.8
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
# Of version 2, which names no controllers, and 1: where a control group's memory stands, its limit, and what is used.
_MEMORY_FILES = {
    "": ("", "memory.max", "memory.current"),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
}
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_context = get_context("spawn")


@dataclass(frozen=True)
class Job:
    """A piece of work that depends on no other.

    Attributes
    ----------
    id : str
        Names the job to people, and in its outcome.
    function : callable
        Found by name in its module; writes its result to files, and may be run any number of times.
    arguments : mapping
        Keyword arguments of the function: strings, numbers, lists and the like.
    memory_bytes : int or callable
        What the job needs at its peak; 0 where that is not worth counting. A function without arguments, where finding
        out takes a moment: it is called when the job's turn comes.
    """

    id: str
    function: Callable[..., object]
    arguments: Mapping[str, Any]
    memory_bytes: int | Callable[[], int] = 0


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes
    ----------
    id : str
        The job's.
    state : {"done", "failed"}
    reason : str or None
        Why it failed, in a sentence.
    seconds : float
        How long its last attempt took.
    result : object
        What the function returned, None where it failed.
    """

    id: str
    state: Literal["done", "failed"]
    reason: str | None
    seconds: float
    result: object = None


def default_workers() -> int:
    """Return the number of processors that this process may use."""
    return available_processors()


def free_memory() -> int:
    """Return how many bytes can be had without swapping, by this machine and by the control groups that this process is
    in (a container, a job of Slurm); a guess where neither tells.
    """
    found = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    with contextlib.suppress(OSError, ValueError):
        for line in _OWN_GROUPS.read_text(encoding="utf-8").splitlines():
            found += _left_in_groups(*line.split(":", 2)[1:])
    return min(found, default=8 * 2**30)


def _left_in_groups(controllers: str, group: str) -> Iterator[int]:
    """What is left in a control group and in those around it; files that were read can be forgotten, and are left."""
    for controller in {"", "memory"} & set(controllers.split(",")):
        root, limit, used = _MEMORY_FILES[controller]
        place = _GROUPS / root / group.strip("/")
        for folder in (place, *place.parents):
            with contextlib.suppress(OSError, ValueError):
                most, taken = (int((folder / name).read_text(encoding="ascii")) for name in (limit, used))
                yield max(most - taken + _forgettable(folder / "memory.stat"), 0)


def _forgettable(statistics: Path) -> int:
    """Bytes of files in memory that nobody uses now."""
    lines = dict(line.split(" ", 1) for line in statistics.read_text(encoding="ascii").splitlines())
    return int(lines.get("total_inactive_file", lines.get("inactive_file", 0)))


def run_jobs(
    jobs: Sequence[Job],
    *,
    workers: int,
    on_done: Callable[[Outcome], object] | None = None,
    memory_bytes: int | None = None,
) -> list[Outcome]:
    """Run jobs on worker processes, each job on one; a job's failure does not stop the others.

    An interrupt (or any other exception in the caller's process) ends the workers at once and passes on.

    Parameters
    ----------
    jobs : sequence of Job
        Started in this order.
    workers : int
        Processes at work at the same time, at least 1.
    on_done : callable, optional
        Told each outcome as it comes, in the caller's process and thread.
    memory_bytes : int, optional
        Start a job only while the needs of those at work sum to no more than this; a job that needs more than all of
        it runs alone.

    Returns
    -------
    list of Outcome
        In the order of the jobs.
    """
    pool = _Pool(jobs, max(1, min(workers, len(jobs))), memory_bytes)
    outcomes: dict[int, Outcome] = {}
    try:
        while (ended := pool.next_outcome()) is not None:
            outcomes[ended[0]] = ended[1]
            if on_done is not None:
                on_done(ended[1])
    finally:
        pool.kill()
    return [outcomes[place] for place in range(len(jobs))]


@dataclass(frozen=True)
class LocalRunner:
    """Runs jobs on this machine: as many at once as there are workers and as fit into memory."""

    workers: int

    def __call__(self, jobs: Sequence[Job], on_done: Callable[[Outcome], object]) -> list[Outcome]:
        """Run jobs, as ``run_jobs``."""
        memory_bytes = round(_MEMORY_SHARE * free_memory())
        return run_jobs(jobs, workers=self.workers, on_done=on_done, memory_bytes=memory_bytes)


def attempt(function: Callable[..., object], arguments: Mapping[str, Any]) -> tuple[str | None, object]:
    """Call a job's function; return None and its result, or in a sentence why it failed and None."""
    try:
        return None, function(**arguments)
    except MusicnetBuildError as error:
        return str(error), None
    except MemoryError:
        return OUT_OF_MEMORY, None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return NO_SPACE_LEFT, None
        return f"{error.filename or 'the system'}: {error.strerror or error}.", None
    except Exception as error:
        # A fault of the program: one recording's bad luck must not cost the others their night.
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}: {error}", None


# ---------------------------------------------------------------------------------------------------------------------
# The caller's side


class _Task(NamedTuple):
    place: int
    job: Job
    attempts: int


class _Worker:
    """A process, the caller's end of the pipe to it, and what it is at."""

    def __init__(self) -> None:
        self.connection, theirs = _context.Pipe()
        self.process: BaseProcess = _context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        # The only other end is the worker's now, so its death is heard as the end of the stream.
        theirs.close()
        self.task: _Task | None = None
        self.started_s = 0.0

    def take(self, task: _Task) -> None:
        self.task, self.started_s = task, time.monotonic()
        self.connection.send((task.job.function, dict(task.job.arguments)))

    def reply(self) -> tuple[bool, str | None, object]:
        """Return whether the worker is alive, why its job failed, and the job's result."""
        try:
            reason, result = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return False, _last_words(self.process.exitcode), None
        return True, reason, result

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class _Pool:
    def __init__(self, jobs: Sequence[Job], size: int, memory_bytes: int | None) -> None:
        self._waiting = deque(_Task(place, job, 0) for place, job in enumerate(jobs))
        self._size = size
        self._memory_bytes = memory_bytes
        self._needs: dict[int, int] = {}
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, _Worker] = {}

    def next_outcome(self) -> tuple[int, Outcome] | None:
        """Keep the workers busy until a job has ended for good; None when none is left."""
        while True:
            while self._may_start():
                self._start(self._waiting.popleft())
            if not self._busy:
                return None
            connection = wait(list(self._busy))[0]
            assert isinstance(connection, Connection)
            outcome = self._collect(self._busy.pop(connection))
            if outcome is not None:
                return outcome

    def kill(self) -> None:
        for worker in (*self._idle, *self._busy.values()):
            worker.kill()

    def _may_start(self) -> bool:
        if not self._waiting or len(self._busy) == self._size:
            return False
        if self._memory_bytes is None or not self._busy:
            return True
        used = sum(self._need(worker.task) for worker in self._busy.values() if worker.task)
        return used + self._need(self._waiting[0]) <= self._memory_bytes

    def _need(self, task: _Task) -> int:
        if task.place not in self._needs:
            need = task.job.memory_bytes
            self._needs[task.place] = need() if callable(need) else need
        return self._needs[task.place]

    def _start(self, task: _Task) -> None:
        worker = self._idle.pop() if self._idle else _Worker()
        if not worker.process.is_alive():
            worker.kill()
            worker = _Worker()
        self._busy[worker.connection] = worker
        try:
            worker.take(task)
        except OSError:
            # It died just now; the broken pipe is found again when its reply is read.
            return

    def _collect(self, worker: _Worker) -> tuple[int, Outcome] | None:
        """Return the outcome of a worker's job, or None where the job is to be tried again."""
        task, seconds = worker.task, time.monotonic() - worker.started_s
        assert task is not None
        alive, reason, result = worker.reply()
        if alive:
            self._idle.append(worker)
        else:
            worker.kill()
        task = task._replace(attempts=task.attempts + 1)
        if (not alive or reason == OUT_OF_MEMORY) and task.attempts < _ATTEMPTS:
            # At the end of the queue: where memory is short now, there may be more of it later.
            self._waiting.append(task)
            return None
        return task.place, Outcome(task.job.id, "failed" if reason else "done", reason, seconds, result)


def _last_words(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        how = f"was ended by signal {signal.Signals(-exit_code).name}"
        hint = ", as happens when memory runs out" if -exit_code == signal.SIGKILL else ""
        return f"its process {how}{hint}."
    return f"its process ended by itself with exit code {exit_code}."


# ---------------------------------------------------------------------------------------------------------------------
# The worker's side


def _work(connection: Connection) -> None:
    """Do one job after another until the caller hangs up."""
    # An interrupt from the keyboard reaches the whole group of processes; the caller decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Before the first job imports what reads these.
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            return
        connection.send(attempt(_call, {"message": message}))


def _call(message: bytes) -> object:
    """Unpack (here, so that a module that cannot be imported is a failure with a reason) and call."""
    from multiprocessing.reduction import ForkingPickler

    function, arguments = ForkingPickler.loads(message)
    return function(**arguments)


def _die_with_parent() -> None:
    """Stop at once when the caller is killed: nobody waits for this job, and the next run will do it again."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
