"""How sure a label is: the probability that it lies within 50 ms of the true onset."""

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.sync.refinement import Refinement

SURE = 0.5
"""Notes of at least this confidence count as confident."""

_CENTRES = (5.104, 5.044, -3.942, 2.168, -3.936, 5.635, -4.640, -0.404, -0.416)
_SCALES = (1.946, 1.023, 0.539, 2.382, 0.313, 1.844, 0.686, 0.601, 0.610)
_WEIGHTS = (0.436, 0.510, -0.420, 0.329, -0.190, 0.531, 0.318, 0.258, 0.368)
_BIAS = 4.200


def note_confidence(refinement: Refinement) -> Float64s:
    """Return the probability that each note's onset lies within 50 ms of its label.

    A logistic regression on ``confidence_features``, fitted by ``tools/fit_confidence.py``.

    Parameters
    ----------
    refinement : Refinement
        Of n notes.

    Returns
    -------
    ndarray of float64 [shape=(n,)]
    """
    standardized = (confidence_features(refinement) - np.array(_CENTRES)) / np.array(_SCALES)
    logit = _BIAS + np.sum(standardized * np.array(_WEIGHTS), axis=1)
    return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)


def confidence_features(refinement: Refinement) -> Float64s:
    """Return what the confidence of each note is computed from.

    Parameters
    ----------
    refinement : Refinement
        Of n notes.

    Returns
    -------
    ndarray of float64 [shape=(n, 9)]
        The logit of what the refinement itself believes, and its mean over the notes labelled within a second; how far
        the passes are from the label, as the mean logarithm of that distance in seconds plus 10 ms, and its mean;
        between them the logit of the share of the note's own activation that lies within 50 ms. Then the logit of what
        the activations believe that placed the note, how far it is from its chord, as the logarithm of seconds plus
        5 ms, and the logarithms of the seconds since the pitch was played last and until it is next, of 1 s at most:
        what is repeated soon can be taken for another onset.
    """
    belief = _logit(refinement.p_within_50ms)
    apart_s = np.abs(refinement.pass_onsets_s - refinement.onset_s)
    apart = np.log(apart_s + 0.01).mean(axis=0)
    around, apart_around = (mean_around(refinement.onset_s, values, 1.0) for values in (belief, apart))
    from_chord = np.log(np.abs(refinement.onset_s - refinement.chord_s) + 0.005)
    gaps = np.log(np.clip(refinement.pitch_gaps_s, 0.02, 1.0))
    mass, as_placed = _logit(refinement.activation_mass), _logit(refinement.p_as_placed)
    return np.stack([belief, around, apart, mass, apart_around, as_placed, from_chord, *gaps], axis=1)


def _logit(probability: Float64s) -> Float64s:
    clipped = np.clip(probability, 1e-3, 1 - 1e-3)
    return np.log(clipped / (1 - clipped))


def mean_around(times_s: Float64s, values: Float64s, reach_s: float) -> Float64s:
    """Return for each time the mean of the values at times within a reach of it.

    Parameters
    ----------
    times_s, values : ndarray of float64 [shape=(n,)]
        In any order.
    reach_s : float

    Returns
    -------
    ndarray of float64 [shape=(n,)]
    """
    order = np.argsort(times_s, kind="stable")
    ordered_s = times_s[order]
    total = np.concatenate([[0.0], np.cumsum(values[order])])
    low = np.searchsorted(ordered_s, times_s - reach_s, side="left")
    high = np.searchsorted(ordered_s, times_s + reach_s, side="right")
    means: Float64s = (total[high] - total[low]) / (high - low)
    return means
