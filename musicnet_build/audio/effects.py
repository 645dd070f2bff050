"""Synthetic rooms: what turns a dry rendering into a recording of some instrument somewhere.

The direct sound comes first, at its own time and unchanged, so labels stay exact.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from musicnet_build.notes import SAMPLE_RATE

REFLECTIONS_AFTER_S = 0.008
"""Time between the direct sound and the first of the reverberation."""

Samples = NDArray[np.float32]


def impulse_response(decay_s: float, level_db: float, random: np.random.Generator) -> Samples:
    """Return the response of a room to a click.

    Parameters
    ----------
    decay_s : float
        Time in which the reverberation falls by 60 dB, which is also the length of the response.
    level_db : float
        Energy of the reverberation relative to that of the direct sound.
    random : Generator
        Draws the reflections: noise, darkened by a one-pole filter.

    Returns
    -------
    ndarray of float32 [shape=(n,)]
        At 44.1 kHz; sample 0 is the direct sound, of amplitude 1.
    """
    time_s = np.arange(round((REFLECTIONS_AFTER_S + decay_s) * SAMPLE_RATE)) / SAMPLE_RATE
    tail = random.standard_normal(len(time_s)) * 10.0 ** (-3.0 * time_s / decay_s) * (time_s >= REFLECTIONS_AFTER_S)
    tail = signal.lfilter([0.4], [1.0, -0.6], tail)
    response = 10.0 ** (level_db / 20.0) * tail / np.sqrt(np.sum(tail**2))
    response[0] = 1.0
    return np.asarray(response, dtype=np.float32)


def in_room(dry: Samples, response: Samples) -> Samples:
    """Return the sound in the room, as long as the dry sound and the response together."""
    wet: Samples = signal.oaconvolve(dry.astype(np.float64), response.astype(np.float64)).astype(np.float32)
    return wet


def noise_floor(samples: int, level_dbfs: float, random: np.random.Generator) -> Samples:
    """Return dark noise of the given RMS level [shape=(samples,)]."""
    noise = signal.lfilter([1.0], [1.0, -0.9], random.standard_normal(samples))
    noise *= 10.0 ** (level_dbfs / 20.0) / np.sqrt(np.mean(noise**2))
    return np.asarray(noise, dtype=np.float32)
