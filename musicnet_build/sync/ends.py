"""How long notes may sound: before rests, in held chords and the last one, and where notes of a voice follow."""

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.dtw.timemap import LEAST_STEP_S
from musicnet_build.features.tonality import tonal_contrast
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.sync.chords import chord_means
from musicnet_build.sync.result import SyncResult

LONGEST_HOLD = 2.0
"""How much longer than written, at the local tempo, a note may last from the last onset of any note within it."""

TONAL = 0.1
"""Tonal contrast under which the last chord has died away, or is drowned by noise."""

_TEMPO_S = 4.0


def end_last_chord(notes: NoteTable, written: NoteTable, sync: SyncResult) -> NoteTable:
    """Let the notes that end behind the last onset end when their sound does.

    The warping path stretches the last chord over whatever follows it: reverberation, applause, the next piece. Such a
    note lasts at least as long as it is written, at the tempo before it, and at most ``LONGEST_HOLD`` times that; in
    between it ends when what is heard has no tones any more.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.
    written : NoteTable [shape=(n,)]
        The same notes in score seconds.
    sync : SyncResult
        With semitone spectra as features.

    Returns
    -------
    NoteTable [shape=(n,)]
        In the same order; no offset is later than before.
    """
    last_s = float(notes["onset_s"].max())
    behind = notes["offset_s"] > last_s
    stretch = _last_tempo(written["onset_s"], notes["onset_s"])
    length_s = (written["offset_s"] - written["onset_s"]) * stretch
    earliest_s, latest_s = notes["onset_s"] + length_s, notes["onset_s"] + LONGEST_HOLD * length_s
    ends_s = np.clip(_silent_from_s(sync, last_s), earliest_s, latest_s)
    ended = notes.copy()
    ended["offset_s"][behind] = np.minimum(notes["offset_s"], ends_s)[behind]
    return ended


def end_as_written(notes: NoteTable, written: NoteTable, chord_s: Float64s) -> NoteTable:
    """Let no note sound on through a rest, or through the breath behind a held chord.

    Onsets say how the music moves, and the warping path lays a note's end somewhere before the next one, however long
    that takes. From the last onset within a note on, it lasts at most ``LONGEST_HOLD`` times as long as what
    is left of it is written, at the tempo around that onset. Notes that nothing follows are left to ``end_last_chord``.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.
    written : NoteTable [shape=(n,)]
        The same notes in score seconds.
    chord_s : ndarray of float64 [shape=(n,)]
        Recording seconds of each note's chord.

    Returns
    -------
    NoteTable [shape=(n,)]
        In the same order; no offset is later than before.
    """
    score_s, played_s = chord_means(written["onset_s"], chord_s)
    within = np.searchsorted(score_s, written["offset_s"] - LEAST_STEP_S) - 1
    within = np.maximum(within, np.searchsorted(score_s, written["onset_s"]))
    left_s = (written["offset_s"] - score_s[within]) * _local_tempi(score_s, played_s)[within]
    # A note may begin later than its chord, and it lasts a sample or more.
    start_s = np.maximum(played_s[within], notes["onset_s"])
    latest_s = start_s + np.maximum(LONGEST_HOLD * left_s, 1.0 / SAMPLE_RATE)
    followed = written["offset_s"] <= score_s[-1] + LEAST_STEP_S
    ended = notes.copy()
    ended["offset_s"][followed] = np.minimum(notes["offset_s"], latest_s)[followed]
    return ended


def _local_tempi(score_s: Float64s, played_s: Float64s) -> Float64s:
    """Recording seconds per score second around each chord: the weighted median of the steps within some seconds.

    The median, because one hold or breath says nothing of the tempo.
    """
    if len(score_s) < 2:
        return np.ones(len(score_s))
    steps_s = np.diff(score_s)
    tempi = np.diff(played_s) / steps_s
    first = np.minimum(np.searchsorted(score_s, score_s - _TEMPO_S), len(steps_s) - 1)
    behind = np.maximum(np.searchsorted(score_s, score_s + _TEMPO_S, side="right") - 1, first + 1)
    around = zip(first, behind, strict=True)
    return np.maximum([_weighted_median(tempi[low:high], steps_s[low:high]) for low, high in around], 0.0)


def _weighted_median(values: Float64s, weights: Float64s) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, total[-1] / 2)]])


def _last_tempo(score_s: Float64s, played_s: Float64s) -> float:
    """Recording seconds per score second over the last seconds before the last onset."""
    onsets_s, chord_s = chord_means(score_s, played_s)
    before = np.flatnonzero(onsets_s <= onsets_s[-1] - _TEMPO_S)
    first = int(before[-1]) if len(before) else 0
    if first == len(onsets_s) - 1:
        return 1.0
    return max(0.0, float((chord_s[-1] - chord_s[first]) / (onsets_s[-1] - onsets_s[first])))


def _silent_from_s(sync: SyncResult, start_s: float) -> float:
    """When, from a time on, the recording first has no tones."""
    contrast = tonal_contrast(sync.recording_features, sync.recording_frames_s)
    silent = sync.recording_frames_s[(sync.recording_frames_s > start_s) & (contrast < TONAL)]
    return float(silent[0]) if len(silent) else np.inf


def in_score_order(onset_s: Float64s, written: NoteTable) -> Float64s:
    """Return onsets so that notes of one pitch and instrument begin in the order in which they are written.

    Parameters
    ----------
    onset_s : ndarray of float64 [shape=(n,)]
        In recording seconds.
    written : NoteTable [shape=(n,)]
        The same notes in score seconds.

    Returns
    -------
    ndarray of float64 [shape=(n,)]
        A note whose onset would come before that of its predecessor, or on the same sample, begins a sample after it.
    """
    ordered_s = onset_s.copy()
    order = np.lexsort((written["onset_s"], written["pitch"], written["program"]))
    voices = written["program"].astype(np.int64) * 128 + written["pitch"]
    for rows in np.split(order, 1 + np.flatnonzero(np.diff(voices[order]))):
        _, rank = np.unique(written["onset_s"][rows], return_inverse=True)
        steps_s = rank * (1.5 / SAMPLE_RATE)  # so that they differ when they are rounded to samples
        ordered_s[rows] = np.maximum.accumulate(onset_s[rows] - steps_s) + steps_s
    return ordered_s
