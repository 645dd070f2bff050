"""How packages are made: one shard a recording, in parallel, kept until the package is whole.

The shards lie in a hidden folder beside the package until it is whole, each with a record of what it was made from. So
a run that was interrupted or failed is continued, and only what has changed since is made anew.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build import __version__
from musicnet_build.corpora.folds import Fold
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.files import remove_leftovers, replacing, sha256_of
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.jobs.resume import Made, code_fingerprint, make_once
from musicnet_build.packing.hdf5 import add, merge_shards, writing
from musicnet_build.packing.sources import Progress

CODE = ("audio", "corpora", "features", "labels", "notes", "packing", "score")
"""The rooms whose code decides what is in a package."""


Counts = Mapping[str, int]
"""How many of what: notes, say, by name."""


FOLDER_INDEX = "package.json"
"""In packages that are folders of shards: what each shard holds."""


class Packable(Protocol):
    """What one shard is made of: a recording, or a piece of a timbre set."""

    @property
    def name(self) -> str:
        """Names the shard."""

    @property
    def inputs(self) -> Mapping[str, Path]:
        """Files, by what they are."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """All that the shard depends on besides files and settings, as plain values."""


class Shards(NamedTuple):
    """The shards of a package, in the order of what they were made of, and what making them counted."""

    paths: list[Path]
    made: int
    counts: dict[str, int]


def shard_folder(path: str | os.PathLike[str]) -> Path:
    """Return the hidden folder for the shards of a package."""
    target = Path(path)
    return target.parent / f".{target.name}-shards"


def make_shards(
    path: str | os.PathLike[str],
    items: Sequence[Packable],
    write: Callable[..., Counts],
    settings: Mapping[str, Any],
    *,
    workers: int,
    progress: Progress | None = None,
    ending: str = ".h5",
) -> Shards:
    """Call ``write(item, target, **settings)`` in worker processes for each shard that is not there.

    Parameters
    ----------
    path : str or PathLike
        The package to be.
    items : sequence of Packable
    write : callable
        A function of a module, which fills ``target``, a new HDF5 file (or, with another ending, the path of a file
        to write), and returns what it counted.
    settings : mapping
        All that a shard depends on besides its item; what JSON can hold.
    workers : int
    progress : callable, optional
    ending : str
        Of the shards' files.

    Returns
    -------
    Shards

    Raises
    ------
    DatasetError
        When some recordings fail; the shards of the others are kept for the next run.
    """
    folder = shard_folder(path)
    remove_leftovers(folder)
    shards = [folder / f"{item.name}{ending}" for item in items]
    jobs = [
        Job(item.name, make_shard, {"item": item, "shard": shard, "write": write, "settings": settings})
        for item, shard in zip(items, shards, strict=True)
    ]
    results = run_packing_jobs(path, jobs, workers=workers, progress=progress)
    return Shards(shards, sum(is_new for is_new, _ in results), summed(counts for _, counts in results))


def make_shard(
    item: Packable, shard: Path, write: Callable[..., Counts], settings: Mapping[str, Any]
) -> tuple[bool, Counts]:
    """Make the shard of one item unless its record says that it is done; a job of :func:`make_shards`."""

    def make() -> Made:
        with writing(shard) if shard.suffix == ".h5" else replacing(shard) as target:
            counts = write(item, target, **settings)
        return Made([shard.name], {"counts": dict(counts)})

    record, is_new = make_once(shard.with_suffix(".json"), shard.parent, made_from(item, settings), make)
    return is_new, record.report["counts"]


def made_from(item: Packable, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that decides what is packed of an item: the bytes of its files, its settings, and the code."""
    hashes = {name: sha256_of(file) for name, file in item.inputs.items()}
    return {**hashes, "facts": dict(item.facts), "settings": dict(settings), "code": code_fingerprint(*CODE)}


def run_packing_jobs(
    path: str | os.PathLike[str], jobs: Sequence[Job], *, workers: int, progress: Progress | None = None
) -> list[Any]:
    """Run the jobs of a package and return their results, in their order.

    Raises
    ------
    DatasetError
        When a job fails.
    """
    ended = 0

    def on_done(outcome: Outcome) -> None:
        nonlocal ended
        ended += 1
        if progress:
            progress("packing", ended / len(jobs))

    outcomes = run_jobs(jobs, workers=workers, on_done=on_done)
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        raise DatasetError(
            f"{path} is not complete: recording {failed[0].id}: {failed[0].reason} ({len(failed)} of {len(jobs)} "
            "recordings could not be packed; what is done is kept: mend it and run again.)"
        )
    return [outcome.result for outcome in outcomes]


def summed(counts: Iterable[Counts]) -> dict[str, int]:
    """Add what several recordings counted."""
    totals: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            totals[name] = totals.get(name, 0) + count
    return dict(sorted(totals.items()))


@contextlib.contextmanager
def publishing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path under which to assemble a package; then put it into its place and remove the shards.

    It lies among the shards, so that a process which is killed at it leaves nothing elsewhere.
    """
    whole = shard_folder(path) / "whole.part"
    yield whole
    whole.replace(path)
    shutil.rmtree(whole.parent)


@contextlib.contextmanager
def publishing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the folder in which to assemble a package of several files; then put it into its place.

    An earlier package there is removed as a whole: a shard of it must not stay among the new ones.

    Raises
    ------
    DatasetError
        When something else is there.
    """
    target, whole = Path(path), shard_folder(path) / "whole.part"
    if target.is_dir() and any(target.iterdir()) and not (target / FOLDER_INDEX).is_file():
        raise DatasetError(f"{target} holds other files: give a new folder.")
    former = whole.with_name("former.part")
    for leftover in (whole, former):
        if leftover.exists():
            shutil.rmtree(leftover)
    whole.mkdir()
    yield whole
    if target.exists():
        # Moved, not removed file by file: whoever is killed here leaves no half of it.
        target.replace(former)
    whole.replace(target)
    shutil.rmtree(whole.parent)


def merge(
    path: str | os.PathLike[str],
    shards: Shards,
    splits: Mapping[str, Mapping[str, Fold]],
    arrays: Mapping[str, NDArray[Any]],
    attributes: Mapping[str, Any],
) -> None:
    """Join the shards, the splits and what else belongs to the whole into the package; then remove the shards."""
    with publishing(path) as whole:
        more = whole.with_name("splits-and-more.part")
        with writing(more) as file:
            write_splits(file, splits)
            for name, array in arrays.items():
                add(file, name, array)
        merge_shards(whole, [more, *shards.paths], attributes={**attributes, "musicnet_build": __version__})


def write_splits(file: h5py.File, splits: Mapping[str, Mapping[str, Fold]]) -> None:
    """Write ``splits/<name>/<fold>/{train,valid,test}``: names of recordings, in UTF-8 of fixed length."""
    for name, names in parts_of(splits).items():
        add(file, f"splits/{name}", np.array([item.encode() for item in names], dtype=np.bytes_))


def parts_of(splits: Mapping[str, Mapping[str, Fold]]) -> dict[str, tuple[str, ...]]:
    """Return the names of recordings by part, such as ``configuration_1/fold_1/train``."""
    return {
        f"{name}/{fold_name}/{part}": getattr(fold, part)
        for name, folds in splits.items()
        for fold_name, fold in folds.items()
        for part in ("train", "valid", "test")
    }


def described_group(file: h5py.File, recording: Recording, counts: Counts, **attributes: Any) -> h5py.Group:
    """Create the group of a recording, with attributes that say what it is and what files it came from."""
    group = file.create_group(recording.name)
    group.attrs.update({"bank": recording.bank, "category": recording.category, "piece": recording.piece})
    group.attrs.update({f"{name}_sha256": sha256_of(path) for name, path in recording.inputs.items()})
    group.attrs.update(attributes)
    group.attrs.update({f"count_{name}": count for name, count in counts.items()})
    return group
