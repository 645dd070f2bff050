"""The second half of a recording's job: each file into its place, with nothing aligned.

Labels come from what was kept, sound from the recording; what is there already is moved rather than made.
"""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build._typing import Audio
from musicnet_build.align_files import listened
from musicnet_build.audio.io import write_audio
from musicnet_build.corpora import musicnet
from musicnet_build.datasets.places import (
    audio_places,
    beside_places,
    changed_labels,
    clip_places,
    confidence_place,
    files_record_path,
    heard_place,
    kept_heard_path,
    kept_labels_path,
    kept_report_path,
    kept_score_notes_path,
    label_places,
    labels_as,
    score_notes_place,
)
from musicnet_build.errors import DatasetError
from musicnet_build.files import digests_of, read_json, sha256_of_bytes, write_bytes, write_json
from musicnet_build.jobs.resume import (
    Made,
    Record,
    code_fingerprint,
    differences,
    is_file,
    is_whole,
    make_once,
    read_record,
    write_record,
)
from musicnet_build.labels.csv import confidence_rows, heard_rows, rows_of, write_csv
from musicnet_build.labels.files import read_labels
from musicnet_build.listening.judgements import condemned_rows
from musicnet_build.listening.overlay import overlay
from musicnet_build.notes import SAMPLE_RATE, NoteTable

CLIP_S = 10.0


@dataclasses.dataclass(frozen=True)
class View:
    """What the dataset is to show of a recording.

    Attributes
    ----------
    id, split : str
    is_included : bool
        Whether it goes into its set, or its labels among what is left out.
    with_confidence, confidence_beside, heard_beside, overlay : bool
        Whether the labels show their confidence, whether a file beside them does, whether another says how loud notes
        are and whether they were played, and whether there are three clips.
    condemned : tuple of str
        Judgements about its notes, as JSON; notes that should not be there are left out of the labels.
    sound : tuple
        What the sound depends on.
    report : mapping
        What the lists say of the labels.
    """

    id: str
    split: str
    is_included: bool
    with_confidence: bool
    confidence_beside: bool
    heard_beside: bool
    overlay: bool
    condemned: tuple[str, ...]
    sound: tuple[Any, ...]
    report: Mapping[str, Any]


def place_files(
    root: Path, view: View, audio: Callable[[], Audio], corrected: Path | None, *, keep_changed: bool = True
) -> bool:
    """Put labels, sound, report and clips where they belong, and take away what is nowhere to be seen now.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    view : View
    audio : callable
        Returns the sound, mono at 44.1 kHz; called where it is not there yet.
    corrected : Path, optional
        Labels that a person has changed; by default those that were kept are shown.
    keep_changed : bool
        Leave other labels of the recording where they are that no build wrote.

    Returns
    -------
    bool
        Whether anything had to be made.
    """
    found, left_out = (b"", 0) if corrected else _kept_labels(root, view)
    labels = corrected.read_bytes() if corrected else labels_as(found, with_confidence=view.with_confidence)
    beside = _files_beside(root, view, labels, found)
    if view.heard_beside:
        beside[heard_place(view.id)] = _heard(root, view, labels, found or labels, audio)
    path = files_record_path(root, view.id)
    before = read_record(path)
    hashes = {place: sha256_of_bytes(content) for place, content in beside.items()}
    wanted = {**dataclasses.asdict(view), "labels": sha256_of_bytes(labels), "beside": hashes}
    if before and not differences(before, wanted) and is_whole(before, root):
        return False
    placing = _Placing(root, view, audio, before, wanted, keep_changed)
    placing.labels(labels, corrected)
    placing.beside(beside)
    placing.rest(left_out)
    digests = {name: digests_of(root / name) for name in placing.placed}
    report = {
        **view.report,
        "notes": view.report["notes"] - left_out,
        "included": view.is_included,
        "md5": {name: one.md5 for name, one in digests.items()},
    }
    write_record(path, Record(wanted, {name: one.sha256 for name, one in digests.items()}, report))
    return placing.made


def _kept_labels(root: Path, view: View) -> tuple[bytes, int]:
    """The labels that are to be shown, with confidence, and how many notes were left out of them."""
    kept = root / kept_labels_path(view.id)
    if not view.condemned:
        return kept.read_bytes(), 0
    notes = read_labels(kept)
    wrong = condemned_rows(map(json.loads, view.condemned), view.id, notes)
    return write_csv(np.delete(notes, sorted(wrong)), True), len(wrong)


def _files_beside(root: Path, view: View, labels: bytes, found: bytes) -> dict[str, bytes]:
    """The files that go row by row with the labels, by their places; of labels by hand, confidence is not known."""
    files = {}
    if view.confidence_beside and found:
        files[confidence_place(view.id)] = confidence_rows(found)
    kept = root / kept_score_notes_path(view.id)
    if kept.is_file():
        files[score_notes_place(view.id)] = rows_of(labels, kept.read_text(encoding="utf-8")).encode()
    return files


def _heard(root: Path, view: View, labels: bytes, known: bytes, audio: Callable[[], Audio]) -> bytes:
    """How loud each label is in the recording, and whether it was played; heard once."""
    kept = root / kept_heard_path(view.id)

    def make() -> Made:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.csv"
            path.write_bytes(known)
            write_bytes(kept, heard_rows(listened(audio(), read_labels(path), velocity=True, played=True)))
        return Made([kept_heard_path(view.id)])

    made_from = {"labels": sha256_of_bytes(known), "sound": view.sound, "code": code_fingerprint("quality", "features")}
    make_once(root / kept_heard_path(view.id, "json"), root, made_from, make)
    return rows_of(labels, kept.read_text(encoding="utf-8")).encode()


class _Placing:
    """One recording's files on their way: which are in place, and whether any was made."""

    def __init__(
        self,
        root: Path,
        view: View,
        audio: Callable[[], Audio],
        before: Record | None,
        wanted: Mapping[str, Any],
        keep_changed: bool,
    ) -> None:
        self.root, self.view, self.audio, self.before = root, view, audio, before
        # What a person wrote elsewhere is not ours to remove.
        self.foreign = set(changed_labels(root, view.id)) if keep_changed else set[str]()
        self.placed: list[str] = []
        self.made = False
        was = before.made_from if before else {}
        files = before.files if before else {}
        same_sound = was.get("sound") == list(view.sound)
        self.sound_was = {place: files[place] for place in audio_places(view.id) if place in files and same_sound}
        same_clips = same_sound and was.get("labels") == wanted["labels"]
        self.clips_were = {place: files[place] for place in clip_places(view.id) if place in files and same_clips}

    def labels(self, labels: bytes, corrected: Path | None) -> None:
        one = self.view.id
        place = musicnet.labels_path(self.view.split, one) if self.view.is_included else musicnet.left_out_path(one)
        self.placed.append(place)
        if corrected:
            self._move(corrected, place)
            return
        digest = sha256_of_bytes(labels)
        if not any(is_file(self.root / other, digest) for other in label_places(one)):
            self.made = True
            # Killed now, the next run still knows both for labels of ours.
            before = self.before or Record({}, {})
            report = {**before.report, "coming": digest}
            write_record(files_record_path(self.root, one), dataclasses.replace(before, made_from={}, report=report))
        write_bytes(self.root / place, labels)

    def beside(self, files: Mapping[str, bytes]) -> None:
        """What goes row by row with the labels."""
        for place, content in files.items():
            self.placed.append(place)
            self.made |= not is_file(self.root / place, sha256_of_bytes(content))
            write_bytes(self.root / place, content)

    def rest(self, condemned_notes: int) -> None:
        """All else; then remove what else there is of the recording."""
        one = self.view.id
        if self.view.is_included:
            self._sound(musicnet.audio_path(self.view.split, one))
        self._report(musicnet.quality_path(one), condemned_notes)
        if self.view.overlay:
            self._clips(self.placed[0])
        places = {path for each in (label_places, audio_places, clip_places, beside_places) for path in each(one)}
        for path in places - {*self.placed, *self.foreign}:
            (self.root / path).unlink(missing_ok=True)

    def _sound(self, place: str) -> None:
        self.placed.append(place)
        whole = [path for path, digest in self.sound_was.items() if is_file(self.root / path, digest)]
        if whole:
            self._move(self.root / whole[0], place)
            return
        audio = self.audio()
        _check_space(self.root, audio.nbytes)
        write_audio(self.root / place, audio, SAMPLE_RATE)
        self.made = True

    def _report(self, place: str, condemned_notes: int) -> None:
        self.placed.append(place)
        kept = self.root / kept_report_path(self.view.id)
        report = read_json(kept) if kept.is_file() else {"id": self.view.id, "verdict": None, "reasons": []}
        self.made |= not (self.root / place).is_file()
        if self.view.condemned:
            report["condemned_notes"] = condemned_notes
        write_json(self.root / place, {**report, "by_hand": self.view.report["by_hand"]})

    def _clips(self, labels: str) -> None:
        places = clip_places(self.view.id)
        self.placed += places
        if self.clips_were and all(is_file(self.root / path, digest) for path, digest in self.clips_were.items()):
            return
        audio, notes = self.audio(), read_labels(self.root / labels)
        for place, (first, end) in zip(places, clip_spans(notes, len(audio)), strict=True):
            clip = overlay(audio, notes, span_s=(first / SAMPLE_RATE, end / SAMPLE_RATE))
            write_audio(self.root / place, clip, SAMPLE_RATE)
        self.made = True

    def _move(self, path: Path, place: str) -> None:
        (self.root / place).parent.mkdir(parents=True, exist_ok=True)
        path.replace(self.root / place)


def _check_space(root: Path, needed_bytes: int) -> None:
    """Say that the disk is full before the work, not after it."""
    free_bytes = shutil.disk_usage(root).free
    if free_bytes < needed_bytes:
        raise DatasetError(
            f"there is no space left in {root} ({free_bytes / 1e6:.0f} MB, {needed_bytes / 1e6:.0f} MB needed): make "
            "room and run again."
        )


def clip_spans(notes: NoteTable, samples: int) -> Iterator[tuple[int, int]]:
    """Yield the first, middle and last ten seconds between the first onset and the last offset, in samples."""
    first = round(float(notes["onset_s"].min()) * SAMPLE_RATE)
    last = round(float(notes["offset_s"].max()) * SAMPLE_RATE)
    length = min(round(CLIP_S * SAMPLE_RATE), samples)
    for start in (first, (first + last - length) // 2, last - length):
        start = min(max(start, 0), samples - length)
        yield start, start + length
