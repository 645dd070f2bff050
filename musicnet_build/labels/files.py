"""Aligned notes to and from label files: MusicNet CSV, MIDI, transcription TSV, JAMS, Audacity labels.

Times are recording seconds. What each format keeps of a note:

========  ============================================================================================
.csv      times to the sample, beats to 12 digits, pitch, program; confidence (4 decimals) on request
.mid      times to 0.1 ms, pitch, velocity, program, parts, drums
.tsv      times to the microsecond, pitch, velocity
.jams     everything but drums
.txt      times to the microsecond, pitch, program
========  ============================================================================================

What a format does not keep is read back as ``DEFAULT_VELOCITY``, program 0, part 0, beats 0 and unknown confidence; the
beats of a MIDI file are those of its own tempo. All formats but MIDI are lists of pitched notes: there, drums are left
out, and of notes equal in times, instrument and pitch one is written (see ``labelled``).
"""

import csv
import heapq
import io
import json
import math
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from musicnet_build._typing import Int64s
from musicnet_build.errors import LabelError, ScoreError
from musicnet_build.files import replacing
from musicnet_build.notes import NOTE_DTYPE, SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.score.programs import PROGRAM_NAMES
from musicnet_build.score.reader import DRUM_CHANNEL, note_value_name, read_score

DEFAULT_VELOCITY = 64
"""Velocity of notes from formats that have none."""

MAX_FILE_BYTES = 64 * 2**20

CSV_COLUMNS = ("start_time", "end_time", "instrument", "note", "start_beat", "end_beat", "note_value")
CONFIDENCE_COLUMN = "confidence"
TSV_HEADER = "# onset,offset,note,velocity"
PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

# Ticks a beat of half a second. 2,520 rounds times by less than 0.1 ms; readers that refuse more than ten million ticks
# (pretty_midi) force coarser ticks on recordings of more than half an hour.
_FINE_TICKS, _COARSE_TICKS, _FINE_UNTIL_S = 2520, 480, 1900.0
_BEAT_S = 0.5
_JAMS_COLUMNS = {"velocity": DEFAULT_VELOCITY, "onset_beats": 0.0, "duration_beats": 0.0}
_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]


def check_ending(path: str | os.PathLike[str]) -> None:
    """Raise LabelError when the ending of ``path`` names no label format."""
    _format_of(Path(path))


def write_labels(path: str | os.PathLike[str], notes: NoteTable, *, with_confidence: bool = False) -> None:
    """Write notes to a label file of the format that its ending names; the file appears whole or not at all.

    Parameters
    ----------
    path : str or PathLike
        Ends in .csv, .mid, .midi, .tsv, .jams or .txt.
    notes : NoteTable [shape=(n,)]
        Times in recording seconds.
    with_confidence : bool
        Add the column ``confidence`` to a CSV. JAMS always states it, the other formats have no place for it.

    Raises
    ------
    LabelError
        When the ending names no format, or the notes cannot be labels (negative or unordered times, pitch or program
        out of range).
    """
    path = Path(path)
    formatter = _format_of(path).write
    _check_notes(path, notes)
    content = formatter(notes, with_confidence)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_labels(path: str | os.PathLike[str]) -> NoteTable:
    """Read a label file of the format that its ending names.

    A MIDI file may come from anywhere; when notes in it are lost or it had to be mended, a ``UserWarning`` says so.

    Parameters
    ----------
    path : str or PathLike
        Ends in .csv, .mid, .midi, .tsv, .jams or .txt.

    Returns
    -------
    NoteTable [shape=(n,)]
        Sorted by onset, times in recording seconds.

    Raises
    ------
    LabelError
        When the file cannot be read; the message names the line where there is one.
    """
    path = Path(path)
    return sorted_by_onset(_format_of(path).read(path))


def labelled(notes: NoteTable) -> NoteTable:
    """Return the notes that a label list holds: no drums, and exact duplicates once.

    Duplicates are equal in instrument, pitch, and times to the sample, as in unison doublings of one part.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    NoteTable [shape=(k,)]
        Sorted by start sample, program, pitch, end sample.
    """
    pitched = notes[~notes["is_drum"]]
    start, end = _sample_times(pitched)
    keys = np.stack([start, pitched["program"], pitched["pitch"], end], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    result: NoteTable = pitched[first]
    return result


class _Format(NamedTuple):
    write: Callable[[NoteTable, bool], bytes]
    read: Callable[[Path], NoteTable]


def _format_of(path: Path) -> _Format:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise LabelError(f"{path}: labels are files that end in {', '.join(_FORMATS)}.") from None


def _check_notes(path: Path, notes: NoteTable) -> None:
    if notes.dtype != NOTE_DTYPE:
        raise LabelError(f"{path}: the notes to write are not a note table.")
    faults = {
        "a time that is not finite": ~(np.isfinite(notes["onset_s"]) & np.isfinite(notes["offset_s"])),
        "an onset before the recording": notes["onset_s"] * SAMPLE_RATE < -0.5,
        "an offset before its onset": notes["offset_s"] < notes["onset_s"],
        "a pitch outside 0 to 127": (notes["pitch"] < 0) | (notes["pitch"] > 127),
        "a velocity outside 0 to 127": (notes["velocity"] < 0) | (notes["velocity"] > 127),
        "a program outside 0 to 127": (notes["program"] < 0) | (notes["program"] > 127),
        "beats that are not finite": ~(np.isfinite(notes["onset_beats"]) & np.isfinite(notes["duration_beats"])),
    }
    for fault, where in faults.items():
        if where.any():
            raise LabelError(f"{path}: note {int(np.argmax(where))} to write has {fault}.")


def _sample_times(notes: NoteTable) -> tuple[Int64s, Int64s]:
    """Start and end in samples, the end always after the start."""
    start = np.maximum(np.rint(notes["onset_s"] * SAMPLE_RATE), 0).astype(np.int64)
    end = np.rint(notes["offset_s"] * SAMPLE_RATE).astype(np.int64)
    return start, np.maximum(end, start + 1)


def _table(path: Path, rows: list[dict[str, Any]]) -> NoteTable:
    """Make a note table of rows that name the fields they know."""
    notes = empty_notes(len(rows))
    notes["velocity"] = DEFAULT_VELOCITY
    for field in rows[0] if rows else ():
        notes[field] = [row[field] for row in rows]
    return notes


# ---------------------------------------------------------------------------------------------------------------------
# Text files


class _FaultError(Exception):
    """What is wrong with one line, as the end of a sentence."""


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise LabelError(f"{path}: is larger than {MAX_FILE_BYTES >> 20} MiB, too large for labels.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: is not a text file (byte {error.start} is not UTF-8).") from error


def _read_rows(
    path: Path, lines: Iterator[tuple[int, list[str]]], parse: Callable[[list[str]], dict[str, Any]]
) -> NoteTable:
    """Parse (line number, cells) into notes, naming the line of the first fault."""
    rows = []
    for number, cells in lines:
        try:
            row = parse(cells)
            if not row["offset_s"] > row["onset_s"]:
                raise _FaultError("the note does not end after it starts")
            rows.append(row)
        except _FaultError as fault:
            raise LabelError(f"{path}: line {number}: {fault}.") from fault
    return _table(path, rows)


def _tabbed(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and split the lines that are neither empty nor comments, nor what Audacity marks with a backslash."""
    for number, line in enumerate(io.StringIO(text), start=1):
        if line.strip() and line[0] not in "#\\":
            yield number, line.strip("\r\n").split("\t")


def _number(cell: str, what: str, low: float, high: float) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise _FaultError(f"the {what} {cell[:40]!r} is not a number") from None
    if not low <= value <= high:
        raise _FaultError(f"the {what} {cell[:40]} is not within {low:g} and {high:g}")
    return value


def _integer(cell: str, what: str, low: int, high: int) -> int:
    value = _number(cell, what, low, high)
    if value != int(value):
        raise _FaultError(f"the {what} {cell[:40]} is not a whole number")
    return int(value)


def _seconds(cell: str, what: str) -> float:
    return _number(cell, what, 0, 1e7)


# ---------------------------------------------------------------------------------------------------------------------
# MusicNet CSV


def _write_csv(notes: NoteTable, with_confidence: bool) -> bytes:
    notes = labelled(notes)
    start, end = _sample_times(notes)
    columns: list[list[str]] = [
        *([str(value) for value in values] for values in (start, end, notes["program"] + 1, notes["pitch"])),
        [_decimal(value) for value in notes["onset_beats"]],
        [_decimal(value) for value in notes["duration_beats"]],
        note_value_name(notes["duration_beats"]).tolist(),
    ]
    header = list(CSV_COLUMNS)
    if with_confidence:
        header.append(CONFIDENCE_COLUMN)
        columns.append(["" if math.isnan(value) else f"{value:.4f}" for value in notes["confidence"]])
    rows = [header, *zip(*columns, strict=True)]
    return "".join(",".join(row) + "\n" for row in rows).encode()


def _decimal(value: float) -> str:
    """Print a number as the published files do: 12 significant digits, and always a decimal point."""
    text = f"{value:.12g}"
    return text if set(text) & set(".e") else text + ".0"


def _read_csv(path: Path) -> NoteTable:
    reader = csv.reader(io.StringIO(_text_of(path), newline=""))
    try:
        header = tuple(next(reader, ()))
        if header not in (CSV_COLUMNS, (*CSV_COLUMNS, CONFIDENCE_COLUMN)):
            raise LabelError(f"{path}: line 1: the header is not {','.join(CSV_COLUMNS)}.")
        lines = ((reader.line_num, cells) for cells in reader if cells)
        return _read_rows(path, lines, lambda cells: _csv_row(cells, len(header)))
    except csv.Error as error:
        raise LabelError(f"{path}: line {reader.line_num}: {error}.") from error


def _csv_row(cells: list[str], columns: int) -> dict[str, Any]:
    if len(cells) != columns:
        raise _FaultError(f"{len(cells)} columns instead of {columns}")
    start, end, instrument, pitch, onset_beats, duration_beats = cells[:6]
    confidence = cells[7] if columns > 7 else ""
    return {
        "onset_s": _integer(start, "start_time", 0, 10**12) / SAMPLE_RATE,
        "offset_s": _integer(end, "end_time", 0, 10**12) / SAMPLE_RATE,
        "program": _integer(instrument, "instrument", 1, 128) - 1,
        "pitch": _integer(pitch, "note", 0, 127),
        "onset_beats": _number(onset_beats, "start_beat", -1e9, 1e9),
        "duration_beats": _number(duration_beats, "end_beat", 0, 1e9),
        "confidence": _number(confidence, "confidence", 0, 1) if confidence else math.nan,
    }


# ---------------------------------------------------------------------------------------------------------------------
# Transcription TSV and Audacity labels


def _write_tsv(notes: NoteTable, with_confidence: bool) -> bytes:
    lines = [TSV_HEADER, *(f"{_times(note)}\t{note['pitch']}\t{note['velocity']}" for note in labelled(notes))]
    return ("\n".join(lines) + "\n").encode()


def _times(note: np.void) -> str:
    """Onset and offset to the microsecond, the offset always after the onset."""
    onset = max(float(note["onset_s"]), 0.0)
    return f"{onset:.6f}\t{max(float(note['offset_s']), onset + 2e-6):.6f}"


def _read_tsv(path: Path) -> NoteTable:
    return _read_rows(path, _tabbed(_text_of(path)), _tsv_row)


def _tsv_row(cells: list[str]) -> dict[str, Any]:
    if len(cells) != 4:
        raise _FaultError(f"{len(cells)} columns instead of onset, offset, note, velocity")
    return {
        "onset_s": _seconds(cells[0], "onset"),
        "offset_s": _seconds(cells[1], "offset"),
        "pitch": _integer(cells[2], "note", 0, 127),
        "velocity": _integer(cells[3], "velocity", 0, 127),
    }


def _write_audacity(notes: NoteTable, with_confidence: bool) -> bytes:
    lines = [
        f"{_times(note)}\t{_pitch_name(note['pitch'])} {PROGRAM_NAMES[note['program']]}\n" for note in labelled(notes)
    ]
    return "".join(lines).encode()


def _pitch_name(pitch: int) -> str:
    """Scientific pitch notation: 60 is C4."""
    return f"{PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _read_audacity(path: Path) -> NoteTable:
    """Read labels whose text is a pitch (``C#4``, ``Db4`` or ``61``), then perhaps an instrument (``violin``)."""
    programs = {name: program for program, name in enumerate(PROGRAM_NAMES)}
    return _read_rows(path, _tabbed(_text_of(path)), lambda cells: _audacity_row(cells, programs))


def _audacity_row(cells: list[str], programs: dict[str, int]) -> dict[str, Any]:
    if len(cells) != 3:
        raise _FaultError(f"{len(cells)} columns instead of start, end, text")
    pitch, _, instrument = cells[2].strip().partition(" ")
    instrument = instrument.strip().lower()
    if instrument and instrument not in programs:
        raise _FaultError(f"the text {cells[2][:60]!r} names no General MIDI instrument")
    return {
        "onset_s": _seconds(cells[0], "start"),
        "offset_s": _seconds(cells[1], "end"),
        "pitch": _pitch_number(pitch),
        "program": programs[instrument] if instrument else 0,
    }


def _pitch_number(text: str) -> int:
    if match := re.fullmatch(r"([A-G])([#b]?)(-1|\d)", text):
        letter, accidental, octave = match.groups()
        pitch = PITCH_NAMES.index(letter) + {"#": 1, "b": -1, "": 0}[accidental] + 12 * (int(octave) + 1)
        return _integer(str(pitch), "pitch", 0, 127)
    if re.fullmatch(r"\d{1,3}", text):
        return _integer(text, "pitch", 0, 127)
    raise _FaultError(f"the text {text[:60]!r} does not start with a pitch such as C#4 or 61")


# ---------------------------------------------------------------------------------------------------------------------
# MIDI


def _write_midi(notes: NoteTable, with_confidence: bool) -> bytes:
    """Write a type 1 file at 120 quarter notes a minute: the tempo in track 1, then a track for every part."""
    import mido

    notes = sorted_by_onset(notes)
    last_s = float(notes["offset_s"].max(initial=0.0))
    ticks_per_beat = _FINE_TICKS if last_s < _FINE_UNTIL_S else _COARSE_TICKS
    file = mido.MidiFile(type=1, ticks_per_beat=ticks_per_beat)
    tempo = mido.MetaMessage("set_tempo", tempo=round(_BEAT_S * 1e6))
    file.tracks.append(mido.MidiTrack([tempo, mido.MetaMessage("end_of_track")]))
    programs = np.unique(notes["program"][~notes["is_drum"]]).tolist()
    for group in _parts_of(notes):
        program, is_drum = int(group["program"][0]), bool(group["is_drum"][0])
        place = 0 if is_drum else programs.index(program)
        channel = DRUM_CHANNEL if is_drum else _CHANNELS[place % len(_CHANNELS)]
        for voice in _voices(*_tick_times(group, ticks_per_beat)):
            events = _midi_events(group[voice], ticks_per_beat, channel)
            file.tracks.append(_midi_track(events, program, channel, port=place // len(_CHANNELS)))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _parts_of(notes: NoteTable) -> Iterator[NoteTable]:
    """Split notes by part, program and whether they are drums, in that order."""
    keys = np.stack([notes["part"], notes["program"], notes["is_drum"]], axis=1)
    for key in np.unique(keys, axis=0):
        yield notes[(keys == key).all(axis=1)]


def _tick_times(notes: NoteTable, ticks_per_beat: int) -> tuple[Int64s, Int64s, Int64s]:
    """On tick, off tick (always later), and pitch."""
    on = np.maximum(np.rint(notes["onset_s"] / _BEAT_S * ticks_per_beat), 0).astype(np.int64)
    off = np.rint(notes["offset_s"] / _BEAT_S * ticks_per_beat).astype(np.int64)
    return on, np.maximum(off, on + 1), notes["pitch"].astype(np.int64)


def _voices(on: Int64s, off: Int64s, pitch: Int64s) -> list[list[int]]:
    """Spread note indices over as few voices as keep two notes of one pitch from overlapping.

    A MIDI track cannot hold such notes, and labels from formats without parts have them (two violins in unison).
    """
    voices: list[list[int]] = []
    busy: dict[int, list[tuple[int, int]]] = defaultdict(list)  # pitch: heap of (off tick, voice)
    free: dict[int, list[int]] = defaultdict(list)  # pitch: heap of voices
    for i, (start, end, key) in enumerate(zip(on.tolist(), off.tolist(), pitch.tolist(), strict=True)):
        while busy[key] and busy[key][0][0] <= start:
            heapq.heappush(free[key], heapq.heappop(busy[key])[1])
        voice = heapq.heappop(free[key]) if free[key] else len(busy[key])
        if voice == len(voices):
            voices.append([])
        voices[voice].append(i)
        heapq.heappush(busy[key], (end, voice))
    return voices


def _midi_events(notes: NoteTable, ticks_per_beat: int, channel: int) -> list[tuple[int, int, int, int]]:
    """(tick, status byte, pitch, velocity) in playing order, note-offs first where ticks are equal."""
    on, off, pitch = _tick_times(notes, ticks_per_beat)
    velocity = np.clip(notes["velocity"], 1, 127)
    ons = zip(on.tolist(), [0x90 | channel] * len(on), pitch.tolist(), velocity.tolist(), strict=True)
    offs = zip(off.tolist(), [0x80 | channel] * len(on), pitch.tolist(), [0] * len(on), strict=True)
    return sorted([*ons, *offs])


def _midi_track(events: list[tuple[int, int, int, int]], program: int, channel: int, port: int) -> Any:
    import mido

    track = mido.MidiTrack()
    if port:
        track.append(mido.MetaMessage("midi_port", port=port))
    name = "drums" if channel == DRUM_CHANNEL else PROGRAM_NAMES[program]
    track.append(mido.MetaMessage("track_name", name=name))
    track.append(mido.Message("program_change", program=program, channel=channel))
    tick = 0
    for at, *data in events:
        track.append(mido.Message.from_bytes(data, time=at - tick))
        tick = at
    track.append(mido.MetaMessage("end_of_track"))
    return track


def _read_midi(path: Path) -> NoteTable:
    try:
        score = read_score(path)
    except ScoreError as error:
        raise LabelError(str(error)) from error
    if score.warnings:
        warnings.warn(f"{path}: {'; '.join(score.warnings)}.", stacklevel=3)
    return score.notes


# ---------------------------------------------------------------------------------------------------------------------
# JAMS


def _write_jams(notes: NoteTable, with_confidence: bool) -> bytes:
    """Write one ``note_midi`` annotation for every part; what the namespace has no place for stands in its sandbox."""
    notes = labelled(notes)
    duration_s = float(notes["offset_s"].max(initial=0.0))
    document = {
        "annotations": [_jams_annotation(group, duration_s) for group in _parts_of(notes)],
        "file_metadata": {
            "title": "",
            "artist": "",
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


def _read_jams(path: Path) -> NoteTable:
    try:
        document = json.loads(_text_of(path))
        annotations = [a for a in document["annotations"] if a["namespace"] == "note_midi"]
        rows = [row for annotation in annotations for row in _jams_rows(annotation)]
    except json.JSONDecodeError as error:
        raise LabelError(f"{path}: line {error.lineno}: {error.msg}.") from error
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise LabelError(f"{path}: is not a JAMS file with note_midi annotations ({error!r}).") from error
    except _FaultError as fault:
        raise LabelError(f"{path}: {fault}.") from fault
    if document["annotations"] and not annotations:
        raise LabelError(f"{path}: has no annotation of the namespace note_midi.")
    return _table(path, rows)


def _jams_rows(annotation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    sandbox = annotation.get("sandbox") or {}
    program = _integer(str(sandbox.get("program", 0)), "program", 0, 127)
    part = _integer(str(sandbox.get("part", 0)), "part", 0, 2**15 - 1)
    for i, observation in enumerate(annotation["data"]):
        velocity, onset_beats, duration_beats = (
            str(sandbox[field][i] if field in sandbox else default) for field, default in _JAMS_COLUMNS.items()
        )
        onset, confidence = _seconds(str(observation["time"]), "time"), observation["confidence"]
        yield {
            "onset_s": onset,
            "offset_s": onset + _number(str(observation["duration"]), "duration", 1e-9, 1e7),
            "pitch": _integer(str(round(observation["value"])), "value", 0, 127),
            "confidence": math.nan if confidence is None else _number(str(confidence), "confidence", 0, 1),
            "program": program,
            "part": part,
            "velocity": _integer(velocity, "velocity", 0, 127),
            "onset_beats": _number(onset_beats, "onset_beats", -1e9, 1e9),
            "duration_beats": _number(duration_beats, "duration_beats", 0, 1e9),
        }


_FORMATS = {
    ".csv": _Format(_write_csv, _read_csv),
    ".mid": _Format(_write_midi, _read_midi),
    ".midi": _Format(_write_midi, _read_midi),
    ".tsv": _Format(_write_tsv, _read_tsv),
    ".jams": _Format(_write_jams, _read_jams),
    ".txt": _Format(_write_audacity, _read_audacity),
}
