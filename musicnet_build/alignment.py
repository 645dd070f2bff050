"""The main job: a recording and a score become labels.

``align`` runs one of the recipes in ``RECIPES`` to get a time map, and sends every note of the score through it.
What belongs here is what all recipes share; a recipe of more than a few lines has a room of its own.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from musicnet_build._typing import Audio
from musicnet_build.anchors import check_anchors
from musicnet_build.corpora.musicnet import count_overlaps
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.errors import AlignmentError
from musicnet_build.labels.files import labelled
from musicnet_build.notes import SAMPLE_RATE, NoteTable, end_at_restrike, onset_order, pitched
from musicnet_build.progress import Progress, ignore
from musicnet_build.quality.confidence import note_confidence
from musicnet_build.quality.verdict import Quality, assess
from musicnet_build.score.order import PlayingOrder
from musicnet_build.score.reader import Score
from musicnet_build.score.unfold import played_measures, unfold_score
from musicnet_build.sync.ends import end_as_written, end_at_falls, end_last_chord
from musicnet_build.sync.musicnet import musicnet
from musicnet_build.sync.precise import precise
from musicnet_build.sync.refinement import Refinement
from musicnet_build.sync.result import Options, SyncResult
from musicnet_build.sync.witness.offsets import end_with_witness
from musicnet_build.synthesis.soundfonts import Soundfont


@dataclass(frozen=True, eq=False)
class Alignment:
    """A score laid over a recording.

    Attributes
    ----------
    warping : SyncResult
        The time map from score seconds to recording seconds, and the features it was found on.
    notes : NoteTable
        The labels: the score's notes in recording seconds, ordered by onset; drums are left out.
    score_notes : NoteTable
        The same notes, row by row, in the seconds of the score as it is played (``warping.score``).
    drum_notes : int
        How many notes of the score are drums, which have no pitch to label.
    offset_s : float
        How much later the first note begins in the recording than in the score.
    tempo_ratio : float
        Score seconds that pass in a second of the recording, from the first onset to the last; nan where all notes
        begin together.
    quality : Quality or None
        The verdict; None from recipes that do not say how sure they are.
    warnings : tuple of str
        What a user should know, in plain sentences.
    """

    warping: SyncResult
    notes: NoteTable
    score_notes: NoteTable
    drum_notes: int
    offset_s: float
    tempo_ratio: float
    quality: Quality | None
    warnings: tuple[str, ...]

    def report(self) -> dict[str, Any]:
        """Return what is to be said of the labels, as plain values: what every command and list writes of them.

        Returns
        -------
        dict
            ``verdict`` and ``reasons`` (None and empty where the recipe does not measure its quality); ``notes``, those
            of the label list, with ``duplicate_notes`` (exact duplicates, listed once), ``drum_notes`` and
            ``lost_notes`` beside them; ``guessed_ends`` of the score, and its ``uncertain_share`` of notes lost or
            with a guessed end; ``overlaps_in_score``, notes that begin while one of their pitch and instrument
            sounds; ``first_onset_s`` and ``last_offset_s`` in the recording; ``offset_s`` and ``tempo_ratio`` as the
            attributes (None where not finite); ``quality``, the measures; ``warnings``.
        """
        listed = labelled(self.notes)
        return {
            "verdict": str(self.quality.verdict) if self.quality else None,
            "reasons": list(self.quality.reasons) if self.quality else [],
            "notes": len(listed),
            "duplicate_notes": len(self.notes) - len(listed),
            "drum_notes": self.drum_notes,
            "lost_notes": asdict(self.warping.score.lost),
            "guessed_ends": asdict(self.warping.score.guessed),
            "uncertain_share": self.warping.score.uncertain_share,
            "overlaps_in_score": count_overlaps(labelled(self.warping.score.notes)),
            "first_onset_s": float(self.notes["onset_s"].min()),
            "last_offset_s": float(self.notes["offset_s"].max()),
            "offset_s": self.offset_s,
            "tempo_ratio": self.tempo_ratio if math.isfinite(self.tempo_ratio) else None,
            "quality": self.quality.as_dict() if self.quality else None,
            "warnings": list(self.warnings),
        }


def align(
    recording: Audio,
    score: Score,
    soundfont: Soundfont,
    *,
    preset: str = "precise",
    order: PlayingOrder | None = None,
    options: Options = Options(),  # noqa: B008 - frozen
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
    order : PlayingOrder, optional
        The order in which the score is played, where the caller knows it; it is then not searched for.
    options : Options
        What else is asked of the recipe.
    progress : callable, optional
        Told the name of the stage, and how much of the whole is done.

    Returns
    -------
    Alignment

    Raises
    ------
    AlignmentError
        When the preset is unknown or the two cannot be aligned.
    SoundfontError
        When the score cannot be rendered.

    Examples
    --------
    >>> from musicnet_build import align, choose_soundfont, read_audio, read_score
    >>> result = align(read_audio("recording.flac"), read_score("score.mid"), choose_soundfont("TimGM6mb"))
    >>> len(result.notes), str(result.quality.verdict)
    (82, 'accept')
    >>> result.warping.time_map.recording_at([1.0, 2.0]).round(1)
    array([1.8, 2.7])
    """
    if preset not in RECIPES:
        raise AlignmentError(f"preset {preset!r} is not known: choose from {', '.join(RECIPES)}.")
    if not len(pitched(score.notes)):
        raise AlignmentError("the score has no notes but drums: there is nothing to label.")
    if options.anchors and preset not in HELD_BY_ANCHORS:
        raise AlignmentError(f"the preset {preset} knows no anchors: take the preset precise.")
    check_anchors(options.anchors, len(recording) / SAMPLE_RATE)
    as_played = score
    if order:
        as_played, options = unfold_score(score, order)[0], replace(options, search_order=False)
        if options.anchors:
            as_played = replace(as_played, measures=played_measures(score, order))
    warping = RECIPES[preset](recording, as_played, soundfont, options, progress or ignore)
    if order:
        warping = replace(warping, order=order)
    return _labelled(warping, score, len(recording) / SAMPLE_RATE, options)


def _labelled(warping: SyncResult, written: Score, duration_s: float, options: Options) -> Alignment:
    written_notes = pitched(warping.score.notes)
    offset_s, tempo_ratio = _offset_and_tempo(written_notes, warping.time_map)
    notes, quality = mapped_notes(written_notes, warping.time_map, duration_s), None
    if warping.refinement:
        notes = refined_notes(notes, warping.refinement, duration_s)
        notes = end_as_written(notes, written_notes, warping.refinement.chord_s)
        notes = end_last_chord(notes, written_notes, warping)
        notes = _kept_inside(end_at_falls(notes, warping.falls), duration_s)
        if options.witness_offsets:
            notes = _ended_with_witness(notes, warping, duration_s)
        quality = assess(warping, written, notes, duration_s)
    order = onset_order(notes)
    return Alignment(
        warping=warping,
        notes=notes[order],
        score_notes=written_notes[order],
        drum_notes=len(warping.score.notes) - len(written_notes),
        offset_s=offset_s,
        tempo_ratio=tempo_ratio,
        quality=quality,
        warnings=(*written.warnings, *warping.warnings),
    )


def _ended_with_witness(notes: NoteTable, warping: SyncResult, duration_s: float) -> NoteTable:
    if not (warping.agreement and warping.agreement.agrees):
        return notes
    ended = end_with_witness(notes, warping.agreement, duration_s)
    return _kept_inside(end_at_restrike(ended, by="program"), duration_s)


def mapped_notes(notes: NoteTable, time_map: TimeMap, duration_s: float) -> NoteTable:
    """Send notes through a time map, keeping every note inside the recording and at least one sample long.

    Parameters
    ----------
    notes : NoteTable
        In score seconds.
    time_map : TimeMap
        Score seconds to recording seconds.
    duration_s : float
        Length of the recording.

    Returns
    -------
    NoteTable
        In recording seconds, in the same order.
    """
    mapped = notes.copy()
    mapped["onset_s"] = time_map.recording_at(notes["onset_s"])
    mapped["offset_s"] = time_map.recording_at(notes["offset_s"])
    return _kept_inside(mapped, duration_s)


def refined_notes(notes: NoteTable, refinement: Refinement, duration_s: float) -> NoteTable:
    """Give notes their own onsets and confidences; none sounds beyond the next onset of its pitch and instrument.

    Parameters
    ----------
    notes : NoteTable
        In recording seconds, as ``mapped_notes`` gives them.
    refinement : Refinement
        Of the same notes.
    duration_s : float
        Length of the recording.

    Returns
    -------
    NoteTable
        In recording seconds, in the same order.
    """
    refined = notes.copy()
    refined["onset_s"] = refinement.onset_s
    refined["confidence"] = note_confidence(refinement)
    return _kept_inside(end_at_restrike(refined, by="program"), duration_s)


def _kept_inside(notes: NoteTable, duration_s: float) -> NoteTable:
    sample_s = 1.0 / SAMPLE_RATE
    notes["onset_s"] = np.clip(notes["onset_s"], 0.0, duration_s - sample_s)
    notes["offset_s"] = np.clip(notes["offset_s"], notes["onset_s"] + sample_s, duration_s)
    return notes


def _offset_and_tempo(notes: NoteTable, time_map: TimeMap) -> tuple[float, float]:
    score_s = np.array([notes["onset_s"].min(), notes["onset_s"].max()])
    played_s = time_map.recording_at(score_s)
    span_s, played_span_s = float(np.ptp(score_s)), float(np.ptp(played_s))
    return float(played_s[0] - score_s[0]), span_s / played_span_s if played_span_s else float("nan")


HELD_BY_ANCHORS = ("precise",)
"""Recipes that keep to anchors."""

RECIPES = {"precise": precise, "musicnet": musicnet}
"""Presets by name."""
