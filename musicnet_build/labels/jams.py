"""JAMS: one annotation of the namespace ``note_midi`` per part; what it has no place for stands in its sandbox."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.errors import LabelError
from musicnet_build.labels.parsing import LineError, integer, number, seconds, text_of
from musicnet_build.labels.table import DEFAULT_VELOCITY, About, by_part, labelled, table_of
from musicnet_build.notes import SAMPLE_RATE, NoteTable

_JAMS_COLUMNS = {"velocity": DEFAULT_VELOCITY, "onset_beats": 0.0, "duration_beats": 0.0}


def write_jams(notes: NoteTable, about: About) -> bytes:
    """Write the annotations, each with velocities and beats in its sandbox."""
    notes = labelled(notes)
    last_offset_s = float(notes["offset_s"].max(initial=0.0))
    duration_s = last_offset_s if about.duration_s is None else about.duration_s
    document = {
        "annotations": [_jams_annotation(group, duration_s) for group in by_part(notes)],
        "file_metadata": {
            "title": about.title,
            "artist": about.artist,
            "release": "",
            "duration": duration_s,
            "identifiers": {},
            "jams_version": "0.3.4",
        },
        "sandbox": {},
    }
    return (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()


def _jams_annotation(notes: NoteTable, duration_s: float) -> dict[str, Any]:
    onset = np.maximum(notes["onset_s"], 0.0)
    observations = [
        {
            "time": float(onset[i]),
            "duration": max(float(note["offset_s"] - onset[i]), 1 / SAMPLE_RATE),
            "value": float(note["pitch"]),
            "confidence": None if math.isnan(note["confidence"]) else float(note["confidence"]),
        }
        for i, note in enumerate(notes)
    ]
    return {
        "namespace": "note_midi",
        "time": 0.0,
        "duration": duration_s,
        "data": observations,
        "annotation_metadata": {
            "annotation_tools": "musicnet_build",
            "annotation_rules": "",
            "annotator": {},
            "corpus": "",
            "curator": {"name": "", "email": ""},
            "data_source": "score aligned to recording",
            "validation": "",
            "version": "",
        },
        "sandbox": {
            "program": int(notes["program"][0]),
            "part": int(notes["part"][0]),
            **{field: notes[field].tolist() for field in _JAMS_COLUMNS},
        },
    }


def read_jams(path: Path) -> NoteTable:
    """Read all annotations of the namespace ``note_midi``, with our sandbox or without."""
    try:
        document = json.loads(text_of(path))
        annotations = [a for a in document["annotations"] if a["namespace"] == "note_midi"]
        rows = [row for annotation in annotations for row in _jams_rows(annotation)]
    except json.JSONDecodeError as error:
        raise LabelError(f"{path}: line {error.lineno}: {error.msg}.") from error
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise LabelError(f"{path}: is not a JAMS file with note_midi annotations ({error!r}).") from error
    except LineError as fault:
        raise LabelError(f"{path}: {fault}.") from fault
    if document["annotations"] and not annotations:
        raise LabelError(f"{path}: has no annotation of the namespace note_midi.")
    return table_of(rows)


def _jams_rows(annotation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    sandbox = annotation.get("sandbox") or {}
    program = integer(str(sandbox.get("program", 0)), "program", 0, 127)
    part = integer(str(sandbox.get("part", 0)), "part", 0, 2**15 - 1)
    for i, observation in enumerate(annotation["data"]):
        columns = {
            field: str(sandbox[field][i] if field in sandbox else default) for field, default in _JAMS_COLUMNS.items()
        }
        try:
            yield {"program": program, "part": part, **_jams_note(observation, **columns)}
        except LineError as fault:
            raise LineError(f"note {i + 1} of an annotation, at {str(observation['time'])[:20]} s: {fault}") from fault


def _jams_note(observation: dict[str, Any], velocity: str, onset_beats: str, duration_beats: str) -> dict[str, Any]:
    onset, confidence = seconds(str(observation["time"]), "time"), observation["confidence"]
    return {
        "onset_s": onset,
        "offset_s": onset + number(str(observation["duration"]), "duration", 1e-9, 1e7),
        "pitch": integer(str(round(observation["value"])), "value", 0, 127),
        "confidence": math.nan if confidence is None else number(str(confidence), "confidence", 0, 1),
        "velocity": integer(velocity, "velocity", 0, 127),
        "onset_beats": number(onset_beats, "onset_beats", -1e9, 1e9),
        "duration_beats": number(duration_beats, "duration_beats", 0, 1e9),
    }
