"""Recordings as models are trained to hear them."""

from musicnet_build._typing import Audio
from musicnet_build.notes import SAMPLE_RATE


def at_rate(audio: Audio, sample_rate: int) -> Audio:
    """Return a recording at the sample rate of a package, converted as packing does it.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        At 44.1 kHz.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32 [shape=(m,)]
    """
    import soxr

    converted: Audio = soxr.resample(audio, SAMPLE_RATE, sample_rate, quality="HQ")
    return converted
