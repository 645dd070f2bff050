"""Beats, downbeats and measures with their recording seconds: tables, and layers for Sonic Visualiser and Audacity.

The file forms are those that the two programs document: a layer of Sonic Visualiser is a CSV whose columns it asks for
when the file is opened, labels of Audacity are lines of start, end and text between tabs.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Float64s, Int64s
from musicnet_build.exports.performed import PerformedScore
from musicnet_build.notes import pitch_name
from musicnet_build.score.beats import TOLERANCE_BEATS, beat_length
from musicnet_build.score.model import TimeSignature


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a performance.

    Attributes
    ----------
    score_beats : ndarray of float64 [shape=(k,)]
        Quarter notes from the beginning of what is played, ascending.
    time_s : ndarray of float64 [shape=(k,)]
        Recording seconds, ascending.
    measure : tuple of str
        The measure that each is in, as printed; empty where the score has none.
    beat : ndarray of int64 [shape=(k,)]
        Its number in the measure, from 1; in an upbeat those at the end of a whole measure.
    is_downbeat : ndarray of bool [shape=(k,)]
    notes : ndarray of int64 [shape=(k,)]
        How many notes begin there: where none does, the time lies between those of the notes around.
    """

    score_beats: Float64s
    time_s: Float64s
    measure: tuple[str, ...]
    beat: Int64s
    is_downbeat: Bools
    notes: Int64s

    def label(self, place: int) -> str:
        """Return measure and beat, such as ``33:1``; the number of the beat alone where there are no measures."""
        return f"{self.measure[place]}:{self.beat[place]}" if self.measure[place] else str(self.beat[place])


def measure_length(signature: TimeSignature) -> float:
    """Return the length of a whole measure in quarter notes."""
    return 4.0 * signature.numerator / signature.denominator


def beats_of(performed: PerformedScore) -> Beats:
    """Return the beats of a performance, as its time signatures count them.

    Parameters
    ----------
    performed : PerformedScore
        Without measures its quarter notes are the beats, numbered from 1, and none is a downbeat.

    Returns
    -------
    Beats
    """
    rows = list(_counted(performed)) or [
        (beat, "", k, False) for k, beat in enumerate(np.arange(0.0, performed.end_beats - TOLERANCE_BEATS), start=1)
    ]
    score_beats, measure, beat, is_downbeat = zip(*rows, strict=True)
    places = np.array(score_beats, dtype=np.float64)
    return Beats(
        score_beats=places,
        time_s=performed.recording_at(places),
        measure=measure,
        beat=np.array(beat, dtype=np.int64),
        is_downbeat=np.array(is_downbeat, dtype=bool),
        notes=_beginning(places, performed.onset_beats),
    )


def _beginning(places: Float64s, onset_beats: Float64s) -> Int64s:
    onsets = np.sort(onset_beats)
    first, behind = (np.searchsorted(onsets, places + side * TOLERANCE_BEATS) for side in (-1, 1))
    return (behind - first).astype(np.int64)


def _counted(performed: PerformedScore) -> Iterator[tuple[float, str, int, bool]]:
    """Place, measure, number in the measure, and whether it is a downbeat, of each beat of each measure."""
    edges = _edges(performed)
    spans = zip(edges[:-1], edges[1:], _gone(performed), performed.measures.numbers, strict=True)
    for start, stop, gone, number in spans:
        step = beat_length(performed.signature_at(start))
        for k, place in enumerate(np.arange(start, stop - TOLERANCE_BEATS, step)):
            # Where a measure is split, the second half goes on counting.
            yield float(place), number, round(gone / step) + k + 1, k == 0 and gone == 0


def _edges(performed: PerformedScore) -> Float64s:
    """Where measures begin, and where the last ends."""
    return np.append(performed.measures.starts_beats, performed.end_beats)


def _gone(performed: PerformedScore) -> list[float]:
    """Quarter notes of a whole measure that precede each measure: some in an upbeat, and behind a split measure."""
    starts = performed.measures.starts_beats
    lengths = np.diff(_edges(performed))
    gone: list[float] = []
    for i, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        signature = performed.signature_at(start)
        whole = measure_length(signature) if signature else float(length)
        before = gone[-1] + lengths[i - 1] if i else max(0.0, whole - float(length)) % whole
        is_only = i == len(starts) - 1 == 0  # a piece of one measure has no upbeat
        fits = before + length <= whole + TOLERANCE_BEATS
        gone.append(float(before) if fits and before < whole - TOLERANCE_BEATS and not is_only else 0.0)
    return gone


def beats_csv(beats: Beats) -> str:
    """Return a row per beat: ``time_s, measure, beat, is_downbeat, score_beats, notes``."""
    columns = beats.time_s, beats.measure, beats.beat, beats.is_downbeat, beats.score_beats, beats.notes
    rows = (
        (f"{time_s:.6f}", measure, beat, int(down), f"{score_beats:.9g}", notes)
        for time_s, measure, beat, down, score_beats, notes in zip(*columns, strict=True)
    )
    return csv_text(("time_s", "measure", "beat", "is_downbeat", "score_beats", "notes"), rows)


def measures_csv(performed: PerformedScore) -> str:
    """Return a row per measure: ``measure, start_s, end_s, start_beats, end_beats``; none where the score has none."""
    edges = _edges(performed)
    seconds = performed.recording_at(edges)
    rows = (
        (number, f"{seconds[i]:.6f}", f"{seconds[i + 1]:.6f}", f"{edges[i]:.9g}", f"{edges[i + 1]:.9g}")
        for i, number in enumerate(performed.measures.numbers)
    )
    return csv_text(("measure", "start_s", "end_s", "start_beats", "end_beats"), rows)


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a CSV file with line feeds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


@dataclass(frozen=True)
class Mark:
    """A time or a span of a recording with a text: ``pitch`` and ``level`` (0 to 1) only where it is a note."""

    start_s: float
    end_s: float
    text: str
    pitch: int | None = None
    level: float = 0.0


def note_marks(performed: PerformedScore) -> list[Mark]:
    """Return a mark per note, named by its pitch."""
    fields = ("onset_s", "offset_s", "pitch", "velocity")
    rows = zip(*(performed.notes[field].tolist() for field in fields), strict=True)
    return [Mark(start_s, end_s, pitch_name(pitch), pitch, velocity / 127) for start_s, end_s, pitch, velocity in rows]


def event_marks(performed: PerformedScore) -> list[Mark]:
    """Return a mark per place of the score at which notes begin, at the first of them, named by all their pitches."""
    events: dict[float, list[int]] = {}
    for i in np.lexsort((performed.notes["pitch"], performed.onset_beats)).tolist():
        events.setdefault(round(float(performed.onset_beats[i]), 6), []).append(i)
    first_s = [float(performed.notes["onset_s"][rows].min()) for rows in events.values()]
    names = [" ".join(map(pitch_name, performed.notes["pitch"][rows].tolist())) for rows in events.values()]
    return [Mark(time_s, time_s, name) for time_s, name in sorted(zip(first_s, names, strict=True))]


def beat_marks(beats: Beats) -> list[Mark]:
    """Return a mark per beat inside the recording, named by measure and beat."""
    times_s = beats.time_s.tolist()
    return [Mark(time_s, time_s, beats.label(i)) for i, time_s in enumerate(times_s) if time_s >= 0]


def sonic_visualiser(marks: list[Mark]) -> str:
    """Return a layer: time, pitch, duration, level and label of notes; time and label of instants."""
    notes = [mark for mark in marks if mark.pitch is not None]
    if notes:
        return csv_text(
            ("TIME", "VALUE", "DURATION", "LEVEL", "LABEL"),
            ((f"{m.start_s:.6f}", m.pitch, f"{m.end_s - m.start_s:.6f}", f"{m.level:.3f}", m.text) for m in notes),
        )
    return csv_text(("TIME", "LABEL"), ((f"{mark.start_s:.6f}", mark.text) for mark in marks))


def audacity(marks: list[Mark]) -> str:
    """Return a label track."""
    return "".join(f"{mark.start_s:.6f}\t{mark.end_s:.6f}\t{mark.text}\n" for mark in marks)
