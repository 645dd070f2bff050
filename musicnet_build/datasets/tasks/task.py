"""What the job of one recording is told, and the files that it reads, wherever they are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from musicnet_build.align_files import made_from
from musicnet_build.choices import VERDICTS
from musicnet_build.datasets.places import copy_of
from musicnet_build.datasets.tables.columns import Entry
from musicnet_build.datasets.tables.spreadsheet import URLS
from musicnet_build.errors import DatasetError
from musicnet_build.files import sha256_of
from musicnet_build.jobs.resume import code_fingerprint
from musicnet_build.recipe import RecipeSettings
from musicnet_build.remote.reading import Copy
from musicnet_build.score.notation import library_version
from musicnet_build.synthesis.soundfonts import choose_soundfont


@dataclass(frozen=True)
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
    with_confidence, confidence_beside, heard_beside, overlay : bool
        See ``placing.View``.
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
    heard_beside: bool = False
    overlay: bool = False
    include: tuple[str, ...] = VERDICTS[:2]
    condemned: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
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
        """Return the path of the input that the manifest names in this column; of a URL that of its copy, made now."""
        copy = self.copies.get(name)
        return copy.fetched(self.sha256.get(name)) if copy else Path(self.folder, getattr(self.entry, name))

    @property
    def copies(self) -> dict[str, Copy]:
        """Those of the inputs that are remote, by their columns."""
        found = {name: copy_of(self.root, self.id, name, getattr(self.entry, name)) for name in URLS}
        return {name: copy for name, copy in found.items() if copy}

    def drop_copies(self) -> None:
        """Remove the copies of remote inputs: the next job needs the room."""
        for copy in self.copies.values():
            copy.drop()

    def as_named(self, text: str) -> str:
        """Return a sentence with files named as in the manifest: the same dataset wherever it is built."""
        for name, copy in self.copies.items():
            text = text.replace(str(copy.path), self.entry.named(name))
        return text.replace(f"{self.folder}{os.sep}", "")

    def files(self) -> tuple[Path, Path, Path | None]:
        """Return the paths of recording, score and, where there is one, witness."""
        return self.path("recording"), self.path("score"), self.path("witness") if self.entry.witness else None

    def made_from(self) -> dict[str, Any]:
        """Return what the labels depend on."""
        if not self.entry.labels:
            reader = library_version(self.entry.named("score"))
            return made_from(self.sha256, self.settings) | ({"verovio": reader} if reader else {})
        span = {"start_s": self.settings.start_s, "end_s": self.settings.end_s}
        return {**self.sha256, "code": code_fingerprint("labels", "audio", "notes"), **span}


def hash_inputs(task: Task, *, fetch: bool = True) -> dict[str, str]:
    """Return the hashes of what a recording's labels are made from.

    Parameters
    ----------
    task : Task
    fetch : bool
        Read what is remote and was not read before as it is now.

    Raises
    ------
    OSError, DatasetError
        When a file cannot be read, or is not to be.
    """
    if task.entry.labels:
        return {name: _sha256(task, name, fetch) for name in ("recording", "labels")}
    hashes = {name: _sha256(task, name, fetch) for name in ("recording", "score")}
    hashes["soundfont"] = choose_soundfont(task.settings.soundfont).sha256()
    return hashes | ({"witness": _sha256(task, "witness", fetch)} if task.entry.witness else {})


def _sha256(task: Task, name: str, fetch: bool) -> str:
    copy = task.copies.get(name)
    seen = copy.seen_sha256() if copy else None
    if copy and not (seen or fetch):
        raise DatasetError(f"{task.entry.named(name)}: was not read as it is now.")
    return seen or sha256_of(task.path(name))
