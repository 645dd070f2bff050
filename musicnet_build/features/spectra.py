"""Spectral features of audio: arrays in, arrays out, one row a frame.

Conventions
-----------
Frame *k* is **centred** on sample ``k * hop_length``: the signal is continued with silence on both sides, and a signal
of *n* samples has ``1 + n // hop_length`` frames. ``frame_times_s`` states this for the whole package.

Spectra are amplitudes: a sine of amplitude *a* on a bin's centre has the value *a*, whatever the window length.
Everything is computed block by block in float32, so an hour of audio needs little more than its result.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import ArrayLike

from musicnet_build._typing import Audio, Features, Float32s, Float64s, Int64s
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.threads import on_all_cores

WINDOW_LENGTH = 2048
HOP_LENGTH = 512
LOW_BINS = 50
"""The recipe of the MusicNet paper (Thickstun et al. 2017, section 4): window, stride, and the bins it aligns on."""

BAND_GAIN = 1000.0
LOWEST_PITCH, HIGHEST_PITCH = 21, 108
_BLOCK_FRAMES = 512  # whose transforms fit into the processor's cache, and cost little memory on every core


def frame_count(n_samples: int, hop_length: int = HOP_LENGTH) -> int:
    """Return the number of frames of a signal of ``n_samples`` samples."""
    return 1 + n_samples // hop_length


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


def amplitude_blocks(audio: Audio, window_length: int, hop_length: int) -> Iterator[Features]:
    """Yield the amplitude spectrogram in blocks of consecutive frames.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.
    window_length : int
        Length of the Hann window and of the transform, in samples.
    hop_length : int
        Samples from one frame to the next.

    Yields
    ------
    ndarray of float32 [shape=(frames in block, 1 + window_length // 2)]
        Amplitudes: the magnitude of the transform times 2 / sum of the window.
    """
    for first in range(0, frame_count(len(audio), hop_length), _BLOCK_FRAMES):
        yield _amplitudes(audio, window_length, hop_length, first)


def _amplitudes(audio: Audio, window_length: int, hop_length: int, first: int) -> Features:
    """One block of the amplitude spectrogram, from a frame on."""
    count = min(_BLOCK_FRAMES, frame_count(len(audio), hop_length) - first)
    start = first * hop_length - window_length // 2
    signal = _with_silence(audio, start, start + (count - 1) * hop_length + window_length)
    frames = np.lib.stride_tricks.sliding_window_view(signal, window_length)[::hop_length]
    amplitudes: Features = np.abs(scipy.fft.rfft(frames * _window(window_length), axis=1))
    return amplitudes


@lru_cache(maxsize=16)
def _window(length: int) -> Float32s:
    """A Hann window that gives a sine its amplitude."""
    window = np.hanning(length + 1)[:-1].astype(np.float32)  # periodic: the transform's frame closes on itself
    window *= np.float32(2.0 / window.sum(dtype=np.float64))
    return window


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
    blocks = amplitude_blocks(audio, window_length, hop_length)
    # The sum of a Hann window is half its length: this turns amplitudes back into magnitudes.
    return np.concatenate([_log(block[:, :bins], window_length / 4) for block in blocks])


def band_spectrogram(
    audio: Audio,
    *,
    window_length: int,
    hop_length: int,
    bands_per_octave: int,
    highest_pitch: int = HIGHEST_PITCH,
    log_gain: float = BAND_GAIN,
    tuning_cents: float = 0.0,
) -> Features:
    """Return the logarithm of the amplitudes in bands of equal width on the pitch scale, from MIDI 21 up.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal at 44.1 kHz.
    window_length, hop_length : int
        In samples.
    bands_per_octave : int
        12 gives one band a semitone.
    highest_pitch : int
        MIDI number on which the last band is centred.
    log_gain : float
        The value is log(1 + log_gain * amplitude).
    tuning_cents : float
        How far above A4 = 440 Hz the instruments are tuned.

    Returns
    -------
    ndarray of float32 [shape=(frame_count(n), bands)]
        The first band is centred on MIDI 21.
    """
    bank = pitch_filterbank(window_length, bands_per_octave, highest_pitch, tuning_cents)
    bands = np.empty((frame_count(len(audio), hop_length), bank.shape[1]), np.float32)

    def fill(first: int) -> None:
        block = _amplitudes(audio, window_length, hop_length, first)
        bands[first : first + len(block)] = _log(block @ bank, log_gain)

    on_all_cores(fill, range(0, len(bands), _BLOCK_FRAMES))
    return bands


@lru_cache(maxsize=16)
def pitch_filterbank(
    window_length: int, bands_per_octave: int, highest_pitch: int = HIGHEST_PITCH, tuning_cents: float = 0.0
) -> Features:
    """Return triangular filters for 44.1 kHz, centred on equal-tempered pitches from MIDI 21 up.

    Each filter falls to zero at its neighbours' centres, but never spans less than one bin to each side, so that
    low filters of short windows are not empty.

    Parameters
    ----------
    window_length : int
        Length of the transform in samples.
    bands_per_octave : int
        Filters an octave.
    highest_pitch : int
        MIDI number on which the last filter is centred.
    tuning_cents : float
        How far the centres lie above equal temperament on A4 = 440 Hz.

    Returns
    -------
    ndarray of float32 [shape=(1 + window_length // 2, bands)]
    """
    step = 12.0 / bands_per_octave
    pitches = np.arange(LOWEST_PITCH, highest_pitch + step / 2, step) + tuning_cents / 100.0
    centres_hz = pitch_to_hz(pitches)
    bin_hz = SAMPLE_RATE / window_length
    below = np.maximum(centres_hz - pitch_to_hz(pitches - step), bin_hz)
    above = np.maximum(pitch_to_hz(pitches + step) - centres_hz, bin_hz)
    distance = np.arange(1 + window_length // 2)[:, None] * bin_hz - centres_hz
    slope = np.where(distance < 0, -distance / below, distance / above)
    return np.maximum(0.0, 1.0 - slope).astype(np.float32)


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


def pitch_to_hz(pitch: ArrayLike, a4_hz: float = 440.0) -> Float64s:
    """Return the frequency in Hz of (fractional) MIDI pitches in equal temperament."""
    return a4_hz * 2.0 ** ((np.asarray(pitch, dtype=np.float64) - 69.0) / 12.0)


def _log(amplitudes: Features, gain: float) -> Features:
    compressed: Features = np.log1p(amplitudes * np.float32(gain))
    return compressed


def _with_silence(audio: Audio, start: int, stop: int) -> Audio:
    """Samples ``start`` to ``stop`` of the signal, zeros outside it."""
    piece = audio[max(start, 0) : max(stop, 0)]
    return np.pad(piece, (max(-start, 0), max(stop - max(start, 0) - len(piece), 0))).astype(np.float32, copy=False)


# ---------------------------------------------------------------------------------------------------------------------
# Inputs of transcription models

LOG_BANDS_PER_OCTAVE, LOG_LOW_HZ, LOG_HIGH_HZ = 48, 30.0, 8000.0
"""The logarithmic filterbank of Kelz et al. 2016: with windows of 4,096 samples at 44.1 kHz it has 229 filters."""

MEL_BANDS, MEL_LOW_HZ = 229, 30.0
CQT_BINS, CQT_BINS_PER_OCTAVE, CQT_LOW_HZ = 176, 24, 27.5
"""The log-mel and constant-Q inputs of Cheuk et al. 2020, at 16 kHz."""

_LOG_FLOOR = 1e-5
_CQT_KERNEL_FLOOR = 1e-3


def log_filter_centres_hz(
    bands_per_octave: int = LOG_BANDS_PER_OCTAVE,
    low_hz: float = LOG_LOW_HZ,
    high_hz: float = LOG_HIGH_HZ,
    a4_hz: float = 440.0,
) -> Float64s:
    """Return the frequencies a4 · 2^(k / bands_per_octave), k whole, from ``low_hz`` to ``high_hz``, in Hz."""
    first = np.ceil(bands_per_octave * np.log2(low_hz / a4_hz))
    last = np.floor(bands_per_octave * np.log2(high_hz / a4_hz))
    return a4_hz * 2.0 ** (np.arange(first, last + 1) / bands_per_octave)


@lru_cache(maxsize=4)
def log_filterbank(window_length: int = 4096, sample_rate: int = SAMPLE_RATE) -> Features:
    """Return triangular filters between the transform's bins that lie nearest to logarithmically spaced frequencies.

    Of the frequencies of :func:`log_filter_centres_hz` that share a bin only one counts, so low filters, where bins
    are sparser than bands, are one bin apart. Each filter rises from the bin before its own to the bin after it, and
    its weights sum to 1.

    Parameters
    ----------
    window_length : int
        Length of the transform in samples.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32 [shape=(1 + window_length // 2, filters)]
        229 filters for the default arguments.

    References
    ----------
    Kelz et al., "On the potential of simple framewise approaches to piano transcription", ISMIR 2016.
    """
    bin_hz = sample_rate / window_length
    bins = np.unique(np.rint(log_filter_centres_hz() / bin_hz))
    below, centre, above = bins[:-2], bins[1:-1], bins[2:]
    positions = np.arange(1 + window_length // 2)[:, None]
    rising = (positions - below) / (centre - below)
    falling = (above - positions) / (above - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    normalised: Features = (filters / filters.sum(axis=0)).astype(np.float32)
    return normalised


def log_filter_spectrogram(
    audio: Audio, frame_rate_hz: float, *, window_length: int = 4096, sample_rate: int = SAMPLE_RATE
) -> Features:
    """Return log10(1 + filtered magnitudes), after Kelz et al. 2016.

    The hop need not be a whole number of samples: frame *k* is centred on the sample nearest to ``k / frame_rate_hz``
    seconds.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.
    frame_rate_hz : float
        Frames a second, such as 31.25 or 100.
    window_length : int
        In samples.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32 [shape=(1 + floor(n · frame_rate_hz / sample_rate), filters)]
    """
    frames = 1 + int(len(audio) * frame_rate_hz / sample_rate + 1e-9)
    centres = np.rint(np.arange(frames) * (sample_rate / frame_rate_hz)).astype(np.int64)
    filters = log_filterbank(window_length, sample_rate)
    blocks = _magnitude_blocks(audio, centres, window_length)
    return np.concatenate([np.log10(1 + block @ filters) for block in blocks])


def mel_filterbank(
    window_length: int, sample_rate: int, bands: int = MEL_BANDS, low_hz: float = MEL_LOW_HZ
) -> Features:
    """Return triangular filters of equal width on the mel scale, from ``low_hz`` to half the sample rate.

    The scale is Slaney's (linear below 1,000 Hz, logarithmic above), and each filter has the area 1 over frequency in
    Hz, as in the usual toolkits.

    Parameters
    ----------
    window_length, sample_rate : int
        In samples, in Hz.
    bands : int
    low_hz : float

    Returns
    -------
    ndarray of float32 [shape=(1 + window_length // 2, bands)]
    """
    edges = _mel_to_hz(np.linspace(_hz_to_mel(low_hz), _hz_to_mel(sample_rate / 2), bands + 2))
    below, centre, above = edges[:-2], edges[1:-1], edges[2:]
    frequencies = np.arange(1 + window_length // 2)[:, None] * (sample_rate / window_length)
    rising = (frequencies - below) / (centre - below)
    falling = (above - frequencies) / (above - centre)
    filters: Features = (np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (above - below))).astype(np.float32)
    return filters


def log_mel_spectrogram(
    audio: Audio, sample_rate: int, *, window_length: int = WINDOW_LENGTH, hop_length: int = HOP_LENGTH
) -> Features:
    """Return the logarithm of the power in mel bands, ln(power + 1e-5).

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.
    sample_rate : int
        In Hz.
    window_length, hop_length : int
        In samples.

    Returns
    -------
    ndarray of float32 [shape=(frame_count(n), MEL_BANDS)]
    """
    filters = mel_filterbank(window_length, sample_rate)
    centres = np.arange(frame_count(len(audio), hop_length)) * hop_length
    blocks = _magnitude_blocks(audio, centres, window_length)
    return np.concatenate([np.log(block**2 @ filters + np.float32(_LOG_FLOOR)) for block in blocks])


def log_cqt(audio: Audio, sample_rate: int, *, hop_length: int = HOP_LENGTH) -> Features:
    """Return the logarithm of the constant-Q transform's amplitudes, ln(amplitude + 1e-5).

    Bin *k* lies at ``CQT_LOW_HZ`` · 2^(k / ``CQT_BINS_PER_OCTAVE``): A4 is bin 96. A sine of amplitude *a* on a bin's
    centre has the amplitude *a*. Windows are as long as Q = 1 / (2^(1/24) − 1) = 34.1 periods: 1.2 s at the lowest
    bin, 8 ms at the highest.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal.
    sample_rate : int
        In Hz; at least 9,000, so that all bins lie below half of it.
    hop_length : int
        In samples.

    Returns
    -------
    ndarray of float32 [shape=(frame_count(n), CQT_BINS)]

    References
    ----------
    Brown and Puckette, "An efficient algorithm for the calculation of a constant Q transform", JASA 1992.
    """
    kernels, length = _cqt_kernels(sample_rate)
    half = length // 2
    frames = frame_count(len(audio), hop_length)
    amplitudes = np.empty((frames, CQT_BINS), dtype=np.float32)
    # Few frames at a time: a window of 32,768 samples is sixteen of the usual ones.
    for first in range(0, frames, _BLOCK_FRAMES // 4):
        count = min(_BLOCK_FRAMES // 4, frames - first)
        start = first * hop_length - half
        signal = _with_silence(audio, start, start + (count - 1) * hop_length + length)
        windows = np.lib.stride_tricks.sliding_window_view(signal, length)[::hop_length]
        amplitudes[first : first + count] = np.abs(kernels @ scipy.fft.rfft(windows, axis=1).T).T
    logarithm: Features = np.log(amplitudes + np.float32(_LOG_FLOOR))
    return logarithm


def scaled_to_unit(features: Features) -> Features:
    """Return features scaled linearly so that the lowest value is 0 and the highest 1; all 0 where all are equal."""
    low, high = float(features.min(initial=np.inf)), float(features.max(initial=-np.inf))
    if not high > low:
        return np.zeros_like(features)
    scaled: Features = ((features - np.float32(low)) / np.float32(high - low)).astype(np.float32)
    return scaled


def _magnitude_blocks(audio: Audio, centres: Int64s, window_length: int) -> Iterator[Features]:
    """Yield |STFT| (Hann window, not scaled) of frames centred on the given samples, block by block."""
    window = np.hanning(window_length + 1)[:-1].astype(np.float32)
    half = window_length // 2
    for first in range(0, len(centres), _BLOCK_FRAMES):
        block = centres[first : first + _BLOCK_FRAMES]
        start = int(block[0]) - half
        signal = _with_silence(audio, start, int(block[-1]) - half + window_length)
        frames = np.lib.stride_tricks.sliding_window_view(signal, window_length)[block - half - start]
        yield np.abs(scipy.fft.rfft(frames * window, axis=1))


@lru_cache(maxsize=2)
def _cqt_kernels(sample_rate: int) -> tuple["scipy.sparse.csr_array", int]:
    """Return the conjugate spectra of all windowed tones [shape=(bins, 1 + length // 2)], and the length in samples."""
    tones_hz = CQT_LOW_HZ * 2.0 ** (np.arange(CQT_BINS) / CQT_BINS_PER_OCTAVE)
    quality = 1.0 / (2.0 ** (1.0 / CQT_BINS_PER_OCTAVE) - 1.0)
    length = 1 << int(np.ceil(np.log2(quality * sample_rate / tones_hz[0])))
    time = np.arange(length) - length // 2
    rows = []
    for tone_hz in tones_hz:
        width = quality * sample_rate / tone_hz
        window = np.where(np.abs(time) <= width / 2, 0.5 + 0.5 * np.cos(2 * np.pi * time / width), 0.0)
        # A real signal is half its positive frequencies: hence the 2. Parseval's sum has 1 / length.
        kernel = scipy.fft.fft(2.0 / window.sum() * window * np.exp(2j * np.pi * tone_hz / sample_rate * time))
        kernel = np.conj(kernel[: 1 + length // 2]) / length
        rows.append(np.where(np.abs(kernel) > _CQT_KERNEL_FLOOR * np.abs(kernel).max(), kernel, 0))
    return scipy.sparse.csr_array(np.stack(rows).astype(np.complex64)), length


def _hz_to_mel(frequency_hz: float) -> float:
    """Slaney's mel scale: 3 mel every 200 Hz up to 1,000 Hz, then 27 mel every factor of 6.4."""
    if frequency_hz < 1000.0:
        return 3.0 * frequency_hz / 200.0
    return float(15.0 + 27.0 * np.log(frequency_hz / 1000.0) / np.log(6.4))


def _mel_to_hz(mel: Float64s) -> Float64s:
    return np.where(mel < 15.0, 200.0 * mel / 3.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0))
