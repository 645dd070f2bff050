"""From files to labels: read a recording and its score, align them, and say what the labels were made from.

``align_files`` is what ``musicnet-build align`` and each job of ``musicnet-build build`` do; the arithmetic is in
``alignment``, writing in ``labels``.
"""

import importlib.metadata
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicnet_build import __version__
from musicnet_build._typing import Audio
from musicnet_build.anchors import parse_anchors
from musicnet_build.audio.io import read_with_remarks
from musicnet_build.errors import AlignmentError, AudioError
from musicnet_build.features.onsets import read_onset_model
from musicnet_build.files import read_hashed
from musicnet_build.jobs.resume import LABELS, code_fingerprint
from musicnet_build.labels.witness import Witness, read_witness
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.progress import Progress, ignore
from musicnet_build.recipe import RecipeSettings
from musicnet_build.score.order import parse_order
from musicnet_build.score.reader import Score, read_score
from musicnet_build.synthesis.fluidsynth import library_version
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont
from musicnet_build.threads import in_background

if TYPE_CHECKING:
    from musicnet_build.alignment import Alignment

_LIBRARIES = ("numpy", "scipy", "numba", "soundfile", "soxr")


@dataclass(frozen=True, eq=False)
class AlignedFiles:
    """Labels, with what they were made from.

    Attributes
    ----------
    recording, score : Path
        As they were named.
    settings : RecipeSettings
    soundfont : Soundfont
    sha256 : mapping
        Of the bytes that were read of ``recording``, ``score``, ``soundfont`` and, where there is one, ``witness``.
    audio : ndarray of float32 [shape=(samples,)]
        The part of the recording that is labelled, at 44.1 kHz.
    music : Score
        As it sounds in the recording, in the order in which it is written.
    alignment : Alignment
    remarks : tuple of str
        What is odd about the files though they were read, a sentence each.
    witness : Path, optional
        What a transcriber heard in the recording.
    """

    recording: Path
    score: Path
    settings: RecipeSettings
    soundfont: Soundfont
    sha256: Mapping[str, str]
    audio: Audio = field(repr=False)
    music: Score = field(repr=False)
    alignment: "Alignment" = field(repr=False)
    remarks: tuple[str, ...] = ()
    witness: Path | None = None

    @property
    def notes(self) -> NoteTable:
        """The labels: see ``Alignment.notes``."""
        return self.alignment.notes

    def report(self) -> dict[str, Any]:
        """Return what is to be said of the labels and of what they were made from, as plain values.

        Returns
        -------
        dict
            ``recording`` and ``score`` (``path``, ``sha256``, ``duration_s``), ``soundfont`` (``name``, ``path``,
            ``sha256``), ``preset``, ``settings``, ``versions``, and all of ``Alignment.report``; where there was a
            witness ``witness`` (``path``, ``sha256``, ``gain_nats``, ``delay_s``, and whether it was ``believed``).
        """
        return {
            "recording": self._file(self.recording, "recording", len(self.audio) / SAMPLE_RATE),
            "score": self._file(self.score, "score", self.music.duration_s),
            "soundfont": {
                "name": self.soundfont.name,
                "path": str(self.soundfont.path),
                "sha256": self.sha256["soundfont"],
            },
            "preset": self.settings.preset,
            "settings": self.settings.deciding(),
            **self._alignment_report(),
            **self._witness_report(),
            "versions": versions(),
        }

    def _witness_report(self) -> dict[str, Any]:
        agreed = self.alignment.warping.agreement
        if self.witness is None:
            return {}
        told = {"gain_nats": agreed.gain_nats, "delay_s": agreed.delay_s, "believed": agreed.agrees} if agreed else {}
        return {"witness": {"path": str(self.witness), "sha256": self.sha256["witness"], "believed": False, **told}}

    def _alignment_report(self) -> dict[str, Any]:
        report = self.alignment.report()
        return report | {"warnings": [*self.remarks, *report["warnings"]]}

    def _file(self, path: Path, name: str, duration_s: float) -> dict[str, Any]:
        return {"path": str(path), "sha256": self.sha256[name], "duration_s": duration_s}


def align_files(
    recording: str | os.PathLike[str],
    score: str | os.PathLike[str],
    settings: RecipeSettings = RecipeSettings(),  # noqa: B008 - frozen
    *,
    witness: str | os.PathLike[str] | None = None,
    network: str | os.PathLike[str] | None = None,
    examples: bool = False,
    progress: Progress | None = None,
) -> AlignedFiles:
    """Label a recording with the notes of its score.

    Parameters
    ----------
    recording, score : str or PathLike
        Files.
    settings : RecipeSettings
    witness : str or PathLike, optional
        What a transcriber heard in the recording: see ``labels.witness``. Only ``precise`` asks it.
    network : str or PathLike, optional
        Weights of an onset network that has learnt from recordings of this kind, as a build makes them.
    examples : bool
        Keep what the recording teaches the onset network, in ``alignment.warping.examples``.
    progress : callable, optional
        Told the stage, and how much of the whole is done.

    Returns
    -------
    AlignedFiles

    Raises
    ------
    ScoreError, SoundfontError, AudioError, LabelError, AlignmentError
        When one of the files cannot be used, or the two cannot be aligned.
    DatasetError
        When a file is changed while it is read.

    Examples
    --------
    >>> align_files("recording.flac", "score.mid").report()["verdict"]
    'accept'
    """
    progress = progress or ignore
    recording, score = Path(recording), Path(score)
    # The score, its order and the soundfont first: they are quick to refuse.
    written, score_sha256 = read_hashed(score, read_score)
    semitones, cents = whole_semitones(settings.tuning_cents)
    music = transposed(written, settings.transposition + semitones)
    order = parse_order(settings.order, music) if settings.order else None
    soundfont = choose_soundfont(settings.soundfont)
    opinion, hashes = _witness(witness, settings)
    if network is not None:
        learnt, hashes["network"] = read_hashed(Path(network), read_onset_model)
    progress("reading the recording", 0.0)
    reading = in_background(read_hashed, recording, read_with_remarks)
    # While the recording is decoded: this import takes as long.
    from musicnet_build.alignment import align
    from musicnet_build.sync.result import Options

    (whole, remarks), recording_sha256 = reading.result()
    audio = excerpt(whole, settings, recording)
    options = Options(
        strict=settings.strict,
        search_order=settings.structure == "search",
        tuning_cents=cents if settings.tuning_cents else None,
        anchors=parse_anchors(settings.anchors),
        witness=opinion,
        witness_offsets=settings.witness_offsets,
        network=None if network is None else learnt,
        examples=examples,
    )
    alignment = align(audio, music, soundfont, preset=settings.preset, order=order, options=options, progress=progress)
    sha256 = {"recording": recording_sha256, "score": score_sha256, "soundfont": soundfont.sha256(), **hashes}
    remarks = (*remarks, *_remark_on_witness(witness, alignment))
    asked = None if witness is None else Path(witness)
    return AlignedFiles(recording, score, settings, soundfont, sha256, audio, music, alignment, remarks, asked)


def _witness(path: str | os.PathLike[str] | None, settings: RecipeSettings) -> tuple[Witness | None, dict[str, str]]:
    if path is None:
        return None, {}
    if settings.preset != "precise":
        raise AlignmentError(f"the preset {settings.preset} hears no witness: take precise, or leave {path} out.")
    witness, sha256 = read_hashed(Path(path), read_witness)
    return replace(witness, start_s=settings.start_s), {"witness": sha256}


def _remark_on_witness(path: str | os.PathLike[str] | None, alignment: "Alignment") -> tuple[str, ...]:
    agreed = alignment.warping.agreement
    if path is None or (agreed and agreed.agrees):
        return ()
    return (f"{path} does not agree with the notes that are sure without it: it was not believed.",)


def listened_again(aligned: AlignedFiles, *, velocity: bool = False, played: bool = False) -> AlignedFiles:
    """Return labels with what the recording says of their notes besides their time.

    Parameters
    ----------
    aligned : AlignedFiles
    velocity : bool
        Velocities from the recording in place of the score's.
    played : bool
        The probability that each note was played at all.

    Returns
    -------
    AlignedFiles
        With the same labels otherwise.
    """
    tuning_cents = aligned.alignment.warping.tuning_cents
    notes = listened(aligned.audio, aligned.notes, tuning_cents, velocity=velocity, played=played)
    return replace(aligned, alignment=replace(aligned.alignment, notes=notes))


def listened(
    audio: Audio, notes: NoteTable, tuning_cents: float | None = None, *, velocity: bool, played: bool
) -> NoteTable:
    """Return labels with what a recording says of their notes besides their time.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(samples,)]
        Mono, 44.1 kHz.
    notes : NoteTable
        In recording seconds.
    tuning_cents : float, optional
        Measured where it is not given.
    velocity, played : bool
        As for ``listened_again``.

    Returns
    -------
    NoteTable
    """
    from musicnet_build.features.spectra import estimated_tuning_cents
    from musicnet_build.quality.dynamics import recorded_velocities
    from musicnet_build.quality.partials import partial_levels
    from musicnet_build.quality.played import played_probability

    heard = notes.copy()
    levels = partial_levels(audio, heard, estimated_tuning_cents(audio) if tuning_cents is None else tuning_cents)
    if velocity:
        heard["velocity"] = recorded_velocities(levels)
    if played:
        heard["played"] = played_probability(levels, heard)
    return heard


def made_from(sha256: Mapping[str, str], settings: RecipeSettings) -> dict[str, Any]:
    """Return all that labels depend on, as plain values: what :mod:`musicnet_build.jobs.resume` compares.

    Parameters
    ----------
    sha256 : mapping
        Of ``recording``, ``score`` and ``soundfont``, and of ``witness`` where there is one.
    settings : RecipeSettings

    Returns
    -------
    dict
    """
    program = {"recipe": code_fingerprint(*LABELS), "fluidsynth": library_version()}
    return {**sha256, **program, **settings.deciding()}


@cache
def versions() -> dict[str, str]:
    """Return the versions of everything that touches the samples and the labels."""
    libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"musicnet_build": __version__, "fluidsynth": library_version(), **libraries}


def transposed(score: Score, semitones: int) -> Score:
    """Return the score with its notes so many semitones higher; drums stay as they are.

    Raises
    ------
    AlignmentError
        When a note leaves the range of MIDI.
    """
    notes = score.notes.copy()
    notes["pitch"][~notes["is_drum"]] += semitones
    if notes["pitch"].min() < 0 or notes["pitch"].max() > 127:
        raise AlignmentError(f"{score.name}: a transposition of {semitones} semitones leaves the range of MIDI.")
    return replace(score, notes=notes)


def whole_semitones(tuning_cents: float) -> tuple[int, float]:
    """Return a tuning as whole semitones, which transpose the score, and the cents that remain."""
    semitones = round(tuning_cents / 100)
    return semitones, tuning_cents - 100 * semitones


def excerpt(audio: Audio, settings: RecipeSettings, recording: Path) -> Audio:
    """Return the part of a recording that the settings name.

    Raises
    ------
    AudioError
        When it is not in the recording.
    """
    first = round(settings.start_s * SAMPLE_RATE)
    end = len(audio) if settings.end_s is None else round(settings.end_s * SAMPLE_RATE)
    if first >= len(audio) or end > len(audio) + SAMPLE_RATE:
        raise AudioError(
            f"{recording} lasts {len(audio) / SAMPLE_RATE:.1f} s: the excerpt from {settings.start_s:g} s to "
            f"{end / SAMPLE_RATE:g} s is not in it."
        )
    return audio[first:end]
