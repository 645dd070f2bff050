"""The main job: a recording and a score become labels.

``align`` runs one of the recipes in ``RECIPES`` to get a time map, and sends every note of the score through it.
What belongs here is what all recipes share; a recipe of more than a few lines has a room of its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicnet_build import spectra
from musicnet_build.dtw import dtw
from musicnet_build.errors import AlignmentError
from musicnet_build.notes import SAMPLE_RATE, NoteTable, sorted_by_onset
from musicnet_build.precise import precise
from musicnet_build.score import Score
from musicnet_build.soundfonts import Soundfont
from musicnet_build.synthesis import synthesize
from musicnet_build.timemap import TimeMap, map_from_path
from musicnet_build.warping import MEMORY_BYTES, Progress, Warping


@dataclass(frozen=True, eq=False)
class Alignment:
    """A score laid over a recording.

    Attributes
    ----------
    warping : Warping
        The time map from score seconds to recording seconds, and the features it was found on.
    notes : NoteTable
        The labels: the score's notes in recording seconds, ordered by onset; drums are left out.
    drum_notes : int
        How many notes of the score are drums, which have no pitch to label.
    offset_s : float
        How much later the first note begins in the recording than in the score.
    tempo_ratio : float
        Score seconds that pass in a second of the recording, from the first onset to the last; nan where all notes
        begin together.
    warnings : tuple of str
        What a user should know, in plain sentences.
    """

    warping: Warping
    notes: NoteTable
    drum_notes: int
    offset_s: float
    tempo_ratio: float
    warnings: tuple[str, ...]


def align(
    recording: spectra.Features,
    score: Score,
    soundfont: Soundfont,
    *,
    preset: str = "precise",
    strict: bool = False,
    memory_bytes: int = MEMORY_BYTES,
    progress: Progress | None = None,
) -> Alignment:
    """Label a recording with the notes of its score.

    Parameters
    ----------
    recording : ndarray of float32 [shape=(n,)]
        Mono audio at 44.1 kHz.
    score : Score
        What is played in it.
    soundfont : Soundfont
        Renders the score.
    preset : str
        One of ``RECIPES``.
    strict : bool
        Fail where the soundfont lacks a preset that the score asks for.
    memory_bytes : int
        Budget of the dynamic time warping.
    progress : callable, optional
        Called with the name of the stage and the fraction of it that is done.

    Returns
    -------
    Alignment

    Raises
    ------
    AlignmentError
        When the preset is unknown or the two cannot be aligned.
    SoundfontError
        When the score cannot be rendered.
    """
    if preset not in RECIPES:
        raise AlignmentError(f"preset {preset!r} is not known: choose from {', '.join(RECIPES)}.")
    pitched = score.notes[~score.notes["is_drum"]]
    if not len(pitched):
        raise AlignmentError("the score has no notes but drums: there is nothing to label.")
    warping = RECIPES[preset](recording, score, soundfont, strict, memory_bytes, progress or _silent)
    offset_s, tempo_ratio = _offset_and_tempo(pitched, warping.time_map)
    return Alignment(
        warping=warping,
        notes=mapped_notes(pitched, warping.time_map, len(recording) / SAMPLE_RATE, warping.note_onsets_s),
        drum_notes=len(score.notes) - len(pitched),
        offset_s=offset_s,
        tempo_ratio=tempo_ratio,
        warnings=(*score.warnings, *warping.warnings),
    )


def mapped_notes(
    notes: NoteTable, time_map: TimeMap, duration_s: float, onsets_s: NDArray[np.float64] | None = None
) -> NoteTable:
    """Send notes through a time map, keeping every note inside the recording and at least one sample long.

    Parameters
    ----------
    notes : NoteTable
        In score seconds.
    time_map : TimeMap
        Score seconds to recording seconds.
    duration_s : float
        Length of the recording.
    onsets_s : ndarray of float64 [shape=(notes,)], optional
        Recording seconds of the onsets, where they are known better than the map knows them.

    Returns
    -------
    NoteTable
        In recording seconds, ordered by onset.
    """
    sample_s = 1.0 / SAMPLE_RATE
    mapped = notes.copy()
    begin_s = time_map.recording_at(notes["onset_s"]) if onsets_s is None else onsets_s
    onset_s = np.clip(begin_s, 0.0, duration_s - sample_s)
    mapped["onset_s"] = onset_s
    mapped["offset_s"] = np.clip(time_map.recording_at(notes["offset_s"]), onset_s + sample_s, duration_s)
    return sorted_by_onset(mapped)


def _silent(stage: str, fraction: float) -> None:
    """Tell nobody."""


def _offset_and_tempo(notes: NoteTable, time_map: TimeMap) -> tuple[float, float]:
    score_s = np.array([notes["onset_s"].min(), notes["onset_s"].max()])
    played_s = time_map.recording_at(score_s)
    span_s, played_span_s = float(np.ptp(score_s)), float(np.ptp(played_s))
    return float(played_s[0] - score_s[0]), span_s / played_span_s if played_span_s else float("nan")


def _musicnet(
    recording: spectra.Features,
    score: Score,
    soundfont: Soundfont,
    strict: bool,
    memory_bytes: int,
    progress: Progress,
) -> Warping:
    """The recipe of the MusicNet paper: log-spectrograms, the low 50 bins, Euclidean distance, exact DTW.

    The synthesis is normalised to its peak, as the tools of the time did; the recording is taken as it is.
    """
    progress("synthesizing the score", 0.0)
    rendered = synthesize(score, soundfont, strict=strict)
    progress("synthesizing the score", 1.0)
    X = spectra.log_spectrogram(rendered.audio / np.abs(rendered.audio).max())
    Y = spectra.log_spectrogram(recording)
    warped = dtw(X, Y, memory_bytes=memory_bytes, progress=lambda done: progress("aligning", done))
    hop_s = spectra.HOP_LENGTH / SAMPLE_RATE
    return Warping(
        time_map=map_from_path(warped.path, hop_s, hop_s),
        score_features=X,
        recording_features=Y,
        score_frames_s=spectra.frame_times_s(np.arange(len(X))),
        recording_frames_s=spectra.frame_times_s(np.arange(len(Y))),
        warnings=rendered.warnings,
    )


RECIPES = {"precise": precise, "musicnet": _musicnet}
"""Presets by name."""
