"""A small transcriber: onsets and frames of all pitches by one network, for comparing labels with labels.

Ours, out of two published ideas. The network sees, for each pitch, the energy at its harmonics, and is the same for all
pitches, so that minutes of music suffice to train it (harmonic stacking, Bittner et al. 2022, section 2.1). Onsets are
learned as triangles over time, so that the peak between frames says when the note begins (Kong et al. 2021, section
3.2). The 100 frames a second make errors of 25 ms matter.

References
----------
Bittner, Bosch, Rubinstein, Meseguer-Brocal, Ewert: A Lightweight Instrument-Agnostic Model for Polyphonic Note
Transcription and Multipitch Estimation. ICASSP 2022.
Kong, Li, Song, Wan, Wang: High-Resolution Piano Transcription With Pedals by Regressing Onset and Offset Times.
IEEE/ACM TASLP 29, 2021.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from musicnet_build._typing import Audio, Bools, Float32s
from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task, device_of
from musicnet_build.baselines.decoding import Activations, notes_in
from musicnet_build.errors import DatasetError, TrainingError
from musicnet_build.evaluation.framewise import best_threshold, frame_scores, precision_recall
from musicnet_build.evaluation.metrics import note_match
from musicnet_build.features.filterbanks import LOWEST_PITCH
from musicnet_build.features.spectra import band_spectrogram
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.packing.windows import MusicNetWindows

PITCHES = 88
HOP_SAMPLES = 441
FRAME_LENGTH_S = HOP_SAMPLES / SAMPLE_RATE

HARMONICS = (-12, -1, 0, 1, 12, 19, 24, 28, 31, 36)
"""Semitones from a pitch at which the network listens: its harmonics, an octave below, and the neighbours."""

WINDOWS = (2048, 4096)
"""In samples: the short one hears when a note begins, the long one which note it is."""

ONSET_WIDTH_FRAMES = 3.0
"""Half the base of an onset's triangle."""

_HIGHEST_BAND = 132
_BLOCK_FRAMES = 3000
_ONSET_WEIGHT = 4.0  # ours: onsets are few
_ONSET_THRESHOLDS = tuple(np.geomspace(0.02, 0.8, 16).round(3).tolist())  # of blurred labels, peaks are low


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """Sizes of the model.

    Attributes
    ----------
    channels : int
        Of the two layers over time.
    taps : int
        Frames that each of them sees, an odd number.
    excerpt_frames : int
        Of an example.
    """

    channels: int
    taps: int
    excerpt_frames: int


class HarmonicStack(nn.Module):
    """Bands [batch, windows, frames, bands] to what each pitch's network sees [batch, channels, frames, 88]."""

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        """Return, for each pitch, the bands at its harmonics."""
        low = -min(HARMONICS)
        padded = functional.pad(bands, (low, max(0, PITCHES + max(HARMONICS) - bands.shape[3])))
        shifted = [padded[..., low + harmonic : low + harmonic + PITCHES] for harmonic in HARMONICS]
        return torch.cat(shifted, dim=1)


def bands_of(audio: Audio) -> Float32s:
    """Return log amplitudes in semitones, by both windows: float32 [shape=(2, frames, bands)]."""
    return np.stack(
        [
            band_spectrogram(
                audio, window_length=window, hop_length=HOP_SAMPLES, bands_per_octave=12, highest_pitch=_HIGHEST_BAND
            )
            for window in WINDOWS
        ]
    )


def network(settings: Settings) -> nn.Module:
    """Build the model: bands [batch, 2, frames, bands] to logits [batch, 2, frames, 88] of onsets and frames."""
    inputs, channels = len(WINDOWS) * len(HARMONICS), settings.channels

    def over_time() -> nn.Module:
        return nn.Conv2d(channels, channels, (settings.taps, 1), padding=(settings.taps // 2, 0))

    last = nn.Conv2d(channels, 2, 1)
    # Ours: at first nothing sounds, which is nearly true.
    nn.init.constant_(last.bias, -4.0)
    return nn.Sequential(
        HarmonicStack(), nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, channels, 1), nn.ReLU(),
        over_time(), nn.ReLU(),
        over_time(), nn.ReLU(),
        last,
    )  # fmt: skip


def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the binary cross entropy of onsets and frames, summed over the pitches of a frame."""
    bands, targets = batch
    entropy = functional.binary_cross_entropy_with_logits(model(bands), targets, reduction="none")
    onset, frame = entropy.sum(dim=3).mean(dim=(0, 2))
    return _ONSET_WEIGHT * onset + frame


def targets_of(notes: NoteTable, first_frame: int, frames: int) -> Float32s:
    """Return what the network is to say of an excerpt.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In seconds of the recording.
    first_frame : int
        Of the excerpt.
    frames : int

    Returns
    -------
    ndarray of float32 [shape=(2, frames, 88)]
        A triangle around each onset; 1 where a pitch sounds.
    """
    targets = np.zeros((2, frames, PITCHES), np.float32)
    begins, ends = (notes[name] / FRAME_LENGTH_S - first_frame for name in ("onset_s", "offset_s"))
    column = notes["pitch"].astype(np.int64) - LOWEST_PITCH
    inside = (begins < frames + ONSET_WIDTH_FRAMES) & (ends > -ONSET_WIDTH_FRAMES) & (column >= 0) & (column < PITCHES)
    at = np.arange(frames)
    for onset, offset, pitch in zip(begins[inside], ends[inside], column[inside], strict=True):
        triangle = 1.0 - np.abs(at - onset) / ONSET_WIDTH_FRAMES
        targets[0, :, pitch] = np.maximum(targets[0, :, pitch], triangle)
        targets[1, (at >= onset) & (at < offset), pitch] = 1.0
    return targets


def task(model: nn.Module, package: Path, settings: Settings, seed: int) -> Task:
    """Train on excerpts of the split ``train`` of a ``musicnet`` package, every place of it equally likely.

    The bands of all recordings are kept in memory: 160 MB an hour.
    """
    heard = [(bands_of(audio).astype(np.float16), labels) for audio, labels in _recordings(package, "train")]
    count = settings.excerpt_frames
    places = np.cumsum([max(bands.shape[1] - count + 1, 1) for bands, _ in heard])

    def excerpt(drawn: int) -> tuple[Float32s, Float32s]:
        place = int(np.searchsorted(places, drawn, side="right"))
        first = drawn - (int(places[place - 1]) if place else 0)
        bands, notes = heard[place]
        # Silence where a recording is shorter than an excerpt.
        piece = np.zeros((len(WINDOWS), count, bands.shape[2]), np.float32)
        piece[:, : bands.shape[1] - first] = bands[:, first : first + count]
        return piece, targets_of(notes, first, count)

    def batch(step: int) -> Batch:
        drawn = np.random.default_rng([seed, step]).integers(0, places[-1], settings.batch_size)
        pieces, targets = zip(*(excerpt(one) for one in drawn.tolist()), strict=True)
        return torch.from_numpy(np.stack(pieces)), torch.from_numpy(np.stack(targets))

    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate)
    held_out = [(bands_of(audio), notes) for audio, notes in _recordings(package, "validation")]
    # Ours: the rate falls linearly to a twentieth, so that the last steps settle.
    return Task(
        optimizer, batch, loss, partial(_validated, held_out, settings),
        lambda step: settings.learning_rate * (1 - 0.95 * step / settings.steps),
    )  # fmt: skip


def activations(model: nn.Module, audio: Audio, settings: Settings) -> Activations:
    """Return what the network says of a whole recording."""
    return _said(model, bands_of(audio), settings)


def _said(model: nn.Module, bands: Float32s, settings: Settings) -> Activations:
    """Of a block of frames with what surrounds it at a time."""
    around, frames = 2 * (settings.taps // 2), bands.shape[1]
    padded = torch.from_numpy(np.pad(bands, ((0, 0), (around, around), (0, 0))))
    blocks = []
    for first in range(0, frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, frames)
        with torch.no_grad():
            said = torch.sigmoid(model(padded[None, :, first : last + 2 * around].to(device_of(model))))
        blocks.append(said[0, :, around : around + last - first].cpu().numpy())
    onset, frame = np.concatenate(blocks, axis=1)
    return Activations(frame, onset, FRAME_LENGTH_S, LOWEST_PITCH)


def true_frames(notes: NoteTable, frames: int) -> Bools:
    """Return where pitches sound [shape=(frames, 88)], as the network is taught it."""
    sounding: Bools = targets_of(notes, 0, frames)[1] > 0
    return sounding


def note_figures(
    said: Activations, truth: NoteTable, frame_threshold: float, onset_threshold: float
) -> dict[str, float]:
    """Return F1 of frames, and of notes by their onsets within 25 and 50 ms."""
    notes = notes_in(said, frame_threshold, onset_threshold)
    decided = said.frame > frame_threshold
    figures = {"frame f1": frame_scores(true_frames(truth, len(decided)), decided).f1}
    for tolerance_s in (0.025, 0.05):
        name = f"note f1, {1000 * tolerance_s:.0f} ms"
        found = note_match(truth, notes, with_offsets=False, tolerance_s=tolerance_s).f1 if len(notes) else 0.0
        figures[name] = found
    return figures


def _recordings(package: Path, split: str) -> Iterator[tuple[Audio, NoteTable]]:
    """Whole recordings of a split, with their labels in seconds."""
    try:
        windows = MusicNetWindows(package, split=split, window_samples=WINDOWS[-1])
    except DatasetError as error:
        raise TrainingError(
            f"{package} has no recordings of the split {split}: pack it with --validation-share 0.1."
        ) from error
    for name in windows.ids:
        start, end, pitch = windows.labels(name)
        notes = empty_notes(len(start))
        notes["onset_s"], notes["offset_s"], notes["pitch"] = start / SAMPLE_RATE, end / SAMPLE_RATE, pitch
        whole = MusicNetWindows(package, ids=[name], window_samples=windows.lengths[name])
        yield whole.window(name, 0), sorted_by_onset(notes)


def _validated(held_out: list[tuple[Float32s, NoteTable]], settings: Settings, model: nn.Module) -> Metrics:
    """Thresholds with the best F1 by the validation's own labels, and their figures: of frames, then of onsets."""
    said = [_said(model, bands, settings) for bands, _ in held_out]
    truth = np.concatenate([true_frames(notes, len(one.frame)) for one, (_, notes) in zip(said, held_out, strict=True)])
    frame_threshold, _ = best_threshold(precision_recall(truth, np.concatenate([one.frame for one in said])))

    def figures(onset_threshold: float) -> Metrics:
        pieces = [
            note_figures(one, notes, frame_threshold, onset_threshold)
            for one, (_, notes) in zip(said, held_out, strict=True)
        ]
        return {name: float(np.mean([piece[name] for piece in pieces])) for name in pieces[0]}

    found = {threshold: figures(threshold) for threshold in _ONSET_THRESHOLDS}
    best = max(found, key=lambda threshold: found[threshold]["note f1, 50 ms"])
    return found[best] | {"frame threshold": frame_threshold, "onset threshold": best}


MODELS = {
    "transcriber": Baseline(
        "transcriber",
        {
            "small": Settings(
                steps=250, batch_size=4, learning_rate=1e-2, validate_every=125, channels=12, taps=7, excerpt_frames=256
            ),
            "paper": Settings(
                steps=20_000,
                batch_size=32,
                learning_rate=2e-3,
                validate_every=1000,
                channels=48,
                taps=15,
                excerpt_frames=512,
            ),
        },
        network,
        task,
        "note f1, 50 ms",
        activations,
    )
}
