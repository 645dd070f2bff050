"""Effects that turn a dry rendering into a recording: reverberation, a noise floor, a guitar amplifier.

None of them delays the direct sound, so labels stay exact.
"""

import numpy as np
from scipy import signal

from musicnet_build._typing import Audio, Float64s
from musicnet_build.notes import SAMPLE_RATE

REFLECTIONS_AFTER_S = 0.008
"""Time between the direct sound and the first of the reverberation."""

DRIVE = 4.0
"""How far beyond full scale the amplifier drives the loudest sample into its clipping."""

CABINET_HZ = (90.0, 5000.0)
"""What a twelve-inch guitar loudspeaker passes, roughly."""

PRESENCE_HZ, PRESENCE_DB = 2500.0, 5.0


def impulse_response(decay_s: float, level_db: float, random: np.random.Generator) -> Audio:
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


def apply_reverb(dry: Audio, response: Audio) -> Audio:
    """Return a sound in a room, as long as the dry sound and the response together.

    Parameters
    ----------
    dry : ndarray of float32 [shape=(n,)]
    response : ndarray of float32 [shape=(m,)]
        Of the room, from :func:`impulse_response`.

    Returns
    -------
    ndarray of float32 [shape=(n + m - 1,)]
    """
    wet: Audio = signal.oaconvolve(dry.astype(np.float64), response.astype(np.float64)).astype(np.float32)
    return wet


def noise_floor(samples: int, level_dbfs: float, random: np.random.Generator) -> Audio:
    """Return dark noise of the given RMS level [shape=(samples,)]."""
    noise = signal.lfilter([1.0], [1.0, -0.9], random.standard_normal(samples))
    noise *= 10.0 ** (level_dbfs / 20.0) / np.sqrt(np.mean(noise**2))
    return np.asarray(noise, dtype=np.float32)


def simulate_guitar_amp(audio: Audio, sample_rate: int) -> Audio:
    """Return a sound as a guitar amplifier plays it, as loud as before: soft clipping, then the loudspeaker's band.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32 [shape=(n,)]
        Silent where the sound is silent; its first samples stay the first.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak == 0.0:
        return audio.copy()
    clipped = np.tanh(DRIVE * audio.astype(np.float64) / peak)
    band = signal.butter(2, CABINET_HZ, "bandpass", fs=sample_rate, output="sos")
    filtered = signal.sosfilt(np.vstack([band, _presence(sample_rate)]), clipped)
    loudness = np.sqrt(np.mean(np.square(audio, dtype=np.float64)) / np.mean(filtered**2))
    return np.asarray(filtered * loudness, dtype=np.float32)


def _presence(sample_rate: int) -> Float64s:
    """A peaking filter (Bristow-Johnson's audio EQ cookbook, Q = 1) as one second-order section."""
    gain = 10 ** (PRESENCE_DB / 40)
    angle = 2 * np.pi * PRESENCE_HZ / sample_rate
    alpha, cosine = np.sin(angle) / 2, np.cos(angle)
    zeros = (1 + alpha * gain, -2 * cosine, 1 - alpha * gain)
    poles = (1 + alpha / gain, -2 * cosine, 1 - alpha / gain)
    section: Float64s = np.array([[*zeros, *poles]]) / poles[0]
    return section
