"""Packages that are folders of files: a few files a recording, made in parallel, each with a record.

The records lie in the hidden folder ``.pack``. By them a run that was interrupted goes on, only what has changed is
made anew, and the files of recordings that are no longer in the dataset, or in another set of it, are removed: left
where they were, they could end up in training and in test.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from musicnet_build.corpora.recording import Recording
from musicnet_build.files import remove_leftovers
from musicnet_build.jobs.local import Job
from musicnet_build.jobs.resume import Made, make_once, read_record, remove_record
from musicnet_build.packing.shards import Counts, Packable, made_from, run_packing_jobs, summed
from musicnet_build.packing.sources import Packed, Progress, empty_parts, sizes_by_split

RECORDS = ".pack"


class FilesMade(NamedTuple):
    """What was made of the recordings, in their order."""

    made: int
    counts: dict[str, int]
    reports: list[Mapping[str, Any]]


class OneMade(NamedTuple):
    """The files of one recording, by their paths from the package, and what is told of it."""

    files: Iterable[str]
    counts: Counts
    report: Mapping[str, Any] = {}


def make_files(
    root: Path,
    items: Sequence[Packable],
    write: Callable[..., OneMade],
    settings: Mapping[str, Any],
    *,
    workers: int,
    progress: Progress | None = None,
) -> FilesMade:
    """Call ``write(item, root, **settings)`` in worker processes for each item whose files are not there.

    Parameters
    ----------
    root : Path
        The package's folder.
    items : sequence of Packable
    write : callable
        A function of a module, which writes each file whole or not at all.
    settings : mapping
        All that the files depend on besides their item; what JSON can hold.
    workers : int
    progress : callable, optional

    Returns
    -------
    FilesMade

    Raises
    ------
    DatasetError
        When some recordings fail; the files of the others stay.
    """
    _clear_up(root, {item.name for item in items})
    jobs = [
        Job(item.name, make_item, {"item": item, "root": root, "write": write, "settings": settings}) for item in items
    ]
    results = run_packing_jobs(root, jobs, workers=workers, progress=progress)
    counts = summed(report["counts"] for _, report in results)
    return FilesMade(sum(is_new for is_new, _ in results), counts, [report["report"] for _, report in results])


def make_item(
    item: Packable, root: Path, write: Callable[..., OneMade], settings: Mapping[str, Any]
) -> tuple[bool, Mapping[str, Any]]:
    """Make the files of one item unless its record says that they are there; a job of :func:`make_files`."""
    path = root / RECORDS / f"{item.name}.json"
    before = _files_of(path)

    def make() -> Made:
        # Some may lie in another set now.
        _unlink(root, before)
        files, counts, report = write(item, root, **settings)
        return Made(files, {"counts": dict(counts), "report": dict(report)})

    record, is_new = make_once(path, root, made_from(item, settings), make)
    return is_new, record.report


def packed_folder(root: Path, recordings: Sequence[Recording], made: FilesMade) -> Packed:
    """Return the result of a packer that writes a folder."""
    parts = sizes_by_split(recordings)
    stated = sum(parts.values()) > 0
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and RECORDS not in path.parts)
    warnings = empty_parts(parts) if stated else ()
    return Packed(root, len(recordings), made.made, parts if stated else {}, made.counts, size, warnings)


def _clear_up(root: Path, names: set[str]) -> None:
    """Remove what killed processes left, and the files of recordings that are not packed any more."""
    if not (root / RECORDS).is_dir():
        return
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        remove_leftovers(folder)
    for path in (root / RECORDS).glob("*.json"):
        if path.stem not in names:
            _unlink(root, _files_of(path))
            remove_record(path)


def _files_of(path: Path) -> list[str]:
    record = read_record(path)
    return [] if record is None else list(record.files)


def _unlink(root: Path, files: Iterable[str]) -> None:
    for name in files:
        file = root / name
        # A record is a file like any other: it must not lead out of the package.
        if file.resolve().is_relative_to(root.resolve()):
            file.unlink(missing_ok=True)
