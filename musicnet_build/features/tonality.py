"""How tonal and how loud a sound is: what tells music from noise, applause and rests without knowing the score."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from musicnet_build._typing import Features, Float64s

_STEADY_S, _NEIGHBOURS_SEMITONES = 1.0, 7


@dataclass(frozen=True, eq=False)
class Tonality:
    """How tonal and how loud a recording is, frame by frame.

    Attributes
    ----------
    contrast : ndarray of float64 [shape=(frames,)]
        As ``tonal_contrast`` gives it.
    level_db : ndarray of float64 [shape=(frames,)]
        Relative to the loud parts.
    """

    contrast: Float64s
    level_db: Float64s


def level_db(log_spectrum: Features) -> Float64s:
    """Return the level of each frame of a logarithmic band spectrum, relative to that which 10 % of them exceed.

    Parameters
    ----------
    log_spectrum : ndarray of float32 [shape=(frames, bands)]
        Logarithms of 1 + gain times the magnitudes, as ``spectra.band_spectrogram`` gives them.

    Returns
    -------
    ndarray of float64 [shape=(frames,)]
    """
    energy = np.square(np.expm1(log_spectrum)).sum(axis=1, dtype=np.float64)
    loud = max(float(np.quantile(energy, 0.9)), 1e-12)
    return np.asarray(10.0 * np.log10(np.maximum(energy / loud, 1e-12)), dtype=np.float64)


def tonal_contrast(spectrum: Features, frames_s: Float64s) -> Float64s:
    """Return how far a semitone spectrum stands out from its surroundings on the pitch scale, over about a second.

    Parameters
    ----------
    spectrum : ndarray of float32 [shape=(frames, bands)]
        One band per semitone, frames of about unit norm, silence near zero.
    frames_s : ndarray of float64 [shape=(frames,)]
        Their times in seconds, evenly spaced.

    Returns
    -------
    ndarray of float64 [shape=(frames,)]
        Music has 0.15 and more, noise less than 0.1, silence 0.
    """
    frames = max(1, round(_STEADY_S / float(frames_s[1] - frames_s[0]))) if len(frames_s) > 1 else 1
    steady = uniform_filter1d(spectrum.astype(np.float64), frames, axis=0)
    peaks = steady - uniform_filter1d(steady, _NEIGHBOURS_SEMITONES, axis=1)
    contrast: Float64s = np.linalg.norm(peaks, axis=1) / (np.linalg.norm(steady, axis=1) + 0.05)
    return contrast
