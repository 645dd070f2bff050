"""How well a score fits a recording, moment by moment: along the path, as written and transposed.

A right score fits far better than the same score a semitone higher or lower. The ratio of the two distances does not
depend on how a recording sounds, and so tells right from wrong music where the distance alone does not.
"""

from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Float64s
from musicnet_build.features.tonality import tonal_contrast
from musicnet_build.sync.result import SyncResult

SHIFTS = np.arange(-3, 4)
"""Semitones by which the score is shifted; the middle one is none."""

_LEAST_DISTANCE = 1e-6
_MARGIN = int(SHIFTS[-1])  # bands at both ends that a shifted score does not cover


@dataclass(frozen=True, eq=False)
class ScoreMatch:
    """Distances of score and recording along the path.

    Attributes
    ----------
    times_s : ndarray of float64 [shape=(n,)]
        Recording seconds, increasing.
    distance : ndarray of float64 [shape=(7, n)]
        By the shift of the score, as in ``SHIFTS``.
    contrast : ndarray of float64 [shape=(n,)]
        How tonal the recording is: see ``features.tonality``.
    """

    times_s: Float64s
    distance: Float64s
    contrast: Float64s

    def between(self, start_s: float, end_s: float) -> "ScoreMatch":
        """Return the part from one recording time to before another."""
        return self.where((self.times_s >= start_s) & (self.times_s < end_s))

    def where(self, kept: Bools) -> "ScoreMatch":
        """Return the frames that are marked."""
        return ScoreMatch(self.times_s[kept], self.distance[:, kept], self.contrast[kept])

    @property
    def transposition_ratio(self) -> float:
        """Distance as written, divided by the lesser of those a semitone higher and lower; about 1 for other music."""
        mean = self.distance.mean(axis=1)
        return float(mean[_MARGIN] / min(mean[_MARGIN - 1], mean[_MARGIN + 1]))

    @property
    def best_shift(self) -> int:
        """Semitones by which the score would have to be shifted to fit best."""
        return int(SHIFTS[np.argmin(self.distance.mean(axis=1))])

    @property
    def best_ratio(self) -> float:
        """Distance at the best shift, divided by that as written."""
        mean = self.distance.mean(axis=1)
        return float(mean.min() / mean[_MARGIN])


def match_along(sync: SyncResult) -> ScoreMatch:
    """Return how well score and recording fit, frame by frame.

    Parameters
    ----------
    sync : SyncResult
        With semitone spectra as features.

    Returns
    -------
    ScoreMatch
        Of the whole recording; only what lies between the first note and the last means something.
    """
    times_s = sync.recording_frames_s
    rows = np.searchsorted(sync.score_frames_s, sync.time_map.score_at(times_s))
    score = sync.score_features[np.clip(rows, 0, len(sync.score_features) - 1)]
    heard = sync.recording_features[:, _MARGIN:-_MARGIN]
    last = score.shape[1] - _MARGIN
    shifted = [np.linalg.norm(heard - score[:, _MARGIN - k : last - k], axis=1) for k in SHIFTS]
    contrast = tonal_contrast(sync.recording_features, times_s)
    # A rendering compared with itself has no distance at all, and ratios of none mean nothing.
    return ScoreMatch(times_s, np.maximum(np.array(shifted, dtype=np.float64), _LEAST_DISTANCE), contrast)
