"""Rendering a timbre set: pieces into WAV, MIDI and CSV files, and the description of them all.

Which pieces there are is decided elsewhere (:mod:`~musicnet_build.generation.ascension`,
:mod:`~musicnet_build.generation.melodies`). Everything plays at 120 beats a minute. Every instrument is rendered by
itself and the parts are summed, so where an instrument has no notes it adds nothing at all.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build._typing import Audio
from musicnet_build.audio.effects import simulate_guitar_amp
from musicnet_build.audio.io import write_audio
from musicnet_build.corpora.timbre_set import FORMAT, SET_FILE, Instrument, Piece, Purpose, TimbreSet, read_set
from musicnet_build.errors import DatasetError
from musicnet_build.files import remove_leftovers, sha256_of, sha256_of_values, write_json
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.jobs.resume import Made, code_fingerprint, make_once, read_record
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.score.reader import Score, read_score
from musicnet_build.synthesis.fluidsynth import library_version
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont

SECONDS_PER_BEAT = 0.5
"""120 beats a minute, in every piece."""

_PLACES = (("audio", ".wav"), ("midi", ".mid"), ("labels", ".csv"))


@dataclass(frozen=True)
class WrittenNote:
    """A note of a piece, in quarter notes from its start."""

    onset_beats: float
    duration_beats: float
    pitch: int
    velocity: int
    program: int


@dataclass(frozen=True)
class Stem:
    """What one instrument plays in a piece with one soundfont.

    Attributes
    ----------
    instrument : str
    soundfont : str
        Path of the soundfont.
    soundfont_sha256 : str
    notes : tuple of WrittenNote
    amplified : bool
        Whether it goes through the effect of :func:`musicnet_build.audio.effects.simulate_guitar_amp`.
    """

    instrument: str
    soundfont: str
    soundfont_sha256: str
    notes: tuple[WrittenNote, ...]
    amplified: bool = False


@dataclass(frozen=True)
class PlannedPiece:
    """A piece to be rendered.

    Attributes
    ----------
    name : str
        Of its files, without ending.
    subset : str
        Which part of the set it belongs to, such as ``guitar_alone``.
    stems : tuple of Stem
    """

    name: str
    subset: str
    stems: tuple[Stem, ...]

    def made_from(self) -> dict[str, Any]:
        """Return all that the files of the piece depend on."""
        content = dataclasses.asdict(self)
        for stem in content["stems"]:
            del stem["soundfont"]  # the same bytes may lie elsewhere
        return {
            "piece": sha256_of_values(content),
            "format": FORMAT,
            "fluidsynth": library_version(),
            "code": code_fingerprint("generation.rendering", "audio", "labels", "notes", "score", "synthesis"),
        }


@dataclass(frozen=True)
class SetPlan:
    """A set to be rendered.

    Attributes
    ----------
    purpose : {"training", "test"}
    instruments : tuple of Instrument
    pieces : tuple of PlannedPiece
    settings : mapping
        What the set is made with, JSON values; kept in ``timbre.json``.
    warnings : tuple of str
        What was left out, a sentence each; kept there too.
    """

    purpose: Purpose
    instruments: tuple[Instrument, ...]
    pieces: tuple[PlannedPiece, ...]
    settings: Mapping[str, Any]
    warnings: tuple[str, ...]


def render_set(
    folder: str | os.PathLike[str],
    plan: SetPlan,
    *,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> TimbreSet:
    """Render pieces into a folder, those that are there already excepted, and describe them in ``timbre.json``.

    The bytes do not depend on the number of workers; a run that is cut short goes on where it stopped.

    Parameters
    ----------
    folder : str or PathLike
        Made where it is missing.
    plan : SetPlan
    workers : int
        Processes.
    on_done : callable, optional
        Told the outcome of every piece; its result is whether it was rendered now.

    Returns
    -------
    TimbreSet

    Raises
    ------
    DatasetError
        When a piece cannot be rendered; those that could be are kept.
    """
    folder = Path(folder)
    # While it is not there, the folder does not pass for a whole set.
    (folder / SET_FILE).unlink(missing_ok=True)
    for place in ("", "records", *(place for place, _ in _PLACES)):
        remove_leftovers(folder / place)
    jobs = [Job(piece.name, render_piece, {"folder": str(folder), "piece": piece}) for piece in plan.pieces]
    failed = [each for each in run_jobs(jobs, workers=workers, on_done=on_done) if each.state == "failed"]
    if failed:
        raise DatasetError(
            f"{len(failed)} of {len(plan.pieces)} pieces could not be rendered; {failed[0].id}: {failed[0].reason} "
            "Run the command again to go on."
        )
    write_json(folder / SET_FILE, _description(folder, plan))
    return read_set(folder)


def render_piece(folder: str, piece: PlannedPiece) -> bool:
    """Write the WAV, MIDI and CSV file of a piece unless they are there; return whether they were written now.

    Raises
    ------
    DatasetError
        When a soundfont is no longer what it was when the piece was planned.
    SoundfontError
        When a soundfont cannot play a stem, or lacks its program.
    """
    root = Path(folder)
    _, is_new = make_once(_record_path(root, piece), root, piece.made_from(), lambda: _write_files(root, piece))
    return is_new


def _write_files(root: Path, piece: PlannedPiece) -> Made:
    files = {ending: f"{place}/{piece.name}{ending}" for place, ending in _PLACES}
    write_labels(
        root / files[".mid"], sorted_by_onset(np.concatenate([_note_table(stem.notes) for stem in piece.stems]))
    )
    score = read_score(root / files[".mid"])
    write_labels(root / files[".csv"], score.notes)
    write_audio(root / files[".wav"], mixed(stem_sounds(piece, score)), SAMPLE_RATE)
    counts: dict[str, int] = {}
    for stem in piece.stems:
        counts[stem.instrument] = counts.get(stem.instrument, 0) + len(stem.notes)
    made = Piece(piece.name, piece.subset, score.duration_s, counts, sha256_of(root / files[".wav"]))
    return Made(files.values(), dataclasses.asdict(made))


def stem_sounds(piece: PlannedPiece, score: Score) -> list[Audio]:
    """Render the stems of a piece, each by itself.

    Parameters
    ----------
    piece : PlannedPiece
    score : Score
        Of the piece's MIDI file.

    Returns
    -------
    list of ndarray of float32 [shape=(n,)]
        At 44,100 Hz, of different lengths.

    Raises
    ------
    DatasetError, SoundfontError
        As by :func:`render_piece`.
    """
    return [_rendered(_score_of(_note_table(stem.notes), score), stem) for stem in piece.stems]


def mixed(parts: Sequence[Audio]) -> Audio:
    """Return the sum of sounds that begin together."""
    total = np.zeros(max(len(part) for part in parts), dtype=np.float32)
    for part in parts:
        total[: len(part)] += part
    return total


def _description(folder: Path, plan: SetPlan) -> dict[str, Any]:
    """Return the content of ``timbre.json``, all pieces being there."""
    records = [record for piece in plan.pieces if (record := read_record(_record_path(folder, piece))) is not None]
    if len(records) != len(plan.pieces):
        raise DatasetError(f"{folder} was changed while it was written: run the command again.")
    return {
        "format": FORMAT,
        "purpose": plan.purpose,
        "instruments": [dataclasses.asdict(instrument) for instrument in plan.instruments],
        "soundfonts": _soundfonts_of(plan.pieces),
        "settings": dict(plan.settings),
        "warnings": list(plan.warnings),
        "pieces": [dict(record.report) for record in records],
    }


def _rendered(score: Score, stem: Stem) -> Audio:
    soundfont = choose_soundfont(stem.soundfont)
    if soundfont.sha256() != stem.soundfont_sha256:
        raise DatasetError(f"{stem.soundfont} has changed since the piece was planned: run the command again.")
    audio = synthesize(score, soundfont, strict=True).audio
    if stem.amplified:
        audio = simulate_guitar_amp(audio, SAMPLE_RATE)
    return audio


def _note_table(written: Sequence[WrittenNote]) -> NoteTable:
    notes = empty_notes(len(written))
    for field in ("onset_beats", "duration_beats", "pitch", "velocity", "program"):
        notes[field] = [getattr(note, field) for note in written]
    notes["onset_s"] = notes["onset_beats"] * SECONDS_PER_BEAT
    notes["offset_s"] = (notes["onset_beats"] + notes["duration_beats"]) * SECONDS_PER_BEAT
    return sorted_by_onset(notes)


def _score_of(notes: NoteTable, whole: Score) -> Score:
    """Return the score of one stem: a part for each of its programs."""
    programs = np.unique(notes["program"])
    notes = notes.copy()
    notes["part"] = np.searchsorted(programs, notes["program"])
    parts = tuple(next(part for part in whole.parts if part.program == program) for program in programs)
    return dataclasses.replace(whole, notes=notes, parts=parts, controls=whole.controls[:0])


def _record_path(folder: Path, piece: PlannedPiece) -> Path:
    return folder / "records" / f"{piece.name}.json"


def _soundfonts_of(planned: Sequence[PlannedPiece]) -> list[dict[str, Any]]:
    paths = {stem.soundfont_sha256: stem.soundfont for piece in planned for stem in piece.stems}
    fonts = (choose_soundfont(path) for path in paths.values())
    return [{"name": font.name, "sha256": font.sha256(), "licence": font.licence} for font in fonts]
