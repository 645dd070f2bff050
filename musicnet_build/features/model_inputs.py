"""The inputs of transcription models, as their authors define them; for packages, not for the alignment.

Mel spectra and constant-Q transforms are those of librosa, which users of such models know and can compute themselves.
They are computed by blocks of frames with what surrounds them, for librosa holds the transform of a whole signal: an
hour takes it 2 GB. The filterbank of Kelz et al. is ours (``filterbanks``).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import scipy.fft

from musicnet_build._typing import Audio, Features, Float32s, Int64s
from musicnet_build.features.filterbanks import log_filterbank
from musicnet_build.features.spectra import HOP_LENGTH, WINDOW_LENGTH, frame_count, with_silence
from musicnet_build.notes import SAMPLE_RATE

MEL_BANDS, MEL_LOW_HZ = 229, 30.0
CQT_BINS, CQT_BINS_PER_OCTAVE, CQT_LOW_HZ = 176, 24, 27.5
"""The log-mel and constant-Q inputs of Cheuk et al. 2020, at 16 kHz."""

_LOG_FLOOR = 1e-5
_BLOCK_FRAMES = 512
_LIBROSA_BLOCK_FRAMES = 2048
_CQT_SURROUNDINGS_S = 2.0  # half the longest window is 0.63 s; the rest is for the filters of librosa's resampling


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
        Frames per second, such as 31.25 or 100.
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


def log_mel_spectrogram(
    audio: Audio, sample_rate: int, *, window_length: int = WINDOW_LENGTH, hop_length: int = HOP_LENGTH
) -> Features:
    """Return the logarithm of the power in mel bands, ln(power + 1e-5), from librosa's mel spectrogram.

    Parameters
    ----------
    audio : float32 [shape=(n,)]
        Mono signal.
    sample_rate : int
        In Hz.
    window_length, hop_length : int
        In samples.

    Returns
    -------
    float32 [shape=(frame_count(n), MEL_BANDS)]
    """
    import librosa

    def power(piece: Audio) -> Float32s:
        mel: Float32s = librosa.feature.melspectrogram(
            y=piece, sr=sample_rate, n_fft=window_length, hop_length=hop_length, n_mels=MEL_BANDS, fmin=MEL_LOW_HZ
        )
        return mel

    around = -(-window_length // (2 * hop_length))
    return _log(_by_blocks(audio, hop_length, around, power))


def log_cqt(audio: Audio, sample_rate: int, *, hop_length: int = HOP_LENGTH) -> Features:
    """Return the logarithm of the constant-Q transform's amplitudes, ln(amplitude + 1e-5), from librosa's transform.

    Bin *k* lies at ``CQT_LOW_HZ`` · 2^(k / ``CQT_BINS_PER_OCTAVE``): A4 is bin 96. A sine of amplitude *a* on a bin's
    centre has the amplitude *a*. Windows are 34.6 periods long: 1.26 s at the lowest bin, 8 ms at the highest.

    Parameters
    ----------
    audio : float32 [shape=(n,)]
        Mono signal.
    sample_rate : int
        In Hz; at least 9,000, so that all bins lie below half of it.
    hop_length : int
        In samples; a multiple of 128, for librosa halves the sample rate from octave to octave.

    Returns
    -------
    float32 [shape=(frame_count(n), CQT_BINS)]
    """
    import librosa

    def amplitude(piece: Audio) -> Float32s:
        scaled = librosa.cqt(
            y=piece,
            sr=sample_rate,
            hop_length=hop_length,
            fmin=CQT_LOW_HZ,
            n_bins=CQT_BINS,
            bins_per_octave=CQT_BINS_PER_OCTAVE,
        )
        magnitude: Float32s = np.abs(scaled) * _cqt_scale(sample_rate)
        return magnitude

    around = round(_CQT_SURROUNDINGS_S * sample_rate / hop_length)
    return _log(_by_blocks(audio, hop_length, around, amplitude))


@lru_cache(maxsize=2)
def _cqt_scale(sample_rate: int) -> Float32s:
    """What makes librosa's values, which are proportional to the root of the window's length, amplitudes of sines."""
    import librosa

    tones_hz = CQT_LOW_HZ * 2.0 ** (np.arange(CQT_BINS) / CQT_BINS_PER_OCTAVE)
    lengths, _ = librosa.filters.wavelet_lengths(freqs=tones_hz, sr=sample_rate, gamma=0)
    scale: Float32s = (2.0 / np.sqrt(lengths[:, None])).astype(np.float32)
    return scale


def _log(values: Features) -> Features:
    logarithm: Features = np.log(values + np.float32(_LOG_FLOOR))
    return logarithm


def scaled_to_unit(features: Features) -> Features:
    """Return features scaled linearly so that the lowest value is 0 and the highest 1; all 0 where all are equal."""
    low, high = float(features.min(initial=np.inf)), float(features.max(initial=-np.inf))
    if not high > low:
        return np.zeros_like(features)
    scaled: Features = ((features - np.float32(low)) / np.float32(high - low)).astype(np.float32)
    return scaled


def _by_blocks(audio: Audio, hop_length: int, around: int, transform: Callable[[Audio], Float32s]) -> Features:
    """Transform ([bands, frames] of a piece) blocks of frames, each with ``around`` frames before and after it."""
    frames = frame_count(len(audio), hop_length)
    blocks = []
    for first in range(0, frames, _LIBROSA_BLOCK_FRAMES):
        last = min(first + _LIBROSA_BLOCK_FRAMES, frames)
        piece = with_silence(audio, (first - around) * hop_length, (last + around) * hop_length)
        blocks.append(transform(piece)[:, around : around + last - first].T)
    return np.concatenate(blocks)


def _magnitude_blocks(audio: Audio, centres: Int64s, window_length: int) -> Iterator[Features]:
    """Yield |STFT| (Hann window, not scaled) of frames centred on the given samples, block by block."""
    window = np.hanning(window_length + 1)[:-1].astype(np.float32)
    half = window_length // 2
    for first in range(0, len(centres), _BLOCK_FRAMES):
        block = centres[first : first + _BLOCK_FRAMES]
        start = int(block[0]) - half
        signal = with_silence(audio, start, int(block[-1]) - half + window_length)
        frames = np.lib.stride_tricks.sliding_window_view(signal, window_length)[block - half - start]
        yield np.abs(scipy.fft.rfft(frames * window, axis=1))
