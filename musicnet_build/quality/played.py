"""Whether each labelled note was played at all: a probability beside the confidence, which asks whether it is in time.

Three things tell a note that sounds from one that does not: its first two partials stand above the semitones beside
them, its partials are a large share of the sound, and the onset evidence (the confidence) finds it. A logistic model
weighs them; its weights come from four piano pieces into whose scores 5 % of notes were put that nobody played, so that
is how many it expects (``tests/benchmarks/bench_dynamics.py`` tries it, and says what weights its own pieces give). A
note an octave above another that sounds is hidden by it, and mostly said to be played.
"""

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.notes import NoteTable
from musicnet_build.quality.partials import PartialLevels

WEIGHTS = {"confidence": 0.824, "first_peak": 1.157, "second_peak": 1.052, "share": 1.321}
INTERCEPT = 2.837
"""Of the log odds of a note that was played."""

_PEAK_FLOOR, _SHARE_FLOOR = 1e-4, 1e-5
_SUREST = 1e-4


def played_probability(levels: PartialLevels, notes: NoteTable) -> Float64s:
    """Return for each label the probability that its note was played.

    Parameters
    ----------
    levels : PartialLevels
        Of the notes.
    notes : NoteTable [shape=(notes,)]
        Labels, with their confidence.

    Returns
    -------
    ndarray of float64 [shape=(notes,)]
        nan where the confidence is unknown.

    Examples
    --------
    >>> import musicnet_build as mb
    >>> from musicnet_build.quality.partials import partial_levels
    >>> from musicnet_build.quality.played import played_probability
    >>> audio, score = mb.read_audio("recording.flac"), mb.read_score("score.mid")
    >>> labels = mb.align(audio, score, mb.choose_soundfont("TimGM6mb")).notes
    >>> bool((played_probability(partial_levels(audio, labels), labels) > 0.5).mean() > 0.9)
    True
    """
    log_odds = INTERCEPT + sum(WEIGHTS[name] * values for name, values in played_features(levels, notes).items())
    probability: Float64s = 1.0 / (1.0 + np.exp(-log_odds))
    return probability


def played_features(levels: PartialLevels, notes: NoteTable) -> dict[str, Float64s]:
    """Return what the model weighs, by name.

    Parameters
    ----------
    levels : PartialLevels
        Of the notes.
    notes : NoteTable [shape=(notes,)]

    Returns
    -------
    dict of ndarray of float64 [shape=(notes,)]
    """
    confidence = np.clip(notes["confidence"], _SUREST, 1 - _SUREST)
    peaks = np.log((levels.partials[:, :2] + _PEAK_FLOOR) / (levels.beside[:, :2] + _PEAK_FLOOR))
    share = np.log((levels.partials.sum(axis=1) + _SHARE_FLOOR) / (levels.whole + _SHARE_FLOOR))
    return {
        "confidence": np.log(confidence / (1 - confidence)),
        "first_peak": peaks[:, 0],
        "second_peak": peaks[:, 1],
        "share": share,
    }
