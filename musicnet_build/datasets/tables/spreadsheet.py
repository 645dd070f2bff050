"""Tables as people save them: the rows of a manifest's file, whatever program wrote it.

Commas, semicolons or tabs; UTF-8 or UTF-16; decimal commas; columns of one's own. What the fields mean belongs to
``columns``.
"""

import codecs
import csv
import difflib
import io
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import yaml

from musicnet_build.errors import ManifestError
from musicnet_build.files import read_bounded, write_bytes

MAX_FILE_BYTES = 32 * 2**20

URLS = ("recording", "score", "labels", "witness")
"""Fields that name files, also by URLs."""

PATHS = (*URLS, "anchors")
"""Fields that name files, from the manifest's folder."""

_NUMBERS = ("start_s", "end_s", "tuning_cents")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_SHORT_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d{1,2}")
_IGNORED = "x_"
_SYNONYMS = {
    "split": {"training": "train", "valid": "validation", "val": "validation", "dev": "validation", "testing": "test"},
    "verdict": {"accepted": "accept", "rejected": "reject", "ok": "accept"},
    "preset": {},
}
_WHOLE_NUMBER = re.compile(r"([+-]?\d+)[.,]0+")
_OWN_COLUMN = re.compile(r"note.*|x_.*")


class Row(NamedTuple):
    """A line of the file: its number, the text of the fields that are not empty, and what is wrong with its form."""

    line: int
    fields: dict[str, str]
    faults: tuple[str, ...] = ()


def csv_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table, those that are not empty; where the header is at fault, a row that says so first.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Those that the table may have, besides columns of one's own.

    Raises
    ------
    ManifestError
        When the file is no table.
    """
    text, _ = _text_of(path)
    delimiter, body = _delimiter(text)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [_column(name) for name in next(reader, [])]
        if faults := _header_faults(header, columns):
            yield Row(1, {}, tuple(faults))
        known = [name if name in columns or not name else _IGNORED for name in header]
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(reader.line_num + (body is not text), known, cells, delimiter)
    except csv.Error as error:
        raise ManifestError(f"{path}: line {reader.line_num}: {error}.") from error


def yaml_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the recordings of a YAML file.

    The tree of nodes rather than values is read: it knows lines, and leaves all scalars text, as in a CSV.

    Raises
    ------
    ManifestError
        When the file is no list of recordings.
    """
    try:
        root = yaml.compose(_text_of(path)[0], Loader=yaml.SafeLoader)
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


def amend_table(
    path: Path,
    columns: Sequence[str],
    changes: Mapping[str, Mapping[str, str]],
    additions: Sequence[Mapping[str, str]],
) -> None:
    """Change fields of some rows of a table and add rows; all else, separator and encoding too, stays as it is.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Those that may be added to the table where it lacks them.
    changes : mapping
        Id to fields and their new values.
    additions : sequence of mapping
        Fields of each new row.

    Raises
    ------
    ManifestError
        When it is no CSV file.
    """
    if path.suffix.lower() not in (".csv", ".tsv"):
        raise ManifestError(f"{path}: only a CSV manifest can be amended; save it as CSV first.")
    text, encoding = _text_of(path)
    delimiter, body = _delimiter(text)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)
    header, *rows = [[cell.strip() for cell in cells] for cells in reader if any(cells)]
    names = [_column(name) for name in header]
    wanted = {name for fields in (*changes.values(), *additions) for name, value in fields.items() if value}
    new = [name for name in columns if name in wanted and name not in names]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*header, *new])
    for cells in rows:
        row = dict(zip(names, cells, strict=False))
        row |= changes.get(row.get("id", ""), {})
        writer.writerow([row.get(name, "") for name in (*names, *new)])
    writer.writerows([fields.get(name, "") for name in (*names, *new)] for fields in additions)
    declared = f"sep={delimiter}\n" if body is not text else ""
    write_bytes(path, (declared + buffer.getvalue()).encode(encoding))


def normalised(row: Row, folder: Path) -> Row:
    """Undo what a spreadsheet made of a row: ``1.0`` for 1, ``Train``, a file's name in another form of Unicode.

    Parameters
    ----------
    row : Row
    folder : Path
        From which its paths start.

    Returns
    -------
    Row
    """
    fields = {}
    for name, text in row.fields.items():
        value = text.strip()
        if name in ("id", "transposition") and (whole := _WHOLE_NUMBER.fullmatch(value)):
            value = whole.group(1)
        elif name in _SYNONYMS:
            value = _SYNONYMS[name].get(value.casefold(), value.casefold())
        elif name in PATHS:
            value = _found_path(folder, value)
        fields[name] = value
    return row._replace(fields=fields)


def fault_of_number(value: str, unit: str) -> str:
    """Say how a number is to be written."""
    if _DECIMAL_COMMA.fullmatch(value):
        return f"write {unit} with a point, as in {value.replace(',', '.')}"
    return f"is no number of {unit}, such as 0.5"


def _found_path(folder: Path, value: str) -> str:
    """A path as the disk has it: with slashes, and its letters composed or decomposed as they are there."""
    local = unquote(value.removeprefix("file://")) if value.startswith("file://") else value
    slashed = local.replace("\\", "/")
    forms = [local, slashed, *(unicodedata.normalize(form, slashed) for form in ("NFC", "NFD"))]
    return next((form for form in forms if os.path.isfile(folder / form)), local)  # noqa: PTH113 - names may be too long


def _text_of(path: Path) -> tuple[str, str]:
    """The text of a file, and its encoding."""
    data = read_bounded(path, MAX_FILE_BYTES, what="a manifest", error=ManifestError)
    encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 text (byte {error.start}): save it as CSV UTF-8.") from error


def _delimiter(text: str) -> tuple[str, str]:
    """What separates cells, and the table without the line in which a spreadsheet says so."""
    first_line, _, rest = text.partition("\n")
    if declared := re.fullmatch(r"sep=(.)\r?", first_line):
        return declared.group(1), rest
    # Spreadsheets of many countries write semicolons.
    return max(",;\t", key=first_line.count), text


def _column(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _header_faults(header: Sequence[str], columns: Sequence[str]) -> list[str]:
    named = {name for name in header if name}
    faults = [f"the column {name!r} is there twice" for name in sorted(named) if header.count(name) > 1]
    faults += [
        unknown_field(name, columns)
        for name in sorted(named)
        if name not in columns and not _OWN_COLUMN.fullmatch(name)
    ]
    missing = [name for name in ("id", "recording") if name not in named]
    missing += [] if {"score", "labels"} & named else ["score"]
    return faults + [f"the column {name!r} is missing" for name in missing]


def unknown_field(name: str, columns: Sequence[str]) -> str:
    """Say that a manifest has no such field, and which one may be meant."""
    near = difflib.get_close_matches(name, columns, n=1)
    meant = f"is {near[0]!r} meant?" if near else "columns of your own begin with x_"
    return f"{name[:60]!r} is no field of a manifest; {meant}"


def _row(line: int, header: Sequence[str], cells: Sequence[str], delimiter: str) -> Row:
    fields, faults = {}, []
    for name, cell in zip(header, cells, strict=False):
        if not cell.strip() or name == _IGNORED:
            continue
        if not name:
            faults.append(f"{cell.strip()[:40]!r} stands in a column without a name")
        fields[name] = _with_point(name, cell.strip(), delimiter)
    if len(cells) > len(header):
        faults.append(f"{len(cells)} cells in {len(header)} columns; a cell with {delimiter!r} in it needs quotes")
    fields.pop("", None)
    return Row(line, fields, tuple(faults))


def _with_point(name: str, cell: str, delimiter: str) -> str:
    """A comma in a number is a decimal comma, where it cannot be anything else."""
    # In a cell that commas separate it needs quotes, and 1,500 may be meant for 1500.
    pattern = _SHORT_DECIMAL_COMMA if delimiter == "," else _DECIMAL_COMMA
    is_decimal = name in _NUMBERS and pattern.fullmatch(cell)
    return cell.replace(",", ".") if is_decimal else cell


def _yaml_row(item: Any) -> Row:
    line = item.start_mark.line + 1
    if not isinstance(item, yaml.MappingNode):
        return Row(line, {}, ("is not a list of fields and values",))
    fields: dict[str, str] = {}
    faults = []
    for key, value in item.value:
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            faults.append(f"the value of {str(getattr(key, 'value', key))[:40]!r} is not plain text or a number")
        elif key.value in fields:
            faults.append(f"{key.value} is there twice")
        elif value.tag != "tag:yaml.org,2002:null" and value.value.strip() and not _OWN_COLUMN.fullmatch(key.value):
            fields[key.value] = value.value
    return Row(line, fields, tuple(faults))
