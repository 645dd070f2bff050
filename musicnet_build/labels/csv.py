"""MusicNet CSV: times to the sample, beats to 12 digits, instrument and pitch; confidence on request."""

import csv
import io
import math
from pathlib import Path
from typing import Any

from musicnet_build.errors import LabelError
from musicnet_build.labels.parsing import LineError, integer, number, read_rows, text_of
from musicnet_build.labels.table import labelled, sample_times
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.score.reader import note_value_name

CSV_COLUMNS = ("start_time", "end_time", "instrument", "note", "start_beat", "end_beat", "note_value")
CONFIDENCE_COLUMN, PLAYED_COLUMN = "confidence", "played"
_NAMING = 4
"""Columns that tell a label from all others: times, instrument, pitch."""

_HEADERS = tuple(
    (*CSV_COLUMNS, *further)
    for further in ((), (CONFIDENCE_COLUMN,), (PLAYED_COLUMN,), (CONFIDENCE_COLUMN, PLAYED_COLUMN))
)


def write_csv(notes: NoteTable, with_confidence: bool, with_played: bool = False) -> bytes:
    """Write a row per note of ``labelled``."""
    notes = labelled(notes)
    start, end = sample_times(notes)
    columns: list[list[str]] = [
        *([str(value) for value in values] for values in (start, end, notes["program"] + 1, notes["pitch"])),
        [_decimal(value) for value in notes["onset_beats"]],
        [_decimal(value) for value in notes["duration_beats"]],
        note_value_name(notes["duration_beats"]).tolist(),
    ]
    header = list(CSV_COLUMNS)
    for name, wanted in ((CONFIDENCE_COLUMN, with_confidence), (PLAYED_COLUMN, with_played)):
        if wanted:
            header.append(name)
            columns.append(["" if math.isnan(value) else f"{value:.4f}" for value in notes[name]])
    rows = [header, *zip(*columns, strict=True)]
    return "".join(",".join(row) + "\n" for row in rows).encode()


def confidence_rows(written: bytes) -> bytes:
    """Return the confidence as a file of its own: a row per label, which its times, instrument and pitch name.

    Parameters
    ----------
    written : bytes
        What :func:`write_csv` writes with confidence.

    Returns
    -------
    bytes

    Examples
    --------
    >>> confidence_rows(b"start_time,end_time,instrument,note,start_beat,confidence\\n1,2,1,60,0.0,0.9\\n")
    b'start_time,end_time,instrument,note,confidence\\n1,2,1,60,0.9\\n'
    """
    rows = [line.split(b",") for line in written.splitlines()]
    return b"".join(b",".join((*row[:_NAMING], row[-1])) + b"\n" for row in rows)


def heard_rows(notes: NoteTable) -> bytes:
    """Return what was heard of labels: a row per label, with its velocity and the probability that it was played.

    Parameters
    ----------
    notes : NoteTable

    Returns
    -------
    bytes
    """
    notes = labelled(notes)
    start, end = sample_times(notes)
    header = ("start_time", "end_time", "instrument", "note", "velocity", PLAYED_COLUMN)
    columns = (start, end, notes["program"] + 1, notes["pitch"], notes["velocity"])
    played = ["" if math.isnan(value) else f"{value:.4f}" for value in notes["played"]]
    rows = [header, *([*map(str, row[:-1]), row[-1]] for row in zip(*columns, played, strict=True))]
    return "".join(",".join(row) + "\n" for row in rows).encode()


def rows_of(labels: bytes, beside: str) -> str:
    """Return the rows of a file beside labels whose labels are still there, as they were.

    Parameters
    ----------
    labels : bytes
        A label file.
    beside : str
        A CSV file whose first columns are, as those of labels, times, instrument and pitch.

    Returns
    -------
    str
    """
    known = {tuple(line.split(",")[:_NAMING]) for line in labels.decode("utf-8", "replace").splitlines()}
    kept = io.StringIO()
    rows = csv.reader(io.StringIO(beside, newline=""))
    csv.writer(kept, lineterminator="\n").writerows(row for row in rows if tuple(row[:_NAMING]) in known)
    return kept.getvalue()


def _decimal(value: float) -> str:
    """Print a number as the published files do: 12 significant digits, and always a decimal point."""
    text = f"{value:.12g}"
    return text if set(text) & set(".e") else text + ".0"


def read_csv(path: Path) -> NoteTable:
    """Read a file with the columns of MusicNet, and perhaps ``confidence`` and ``played``."""
    reader = csv.reader(io.StringIO(text_of(path), newline=""))
    try:
        header = tuple(next(reader, ()))
        if header not in _HEADERS:
            raise LabelError(f"{path}: line 1: the header is not {','.join(CSV_COLUMNS)}.")
        lines = ((reader.line_num, cells) for cells in reader if cells)
        return read_rows(path, lines, lambda cells: _csv_row(cells, header))
    except csv.Error as error:
        raise LabelError(f"{path}: line {reader.line_num}: {error}.") from error


def _csv_row(cells: list[str], header: tuple[str, ...]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise LineError(f"{len(cells)} columns instead of {len(header)}")
    start, end, instrument, pitch, onset_beats, duration_beats = cells[:6]
    further = dict(zip(header[7:], cells[7:], strict=True))
    return {
        "onset_s": integer(start, "start_time", 0, 10**12) / SAMPLE_RATE,
        "offset_s": integer(end, "end_time", 0, 10**12) / SAMPLE_RATE,
        "program": integer(instrument, "instrument", 1, 128) - 1,
        "pitch": integer(pitch, "note", 0, 127),
        "onset_beats": number(onset_beats, "start_beat", -1e9, 1e9),
        "duration_beats": number(duration_beats, "end_beat", 0, 1e9),
        **{
            name: number(further[name], name, 0, 1) if further.get(name) else math.nan
            for name in (CONFIDENCE_COLUMN, PLAYED_COLUMN)
        },
    }
