"""What a guitar amplifier does to a dry sound, in outline: soft clipping, then the narrow band of a loudspeaker."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

DRIVE = 4.0
"""How far beyond full scale the loudest sample is driven into the clipping."""

CABINET_HZ = (90.0, 5000.0)
"""What a twelve-inch guitar loudspeaker passes, roughly."""

PRESENCE_HZ, PRESENCE_DB = 2500.0, 5.0


def amplified(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Return a sound as through a guitar amplifier, as loud as before.

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


def _presence(sample_rate: int) -> NDArray[np.float64]:
    """A peaking filter (Bristow-Johnson's audio EQ cookbook, Q = 1) as one second-order section."""
    gain = 10 ** (PRESENCE_DB / 40)
    angle = 2 * np.pi * PRESENCE_HZ / sample_rate
    alpha, cosine = np.sin(angle) / 2, np.cos(angle)
    zeros = (1 + alpha * gain, -2 * cosine, 1 - alpha * gain)
    poles = (1 + alpha / gain, -2 * cosine, 1 - alpha / gain)
    section: NDArray[np.float64] = np.array([[*zeros, *poles]]) / poles[0]
    return section
