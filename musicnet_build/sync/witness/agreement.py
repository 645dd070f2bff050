"""How far a witness is to be believed, and what it adds to the onset activations.

A witness may be late, blurred, deaf, or of another piece. The notes that the recording itself is sure of tell: over the
half second around each of them, cut at the neighbours of its pitch, the onset is taken to be at a frame in proportion
to 1 + odds · c, with c the witness's curve, shifted, smoothed, and divided by its height at onsets. The delay is where
the curves are highest; smoothing and odds are those that make the sure onsets most probable. What the witness adds on
the mean to the log probability of a sure onset is its gain: 1 to 2 nats for transcribers of the right recording, under
0.1 for those of another. Where the gain is too small, the witness is not heard at all.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy.ndimage

from musicnet_build._typing import Bools, Features, Float64s, Int64s
from musicnet_build.features.onsets import HOP_S
from musicnet_build.labels.witness import Witness
from musicnet_build.notes import NoteTable
from musicnet_build.sync.chords import territories

LEAST_GAIN_NATS = 0.4
LEAST_NOTES = 20
"""With less gain, or fewer sure notes, a witness is not heard."""

MOST_NOTES = 600
OWN_WEIGHT = 0.7
"""Weight of the recording's own activations beside a witness: both hear the same sound, and err together."""

SPREADS_FRAMES = (0.5, 1.0, 2.0, 3.5, 6.0)
ODDS = (1.0, 3.0, 10.0)
"""Smoothing of a witness, and how much more probable an onset is where it hears one than where it does not.

Sure onsets would have it higher still, but they are the easy ones: with 30 and 100 the others get worse."""

_REACH_FRAMES = 86
_MOST_DELAY_FRAMES = 17  # 0.1 s
_PROFILE_SPREAD = 2.0


@dataclass(frozen=True, eq=False)
class Agreement:
    """A witness, and how it is heard.

    Attributes
    ----------
    witness : Witness
    gain_nats : float
        Mean log probability that it adds at the sure onsets.
    delay_frames : int
        How much later than the recording it puts onsets.
    spread_frames : float
        Standard deviation of the Gaussian that its curves are smoothed with.
    odds : float
        See above.
    height : float
        Of its smoothed curves where it hears an onset.
    """

    witness: Witness
    gain_nats: float = 0.0
    delay_frames: int = 0
    spread_frames: float = SPREADS_FRAMES[0]
    odds: float = 0.0
    height: float = 1.0

    @property
    def agrees(self) -> bool:
        """Whether the witness is heard."""
        return self.gain_nats >= LEAST_GAIN_NATS

    @property
    def delay_s(self) -> float:
        """How many seconds later than the recording it puts onsets."""
        return self.delay_frames * HOP_S


class _Windows(NamedTuple):
    """The frames around sure onsets [notes, 2 · _REACH_FRAMES + 1], and which of them are nearest to it."""

    pitch: Int64s
    frames: Int64s
    allowed: Bools


def agreement(witness: Witness, notes: NoteTable, onset_s: Float64s, sure: Bools, frames: int) -> Agreement:
    """Find out how far a witness is to be believed.

    Parameters
    ----------
    witness : Witness
    notes : NoteTable [shape=(n,)]
    onset_s : ndarray of float64 [shape=(n,)]
        Recording seconds of these notes, found without the witness.
    sure : ndarray of bool [shape=(n,)]
        Which of them are sure.
    frames : int
        Length of the recording.

    Returns
    -------
    Agreement
    """
    windows = _windows(notes, onset_s, sure, frames)
    if len(windows.pitch) < LEAST_NOTES:
        return Agreement(witness)
    curves = {int(pitch): witness.onset_curve(int(pitch), frames) for pitch in np.unique(windows.pitch)}
    delay = _delay(curves, windows)
    silent = Agreement(witness, delay_frames=delay)
    found = [_best_odds(replace(silent, spread_frames=spread), curves, windows) for spread in SPREADS_FRAMES]
    return max(found, key=lambda one: one.gain_nats)


def joined(activations: dict[int, Features], agreed: Agreement | None) -> dict[int, Features]:
    """Return onset activations with what a witness heard beside them; alone where there is none, or one not believed.

    Parameters
    ----------
    activations : dict of ndarray of float32 [shape=(frames,)]
        By pitch.
    agreed : Agreement or None

    Returns
    -------
    dict of ndarray of float32 [shape=(frames,)]
    """
    if agreed is None or not agreed.agrees:
        return activations
    return {pitch: _with_witness(curve, pitch, agreed) for pitch, curve in activations.items()}


def _with_witness(own: Features, pitch: int, agreed: Agreement) -> Features:
    heard = _smoothed(agreed.witness.onset_curve(pitch, len(own) + agreed.delay_frames), agreed.spread_frames)
    on_time = np.zeros(len(own))
    first = max(0, -agreed.delay_frames)
    on_time[first:] = heard[max(0, agreed.delay_frames) :][: len(own) - first]
    both: Features = (OWN_WEIGHT * own + np.log1p(agreed.odds * on_time / agreed.height)).astype(np.float32)
    return both


def _windows(notes: NoteTable, onset_s: Float64s, sure: Bools, frames: int) -> _Windows:
    rows = np.flatnonzero(sure)
    if len(rows) > MOST_NOTES:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_NOTES).round().astype(np.int64)]
    places = onset_s / HOP_S
    around = np.round(places[rows, None]).astype(np.int64) + np.arange(-_REACH_FRAMES, _REACH_FRAMES + 1)
    low, high = (ends[rows, None] for ends in territories(notes["pitch"], places))
    allowed = (around >= 0) & (around < frames) & (around >= low) & (around <= high)
    return _Windows(notes["pitch"][rows].astype(np.int64), around, allowed)


def _delay(curves: dict[int, Float64s], windows: _Windows) -> int:
    """How many frames after the sure onsets the witness's curves are highest."""
    frames = len(next(iter(curves.values())))
    delays = np.arange(-_MOST_DELAY_FRAMES, _MOST_DELAY_FRAMES + 1)
    profile = np.zeros(len(delays))
    for pitch, curve in curves.items():
        onsets = windows.frames[windows.pitch == pitch, _REACH_FRAMES]
        profile += curve[np.clip(onsets[:, None] + delays, 0, frames - 1)].sum(axis=0)
    return int(delays[np.argmax(_smoothed(profile, _PROFILE_SPREAD))])


def _best_odds(silent: Agreement, curves: dict[int, Float64s], windows: _Windows) -> Agreement:
    """The odds with which a witness, late and smoothed as given, makes the sure onsets most probable."""
    seen = np.empty(windows.frames.shape)
    for pitch, curve in curves.items():
        rows = windows.pitch == pitch
        places = np.clip(windows.frames[rows] + silent.delay_frames, 0, len(curve) - 1)
        seen[rows] = _smoothed(curve, silent.spread_frames)[places]
    at_onset = seen[:, _REACH_FRAMES]
    if not at_onset.any():
        return silent
    height = float(np.sum(at_onset**2) / np.sum(at_onset))
    gains = [_gain(1 + odds * seen / height, windows.allowed) for odds in ODDS]
    best = int(np.argmax(gains))
    return replace(silent, gain_nats=gains[best], odds=ODDS[best], height=height)


def _gain(weights: Float64s, allowed: Bools) -> float:
    """The mean log of how much more probable the onsets in the middle are than any other allowed frame."""
    mean = np.sum(weights * allowed, axis=1) / allowed.sum(axis=1)
    return float(np.mean(np.log(weights[:, _REACH_FRAMES] / mean)))


def _smoothed(curve: Float64s, spread: float) -> Float64s:
    smooth: Float64s = scipy.ndimage.gaussian_filter1d(curve, spread, mode="constant")
    return smooth
