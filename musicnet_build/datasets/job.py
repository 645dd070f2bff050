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
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from musicnet_build._typing import Audio
from musicnet_build.align_files import AlignedFiles, align_files, excerpt, input_hashes, made_from, versions
from musicnet_build.audio.io import audio_info, read_audio
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
from musicnet_build.errors import AudioError, DatasetError, LabelError
from musicnet_build.files import read_hashed, sha256_of, write_json
from musicnet_build.jobs.resume import Made, Record, code_fingerprint, make_once, remove_record
from musicnet_build.labels.files import labelled, read_labels, write_labels
from musicnet_build.labels.score_notes import write_score_notes
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.recipe import RecipeSettings
from musicnet_build.score.notation import library_version

ACCEPT, REVIEW, REJECT, FAILED = "accept", "review", "reject", "failed"
STATES = (ACCEPT, REVIEW, REJECT, FAILED)
NOT_MEASURED = "its quality was not measured"
BY_HAND = "labels by hand"

# Peak memory of a job by its preset: at any length, and for each second of its recording. Upper bounds on what
# tests/benchmarks/bench_memory.py measures; the preset musicnet also keeps the score's sound, here of up to twice the
# recording's length.
_PEAK_BYTES = {"precise": (450_000_000, 1_250_000), "musicnet": (300_000_000, 650_000)}
# Processor seconds for a second of music: the table in docs/datasets.md, by tests/benchmarks/bench_datasets.py.
_SECONDS_PER_SECOND = {"precise": 0.047, "musicnet": 0.013}
# Of a sound file that does not say how long it is: as few as most have.
_LEAST_BYTES_PER_SECOND = 16_000


@dataclasses.dataclass(frozen=True)
class Task:
    """What one recording's job is told.

    Attributes
    ----------
    dataset, folder : str
        The dataset's folder, and that of the manifest.
    entry : Entry
        The recording's line of the manifest.
    settings : RecipeSettings
        What decides its labels.
    with_confidence, confidence_beside, overlay : bool
        Whether the labels show their confidence, whether a file beside them does, and whether there are three clips.
    include : tuple of str
        States in which a recording goes into the sets.
    condemned : tuple of str
        Judgements about its notes, as JSON; notes that should not be there are left out of the labels.
    sha256 : mapping
        Of its inputs, as they were when the build was planned.
    remake : bool
        Find the labels again, whatever is there.
    network : str
        Weights of an onset network that has learnt from recordings of its kind; its hash is in ``sha256``.
    """

    dataset: str
    folder: str
    entry: Entry
    settings: RecipeSettings
    with_confidence: bool = False
    confidence_beside: bool = False
    overlay: bool = False
    include: tuple[str, ...] = (ACCEPT, REVIEW)
    condemned: tuple[str, ...] = ()
    sha256: Mapping[str, str] = dataclasses.field(default_factory=dict)
    remake: bool = False
    network: str = ""

    @property
    def id(self) -> str:
        """The recording's."""
        return self.entry.id

    @property
    def root(self) -> Path:
        """The dataset's folder."""
        return Path(self.dataset)

    def path(self, name: str) -> Path:
        """Return the path of the input that the manifest names in this column."""
        return Path(self.folder, getattr(self.entry, name))

    def files(self) -> tuple[Path, Path, Path | None]:
        """Return the paths of recording, score and, where there is one, witness."""
        return self.path("recording"), self.path("score"), self.path("witness") if self.entry.witness else None

    def made_from(self) -> dict[str, Any]:
        """Return what the labels depend on."""
        if not self.entry.labels:
            reader = library_version(self.entry.score)
            return made_from(self.sha256, self.settings) | ({"verovio": reader} if reader else {})
        span = {"start_s": self.settings.start_s, "end_s": self.settings.end_s}
        return {**self.sha256, "code": code_fingerprint("labels", "audio", "notes"), **span}


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
    if not task.sha256:
        task = dataclasses.replace(task, sha256=hash_inputs(task))
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
        overlay=task.overlay,
        condemned=task.condemned,
        sound=(task.sha256["recording"], task.settings.start_s, task.settings.end_s),
        report=facts,
    )
    return place_files(task.root, view, recording.audio, corrected, keep_changed=not task.remake)


def hash_inputs(task: Task) -> dict[str, str]:
    """Return the hashes of what a recording's labels are made from.

    Raises
    ------
    OSError
        When a file cannot be read.
    """
    if task.entry.labels:
        return {name: sha256_of(task.path(name)) for name in ("recording", "labels")}
    recording, score, witness = task.files()
    return input_hashes(recording, score, task.settings, witness)


def memory_needed(task: Task) -> int:
    """Estimate from above how much memory the job of a recording takes at its peak, in bytes."""
    at_any_length, per_second = _PEAK_BYTES[task.settings.preset]
    return at_any_length + round(_duration_s(task) * per_second)


def seconds_needed(task: Task) -> float:
    """Estimate how long the labels of a recording take to find on one processor, in seconds."""
    return 0.0 if task.entry.labels else _duration_s(task) * _SECONDS_PER_SECOND[task.settings.preset]


def _duration_s(task: Task) -> float:
    """About how long a recording is, in seconds; 0 where it cannot be read: its job ends early."""
    path = task.path("recording")
    try:
        stated_s = audio_info(path).duration_s
        return path.stat().st_size / _LEAST_BYTES_PER_SECOND if stated_s is None else stated_s
    except (AudioError, OSError):
        return 0.0


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
            raise DatasetError(f"{task.entry.recording} or its score was changed after the build began: run it again.")
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
        report = {
            "verdict": ACCEPT,
            "reasons": [],
            "notes": len(labelled(notes)),
            "overlaps_in_score": count_overlaps(labelled(notes)),
            "quality": None,
            "recording": {"path": task.entry.recording, "sha256": task.sha256["recording"]},
            "labels": {"path": task.entry.labels, "sha256": task.sha256["labels"]},
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
        report[name]["path"] = getattr(task.entry, name)
    del report["soundfont"]["path"]
    report["warnings"] = [warning.replace(f"{task.folder}{os.sep}", "") for warning in report["warnings"]]
    return report


def _check_inside(notes: NoteTable, samples: int, path: Path) -> None:
    if not len(notes):
        raise LabelError(f"{path}: holds no labels.")
    last_s, recording_s = float(notes["onset_s"].max()), samples / SAMPLE_RATE
    if last_s >= recording_s:
        raise LabelError(f"{path}: a note begins at {last_s:.2f} s, and the recording lasts {recording_s:.2f} s.")
