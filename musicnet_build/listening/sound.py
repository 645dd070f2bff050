"""A recording that can be read anywhere at once: decoded once, then kept on disk rather than in memory."""

import os
import tempfile

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Audio
from musicnet_build.audio.io import read_audio
from musicnet_build.listening.overlay import block_energies

PEAK_BLOCK = 512
"""Samples per pair of waveform peaks at the finest level."""

_SAMPLE_BYTES = 4


class Sound:
    """The samples of a recording, mono at 44,100 Hz.

    They lie in a temporary file that has no name, so that nothing is left behind however the process ends.

    Parameters
    ----------
    path : str or PathLike
        Any file that ``read_audio`` reads.

    Attributes
    ----------
    length : int
        In samples.
    energies : ndarray of float64
        As ``block_energies`` gives them for the whole.
    peaks : ndarray of int8 [shape=(n, 2)]
        Least and greatest value of each ``PEAK_BLOCK`` samples, full scale being 127.

    Raises
    ------
    AudioError
        When ``read_audio`` refuses it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        audio = read_audio(path)
        self.length = len(audio)
        self.energies = block_energies(audio)
        self.peaks = waveform_peaks(audio)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this object
        self._file.write(audio.data)
        self._file.flush()

    def read(self, begin: int, end: int) -> Audio:
        """Return the samples from ``begin`` to ``end``, zeros where the recording has none.

        Parameters
        ----------
        begin, end : int

        Returns
        -------
        ndarray of float32 [shape=(end - begin,)]
        """
        result = np.zeros(end - begin, np.float32)
        first, last = max(begin, 0), min(end, self.length)
        if first < last:
            data = os.pread(self._file.fileno(), (last - first) * _SAMPLE_BYTES, first * _SAMPLE_BYTES)
            result[first - begin : last - begin] = np.frombuffer(data, np.float32)
        return result

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()


def waveform_peaks(samples: Audio) -> NDArray[np.int8]:
    """Return the least and the greatest value of each block of samples.

    Parameters
    ----------
    samples : ndarray of float32 [shape=(n,)]

    Returns
    -------
    ndarray of int8 [shape=(ceil(n / PEAK_BLOCK), 2)]
        Full scale is 127.
    """
    padded = np.pad(samples, (0, -len(samples) % PEAK_BLOCK), mode="edge").reshape(-1, PEAK_BLOCK)
    extremes = np.stack([padded.min(axis=1), padded.max(axis=1)], axis=1)
    peaks: NDArray[np.int8] = np.clip(np.rint(127 * extremes), -127, 127).astype(np.int8)
    return peaks


def coarser_peaks(peaks: NDArray[np.int8], factor: int) -> NDArray[np.int8]:
    """Join every ``factor`` pairs of peaks to one.

    Parameters
    ----------
    peaks : ndarray of int8 [shape=(n, 2)]
    factor : int

    Returns
    -------
    ndarray of int8 [shape=(ceil(n / factor), 2)]
    """
    padded = np.pad(peaks, ((0, -len(peaks) % factor), (0, 0)), mode="edge").reshape(-1, factor, 2)
    return np.stack([padded[..., 0].min(axis=1), padded[..., 1].max(axis=1)], axis=1)
