"""From the times that warping paths give to a time for each note.

The passes of the alignment say roughly when each chord of the score is played; the onset evidence of ``onsets`` says,
pitch by pitch, when something begins. Here they are combined as probabilities, in two steps:

1. *Chords.* A Viterbi search over all chords finds the most probable shift of each from the median of the passes.
   What speaks for a shift: the evidence of the chord's notes, the passes themselves, and the shift of the chord before.
   Each of these may be wrong (a missing note, a slipped pass, a breath between phrases), so each has a floor.
2. *Notes.* Around the time of its chord each note goes where its own evidence is, if the evidence of this recording can
   be trusted: that is measured by how well sharp evidence agrees with the chords. Bowed and blown notes that begin
   softly stay with their chord; a piano's rolled chord is resolved.
"""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray
from scipy.special import gammaln

from musicnet_build._typing import Features, Float64s, Floats, Int64s
from musicnet_build.features.onsets import HOP_S
from musicnet_build.jit import kernel
from musicnet_build.notes import NoteTable

REACH_S = 0.7
"""How far a chord may be moved from the median of the passes."""

PASS_SPREAD_S = 0.012
STEP_SPREAD_S = 0.010
NOTE_SPREAD_S = 0.025
"""Scales of Student's t: passes around a chord, a chord's shift around the last one's, notes around their chord."""

STRAY = 0.05
"""Probability that a pass, a step or a note tells nothing."""

MUTE = 0.1
"""Probability that the evidence of a note tells nothing of its chord."""

TRUSTED, DISTRUSTED = 0.8, 0.55
"""Reliability from which notes move freely from their chord, and below which they do not."""

CLEARLY = 1.0
"""Log likelihood ratio a note by which the first chord must be better heard behind noise than at its beginning."""

AGREEMENT_S = 0.0125
_NEAR_S = 0.08
_SHARPEST_SHARE = 0.6
_FREEDOM = 2.0  # degrees of freedom of Student's t: heavy tails


@dataclass(frozen=True, eq=False)
class Refinement:
    """Times of notes, and how sure they are.

    Attributes
    ----------
    onset_s : ndarray of float64 [shape=(n,)]
        Recording seconds of each note.
    chord_s : ndarray of float64 [shape=(n,)]
        Recording seconds of each note's chord.
    near : ndarray of float64 [shape=(n,)]
        Probability that the onset lies within 50 ms of ``onset_s``, as far as this model knows.
    opinions_s : ndarray of float64 [shape=(passes, n)]
        Recording seconds of each note by each pass, the rough ones too.
    reliability : float
        Share of sharp evidence that agrees with the chords.
    """

    onset_s: Float64s
    chord_s: Float64s
    near: Float64s
    opinions_s: Float64s
    reliability: float


def refine(
    notes: NoteTable, passes_s: Float64s, rough_s: Float64s, evidence: dict[int, Features], doubt: float = 1.0
) -> Refinement:
    """Return the most probable time of each note.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In score seconds.
    passes_s : ndarray of float64 [shape=(passes, n)]
        Recording seconds of each note by each fine pass; their median is where the search starts.
    rough_s : ndarray of float64 [shape=(rough passes, n)]
        The same by less precise passes, which count as further opinions.
    evidence : dict of ndarray of float32 [shape=(frames,)]
        By pitch, as ``onsets.onset_evidence`` gives it.
    doubt : float
        1 where the passes compared different sounds, as a recording and a synthesis are; towards 0 the more alike the
        two were, because then the passes know better than the evidence.

    Returns
    -------
    Refinement
    """
    _, chord = np.unique(notes["onset_s"], return_inverse=True)
    late_s = _start_behind_noise_s(notes, np.median(passes_s, axis=0), evidence)
    passes_s, rough_s = (opinions_s + late_s * (chord == 0) for opinions_s in (passes_s, rough_s))
    opinions_s = np.concatenate([passes_s, rough_s])
    chord_opinions_s = np.array([chord_means(notes["onset_s"], opinion)[1] for opinion in opinions_s])
    middle_s = chord_means(notes["onset_s"], np.median(passes_s, axis=0))[1]
    centre = np.round(middle_s / HOP_S).astype(np.int64)
    likelihood = _log_likelihoods(notes["pitch"], chord, centre, evidence)
    chord_s = _chord_times(likelihood, chord, centre, chord_opinions_s, doubt)
    reliability = _reliability(likelihood, chord, centre, chord_s)
    trust = float(np.clip((reliability - DISTRUSTED) / (TRUSTED - DISTRUSTED), 0.0, 1.0))
    onset_s, near = _note_times(likelihood, chord, centre, chord_s, trust, doubt)
    return Refinement(onset_s, chord_s[chord], near, opinions_s, reliability)


def chord_means(score_onset_s: Float64s, values: Float64s) -> tuple[Float64s, Float64s]:
    """Return the distinct score onsets, and the mean of the values at each.

    Parameters
    ----------
    score_onset_s, values : ndarray of float64 [shape=(n,)]
        A note each.

    Returns
    -------
    (ndarray of float64 [shape=(chords,)], ndarray of float64 [shape=(chords,)])
    """
    onsets_s, chord = np.unique(score_onset_s, return_inverse=True)
    return onsets_s, np.bincount(chord, values) / np.bincount(chord)


def _start_behind_noise_s(notes: NoteTable, passed_s: Float64s, evidence: dict[int, Features]) -> float:
    """How much later than the passes say the first chord begins: more than 0 where they took noise for its beginning.

    Noise before the music begins like a chord, and nothing holds the first chord but the second one. Where the tempo
    behind them puts it much later than the passes do, and its notes are heard there and not at the noise, it is later.
    """
    score_s, played_s = chord_means(notes["onset_s"], passed_s)
    last = min(8, len(score_s) - 1)
    if last < 3:
        return 0.0
    slope = (played_s[last] - played_s[1]) / (score_s[last] - score_s[1])
    late_s = float(played_s[1] - (score_s[1] - score_s[0]) * slope - played_s[0])
    if late_s < REACH_S:
        return 0.0
    first = notes["pitch"][notes["onset_s"] == score_s[0]]
    gain = [_heard(evidence[p], played_s[0] + late_s) - _heard(evidence[p], played_s[0]) for p in map(int, first)]
    return late_s if float(np.mean(gain)) > CLEARLY else 0.0


def _heard(curve: Features, time_s: float) -> float:
    """The strongest evidence within a tenth of a second."""
    middle, reach = round(time_s / HOP_S), round(0.1 / HOP_S)
    around = curve[max(0, middle - reach) : max(1, middle + reach + 1)]
    return float(around.max()) if len(around) else float(curve.min())


def _offsets() -> Int64s:
    reach = round(REACH_S / HOP_S)
    return np.arange(-reach, reach + 1)


def _log_likelihoods(
    pitches: NDArray[np.int16], chord: Int64s, centre: Int64s, evidence: dict[int, Features]
) -> Float64s:
    """Log probability [n, w] of each note's onset over the frames around its chord, from its own evidence alone.

    Frames nearer to another chord with the same pitch are shut out: that onset belongs to the other.
    """
    offsets = _offsets()
    result = np.empty((len(pitches), len(offsets)))
    for pitch in np.unique(pitches):
        rows = np.flatnonzero(pitches == pitch)
        curve = evidence[int(pitch)]
        frames = centre[chord[rows], None] + offsets
        logits = curve[np.clip(frames, 0, len(curve) - 1)].astype(np.float64)
        low, high = _territory(centre[chord[rows]])
        barred = (frames < low[:, None]) | (frames > high[:, None]) | (frames < 0) | (frames >= len(curve))
        result[rows] = _log_softmax(np.where(barred, logits.min(axis=1, keepdims=True) - 3.0, logits))
    return result


def _territory(centres: Int64s) -> tuple[Float64s, Float64s]:
    """For each place the middles to its neighbours at other places."""
    places, inverse = np.unique(centres, return_inverse=True)
    middles = (places[1:] + places[:-1]) / 2
    low, high = np.concatenate([[-np.inf], middles]), np.concatenate([middles, [np.inf]])
    return low[inverse], high[inverse]


def _chord_times(likelihood: Float64s, chord: Int64s, centre: Int64s, opinions_s: Float64s, doubt: float) -> Float64s:
    """The most probable time of each chord."""
    offsets = _offsets()
    times_s = (centre[:, None] + offsets) * HOP_S
    smear = _students_t(np.arange(-25, 26) * HOP_S, NOTE_SPREAD_S)
    smeared = scipy.ndimage.convolve1d(np.exp(likelihood), smear / smear.sum(), axis=1, mode="constant")
    emission = np.zeros((len(centre), len(offsets)))
    np.add.at(emission, chord, np.log(_with_floor(smeared, MUTE)))
    spread_s = max(PASS_SPREAD_S * doubt, HOP_S / 2)
    heard = np.mean([_students_t(times_s - opinion[:, None], spread_s) for opinion in opinions_s], axis=0)
    emission += np.log(_with_floor(heard, STRAY * doubt))
    steps = _students_t((offsets[:, None] - offsets) * HOP_S, STEP_SPREAD_S)
    state = most_probable_path(emission, np.log(_with_floor(steps, STRAY)))
    return np.array([_peak(emission[row], times_s[row], at, 1) for row, at in enumerate(state)])


@kernel
def most_probable_path(emission: Float64s, transition: Float64s) -> Int64s:
    """Return the sequence of states of the largest total score (the Viterbi algorithm).

    Parameters
    ----------
    emission : ndarray of float64 [shape=(steps, states)]
        Score of each state at each step.
    transition : ndarray of float64 [shape=(states, states)]
        Score of going from the state of a row to that of a column.

    Returns
    -------
    ndarray of int64 [shape=(steps,)]
    """
    steps, states = emission.shape
    before = np.empty((steps, states), np.int32)
    score = emission[0].copy()
    for step in range(1, steps):
        best = np.full(states, -np.inf)
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


def _reliability(likelihood: Float64s, chord: Int64s, centre: Int64s, chord_s: Float64s) -> float:
    """Share of the sharper part of the evidence that peaks within 12.5 ms of its usual distance from the chord."""
    near = round(_NEAR_S / HOP_S)
    middle = np.round(chord_s / HOP_S).astype(np.int64) - centre + round(REACH_S / HOP_S)
    columns = np.clip(middle[chord, None] + np.arange(-near, near + 1), 0, likelihood.shape[1] - 1)
    window = _log_softmax(np.take_along_axis(likelihood, columns, axis=1))
    distance_s = (np.argmax(window, axis=1) - near) * HOP_S
    blur = -np.sum(np.exp(window) * window, axis=1)
    sharp = blur <= np.quantile(blur, _SHARPEST_SHARE)
    return float(np.mean(np.abs(distance_s - np.median(distance_s))[sharp] < AGREEMENT_S))


def _note_times(
    likelihood: Float64s,
    chord: Int64s,
    centre: Int64s,
    chord_s: Float64s,
    trust: float,
    doubt: float,
) -> tuple[Float64s, Float64s]:
    """Each note's time, and the probability that its onset lies within 50 ms of it."""
    times_s = (centre[chord, None] + _offsets()) * HOP_S
    apart_s = times_s - chord_s[chord, None]
    around = [max(NOTE_SPREAD_S * share, HOP_S / 10) for share in (doubt, trust * doubt)]
    free = np.log(_with_floor(_students_t(apart_s, around[0]), STRAY * doubt)) + likelihood
    held = np.log(_with_floor(_students_t(apart_s, around[1]), STRAY * trust * doubt)) + likelihood
    onset_s = chord_s[chord].copy()
    if trust * doubt > 0:
        onset_s = np.array([_peak(held[row], times_s[row], at, 3) for row, at in enumerate(np.argmax(held, axis=1))])
    posterior = np.exp(_log_softmax(free))
    near = np.sum(posterior * (np.abs(times_s - onset_s[:, None]) <= 0.05), axis=1)
    return onset_s, near


def _peak(log_probability: Float64s, times_s: Float64s, at: int, reach: int) -> float:
    """The mean time around a peak, weighted by probability: finer than a frame."""
    around = slice(max(0, at - reach), at + reach + 1)
    weights = np.exp(log_probability[around] - log_probability[at])
    return float(np.sum(weights * times_s[around]) / np.sum(weights))


def _students_t(distance_s: Floats, scale_s: float) -> Float64s:
    """Probability a frame of Student's t with few degrees of freedom."""
    n = _FREEDOM
    top = np.exp(gammaln((n + 1) / 2) - gammaln(n / 2)) / np.sqrt(n * np.pi)
    density: Float64s = top / scale_s * (1 + (distance_s / scale_s) ** 2 / n) ** (-(n + 1) / 2)
    return density * HOP_S


def _with_floor(probability: Float64s, share: float) -> Float64s:
    """Mixed with a uniform distribution over the frames that are looked at."""
    mixed: Float64s = (1 - share) * probability + max(share, 1e-12) / probability.shape[-1]
    return mixed


def _log_softmax(logits: Float64s) -> Float64s:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probability: Float64s = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return log_probability
