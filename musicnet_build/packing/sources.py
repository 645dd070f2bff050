"""What packers take and what they return: the recordings of a folder, and one result.

Which recordings train and which test is settled here for all packers: the folders (or the table of the corpus) decide,
unless the settings name a published split.
"""

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from musicnet_build.choices import MAPS_CATEGORIES
from musicnet_build.corpora import maps
from musicnet_build.corpora.folds import in_sets, train_and_test
from musicnet_build.corpora.layouts import find_recordings
from musicnet_build.corpora.musicnet import check_finished
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.corpora.splits import with_published_split, with_validation
from musicnet_build.errors import DatasetError

Source = str | os.PathLike[str] | Sequence[Recording]
"""A folder in one of the layouts of :mod:`musicnet_build.corpora.layouts`, or recordings."""

Progress = Callable[[str, float], object]
"""Told the stage and the fraction of it that is done."""


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Which recordings of a folder are packed; every packer's settings begin with these.

    Attributes
    ----------
    categories : collection of str
        Which of MAPS: ``ISOL``, ``RAND``, ``UCHO``, ``MUS``.
    a_maps : Path or None
        Folder of A-MAPS, whose MIDI files are then the labels of MAPS.
    published_split : {"paper", "second-release"} or None
        Test on the recordings that this publication of MusicNet tests on; None keeps the folders' own split.
    validation_share : float
        Let this share of the training recordings validate, whole compositions and performers, drawn by the seed.
    seed : int
        Settles what is drawn.
    partial : bool
        Take what there is of a dataset whose ``build`` is not finished.
    """

    categories: Collection[str] = ("MUS",)
    a_maps: Path | None = None
    published_split: str | None = None
    validation_share: float = 0.0
    seed: int = 0
    partial: bool = False


@dataclass(frozen=True)
class Packed:
    """What was packed.

    Attributes
    ----------
    path : Path
        The package.
    recordings : int
    made : int
        Recordings worked on in this run; what is made of the others was there.
    parts : mapping of str to int
        How much is in each part, such as ``train``.
    counts : mapping of str to int
        Sums over the recordings of what the packer counts, such as notes shorter than a frame.
    size_bytes : int
    warnings : tuple of str
        Sentences: parts that are empty, among others.
    """

    path: Path
    recordings: int
    made: int
    parts: Mapping[str, int]
    counts: Mapping[str, int]
    size_bytes: int
    warnings: tuple[str, ...] = ()


def recordings_of(source: Source, settings: SourceSettings) -> list[Recording]:
    """Return what is to be packed, sorted by name.

    Raises
    ------
    DatasetError
        When a folder holds no known dataset or an unfinished one, or a name cannot name a group of a package.
    """
    if isinstance(source, str | os.PathLike):
        if not settings.partial:
            check_finished(source)
        found = find_recordings(source, categories=settings.categories, a_maps=settings.a_maps)
    else:
        found = list(source)
    check_names(found)
    found = with_published_split(found, settings.published_split)
    return with_validation(found, settings.validation_share, settings.seed) if settings.validation_share else found


def recordings_in_sets(source: Source, settings: SourceSettings) -> list[Recording]:
    """Return what is to be packed, each in a set; a corpus without sets of its own (MAPS) is split by the seed."""
    found = recordings_of(source, settings)
    return in_sets(found, train_and_test(found, settings.seed))


def other_categories(source: Source, settings: SourceSettings) -> int:
    """Count the sounds of a MAPS folder that are not packed because they are of other categories."""
    others = [name for name in MAPS_CATEGORIES if name not in settings.categories]
    return maps.count_sounds(source, others) if isinstance(source, str | os.PathLike) else 0


def check_names(recordings: Sequence[Recording]) -> None:
    """Refuse names that cannot name a group of a package or a file."""
    for recording in recordings:
        if not re.fullmatch(r"[^/\0]{1,200}", recording.name) or recording.name in (".", "..", "splits"):
            raise DatasetError(f"{recording.audio} cannot be packed under its name {recording.name!r}: rename it.")


def sizes_by_split(recordings: Sequence[Recording]) -> dict[str, int]:
    """Count the recordings of each split."""
    return {split: sum(recording.split == split for recording in recordings) for split in SPLITS}


def empty_parts(parts: Mapping[str, int]) -> tuple[str, ...]:
    """Say in a sentence which parts are empty; nothing where none is."""
    empty = [name for name, size in parts.items() if not size]
    return (f"nothing is in {', '.join(empty)}.",) if empty else ()
