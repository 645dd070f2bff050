"""How well a score fits a recording, moment by moment: along the path, as written and transposed.

A right score fits far better than the same score a semitone higher or lower. The ratio of the two distances does not
depend on how a recording sounds, and so tells right from wrong music where the distance alone does not.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from musicnet_build._typing import Features, Float64s
from musicnet_build.sync.result import Warping

SHIFTS = np.arange(-3, 4)
"""Semitones by which the score is shifted; the middle one is none."""

_LEAST_DISTANCE = 1e-6
_CONTRAST_S, _CONTRAST_SEMITONES = 1.0, 7
_MARGIN = int(SHIFTS[-1])  # bands at both ends that a shifted score does not cover


@dataclass(frozen=True, eq=False)
class Fit:
    """Distances of score and recording along the path.

    Attributes
    ----------
    times_s : ndarray of float64 [shape=(n,)]
        Recording seconds, increasing.
    distance : ndarray of float64 [shape=(7, n)]
        By the shift of the score, as in ``SHIFTS``.
    contrast : ndarray of float64 [shape=(n,)]
        How much the recording's spectrum stands out from its surroundings on the pitch scale, over about a second:
        music 0.15 and more, noise under 0.1, silence 0.
    """

    times_s: Float64s
    distance: Float64s
    contrast: Float64s

    def between(self, start_s: float, end_s: float) -> "Fit":
        """Return the part from one recording time to before another."""
        inside = (self.times_s >= start_s) & (self.times_s < end_s)
        return Fit(self.times_s[inside], self.distance[:, inside], self.contrast[inside])

    @property
    def shift_ratio(self) -> float:
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


def fit_along(warping: Warping, start_s: float, end_s: float) -> Fit:
    """Return how well score and recording fit between two times of the recording.

    Parameters
    ----------
    warping : Warping
        With semitone spectra as features.
    start_s, end_s : float
        Recording seconds.

    Returns
    -------
    Fit
    """
    inside = (warping.recording_frames_s >= start_s) & (warping.recording_frames_s <= end_s)
    times_s = warping.recording_frames_s[inside]
    rows = np.searchsorted(warping.score_frames_s, warping.time_map.score_at(times_s))
    score = warping.score_features[np.clip(rows, 0, len(warping.score_features) - 1)]
    heard = warping.recording_features[inside][:, _MARGIN:-_MARGIN]
    last = score.shape[1] - _MARGIN
    shifted = [np.linalg.norm(heard - score[:, _MARGIN - k : last - k], axis=1) for k in SHIFTS]
    contrast = _contrast(warping.recording_features, warping.recording_frames_s)[inside]
    # A rendering compared with itself has no distance at all, and ratios of none mean nothing.
    return Fit(times_s, np.maximum(np.array(shifted, dtype=np.float64), _LEAST_DISTANCE), contrast)


def _contrast(spectrum: Features, frames_s: Float64s) -> Float64s:
    frames = max(1, round(_CONTRAST_S / float(frames_s[1] - frames_s[0]))) if len(frames_s) > 1 else 1
    steady = uniform_filter1d(spectrum.astype(np.float64), frames, axis=0)
    peaks = steady - uniform_filter1d(steady, _CONTRAST_SEMITONES, axis=1)
    contrast: Float64s = np.linalg.norm(peaks, axis=1) / (np.linalg.norm(steady, axis=1) + 0.05)
    return contrast
