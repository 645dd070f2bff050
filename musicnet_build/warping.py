"""What a recipe of alignment gives, and what it may ask of its caller."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musicnet_build.spectra import Features
from musicnet_build.timemap import TimeMap

MEMORY_BYTES = 2**30
"""Default memory budget of the dynamic time warping."""

Progress = Callable[[str, float], None]
"""Told the name of a stage and the fraction of it that is done."""


@dataclass(frozen=True, eq=False)
class Warping:
    """A time map, with the features of score and recording on which it was found.

    Attributes
    ----------
    time_map : TimeMap
        Score seconds to recording seconds.
    score_features, recording_features : ndarray of float32 [shape=(frames, d)]
        What the alignment compared.
    score_frames_s : ndarray of float64 [shape=(frames of the score,)]
        Score seconds of each row of ``score_features``.
    recording_frames_s : ndarray of float64 [shape=(frames of the recording,)]
        Recording seconds of each row of ``recording_features``.
    warnings : tuple of str
        What a user should know, in plain sentences.
    note_onsets_s : ndarray of float64 [shape=(pitched notes of the score,)], optional
        Recording seconds of each note, where the recipe gives notes times of their own.
    """

    time_map: TimeMap
    score_features: Features
    recording_features: Features
    score_frames_s: NDArray[np.float64]
    recording_frames_s: NDArray[np.float64]
    warnings: tuple[str, ...]
    note_onsets_s: NDArray[np.float64] | None = None


def cost_along(warping: Warping) -> NDArray[np.float64]:
    """Return the distance of the features at each point of the time map, taken at the nearest frames.

    Returns
    -------
    ndarray of float64 [shape=(points of the time map,)]
    """
    rows = _nearest(warping.score_frames_s, warping.time_map.score_s)
    columns = _nearest(warping.recording_frames_s, warping.time_map.recording_s)
    difference = warping.score_features[rows] - warping.recording_features[columns]
    distances: NDArray[np.float64] = np.linalg.norm(difference, axis=1).astype(np.float64)
    return distances


def _nearest(frames_s: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.intp]:
    middles_s = (frames_s[1:] + frames_s[:-1]) / 2
    return np.searchsorted(middles_s, times_s)
