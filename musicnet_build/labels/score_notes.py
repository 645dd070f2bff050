"""Where each label stands in the score: the note's id, its printed measure, its beat in the measure.

A label file has no place for these, so they stand in a file of their own, row by row beside the labels.
"""

import csv
import io
import os
from collections.abc import Iterator

import numpy as np

from musicnet_build.files import write_text
from musicnet_build.labels.table import labelled, sample_times
from musicnet_build.notes import NoteTable
from musicnet_build.score.beats import TOLERANCE_BEATS, measures_of
from musicnet_build.score.model import Score

COLUMNS = ("start_time", "end_time", "instrument", "note", "note_id", "measure", "beat")


def write_score_notes(path: str | os.PathLike[str], notes: NoteTable, score: Score) -> None:
    """Write a CSV file with a row per label, in the order of the label file.

    Parameters
    ----------
    path : str or PathLike
    notes : NoteTable [shape=(n,)]
        Labels made from the score, in recording seconds.
    score : Score
        As written. ``note_id`` is empty where it has no ids; ``beat`` counts quarter notes from 1 in each measure.
    """
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(labelled(notes), score))
    write_text(path, rows.getvalue())


def _rows(notes: NoteTable, score: Score) -> Iterator[tuple[object, ...]]:
    start, end = sample_times(notes)
    measures = measures_of(score)
    places = np.searchsorted(measures.starts_beats, notes["onset_beats"] + TOLERANCE_BEATS, side="right") - 1
    for row, start_sample, end_sample, place in zip(notes, start, end, places.tolist(), strict=True):
        note_id = score.note_ids[row["score_note"]] if row["score_note"] >= 0 else ""
        number, beat = "", ""
        if place >= 0:
            number = measures.numbers[place]
            beat = f"{row['onset_beats'] - measures.starts_beats[place] + 1:.6g}"
        yield start_sample, end_sample, row["program"] + 1, row["pitch"], note_id, number, beat
