"""From a manifest to a dataset folder: run the jobs that were planned, one a recording, and write the lists.

``build`` may be killed at any moment and run again: what is done is found by the bytes of inputs and outputs, and the
lists are written anew, the same for any number of workers. What is to be done belongs to ``plan``, what one job
does to ``job``, the lists to ``lists``, and what the folder looks like to ``corpora.musicnet``.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from musicnet_build.corpora import musicnet
from musicnet_build.datasets.collection.networks import with_networks
from musicnet_build.datasets.job import (
    FAILED,
    Row,
    make_recording,
    state_of,
)
from musicnet_build.datasets.lists import remove_recordings, withdraw_failed, write_lists
from musicnet_build.datasets.manifest import Manifest
from musicnet_build.datasets.places import files_record_path, remove_all_leftovers
from musicnet_build.datasets.plan import Plan, Settings, plan_build
from musicnet_build.datasets.tables.columns import Entry
from musicnet_build.datasets.tasks.needs import memory_needed, seconds_needed
from musicnet_build.datasets.tasks.task import Task
from musicnet_build.errors import DatasetError
from musicnet_build.files import locked
from musicnet_build.jobs.local import Job, LocalRunner, Outcome, default_workers
from musicnet_build.jobs.pace import Pace
from musicnet_build.jobs.resume import read_record
from musicnet_build.progress import Progress, ignore

Runner = Callable[[Sequence[Job], Callable[[Outcome], object]], list[Outcome]]
"""Runs jobs and reports each outcome, as ``run_jobs`` does."""


def build(
    manifest: Manifest,
    folder: str | os.PathLike[str],
    settings: Settings,
    *,
    run: Runner | None = None,
    progress: Progress = ignore,
    remake: Collection[str] = (),
    prune: bool = False,
    allow_outside: bool = False,
) -> list[Row]:
    """Make a dataset of a manifest, or complete one.

    Parameters
    ----------
    manifest : Manifest
    folder : str or PathLike
        A folder that is new, empty, or was made by this function.
    settings : Settings
    run : callable, optional
        Runs the jobs; by default on as many workers as there are processors and memory for.
    progress : callable
        Told what is done.
    remake : collection of str
        See ``plan_build``.
    prune : bool
        Remove recordings from the dataset that the manifest does not name.
    allow_outside : bool
        Let the manifest name soundfonts outside its folder.

    Returns
    -------
    list of Row
        One for each recording, ordered by id.

    Raises
    ------
    ManifestError
        When a soundfont that the manifest names cannot be used.
    DatasetError
        When the folder holds something else, another build works in it, or it holds recordings that the manifest does
        not name and that are not to be removed.

    Examples
    --------
    >>> from musicnet_build.datasets.build import build
    >>> from musicnet_build.datasets.manifest import read_manifest
    >>> from musicnet_build.datasets.plan import Settings
    >>> from musicnet_build.recipe import RecipeSettings
    >>> manifest = read_manifest("data_manifests/demo.csv")
    >>> rows = build(manifest, "built", Settings(RecipeSettings(preset="musicnet")))
    >>> [(row.id, row.state) for row in rows]
    [('1', 'review')]
    """
    plan = plan_build(manifest, folder, settings, remake=remake, allow_outside=allow_outside)
    return carry_out(plan, run=run, progress=progress, prune=prune)


def carry_out(
    plan: Plan,
    *,
    run: Runner | None = None,
    progress: Progress = ignore,
    prune: bool = False,
) -> list[Row]:
    """Do what was planned (see ``build``); of a part of the recordings no lists are written."""
    root = plan.root
    with _working_in(root, shared=plan.is_part):
        if plan.gone and not prune:
            by_hand = f" (labels changed by hand: {', '.join(plan.gone_corrected)})" if plan.gone_corrected else ""
            raise DatasetError(
                f"{root} holds {_count(plan.gone)} that {plan.manifest.path.name} does not name: --prune removes "
                f"them{by_hand}; or build into another folder."
            )
        # While it is away, the dataset does not pass for a whole one.
        (root / musicnet.INDEX_FILE).unlink(missing_ok=True)
        run = run or LocalRunner(default_workers())
        if plan.is_part:
            # Others write here: what they have not finished is no leftover.
            return _rows(plan, _run(plan, run, progress))
        remove_all_leftovers(root)
        if plan.adapt_collection:
            plan = replace(plan, tasks=tuple(with_networks(plan.tasks, run, progress)))
        outcomes = _run(plan, run, progress)
        # Once more: a worker may have been killed while it wrote.
        remove_all_leftovers(root)
        rows = _rows(plan, outcomes)
        remove_recordings(root, plan.gone)
        moved = withdraw_failed(root, [row.id for row in rows if row.state == FAILED])
        rows = [row.renamed(*moved[row.id]) if row.id in moved else row for row in rows]
        write_lists(root, plan.manifest.entries, rows)
    return rows


def _count(ids: Sequence[str]) -> str:
    listed = sorted(ids, key=musicnet.id_order)
    names = ", ".join(listed[:10]) + (f" and {len(listed) - 10} more" if len(listed) > 10 else "")
    return f"{len(ids)} recording{'s' if len(ids) > 1 else ''} ({names})"


def _run(plan: Plan, run: Runner, progress: Progress) -> list[Outcome]:
    jobs = [Job(task.id, make_recording, {"task": task}, _memory(task, plan)) for task in plan.tasks]
    names = {task.id: task.entry.named("recording") for task in plan.tasks}
    work_s = {task.id: seconds_needed(task) for task in plan.tasks if plan.reasons[task.id]}
    pace = Pace(names, work_s, getattr(run, "workers", None))
    progress(pace.start(), 0.0)

    def on_done(outcome: Outcome) -> None:
        progress(pace.step(outcome), pace.fraction)

    return run(jobs, on_done)


def _memory(task: Task, plan: Plan) -> int | Callable[[], int]:
    """What a job needs, which is found out by reading the recording; not where it is elsewhere and has its labels."""
    return functools.partial(memory_needed, task) if plan.reasons[task.id] or not task.copies else 0


def _rows(plan: Plan, outcomes: Sequence[Outcome]) -> list[Row]:
    by_id = {outcome.id: outcome for outcome in outcomes}
    tasks = sorted(plan.tasks, key=lambda task: musicnet.id_order(task.id))
    return [_row(task, by_id[task.id]) for task in tasks]


def _row(task: Task, outcome: Outcome) -> Row:
    record = read_record(files_record_path(task.root, task.id)) if outcome.state == "done" else None
    if record is None:
        # Files are named as in the manifest: the same dataset wherever it is built.
        reason = task.as_named(outcome.reason or "its record is missing: run again.")
        return Row(task.id, _name(task.entry), FAILED, (reason.replace(f"{task.dataset}{os.sep}", ""),), False, False)
    state, reasons = state_of(task.entry, record.report)
    made = outcome.result is True
    return Row(task.id, _name(task.entry), state, tuple(reasons), state in task.include, made, record)


def _name(entry: Entry) -> str:
    return Path(entry.named("recording")).name


@contextlib.contextmanager
def _working_in(root: Path, *, shared: bool) -> Iterator[None]:
    """Keep other builds out; the lock goes with the process, however it ends."""
    if root.exists() and not (root / musicnet.BUILD_FOLDER).is_dir() and any(root.iterdir()):
        raise DatasetError(f"{root} is not empty and was not made by this command: give another folder.")
    (root / musicnet.BUILD_FOLDER).mkdir(parents=True, exist_ok=True)
    with locked(root / musicnet.LOCK_FILE, shared=shared) as is_ours:
        if not is_ours:
            raise DatasetError(f"another build is at work in {root}: wait for it, or stop it.")
        yield
