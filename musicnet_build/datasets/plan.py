"""What a build is going to do: a task for each recording, and why its labels are found anew. Nothing is written."""

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from musicnet_build.anchors import read_anchors
from musicnet_build.corpora import musicnet
from musicnet_build.datasets.collection.networks import foreseen
from musicnet_build.datasets.job import ACCEPT, REJECT, REVIEW
from musicnet_build.datasets.manifest import InvalidManifestError, Manifest, inside
from musicnet_build.datasets.places import find_corrected, labels_record_path
from musicnet_build.datasets.tables.columns import Entry
from musicnet_build.datasets.tasks.task import Task, hash_inputs
from musicnet_build.errors import AlignmentError, DatasetError, SoundfontError
from musicnet_build.jobs.resume import differences, read_record
from musicnet_build.listening.catalogue import judgements_folder
from musicnet_build.listening.judgements import Journal, condemning_events, standing
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
    heard_beside : bool
        Write into files of their own how loud each note is in the recording, and whether it was played.
    adapt_collection : bool
        Let the onset network learn from all recordings of an instrumentation together: ``collection.networks``.
    """

    recipe: RecipeSettings = field(default_factory=RecipeSettings)
    with_confidence: bool = False
    overlay: bool = False
    include: str = REVIEW
    drop_condemned: bool = False
    confidence_beside: bool = False
    heard_beside: bool = False
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
    is_part : bool
        Whether others make the rest of the recordings: then no lists are written.
    """

    manifest: Manifest
    root: Path
    tasks: tuple[Task, ...]
    reasons: Mapping[str, Sequence[str]]
    corrected: tuple[str, ...]
    gone: tuple[str, ...]
    gone_corrected: tuple[str, ...]
    adapt_collection: bool = False
    is_part: bool = False

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
_UNREAD = "its files elsewhere were not read as they are now"
_SHOWN = 5


def plan_build(
    manifest: Manifest,
    folder: str | os.PathLike[str],
    settings: Settings,
    *,
    remake: Collection[str] = (),
    allow_outside: bool = False,
    shard: tuple[int, int] | None = None,
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
    shard : tuple of int, optional
        (k, n): plan only the k-th of n parts, of which the first has the first recording, the second the next.

    Returns
    -------
    Plan

    Raises
    ------
    ManifestError
        When a soundfont or a file of anchors that the manifest names cannot be used.
    DatasetError
        When a recording to be remade is not in the manifest.
    """
    root = Path(folder).absolute()
    unknown = set(remake) - {entry.id for entry in manifest.entries}
    if unknown:
        raise DatasetError(f"{manifest.path} names no recording {min(unknown, key=musicnet.id_order)}.")
    part, parts = shard or (1, 1)
    tasks = on_all_cores(_with_hashes, _tasks(manifest, root, settings, remake, allow_outside)[part - 1 :: parts])
    corrected = [task.id for task in tasks if not task.remake and find_corrected(root, task.id)]
    gone = sorted(_ids_in(root) - {entry.id for entry in manifest.entries}, key=musicnet.id_order)
    return Plan(
        manifest=manifest,
        root=root,
        tasks=tuple(tasks),
        reasons={task.id: [] if task.id in corrected else _reasons(task, settings) for task in tasks},
        corrected=tuple(corrected),
        gone=tuple(gone),
        gone_corrected=tuple(one for one in gone if find_corrected(root, one)),
        adapt_collection=settings.adapt_collection,
        is_part=shard is not None,
    )


def _tasks(
    manifest: Manifest, root: Path, settings: Settings, remake: Collection[str], allow_outside: bool
) -> list[Task]:
    default = str(choose_soundfont(settings.recipe.soundfont).path)
    recipe = replace(settings.recipe, soundfont=default)
    events = standing(Journal(judgements_folder(root)).read()) if settings.drop_condemned else []
    tasks, problems = [], []
    for entry, line in zip(manifest.entries, manifest.lines, strict=True):
        try:
            named = named_settings(manifest.folder, entry, recipe, allow_outside=allow_outside)
        except (AlignmentError, SoundfontError) as error:
            problems.append(f"line {line}: {error}")
            continue
        tasks.append(
            Task(
                dataset=str(root),
                folder=str(manifest.folder),
                entry=entry,
                settings=named,
                with_confidence=settings.with_confidence,
                confidence_beside=settings.confidence_beside,
                heard_beside=settings.heard_beside,
                overlay=settings.overlay,
                include=INCLUDED[settings.include],
                condemned=condemning_events(events, entry.id),
                remake=entry.id in remake,
            )
        )
    if problems:
        raise InvalidManifestError(manifest.path, problems)
    return tasks


def named_settings(folder: Path, entry: Entry, recipe: RecipeSettings, *, allow_outside: bool) -> RecipeSettings:
    """Return how a recording is labelled, with what stands in the files that its line names.

    Parameters
    ----------
    folder : Path
        Of the manifest.
    entry : Entry
    recipe : RecipeSettings
        Of the others.
    allow_outside : bool
        Let the line name a soundfont outside the folder.

    Returns
    -------
    RecipeSettings

    Raises
    ------
    AlignmentError, SoundfontError
        When such a file cannot be used.
    """
    settings = entry.settings(recipe)
    if entry.soundfont:
        settings = replace(settings, soundfont=_soundfont(folder, entry.soundfont, allow_outside))
    if entry.anchors:
        settings = replace(settings, anchors=",".join(map(str, read_anchors(folder / entry.anchors))))
    return settings


def _soundfont(folder: Path, name: str, allow_outside: bool) -> str:
    """A file in the manifest's folder, or the name of a soundfont of this machine."""
    if (folder / name).is_file():
        if not allow_outside and not inside(folder, name):
            raise SoundfontError(f"soundfont {name} lies outside the manifest's folder (--allow-outside permits that)")
        return str(choose_soundfont(folder / name).path)
    return str(choose_soundfont(Path(name).name if not allow_outside else name).path)


def _with_hashes(task: Task) -> Task:
    try:
        return replace(task, sha256=hash_inputs(task, fetch=False))
    except (DatasetError, OSError):
        # Its job reads it, or fails with the reason.
        return task


def _reasons(task: Task, settings: Settings) -> list[str]:
    if task.remake:
        return ["--remake"]
    path = labels_record_path(task.root, task.id)
    if not task.sha256:
        return ([_UNREAD] if path.is_file() else [_NEW]) if task.copies else []
    record = read_record(path)
    if record is None and path.is_file():
        return ["its record is damaged, or of version 0.1"]
    made_from = task.made_from()
    return differences(record, foreseen(made_from, record) if settings.adapt_collection else made_from)


def _ids_in(root: Path) -> set[str]:
    """Ids of the recordings that an earlier build made, or was to make."""
    return {path.stem for path in (root / musicnet.BUILD_FOLDER).glob("[0-9]*.json")}
