"""Text of label files to note tables, with the line of the first fault named."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from musicnet_build.errors import LabelError
from musicnet_build.files import read_bounded
from musicnet_build.labels.table import table_of
from musicnet_build.notes import NoteTable

MAX_FILE_BYTES = 64 * 2**20


class LineError(Exception):
    """What is wrong with one line, as the end of a sentence."""


def text_of(path: Path) -> str:
    """Read a text file of at most ``MAX_FILE_BYTES``."""
    data = read_bounded(path, MAX_FILE_BYTES, what="labels", error=LabelError)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: is not a text file (byte {error.start} is not UTF-8).") from error


def read_rows(
    path: Path, lines: Iterator[tuple[int, list[str]]], parse: Callable[[list[str]], dict[str, Any]]
) -> NoteTable:
    """Parse (line number, cells) into notes, naming the line of the first fault."""
    rows = []
    for number, cells in lines:
        try:
            row = parse(cells)
            if not row["offset_s"] > row["onset_s"]:
                raise LineError("the note does not end after it starts")
            rows.append(row)
        except LineError as fault:
            raise LabelError(f"{path}: line {number}: {fault}.") from fault
    return table_of(rows)


def tabbed(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and split the lines that are neither empty nor comments, nor what Audacity marks with a backslash."""
    for number, line in enumerate(io.StringIO(text), start=1):
        if line.strip() and line[0] not in "#\\":
            yield number, line.strip("\r\n").split("\t")


def number(cell: str, what: str, low: float, high: float) -> float:
    """Parse a cell; ``what`` names it in the fault."""
    try:
        value = float(cell)
    except ValueError:
        hint = ": decimals take a point, not a comma" if "," in cell else ""
        raise LineError(f"the {what} {cell[:40]!r} is not a number{hint}") from None
    if not low <= value <= high:
        raise LineError(f"the {what} {cell[:40]} is not within {low:g} and {high:g}")
    return value


def integer(cell: str, what: str, low: int, high: int) -> int:
    """Parse a whole number, perhaps written as 60.0."""
    value = number(cell, what, low, high)
    if value != int(value):
        raise LineError(f"the {what} {cell[:40]} is not a whole number")
    return int(value)


def seconds(cell: str, what: str) -> float:
    """Parse a time in a recording."""
    return number(cell, what, 0, 1e7)
