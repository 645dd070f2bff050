"""Judgements as the page sends them, checked and completed to what is kept."""

import datetime
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from musicnet_build.errors import DatasetError
from musicnet_build.listening.judgements import (
    MAX_REVIEWER_LENGTH,
    NOTE_VALUES,
    VERDICTS,
    VERSION,
    Event,
    described_note,
    found_row,
    rows_by_place,
)
from musicnet_build.listening.label_set import LabelSet
from musicnet_build.listening.web.blind import Blind
from musicnet_build.listening.web.session import Session

MAX_BODY_BYTES = 64 * 2**10
MAX_EVENTS = 100
MAX_TEXT_LENGTH = 1000

_Ulid = Annotated[str, StringConstraints(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
_Sample = Annotated[int, Field(ge=0, le=2**40)]


class Submission(BaseModel):
    """One event as the page sends it; ``labels`` is the number of the label file, ``row`` a note in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: _Ulid
    reviewer: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REVIEWER_LENGTH)]
    recording: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    labels: Annotated[int, Field(ge=0, le=1)] = 0
    kind: Literal["note", "missing", "span", "verdict", "undo", "trial", "clip"]
    value: Annotated[str, StringConstraints(max_length=40)] = ""
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_LENGTH)] = ""
    row: Annotated[int, Field(ge=0, le=2**31)] | None = None
    at_sample: _Sample | None = None
    pitch: Annotated[int, Field(ge=0, le=127)] | None = None
    start_sample: _Sample | None = None
    end_sample: _Sample | None = None
    target: _Ulid | None = None
    trial: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")] | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Submission":
        needed = {
            "note": "row",
            "missing": "at_sample",
            "span": "end_sample",
            "undo": "target",
            "trial": "trial",
            "clip": "end_sample",
        }.get(self.kind)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"an event of the kind {self.kind} needs {needed}")
        values = {"note": NOTE_VALUES, "verdict": VERDICTS, "trial": NOTE_VALUES}.get(self.kind)
        if values and self.value not in values:
            raise ValueError(f"the value of a {self.kind} is one of {', '.join(values)}")
        return self


_SUBMISSIONS = TypeAdapter(Annotated[list[Submission], Field(max_length=MAX_EVENTS)])


def read_submissions(body: bytes) -> list[Submission]:
    """Check what the page sent.

    Parameters
    ----------
    body : bytes
        JSON: a list of events.

    Returns
    -------
    list of Submission

    Raises
    ------
    DatasetError
        When it is anything else.
    """
    try:
        return _SUBMISSIONS.validate_json(body)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise DatasetError(f"no judgement can be made of this: {place} {fault['msg']}.") from error


def completed(submission: Submission, session: Session, now: datetime.datetime, blind: Blind | None = None) -> Event:
    """Return the event to keep: with the time, the labels' hash, and the note's place in the score.

    Parameters
    ----------
    submission : Submission
    session : Session
    now : datetime
    blind : Blind, optional
        The draw of which trials are judged.

    Returns
    -------
    Event

    Raises
    ------
    DatasetError
        When it names a recording or a note that is not there.
    """
    try:
        labels = session.label_set(submission.recording, submission.labels)
    except KeyError:
        raise DatasetError("the judgement names a recording that is not here.") from None
    event: dict[str, Any] = {
        "v": VERSION,
        "id": submission.id,
        "at": now.astimezone(datetime.UTC).isoformat(timespec="milliseconds"),
        "reviewer": submission.reviewer,
        "recording": submission.recording,
        "labels": labels.sha256,
        "kind": submission.kind,
    }
    if submission.row is not None:
        if submission.row >= len(labels.notes):
            raise DatasetError("the judgement names a note that is not in the labels.")
        event["note"] = described_note(labels.notes, submission.row)
    if submission.trial is not None:
        event |= _trial_fields(submission, blind, labels)
    given = submission.model_dump(exclude_defaults=True, exclude={*event, "row"})
    return json_safe(event | given)


def _trial_fields(submission: Submission, blind: Blind | None, labels: LabelSet) -> dict[str, Any]:
    """What a trial was: the judgement of a note, or of a tone that was moved."""
    try:
        if blind is None:
            raise KeyError(submission.trial)
        trial, _ = blind.trial(submission.reviewer, str(submission.trial))
    except KeyError:
        raise DatasetError("the judgement names a trial that is not in the draw.") from None
    if trial.recording != submission.recording:
        raise DatasetError("the judgement names a trial of another recording.")
    row = found_row(trial.note.model_dump(), rows_by_place(labels.notes), labels.notes)
    note = {"note": described_note(labels.notes, row or 0)}
    return note | ({"kind": "note"} if trial.shift_ms is None else {"kind": "sham", "shift_ms": trial.shift_ms})


def json_safe(event: dict[str, Any]) -> Event:
    """Return the event as it will be read again: lone surrogates, which UTF-8 cannot hold, are replaced."""
    safe: Event = json.loads(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace"))
    return safe
