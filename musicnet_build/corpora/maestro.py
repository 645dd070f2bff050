"""MAESTRO: a table of recordings, and the WAV and MIDI files that it names.

References
----------
Hawthorne et al., "Enabling factorized piano music modeling and generation with the MAESTRO dataset", ICLR 2019.
"""

import csv
import io
import re
from pathlib import Path

from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.errors import DatasetError

COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
"""Of the table, in the order of version 3."""

MAX_TABLE_BYTES = 16 * 2**20

NO_YEAR = "0000"

_NEEDED = {"audio_filename", "midi_filename", "split"}

Row = dict[str, str | None]


def is_maestro_folder(folder: Path) -> bool:
    """Return whether a folder holds MAESTRO's table."""
    return _table_in(folder) is not None


def read_maestro(folder: Path) -> list[Recording]:
    """List the recordings of a MAESTRO folder, in the order of its table.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Recording

    Raises
    ------
    DatasetError
        When there is no table, it cannot be read, or it names files that are not in the folder.
    """
    table = _table_in(folder)
    if table is None:
        raise DatasetError(f"{folder} holds no CSV table with audio_filename, midi_filename and split.")
    return [_recording(table, number, row) for number, row in enumerate(_rows(table), start=2)]


def year_of(recording: Recording) -> str:
    """Return the year of a recording, which is its bank in MAESTRO; ``0000`` where it is not known."""
    return recording.bank if re.fullmatch(r"\d{4}", recording.bank) else NO_YEAR


def _table_in(folder: Path) -> Path | None:
    for path in sorted(folder.glob("[!.]*.csv")):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            if set(next(csv.reader(io.StringIO(file.readline(2**16))), ())) >= _NEEDED:
                return path
    return None


def _rows(table: Path) -> list[Row]:
    if table.stat().st_size > MAX_TABLE_BYTES:
        raise DatasetError(f"{table} is larger than {MAX_TABLE_BYTES >> 20} MiB, too large for a table of recordings.")
    with table.open(encoding="utf-8-sig", newline="") as file:
        try:
            return list(csv.DictReader(file))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(f"{table} cannot be read as a table: {error}.") from error


def _recording(table: Path, number: int, row: Row) -> Recording:
    split = row["split"] or ""
    if split not in SPLITS:
        raise DatasetError(f"{table}: line {number}: the split {row['split']!r} is not train, validation or test.")
    audio, midi = (_inside(table, number, row[column] or "") for column in ("audio_filename", "midi_filename"))
    composer, title = row.get("canonical_composer") or "", row.get("canonical_title") or ""
    metadata = {"composer": composer, "composition": title}
    piece = f"{composer} | {title or audio.stem}"
    return Recording(audio.stem, audio, midi, row.get("year") or "", "MUS", piece, split, metadata)


def _inside(table: Path, number: int, name: str) -> Path:
    path = table.parent / name
    if not path.resolve().is_relative_to(table.parent.resolve()):
        raise DatasetError(f"{table}: line {number}: {name!r} lies outside the dataset.")
    if not path.is_file():
        raise DatasetError(f"{table}: line {number}: {name!r} does not exist.")
    return path
