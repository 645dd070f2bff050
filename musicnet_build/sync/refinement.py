"""From the times that warping paths give to a time for each note.

The passes of the alignment say roughly when each chord of the score is played; the onset activations of
``features.onsets`` say, pitch by pitch, when something begins. ``chords`` finds a time for each chord. Around it each
note goes where its own activation is. How far a note may leave its chord is for the other notes of the chord to say: in
a chord that is struck together they all begin within a few milliseconds, in one that is rolled, or that players who do
not breathe together begin, they do not. Each chord is one or the other, in proportion to how probable that makes what
is heard of its other notes (their marginal likelihood).
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from musicnet_build._typing import Features, Float64s
from musicnet_build.features.onsets import HOP_S
from musicnet_build.notes import NoteTable
from musicnet_build.sync.chords import (
    MUTE,
    NOTE_SPREAD_S,
    PASS_SPREAD_S,
    REACH_S,
    STRAY,
    Chords,
    chord_means,
    chord_times,
    chords_around,
    heard_of_chords,
    log_changes,
    log_likelihoods,
    log_softmax,
    students_t,
    territories,
    with_floor,
)

TOGETHER_S, APART_S = 0.006, 0.030
"""Scales of Student's t of notes around a chord that is struck together, and around one that is not."""

P_TOGETHER = 0.25
"""How many chords are struck together, before anything of them is heard."""

ENSEMBLE_SHARE = 0.9
"""Where a smaller share of the chords sounds struck together, notes are placed without regard to what others do."""

LEAST_CHORDS = 16
"""With fewer chords of several notes nothing is said of that share."""

DECISION_S = 0.04
"""A note is put into the middle of the most probable stretch of this width to both sides."""

CLEARLY = 3.0
"""Log likelihood ratio required before the first chord or the last is moved further than the search reaches."""

NEAR_S = 0.05
_END_CHORDS = 8  # that are looked for further away than the others
_TEMPO_CHORDS = 9  # by which the tempo beside the first chord or the last is told
_FURTHEST_S = 3.0
_ODD_GAP = 0.25
_SHARE_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class Refinement:
    """Times of notes, and what tells how sure they are.

    Attributes
    ----------
    onset_s : ndarray of float64 [shape=(n,)]
        Recording seconds of each note.
    chord_s : ndarray of float64 [shape=(n,)]
        Recording seconds of each note's chord.
    p_within_50ms : ndarray of float64 [shape=(n,)]
        Probability that the onset lies within 50 ms of ``onset_s``, as far as this model knows.
    p_as_placed : ndarray of float64 [shape=(n,)]
        The same by the activations that the onsets were found with, where others are the judge.
    activation_mass : ndarray of float64 [shape=(n,)]
        Share of the note's own activation, as a probability over the frames looked at, within 50 ms of ``onset_s``.
    pass_onsets_s : ndarray of float64 [shape=(passes, n)]
        Recording seconds of each note by each pass, the coarse ones too.
    pitch_gaps_s : ndarray of float64 [shape=(2, n)]
        Seconds since the chord before that has the note's pitch, and until the next one; infinite where there is none.
    """

    onset_s: Float64s
    chord_s: Float64s
    p_within_50ms: Float64s
    p_as_placed: Float64s
    activation_mass: Float64s
    pass_onsets_s: Float64s
    pitch_gaps_s: Float64s


def refine(
    notes: NoteTable,
    fine_s: Float64s,
    coarse_s: Float64s,
    activations: dict[int, Features],
    render_mismatch: float = 1.0,
    judge: dict[int, Features] | None = None,
    levels: Features | None = None,
) -> Refinement:
    """Return the most probable time of each note.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In score seconds.
    fine_s : ndarray of float64 [shape=(fine passes, n)]
        Recording seconds of each note by each fine pass; their median is where the search starts.
    coarse_s : ndarray of float64 [shape=(coarse passes, n)]
        The same by the coarse passes, which count as further estimates.
    activations : dict of ndarray of float32 [shape=(frames,)]
        By pitch, as ``features.onsets.onset_activations`` gives them.
    render_mismatch : float
        1 where the passes compared different sounds, as a recording and a synthesis are; towards 0 the more alike the
        two were, because then the passes know better than the activations.
    judge : dict of ndarray of float32 [shape=(frames,)], optional
        Other activations, to tell how sure the times are; by default those that the times were found with.
    levels : ndarray of float32 [shape=(frames, bands)], optional
        As for ``chords.log_changes``, for activations that have learnt from this recording: only then is it heard
        which notes give way to others, and whether the players are together at all.

    Returns
    -------
    Refinement
    """
    passes_s = np.concatenate([fine_s, coarse_s])
    passes_s += _shifts_at_ends_s(notes, fine_s, activations)
    chords = chords_around(notes, np.median(passes_s[: len(fine_s)], axis=0))
    likelihood = log_likelihoods(notes["pitch"], chords, activations)
    chord_passes_s = np.array([chord_means(notes["onset_s"], estimate)[1] for estimate in passes_s])
    chord_s = chord_times(likelihood, chords, chord_passes_s, render_mismatch)
    changes = 0.0 if levels is None else log_changes(notes, chords, levels)
    likelihood = log_softmax(likelihood + changes)
    free = levels is not None and share_together(likelihood, chords, chord_s) < ENSEMBLE_SHARE
    onset_s = _note_times(likelihood, chords, chord_s, render_mismatch, free)
    as_placed, mass = _certainty(likelihood, chords, chord_s, onset_s, render_mismatch)
    near = as_placed
    if judge is not None:
        likelihood = log_softmax(log_likelihoods(notes["pitch"], chords, judge) + changes)
        near, mass = _certainty(likelihood, chords, chord_s, onset_s, render_mismatch)
    before, behind = territories(notes["pitch"], chord_s[chords.of_note])  # the middles to the chords with its pitch
    gaps_s = 2 * np.stack([chord_s[chords.of_note] - before, behind - chord_s[chords.of_note]])
    return Refinement(onset_s, chord_s[chords.of_note], near, as_placed, mass, passes_s, gaps_s)


def _shifts_at_ends_s(notes: NoteTable, passes_s: Float64s, activations: dict[int, Features]) -> Float64s:
    """How much later than the passes say each note begins, where they lost the first chords or the last.

    Nothing holds the outermost chords but the chords beside them: noise before the music begins like a chord, a last
    chord may be delayed by seconds, and where it is held for long, the equal chords before it are laid on it.
    """
    score_s, _ = chord_means(notes["onset_s"], notes["onset_s"])
    played_s = np.array([chord_means(notes["onset_s"], estimate)[1] for estimate in passes_s])
    shifts_s = np.zeros(len(score_s))
    for direction in (1, -1):  # the last chords are the first ones of the same music backwards
        backwards = slice(None, None, direction)
        for chord in reversed(range(min(_END_CHORDS, len(score_s) - _TEMPO_CHORDS + 1))):  # the innermost first
            rows = notes["onset_s"] == score_s[backwards][chord]
            curves = [activations[int(pitch)] for pitch in notes["pitch"][rows]]
            shifts_s[backwards][chord] = direction * _first_shift_s(
                direction * score_s[backwards][chord:],
                direction * (played_s + shifts_s)[:, backwards][:, chord:],
                functools.partial(_heard, curves, direction),
            )
    _, of_note = np.unique(notes["onset_s"], return_inverse=True)
    return shifts_s[of_note]


def _first_shift_s(score_s: Float64s, played_s: Float64s, heard: Callable[[Float64s], Float64s]) -> float:
    """How much later the first chord begins than the median of its passes; 0 where it is within ``REACH_S``.

    What speaks for a time is the tempo behind the chord, the passes, and what is heard of its notes.
    """
    middle_s = np.median(played_s, axis=0)
    last = min(_TEMPO_CHORDS, len(score_s)) - 1
    slope = float((middle_s[last] - middle_s[1]) / (score_s[last] - score_s[1]))
    gap_s = max(float(score_s[1] - score_s[0]) * slope, HOP_S)
    furthest_s = max(gap_s + _FURTHEST_S, 3 * gap_s, float(middle_s[1] - middle_s[0]) + REACH_S)
    times_s = middle_s[1] - np.arange(HOP_S, furthest_s, HOP_S)
    usual = students_t(times_s - (middle_s[1] - gap_s), _ODD_GAP * gap_s + NOTE_SPREAD_S)
    passed = np.mean([students_t(times_s - estimate_s, PASS_SPREAD_S) for estimate_s in played_s[:, 0]], axis=0)
    total = heard(times_s) + np.log(with_floor(usual, STRAY)) + np.log(with_floor(passed, STRAY))
    now, best = int(np.argmin(np.abs(times_s - middle_s[0]))), int(np.argmax(total))
    shift_s = float(times_s[best] - middle_s[0])
    return shift_s if abs(shift_s) > REACH_S and total[best] - total[now] > CLEARLY else 0.0


def _heard(curves: list[Features], direction: int, times_s: Float64s) -> Float64s:
    """What is heard of some notes at evenly spaced times, backwards for a direction of -1, as a log probability."""
    frames = np.round(direction * times_s / HOP_S).astype(np.int64)
    smear = students_t(np.arange(-25, 26) * HOP_S, NOTE_SPREAD_S)
    total = np.zeros(len(times_s))
    for curve in curves:
        inside = (frames >= 0) & (frames < len(curve))
        logits = np.where(inside, curve[np.clip(frames, 0, len(curve) - 1)], curve.min()).astype(np.float64)
        own = np.exp(log_softmax(logits[None]))[0]
        total += np.log(with_floor(np.convolve(own, smear / smear.sum(), mode="same"), MUTE))
    return total


def share_together(likelihood: Float64s, chords: Chords, chord_s: Float64s) -> float:
    """Return the share of a recording's chords that are struck together, by what is heard of them.

    Under either spread of its notes a chord is as probable as what is heard of them all, summed over where the chord
    may be; the share of chords is the one under which the recording is most probable (expectation and maximization).

    Parameters
    ----------
    likelihood : ndarray of float64 [shape=(n, w)]
        As ``chords.log_likelihoods`` gives it, by activations that have learnt from this recording: before, those of a
        real quartet hardly tell its players apart.
    chords : Chords
    chord_s : ndarray of float64 [shape=(chords,)]
        Recording seconds of each chord.

    Returns
    -------
    float
        1 where there are too few chords to tell. The notes of a chord also hear each other, so it is too high.
    """
    several = np.bincount(chords.of_note) > 1
    if np.count_nonzero(several) < LEAST_CHORDS:
        return 1.0
    around = np.log(students_t(chords.times_s - chord_s[:, None], NOTE_SPREAD_S))
    together, apart = (
        np.logaddexp.reduce(heard_of_chords(likelihood, chords, scale_s) + around, axis=1)
        for scale_s in (TOGETHER_S, APART_S)
    )
    odds = np.exp(np.clip(together - apart, -50.0, 50.0))[several]
    share = 0.5
    for _ in range(_SHARE_ROUNDS):
        share = float(np.mean(share * odds / (share * odds + 1 - share)))
    return share


def _note_times(
    likelihood: Float64s, chords: Chords, chord_s: Float64s, render_mismatch: float, free: bool
) -> Float64s:
    """The time of each note, given that of its chord and its own activation; ``free`` of the chord's other notes."""
    if render_mismatch <= 0:
        return chord_s[chords.of_note]
    times_s = chords.times_s[chords.of_note]
    apart_s = times_s - chord_s[chords.of_note, None]
    scales_s = [max(scale_s * render_mismatch, HOP_S / 10) for scale_s in (TOGETHER_S, APART_S)]
    together, apart = (with_floor(students_t(apart_s, scale_s), STRAY * render_mismatch) for scale_s in scales_s)
    p_together = 0.0 if free else _p_together(likelihood, chords, together, apart)[:, None]
    prior = p_together * together + (1 - p_together) * apart
    return _most_mass(np.exp(log_softmax(np.log(prior) + likelihood)), times_s)


def _p_together(likelihood: Float64s, chords: Chords, together: Float64s, apart: Float64s) -> Float64s:
    """For each note the probability that the others of its chord are struck together, by what is heard of them."""
    heard = np.exp(likelihood)
    ratio = np.log((together * heard).sum(axis=1)) - np.log((apart * heard).sum(axis=1))
    others = np.bincount(chords.of_note, ratio)[chords.of_note] - ratio
    odds = np.log(P_TOGETHER / (1 - P_TOGETHER)) + others
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0))), dtype=np.float64)


def _most_mass(posterior: Float64s, times_s: Float64s) -> Float64s:
    """The mean time around where a Gaussian window holds most of the probability."""
    reach = round(DECISION_S / HOP_S)
    mass = scipy.ndimage.gaussian_filter1d(posterior, reach, axis=1, mode="constant")
    columns = np.argmax(mass, axis=1)[:, None] + np.arange(-reach, reach + 1)
    columns = np.clip(columns, 0, posterior.shape[1] - 1)
    weights = np.take_along_axis(posterior, columns, axis=1)
    held = np.sum(weights * np.take_along_axis(times_s, columns, axis=1), axis=1)
    middles_s: Float64s = held / np.maximum(weights.sum(axis=1), 1e-300)
    return middles_s


def _certainty(
    likelihood: Float64s, chords: Chords, chord_s: Float64s, onset_s: Float64s, render_mismatch: float
) -> tuple[Float64s, Float64s]:
    """The probability of each onset within 50 ms of where it was put, and that by its own activation alone."""
    times_s = chords.times_s[chords.of_note]
    spread_s = max(NOTE_SPREAD_S * render_mismatch, HOP_S / 10)
    around = with_floor(students_t(times_s - chord_s[chords.of_note, None], spread_s), STRAY * render_mismatch)
    posterior = np.exp(log_softmax(np.log(around) + likelihood))
    near = np.abs(times_s - onset_s[:, None]) <= NEAR_S
    return np.sum(posterior * near, axis=1), np.sum(np.exp(likelihood) * near, axis=1)
