"""What was made already: one record a job, by content and never by date.

Builds, packers and generators all go on after an interruption in the same way. A job says what its result is *made
from* (hashes of its inputs, its settings, the fingerprint of the code that decides), as a flat mapping of plain values.
When its files are whole, a record of that mapping and of the files' hashes is written, last of all. Next time the job
is done again only where the record is missing, was made from something else, or a file is no longer what it was::

    def pack_one(recording, shard, settings):                       # in the worker
        made_from = {
            "audio": sha256_of(recording.audio),
            "labels": sha256_of(recording.labels),
            "code": code_fingerprint("packing", "audio", "labels"),
            **settings,
        }
        def make():
            ...                                                     # write the shard through files.replacing
            return Made([shard.name], {"notes": 12})                # its files, and what the caller wants to know
        record, is_new = make_once(shard.with_suffix(".json"), shard.parent, made_from, make)

``code_fingerprint`` names rooms or modules of this package: their sources and data files are hashed, so that a recipe
changed by one constant makes its results again and any other change none. Name what decides the *bytes* of the result:
:data:`LABELS` for labels, the packer's own module beside it for a package.

Who wants to say why something is made again asks :func:`differences`; who finds the files in other places than the
record (as a dataset that moves recordings between its sets) takes :func:`read_record` and :func:`is_whole` apart.
"""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from musicnet_build.errors import DatasetError
from musicnet_build.files import read_json, sha256_of, write_json

LABELS = ("score", "audio", "features", "dtw", "synthesis", "sync", "quality", "labels", "alignment", "notes")
"""The rooms whose sources and weights decide what labels come out."""

_PACKAGE = Path(__file__).parents[1]
_CODE_SUFFIXES = {".py", ".npz", ".npy", ".toml", ".json", ".yaml", ".csv"}
_SHORTEST_HASH = 32


@dataclass(frozen=True)
class Record:
    """What a job left behind.

    Attributes
    ----------
    made_from : mapping of str to plain values
        All that the files depend on.
    files : mapping of str to str
        SHA-256 of each file, by its path from the folder of the job.
    report : mapping
        What the job found out and its caller wants to know; plain values.
    """

    made_from: Mapping[str, Any]
    files: Mapping[str, str]
    report: Mapping[str, Any] = field(default_factory=dict)


class Made(NamedTuple):
    """What a job has just made: the paths of its files from its folder, and its report."""

    files: Iterable[str]
    report: Mapping[str, Any] = {}


def make_once(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    made_from: Mapping[str, Any],
    make: Callable[[], Made],
) -> tuple[Record, bool]:
    """Do a job unless its record says that it is done.

    Parameters
    ----------
    path : str or PathLike
        Of the record.
    folder : str or PathLike
        From which the job's files are named.
    made_from : mapping of str to plain values
        All that the files depend on.
    make : callable
        Writes the files, each whole or not at all.

    Returns
    -------
    record : Record
    is_new : bool
        Whether anything was made now.
    """
    record = read_record(path)
    if record is not None and not differences(record, made_from) and is_whole(record, folder):
        return record, False
    # What is about to be overwritten is no longer what the record says.
    remove_record(path)
    files, report = make()
    record = Record(_plain(made_from), {name: sha256_of(Path(folder) / name) for name in files}, _plain(report))
    write_record(path, record)
    return record, True


def read_record(path: str | os.PathLike[str]) -> Record | None:
    """Return the record of a job, None where there is none that can be read: it then proves nothing."""
    if not Path(path).is_file():
        return None
    try:
        record = Record(**read_json(path))
    except (DatasetError, TypeError):
        return None
    parts = record.made_from, record.files, record.report
    return record if all(isinstance(part, dict) for part in parts) else None


def write_record(path: str | os.PathLike[str], record: Record) -> None:
    """Write the record of a job, once all its files are whole."""
    write_json(path, _plain(asdict(record)))


def remove_record(path: str | os.PathLike[str]) -> None:
    """Remove the record of a job, before any of its files is touched."""
    Path(path).unlink(missing_ok=True)


def differences(record: Record | None, made_from: Mapping[str, Any]) -> list[str]:
    """Say in what a job differs from what its record was made from.

    Parameters
    ----------
    record : Record or None
    made_from : mapping of str to plain values
        What the job would be made from now.

    Returns
    -------
    list of str
        Such as ``preset: precise, before musicnet``; hashes are not shown. Empty where nothing differs.

    Examples
    --------
    >>> record = Record({"score": "0" * 64, "preset": "musicnet"}, {})
    >>> differences(record, {"score": "1" * 64, "preset": "precise"})
    ['preset: precise, before musicnet', 'score has changed']
    """
    if record is None:
        return ["it was not made before"]
    now, before = _plain(made_from), record.made_from
    return [
        _difference(name, before.get(name), now.get(name))
        for name in sorted({*now, *before})
        if now.get(name) != before.get(name)
    ]


def is_whole(record: Record, folder: str | os.PathLike[str]) -> bool:
    """Return whether all files of a record are there, with the bytes that it names."""
    return all(is_file(Path(folder) / name, digest) for name, digest in record.files.items())


def is_file(path: Path, sha256: str) -> bool:
    """Return whether a file is there and has the bytes of this hash."""
    return path.is_file() and sha256_of(path) == sha256


@functools.cache
def code_fingerprint(*rooms: str) -> str:
    """Return a hash of the code and the weights of some rooms: a change in any of their files is another hash.

    Parameters
    ----------
    *rooms : str
        Packages or modules below ``musicnet_build``, such as ``sync``, ``alignment`` or ``packing.frames``.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    ValueError
        When there is no such room.
    """
    digest = hashlib.sha256()
    for room in sorted(set(rooms)):
        for path in _files_of(room):
            digest.update(f"{path.relative_to(_PACKAGE).as_posix()} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def _files_of(room: str) -> list[Path]:
    place = _PACKAGE.joinpath(*room.split("."))
    if place.is_dir():
        return sorted(path for path in place.rglob("*") if path.suffix in _CODE_SUFFIXES)
    if not place.with_suffix(".py").is_file():
        raise ValueError(f"musicnet_build has no room {room!r}")
    return [place.with_suffix(".py")]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they come back from a file."""
    plain: dict[str, Any] = json.loads(json.dumps(values, allow_nan=False))
    return plain


def _difference(name: str, before: Any, now: Any) -> str:
    if any(isinstance(value, str) and len(value) >= _SHORTEST_HASH for value in (before, now)):
        return f"{name} has changed"
    if before is None:
        return f"{name}: {now}, not stated before"
    return f"{name}: {now}, before {before}" if now is not None else f"{name}: no longer {before}"
