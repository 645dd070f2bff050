"""From a manifest to a dataset folder: plan the jobs, one a recording, run them, and write the lists over all of them.

``build`` may be killed at any moment and run again: what is done is found by the bytes of inputs and outputs, and the
lists are written anew, the same for any number of workers. What one job does belongs to ``job``, the lists to
``lists``, and what the folder looks like to ``corpora.musicnet``.
"""

import contextlib
import functools
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from musicnet_build.corpora import musicnet
from musicnet_build.datasets.collection.networks import foreseen, with_networks
from musicnet_build.datasets.job import (
    ACCEPT,
    FAILED,
    REJECT,
    REVIEW,
    Row,
    Task,
    hash_inputs,
    make_recording,
    memory_needed,
    seconds_needed,
    state_of,
)
from musicnet_build.datasets.lists import remove_recordings, withdraw_failed, write_lists
from musicnet_build.datasets.manifest import Entry, InvalidManifestError, Manifest, inside
from musicnet_build.datasets.places import files_record_path, find_corrected, labels_record_path, remove_all_leftovers
from musicnet_build.errors import DatasetError, SoundfontError
from musicnet_build.files import locked
from musicnet_build.jobs.local import Job, LocalRunner, Outcome, default_workers
from musicnet_build.jobs.pace import Pace
from musicnet_build.jobs.resume import differences, read_record
from musicnet_build.listening.catalogue import judgements_folder
from musicnet_build.listening.judgements import Journal, condemning_events, standing
from musicnet_build.progress import Progress, ignore
from musicnet_build.recipe import RecipeSettings
from musicnet_build.synthesis.soundfonts import choose_soundfont
from musicnet_build.threads import on_all_cores

INCLUDED = {
    ACCEPT: (ACCEPT,),
    REVIEW: (ACCEPT, REVIEW),
    REJECT: (ACCEPT, REVIEW, REJECT),
}
"""For each choice of the worst state that goes into the sets, all states that do."""


@dataclass(frozen=True)
class Settings:
    """How a dataset is built.

    Attributes
    ----------
    recipe : RecipeSettings
        Where the manifest does not say otherwise.
    with_confidence : bool
        Add the column ``confidence`` to the labels.
    overlay : bool
        Write three short clips of each recording with tones at the notes.
    include : {"accept", "review", "reject"}
        The worst state in which a recording goes into the sets.
    drop_condemned : bool
        Leave out notes of which a person found, listening to the dataset, that they should not be there.
    confidence_beside : bool
        Write the confidence of the labels into files of their own.
    adapt_collection : bool
        Let the onset network learn from all recordings of an instrumentation together: ``collection.networks``.
    """

    recipe: RecipeSettings = field(default_factory=RecipeSettings)
    with_confidence: bool = False
    overlay: bool = False
    include: str = REVIEW
    drop_condemned: bool = False
    confidence_beside: bool = False
    adapt_collection: bool = False


@dataclass(frozen=True)
class Plan:
    """What a build is going to do.

    Attributes
    ----------
    manifest : Manifest
    root : Path
        The dataset's folder.
    tasks : tuple of Task
        One for each recording, in the order of the manifest.
    reasons : mapping
        By id: why the labels of a recording are found anew; empty where they are there.
    corrected : tuple of str
        Recordings whose labels a person has changed in the dataset: they are kept.
    gone : tuple of str
        Recordings in the dataset that the manifest does not name.
    gone_corrected : tuple of str
        Those of them whose labels a person has changed.
    adapt_collection : bool
        As in ``Settings``. Which labels a new network changes is not known before it has learnt.
    """

    manifest: Manifest
    root: Path
    tasks: tuple[Task, ...]
    reasons: Mapping[str, Sequence[str]]
    corrected: tuple[str, ...]
    gone: tuple[str, ...]
    gone_corrected: tuple[str, ...]
    adapt_collection: bool = False

    def lines(self, *, prune: bool = False) -> list[str]:
        """Return what a person wants to know before anything is made again or removed, in a few lines."""
        again = Counter(tuple(reasons) for reasons in self.reasons.values() if list(reasons) not in ([], [_NEW]))
        lines = [f"{count} will be made again: {'; '.join(reasons)}" for reasons, count in again.most_common(_SHOWN)]
        if len(again) > _SHOWN:
            rest = sum(again.values()) - sum(count for _, count in again.most_common(_SHOWN))
            lines.append(f"{rest} more will be made again, for other reasons")
        lines += [f"{one} is removed, and its labels were changed by hand" for one in self.gone_corrected if prune]
        return lines + [
            f"the labels of {one} were changed by hand and are kept: --remake {one} replaces them"
            for one in self.corrected
        ]


_NEW = "it was not made before"
_SHOWN = 5

Runner = Callable[[Sequence[Job], Callable[[Outcome], object]], list[Outcome]]
"""Runs jobs and reports each outcome, as ``run_jobs`` does."""


def plan_build(
    manifest: Manifest,
    folder: str | os.PathLike[str],
    settings: Settings,
    *,
    remake: Collection[str] = (),
    allow_outside: bool = False,
) -> Plan:
    """Find out what a build would do; nothing is written.

    Parameters
    ----------
    manifest : Manifest
    folder : str or PathLike
        Of the dataset, which need not exist.
    settings : Settings
    remake : collection of str
        Ids of recordings whose labels are to be found anew, even where a person has changed them.
    allow_outside : bool
        Let the manifest name soundfonts outside its folder.

    Returns
    -------
    Plan

    Raises
    ------
    ManifestError
        When a soundfont that the manifest names cannot be used.
    DatasetError
        When a recording to be remade is not in the manifest.
    """
    root = Path(folder).absolute()
    unknown = set(remake) - {entry.id for entry in manifest.entries}
    if unknown:
        raise DatasetError(f"{manifest.path} names no recording {min(unknown, key=musicnet.id_order)}.")
    tasks = on_all_cores(_with_hashes, _tasks(manifest, root, settings, remake, allow_outside))
    corrected = [task.id for task in tasks if not task.remake and find_corrected(root, task.id)]
    gone = sorted(_ids_in(root) - {task.id for task in tasks}, key=musicnet.id_order)
    return Plan(
        manifest=manifest,
        root=root,
        tasks=tuple(tasks),
        reasons={task.id: [] if task.id in corrected else _reasons(task, settings) for task in tasks},
        corrected=tuple(corrected),
        gone=tuple(gone),
        gone_corrected=tuple(one for one in gone if find_corrected(root, one)),
        adapt_collection=settings.adapt_collection,
    )


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
    >>> from musicnet_build.datasets.build import Settings, build
    >>> from musicnet_build.datasets.manifest import read_manifest
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
    shard: tuple[int, int] | None = None,
) -> list[Row]:
    """Do what was planned (see ``build``); of ``shard`` (k, n), only the k-th of n parts, and no lists."""
    root = plan.root
    with _working_in(root, shared=shard is not None):
        if plan.gone and not prune:
            by_hand = f" (labels changed by hand: {', '.join(plan.gone_corrected)})" if plan.gone_corrected else ""
            raise DatasetError(
                f"{root} holds {_count(plan.gone)} that {plan.manifest.path.name} does not name: --prune removes "
                f"them{by_hand}; or build into another folder."
            )
        # While it is away, the dataset does not pass for a whole one.
        (root / musicnet.INDEX_FILE).unlink(missing_ok=True)
        run = run or LocalRunner(default_workers())
        if shard:
            # Others write here: what they have not finished is no leftover.
            plan = replace(plan, tasks=plan.tasks[shard[0] - 1 :: shard[1]])
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


def _tasks(
    manifest: Manifest, root: Path, settings: Settings, remake: Collection[str], allow_outside: bool
) -> list[Task]:
    default = str(choose_soundfont(settings.recipe.soundfont).path)
    recipe = replace(settings.recipe, soundfont=default)
    events = standing(Journal(judgements_folder(root)).read()) if settings.drop_condemned else []
    tasks, problems = [], []
    for entry, line in zip(manifest.entries, manifest.lines, strict=True):
        try:
            own = _soundfont(manifest.folder, entry.soundfont, allow_outside) if entry.soundfont else default
        except SoundfontError as error:
            problems.append(f"line {line}: {error}")
            continue
        tasks.append(
            Task(
                dataset=str(root),
                folder=str(manifest.folder),
                entry=entry,
                settings=replace(entry.settings(recipe), soundfont=own),
                with_confidence=settings.with_confidence,
                confidence_beside=settings.confidence_beside,
                overlay=settings.overlay,
                include=INCLUDED[settings.include],
                condemned=condemning_events(events, entry.id),
                remake=entry.id in remake,
            )
        )
    if problems:
        raise InvalidManifestError(manifest.path, problems)
    return tasks


def _soundfont(folder: Path, name: str, allow_outside: bool) -> str:
    """A file in the manifest's folder, or the name of a soundfont of this machine."""
    if (folder / name).is_file():
        if not allow_outside and not inside(folder, name):
            raise SoundfontError(f"soundfont {name} lies outside the manifest's folder (--allow-outside permits that)")
        return str(choose_soundfont(folder / name).path)
    return str(choose_soundfont(Path(name).name if not allow_outside else name).path)


def _with_hashes(task: Task) -> Task:
    try:
        return replace(task, sha256=hash_inputs(task))
    except OSError:
        # Its job tries again, and fails with the reason.
        return task


def _reasons(task: Task, settings: Settings) -> list[str]:
    if task.remake:
        return ["--remake"]
    if not task.sha256:
        return []
    path = labels_record_path(task.root, task.id)
    record = read_record(path)
    if record is None and path.is_file():
        return ["its record is damaged, or of version 0.1"]
    made_from = task.made_from()
    return differences(record, foreseen(made_from, record) if settings.adapt_collection else made_from)


def _ids_in(root: Path) -> set[str]:
    """Ids of the recordings that an earlier build made, or was to make."""
    return {path.stem for path in (root / musicnet.BUILD_FOLDER).glob("[0-9]*.json")}


def _count(ids: Sequence[str]) -> str:
    listed = sorted(ids, key=musicnet.id_order)
    names = ", ".join(listed[:10]) + (f" and {len(listed) - 10} more" if len(listed) > 10 else "")
    return f"{len(ids)} recording{'s' if len(ids) > 1 else ''} ({names})"


def _run(plan: Plan, run: Runner, progress: Progress) -> list[Outcome]:
    jobs = [Job(task.id, make_recording, {"task": task}, functools.partial(memory_needed, task)) for task in plan.tasks]
    names = {task.id: task.entry.recording for task in plan.tasks}
    work_s = {task.id: seconds_needed(task) for task in plan.tasks if plan.reasons[task.id]}
    pace = Pace(names, work_s, getattr(run, "workers", None))
    progress(pace.start(), 0.0)

    def on_done(outcome: Outcome) -> None:
        progress(pace.step(outcome), pace.fraction)

    return run(jobs, on_done)


def _rows(plan: Plan, outcomes: Sequence[Outcome]) -> list[Row]:
    by_id = {outcome.id: outcome for outcome in outcomes}
    tasks = sorted(plan.tasks, key=lambda task: musicnet.id_order(task.id))
    return [_row(task, by_id[task.id]) for task in tasks]


def _row(task: Task, outcome: Outcome) -> Row:
    record = read_record(files_record_path(task.root, task.id)) if outcome.state == "done" else None
    if record is None:
        # Files are named as in the manifest: the same dataset wherever it is built.
        reason = (outcome.reason or "its record is missing: run again.").replace(f"{task.folder}{os.sep}", "")
        return Row(task.id, _name(task.entry), FAILED, (reason.replace(f"{task.dataset}{os.sep}", ""),), False, False)
    state, reasons = state_of(task.entry, record.report)
    made = outcome.result is True
    return Row(task.id, _name(task.entry), state, tuple(reasons), state in task.include, made, record)


def _name(entry: Entry) -> str:
    return Path(entry.recording).name


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
