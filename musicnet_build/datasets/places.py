"""Where the files of one recording are, in sight and below ``.build``, and which labels a person has changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from musicnet_build.choices import SPLITS
from musicnet_build.corpora import musicnet
from musicnet_build.corpora.musicnet import BUILD_FOLDER
from musicnet_build.datasets.tables.spreadsheet import URLS
from musicnet_build.errors import DatasetError
from musicnet_build.files import read_json, remove_leftovers, sha256_of, sha256_of_bytes
from musicnet_build.jobs.resume import Record, read_record
from musicnet_build.labels.csv import CONFIDENCE_COLUMN
from musicnet_build.remote.reading import Copy
from musicnet_build.remote.urls import is_remote, shown

FILES_FOLDER = f"{BUILD_FOLDER}/files"
LABELS_FOLDER = f"{BUILD_FOLDER}/labels"
COLLECTION_FOLDER = f"{BUILD_FOLDER}/collection"
COPIES_FOLDER = f"{BUILD_FOLDER}/copies"
CLIPS = ("start", "middle", "end")

# Of a copy: the longest recording at 96 kHz with 24 bits in two channels; more than any score or label file.
_MOST_BYTES = {True: 16 * 2**30, False: 2**30}

FOLDERS = (
    *(f"{split}_{kind}" for split in SPLITS for kind in ("data", "labels")),
    musicnet.LEFT_OUT_FOLDER,
    musicnet.QUALITY_FOLDER,
    musicnet.OVERLAYS_FOLDER,
    musicnet.CONFIDENCE_FOLDER,
    musicnet.HEARD_FOLDER,
    musicnet.SCORE_NOTES_FOLDER,
    musicnet.SPLITS_FOLDER,
    FILES_FOLDER,
    LABELS_FOLDER,
    COLLECTION_FOLDER,
    COPIES_FOLDER,
    BUILD_FOLDER,
)
"""All folders that files of a dataset are in."""


@dataclass(frozen=True)
class Corrected:
    """Labels in a dataset that a person has changed.

    Attributes
    ----------
    path : Path
    record : Record or None
        Of the labels that they were; None where there is none.
    """

    path: Path
    record: Record | None

    def check_made_from(self, now: Mapping[str, Any], recording_id: str) -> None:
        """Refuse labels of another recording, or another part of it, than there is now.

        Raises
        ------
        DatasetError
        """
        before = self.record.made_from if self.record else {}
        changed = [name for name in ("recording", "start_s", "end_s") if name in before and before[name] != now[name]]
        if changed:
            raise DatasetError(
                f"{self.path} was corrected by hand, for another recording or part of it ({', '.join(changed)} has "
                f"changed): name corrected labels in the column `labels`, or give --remake {recording_id}."
            )


def remove_all_leftovers(root: Path) -> None:
    """Remove the temporary files of processes that were killed."""
    for folder in (root, *(root / name for name in FOLDERS)):
        remove_leftovers(folder)


def labels_record_path(root: Path, recording_id: str) -> Path:
    """Return where it stands what the labels of a recording were made from."""
    return root / BUILD_FOLDER / f"{recording_id}.json"


def files_record_path(root: Path, recording_id: str) -> Path:
    """Return where it stands which files of a recording the dataset shows."""
    return root / FILES_FOLDER / f"{recording_id}.json"


def kept_labels_path(recording_id: str) -> str:
    """Return where the labels of a recording are kept as they were found, with their confidence."""
    return f"{LABELS_FOLDER}/{recording_id}.csv"


def kept_report_path(recording_id: str) -> str:
    """Return where the report on the labels of a recording is kept as it was found."""
    return f"{LABELS_FOLDER}/{recording_id}.json"


def kept_score_notes_path(recording_id: str) -> str:
    """Return where it is kept what notes of the score the labels were made from."""
    return f"{LABELS_FOLDER}/{recording_id}.score.csv"


def kept_heard_path(recording_id: str, ending: str = "csv") -> str:
    """Return where it is kept what was heard of each label, or the record of that."""
    return f"{LABELS_FOLDER}/{recording_id}.heard.{ending}"


def copy_of(root: Path, recording_id: str, column: str, name: str) -> Copy | None:
    """Return the copy of a recording's input, None where its name is no URL.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    recording_id, column : str
    name : str
        What the manifest names in the column.
    """
    if not is_remote(name):
        return None
    # Readers of scores and labels go by the ending.
    ending = re.sub("[^a-z0-9.]", "", PurePosixPath(shown(name)).suffix.lower())[:10]
    return Copy(name, root / COPIES_FOLDER / f"{recording_id}-{column}{ending}", _MOST_BYTES[column == "recording"])


def confidence_place(recording_id: str) -> str:
    """Return where the confidence of labels is that have no column for it."""
    return f"{musicnet.CONFIDENCE_FOLDER}/{recording_id}.csv"


def heard_place(recording_id: str) -> str:
    """Return where it is shown how loud each labelled note is in the recording, and whether it was played."""
    return f"{musicnet.HEARD_FOLDER}/{recording_id}.csv"


def score_notes_place(recording_id: str) -> str:
    """Return where it is shown what notes of the score the labels were made from."""
    return f"{musicnet.SCORE_NOTES_FOLDER}/{recording_id}.csv"


def beside_places(recording_id: str) -> list[str]:
    """Return where the files are that go row by row with labels."""
    return [confidence_place(recording_id), heard_place(recording_id), score_notes_place(recording_id)]


def label_places(recording_id: str) -> list[str]:
    """Return everywhere in sight where the labels of a recording may be."""
    places = [musicnet.labels_path(split, recording_id) for split in SPLITS]
    return [*places, musicnet.left_out_path(recording_id)]


def audio_places(recording_id: str) -> list[str]:
    """Return everywhere where the sound of a recording may be."""
    return [musicnet.audio_path(split, recording_id) for split in SPLITS]


def clip_places(recording_id: str) -> list[str]:
    """Return where the clips of a recording are, in the order of time."""
    return [f"{musicnet.OVERLAYS_FOLDER}/{recording_id}_{clip}.flac" for clip in CLIPS]


def all_places(recording_id: str) -> list[str]:
    """Return everywhere where a file of a recording may be, its records among them."""
    learnt = [f"{COLLECTION_FOLDER}/{recording_id}.{ending}" for ending in ("npz", "json")]
    records = [f"{BUILD_FOLDER}/{recording_id}.json", f"{FILES_FOLDER}/{recording_id}.json", *learnt]
    kept = [kept(recording_id) for kept in (kept_labels_path, kept_report_path, kept_score_notes_path)]
    kept += [kept_heard_path(recording_id), kept_heard_path(recording_id, "json")]
    kept += [musicnet.quality_path(recording_id), *(f"{COPIES_FOLDER}/{recording_id}-{one}.seen.json" for one in URLS)]
    places = (label_places, audio_places, clip_places, beside_places)
    return [path for each in places for path in each(recording_id)] + kept + records


def labels_as(kept: bytes, *, with_confidence: bool) -> bytes:
    """Return the bytes of a label file with or without its last column, the confidence.

    Parameters
    ----------
    kept : bytes
        As it was written with confidence.
    with_confidence : bool

    Returns
    -------
    bytes

    Examples
    --------
    >>> labels_as(b"start_time,confidence\\n12,0.9876\\n", with_confidence=False)
    b'start_time\\n12\\n'
    """
    if with_confidence or not kept.partition(b"\n")[0].endswith(CONFIDENCE_COLUMN.encode()):
        return kept
    return b"".join(line.rpartition(b",")[0] + b"\n" for line in kept.splitlines())


def find_corrected(root: Path, recording_id: str) -> Corrected | None:
    """Find labels that are in the dataset's sight and are not what a build wrote there.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    recording_id : str

    Returns
    -------
    Corrected or None
    """
    changed = changed_labels(root, recording_id)
    return Corrected(root / changed[0], read_record(labels_record_path(root, recording_id))) if changed else None


def changed_labels(root: Path, recording_id: str) -> list[str]:
    """Return where in the dataset's sight there are labels that no build wrote there."""
    ours = _written(root, recording_id)
    present = [place for place in label_places(recording_id) if (root / place).is_file()]
    return [place for place in present if sha256_of(root / place) not in ours]


def _written(root: Path, recording_id: str) -> set[str]:
    """Hashes of the label files that builds wrote, whichever of them the disk still has when one was killed."""
    record = read_record(files_record_path(root, recording_id))
    hashes = _written_by_0_1(root, recording_id)
    if record and not record.report.get("by_hand"):
        hashes |= {record.files[place] for place in label_places(recording_id) if place in record.files}
    if record and "coming" in record.report:
        hashes.add(str(record.report["coming"]))
    kept = root / kept_labels_path(recording_id)
    if kept.is_file():
        data = kept.read_bytes()
        hashes |= {sha256_of_bytes(labels_as(data, with_confidence=one)) for one in (True, False)}
    return hashes


def _written_by_0_1(root: Path, recording_id: str) -> set[str]:
    """The same of version 0.1, whose records had another form."""
    try:
        return {str(read_json(labels_record_path(root, recording_id))["outputs"]["labels"][0])}
    except (DatasetError, LookupError, TypeError):
        return set()
