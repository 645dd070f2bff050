"""The passes of the alignment: warping paths at two resolutions, and one coarse map chosen from several."""

from collections.abc import Sequence

import numpy as np
import scipy.ndimage

from musicnet_build._typing import Features, Float64s
from musicnet_build.dtw.exact import band_around, dtw
from musicnet_build.dtw.timemap import TimeMap, map_from_path, monotone_map
from musicnet_build.features import onsets
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.sync.chords import most_probable_path
from musicnet_build.sync.pass_features import (
    COARSE_HOP,
    FINE_HOP,
    FLOOR,
    HIGH_FLOOR,
    PADDING_S,
    SemitoneSpectra,
    fine_features,
    silence_outside,
)

COARSE_PASSES = ((HIGH_FLOOR, 1.5), (FLOOR, 1.25), (FLOOR, 1.0))
"""Floor under the spectrum, and weight of the diagonal step, which otherwise is cheaper than the two that it replaces.

A large weight lets the path leave the diagonal cheaply: rubato needs that, ostinatos slip on it."""

FINE_PASSES = ((1000.0, 0.1), (100.0, 0.1), (1000.0, 0.2))
"""Log gain of the spectrum, and time in seconds over which an onset fades."""

FINE_DIAGONAL = 1.25
FINE_BAND_S = 0.5

SWITCH_COST = 15.0
"""Log likelihood ratio required before the search goes from one coarse map to another."""

_HEARD_WITHIN_S = 0.06
_AUDIBLE_SHARE = 0.95


def coarse_map(X: Features, Y: Features, diagonal: float, memory_bytes: int) -> TimeMap:
    """Return the map from a rendering to the recording by one coarse pass.

    Parameters
    ----------
    X, Y : ndarray of float32 [shape=(frames, d)]
        Coarse features of the rendering and of the recording.
    diagonal : float
        Weight of the diagonal step.
    memory_bytes : int
        Budget of the dynamic time warping.

    Returns
    -------
    TimeMap
    """
    warped = dtw(X, Y, step_weights=(diagonal, 1.0, 1.0), memory_bytes=memory_bytes)
    hop_s = COARSE_HOP / SAMPLE_RATE
    return _unpadded(map_from_path(warped.path, hop_s, hop_s))


def fine_map(
    rendered: SemitoneSpectra,
    recorded: SemitoneSpectra,
    settings: tuple[float, float],
    music_s: tuple[float, float] | None,
    memory_bytes: int,
) -> tuple[float, TimeMap]:
    """Return the mean cost of a step, and the map from a re-synthesis to the recording, which is nearly the identity.

    Parameters
    ----------
    rendered, recorded : SemitoneSpectra
        With a hop of ``FINE_HOP``.
    settings : (float, float)
        One of ``FINE_PASSES``.
    music_s : (float, float) or None
        Recording seconds outside which there is nothing but noise.
    memory_bytes : int

    Returns
    -------
    (float, TimeMap)
    """
    hop_s = FINE_HOP / SAMPLE_RATE
    band = band_around(np.arange(len(rendered.pitch_window)), FINE_BAND_S / hop_s, len(recorded.pitch_window))
    warped = dtw(
        # Without names, so that they can go when they have been copied.
        fine_features(rendered, *settings),
        _heard(recorded, settings, music_s),
        step_weights=(FINE_DIAGONAL, 1.0, 1.0),
        band=band,
        memory_bytes=memory_bytes,
    )
    return warped.cost / len(warped.path), _unpadded(map_from_path(warped.path, hop_s, hop_s))


def _heard(recorded: SemitoneSpectra, settings: tuple[float, float], music_s: tuple[float, float] | None) -> Features:
    features = fine_features(recorded, *settings)
    silence_outside(features, music_s, FINE_HOP)
    return features


def _unpadded(time_map: TimeMap) -> TimeMap:
    return TimeMap(time_map.score_s - PADDING_S, time_map.recording_s - PADDING_S)


def best_of(
    maps: Sequence[TimeMap], estimates_s: Float64s, notes: NoteTable, stretch: float, activations: dict[int, Features]
) -> TimeMap:
    """Return one map from several: at each chord the one that the onset activations support, seldom switching.

    Parameters
    ----------
    maps : sequence of TimeMap
        From the rendering to the recording.
    estimates_s : ndarray of float64 [shape=(maps, n)]
        Recording seconds of each note by each map.
    notes : NoteTable [shape=(n,)]
    stretch : float
        Seconds of the rendering per score second.
    activations : dict of ndarray of float32 [shape=(frames,)]
        By pitch.

    Returns
    -------
    TimeMap
    """
    onsets_s, of_note = np.unique(notes["onset_s"], return_inverse=True)
    support = _support(estimates_s, notes, activations)
    emission = np.array([np.bincount(of_note, row) for row in support]).T
    switches = -SWITCH_COST * (1 - np.eye(len(maps)))
    chosen = most_probable_path(emission, switches[None], np.zeros(len(emission), np.int64))
    if np.ptp(chosen) == 0:
        return maps[int(chosen[0])]
    times_s = np.array([time_map.recording_at(onsets_s * stretch) for time_map in maps])
    return monotone_map(onsets_s * stretch, times_s[chosen, np.arange(len(chosen))])


def _support(estimates_s: Float64s, notes: NoteTable, activations: dict[int, Features]) -> Float64s:
    """The highest activation of each note within 60 ms of where each map puts it [maps, n]."""
    support = np.zeros(estimates_s.shape)
    for pitch in np.unique(notes["pitch"]):
        rows = np.flatnonzero(notes["pitch"] == pitch)
        curve = activations[int(pitch)]
        audible = np.maximum(curve, np.quantile(curve, _AUDIBLE_SHARE))
        nearby = scipy.ndimage.maximum_filter1d(audible, 2 * round(_HEARD_WITHIN_S / onsets.HOP_S) + 1)
        frames = np.round(estimates_s[:, rows] / onsets.HOP_S).astype(np.int64)
        support[:, rows] = nearby[np.clip(frames, 0, len(curve) - 1)]
    return support
