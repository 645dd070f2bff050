"""Spectral features of audio: arrays in, arrays out, one row per frame.

Conventions
-----------
Frame *k* is **centred** on sample ``k * hop_length``: the signal is continued with silence on both sides, and a signal
of *n* samples has ``1 + n // hop_length`` frames. ``frame_times_s`` states this for the whole package.

Spectra are amplitudes: a sine of amplitude *a* on a bin's centre has the value *a*, whatever the window length.
Everything is computed block by block in float32, so an hour of audio needs little more than its result.
"""

from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from musicnet_build._typing import Audio, Features, Float64s
from musicnet_build.features.filterbanks import HIGHEST_PITCH as HIGHEST_PITCH
from musicnet_build.features.filterbanks import LOWEST_PITCH as LOWEST_PITCH
from musicnet_build.features.filterbanks import bands_of_bins, pitch_filterbank
from musicnet_build.features.filterbanks import pitch_to_hz as pitch_to_hz
from musicnet_build.features.transforms import FRAMES_AT_ONCE, band_amplitudes, plan_of, sine_window
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.threads import on_all_cores

WINDOW_LENGTH = 2048
HOP_LENGTH = 512
LOW_BINS = 50
"""The recipe of the MusicNet paper (Thickstun et al. 2017, section 4): window, stride, and the bins it aligns on."""

BAND_GAIN = 1000.0
_BLOCK_FRAMES = 512  # a multiple of FRAMES_AT_ONCE


def frame_count(n_samples: int, hop_length: int = HOP_LENGTH) -> int:
    """Return the number of frames of a signal of ``n_samples`` samples."""
    return 1 + n_samples // hop_length


def row_blocks(count: int) -> list[slice]:
    """Return slices of so many rows, each small enough to stay in a core's cache from one step to the next."""
    return [slice(first, min(first + _BLOCK_FRAMES, count)) for first in range(0, count, _BLOCK_FRAMES)]


def frame_times_s(frames: ArrayLike, hop_length: int = HOP_LENGTH, sample_rate: int = SAMPLE_RATE) -> Float64s:
    """Return the time in seconds on which each frame is centred.

    Parameters
    ----------
    frames : array_like
        Frame indices; fractions lie between frames.
    hop_length : int
        Samples from one frame to the next.
    sample_rate : int
        Sample rate in Hz.

    Returns
    -------
    ndarray of float64 [same shape as ``frames``]
    """
    return np.asarray(frames, dtype=np.float64) * hop_length / sample_rate


def amplitude_blocks(audio: Audio, window_length: int, hop_length: int, bins: int | None = None) -> Iterator[Features]:
    """Yield the amplitude spectrogram in blocks of consecutive frames.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.
    window_length : int
        Length of the Hann window and of the transform, in samples.
    hop_length : int
        Samples from one frame to the next.
    bins : int, optional
        How many, from the lowest on; by default all.

    Yields
    ------
    ndarray of float32 [shape=(frames in block, 1 + window_length // 2 or bins)]
        Amplitudes: the magnitude of the transform times 2 / sum of the window.
    """
    for frames in row_blocks(frame_count(len(audio), hop_length)):
        signal = _samples_of(audio, window_length, hop_length, frames)
        views = np.lib.stride_tricks.sliding_window_view(signal, window_length)[::hop_length]
        yield np.abs(scipy.fft.rfft(views * sine_window(window_length), axis=1)[:, :bins])


def _samples_of(audio: Audio, window_length: int, hop_length: int, frames: slice) -> Audio:
    """The samples of some frames."""
    before = window_length // 2
    return with_silence(
        audio, frames.start * hop_length - before, (frames.stop - 1) * hop_length - before + window_length
    )


def log_spectrogram(
    audio: Audio,
    *,
    window_length: int = WINDOW_LENGTH,
    hop_length: int = HOP_LENGTH,
    bins: int | None = LOW_BINS,
) -> Features:
    """Return the log-spectrogram log(1 + |X|) of the transform's magnitudes.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.
    window_length, hop_length : int
        In samples.
    bins : int or None
        Keep the lowest ``bins`` bins (DC included); None keeps all.

    Returns
    -------
    ndarray of float32 [shape=(frame_count(n), bins)]
    """
    blocks = amplitude_blocks(audio, window_length, hop_length, bins)
    # The sum of a Hann window is half its length: this turns amplitudes back into magnitudes.
    return np.concatenate([np.log1p(block * np.float32(window_length / 4)) for block in blocks])


def band_spectrogram(
    audio: Audio,
    *,
    window_length: int,
    hop_length: int,
    bands_per_octave: int,
    highest_pitch: int = HIGHEST_PITCH,
    log_gain: float = BAND_GAIN,
    tuning_cents: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
) -> Features:
    """Return the logarithm of the amplitudes in bands of equal width on the pitch scale, from MIDI 21 up.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.
    window_length, hop_length : int
        In samples; the first a power of two.
    bands_per_octave : int
        12 gives one band per semitone.
    highest_pitch : int
        MIDI number on which the last band is centred.
    log_gain : float
        The value is log(1 + log_gain * amplitude).
    tuning_cents : float
        How far above A4 = 440 Hz the instruments are tuned.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32 [shape=(frame_count(n), bands)]
        The first band is centred on MIDI 21.
    """
    bank = pitch_filterbank(window_length, bands_per_octave, highest_pitch, tuning_cents, sample_rate)
    bands_of = bands_of_bins(window_length, bands_per_octave, highest_pitch, tuning_cents, sample_rate)
    frames, plan = frame_count(len(audio), hop_length), plan_of(window_length)
    bands = np.empty((-(-frames // FRAMES_AT_ONCE) * FRAMES_AT_ONCE, bank.shape[1]), np.float32)

    def fill(rows: slice) -> None:
        block, signal = bands[rows], np.ascontiguousarray(_samples_of(audio, window_length, hop_length, rows))
        band_amplitudes(signal, hop_length, plan, bank, bands_of, block)
        block *= np.float32(log_gain)
        block += np.float32(1.0)
        # Not log1p, which takes six times as long: the difference is a unit in the last place of values near 1.
        np.log(block, out=block)

    on_all_cores(fill, row_blocks(len(bands)))
    return bands[:frames]


def estimated_tuning_cents(audio: Audio, *, frames: int = 400, window_length: int = 8192) -> float:
    """Return how far the instruments are tuned above A4 = 440 Hz, from -50 to 50 cents, in steps of 5.

    The circular mean of where spectral peaks between 100 and 2,000 Hz lie between semitones, weighted by amplitude.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal at 44.1 kHz.
    frames : int
        How many frames, evenly spaced over the signal, are looked at.
    window_length : int
        In samples.

    Returns
    -------
    float
        0 where there are no peaks.
    """
    hop_length = max(window_length // 4, len(audio) // frames)
    total = 0j
    for block in amplitude_blocks(audio, window_length, hop_length):
        low, high = (int(hz * window_length / SAMPLE_RATE) for hz in (100, 2000))
        left, middle, right = (np.log(block[:, low + k : high + k] + 1e-9) for k in (-1, 0, 1))
        peak = (middle > left) & (middle > right) & (middle > np.log(1e-4))
        curvature = np.where(peak, left - 2 * middle + right, -1.0)
        bins = np.arange(low, high) + 0.5 * (left - right) / curvature
        semitones = 12 * np.log2(np.where(peak, bins, 1.0) * SAMPLE_RATE / window_length / 440.0)
        total += np.sum(np.where(peak, np.exp(middle), 0.0) * np.exp(2j * np.pi * semitones))
    return 5.0 * round(float(np.angle(total)) / (2 * np.pi) * 20.0)


def with_silence(audio: Audio, start: int, stop: int) -> Audio:
    """Return samples ``start`` to ``stop`` of the signal, zeros outside it."""
    if start >= 0 and stop <= len(audio):
        return audio[start:stop].astype(np.float32, copy=False)
    piece = audio[max(start, 0) : max(stop, 0)]
    return np.pad(piece, (max(-start, 0), max(stop - max(start, 0) - len(piece), 0))).astype(np.float32, copy=False)
