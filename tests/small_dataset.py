"""A few recordings of three seconds, made on the spot, their manifest, and the dataset built of them."""

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tiny_soundfont import write_soundfont

from musicnet_build.audio.io import write_audio
from musicnet_build.datasets.build import Runner, build
from musicnet_build.datasets.job import Row
from musicnet_build.datasets.manifest import read_manifest, write_manifest
from musicnet_build.datasets.plan import Settings
from musicnet_build.jobs.local import Job, Outcome, attempt
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import empty_notes
from musicnet_build.recipe import RecipeSettings
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont

LATE_S = 0.3
"""How much later the recordings begin than the scores."""


@dataclass(frozen=True)
class Material:
    """A folder with a soundfont, recordings, scores and ``manifest.csv``."""

    folder: Path

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.csv"

    @property
    def settings(self) -> Settings:
        return Settings(RecipeSettings(preset="musicnet", soundfont=str(self.folder / "tiny.sf2")))

    def rows(self) -> list[dict[str, Any]]:
        with self.manifest.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def change(self, recording_id: str, **fields: Any) -> None:
        """Change fields of one line of the manifest."""
        write_manifest(self.manifest, [row | fields if row["id"] == recording_id else row for row in self.rows()])

    def copy(self, folder: Path) -> "Material":
        shutil.copytree(self.folder, folder)
        return Material(folder)

    def build(
        self, dataset: Path, *, run: Runner | None = None, settings: Settings | None = None, **options: Any
    ) -> list[Row]:
        """Build in this process, without the second that a worker takes to start, unless ``run`` is given."""
        manifest = read_manifest(self.manifest)
        return build(manifest, dataset, settings or self.settings, run=run or run_here, **options)


def run_here(jobs: Sequence[Job], on_done: Callable[[Outcome], object]) -> list[Outcome]:
    """Run the jobs one after another in this process."""
    outcomes = []
    for job in jobs:
        reason, result = attempt(job.function, job.arguments)
        outcomes.append(Outcome(job.id, "failed" if reason else "done", reason, 0.0, result))
        on_done(outcomes[-1])
    return outcomes


def write_material(folder: Path, count: int = 3) -> Material:
    """Write ``count`` recordings with scores; the last one is in the test set."""
    folder.mkdir(parents=True, exist_ok=True)
    soundfont = choose_soundfont(write_soundfont(folder / "tiny.sf2", [(0, 0), (0, 40)], wave="sine"))
    for number in range(1, count + 1):
        _write_score(folder / f"{number}.mid", number)
        performance = read_score(folder / f"{number}.mid").retimed(lambda score_s: 1.1 * score_s + LATE_S)
        write_audio(folder / f"{number}.flac", synthesize(performance, soundfont).audio)
    write_manifest(
        folder / "manifest.csv",
        [
            {
                "id": str(number),
                "recording": f"{number}.flac",
                "score": f"{number}.mid",
                "split": "test" if number == count else "train",
                "composer": "Anon" if number > 1 else "Bach, J. S.",
                "composition": f"Piece {number}",
                "ensemble": "Duo",
                "licence": "CC0",
            }
            for number in range(1, count + 1)
        ],
    )
    return Material(folder)


def _write_score(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    notes = empty_notes(12)
    notes["onset_s"] = np.repeat(np.arange(6) * 0.4, 2)
    notes["offset_s"] = notes["onset_s"] + 0.35
    notes["pitch"] = np.tile([0, 12], 6) + np.repeat(random.permutation(np.arange(60, 72))[:6], 2)
    notes["program"] = np.tile([0, 40], 6)
    notes["part"] = np.tile([0, 1], 6)
    notes["velocity"] = 90
    write_labels(path, notes)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file of a dataset, the hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
