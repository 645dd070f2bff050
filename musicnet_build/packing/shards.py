"""What the packers share: one shard a recording, made in parallel, kept until the package is whole.

The shards lie in a hidden folder beside the package until it is whole. A shard's name ends in a hash of all that it
depends on, so a run that was interrupted or failed is continued, and only what has changed since is made anew.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build import __version__
from musicnet_build.corpora.folds import Fold
from musicnet_build.corpora.recordings import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.files import remove_leftovers, sha256_of
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.packing.hdf5 import add, merge_shards, reading, writing

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Packed:
    """What was packed.

    Attributes
    ----------
    recordings : int
    made : int
        Shards made in this run; the others were there.
    counts : dict of str to int
        Sums over the recordings of what their shards count, such as notes shorter than a frame.
    """

    recordings: int
    made: int
    counts: dict[str, int]


def make_shards(
    path: str | os.PathLike[str],
    recordings: Sequence[Recording],
    function: Callable[..., object],
    settings: Mapping[str, Any],
    *,
    workers: int,
    progress: Progress | None = None,
) -> tuple[list[Path], int]:
    """Call ``function(recording=, shard=, **settings)`` in worker processes for each shard that is not there.

    Parameters
    ----------
    path : str or PathLike
        The package to be.
    recordings : sequence of Recording
    function : callable
        Writes the file ``shard`` through :func:`musicnet_build.packing.hdf5.writing`.
    settings : mapping
        All that a shard depends on besides its recording; what JSON can hold.
    workers : int
    progress : callable, optional

    Returns
    -------
    shards : list of Path
        In the order of the recordings.
    made : int

    Raises
    ------
    DatasetError
        When some recordings fail; the shards of the others are kept for the next run.
    """
    folder = shard_folder(path)
    remove_leftovers(folder)
    shards = [folder / f"{recording.name}-{_digest(recording, settings)}.h5" for recording in recordings]
    jobs = [
        Job(recording.name, function, {"recording": recording, "shard": shard, **settings})
        for recording, shard in zip(recordings, shards, strict=True)
        if not shard.is_file()
    ]
    ended = 0

    def on_done(outcome: Outcome) -> None:
        nonlocal ended
        ended += 1
        if progress:
            progress("packing", ended / len(jobs))

    failed = [outcome for outcome in run_jobs(jobs, workers=workers, on_done=on_done) if outcome.state == "failed"]
    if failed:
        raise DatasetError(
            f"{len(failed)} of {len(recordings)} recordings could not be packed, the first of them {failed[0].id}: "
            f"{failed[0].reason} What is done is kept: mend it and run again."
        )
    return shards, len(jobs)


def shard_folder(path: str | os.PathLike[str]) -> Path:
    """Return the hidden folder for the shards of a package."""
    target = Path(path)
    return target.parent / f".{target.name}-shards"


def merge(
    path: str | os.PathLike[str],
    shards: Sequence[Path],
    splits: Mapping[str, Mapping[str, Fold]],
    arrays: Mapping[str, NDArray[Any]],
    attributes: Mapping[str, Any],
) -> None:
    """Join the shards, the splits and what else belongs to the whole into the package; then remove the shards."""
    whole = shard_folder(path) / "splits-and-more.part"
    with writing(whole) as file:
        write_splits(file, splits)
        for name, array in arrays.items():
            add(file, name, array)
    merge_shards(path, [whole, *shards], attributes={**attributes, "musicnet_build": __version__})
    remove_shards(path)


def remove_shards(path: str | os.PathLike[str]) -> None:
    """Remove the shards of a package that is whole, and those of earlier runs with other settings."""
    shutil.rmtree(shard_folder(path))


def write_splits(file: h5py.File, splits: Mapping[str, Mapping[str, Fold]]) -> None:
    """Write ``splits/<name>/<fold>/{train,valid,test}``: names of recordings, in UTF-8 of fixed length."""
    for name, folds in splits.items():
        for fold_name, fold in folds.items():
            for part in ("train", "valid", "test"):
                names = np.array([item.encode() for item in getattr(fold, part)], dtype=np.bytes_)
                add(file, f"splits/{name}/{fold_name}/{part}", names)


def describe(group: h5py.Group, recording: Recording) -> None:
    """Say in attributes what a recording is and what files it came from."""
    group.attrs.update(
        {
            "bank": recording.bank,
            "category": recording.category,
            "piece": recording.piece,
            "audio_sha256": sha256_of(recording.audio),
            "labels_sha256": sha256_of(recording.labels),
        }
    )


def summed_counts(shards: Sequence[Path]) -> dict[str, int]:
    """Sum the attributes named ``count_…`` of all shards' recordings."""
    totals: dict[str, int] = {}
    for shard in shards:
        with reading(shard) as file:
            for group in file.values():
                for name, value in group.attrs.items():
                    if name.startswith("count_"):
                        totals[name.removeprefix("count_")] = totals.get(name.removeprefix("count_"), 0) + int(value)
    return dict(sorted(totals.items()))


def check_names(recordings: Sequence[Recording]) -> None:
    """Refuse names that cannot name a group of a package or a file."""
    for recording in recordings:
        if not re.fullmatch(r"[^/\0]{1,200}", recording.name) or recording.name in (".", "..", "splits"):
            raise DatasetError(f"{recording.audio} cannot be packed under its name {recording.name!r}: rename it.")


def _digest(recording: Recording, settings: Mapping[str, Any]) -> str:
    sources = [recording.name, recording.bank, recording.piece, recording.split]
    sources += [value for file in (recording.audio, recording.labels) for value in _state(file)]
    text = json.dumps([__version__, sources, settings], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _state(file: Path) -> list[Any]:
    status = file.stat()
    return [str(file.resolve()), status.st_size, status.st_mtime_ns]
