"""How well the notes of several instruments were predicted: piano rolls compared frame by frame.

Conventions
-----------
Notes become piano rolls of 100 frames a second; frame k is centred on k / 100 s, and a note sounds from the frame
nearest to its onset up to the one nearest to its offset. In each frame, and for each instrument by itself, the
pitches predicted are compared with the true ones.

Metrics
-------
* correct: a pitch that is predicted and true;
* wrong: right in time, not in pitch: a pitch predicted in place of a true one;
* false: a pitch predicted where no (further) true one is;
* missed: a true pitch where no (further) one is predicted.

precision = correct / (correct + wrong + false), recall = correct / (correct + missed), F = their harmonic mean,
accuracy = correct / (correct + wrong + false + missed). Note that a wrong pitch counts against precision and not
against recall. What would be 0 / 0 is undefined (None) and left out of averages.

References
----------
The four kinds follow Poliner and Ellis, "A discriminative model for polyphonic piano transcription", 2007, whose
substitutions, false alarms and misses they are.
"""

import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Bools, Float64s, Int64s, Records
from musicnet_build.corpora.timbre_set import Instrument, read_set
from musicnet_build.errors import DatasetError, LabelError
from musicnet_build.labels.files import read_labels
from musicnet_build.labels.pianoroll import ALL_PITCHES, label_rolls
from musicnet_build.notes import NoteTable, empty_notes, pitched
from musicnet_build.packing.hdf5 import reading
from musicnet_build.packing.timbre.frames import ABSENT, CLASSES
from musicnet_build.packing.timbre.images import SAMPLE_RATE
from musicnet_build.packing.timbre.package import FORMAT

ROLL_FRAME_S = 0.01
MAX_DURATION_S = 6 * 3600
AVERAGE, ALL = "average", "all"
_BLOCK_FRAMES = 60_000
_ENDINGS = (".csv", ".mid", ".midi", ".npy")

Notes = Mapping[str, NoteTable]
"""Notes of a piece by instrument."""


@dataclass(frozen=True)
class Counts:
    """Activations of a piano roll by kind; they add up."""

    correct: int = 0
    wrong: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Return the counts of both."""
        return Counts(
            self.correct + other.correct,
            self.wrong + other.wrong,
            self.false + other.false,
            self.missed + other.missed,
        )

    @property
    def precision(self) -> float | None:
        """Share of what was predicted that is right."""
        return _ratio(self.correct, self.correct + self.wrong + self.false)

    @property
    def recall(self) -> float | None:
        """Correct in correct and missed."""
        return _ratio(self.correct, self.correct + self.missed)

    @property
    def f_measure(self) -> float | None:
        """Harmonic mean of precision and recall, 0 where nothing is correct; None where nothing was to be found."""
        if not self.correct + self.wrong + self.missed:
            return None
        # Harmonic mean of correct / (correct + wrong + false) and correct / (correct + missed).
        return 2 * self.correct / max(2 * self.correct + self.wrong + self.false + self.missed, 1)

    @property
    def accuracy(self) -> float | None:
        """Correct in all four kinds."""
        return _ratio(self.correct, self.correct + self.wrong + self.false + self.missed)

    def as_dict(self) -> dict[str, float | None]:
        """Return counts and metrics by name."""
        return {
            "correct": self.correct,
            "wrong": self.wrong,
            "false": self.false,
            "missed": self.missed,
            **{name: getattr(self, name) for name in METRICS},
        }


METRICS = ("precision", "recall", "f_measure", "accuracy")
Report = dict[str, dict[str, dict[str, float | None]]]
"""Test set to instrument to counts and metrics; ``average`` among the sets, ``all`` among the instruments."""


def count_activations(predicted: NoteTable, truth: NoteTable) -> Counts:
    """Compare the piano rolls of one instrument.

    Parameters
    ----------
    predicted, truth : NoteTable
        Times in seconds.

    Returns
    -------
    Counts

    Raises
    ------
    LabelError
        When notes last longer than six hours.
    """
    end_s = max(float(table["offset_s"].max(initial=0.0)) for table in (predicted, truth))
    if end_s > MAX_DURATION_S:
        raise LabelError(f"Notes reach to {end_s:.0f} s; no more than {MAX_DURATION_S} s are compared.")
    total = Counts()
    for first in range(0, int(end_s / ROLL_FRAME_S) + 2, _BLOCK_FRAMES):
        total += _compared(_roll(predicted, first), _roll(truth, first))
    return total


def evaluate(predicted: Mapping[str, Notes], truth: Mapping[str, Notes], subsets: Mapping[str, str]) -> Report:
    """Compare the notes of many pieces, and sum up by test set and instrument.

    Parameters
    ----------
    predicted, truth : mapping of piece to (mapping of instrument to NoteTable)
    subsets : mapping of piece to str
        The test set of each piece.

    Returns
    -------
    dict
        ``report[test set][instrument]``; the instrument ``all`` has the counts of all instruments, the test set
        ``average`` the means of the metrics over the test sets in which they are defined.

    Raises
    ------
    DatasetError
        When nothing was predicted for a piece.
    """
    missing = [piece for piece in truth if piece not in predicted]
    if missing:
        raise DatasetError(f"There is no prediction for {missing[0]} ({len(missing)} of {len(truth)} pieces lack one).")
    counts: dict[str, dict[str, Counts]] = {}
    for piece, notes in truth.items():
        of_set = counts.setdefault(subsets[piece], {})
        for instrument, table in notes.items():
            found = count_activations(predicted[piece].get(instrument, empty_notes()), table)
            of_set[instrument] = of_set.get(instrument, Counts()) + found
            of_set[ALL] = of_set.get(ALL, Counts()) + found
    report = {
        name: {who: of_set[who].as_dict() for who in (*_without_all(of_set), ALL)} for name, of_set in counts.items()
    }
    return report | {AVERAGE: _averages(report)}


def table_lines(report: Report) -> list[str]:
    """Return a report as lines of text, a row for each test set and instrument."""
    lines = [
        f"{'test set':16} {'instrument':12} {'correct':>8} {'wrong':>8} {'false':>8} {'missed':>8} "
        f"{'P':>6} {'R':>6} {'F':>6} {'A':>6}"
    ]
    for name, of_set in report.items():
        for instrument, values in of_set.items():
            counts = " ".join(f"{_shown(values.get(kind), 0):>8}" for kind in ("correct", "wrong", "false", "missed"))
            metrics = " ".join(f"{_shown(values[metric], 3):>6}" for metric in METRICS)
            lines.append(f"{name:16} {instrument:12} {counts} {metrics}")
    return lines


# ---------------------------------------------------------------------------------------------------------------------
# Reading truth and predictions


@dataclass(frozen=True, eq=False)
class Truth:
    """What is to be predicted.

    Attributes
    ----------
    programs : dict of str to tuple of int
        General MIDI programs of each instrument, which tell the notes of label files apart.
    notes : dict of piece to (dict of instrument to NoteTable)
    subsets : dict of piece to str
    frames : dict of piece to ndarray of int64, or None
        Places of the package's frames that are of the piece; None where the truth is no package.
    start_s : dict of piece to ndarray of float64
        When these frames begin.
    frame_s : float
        Length of a frame.
    """

    programs: dict[str, tuple[int, ...]]
    notes: dict[str, Notes]
    subsets: dict[str, str]
    frames: dict[str, Int64s] | None
    start_s: dict[str, Float64s]
    frame_s: float

    @property
    def instruments(self) -> tuple[str, ...]:
        """Names, in the order of the columns of per-frame predictions."""
        return tuple(self.programs)


def read_truth(path: str | os.PathLike[str], instruments: Sequence[Instrument], frame_length: int = 8192) -> Truth:
    """Read what is to be predicted.

    Parameters
    ----------
    path : str or PathLike
        The folder of a timbre set, a package made of one, or a label file.
    instruments : sequence of Instrument
        Of a label file; sets and packages name their own.
    frame_length : int
        Samples at 32,768 Hz that one row of a per-frame prediction stands for; packages know their own.

    Returns
    -------
    Truth

    Raises
    ------
    DatasetError, LabelError
        When it cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() in (".h5", ".hdf5"):
        return _truth_of_package(path)
    frame_s = frame_length / SAMPLE_RATE
    if path.is_dir():
        found = read_set(path)
        programs = {each.name: each.programs for each in found.instruments}
        notes: dict[str, Notes] = {piece.name: found.instrument_notes(piece) for piece in found.pieces}
        return Truth(programs, notes, {piece.name: piece.subset for piece in found.pieces}, None, {}, frame_s)
    programs = {each.name: each.programs for each in instruments}
    return Truth(programs, {path.stem: _by_program(path, programs)}, {path.stem: path.stem}, None, {}, frame_s)


def read_predictions(path: str | os.PathLike[str], truth: Truth) -> dict[str, Notes]:
    """Read predictions.

    Parameters
    ----------
    path : str or PathLike
        One file, or a folder with a file for each piece, named after it. MusicNet CSV and MIDI files hold notes, told
        apart by program. An .npy file holds a row a frame: pitches (128: absent) [shape=(n, instruments)], or a value
        for each class [shape=(n, instruments, 129)], of which the greatest counts; where there is one instrument its
        axis may be missing. One .npy file may hold all frames of a package.
    truth : Truth

    Returns
    -------
    dict of piece to (dict of instrument to NoteTable)

    Raises
    ------
    DatasetError, LabelError
        When a file cannot be read, or does not fit.
    """
    path = Path(path)
    if path.is_dir():
        files = {piece: _file_of(path, piece) for piece in truth.notes}
        return {piece: _prediction(file, piece, truth) for piece, file in files.items() if file is not None}
    if truth.frames is not None and path.suffix.lower() == ".npy":
        pitch = _pitches(path, len(truth.instruments))
        total = sum(len(frames) for frames in truth.frames.values())
        if len(pitch) != total:
            raise DatasetError(f"{path} has {len(pitch)} rows, and the package {total} frames.")
        return {piece: _notes_of_frames(pitch[rows], piece, truth) for piece, rows in truth.frames.items()}
    if len(truth.notes) != 1:
        raise DatasetError(f"{path} is one file, and the truth has {len(truth.notes)} pieces: give a folder of files.")
    (piece,) = truth.notes
    return {piece: _prediction(path, piece, truth)}


def _truth_of_package(path: Path) -> Truth:
    with reading(path) as file:
        if file.attrs.get("format") != FORMAT:
            raise DatasetError(f"{path} is no timbre package: make one with `pack timbre`.")
        instruments = json.loads(file.attrs["instruments"])
        names = [name.decode() for name in file["piece_name"][...]]
        subsets = [name.decode() for name in file["piece_subset"][...]]
        rows, piece, start = file["notes"][...], file["piece"][...], file["start_sample"][...]
        frame_s = int(file.attrs["frame_length"]) / SAMPLE_RATE
    programs = {each["name"]: tuple(each["programs"]) for each in instruments}
    frames = {name: np.flatnonzero(piece == i) for i, name in enumerate(names)}
    return Truth(
        programs,
        {name: _notes_of_rows(rows[rows["piece"] == i], list(programs)) for i, name in enumerate(names)},
        dict(zip(names, subsets, strict=True)),
        frames,
        {name: start[own] / SAMPLE_RATE for name, own in frames.items()},
        frame_s,
    )


def _notes_of_rows(rows: Records, instruments: list[str]) -> Notes:
    tables = {}
    for i, name in enumerate(instruments):
        own = rows[rows["instrument"] == i]
        tables[name] = _table(own["onset_s"], own["offset_s"], own["pitch"])
    return tables


def _table(onset_s: NDArray[Any], offset_s: NDArray[Any], pitch: NDArray[Any]) -> NoteTable:
    notes = empty_notes(len(pitch))
    notes["onset_s"], notes["offset_s"], notes["pitch"], notes["velocity"] = onset_s, offset_s, pitch, 64
    return notes


def _file_of(folder: Path, piece: str) -> Path | None:
    return next((path for ending in _ENDINGS if (path := folder / f"{piece}{ending}").is_file()), None)


def _prediction(path: Path, piece: str, truth: Truth) -> Notes:
    if path.suffix.lower() == ".npy":
        return _notes_of_frames(_pitches(path, len(truth.instruments)), piece, truth)
    return _by_program(path, truth.programs)


def _by_program(path: Path, programs: Mapping[str, tuple[int, ...]]) -> Notes:
    """Read a label file, and tell its notes apart by their programs."""
    notes = read_labels(path)
    tables = {name: pitched(notes[np.isin(notes["program"], own)]) for name, own in programs.items()}
    others = len(notes) - sum(len(table) for table in tables.values())
    if others:
        warnings.warn(f"{path}: {others} of {len(notes)} notes are of no instrument that is evaluated.", stacklevel=2)
    return tables


def _pitches(path: Path, instruments: int) -> Int64s:
    """Read per-frame predictions as pitches [shape=(n, instruments)]."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{path} cannot be read as a numpy array ({error}).") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
        raise DatasetError(f"{path} is not one array of numbers.")
    if values.ndim >= 2 and values.shape[-1] == CLASSES:
        values = values.argmax(axis=-1)
    if values.ndim == 1 and instruments == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != instruments:
        raise DatasetError(
            f"{path} has the shape {values.shape}; wanted are {instruments} pitches (or 129 values each) a row."
        )
    if values.size and not (np.all(values == np.floor(values)) and values.min() >= 0 and values.max() <= ABSENT):
        raise DatasetError(f"{path} holds values that are no pitches from 0 to 127, nor 128 for an absent instrument.")
    pitch: Int64s = values.astype(np.int64)
    return pitch


def _notes_of_frames(pitch: Int64s, piece: str, truth: Truth) -> Notes:
    """Return a note for every frame in which an instrument sounds."""
    start_s = truth.start_s.get(piece, np.arange(len(pitch)) * truth.frame_s)
    if len(start_s) != len(pitch):
        raise DatasetError(
            f"{piece}: {len(pitch)} rows were predicted, and the package has {len(start_s)} frames of it."
        )
    tables = {}
    for i, name in enumerate(truth.instruments):
        sounds = pitch[:, i] != ABSENT
        tables[name] = _table(start_s[sounds], start_s[sounds] + truth.frame_s, pitch[sounds, i])
    return tables


# ---------------------------------------------------------------------------------------------------------------------
# Counting


def _roll(notes: NoteTable, first: int) -> Bools:
    """Return where pitches sound in a block of frames [shape=(frames, 128)]."""
    start_s = first * ROLL_FRAME_S
    near = (notes["onset_s"] < start_s + (_BLOCK_FRAMES + 1) * ROLL_FRAME_S) & (
        notes["offset_s"] > start_s - ROLL_FRAME_S
    )
    moved = notes[near].copy()
    end_s = float(moved["offset_s"].max(initial=start_s)) - start_s
    moved["onset_s"] -= start_s
    moved["offset_s"] -= start_s
    frames = min(_BLOCK_FRAMES, int(end_s / ROLL_FRAME_S) + 2)
    return label_rolls(moved, frames, ROLL_FRAME_S, "a", pitches=ALL_PITCHES).frame


def _compared(predicted: Bools, truth: Bools) -> Counts:
    length = max(len(predicted), len(truth))
    predicted, truth = (np.pad(roll, ((0, length - len(roll)), (0, 0))) for roll in (predicted, truth))
    too_many = np.sum(predicted & ~truth, axis=1)
    too_few = np.sum(truth & ~predicted, axis=1)
    wrong = np.minimum(too_many, too_few)
    return Counts(
        int(np.sum(predicted & truth)), int(wrong.sum()), int((too_many - wrong).sum()), int((too_few - wrong).sum())
    )


def _averages(report: Report) -> dict[str, dict[str, float | None]]:
    instruments = dict.fromkeys(who for of_set in report.values() for who in of_set)
    return {
        who: {metric: _mean(of_set[who][metric] for of_set in report.values() if who in of_set) for metric in METRICS}
        for who in instruments
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _without_all(of_set: Mapping[str, Counts]) -> list[str]:
    return [who for who in of_set if who != ALL]


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _shown(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
