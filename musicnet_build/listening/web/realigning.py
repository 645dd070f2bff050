"""Labels found anew through what somebody heard: anchors from the page, labels to compare, the file they are kept in.

How labels are found belongs to whoever serves the page: an ``Aligner`` is given to the server.
"""

import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from musicnet_build.anchors import Anchor, parse_anchors, read_anchors, write_anchors
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import write_labels
from musicnet_build.listening.catalogue import ANCHORS_FOLDER
from musicnet_build.listening.web.session import Session
from musicnet_build.notes import NoteTable


class Aligner(Protocol):
    """What finds labels anew, of recordings whose score is known."""

    def anchors(self, recording_id: str) -> tuple[Anchor, ...] | None:
        """Return the anchors that the present labels were made with; None where there is no score to align."""

    def place(self, recording_id: str, beats: float) -> str:
        """Return measure and beat, as in ``33:1``, of a place in quarter notes from the start of the score."""

    def labels(self, recording_id: str, anchors: tuple[Anchor, ...]) -> NoteTable:
        """Return labels through anchors, confidences included."""


class Request(BaseModel):
    """What the page asks for; ``anchors`` is text as ``parse_anchors`` reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    action: Literal["try", "keep", "discard"]
    anchors: Annotated[str, StringConstraints(max_length=50_000)] = ""


def read_request(body: bytes) -> Request:
    """Check what the page sent.

    Parameters
    ----------
    body : bytes
        JSON.

    Returns
    -------
    Request

    Raises
    ------
    DatasetError
        When it is anything else.
    """
    try:
        return Request.model_validate_json(body)
    except ValidationError as error:
        raise DatasetError(f"this asks for nothing that is known: {error.errors()[0]['msg']}.") from error


class Realigning:
    """The alignments that a session's reviewer tries, one at a time.

    Parameters
    ----------
    session : Session
    judgements : Path
        Folder of the judgements.
    aligner : Aligner or None
        Without one nothing is offered.
    """

    def __init__(self, session: Session, judgements: Path, aligner: Aligner | None) -> None:
        self._session, self._aligner = session, aligner
        self._kept = judgements / ANCHORS_FOLDER
        # Where two label files are compared already, there is no room for a third.
        self._single = {one for one, item in session.items.items() if len(item.labels) == 1}
        self._tried: dict[str, tuple[Anchor, ...]] = {}
        self._at_work = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="musicnet-build-audit-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def known(self, recording_id: str) -> dict[str, Any]:
        """Return what the page shows: whether anchors can be tried, those there are, and whether some are on trial.

        Raises
        ------
        KeyError
            When there is no such recording.
        """
        self._session.items[recording_id]  # a KeyError says that there is none
        tried = self._tried.get(recording_id)
        made_with = self._aligner.anchors(recording_id) if self._aligner else None
        path = self._path(recording_id)
        kept = read_anchors(path) if path.is_file() else made_with or ()
        return {
            "offered": made_with is not None and recording_id in self._single,
            "anchors": [str(anchor) for anchor in (kept if tried is None else tried)],
            "kept": str(path) if path.is_file() else "",
            "tried": tried is not None,
        }

    def place(self, recording_id: str, row: int) -> str:
        """Return measure and beat of a note of the first labels.

        Raises
        ------
        KeyError
            When there is no such recording, or no score of it.
        DatasetError
            When there is no such note.
        """
        notes = self._session.label_set(recording_id).notes
        if not 0 <= row < len(notes):
            raise DatasetError("there is no such note.")
        return self._with_score(recording_id).place(recording_id, float(notes["onset_beats"][row]))

    def answer(self, recording_id: str, request: Request) -> dict[str, Any]:
        """Do what is asked, and return what is then known.

        Raises
        ------
        KeyError
            When there is no such recording, or no score of it.
        MusicnetBuildError
            When the anchors cannot be used, or another alignment is under way.
        """
        if request.action == "try":
            self._try(recording_id, parse_anchors(request.anchors))
        elif recording_id in self._tried:
            anchors = self._tried.pop(recording_id)
            if request.action == "keep":
                write_anchors(self._path(recording_id), anchors)
            else:
                self._session.compare(recording_id, None)
        return self.known(recording_id)

    def _try(self, recording_id: str, anchors: tuple[Anchor, ...]) -> None:
        aligner = self._with_score(recording_id)
        if not anchors:
            raise DatasetError("say what is heard where before labels are found anew.")
        if not self._at_work.acquire(blocking=False):
            raise DatasetError("another alignment is under way: wait for it.")
        try:
            path = self._folder / f"{len(list(self._folder.iterdir()))}" / "through the anchors.csv"
            notes = aligner.labels(recording_id, anchors)
            path.parent.mkdir()
            write_labels(path, notes, with_confidence=True)
            self._session.compare(recording_id, path)
            self._tried[recording_id] = anchors
        finally:
            self._at_work.release()

    def _with_score(self, recording_id: str) -> Aligner:
        if self._aligner is None or not self.known(recording_id)["offered"]:
            raise KeyError(recording_id)
        return self._aligner

    def _path(self, recording_id: str) -> Path:
        return self._kept / f"{recording_id}.csv"
