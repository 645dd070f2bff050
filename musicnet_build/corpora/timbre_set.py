"""A folder of rendered pieces in which it is known which instrument plays what: its instruments, and how it is read.

``timbre.json`` names the instruments, the soundfonts and the pieces; ``audio/``, ``midi/`` and ``labels/`` hold a WAV,
a MIDI and a MusicNet CSV file a piece, and ``records/`` what each was made from.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import NoteTable, pitch_number, pitched, sorted_by_onset

SET_FILE = "timbre.json"
FORMAT = "musicnet_build timbre set 1"

# Ticks of a long MIDI file are a millisecond each.
_OVERLAP_S = 2e-3
MAX_SET_FILE_BYTES = 64 * 2**20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_INSTRUMENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")

Purpose = Literal["training", "test"]


@dataclass(frozen=True)
class Instrument:
    """An instrument to be told from others by its timbre.

    Attributes
    ----------
    name : str
        Small letters, digits and underscores; names files and datasets.
    programs : tuple of int
        General MIDI programs, 0 to 127, that count as this instrument.
    lowest, highest : int
        MIDI pitches of its range, both included.
    """

    name: str
    programs: tuple[int, ...]
    lowest: int
    highest: int

    def __post_init__(self) -> None:
        """Refuse what cannot be an instrument."""
        if not _INSTRUMENT_NAME.fullmatch(self.name):
            raise DatasetError(
                f"{self.name!r} cannot name an instrument: use up to 30 small letters, digits and underscores, "
                "a letter first."
            )
        if not self.programs:
            raise DatasetError(f"{self.name} needs a General MIDI program.")
        if outside := [program for program in self.programs if not 0 <= program <= 127]:
            raise DatasetError(f"{self.name} needs General MIDI programs from 0 to 127, and {outside[0]} is none.")
        if not 0 <= self.lowest <= self.highest <= 127:
            raise DatasetError(f"{self.name} has no range from MIDI pitch {self.lowest} to {self.highest}.")

    @property
    def pitches(self) -> range:
        """All MIDI pitches of the range, ascending."""
        return range(self.lowest, self.highest + 1)


GUITAR = Instrument("guitar", (26, 27, 28, 29, 30, 31), 40, 86)
TRUMPET = Instrument("trumpet", (56,), 52, 86)
DEFAULT_INSTRUMENTS = (GUITAR, TRUMPET)


def parse_instrument(text: str) -> Instrument:
    """Read an instrument from text such as ``guitar=26-31:E2-D6`` or ``flute=73:60-96``.

    Parameters
    ----------
    text : str
        Name, programs (numbers and ranges, with commas between them), lowest and highest pitch (names, C4 being 60,
        or MIDI numbers).

    Returns
    -------
    Instrument

    Raises
    ------
    DatasetError
        When the text is not of this form.
    """
    found = re.fullmatch(r"([^=:]+)=([\d,-]+):([^:]+?)-(-?[^:-]+)", text.strip())
    if found is None:
        raise DatasetError(f"{text!r} is no instrument: write it as NAME=PROGRAMS:LOWEST-HIGHEST, guitar=26-31:E2-D6.")
    name, programs, lowest, highest = found.groups()
    numbers = [number for part in programs.split(",") for number in _range_of(part, text)]
    return Instrument(name, tuple(dict.fromkeys(numbers)), _pitch_of(lowest, text), _pitch_of(highest, text))


def check_instruments(instruments: Sequence[Instrument]) -> None:
    """Refuse instruments that cannot be told apart by their names and programs.

    Raises
    ------
    DatasetError
    """
    names = [instrument.name for instrument in instruments]
    programs = [program for instrument in instruments for program in set(instrument.programs)]
    if not names:
        raise DatasetError("A timbre set needs an instrument.")
    everything: tuple[tuple[list[Any], str], ...] = ((names, "name"), (programs, "program"))
    for values, what in everything:
        twice = [value for value in dict.fromkeys(values) if values.count(value) > 1]
        if twice:
            raise DatasetError(f"Two instruments have the {what} {twice[0]}: each needs its own.")


@dataclass(frozen=True)
class Piece:
    """A piece that is there.

    Attributes
    ----------
    name, subset : str
        As in :class:`PlannedPiece`.
    duration_s : float
        From the start to the last note's offset; the sound goes on until it has died away.
    notes : dict of str to int
        How many notes each instrument plays.
    audio_sha256 : str
        Hash of the WAV file.
    """

    name: str
    subset: str
    duration_s: float
    notes: dict[str, int]
    audio_sha256: str


@dataclass(frozen=True)
class TimbreSet:
    """A folder of rendered pieces.

    Attributes
    ----------
    folder : Path
    purpose : {"training", "test"}
        Training sets are balanced and get folds; the frames of a test set are cut on a regular grid.
    instruments : tuple of Instrument
    soundfonts : tuple of dict
        ``name``, ``sha256`` and ``licence`` of each soundfont that plays.
    pieces : tuple of Piece
    settings : dict
        What the set was made with, for people to read.
    warnings : tuple of str
        What was left out, a sentence each.
    """

    folder: Path
    purpose: Purpose
    instruments: tuple[Instrument, ...]
    soundfonts: tuple[dict[str, Any], ...]
    pieces: tuple[Piece, ...]
    settings: dict[str, Any]
    warnings: tuple[str, ...]

    def audio_path(self, piece: Piece) -> Path:
        """Where the sound of a piece is."""
        return self.folder / "audio" / f"{piece.name}.wav"

    def labels_path(self, piece: Piece) -> Path:
        """Where the labels of a piece are."""
        return self.folder / "labels" / f"{piece.name}.csv"

    def instrument_notes(self, piece: Piece) -> dict[str, NoteTable]:
        """Read the labels of a piece, those of each instrument by themselves.

        Raises
        ------
        DatasetError
            When two notes of an instrument overlap: a frame could not have one label.
        """
        return split_by_instrument(read_labels(self.labels_path(piece)), self.instruments, self.labels_path(piece))


def split_by_instrument(
    notes: NoteTable, instruments: Sequence[Instrument], source: str | os.PathLike[str]
) -> dict[str, NoteTable]:
    """Give each instrument its notes, by their programs.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
    instruments : sequence of Instrument
    source : str or PathLike
        Where the notes are from, for errors.

    Returns
    -------
    dict of str to NoteTable

    Raises
    ------
    DatasetError
        When two notes of an instrument overlap by more than two milliseconds.
    """
    result = {}
    for instrument in instruments:
        own = sorted_by_onset(pitched(notes[np.isin(notes["program"], instrument.programs)]))
        if np.any(own["onset_s"][1:] < own["offset_s"][:-1] - _OVERLAP_S):
            raise DatasetError(f"{source}: notes of the {instrument.name} overlap, so a frame has no single label.")
        result[instrument.name] = own
    return result


def read_set(folder: str | os.PathLike[str]) -> TimbreSet:
    """Read the description of a set.

    Parameters
    ----------
    folder : str or PathLike

    Returns
    -------
    TimbreSet

    Raises
    ------
    DatasetError
        When there is none, or it is damaged.
    """
    path = Path(folder) / SET_FILE
    if not path.is_file():
        raise DatasetError(
            f"{folder} holds no {SET_FILE}: make it with `generate ascension` or `generate timbre-test`, or let an "
            "interrupted one finish."
        )
    if path.stat().st_size > MAX_SET_FILE_BYTES:
        raise DatasetError(f"{path} is larger than {MAX_SET_FILE_BYTES >> 20} MiB, which no set's description is.")
    try:
        return _set_of(Path(folder), json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(f"{path} does not describe a timbre set ({error!r}): make it again.") from error


def _set_of(folder: Path, content: dict[str, Any]) -> TimbreSet:
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']!r}, not {FORMAT!r}")
    if content["purpose"] not in ("training", "test"):
        raise ValueError(f"its purpose is {content['purpose']!r}")
    instruments = tuple(
        Instrument(each["name"], tuple(each["programs"]), each["lowest"], each["highest"])
        for each in content["instruments"]
    )
    check_instruments(instruments)
    return TimbreSet(
        folder,
        content["purpose"],
        instruments,
        tuple(content["soundfonts"]),
        tuple(_checked_pieces(content["pieces"])),
        content["settings"],
        tuple(content["warnings"]),
    )


def _checked_pieces(rows: Sequence[dict[str, Any]]) -> Iterator[Piece]:
    """Give the pieces; names that could lead out of the folder are refused."""
    for row in rows:
        piece = Piece(**row)
        if not (_NAME.fullmatch(piece.name) and _NAME.fullmatch(piece.subset)):
            raise ValueError(f"{piece.name!r} of {piece.subset!r} cannot name a piece")
        yield piece


def safe_name(text: str) -> str:
    """Return text as the name of a piece: letters, digits, hyphens and underscores, up to 80 of them."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:80] or "piece"


def _range_of(part: str, text: str) -> range:
    ends = part.split("-")
    if len(ends) > 2 or not all(end.isdigit() and len(end) <= 3 for end in ends):
        raise DatasetError(f"{text!r}: {part!r} is neither a program number nor a range such as 26-31.")
    return range(int(ends[0]), int(ends[-1]) + 1)


def _pitch_of(name: str, text: str) -> int:
    if name.isdigit() and len(name) <= 3:
        return int(name)
    try:
        return pitch_number(name[:1].upper() + name[1:])
    except ValueError:
        raise DatasetError(f"{text!r}: {name!r} is neither a MIDI pitch nor a name such as E2 or C#5.") from None
