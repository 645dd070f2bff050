"""What a coarse comparison looks at: pitch content and onsets, a hop of 1,024 samples.

Two kinds of features stand side by side in each frame: the semitone spectrum, of unit length wherever there is sound,
so that loudness does not matter; and what has just grown in it, relative to the strongest onset of the four seconds
around, so that a soft passage has onsets too.
"""

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from musicnet_build import spectra
from musicnet_build.notes import SAMPLE_RATE

HOP_LENGTH = 1024
PADDING_S = 1.0
"""Silence laid before and behind the signal: a score begins with its first note, a recording does not."""

_LEVEL = 0.05
_FLOOR = 0.1
_SOFT_NORM = 0.5
_ONSET_WEIGHT = 3.0
_LOCAL_S = 2.0


def coarse_features(audio: spectra.Features) -> spectra.Features:
    """Return the features of a signal, padded with a second of silence at both ends.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal at 44.1 kHz.

    Returns
    -------
    ndarray of float32 [shape=(frames, 176)]
        Frame *k* is centred on ``coarse_times_s(frames)[k]``.
    """
    level = np.sqrt(np.mean(np.square(audio, dtype=np.float64))) if len(audio) else 0.0
    signal = np.pad(audio * np.float32(_LEVEL / max(level, 1e-9)), round(PADDING_S * SAMPLE_RATE))
    spectrum = spectra.band_spectrogram(signal, window_length=4096, hop_length=HOP_LENGTH, bands_per_octave=12)
    spectrum = np.maximum(spectrum - np.float32(_FLOOR), 0.0)
    spectrum /= np.linalg.norm(spectrum, axis=1, keepdims=True) + np.float32(_SOFT_NORM)
    return np.concatenate([spectrum, np.float32(_ONSET_WEIGHT) * _onset_features(signal)], axis=1)


def coarse_times_s(frames: int) -> NDArray[np.float64]:
    """Return the time in seconds, in the signal without its padding, on which each coarse frame is centred."""
    return spectra.frame_times_s(np.arange(frames), HOP_LENGTH) - PADDING_S


def _onset_features(signal: spectra.Features) -> spectra.Features:
    bands = spectra.band_spectrogram(signal, window_length=2048, hop_length=HOP_LENGTH, bands_per_octave=12)
    rise = np.maximum(np.diff(bands, axis=0, prepend=bands[:1]), 0.0)
    norms = np.linalg.norm(rise, axis=1)
    reach = round(_LOCAL_S * SAMPLE_RATE / HOP_LENGTH)
    local = scipy.ndimage.maximum_filter1d(norms, 2 * reach + 1)
    onsets: spectra.Features = rise / np.maximum(local, np.float32(1e-6))[:, None]
    return onsets
