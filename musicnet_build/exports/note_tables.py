"""Which note of the score is which note of the performance: ``.match``, the tables of (n)ASAP, Parangonada's folder.

The forms are those of their documentation (match files 1.0.0: F. Foscarin et al., "The match file format", Music
Encoding Conference 2022), written here, and read back by partitura and parangonar in ``tests/optional``: partitura is
not imported, because it fetches a soundfont from the network when it is imported beside pyfluidsynth.

Every label is a note of the score, so every line is a match. Performed notes are called ``n0``, ``n1``, … in the order
of the labels.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.exports.beats import csv_text, measure_length
from musicnet_build.exports.performed import PerformedScore
from musicnet_build.exports.spelling import spelled
from musicnet_build.score.beats import TOLERANCE_BEATS
from musicnet_build.score.model import TimeSignature

MATCH_VERSION = "1.0.0"
CLOCK_UNITS, CLOCK_RATE = 5000, 500_000
"""Ticks per quarter note and microseconds per quarter note of the performance's clock: a tick is 0.1 ms."""

_FINEST = 10_080  # of a quarter note: every tuplet up to nine, and 32nds of it
_ALTERATIONS = {-2: "bb", -1: "b", 0: "n", 1: "#", 2: "x"}


def match_file(performed: PerformedScore, piece: str) -> str:
    """Return a match file.

    Parameters
    ----------
    performed : PerformedScore
        Without measures it is one long measure of quarter notes.
    piece : str
        Its name, for the header.

    Returns
    -------
    str
    """
    head = [
        f"info(matchFileVersion,{MATCH_VERSION}).",
        f"info(piece,{_plain(piece)}).",
        f"info(midiClockUnits,{CLOCK_UNITS}).",
        f"info(midiClockRate,{CLOCK_RATE}).",
    ]
    grid = _Grid(performed)
    return "\n".join([*head, *grid.signature_lines(), *_match_lines(performed, grid)]) + "\n"


def _plain(text: str) -> str:
    """A name without what separates fields."""
    return "".join(" " if letter in "(),\n\r" else letter for letter in text).strip() or "-"


class _Grid:
    """Where in measures, and on the beats of the time signatures, a place of the score is.

    Beats of match files are those of the denominator, and 0 is the first whole measure.
    """

    def __init__(self, performed: PerformedScore) -> None:
        self._signatures = performed.signatures or (TimeSignature(0.0, 4, 4),)
        starts = performed.measures.starts_beats
        self._starts = starts if len(starts) else np.zeros(1)
        whole = measure_length(self._signatures[0])
        first = float(self._starts[1]) if len(self._starts) > 1 else whole
        self._missing = max(0.0, whole - first)  # of an upbeat, which is measure 0
        self._upbeat = first if self._missing > TOLERANCE_BEATS else 0.0
        edges = np.array([0.0, *(signature.beats for signature in self._signatures[1:])])
        self._unit = np.array([signature.denominator / 4 for signature in self._signatures])
        self._edges, self._at_edges = edges, np.concatenate([[0.0], np.cumsum(np.diff(edges) * self._unit[:-1])])

    def beats(self, place: float) -> float:
        """Beats of the time signatures from the first whole measure on."""
        return self._counted(place) - self._counted(self._upbeat)

    def _counted(self, place: float) -> float:
        i = max(int(np.searchsorted(self._edges, place + TOLERANCE_BEATS, side="right")) - 1, 0)
        return float(self._at_edges[i] + (place - self._edges[i]) * self._unit[i])

    def position(self, place: float) -> str:
        """``measure:beat,offset``: the beat counts from 1, the offset is the rest in whole notes."""
        i = max(int(np.searchsorted(self._starts, place + TOLERANCE_BEATS, side="right")) - 1, 0)
        inside = place - float(self._starts[i]) + (self._missing if i == 0 else 0.0)
        segment = max(int(np.searchsorted(self._edges, self._starts[i] + TOLERANCE_BEATS, side="right")) - 1, 0)
        unit = 1.0 / float(self._unit[segment])
        beat = int((inside + TOLERANCE_BEATS) // unit)
        measure = i + (0 if self._upbeat else 1)
        return f"{measure}:{beat + 1},{_whole_notes(max(inside - beat * unit, 0.0))}"

    def signature_lines(self) -> Iterator[str]:
        for signature, place in zip(self._signatures, self._edges.tolist(), strict=True):
            value = f"{signature.numerator}/{signature.denominator}"
            yield f"scoreprop(timeSignature,{value},{self.position(place)},{self.beats(place):.4f})."


def _whole_notes(quarters: float) -> str:
    fraction = Fraction(round(quarters * _FINEST), _FINEST * 4)
    return f"{fraction.numerator}/{fraction.denominator}" if fraction else "0"


def _match_lines(performed: PerformedScore, grid: _Grid) -> Iterator[str]:
    names = _spelled_in_score_order(performed)
    on, off = (
        np.rint(performed.notes[f] * 1e6 / CLOCK_RATE * CLOCK_UNITS).astype(int) for f in ("onset_s", "offset_s")
    )
    spans = list(zip(performed.onset_beats.tolist(), performed.duration_beats.tolist(), strict=True))
    for i in np.lexsort((performed.notes["pitch"], performed.onset_beats)).tolist():
        onset, duration = spans[i]
        row, (letter, alteration, octave) = performed.notes[i], names[i]
        score_note = (
            f"{performed.ids[i]},[{letter},{_ALTERATIONS[alteration]}],{octave},{grid.position(onset)},"
            f"{_whole_notes(duration)},{grid.beats(onset):.4f},{grid.beats(onset + duration):.4f},"
            f"[v{row['part'] + 1},staff{row['part'] + 1}]"
        )
        note = f"n{i},{row['pitch']},{on[i]},{max(off[i], on[i] + 1)},{max(row['velocity'], 1)},0,0"
        yield f"snote({score_note})-note({note})."


def _spelled_in_score_order(performed: PerformedScore) -> list[tuple[str, int, int]]:
    order = np.lexsort((performed.notes["pitch"], performed.onset_beats))
    names = spelled(performed.notes["pitch"][order].astype(np.int64))
    return [names[i] for i in np.argsort(order).tolist()]


def note_alignment_tsv(performed: PerformedScore) -> str:
    """Return the note alignment of (n)ASAP: ``xml_id, midi_id, track, channel, pitch, onset``, in recording seconds."""
    lines = ["xml_id\tmidi_id\ttrack\tchannel\tpitch\tonset"]
    for i, (note_id, row) in enumerate(zip(performed.ids, performed.notes, strict=True)):
        lines.append(f"{note_id}\tn{i}\t0\t0\t{row['pitch']}\t{row['onset_s']:.6f}")
    return "\n".join(lines) + "\n"


def parangonada(performed: PerformedScore) -> dict[str, str]:
    """Return the files of a folder for Parangonada, by name.

    Parameters
    ----------
    performed : PerformedScore

    Returns
    -------
    dict of str
        ``part.csv`` (the score), ``ppart.csv`` (the performance), ``align.csv``, ``zalign.csv`` (an alignment to
        compare with: the same) and ``feature.csv`` (empty of features).
    """
    align = csv_text(
        ("idx", "matchtype", "partid", "ppartid"),
        ((i, 0, note_id, f"n{i}") for i, note_id in enumerate(performed.ids)),
    )
    features = ((0.0, 0.0, 0.0, note_id) for note_id in performed.ids)
    return {
        "part.csv": _score_table(performed),
        "ppart.csv": _performance_table(performed),
        "align.csv": align,
        "zalign.csv": align,
        "feature.csv": csv_text(("velocity", "timing", "articulation", "id"), features),
    }


def _score_table(performed: PerformedScore) -> str:
    grid = _Grid(performed)
    header = [f"{field}_{unit}" for unit in ("beat", "quarter", "div") for field in ("onset", "duration")]
    ends = performed.onset_beats + performed.duration_beats
    beats = [(grid.beats(a), grid.beats(b)) for a, b in zip(performed.onset_beats.tolist(), ends.tolist(), strict=True)]
    rows = (
        (
            f"{on:.9g}", f"{off - on:.9g}", f"{quarter:.9g}", f"{length:.9g}",
            round(quarter * _FINEST), round(length * _FINEST), row["pitch"], row["part"] + 1, note_id,
        )
        for (on, off), quarter, length, row, note_id in zip(
            beats, performed.onset_beats, performed.duration_beats, performed.notes, performed.ids, strict=True
        )
    )  # fmt: skip
    return csv_text([*header, "pitch", "voice", "id"], rows)


def _performance_table(performed: PerformedScore) -> str:
    header = ("onset_sec", "duration_sec", "pitch", "velocity", "track", "channel", "id")
    lengths: Float64s = performed.notes["offset_s"] - performed.notes["onset_s"]
    rows = (
        (f"{row['onset_s']:.6f}", f"{length:.6f}", row["pitch"], row["velocity"], 0, 0, f"n{i}")
        for i, (row, length) in enumerate(zip(performed.notes, lengths, strict=True))
    )
    return csv_text(header, rows)
