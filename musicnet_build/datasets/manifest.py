"""Manifests: which recording goes with which score, and what is known about them.

A manifest is a table that a person can edit: CSV (commas or semicolons), or YAML with a list of the same fields under
``recordings``. ``read_manifest`` checks all of it and names every problem with its line. What spreadsheets make of a
table and the columns belong to ``tables``, pairing files into a manifest to ``pairing``.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicnet_build.datasets.tables.columns import COLUMNS, Entry
from musicnet_build.datasets.tables.faults import Fault, checked_entry, sentences
from musicnet_build.datasets.tables.spreadsheet import PATHS, URLS, Row, amend_table, csv_rows, normalised, yaml_rows
from musicnet_build.errors import ManifestError
from musicnet_build.files import write_text
from musicnet_build.remote.urls import fault_of, is_remote, shown

_SHOWN_PROBLEMS = 200


class InvalidManifestError(ManifestError):
    """A manifest with problems; ``problems`` holds one sentence for each, with its line."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        super().__init__("\n".join([f"{path} has {count}:", *problems[:_SHOWN_PROBLEMS]]))


@dataclass(frozen=True)
class Manifest:
    """A manifest that was checked.

    Attributes
    ----------
    path : Path
    entries : tuple of Entry
        In the order of the file.
    lines : tuple of int
        Line of each entry in the file.
    """

    path: Path
    entries: tuple[Entry, ...]
    lines: tuple[int, ...]

    @property
    def folder(self) -> Path:
        """What the paths of the entries start from."""
        return self.path.absolute().parent


def read_manifest(path: str | os.PathLike[str], *, allow_outside: bool = False) -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    path : str or PathLike
        Ends in .csv, .yaml or .yml.
    allow_outside : bool
        Let paths leave the manifest's folder.

    Returns
    -------
    Manifest

    Raises
    ------
    InvalidManifestError
        Names every problem of the file: fields, doubled ids, files that are missing or outside the folder.
    ManifestError
        When the file cannot be read at all.

    Examples
    --------
    >>> from musicnet_build.datasets.manifest import read_manifest
    >>> manifest = read_manifest("data_manifests/demo.csv")
    >>> [(entry.id, entry.recording, entry.split) for entry in manifest.entries]
    [('1', 'demo/recording.flac', 'train')]
    """
    path = Path(path)
    if path.suffix.lower() not in _READERS:
        raise ManifestError(f"{path}: a manifest ends in {', '.join(_READERS)}.")
    folder = path.absolute().parent
    rows = [normalised(row, folder) for row in _READERS[path.suffix.lower()](path, COLUMNS)]
    if not rows:
        raise ManifestError(f"{path} names no recording.")
    faults: list[Fault] = []
    entries = [(row.line, entry) for row in rows if (entry := checked_entry(row, faults))]
    faults += [*_doubled_ids(rows), *_file_problems(folder, rows, allow_outside)]
    if faults:
        raise InvalidManifestError(path, sentences(faults))
    return Manifest(path, tuple(entry for _, entry in entries), tuple(line for line, _ in entries))


def write_manifest(path: str | os.PathLike[str], entries: Iterable[Mapping[str, Any]]) -> None:
    """Write entries (fields that are missing are left empty) as CSV.

    Parameters
    ----------
    path : str or PathLike
    entries : iterable of mapping
        Fields of ``Entry``.

    Examples
    --------
    >>> from musicnet_build.datasets.manifest import read_manifest, write_manifest
    >>> write_manifest("manifest.csv", [{"id": "7", "recording": "recording.flac", "score": "score.mid"}])
    >>> read_manifest("manifest.csv").entries[0].id
    '7'
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    write_text(path, buffer.getvalue())


def amend_manifest(path: str | os.PathLike[str], changes: Mapping[str, Mapping[str, str]]) -> None:
    """Change fields of some entries of a CSV manifest; all else in it, order and delimiter included, stays as it is.

    Parameters
    ----------
    path : str or PathLike
        A manifest that ``read_manifest`` reads.
    changes : mapping
        Id to fields and their new values.

    Raises
    ------
    ManifestError
        When it is no CSV file.
    """
    amend_table(Path(path), COLUMNS, changes, ())


def extend_manifest(path: str | os.PathLike[str], entries: Sequence[Mapping[str, str]]) -> None:
    """Append entries to a CSV manifest; what is in it stays as it is.

    Parameters
    ----------
    path : str or PathLike
    entries : sequence of mapping
        Fields of ``Entry``.

    Raises
    ------
    ManifestError
        When it is no CSV file.
    """
    amend_table(Path(path), COLUMNS, {}, entries)


def manifest_fields(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Return the fields of a manifest's rows as they stand, whether or not its files are there."""
    path = Path(path)
    return [normalised(row, path.absolute().parent).fields for row in csv_rows(path, COLUMNS) if row.fields]


def inside(folder: Path, path: str) -> bool:
    """Return whether a path from a folder stays in it, links followed."""
    # Not Path.resolve, which stops at links that lead in a circle.
    return Path(os.path.realpath(folder / path)).is_relative_to(os.path.realpath(folder))


_READERS = {".csv": csv_rows, ".tsv": csv_rows, ".yaml": yaml_rows, ".yml": yaml_rows}


def _doubled_ids(rows: list[Row]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for row in rows:
        one = row.fields.get("id", "")
        if one and first.setdefault(one, row.line) != row.line:
            text = f"id {one[:60]} is that of line {first[one]} already"
            yield Fault(row.line, f"{row.line} {text}", text)


def _file_problems(folder: Path, rows: list[Row], allow_outside: bool) -> Iterator[Fault]:
    for row in rows:
        for name in PATHS:
            value = row.fields.get(name, "")
            if not value or not value.isprintable():
                continue
            if is_remote(value):
                fault = fault_of(value) if name in URLS else "is not read by a URL: name a file"
                if fault:
                    yield Fault(row.line, f"{name} {fault}", f"{name} {shown(value)}: {fault}")
            elif not allow_outside and not inside(folder, value):
                text = f"{name} {value} lies outside the manifest's folder (--allow-outside permits that)"
                yield Fault(row.line, f"{row.line} {text}", text)
            elif not os.path.isfile(folder / value):  # noqa: PTH113 - is_file() raises where a name is too long
                yield Fault(row.line, f"{name} {value} missing", f"{name} {value} does not exist")
