"""Several channels to one: their mean, or the loudest alone where the others cancel it.

A recording with one cable the wrong way round is two channels that are each other's negative: their mean is silence
and what little noise they do not share. That is told from the power of the mean beside that of the channels.
"""

from collections.abc import Iterator

import numpy as np

from musicnet_build._typing import Audio, Float64s

CANCELLED_POWER = 0.25
"""A mean with less than this share of the power that independent channels would give it is cancelled. For two channels
as loud as each other that is a correlation below -0.75; mono and spaced microphones are far from it."""

CANCELLED_TIME = 0.1
"""Where more of the sounding time than this is cancelled, the loudest channel is taken."""

_UNIT_S = 0.5
_SOUNDING = 1e-3  # of the power of the loud parts: 30 dB below them


class ChannelMix:
    """Averages channels block by block, and keeps account of what they cancel.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._unit_frames = round(_UNIT_S * sample_rate)
        self._frames = 0
        self._open: Float64s | None = None
        self._units: list[Float64s] = []

    def mono(self, blocks: Iterator[Audio]) -> Iterator[Audio]:
        """Yield the mean of the channels of each block.

        Parameters
        ----------
        blocks : iterator of float32 [shape=(frames, channels)]

        Yields
        ------
        float32 [shape=(frames,)]
        """
        for block in blocks:
            if block.shape[1] == 1:
                yield block[:, 0]
                continue
            mean = block.mean(axis=1, dtype=np.float32)
            self._account(block, mean)
            yield mean

    def cancelled_share(self) -> float:
        """Return the share of the sounding time in which the mean is cancelled; 0 before anything was mixed."""
        powers = self._powers()
        if not len(powers):
            return 0.0
        channels = powers[:, :-1].mean(axis=1)
        sounding = (channels > _SOUNDING * np.percentile(channels, 90)) & (channels > 0)
        cancelled = powers[:, -1] * (powers.shape[1] - 1) < CANCELLED_POWER * channels
        return float(np.mean(cancelled[sounding])) if sounding.any() else 0.0

    def loudest(self) -> int:
        """Return the number of the channel that holds most of the power, the first of equals."""
        return int(self._powers()[:, :-1].sum(axis=0).argmax())

    def _powers(self) -> Float64s:
        return np.array([*self._units, *([] if self._open is None else [self._open])])

    def _account(self, block: Audio, mean: Audio) -> None:
        """Add up the energy of each channel and, last, of the mean, in units of time."""
        for start in range(0, len(block), self._unit_frames):
            part, part_mean = block[start : start + self._unit_frames], mean[start : start + self._unit_frames]
            energies = [*np.einsum("ij,ij->j", part, part, dtype=np.float64), np.dot(part_mean, part_mean)]
            self._open = np.array(energies) + (0.0 if self._open is None else self._open)
            self._frames += len(part)
            if self._frames >= self._unit_frames:
                self._units.append(self._open)
                self._open, self._frames = None, 0
