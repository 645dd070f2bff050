"""What finds labels anew while somebody listens: the scores of what is heard, and how they are aligned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from musicnet_build.anchors import Anchor, parse_anchors, place_of
from musicnet_build.recipe import RecipeSettings
from musicnet_build.remote.urls import is_remote
from musicnet_build.score.reader import Score, read_score

if TYPE_CHECKING:
    from musicnet_build.notes import NoteTable


@dataclass(frozen=True)
class Source:
    """What the labels of a recording are made from."""

    recording: Path
    score: Path
    settings: RecipeSettings
    witness: Path | None = None


class ScoreAligner:
    """Aligns recordings with their scores through anchors; see ``listening.web.realigning.Aligner``."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._score = lru_cache(4)(self._read_score)

    def _read_score(self, recording_id: str) -> Score:
        return read_score(self._sources[recording_id].score)

    def anchors(self, recording_id: str) -> tuple[Anchor, ...] | None:
        """Return the anchors that a recording's labels were made with; None where its score is not known."""
        source = self._sources.get(recording_id)
        return None if source is None else parse_anchors(source.settings.anchors)

    def place(self, recording_id: str, beats: float) -> str:
        """Return measure and beat of a place of a recording's score."""
        return place_of(beats, self._score(recording_id))

    def labels(self, recording_id: str, anchors: tuple[Anchor, ...]) -> "NoteTable":
        """Return a recording's labels through anchors."""
        from musicnet_build.align_files import align_files

        source = self._sources[recording_id]
        settings = replace(source.settings, anchors=",".join(map(str, anchors)))
        return align_files(source.recording, source.score, settings, witness=source.witness).notes


def file_aligner(recording: Path, score: Path, soundfont: str | None) -> ScoreAligner:
    """Return what aligns one recording with its score."""
    return ScoreAligner({recording.stem: Source(recording, score, RecipeSettings(soundfont=soundfont))})


def manifest_aligner(path: Path, soundfont: str | None) -> ScoreAligner:
    """Return what aligns the recordings of a manifest as ``build`` does, those that can have anchors."""
    from musicnet_build.alignment import HELD_BY_ANCHORS
    from musicnet_build.datasets.manifest import read_manifest
    from musicnet_build.datasets.plan import named_settings

    manifest = read_manifest(path)
    sources = {}
    for entry in manifest.entries:
        settings = named_settings(manifest.folder, entry, RecipeSettings(soundfont=soundfont), allow_outside=False)
        remote = any(map(is_remote, (entry.recording, entry.score, entry.witness)))
        if not (entry.labels or remote) and settings.preset in HELD_BY_ANCHORS:
            witness = manifest.folder / entry.witness if entry.witness else None
            recording, score = manifest.folder / entry.recording, manifest.folder / entry.score
            sources[entry.id] = Source(recording, score, settings, witness)
    return ScoreAligner(sources)
