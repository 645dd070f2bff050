"""From a manifest to a dataset folder: one job a recording, then the lists over all of them.

``build`` may be killed at any moment and run again: jobs that are done are found by the bytes of their files, and the
lists are written anew, the same for any number of workers. What one job does belongs to ``recording``; what the
folder looks like to ``musicnet``.
"""

import contextlib
import fcntl
import functools
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from musicnet_build.corpora import musicnet
from musicnet_build.datasets import data_card as card
from musicnet_build.datasets.job import (
    ACCEPTED,
    FAILED,
    OVERLAY_CLIPS,
    RECORDS_FOLDER,
    REJECTED,
    REVIEW,
    STATES,
    Row,
    Task,
    make_recording,
    memory_needed,
    read_record,
    state_of,
    versions,
)
from musicnet_build.datasets.manifest import Entry, InvalidManifestError, Manifest, inside
from musicnet_build.errors import DatasetError, SoundfontError
from musicnet_build.files import digests_of, remove_leftovers, sha256_of, write_json, write_text
from musicnet_build.jobs.local import Job, Outcome, default_workers, run_jobs
from musicnet_build.listening.catalogue import judgements_folder
from musicnet_build.listening.judgements import Journal, condemning_events, standing
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.synthesis.soundfonts import choose_soundfont

INCLUDED = {
    ACCEPTED: (ACCEPTED,),
    REVIEW: (ACCEPTED, REVIEW),
    REJECTED: (ACCEPTED, REVIEW, REJECTED),
}
"""For each choice of the worst state that goes into the sets, all states that do."""

_MEMORY_SHARE = 0.8
_SETTLING_S = 10.0
_CONTAINER = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Settings:
    """How a dataset is built.

    Attributes
    ----------
    preset : str
        Where the manifest does not say otherwise.
    soundfont : str or None
        Name or file, where the manifest does not say otherwise; None takes the best one found.
    strict, with_confidence, overlay : bool
        As in ``Task``.
    include : {"accepted", "review", "rejected"}
        The worst state in which a recording goes into the sets.
    drop_condemned : bool
        Leave out notes of which a person found, listening to the dataset, that they should not be there.
    """

    preset: str = "precise"
    soundfont: str | None = None
    strict: bool = False
    with_confidence: bool = False
    overlay: bool = False
    include: str = REVIEW
    drop_condemned: bool = False


@dataclass(frozen=True)
class Progress:
    """Where a build stands.

    Attributes
    ----------
    done, total : int
        Recordings.
    outcome : Outcome
        Of the recording that ended just now.
    remaining_s : float or None
        An estimate; None before there is anything to go by.
    """

    done: int
    total: int
    outcome: Outcome
    remaining_s: float | None


Runner = Callable[[Sequence[Job], Callable[[Outcome], object]], list[Outcome]]
"""Runs jobs and reports each outcome, as ``run_jobs`` does."""


def build(
    manifest: Manifest,
    folder: str | os.PathLike[str],
    settings: Settings,
    *,
    run: Runner | None = None,
    progress: Callable[[Progress], object] | None = None,
    allow_outside: bool = False,
) -> list[Row]:
    """Make a dataset of a manifest, or complete one.

    Parameters
    ----------
    manifest : Manifest
    folder : str or PathLike
        A folder that is new, empty, or was made by this function. Files of recordings that the manifest no longer
        names are removed from it.
    settings : Settings
    run : callable, optional
        Runs the jobs; by default on as many workers as there are processors and memory for.
    progress : callable, optional
        Called whenever a recording is done.
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
        When the folder holds something else, or another build works in it.

    Examples
    --------
    >>> from musicnet_build.datasets.build import Settings, build
    >>> from musicnet_build.datasets.manifest import read_manifest
    >>> rows = build(read_manifest("data_manifests/demo.csv"), "built", Settings(preset="musicnet"))
    >>> [(row.id, row.state) for row in rows]
    [('1', 'review')]
    """
    root = Path(folder).absolute()
    tasks = _tasks(manifest, root, settings, allow_outside)
    if settings.drop_condemned:
        events = standing(Journal(judgements_folder(root)).read())
        tasks = [replace(task, condemned=condemning_events(events, task.id)) for task in tasks]
    with _locked(root):
        _remove_all_leftovers(root)
        outcomes = _run(tasks, run or local_runner(default_workers()), progress)
        # Once more: a worker may have been killed while it wrote.
        _remove_all_leftovers(root)
        made = {outcome.id for outcome in outcomes if outcome.result is True}
        rows = [_row(task, outcome, manifest.folder, outcome.id in made) for task, outcome in _by_id(tasks, outcomes)]
        _write_lists(root, manifest, tasks, rows)
    return rows


def local_runner(workers: int) -> Runner:
    """Return what runs jobs on this machine: as many at once as there are workers and as fit into memory."""

    def run(jobs: Sequence[Job], on_done: Callable[[Outcome], object]) -> list[Outcome]:
        return run_jobs(jobs, workers=workers, on_done=on_done, memory_bytes=round(_MEMORY_SHARE * _free_memory()))

    return run


def summary_table(rows: Sequence[Row]) -> list[str]:
    """Return lines for people: how many came out how, and each that is not simply accepted, with its reason."""
    counts = Counter(row.state for row in rows)
    lines = [f"{state:<9} {counts[state]:>6}" for state in STATES if counts[state]]
    lines.append(f"{'in sets':<9} {sum(row.included for row in rows):>6}")
    lines += [f"{row.state:<9} {row.id:>6}  {row.reason}" for row in rows if row.state != ACCEPTED]
    return lines


# ---------------------------------------------------------------------------------------------------------------------
# Jobs


def _tasks(manifest: Manifest, root: Path, settings: Settings, allow_outside: bool) -> list[Task]:
    default = str(choose_soundfont(settings.soundfont).path)
    tasks, problems = [], []
    for entry, line in zip(manifest.entries, manifest.lines, strict=True):
        try:
            soundfont = _soundfont(manifest.folder, entry.soundfont, allow_outside) if entry.soundfont else default
        except SoundfontError as error:
            problems.append(f"line {line}: {error}")
            continue
        tasks.append(_task(entry, manifest.folder, root, settings, soundfont))
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


def _task(entry: Entry, folder: Path, root: Path, settings: Settings, soundfont: str) -> Task:
    return Task(
        dataset=str(root),
        id=entry.id,
        split=entry.split,
        recording=str(folder / entry.recording),
        score=str(folder / entry.score),
        soundfont=soundfont,
        start_s=entry.start_s,
        end_s=entry.end_s,
        preset=entry.preset or settings.preset,
        order=entry.order,
        transposition=entry.transposition,
        tuning_cents=entry.tuning_cents,
        strict=settings.strict,
        with_confidence=settings.with_confidence,
        overlay=settings.overlay,
        include=INCLUDED[settings.include],
        check=entry.check,
        verdict=entry.verdict,
        reason=entry.reason,
    )


def _run(tasks: list[Task], run: Runner, progress: Callable[[Progress], object] | None) -> list[Outcome]:
    sizes = {task.id: Path(task.recording).stat().st_size for task in tasks}
    jobs = [Job(task.id, make_recording, asdict(task), functools.partial(memory_needed, task)) for task in tasks]
    clock = _Clock(sizes)

    def on_done(outcome: Outcome) -> None:
        remaining_s = clock.remaining_s(outcome)
        if progress is not None:
            progress(Progress(clock.done, len(jobs), outcome, remaining_s))

    return run(jobs, on_done)


class _Clock:
    """Estimates the remaining time from the pace so far, by the size of the recordings' files.

    Recordings that were found ready say nothing of how long the others take, and the first seconds, in which the
    workers start, little.
    """

    def __init__(self, sizes: dict[str, int]) -> None:
        self._sizes = sizes
        self._left_bytes = sum(sizes.values())
        self._made_bytes = 0
        self._started_s = time.monotonic()
        self.done = 0

    def remaining_s(self, outcome: Outcome) -> float | None:
        self.done += 1
        size = self._sizes[outcome.id]
        self._left_bytes -= size
        self._made_bytes += 0 if outcome.result is False else size
        elapsed_s = time.monotonic() - self._started_s
        if not self._made_bytes or elapsed_s < _SETTLING_S:
            return None
        return elapsed_s / self._made_bytes * self._left_bytes


def _free_memory() -> int:
    """Bytes that can be had without swapping, by this machine and by the container; a guess where neither says."""
    found = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    with contextlib.suppress(OSError, ValueError):
        limit, used = (
            int((_CONTAINER / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current")
        )
        found.append(max(limit - used, 0))
    return min(found, default=8 * 2**30)


# ---------------------------------------------------------------------------------------------------------------------
# The folder


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Keep other builds out; the lock goes with the process, however it ends."""
    records = root / RECORDS_FOLDER
    if root.exists() and not records.is_dir() and any(root.iterdir()):
        raise DatasetError(f"{root} is not empty and was not made by this command: give another folder.")
    records.mkdir(parents=True, exist_ok=True)
    with (records / "lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatasetError(f"another build is at work in {root}: wait for it, or stop it.") from None
        yield


def _remove_all_leftovers(root: Path) -> None:
    """Remove the temporary files of processes that were killed."""
    for folder in (root, *(root / name for name in _FOLDERS)):
        remove_leftovers(folder)


def _by_id(tasks: list[Task], outcomes: list[Outcome]) -> Iterator[tuple[Task, Outcome]]:
    by_id = {outcome.id: outcome for outcome in outcomes}
    for task in sorted(tasks, key=lambda task: musicnet.id_order(task.id)):
        yield task, by_id[task.id]


def _row(task: Task, outcome: Outcome, folder: Path, made: bool) -> Row:
    record = read_record(Path(task.dataset), task.id) if outcome.state == "done" else None
    if record is None:
        # Files are named as in the manifest: the same dataset wherever it is built.
        reason = (outcome.reason or "its record is missing: run again.").replace(f"{folder}{os.sep}", "")
        return Row(task.id, FAILED, (reason.replace(f"{task.dataset}{os.sep}", ""),), False, made)
    state, reasons = state_of(task, record)
    return Row(task.id, state, tuple(reasons), state in task.include, made)


_FOLDERS = (
    *(f"{split}_{kind}" for split in musicnet.SPLITS for kind in ("data", "labels")),
    musicnet.LEFT_OUT_FOLDER,
    musicnet.QUALITY_FOLDER,
    musicnet.OVERLAYS_FOLDER,
    musicnet.SPLITS_FOLDER,
    RECORDS_FOLDER,
)


def _write_lists(root: Path, manifest: Manifest, tasks: list[Task], rows: list[Row]) -> None:
    """Write everything that speaks of more than one recording, and remove what no recording owns."""
    entries = {entry.id: entry for entry in manifest.entries}
    by_id = {task.id: task for task in tasks}
    records = {row.id: read_record(root, row.id) or {} for row in rows if row.state != FAILED}
    files = _files_of_recordings(rows, by_id)
    _remove_strays(root, files, set(records))
    for split in musicnet.SPLITS:
        for kind in ("data", "labels"):
            (root / f"{split}_{kind}").mkdir(exist_ok=True)
    included = [(entries[row.id], records[row.id]) for row in rows if row.included]
    musicnet.write_table(
        root / musicnet.METADATA_FILE,
        musicnet.METADATA_COLUMNS,
        [entry.model_dump() | {"seconds": f"{record['samples'] / SAMPLE_RATE:.0f}"} for entry, record in included],
    )
    left_out = [{"id": row.id, "state": row.state, "reason": row.reason} for row in rows if not row.included]
    musicnet.write_table(root / musicnet.LEFT_OUT_FILE, musicnet.LEFT_OUT_COLUMNS, left_out)
    for split in musicnet.SPLITS:
        ids = [entry.id for entry, _ in included if entry.split == split]
        write_text(root / musicnet.SPLITS_FOLDER / f"{split}.txt", "".join(f"{one}\n" for one in ids))
    write_json(root / musicnet.PROVENANCE_FILE, _provenance(entries, by_id, rows, records))
    write_json(root / musicnet.INDEX_FILE, _index(root, included))
    write_text(root / musicnet.CARD_FILE, card.data_card(rows, entries, records))
    _write_checksums(root, files, by_id, records)


def _files_of_recordings(rows: list[Row], tasks: dict[str, Task]) -> dict[str, tuple[str, str]]:
    """Path of every file that belongs to one recording: the recording's id, and what its record calls the file."""
    files: dict[str, tuple[str, str]] = {}
    for row in rows:
        if row.state == FAILED:
            continue
        split = tasks[row.id].split
        if row.included:
            files[musicnet.audio_path(split, row.id)] = row.id, "audio"
        labels = musicnet.labels_path(split, row.id) if row.included else musicnet.left_out_path(row.id)
        files[labels] = row.id, "labels"
        files[musicnet.quality_path(row.id)] = row.id, "quality"
        if tasks[row.id].overlay:
            clips = (f"{musicnet.OVERLAYS_FOLDER}/{row.id}_{clip}.flac" for clip in OVERLAY_CLIPS)
            files |= {clip: (row.id, clip) for clip in clips}
    return files


def _remove_strays(root: Path, files: Collection[str], ids: Collection[str]) -> None:
    records = {f"{RECORDS_FOLDER}/{recording_id}.json" for recording_id in ids}
    lists = {f"{musicnet.SPLITS_FOLDER}/{split}.txt" for split in musicnet.SPLITS}
    kept = {*files, *records, *lists, f"{RECORDS_FOLDER}/lock"}
    for folder in _FOLDERS:
        for path in (root / folder).glob("*"):
            if f"{folder}/{path.name}" not in kept and path.is_file():
                path.unlink()
        if (root / folder).is_dir() and not any((root / folder).iterdir()):
            (root / folder).rmdir()


def _provenance(
    entries: dict[str, Entry], tasks: dict[str, Task], rows: list[Row], records: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    made = {}
    for row in rows:
        if row.state == FAILED:
            continue
        entry, record, inputs = entries[row.id], records[row.id], records[row.id]["inputs"]
        made[row.id] = {
            "recording": {"path": entry.recording, "sha256": inputs["recording"]},
            "score": {"path": entry.score, "sha256": inputs["score"]},
            "soundfont": {"name": Path(tasks[row.id].soundfont).stem, "sha256": inputs["soundfont"]},
            "settings": record["settings"],
            "versions": record["versions"],
            "state": row.state,
            "reasons": list(row.reasons),
            "source": entry.source,
            "licence": entry.licence,
            "overlaps_in_score": record["overlaps_in_score"],
            "labels_sha256": record["outputs"]["labels"][0],
            "audio_sha256": record["outputs"]["audio"][0] if row.included else None,
        }
    return {"versions": versions(), "recordings": made}


def _index(root: Path, included: list[tuple[Entry, dict[str, Any]]]) -> dict[str, Any]:
    tracks = {
        entry.id: {
            "audio": [musicnet.audio_path(entry.split, entry.id), record["outputs"]["audio"][1]],
            "labels": [musicnet.labels_path(entry.split, entry.id), record["outputs"]["labels"][1]],
            "quality": [musicnet.quality_path(entry.id), record["outputs"]["quality"][1]],
        }
        for entry, record in included
    }
    metadata = [musicnet.METADATA_FILE, digests_of(root / musicnet.METADATA_FILE).md5]
    return {"version": musicnet.INDEX_VERSION, "tracks": tracks, "metadata": {"musicnet_metadata": metadata}}


def _write_checksums(
    root: Path, files: dict[str, tuple[str, str]], tasks: dict[str, Task], records: dict[str, dict[str, Any]]
) -> None:
    """Jobs have hashed their files; only the lists are hashed here."""
    sums = {path: records[recording_id]["outputs"][name][0] for path, (recording_id, name) in files.items()}
    splits = (f"{musicnet.SPLITS_FOLDER}/{split}.txt" for split in musicnet.SPLITS)
    names = (musicnet.METADATA_FILE, musicnet.LEFT_OUT_FILE, musicnet.PROVENANCE_FILE, musicnet.INDEX_FILE)
    for path in (*names, musicnet.CARD_FILE, *splits):
        sums[path] = sha256_of(root / path)
    write_text(root / musicnet.CHECKSUMS_FILE, "".join(f"{sums[path]}  {path}\n" for path in sorted(sums)))
