"""Making a MAPS-style corpus: every sound of a recipe as .wav or .flac, .mid and .txt.

A sound depends on the recipe, the bank and its own name, on nothing else, so the same recipe gives the same bytes for
any number of workers, and an interrupted run is continued: sounds are made by the dozen, and a dozen whose record
says that it is whole is not made again (:mod:`~musicnet_build.jobs.resume`).
"""

import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build import __version__
from musicnet_build._typing import Audio
from musicnet_build.audio import effects
from musicnet_build.audio.io import write_audio
from musicnet_build.choices import CORPUS_AUDIO
from musicnet_build.corpora import maps
from musicnet_build.errors import DatasetError
from musicnet_build.files import replacing, sha256_of, sha256_of_values
from musicnet_build.generation import maps_plan
from musicnet_build.generation.maps_recipe import Bank, Recipe
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.jobs.resume import Made, code_fingerprint, make_once
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.reader import Score
from musicnet_build.synthesis.fluidsynth import library_version
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

DESCRIPTION = "corpus.json"
"""At the top of a corpus: what it was made from."""

RECORDS = "records"
"""Folder of what says which sounds are whole."""

PEAK = 0.99
"""A sound that would exceed this is turned down to it."""

_SOUNDS_PER_JOB = 24
_CODE = ("generation.maps", "generation.maps_plan", "generation.demo", "audio", "corpora.maps", "labels.pianoroll",
         "notes", "score", "synthesis")  # fmt: skip

_Piece = tuple[str, Path | int]
_Task = maps_plan.PlannedSound | _Piece


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
    audio: str = CORPUS_AUDIO[0],
    workers: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> Generated:
    """Make a corpus, or what is missing of it.

    Parameters
    ----------
    recipe : Recipe
    folder : str or PathLike
        May hold an unfinished corpus of the same recipe.
    audio : {"wav", "flac"}
        How sounds are written; either holds the same 16 bits.
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

    Examples
    --------
    >>> from musicnet_build.generation.maps import generate_maps
    >>> from musicnet_build.generation.maps_recipe import Recipe
    >>> isolated = {"styles": ["ST"], "loudness": {"F": [80, 100]}, "pitches": [60, 64]}
    >>> recipe = Recipe.model_validate({"banks": [{"name": "PianoAaa", "soundfont": "TimGM6mb"}], "isolated": isolated})
    >>> made = generate_maps(recipe, "piano")
    >>> made.sounds, made.failed
    (5, ())
    """
    folder = Path(folder)
    soundfonts = {bank.name: choose_soundfont(bank.soundfont) for bank in recipe.banks}
    pieces = maps_plan.piece_scores(recipe)
    _claim(folder, {**_description(recipe, soundfonts, pieces), "audio": audio})
    jobs = list(_jobs(recipe, folder, soundfonts, pieces, audio))
    ended = itertools.count(1)

    def on_done(outcome: Outcome) -> None:
        if progress:
            progress("rendering", next(ended) / len(jobs))

    outcomes = run_jobs(jobs, workers=workers, on_done=on_done)
    failed = tuple(outcome for outcome in outcomes if outcome.state == "failed")
    made = sum(outcome.result for outcome in outcomes if isinstance(outcome.result, int))
    return Generated(sum(len(job.arguments["tasks"]) for job in jobs), made, failed)


# Which sounds


def _stem(task: _Task, bank: Bank) -> str:
    return task.stem if isinstance(task, maps_plan.PlannedSound) else maps.piece_stem(task[0], bank.name)


def _paths(folder: Path, stem: str, audio: str) -> tuple[Path, Path, Path]:
    place = folder / maps.folder_of(stem)
    return place / f"{stem}.mid", place / f"{stem}.txt", place / f"{stem}.{audio}"


def _jobs(
    recipe: Recipe, folder: Path, soundfonts: dict[str, Soundfont], pieces: dict[str, Path | int], audio: str
) -> Iterator[Job]:
    """Pieces are long and make jobs of their own, first; the other sounds of a bank go by the dozen."""
    batches: list[tuple[Bank, Sequence[_Task]]] = [
        (bank, [piece]) for bank in recipe.banks for piece in maps_plan.dealt(pieces, recipe, bank).items()
    ]
    batches += [(bank, batch) for bank in recipe.banks for batch in _batches(recipe, bank)]
    for bank, tasks in batches:
        arguments = {
            "tasks": tasks,
            "bank": bank,
            "soundfont": soundfonts[bank.name],
            "seed": recipe.seed,
            "lead_in_s": recipe.lead_in_s,
            "folder": folder,
            "audio": audio,
        }
        yield Job(_stem(tasks[0], bank), make_sounds, arguments)


def _batches(recipe: Recipe, bank: Bank) -> Iterator[list[maps_plan.PlannedSound]]:
    plans = list(maps_plan.plans(recipe, bank))
    for start in range(0, len(plans), _SOUNDS_PER_JOB):
        yield plans[start : start + _SOUNDS_PER_JOB]


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
                f"{folder} holds a corpus made from another recipe, soundfont or version, or with --audio otherwise: "
                "choose another folder."
            )
        for unfinished in list(folder.rglob(".MAPS_*")):
            # What a run that was killed was writing.
            unfinished.unlink()
        return
    sounds = (sound for audio in CORPUS_AUDIO for sound in folder.rglob(f"*.{audio}"))
    if folder.is_dir() and any(maps.parse_stem(sound.stem) for sound in sounds):
        raise DatasetError(f"{folder} holds sounds of another origin: choose another folder.")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


# Making sounds (in a worker)


def make_sounds(
    tasks: Sequence[_Task],
    bank: Bank,
    soundfont: Soundfont,
    seed: int,
    lead_in_s: float,
    folder: Path,
    audio: str,
) -> int:
    """Make some sounds of a bank unless they are there; return how many were made now."""
    made_from = {
        "sounds": sha256_of_values([_described(task) for task in tasks]),
        "bank": bank.model_dump(mode="json", exclude={"soundfont"}),
        "soundfont": soundfont.sha256(),
        "seed": seed,
        "lead_in_s": lead_in_s,
        "audio": audio,
        "fluidsynth": library_version(),
        "code": code_fingerprint(*_CODE),
    }
    make = partial(_write_sounds, tasks, bank, soundfont, seed, lead_in_s, folder, audio)
    _, is_new = make_once(folder / RECORDS / f"{_stem(tasks[0], bank)}.json", folder, made_from, make)
    return len(tasks) if is_new else 0


def _write_sounds(
    tasks: Sequence[_Task], bank: Bank, soundfont: Soundfont, seed: int, lead_in_s: float, folder: Path, audio: str
) -> Made:
    response = _response(bank, seed)
    files: list[str] = []
    for task in tasks:
        stem = _stem(task, bank)
        performance = _performance(task, seed, lead_in_s)
        score = maps_plan.score_of(performance, stem, bank.program)
        midi, text, sound = _paths(folder, stem, audio)
        maps_plan.write_performance(midi, performance, bank.program)
        maps.write_maps_txt(text, performance.labels)
        write_audio(sound, rendered(score, bank, soundfont, response, seed), SAMPLE_RATE, subtype="PCM_16")
        files += (path.relative_to(folder).as_posix() for path in (midi, text, sound))
    return Made(files)


def _described(task: _Task) -> list[Any]:
    if isinstance(task, maps_plan.PlannedSound):
        return [task.stem, task.compose.__name__, task.arguments, task.pedal]
    name, source = task
    return [name, sha256_of(source) if isinstance(source, Path) else source]


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
        sound += effects.noise_floor(len(sound), bank.noise_dbfs, maps_plan.generator(seed, f"{score.name} noise"))
    peak = float(np.abs(sound).max())
    return sound if peak <= PEAK else sound * np.float32(PEAK / peak)


def _performance(task: _Task, seed: int, lead_in_s: float) -> maps_plan.Performance:
    if isinstance(task, maps_plan.PlannedSound):
        return maps_plan.performance_of(task, seed, lead_in_s)
    return maps_plan.performance_of_score(maps_plan.read_piece(task[1]), lead_in_s)


def _response(bank: Bank, seed: int) -> Audio | None:
    if bank.room is None:
        return None
    return effects.impulse_response(
        bank.room.decay_s, bank.room.level_db, maps_plan.generator(seed, f"{bank.name} room")
    )
