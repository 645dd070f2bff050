"""Manifests: which recording goes with which score, and what is known about them.

A manifest is a table that a person can edit: CSV (commas or semicolons), or YAML with a list of the same fields under
``recordings``. ``read_manifest`` checks all of it and names every problem with its line. Pairing files into a
manifest belongs to ``pairing``.
"""

import csv
import difflib
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from musicnet_build.alignment import RECIPES
from musicnet_build.errors import ManifestError, ScoreError
from musicnet_build.files import replacing
from musicnet_build.score.order import read_passages

MAX_FILE_BYTES = 32 * 2**20

_SHOWN_PROBLEMS = 200
_Text = Annotated[str, StringConstraints(max_length=1000)]


class Entry(BaseModel):
    """One recording of a manifest.

    Attributes
    ----------
    id : str
        A whole number, as in MusicNet: its loaders take the names of the files for numbers.
    recording, score : str
        Paths from the manifest's folder.
    split : {"train", "test"}
    composer, composition, movement, ensemble, source, transcriber, catalog_name : str
        The columns of MusicNet's metadata.
    licence : str
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
    verdict : {"", "accepted", "review", "rejected"}
        What a person found when listening; counts more than what the program finds.
    reason : str
        Why, in the person's words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})$")]
    recording: Annotated[_Text, StringConstraints(min_length=1)]
    score: Annotated[_Text, StringConstraints(min_length=1)]
    split: Literal["train", "test"] = "train"
    composer: _Text = ""
    composition: _Text = ""
    movement: _Text = ""
    ensemble: _Text = ""
    source: _Text = ""
    transcriber: _Text = ""
    catalog_name: _Text = ""
    licence: _Text = ""
    start_s: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    end_s: Annotated[float, Field(gt=0, le=1e6)] | None = None
    soundfont: _Text = ""
    preset: _Text = ""
    order: _Text = ""
    transposition: Annotated[int, Field(ge=-36, le=36)] = 0
    tuning_cents: Annotated[float, Field(ge=-200, le=200)] = 0.0
    check: _Text = ""
    verdict: Literal["", "accepted", "review", "rejected"] = ""
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
        if value and value not in RECIPES:
            raise ValueError(f"is none of {', '.join(RECIPES)}")
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


class _Row(NamedTuple):
    """A line of the file: its number, the text of the fields that are not empty, and what is wrong with its form."""

    line: int
    fields: dict[str, str]
    faults: tuple[str, ...] = ()


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
    rows = list(_READERS[path.suffix.lower()](path, _text_of(path)))
    if not rows:
        raise ManifestError(f"{path} names no recording.")
    problems: list[str] = []
    entries = [(row.line, entry) for row in rows if (entry := _checked(row, problems))]
    problems += _doubled_ids(rows)
    problems += _file_problems(path, rows, allow_outside)
    if problems:
        raise InvalidManifestError(path, sorted(problems, key=_line_of))
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
    with replacing(path) as temporary:
        temporary.write_text(buffer.getvalue(), encoding="utf-8")


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
    path = Path(path)
    if path.suffix.lower() != ".csv":
        raise ManifestError(f"{path}: only a CSV manifest can be amended; save it as CSV first.")
    text = _text_of(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header, *rows = [[cell.strip() for cell in cells] for cells in reader if any(cells)]
    changed = {name for fields in changes.values() for name in fields}
    header += [name for name in COLUMNS if name in changed and name not in header]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, header, restval="", delimiter=_delimiter(text), lineterminator="\n")
    writer.writeheader()
    for cells in rows:
        row = dict(zip(header, cells, strict=False))
        writer.writerow({**row, **changes.get(row["id"], {})})
    with replacing(path) as temporary:
        temporary.write_text(buffer.getvalue(), encoding="utf-8")


def inside(folder: Path, path: str) -> bool:
    """Return whether a path from a folder stays in it, links followed."""
    # Not Path.resolve, which stops at links that lead in a circle.
    return Path(os.path.realpath(folder / path)).is_relative_to(os.path.realpath(folder))


# ---------------------------------------------------------------------------------------------------------------------
# Files to rows


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise ManifestError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB, too large for a manifest.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 text (byte {error.start}): save it as CSV UTF-8.") from error


def _csv_rows(path: Path, text: str) -> Iterator[_Row]:
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            fields = {name: cell for name, cell in zip(header, cells, strict=False) if cell.strip()}
            surplus = f"{len(cells)} cells in {len(header)} columns; a cell with {delimiter!r} in it needs quotes"
            yield _Row(reader.line_num, fields, (surplus,) if len(cells) > len(header) else ())
    except csv.Error as error:
        raise ManifestError(f"{path}: line {reader.line_num}: {error}.") from error


def _delimiter(text: str) -> str:
    """Spreadsheets of many countries write semicolons."""
    first_line = text.partition("\n")[0]
    return ";" if first_line.count(";") > first_line.count(",") else ","


def _check_header(path: Path, header: list[str]) -> None:
    problems = [f"line 1: the column {name!r} is there twice" for name in set(header) if header.count(name) > 1]
    problems += [f"line 1: {_unknown(name)}" for name in header if name not in COLUMNS]
    problems += [
        f"line 1: the column {name!r} is missing" for name in ("id", "recording", "score") if name not in header
    ]
    if problems:
        raise InvalidManifestError(path, sorted(problems))


def _yaml_rows(path: Path, text: str) -> Iterator[_Row]:
    """Read the tree of nodes rather than values: it knows lines, and leaves all scalars text, as in a CSV."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ManifestError(f"{path} is not YAML: {_yaml_fault(error)}.") from error
    except RecursionError as error:
        raise ManifestError(f"{path} is nested too deeply for a manifest.") from error
    items = root
    if isinstance(root, yaml.MappingNode) and [key.value for key, _ in root.value] == ["recordings"]:
        items = root.value[0][1]
    if not isinstance(items, yaml.SequenceNode):
        raise ManifestError(f"{path}: a manifest is a list of recordings, under the key `recordings`.")
    yield from (_yaml_row(item) for item in items.value)


def _yaml_fault(error: yaml.YAMLError) -> str:
    """Say in one line what is wrong, and where."""
    mark = getattr(error, "problem_mark", None)
    where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    return where + " ".join(str(getattr(error, "problem", None) or error).split())


def _yaml_row(item: Any) -> _Row:
    line = item.start_mark.line + 1
    if not isinstance(item, yaml.MappingNode):
        return _Row(line, {}, ("is not a list of fields and values",))
    fields: dict[str, str] = {}
    faults = []
    for key, value in item.value:
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            faults.append(f"the value of {str(getattr(key, 'value', key))[:40]!r} is not plain text or a number")
        elif key.value in fields:
            faults.append(f"{key.value} is there twice")
        elif value.tag != "tag:yaml.org,2002:null" and value.value.strip():
            fields[key.value] = value.value
    return _Row(line, fields, tuple(faults))


_READERS = {".csv": _csv_rows, ".yaml": _yaml_rows, ".yml": _yaml_rows}


# ---------------------------------------------------------------------------------------------------------------------
# Rows to entries


def _checked(row: _Row, problems: list[str]) -> Entry | None:
    problems += [f"line {row.line}: {fault}" for fault in row.faults]
    if not row.fields:
        return None
    try:
        return Entry.model_validate(row.fields)
    except ValidationError as error:
        problems += [f"line {row.line}: {_sentence(fault)}" for fault in error.errors()]
        return None


def _sentence(fault: Any) -> str:
    name, kind = ".".join(map(str, fault["loc"])), fault["type"]
    if kind == "extra_forbidden":
        return _unknown(name)
    if kind == "missing":
        return f"{name} is empty"
    message = str(fault["msg"]).removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        message = "is not a whole number of at most nine digits"
    if not name:
        return message
    return f"{name} {str(fault['input'])[:60]!r}: {message[0].lower()}{message[1:]}"


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, COLUMNS, n=1)
    return f"{name[:60]!r} is no field of a manifest" + (f"; is {near[0]!r} meant?" if near else "")


def _doubled_ids(rows: list[_Row]) -> Iterator[str]:
    first: dict[str, int] = {}
    for row in rows:
        one = row.fields.get("id", "").strip()
        if one and first.setdefault(one, row.line) != row.line:
            yield f"line {row.line}: id {one[:60]} is that of line {first[one]} already"


def _file_problems(path: Path, rows: list[_Row], allow_outside: bool) -> Iterator[str]:
    folder = path.absolute().parent
    for line, fields, _ in rows:
        for name in ("recording", "score"):
            value = fields.get(name, "").strip()
            if not value or not value.isprintable():
                continue
            if not allow_outside and not inside(folder, value):
                yield f"line {line}: {name} {value} lies outside the manifest's folder (--allow-outside permits that)"
            elif not os.path.isfile(folder / value):  # noqa: PTH113 - is_file() raises where a name is too long
                yield f"line {line}: {name} {value} does not exist"


def _line_of(problem: str) -> int:
    return int(problem.split(":")[0].removeprefix("line "))
