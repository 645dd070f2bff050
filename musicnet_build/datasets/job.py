"""The job of one recording: find its labels, put its files into their places, and record what was done.

A job may be run any number of times, by anyone, and be killed at any moment. It has two halves, each with a record of
its own below ``.build`` (:mod:`musicnet_build.jobs.resume`):

1. **Labels** (``.build/ID.json``): aligned, or taken from a file that the manifest names. They are kept with their
   confidence in ``.build/labels``, and are found again only where something that decides them has changed.
2. **Files** (``.build/files/ID.json``): what the dataset shows of them. Another set, a person's verdict, a column or
   clips more are a matter of copying and moving.

Labels in the dataset that a person has corrected are recognised by their bytes, and stay as they are until they are to
be remade. Which jobs there are belongs to ``build``, what is written once all are done to ``lists``.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from musicnet_build._typing import Audio
from musicnet_build.align_files import AlignedFiles, align_files, excerpt, versions
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.musicnet import count_overlaps
from musicnet_build.datasets.places import (
    Corrected,
    find_corrected,
    kept_labels_path,
    kept_report_path,
    kept_score_notes_path,
    labels_record_path,
)
from musicnet_build.datasets.placing import View, place_files
from musicnet_build.datasets.tables.columns import Entry
from musicnet_build.datasets.tasks.task import Task, hash_inputs
from musicnet_build.errors import DatasetError, LabelError
from musicnet_build.files import read_hashed, write_json
from musicnet_build.jobs.resume import Made, Record, make_once, remove_record
from musicnet_build.labels.files import labelled, read_labels, write_labels
from musicnet_build.labels.score_notes import write_score_notes
from musicnet_build.notes import SAMPLE_RATE, NoteTable

ACCEPT, REVIEW, REJECT, FAILED = "accept", "review", "reject", "failed"
STATES = (ACCEPT, REVIEW, REJECT, FAILED)
NOT_MEASURED = "its quality was not measured"
BY_HAND = "labels by hand"


@dataclasses.dataclass(frozen=True)
class Row:
    """How one recording came out.

    Attributes
    ----------
    id : str
    name : str
        Of its sound file.
    state : {"accept", "review", "reject", "failed"}
    reasons : tuple of str
    included : bool
        Whether it is in the sets.
    made : bool
        Whether anything of it was made in this run.
    record : Record or None
        Of its files; None where it failed.
    """

    id: str
    name: str
    state: str
    reasons: tuple[str, ...]
    included: bool
    made: bool
    record: Record | None = None

    @property
    def reason(self) -> str:
        """All reasons on one line."""
        return "; ".join(reason.removesuffix(".") for reason in self.reasons)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What its job found out."""
        return self.record.report if self.record else {}

    def renamed(self, before: str, now: str) -> "Row":
        """Return the row with its reasons naming a file by its new place."""
        return dataclasses.replace(self, reasons=tuple(reason.replace(before, now) for reason in self.reasons))

    def as_dict(self) -> dict[str, Any]:
        """Return what is to be said of it, as plain values."""
        values = {name: getattr(self, name) for name in ("id", "name", "state", "included", "made")}
        return {**values, "reasons": list(self.reasons), "by_hand": bool(self.facts.get("by_hand"))}


def make_recording(task: Task) -> bool:
    """Do the job of one recording.

    Parameters
    ----------
    task : Task

    Returns
    -------
    bool
        Whether anything had to be made: False where all of it was there already, if in another place.

    Raises
    ------
    MusicnetBuildError
        When the recording, the score or the labels cannot be used.
    """
    try:
        return _made(task if task.sha256 else dataclasses.replace(task, sha256=hash_inputs(task)))
    finally:
        task.drop_copies()


def _made(task: Task) -> bool:
    recording = _Recording(task)
    corrected = None if task.remake else find_corrected(task.root, task.id)
    if corrected:
        corrected.check_made_from(task.made_from(), task.id)
        return _place(recording, _facts_of_corrected(recording, corrected), corrected.path)
    path = labels_record_path(task.root, task.id)
    if task.remake:
        remove_record(path)
    find = recording.take_labels if task.entry.labels else recording.find_labels
    record, is_new = make_once(path, task.root, task.made_from(), find)
    return _place(recording, record.report, None) or is_new


def _place(recording: "_Recording", facts: Mapping[str, Any], corrected: Path | None) -> bool:
    task = recording.task
    view = View(
        id=task.id,
        split=task.entry.split,
        is_included=state_of(task.entry, facts)[0] in task.include,
        with_confidence=task.with_confidence,
        confidence_beside=task.confidence_beside,
        heard_beside=task.heard_beside,
        overlay=task.overlay,
        condemned=task.condemned,
        sound=(task.sha256["recording"], task.settings.start_s, task.settings.end_s),
        report=facts,
    )
    return place_files(task.root, view, recording.audio, corrected, keep_changed=not task.remake)


def state_of(entry: Entry, report: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the state of a recording, and why.

    A person's word comes first, then the program's; doubtful pairs are at best for review.

    Parameters
    ----------
    entry : Entry
    report : mapping
        Of its record: ``verdict``, ``reasons`` and ``by_hand``.

    Returns
    -------
    state : str
    reasons : list of str
    """
    by_hand = [BY_HAND] if report["by_hand"] else []
    if entry.verdict:
        why = f": {entry.reason}" if entry.reason else ""
        return entry.verdict, [f"{entry.verdict} by a person's verdict{why}", *by_hand]
    reasons = [*by_hand, *report["reasons"]]
    if not entry.check:
        return report["verdict"], reasons
    state = REVIEW if report["verdict"] == ACCEPT else report["verdict"]
    return state, [f"the pair is doubtful: {entry.check}", *reasons]


class _Recording:
    """The recording of a task; its sound is read when it is first asked for, and once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._audio: Audio | None = None

    def audio(self) -> Audio:
        if self._audio is None:
            path = self.task.path("recording")
            whole, sha256 = read_hashed(path, read_audio)
            if sha256 != self.task.sha256["recording"]:
                raise DatasetError(f"{path} was changed after the build began: run it again.")
            self._audio = excerpt(whole, self.task.settings, path)
        return self._audio

    def find_labels(self) -> Made:
        """Align the recording, and keep its labels and their report."""
        task = self.task
        recording, score, witness = task.files()
        aligned = align_files(recording, score, task.settings, witness=witness, network=task.network or None)
        if dict(aligned.sha256) != dict(task.sha256):
            raise DatasetError(
                f"{task.entry.named('recording')} or its score was changed after the build began: run it again."
            )
        self._audio = aligned.audio
        labels, report = self._keep(aligned.notes, _with_names(aligned, task), False)
        score_notes = kept_score_notes_path(task.id)
        if not aligned.music.note_ids:
            (task.root / score_notes).unlink(missing_ok=True)
            return Made(labels, report)
        write_score_notes(task.root / score_notes, aligned.notes, aligned.music)
        return Made([*labels, score_notes], report)

    def take_labels(self) -> Made:
        """Take the labels from the file that the manifest names, as they are."""
        task = self.task
        path = task.path("labels")
        notes, _ = read_hashed(path, read_labels)
        (task.root / kept_score_notes_path(task.id)).unlink(missing_ok=True)
        _check_inside(notes, len(self.audio()), path)
        report: dict[str, Any] = {
            "verdict": ACCEPT,
            "reasons": [],
            "notes": len(labelled(notes)),
            "overlaps_in_score": count_overlaps(labelled(notes)),
            "quality": None,
            **{name: {"path": task.entry.named(name), "sha256": task.sha256[name]} for name in ("recording", "labels")},
            "versions": versions(),
        }
        return self._keep(notes, report, True)

    def _keep(self, notes: NoteTable, report: dict[str, Any], by_hand: bool) -> Made:
        task = self.task
        labels, quality = kept_labels_path(task.id), kept_report_path(task.id)
        write_labels(task.root / labels, notes, with_confidence=True)
        write_json(task.root / quality, {"id": task.id, **report})
        found = (report["verdict"], report["reasons"]) if report["verdict"] else (REVIEW, [NOT_MEASURED])
        facts = {
            "verdict": found[0],
            "reasons": found[1],
            "by_hand": by_hand,
            "samples": len(self.audio()),
            "overlaps_in_score": report["overlaps_in_score"],
            "inputs": dict(task.sha256),
            "settings": task.settings.deciding(),
            "soundfont": report.get("soundfont", {}).get("name"),
            "versions": versions(),
        }
        return Made([labels, quality], {**facts, **_counts(notes)})


def _counts(notes: NoteTable) -> dict[str, Any]:
    return {
        "notes": len(labelled(notes)),
        "instruments": sorted({int(program) + 1 for program in notes["program"][~notes["is_drum"]]}),
    }


def _facts_of_corrected(recording: _Recording, corrected: Corrected) -> dict[str, Any]:
    """What the lists say of labels that a person changed; the program's verdict is still that on its own."""
    notes = read_labels(corrected.path)
    facts = (
        dict(corrected.record.report)
        if corrected.record
        else {
            "verdict": REVIEW,
            "reasons": [NOT_MEASURED],
            "samples": len(recording.audio()),
            "inputs": {"recording": recording.task.sha256["recording"]},
            "settings": {},
            "soundfont": None,
            "versions": versions(),
        }
    )
    return {**facts, **_counts(notes), "by_hand": True, "overlaps_in_score": count_overlaps(labelled(notes))}


def _with_names(aligned: AlignedFiles, task: Task) -> dict[str, Any]:
    """The report, with files named as in the manifest: the same dataset wherever it is built."""
    report = aligned.report()
    for name in {"recording", "score", "witness"} & set(report):
        report[name]["path"] = task.entry.named(name)
    del report["soundfont"]["path"]
    report["warnings"] = [task.as_named(warning) for warning in report["warnings"]]
    return report


def _check_inside(notes: NoteTable, samples: int, path: Path) -> None:
    if not len(notes):
        raise LabelError(f"{path}: holds no labels.")
    last_s, recording_s = float(notes["onset_s"].max()), samples / SAMPLE_RATE
    if last_s >= recording_s:
        raise LabelError(f"{path}: a note begins at {last_s:.2f} s, and the recording lasts {recording_s:.2f} s.")
