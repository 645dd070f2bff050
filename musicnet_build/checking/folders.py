"""All labels of a dataset checked: which label file belongs to which recording, and the jobs."""

import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicnet_build.audio.io import read_audio
from musicnet_build.checking.check import check_labels
from musicnet_build.checking.files import CheckedFile, labels_in
from musicnet_build.corpora.layouts import LAYOUTS, find_recordings, read_notes
from musicnet_build.corpora.recording import Recording
from musicnet_build.datasets.pairing import AUDIO_SUFFIXES
from musicnet_build.errors import DatasetError
from musicnet_build.evaluation.files import LABEL_ENDINGS
from musicnet_build.files import read_json, sha256_of, write_json
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.jobs.resume import LABELS, Made, code_fingerprint, make_once

PREFERENCE = (".csv", ".jams", ".tsv", ".mid", ".midi", ".txt")
"""Which label file is taken where a recording has several beside it."""


@dataclass(frozen=True)
class Pair:
    """A recording and its labels: what they are called, and where they are."""

    name: str
    recording: Path
    labels: Path
    corpus: bool

    @property
    def key(self) -> str:
        """The name as a file's name."""
        return self.name.replace("/", "__")


def find_pairs(folder: str | os.PathLike[str]) -> list[Pair]:
    """Find the recordings of a folder that have labels.

    Parameters
    ----------
    folder : str or PathLike
        In the layout of MusicNet, MAPS or MAESTRO; or any folder, in which labels lie beside their recordings and
        have their names (as in ASAP), or are the only ones of that name.

    Returns
    -------
    list of Pair
        By name.

    Raises
    ------
    DatasetError
        When there is none.
    """
    root = Path(folder)
    if any(layout.detect(root) for layout in LAYOUTS):
        found = find_recordings(root, categories=("ISOL", "RAND", "UCHO", "MUS"))
        return [Pair(one.name, one.audio, one.labels, corpus=True) for one in found]
    pairs = _pairs_by_name(root)
    if not pairs:
        raise DatasetError(
            f"{root}: holds no recording with a label file of its name ({', '.join(LABEL_ENDINGS)}) beside it."
        )
    return pairs


def _pairs_by_name(root: Path) -> list[Pair]:
    files = sorted(path for path in root.rglob("[!.]*") if path.is_file())
    labels = [path for path in files if path.suffix.lower() in LABEL_ENDINGS]
    by_stem = {stem: list(group) for stem, group in itertools.groupby(sorted(labels, key=_stem), key=_stem)}
    pairs = []
    for audio in (path for path in files if path.suffix.lower() in AUDIO_SUFFIXES):
        of_name = by_stem.get(audio.stem, [])
        beside = [path for path in of_name if path.parent == audio.parent]
        own = beside or (of_name if len({path.parent for path in of_name}) == 1 else [])
        if own:
            chosen = min(own, key=lambda path: PREFERENCE.index(path.suffix.lower()))
            name = audio.relative_to(root).with_suffix("").as_posix()
            pairs.append(Pair(name, audio, chosen, corpus=False))
    return pairs


def _stem(path: Path) -> str:
    return path.stem


def check_folder(
    folder: str | os.PathLike[str],
    work: str | os.PathLike[str],
    *,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> tuple[list[CheckedFile], list[Outcome]]:
    """Check all labels of a dataset.

    Parameters
    ----------
    folder : str or PathLike
        See ``find_pairs``.
    work : str or PathLike
        Folder for a record of each recording: what is there and still holds is not done again.
    workers : int
        Processes.
    on_done : callable, optional
        Told each outcome as it comes.

    Returns
    -------
    checked : list of CheckedFile
        By name.
    failed : list of Outcome
        Recordings that could not be checked, with reasons.

    Raises
    ------
    DatasetError
        When there is nothing to check.

    Examples
    --------
    >>> from musicnet_build.checking.folders import check_folder
    >>> checked, failed = check_folder("dataset", "dataset-check")
    >>> all(one.found["labels"] > 0 for one in checked), failed
    (True, [])
    """
    pairs, place = find_pairs(folder), Path(work)
    place.mkdir(parents=True, exist_ok=True)
    jobs = [Job(pair.name, check_once, _arguments(pair, place)) for pair in pairs]
    outcomes = run_jobs(jobs, workers=workers, on_done=on_done)
    done = [
        CheckedFile(pair.name, str(pair.recording), str(pair.labels), read_json(place / f"{pair.key}.json"))
        for pair, outcome in zip(pairs, outcomes, strict=True)
        if outcome.state == "done"
    ]
    return done, [outcome for outcome in outcomes if outcome.state == "failed"]


def _arguments(pair: Pair, place: Path) -> Mapping[str, Any]:
    return {
        "recording": str(pair.recording),
        "labels": str(pair.labels),
        "corpus": pair.corpus,
        "result": str(place / f"{pair.key}.json"),
    }


def check_once(recording: str, labels: str, corpus: bool, result: str) -> bool:
    """Check a recording's labels, unless that was done; return whether anything was done.

    Parameters
    ----------
    recording, labels : str
        Files.
    corpus : bool
        Whether the labels are read as a corpus has them: MIDI of one keyboard, with its pedal.
    result : str
        JSON file to write; its record lies beside it.

    Returns
    -------
    bool
    """
    target = Path(result)
    made_from = {
        "recording": sha256_of(recording),
        "labels": sha256_of(labels),
        "corpus": corpus,
        "code": code_fingerprint("checking", *LABELS),
    }

    def make() -> Made:
        write_json(target, check_labels(read_audio(recording), _notes(recording, labels, corpus)).as_dict())
        return Made([target.name])

    return make_once(target.with_suffix(".record"), target.parent, made_from, make)[1]


def _notes(recording: str, labels: str, corpus: bool) -> Any:
    if not corpus:
        return labels_in(labels)
    return read_notes(Recording(Path(recording).stem, Path(recording), Path(labels), "", "MUS", ""), sustain=False)
