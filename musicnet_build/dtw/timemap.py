"""From a warping path to a monotone map between score seconds and recording seconds."""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.errors import AlignmentError

LEAST_STEP_S = 1e-6


@dataclass(frozen=True, eq=False)
class TimeMap:
    """A strictly increasing, piecewise linear map from score time to recording time.

    Attributes
    ----------
    score_s, recording_s : ndarray of float64 [shape=(k,)]
        Corresponding times in seconds, both strictly increasing, k at least 1. Beyond the ends the map goes on with
        slope 1.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.dtw import TimeMap
    >>> played = TimeMap(score_s=np.array([0.0, 10.0]), recording_s=np.array([0.5, 12.5]))
    >>> float(played.recording_at(5.0))
    6.5
    >>> float(played.score_at(0.5))
    0.0
    """

    score_s: Float64s
    recording_s: Float64s

    def __post_init__(self) -> None:
        if self.score_s.shape != self.recording_s.shape or self.score_s.ndim != 1 or not len(self.score_s):
            raise AlignmentError("a time map needs as many score times as recording times, and at least one.")
        if np.any(np.diff(self.score_s) <= 0) or np.any(np.diff(self.recording_s) <= 0):
            raise AlignmentError("a time map must increase strictly in score time and in recording time.")

    def recording_at(self, score_s: ArrayLike) -> Float64s:
        """Return the recording time in seconds of each score time in seconds."""
        return _interpolate(np.asarray(score_s, dtype=np.float64), self.score_s, self.recording_s)

    def score_at(self, recording_s: ArrayLike) -> Float64s:
        """Return the score time in seconds of each recording time in seconds."""
        return _interpolate(np.asarray(recording_s, dtype=np.float64), self.recording_s, self.score_s)


def map_from_path(path: Int64s, score_hop_s: float, recording_hop_s: float) -> TimeMap:
    """Turn a warping path into a time map through the middle of its runs.

    A run of recording frames on one score frame stands for its middle, and so does a run of score frames on one
    recording frame; between these points the map is linear.

    Parameters
    ----------
    path : ndarray of int64 [shape=(k, 2)]
        Pairs (score frame, recording frame) with steps (1, 1), (1, 0) and (0, 1).
    score_hop_s, recording_hop_s : float
        Seconds from one frame to the next; frame 0 is centred on time 0.

    Returns
    -------
    TimeMap
    """
    score_frames, recording_frames = _mean_of_second(path[:, 0].astype(np.float64), path[:, 1].astype(np.float64))
    recording_frames, score_frames = _mean_of_second(recording_frames, score_frames)
    return TimeMap(score_frames * score_hop_s, recording_frames * recording_hop_s)


def smoothed(time_map: TimeMap, sigma_s: float, step_s: float = 0.05) -> TimeMap:
    """Return a map whose local tempo changes smoothly, within milliseconds of the given one.

    The difference of the clocks is filtered along their mean, where neither clock is favoured.

    Parameters
    ----------
    time_map : TimeMap
        The map to smooth.
    sigma_s : float
        Standard deviation of the Gaussian, in seconds of the mean clock.
    step_s : float
        Distance of the points of the result on the mean clock.

    Returns
    -------
    TimeMap
    """
    mean_s = (time_map.score_s + time_map.recording_s) / 2
    grid_s = np.arange(mean_s[0], mean_s[-1] + step_s, step_s)
    lead_s = np.interp(grid_s, mean_s, time_map.recording_s - time_map.score_s)
    lead_s = scipy.ndimage.gaussian_filter1d(lead_s, sigma_s / step_s, mode="nearest")
    # A run of the path has slope 0 or infinity on one clock: lean a little, so that both clocks advance.
    lead_s = np.clip(np.diff(lead_s, prepend=lead_s[0]), -1.999 * step_s, 1.999 * step_s).cumsum() + lead_s[0]
    return TimeMap(grid_s - lead_s / 2, grid_s + lead_s / 2)


def monotone_map(score_s: Float64s, recording_s: Float64s, least_slope: float = 1e-3) -> TimeMap:
    """Return a time map through the given points, pushed forward as little as makes it strictly increasing.

    Parameters
    ----------
    score_s : ndarray of float64 [shape=(k,)]
        Strictly increasing times in seconds.
    recording_s : ndarray of float64 [shape=(k,)]
        Times in seconds, increasing but for small violations.
    least_slope : float
        The smallest slope that the result may have.

    Returns
    -------
    TimeMap
    """
    # Times that differ by rounding alone are one time: between them no slope is meant.
    distinct = np.diff(score_s, prepend=-np.inf) > LEAST_STEP_S
    score_s, recording_s = score_s[distinct], recording_s[distinct]
    lean = least_slope * (score_s - score_s[0])
    return TimeMap(score_s, np.maximum.accumulate(recording_s - lean) + lean)


def _mean_of_second(first: Float64s, second: Float64s) -> tuple[Float64s, Float64s]:
    """The distinct values of a sorted array, and the mean of the other array's entries at each."""
    values, starts, counts = np.unique(first, return_index=True, return_counts=True)
    return values, np.add.reduceat(second, starts) / counts


def _interpolate(x: Float64s, knots: Float64s, values: Float64s) -> Float64s:
    inside: Float64s = np.interp(x, knots, values)
    beyond: Float64s = np.minimum(x - knots[0], 0.0) + np.maximum(x - knots[-1], 0.0)
    return inside + beyond
