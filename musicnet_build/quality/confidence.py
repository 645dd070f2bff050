"""How sure a label is: the probability that it lies within 50 ms of the true onset."""

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.sync.refinement import Refinement

SURE = 0.5
"""Notes of at least this confidence count as confident."""

_CENTRES = (4.312, 4.267, -3.448, 1.143, -3.444)
_SCALES = (2.227, 1.467, 1.029, 2.661, 0.915)
_WEIGHTS = (1.120, 0.631, -0.076, 0.399, -0.914)
_BIAS = 2.793


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
    ndarray of float64 [shape=(n, 5)]
        The logit of what the refinement itself believes, and its mean over the notes labelled within a second; how far
        the passes are from the label, as the mean logarithm of that distance in seconds plus 10 ms, and its mean; and
        between them the logit of the share of the note's own activation that lies within 50 ms.
    """
    belief = _logit(refinement.p_within_50ms)
    apart_s = np.abs(refinement.pass_onsets_s - refinement.onset_s)
    apart = np.log(apart_s + 0.01).mean(axis=0)
    around, apart_around = (mean_around(refinement.onset_s, values, 1.0) for values in (belief, apart))
    return np.stack([belief, around, apart, _logit(refinement.activation_mass), apart_around], axis=1)


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
