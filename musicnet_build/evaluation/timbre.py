"""How well the notes of several instruments were predicted: piano rolls compared frame by frame.

Conventions
-----------
Notes become piano rolls of 100 frames per second; frame k is centred on k / 100 s, and a note sounds from the frame
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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools
from musicnet_build.errors import DatasetError
from musicnet_build.evaluation.rolls import roll_blocks
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.packing.timbre.music import InstrumentNotes

ROLL_FRAME_S = 0.01
AVERAGE, ALL = "average", "all"


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
        """Share of what was predicted that is correct."""
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
    total = Counts()
    for predicted_roll, true_roll in roll_blocks([predicted, truth], ROLL_FRAME_S):
        total += _compared(predicted_roll, true_roll)
    return total


def evaluate(
    predicted: Mapping[str, InstrumentNotes], truth: Mapping[str, InstrumentNotes], subsets: Mapping[str, str]
) -> Report:
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

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.evaluation.timbre import evaluate
    >>> truth = {"duet": {"violin": read_labels("labels.csv")}}
    >>> found = evaluate(truth, truth, {"duet": "violin_alone"})
    >>> found["violin_alone"]["violin"]["f_measure"]
    1.0
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


def _compared(predicted: Bools, truth: Bools) -> Counts:
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
