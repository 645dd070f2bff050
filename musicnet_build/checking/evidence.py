"""What a recording says of onsets, pitch by pitch, as labels are checked against it.

The numbers are the logits of ``features.onsets``. Within a span only their differences mean something to the network,
but it sees every pitch and every recording at one level, so that they compare between places as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Audio, Features, Float64s, Int64s
from musicnet_build.audio.loudness import active_span
from musicnet_build.features import onsets, spectra
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.sync.passes import PADDING_FRAMES, padded

HOP_S = onsets.HOP_S

LOWEST_PITCH, HIGHEST_PITCH = spectra.LOWEST_PITCH, spectra.HIGHEST_PITCH
"""What is listened to beside the pitches of the labels: the piano's range, in which a wrong octave would be found."""

SILENT_LOGIT = -10.0
"""Where there is no recording, and for pitches that were not listened to."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a recording's onsets.

    Attributes
    ----------
    activations : mapping of ndarray of float32 [shape=(frames,)]
        By pitch; frame *k* is at ``k * HOP_S`` recording seconds.
    duration_s : float
        Of the recording.
    sound_s : (float, float)
        Between which recording seconds there is anything but silence.
    tuning_cents : float
        How far above A4 = 440 Hz it is tuned.
    """

    activations: Mapping[int, Features]
    duration_s: float
    sound_s: tuple[float, float]
    tuning_cents: float

    def logits(self, pitch: Int64s, time_s: Float64s, offsets: Int64s) -> Float64s:
        """Return the logits around some times.

        Parameters
        ----------
        pitch : ndarray of int [shape=(n,)]
        time_s : ndarray of float64 [shape=(n,)]
            Recording seconds; taken at the nearest frame.
        offsets : ndarray of int64 [shape=(w,)]
            Frames from there.

        Returns
        -------
        ndarray of float64 [shape=(n, w)]
        """
        frames = np.round(time_s / HOP_S).astype(np.int64)
        found = np.full((len(pitch), len(offsets)), SILENT_LOGIT)
        for one in np.unique(pitch):
            if (curve := self.activations.get(int(one))) is not None:
                rows = np.flatnonzero(pitch == one)
                at = frames[rows, None] + offsets
                inside = (at >= 0) & (at < len(curve))
                found[rows] = np.where(inside, curve[np.clip(at, 0, len(curve) - 1)], SILENT_LOGIT)
        return found


def listen(audio: Audio, pitches: Iterable[int]) -> Evidence:
    """Take from a recording what labels are checked against.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal at 44.1 kHz.
    pitches : iterable of int
        MIDI numbers of the labels.

    Returns
    -------
    Evidence
        Of these pitches, and of all that a piano has.

    Raises
    ------
    AudioError
        When the recording is silent.
    """
    return listen_closely(audio, {*map(int, pitches), *range(LOWEST_PITCH, HIGHEST_PITCH + 1)})[0]


def listen_closely(audio: Audio, pitches: Iterable[int]) -> tuple[Evidence, onsets.OnsetSpectrograms]:
    """Take from a recording the evidence of some pitches, and keep what it was taken from, to be heard anew.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
    pitches : iterable of int

    Returns
    -------
    (Evidence, OnsetSpectrograms)
        The spectrograms are of the padded recording.
    """
    start, end = active_span(audio)
    tuning_cents = spectra.estimated_tuning_cents(audio)
    spectrograms = onsets.onset_spectrograms(padded(audio), tuning_cents)
    sound_s = start / SAMPLE_RATE, end / SAMPLE_RATE
    return Evidence(heard_by(spectrograms, pitches), len(audio) / SAMPLE_RATE, sound_s, tuning_cents), spectrograms


def heard_by(
    spectrograms: onsets.OnsetSpectrograms, pitches: Iterable[int], model: onsets.OnsetModel | None = None
) -> dict[int, Features]:
    """Return the activations of a padded recording, without the padding.

    Parameters
    ----------
    spectrograms : OnsetSpectrograms
    pitches : iterable of int
    model : OnsetModel, optional
        By default the network that comes with the package.

    Returns
    -------
    dict of ndarray of float32 [shape=(frames,)]
    """
    curves = onsets.onset_activations(spectrograms, map(int, pitches), model)
    return {pitch: curve[PADDING_FRAMES:-PADDING_FRAMES] for pitch, curve in curves.items()}
