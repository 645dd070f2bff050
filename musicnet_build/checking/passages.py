"""Labels that belong to another recording, to other music for a while, or to another key.

What is heard of labels is compared with what is heard of the same pitches some seconds away: right labels stand out,
those of other music do not.
"""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.checking.clock import LOUD_LOGIT, offset_near
from musicnet_build.checking.evidence import HOP_S, Evidence
from musicnet_build.checking.hearing import NEAR_S, QUIET_LOGIT
from musicnet_build.checking.thresholds import CHECK_THRESHOLDS, CheckThresholds
from musicnet_build.notes import NoteTable
from musicnet_build.sync.chords import most_probable_path

AWAY_S = (-7.3, -5.2, -4.1, -2.7, 2.3, 3.7, 5.9, 7.9)
"""Where else the pitches of the labels are listened for: no whole number of beats of any music. Near enough for a soft
passage to be compared with itself."""

LEAST_S = 12.0
"""In less sound there are no other times that the same notes do not fall on."""

TRANSPOSITIONS = tuple(range(-12, 13))

_SWITCH_NATS = 6.0
_MOST_NATS = 3.0  # that a single label may say
_LEAST_LABELS = 8
_SEARCHED_S = 3.0
_FOUND_SHARE = 0.7
_LEAST_SPREAD = 0.5
_FEW = 300


@dataclass(frozen=True, eq=False)
class Standing:
    """How far labels stand out from the same pitches some seconds away.

    Attributes
    ----------
    excess : ndarray of float64 [shape=(n,)]
        Of each label, what is heard of it less the mean of what is heard of its pitch at the other times.
    own : float
        The median of that.
    spread : float
        Standard deviation of the same for times at which there is no label, by the median distance from the median.
    level : float
        Median of what is heard at the other times.
    """

    excess: Float64s
    own: float
    spread: float
    level: float

    @property
    def separation(self) -> float:
        """How many standard deviations the labels stand out; 0 for labels of another recording."""
        return self.own / self.spread

    def nats_for_other(self) -> Float64s:
        """Return the log likelihood ratio for other music of each label."""
        ratio = (self.own / 2 - self.excess) * self.own / self.spread**2
        return np.clip(ratio, -_MOST_NATS, _MOST_NATS)


@dataclass(frozen=True)
class Passage:
    """Labels that are not heard where they are.

    Attributes
    ----------
    first, last : int
        Labels, in the order of their onsets.
    nats : float
        Log likelihood ratio for other music.
    late_s : float or None
        By how much they are late, where all of them are heard elsewhere; None where they are heard nowhere near.
    """

    first: int
    last: int
    nats: float
    late_s: float | None


def standing(evidence: Evidence, notes: NoteTable, expected_s: Float64s, heard: Float64s) -> Standing:
    """Return how far labels stand out.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
    expected_s : ndarray of float64 [shape=(n,)]
        Recording seconds.
    heard : ndarray of float64 [shape=(n,)]
        The largest logit near each.

    Returns
    -------
    Standing
    """
    reach = round(NEAR_S / HOP_S)
    near = np.arange(-reach, reach + 1)
    start_s, end_s = evidence.sound_s
    length_s = max(end_s - start_s, HOP_S)
    # Round the ends, as on a ring: every label has other times in the music.
    away = [
        evidence.logits(notes["pitch"].astype(np.int64), start_s + (expected_s + by_s - start_s) % length_s, near)
        for by_s in AWAY_S
    ]
    elsewhere = np.maximum(np.array([logits.max(axis=1) for logits in away]), QUIET_LOGIT)
    mean = elsewhere.mean(axis=0)
    # Each of the other times against the rest of them: what excess there is where there is no label.
    none = (elsewhere - mean) * len(AWAY_S) / (len(AWAY_S) - 1)
    excess = np.maximum(heard, QUIET_LOGIT) - mean
    spread = float(np.median(np.abs(none - np.median(none)))) / 0.6745
    return Standing(excess, float(np.median(excess)), max(spread, _LEAST_SPREAD), float(np.median(elsewhere)))


def find_passages(
    evidence: Evidence,
    notes: NoteTable,
    expected_s: Float64s,
    stands: Standing,
    thresholds: CheckThresholds = CHECK_THRESHOLDS,
) -> list[Passage]:
    """Return the stretches of labels that are not heard where they are.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
        Ordered by onset.
    expected_s : ndarray of float64 [shape=(n,)]
        Recording seconds.
    stands : Standing
    thresholds : CheckThresholds

    Returns
    -------
    list of Passage
    """
    nats = stands.nats_for_other()
    emission = np.stack([np.zeros(len(nats)), nats], axis=1)
    switches = -_SWITCH_NATS * (1 - np.eye(2))
    other = most_probable_path(emission, switches[None], np.zeros(len(nats), np.int64)) == 1
    edges = np.flatnonzero(np.diff(np.concatenate([[False], other, [False]]).astype(np.int8)))
    found = []
    for first, end in edges.reshape(-1, 2).tolist():
        long = expected_s[end - 1] - expected_s[first] >= thresholds.passage_s and end - first >= _LEAST_LABELS
        total = float(nats[first:end].sum())
        if long and total >= max(thresholds.passage_nats, thresholds.passage_mean_nats * (end - first)):
            here = notes[first:end].copy()
            here["onset_s"] = expected_s[first:end]
            found.append(Passage(first, end - 1, total, _found_elsewhere(evidence, here, stands)))
    return found


def _found_elsewhere(evidence: Evidence, notes: NoteTable, stands: Standing) -> float | None:
    """How late the labels of a passage are, if they are heard together some seconds away."""
    late_s, heard = offset_near(evidence, notes, _SEARCHED_S)
    level = np.clip(stands.level, 0.0, LOUD_LOGIT)
    needed = level + _FOUND_SHARE * (min(stands.level + stands.own, LOUD_LOGIT) - level)
    return late_s if heard > needed else None


def transposition(
    evidence: Evidence, notes: NoteTable, thresholds: CheckThresholds = CHECK_THRESHOLDS
) -> tuple[int, float]:
    """Return by how many semitones all labels are too high, and by how much more is then heard of them.

    Parameters
    ----------
    evidence : Evidence
    notes : NoteTable [shape=(n,)]
    thresholds : CheckThresholds

    Returns
    -------
    (int, float)
        (0, 0) where they are heard best as they are.
    """
    few = notes[:: max(1, len(notes) // _FEW)].copy()
    pitches: Int64s = few["pitch"].astype(np.int64)
    heard = {}
    for semitones in TRANSPOSITIONS:
        few["pitch"] = pitches - semitones
        heard[semitones] = offset_near(evidence, few, _SEARCHED_S)[1]
    best = max(heard, key=lambda semitones: heard[semitones])
    gain = heard[best] - heard[0]
    return (best, gain) if gain > thresholds.transposed else (0, 0.0)
