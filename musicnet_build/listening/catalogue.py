"""What there is to listen to: the recordings of a dataset, or one recording and its labels."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musicnet_build.corpora import musicnet
from musicnet_build.errors import DatasetError
from musicnet_build.files import read_json

JUDGEMENTS_SUFFIX = ".audit"
ANCHORS_FOLDER = "anchors"
"""In the folder of the judgements: a CSV file for each recording with anchors, as ``align --anchor`` reads them."""

MAX_REPORT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Item:
    """A recording to listen to.

    Attributes
    ----------
    id : str
    title : str
        For people.
    audio : Path
    labels : tuple of Path
        One label file, or two to compare.
    report : Path or None
        The quality report of the first.
    metadata : dict
        What is known about the recording, in words.
    """

    id: str
    title: str
    audio: Path
    labels: tuple[Path, ...]
    report: Path | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """Recordings to listen to, and the folder of the judgements about them.

    Attributes
    ----------
    title : str
    items : tuple of Item
    judgements : Path
        Beside the dataset, not in it: there it would break checksums.
    """

    title: str
    items: tuple[Item, ...]
    judgements: Path


def judgements_folder(path: str | os.PathLike[str]) -> Path:
    """Return where the judgements about a dataset or a label file are kept.

    Parameters
    ----------
    path : str or PathLike
        ``quartets`` has them in ``quartets.audit``, ``labels.csv`` in ``labels.audit``.

    Returns
    -------
    Path
    """
    # Not Path.resolve: judgements about a linked dataset belong beside the link.
    place = Path(os.path.normpath(Path(path).absolute()))
    return place.with_name((place.name if place.is_dir() else place.stem) + JUDGEMENTS_SUFFIX)


def dataset_catalogue(folder: str | os.PathLike[str]) -> Catalogue:
    """List the recordings of a dataset in MusicNet's layout.

    Parameters
    ----------
    folder : str or PathLike

    Returns
    -------
    Catalogue

    Raises
    ------
    DatasetError
        When the folder is no such dataset.
    """
    root = Path(folder)
    items = []
    for recording in musicnet.read_dataset(root):
        report = root / musicnet.quality_path(recording.id)
        metadata = {name: value for name, value in recording.metadata.items() if value}
        items.append(
            Item(
                recording.id,
                _title(recording.id, metadata),
                recording.audio,
                (recording.labels,),
                report if report.is_file() else None,
                metadata,
            )
        )
    return Catalogue(root.absolute().name, tuple(items), judgements_folder(root))


def files_catalogue(recording: Path, labels: Sequence[Path], report: Path | None = None) -> Catalogue:
    """Make a catalogue of one recording.

    Parameters
    ----------
    recording : Path
    labels : sequence of Path
        One label file, or two to compare.
    report : Path, optional
        The quality report that ``align --quality`` wrote.

    Returns
    -------
    Catalogue
    """
    item = Item(recording.stem, recording.name, recording, tuple(labels), report)
    return Catalogue(recording.name, (item,), judgements_folder(labels[0]))


def read_report(path: Path | None) -> dict[str, Any]:
    """Return what a quality report says, whichever command wrote it; empty where there is none.

    Parameters
    ----------
    path : Path or None

    Returns
    -------
    dict
        ``verdict`` (``accept``, ``review``, ``reject`` or None), ``reasons``, ``spans`` (each ``start_s``,
        ``end_s``, ``what``) and ``structure``.

    Raises
    ------
    DatasetError
        When the file is not such a report.
    """
    if path is None:
        return {}
    report = read_json(path, limit=MAX_REPORT_BYTES)
    try:
        # Version 0.1.0 had a report per command: ``build`` called ``measures`` what ``align`` called ``quality``.
        measures = report.get("quality") or report.get("measures") or {}
        verdict = report.get("verdict") or measures.get("verdict")
        return {
            "verdict": verdict and verdict_word(str(verdict)),
            "reasons": [str(reason) for reason in report.get("reasons") or measures.get("reasons") or ()],
            "spans": [_span(span) for span in measures.get("suspicions") or ()],
            "structure": [str(departure) for departure in measures.get("structure") or ()],
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is no quality report of this program.") from error


def plain(text: str, limit: int = 300) -> str:
    """Return text without control characters and marks that turn the direction of writing, and not too long.

    Parameters
    ----------
    text : str
    limit : int

    Returns
    -------
    str
    """
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    kept = "".join(c for c in kept if unicodedata.category(c) not in ("Cf", "Cs"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def verdict_word(value: str) -> str:
    """Return a verdict as the program says it, whichever form version 0.1 or a judgement has it in.

    Examples
    --------
    >>> verdict_word("rejected"), verdict_word("review")
    ('reject', 'review')
    """
    return {"accepted": "accept", "rejected": "reject"}.get(value, value)


def _span(span: dict[str, Any]) -> dict[str, Any]:
    what = span.get("message") or span.get("kind", "")
    return {"start_s": float(span["start_s"]), "end_s": float(span["end_s"]), "what": plain(str(what))}


def _title(recording_id: str, metadata: dict[str, str]) -> str:
    parts = [metadata.get(name, "") for name in ("composer", "composition", "movement")]
    return " – ".join(part for part in parts if part) or recording_id
