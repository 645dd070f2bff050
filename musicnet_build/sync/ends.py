"""How long notes may sound: before rests, in held chords and the last one, and where notes of a voice follow."""

import numpy as np

from musicnet_build._typing import Features, Float64s
from musicnet_build.dtw.timemap import LEAST_STEP_S
from musicnet_build.features.onsets import HOP_S, OnsetSpectrograms
from musicnet_build.features.spectra import LOWEST_PITCH
from musicnet_build.features.tonality import tonal_contrast
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.sync.chords import STRAY, chord_means, students_t, with_floor
from musicnet_build.sync.passes import PADDING_FRAMES
from musicnet_build.sync.result import SyncResult

LONGEST_HOLD = 2.0
"""How much longer than written, at the local tempo, a note may last from the last onset of any note within it."""

TONAL = 0.1
"""Tonal contrast under which the last chord has died away, or is drowned by noise."""

_TEMPO_S = 4.0

FALL_FRAMES, FALL_LAG_FRAMES = 10, 3
"""Over how many frames (58 ms) the fall of a level is taken, and how far behind its beginning the note ends."""

FALL_WEIGHT = 3.0
"""By how much a fall of 1 in the log spectrum raises the log probability of an end."""

CLEAR_GAIN = 0.1
"""Mean log likelihood ratio from which falls are believed: 0.2 to 0.5 for strings and winds, under 0 for pianos."""

SHORTEST_HEARD_S = 0.3
"""Falls are asked for notes of at least this length: in a room those of shorter ones run into the next."""

_FALL_REACH_FRAMES = 69
_SHORTEST_FRAMES = 10
_LEAST_NOTES, _NOTES_TO_CHOOSE_BY = 20, 1000
_END_SPREADS_S = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3)


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


def level_falls(spectrograms: OnsetSpectrograms, notes: NoteTable) -> dict[int, Features]:
    """Return by how much the level of each pitch falls at each frame.

    Parameters
    ----------
    spectrograms : OnsetSpectrograms
        Of the padded recording.
    notes : NoteTable [shape=(n,)]

    Returns
    -------
    dict of ndarray of float32 [shape=(frames,)]
        By MIDI pitch, for the frames of the recording without its padding. The unit is that of the log spectrum.
    """
    levels, falls = spectrograms.medium, {}
    for pitch in map(int, np.unique(notes["pitch"])):
        if 0 <= pitch - LOWEST_PITCH < levels.shape[1]:
            level = levels[PADDING_FRAMES - 1 :, pitch - LOWEST_PITCH]
            level = level[: len(level) - PADDING_FRAMES + 1 + FALL_FRAMES]
            falls[pitch] = np.maximum(level[: -FALL_FRAMES - 1] - level[FALL_FRAMES + 1 :], 0.0)
    return falls


def end_at_falls(notes: NoteTable, falls: dict[int, Features]) -> NoteTable:
    """Let notes end where their level falls, near where the score has their end, if the instrument lets that be heard.

    For each note the fall of the level at its pitch gives a probability over frames (a softmax), and the end that it
    has another: Student's t, whose scale is the one under which the falls are most probable. The note ends at the
    median of their product. Whether the falls are to be believed they say themselves, instrument by instrument: by how
    much they make the score's ends more probable than if nothing were heard. Those of a piano do not, as the level of
    its strings falls all the time.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.
    falls : dict of ndarray of float32 [shape=(frames,)]
        As ``level_falls`` gives them.

    Returns
    -------
    NoteTable [shape=(n,)]
        In the same order. Ends move by 0.4 s at most, and not past the next onset of the same pitch and instrument.
    """
    ends_s, heard = _heard_ends(notes, falls)
    known = np.count_nonzero(heard, axis=1) >= _SHORTEST_FRAMES
    known &= notes["offset_s"] - notes["onset_s"] >= SHORTEST_HEARD_S
    ended = notes.copy()
    for program in np.unique(notes["program"]):
        rows = np.flatnonzero(known & (notes["program"] == program))
        if len(rows) < _LEAST_NOTES:
            continue
        apart_s = ends_s[rows] - notes["offset_s"][rows, None]
        some = slice(None, None, 1 + len(rows) // _NOTES_TO_CHOOSE_BY)
        gain, spread_s = _gain(heard[rows][some], apart_s[some])
        if gain > CLEAR_GAIN:
            likely = np.cumsum(heard[rows] * with_floor(students_t(apart_s, spread_s), STRAY), axis=1)
            middle = np.argmax(likely >= 0.5 * likely[:, -1:], axis=1)
            ended["offset_s"][rows] = ends_s[rows, middle]
    return ended


def _heard_ends(notes: NoteTable, falls: dict[int, Features]) -> tuple[Float64s, Float64s]:
    """Times around each note's end, and the probability of its ending there by what is heard; 0 where it cannot."""
    offsets = np.arange(-_FALL_REACH_FRAMES, _FALL_REACH_FRAMES + 1)
    frames = np.rint(notes["offset_s"] / HOP_S).astype(np.int64)[:, None] - FALL_LAG_FRAMES + offsets
    ends_s = np.asarray((frames + FALL_LAG_FRAMES) * HOP_S, dtype=np.float64)
    possible = (ends_s >= notes["onset_s"][:, None] + _SHORTEST_FRAMES * HOP_S) & (ends_s < _next_s(notes)[:, None])
    heard = np.zeros(frames.shape)
    for pitch, fall in falls.items():
        rows = notes["pitch"] == pitch
        possible[rows] &= (frames[rows] >= 0) & (frames[rows] < len(fall))
        heard[rows] = np.exp(FALL_WEIGHT * fall[np.clip(frames[rows], 0, len(fall) - 1)])
    heard[~possible] = 0.0
    heard /= np.maximum(heard.sum(axis=1, keepdims=True), 1e-300)
    return ends_s, heard


def _gain(heard: Float64s, apart_s: Float64s) -> tuple[float, float]:
    """By how much more probable the score's ends are by the falls than if nothing were heard, and their best scale."""
    flat = (heard > 0) / np.count_nonzero(heard, axis=1)[:, None]
    priors = [with_floor(students_t(apart_s, spread_s), STRAY) for spread_s in _END_SPREADS_S]
    by_falls, by_nothing = (
        [float(np.mean(np.log((likelihood * prior).sum(axis=1)))) for prior in priors] for likelihood in (heard, flat)
    )
    best = int(np.argmax(by_falls))
    return by_falls[best] - max(by_nothing), _END_SPREADS_S[best]


def _next_s(notes: NoteTable) -> Float64s:
    """When the next note of the same pitch and instrument begins, unisons aside; infinite where none does."""
    next_s = np.full(len(notes), np.inf)
    voices = notes["program"].astype(np.int64) * 128 + notes["pitch"]
    for voice in np.unique(voices):
        rows = np.flatnonzero(voices == voice)
        onsets_s, place = np.unique(notes["onset_s"][rows], return_inverse=True)
        next_s[rows] = np.append(onsets_s[1:], np.inf)[place]
    return next_s


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
