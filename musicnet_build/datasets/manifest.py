"""Manifests: which recording goes with which score, and what is known about them.

A manifest is a table that a person can edit: CSV (commas or semicolons), or YAML with a list of the same fields under
``recordings``. ``read_manifest`` checks all of it and names every problem with its line. What spreadsheets make of a
table belongs to ``spreadsheet``, pairing files into a manifest to ``pairing``.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from musicnet_build.choices import ALIGNMENT_PRESETS, SPLITS, VERDICTS
from musicnet_build.datasets.spreadsheet import (
    PATHS,
    Row,
    amend_table,
    csv_rows,
    fault_of_number,
    normalised,
    unknown_field,
    yaml_rows,
)
from musicnet_build.errors import ManifestError, ScoreError
from musicnet_build.files import write_text
from musicnet_build.recipe import RecipeSettings
from musicnet_build.score.order import read_passages

_SHOWN_PROBLEMS = 200
_Text = Annotated[str, StringConstraints(max_length=1000)]


class Entry(BaseModel):
    """One recording of a manifest.

    Attributes
    ----------
    id : str
        A whole number, as in MusicNet: its loaders take the names of the files for numbers.
    recording, score : str
        Paths from the manifest's folder. The score may be missing where there are labels.
    labels : str
        Labels by hand (CSV, MIDI, TSV, JAMS, Audacity), taken as they are; times count from ``start_s``.
    witness : str
        What a transcriber heard in the whole recording (see ``labels.witness``), one more opinion on the onsets.
    split : {"train", "validation", "test"}
    composer, composition, movement, ensemble, source, transcriber, catalog_name : str
        The columns of MusicNet's metadata.
    licence, performer : str
        Of the recording.
    start_s, end_s : float
        The part of the recording to use; all of it by default.
    soundfont, preset : str
        Where this recording needs others than the rest.
    order : str
        The order in which the passages of the score are played, such as ``1-24,9-48``, where it is not as written.
    transposition : int
        Semitones by which the recording sounds above the score as written.
    tuning_cents : float
        Cents by which the recording is tuned above A = 440 Hz, where that is known; whole semitones of it transpose
        the score, as ``transposition`` does.
    check : str
        Why a person should look at this line before trusting it; empty once that is done.
    paired_by : str
        How ``init`` found the pair: ``name``, or ``content`` with the distance.
    verdict : {"", "accept", "review", "reject"}
        What a person found when listening; counts more than what the program finds.
    reason : str
        Why, in the person's words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    id: Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})$")]
    recording: Annotated[_Text, StringConstraints(min_length=1)]
    score: _Text = ""
    split: Literal["train", "validation", "test"] = "train"
    composer: _Text = ""
    composition: _Text = ""
    movement: _Text = ""
    ensemble: _Text = ""
    source: _Text = ""
    transcriber: _Text = ""
    catalog_name: _Text = ""
    licence: _Text = ""
    performer: _Text = ""
    start_s: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    end_s: Annotated[float, Field(gt=0, le=1e6)] | None = None
    soundfont: _Text = ""
    preset: _Text = ""
    order: _Text = ""
    transposition: Annotated[int, Field(ge=-36, le=36)] = 0
    tuning_cents: Annotated[float, Field(ge=-200, le=200)] = 0.0
    labels: _Text = ""
    witness: _Text = ""
    paired_by: _Text = ""
    check: _Text = ""
    verdict: Literal["", "accept", "review", "reject"] = ""
    reason: _Text = ""

    @field_validator("*")
    @classmethod
    def _is_printable(cls, value: Any) -> Any:
        if isinstance(value, str) and not value.isprintable():
            raise ValueError("holds a line break or another control character")
        return value

    @field_validator("preset")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value and value not in ALIGNMENT_PRESETS:
            raise ValueError(f"is none of {', '.join(ALIGNMENT_PRESETS)}")
        return value

    @field_validator("order")
    @classmethod
    def _is_a_playing_order(cls, value: str) -> str:
        if value:
            try:
                read_passages(value)
            except ScoreError as error:
                raise ValueError(str(error).removesuffix(".")) from error
        return value

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Entry":
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s {self.end_s:g} is not after start_s {self.start_s:g}")
        return self

    def settings(self, default: RecipeSettings) -> RecipeSettings:
        """Return how this recording is labelled: as the others, but for what its line says."""
        return replace(
            default,
            preset=self.preset or default.preset,
            soundfont=self.soundfont or default.soundfont,
            order=self.order or default.order,
            transposition=self.transposition,
            tuning_cents=self.tuning_cents,
            start_s=self.start_s,
            end_s=self.end_s,
        )


COLUMNS = tuple(Entry.model_fields)


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
    faults: list[_Fault] = []
    entries = [(row.line, entry) for row in rows if (entry := _checked(row, faults))]
    faults += [*_doubled_ids(rows), *_file_problems(folder, rows, allow_outside)]
    if faults:
        raise InvalidManifestError(path, _sentences(faults))
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


# ---------------------------------------------------------------------------------------------------------------------
# Rows to entries

_CHOICES = {"split": SPLITS, "verdict": VERDICTS}
_UNITS = {"start_s": "seconds", "end_s": "seconds", "tuning_cents": "cents", "transposition": "semitones"}


class _Fault(NamedTuple):
    """What is wrong with a line; faults of one kind are told together."""

    line: int
    kind: str
    text: str


def _checked(row: Row, faults: list[_Fault]) -> Entry | None:
    faults += [_Fault(row.line, fault, fault) for fault in row.faults]
    if not row.fields:
        return None
    if not row.fields.keys() & {"score", "labels"}:
        faults.append(_Fault(row.line, f"{row.line} score", "score is empty"))
    try:
        return Entry.model_validate(row.fields)
    except ValidationError as error:
        found = error.errors()
        faults += [_Fault(row.line, _kind(fault), _sentence(fault)) for fault in found]
        return None


def _kind(fault: Any) -> str:
    """Faults of form, such as decimal commas, are one fault in all lines; others are told line by line."""
    return (
        f"{fault['loc']} {fault['type']}" if fault["type"].endswith(("_parsing", "literal_error")) else _sentence(fault)
    )


def _sentence(fault: Any) -> str:
    """Say in our own words what is wrong with a field."""
    name, kind = ".".join(map(str, fault["loc"])), fault["type"]
    if kind == "extra_forbidden":
        return unknown_field(name, COLUMNS)
    if kind == "missing":
        return f"{name} is empty"
    told = str(fault["msg"]).removeprefix("Value error, ")
    if not name:
        return told
    value = str(fault["input"])[:60]
    limits = fault.get("ctx", {})
    sentences = {
        "string_pattern_mismatch": "is not a whole number of at most nine digits",
        "string_too_long": "is longer than 1,000 characters",
        "literal_error": f"is none of {', '.join(_CHOICES.get(name, ()))}",
        "float_parsing": fault_of_number(value, _UNITS.get(name, "")),
        "int_parsing": f"write a whole number of {_UNITS.get(name, '')}, as in -2",
        "greater_than_equal": f"is less than {limits.get('ge')}",
        "greater_than": f"is not above {limits.get('gt')}",
        "less_than_equal": f"is more than {limits.get('le')}",
        "finite_number": "is no number",
    }
    return f"{name} {value!r}: {sentences.get(kind, told)}"


def _sentences(faults: list[_Fault]) -> list[str]:
    """One sentence for each kind of fault, at its first line, ordered by line."""
    lines: dict[str, list[_Fault]] = {}
    for fault in sorted(faults):
        lines.setdefault(fault.kind, []).append(fault)
    return [
        f"line {first.line}: {first.text}{_elsewhere([fault.line for fault in others])}"
        for first, *others in sorted(lines.values(), key=lambda group: (group[0].line, group[0].text))
    ]


def _elsewhere(lines: list[int]) -> str:
    if not lines:
        return ""
    named = ", ".join(map(str, lines[:5])) + (f" and {len(lines) - 5} more" if len(lines) > 5 else "")
    return f" (likewise in line{'s' if len(lines) > 1 else ''} {named})"


def _doubled_ids(rows: list[Row]) -> Iterator[_Fault]:
    first: dict[str, int] = {}
    for row in rows:
        one = row.fields.get("id", "")
        if one and first.setdefault(one, row.line) != row.line:
            text = f"id {one[:60]} is that of line {first[one]} already"
            yield _Fault(row.line, f"{row.line} {text}", text)


def _file_problems(folder: Path, rows: list[Row], allow_outside: bool) -> Iterator[_Fault]:
    for row in rows:
        for name in PATHS:
            value = row.fields.get(name, "")
            if not value or not value.isprintable():
                continue
            if not allow_outside and not inside(folder, value):
                text = f"{name} {value} lies outside the manifest's folder (--allow-outside permits that)"
                yield _Fault(row.line, f"{row.line} {text}", text)
            elif not os.path.isfile(folder / value):  # noqa: PTH113 - is_file() raises where a name is too long
                yield _Fault(row.line, f"{name} {value} missing", f"{name} {value} does not exist")
