"""Slow listening: sound made two or four times as long at the same pitch, its onsets where they belong.

A phase vocoder with identity phase locking (Laroche and Dolson 1999, "Improved phase vocoder time-scale modification
of audio"). Its window is short: what is judged is when a note begins, and a window smears an onset over its length.
"""

from collections.abc import Callable

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from musicnet_build._typing import Audio, Bools, Int64s
from musicnet_build.notes import SAMPLE_RATE

SLOWDOWNS = (1, 2, 4)
WINDOW = 1536  # 35 ms: the shortest that keeps the pitch of a cello's notes (110 Hz), half-rises within 5 ms of music
HOP = WINDOW // 4
BLOCK = SAMPLE_RATE  # music samples that are stretched at a time
FADE = 882  # output samples over which one block gives way to the next: 20 ms
MARGIN = 2205 + WINDOW  # music samples before a block in which the vocoder settles

_OVERLAP_SUM = 1.5  # of the squares of Hann windows a quarter of their length apart
_NEIGHBOURS = 2  # bins on either side that a spectral peak is above

Read = Callable[[int, int], Audio]
"""Gives the samples from one position to another, zeros outside the recording."""


def stretch(sound: Audio, slowdown: int) -> Audio:
    """Make sound longer at the same pitch.

    Parameters
    ----------
    sound : ndarray of float32 [shape=(n,)]
    slowdown : {1, 2, 4}
        How many times as long it becomes.

    Returns
    -------
    ndarray of float32 [shape=(n * slowdown,)]
        Sample *s* is what sounds at sample *s* / ``slowdown``.
    """
    if slowdown == 1:
        return sound
    frames = 1 + -(-len(sound) * slowdown // HOP)
    padded = np.concatenate([np.zeros(HOP + WINDOW // 2, np.float32), sound, np.zeros(WINDOW, np.float32)])
    centres = np.arange(frames) * (HOP // slowdown)
    now, before = _spectra(padded, centres + HOP), _spectra(padded, centres)
    return _overlap_added(_with_running_phases(now, before))[WINDOW // 2 :][: len(sound) * slowdown]


def stretched_span(
    read: Read, begin: int, end: int, slowdown: int, *, block: Callable[[int, int], Audio] | None = None
) -> Audio:
    """Return a part of a recording's stretched sound, the same whatever part is asked for.

    The recording is stretched in blocks that do not know of each other, each from some way before its start, and
    joined by short fades; so a jump to any place costs no more than the blocks that are heard.

    Parameters
    ----------
    read : callable
        Gives samples of the recording.
    begin, end : int
        Samples of the output, which is ``slowdown`` times as long as the recording.
    slowdown : {1, 2, 4}
    block : callable, optional
        Stands in for ``faded_block`` of this recording: number and slowdown to block.

    Returns
    -------
    ndarray of float32 [shape=(end - begin,)]
    """
    if slowdown == 1:
        return read(begin, end)
    result = np.zeros(end - begin, np.float32)
    length = BLOCK * slowdown
    for number in range((begin - FADE // 2) // length, (end + FADE // 2 - 1) // length + 1):
        start = number * length - FADE // 2
        first, last = max(start, begin), min(start + length + FADE, end)
        if first < last:
            made = block(number, slowdown) if block else faded_block(read, number, slowdown)
            result[first - begin : last - begin] += made[first - start : last - start]
    return result


def faded_block(read: Read, number: int, slowdown: int) -> Audio:
    """Return one stretched block, ``FADE`` samples longer than ``BLOCK * slowdown``, faded at both ends.

    Parameters
    ----------
    read : callable
    number : int
        Of the block, from 0.
    slowdown : {2, 4}

    Returns
    -------
    ndarray of float32 [shape=(BLOCK * slowdown + FADE,)]
    """
    long = stretch(read(number * BLOCK - MARGIN, (number + 1) * BLOCK + MARGIN), slowdown)
    start = MARGIN * slowdown - FADE // 2
    block = long[start : start + BLOCK * slowdown + FADE].copy()
    # Phases of neighbours are unrelated, so energies are what must add up to one.
    rise = np.sin(0.5 * np.pi * (np.arange(FADE) + 0.5) / FADE).astype(np.float32)
    block[:FADE] *= rise
    block[-FADE:] *= rise[::-1]
    return block


def _spectra(padded: Audio, starts: Int64s) -> NDArray[np.complex64]:
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[starts]
    spectra: NDArray[np.complex64] = scipy.fft.rfft(frames * _window(), axis=1)
    return spectra


def _window() -> Audio:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def _with_running_phases(now: NDArray[np.complex64], before: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Turn each spectrum so that every peak's phase continues from the frame before; its neighbours turn with it.

    ``before`` is the spectrum one output hop before ``now`` in the music: what a peak turns by from the one to the
    other is what it must turn by from one output frame to the next.
    """
    output = now.copy()
    peaks = _are_peaks(np.abs(now))
    for k in range(1, len(now)):
        bins = np.flatnonzero(peaks[k])
        if not len(bins):
            continue
        turn = output[k - 1, bins] * np.conj(before[k, bins])
        size = np.abs(turn)
        turn = np.where(size > 0, turn / np.where(size > 0, size, 1), 1)
        borders = (bins[1:] + bins[:-1] + 1) // 2
        output[k] *= np.repeat(turn, np.diff(borders, prepend=0, append=output.shape[1]))
    return output


def _are_peaks(size: Audio) -> Bools:
    padded = np.pad(size, ((0, 0), (_NEIGHBOURS, _NEIGHBOURS)), constant_values=-1)
    peaks = np.ones(size.shape, dtype=bool)
    for offset in range(1, _NEIGHBOURS + 1):
        width = size.shape[1]
        peaks &= size > padded[:, _NEIGHBOURS - offset :][:, :width]
        peaks &= size >= padded[:, _NEIGHBOURS + offset :][:, :width]
    return peaks


def _overlap_added(spectra: NDArray[np.complex64]) -> Audio:
    frames = scipy.fft.irfft(spectra, WINDOW, axis=1) * (_window() / np.float32(_OVERLAP_SUM))
    quarters = frames.reshape(len(frames), 4, HOP)
    result = np.zeros((len(frames) + 3, HOP), np.float32)
    for quarter in range(4):
        result[quarter : quarter + len(frames)] += quarters[:, quarter]
    return result.ravel()
