"""Making a MAPS-style corpus: every sound of a recipe as .wav, .mid and .txt.

A sound depends on the recipe, the bank and its own name, on nothing else, so the same recipe gives the same bytes for
any number of workers, and an interrupted run is continued: a sound whose three files are there is not made again.
"""

import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build import __version__
from musicnet_build._typing import Audio
from musicnet_build.audio import effects
from musicnet_build.audio.io import write_audio
from musicnet_build.corpora import maps
from musicnet_build.errors import DatasetError
from musicnet_build.files import replacing, sha256_of
from musicnet_build.generation import maps_plan as maps_pieces
from musicnet_build.generation.maps_recipe import Bank, Recipe
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.reader import Score
from musicnet_build.synthesis.fluidsynth import library_version
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

DESCRIPTION = "corpus.json"
"""At the top of a corpus: what it was made from."""

PEAK = 0.99
"""A sound that would exceed this is turned down to it."""

_SOUNDS_PER_JOB = 24

_Piece = tuple[str, Path | int]
_Task = maps_pieces.Plan | _Piece


@dataclass(frozen=True)
class Generated:
    """What a run made.

    Attributes
    ----------
    sounds : int
        Sounds of the corpus, whenever made.
    made : int
        Those of this run.
    failed : tuple of Outcome
        Jobs that failed, with their reasons.
    """

    sounds: int
    made: int
    failed: tuple[Outcome, ...]


def generate_maps(
    recipe: Recipe,
    folder: str | os.PathLike[str],
    *,
    workers: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Generated:
    """Make a corpus, or what is missing of it.

    Parameters
    ----------
    recipe : Recipe
    folder : str or PathLike
        May hold an unfinished corpus of the same recipe.
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Generated

    Raises
    ------
    DatasetError
        When the folder holds a corpus of another recipe, or a piece is missing.
    SoundfontError
        When a bank's soundfont is missing.
    """
    folder = Path(folder)
    soundfonts = {bank.name: choose_soundfont(bank.soundfont) for bank in recipe.banks}
    pieces = maps_pieces.piece_scores(recipe)
    _claim(folder, _description(recipe, soundfonts, pieces))
    sounds, missing = 0, list[tuple[Bank, _Task]]()
    for bank in recipe.banks:
        tasks: list[_Task] = [*maps_pieces.plans(recipe, bank), *maps_pieces.dealt(pieces, recipe, bank).items()]
        sounds += len(tasks)
        missing += [(bank, task) for task in tasks if not _is_made(folder, _stem(task, bank))]
    jobs = list(_jobs(recipe, folder, soundfonts, missing))
    ended = itertools.count(1)

    def on_done(outcome: Outcome) -> None:
        if progress:
            progress("rendering", next(ended) / len(jobs))

    outcomes = run_jobs(jobs, workers=workers, on_done=on_done)
    failed = tuple(outcome for outcome in outcomes if outcome.state == "failed")
    return Generated(sounds, sum(_is_made(folder, _stem(task, bank)) for bank, task in missing), failed)


# Which sounds


def _stem(task: _Task, bank: Bank) -> str:
    return task.stem if isinstance(task, maps_pieces.Plan) else maps.piece_stem(task[0], bank.name)


def _paths(folder: Path, stem: str) -> tuple[Path, Path, Path]:
    place = folder / maps.folder_of(stem)
    return place / f"{stem}.mid", place / f"{stem}.txt", place / f"{stem}.wav"


def _is_made(folder: Path, stem: str) -> bool:
    # The sound is written last.
    return all(path.is_file() for path in reversed(_paths(folder, stem)))


def _jobs(
    recipe: Recipe, folder: Path, soundfonts: dict[str, Soundfont], missing: list[tuple[Bank, _Task]]
) -> Iterator[Job]:
    """Pieces are long and make jobs of their own, first; the other sounds of a bank go by the dozen."""
    is_piece = [not isinstance(task, maps_pieces.Plan) for _, task in missing]
    pieces = [([task], bank) for (bank, task), yes in zip(missing, is_piece, strict=True) if yes]
    others = [item for item, yes in zip(missing, is_piece, strict=True) if not yes]
    groups = [([task for _, task in group], bank) for bank, group in _batches(others)]
    for tasks, bank in [*pieces, *groups]:
        arguments = {
            "tasks": tasks,
            "bank": bank,
            "soundfont": soundfonts[bank.name],
            "seed": recipe.seed,
            "lead_in_s": recipe.lead_in_s,
            "folder": folder,
        }
        yield Job(_stem(tasks[0], bank), make_sounds, arguments)


def _batches(items: list[tuple[Bank, _Task]]) -> Iterator[tuple[Bank, list[tuple[Bank, _Task]]]]:
    for _, group in itertools.groupby(items, key=lambda item: item[0].name):
        of_bank = list(group)
        for start in range(0, len(of_bank), _SOUNDS_PER_JOB):
            yield of_bank[0][0], of_bank[start : start + _SOUNDS_PER_JOB]


# What it was made from


def _description(recipe: Recipe, soundfonts: dict[str, Soundfont], pieces: dict[str, Path | int]) -> dict[str, Any]:
    """Say all that the bytes of the corpus depend on, and nothing of this machine."""
    content = recipe.model_dump(mode="json", exclude={"pieces"})
    for bank in content["banks"]:
        found = soundfonts[bank["name"]]
        bank["soundfont"] = {"name": found.name, "sha256": found.sha256(), "licence": found.licence}
    return {
        "kind": "MAPS-style corpus, generated",
        "recipe": content,
        "pieces": {
            piece: sha256_of(source) if isinstance(source, Path) else f"demonstration score from ground {source} on"
            for piece, source in pieces.items()
        },
        "versions": {"musicnet_build": __version__, "fluidsynth": library_version()},
    }


def _claim(folder: Path, description: dict[str, Any]) -> None:
    """Write the description, or find the same one: a folder never holds sounds of two recipes."""
    path = folder / DESCRIPTION
    text = json.dumps(description, indent=2, sort_keys=True) + "\n"
    if path.is_file():
        if path.read_text(encoding="utf-8") != text:
            raise DatasetError(
                f"{folder} holds a corpus made from another recipe, soundfont or version: choose another folder."
            )
        for unfinished in list(folder.rglob(".MAPS_*")):
            # What a run that was killed was writing.
            unfinished.unlink()
        return
    if folder.is_dir() and any(maps.parse_stem(sound.stem) for sound in folder.rglob("*.wav")):
        raise DatasetError(f"{folder} holds sounds of another origin: choose another folder.")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


# Making sounds (in a worker)


def make_sounds(
    tasks: list[_Task], bank: Bank, soundfont: Soundfont, seed: int, lead_in_s: float, folder: Path
) -> None:
    """Make the sounds of a bank that are missing; a job of :func:`generate_maps`."""
    response = _response(bank, seed)
    for task in tasks:
        stem = _stem(task, bank)
        if _is_made(folder, stem):
            continue
        performance = _performance(task, seed, lead_in_s)
        midi, text, wav = _paths(folder, stem)
        maps_pieces.write_performance(midi, performance, bank.program)
        maps.write_maps_txt(text, performance.labels)
        sound = rendered(maps_pieces.score_of(performance, stem, bank.program), bank, soundfont, response, seed)
        write_audio(wav, sound, SAMPLE_RATE, subtype="PCM_16")


def rendered(score: Score, bank: Bank, soundfont: Soundfont, response: Audio | None, seed: int) -> Audio:
    """Return a score as a bank sounds: instrument, tuning, room, noise, gain.

    Parameters
    ----------
    score : Score
        Its name draws the noise.
    bank : Bank
    soundfont : Soundfont
    response : ndarray of float32 or None
        Of the bank's room.
    seed : int

    Returns
    -------
    ndarray of float32 [shape=(n,)]
        Within ±``PEAK``.
    """
    sound = synthesize(score.detuned(bank.detune_cents), soundfont).audio
    if response is not None:
        sound = effects.apply_reverb(sound, response)
    sound = sound * np.float32(10.0 ** (bank.gain_db / 20.0))
    if bank.noise_dbfs is not None:
        sound += effects.noise_floor(len(sound), bank.noise_dbfs, maps_pieces.generator(seed, f"{score.name} noise"))
    peak = float(np.abs(sound).max())
    return sound if peak <= PEAK else sound * np.float32(PEAK / peak)


def _performance(task: _Task, seed: int, lead_in_s: float) -> maps_pieces.Performance:
    if isinstance(task, maps_pieces.Plan):
        return maps_pieces.performance_of(task, seed, lead_in_s)
    return maps_pieces.performance_of_score(maps_pieces.read_piece(task[1]), lead_in_s)


def _response(bank: Bank, seed: int) -> Audio | None:
    if bank.room is None:
        return None
    return effects.impulse_response(
        bank.room.decay_s, bank.room.level_db, maps_pieces.generator(seed, f"{bank.name} room")
    )
