"""Onset activations: how much the sound at a pitch, at each frame, looks like the beginning of that note.

A small network looks at 21 frames (122 ms) of what belongs to one pitch: the energy at its first six harmonics, at its
neighbours and an octave below, and the change over the whole spectrum. It was trained by ``tools/train_onsets.py`` on
music that the script composes and renders itself, so that the softmax of its output over a span of frames is the
probability of the onset being at each of them, given that the span holds exactly one onset of the pitch.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache, cached_property
from importlib import resources

import numpy as np

from musicnet_build._typing import Audio, Features, Float32s
from musicnet_build.features import spectra
from musicnet_build.features.onset_kernels import FRAMES_AT_ONCE, convolved, packed_taps
from musicnet_build.files import replacing
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.threads import on_all_cores

HOP_LENGTH = 256
HOP_S = HOP_LENGTH / SAMPLE_RATE
CONTEXT_FRAMES = 10
"""Frames that the network sees to each side."""

CHANNELS = 13
_HARMONICS = (0, 12, 19, 24, 28, 31)  # semitones above the fundamental
_HIGHEST_BAND = 132
_BLOCK_FRAMES = 1024


@dataclass(frozen=True, eq=False)
class OnsetModel:
    """Weights of the network: a convolution over time and two layers on its result, with rectifiers between.

    Attributes
    ----------
    taps : ndarray of float32 [shape=(21, CHANNELS, hidden)]
    taps_bias : ndarray of float32 [shape=(hidden,)]
    mixer : ndarray of float32 [shape=(hidden, mixed)]
    mixer_bias : ndarray of float32 [shape=(mixed,)]
    output : ndarray of float32 [shape=(mixed,)]
    """

    taps: Features
    taps_bias: Features
    mixer: Features
    mixer_bias: Features
    output: Features

    def __call__(self, channels: Features) -> Features:
        """Return the activation at each frame.

        Parameters
        ----------
        channels : ndarray of float32 [shape=(frames, CHANNELS)]
            Of one pitch, as ``pitch_channels`` gives them.

        Returns
        -------
        ndarray of float32 [shape=(frames,)]
            A logit: only differences between frames mean something.
        """
        return self.heard(np.pad(channels.T, ((0, 0), (CONTEXT_FRAMES, CONTEXT_FRAMES)), mode="edge"))

    def heard(self, channels: Features) -> Features:
        """Return the activation at each frame that has its context on both sides.

        Parameters
        ----------
        channels : ndarray of float32 [shape=(CHANNELS, frames + 2 * CONTEXT_FRAMES)]

        Returns
        -------
        ndarray of float32 [shape=(frames,)]
        """
        frames = channels.shape[1] - 2 * CONTEXT_FRAMES
        if -frames % FRAMES_AT_ONCE:
            channels = np.pad(channels, ((0, 0), (0, -frames % FRAMES_AT_ONCE)))
        hidden = convolved(np.ascontiguousarray(channels, np.float32), self._packed_taps)[: len(self.taps_bias)]
        hidden += self.taps_bias[:, None]
        mixed = self.mixer.T @ np.maximum(hidden, 0, out=hidden)
        mixed += self.mixer_bias[:, None]
        activation: Features = self.output @ np.maximum(mixed, 0, out=mixed)
        return activation[:frames]

    @cached_property
    def _packed_taps(self) -> Float32s:
        return packed_taps(self.taps)

    def weights(self) -> dict[str, Features]:
        """Return copies of the weights, by name."""
        return {field.name: getattr(self, field.name).copy() for field in fields(self)}


@cache
def onset_model() -> OnsetModel:
    """Return the network that comes with the package."""
    with (
        resources.files("musicnet_build.features").joinpath("onset_model.npz").open("rb") as file,
        np.load(file) as weights,
    ):
        return OnsetModel(**{name: weights[name] for name in weights.files})


def read_onset_model(path: str | os.PathLike[str]) -> OnsetModel:
    """Return a network whose weights :func:`write_onset_model` wrote."""
    with np.load(path, allow_pickle=False) as weights:
        return OnsetModel(**{field.name: weights[field.name] for field in fields(OnsetModel)})


def write_onset_model(path: str | os.PathLike[str], model: OnsetModel) -> None:
    """Write the weights of a network, the same bytes for the same weights."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **model.weights())  # type: ignore[arg-type]  # its stubs know no mapping of arrays


def onset_activations(
    spectrograms: "OnsetSpectrograms", pitches: Iterable[int], model: OnsetModel | None = None
) -> dict[int, Features]:
    """Return how much each frame looks like the onset of each pitch.

    Parameters
    ----------
    spectrograms : OnsetSpectrograms
        Of the recording.
    pitches : iterable of int
        MIDI numbers.
    model : OnsetModel, optional
        By default the network that comes with the package.

    Returns
    -------
    dict of ndarray of float32 [shape=(frames,)]
        By pitch.
    """
    network, wanted = model or onset_model(), sorted(set(pitches))
    frames = len(spectrograms.change)
    curves = np.empty((len(wanted), frames), np.float32)

    def fill(first: int) -> None:
        stop = min(first + _BLOCK_FRAMES, frames)
        around = np.clip(np.arange(first - CONTEXT_FRAMES, stop + CONTEXT_FRAMES), 0, frames - 1)
        medium, long = (np.ascontiguousarray(bands[around].T) for bands in (spectrograms.medium, spectrograms.long))
        sources = _Sources(medium, long, spectrograms.change[around])
        for curve, pitch in zip(curves, wanted, strict=True):
            curve[first:stop] = network.heard(sources.channels(pitch))

    on_all_cores(fill, range(0, frames, _BLOCK_FRAMES))
    return dict(zip(wanted, curves, strict=True))


@dataclass(frozen=True, eq=False)
class OnsetSpectrograms:
    """What the channels of all pitches are taken from, one row per frame.

    Attributes
    ----------
    medium, long : ndarray of float32 [shape=(frames, 112)]
        Semitone spectrograms from MIDI 21 to 132 with windows of 2048 and 4096 samples.
    change : ndarray of float32 [shape=(frames,)]
        Logarithm of the rise summed over all semitones, window 1024.
    """

    medium: Features
    long: Features
    change: Features


def onset_spectrograms(audio: Audio, tuning_cents: float = 0.0) -> OnsetSpectrograms:
    """Return the spectrograms that the network looks at.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal at 44.1 kHz, brought to the level that ``levels.levelled`` gives.
    tuning_cents : float
        How far above A4 = 440 Hz the instruments are tuned.

    Returns
    -------
    OnsetSpectrograms
        Frame *k* is centred on ``k * HOP_S`` seconds.
    """
    short, medium, long = (semitones(audio, length, tuning_cents=tuning_cents) for length in (1024, 2048, 4096))
    rise = np.zeros(len(short), np.float32)
    for rows in spectra.row_blocks(len(short) - 1):
        rise[1:][rows] = np.maximum(short[1:][rows] - short[rows], 0.0).sum(axis=1)
    return OnsetSpectrograms(medium, long, np.log1p(rise))


def semitones(
    audio: Audio,
    window_length: int,
    hop_length: int = HOP_LENGTH,
    highest_pitch: int = _HIGHEST_BAND,
    tuning_cents: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
) -> Features:
    """Return the semitone spectrogram of a levelled signal, from MIDI 21 up."""
    return spectra.band_spectrogram(
        audio,
        window_length=window_length,
        hop_length=hop_length,
        bands_per_octave=12,
        highest_pitch=highest_pitch,
        tuning_cents=tuning_cents,
        sample_rate=sample_rate,
    )


def pitch_channels(spectrograms: OnsetSpectrograms, pitch: int) -> Features:
    """Return what the network sees of one pitch.

    Parameters
    ----------
    spectrograms : OnsetSpectrograms
    pitch : int
        MIDI number.

    Returns
    -------
    ndarray of float32 [shape=(frames, CHANNELS)]
        Six harmonics with the medium window, three with the long one, the semitones below and above, the octave
        below, and the change of the whole spectrum. Bands outside the spectrograms are zero.
    """
    return _Sources(spectrograms.medium.T, spectrograms.long.T, spectrograms.change).channels(pitch).T


@dataclass(frozen=True, eq=False)
class _Sources:
    """Spectrograms of some frames, band by band: ``medium`` and ``long`` [bands, frames], ``change`` [frames]."""

    medium: Features
    long: Features
    change: Features

    def channels(self, pitch: int) -> Features:
        """What the network sees of a pitch [CHANNELS, frames]."""
        index = pitch - spectra.LOWEST_PITCH
        medium = [_band(self.medium, index + interval) for interval in (*_HARMONICS, -1, 1, -12)]
        long = [_band(self.long, index + interval) for interval in _HARMONICS[:3]]
        return np.concatenate([*medium[:6], *long, *medium[6:], self.change]).reshape(CHANNELS, -1)


def _band(bands: Float32s, index: int) -> Features:
    return bands[index] if 0 <= index < len(bands) else np.zeros(bands.shape[1], np.float32)
