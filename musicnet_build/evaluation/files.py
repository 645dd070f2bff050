"""Files of true notes and of labels: reading them, and which belongs to which.

A truth is a label file of any format (see ``labels``) or a JSON file (see ``read_notes``). MIDI files have no beats
here: those of a performance are of its own tempo, and say nothing about the score.
"""

import itertools
import json
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.alignment import Evaluation, evaluate, summary
from musicnet_build.files import read_bounded
from musicnet_build.labels.files import read_labels
from musicnet_build.labels.midi import MIDI_ENDINGS
from musicnet_build.labels.parsing import MAX_FILE_BYTES
from musicnet_build.notes import NoteTable, empty_notes, pitched, sorted_by_onset

LABEL_ENDINGS = (".csv", ".mid", ".midi", ".tsv", ".jams", ".txt")
TRUTH_ENDINGS = (*LABEL_ENDINGS, ".json")

JSON_NAMES = {
    "pitch": ("pitch", "note"),
    "onset_s": ("onset_s", "onset", "start", "p_on"),
    "offset_s": ("offset_s", "offset", "end", "p_off"),
    "onset_beats": ("onset_beats", "start_beat", "beat_on"),
    "program": ("program",),
}
"""What a field of a note may be called in a JSON file."""

_DOUBTFUL_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class EvaluatedPiece:
    """One label file compared with one truth.

    Attributes
    ----------
    name : str
        What they are called without the ending.
    truth, labels : Path
    evaluation : Evaluation
    """

    name: str
    truth: Path
    labels: Path
    evaluation: Evaluation


@dataclass(frozen=True, eq=False)
class Labelling:
    """What one aligner made of one piece, or of a folder of pieces.

    Attributes
    ----------
    path : Path
        The label file or folder.
    name : str
        Its name, or as much of its path as tells it from the others.
    pieces : tuple of EvaluatedPiece
    """

    path: Path
    name: str
    pieces: tuple[EvaluatedPiece, ...]

    def as_dict(self, *, listed: bool = False) -> dict[str, Any]:
        """Return all figures as plain values; ``mean`` is over the pieces, and None where there is but one.

        Parameters
        ----------
        listed : bool
            Also name the notes of ``Evaluation.listed``.
        """
        pieces = [
            {"name": piece.name, "truth": str(piece.truth), "labels": str(piece.labels)}
            | piece.evaluation.as_dict()
            | (piece.evaluation.listed() if listed else {})
            for piece in self.pieces
        ]
        mean = summary([piece.evaluation for piece in self.pieces]) if len(pieces) > 1 else None
        return {"labels": str(self.path), "name": self.name, "pieces": pieces, "mean": mean}


def evaluate_files(truth: Path, labels: Sequence[Path]) -> list[Labelling]:
    """Compare label files with a truth, or folders of label files with a folder of truths.

    Parameters
    ----------
    truth : Path
        A file, or a folder with a file per piece.
    labels : sequence of Path
        Files where ``truth`` is a file, otherwise folders; in these, files are found by the name of the truth.

    Returns
    -------
    list of Labelling
        In the order of ``labels``.

    Raises
    ------
    LabelError
        When a file cannot be read, is missing, or does not belong to its truth.

    Examples
    --------
    >>> from pathlib import Path
    >>> from musicnet_build.evaluation.files import evaluate_files
    >>> (found,) = evaluate_files(Path("demo/truth.csv"), [Path("labels.csv")])
    >>> found.pieces[0].evaluation.onset.median_ms
    0.0
    """
    truths = truth_files(truth)
    true_notes = {name: read_notes(path) for name, path in truths.items()}
    return [
        Labelling(path, name, tuple(_piece(path, stem, truths[stem], true_notes[stem]) for stem in truths))
        for path, name in zip(labels, _short_names(labels), strict=True)
    ]


def read_notes(path: str | os.PathLike[str]) -> NoteTable:
    """Read notes to compare or to compare with; what the file does not know is nan.

    A JSON file is a list of notes, or an object with such a list called ``notes``. A note is a list ``[onset, offset,
    pitch]``, or an object whose fields are called as in ``JSON_NAMES``; only onset and pitch must be there. Notes whose
    onset is null were not played: they are left out, with a warning.

    Parameters
    ----------
    path : str or PathLike
        Ends in .json, or as label files do.

    Returns
    -------
    NoteTable [shape=(n,)]
        Without drums, sorted by onset, in recording seconds.

    Raises
    ------
    LabelError
        When it cannot be read, or has no notes.
    """
    notes = read_any_notes(path)
    if not len(notes):
        raise LabelError(f"{path}: has no notes.")
    return notes


def read_any_notes(path: str | os.PathLike[str]) -> NoteTable:
    """Read notes as :func:`read_notes` does; there may be none, as in the transcription of silence."""
    path = Path(path)
    if path.suffix.lower() == ".json":
        notes = sorted_by_onset(_read_json(path))
    else:
        notes = read_labels(path)
        # Formats without beats are read as all zero.
        if path.suffix.lower() in MIDI_ENDINGS or not notes["onset_beats"].any():
            notes["onset_beats"] = np.nan
    return pitched(notes)


def truth_files(truth: Path) -> dict[str, Path]:
    """Return the truths by name of the piece: the file, or those in the folder.

    Raises
    ------
    LabelError
        When the folder has none, or two of one piece.
    """
    if not truth.is_dir():
        return {truth.stem: truth}
    paths = _files_in(truth, TRUTH_ENDINGS)
    if not paths:
        raise LabelError(f"{truth}: has no file that ends in {', '.join(TRUTH_ENDINGS)}.")
    for one, other in itertools.pairwise(paths):
        if one.stem == other.stem:
            raise LabelError(f"{one} and {other.name} are two truths of one piece: leave one of them there.")
    return {path.stem: path for path in paths}


def labels_of(labels: Path, name: str, endings: Sequence[str] = LABEL_ENDINGS) -> Path:
    """Return the labels of a piece: the file, or that of its name in the folder.

    Raises
    ------
    LabelError
        When the folder has none, or two.
    """
    if not labels.is_dir():
        return labels
    paths = [path for path in _files_in(labels, endings) if path.stem == name]
    if not paths:
        raise LabelError(f"{labels}: has no labels of {name}: a file of that name, and the ending of a label format.")
    if len(paths) > 1:
        raise LabelError(f"{paths[0]} and {paths[1].name} are two labels of one piece: leave one of them there.")
    return paths[0]


def _files_in(folder: Path, endings: Sequence[str]) -> list[Path]:
    paths = [path for path in folder.glob("[!.]*") if path.suffix.lower() in endings and path.is_file()]
    return sorted(paths, key=lambda path: (path.stem, path.suffix))


def _piece(labels: Path, stem: str, truth: Path, true_notes: NoteTable) -> EvaluatedPiece:
    path = labels_of(labels, stem)
    notes = read_notes(path)
    try:
        evaluation = evaluate(true_notes, notes)
    except LabelError as error:
        raise LabelError(f"{path} against {truth}: {error}") from error
    if evaluation.onset.matched < _DOUBTFUL_SHARE * evaluation.true_notes:
        warnings.warn(
            f"{path}: only {evaluation.onset.matched} of the {evaluation.true_notes} notes of {truth} have a label. "
            "Are they of one recording, and are beats counted from the same place?",
            stacklevel=2,
        )
    return EvaluatedPiece(stem, truth, path, evaluation)


def _short_names(paths: Sequence[Path]) -> list[str]:
    names = [path.resolve().name for path in paths]
    return [name if names.count(name) == 1 else str(path) for name, path in zip(names, paths, strict=True)]


def _read_json(path: Path) -> NoteTable:
    rows = _json_notes(path)
    notes = empty_notes(len(rows))
    notes["offset_s"] = notes["onset_beats"] = np.nan
    for i, row in enumerate(rows):
        fields = _json_fields(path, i, row)
        for field, value in fields.items():
            notes[field][i] = value
    played: NoteTable = notes[np.isfinite(notes["onset_s"])]
    if len(played) < len(notes):
        warnings.warn(
            f"{path}: {len(notes) - len(played)} of {len(notes)} notes have no onset, and are left out.", stacklevel=2
        )
    return played


def _json_notes(path: Path) -> list[Any]:
    try:
        document = json.loads(read_bounded(path, MAX_FILE_BYTES, what="notes", error=LabelError))
    except json.JSONDecodeError as error:
        raise LabelError(f"{path}: line {error.lineno}: {error.msg}.") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise LabelError(f"{path}: is not a JSON file.") from error
    if isinstance(document, dict) and "annotations" in document:
        raise LabelError(f"{path}: looks like a JAMS file; give it the ending .jams.")
    rows = document.get("notes") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise LabelError(f"{path}: is neither a list of notes, nor an object with such a list called notes.")
    return rows


def _json_fields(path: Path, place: int, row: Any) -> dict[str, float]:
    """Return what is known of a note, checked."""
    if isinstance(row, list) and len(row) >= 3:
        row = {"onset_s": row[0], "offset_s": row[1], "pitch": row[2]}
    if not isinstance(row, dict):
        raise LabelError(f"{path}: note {place} is neither an object nor a list of onset, offset and pitch.")
    found = {field: _json_value(path, place, row, names) for field, names in JSON_NAMES.items()}
    fields = {field: value for field, value in found.items() if value is not None}
    onset_s = fields.setdefault("onset_s", math.nan)
    names = JSON_NAMES["onset_s"]
    faults = {
        f"has no onset, called {', '.join(names)}": not any(name in row for name in names),
        "has no pitch": "pitch" not in fields,
        "has a pitch that is no whole number from 0 to 127": fields.get("pitch") not in range(128),
        "has a program that is no whole number from 0 to 127": fields.get("program", 0) not in range(128),
        "starts before the recording": onset_s < 0,
        "does not end after it starts": fields.get("offset_s", math.inf) <= onset_s,
    }
    for fault, holds in faults.items():
        if holds:
            raise LabelError(f"{path}: note {place} {fault}.")
    return fields


def _json_value(path: Path, place: int, row: Mapping[str, Any], names: Sequence[str]) -> float | None:
    name = next((name for name in names if name in row), None)
    if name is None or row[name] is None:
        return None
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e7:
        raise LabelError(f"{path}: note {place}: {name} is {str(value)[:40]!r}, which is no number of at most 1e7.")
    return float(value)
