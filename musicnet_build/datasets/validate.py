"""Whether a dataset is what it says: structure, checksums, audio, labels, lists, and disjoint sets.

``find_problems`` reads everything and changes nothing. Whether the labels are *right* is for quality and ears.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from musicnet_build.audio.io import SILENCE_DBFS, audio_blocks, audio_info
from musicnet_build.choices import SPLITS
from musicnet_build.corpora import musicnet
from musicnet_build.corpora.recording import Recording
from musicnet_build.corpora.splits import find_leaks
from musicnet_build.errors import AudioError, DatasetError, LabelError
from musicnet_build.files import Digests, digests_of, read_json
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.progress import Progress, ignore
from musicnet_build.score.reader import note_value_name

_SECONDS_SLACK = 1.0


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file of a dataset: its path from the dataset's folder, and a sentence."""

    path: str
    fault: str

    def __str__(self) -> str:
        return f"{self.path}: {self.fault}"


def find_problems(folder: str | os.PathLike[str], *, progress: Progress = ignore) -> list[Problem]:
    """Check a dataset that ``build`` made.

    Parameters
    ----------
    folder : str or PathLike
    progress : callable
        Told the stage, and how much of the whole is done.

    Returns
    -------
    list of Problem
        Empty where all is well; ordered by path.

    Raises
    ------
    DatasetError
        When there is no such folder, or it is no dataset.

    Examples
    --------
    >>> from pathlib import Path
    >>> from musicnet_build.datasets.validate import find_problems
    >>> find_problems("dataset")
    []
    >>> Path("dataset/train_labels/1.csv").unlink()
    >>> for problem in find_problems("dataset")[:1]:
    ...     print(problem)
    index.json: names train_labels/1.csv, which is missing
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder.")
    if not musicnet.is_musicnet_folder(root):
        raise DatasetError(f"{root} is no dataset: a dataset has folders train_data and train_labels.")
    try:
        musicnet.check_finished(root)
    except DatasetError as error:
        # All else that would be found follows from it.
        return [Problem(musicnet.INDEX_FILE, str(error))]
    check = _Check(root, progress)
    problems = {problem for step in check.steps() for problem in step}
    return sorted(problems, key=lambda problem: (problem.path, problem.fault))


class _Check:
    """The steps share what was read once: which files there are, their hashes, and the lists."""

    def __init__(self, root: Path, progress: Progress) -> None:
        self.root = root
        self.progress = progress
        self.files = sorted(_files(root))
        self.digests: dict[str, Digests] = {}  # of files that can be read
        self.recordings = [
            musicnet.recording_in(root, split, root / path)
            for split in SPLITS
            for path in self.files
            if path.startswith(f"{split}_data/") and path.endswith(".wav")
        ]
        self.metadata: dict[str, dict[str, str]] = {}
        self.provenance: dict[str, Any] = {}
        self.sound_files: dict[str, str] = {}
        self.overlaps: dict[str, int] = {}

    def steps(self) -> Iterator[Iterator[Problem]]:
        yield self.structure()
        yield self.hashes()
        yield self.checksums()
        yield self.metadata_table()
        yield self.provenance_list()
        yield self.split_files()
        yield self.index()
        yield self.left_out()
        yield self.quality()
        for place, recording in enumerate(self.recordings):
            self.progress("checking recordings", place / len(self.recordings))
            yield self.recording(recording)
        yield self.leaks()

    # Files

    def structure(self) -> Iterator[Problem]:
        if not self.recordings:
            yield Problem("train_data", "there are no recordings")
        for path in self.files:
            folder, _, name = path.rpartition("/")
            kind, split = folder.rpartition("_")[2], folder.rpartition("_")[0]
            if Path(name).name.startswith("."):
                yield Problem(path, "a temporary file of a build that was stopped: run the build again")
            elif split in SPLITS and kind == "labels":
                if not name.endswith(".csv"):
                    yield Problem(path, "only .csv files belong here")
                elif musicnet.audio_path(split, Path(name).stem) not in self.files:
                    yield Problem(path, "these labels have no recording")
            elif split in SPLITS and kind == "data" and not name.endswith(".wav"):
                yield Problem(path, "only .wav files belong here")

    def hashes(self) -> Iterator[Problem]:
        for place, path in enumerate(self.files):
            self.progress("reading all files", place / len(self.files))
            try:
                self.digests[path] = digests_of(self.root / path)
            except OSError as error:
                yield Problem(path, f"cannot be read: {error.strerror}")

    def checksums(self) -> Iterator[Problem]:
        name = musicnet.CHECKSUMS_FILE
        if name not in self.digests:
            yield Problem(name, "is missing")
            return
        listed = {}
        for number, line in enumerate((self.root / name).read_text("utf-8", "replace").splitlines(), start=1):
            digest, separator, path = line.partition("  ")
            if not separator or len(digest) != 64:
                yield Problem(name, f"line {number} is no checksum and path")
            else:
                listed[path] = digest
        for path, digest in listed.items():
            if path not in self.files:
                yield Problem(path, "is missing")
            elif path in self.digests and self.digests[path].sha256 != digest:
                yield Problem(path, f"is not the file that {name} names: its bytes have changed")
        for path in set(self.files) - set(listed) - {name}:
            yield Problem(path, f"is not listed in {name}")

    # Lists

    def metadata_table(self) -> Iterator[Problem]:
        name = musicnet.METADATA_FILE
        try:
            self.metadata = musicnet.read_metadata(self.root)
            header = (self.root / name).read_text(encoding="utf-8-sig").partition("\n")[0].strip()
        except (DatasetError, OSError) as error:
            yield Problem(name, f"cannot be read as a table ({type(error).__name__})")
            return
        if header != ",".join(musicnet.METADATA_COLUMNS):
            yield Problem(name, f"its columns are not {','.join(musicnet.METADATA_COLUMNS)}")
        yield from self._ids_agree(name, list(self.metadata))

    def split_files(self) -> Iterator[Problem]:
        for split in SPLITS:
            name = f"{musicnet.SPLITS_FOLDER}/{split}.txt"
            if name not in self.digests:
                if split != "validation" or any(one.split == split for one in self.recordings):
                    yield Problem(name, "is missing")
                continue
            yield from self._ids_agree(name, (self.root / name).read_text("utf-8", "replace").split(), split)

    def index(self) -> Iterator[Problem]:
        try:
            tracks = read_json(self.root / musicnet.INDEX_FILE)["tracks"]
            entries = [(path, md5) for track in tracks.values() for path, md5 in track.values()]
        except (DatasetError, LookupError, TypeError, ValueError, AttributeError):
            yield Problem(musicnet.INDEX_FILE, "is missing or damaged")
            return
        yield from self._ids_agree(musicnet.INDEX_FILE, list(tracks))
        for path, md5 in entries:
            if path not in self.files:
                yield Problem(musicnet.INDEX_FILE, f"names {path}, which is missing")
            elif path in self.digests and self.digests[path].md5 != md5:
                yield Problem(musicnet.INDEX_FILE, f"its MD5 sum of {path} is not that of the file")

    def provenance_list(self) -> Iterator[Problem]:
        name = musicnet.PROVENANCE_FILE
        try:
            made = read_json(self.root / name)["recordings"]
            self.provenance = {one: dict(entry) for one, entry in made.items()}
            self.sound_files = {one: str(entry["recording"]["sha256"]) for one, entry in made.items()}
            self.overlaps = {one: int(entry["overlaps_in_score"]) for one, entry in made.items()}
        except (DatasetError, LookupError, TypeError, ValueError, AttributeError):
            yield Problem(name, "is missing or damaged")
            return
        for recording in self.recordings:
            entry = self.provenance.get(recording.id)
            path = recording.audio.relative_to(self.root).as_posix()
            if entry is None:
                yield Problem(name, f"says nothing of recording {recording.id}")
            elif path in self.digests and entry.get("audio_sha256") != self.digests[path].sha256:
                yield Problem(name, f"speaks of another {path} than this one")

    def left_out(self) -> Iterator[Problem]:
        name = musicnet.LEFT_OUT_FILE
        if name not in self.digests:
            yield Problem(name, "is missing")
            return
        with (self.root / name).open(encoding="utf-8", errors="replace", newline="") as file:
            out = {row.get("id") for row in csv.DictReader(file)}
        for recording in self.recordings:
            if recording.id in out:
                yield Problem(name, f"recording {recording.id} is listed here and is in the {recording.split} set")

    def quality(self) -> Iterator[Problem]:
        for recording in self.recordings:
            path = musicnet.quality_path(recording.id)
            try:
                report = read_json(self.root / path)
                if report["id"] != recording.id:
                    yield Problem(path, f"is the report of recording {report['id']}")
            except (DatasetError, LookupError, TypeError):
                yield Problem(path, "is missing or damaged")

    def _ids_agree(self, name: str, listed: list[str], split: str | None = None) -> Iterator[Problem]:
        present = {one.id for one in self.recordings if split in (None, one.split)}
        where = f"in the {split} set" if split else "in the sets"
        for one in sorted(present - set(listed), key=musicnet.id_order):
            yield Problem(name, f"recording {one} is {where}, and is not listed here")
        for one in sorted(set(listed) - present, key=musicnet.id_order):
            yield Problem(name, f"recording {one} is listed here, and is not {where}")

    def leaks(self) -> Iterator[Problem]:
        known = [
            musicnet.recording_in(self.root, one.split, one.audio, self.metadata.get(one.id, {}))
            for one in self.recordings
        ]
        for leak in find_leaks(known, self.sound_files):
            yield Problem(musicnet.SPLITS_FOLDER, leak)

    # One recording

    def recording(self, recording: Recording) -> Iterator[Problem]:
        audio = recording.audio.relative_to(self.root).as_posix()
        try:
            samples = audio_info(recording.audio).frames or 0
            yield from (Problem(audio, fault) for fault in _audio_faults(recording.audio))
        except AudioError as error:
            yield Problem(audio, str(error).replace(f"{recording.audio} ", ""))
            samples = None
        seconds = self.metadata.get(recording.id, {}).get("seconds", "")
        if samples is not None and seconds and not _is_near(seconds, samples / SAMPLE_RATE):
            fault = f"recording {recording.id} lasts {samples / SAMPLE_RATE:.1f} s, not {seconds} s"
            yield Problem(musicnet.METADATA_FILE, fault)
        labels = recording.labels.relative_to(self.root).as_posix()
        overlaps = self.overlaps.get(recording.id, 0)
        if not recording.labels.is_file():
            yield Problem(labels, "is missing")
            return
        yield from (Problem(labels, fault) for fault in _label_faults(recording.labels, samples, overlaps))


def _files(root: Path) -> Iterator[str]:
    """All files but those of the build's own folder, and links to folders, which are not followed."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from ((Path(folder) / name).relative_to(root).as_posix() for name in names)


def _audio_faults(path: Path) -> Iterator[str]:
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path} cannot be read: {error.error_string}") from error
    if (info.format, info.subtype) not in (("WAV", "FLOAT"), ("WAVEX", "FLOAT")):
        yield f"is {info.format} {info.subtype}; MusicNet's loaders expect WAV of IEEE float32"
    if info.channels != 1:
        yield f"has {info.channels} channels, not 1"
    if info.samplerate != SAMPLE_RATE:
        yield f"has {info.samplerate} samples a second, not {SAMPLE_RATE}"
    peak = max((float(np.abs(block).max(initial=0.0)) for block in audio_blocks(path)), default=0.0)
    if peak < 10 ** (SILENCE_DBFS / 20):
        yield "is silent"


def _label_faults(path: Path, samples: int | None, overlaps_in_score: int) -> Iterator[str]:
    try:
        notes = read_labels(path)
    except LabelError as error:
        yield str(error).removeprefix(f"{path}: ")
        return
    if not len(notes):
        yield "holds no labels"
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row][1:]
    starts = np.array([int(float(row[0])) for row in rows])
    ends = np.array([int(float(row[1])) for row in rows])
    if (np.diff(starts) < 0).any():
        yield f"line {int(np.argmax(np.diff(starts) < 0)) + 3} starts before the line above it"
    if samples is not None and (ends > samples).any():
        yield f"line {int(np.argmax(ends > samples)) + 2} ends after the recording, which has {samples} samples"
    if len({tuple(row[:4]) for row in rows}) < len(rows):
        yield "a note is there twice"
    overlaps = musicnet.count_overlaps(notes)
    if overlaps > overlaps_in_score:
        yield (
            f"{overlaps} notes begin while one of the same pitch and instrument sounds; in the score it is "
            f"{overlaps_in_score}"
        )
    yield from _note_value_faults(rows)


def _note_value_faults(rows: list[list[str]]) -> Iterator[str]:
    named = np.array([row[6] for row in rows])
    beats = np.array([float(row[5]) for row in rows])
    # The file has 12 digits of a length: right at the border of two values, either name is right.
    possible = [note_value_name(beats * (1 + slack)) for slack in (-1e-9, 1e-9)]
    wrong = (named != possible[0]) & (named != possible[1])
    if wrong.any():
        line = int(np.argmax(wrong))
        name, right = str(named[line])[:40], possible[0][line]
        yield f"line {line + 2} names the note value {name!r}; its length is that of a {right}"


def _is_near(text: str, seconds: float) -> bool:
    try:
        return abs(float(text) - seconds) <= _SECONDS_SLACK
    except ValueError:
        return False
