"""What people said about labels: events that are only ever appended, and what stands when all are read.

A folder holds ``events/REVIEWER.jsonl``, one line an event, so that judgements can be read, mailed and merged without
this program. Nothing is changed or removed: undoing is an event that names another. A note is known by its place in
the score (instrument, pitch, beat), so that a mark is found again when the dataset is built anew; ``labels`` is the
SHA-256 of the label file that was judged.

    {"v": 1, "id": ULID, "at": UTC, "reviewer": …, "recording": …, "labels": SHA-256, "kind": "note",
     "note": {"row": 1204, "onset": 3678912, "pitch": 73, "instrument": 41, "beat": 310.5}, "value": "tone_late"}

Kinds: ``note`` (a value of ``NOTE_VALUES``), ``missing`` (a note that has no label: ``at_sample``, ``pitch`` if it is
known), ``span`` (``start_sample``, ``end_sample``, ``value``), ``verdict`` (a value of ``VERDICTS`` and ``text``),
``undo`` (``target``, the id of an event, which may be an undo), and, of sampled listening, ``clip`` (``start_sample``,
``end_sample``: heard to its end, what is not marked is fine) and ``sham`` (``shift_ms``, by which the tone was moved
without the reviewer knowing, and ``value``).
"""

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from musicnet_build.errors import DatasetError
from musicnet_build.files import read_bounded
from musicnet_build.notes import SAMPLE_RATE, NoteTable

VERSION = 1
NOTE_VALUES = ("fine", "tone_early", "tone_late", "wrong_pitch", "not_played", "clear")
CONDEMNED = ("wrong_pitch", "not_played")
"""Values that say that a label should not be there."""

VERDICTS = ("accepted", "review", "rejected")
"""From best to worst."""

SAME_ONSET_S = 0.01
"""A judgement about time holds while the label stays within this: a hundredth of a second is not heard."""

MAX_FILE_BYTES = 256 * 2**20
MAX_REVIEWER_LENGTH = 40

_EVENTS_FOLDER = "events"
_ABOUT_TIME = ("fine", "tone_early", "tone_late")
_MAX_NAME_BYTES = 200

Event = dict[str, Any]
Place = tuple[int, int, float]
"""Instrument (General MIDI program + 1), pitch and beat: where a note is in the score."""


class Journal:
    """The judgements about one dataset on disk.

    Parameters
    ----------
    folder : Path
        Made when the first judgement is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def append(self, reviewer: str, events: Sequence[Event]) -> None:
        """Write events so that they survive whatever happens to this process or machine.

        Events whose id was written before are not written again: a page that heard no answer sends them once more.

        Parameters
        ----------
        reviewer : str
        events : sequence of Event

        Raises
        ------
        DatasetError
            When they cannot be kept; some may be in the file, and are recognised when they come again.
        """
        path = self.path_of(reviewer)
        with self._lock:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                # Unbuffered: after an error nothing may be written later on.
                with path.open("ab+", buffering=0) as file:
                    _append(file.fileno(), _new_lines(file.fileno(), events))
                _fsync_folder(path.parent)
            except OSError as error:
                raise DatasetError(f"{path} cannot be written: {error.strerror}.") from error

    def read(self) -> list[Event]:
        """Return every event of all reviewers, in the order in which each wrote them.

        Returns
        -------
        list of Event
            A line that is torn or no event is left out.

        Raises
        ------
        DatasetError
            When a file cannot be read.
        """
        events: list[Event] = []
        for path in sorted((self.folder / _EVENTS_FOLDER).glob("*.jsonl")):
            events += parsed_events(read_bounded(path, MAX_FILE_BYTES, what="judgements"))
        return events

    def path_of(self, reviewer: str) -> Path:
        """Return the file of a reviewer's events.

        Raises
        ------
        DatasetError
            When the name cannot be one.
        """
        return self.folder / _EVENTS_FOLDER / f"{_file_name(reviewer)}.jsonl"


def parsed_events(data: bytes) -> list[Event]:
    """Return the events of a file; a line that was torn off, or is none, is left out.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    list of Event
    """
    events = []
    for line in data.split(b"\n"):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.get("v") == VERSION and isinstance(event.get("id"), str):
            events.append(event)
    return events


def standing(events: Iterable[Event]) -> list[Event]:
    """Return the events that hold: each once, without those that were undone and without the undoing.

    Parameters
    ----------
    events : iterable of Event

    Returns
    -------
    list of Event
    """
    distinct = list({event["id"]: event for event in events}.values())
    void: set[str] = set()
    # From the last: whether an undo holds is known before what it undoes is reached.
    for event in reversed(distinct):
        if event.get("kind") == "undo" and event["id"] not in void:
            void.add(str(event.get("target")))
    return [event for event in distinct if event["id"] not in void and event.get("kind") != "undo"]


@dataclass
class Judgements:
    """What one reviewer holds of one recording.

    Attributes
    ----------
    notes : dict
        Row of the label file to event.
    missing, spans : list of Event
    verdict : Event or None
    stale : list of (Event, str)
        Judgements about labels that are no longer there, and why they count in nothing.
    """

    notes: dict[int, Event] = field(default_factory=dict)
    missing: list[Event] = field(default_factory=list)
    spans: list[Event] = field(default_factory=list)
    verdict: Event | None = None
    stale: list[tuple[Event, str]] = field(default_factory=list)


def judgements_of(
    events: Iterable[Event], reviewer: str, recording: str, notes: NoteTable, labels_sha256: str
) -> Judgements:
    """Find what a reviewer's standing events say about the labels as they are now.

    Parameters
    ----------
    events : iterable of Event
        Standing ones.
    reviewer, recording : str
    notes : NoteTable
        The labels, in the order of their file.
    labels_sha256 : str

    Returns
    -------
    Judgements
    """
    rows = rows_by_place(notes)
    result = Judgements()
    for event in events:
        if event.get("recording") != recording or event.get("reviewer") != reviewer:
            continue
        kind, same = event.get("kind"), event.get("labels") == labels_sha256
        if kind == "note":
            _add_note(result, event, rows, notes)
        elif kind == "verdict" and not same:
            result.stale.append((event, "the labels have changed since"))
        elif kind == "verdict":
            result.verdict = event
        elif kind in ("missing", "span"):
            getattr(result, "missing" if kind == "missing" else "spans").append(event)
    result.notes = {row: event for row, event in result.notes.items() if event.get("value") != "clear"}
    return result


def rows_by_place(notes: NoteTable) -> dict[Place, list[int]]:
    """Return the rows of the notes at each place of the score.

    Parameters
    ----------
    notes : NoteTable

    Returns
    -------
    dict
    """
    rows: dict[Place, list[int]] = {}
    for row, note in enumerate(notes):
        rows.setdefault(place_of(int(note["program"]) + 1, int(note["pitch"]), float(note["onset_beats"])), []).append(
            row
        )
    return rows


def place_of(instrument: int, pitch: int, beat: float) -> Place:
    """Return the key by which a note is found again: beats to a thousandth, as label files keep them."""
    return instrument, pitch, round(beat, 3)


def described_note(notes: NoteTable, row: int) -> dict[str, Any]:
    """Return how an event names a note.

    Parameters
    ----------
    notes : NoteTable
    row : int

    Returns
    -------
    dict
    """
    note = notes[row]
    return {
        "row": row,
        "onset": round(float(note["onset_s"]) * SAMPLE_RATE),
        "pitch": int(note["pitch"]),
        "instrument": int(note["program"]) + 1,
        "beat": round(float(note["onset_beats"]), 6),
    }


def found_row(note: Mapping[str, Any], rows: Mapping[Place, Sequence[int]], notes: NoteTable) -> int | None:
    """Return the row of the note that an event names, None where there is none now.

    Where a place has several notes (a passage that is played again), it is the one that begins nearest.

    Parameters
    ----------
    note : mapping
        As ``described_note`` gives it.
    rows : mapping
        What ``rows_by_place`` says of the labels.
    notes : NoteTable

    Returns
    -------
    int or None
    """
    try:
        candidates = rows.get(place_of(int(note["instrument"]), int(note["pitch"]), float(note["beat"])), ())
        onset_s = float(note["onset"]) / SAMPLE_RATE
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return min(candidates, key=lambda row: abs(float(notes["onset_s"][row]) - onset_s), default=None)


def condemned_rows(events: Iterable[Event], recording: str, notes: NoteTable) -> set[int]:
    """Return the rows of the labels of which a reviewer's last word is that they should not be there.

    Parameters
    ----------
    events : iterable of Event
        Standing ones.
    recording : str
    notes : NoteTable

    Returns
    -------
    set of int
    """
    events = list(events)
    rows: set[int] = set()
    for reviewer in reviewers_of(events):
        found = judgements_of(events, reviewer, recording, notes, "").notes
        rows |= {row for row, event in found.items() if event.get("value") in CONDEMNED}
    return rows


def condemning_events(events: Iterable[Event], recording: str) -> tuple[str, ...]:
    """Return all that was said of a recording's notes, as JSON; nothing where no note was ever condemned.

    Parameters
    ----------
    events : iterable of Event
        Standing ones.
    recording : str

    Returns
    -------
    tuple of str
        What ``condemned_rows`` needs to know of them once the labels are made.
    """
    about = [event for event in events if event.get("kind") == "note" and event.get("recording") == recording]
    if not any(event.get("value") in CONDEMNED for event in about):
        return ()
    return tuple(json.dumps(event, sort_keys=True) for event in about)


def _add_note(result: Judgements, event: Event, rows: Mapping[Place, Sequence[int]], notes: NoteTable) -> None:
    note = event.get("note")
    row = found_row(note, rows, notes) if isinstance(note, dict) else None
    if row is None:
        result.stale.append((event, "its note is no longer in the labels"))
        return
    moved_s = float(notes["onset_s"][row]) - event["note"]["onset"] / SAMPLE_RATE
    if event.get("value") in _ABOUT_TIME and abs(moved_s) > SAME_ONSET_S:
        result.stale.append((event, f"its label has moved by {1000 * moved_s:+.0f} ms"))
        return
    result.notes[row] = event


def _file_name(reviewer: str) -> str:
    if not 0 < len(reviewer) <= MAX_REVIEWER_LENGTH or not reviewer.isprintable() or reviewer != reviewer.strip():
        raise DatasetError(f"a reviewer's name is 1 to {MAX_REVIEWER_LENGTH} printable characters.")
    name = quote(reviewer, safe="").replace(".", "%2E")
    if len(name) > _MAX_NAME_BYTES:
        raise DatasetError("the reviewer's name is too long for a file name.")
    return name


def _new_lines(descriptor: int, events: Sequence[Event]) -> bytes:
    """The lines to append: without events that are there, and after a line that was torn, on a new one."""
    size = os.fstat(descriptor).st_size
    if size > MAX_FILE_BYTES:
        raise OSError(0, f"it is larger than {MAX_FILE_BYTES >> 20} MiB")
    data = os.pread(descriptor, size, 0)
    there = {event["id"] for event in parsed_events(data)}
    lines = [json.dumps(event, ensure_ascii=False, allow_nan=False) for event in events if event["id"] not in there]
    text = "".join(line + "\n" for line in lines).encode()
    return b"\n" + text if text and data and not data.endswith(b"\n") else text


def _append(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reviewers_of(events: Iterable[Event]) -> list[str]:
    """Return the names of those who judged, sorted."""
    return sorted({str(event["reviewer"]) for event in events if event.get("reviewer")})
