"""The folder of a MusicNet-style dataset: which files are where, and what stands in its lists.

    train_data/ID.wav   train_labels/ID.csv      the recordings and their labels, as MusicNet publishes them
    test_data/ID.wav    test_labels/ID.csv
    musicnet_metadata.csv                        one line a recording
    quality/ID.json                              how each label file came to be, and how far it can be trusted
    splits/train.txt    splits/test.txt          one id a line
    left_out.csv        left_out/ID.csv          recordings that are not in the sets, with reasons; their labels
    index.json                                   paths and MD5 sums, as mirdata's indexes
    provenance.json                              hashes, settings and versions of everything it was made from
    README.md                                    the data card
    SHA256SUMS                                   for ``sha256sum -c``

Making what is in it belongs to ``build``; other forms of the same data to ``packages``.
"""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.choices import SPLITS as SPLITS
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.files import is_locked, write_text
from musicnet_build.notes import SAMPLE_RATE, NoteTable

METADATA_FIELDS = ("composer", "composition", "movement", "ensemble", "source", "transcriber", "catalog_name")
METADATA_COLUMNS = ("id", *METADATA_FIELDS, "seconds")
LEFT_OUT_COLUMNS = ("id", "state", "reason")

METADATA_FILE = "musicnet_metadata.csv"
LEFT_OUT_FILE = "left_out.csv"
LEFT_OUT_FOLDER = "left_out"
INDEX_FILE = "index.json"
PROVENANCE_FILE = "provenance.json"
CARD_FILE = "README.md"
CHECKSUMS_FILE = "SHA256SUMS"
QUALITY_FOLDER = "quality"
OVERLAYS_FOLDER = "overlays"
CONFIDENCE_FOLDER = "confidence"
HEARD_FOLDER = "heard"
SCORE_NOTES_FOLDER = "score_notes"
SPLITS_FOLDER = "splits"
INDEX_VERSION = "1.0"

BANK = "musicnet"
_PIECE_FIELDS = ("composer", "composition", "movement")

BUILD_FOLDER = ".build"
"""What ``build`` keeps for itself: a record for each recording, and its lock. Published datasets have none."""

LOCK_FILE = f"{BUILD_FOLDER}/lock"


def audio_path(split: str, recording_id: str) -> str:
    """Return where a recording's audio is, from the dataset's folder."""
    return f"{split}_data/{recording_id}.wav"


def labels_path(split: str, recording_id: str) -> str:
    """Return where a recording's labels are, from the dataset's folder."""
    return f"{split}_labels/{recording_id}.csv"


def left_out_path(recording_id: str) -> str:
    """Return where the labels of a recording are that is not in the sets."""
    return f"{LEFT_OUT_FOLDER}/{recording_id}.csv"


def quality_path(recording_id: str) -> str:
    """Return where a recording's quality report is, from the dataset's folder."""
    return f"{QUALITY_FOLDER}/{recording_id}.json"


def count_overlaps(notes: NoteTable) -> int:
    """Count the notes that begin while an earlier one of the same pitch and program still sounds, to the sample."""
    start = np.rint(notes["onset_s"] * SAMPLE_RATE).astype(np.int64)
    end = np.maximum(np.rint(notes["offset_s"] * SAMPLE_RATE).astype(np.int64), start + 1)
    order = np.lexsort((end, start, notes["pitch"], notes["program"]))
    voice = (notes["program"].astype(np.int64) * 128 + notes["pitch"])[order]
    # Voices one after another on one axis: then a running maximum of the ends never reaches into the next voice.
    shift = voice * (int(end.max(initial=0)) + 1)
    latest_end = np.maximum.accumulate(end[order] + shift)
    overlapping = (start[order] + shift)[1:] < latest_end[:-1]
    return int((overlapping & (voice[1:] == voice[:-1])).sum())


def check_finished(folder: str | os.PathLike[str]) -> None:
    """Refuse a dataset that ``build`` is making, or has begun and not completed; others pass.

    A build takes ``index.json`` away before it changes anything, and writes it last.

    Parameters
    ----------
    folder : str or PathLike

    Raises
    ------
    DatasetError
        Says which of the two it is, and how many recordings are ready.
    """
    root = Path(folder)
    if not (root / BUILD_FOLDER).is_dir():
        return
    ready = len(list((root / BUILD_FOLDER).glob("[0-9]*.json")))
    if is_locked(root / LOCK_FILE):
        raise DatasetError(f"a build is at work in {root} ({ready} recordings ready): wait for it.")
    if not os.path.lexists(root / INDEX_FILE):
        raise DatasetError(f"{root} is not finished ({ready} recordings ready): run `build` again to complete it.")


def read_dataset(folder: str | os.PathLike[str]) -> list[Recording]:
    """List the recordings of a dataset in MusicNet's layout, ours or the published one.

    Parameters
    ----------
    folder : str or PathLike

    Returns
    -------
    list of Recording
        Ordered by id, numbers by value.

    Raises
    ------
    DatasetError
        When the folder is not such a dataset, or a recording lacks its labels.
    """
    root = Path(folder)
    metadata = read_metadata(root)
    recordings = [
        recording_in(root, split, audio, metadata.get(audio.stem, {}))
        for split in SPLITS
        for audio in sorted((root / f"{split}_data").glob("[!.]*.wav"))
    ]
    if not recordings:
        raise DatasetError(f"{root} holds no recordings: a dataset has folders train_data and train_labels.")
    for one in recordings:
        if not one.labels.is_file():
            raise DatasetError(f"{one.audio} has no labels: {one.labels} does not exist.")
    return sorted(recordings, key=lambda recording: id_order(recording.id))


def is_musicnet_folder(folder: Path) -> bool:
    """Return whether a folder holds a dataset in MusicNet's layout."""
    return any((folder / f"{split}_data").is_dir() for split in SPLITS)


def recording_in(root: Path, split: str, audio: Path, metadata: Mapping[str, str] | None = None) -> Recording:
    """Describe a recording of a dataset by its sound file; nothing is looked at on the disk."""
    known = metadata or {}
    # A recording without a title is a piece of its own: untitled ones are not all the same.
    piece = " | ".join(known.get(name, "") for name in _PIECE_FIELDS) if known.get("composition") else audio.stem
    return Recording(audio.stem, audio, root / labels_path(split, audio.stem), BANK, "MUS", piece, split, known)


def read_metadata(folder: Path) -> dict[str, dict[str, str]]:
    """Return the metadata of each recording by id; empty where there is no file.

    Raises
    ------
    DatasetError
        When the file is not a table with a column ``id``.
    """
    path = folder / METADATA_FILE
    if not path.is_file():
        return {}
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
        return {row.pop("id"): {name: value or "" for name, value in row.items() if name} for row in rows}
    except (UnicodeDecodeError, csv.Error, KeyError) as error:
        raise DatasetError(f"{path} is not a table with a column `id`.") from error


def id_order(recording_id: str) -> tuple[int, str]:
    """Sort key of ids: by value where they are numbers."""
    return (int(recording_id) if recording_id.isdecimal() else 10**9, recording_id)


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV; other keys of a row are left away."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, buffer.getvalue())
