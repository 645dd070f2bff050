"""Frames of sound to pictures of 128 rows and 512 columns: logarithmic frequency against time, in decibels.

A picture shows its frame and nothing else: beyond the frame's ends there is silence, not the neighbouring note.

Rows are 128 frequencies from 20 Hz to 16 kHz, row 0 the lowest: spaced evenly on a logarithmic scale ("log", "cqt") or
on the mel scale ("mel"). Columns are first as many as the hop gives, 1 + frame / hop, column k centred on sample
k * hop, and are then interpolated linearly to 512. Values rise linearly from 0 at -80 dB to 1 at 0 dB, where 0 dB is a
sine of full scale; nothing is scaled by the frame's own loudness, so silence is black.

These are not librosa's transforms: the windows of 26 of the 128 constant-Q rows are longer than a frame of 8,192
samples, which librosa does not cut, and its mel filters lie between the lowest and the highest frequency, not on them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from musicnet_build._typing import Float32s, Float64s, Int64s, UInt8s
from musicnet_build.choices import TIMBRE_FRAME_LENGTHS, TIMBRE_HOPS
from musicnet_build.errors import DatasetError

TIMBRE_SAMPLE_RATE = 32_768
"""In Hz: 8,192 samples are a quarter of a second, an eighth note at 120 beats per minute."""

WINDOW_LENGTH = 1024
LOWEST_HZ, HIGHEST_HZ = 20.0, 16_000.0
ROWS, COLUMNS = 128, 512
FLOOR_DB = -80.0
COLOUR_MAP = "magma"

Spectrogram = Literal["log", "mel", "cqt"]


@dataclass(frozen=True)
class ImageSettings:
    """How frames become pictures.

    Attributes
    ----------
    spectrogram : {"log", "mel", "cqt"}
        A windowed Fourier transform summed in bands on a logarithmic or on the mel scale, or a constant-Q transform.
    frame_length : {8192, 4096, 2048}
        Samples a frame, at 32,768 Hz.
    hop : {32, 512, 1024}
        Samples from one column to the next, before they are resized.
    """

    spectrogram: Spectrogram = "log"
    frame_length: int = 8192
    hop: int = 32

    def __post_init__(self) -> None:
        """Refuse what is not among the choices."""
        for value, choices, what in (
            (self.spectrogram, get_args(Spectrogram), "spectrogram"),
            (self.frame_length, TIMBRE_FRAME_LENGTHS, "frame length"),
            (self.hop, TIMBRE_HOPS, "hop"),
        ):
            if value not in choices:
                raise DatasetError(f"There is no {what} {value}: choose one of {', '.join(map(str, choices))}.")


def row_frequencies_hz(spectrogram: Spectrogram) -> Float64s:
    """Return the centre frequency of each row.

    Parameters
    ----------
    spectrogram : {"log", "mel", "cqt"}
        The mel scale is 2595 log10(1 + f / 700).

    Returns
    -------
    ndarray of float64 [shape=(128,)]
    """
    if spectrogram != "mel":
        return np.geomspace(LOWEST_HZ, HIGHEST_HZ, ROWS)
    lowest, highest = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (LOWEST_HZ, HIGHEST_HZ))
    return 700.0 * (10.0 ** (np.linspace(lowest, highest, ROWS) / 2595.0) - 1.0)


def pictures(frames: Float32s, settings: ImageSettings) -> Float32s:
    """Return a picture of each frame.

    Parameters
    ----------
    frames : ndarray of float32 [shape=(n, frame_length)]
        Sound at 32,768 Hz.
    settings : ImageSettings

    Returns
    -------
    ndarray of float32 [shape=(n, 128, 512)]
        From 0 to 1.
    """
    transform = constant_q if settings.spectrogram == "cqt" else _banded
    decibels = 20.0 * np.log10(np.maximum(transform(frames, settings), 10 ** (FLOOR_DB / 20)))
    values = np.clip(1.0 - decibels / FLOOR_DB, 0.0, 1.0)
    return _resized(values.astype(np.float32))


def coloured(images: Float32s, table: UInt8s) -> UInt8s:
    """Return images in the colours of a table.

    Parameters
    ----------
    images : ndarray of float32 [any shape]
        From 0 to 1.
    table : ndarray of uint8 [shape=(256, 3)]
        As of :func:`colour_table`.

    Returns
    -------
    ndarray of uint8 [shape=(*images.shape, 3)]
        Row ``round(255 * value)`` of the table.
    """
    result: UInt8s = np.take(table, np.rint(images * 255.0).astype(np.uint8), axis=0)
    return result


def colour_table() -> UInt8s:
    """Return the red, green and blue of the 256 colours of matplotlib's colour map "magma".

    Returns
    -------
    ndarray of uint8 [shape=(256, 3)]
    """
    from matplotlib import colormaps

    table: UInt8s = colormaps[COLOUR_MAP](np.arange(256), bytes=True)[:, :3]
    return table


def _banded(frames: Float32s, settings: ImageSettings) -> Float32s:
    """Amplitudes of the windowed Fourier transform, summed in bands; shape (n, 128, columns)."""
    window = scipy.signal.get_window("hann", WINDOW_LENGTH).astype(np.float32)
    window *= np.float32(2.0 / window.sum(dtype=np.float64))
    padded = np.pad(frames, ((0, 0), (WINDOW_LENGTH // 2, WINDOW_LENGTH // 2)))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_LENGTH, axis=1)[:, :: settings.hop]
    bank = _filterbank(settings.spectrogram)
    amplitudes: Float32s = np.abs(scipy.fft.rfft(pieces * window, axis=2)) @ bank
    result: Float32s = np.ascontiguousarray(np.swapaxes(amplitudes, 1, 2))
    return result


@lru_cache(maxsize=4)
def _filterbank(spectrogram: Spectrogram) -> Float32s:
    """Triangles that fall to zero at the neighbouring rows, never narrower than a bin to each side; (513, 128)."""
    centres = row_frequencies_hz(spectrogram)
    bin_hz = TIMBRE_SAMPLE_RATE / WINDOW_LENGTH
    widths = np.diff(centres)
    below = np.maximum(np.concatenate([widths[:1], widths]), bin_hz)
    above = np.maximum(np.concatenate([widths, widths[-1:]]), bin_hz)
    distance = np.arange(1 + WINDOW_LENGTH // 2)[:, None] * bin_hz - centres
    bank: Float32s = np.maximum(0.0, 1 - np.where(distance < 0, -distance / below, distance / above)).astype(np.float32)
    return bank


def constant_q(frames: Float32s, settings: ImageSettings) -> Float32s:
    """Return the amplitudes of a constant-Q transform whose longest windows are cut to the frame.

    Each row is the sound times a Hann window that moves along the frame, transformed at the row's frequency; the window
    is as long as a frequency one row higher needs to be told apart (Brown 1991), at most one frame. Computed in
    the frequency domain: a row's spectrum, folded to as many bins as there are columns, is transformed back.

    Parameters
    ----------
    frames : ndarray of float32 [shape=(n, frame_length)]
    settings : ImageSettings

    Returns
    -------
    ndarray of float32 [shape=(n, 128, 1 + frame_length // hop)]
    """
    columns = 2 * settings.frame_length // settings.hop
    spectra = scipy.fft.fft(frames, 2 * settings.frame_length, axis=1)
    result = np.empty((len(frames), ROWS, 1 + columns // 2), dtype=np.float32)
    for row, (bins, weights) in enumerate(_kernels(settings.frame_length)):
        folded = np.zeros((len(frames), columns), dtype=np.complex64)
        # Not `+=`: several bins may fold onto one.
        np.add.at(folded.T, bins % columns, (spectra[:, bins] * weights).T)
        result[:, row] = np.abs(scipy.fft.ifft(folded, axis=1))[:, : 1 + columns // 2] * np.float32(columns)
    return result


@lru_cache(maxsize=4)
def _kernels(frame_length: int) -> list[tuple[Int64s, NDArray[np.complex64]]]:
    """Bins and weights of each row's window in a transform of two frames' length (so that nothing wraps around)."""
    centres = row_frequencies_hz("cqt")
    size = 2 * frame_length
    quality = 1.0 / (centres[1] / centres[0] - 1.0)
    kernels = []
    for centre in centres:
        length = min(round(quality * TIMBRE_SAMPLE_RATE / centre), frame_length) | 1
        time = np.arange(length) - length // 2
        window = scipy.signal.get_window("hann", length)
        wave = np.zeros(size, dtype=np.complex128)
        wave[time] = window * (2.0 / window.sum()) * np.exp(2j * np.pi * centre * time / TIMBRE_SAMPLE_RATE)
        spectrum = np.fft.fft(wave)
        bins = np.flatnonzero(np.abs(spectrum) > 1e-3 * np.abs(spectrum).max())
        kernels.append((bins, (spectrum[bins] / size).astype(np.complex64)))
    return kernels


def _resized(values: Float32s) -> Float32s:
    """Interpolate the columns linearly to 512, the first and the last staying the first and the last."""
    place = np.linspace(0.0, values.shape[-1] - 1.0, COLUMNS)
    left = np.minimum(place.astype(np.int64), values.shape[-1] - 2)
    weight = (place - left).astype(np.float32)
    resized: Float32s = values[..., left] * (1 - weight) + values[..., left + 1] * weight
    return resized
