"""What is heard of each label: the note itself, the note at another time, an octave of it, or nothing.

Four hypotheses compete for each label, and a multinomial logistic regression on ``FEATURES`` says how probable each is.
Its constants are those that ``tests/benchmarks/bench_check.py --fit`` prints: of right labels in which notes were
moved, set an octave off, or inserted.
"""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Float64s, Int64s
from musicnet_build.checking.evidence import HOP_S, Evidence
from musicnet_build.notes import NoteTable
from musicnet_build.quality.confidence import mean_around
from musicnet_build.sync.chords import territories

NEAR_S = 0.05
"""Within this of its label a note counts as heard there: what confidence speaks of."""

FAR_S = 0.6
"""How far from its label a note is looked for."""

QUIET_LOGIT = -6.0
"""Lower logits say the same."""

OCTAVE = 12
HYPOTHESES = ("right", "moved", "octave", "absent")

FEATURES = (
    "what is heard of the note within 50 ms of its label",
    "the same, less the median of all labels",
    "how much more is heard of the note elsewhere, up to 0.6 s away and not nearer to another label of its pitch",
    "how much more is heard of the note an octave higher or lower, where no label has it",
    "how far from the label it is heard within 50 ms, in units of 10 ms",
    "the mean of the second over the other labels within a second",
)
"""What the regression looks at; what is heard is a logit of ``features.onsets``."""

_MOST = 8.0
_LABELLED_WITHIN_S = 0.08

_CENTRES = (4.879, -0.072, -2.660, -2.216, 0.996, -0.082)
_SCALES = (2.893, 2.659, 2.973, 2.721, 1.207, 0.970)
_WEIGHTS = (
    (0.125, 0.502, -0.938, -0.632, -0.209, -0.172),
    (0.143, 0.085, 1.757, -0.808, 0.310, 0.088),
    (0.435, 0.482, -0.514, 2.057, -0.347, -0.134),
    (-0.703, -1.069, -0.305, -0.617, 0.246, 0.218),
)
_BIAS = (4.856, -2.338, -0.909, -1.609)


@dataclass(frozen=True, eq=False)
class Hearing:
    """What is heard of labels, n of them.

    Attributes
    ----------
    probability : ndarray of float64 [shape=(n, 4)]
        Of each of ``HYPOTHESES``.
    heard : ndarray of float64 [shape=(n,)]
        The largest logit within ``NEAR_S`` of each label.
    elsewhere_s : ndarray of float64 [shape=(n,)]
        By how much earlier than the label the note is heard, if it is heard elsewhere; negative if later.
    octave : ndarray of int64 [shape=(n,)]
        Semitones to the octave that is heard, if one is: 12 or -12.
    """

    probability: Float64s
    heard: Float64s
    elsewhere_s: Float64s
    octave: Int64s

    def of(self, hypothesis: str) -> Float64s:
        """Return the probability of one of ``HYPOTHESES`` for each label."""
        column: Float64s = self.probability[:, HYPOTHESES.index(hypothesis)]
        return column


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The logits of each label's pitch around where it is expected.

    Attributes
    ----------
    logits : ndarray of float64 [shape=(n, w)]
    away_s : ndarray of float64 [shape=(n, w)]
        Seconds from the place where the label is expected.
    foreign : ndarray of bool [shape=(n, w)]
        Whether a frame is nearer to another label of the pitch.
    """

    logits: Float64s
    away_s: Float64s
    foreign: Bools


def surroundings(evidence: Evidence, notes: NoteTable, expected_s: Float64s, reach_s: float = FAR_S) -> Surroundings:
    """Return what is heard around where labels are expected.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
    expected_s : ndarray of float64 [shape=(n,)]
        Recording seconds.
    reach_s : float

    Returns
    -------
    Surroundings
    """
    reach = round(reach_s / HOP_S)
    offsets = np.arange(-reach, reach + 1)
    frames = np.round(expected_s / HOP_S)
    low, high = territories(notes["pitch"], frames)
    at = frames[:, None] + offsets
    return Surroundings(
        logits=evidence.logits(notes["pitch"].astype(np.int64), expected_s, offsets),
        away_s=at * HOP_S - expected_s[:, None],
        foreign=(at < low[:, None]) | (at > high[:, None]),
    )


def hear(evidence: Evidence, notes: NoteTable, expected_s: Float64s) -> Hearing:
    """Return what is heard of each label.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
    expected_s : ndarray of float64 [shape=(n,)]
        Where each is expected on the recording's clock.

    Returns
    -------
    Hearing
    """
    features, heard, elsewhere_s, octave = heard_features(evidence, notes, expected_s)
    standardized = (features - np.array(_CENTRES)) / np.array(_SCALES)
    logits = standardized @ np.array(_WEIGHTS).T + np.array(_BIAS)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Hearing(odds / odds.sum(axis=1, keepdims=True), heard, elsewhere_s, octave)


def heard_features(
    evidence: Evidence, notes: NoteTable, expected_s: Float64s
) -> tuple[Float64s, Float64s, Float64s, Int64s]:
    """Return ``FEATURES`` of each label [n, 6], and the other three arrays of ``Hearing``."""
    around = surroundings(evidence, notes, expected_s)
    logits = np.where(around.foreign, QUIET_LOGIT, np.maximum(around.logits, QUIET_LOGIT))
    near = np.abs(around.away_s) <= NEAR_S
    here, here_s = _loudest(np.where(near, logits, -np.inf), around.away_s)
    there, there_s = _loudest(np.where(near, -np.inf, logits), around.away_s)
    octave_heard, octave = _octaves(evidence, notes, expected_s)
    level = here - np.median(here)
    features = np.stack(
        [
            np.minimum(here, _MOST + 2),
            level,
            np.clip(there - here, -_MOST, _MOST),
            np.clip(octave_heard - here, -_MOST, _MOST),
            np.abs(here_s) * 100,
            np.clip(_mean_of_others(expected_s, level), QUIET_LOGIT, _MOST / 2),
        ],
        axis=1,
    )
    return features, here, -there_s, octave


def _loudest(logits: Float64s, away_s: Float64s) -> tuple[Float64s, Float64s]:
    """The largest logit of each row, and where it is."""
    at = np.argmax(logits, axis=1)[:, None]
    return np.take_along_axis(logits, at, axis=1)[:, 0], np.take_along_axis(away_s, at, axis=1)[:, 0]


def _mean_of_others(times_s: Float64s, values: Float64s) -> Float64s:
    """The mean over the other values within a second; 0 where there are none."""
    order = np.sort(times_s)
    count = np.searchsorted(order, times_s + 1.0, side="right") - np.searchsorted(order, times_s - 1.0, side="left")
    others = mean_around(times_s, values, 1.0) * count - values
    return np.where(count > 1, others / np.maximum(count - 1, 1), 0.0)


def _octaves(evidence: Evidence, notes: NoteTable, expected_s: Float64s) -> tuple[Float64s, Int64s]:
    """What is heard of each label an octave off where no label has it, and which octave that is."""
    reach = round(NEAR_S / HOP_S)
    heard = []
    for semitones in (OCTAVE, -OCTAVE):
        pitch = notes["pitch"].astype(np.int64) + semitones
        loudest = evidence.logits(pitch, expected_s, np.arange(-reach, reach + 1)).max(axis=1)
        labelled = _is_labelled(notes["pitch"], expected_s, pitch)
        heard.append(np.where(labelled, QUIET_LOGIT, np.maximum(loudest, QUIET_LOGIT)))
    higher, lower = heard
    return np.maximum(higher, lower), np.where(lower > higher, -OCTAVE, OCTAVE)


def _is_labelled(pitches: Int64s, times_s: Float64s, wanted: Int64s) -> Bools:
    """Whether there is a label of each wanted pitch about the same time."""
    found = np.zeros(len(wanted), np.bool_)
    for pitch in np.unique(wanted):
        own_s = np.sort(times_s[pitches == pitch])
        if len(own_s):
            rows = np.flatnonzero(wanted == pitch)
            next_ = np.clip(np.searchsorted(own_s, times_s[rows]), 0, len(own_s) - 1)
            nearest_s = np.minimum(
                np.abs(own_s[next_] - times_s[rows]), np.abs(own_s[np.maximum(next_ - 1, 0)] - times_s[rows])
            )
            found[rows] = nearest_s < _LABELLED_WITHIN_S
    return found
