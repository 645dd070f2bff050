"""When each chord of the score is played: a Viterbi search over shifts from where the passes put it.

What speaks for a shift is the onset activation of the chord's notes, the passes themselves, and the shift of the chord
before. Each of these may be wrong (a missing note, a slipped pass, a breath between phrases), so each has a floor.
"""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from musicnet_build._typing import Features, Float64s, Floats, Int64s
from musicnet_build.features.onsets import HOP_S
from musicnet_build.features.spectra import LOWEST_PITCH
from musicnet_build.jit import kernel
from musicnet_build.notes import NoteTable

REACH_S = 0.7
"""How far a chord may be moved from the median of the passes."""

PASS_SPREAD_S = 0.020
NOTE_SPREAD_S = 0.025
"""Scales of Student's t: passes around a chord, notes around their chord."""

STEP_SPREAD_S, STEP_SHARE, LONGEST_STEP_S = 0.010, 0.12, 3.0
"""A chord's shift around that of the chord before: 10 ms and 12 % of the time between them."""

STRAY = 0.05
"""Probability that a pass, a step or a note tells nothing."""

MUTE = 0.1
"""Probability that the activation of a note tells nothing of its chord."""

TIED_S = 0.06
"""A note that ends at most this long before the next of its part begins may be heard to give way to it."""

LOUDER_WEIGHT, MOST_LOUDER, UNHEARD = 0.1, 2.0, 0.2
"""What each frame in which a note is louder than the one before it says against its beginning later: this times the
difference in the log spectrum, which counts up to so much. With that probability it says nothing."""

_STEP_SPREADS_S = np.array([0.010, 0.014, 0.020, 0.028, 0.040, 0.056, 0.080, 0.112, 0.160, 0.224, 0.320])


@dataclass(frozen=True, eq=False)
class Chords:
    """The notes that begin together, and where they are looked for.

    Attributes
    ----------
    of_note : ndarray of int64 [shape=(n,)]
        The chord of each note.
    centre : ndarray of int64 [shape=(chords,)]
        The frame around which each chord is looked for.
    """

    of_note: Int64s
    centre: Int64s

    @property
    def times_s(self) -> Float64s:
        """Recording seconds of the frames that are looked at [chords, w]."""
        return np.asarray((self.centre[:, None] + frame_offsets()) * HOP_S, dtype=np.float64)


def chord_means(score_onset_s: Float64s, values: Float64s) -> tuple[Float64s, Float64s]:
    """Return the distinct score onsets, and the mean of the values at each.

    Parameters
    ----------
    score_onset_s, values : ndarray of float64 [shape=(n,)]
        One per note.

    Returns
    -------
    (ndarray of float64 [shape=(chords,)], ndarray of float64 [shape=(chords,)])
    """
    onsets_s, chord = np.unique(score_onset_s, return_inverse=True)
    return onsets_s, np.bincount(chord, values) / np.bincount(chord)


def chords_around(notes: NoteTable, onset_s: Float64s) -> Chords:
    """Return the chords of a score, to be looked for around the given onsets of its notes."""
    _, of_note = np.unique(notes["onset_s"], return_inverse=True)
    middle_s = chord_means(notes["onset_s"], onset_s)[1]
    return Chords(of_note, np.round(middle_s / HOP_S).astype(np.int64))


def frame_offsets() -> Int64s:
    """Return the frames that are looked at, relative to the centre of a chord."""
    reach = round(REACH_S / HOP_S)
    return np.arange(-reach, reach + 1)


def log_likelihoods(pitches: NDArray[np.int16], chords: Chords, activations: dict[int, Features]) -> Float64s:
    """Return the log probability of each note's onset over the frames around its chord, from its activation alone.

    Frames nearer to another chord with the same pitch are shut out: that onset belongs to the other.

    Parameters
    ----------
    pitches : ndarray of int16 [shape=(n,)]
    chords : Chords
    activations : dict of ndarray of float32 [shape=(frames,)]
        By pitch, as ``features.onsets`` gives them.

    Returns
    -------
    ndarray of float64 [shape=(n, w)]
    """
    offsets, of_note, centre = frame_offsets(), chords.of_note, chords.centre
    result = np.empty((len(pitches), len(offsets)))
    for pitch in np.unique(pitches):
        rows = np.flatnonzero(pitches == pitch)
        curve = activations[int(pitch)]
        frames = centre[of_note[rows], None] + offsets
        logits = curve[np.clip(frames, 0, len(curve) - 1)].astype(np.float64)
        low, high = territory(centre[of_note[rows]])
        barred = (frames < low[:, None]) | (frames > high[:, None]) | (frames < 0) | (frames >= len(curve))
        result[rows] = log_softmax(np.where(barred, logits.min(axis=1, keepdims=True) - 3.0, logits))
    return result


def log_changes(notes: NoteTable, chords: Chords, levels: Features) -> Float64s:
    """Return the log probability of each note's onset by where it becomes louder than the note before it in its part.

    Bows and breath begin softly, and what follows without a gap has begun where the one note gives way to the other.
    Each level counts from its highest around the onset, up to half of the shorter of the two notes to both sides.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In score seconds.
    chords : Chords
        Of these notes.
    levels : ndarray of float32 [shape=(frames, bands)]
        Log spectrum of the recording in semitones from A0 on.

    Returns
    -------
    ndarray of float64 [shape=(n, w)]
        Up to a constant for each note; 0 where a part is not one voice, or rests or repeats its note.
    """
    offsets, centre = frame_offsets(), chords.centre[chords.of_note]
    result = np.zeros((len(notes), len(offsets)))
    before = _notes_before(notes)
    rows = np.flatnonzero(before >= 0)
    before = before[rows]
    gap_s = notes["onset_s"][rows] - notes["onset_s"][before]
    shorter = np.minimum(1.0, (notes["offset_s"] - notes["onset_s"])[rows] / gap_s)
    reach = 0.5 * shorter * np.maximum(centre[rows] - centre[before], 0)
    inside = np.abs(offsets) <= reach[:, None]
    frames = np.clip(centre[rows, None] + offsets, 0, len(levels) - 1)

    def level(pitches: NDArray[np.int16]) -> Float64s:
        heard = levels[frames, np.clip(pitches - LOWEST_PITCH, 0, levels.shape[1] - 1)[:, None]].astype(np.float64)
        highest: Float64s = np.max(heard, axis=1, where=inside, initial=-np.inf, keepdims=True)
        return np.asarray(heard - highest, dtype=np.float64)

    louder = level(notes["pitch"][rows]) - level(notes["pitch"][before])
    louder = np.where(inside, np.clip(louder, -MOST_LOUDER, MOST_LOUDER), 0.0)
    probability = np.exp(log_softmax(-LOUDER_WEIGHT * (np.cumsum(louder, axis=1) - louder)))
    result[rows] = np.log(with_floor(probability, UNHEARD))
    return result


def _notes_before(notes: NoteTable) -> Int64s:
    """For each note that begins alone in its part the row of the one that leads to it without a gap; -1 without one."""
    before = np.full(len(notes), -1)
    for part in np.unique(notes["part"]):
        rows = np.flatnonzero(notes["part"] == part)
        rows = rows[np.argsort(notes["onset_s"][rows], kind="stable")]
        steps = np.diff(notes["onset_s"][rows]) > 0
        alone = 1 + np.flatnonzero(steps & np.append(steps[1:], True))
        leads, follows = rows[alone - 1], rows[alone]
        tied = notes["offset_s"][leads] > notes["onset_s"][follows] - TIED_S
        tied &= notes["pitch"][leads] != notes["pitch"][follows]
        before[follows[tied]] = leads[tied]
    return before


def territories(pitches: NDArray[np.int16], frames: Float64s) -> tuple[Float64s, Float64s]:
    """Return for each note the middles to its neighbours of the same pitch at other frames; infinite without one."""
    low, high = np.empty(len(frames)), np.empty(len(frames))
    for pitch in np.unique(pitches):
        rows = np.flatnonzero(pitches == pitch)
        low[rows], high[rows] = territory(frames[rows])
    return low, high


def territory(frames: Int64s | Float64s) -> tuple[Float64s, Float64s]:
    """Return for each of some frames the middles to its neighbours at other frames; infinite without one."""
    places, inverse = np.unique(frames, return_inverse=True)
    middles = (places[1:] + places[:-1]) / 2
    low, high = np.concatenate([[-np.inf], middles]), np.concatenate([middles, [np.inf]])
    return low[inverse], high[inverse]


def chord_times(likelihood: Float64s, chords: Chords, passes_s: Float64s, render_mismatch: float) -> Float64s:
    """Return the most probable time of each chord.

    Parameters
    ----------
    likelihood : ndarray of float64 [shape=(n, w)]
        As ``log_likelihoods`` gives it.
    chords : Chords
    passes_s : ndarray of float64 [shape=(passes, chords)]
        Recording seconds of each chord by each pass.
    render_mismatch : float
        See ``refinement.refine``.

    Returns
    -------
    ndarray of float64 [shape=(chords,)]
    """
    times_s = chords.times_s
    emission = heard_of_chords(likelihood, chords, NOTE_SPREAD_S) + _passed(times_s, passes_s, render_mismatch)
    apart_s = (frame_offsets()[:, None] - frame_offsets()) * HOP_S
    steps = np.array([np.log(with_floor(students_t(apart_s, scale_s), STRAY)) for scale_s in _STEP_SPREADS_S])
    state = most_probable_path(emission, steps, _kinds_of_steps(np.median(passes_s, axis=0)))
    return np.array([_peak(emission[row], times_s[row], at) for row, at in enumerate(state)])


def heard_of_chords(likelihood: Float64s, chords: Chords, spread_s: float) -> Float64s:
    """Return what the notes of each chord say of its time, each smeared by how far notes are from their chord.

    Parameters
    ----------
    likelihood : ndarray of float64 [shape=(n, w)]
        As ``log_likelihoods`` gives it.
    chords : Chords
    spread_s : float
        Scale of Student's t of the notes around their chord.

    Returns
    -------
    ndarray of float64 [shape=(chords, w)]
        Log probability of the notes, if their chord is at each frame.
    """
    smear = students_t(np.arange(-25, 26) * HOP_S, spread_s)
    smeared = scipy.ndimage.convolve1d(np.exp(likelihood), smear / smear.sum(), axis=1, mode="constant")
    emission = np.zeros((len(chords.centre), likelihood.shape[1]))
    np.add.at(emission, chords.of_note, np.log(with_floor(smeared, MUTE)))
    return emission


def _passed(times_s: Float64s, passes_s: Float64s, render_mismatch: float) -> Float64s:
    """What the passes say of the time of each chord."""
    spread_s = max(PASS_SPREAD_S * render_mismatch, HOP_S / 2)
    around = np.mean([students_t(times_s - estimate[:, None], spread_s) for estimate in passes_s], axis=0)
    return np.log(with_floor(around, STRAY * render_mismatch))


def _kinds_of_steps(chord_s: Float64s) -> Int64s:
    """Which of ``_STEP_SPREADS_S`` holds for the step to each chord: it grows with the time since the last one."""
    gap_s = np.clip(np.diff(chord_s, prepend=chord_s[0]), 0.0, LONGEST_STEP_S)
    spread_s = np.hypot(STEP_SPREAD_S, STEP_SHARE * gap_s)
    kinds: Int64s = np.argmin(np.abs(np.log(_STEP_SPREADS_S) - np.log(spread_s)[:, None]), axis=1)
    return kinds


@kernel
def most_probable_path(emission: Float64s, transitions: Float64s, kind: Int64s) -> Int64s:
    """Return the sequence of states of the largest total score (the Viterbi algorithm).

    Parameters
    ----------
    emission : ndarray of float64 [shape=(steps, states)]
        Score of each state at each step.
    transitions : ndarray of float64 [shape=(kinds, states, states)]
        Score of going from the state of a row to that of a column.
    kind : ndarray of int64 [shape=(steps,)]
        Which of the transitions leads to each step; the first is not used.

    Returns
    -------
    ndarray of int64 [shape=(steps,)]
    """
    steps, states = emission.shape
    before = np.empty((steps, states), np.int32)
    score = emission[0].copy()
    for step in range(1, steps):
        best = np.full(states, -np.inf)
        transition = transitions[kind[step]]
        for source in range(states):
            for target in range(states):
                value = score[source] + transition[source, target]
                if value > best[target]:
                    best[target] = value
                    before[step, target] = source
        score = best + emission[step]
    path = np.empty(steps, np.int64)
    path[-1] = np.argmax(score)
    for step in range(steps - 1, 0, -1):
        path[step - 1] = before[step, path[step]]
    return path


def _peak(log_probability: Float64s, times_s: Float64s, at: int) -> float:
    """The mean time around a peak, weighted by probability: finer than a frame."""
    around = slice(max(0, at - 1), at + 2)
    weights = np.exp(log_probability[around] - log_probability[at])
    return float(np.sum(weights * times_s[around]) / np.sum(weights))


def students_t(distance_s: Floats, scale_s: float) -> Float64s:
    """Return the probability per frame of Student's t with two degrees of freedom."""
    # Two degrees of freedom make it a root and products, which take a tenth of the time of a power.
    spread = 1 + (distance_s / scale_s) ** 2 / 2
    density: Float64s = 1 / (2 * np.sqrt(2) * scale_s) / (spread * np.sqrt(spread))
    return density * HOP_S


def with_floor(probability: Float64s, share: float) -> Float64s:
    """Return a distribution mixed with the uniform one over the frames that are looked at."""
    mixed: Float64s = (1 - share) * probability + max(share, 1e-12) / probability.shape[-1]
    return mixed


def log_softmax(logits: Float64s) -> Float64s:
    """Return logits as log probabilities over the last axis."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability: Float64s = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return log_probability
