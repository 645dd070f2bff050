"""Labels as lines of cells between tabs: transcription TSV, and the labels of Audacity."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.labels.parsing import LineError, integer, read_rows, seconds, tabbed, text_of
from musicnet_build.labels.table import labelled
from musicnet_build.notes import NoteTable, pitch_name, pitch_number
from musicnet_build.score.programs import PROGRAM_NAMES

TSV_HEADER = "# onset,offset,note,velocity"


def write_tsv(notes: NoteTable) -> bytes:
    """Write onset, offset, pitch and velocity, as loaders of transcription data expect them."""
    lines = [TSV_HEADER, *(f"{_times(note)}\t{note['pitch']}\t{note['velocity']}" for note in labelled(notes))]
    return ("\n".join(lines) + "\n").encode()


def _times(note: np.void) -> str:
    """Onset and offset to the microsecond, the offset always after the onset."""
    onset = max(float(note["onset_s"]), 0.0)
    return f"{onset:.6f}\t{max(float(note['offset_s']), onset + 2e-6):.6f}"


def read_tsv(path: Path) -> NoteTable:
    """Read lines of onset, offset, pitch and velocity."""
    return read_rows(path, tabbed(text_of(path)), _tsv_row)


def _tsv_row(cells: list[str]) -> dict[str, Any]:
    if len(cells) != 4:
        raise LineError(f"{len(cells)} columns instead of onset, offset, note, velocity")
    return {
        "onset_s": seconds(cells[0], "onset"),
        "offset_s": seconds(cells[1], "offset"),
        "pitch": integer(cells[2], "note", 0, 127),
        "velocity": integer(cells[3], "velocity", 0, 127),
    }


def write_audacity(notes: NoteTable) -> bytes:
    """Write onset, offset, and pitch and instrument as the label's text."""
    lines = [
        f"{_times(note)}\t{pitch_name(int(note['pitch']))} {PROGRAM_NAMES[note['program']]}\n"
        for note in labelled(notes)
    ]
    return "".join(lines).encode()


def read_audacity(path: Path) -> NoteTable:
    """Read labels whose text is a pitch (``C#4``, ``Db4`` or ``61``), then perhaps an instrument (``violin``)."""
    programs = {name: program for program, name in enumerate(PROGRAM_NAMES)}
    return read_rows(path, tabbed(text_of(path)), lambda cells: _audacity_row(cells, programs))


def _audacity_row(cells: list[str], programs: dict[str, int]) -> dict[str, Any]:
    if len(cells) != 3:
        raise LineError(f"{len(cells)} columns instead of start, end, text")
    pitch, _, instrument = cells[2].strip().partition(" ")
    instrument = instrument.strip().lower()
    if instrument and instrument not in programs:
        raise LineError(f"the text {cells[2][:60]!r} names no General MIDI instrument")
    return {
        "onset_s": seconds(cells[0], "start"),
        "offset_s": seconds(cells[1], "end"),
        "pitch": _pitch_number(pitch),
        "program": programs[instrument] if instrument else 0,
    }


def _pitch_number(text: str) -> int:
    number = text
    if not re.fullmatch(r"\d{1,3}", text):
        try:
            number = str(pitch_number(text))
        except ValueError:
            raise LineError(f"the text {text[:60]!r} does not start with a pitch such as C#4 or 61") from None
    return integer(number, "pitch", 0, 127)
