"""Label files checked against their recordings, and refined."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicnet_build.align_files import align_files
from musicnet_build.audio.io import read_audio
from musicnet_build.checking.against_score import against_score
from musicnet_build.checking.check import Check, check_labels
from musicnet_build.checking.refine import WITHIN_S, Refined, refine_labels
from musicnet_build.corpora.maps import TXT_HEADER, read_maps_txt
from musicnet_build.errors import MusicnetBuildError
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.notes import NoteTable
from musicnet_build.recipe import RecipeSettings


@dataclass(frozen=True, eq=False)
class CheckedFile:
    """A label file after it was checked.

    Attributes
    ----------
    name : str
        What the recording is called.
    recording, labels : str
        Paths as they were given.
    found : mapping
        As ``Check.as_dict`` gives it.
    """

    name: str
    recording: str
    labels: str
    found: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"name": self.name, "recording": self.recording, "labels_file": self.labels, **self.found}


def check_files(
    recording: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    score: str | os.PathLike[str] | None = None,
    settings: RecipeSettings = RecipeSettings(),  # noqa: B008 - frozen
) -> Check:
    """Check a label file against its recording.

    Parameters
    ----------
    recording, labels : str or PathLike
        Files; labels are of any format that ``read_labels`` reads, or a .txt file of MAPS.
    score : str or PathLike, optional
        What was played: its notes are then looked for among the labels, and the labels among its notes.
    settings : RecipeSettings
        How the score is laid over the recording.

    Returns
    -------
    Check

    Raises
    ------
    LabelError, AudioError, ScoreError, SoundfontError, AlignmentError
        When a file cannot be used; the message names it.

    Examples
    --------
    >>> from musicnet_build.checking.files import check_files
    >>> found = check_files("recording.flac", "labels.csv")
    >>> str(found.verdict), found.reasons
    ('accept', ())
    """
    notes = labels_in(labels)
    audio = read_audio(recording)
    try:
        check = check_labels(audio, notes)
    except MusicnetBuildError as error:
        raise type(error)(f"{labels} against {recording}: {error}") from error
    return against_score(check, align_files(recording, score, settings).alignment) if score else check


def refine_files(
    recording: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    within_s: float = WITHIN_S,
) -> Refined:
    """Refine a label file, and write the result.

    Parameters
    ----------
    recording, labels : str or PathLike
        Files; labels are of any format that ``read_labels`` reads, or a .txt file of MAPS.
    output : str or PathLike
        Label file to write, in the format that its ending names.
    within_s : float
        No onset moves by more.

    Returns
    -------
    Refined

    Raises
    ------
    LabelError, AudioError
        When a file cannot be used, or the labels are not nearly right.

    Examples
    --------
    >>> from musicnet_build.checking.files import refine_files
    >>> refined = refine_files("recording.flac", "labels.csv", "refined.mid")
    >>> int((abs(refined.moved_s) > 0.05).sum())
    0
    """
    notes = labels_in(labels)
    audio = read_audio(recording)
    try:
        refined = refine_labels(audio, notes, within_s=within_s)
    except MusicnetBuildError as error:
        raise type(error)(f"{labels} against {recording}: {error}") from error
    write_labels(output, refined.notes)
    return refined


def labels_in(path: str | os.PathLike[str]) -> NoteTable:
    """Read a label file of any format, those of MAPS included."""
    if Path(path).suffix.lower() == ".txt" and _first_line(path).split() == TXT_HEADER.split():
        return read_maps_txt(path)
    return read_labels(path)


def _first_line(path: str | os.PathLike[str]) -> str:
    with Path(path).open(encoding="utf-8-sig", errors="replace") as file:
        return file.readline(200)
